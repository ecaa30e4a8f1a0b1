#include "launcher/supervise/listening.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define TCP_LISTEN 0x0a
#define ACCEPTS 0x10000 /* __SO_ACCEPTCON in the flags of /proc/net/unix */

static FILE *list(pid_t task, const char *name)
{
	char path[64];

	if (task == LISTENING_OURS)
		snprintf(path, sizeof path, "/proc/self/net/%s", name);
	else
		snprintf(path, sizeof path, "/proc/%d/net/%s", (int)task, name);
	return fopen(path, "re");
}

/* The kernel writes all that listen before all that are connected, so a busy machine's list is not read to its end. */
static bool in_tcp_list(FILE *file, unsigned port)
{
	char line[256];
	unsigned its_port, state;
	bool found = false;

	while (!found && fgets(line, sizeof line, file)) {
		if (sscanf(line, " %*u: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x", &its_port, &state) != 2)
			continue; /* the heading */
		if (state != TCP_LISTEN)
			break;
		found = its_port == port;
	}
	fclose(file);
	return found;
}

bool listening_tcp(pid_t task, unsigned port)
{
	static const char *const lists[] = {"tcp", "tcp6"};

	for (int i = 0; i < 2; i++) {
		FILE *file = list(task, lists[i]);

		if (file && in_tcp_list(file, port))
			return true;
	}
	return false;
}

bool listening_abstract(pid_t task, const char *name)
{
	char line[512];
	unsigned flags;
	int at;
	bool found = false;
	FILE *file = list(task, "unix");

	while (file && !found && fgets(line, sizeof line, file)) {
		line[strcspn(line, "\n")] = 0;
		at = 0;
		if (sscanf(line, "%*[0-9A-Fa-f]: %*x %*x %x %*x %*x %*u %n", &flags, &at) == 1 && at)
			found = (flags & ACCEPTS) && !strcmp(line + at, name);
	}
	if (file)
		fclose(file);
	return found;
}
