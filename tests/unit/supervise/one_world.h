/* A world of its own for each test of a file: cmocka_unit_test_setup_teardown(test, begin, end). */
#ifndef TESTS_ONE_WORLD_H
#define TESTS_ONE_WORLD_H

#include "notified.h"

static struct world w;

static int begin(void **state)
{
	world_init(&w);
	return 0;
}

static int end(void **state)
{
	world_finish(&w);
	return 0;
}

#endif
