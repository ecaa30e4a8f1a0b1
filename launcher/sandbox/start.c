#include "start.h"

#include <stdlib.h>
#include <string.h>

/* The encoding: this header, then path, cwd, argv…, envp…, each with its NUL. */
struct header {
	uint32_t magic, flags, umask, landlock_abi;
	uint64_t blocked, ignored;
	uint32_t argc, envc, nfds, reserved;
	struct bounds bounds;
	int32_t fd_number[FD_PASS_MAX];
};
#define START_MAGIC 0x50575331u

struct buffer {
	char *data;
	size_t len, room;
	bool failed;
};

static void put(struct buffer *b, const void *data, size_t len)
{
	if (b->failed) {
		return;
	}
	if (b->len + len > b->room) {
		size_t room = b->room ? b->room : 8192;
		while (room < b->len + len) {
			room *= 2;
		}
		char *grown = realloc(b->data, room);
		if (grown == NULL) {
			b->failed = true;
			return;
		}
		b->data = grown;
		b->room = room;
	}
	memcpy(b->data + b->len, data, len);
	b->len += len;
}

static void put_string(struct buffer *b, const char *s)
{
	put(b, s, strlen(s) + 1);
}

static uint32_t count(char *const *v)
{
	uint32_t n = 0;
	while (v != NULL && v[n] != NULL) {
		n++;
	}
	return n;
}

int start_encode(const struct start *s)
{
	struct buffer b = {0};
	struct header h = {
		.magic = START_MAGIC, .flags = s->flags, .umask = s->umask, .landlock_abi = s->landlock_abi,
		.blocked = s->blocked, .ignored = s->ignored, .bounds = s->bounds,
		.argc = count(s->argv), .envc = count(s->envp), .nfds = s->nfds,
	};
	int fd;

	memcpy(h.fd_number, s->fd_number, sizeof h.fd_number);
	put(&b, &h, sizeof h);
	put_string(&b, s->path != NULL ? s->path : "");
	put_string(&b, s->cwd != NULL ? s->cwd : "");
	for (uint32_t i = 0; i < h.argc; i++) {
		put_string(&b, s->argv[i]);
	}
	for (uint32_t i = 0; i < h.envc; i++) {
		put_string(&b, s->envp[i]);
	}
	if (b.failed) {
		free(b.data);
		return -ENOMEM;
	}
	fd = b.len > START_MAX ? -E2BIG : fd_sealed("pipwarden-start", b.data, b.len);
	free(b.data);
	return fd;
}

/* The next string of [*at, end), or NULL. */
static char *take(char **at, char *end)
{
	char *s = *at;
	char *nul = s < end ? memchr(s, '\0', (size_t)(end - s)) : NULL;

	if (nul == NULL) {
		return NULL;
	}
	*at = nul + 1;
	return s;
}

static bool take_vector(char **at, char *end, char **vector, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		vector[i] = take(at, end);
		if (vector[i] == NULL) {
			return false;
		}
	}
	vector[n] = NULL;
	return true;
}

int start_parse(const char *data, size_t len, struct start *out)
{
	struct header h;
	size_t vectors, text;

	memset(out, 0, sizeof *out);
	if (len < sizeof h || len > START_MAX) {
		return len > START_MAX ? -E2BIG : -EINVAL;
	}
	memcpy(&h, data, sizeof h);
	text = len - sizeof h;
	/* Every string takes a byte at least, so the counts are bounded by the text. */
	if (h.magic != START_MAGIC || h.nfds > FD_PASS_MAX || h.argc > text || h.envc > text) {
		return -EINVAL;
	}
	for (uint32_t i = 0; i < h.nfds; i++) {
		if (h.fd_number[i] < 0 || h.fd_number[i] > 65535 || (i > 0 && h.fd_number[i] <= h.fd_number[i - 1])) {
			return -EINVAL;
		}
	}
	vectors = ((size_t)h.argc + h.envc + 2) * sizeof(char *);
	char *memory = malloc(vectors + text + 1);
	if (memory == NULL) {
		return -ENOMEM;
	}
	char *at = memory + vectors, *end = at + text;
	memcpy(at, data + sizeof h, text);
	out->memory = memory;
	out->argv = (char **)memory;
	out->envp = out->argv + h.argc + 1;
	out->path = take(&at, end);
	out->cwd = take(&at, end);
	if (out->path == NULL || out->cwd == NULL || !take_vector(&at, end, out->argv, h.argc) ||
	    !take_vector(&at, end, out->envp, h.envc) || at != end) {
		start_finish(out);
		return -EINVAL;
	}
	out->flags = h.flags;
	out->umask = h.umask;
	out->landlock_abi = h.landlock_abi;
	out->bounds = h.bounds;
	out->blocked = h.blocked;
	out->ignored = h.ignored;
	out->nfds = h.nfds;
	memcpy(out->fd_number, h.fd_number, sizeof out->fd_number);
	return 0;
}

int start_decode(int fd, struct start *out)
{
	char *data = NULL;
	ssize_t len = fd_slurp(fd, START_MAX, &data);
	int r;

	memset(out, 0, sizeof *out);
	if (len < 0) {
		return (int)len;
	}
	r = start_parse(data, (size_t)len, out);
	free(data);
	return r;
}

void start_finish(struct start *s)
{
	free(s->memory);
	memset(s, 0, sizeof *s);
}
