/* A notification that a worker answers.  The sandbox may be gone, its struct freed and its listener closed, before the worker has looked up: so the worker has a
 * listener of its own (a duplicate), and nothing else of the sandbox. */
#ifndef SUPERVISE_LATER_H
#define SUPERVISE_LATER_H

#include <errno.h>
#include <fcntl.h>

#include "launcher/base/fd.h"
#include "launcher/supervise/target.h"

struct later {
	struct sandbox shade;     /* only sup and listener are set: what target_alive and reply_send look at */
	struct seccomp_notif req; /* a copy: the listener's thread uses its own again */
};

static inline int later_init(struct later *l, const struct sandbox *sb, const struct seccomp_notif *req) /* 0 or -errno */
{
	int listener = fcntl(sb->listener, F_DUPFD_CLOEXEC, 3);

	l->shade = (struct sandbox){.sup = sb->sup, .listener = listener};
	l->req = *req;
	return listener < 0 ? -errno : 0;
}

static inline bool later_alive(const struct later *l)
{
	return target_alive(&l->shade, &l->req);
}

static inline void later_send(struct later *l, struct reply r)
{
	reply_send(&l->shade, l->req.id, r);
}

static inline void later_finish(struct later *l)
{
	close_fd(&l->shade.listener);
}

#endif
