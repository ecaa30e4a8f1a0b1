/* Asking the supervisor what a name stands for. */
#ifndef PRELOAD_ANSWER_H
#define PRELOAD_ANSWER_H

#include <stddef.h>

#include "preload/shim.h"

/* Makes what was read (len bytes of it) safe to use: the count covers what is there, addresses are of
 * a known family.  Returns 0, or the EAI_ value to report.  Pure. */
int answer_check(struct pw_answer *answer, size_t len);

/* 0, or an EAI_ value.  A refusal and everything odd are EAI_NONAME: the name does not exist here.
 * Keeps errno. */
int answer_ask(const char *host, int family, int flags, struct pw_answer *answer);

/* Whether libc would take host for an address rather than a name; then *address is it (but for the
 * scope of an IPv6 address). */
int answer_is_literal(const char *host, struct pw_address *address);

/* Tells of an address that is not written as addresses are (2130706433, 0x7f.1). */
void answer_tell_spelling(const char *host, const struct pw_address *literal);

/* Tells that the name of an address was asked for and is not given: the resolver that would know it must not be asked. */
void answer_refuse_reverse(int family, const void *bytes);

/* The address as text that getaddrinfo takes with AI_NUMERICHOST. */
#define ANSWER_TEXT 64
void answer_text(const struct pw_address *address, char text[ANSWER_TEXT]);

/* 127.0.0.0/8 and ::1, whose name is no secret and needs no question. */
int answer_is_loopback(int family, const void *bytes);

#endif
