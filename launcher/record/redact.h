/* Finds the run's own secrets in a text, as they are and percent-encoded, so that no record holds one. */
#ifndef RECORD_REDACT_H
#define RECORD_REDACT_H

#include <stdbool.h>
#include <stddef.h>

#define REDACT_MIN 8 /* shorter values are too common to be searched for */
#define REDACT_MARK "[redacted]"

struct redact {
	const char **secrets;
	size_t *lens;
	size_t count;
	size_t reach;    /* the longest text that a secret can take, encoded */
	bool first[256]; /* can a secret begin with this byte? */
};

/* secrets: NULL-terminated or NULL, borrowed until redact_finish.  0 or -ENOMEM. */
int redact_init(struct redact *r, char *const *secrets);
void redact_finish(struct redact *r);
/* How many bytes of s (n > 0 of them) the longest secret that begins there takes; 0: none does.  r may be NULL. */
size_t redact_match(const struct redact *r, const char *s, size_t n);

#endif
