/* What the socket calls share: how an attempt is written down. */
#ifndef SUPERVISE_SOCKETS_H
#define SUPERVISE_SOCKETS_H

#include "launcher/names/names.h"
#include "launcher/supervise/supervise.h"

#define SOCKETS_HINT_MAX (2 * PW_HOST_MAX + 128)

/* An address outside: the rule of the deny list (a cloud's metadata service) or of the watch list, else `rule`. */
struct verdict sockets_verdict(const struct sandbox *sb, const struct sockaddr_text *to, const char *rule);

/* Records a net.connect or net.send to what is outside, by sockets_verdict of `rule`; of a sweep by its networks.  protocol: NULL where unknown. */
void sockets_record_outside(struct sandbox *sb, const struct seccomp_notif *req, const char *type, const char *rule, const struct sockaddr_text *to,
                            const char *protocol);

/* Records a refused net.connect or net.send.  host, protocol, detail: NULL where unknown. */
void sockets_record(struct sandbox *sb, const struct seccomp_notif *req, const char *type, struct verdict verdict, const struct sockaddr_text *to,
                    const char *host, const char *protocol, const char *detail);

/* Records a refused ipc.connect: path is where as_written leads (or the same), "@name" for an abstract socket. */
void sockets_record_unix(struct sandbox *sb, const struct seccomp_notif *req, const char *path, const char *as_written);

/* The inode of the caller's socket, or -EBADF, -ENOTSOCK.  Racy: who has the number later is not known by it. */
int sockets_inode(pid_t tid, int fd, ino_t *inode);

/* What would allow it, for people; of the sandbox's role. */
const char *sockets_hint(const struct sandbox *sb);
/* The same for one host, by name or address: to the installer, the option and the policy line that open it.  Returns hint, or a text of its own. */
const char *sockets_hint_host(const struct sandbox *sb, const char *host, char hint[SOCKETS_HINT_MAX]);

#endif
