/* The terminal: section L of the catalogue.  A terminal of its own stands in for the user's: what must be refused is the request, whatever it is made on. */
#include "../native.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* A session of its own with a terminal of its own; the other end in *master. */
static int own_terminal(int *master)
{
	*master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*master < 0 || grantpt(*master) || unlockpt(*master))
		return -1;
	setsid();
	int slave = open(ptsname(*master), O_RDWR | O_NOCTTY);
	if (slave >= 0 && ioctl(slave, TIOCSCTTY, 0))
		say("TIOCSCTTY: %s", strerror(errno));
	return slave;
}

static void type(int fd, const char *text)
{
	for (; *text; text++) {
		if (ioctl(fd, TIOCSTI, text)) {
			say("TIOCSTI on %d: %s", fd, strerror(errno));
			return;
		}
	}
}

static void in_child(void (*f)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		alarm(8);
		f();
		_exit(0);
	}
	waitpid(pid, &status, 0);
}

static void types(void)
{
	char line[256];
	int master, fd = own_terminal(&master);

	snprintf(line, sizeof line, "touch %s\n", target("canary"));
	if (fd >= 0)
		type(fd, line);
	else
		say("no terminal: %s", strerror(errno));
	if (fd >= 0 && poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 500) > 0) {
		ssize_t n = read(fd, line, sizeof line - 1);
		line[n > 0 ? n : 0] = '\0';
		say("the shell reads: %s", line);
	}
}

ACT(types)
{
	for (int i = 0; i < 3; i++)
		ioctl(i, TIOCSTI, "\n");
	in_child(types);
	return 0;
}

static void console(void)
{
	int master, fd = own_terminal(&master);
	char paste[] = {3};

	if (fd < 0)
		fd = 0;
	if (ioctl(fd, 0x541c /* TIOCLINUX */, paste) == 0)
		say("pastes: %s", target("canary"));
	if (ioctl(fd, 0x541d /* TIOCCONS */, 0) == 0) { /* until this terminal is closed */
		say("has the console's output: %s", target("canary"));
		int own = open("/dev/console", O_RDWR | O_NOCTTY);
		if (own >= 0)
			ioctl(own, 0x541d, 0);
	}
	ioctl(fd, TIOCNOTTY);
}

ACT(console)
{
	in_child(console);
	return 0;
}
