/* The program that the exec cases start: prints what it was given. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char cwd[4096];
	sigset_t blocked;
	struct sigaction act;
	unsigned long length = 0;

	for (int i = 0; i < argc; i++)
		length += strlen(argv[i]) + 1;
	printf("argc=%d length=%lu", argc, length);
	for (int i = 0; i < argc && i < 8; i++)
		printf(" [%.200s]", argv[i]);
	printf(" env:");
	for (char **e = environ; *e; e++)
		printf(" {%.200s}", *e);
	printf(" cwd=%s", getcwd(cwd, sizeof(cwd)) ? cwd : "?");
	sigprocmask(SIG_SETMASK, NULL, &blocked);
	printf(" signals:");
	for (int s = 1; s < 32; s++) {
		sigaction(s, NULL, &act);
		if (sigismember(&blocked, s) || act.sa_handler == SIG_IGN)
			printf(" %d%s%s", s, sigismember(&blocked, s) ? "b" : "", act.sa_handler == SIG_IGN ? "i" : "");
	}
	printf(" fds:");
	for (int fd = 0; fd < 20; fd++) {
		if (lseek(fd, 0, SEEK_CUR) != -1 || write(fd, "", 0) == 0)
			printf(" %d", fd);
	}
	printf("\n");
	return 0;
}
