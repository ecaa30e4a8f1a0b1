/* Whose password does git ask a helper for?  Pure. */
#ifndef SUPERVISE_CREDENTIAL_QUESTION_H
#define SUPERVISE_CREDENTIAL_QUESTION_H

#include <stdbool.h>
#include <stddef.h>

#include "preload/pw_event.h"

struct credential_question {
	char host[PW_HOST_MAX]; /* lower case, without brackets */
	unsigned port;
	bool tls;
};

/* What a credential helper is told on its standard input: lines of NAME=VALUE (git-credential(1)).  False: it is not plain whom it is about: no host or two, a
 * `url`, which helpers take for the other names, another protocol than http and https, or a byte that helpers may read differently. */
bool credential_question_parse(const char *text, size_t len, struct credential_question *out);
/* What GIT_ASKPASS is asked: "Password for 'https://user@host:port': ". */
bool credential_question_words(const char *prompt, struct credential_question *out);

#endif
