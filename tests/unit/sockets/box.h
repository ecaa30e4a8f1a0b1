/* A sandbox for the tests of the handlers that deal with sockets, events and signals: a child in a network namespace of its own under a small filter that
 * notifies them, and a thread that answers.  The supervisor's accessors are defined here; what is recorded is kept. */
#ifndef TESTS_BOX_H
#define TESTS_BOX_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "launcher/names/names.h"
#include "launcher/supervise/image.h"
#include "launcher/supervise/own_sockets.h"
#include "launcher/supervise/supervise.h"
#include "launcher/supervise/sweep.h"

#define KEPT_MAX 128
#define BOX_SECRET "c0rrect/horse" /* of the run */
#define RESULTS_MAX 64

struct kept {
	char type[24], rule[48], host[PW_HOST_MAX], address[128], path[256], protocol[64], name[32], url[64];
	unsigned port;
	enum event_source source;
};

struct box {
	struct sandbox sb;
	struct caps caps;
	struct names *names;
	char top[64], own[96], outside[96];
	char agent_path[128]; /* a listener outside */
	int agent;            /* its socket, non-blocking */
	int host_tcp;         /* a TCP listener in the test's own network namespace, on loopback */
	unsigned host_port;
	char *writable[2];
	struct kept kept[KEPT_MAX];
	unsigned events, notified;
	struct images checked_in;
	struct sweep sweep;
	struct own_sockets own_sockets;
	bool shared_network;  /* without a namespace: the child has the test's own network, and sockets from the supervisor */
	const char *temp;     /* the run's; may be NULL */
	const char *allowed_host; /* for the installer, with allowed_port (0: any) */
	unsigned allowed_port;
	pid_t outsider;       /* a process that is "the supervisor's own" */
	long *result;         /* shared with the child */
};

void box_init(struct box *b);
void box_finish(struct box *b);
/* For cmocka_unit_test_setup_teardown(): *state is a box. */
int box_setup(void **state);
int box_teardown(void **state);
/* Runs body in the child; `before` first, without the filter but in the namespace.  The child's status must be 0. */
void box_run(struct box *b, void (*before)(struct box *b), void (*body)(struct box *b));
/* How many connections came to the listeners outside since the last call. */
unsigned box_contacts(struct box *b);
const struct kept *box_kept(const struct box *b, const char *rule);

/* Both as root and as an ordinary user (in a user namespace). */
int box_run_as_both(int (*group)(void));

/* In the child. */
#define CHECK(what) \
	do { \
		if (!(what)) \
			box_die(__LINE__, #what); \
	} while (0)
void box_die(int line, const char *what) __attribute__((noreturn));
double box_now(void);
/* connect(): 0 or -errno. */
long box_connect(int fd, const void *sa, size_t len);
int box_listen(int domain, int type, const struct sockaddr_storage *sa, socklen_t len, int backlog);
socklen_t box_inet(struct sockaddr_storage *out, const char *text, unsigned port);
socklen_t box_unix(struct sockaddr_storage *out, const char *path); /* "@x": abstract */
unsigned box_port(int fd);

#endif
