/* The calling process's signal state as sets of bits: bit N-1 is signal N.  Async-signal-safe. */
#ifndef BASE_SIGNALS_H
#define BASE_SIGNALS_H

#include <signal.h>
#include <stdint.h>

uint64_t signals_ignored(void);
uint64_t signals_of(const sigset_t *mask);

#endif
