/* Process images: copied by fork, made by exec; and the bounded set of those that have checked in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/supervise/image.h"

static void test_set(void **state)
{
	struct images set = {0};

	assert_true(images_lack(&set, 7));
	assert_false(images_lack(&set, 0)); /* could not be looked at: nothing is said of it */
	images_add(&set, 0, 0);
	assert_true(images_lack(&set, 7));
	for (uint64_t i = 1; i <= 300; i++) {
		images_add(&set, i * 64, 0); /* all of them want the same slot at first */
		images_add(&set, i * 64, 0);
	}
	assert_int_equal(set.count, 300);
	for (uint64_t i = 1; i <= 300; i++) {
		assert_false(images_lack(&set, i * 64));
	}
	assert_true(images_lack(&set, 65));
	assert_int_equal(images_intents(&set, 64), 0);
	images_add(&set, 65, 4096);
	images_add(&set, 65, 8192); /* what was said first counts */
	assert_int_equal(images_intents(&set, 65), 4096);
	assert_int_equal(images_intents(&set, 66), 0);
	assert_int_equal(images_intents(&set, 0), 0);
	images_finish(&set);
	assert_true(images_lack(&set, 64));
	images_finish(&set);
}

static void test_bound(void **state)
{
	struct images set = {0};

	for (uint64_t i = 1; i <= 3 * IMAGES_MAX; i++) {
		images_add(&set, i, 0);
	}
	assert_true(set.count <= IMAGES_MAX && set.size <= 2 * IMAGES_MAX);
	assert_false(images_lack(&set, 1));
	assert_false(images_lack(&set, 4 * IMAGES_MAX)); /* who did not find room may be anybody */
	images_finish(&set);
}

static pid_t child(int *to_child, const char *program)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(ends[0], 0);
		close(ends[0]);
		close(ends[1]);
		if (program != NULL) {
			execl(program, program, (char *)NULL);
			_exit(1);
		}
		char byte;
		_exit(read(0, &byte, 1) == 0 ? 0 : 1);
	}
	close(ends[0]);
	*to_child = ends[1];
	return pid;
}

static void end(pid_t pid, int to_child)
{
	int status;

	close(to_child);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_fork_and_exec(void **state)
{
	uint64_t own = image_of(getpid()), other = own;
	int to_child;
	pid_t pid = child(&to_child, NULL);

	assert_true(own != 0);
	assert_true(image_of(pid) == own);
	end(pid, to_child);
	pid = child(&to_child, "/bin/cat");
	for (int i = 0; i < 2000 && (other == own || other == 0); i++) { /* until its exec */
		usleep(5000);
		other = image_of(pid);
	}
	assert_true(other != 0 && other != own);
	end(pid, to_child);
	assert_true(image_of(pid) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_fork_and_exec),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
