/* open, openat, openat2, creat of build and guest; under --audit those of pip that may write.
 *
 * Nearly every call of a build comes by here, so what is common is decided by the text alone (trusted.c): one read of memory, no allocation.
 * Every CONTINUE in this file is harmless: Landlock refuses, in the kernel and for whatever the path then is, everything but the
 * sandbox's grants, and no secret is granted.  What is looked at here is for the record.  So that no attempt hides from it, a call goes on only where what was
 * looked at is what the kernel will see: the caller's memory is its own (alone.h), and no name on the way is the sandbox's to change.  Elsewhere the object that
 * was looked at is opened here, by the caller's rights, and put into the caller (opening.h). */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launcher/base/fd.h"
#include "launcher/supervise/alone.h"
#include "launcher/supervise/decoys.h"
#include "launcher/supervise/domain.h"
#include "launcher/supervise/grants.h"
#include "launcher/supervise/listing.h"
#include "launcher/supervise/opening.h"
#include "launcher/supervise/own_fd.h"
#include "launcher/supervise/own_proc.h"
#include "launcher/supervise/own_shm.h"
#include "launcher/supervise/pathtext.h"
#include "launcher/supervise/rights.h"
#include "launcher/supervise/served.h"
#include "launcher/supervise/tail.h"
#include "launcher/supervise/trusted.h"
#include "launcher/supervise/vcs.h"

enum { TRIES_MAX = 8, READS_RECORDED_MAX = 500 /* of a sandbox, of places that no rule names */ };

struct open_call {
	const char *name;
	uint64_t address;
	int dirfd;
	uint64_t flags;
	unsigned mode; /* for what is made */
	bool openat2;
	bool in_root; /* of openat2: "/" is dirfd */
	bool alone; /* nobody shares the caller's memory: known before the path's text was read */
	size_t len; /* of that text */
};

/* The caller's struct open_how; what cannot be read is nothing: the call is refused anyway. */
static struct open_how how_of(const struct sandbox *sb, const struct seccomp_notif *req)
{
	struct open_how how = {0};
	if (target_read_some(sb, req, req->data.args[2], &how, sizeof how) != sizeof how)
		memset(&how, 0, sizeof how);
	return how;
}

static struct open_call decode(const struct sandbox *sb, const struct seccomp_notif *req)
{
	const __u64 *a = req->data.args;
	switch (req->data.nr) {
#ifdef __NR_open
	case __NR_open:
		return (struct open_call){.name = "open", .address = a[0], .dirfd = AT_FDCWD, .flags = (uint32_t)a[1], .mode = (unsigned)a[2]};
#endif
#ifdef __NR_creat
	case __NR_creat:
		return (struct open_call){.name = "creat", .address = a[0], .dirfd = AT_FDCWD, .flags = O_CREAT | O_WRONLY | O_TRUNC, .mode = (unsigned)a[1]};
#endif
	case __NR_openat2: {
		struct open_how how = how_of(sb, req);
		return (struct open_call){.name = "openat2", .address = a[1], .dirfd = (int)a[0], .flags = how.flags, .openat2 = true,
		                          .in_root = (how.resolve & RESOLVE_IN_ROOT) != 0};
	}
	default:
		return (struct open_call){.name = "openat", .address = a[1], .dirfd = (int)a[0], .flags = (uint32_t)a[2], .mode = (unsigned)a[3]};
	}
}

/* Access mode 3 (ioctl only) counts as writing, as for the kernel. */
static bool modifies(uint64_t flags)
{
	return (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) || (flags & O_TMPFILE) == O_TMPFILE;
}

/* Below ABI 3 this empties a file that Landlock lets be read, or with access mode 3, for which it asks no right at all, any file. */
static bool empties_without_write(uint64_t flags)
{
	uint64_t mode = flags & O_ACCMODE;
	return (flags & O_TRUNC) && mode != O_WRONLY && mode != O_RDWR;
}

/* Of a stranger's /proc these say something; stat, status, comm and the like are read by every ps and refused by Landlock without a word. */
static bool inspects(const char *real)
{
	static const char *const telling[] = {"environ", "cmdline", "mem", "maps", "smaps", "smaps_rollup", "numa_maps", "auxv", "fd", "fdinfo", "root", "cwd",
	                                      "exe", "map_files", "pagemap", "stack", "syscall", "ns", "io", NULL};
	if (strncmp(real, "/proc/", 6) != 0)
		return true; /* has been left through a magic link */
	const char *entry = strchr(real + 6, '/');
	if (entry && strncmp(entry, "/task/", 6) == 0)
		entry = strchr(entry + 6, '/');
	if (!entry)
		return false;
	entry++;
	size_t len = strcspn(entry, "/");
	for (const char *const *t = telling; *t; t++)
		if (strlen(*t) == len && strncmp(entry, *t, len) == 0)
			return true;
	return false;
}

/* The init of a sandbox with namespaces is pipwarden's: the kernel refuses what its ptrace check guards, because a Landlock domain lies between.  Tools that
 * look for containers ask, too (systemd-detect-virt), and there is nothing to be had: so it is only written down. */
static bool looks_into_init(const struct sandbox *sb, const struct seccomp_notif *req, const char *real)
{
	pid_t tgid = 0, tid = 0;
	return sb->namespaces && strncmp(real, "/proc/1/", 8) == 0 && inspects(real) && strcmp(real, "/proc/1/cmdline") != 0 &&
	       target_numbers((pid_t)req->pid, &tgid, &tid) && tgid != 1;
}

static struct reply refuse(struct sandbox *sb, const struct seccomp_notif *req, const struct open_call *call, struct refusal *r)
{
	r->call = call->name;
	grants_record(sb, req, r);
	if (r->decoy)
		return decoys_instead(supervisor_decoy_key(sb->sup), r->real, call->flags);
	if (r->verdict.action == ACTION_ALLOW)
		return reply_continue("open.allowed"); /* the policy minds nothing; Landlock still grants or not */
	return reply_error(EACCES);
}

/* A write to where nothing is granted.  What the kernel refuses for a reason of its own is left to it, unrecorded. */
static bool fails_by_itself(const struct open_call *call, const struct resolved *r)
{
	struct stat st;
	if (r->missing)
		return !(call->flags & O_CREAT);
	if ((call->flags & O_CREAT) && (call->flags & O_EXCL))
		return true; /* EEXIST */
	return fstat(r->fd, &st) == 0 && S_ISDIR(st.st_mode) && (call->flags & O_TMPFILE) != O_TMPFILE; /* EISDIR */
}

static struct reply judge_write(struct sandbox *sb, const struct seccomp_notif *req, const struct open_call *call,
                                const struct resolved *r, const char *text)
{
	struct refusal refusal = {.type = "file.write", .real = r->real, .as_written = text};
	bool protected = grants_write_verdict(sb, r->real, &refusal.verdict);
	if (vcs_is_own_store(sb, r->real) || grants_place(sb, r->real)) /* ssh notes a new host, Subversion what it was told: that is refused, and nobody's attack */
		refusal.verdict = policy_rule(supervisor_policy(sb->sup), "file.write.outside");
	if (!protected) {
		if (trusted_device(r->real) || pathtext_below(r->real, "/dev/pts") || (sb->namespaces && pathtext_below(r->real, "/dev/shm")) ||
		    (strncmp(r->real, "/proc/", 6) == 0 && pathtext_pid(r->real + 6, strcspn(r->real + 6, "/"))))
			return reply_continue("open.write-elsewhere"); /* Landlock knows better: own processes, terminals, the sandbox's own /dev/shm */
		if (fails_by_itself(call, r))
			return reply_continue("open.fails");
	}
	return refuse(sb, req, call, &refusal);
}

/* A terminal that is none of the sandbox's own: those are in a /dev/pts of its own, where it can have one.  /dev/tty is that of a session, and a build has
 * one without a terminal. */
static bool strange_terminal(const struct sandbox *sb, const struct resolved *r)
{
	if (strcmp(r->real, "/dev/tty") == 0)
		return sb->role != ROLE_GUEST;
	return strncmp(r->real, "/dev/pts/", 9) == 0 && r->real[9] >= '0' && r->real[9] <= '9' && (r->missing || !sb->namespaces);
}

/* The kernel refuses it: ENXIO, ENOENT, EACCES.  Honest programs look for somebody to ask. */
static void record_terminal(struct sandbox *sb, const struct seccomp_notif *req, const struct open_call *call, const struct resolved *r, const char *text)
{
	struct refusal refusal = {.type = modifies(call->flags) ? "file.write" : "file.open", .call = call->name, .real = r->real, .as_written = text,
	                          .verdict = policy_rule(supervisor_policy(sb->sup), "file.terminal")};
	if (strange_terminal(sb, r))
		grants_record(sb, req, &refusal);
}

/* What is there and Landlock is about to refuse, though no rule names it.  Honest programs run into that, so it never ends a run: neither by its rule (info) nor by
 * filling the record. */
static void record_read(struct sandbox *sb, const struct seccomp_notif *req, const struct open_call *call, struct refusal *refusal)
{
	if (atomic_load(&sb->reads_recorded) >= READS_RECORDED_MAX)
		return;
	atomic_fetch_add(&sb->reads_recorded, 1);
	refusal->call = call->name;
	refusal->verdict = policy_rule(supervisor_policy(sb->sup), "file.read.outside");
	grants_record(sb, req, refusal);
}

/* The private home's own decoys may be read like all that is in it, and moved: they are known by what they are, not by where. */
static void record_decoy(struct sandbox *sb, const struct seccomp_notif *req, const struct open_call *call, const struct resolved *r, const char *text)
{
	struct refusal read = {.type = "file.open", .call = call->name, .real = r->real, .as_written = text, .decoy = true,
	                       .verdict = policy_rule(supervisor_policy(sb->sup), "decoy.read")};
	if (sb->decoys && decoys_have(sb->decoys, r->fd))
		grants_record(sb, req, &read);
}

static bool is_file(int fd)
{
	struct stat st;
	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

static struct reply judge_object(struct sandbox *sb, const struct seccomp_notif *req, const struct open_call *call,
                                 const struct resolved *r, const char *text)
{
	bool writes = modifies(call->flags) || (r->missing && (call->flags & O_CREAT));
	struct refusal refusal = {.type = writes ? "file.write" : "file.open", .real = r->real, .as_written = text};
	record_terminal(sb, req, call, r, text);
	if (served_holds(sb, r->real))
		return served_open(sb, req, call->name, call->flags, call->mode, r, text);
	if (r->proc_foreign && (writes || inspects(r->real))) {
		refusal.verdict = policy_rule(supervisor_policy(sb->sup), "process.inspect");
		return refuse(sb, req, call, &refusal);
	}
	if (looks_into_init(sb, req, r->real)) {
		refusal.call = call->name;
		refusal.verdict = policy_rule(supervisor_policy(sb->sup), "process.inspect.init");
		grants_record(sb, req, &refusal);
		return reply_continue("open.init");
	}
	if (supervisor_caps(sb->sup)->landlock_abi < 3 && empties_without_write(call->flags)) {
		/* Never continued, wherever it lies. */
		if (!grants_write(sb, r->real))
			grants_write_verdict(sb, r->real, &refusal.verdict);
		else
			refusal.verdict = policy_rule(supervisor_policy(sb->sup), "file.write.outside");
		refusal.verdict.action = refusal.verdict.action == ACTION_ALLOW ? ACTION_DENY : refusal.verdict.action;
		return refuse(sb, req, call, &refusal);
	}
	if (grants_write(sb, r->real) || r->real[0] != '/' || strncmp(r->real, "/memfd:", 7) == 0) {
		if (!r->missing && (call->flags & O_ACCMODE) != O_WRONLY)
			record_decoy(sb, req, call, r, text);
		return reply_continue("open.own"); /* its own; a pipe, a memfd by its descriptor */
	}
	if (writes)
		return judge_write(sb, req, call, r, text);
	if (grants_place(sb, r->real))
		return reply_continue("open.place"); /* what a helper is for, secret or not: granted */
	if (!vcs_is_own_store(sb, r->real) && policy_file(supervisor_policy(sb->sup), r->real, FILE_READ, &refusal.verdict)) {
		refusal.decoy = refusal.verdict.action == ACTION_DECOY && !sb->audit && !call->openat2 && is_file(r->fd);
		return refuse(sb, req, call, &refusal);
	}
	/* A read that no rule names: served, or Landlock's to grant or refuse. */
	struct reply served;
	if (!call->openat2 && own_proc_open(sb, r, call->flags, &served))
		return served;
	if (!call->openat2 && vcs_open(sb, r, call->flags, &served))
		return served;
	if (rights_may_read(sb, r->real))
		return reply_continue("open.read");
	if (!call->openat2 && tail_open(sb, r, call->flags, &served))
		return served;
	record_read(sb, req, call, &refusal);
	return reply_continue("open.read-elsewhere");
}

/* --- what may go on ------------------------------------------------------------------------------ */

/* Will the kernel read the text that was looked at?  Asked last: it costs a question to the kernel. */
static bool is_kept(struct sandbox *sb, const struct seccomp_notif *req, const struct open_call *call)
{
	return call->alone && alone_text(sb, req, call->address, call->len);
}

/* Could the sandbox itself have made the names on the way lead elsewhere by now?  Not where the text is plain, and the sandbox writes nothing on it. */
static bool is_steady_text(const struct sandbox *sb, const char *text)
{
	return pathtext_plain(text) && !grants_write(sb, text) && !pathtext_below(text, "/dev/shm") &&
	       !(sb->served && pathtext_below(text, sb->served->root));
}

/* The same of what it led to without a link; of a descriptor of the caller's own, and of /proc, which nobody can arrange. */
static bool is_steady(const struct sandbox *sb, const char *text, const struct resolved *r)
{
	if (own_fd_number(text) >= 0 || pathtext_below(r->real, "/proc"))
		return true;
	return !r->missing && strcmp(text, r->real) == 0 && is_steady_text(sb, text);
}

/* By whose rights: in its own places the sandbox may do everything, and the supervisor is as much. */
static enum opening_rights rights_for(const struct sandbox *sb, const struct seccomp_notif *req, const struct resolved *r, const struct stat *st)
{
	bool usual = S_ISREG(st->st_mode) || S_ISDIR(st->st_mode) || S_ISFIFO(st->st_mode);
	return usual && grants_own(sb, req, r->fd, r->real) && domain_usual((pid_t)req->pid) ? OPENING_SUPERVISORS : OPENING_CALLERS;
}

/* What judge_object would let go on. */
static struct reply let_go_on(struct sandbox *sb, const struct seccomp_notif *req, const struct open_call *call, const struct resolved *r, const char *text,
                              struct reply reply)
{
	struct stat st;
	if (sb->audit || call->openat2 || (is_steady(sb, text, r) && is_kept(sb, req, call)))
		return reply;
	if (fstat(r->fd, &st) < 0)
		return reply_error(errno);
	return opening(sb, req, call->flags, call->mode, r, text, rights_for(sb, req, r, &st));
}

/* With O_CREAT the kernel takes a slash at the end for a folder's name, whatever is there: EISDIR where there is a parent, or its error. */
static int error_of_folder(struct sandbox *sb, const struct seccomp_notif *req, const struct open_call *call, const char *text, int error)
{
	char parent[PATH_MAX];
	const char *last;
	struct resolved r = {.fd = -1};
	if (!(call->flags & O_CREAT) || (error != -ENOTDIR && error != -ENOENT) || pathtext_split(text, parent, sizeof parent, &last) || last[strlen(last) - 1] != '/')
		return error;
	error = target_resolve(sb, req, call->dirfd, parent, true, false, &r);
	close_fd(&r.fd);
	return error ? error : -EISDIR;
}

/* The path leads nowhere.  The kernel says so as well, and the same; but looking for a secret is worth a record even if there is none. */
static struct reply judge_failure(struct sandbox *sb, const struct seccomp_notif *req, const struct open_call *call, int error,
                                  const struct resolved *r, const char *text)
{
	struct refusal refusal = {.real = r->real, .as_written = text, .call = call->name, .missing = true};
	bool writes = modifies(call->flags);
	refusal.type = writes ? "file.write" : "file.open";
	switch (error) {
	case -ENOENT:
	case -ENOTDIR:
	case -EACCES:
	case -ELOOP:
		break;
	default:
		return grants_unreadable(sb, req, call->name, error);
	}
	record_terminal(sb, req, call, r, text);
	if (r->proc_foreign && error == -EACCES) { /* a stranger's magic link that not even we may follow */
		refusal.verdict = policy_rule(supervisor_policy(sb->sup), "process.inspect");
		refusal.missing = false;
		return refuse(sb, req, call, &refusal);
	}
	if (r->real[0] == '/' && !grants_write(sb, r->real) && !grants_place(sb, r->real) && !vcs_is_own_store(sb, r->real) &&
	    policy_file(supervisor_policy(sb->sup), r->real, writes ? FILE_WRITE : FILE_READ, &refusal.verdict)) {
		refusal.missing = error != -EACCES;
		grants_record(sb, req, &refusal);
		return reply_error(-error);
	}
	/* With a served folder the kernel could find what has come meanwhile, and refuse it: it is ours to say that nothing was there. */
	if (sb->audit || (!empties_without_write(call->flags) && is_steady_text(sb, text) && is_kept(sb, req, call)))
		return reply_continue("open.missing");
	return reply_error(-error_of_folder(sb, req, call, text, error));
}

/* Under --audit pip's own writing opens come by as well: what its ruleset would refuse is written down, as the shim tells it otherwise. */
static void record_installer(struct sandbox *sb, const struct seccomp_notif *req, const struct open_call *call, const char *text)
{
	char hint[PATH_MAX + 64];
	struct resolved r;
	struct event ev = {.type = "file.write", .action = EV_DENIED, .source = SRC_KERNEL, .target = {.path = r.real, .as_written = text, .name = call->name},
	                   .detail = hint};
	bool exclusive = (call->flags & O_CREAT) && (call->flags & O_EXCL);
	if (target_resolve(sb, req, call->dirfd, text, !(call->flags & O_NOFOLLOW) && !exclusive, (call->flags & O_CREAT) != 0, &r))
		return;
	bool free = grants_write(sb, r.real) || pathtext_below(r.real, "/dev") || pathtext_below(r.real, "/proc") || fails_by_itself(call, &r) ||
	            (!modifies(call->flags) && !r.missing);
	close_fd(&r.fd);
	if (!free && grants_explain_installer(sb, r.real, &ev.verdict, hint, sizeof hint))
		supervisor_record(sb, (pid_t)req->pid, &ev);
}

/* A memfd of the caller's own, by its descriptor's name: how a library that is in no folder is loaded.  It gains nothing that the caller's code has not. */
static void record_memory(struct sandbox *sb, const struct seccomp_notif *req, const struct open_call *call, int number, const char *text)
{
	char link[48], real[NAME_MAX + 1];
	snprintf(link, sizeof link, "/proc/%u/fd/%d", req->pid, number);
	ssize_t len = modifies(call->flags) ? -1 : readlink(link, real, sizeof real - 1);
	if (len <= 0)
		return;
	real[len] = '\0';
	struct event ev = {
		.type = "file.open", .action = EV_ALLOWED, .source = SRC_KERNEL, .verdict = policy_rule(supervisor_policy(sb->sup), "file.open.memory"),
		.target = {.name = call->name, .path = real, .as_written = text},
	};
	if (strncmp(real, "/memfd:", 7) == 0)
		supervisor_record(sb, (pid_t)req->pid, &ev);
}

static struct reply judge(struct sandbox *sb, const struct seccomp_notif *req, const struct open_call *call, const char *text)
{
	struct resolved r;
	struct reply served;
	bool creates = (call->flags & O_CREAT) != 0;
	int number = call->openat2 ? -1 : own_fd_number(text);
	if (number >= 0)
		record_memory(sb, req, call, number, text);
	if (number >= 0 && own_fd_open(sb, req, number, call->flags, &served))
		return served;
	bool exclusive = creates && (call->flags & O_EXCL) && (call->flags & O_TMPFILE) != O_TMPFILE;
	bool follow = !(call->flags & O_NOFOLLOW) && !exclusive;
	struct reply reply;
	unsigned tries = 0;
	do {
		int error = target_resolve(sb, req, call->dirfd, text, follow, creates, &r);
		if (error)
			return judge_failure(sb, req, call, error, &r, text);
		reply = judge_object(sb, req, call, &r, text);
		if (reply.kind == REPLY_CONTINUE)
			reply = let_go_on(sb, req, call, &r, text, reply);
		close_fd(&r.fd);
		/* EEXIST of a served creation: somebody was quicker.  Then it is opened. */
	} while (reply.kind == REPLY_ERROR && reply.value == EEXIST && !exclusive && ++tries < TRIES_MAX);
	return reply;
}

/* Its private home: whoever looks finds something. */
static struct reply judge_home(struct sandbox *sb, const struct seccomp_notif *req, const struct open_call *call, const char *text)
{
	decoys_plant(sb->decoys, sb->home, supervisor_decoy_key(sb->sup));
	return judge(sb, req, call, text);
}

/* Nothing that could be looked at any closer. */
static bool is_trusted(const struct sandbox *sb, const struct open_call *call, const char *text)
{
	if (strcmp(text, "/dev/tty") == 0 && sb->role != ROLE_GUEST)
		return false; /* recorded */
	return trusted_device(text) || (!modifies(call->flags) && !(call->flags & O_CREAT) && trusted_read(sb, text));
}

static struct reply decide(struct sandbox *sb, const struct seccomp_notif *req, struct open_call *call)
{
	char text[PATH_MAX];
	call->alone = alone_caller(sb, req);
	ssize_t len = target_string(sb, req, call->address, text, sizeof text, true);
	if (len < 0)
		return grants_unreadable(sb, req, call->name, (int)len);
	call->len = (size_t)len;
	if (len == 0)
		return reply_error(ENOENT);
	if (call->in_root && text[0] == '/')
		return judge(sb, req, call, text[strspn(text, "/")] ? text + strspn(text, "/") : ".");
	if (sb->role == ROLE_INSTALLER) {
		record_installer(sb, req, call, text);
		return reply_continue("open.installer");
	}
	if (!sb->namespaces && !call->openat2 && own_shm_name(text))
		return own_shm_open(sb, own_shm_name(text), call->flags, call->mode);
	if (sb->decoys && pathtext_below(text, sb->home))
		return judge_home(sb, req, call, text);
	if ((sb->audit || call->alone) && is_trusted(sb, call, text) && (sb->audit || is_kept(sb, req, call)))
		return reply_continue("open.trusted");
	struct reply listed;
	if (!sb->audit && !call->openat2 && listing_open(sb, req, call->flags, call->dirfd, text, &listed))
		return listed;
	return judge(sb, req, call, text);
}

struct reply handle_open(struct sandbox *sb, const struct seccomp_notif *req)
{
	struct open_call call = decode(sb, req);
	/* An O_PATH descriptor reads nothing; what is opened through it comes by again. */
	struct reply reply = call.flags & O_PATH ? reply_continue("open.path") : decide(sb, req, &call);
	/* Nothing stands behind that one: the path may be another when the kernel reads it. */
	if (reply.kind == REPLY_CONTINUE && !(call.flags & O_PATH) && empties_without_write(call.flags) &&
	    supervisor_caps(sb->sup)->landlock_abi < 3)
		reply = reply_error(EACCES);
	/* openat2's flags are in memory, which below ABI 3 no layer backs, and everybody can do without: the same on every kernel. */
	return call.openat2 ? reply_error(ENOSYS) : reply;
}
