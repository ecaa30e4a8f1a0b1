/* The event call (preload/pw_event.h): prctl(PW_MAGIC, op, pointer, length).  Anyone in a sandbox can make it, with anything in it: every structure is
 * copied once and checked, and an answer tells nobody more than its role may know. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "launcher/base/fd.h"
#include "launcher/record/decode.h"
#include "launcher/supervise/grants.h"
#include "launcher/supervise/image.h"
#include "launcher/supervise/pathtext.h"
#include "launcher/supervise/query.h"
#include "launcher/supervise/served.h"
#include "launcher/supervise/session.h"
#include "launcher/supervise/supervisor.h"
#include "launcher/supervise/target.h"
#include "preload/pw_event.h"

static enum pw_role role_number(enum role role)
{
	switch (role) {
	case ROLE_INSTALLER: return PW_ROLE_INSTALLER;
	case ROLE_GUEST: return PW_ROLE_GUEST;
	default: return PW_ROLE_BUILD;
	}
}

/* Events of a process that has not checked in are marked: nothing explains what it does. */
static struct reply hello(struct sandbox *sb, const struct seccomp_notif *req)
{
	uint64_t image = sb->checked_in ? image_of((pid_t)req->pid) : 0;

	if (image && target_alive(sb, req))
		images_add(sb->checked_in, image);
	return reply_value(role_number(sb->role));
}

static struct reply enter(struct sandbox *sb, const struct seccomp_notif *req)
{
	struct event ev = {
		.type = "syscall.denied",
		.action = EV_DENIED,
		.verdict = policy_rule(supervisor_policy(sb->sup), "exec.enter"),
		.source = SRC_KERNEL,
		.target = {.name = "enter"},
		.detail = "only pip's children are started through pipwarden",
	};

	if (sb->role == ROLE_INSTALLER)
		return session_enter(sb, req);
	supervisor_record(sb, (pid_t)req->pid, &ev);
	return reply_error(EPERM);
}

/* --- advisory events --------------------------------------------------------------------------- */

static struct verdict explains(const char *rule)
{
	return (struct verdict){.rule = rule, .kind = "", .severity = SEV_INFO, .action = ACTION_ALLOW};
}

/* In a folder in which a build has worked, and not the environment, which may lie below it. */
static bool in_project(const struct sandbox *sb, const char *path)
{
	const struct installer *ins = sb->sup->run->installer;

	for (size_t i = 0; ins != NULL && i < ins->local_roots.n; i++)
		if (pathtext_below(path, ins->local_roots.v[i]))
			return !grants_environment(sb, path);
	return false;
}

/* The bootstrap refuses what the kernel would allow: pip's own files, paths below the temp that lead out of it, and links that a build laid for pip. */
static bool by_bootstrap(const struct record_view *view)
{
	return !strcmp(view->object, PW_OBJECT_BOOTSTRAP);
}

static void explain_bootstrap(const struct sandbox *sb, struct event *ev)
{
	const char *temp = supervisor_temp(sb->sup);

	if (temp && pathtext_below(ev->target.path, temp)) {
		ev->verdict = policy_rule(supervisor_policy(sb->sup), "pip.write");
		ev->detail = "an archive unpacks through a link of its own, out of the temporary folder";
	} else if (in_project(sb, ev->target.path)) {
		ev->verdict = policy_rule(supervisor_policy(sb->sup), "file.link.planted");
		ev->detail = "the build laid a link where pip was going to write";
	} else {
		ev->verdict = policy_rule(supervisor_policy(sb->sup), "install.pip-modified");
		ev->detail = "a package that is not pip brings files of pip; to change pip, name it on the command line";
	}
}

/* The shim reports what it was told of (PW_OP_NAMES): what was read is what we put there.  Another name is somebody else's invention. */
static bool holds_decoy(struct sandbox *sb, const char *name)
{
	const char *const *decoys = supervisor_decoys(sb);

	while (*decoys != NULL && strcmp(*decoys, name) != 0)
		decoys++;
	return *decoys != NULL;
}

static size_t decoy_count(struct sandbox *sb)
{
	size_t n = 0;

	while (supervisor_decoys(sb)[n] != NULL)
		n++;
	return n;
}

/* hint: room for the detail, as long as the event.  False: it needs no word. */
static bool fill_event(struct sandbox *sb, const struct record_view *view, struct event *ev, char *hint, size_t size)
{
	const struct policy *p = supervisor_policy(sb->sup);

	switch (view->type) {
	case PW_EV_ENV_READ:
		ev->type = holds_decoy(sb, view->text) ? "env.read" : NULL;
		ev->target.name = view->text;
		ev->action = EV_DECOY;
		ev->verdict = policy_rule(p, "env.read");
		break;
	case PW_EV_ENV_WALK:
		ev->type = strcmp(view->text, PW_TEXT_WALK) == 0 && decoy_count(sb) > 0 ? "env.enumerate" : NULL;
		ev->target.name = PW_TEXT_WALK;
		ev->action = EV_DECOY;
		ev->verdict = policy_rule(p, "env.enumerate");
		snprintf(hint, size, "secret variables in it: %zu", decoy_count(sb));
		ev->detail = hint;
		break;
	/* What the shim says beside a call that is notified anyway explains it and judges nothing. */
	case PW_EV_EXEC:
		ev->type = "exec";
		ev->target.path = view->text;
		ev->verdict = policy_rule(p, "exec.recorded");
		break;
	case PW_EV_CONNECT:
		ev->type = "net.connect";
		ev->target.address = view->text;
		ev->verdict = explains("net.connect");
		break;
	case PW_EV_REVERSE:
		ev->type = "net.resolve";
		ev->action = EV_DENIED;
		ev->target.address = view->text;
		ev->verdict = policy_rule(p, "net.resolve.reverse");
		ev->detail = "resolvers are not asked for the names of addresses, which can carry data";
		break;
	case PW_EV_WRITE_REFUSED:
		ev->type = "file.write";
		ev->target.path = view->text;
		ev->action = EV_DENIED;
		if (by_bootstrap(view)) {
			explain_bootstrap(sb, ev);
			break;
		}
		ev->detail = hint;
		return grants_explain_installer(sb, view->text, &ev->verdict, hint, size);
	case PW_EV_READ_REFUSED:
		ev->type = "file.open";
		ev->target.path = view->text;
		ev->action = EV_DENIED;
		ev->verdict = policy_rule(p, "install.requirement");
		ev->detail = "only the command line, pip's configuration and requirement files may name local archives";
		break;
	case PW_EV_IMPORT_REFUSED:
		ev->type = "python.import";
		ev->target.name = view->text;
		ev->action = EV_DENIED;
		ev->verdict = policy_rule(p, "pip.import");
		ev->detail = "nothing of the environment runs inside pip; pip works without it";
		break;
	case PW_EV_START_REFUSED:
		ev->type = "python.import";
		ev->target.path = view->text;
		ev->action = EV_DENIED;
		ev->verdict = policy_rule(p, "pip.start-up");
		ev->detail = "nothing of the environment runs inside pip; --allow-pth FILE runs a .pth file's lines after all";
		break;
	}
	return true;
}

static struct event_origin origin_of(const struct sandbox *sb, const struct record_view *view)
{
	return (struct event_origin){
		.object = view->object[0] ? view->object : NULL,
		.file = view->file[0] ? pathtext_source(view->file, sb->served != NULL ? sb->served->root : NULL, sb->writable) : NULL,
		.whole = view->file[0] == '/' ? view->file : NULL,
		.function = view->function[0] ? view->function : NULL,
		.line = view->line,
	};
}

static struct reply advise(struct sandbox *sb, const struct seccomp_notif *req)
{
	struct event ev = {.action = EV_OBSERVED, .source = SRC_SHIM};
	struct pw_record record;
	struct record_view view;
	char hint[sizeof record.text + 32];
	int error;

	if (req->data.args[3] != sizeof record)
		return reply_error(EINVAL);
	error = target_read(sb, req, req->data.args[2], &record, sizeof record);
	if (error)
		return reply_error(-error);
	if (!record_decode(&record, sizeof record, &view))
		return reply_error(EINVAL);
	/* Only pip is trusted to say what it was refused: anybody else's word would be noise under another's name. */
	if (((view.type >= PW_EV_WRITE_REFUSED && view.type <= PW_EV_READ_REFUSED) || view.type == PW_EV_START_REFUSED) && sb->role != ROLE_INSTALLER)
		return reply_error(EINVAL);
	if (!fill_event(sb, &view, &ev, hint, sizeof hint))
		return reply_value(0);
	if (!ev.type)
		return reply_error(EINVAL);
	ev.origin = origin_of(sb, &view);
	supervisor_record(sb, (pid_t)req->pid, &ev);
	return reply_value(0);
}

/* --- names, nested ----------------------------------------------------------------------------- */

static struct reply secret_names(struct sandbox *sb)
{
	int fd = supervisor_names(sb);

	return fd < 0 ? reply_error(-fd) : reply_fd(fd, O_CLOEXEC);
}

static struct reply nested(struct sandbox *sb, const struct seccomp_notif *req)
{
	struct pw_nested answer = {.flags = sb->audit ? PW_NESTED_AUDIT : 0};
	const size_t from = offsetof(struct pw_nested, flags), len = sizeof answer - from;
	uint32_t version;
	uint64_t address = req->data.args[2];
	cleanup_fd int memory = -1;
	char path[48];
	int error = target_read(sb, req, address, &version, sizeof version);

	if (error)
		return reply_error(-error);
	if (version != PW_VERSION)
		return reply_error(EINVAL);
	strncpy(answer.digest, policy_digest(supervisor_policy(sb->sup)), sizeof answer.digest - 1);
	/* The open file is the address space of whoever had the number then; alive says that it was the caller. So nothing of anybody else is written
	 * to, as process_vm_writev by number could; what is written everyone may know. */
	snprintf(path, sizeof path, "/proc/%d/mem", (int)req->pid);
	memory = open(path, O_WRONLY | O_CLOEXEC);
	if (memory < 0 || !target_alive(sb, req))
		return reply_error(EFAULT);
	if (address > INT64_MAX - sizeof answer || pwrite(memory, (const char *)&answer + from, len, (off_t)(address + from)) != (ssize_t)len)
		return reply_error(EFAULT);
	return reply_value(PW_MAGIC & 0x7fffffff);
}

struct reply handle_event(struct sandbox *sb, const struct seccomp_notif *req)
{
	switch (req->data.args[1]) {
	case PW_OP_HELLO: return hello(sb, req);
	case PW_OP_ENTER: return enter(sb, req);
	case PW_OP_RESOLVE: return query_answer(sb, req);
	case PW_OP_EVENT: return advise(sb, req);
	case PW_OP_NAMES: return secret_names(sb);
	case PW_OP_NESTED: return nested(sb, req);
	default: return reply_error(EINVAL);
	}
}
