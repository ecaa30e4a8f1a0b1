#include "privilege.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launcher/base/fd.h"

#define TERMINAL_NUMBERS 256 /* a terminal with a higher number has no name in a sandbox */
#define KEPT ((1u << CAP_CHOWN) | (1u << CAP_DAC_OVERRIDE) | (1u << CAP_FOWNER) | (1u << CAP_FSETID))

int privilege_drop(bool all)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2], keep[2];
	unsigned kept = all ? 0 : KEPT;

	/* The bounding set first: dropping from it needs CAP_SETPCAP.  Without that capability nothing is gained by exec either (no_new_privs). */
	for (int cap = 0; cap < 64; cap++) {
		if (cap < 32 && (kept & (1u << cap)) != 0) {
			continue;
		}
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 && errno == EINVAL) {
			break; /* past the kernel's last capability */
		}
	}
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capget, &header, data) < 0) {
		return -errno;
	}
	memset(keep, 0, sizeof keep);
	keep[0].permitted = data[0].permitted & kept;
	keep[0].effective = data[0].effective & kept;
	if (syscall(SYS_capset, &header, keep) < 0) {
		return -errno;
	}
	return 0;
}

bool privilege_has(int capability)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};

	return syscall(SYS_capget, &header, data) == 0 && (data[0].effective & (1u << capability)) != 0;
}

bool privilege_kept(unsigned capabilities)
{
	return (capabilities & KEPT) == KEPT;
}

static int loopback_up(void)
{
	struct ifreq ifr;
	cleanup_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		return -errno;
	}
	memset(&ifr, 0, sizeof ifr);
	memcpy(ifr.ifr_name, "lo", 3);
	ifr.ifr_flags = IFF_UP | IFF_RUNNING;
	return ioctl(fd, SIOCSIFFLAGS, &ifr) < 0 ? -errno : 0;
}

int privilege_network_likely(void)
{
	cleanup_fd int inet = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0); /* with which its loopback will be raised */

	if (inet < 0 || access("/proc/self/ns/net", F_OK) < 0) {
		return -errno;
	}
	/* The kernel knows no such flag for unshare, and says so before it makes anything; a filter that refuses the namespace comes first. */
	if (unshare(CLONE_NEWNET | CLONE_PARENT) < 0 && errno != EINVAL) {
		return -errno;
	}
	return privilege_has(CAP_SYS_ADMIN) && privilege_has(CAP_NET_ADMIN) ? 0 : -EPERM;
}

int privilege_namespaces(bool network)
{
	if (unshare((network ? CLONE_NEWNET : 0) | CLONE_NEWIPC | CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0 ||
	    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0) {
		return -errno;
	}
	if (mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") < 0 && errno != ENOENT) {
		return -errno;
	}
	return network ? loopback_up() : 0;
}

/* Takes the terminals' numbers below `number` and that one: the node /dev/pts/NUMBER is then there to be mounted over.  The descriptor keeps it there. */
static int take_number(unsigned number)
{
	int held[TERMINAL_NUMBERS], n = 0, found = -1;
	unsigned got = 0;

	while (found < 0 && n < TERMINAL_NUMBERS) {
		int fd = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
		if (fd < 0 || ioctl(fd, TIOCGPTN, &got) < 0 || got > number) {
			close_fd(&fd);
			break;
		}
		if (got == number) {
			found = fd;
		} else {
			held[n++] = fd;
		}
	}
	while (n > 0) {
		close(held[--n]);
	}
	return found;
}

/* The command's own terminal, if it has one, stays under its name: programs look for it there (tty, tmux, gpg). */
static void keep_terminal(int terminal, const char *name)
{
	char *end, node[40], target[40];
	unsigned long number = strtoul(name, &end, 10);

	if (*end != '\0' || number >= TERMINAL_NUMBERS || take_number((unsigned)number) < 0) {
		return;
	}
	snprintf(node, sizeof node, "/proc/self/fd/%d", terminal);
	snprintf(target, sizeof target, "/dev/pts/%lu", number);
	mount(node, target, NULL, MS_BIND, NULL); /* without it the terminal has no name, and works */
}

bool privilege_terminals(void)
{
	cleanup_fd int terminal = -1;
	char name[64] = "";

	for (int fd = 0; fd < 3 && terminal < 0; fd++) {
		if (isatty(fd) && ttyname_r(fd, name, sizeof name) == 0 && strncmp(name, "/dev/pts/", 9) == 0) {
			terminal = open(name, O_PATH | O_CLOEXEC); /* of this mount namespace, before it is covered */
		}
	}
	/* Devices must open there: no MS_NODEV. */
	if (mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620") < 0) {
		return false;
	}
	if (terminal >= 0) {
		keep_terminal(terminal, name + 9);
	}
	return true;
}

static int write_file(const char *path, const char *text)
{
	cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd_write_all(fd, text, strlen(text));
}

int privilege_user_namespace(void)
{
	char uid_map[64], gid_map[64];
	int r;

	snprintf(uid_map, sizeof uid_map, "%u %u 1", (unsigned)geteuid(), (unsigned)geteuid());
	snprintf(gid_map, sizeof gid_map, "%u %u 1", (unsigned)getegid(), (unsigned)getegid());
	if (unshare(CLONE_NEWUSER) < 0) {
		return -errno;
	}
	if ((r = write_file("/proc/self/setgroups", "deny")) < 0 || (r = write_file("/proc/self/uid_map", uid_map)) < 0) {
		return r;
	}
	return write_file("/proc/self/gid_map", gid_map);
}
