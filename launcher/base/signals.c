#include "signals.h"

#include <stddef.h>

uint64_t signals_ignored(void)
{
	uint64_t set = 0;

	for (int n = 1; n <= 64; n++) {
		struct sigaction sa;
		if (sigaction(n, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN) {
			set |= 1ULL << (n - 1);
		}
	}
	return set;
}

uint64_t signals_of(const sigset_t *mask)
{
	uint64_t set = 0;

	for (int n = 1; n <= 64; n++) {
		set |= sigismember(mask, n) == 1 ? 1ULL << (n - 1) : 0;
	}
	return set;
}
