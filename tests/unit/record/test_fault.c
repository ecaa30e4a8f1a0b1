/* Opening where it must not, and writing where there is no room. */
#include "journal_util.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

static int open_error(const char *path, int fd)
{
	const char *const paths[] = {path, NULL}, *where = "unset";
	struct journal_start start = {.run_id = "R"};
	int error = 0;
	struct journal *j = journal_open(paths, fd, &start, NULL, &error, &where);
	if (j != NULL) {
		journal_close(j);
		return 0;
	}
	if (path != NULL) {
		assert_string_equal(where, path);
	} else {
		assert_null(where);
	}
	return error;
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void test_open(void **state)
{
	struct place *p = *state;
	char other[128];
	snprintf(other, sizeof(other), "%s/other", p->folder);
	assert_int_equal(open_error("/nonexistent/x", -1), ENOENT);
	assert_int_equal(open_error(p->folder, -1), EISDIR);
	assert_int_equal(open_error(NULL, -1), EINVAL); /* nowhere at all */
	assert_int_equal(open_error(NULL, 999), EBADF);
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(open_error(NULL, fd), EBADF);
	close(fd);
	assert_int_equal(symlink(other, p->path), 0); /* a link is not followed, dangling or not */
	assert_int_equal(open_error(p->path, -1), ELOOP);
	write_file(other, "mine\n");
	assert_int_equal(open_error(p->path, -1), ELOOP);
	unlink(p->path);
	assert_int_equal(link(other, p->path), 0); /* the file has another name */
	assert_int_equal(open_error(p->path, -1), EPERM);
	unlink(p->path);
	unlink(other);
	assert_int_equal(mkfifo(p->path, 0600), 0); /* must not block */
	assert_int_equal(open_error(p->path, -1), EINVAL);
	unlink(p->path);
	if (geteuid() == 0) {
		write_file(p->path, "");
		assert_int_equal(chown(p->path, 12345, 12345), 0);
		assert_int_equal(open_error(p->path, -1), EPERM);
	}
}

static void test_append(void **state)
{
	struct place *p = *state;
	char text[4096] = "";
	write_file(p->path, "{\"cut\":");
	assert_int_equal(open_error(p->path, -1), 0);
	FILE *f = fopen(p->path, "r");
	assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
	fclose(f);
	assert_ptr_equal(strstr(text, "{\"cut\":\n{\"ts\":"), text); /* our first line is a line of its own */
}

static void test_several_places(void **state)
{
	struct place *p = *state;
	char other[128], first[4096] = "", second[4096] = "", third[4096] = "";
	int pipe_fd[2];
	snprintf(other, sizeof(other), "%s/other", p->folder);
	assert_int_equal(pipe(pipe_fd), 0);
	const char *const paths[] = {p->path, other, NULL};
	struct journal_start start = {.run_id = "R"};
	int error = 0;
	struct journal *j = journal_open(paths, pipe_fd[1], &start, NULL, &error, NULL);
	assert_non_null(j);
	struct event ev = file_event("/x", SEV_HIGH);
	assert_int_equal(journal_event(j, &ev, NULL), 0);
	assert_int_equal(journal_end(j, 0, &(struct journal_cost){0}), 0);
	journal_close(j);
	assert_true(fcntl(pipe_fd[1], F_GETFD) >= 0); /* stays the caller's */
	FILE *f = fopen(p->path, "r"), *g = fopen(other, "r");
	size_t n = fread(first, 1, sizeof(first), f);
	assert_int_equal(fread(second, 1, sizeof(second), g), n);
	assert_int_equal(read(pipe_fd[0], third, sizeof(third)), n);
	assert_memory_equal(first, second, n);
	assert_memory_equal(first, third, n);
	fclose(f);
	fclose(g);
	unlink(other);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
}

/* A full disk, made with the limit on file sizes: the write that crosses it is short, the next one fails. */
static void test_full(void **state)
{
	struct place *p = *state;
	cJSON *lines[64];
	struct rlimit old, small;
	struct journal_counts counts;
	char host[32];
	uint64_t seq = 77;
	struct event ev = resolve_event(host);
	struct journal *j = open_at(p->path, NULL);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	small = old;
	small.rlim_cur = 5000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	int r = 0, written = 0;
	for (int i = 0; i < 50 && r == 0; i++) {
		snprintf(host, sizeof(host), "h%d", i);
		r = journal_event(j, &ev, &seq);
		written += r == 0;
	}
	uint64_t last = seq;
	int again = journal_event(j, &ev, &seq), end;
	setrlimit(RLIMIT_FSIZE, &old);
	assert_int_equal(r, -EFBIG);
	assert_int_equal(again, -EFBIG);
	assert_int_equal(last, written + 1);
	assert_int_equal(journal_event(j, &ev, &seq), -EFBIG); /* room again, but something is missing: for good */
	end = journal_end(j, 125, &(struct journal_cost){0});
	assert_int_equal(end, -EFBIG);
	journal_counts(j, &counts);
	assert_true(counts.failed);
	journal_close(j);
	size_t n = read_lines(p->path, lines); /* every line whole: the cut one was taken back */
	assert_int_equal(n, written + 1);
	free_lines(lines, n);
}

/* A disk that is really full (a tmpfs in a mount namespace of the child's own); then there is room again. */
static int fill_disk(const char *folder)
{
	char path[128], filler[128];
	cJSON *lines[8];
	static char block[4096];
	snprintf(path, sizeof(path), "%s/j", folder);
	snprintf(filler, sizeof(filler), "%s/filler", folder);
	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("tmpfs", folder, "tmpfs", 0, "size=64k") != 0) {
		return 2;
	}
	struct journal *j = open_at(path, NULL);
	int fd = open(filler, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	while (write(fd, block, sizeof(block)) > 0) {
	}
	char host[2048]; /* does not fit into the page that the journal has begun */
	memset(host, 'h', sizeof(host));
	host[sizeof(host) - 1] = '\0';
	struct event ev = resolve_event(host);
	int r = 0, i = 0;
	for (; i < 4 && r == 0; i++) {
		host[i] = 'x';
		r = journal_event(j, &ev, NULL);
	}
	ftruncate(fd, 0) == 0 ? (void)0 : abort();
	int end = journal_end(j, 125, &(struct journal_cost){0});
	journal_close(j);
	size_t n = read_lines(path, lines);
	return r == -ENOSPC && end == -ENOSPC && n == (size_t)i ? 0 : 1;
}

static void test_full_disk(void **state)
{
	struct place *p = *state;
	int status;
	if (geteuid() != 0) {
		print_message("needs root: a filesystem of its own\n");
		skip();
	}
	pid_t child = fork();
	if (child == 0) {
		_exit(fill_disk(p->folder));
	}
	waitpid(child, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 2 && getenv("PIPWARDEN_MUST_WORK") == NULL) {
		print_message("no mounts for this root\n");
		skip();
	}
	assert_int_equal(status, 0);
}

static void test_full_device(void **state)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(open_error(NULL, fd), ENOSPC);
	close(fd);
}

static void test_reader_gone(void **state)
{
	int pipe_fd[2], error = 0;
	assert_int_equal(pipe(pipe_fd), 0);
	struct journal_start start = {.run_id = "R"};
	struct event ev = file_event("/x", SEV_LOW);
	signal(SIGPIPE, SIG_IGN);
	struct journal *j = journal_open(NULL, pipe_fd[1], &start, NULL, &error, NULL);
	assert_non_null(j);
	close(pipe_fd[0]);
	assert_int_equal(journal_event(j, &ev, NULL), -EPIPE);
	assert_int_equal(journal_end(j, 0, &(struct journal_cost){0}), -EPIPE);
	journal_close(j);
	close(pipe_fd[1]);
}

static void nothing(int signo)
{
	(void)signo;
}

/* A pipe that is full, with a slow reader: short writes and EINTR lose nothing. */
static void test_interrupted(void **state)
{
	struct place *p = *state;
	int pipe_fd[2], error = 0;
	cJSON *lines[64];
	assert_int_equal(pipe(pipe_fd), 0);
	fcntl(pipe_fd[1], F_SETPIPE_SZ, 4096);
	pid_t reader = fork();
	if (reader == 0) {
		char chunk[700];
		ssize_t n;
		close(pipe_fd[1]);
		int out = open(p->path, O_WRONLY | O_CREAT, 0600);
		while ((n = read(pipe_fd[0], chunk, sizeof(chunk))) > 0) {
			if (write(out, chunk, (size_t)n) != n) {
				_exit(1);
			}
			nanosleep(&(struct timespec){.tv_nsec = 300000}, NULL);
		}
		_exit(0);
	}
	close(pipe_fd[0]);
	struct sigaction sa = {.sa_handler = nothing}; /* no SA_RESTART */
	sigaction(SIGALRM, &sa, NULL);
	timer_t timer;
	struct itimerspec often = {{0, 1000000}, {0, 1000000}}, never = {0};
	assert_int_equal(timer_create(CLOCK_MONOTONIC, NULL, &timer), 0);
	timer_settime(timer, 0, &often, NULL);
	struct journal_start start = {.run_id = "R"};
	struct journal *j = journal_open(NULL, pipe_fd[1], &start, NULL, &error, NULL);
	assert_non_null(j);
	char path[3000];
	memset(path, '/', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	for (int i = 0; i < 40; i++) {
		path[i] = 'x';
		struct event ev = file_event(path, SEV_LOW);
		assert_int_equal(journal_event(j, &ev, NULL), 0);
	}
	assert_int_equal(journal_end(j, 0, &(struct journal_cost){0}), 0);
	timer_settime(timer, 0, &never, NULL);
	timer_delete(timer);
	journal_close(j);
	close(pipe_fd[1]);
	int status;
	while (waitpid(reader, &status, 0) < 0 && errno == EINTR) {
	}
	assert_int_equal(status, 0);
	size_t n = read_lines(p->path, lines);
	assert_int_equal(n, 42);
	free_lines(lines, n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_open, place_make, place_remove),
		cmocka_unit_test_setup_teardown(test_append, place_make, place_remove),
		cmocka_unit_test_setup_teardown(test_several_places, place_make, place_remove),
		cmocka_unit_test_setup_teardown(test_full, place_make, place_remove),
		cmocka_unit_test_setup_teardown(test_full_disk, place_make, place_remove),
		cmocka_unit_test(test_full_device),
		cmocka_unit_test(test_reader_gone),
		cmocka_unit_test_setup_teardown(test_interrupted, place_make, place_remove),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
