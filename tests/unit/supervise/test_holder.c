/* launcher/supervise/holder.h and launcher/base/below.h: a socket that nobody but a grandchild has open. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/base/below.h"
#include "launcher/base/fd.h"
#include "launcher/supervise/holder.h"

static pid_t child, grandchild;

/* A child with a child that keeps the socket open until it is killed. */
static void start_family(int sock)
{
	int told[2];

	assert_return_code(pipe2(told, O_CLOEXEC), 0);
	child = fork();
	assert_return_code(child, 0);
	if (child == 0) {
		grandchild = fork();
		if (grandchild == 0) {
			alarm(60);
			pause();
			_exit(0);
		}
		close(sock);
		_exit(write(told[1], &grandchild, sizeof grandchild) == sizeof grandchild ? waitpid(grandchild, NULL, 0) < 0 : 1);
	}
	assert_int_equal(read(told[0], &grandchild, sizeof grandchild), sizeof grandchild);
	close(told[0]);
	close(told[1]);
}

static void end_family(void)
{
	kill(grandchild, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static ino_t inode_of(int fd)
{
	struct stat st;

	assert_return_code(fstat(fd, &st), 0);
	return st.st_ino;
}

static void test_found(void **state)
{
	cleanup_fd int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int listens = 0;
	socklen_t len = sizeof listens;

	(void)state;
	assert_return_code(listen(sock, 1), 0);
	ino_t inode = inode_of(sock);
	start_family(sock);
	close_fd(&sock);

	cleanup_fd int held = holder_socket(getpid(), inode);
	assert_return_code(held, 0);
	assert_int_equal(inode_of(held), inode);
	assert_int_equal(fcntl(held, F_GETFD), FD_CLOEXEC);
	end_family();
	assert_return_code(getsockopt(held, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len), 0);
	assert_int_equal(listens, 1); /* though all who had it are gone */
	assert_int_equal(holder_socket(getpid(), inode), -1);
}

/* What the process itself has is not below it, and other inodes are nobody's. */
static void test_not_found(void **state)
{
	cleanup_fd int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), pipe_end = -1;
	int ends[2];

	(void)state;
	assert_int_equal(holder_socket(getpid(), inode_of(sock)), -1);
	assert_return_code(pipe2(ends, O_CLOEXEC), 0);
	pipe_end = ends[0];
	start_family(sock);
	assert_int_equal(holder_socket(getpid(), inode_of(pipe_end)), -1); /* no socket */
	assert_int_equal(holder_socket(child, 1), -1);
	end_family();
	close(ends[1]);
}

static void test_below(void **state)
{
	cleanup_fd int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid_t list[2] = {0};

	(void)state;
	start_family(-1);
	assert_int_equal(below(proc, getpid(), list, 2), 2);
	assert_int_equal(list[0], child);
	assert_int_equal(list[1], grandchild);
	assert_int_equal(below(proc, getpid(), list, 1), 1);
	end_family();
	assert_int_equal(below(proc, getpid(), list, 2), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_found), cmocka_unit_test(test_not_found), cmocka_unit_test(test_below)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
