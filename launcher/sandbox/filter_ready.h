/* Every program that a machine can need, made when pipwarden was built (filter_generate.c): making them takes longer than anything else of a start. */
#ifndef SANDBOX_FILTER_READY_H
#define SANDBOX_FILTER_READY_H

#include <stdint.h>

#include "filter.h"

/* What of the options makes a difference: one bit each. */
#define FILTER_VARIANTS 8

static inline unsigned filter_variant(const struct filter_options *opt)
{
	return (opt->signals_scoped ? 1u : 0) | (opt->audit ? 2u : 0) | (opt->unix_connect ? 4u : 0);
}

static inline struct filter_options filter_variant_options(unsigned variant)
{
	return (struct filter_options){.signals_scoped = variant & 1, .audit = variant & 2, .unix_connect = variant & 4};
}

struct filter_ready {
	const struct sock_filter *code;
	uint16_t len;
};
extern const struct filter_ready filter_ready[FILTER_KINDS][FILTER_VARIANTS];

#endif
