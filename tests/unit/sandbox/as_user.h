/* Runs part of a test in a child, as root and as an ordinary user.  A check in the child returns its line, 0 is success. */
#ifndef TEST_AS_USER_H
#define TEST_AS_USER_H

#include <grp.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

#define CHECK(condition)                                                                    \
	do {                                                                                \
		if (!(condition)) {                                                         \
			dprintf(2, "%s:%d: %s (errno %d)\n", __FILE__, __LINE__, #condition, errno); \
			return __LINE__;                                                    \
		}                                                                           \
	} while (0)

static inline int in_child(uid_t uid, int (*f)(void *), void *argument)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		alarm(20);
		if (uid != geteuid() && (setgroups(0, NULL) < 0 || setgid(uid) < 0 || setuid(uid) < 0)) {
			_exit(2);
		}
		_exit(f(argument) ? 1 : 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		return -1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* As whoever runs the tests, and as an ordinary user when that is root. */
static inline int in_children(int (*f)(void *), void *argument)
{
	int r = in_child(geteuid(), f, argument);
	return r || geteuid() ? r : in_child(NOBODY, f, argument);
}

#endif
