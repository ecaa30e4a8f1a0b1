/* Calls that name a process: the kill family, prlimit64, sched_set*, setpriority, ioprio_set.
 *
 * Only processes of the caller's own sandbox may be touched: a build ended the supervisor with RLIMIT_CPU = 0 where nobody looked.
 * kill(0) and kill(-1) are carried out here, process by process: the first means the caller's process group, which a PID namespace does not bound: it is as a
 * rule that of the supervisor, the guardian and the user's shell. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launcher/base/fd.h"
#include "launcher/supervise/supervisor.h"
#include "launcher/supervise/target.h"

/* The highest signal, of the kernel and not of libc. */
#define SIGNAL_MAX 64

/* IOPRIO_WHO_PROCESS, _PGRP, _USER: PRIO_PROCESS and its sisters start at 0. */
#define IOPRIO_WHO_FIRST 1

enum whom { WHOM_NOBODY, WHOM_PROCESS, WHOM_GROUP, WHOM_OWN_GROUP, WHOM_EVERYBODY, WHOM_PIDFD, WHOM_PRIORITIES };
struct aim {
	enum whom whom;
	pid_t pid; /* of the process, thread or group; 0: the caller's own */
	const char *name, *type;
};

/* pid as kill() takes it: negative for a group. */
static struct aim aim_kill(pid_t pid)
{
	struct aim aim = {.name = "kill", .type = "process.signal"};

	if (pid == -1) {
		aim.whom = WHOM_EVERYBODY;
	} else if (pid > 0) {
		aim.whom = WHOM_PROCESS;
		aim.pid = pid;
	} else if (pid == 0) {
		aim.whom = WHOM_OWN_GROUP;
	} else {
		aim.whom = WHOM_GROUP;
		aim.pid = pid == INT32_MIN ? INT32_MAX : -pid; /* the kernel: ESRCH; nobody has that number */
	}
	return aim;
}

/* which: PRIO_PROCESS, or a whole group or user (PRIO_PGRP, PRIO_USER): nobody needs those, and they reach past the sandbox. */
static struct aim aim_priority(const char *name, int which, pid_t who)
{
	struct aim aim = {.name = name, .type = "syscall.denied", .pid = who};

	aim.whom = which == PRIO_PROCESS ? WHOM_PROCESS : which == PRIO_PGRP || which == PRIO_USER ? WHOM_PRIORITIES : WHOM_NOBODY;
	return aim;
}

static struct aim aim_process(const char *name, const char *type, pid_t pid)
{
	return (struct aim){.whom = WHOM_PROCESS, .pid = pid, .name = name, .type = type};
}

/* By registers alone, in the kernel's own widths. */
static struct aim aim_of(const struct seccomp_data *data)
{
	const __u64 *a = data->args;

	switch (data->nr) {
	case SYS_kill: return aim_kill((pid_t)a[0]);
	case SYS_tkill: return aim_process("tkill", "process.signal", (pid_t)a[0]);
	case SYS_tgkill: return aim_process("tgkill", "process.signal", (pid_t)a[1]);
	case SYS_rt_sigqueueinfo: return aim_process("rt_sigqueueinfo", "process.signal", (pid_t)a[0]);
	case SYS_rt_tgsigqueueinfo: return aim_process("rt_tgsigqueueinfo", "process.signal", (pid_t)a[1]);
	case SYS_pidfd_send_signal: return (struct aim){.whom = WHOM_PIDFD, .pid = (pid_t)a[0], .name = "pidfd_send_signal", .type = "process.signal"};
	case SYS_prlimit64: return aim_process("prlimit64", "syscall.denied", (pid_t)a[0]);
	case SYS_sched_setaffinity: return aim_process("sched_setaffinity", "syscall.denied", (pid_t)a[0]);
	case SYS_sched_setscheduler: return aim_process("sched_setscheduler", "syscall.denied", (pid_t)a[0]);
	case SYS_sched_setparam: return aim_process("sched_setparam", "syscall.denied", (pid_t)a[0]);
	case SYS_sched_setattr: return aim_process("sched_setattr", "syscall.denied", (pid_t)a[0]);
	case SYS_setpriority: return aim_priority("setpriority", (int)a[0], (pid_t)a[1]);
	case SYS_ioprio_set: return aim_priority("ioprio_set", (int)a[0] - IOPRIO_WHO_FIRST, (pid_t)a[1]);
	default: return (struct aim){.whom = WHOM_NOBODY};
	}
}

static struct reply refuse(struct sandbox *sb, const struct seccomp_notif *req, const struct aim *aim, pid_t victim)
{
	pid_t tgid = victim > 0 ? target_tgid(victim) : 0;
	bool own = tgid && supervisor_is_own(sb->sup, tgid);
	bool needed = own || (tgid && sb->role != ROLE_INSTALLER && tgid == sb->init); /* without its init nobody ends the sandbox */
	const char *rule = own ? "syscall.supervisor" : !strcmp(aim->type, "process.signal") ? "process.signal" : "process.limits";
	struct target_identity who = {0};
	struct event ev = {
		.type = aim->type,
		.action = EV_DENIED,
		.verdict = policy_rule(supervisor_policy(sb->sup), rule),
		.source = SRC_KERNEL,
		.target = {.name = aim->name},
		.enforced = needed,
		.detail = own ? "aimed at what guards the run" : aim->whom == WHOM_PRIORITIES ? "aimed at a whole process group or user"
		                                                                              : "aimed at a process outside the sandbox",
	};

	if (tgid) {
		target_identify(tgid, &who);
		ev.target.path = who.exe;
	}
	supervisor_record(sb, (pid_t)req->pid, &ev);
	return needed ? reply_enforced(EPERM) : reply_error(EPERM);
}

/* The fifth field of /proc/PID/stat, behind a name that may hold anything.  -1: gone.  0: it has no number here (its leader is in a PID namespace above ours:
 * docker exec); whoever of a sandbox has that one has inherited it. */
static pid_t group_of(pid_t pid)
{
	char path[64], text[512];
	cleanup_fd int fd = -1;
	const char *after;
	ssize_t len;
	int group;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (len <= 0)
		return -1;
	text[len] = 0;
	after = strrchr(text, ')');
	return after && sscanf(after + 1, " %*c %*d %d", &group) == 1 ? (pid_t)group : -1;
}

/* The caller itself, or a member that may be aimed at: not the sandbox's init, which has to live on to end it, and which a PID namespace and Landlock's scope shield as well. */
static bool may_touch(const struct sandbox *sb, pid_t caller, pid_t tgid)
{
	return tgid == caller || (target_is_member(sb, tgid) && (sb->role == ROLE_INSTALLER || tgid != sb->init));
}

/* Is everyone in the process group a member?  A stranger is put into *stranger. */
static bool group_is_ours(const struct sandbox *sb, pid_t group, pid_t *stranger)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	bool ours = proc != NULL;

	*stranger = 0;
	while (ours && (entry = readdir(proc))) {
		pid_t pid = (pid_t)atoi(entry->d_name);

		if (!isdigit((unsigned char)entry->d_name[0]) || group_of(pid) != group || target_is_member(sb, pid))
			continue;
		*stranger = pid;
		ours = false;
	}
	if (proc)
		closedir(proc);
	return ours;
}

/* The process of a pidfd, from its fdinfo; 0: it is none, or the process is gone. */
static pid_t pid_of_pidfd(int pidfd)
{
	char path[64], line[128];
	FILE *file;
	int pid = 0;

	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pidfd);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof line, file)) {
		if (sscanf(line, "Pid: %d", &pid) == 1)
			break;
	}
	if (file)
		fclose(file);
	return pid > 0 ? (pid_t)pid : 0;
}

/* A descriptor can be swapped: never CONTINUE.  We send it ourselves, through our own duplicate; siginfo is not carried over. */
static struct reply signal_pidfd(struct sandbox *sb, const struct seccomp_notif *req, const struct aim *aim)
{
	cleanup_fd int pidfd = target_fd(sb, req, (int)req->data.args[0]);
	pid_t victim;

	if (pidfd == -EBADF)
		return reply_error(EBADF);
	if (pidfd < 0)
		return reply_error(ENOSYS); /* the machine lets us not duplicate it: Go and others fall back to kill() */
	victim = pid_of_pidfd(pidfd);
	if (victim == 0)
		return reply_error(ESRCH);
	if (!may_touch(sb, target_tgid((pid_t)req->pid), victim))
		return refuse(sb, req, aim, victim);
	return syscall(SYS_pidfd_send_signal, pidfd, (int)req->data.args[1], NULL, (unsigned)req->data.args[3]) ? reply_error(errno) : reply_value(0);
}

static struct reply aim_at_process(struct sandbox *sb, const struct seccomp_notif *req, const struct aim *aim)
{
	pid_t tgid, caller = target_tgid((pid_t)req->pid);

	/* CONTINUE: registers only, and it is the caller itself or its thread group, which lives as long as the call waits. */
	if (aim->pid == 0 || aim->pid == (pid_t)req->pid || aim->pid == caller)
		return reply_continue("signal.self");
	/* CONTINUE: registers only, and nobody is there: the kernel's own errno (a number that is not positive, too). */
	if (aim->pid < 0 || (kill(aim->pid, 0) && errno == ESRCH))
		return reply_continue("signal.nobody");
	/* CONTINUE: registers only; that the number is freed and given to a stranger between here and there is left to chance: the caller cannot choose who.
	 * By thread group: a thread's parent is that of its process. */
	tgid = target_tgid(aim->pid);
	if (tgid && may_touch(sb, caller, tgid))
		return reply_continue("signal.member");
	return refuse(sb, req, aim, aim->pid);
}

static struct reply aim_at_group(struct sandbox *sb, const struct seccomp_notif *req, const struct aim *aim)
{
	pid_t stranger;

	/* CONTINUE: registers only, naming the group; all of it are members, and a process outside cannot be moved into a group of another session. */
	if (group_is_ours(sb, aim->pid, &stranger))
		return reply_continue("signal.group");
	return refuse(sb, req, aim, stranger);
}

/* --- kill(0), kill(-1) -------------------------------------------------------------------------- */

struct crowd {
	const struct sandbox *sb;
	pid_t caller;    /* its thread group */
	pid_t group;     /* unless `everybody` */
	bool everybody;
	int signal;
	unsigned reached;
	int error;       /* of the last that could not be reached */
};

static bool in_crowd(const struct crowd *c, pid_t pid)
{
	return (c->everybody || group_of(pid) == c->group) && may_touch(c->sb, c->caller, pid);
}

/* Through a descriptor that is older than the look: if the number is given away meanwhile the signal goes to nobody. */
static void send_to(struct crowd *c, pid_t pid)
{
	cleanup_fd int pidfd = -1;

	if (!in_crowd(c, pid))
		return;
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0 || !in_crowd(c, pid))
		return;
	if (syscall(SYS_pidfd_send_signal, pidfd, c->signal, NULL, 0) == 0)
		c->reached++;
	else if (errno != ESRCH)
		c->error = errno;
}

/* One walk over /proc, which the number of processes bounds.  A child born behind the walk is missed: where the kernel would have reached it, nobody outside is hurt. */
static void send_to_others(struct crowd *c)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;

	while (proc && (entry = readdir(proc))) {
		pid_t pid = (pid_t)atoi(entry->d_name);

		if (isdigit((unsigned char)entry->d_name[0]) && pid != c->caller)
			send_to(c, pid);
	}
	if (proc)
		closedir(proc);
}

/* The caller is one of its group.  A kernel that breaks off a waiting call for any signal (before 5.19) would have the call made anew, and so signalled
 * again, without end: there the answer goes first.  Elsewhere the signal does, as kill() has it. */
static struct reply send_to_caller(struct sandbox *sb, const struct seccomp_notif *req, const struct crowd *c)
{
	cleanup_fd int pidfd = (int)syscall(SYS_pidfd_open, c->caller, 0);
	bool first = supervisor_caps(sb->sup)->wait_killable;

	if (pidfd < 0 || !target_alive(sb, req))
		return reply_error(ESRCH); /* nobody waits for it */
	if (!first)
		reply_send(sb, req->id, reply_value(0));
	syscall(SYS_pidfd_send_signal, pidfd, c->signal, NULL, 0);
	return first ? reply_value(0) : reply_later();
}

/* Never CONTINUE: another thread could take the caller back into a group that it shares with strangers. */
static struct reply signal_crowd(struct sandbox *sb, const struct seccomp_notif *req, bool everybody)
{
	struct crowd c = {.sb = sb, .caller = target_tgid((pid_t)req->pid), .everybody = everybody, .signal = (int)req->data.args[1]};

	if (c.signal < 0 || c.signal > SIGNAL_MAX)
		return reply_error(EINVAL);
	c.group = everybody ? 0 : group_of(c.caller);
	if (c.caller == 0 || c.group < 0)
		return reply_error(ESRCH);
	send_to_others(&c);
	if (!everybody)
		return send_to_caller(sb, req, &c);
	return c.reached ? reply_value(0) : reply_error(c.error ? c.error : ESRCH);
}

struct reply handle_signal(struct sandbox *sb, const struct seccomp_notif *req)
{
	struct aim aim = aim_of(&req->data);

	if (aim.whom == WHOM_PRIORITIES)
		return refuse(sb, req, &aim, 0);
	if (aim.whom == WHOM_OWN_GROUP || aim.whom == WHOM_EVERYBODY)
		return signal_crowd(sb, req, aim.whom == WHOM_EVERYBODY);
	/* CONTINUE: the numbers are those of the sandbox's own PID namespace, in which nobody else has one; a descriptor of a process outside cannot have been
	 * made there either. */
	if (sb->pid_ns)
		return reply_continue("signal.namespace");
	/* CONTINUE: registers only, and asking for limits changes nothing. */
	if (req->data.nr == SYS_prlimit64 && req->data.args[2] == 0)
		return reply_continue("signal.limits");
	switch (aim.whom) {
	case WHOM_PROCESS: return aim_at_process(sb, req, &aim);
	case WHOM_GROUP: return aim_at_group(sb, req, &aim);
	case WHOM_PIDFD: return signal_pidfd(sb, req, &aim);
	case WHOM_OWN_GROUP:
	case WHOM_EVERYBODY:
	case WHOM_PRIORITIES:
	case WHOM_NOBODY: break;
	}
	return reply_error(EINVAL);
}
