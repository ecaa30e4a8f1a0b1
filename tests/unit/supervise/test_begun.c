/* Has pip begun to write?  Entries that come, go and are renamed; a folder that comes; nothing. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/supervise/begun.h"

static char top[] = "/tmp/pw-begun-XXXXXX", site[64], later[64], file[80], other[80];
static char *list[] = {site, later};
static const struct strings folders = {.v = list, .n = 2};

static int make(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(top));
	snprintf(site, sizeof site, "%s/site", top);
	snprintf(later, sizeof later, "%s/later", top);
	snprintf(file, sizeof file, "%s/a", site);
	snprintf(other, sizeof other, "%s/b", site);
	return mkdir(site, 0700);
}

static int clean(void **state)
{
	(void)state;
	unlink(file);
	unlink(other);
	rmdir(site);
	rmdir(later);
	return rmdir(top);
}

/* A folder's time is that of the last tick, which may be the one of the note. */
static void tick(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
}

static void note(void)
{
	tick();
	begun_note(&folders);
	assert_false(begun());
	tick();
	assert_false(begun());
}

static void entries(void **state)
{
	(void)state;
	note();
	close(open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	assert_true(begun());
	note();
	assert_int_equal(rename(file, other), 0);
	assert_true(begun());
	note();
	unlink(other);
	assert_true(begun());
}

static void folder(void **state)
{
	(void)state;
	note();
	assert_int_equal(mkdir(later, 0700), 0);
	assert_true(begun());
}

static void no_folders(void **state)
{
	(void)state;
	begun_note(NULL);
	assert_false(begun());
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(entries), cmocka_unit_test(folder), cmocka_unit_test(no_folders)};

	return cmocka_run_group_tests(tests, make, clean);
}
