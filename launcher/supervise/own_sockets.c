#include "launcher/supervise/own_sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "launcher/base/fd.h"

void own_sockets_init(struct own_sockets *o)
{
	*o = (struct own_sockets){0};
	for (unsigned i = 0; i < OWN_SOCKETS_KEPT; i++)
		o->kept[i].fd = -1;
}

void own_sockets_finish(struct own_sockets *o)
{
	for (unsigned i = 0; i < OWN_SOCKETS_KEPT; i++)
		close_fd(&o->kept[i].fd);
}

int own_sockets_make(int family, int flags)
{
	static const char loopback[] = "lo";
	cleanup_fd int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | flags, IPPROTO_TCP);

	if (fd < 0)
		return -errno;
	/* Without it there is no wall: no socket, then. */
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, loopback, sizeof loopback))
		return -EACCES;
	return steal_fd(&fd);
}

void own_sockets_keep(struct own_sockets *o, int fd, enum own_state state)
{
	struct own_socket *s = &o->kept[o->next];
	struct stat st;

	if (fstat(fd, &st))
		return;
	o->next = (o->next + 1) % OWN_SOCKETS_KEPT;
	close_fd(&s->fd);
	s->inode = st.st_ino;
	s->state = state;
	s->fd = state == OWN_FRESH ? fcntl(fd, F_DUPFD_CLOEXEC, 3) : -1;
}

struct own_socket *own_sockets_find(struct own_sockets *o, ino_t inode)
{
	for (unsigned i = 0; i < OWN_SOCKETS_KEPT; i++) {
		if (o->kept[i].state != OWN_NONE && o->kept[i].inode == inode)
			return &o->kept[i];
	}
	return NULL;
}

void own_socket_becomes(struct own_socket *s, enum own_state state)
{
	close_fd(&s->fd);
	s->state = state;
}

void own_sockets_listens(struct own_sockets *o, ino_t inode)
{
	if (own_sockets_owns(o, inode))
		return;
	/* The oldest goes: who has had so many listeners has none left of the first. */
	if (o->listener_count == OWN_LISTENERS_MAX)
		memmove(o->listeners, o->listeners + 1, --o->listener_count * sizeof *o->listeners);
	o->listeners[o->listener_count++] = inode;
}

bool own_sockets_owns(const struct own_sockets *o, ino_t listener)
{
	for (unsigned i = 0; i < o->listener_count; i++) {
		if (o->listeners[i] == listener)
			return true;
	}
	return false;
}
