#include "launcher/record/intent.h"

#include <string.h>
#include <strings.h>

bool intent_ring(const struct pw_intents *ring, uint64_t address)
{
	return ring->magic == PW_INTENTS_MAGIC && ring->self == address;
}

static bool is_text(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

static bool is_whole(const struct pw_intent *i)
{
	return i->turn != 0 && i->line <= INT32_MAX && i->port <= UINT16_MAX && is_text(i->text, sizeof(i->text)) && is_text(i->file, sizeof(i->file)) &&
	       is_text(i->function, sizeof(i->function)) && is_text(i->object, sizeof(i->object)) && (i->line == 0 || i->file[0] != '\0');
}

/* As the program wrote it, cut where the ring's texts are. */
static bool same(const char *text, const char *other)
{
	return other != NULL && strncmp(text, other, PW_INTENT_TEXT - 1) == 0;
}

/* What follows "./" and more slashes than one says nothing. */
static const char *skip_nothing(const char *path)
{
	while (path[0] == '/' && (path[1] == '/' || (path[1] == '.' && path[2] == '/'))) {
		path += path[1] == '/' ? 1 : 2;
	}
	return path;
}

/* As libraries make them of what the program wrote. */
static bool same_folded(const char *text, const char *other)
{
	const char *end = text + PW_INTENT_TEXT - 1;
	while (other != NULL && *text != '\0' && *text == *other) {
		text = skip_nothing(text) + 1;
		other = skip_nothing(other) + 1;
	}
	return other != NULL && *text == '\0' && (*other == '\0' || text == end);
}

static bool ends(const char *text, const char *with)
{
	size_t len = text != NULL ? strlen(text) : 0, n = strlen(with);
	return len > n && text[len - n - 1] == '/' && strcmp(text + len - n, with) == 0;
}

/* A relative path may have been made absolute on its way, a program looked for in PATH. */
static bool same_path(const char *text, const struct event_target *t)
{
	if (text[0] == '\0') {
		return false;
	}
	return same_folded(text, t->as_written) || same_folded(text, t->path) ||
	       (text[0] != '/' && ends(t->as_written != NULL ? t->as_written : t->path, text));
}

static bool has_letters(const char *text)
{
	return text[strcspn(text, "ghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ")] != '\0';
}

/* A name as it was written: in capitals, with a dot at its end, in letters that are spelt otherwise in the DNS ("xn--"); or only its domain is written down. */
static bool same_host(const char *text, const char *host)
{
	size_t len = strlen(text);
	if (host == NULL || len == 0) {
		return false;
	}
	while (len > 1 && text[len - 1] == '.') {
		len--;
	}
	if (host[0] == '*' && host[1] == '.') {
		size_t n = strlen(host) - 1;
		return len > n && strncasecmp(text + len - n, host + 1, n) == 0;
	}
	if (strlen(host) == len && strncasecmp(text, host, len) == 0) {
		return true;
	}
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] >= 0x80) {
			return strstr(host, "xn--") != NULL;
		}
	}
	return false;
}

/* A network stands for the many machines of it that were tried. */
static bool same_address(const struct pw_intent *i, const struct event_target *t)
{
	if (t->address != NULL && strchr(t->address, '/') != NULL) {
		return true;
	}
	return i->port == t->port && (same(i->text, t->address) || same_host(i->text, t->host));
}

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static bool speaks_of(const struct pw_intent *i, const struct event *ev)
{
	const struct event_target *t = &ev->target;
	switch (i->kind) {
	case PW_IN_RESOLVE:
		/* What an allowed name leads to is not what was connected to. */
		return (strcmp(ev->type, "net.resolve") == 0 && (same_host(i->text, t->host) || same(i->text, t->address))) ||
		       (strcmp(ev->type, "net.connect") == 0 && same_host(i->text, t->host));
	case PW_IN_CONNECT:
		if (strcmp(ev->type, "ipc.connect") == 0) {
			return same_path(i->text, t);
		}
		return (strcmp(ev->type, "net.connect") == 0 || strcmp(ev->type, "net.send") == 0) && same_address(i, t);
	case PW_IN_BIND:
		return strcmp(ev->type, "net.bind") == 0 && i->port == t->port && (same(i->text, t->address) || i->text[0] == '\0' || has_letters(i->text));
	case PW_IN_SOCKET:
		return strcmp(ev->type, "net.socket") == 0;
	case PW_IN_EXEC:
		return strcmp(ev->type, "exec") == 0 && same_path(i->text, t);
	case PW_IN_FILE:
		return begins(ev->type, "file.") && same_path(i->text, t);
	case PW_IN_SIGNAL:
		return strcmp(ev->type, "process.signal") == 0;
	case PW_IN_CALL:
		return strcmp(ev->type, "syscall.denied") == 0 && (same(i->text, t->name) || strcmp(i->text, "syscall") == 0);
	default:
		return false;
	}
}

bool intent_find(const struct pw_intents *ring, const struct event *ev, struct intent_view *out)
{
	const struct pw_intent *newest = NULL;
	for (size_t n = 0; ev->type != NULL && n < PW_INTENTS; n++) {
		const struct pw_intent *i = &ring->intent[n];
		if (is_whole(i) && (newest == NULL || (int32_t)(i->turn - newest->turn) > 0) && speaks_of(i, ev)) {
			newest = i;
		}
	}
	if (newest == NULL || (newest->file[0] == '\0' && newest->object[0] == '\0')) {
		return false;
	}
	memcpy(out->object, newest->object, sizeof(out->object));
	memcpy(out->file, newest->file, sizeof(out->file));
	memcpy(out->function, newest->function, sizeof(out->function));
	out->line = newest->line;
	out->data = newest->data;
	out->data_len = newest->data_len;
	out->tls = (newest->flags & PW_FLAG_TLS) != 0;
	return true;
}
