/* Foreign bytes made fit to be read: redacted, cut, and escaped so that neither a JSON parser nor a terminal is led
 * astray (control characters, bidi overrides, invisible characters, invalid UTF-8). */
#ifndef RECORD_TEXT_H
#define RECORD_TEXT_H

#include <stddef.h>

#include "launcher/record/line.h"
#include "launcher/record/redact.h"

enum text_form {
	TEXT_JSON,     /* inside a JSON string: \uXXXX, lossless but for bytes that are not UTF-8: U+FFFD and two hex digits */
	TEXT_TERMINAL, /* for people: \xXX and \uXXXX, visible */
};

/* Appends at most max bytes of s (then "…"); NULL appends nothing.  r may be NULL. */
void text_append(struct line *l, const char *s, size_t max, enum text_form form, const struct redact *r);
/* Redacts without escaping into dst (room for cap bytes, cap > 0), cuts to cap - 1 bytes, terminates; the length
 * without NUL. */
size_t text_redact(char *dst, size_t cap, const char *s, const struct redact *r);

#endif
