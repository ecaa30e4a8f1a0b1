/* One event: what happened, to be written as one line of the journal (docs/events.md).
 * All strings are borrowed for the call, need not be UTF-8 and may be NULL (the field is left out). */
#ifndef RECORD_EVENT_H
#define RECORD_EVENT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#include "policy/policy.h"

enum event_action { EV_ALLOWED, EV_DENIED, EV_DECOY, EV_ABORTED, EV_OBSERVED };
enum event_source { SRC_KERNEL, SRC_SHIM };

struct event_process {
	pid_t pid, ppid; /* 0: unknown */
	const char *exe, *cwd;
	const char *const *argv; /* NULL-terminated or NULL */
};
struct event_package {
	const char *name, *version, *stage; /* stage: metadata build install import script */
	const char *digest;  /* of its archive: SHA-256 in hex */
	const char *above;   /* whose build requirement it is: "NAME VERSION", each with a line end, the nearest first */
};
#define EVENT_ABOVE_MAX 512
/* The next "NAME VERSION" of a package's `above`, cut to size; *at (NULL: none) moves on.  False: that was all. */
static inline bool event_above_next(const char **at, char word[EVENT_ABOVE_MAX])
{
	if (*at == NULL || **at == '\0') {
		return false;
	}
	size_t len = strcspn(*at, "\n"), kept = len < EVENT_ABOVE_MAX ? len : EVENT_ABOVE_MAX - 1;
	memcpy(word, *at, kept);
	word[kept] = '\0';
	*at += len + ((*at)[len] == '\n');
	return true;
}

struct event_target {
	const char *name;              /* variable, or system call */
	const char *path, *as_written; /* resolved, as given */
	const char *host, *address, *protocol;
	unsigned port;                 /* 0: none */
	const char *url, *method;      /* of an HTTP request */
	const char *digest;            /* hex SHA-256 of code that was made of a text */
	uint64_t bytes;                /* of a request's body, or of that text; 0: none, or unknown */
	const char *const *argv;
};
struct event_decoy { /* of decoy.seen */
	const char *name, *path; /* of the variable, or of the file, that it came from */
	const char *encoding, *in; /* in: name address url argv http stream wheel source */
	uint64_t read;           /* seq of the event in which it was read, filled in by the journal; 0: not known */
};
struct event_origin { /* shim: where in the process it was done */
	const char *object, *symbol;  /* the object that called; its function, of those that it exports */
	const char *file, *function;  /* Python code: relative to the build's folder, or as a module's path */
	unsigned line;                /* 0: unknown */
	const char *whole;            /* the file's whole path, where that is known; not written */
};
struct event {
	const char *type; /* "file.open", "net.connect" … of docs/events.md */
	enum event_action action;
	bool enforced;          /* refused under --audit, too: what pipwarden itself needs */
	bool audited;           /* --audit: action is EV_OBSERVED, and this is what it would be otherwise: */
	enum event_action would;
	struct verdict verdict; /* rule, severity */
	enum event_source source;
	bool shim_absent; /* the process has not checked in: nothing explains what it does */
	enum role role;
	struct event_process process;
	struct event_package package;
	struct event_target target;
	struct event_origin origin;
	struct event_decoy decoy;
	const char *detail;        /* one sentence for people: why, and what would allow it; written as "hint" */
};

#endif
