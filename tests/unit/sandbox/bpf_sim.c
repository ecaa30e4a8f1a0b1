#include "bpf_sim.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *check(const struct bpf *p)
{
	for (size_t pc = 0; pc < p->count; pc++) {
		const struct sock_filter *i = &p->insn[pc];
		size_t left = p->count - pc - 1;
		switch (BPF_CLASS(i->code)) {
		case BPF_LD:
			if (i->code == (BPF_LD | BPF_W | BPF_ABS)) {
				if (i->k >= sizeof(struct seccomp_data) || i->k & 3) {
					return "load outside seccomp_data";
				}
				break;
			}
			__attribute__((fallthrough));
		case BPF_LDX:
			if (BPF_MODE(i->code) == BPF_MEM ? i->k >= BPF_MEMWORDS : BPF_MODE(i->code) != BPF_IMM && BPF_MODE(i->code) != BPF_LEN) {
				return "unknown load";
			}
			break;
		case BPF_ST:
		case BPF_STX:
			if (i->k >= BPF_MEMWORDS) {
				return "store outside the scratch memory";
			}
			break;
		case BPF_ALU:
			if ((BPF_OP(i->code) == BPF_DIV || BPF_OP(i->code) == BPF_MOD) && BPF_SRC(i->code) == BPF_K && i->k == 0) {
				return "division by zero";
			}
			break;
		case BPF_JMP:
			if (BPF_OP(i->code) == BPF_JA ? i->k >= left : i->jt >= left || i->jf >= left) {
				return "jump outside";
			}
			break;
		case BPF_RET:
		case BPF_MISC:
			break;
		}
	}
	return p->count && BPF_CLASS(p->insn[p->count - 1].code) == BPF_RET ? NULL : "does not end in a return";
}

const char *bpf_read(struct bpf *p, int fd)
{
	struct stat st;

	*p = (struct bpf){NULL, 0};
	if (fstat(fd, &st) < 0 || st.st_size <= 0 || st.st_size % (off_t)sizeof *p->insn || st.st_size > (off_t)(BPF_MAXINSNS * sizeof *p->insn)) {
		return "not a program";
	}
	p->insn = malloc((size_t)st.st_size);
	p->count = (size_t)st.st_size / sizeof *p->insn;
	if (!p->insn || pread(fd, p->insn, (size_t)st.st_size, 0) != st.st_size) {
		return "cannot be read";
	}
	return check(p);
}

void bpf_free(struct bpf *p)
{
	free(p->insn);
	*p = (struct bpf){NULL, 0};
}

static uint32_t alu(uint16_t code, uint32_t a, uint32_t b)
{
	switch (BPF_OP(code)) {
	case BPF_ADD: return a + b;
	case BPF_SUB: return a - b;
	case BPF_MUL: return a * b;
	case BPF_DIV: return b ? a / b : 0;
	case BPF_MOD: return b ? a % b : 0;
	case BPF_OR: return a | b;
	case BPF_AND: return a & b;
	case BPF_XOR: return a ^ b;
	case BPF_LSH: return b < 32 ? a << b : 0;
	case BPF_RSH: return b < 32 ? a >> b : 0;
	case BPF_NEG: return -a;
	}
	abort();
}

static int jumps(uint16_t code, uint32_t a, uint32_t b)
{
	switch (BPF_OP(code)) {
	case BPF_JEQ: return a == b;
	case BPF_JGT: return a > b;
	case BPF_JGE: return a >= b;
	case BPF_JSET: return (a & b) != 0;
	}
	abort();
}

uint32_t bpf_run(const struct bpf *p, const struct seccomp_data *call)
{
	uint32_t a = 0, x = 0, mem[BPF_MEMWORDS] = {0};

	for (size_t pc = 0; pc < p->count; pc++) {
		const struct sock_filter *i = &p->insn[pc];
		uint32_t operand = BPF_SRC(i->code) == BPF_X ? x : i->k;
		switch (BPF_CLASS(i->code)) {
		case BPF_LD:
			switch (BPF_MODE(i->code)) {
			case BPF_ABS: memcpy(&a, (const char *)call + i->k, sizeof a); break;
			case BPF_IMM: a = i->k; break;
			case BPF_MEM: a = mem[i->k]; break;
			case BPF_LEN: a = sizeof *call; break;
			default: abort();
			}
			break;
		case BPF_LDX:
			x = BPF_MODE(i->code) == BPF_MEM ? mem[i->k] : BPF_MODE(i->code) == BPF_LEN ? (uint32_t)sizeof *call : i->k;
			break;
		case BPF_ST: mem[i->k] = a; break;
		case BPF_STX: mem[i->k] = x; break;
		case BPF_ALU: a = alu(i->code, a, operand); break;
		case BPF_JMP: pc += BPF_OP(i->code) == BPF_JA ? i->k : jumps(i->code, a, operand) ? i->jt : i->jf; break;
		case BPF_RET: return BPF_RVAL(i->code) == BPF_A ? a : i->k;
		case BPF_MISC:
			if (BPF_MISCOP(i->code) == BPF_TAX) {
				x = a;
			} else {
				a = x;
			}
			break;
		}
	}
	abort();
}

int bpf_agrees(uint32_t action, const struct filter_decision *d)
{
	switch (d->verdict) {
	case FILTER_ALLOW:
		return action == SECCOMP_RET_ALLOW;
	case FILTER_ERRNO:
		return action == (SECCOMP_RET_ERRNO | (uint32_t)d->error);
	case FILTER_NOTIFY:
		return action == SECCOMP_RET_USER_NOTIF;
	}
	return 0;
}
