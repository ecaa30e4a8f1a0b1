/* One line of text that grows: what becomes one write(2).  Lack of memory and the bound are sticky (`failed`), so
 * that a writer of many parts looks once, at the end. */
#ifndef RECORD_LINE_H
#define RECORD_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINE_BYTES_MAX (4u << 20)

struct line {
	char *data;
	size_t len, cap;
	bool failed;
};

void line_finish(struct line *l);
void line_reset(struct line *l); /* keeps the memory */
void line_bytes(struct line *l, const char *s, size_t n);
void line_text(struct line *l, const char *s); /* verbatim: constants only */
void line_number(struct line *l, int64_t n);
/* The text with its NUL, now the caller's; NULL when it failed. */
char *line_steal(struct line *l);

#endif
