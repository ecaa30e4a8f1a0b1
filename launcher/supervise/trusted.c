#include "launcher/supervise/trusted.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launcher/base/fd.h"
#include "launcher/supervise/pathtext.h"
#include "launcher/supervise/places.h"
#include "launcher/supervise/served.h"
#include "launcher/supervise/supervisor.h"

/* Trees of root or the distribution: nobody else can have planted a link there.  secrets: a rule may name something below. */
static const struct root {
	const char *path;
	size_t len;
	bool secrets;
	bool links; /* its links may lead to another root: /usr/lib/jvm/…/conf is one to /etc */
} roots[] = {
	{"/usr", 4, false, true}, {"/lib", 4, false, true},  {"/lib64", 6, false, true}, {"/lib32", 6, false, true}, {"/libx32", 7, false, true},
	{"/bin", 4, false, true}, {"/sbin", 5, false, true}, {"/etc", 4, true, true},    {"/opt", 4, true, true},    {"/sys", 4, false, false},
};
static const struct root environment = {"", 0, false, false}; /* a grant neither is, holds nor lies in a protected place */

bool trusted_device(const char *path)
{
	static const char *const devices[] = {"null", "zero", "full", "random", "urandom", "tty", "ptmx", NULL};
	if (strncmp(path, "/dev/", 5) != 0)
		return false;
	for (const char *const *d = devices; *d; d++)
		if (strcmp(path + 5, *d) == 0)
			return true;
	return false;
}

/* The trusted root that path stays below at every step, or NULL.  len gets its length. */
static const struct root *trusted_root(const struct sandbox *sb, const char *path, size_t *len)
{
	const struct root *found = NULL;
	for (const struct root *r = roots; !found && r < roots + sizeof roots / sizeof roots[0]; r++)
		if (strncmp(path, r->path, r->len) == 0 && path[r->len] == '/')
			found = r;
	for (char *const *r = sb->readable; (!found || found->secrets) && r && *r; r++) {
		*len = strlen(*r);
		if (*len > 1 && strncmp(path, *r, *len) == 0 && path[*len] == '/')
			return pathtext_stays(path, *len) ? &environment : NULL;
	}
	*len = found ? found->len : 0;
	return found && pathtext_stays(path, *len) ? found : NULL;
}

/* Could a path below a trusted root lead into the served folder?  What is apart there (a virtual environment) the sandbox writes as little as the root. */
static bool reaches_served(const struct sandbox *sb, const char *path, size_t root_len, bool plain)
{
	if (plain)
		return served_holds(sb, path);
	return strncmp(sb->served->root, path, root_len) == 0 && (sb->served->root[root_len] == '/' || !sb->served->root[root_len]);
}

/* A tree is only trusted where the sandbox may write nothing in it: a path that keeps off every writable grant, and with a ".."
 * a root that has none. */
static bool meets_writable(const struct sandbox *sb, const char *path, size_t root_len, bool plain)
{
	if ((sb->home && strncmp(sb->home, path, root_len) == 0) || (sb->tmp && strncmp(sb->tmp, path, root_len) == 0))
		return true;
	if (sb->served && reaches_served(sb, path, root_len, plain))
		return true;
	for (char *const *w = sb->writable; w && *w; w++) {
		if (plain ? pathtext_below(path, *w) : strncmp(*w, path, root_len) == 0 && ((*w)[root_len] == '/' || !(*w)[root_len]))
			return true;
	}
	return false;
}

static int tops[sizeof roots / sizeof roots[0]]; /* 0: not opened yet */

void trusted_setup(void)
{
	for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i++)
		tops[i] = roots[i].links ? open(roots[i].path, O_PATH | O_CLOEXEC | O_DIRECTORY) : -1;
}

/* Paths that were seen to stay below their root, and the folders of such, by hash: every process of a build opens the same few hundred again.  Any thread
 * reads and writes; a collision, or a link that root changes meanwhile, costs no more than that a file is not served. */
static _Atomic uint64_t stayed[8192];

/* Of a path, and of its folder. */
static void hash_path(const char *path, uint64_t *whole, uint64_t *folder)
{
	uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */
	for (; *path; path++) {
		if (*path == '/')
			*folder = hash;
		hash = (hash ^ (unsigned char)*path) * 0x100000001b3;
	}
	*whole = hash;
}

static bool is_known(uint64_t hash)
{
	return atomic_load_explicit(&stayed[hash % (sizeof stayed / sizeof stayed[0])], memory_order_relaxed) == hash;
}

static void know(uint64_t hash)
{
	atomic_store_explicit(&stayed[hash % (sizeof stayed / sizeof stayed[0])], hash, memory_order_relaxed);
}

static bool is_link(const char *path)
{
	char target[1];
	return readlink(path, target, sizeof target) >= 0;
}

/* Is there a link on the way that leaves the root? */
static bool leaves(const struct root *root, const char *path)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
	uint64_t whole, folder = 0;
	if (!root->links)
		return false;
	hash_path(path, &whole, &folder);
	if (is_known(whole))
		return false;
	/* Most names are looked up in the same few folders, and are no links. */
	if (!is_known(folder) || is_link(path)) {
		int top = tops[root - roots];
		const char *rest = path + root->len;
		rest += strspn(rest, "/");
		cleanup_fd int fd = top <= 0 || !*rest ? -1 : (int)syscall(SYS_openat2, top, rest, &how, sizeof how);
		if (fd < 0 && top > 0 && *rest && errno == EXDEV)
			return true;
		know(folder);
	}
	know(whole);
	return false;
}

bool trusted_read(const struct sandbox *sb, const char *path)
{
	struct verdict verdict;
	size_t len;
	if (strcmp(path, supervisor_shim(sb->sup)) == 0) /* every process that is started opens it */
		return !meets_writable(sb, path, strlen(path), true);
	const struct root *root = trusted_root(sb, path, &len);
	if (!root)
		return false;
	bool plain = pathtext_plain(path);
	if (meets_writable(sb, path, len, plain))
		return false;
	/* Of /etc and /opt everything but a few places may have to be served. */
	if (root->secrets && (!plain || !places_granted(path) || policy_file(supervisor_policy(sb->sup), path, FILE_READ, &verdict)))
		return false;
	return !leaves(root, path);
}
