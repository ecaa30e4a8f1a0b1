/* Acting with a sandbox's rights and no more: a thread of the supervisor's that is under the sandbox's own Landlock rules, its capabilities the caller's.
 * What it opens the kernel judges as if the caller had; and as nothing of the sandbox runs in it, what it is to open cannot be swapped.
 * The rules are the sandbox's, the domain is not: what the kernel lets tasks of one domain do to each other (look into /proc/PID) is refused here.
 * A program that has restricted itself further with Landlock is served by the sandbox's rules, not by its own. */
#ifndef SUPERVISE_DOMAIN_H
#define SUPERVISE_DOMAIN_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

typedef void domain_func(void *argument);

/* What a thread needs to enter; the descriptor is the holder's. */
struct domain_rights {
	int ruleset;
	bool none; /* of the capabilities that root's sandboxes keep */
};

struct domain {
	struct domain_rights rights;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	domain_func *run; /* what is asked for; NULL: nothing */
	void *argument;
	int error;        /* of entering */
	bool started, stop;
};

/* The ruleset stays the caller's to close, after domain_finish. */
void domain_init(struct domain *d, int ruleset, bool no_capabilities);
void domain_finish(struct domain *d);

/* Runs f(argument) in there and waits.  0, or -errno when it was not run: no rights, no answer.  One thread, the sandbox's listener. */
int domain_run(struct domain *d, domain_func *f, void *argument);

/* Puts the calling thread under the rules, for good.  0 or -errno. */
int domain_enter(const struct domain_rights *rights);

/* Has it all capabilities that its sandbox has?  (An ordinary user's has none.) */
bool domain_usual(pid_t tid);

/* In there: takes the effective capabilities of thread `tid`, as far as the sandbox has them. */
void domain_wear(pid_t tid);

#endif
