#include "prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "launcher/base/fd.h"

#define SHOWN_MAX 512

/* While the user is asked. */
static struct {
	pthread_mutex_t lock;
	bool ended;
	int terminal; /* -1: nobody is */
	struct termios before;
} asked = {.lock = PTHREAD_MUTEX_INITIALIZER, .terminal = -1};

static int open_terminal(void)
{
	return open("/dev/tty", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
}

bool prompt_possible(void)
{
	cleanup_fd int terminal = open_terminal();

	return terminal >= 0;
}

static void show(int terminal, const char *question)
{
	char text[SHOWN_MAX + 1];
	size_t n = 0;

	for (const char *c = question; *c != '\0' && n < SHOWN_MAX; c++) {
		/* No control byte, nor one of those that UTF-8 writes with a second byte (C2 80 to C2 9F). */
		bool acts = ((unsigned char)*c < ' ' && *c != '\n') || *c == 0x7f || ((unsigned char)*c == 0xc2 && (unsigned char)c[1] < 0xa0);
		text[n++] = acts ? '?' : *c;
		c += acts && (unsigned char)*c == 0xc2 && c[1] != '\0';
	}
	fd_write_all(terminal, text, n);
}

/* One line without its end.  False: there is none. */
static bool read_line(int terminal, int hung_up, char answer[PROMPT_MAX])
{
	size_t used = 0;

	for (;;) {
		struct pollfd p[2] = {{.fd = terminal, .events = POLLIN}, {.fd = hung_up, .events = POLLRDHUP}};
		char c;

		if (poll(p, 2, -1) < 0) {
			continue;
		}
		if (p[1].revents != 0) {
			return false;
		}
		ssize_t n = read(terminal, &c, 1);
		if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			continue;
		}
		if (n <= 0) {
			return false;
		}
		if (c == '\n') {
			answer[used] = '\0';
			return true;
		}
		if (used < PROMPT_MAX - 1) {
			answer[used++] = c;
		}
	}
}

static bool begin(int terminal, const struct termios *before, const struct termios *quiet)
{
	pthread_mutex_lock(&asked.lock);
	bool good = !asked.ended && tcsetattr(terminal, TCSAFLUSH, quiet) == 0;
	if (good) {
		asked.terminal = terminal;
		asked.before = *before;
	}
	pthread_mutex_unlock(&asked.lock);
	return good;
}

static void end(bool for_good)
{
	pthread_mutex_lock(&asked.lock);
	if (asked.terminal >= 0) {
		tcsetattr(asked.terminal, TCSAFLUSH, &asked.before);
	}
	asked.terminal = -1;
	asked.ended = asked.ended || for_good;
	pthread_mutex_unlock(&asked.lock);
}

void prompt_end(void)
{
	end(true);
}

static bool ask(int terminal, const char *question, bool echo, int hung_up, char answer[PROMPT_MAX])
{
	struct termios before, quiet;
	bool got;

	/* All signals are blocked, SIGTTIN and SIGTTOU as well: from the background it would read nothing and change what the shell has set. */
	if (tcgetattr(terminal, &before) < 0 || tcgetpgrp(terminal) != getpgrp()) {
		return false;
	}
	quiet = before;
	quiet.c_lflag |= ICANON | ISIG;
	quiet.c_lflag &= ~(tcflag_t)(echo ? 0 : ECHO);
	if (!begin(terminal, &before, &quiet)) {
		return false;
	}
	show(terminal, question);
	got = read_line(terminal, hung_up, answer);
	end(false);
	if (!echo || !got) {
		fd_write_all(terminal, "\n", 1);
	}
	return got;
}

bool prompt_ask(const char *question, bool echo, int hung_up, char answer[PROMPT_MAX])
{
	static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
	cleanup_fd int terminal = open_terminal();
	bool got;

	if (terminal < 0) {
		return false;
	}
	pthread_mutex_lock(&one);
	got = ask(terminal, question, echo, hung_up, answer);
	pthread_mutex_unlock(&one);
	return got;
}
