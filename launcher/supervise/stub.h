/* The stub resolver of a sandbox: answers what is asked at the nameservers' addresses in its network namespace (sandbox/own_net.h), over UDP and TCP.  So a program
 * without the shim (static, Go, musl, c-ares, dig, a resolver in Python) is told what one with it is told, and at once, not after a time-out.
 *
 * All of it is called by the session's thread, but for stub_listens_at.  Nothing here blocks: the sockets are non-blocking, and no answer asks anybody. */
#ifndef SUPERVISE_STUB_H
#define SUPERVISE_STUB_H

#include <poll.h>

#include "launcher/names/dns.h"
#include "launcher/sandbox/own_net.h"
#include "launcher/supervise/supervise.h"

#define STUB_STREAMS 8          /* connections at a time; for another one the one that was silent for longest is closed (RFC 7766, 6.2.3) */
#define STUB_MESSAGE_MAX 1232   /* a question with all its options is much shorter */
#define STUB_POLL (OWN_NET_SOCKETS + STUB_STREAMS)

struct stub {
	struct sandbox *sb;
	int sockets[OWN_NET_SOCKETS];
	size_t n;
	uint64_t messages;
	int64_t deaf_until; /* by clock_milliseconds: no connection could be accepted, and who knocks would be found again at once */
	struct stub_stream {
		int fd; /* -1: free */
		uint64_t heard; /* when, in messages */
		size_t have;
		uint8_t bytes[2 + STUB_MESSAGE_MAX];
	} streams[STUB_STREAMS];
};

void stub_init(struct stub *s, struct sandbox *sb);
/* Takes the sockets over. */
void stub_take(struct stub *s, const int *sockets, size_t n);
void stub_finish(struct stub *s);

/* What to wait for: how many of fds, which has room for STUB_POLL.  *wait: how many milliseconds at most, -1: for ever; is made shorter where there is need. */
size_t stub_poll(struct stub *s, struct pollfd *fds, int *wait);
/* Answers what has come, by the same fds after the wait. */
void stub_serve(struct stub *s, const struct pollfd *fds, size_t n);

/* Is this the address of a nameserver, as seen from the sandbox?  What goes there goes to the stub.  Any thread. */
bool stub_listens_at(const struct sandbox *sb, const struct sockaddr_storage *sa);

#endif
