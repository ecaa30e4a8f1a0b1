#include "netlink.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#include "launcher/base/fd.h"

#define LOOPBACK_INDEX 1 /* the first interface of every network namespace */

struct route_request {
	struct nlmsghdr head;
	struct rtmsg route;
	char attributes[64];
};

static void add_attribute(struct route_request *r, unsigned short type, const void *data, size_t len)
{
	struct rtattr *at = (struct rtattr *)(void *)((char *)r + NLMSG_ALIGN(r->head.nlmsg_len));

	at->rta_type = type;
	at->rta_len = (unsigned short)RTA_LENGTH(len);
	memcpy(RTA_DATA(at), data, len);
	r->head.nlmsg_len = NLMSG_ALIGN(r->head.nlmsg_len) + RTA_ALIGN(at->rta_len);
}

/* The kernel's word on the request that was just sent. */
static int acknowledged(int sock)
{
	union {
		struct nlmsghdr head;
		char room[1024];
	} answer;
	ssize_t n = recv(sock, &answer, sizeof answer, 0);
	const struct nlmsgerr *error = NLMSG_DATA(&answer.head);

	if (n < 0)
		return -errno;
	if ((size_t)n < NLMSG_LENGTH(sizeof *error) || answer.head.nlmsg_type != NLMSG_ERROR)
		return -EPROTO;
	return error->error == -EEXIST ? 0 : error->error;
}

int netlink_open(void)
{
	int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	return sock < 0 ? -errno : sock;
}

int netlink_own(int sock, int family, const void *address, unsigned prefix)
{
	/* A local route, not an address on the interface: one kind of request for single addresses and whole networks, and no duplicate address detection. */
	struct route_request r = {
		.head = {.nlmsg_len = NLMSG_LENGTH(sizeof r.route), .nlmsg_type = RTM_NEWROUTE, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL},
		.route = {.rtm_family = (unsigned char)family, .rtm_dst_len = (unsigned char)prefix, .rtm_table = RT_TABLE_LOCAL, .rtm_protocol = RTPROT_STATIC,
		          .rtm_scope = RT_SCOPE_HOST, .rtm_type = RTN_LOCAL},
	};
	int index = LOOPBACK_INDEX;

	add_attribute(&r, RTA_DST, address, family == AF_INET ? 4 : 16);
	add_attribute(&r, RTA_OIF, &index, sizeof index);
	if (send(sock, &r, r.head.nlmsg_len, 0) < 0)
		return -errno;
	return acknowledged(sock);
}
