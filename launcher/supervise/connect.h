/* The ways in which connect() is answered; connect.c chooses. */
#ifndef SUPERVISE_CONNECT_H
#define SUPERVISE_CONNECT_H

#include <sys/socket.h>

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

#endif
