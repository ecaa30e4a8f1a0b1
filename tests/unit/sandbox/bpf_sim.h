/* An interpreter of classic BPF as seccomp accepts it, for programs that filter_build made. */
#ifndef TEST_BPF_SIM_H
#define TEST_BPF_SIM_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>

#include "launcher/sandbox/filter_table.h"

struct bpf {
	struct sock_filter *insn;
	size_t count;
};

/* Reads a program from a memfd and checks what the kernel checks: known instructions, jumps inside, a return at the end. NULL or what is wrong. */
const char *bpf_read(struct bpf *p, int fd);
void bpf_free(struct bpf *p);
/* The action. Aborts on an instruction that bpf_read has not seen. */
uint32_t bpf_run(const struct bpf *p, const struct seccomp_data *call);
/* Does an action say what was decided? */
int bpf_agrees(uint32_t action, const struct filter_decision *d);

#endif
