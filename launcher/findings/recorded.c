#include "recorded.h"

#include <limits.h>
#include <string.h>

/* One field, unquoted in place; *at is behind it, on the separator.  Quotes are doubled inside quotes; a line end may stand there. */
static char *field(char **at)
{
	char *start = *at, *from = start, *to = start;

	if (*from != '"') {
		*at = start + strcspn(start, ",\r\n");
		return start;
	}
	for (from++; *from != '\0'; from++) {
		if (*from == '"' && *++from != '"') {
			break;
		}
		*to++ = *from;
	}
	char *end = from + strcspn(from, ",\r\n");
	if (to < end) { /* else it was never closed, and ends with the text */
		*to = '\0';
	}
	*at = end;
	return start;
}

/* Ends the field: true when another one follows on the line. */
static bool separator(char **at)
{
	char was = **at;

	if (was == '\0') {
		return false;
	}
	**at = '\0';
	(*at)++;
	return was == ',';
}

static int digit(char c)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const char *found = c != '\0' ? strchr(letters, c) : NULL;

	return found != NULL ? (int)(found - letters) : -1;
}

/* urlsafe base64 without padding: 43 letters. */
static bool decode(const char *text, uint8_t out[RECORDED_HASH])
{
	unsigned bits = 0, have = 0;
	size_t n = 0;

	for (; *text != '\0' && *text != '='; text++) {
		int d = digit(*text);
		if (d < 0) {
			return false;
		}
		bits = (bits << 6 | (unsigned)d) & 0xffff;
		have += 6;
		if (have >= 8) {
			have -= 8;
			if (n == RECORDED_HASH) {
				return false;
			}
			out[n++] = (uint8_t)(bits >> have);
		}
	}
	return n == RECORDED_HASH;
}

bool recorded_next(char **at, struct recorded *out)
{
	while (**at != '\0') {
		char *path = field(at), *hash = NULL;
		bool more = separator(at);
		if (more) {
			hash = field(at);
			more = separator(at);
		}
		while (more) { /* the size, and what nobody wrote */
			field(at);
			more = separator(at);
		}
		*out = (struct recorded){.path = path, .has_hash = hash != NULL && *hash != '\0'};
		out->sha256 = out->has_hash && strncmp(hash, "sha256=", 7) == 0 && decode(hash + 7, out->hash);
		if (*path != '\0' && strlen(path) < PATH_MAX) {
			return true;
		}
	}
	return false;
}

void recorded_prepare(char *text, size_t len)
{
	for (char *nul = memchr(text, '\0', len); nul != NULL; nul = memchr(nul, '\0', len - (size_t)(nul - text))) {
		*nul = '\1'; /* no file's name has either */
	}
}

bool recorded_resolve(const char *base, const char *rel, char *out)
{
	size_t len = *rel == '/' ? 0 : strlen(base);

	if (len >= PATH_MAX) {
		return false;
	}
	memcpy(out, base, len);
	while (len > 0 && out[len - 1] == '/') {
		len--;
	}
	for (const char *at = rel; *at != '\0';) {
		at += strspn(at, "/");
		size_t n = strcspn(at, "/");
		if (n == 2 && at[0] == '.' && at[1] == '.') {
			while (len > 0 && out[--len] != '/') {
			}
		} else if (n > 0 && !(n == 1 && *at == '.')) {
			if (len + 1 + n >= PATH_MAX) {
				return false;
			}
			out[len++] = '/';
			memcpy(out + len, at, n);
			len += n;
		}
		at += n;
	}
	if (len == 0) {
		out[len++] = '/';
	}
	out[len] = '\0';
	return true;
}
