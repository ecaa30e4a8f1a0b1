/* A notification that a worker answers. */
#ifndef SUPERVISE_LATER_H
#define SUPERVISE_LATER_H

#include <errno.h>

#include "launcher/supervise/shade.h"
#include "launcher/supervise/target.h"

struct later {
	struct shade shade;
	struct seccomp_notif req; /* a copy: the listener's thread uses its own again */
};

static inline int later_init(struct later *l, const struct sandbox *sb, const struct seccomp_notif *req) /* 0 or -errno */
{
	shade_init(&l->shade, sb);
	l->shade.sandbox.listener = fcntl(sb->listener, F_DUPFD_CLOEXEC, 3);
	l->req = *req;
	return l->shade.sandbox.listener < 0 ? -errno : 0;
}

static inline bool later_alive(const struct later *l)
{
	return target_alive(&l->shade.sandbox, &l->req);
}

static inline void later_send(struct later *l, struct reply r)
{
	reply_send(&l->shade.sandbox, l->req.id, r);
}

static inline void later_finish(struct later *l)
{
	close_fd(&l->shade.sandbox.listener);
}

#endif
