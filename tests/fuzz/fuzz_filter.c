/* The emitted programs against the table: any call, any role, any options. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf_sim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define COMBINATIONS 8
static struct bpf programs[FILTER_KINDS][COMBINATIONS];

static struct filter_options combination(unsigned n)
{
	return (struct filter_options){.signals_scoped = n & 1, .unix_connect = n & 2, .audit = n & 4};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seccomp_data call;
	const char *rule, *name;
	unsigned kind, n;

	if (size < sizeof call + 2) {
		return 0;
	}
	kind = data[0] % FILTER_KINDS;
	n = data[1] % COMBINATIONS;
	memcpy(&call, data + 2, sizeof call);
	if (data[0] & 0x80) { /* mostly the architecture that matters, and numbers that exist */
		call.arch = filter_arch;
		call.nr &= 0x1ff;
	}
	struct filter_options opt = combination(n);
	struct bpf *p = &programs[kind][n];
	if (!p->insn) {
		int fd = filter_build((enum filter_kind)kind, &opt);
		if (fd < 0 || bpf_read(p, fd)) {
			abort();
		}
		close(fd);
	}
	struct filter_decision d = filter_decide((enum filter_kind)kind, &opt, &call);
	if (!bpf_agrees(bpf_run(p, &call), &d)) {
		abort();
	}
	if (d.verdict == FILTER_NOTIFY && filter_route(&call) != d.handler) {
		abort();
	}
	if (filter_refusal_of(&call, &rule, &name) <= 0 || !rule || !name) {
		abort();
	}
	return 0;
}
