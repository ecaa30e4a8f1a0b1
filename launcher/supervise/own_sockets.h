/* TCP of a sandbox without a network namespace: its sockets are made here, bound to the machine's loopback interface (SO_BINDTODEVICE "lo": nothing that is done
 * with one leaves the machine; the filter refuses to undo it), and connected only to listeners of the same sandbox.
 *
 * The sandbox cannot bind or connect itself where Landlock knows TCP ports.  bind() is made on a duplicate of the caller's own socket, which is known by its inode;
 * connect() on a new socket that takes its number when it is known who has answered (connect_plain.c).  So whatever a racing thread puts behind a number or into
 * an address, what is acted on is what was judged.
 *
 * A duplicate is held only as long as a socket is neither bound nor connected: nobody waits for the end of such a one.  Only the listener's thread uses this. */
#ifndef SUPERVISE_OWN_SOCKETS_H
#define SUPERVISE_OWN_SOCKETS_H

#include <stdbool.h>
#include <sys/types.h>

#define OWN_SOCKETS_KEPT 32
#define OWN_LISTENERS_MAX 256

enum own_state { OWN_NONE, OWN_FRESH, OWN_BOUND, OWN_CONNECTED };

struct own_socket {
	enum own_state state;
	ino_t inode;
	int fd; /* of a fresh one: our duplicate; else -1 */
};

struct own_sockets {
	struct own_socket kept[OWN_SOCKETS_KEPT]; /* the newest */
	unsigned next;
	ino_t listeners[OWN_LISTENERS_MAX];
	unsigned listener_count;
};

void own_sockets_init(struct own_sockets *o);
void own_sockets_finish(struct own_sockets *o);

/* A TCP socket on the loopback, close-on-exec, or -errno. */
int own_sockets_make(int family, int flags);
/* Keeps a duplicate of it (OWN_FRESH), or its inode alone. */
void own_sockets_keep(struct own_sockets *o, int fd, enum own_state state);
/* NULL: not one of the newest. */
struct own_socket *own_sockets_find(struct own_sockets *o, ino_t inode);
void own_socket_becomes(struct own_socket *s, enum own_state state); /* lets the duplicate go */
/* It is going to listen. */
void own_sockets_listens(struct own_sockets *o, ino_t inode);
bool own_sockets_owns(const struct own_sockets *o, ino_t listener);

#endif
