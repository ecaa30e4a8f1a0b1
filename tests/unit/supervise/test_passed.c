/* What a request passed: which of it is a pipe that the supervisor may read or write in its sender's place. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/supervise/passed.h"

static char file[] = "/tmp/pw-passed-XXXXXX";
static char fifo[sizeof file + 2];

static int make(void **state)
{
	(void)state;
	int fd = mkstemp(file);
	snprintf(fifo, sizeof fifo, "%s-f", file);
	return fd < 0 || close(fd) < 0 || mkfifo(fifo, 0600) < 0 ? -1 : 0;
}

static int unmake(void **state)
{
	(void)state;
	unlink(fifo);
	return unlink(file);
}

static int taken(int fd, int number, int access)
{
	struct passed p = {.fds = {fd}, .count = 1, .numbers = {number}};

	return passed_pipe(&p, number, access);
}

static void assert_none(int fd)
{
	assert_true(fd >= 0);
	assert_int_equal(taken(fd, 0, O_RDONLY), -1);
	assert_int_equal(taken(fd, 1, O_WRONLY), -1);
	close(fd);
}

static void a_pipe_is_used_without_waiting(void **state)
{
	int ends[2];
	char text[8] = "";

	(void)state;
	assert_int_equal(pipe(ends), 0);
	cleanup_fd int from = taken(ends[0], 0, O_RDONLY), to = taken(ends[1], 1, O_WRONLY);
	assert_true(from >= 0 && to >= 0);
	assert_int_equal(read(from, text, sizeof text), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(write(to, "yes", 3), 3);
	assert_int_equal(read(ends[0], text, sizeof text), 3);
	assert_int_equal(fcntl(ends[0], F_GETFL) & O_NONBLOCK, 0); /* who passed it has it as it was */
	assert_int_equal(taken(ends[0], 1, O_WRONLY), -1);
	assert_int_equal(taken(ends[1], 0, O_RDONLY), -1);

	struct passed other = {.fds = {ends[1]}, .count = 1, .numbers = {2}};
	assert_int_equal(passed_pipe(&other, 1, O_WRONLY), -1);
	close(ends[0]);
	close(ends[1]);
}

/* A handle on one needs no right on it: opened again, it is opened with the supervisor's. */
static void what_is_no_pipe_is_not_opened(void **state)
{
	int ends[2];
	char link[48];

	(void)state;
	assert_none(open(file, O_PATH));
	assert_none(open(file, O_RDWR));
	assert_none(open("/dev/null", O_RDWR));
	assert_none(open(fifo, O_PATH));
	assert_none(open(fifo, O_RDWR | O_NONBLOCK));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_none(ends[0]);
	close(ends[1]);

	assert_int_equal(pipe(ends), 0);
	snprintf(link, sizeof link, "/proc/self/fd/%d", ends[0]);
	assert_none(open(link, O_PATH));
	close(ends[0]);
	close(ends[1]);
}

/* A request of len bytes that carries count descriptors: what is said to it, and how many more are open then. */
static int heard(size_t len, size_t count, int *more)
{
	int pair[2], fds[3] = {0, 1, 2}, got[3], open_fds[FD_LIST_MAX];
	size_t ngot = 3;
	char byte;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	assert_int_equal(fd_send(pair[0], "ss", len, fds, count), 0);
	size_t before = fd_numbers(open_fds, FD_LIST_MAX);
	int error = fd_receive_whole(pair[1], &byte, 1, 2, got, &ngot);
	*more = (int)fd_numbers(open_fds, FD_LIST_MAX) - (int)before;
	for (size_t i = 0; error == 0 && i < ngot; i++) {
		close(got[i]);
	}
	close(pair[0]);
	close(pair[1]);
	return error;
}

static void nothing_of_a_wrong_request_stays_open(void **state)
{
	int more;

	(void)state;
	assert_int_equal(heard(1, 3, &more), 0);
	assert_int_equal(more, 3);
	assert_int_equal(heard(0, 3, &more), -EPROTO);
	assert_int_equal(more, 0);
	assert_int_equal(heard(1, 1, &more), -EPROTO);
	assert_int_equal(more, 0);
	assert_int_equal(heard(1, 0, &more), -EPROTO);
	assert_int_equal(more, 0);
	assert_int_equal(heard(2, 2, &more), -EMSGSIZE);
	assert_int_equal(more, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pipe_is_used_without_waiting), cmocka_unit_test(what_is_no_pipe_is_not_opened), cmocka_unit_test(nothing_of_a_wrong_request_stays_open),
	};
	return cmocka_run_group_tests(tests, make, unmake);
}
