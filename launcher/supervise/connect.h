/* The ways in which connect() is answered; connect.c chooses. */
#ifndef SUPERVISE_CONNECT_H
#define SUPERVISE_CONNECT_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "launcher/names/names.h"
#include "launcher/supervise/listening.h"
#include "launcher/supervise/supervise.h"

/* The installer's: decided by address (installer_connect.c). */
struct reply connect_installer(struct sandbox *sb, const struct seccomp_notif *req);

/* A path or abstract name, on `sock`, our duplicate of the caller's AF_UNIX socket (unix_connect.c). Takes sock over. */
struct reply connect_unix(struct sandbox *sb, const struct seccomp_notif *req, int sock, const struct sockaddr_storage *sa, socklen_t len);

/* The same where nothing is connected (no namespaces, or no duplicate of the socket): always an error.  A socket that is the sandbox's own is written down as
 * "net.unix.own", no violation; the look is by the kernel's names, not the caller's text, which could hide where it leads. */
struct reply connect_unix_refused(struct sandbox *sb, const struct seccomp_notif *req, const struct sockaddr_storage *sa, socklen_t len);

/* Connects sock (a stream or seqpacket socket, blocking or not) to our own copy of an address, on a worker, and answers the caller: with the
 * kernel's result, or EINTR when a signal waits for the caller.  pinned: kept open until then, or -1.  Takes both descriptors over. */
struct reply connect_later(struct sandbox *sb, const struct seccomp_notif *req, int sock, int pinned, const void *address, socklen_t len);

/* The same on a new socket of ours, which takes the caller's number when it is connected, and only if those who listened when that was decided still do. */
#define IN_PLACE_LISTENERS LISTENING_STILL_MAX
struct in_place {
	int number;          /* the caller's descriptor */
	uint32_t fd_flags;   /* O_CLOEXEC or 0 */
	bool nonblocking;    /* the caller's socket is; ours waits all the same until it is known who has answered */
	int listeners;       /* of TCP: how many; 0: not TCP */
	ino_t listener[IN_PLACE_LISTENERS];
	struct in6_addr address;
	unsigned port;
};
/* Number and flags of the caller's descriptor, the rest zero (connect_plain.c).  False: it has none of that number. */
bool connect_place(const struct seccomp_notif *req, struct in_place *place);
struct reply connect_in_place(struct sandbox *sb, const struct seccomp_notif *req, int sock, int pinned, const void *address, socklen_t len,
                              const struct in_place *place);

/* Of a worker under a tick of CONNECT_TICK_MS (worker.h): connect() on sock for whoever waits, given up when SO_SNDTIMEO is over or, of the caller's own socket, a signal
 * waits for it.  A positive errno or 0; -1: nobody waits any more. */
#define CONNECT_TICK_MS 50
struct later;
int connect_waiting(struct later *later, int sock, bool its_own, const struct sockaddr_storage *address, socklen_t len);

/* Puts sock where the caller's number is, whatever has the number by now.  A positive errno or 0. */
int connect_put_in_place(struct later *later, int sock, const struct in_place *place);

/* To a stand-in of an allowed host (connect_relayed.c), on `sock`, which is taken over: our duplicate of the caller's TCP socket; or without a network namespace a new
 * one, which then takes the place.  False: it is none, and nothing was done. */
bool connect_relayed(struct sandbox *sb, const struct seccomp_notif *req, int *sock, const struct sockaddr_storage *sa, socklen_t len, const struct in_place *place,
                     struct reply *reply);
/* By the relay to the target, whatever stands at the address: sock and place as above, place not NULL or a way out with doors.  sock is taken over. */
struct relay_target;
struct reply connect_out(struct sandbox *sb, const struct seccomp_notif *req, int *sock, const struct sockaddr_storage *sa, socklen_t len, const struct in_place *place,
                         const struct relay_target *t);
/* Would it be one? */
bool connect_is_relayed(struct sandbox *sb, const struct sockaddr_storage *sa);
/* Was the address given to the run for an allowed host, whatever port? */
bool connect_is_stand_in(struct sandbox *sb, const struct sockaddr_storage *sa);

/* connect() of a sandbox without a network namespace (connect_plain.c). */
struct reply connect_plain(struct sandbox *sb, const struct seccomp_notif *req, const struct sockaddr_storage *sa, socklen_t len);
/* Of it, the part for AF_UNIX (connect_unix.c): sock is a new socket of the type that the caller's has. */
struct reply connect_unix_plain(struct sandbox *sb, const struct seccomp_notif *req, int sock, const struct sockaddr_storage *sa, socklen_t len,
                                const struct in_place *place);
/* Writes down a TCP connect to the loopback where nothing of the sandbox listens (connect.c). */
void connect_record_loopback(struct sandbox *sb, const struct seccomp_notif *req, const struct sockaddr_text *to);
void connect_record_outside(struct sandbox *sb, const struct seccomp_notif *req, const struct sockaddr_text *to, int type);

#endif
