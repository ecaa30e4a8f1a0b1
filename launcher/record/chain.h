/* A secret read, then an attempt to get something out: both ends of a theft.  Pure; entries are the fold table's. */
#ifndef RECORD_CHAIN_H
#define RECORD_CHAIN_H

#include "launcher/record/fold.h"

/* A variable was read, or all of them. */
bool chain_is_read(const struct event *ev);
/* Can what was read leave by such an attempt: the network, another process's socket, a decoy that was seen? */
bool chain_ends(const struct fold_entry *e);
bool chain_same_package(const struct fold_entry *a, const struct fold_entry *b);
/* Is `read` a read (by name, or of all variables), of the same package as `attempt` and before it? */
bool chain_leads(const struct fold_entry *read, const struct fold_entry *attempt, bool by_name);

/* The last read, of the same package and before it, of the variable or file that the decoy.seen is of, or of all variables: its seq; 0: none is known. */
uint64_t chain_read_of(const struct fold *f, const struct event *seen);

#endif
