/* What is never let go on: a line of filter_table.c says which errno the call gets and which rule it breaks; here it is written down. */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "launcher/names/names.h"
#include "launcher/sandbox/filter_table.h"
#include "launcher/supervise/supervise.h"
#include "launcher/supervise/target.h"

static const char *type_of(const char *rule)
{
	if (!strcmp(rule, "process.signal"))
		return "process.signal";
	return "syscall.denied";
}

/* Where a MSG_FASTOPEN would have gone; of sendmmsg the first message.  False: it names nobody. */
static bool destination(const struct sandbox *sb, const struct seccomp_notif *req, struct sockaddr_text *to)
{
	const __u64 *args = req->data.args;
	uint64_t address = args[4];
	uint32_t len = (uint32_t)args[5];
	struct sockaddr_storage sa;
	struct msghdr header;

	if (req->data.nr == SYS_sendmsg || req->data.nr == SYS_sendmmsg) {
		if (target_read(sb, req, args[1], &header, offsetof(struct msghdr, msg_iov)))
			return false;
		address = (uint64_t)(uintptr_t)header.msg_name;
		len = header.msg_namelen;
	} else if (req->data.nr != SYS_sendto) {
		return false;
	}
	return address && !target_sockaddr(sb, req, address, len, &sa) && sockaddr_describe(&sa, len, to);
}

struct reply handle_refused(struct sandbox *sb, const struct seccomp_notif *req)
{
	const char *rule = "syscall.other", *name = "";
	int error = filter_refusal_of(&req->data, &rule, &name);
	struct sockaddr_text to;
	struct event ev = {
		.type = type_of(rule),
		.action = EV_DENIED,
		.verdict = policy_rule(supervisor_policy(sb->sup), rule),
		.source = SRC_KERNEL,
		.target = {.name = name},
		.detail = "a system call that could reach past the sandbox",
	};

	/* What goes through a ring is never seen: under --audit, too, libraries have to fall back, as on a kernel without. */
	ev.enforced = !strcmp(rule, "syscall.io_uring");

	/* A number of a foreign table means another call: only a call of the table is looked into. */
	if (!strcmp(rule, "net.fastopen") && destination(sb, req, &to)) {
		ev.type = "net.connect";
		ev.target.name = NULL; /* people are told the address */
		ev.target.address = to.address;
		ev.target.port = to.port;
		ev.target.protocol = "tcp";
	}
	supervisor_record(sb, (pid_t)req->pid, &ev);
	return ev.enforced ? reply_enforced(error) : reply_error(error > 0 ? error : EPERM);
}
