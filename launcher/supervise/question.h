/* What becomes of a name that a program asks for, whoever carries the question: the shim (query.c) or the program itself (stub.c).  One that is not allowed is
 * never sent to a real resolver: DNS carries data out. */
#ifndef SUPERVISE_QUESTION_H
#define SUPERVISE_QUESTION_H

#include "launcher/names/names.h"
#include "launcher/supervise/sockets.h"
#include "launcher/supervise/supervise.h"
#include "policy/tunnel.h"

enum question_answer {
	QUESTION_LITERAL, /* an address: it is its own answer (names_local) */
	QUESTION_LOCAL,   /* of this machine: names_local answers */
	QUESTION_ASK,     /* allowed: the real resolver is asked, by a worker */
	QUESTION_REFUSED, /* as a name that does not exist; verdict and detail say why */
};

struct question {
	enum name_class class;
	char host[PW_HOST_MAX]; /* as names_classify leaves it */
	struct verdict verdict;
	const char *detail; /* perhaps hint */
	char hint[SOCKETS_HINT_MAX];
	struct needle_hits decoys; /* in the name; also of one that is refused for something else */
};

/* written: as the program spells it (of a question on the wire, dns_spelling).  Thread-safe; reads /etc/hosts, asks nobody. */
enum question_answer question_judge(struct sandbox *sb, const char *written, struct question *q);

/* Does the name carry data, and the run's decoys?  Those are noted in q. */
enum tunnel_sign question_sign(struct sandbox *sb, const char *written, struct question *q);

/* Writes the refusal down, and which decoys the name holds.  pid 0: not known; type: of the record that was asked for ("TXT"), or NULL for addresses. */
void question_record(struct sandbox *sb, pid_t pid, const struct question *q, const char *type);

#endif
