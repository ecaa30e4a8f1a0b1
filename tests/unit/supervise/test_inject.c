/* inject_open: the object that was pinned, opened as the caller's flags say, whatever its name has become. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/supervise/inject.h"

static char top[64], path[128];

static int begin(void **state)
{
	snprintf(top, sizeof top, "/tmp/pw-inject-XXXXXX");
	assert_non_null(mkdtemp(top));
	snprintf(path, sizeof path, "%s/file", top);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
	assert_int_equal(write(fd, "judged", 6), 6);
	close(fd);
	return 0;
}

static int end(void **state)
{
	char command[100];
	snprintf(command, sizeof command, "rm -rf %s", top);
	return system(command);
}

static int pin(const char *what, int flags)
{
	int fd = open(what, O_PATH | O_CLOEXEC | flags);
	assert_true(fd >= 0);
	return fd;
}

static void check_error(const char *what, int pin_flags, uint64_t flags, int error)
{
	int fd = pin(what, pin_flags);
	struct reply r = inject_open(fd, flags);
	assert_int_equal(r.kind, REPLY_ERROR);
	assert_int_equal(r.value, error);
	close(fd);
}

static void gives_what_was_pinned(void **state)
{
	char other[140], text[16] = "";
	int pinned = pin(path, 0);
	snprintf(other, sizeof other, "%s.moved", path);
	assert_int_equal(rename(path, other), 0);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	struct reply r = inject_open(pinned, O_RDONLY | O_CLOEXEC | O_CREAT);
	assert_int_equal(r.kind, REPLY_FD);
	assert_int_equal(r.fd_flags, O_CLOEXEC);
	assert_int_equal(read((int)r.value, text, sizeof text), 6);
	assert_string_equal(text, "judged");
	assert_int_equal(fcntl((int)r.value, F_GETFL) & (O_NONBLOCK | O_ACCMODE), O_RDONLY);
	close((int)r.value);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rename(other, path), 0);
	close(pinned);
}

static void follows_the_flags(void **state)
{
	struct stat st;
	int pinned = pin(path, 0);
	struct reply r = inject_open(pinned, O_WRONLY | O_APPEND | O_NONBLOCK);
	assert_int_equal(r.kind, REPLY_FD);
	assert_int_equal(r.fd_flags, 0);
	assert_int_equal(fcntl((int)r.value, F_GETFL) & (O_NONBLOCK | O_APPEND | O_ACCMODE), O_NONBLOCK | O_APPEND | O_WRONLY);
	close((int)r.value);
	r = inject_open(pinned, O_WRONLY | O_TRUNC);
	assert_int_equal(r.kind, REPLY_FD);
	assert_int_equal(fstat((int)r.value, &st), 0);
	assert_int_equal(st.st_size, 0);
	close((int)r.value);
	close(pinned);
	pinned = pin(top, 0);
	r = inject_open(pinned, O_RDONLY | O_DIRECTORY);
	assert_int_equal(r.kind, REPLY_FD);
	close((int)r.value);
	close(pinned);
}

static void refuses(void **state)
{
	char made[140];
	check_error(path, 0, O_RDONLY | O_DIRECTORY, ENOTDIR);
	check_error(path, 0, O_WRONLY | O_CREAT | O_EXCL, EEXIST);
	check_error(top, 0, O_WRONLY, EISDIR);
	check_error(top, 0, O_RDONLY | O_CREAT, EISDIR);
	check_error(top, 0, O_RDWR | O_TMPFILE, EOPNOTSUPP);
	check_error("/dev/null", 0, O_RDONLY, EACCES);
	snprintf(made, sizeof made, "%s/fifo", top);
	assert_int_equal(mkfifo(made, 0600), 0);
	check_error(made, 0, O_RDONLY, EACCES);
	snprintf(made, sizeof made, "%s/link", top);
	assert_int_equal(symlink("file", made), 0);
	check_error(made, O_NOFOLLOW, O_RDONLY | O_NOFOLLOW, ELOOP);
}

/* A lease: whoever opens the file would wait until it is given back. */
static void waits_for_no_lease(void **state)
{
	int holder = open(path, O_RDONLY), pinned = pin(path, 0);
	signal(SIGIO, SIG_IGN);
	if (fcntl(holder, F_SETLEASE, F_WRLCK) == 0) {
		struct reply r = inject_open(pinned, O_RDONLY);
		assert_int_equal(r.kind, REPLY_ERROR);
		assert_int_equal(r.value, EWOULDBLOCK);
	}
	close(holder);
	close(pinned);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_what_was_pinned),
		cmocka_unit_test(follows_the_flags),
		cmocka_unit_test(refuses),
		cmocka_unit_test(waits_for_no_lease),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
