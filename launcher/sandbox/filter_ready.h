/* Every program that a machine can need, made when pipwarden was built (filter_generate.c): making them takes longer than anything else of a start. */
#ifndef SANDBOX_FILTER_READY_H
#define SANDBOX_FILTER_READY_H

#include <stdint.h>

#include "filter.h"

/* What of the options makes a difference: one bit each. */
#define FILTER_VARIANTS 32

static inline unsigned filter_variant(const struct filter_options *opt)
{
	return (opt->landlock_abi < 3 ? 1u : 0) | (opt->signals_scoped ? 2u : 0) | (opt->audit ? 4u : 0) | (opt->served ? 8u : 0) | (opt->unix_connect ? 16u : 0);
}

static inline struct filter_options filter_variant_options(unsigned variant)
{
	return (struct filter_options){.landlock_abi = variant & 1 ? 1 : 3, .signals_scoped = variant & 2, .audit = variant & 4, .served = variant & 8,
	                               .unix_connect = variant & 16};
}

struct filter_ready {
	const struct sock_filter *code;
	uint16_t len;
};
extern const struct filter_ready filter_ready[FILTER_KINDS][FILTER_VARIANTS];

#endif
