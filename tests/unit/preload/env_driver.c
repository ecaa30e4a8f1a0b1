/* Reads variables, connects and writes as the shim's reports are about.
 *
 *     env_driver env | connect | write FOLDER | signal | fork | threads */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

char *reader_get(const char *name);
char *reader_get_secure(const char *name);

static const char *text(const char *value)
{
	return value ? value : "(null)";
}

static int do_env(void)
{
	static const char *const names[] = { "AWS_SECRET_ACCESS_KEY", "DATABASE_URL", "GITHUB_TOKEN", "ZZZ_LAST", "HOME", "A",
		"AWS", "AWS_SECRET_ACCESS_KEYS", "", "NOT_SET", "A=B", "DATABASE_URL=" };

	errno = 55;
	for (size_t round = 0; round < 3; round++) {
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			printf("%s: %s", names[i], text(getenv(names[i])));
			printf(" %s", text(secure_getenv(names[i])));
			printf(" %s %s\n", text(reader_get(names[i])), text(reader_get_secure(names[i])));
		}
	}
	fprintf(stdout, "errno %d\n", errno);
	setenv("ADDED", "later", 1);
	printf("%s\n", text(getenv("ADDED")));
	unsetenv("DATABASE_URL");
	printf("%s\n", text(getenv("DATABASE_URL")));
	clearenv();
	printf("%s\n", text(getenv("HOME")));
	return 0;
}

void try_connect(const struct sockaddr *address, socklen_t len, int type); /* exported: the shim tells its name */

__attribute__((noinline)) void try_connect(const struct sockaddr *address, socklen_t len, int type)
{
	int fd = socket(address->sa_family, type, 0), ret;

	errno = 0;
	ret = connect(fd, address, len);
	printf("connect %d: %d %s\n", address->sa_family, ret, strerror(errno));
	close(fd);
}

/* The runner has put this into a network namespace, which has no route to anywhere. */
static void loopback_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (ioctl(fd, SIOCSIFFLAGS, &ifr) < 0)
		exit(4);
	close(fd);
}

static int do_connect(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(443) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(8443) };
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "/nonexistent/socket" };

	loopback_up();
	inet_pton(AF_INET, "192.0.2.9", &in.sin_addr);
	try_connect((struct sockaddr *)&in, sizeof(in), SOCK_STREAM);
	inet_pton(AF_INET6, "2001:db8::9", &in6.sin6_addr);
	try_connect((struct sockaddr *)&in6, sizeof(in6), SOCK_STREAM);
	inet_pton(AF_INET, "127.0.0.1", &in.sin_addr);
	try_connect((struct sockaddr *)&in, sizeof(in), SOCK_STREAM);
	try_connect((struct sockaddr *)&un, sizeof(un), SOCK_STREAM);
	errno = 0;
	printf("bad: %d", connect(-1, (struct sockaddr *)&in, sizeof(in)));
	printf(" %s\n", strerror(errno));
	return 0;
}

static void tried(const char *what, int ret)
{
	printf("%s: %d %s\n", what, ret < 0 ? ret : 0, strerror(ret < 0 ? errno : 0));
	if (ret > 2)
		close(ret);
}

static int do_write(const char *folder)
{
	char path[512];
	int dir;

	if (chdir(folder) < 0)
		return 3;
	snprintf(path, sizeof(path), "%s/locked/new", folder);
	tried("open absolute", open(path, O_WRONLY | O_CREAT, 0644));
	tried("open relative", open("locked/rel", O_RDWR | O_CREAT | O_EXCL, 0644));
	tried("open64", open64("locked/file", O_WRONLY | O_TRUNC));
	tried("truncating", open("locked/file", O_RDONLY | O_TRUNC));
	dir = open("locked", O_RDONLY | O_DIRECTORY);
	tried("openat", openat(dir, "at", O_WRONLY | O_CREAT, 0644));
	tried("openat64", openat64(dir, "at64", O_WRONLY | O_CREAT, 0644));
	tried("mkdir", mkdir("locked/dir", 0755));
	tried("rename", rename("free", "locked/free"));
	tried("unlink", unlink("locked/file"));
	tried("read", open("locked/secret", O_RDONLY));
	tried("missing", open("locked/none/x", O_WRONLY | O_CREAT, 0644));
	tried("fine", open("fine", O_WRONLY | O_CREAT, 0640));
	return 0;
}

static volatile sig_atomic_t caught;

static void on_signal(int sig)
{
	(void)sig;
	if (getenv("GITHUB_TOKEN") && secure_getenv("DATABASE_URL"))
		caught++;
}

static int do_signal(void)
{
	struct sigaction act = { .sa_handler = on_signal };

	sigaction(SIGALRM, &act, NULL);
	for (int i = 0; i < 50; i++)
		raise(SIGALRM);
	printf("caught %d\n", (int)caught);
	return 0;
}

static int do_fork(void)
{
	for (int i = 0; i < 3; i++) {
		pid_t pid = i == 1 ? vfork() : fork();

		if (!pid)
			_exit(getenv("ZZZ_LAST") ? 0 : 1);
		waitpid(pid, NULL, 0);
	}
	printf("%s\n", text(getenv("ZZZ_LAST")));
	return 0;
}

static void *reads(void *arg)
{
	(void)arg;
	for (int i = 0; i < 1000; i++) {
		if (!getenv("DATABASE_URL") || !getenv("HOME"))
			return (void *)1;
	}
	return NULL;
}

static int do_threads(void)
{
	pthread_t threads[8];
	void *failed, *any = NULL;

	for (int i = 0; i < 8; i++)
		pthread_create(&threads[i], NULL, reads, NULL);
	for (int i = 0; i < 8; i++) {
		pthread_join(threads[i], &failed);
		any = failed ? failed : any;
	}
	printf("threads %d\n", any != NULL);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "env"))
		return do_env();
	if (!strcmp(what, "connect"))
		return do_connect();
	if (!strcmp(what, "write") && argc > 2)
		return do_write(argv[2]);
	if (!strcmp(what, "signal"))
		return do_signal();
	if (!strcmp(what, "fork"))
		return do_fork();
	return !strcmp(what, "threads") ? do_threads() : 2;
}
