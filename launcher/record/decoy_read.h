/* Who read the decoy that was seen leaving.  Pure; the fold table's lock is the caller's. */
#ifndef RECORD_DECOY_READ_H
#define RECORD_DECOY_READ_H

#include "launcher/record/fold.h"

/* The last read, of the same package and before it, of the variable or file that the decoy.seen is of, or of all variables: its seq; 0: none is known. */
uint64_t decoy_read(const struct fold *f, const struct event *seen);

#endif
