/* Listening sockets in a sandbox's network namespace at the addresses of allowed hosts, one for each address and port: where its connections to the relay come out.
 * init makes them when they are first asked for (INIT_DOOR), for nobody else can: a network namespace is entered by few.
 *
 * The session's thread passes init's answers on, workers wait for them; who frees it sees to it that nobody does any more (relays.h). */
#ifndef SUPERVISE_DOORS_H
#define SUPERVISE_DOORS_H

#include <sys/socket.h>

#include "launcher/sandbox/start.h"

#define DOORS_MAX 128 /* of a sandbox */

struct doors;

/* init_sock: duplicated.  NULL: no memory. */
struct doors *doors_new(int init_sock);
void doors_free(struct doors *d);

/* The session's: init's answer (takes fd over; -1: none), and the sandbox's end, after which everybody who waits gets -ECONNRESET. */
void doors_answer(struct doors *d, const struct init_message *m, int fd);
void doors_close(struct doors *d);

/* Connects `sock`, a stream socket of the sandbox, to the door at sa, and gives the other end: close-on-exec, the caller's.  *result: what connect() said, 0 or a
 * positive errno (EINPROGRESS of a non-blocking one).  Blocks until init has answered, and for as long as connect() does: workers only, under a tick.  -errno: there
 * is no door (-ECONNRESET, -ETIMEDOUT, what init met; -ENOSPC: there are DOORS_MAX), or nobody came through it. */
int doors_pass(struct doors *d, int sock, const struct sockaddr_storage *sa, socklen_t len, int *result);

/* The other end of sock, accepted from `listener`, whoever else may have knocked there: close-on-exec and non-blocking, the caller's; or -errno. */
int doors_come_out(int listener, int sock);

#endif
