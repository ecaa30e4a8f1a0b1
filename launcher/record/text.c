#include "launcher/record/text.h"

#include <stdio.h>
#include <string.h>

/* How many bytes the well-formed character at s takes (RFC 3629: no overlong forms, no surrogates), 0 when it is none. */
static size_t utf8_char(const unsigned char *s, size_t n, uint32_t *cp)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;
	if (len == 0 || len > n) {
		return 0;
	}
	uint32_t c = len == 1 ? s[0] : s[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80) {
			return 0;
		}
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) {
		return 0;
	}
	*cp = c;
	return len;
}

/* Characters that do something other than be seen: C0, DEL, C1, bidi controls, zero-width and other invisible ones,
 * line separators, interlinear marks, tags. */
static bool unseen(uint32_t c)
{
	static const uint32_t ranges[][2] = {
		{0x00, 0x1f}, {0x7f, 0x9f}, {0xad, 0xad}, {0x61c, 0x61c}, {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e},
		{0x2060, 0x206f}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe0fff},
	};
	if (c >= 0x20 && c < 0x7f) {
		return false;
	}
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		if (c >= ranges[i][0] && c <= ranges[i][1]) {
			return true;
		}
	}
	return false;
}

static void append_code(struct line *l, uint32_t c, enum text_form form)
{
	char out[16];
	int n;
	if (form == TEXT_TERMINAL) {
		n = snprintf(out, sizeof(out), c < 0x80 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
	} else if (c < 0x10000) {
		n = snprintf(out, sizeof(out), "\\u%04x", c);
	} else {
		c -= 0x10000;
		n = snprintf(out, sizeof(out), "\\u%04x\\u%04x", 0xd800 + (c >> 10), 0xdc00 + (c & 0x3ff));
	}
	line_bytes(l, out, (size_t)n);
}

static void append_invalid(struct line *l, unsigned char byte, enum text_form form)
{
	char out[8];
	int n = snprintf(out, sizeof(out), form == TEXT_TERMINAL ? "\\x%02x" : "\xef\xbf\xbd%02x", byte);
	line_bytes(l, out, (size_t)n);
}

/* Plain printable ASCII is nearly all there is: copied in runs. */
static size_t plain_run(const char *s, size_t n, const struct redact *r)
{
	size_t i = 0;
	while (i < n && s[i] >= 0x20 && s[i] < 0x7f && s[i] != '"' && s[i] != '\\' &&
	       (r == NULL || !r->first[(unsigned char)s[i]])) {
		i++;
	}
	return i;
}

void text_append(struct line *l, const char *s, size_t max, enum text_form form, const struct redact *r)
{
	if (s == NULL) {
		return;
	}
	/* What lies behind the cut is looked at too: a secret across it would leave its beginning, a character its first bytes. */
	size_t n = strnlen(s, max + (r != NULL ? r->reach : 0) + 4);
	size_t i = 0;
	while (i < n && i < max && !l->failed) {
		size_t took = plain_run(s + i, (n < max ? n : max) - i, r);
		if (took != 0) {
			line_bytes(l, s + i, took);
		} else if ((took = redact_match(r, s + i, n - i)) != 0) {
			line_text(l, REDACT_MARK);
		} else {
			uint32_t c = 0;
			took = utf8_char((const unsigned char *)s + i, n - i, &c);
			if (took == 0) {
				append_invalid(l, (unsigned char)s[i], form);
				took = 1;
			} else if (unseen(c)) {
				append_code(l, c, form);
			} else {
				if (form == TEXT_JSON && (c == '"' || c == '\\')) {
					line_bytes(l, "\\", 1);
				}
				line_bytes(l, s + i, took);
			}
		}
		i += took;
	}
	if (i < n) {
		line_text(l, "…");
	}
}

size_t text_redact(char *dst, size_t cap, const char *s, const struct redact *r)
{
	size_t n = strnlen(s, cap + (r != NULL ? r->reach : 0));
	size_t len = 0;
	for (size_t i = 0; i < n && len < cap - 1;) {
		bool maybe = r != NULL && r->first[(unsigned char)s[i]]; /* looked at here: this loop runs for every folded attempt */
		size_t took = maybe ? redact_match(r, s + i, n - i) : 0;
		if (took == 0) {
			dst[len++] = s[i++];
			continue;
		}
		size_t mark = sizeof(REDACT_MARK) - 1;
		mark = mark < cap - 1 - len ? mark : cap - 1 - len;
		memcpy(dst + len, REDACT_MARK, mark);
		len += mark;
		i += took;
	}
	dst[len] = '\0';
	return len;
}
