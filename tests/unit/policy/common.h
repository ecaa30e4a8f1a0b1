/* What the tests of policy/ share. */
#ifndef TEST_POLICY_COMMON_H
#define TEST_POLICY_COMMON_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/decoy.h"
#include "policy/internal.h"
#include "policy/policy.h"

static const char *const test_homes[] = {"/home/ann", "/root", "/srv/people/bob", NULL};

static inline struct policy *fresh(void)
{
	struct policy_error err = {0};
	struct policy *p = policy_new(&err);

	if (!p)
		fail_msg("%s:%u:%u: %s", err.file, err.line, err.column, err.message);
	return p;
}

static inline void add(struct policy *p, const char *text)
{
	struct policy_error err = {0};

	if (policy_add_text(p, "layer", text, strlen(text), &err))
		fail_msg("%s:%u:%u: %s", err.file, err.line, err.column, err.message);
}

static inline struct policy *finished(struct policy *p)
{
	struct policy_error err = {0};

	if (policy_finish(p, test_homes, &err))
		fail_msg("%s:%u:%u: %s", err.file, err.line, err.column, err.message);
	return p;
}

/* The built-in policy, with one layer more unless text is NULL. */
static inline struct policy *with(const char *text)
{
	struct policy *p = fresh();

	if (text)
		add(p, text);
	return finished(p);
}

/* The built-in policy, for a group of tests: cmocka_run_group_tests(tests, builtin_setup, builtin_teardown). */
static struct policy *builtin;

static inline int builtin_setup(void **state)
{
	builtin = with(NULL);
	return 0;
}

static inline int builtin_teardown(void **state)
{
	policy_free(builtin);
	return 0;
}

#endif
