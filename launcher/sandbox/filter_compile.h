/* What makes the programs: at build time, for filter_generate.c alone.  Nothing of it, and nothing of libseccomp, is in the program that users run. */
#ifndef SANDBOX_FILTER_COMPILE_H
#define SANDBOX_FILTER_COMPILE_H

#include "filter.h"

/* A memfd that holds struct sock_filter instructions, at its end, or -errno: libseccomp's, or the table is not what filter_table.h promises. */
int filter_compile(enum filter_kind kind, const struct filter_options *opt);

#endif
