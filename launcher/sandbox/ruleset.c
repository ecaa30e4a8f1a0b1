#include "ruleset.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "compat.h"
#include "launcher/base/fd.h"

#define ABI_NEWEST 10

/* What each ABI added.  8 brought a flag of restrict_self, 7 audit flags; 10 brought UDP ports, which stay unhandled:
 * where ports are handled no UDP socket can be made (filter_table.c), and a namespace's own UDP must work. */
static const struct {
	uint64_t fs, net, scoped;
} added[ABI_NEWEST + 1] = {
	[1] = {.fs = PW_LL_FS_EXECUTE | PW_LL_FS_WRITE_FILE | PW_LL_FS_READ_FILE | PW_LL_FS_READ_DIR | PW_LL_FS_REMOVE_DIR |
	             PW_LL_FS_REMOVE_FILE | PW_LL_FS_MAKE_CHAR | PW_LL_FS_MAKE_DIR | PW_LL_FS_MAKE_REG | PW_LL_FS_MAKE_SOCK |
	             PW_LL_FS_MAKE_FIFO | PW_LL_FS_MAKE_BLOCK | PW_LL_FS_MAKE_SYM},
	[2] = {.fs = PW_LL_FS_REFER},
	[3] = {.fs = PW_LL_FS_TRUNCATE},
	[4] = {.net = PW_LL_NET_BIND_TCP | PW_LL_NET_CONNECT_TCP},
	[5] = {.fs = PW_LL_FS_IOCTL_DEV},
	[6] = {.scoped = PW_LL_SCOPE_ABSTRACT_UNIX | PW_LL_SCOPE_SIGNAL},
	[9] = {.fs = PW_LL_FS_RESOLVE_UNIX},
};

/* The installer's reads are free (its code is trusted), so are its devices, and name services that it talks to by path. */
#define INSTALLER_FREE (PW_LL_FS_READ_FILE | PW_LL_FS_READ_DIR | PW_LL_FS_IOCTL_DEV | PW_LL_FS_RESOLVE_UNIX)

/* What a rule on something that is not a directory may carry: more is EINVAL. */
#define OF_A_FILE \
	(PW_LL_FS_EXECUTE | PW_LL_FS_WRITE_FILE | PW_LL_FS_READ_FILE | PW_LL_FS_TRUNCATE | PW_LL_FS_IOCTL_DEV | PW_LL_FS_RESOLVE_UNIX)

static int clamp(int abi)
{
	return abi > ABI_NEWEST ? ABI_NEWEST : abi;
}

int ruleset_init(struct ruleset *r, enum ruleset_kind kind, int abi, bool tcp)
{
	struct pw_landlock_ruleset_attr attr = {0};
	/* As long as the ABI knows it, no longer. */
	size_t size = abi >= 6 ? sizeof attr : abi >= 4 ? offsetof(struct pw_landlock_ruleset_attr, scoped) : sizeof attr.handled_access_fs;

	*r = (struct ruleset){.fd = -1, .abi = clamp(abi)};
	if (abi < 1) {
		return -EOPNOTSUPP;
	}
	for (int i = 1; i <= r->abi; i++) {
		attr.handled_access_fs |= added[i].fs;
		attr.handled_access_net |= tcp ? added[i].net : 0;
		attr.scoped |= added[i].scoped;
	}
	if (kind == RULESET_INSTALLER) {
		attr.handled_access_fs &= ~INSTALLER_FREE;
	}
	r->handled_fs = attr.handled_access_fs;
	r->handled_net = attr.handled_access_net;
	r->writable = calloc(1, sizeof *r->writable);
	if (!r->writable) {
		return -ENOMEM;
	}
	r->fd = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	if (r->fd < 0) {
		int error = errno;
		ruleset_finish(r);
		return -error;
	}
	return 0;
}

int ruleset_extend(int ruleset_fd, int abi, const char *path, unsigned grants)
{
	struct ruleset r = {.fd = ruleset_fd, .abi = clamp(abi)};

	for (int i = 1; i <= r.abi; i++) {
		r.handled_fs |= added[i].fs;
	}
	int error = ruleset_add(&r, path, grants);
	r.fd = -1; /* the caller's */
	ruleset_finish(&r);
	return error;
}

void ruleset_finish(struct ruleset *r)
{
	close_fd(&r->fd);
	for (size_t i = 0; i < r->writable_count; i++) {
		free(r->writable[i]);
	}
	free(r->writable);
	r->writable = NULL;
	r->writable_count = 0;
}

static uint64_t rights(unsigned grants)
{
	uint64_t access = 0;

	if (grants & GRANT_READ) {
		access |= PW_LL_FS_READ_FILE | PW_LL_FS_READ_DIR;
	}
	if (grants & GRANT_EXECUTE) {
		access |= PW_LL_FS_EXECUTE | PW_LL_FS_READ_FILE;
	}
	if (grants & GRANT_WRITE) {
		access |= PW_LL_FS_WRITE_FILE | PW_LL_FS_REMOVE_DIR | PW_LL_FS_REMOVE_FILE | PW_LL_FS_MAKE_DIR | PW_LL_FS_MAKE_REG |
			  PW_LL_FS_MAKE_SOCK | PW_LL_FS_MAKE_FIFO | PW_LL_FS_MAKE_SYM | PW_LL_FS_REFER | PW_LL_FS_TRUNCATE |
			  PW_LL_FS_RESOLVE_UNIX;
	}
	if (grants & GRANT_WRITE_FILE) {
		access |= PW_LL_FS_WRITE_FILE | PW_LL_FS_TRUNCATE;
	}
	if (grants & GRANT_DEVICE) {
		access |= PW_LL_FS_IOCTL_DEV;
	}
	return access;
}

static int remember_writable(struct ruleset *r, int path_fd)
{
	char link[sizeof "/proc/self/fd/" + 12], real[PATH_MAX];
	ssize_t len;
	char **grown;

	snprintf(link, sizeof link, "/proc/self/fd/%d", path_fd);
	len = readlink(link, real, sizeof real - 1);
	if (len < 0) {
		return -errno;
	}
	real[len] = '\0';
	for (size_t i = 0; i < r->writable_count; i++) {
		if (!strcmp(r->writable[i], real)) {
			return 0;
		}
	}
	grown = realloc(r->writable, (r->writable_count + 2) * sizeof *grown);
	if (!grown) {
		return -ENOMEM;
	}
	r->writable = grown;
	grown[r->writable_count] = strdup(real);
	if (!grown[r->writable_count]) {
		return -ENOMEM;
	}
	grown[++r->writable_count] = NULL;
	return 0;
}

static int add_rule(struct ruleset *r, int path_fd, uint64_t access, bool writable)
{
	struct landlock_path_beneath_attr attr = {.allowed_access = access, .parent_fd = path_fd};

	/* Nothing that this ruleset handles (a read for the installer, a device on an old kernel): it is free, and an empty rule is ENOMSG. */
	if (access && syscall(SYS_landlock_add_rule, r->fd, LANDLOCK_RULE_PATH_BENEATH, &attr, 0) < 0) {
		return -errno;
	}
	return writable ? remember_writable(r, path_fd) : 0;
}

static bool keep_rule(struct kept_rules *kept, int path_fd, uint64_t access, bool writable)
{
	struct kept_rule *grown = realloc(kept->v, (kept->count + 1) * sizeof *grown);
	int fd = fcntl(path_fd, F_DUPFD_CLOEXEC, 3);

	if (grown) {
		kept->v = grown;
	}
	if (!grown || fd < 0) {
		close_fd(&fd);
		return false;
	}
	kept->v[kept->count++] = (struct kept_rule){.fd = fd, .access = access, .writable = writable};
	return true;
}

void ruleset_forget(struct kept_rules *kept)
{
	for (size_t i = 0; i < kept->count; i++) {
		close_fd(&kept->v[i].fd);
	}
	free(kept->v);
	*kept = (struct kept_rules){0};
}

int ruleset_add_kept(struct ruleset *r, const struct kept_rules *kept)
{
	int error = 0;

	for (size_t i = 0; i < kept->count && !error; i++) {
		error = add_rule(r, kept->v[i].fd, kept->v[i].access, kept->v[i].writable);
	}
	return error;
}

int ruleset_add_fd(struct ruleset *r, int path_fd, unsigned grants)
{
	bool writable = grants & (GRANT_WRITE | GRANT_WRITE_FILE);
	uint64_t access = rights(grants) & r->handled_fs;
	struct stat st;

	if (fstat(path_fd, &st) < 0) {
		return -errno;
	}
	if (!S_ISDIR(st.st_mode)) {
		access &= OF_A_FILE;
	}
	int error = add_rule(r, path_fd, access, writable);
	if (error == 0 && r->keep && !keep_rule(r->keep, path_fd, access, writable)) { /* no descriptors are left for that */
		ruleset_forget(r->keep);
		r->keep = NULL;
	}
	return error;
}

int ruleset_add(struct ruleset *r, const char *path, unsigned grants)
{
	cleanup_fd int fd = open(path, O_PATH | O_CLOEXEC);

	return fd < 0 ? -errno : ruleset_add_fd(r, fd, grants);
}

int ruleset_add_nofollow(struct ruleset *r, const char *path, unsigned grants)
{
	cleanup_fd int fd = *path ? fd_open_nofollow(path) : -ENOENT;

	return fd < 0 ? fd : ruleset_add_fd(r, fd, grants);
}

int ruleset_add_port(struct ruleset *r, bool bind, uint16_t port)
{
	struct pw_landlock_net_port_attr attr = {.allowed_access = bind ? PW_LL_NET_BIND_TCP : PW_LL_NET_CONNECT_TCP, .port = port};

	/* Not handled, so all ports are free as far as Landlock goes. */
	if (!(r->handled_net & attr.allowed_access)) {
		return 0;
	}
	return syscall(SYS_landlock_add_rule, r->fd, PW_LANDLOCK_RULE_NET_PORT, &attr, 0) < 0 ? -errno : 0;
}

int ruleset_enforce(int ruleset_fd)
{
	/* No flags: what later ABIs offer here is about audit records (7) and about threads (8), and this process has one. */
	return syscall(SYS_landlock_restrict_self, ruleset_fd, 0) < 0 ? -errno : 0;
}
