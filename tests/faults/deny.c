/* Runs a command in which newer system calls are missing, as on an older kernel, or refused, as in a container.
 *
 *   deny LIST COMMAND ARGUMENT…     LIST: what(=errno), separated by commas; see the table.  docker: what its default profile refuses without capabilities */
#include <errno.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/prctl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
#define SET_FLAGS SECCOMP_IOW(4, __u64)
#define ADDFD SECCOMP_IOW(3, struct seccomp_notif_addfd)
#define NEW_NAMESPACES (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

static const char *const docker[] = {
	"unshare", "setns", "mount", "umount2", "pivot_root", "move_mount", "open_tree", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr", "pidfd_getfd",
	"kcmp", "io_uring_setup", "io_uring_enter", "io_uring_register", "keyctl", "add_key", "request_key", "bpf", "perf_event_open", "open_by_handle_at",
	"userfaultfd", "chroot", "quotactl", "syslog", "swapon", "swapoff", "reboot", "acct", "kexec_load", "init_module", "finit_module", "delete_module",
	"fanotify_init", "lookup_dcookie", "move_pages", "set_mempolicy", "mbind", "get_mempolicy", "name_to_handle_at", "process_madvise", "vhangup", "setdomainname",
	"sethostname", "clock_settime", "settimeofday", "clock_adjtime"};

static scmp_filter_ctx filter;

static void check(int r, const char *what)
{
	if (r < 0) {
		fprintf(stderr, "deny: %s: %s\n", what, strerror(-r));
		exit(99);
	}
}

static void rule(const char *name, int error)
{
	int number = seccomp_syscall_resolve_name(name);

	if (number == __NR_SCMP_ERROR) { /* a libseccomp that is older than the call */
		number = strcmp(name, "mount_setattr") == 0 ? 442 : strncmp(name, "process_madvise", 15) == 0 ? 440 : -1;
	}
	if (number > 0) {
		check(seccomp_rule_add(filter, SCMP_ACT_ERRNO((unsigned)error), number, 0), name);
	}
}

static void no_namespaces(int error)
{
	static const unsigned long flags[] = {CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET};

	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
		check(seccomp_rule_add(filter, SCMP_ACT_ERRNO((unsigned)error), SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, flags[i], flags[i])), "clone");
	}
}

static void deny(const char *what, int error)
{
	if (strcmp(what, "docker") == 0) {
		for (size_t i = 0; i < sizeof docker / sizeof *docker; i++) {
			rule(docker[i], EPERM);
		}
		no_namespaces(EPERM);
		rule("clone3", ENOSYS);
	} else if (strcmp(what, "namespaces") == 0) {
		no_namespaces(error);
		rule("unshare", error);
		rule("clone3", ENOSYS);
	} else if (strcmp(what, "network") == 0) { /* a service manager can refuse each kind by itself */
		check(seccomp_rule_add(filter, SCMP_ACT_ERRNO((unsigned)error), SCMP_SYS(unshare), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_NEWNET, CLONE_NEWNET)), what);
	} else if (strcmp(what, "inet") == 0) {
		check(seccomp_rule_add(filter, SCMP_ACT_ERRNO((unsigned)error), SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, AF_INET)), what);
	} else if (strcmp(what, "wait_killable") == 0) {
		check(seccomp_rule_add(filter, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(seccomp), 1,
		                       SCMP_A1(SCMP_CMP_MASKED_EQ, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)), what);
	} else if (strcmp(what, "sync_wakeup") == 0) {
		check(seccomp_rule_add(filter, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, SET_FLAGS)), what);
	} else if (strcmp(what, "addfd") == 0) {
		check(seccomp_rule_add(filter, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, ADDFD)), what);
	} else if (strcmp(what, "landlock") == 0) {
		for (int number = 444; number <= 446; number++) {
			check(seccomp_rule_add(filter, SCMP_ACT_ERRNO((unsigned)error), number, 0), what);
		}
	} else {
		rule(what, error);
	}
}

int main(int argc, char **argv)
{
	char *save = NULL;

	if (argc < 3) {
		return 99;
	}
	filter = seccomp_init(SCMP_ACT_ALLOW);
	check(filter == NULL ? -ENOMEM : 0, "seccomp_init");
	for (char *word = strtok_r(argv[1], ",", &save); word != NULL; word = strtok_r(NULL, ",", &save)) {
		char *equals = strchr(word, '=');
		int error = equals == NULL || strcmp(equals, "=ENOSYS") == 0 ? ENOSYS : EPERM;
		if (equals != NULL) {
			*equals = '\0';
		}
		deny(word, error);
	}
	check(seccomp_load(filter), "seccomp_load");
	execvp(argv[2], argv + 2);
	perror(argv[2]);
	return 99;
}
