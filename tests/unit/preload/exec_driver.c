/* Starts programs in every way that libc knows and prints what came of it.
 *
 *     exec_driver FOLDER
 *
 * FOLDER is laid out by test_shim.py.  The output of a run with the shim has to be that of a run
 * without it, byte for byte.  Each case is a child of its own, so no case sees another's traces. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static char *const simple_env[] = { (char *)"A=1", (char *)"PATH=/nowhere", NULL };
static char *const no_env[] = { NULL };

typedef void exec_fn(const char *path);

static void by_execve(const char *path)
{
	char *argv[] = { (char *)"zero", (char *)"one", (char *)"", NULL };

	execve(path, argv, simple_env);
}

static void by_execve_bare(const char *path)
{
	char *argv[] = { (char *)path, NULL };

	execve(path, argv, no_env);
}

static void by_execv(const char *path)
{
	char *argv[] = { (char *)"zero", (char *)"one", NULL };

	execv(path, argv);
}

static void by_execvp(const char *path)
{
	char *argv[] = { (char *)"zero", (char *)"one", (char *)"two", NULL };

	execvp(path, argv);
}

static void by_execvp_alone(const char *path)
{
	char *argv[] = { (char *)path, NULL };

	execvp(path, argv);
}

static void by_execvpe(const char *path)
{
	char *argv[] = { (char *)"zero", NULL };

	execvpe(path, argv, simple_env);
}

static void by_execl(const char *path)
{
	execl(path, "zero", "one", "two", "three", (char *)NULL);
}

static void by_execle(const char *path)
{
	execle(path, "zero", "one", (char *)NULL, simple_env);
}

static void by_execlp(const char *path)
{
	execlp(path, "zero", (char *)NULL);
}

static void by_execveat(const char *path)
{
	char *argv[] = { (char *)"zero", NULL };

	execveat(AT_FDCWD, path, argv, simple_env, 0);
}

static void by_execveat_nofollow(const char *path)
{
	char *argv[] = { (char *)"zero", NULL };

	execveat(AT_FDCWD, path, argv, simple_env, AT_SYMLINK_NOFOLLOW);
}

static void by_execveat_dir(const char *path)
{
	char *argv[] = { (char *)"zero", NULL };
	int dir = open("bin", O_PATH | O_DIRECTORY);

	execveat(dir, path, argv, simple_env, 0);
	close(dir);
}

static void by_fexecve(const char *path)
{
	char *argv[] = { (char *)"zero", NULL };
	int fd = open(path, O_RDONLY | O_NONBLOCK);

	if (fd < 0)
		return;
	fexecve(fd, argv, simple_env);
}

static void spawned(int err, pid_t pid)
{
	int status = -1;

	if (!err)
		waitpid(pid, &status, 0);
	printf("spawn: %s status=%#x\n", err ? strerror(err) : "ok", err ? 0 : (unsigned)status);
	fflush(stdout);
	_exit(0);
}

static void by_spawn(const char *path)
{
	char *argv[] = { (char *)"zero", (char *)"one", NULL };
	pid_t pid = -1;

	spawned(posix_spawn(&pid, path, NULL, NULL, argv, simple_env), pid);
}

static void by_spawnp(const char *path)
{
	char *argv[] = { (char *)"zero", (char *)"one", NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t set;
	pid_t pid = -1;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attr, &set);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, 1, 9);
	spawned(posix_spawnp(&pid, path, &actions, &attr, argv, environ), pid);
}

static const struct {
	const char *name;
	exec_fn *run;
} ways[] = {
	{ "execve", by_execve }, { "execve_bare", by_execve_bare }, { "execv", by_execv }, { "execvp", by_execvp },
	{ "execvp_alone", by_execvp_alone }, { "execvpe", by_execvpe }, { "execl", by_execl }, { "execle", by_execle },
	{ "execlp", by_execlp }, { "execveat", by_execveat }, { "execveat_nofollow", by_execveat_nofollow },
	{ "execveat_dir", by_execveat_dir }, { "fexecve", by_fexecve }, { "posix_spawn", by_spawn },
	{ "posix_spawnp", by_spawnp },
};

/* Names in FOLDER (the working directory), and below the PATH that the runner set. */
static const char *const targets[] = {
	"bin/show", "./bin/show", "/bin/true", "show", "bin/link", "bin/script", "bin/noshebang", "noshebang", "bin/noexec",
	"noexec", "bin/dir", "dir", "bin/dangling", "bin/loop", "bin/missing", "missing", "bin/show/x", "bin/nointerp",
	"bin/noelfinterp", "bin/interpnoexec", "bin/interpdir", "bin/empty", "empty", "bin/deep5", "bin/deep6", "bin/blank",
	"bin/nonl", "bin/args", "bin/shortelf", "bin/badelf", "bin/onlyx", "bin/fifo", "", "/", "bin/closed/show", "bin/show/",
	"late", "first", "denied", "notdir", "bin/spaces", "bin/longline", "bin/textnul",
};

/* Runs fn(path) in a child and prints what it wrote and how it ended. */
static void run(const char *name, exec_fn *fn, const char *path)
{
	int ends[2], status;
	char buf[65536];
	ssize_t n;
	pid_t pid;

	printf("%s %s: ", name, path);
	fflush(stdout);
	if (pipe(ends) < 0)
		exit(2);
	pid = fork();
	if (!pid) {
		dup2(ends[1], 1);
		dup2(ends[1], 2);
		close(ends[0]);
		close(ends[1]);
		errno = 0;
		fn(path);
		printf("failed: %s\n", strerror(errno));
		fflush(stdout);
		_exit(0);
	}
	close(ends[1]);
	while ((n = read(ends[0], buf, sizeof(buf))) > 0)
		fwrite(buf, 1, (size_t)n, stdout);
	close(ends[0]);
	waitpid(pid, &status, 0);
	printf(" -> %#x\n", (unsigned)status);
}

static void system_cases(const char *unused)
{
	static const char *const commands[] = {
		"bin/show a 'b c' | sed 's/cwd=.*//'", "exit 3", "kill -9 $$", "nonexistent-command 2>&-",
		"bin/show >&-; echo $?", "trap 'echo got' INT; kill -INT $$; echo after", "",
	};
	struct sigaction act, after;
	sigset_t mask;

	(void)unused;
	memset(&act, 0, sizeof(act));
	act.sa_handler = SIG_DFL;
	sigaction(SIGINT, &act, NULL);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		int status;

		errno = 77;
		status = system(commands[i]);
		printf("system %zu: %#x errno=%d\n", i, (unsigned)status, errno);
		fflush(stdout);
	}
	printf("system(NULL)=%d\n", !!system(NULL));
	sigaction(SIGINT, NULL, &after);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	printf("after: int=%d chld=%d\n", after.sa_handler == SIG_DFL, sigismember(&mask, SIGCHLD));
	signal(SIGINT, SIG_IGN);
	printf("%#x\n", (unsigned)system("bin/show x"));
	signal(SIGCHLD, SIG_IGN);
	errno = 0;
	printf("%d", system("true"));
	printf(" errno=%d\n", errno);
	fflush(stdout);
	_exit(0);
}

static void popen_cases(const char *unused)
{
	char line[8192];
	FILE *many[70] = { NULL };
	FILE *f = popen("bin/show a; echo end; exit 5", "r");
	FILE *w;

	(void)unused;
	while (f && fgets(line, sizeof(line), f))
		fputs(line, stdout);
	fflush(stdout);
	printf("pclose=%#x\n", (unsigned)pclose(f));
	w = popen("cat; bin/show w", "w");
	f = popen("bin/show r", "re");
	fputs("written\n", w);
	fflush(stdout);
	printf("pclose=%#x\n", (unsigned)pclose(w));
	while (f && fgets(line, sizeof(line), f))
		fputs(line, stdout);
	printf("pclose=%#x cloexec\n", (unsigned)pclose(f));
	errno = 0;
	f = popen("true", "rw");
	printf("rw: %d %s\n", !!f, strerror(errno));
	f = popen("kill -15 $$", "r");
	printf("killed: %#x\n", (unsigned)pclose(f));
	for (int i = 0; i < 60; i++)
		many[i] = popen("exec cat >>bin/sink", "w");
	for (int i = 0; i < 60; i++)
		printf("%x", many[i] ? (unsigned)pclose(many[i]) : 0xbadu);
	printf("\n");
	/* Standard output closed: the pipe itself gets the number 1. */
	fflush(stdout);
	dup2(1, 30);
	close(1);
	f = popen("echo through", "r");
	line[0] = '\0';
	if (!f || !fgets(line, sizeof(line), f))
		strcpy(line, "nothing\n");
	pclose(f);
	dup2(30, 1);
	printf("closed: %s", line);
	fflush(stdout);
	_exit(0);
}

static void again(const char *path)
{
	char *argv[] = { (char *)"again", NULL };

	execv("bin/missing", argv);
	printf("first: %s\n", strerror(errno));
	execv("bin/noexec", argv);
	printf("second: %s\n", strerror(errno));
	fflush(stdout);
	execv(path, argv);
}

static void many_args(const char *path)
{
	char **argv = calloc(100002, sizeof(*argv));

	for (int i = 0; i < 100001; i++)
		argv[i] = (char *)"x";
	execvp(path, argv);
}

static void long_args(const char *path)
{
	char *argv[14] = { (char *)"zero" };

	for (int i = 1; i < 13; i++) {
		argv[i] = malloc(125001);
		memset(argv[i], 'y', 125000);
		argv[i][125000] = '\0';
	}
	execv(path, argv);
}

static void too_long(const char *path)
{
	char *argv[3] = { (char *)"zero", malloc(200001) };

	memset(argv[1], 'y', 200000);
	argv[1][200000] = '\0';
	execv(path, argv);
	printf("%s; ", strerror(errno));
	execvp("show", argv);
	printf("%s; ", strerror(errno));
	fflush(stdout);
	by_spawn(path);
}

static void too_long_spawn(const char *path)
{
	char *argv[3] = { (char *)"zero", malloc(200001) };
	pid_t pid = -1;

	memset(argv[1], 'y', 200000);
	argv[1][200000] = '\0';
	spawned(posix_spawn(&pid, path, NULL, NULL, argv, environ), pid);
}

static void big_env(const char *path)
{
	static const int counts[] = { 200, 253, 254, 255, 256, 300, 4093, 4094, 4095, 5000 };
	char *argv[] = { (char *)"zero", NULL };

	for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
		char **env = calloc((size_t)counts[c] + 1, sizeof(*env));
		int status;
		pid_t pid;

		for (int i = 0; i < counts[c]; i++)
			if (asprintf(&env[i], "V%d=%d", i, i) < 0)
				_exit(8);
		pid = vfork();
		if (!pid) {
			execve(path, argv, env);
			_exit(9);
		}
		waitpid(pid, &status, 0);
		printf("%d: %#x\n", counts[c], (unsigned)status);
		fflush(stdout);
	}
	_exit(0);
}

/* The environment, the mappings and errno of a vfork's parent are its own afterwards. */
static void vfork_once(const char *file)
{
	char *argv[] = { (char *)"zero", NULL };
	char **const before = environ;
	int status;
	pid_t pid;

	errno = 33;
	pid = vfork();
	if (!pid) {
		execvp(file, argv);
		_exit(7);
	}
	waitpid(pid, &status, 0);
	printf("%#x %d\n", (unsigned)status, before == environ);
	fflush(stdout);
}

static void vfork_purity(const char *path)
{
	char line[4096];
	long lines[2] = { 0, 0 };

	for (int round = 0; round < 2; round++) {
		FILE *maps = fopen("/proc/self/maps", "r");

		while (maps && fgets(line, sizeof(line), maps))
			lines[round]++;
		if (maps)
			fclose(maps);
		for (int i = 0; i < 20 && !round; i++)
			vfork_once(i % 2 ? path : "missing");
	}
	printf("mappings: %s\n", lines[0] == lines[1] && lines[0] ? "the same" : "others");
	fflush(stdout);
	_exit(0);
}

static void null_path(const char *unused)
{
	char *argv[] = { (char *)"zero", NULL };
	const char *volatile null = NULL;

	(void)unused;
	execve(null, argv, simple_env);
	printf("%s; ", strerror(errno));
	fexecve(-1, argv, simple_env);
	printf("%s; ", strerror(errno));
	fexecve(77, argv, simple_env);
	printf("%s; ", strerror(errno));
	execveat(77, "show", argv, simple_env, 0);
	printf("%s; ", strerror(errno));
	execveat(AT_FDCWD, "bin/show", argv, simple_env, 0x40000000);
}

static void null_env(const char *path)
{
	char *argv[] = { (char *)"zero", NULL };
	char **const volatile null = NULL;

	execve(path, argv, null);
}

static void long_path(const char *path)
{
	char name[6000];
	char *argv[] = { (char *)"zero", NULL };

	memset(name, 'n', sizeof(name));
	name[300] = '\0';
	execv(name, argv);
	printf("%s; ", strerror(errno));
	execvp(name, argv);
	printf("%s; ", strerror(errno));
	name[300] = 'n';
	for (int i = 1; i < 5000; i += 2)
		name[i] = '/';
	name[0] = '.';
	for (int i = 2; i < 5000; i += 2)
		name[i] = '.';
	name[4100] = '\0';
	execv(name, argv);
}

static void no_path(const char *path)
{
	unsetenv("PATH");
	by_execvp("true");
	printf("%s", strerror(errno));
}

static void other_paths(const char *unused)
{
	static const char *const paths[] = { "", ":", "bin:", "/nowhere:bin", "bin/noexec:/nowhere", "bin/dir2", "::bin" };
	char *argv[] = { (char *)"zero", NULL };

	(void)unused;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		int status, err;
		pid_t pid;

		setenv("PATH", paths[i], 1);
		fflush(stdout);
		pid = fork();
		if (!pid) {
			execvp("show", argv);
			printf("execvp: %s\n", strerror(errno));
			fflush(stdout);
			_exit(1);
		}
		waitpid(pid, &status, 0);
		err = posix_spawnp(&pid, "show", NULL, NULL, argv, environ);
		if (!err)
			waitpid(pid, &status, 0);
		printf("spawnp: %d %#x\n", err, (unsigned)status);
		fflush(stdout);
	}
	_exit(0);
}

static void proc_exe(const char *unused)
{
	char *argv[] = { (char *)"exec_driver", NULL };

	(void)unused;
	execv("/proc/self/exe", argv);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		printf("exec_driver itself\n");
		return 0;
	}
	if (chdir(argv[1]) < 0)
		return 3;
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	for (size_t w = 0; w < sizeof(ways) / sizeof(ways[0]); w++) {
		for (size_t t = 0; t < sizeof(targets) / sizeof(targets[0]); t++) {
			/* Of a script run by descriptor the kernel makes /dev/fd/N, of one run by path the path. */
			if (ways[w].run == by_fexecve && !strcmp(targets[t], "bin/deep5"))
				continue;
			run(ways[w].name, ways[w].run, targets[t]);
		}
	}
	run("again", again, "bin/show");
	run("many_args", many_args, "bin/show");
	run("many_args_script", many_args, "bin/counts");
	run("long_args", long_args, "bin/show");
	run("too_long", too_long, "bin/show");
	run("too_long_spawn", too_long_spawn, "bin/show");
	run("big_env", big_env, "bin/show");
	run("vfork", vfork_purity, "show");
	run("null_path", null_path, "");
	run("null_env", null_env, "bin/show");
	run("long_path", long_path, "");
	run("no_path", no_path, "");
	run("other_paths", other_paths, "");
	run("proc_exe", proc_exe, "");
	run("system", system_cases, "");
	run("popen", popen_cases, "");
	return 0;
}
