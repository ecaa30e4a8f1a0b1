/* Whose password does git ask a helper for?  Pure. */
#ifndef SUPERVISE_CREDENTIAL_QUESTION_H
#define SUPERVISE_CREDENTIAL_QUESTION_H

#include <stdbool.h>
#include <stddef.h>

#include "preload/pw_event.h"

#define CREDENTIAL_USER_MAX 65
#define CREDENTIAL_TEXT_MAX (PW_HOST_MAX + CREDENTIAL_USER_MAX + 64)

struct credential_question {
	char host[PW_HOST_MAX]; /* lower case, without brackets */
	unsigned port;
	bool tls;
	bool password;                  /* of the question in words: not the user's name is asked for */
	char user[CREDENTIAL_USER_MAX]; /* … and whose; "": nobody's, or a name of other than letters, digits and ._-@+ */
};

/* What a credential helper is told on its standard input: lines of NAME=VALUE (git-credential(1)).  False: it is not plain whom it is about: no host or two, a
 * `url`, which helpers take for the other names, another protocol than http and https, or what helpers may read differently: another name than of letters, one
 * that comes twice (but for those of lists, `wwwauth[]`), a byte that some take for the end of a line. */
bool credential_question_parse(const char *text, size_t len, struct credential_question *out);
/* What GIT_ASKPASS is asked: "Password for 'https://user@host:port/path': ", exactly as git words it, and of ASCII's visible letters. */
bool credential_question_words(const char *prompt, struct credential_question *out);
/* The same question in words of our own, which show the user nothing that the tool has chosen but that name, behind the host. */
void credential_question_text(const struct credential_question *q, char text[CREDENTIAL_TEXT_MAX]);

#endif
