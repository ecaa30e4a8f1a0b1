#include "launcher/supervise/dial.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "launcher/base/clock.h"
#include "launcher/base/fd.h"
#include "launcher/names/names.h"

void dial_init(struct dial *d)
{
	d->n = 0;
	d->error = ECONNREFUSED;
}

void dial_finish(struct dial *d)
{
	while (d->n > 0)
		close_fd(&d->at[--d->n].fd);
}

void dial_add(struct dial *d, const struct pw_address *to, unsigned port)
{
	struct sockaddr_storage sa;
	socklen_t len = sockaddr_of(to, port, &sa);

	for (size_t i = 0; i < d->n; i++)
		if (!memcmp(&d->at[i].to, to, sizeof *to))
			return;
	if (d->n == DIAL_MAX)
		return;
	cleanup_fd int sock = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sock < 0 || (connect(sock, (const struct sockaddr *)&sa, len) < 0 && errno != EINPROGRESS))
		d->error = errno;
	else
		d->at[d->n++] = (struct dialled){.fd = steal_fd(&sock), .to = *to};
}

/* The one at i has been heard of: its socket, or -1 and it is gone. */
static int take(struct dial *d, size_t i)
{
	int error = 0, sock = d->at[i].fd;
	socklen_t len = sizeof error;

	if (getsockopt(sock, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	d->at[i] = d->at[--d->n];
	if (error == 0)
		return sock;
	d->error = error;
	close(sock);
	return -1;
}

int dial_wait(struct dial *d, int milliseconds)
{
	int64_t until = clock_milliseconds() + milliseconds, left;
	struct pollfd p[DIAL_MAX];

	while (d->n > 0 && (left = until - clock_milliseconds()) >= 0) {
		for (size_t i = 0; i < d->n; i++)
			p[i] = (struct pollfd){.fd = d->at[i].fd, .events = POLLOUT};
		if (poll(p, d->n, (int)left) <= 0)
			continue;
		for (size_t i = d->n; i-- > 0;) { /* from behind: who goes is replaced by the last */
			int sock = p[i].revents ? take(d, i) : -1;
			if (sock >= 0)
				return sock;
		}
	}
	return d->n > 0 ? -EINPROGRESS : -d->error;
}
