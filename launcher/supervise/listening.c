#include "launcher/supervise/listening.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define TCP_LISTEN 0x0a
#define READINGS 4
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

/* As the kernel prints it: four words of the address's own bytes, or one. */
static bool read_address(const char *text, struct in6_addr *out)
{
	uint32_t words[4];
	int n = (int)strspn(text, "0123456789ABCDEF");

	*out = (struct in6_addr){.s6_addr = {[10] = 0xff, [11] = 0xff}};
	if (n == 8 && sscanf(text, "%8x", &words[0]) == 1) {
		memcpy(&out->s6_addr[12], words, 4);
		return true;
	}
	if (n != 32 || sscanf(text, "%8x%8x%8x%8x", &words[0], &words[1], &words[2], &words[3]) != 4)
		return false;
	memcpy(out, words, sizeof *out);
	return true;
}

static bool is_any(const struct in6_addr *a)
{
	static const unsigned char any4[16] = {[10] = 0xff, [11] = 0xff};

	return IN6_IS_ADDR_UNSPECIFIED(a) || !memcmp(a, any4, sizeof any4);
}

/* A connection to "any" goes to the loopback, of one family or the other: both count. */
static bool reaches(const struct in6_addr *to, const struct in6_addr *listener)
{
	static const unsigned char loopback4[16] = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1};

	if (is_any(listener) || !memcmp(to, listener, sizeof *to))
		return true;
	return is_any(to) && (IN6_IS_ADDR_LOOPBACK(listener) || !memcmp(listener, loopback4, sizeof loopback4));
}

static int compare(const void *a, const void *b)
{
	const ino_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* One reading of the lists. */
static int read_who(const struct in6_addr *address, unsigned port, ino_t *inodes, int max)
{
	static const char *const lists[] = {"tcp", "tcp6"};
	int count = 0;

	for (int i = 0; i < 2; i++) {
		FILE *file = list(LISTENING_OURS, lists[i]);
		char line[256], text[40];
		struct in6_addr its;
		unsigned its_port, state;
		unsigned long inode;

		if (!file && i == 0)
			return -1;
		while (file && fgets(line, sizeof line, file)) {
			if (sscanf(line, " %*u: %39[0-9A-F]:%x %*[0-9A-F]:%*x %x %*x:%*x %*x:%*x %*x %*u %*u %lu", text, &its_port, &state, &inode) != 4)
				continue;
			if (state != TCP_LISTEN)
				break;
			if (its_port != port || !read_address(text, &its) || !reaches(address, &its))
				continue;
			if (count < max)
				inodes[count] = inode;
			count++;
		}
		if (file)
			fclose(file);
	}
	qsort(inodes, (size_t)(count < max ? count : max), sizeof *inodes, compare);
	return count;
}

/* The kernel gives a page of the list at a time, and finds its place again by counting: while others listen and stop, a reading can pass over one that listens. */
int listening_who(const struct in6_addr *address, unsigned port, ino_t *inodes, int max)
{
	int count = 0;

	for (int i = 0; i < READINGS && count == 0; i++)
		count = read_who(address, port, inodes, max);
	return count;
}

bool listening_still(const struct in6_addr *address, unsigned port, const ino_t *inodes, int count)
{
	ino_t now[LISTENING_STILL_MAX];

	for (int i = 0; i < READINGS; i++)
		if (read_who(address, port, now, LISTENING_STILL_MAX) == count && !memcmp(now, inodes, (size_t)count * sizeof *now))
			return true;
	return false;
}

bool listening_unix(ino_t inode, int *type, bool *connected)
{
	FILE *file = list(LISTENING_OURS, "unix");
	char line[512];
	unsigned its_type, state;
	unsigned long its;
	bool found = false;

	while (file && !found && fgets(line, sizeof line, file)) {
		if (sscanf(line, "%*[0-9A-Fa-f]: %*x %*x %*x %x %x %lu", &its_type, &state, &its) != 3 || its != inode)
			continue;
		found = true;
		*type = (int)its_type;
		*connected = state == 3; /* SS_CONNECTED */
	}
	if (file)
		fclose(file);
	return found;
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
