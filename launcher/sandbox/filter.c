#include "filter_compile.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "compat.h"
#include "filter_table.h"
#include "launcher/base/fd.h"

/* A program is three: a prologue of ours and two of libseccomp's.
 *
 *     prologue    foreign architectures, calls that the tables do not know; calls that are notified unless … go to "listed"
 *     listed      libseccomp, default NOTIFY: what passes, or fails, by its arguments
 *     others      libseccomp, default ALLOW: what is refused or notified
 *
 * Because libseccomp's rules cannot say "everything but" and have no order, and because it knows no highest number.  Each of the
 * three ends in a return on every path, so the parts need no knowledge of each other. */

#define PROLOGUE_MAX 192 /* 20 holes, LISTED_MAX, and a dozen */
#define LISTED_MAX 64
#define RET_ENOSYS (SECCOMP_RET_ERRNO | ENOSYS)

struct numbers {
	int nr[LISTED_MAX];
	size_t count;
};

static bool numbers_have(const struct numbers *n, int nr)
{
	for (size_t i = 0; i < n->count; i++) {
		if (n->nr[i] == nr) {
			return true;
		}
	}
	return false;
}

/* Which calls are "listed": those with conditional rows before an unconditional one.  -EINVAL for a table that breaks
 * filter_table.h's promise: rows after the unconditional one, or one that is not a notification. */
static int find_listed(enum filter_kind kind, const struct filter_options *opt, struct numbers *listed)
{
	size_t count;
	const struct filter_row *rows = filter_table(&count);
	struct numbers conditional = {.count = 0};

	for (size_t i = 0; i < count; i++) {
		const struct filter_row *row = &rows[i];
		if (!filter_row_exists(row, kind, opt)) {
			continue;
		}
		if (numbers_have(listed, row->nr)) {
			return -EINVAL;
		}
		if (filter_row_conditional(row)) {
			if (!numbers_have(&conditional, row->nr)) {
				if (conditional.count == LISTED_MAX) {
					return -E2BIG;
				}
				conditional.nr[conditional.count++] = row->nr;
			}
		} else if (numbers_have(&conditional, row->nr)) {
			if (row->verdict != FILTER_NOTIFY || listed->count == LISTED_MAX) {
				return -EINVAL;
			}
			listed->nr[listed->count++] = row->nr;
		}
	}
	return 0;
}

static uint32_t row_action(const struct filter_row *row)
{
	switch ((enum filter_verdict)row->verdict) {
	case FILTER_ALLOW:
		return SCMP_ACT_ALLOW;
	case FILTER_ERRNO:
		return SCMP_ACT_ERRNO(row->error);
	case FILTER_NOTIFY:
		return SCMP_ACT_NOTIFY;
	}
	return SCMP_ACT_KILL_PROCESS;
}

static int add_row(scmp_filter_ctx ctx, const struct filter_row *row)
{
	struct scmp_arg_cmp cmp[FILTER_WHEN_MAX];
	unsigned n = 0;

	while (n < FILTER_WHEN_MAX && row->when[n].mask) {
		const struct filter_when *w = &row->when[n];
		cmp[n++] = (struct scmp_arg_cmp){w->arg, SCMP_CMP_MASKED_EQ, w->mask, w->value};
	}
	return seccomp_rule_add_array(ctx, row_action(row), row->nr, n, cmp);
}

/* Appends one of libseccomp's programs to fd. */
static int export_part(int fd, bool want_listed, enum filter_kind kind, const struct filter_options *opt, const struct numbers *listed)
{
	uint32_t otherwise = want_listed ? SCMP_ACT_NOTIFY : SCMP_ACT_ALLOW;
	size_t count;
	const struct filter_row *rows = filter_table(&count);
	scmp_filter_ctx ctx = seccomp_init(otherwise);
	int r;

	if (!ctx) {
		return -ENOMEM;
	}
	/* The prologue has seen to it already. */
	r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
	for (size_t i = 0; r == 0 && i < count; i++) {
		const struct filter_row *row = &rows[i];
		if (!filter_row_exists(row, kind, opt) || numbers_have(listed, row->nr) != want_listed) {
			continue;
		}
		/* The default says it already, and libseccomp refuses a rule that equals its default. */
		if (row_action(row) != otherwise) {
			r = add_row(ctx, row);
		}
	}
	if (r == 0) {
		r = seccomp_export_bpf(ctx, fd);
	}
	seccomp_release(ctx);
	return r;
}

/* The calls that the tables do not know, up to the highest that they do: a handful of runs of numbers. */
static size_t holes(struct sock_filter *p)
{
	size_t n = 0;

	for (int first = 0; first <= FILTER_NR_MAX; first++) {
		int last = first;
		if (filter_known(first)) {
			continue;
		}
		while (last < FILTER_NR_MAX && !filter_known(last + 1)) {
			last++;
		}
		p[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (uint32_t)first, 0, 2);
		p[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, (uint32_t)last, 1, 0);
		p[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, RET_ENOSYS);
		first = last;
	}
	return n;
}

/* Jump offsets are a byte: the list of numbers lies right before the part it jumps to, and LISTED_MAX keeps it short. */
static size_t prologue(struct sock_filter *p, const struct numbers *listed, uint32_t listed_len)
{
	size_t n = 0, k = listed->count;

	p[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
	p[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, filter_arch, 1, 0);
	p[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
	p[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	p[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, FILTER_NR_MAX, 0, 4);
	p[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x80000000u, 2, 0);
	p[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FILTER_ARCH_NR_FOREIGN, 0, 1);
	p[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
	p[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, RET_ENOSYS);
	n += holes(p + n);
	for (size_t i = 0; i < k; i++) {
		p[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)listed->nr[i], (uint8_t)(k - i), 0);
	}
	p[n++] = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, listed_len);
	return n;
}

int filter_compile(enum filter_kind kind, const struct filter_options *opt)
{
	cleanup_fd int fd = memfd_create("filter", MFD_CLOEXEC);
	struct sock_filter head[PROLOGUE_MAX];
	struct numbers listed = {.count = 0};
	off_t head_len, middle, end;
	int r;

	if (fd < 0) {
		return -errno;
	}
	r = find_listed(kind, opt, &listed);
	if (r < 0) {
		return r;
	}
	/* The prologue's length is known before the offset that it holds. */
	head_len = (off_t)(prologue(head, &listed, 0) * sizeof *head);
	if (lseek(fd, head_len, SEEK_SET) < 0) {
		return -errno;
	}
	r = export_part(fd, true, kind, opt, &listed);
	middle = lseek(fd, 0, SEEK_CUR);
	if (r == 0) {
		r = export_part(fd, false, kind, opt, &listed);
	}
	end = lseek(fd, 0, SEEK_CUR);
	if (r < 0 || middle < 0 || end < 0) {
		return r < 0 ? r : -errno;
	}
	if (end / (off_t)sizeof *head > BPF_MAXINSNS) {
		return -E2BIG;
	}
	prologue(head, &listed, (uint32_t)((middle - head_len) / (off_t)sizeof *head));
	if (pwrite(fd, head, (size_t)head_len, 0) != head_len) {
		return -EIO;
	}
	return steal_fd(&fd);
}
