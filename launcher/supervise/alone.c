#include "launcher/supervise/alone.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "launcher/base/fd.h"
#include "launcher/sandbox/compat.h"
#include "launcher/supervise/target.h"
#include "launcher/supervise/trusted.h"

enum { VALID_MILLISECONDS = 50 /* in which no number of a process is given away twice */, PAGE = 4096, PIECES_MAX = 4 };

#define PF_FORKNOEXEC 0x40u         /* of /proc/PID/stat: has not executed anything since its fork */
#define PAGE_SHARED (1ULL << 61)    /* of /proc/PID/pagemap: a file's page, or shared anonymous */
#define PAGE_THERE (3ULL << 62)     /* present, or swapped */

static _Atomic bool no_query; /* PROCMAP_QUERY: 6.11 */

/* --- who ---------------------------------------------------------------------------------------- */

static bool has_one_thread(pid_t tid)
{
	struct target_stat st;
	return target_stat(tid, &st) && st.threads == 1 && !(st.flags & PF_FORKNOEXEC);
}

static int open_maps(pid_t tid)
{
	char path[40];
	snprintf(path, sizeof path, "/proc/%d/%s", (int)tid, atomic_load(&no_query) ? "pagemap" : "maps");
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static struct alone_slot *slot_of(struct alone *a, pid_t tid)
{
	return &a->slot[(unsigned)tid % ALONE_SLOTS];
}

static void clear(struct alone_slot *s)
{
	if (s->tid)
		close_fd(&s->maps);
	s->tid = 0;
}

/* Its slot, where it is alone; NULL: it is not, or that cannot be told. */
static struct alone_slot *look(struct alone *a, pid_t tid)
{
	struct alone_slot *s = slot_of(a, tid);
	int64_t at = now();
	if (a->anybody)
		return NULL;
	if (s->tid == tid && at < s->until)
		return s;
	clear(s);
	if (a->threads && !has_one_thread(tid))
		return NULL;
	*s = (struct alone_slot){.tid = tid, .until = at + VALID_MILLISECONDS, .maps = open_maps(tid)};
	if (s->maps < 0)
		s->tid = 0;
	return s->tid ? s : NULL;
}

void alone_forget(struct sandbox *sb, const struct seccomp_notif *req)
{
	if (sb->alone && slot_of(sb->alone, (pid_t)req->pid)->tid == (pid_t)req->pid)
		clear(slot_of(sb->alone, (pid_t)req->pid));
}

void alone_finish(struct alone *a)
{
	for (int i = 0; i < ALONE_SLOTS; i++)
		clear(&a->slot[i]);
}

/* --- where the text lies ------------------------------------------------------------------------ */

/* Below what nobody in the sandbox can write: the C library's own strings. */
static bool is_steady_file(const struct sandbox *sb, const char *name)
{
	return name[0] == '/' && trusted_read(sb, name);
}

/* The mapping at `address`: 1 and its end, 0: not the caller's alone, -1: this kernel cannot be asked. */
static int query(const struct sandbox *sb, int maps, uint64_t address, uint64_t *end)
{
	char name[PATH_MAX]; /* not cleared: nearly every open comes by here */
	struct pw_procmap_query q = {.size = sizeof q, .query_addr = address};
	if (ioctl(maps, PW_PROCMAP_QUERY, &q) < 0)
		return errno == ENOTTY ? -1 : 0;
	*end = q.vma_end;
	if (q.vma_flags & PW_PROCMAP_QUERY_VMA_SHARED)
		return 0;
	if (q.inode == 0 && q.dev_major == 0 && q.dev_minor == 0)
		return 1;
	name[0] = '\0';
	q = (struct pw_procmap_query){.size = sizeof q, .query_addr = address, .vma_name_size = sizeof name, .vma_name_addr = (uintptr_t)name};
	return ioctl(maps, PW_PROCMAP_QUERY, &q) == 0 && q.vma_end == *end && is_steady_file(sb, name);
}

/* Page by page; a file's pages are taken for somebody's. */
static bool pages_are_private(int pagemap, uint64_t address, size_t len)
{
	for (uint64_t page = address / PAGE; page <= (address + len) / PAGE; page++) {
		uint64_t entry;
		if (pread(pagemap, &entry, sizeof entry, (off_t)(page * sizeof entry)) != sizeof entry || (entry & PAGE_SHARED) || !(entry & PAGE_THERE))
			return false;
	}
	return true;
}

bool alone_caller(struct sandbox *sb, const struct seccomp_notif *req)
{
	return sb->alone && look(sb->alone, (pid_t)req->pid);
}

bool alone_text(struct sandbox *sb, const struct seccomp_notif *req, uint64_t address, size_t len)
{
	struct alone_slot *s = sb->alone ? look(sb->alone, (pid_t)req->pid) : NULL;
	uint64_t end = address;
	if (!s)
		return false;
	for (int i = 0; i < PIECES_MAX && !atomic_load_explicit(&no_query, memory_order_relaxed); i++) {
		int known = query(sb, s->maps, end, &end);
		if (known == 0 || (known > 0 && end > address + len))
			return known > 0;
		if (known < 0) {
			atomic_store(&no_query, true);
			alone_forget(sb, req);
			s = look(sb->alone, (pid_t)req->pid);
		}
	}
	return s && atomic_load(&no_query) && pages_are_private(s->maps, address, len);
}

/* --- what makes company ------------------------------------------------------------------------- */

struct reply handle_clone(struct sandbox *sb, const struct seccomp_notif *req)
{
	struct target_stat st;
	uint64_t flags = req->data.args[0];
	if (sb->alone) {
		/* A copy of its parent may be its vfork, whose memory the thread would be in. */
		if (!(flags & CLONE_VM) || !(flags & CLONE_THREAD) || !target_stat((pid_t)req->pid, &st) || (st.flags & PF_FORKNOEXEC))
			sb->alone->anybody = true;
		sb->alone->threads = true;
		alone_forget(sb, req);
	}
	/* CONTINUE: registers only; a thread is in every wall that its maker is in. */
	return reply_continue("clone.thread");
}
