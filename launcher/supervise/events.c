/* The event call (preload/pw_event.h): prctl(PW_MAGIC, op, pointer, length).  Anyone in a sandbox can make it, with anything in it: every structure is
 * copied once and checked, and an answer tells nobody more than its role may know. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "launcher/base/fd.h"
#include "launcher/record/decode.h"
#include "launcher/supervise/grants.h"
#include "launcher/supervise/image.h"
#include "launcher/supervise/origin.h"
#include "launcher/supervise/packages.h"
#include "launcher/supervise/pathtext.h"
#include "launcher/supervise/query.h"
#include "launcher/supervise/seen.h"
#include "launcher/supervise/kept_code.h"
#include "launcher/supervise/session.h"
#include "launcher/supervise/supervisor.h"
#include "launcher/supervise/target.h"
#include "preload/pw_event.h"

static enum pw_role role_number(enum role role)
{
	switch (role) {
	case ROLE_INSTALLER: return PW_ROLE_INSTALLER;
	case ROLE_GUEST: return PW_ROLE_GUEST;
	case ROLE_VCS: return PW_ROLE_VCS;
	default: return PW_ROLE_BUILD;
	}
}

/* Events of a process that has not checked in are marked: nothing explains what it does. */
static struct reply hello(struct sandbox *sb, const struct seccomp_notif *req)
{
	uint64_t image = sb->checked_in ? image_of((pid_t)req->pid) : 0;

	if (image && target_alive(sb, req))
		images_add(sb->checked_in, image, req->data.args[3] == sizeof(struct pw_intents) ? req->data.args[2] : 0);
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
		.detail = "only pip's children, and programs that a version control tool asks for passwords, are started through pipwarden",
	};

	/* A tool's ssh may have the user asked. */
	if (sb->role == ROLE_INSTALLER || (!sb->audit && (sb->role == ROLE_VCS || (sb->role == ROLE_CREDENTIAL && sb->requirement))))
		return session_enter(sb, req);
	supervisor_record(sb, (pid_t)req->pid, &ev);
	return reply_error(EPERM);
}

/* --- advisory events --------------------------------------------------------------------------- */

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

/* What pip refuses to unpack the bootstrap tells as of a function "unpack NAME VERSION", as pip has them. */
static bool is_unpacking(const struct record_view *view)
{
	return by_bootstrap(view) && strncmp(view->function, "unpack ", 7) == 0;
}

static void charge_archive(const struct record_view *view, struct event *ev)
{
	char name[PW_FUNCTION_MAX + 1], version[PW_FUNCTION_MAX + 1] = "";

	if (sscanf(view->function, "unpack %128s %128s", name, version) >= 1)
		ev->package = *packages_keep(&(struct event_package){.name = name, .version = version[0] ? version : NULL, .stage = "install"});
}

static void explain_bootstrap(const struct sandbox *sb, const struct record_view *view, struct event *ev, char *hint, size_t size)
{
	const char *temp = supervisor_temp(sb->sup), *archive = view->file[0] ? view->file : "an archive";

	if (is_unpacking(view)) {
		charge_archive(view, ev);
		ev->verdict = policy_rule(supervisor_policy(sb->sup), "install.unpack");
		snprintf(hint, size, "%.300s holds a file that would lie outside of where it is unpacked: pip itself refuses it", archive);
		ev->detail = hint;
	} else if (temp && pathtext_below(ev->target.path, temp)) {
		ev->verdict = policy_rule(supervisor_policy(sb->sup), "pip.write");
		snprintf(hint, size, "%.300s unpacks through a link of its own, out of the temporary folder", archive);
		ev->detail = hint;
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
	case PW_EV_LOAD:
		ev->type = "python.load";
		ev->target.path = view->text;
		ev->verdict = policy_rule(p, "python.load");
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
			explain_bootstrap(sb, view, ev, hint, size);
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
	case PW_EV_HTTP: /* with their data */
	case PW_EV_COMPILE:
		break;
	}
	return true;
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
	if (view.type == PW_EV_LOAD && sb->role == ROLE_INSTALLER)
		return reply_error(EINVAL); /* nor is it hooked */
	if (!fill_event(sb, &view, &ev, hint, sizeof hint))
		return reply_value(0);
	if (!ev.type)
		return reply_error(EINVAL);
	if (!is_unpacking(&view)) /* the hint names the archive */
		ev.origin = origin_of_record(sb, &view);
	supervisor_record(sb, (pid_t)req->pid, &ev);
	return reply_value(0);
}

/* --- what Python's hook tells of some bytes ------------------------------------------------------ */

#define TOLD_WHOLE 256 /* events of a sandbox, of requests and of code each; of those that follow what makes each of them another is left out, so that they fold */

static bool is_told_whole(struct sandbox *sb, bool code)
{
	return atomic_fetch_add(&sb->told[code], 1) < TOLD_WHOLE;
}

/* A server's name is one of few. */
static void cut_url(char *url)
{
	char *host = strstr(url, "://"), *path = host ? strchr(host + 3, '/') : NULL;

	if (path)
		path[1] = '\0';
}

/* A piece of a request that is sent, the head first; or ahead of it all, when there is no connection yet. */
static void record_sent(struct sandbox *sb, pid_t pid, struct event *ev, const char *bytes, size_t len, unsigned flags)
{
	struct request_view request;
	bool head = request_decode(bytes, len, flags & PW_FLAG_TLS, &request);

	decoy_seen_data(sb, pid, &(struct seen_place){.in = SEEN_HTTP, .host = head && request.host[0] ? request.host : NULL, .ahead = flags & PW_FLAG_AHEAD, .origin = &ev->origin},
	                bytes, len);
	if (!head || flags & PW_FLAG_AHEAD)
		return;
	ev->type = "python.http";
	ev->verdict = policy_rule(supervisor_policy(sb->sup), "python.http");
	origin_request(sb, &request, &ev->target);
	if (!is_told_whole(sb, false)) {
		cut_url(request.url);
		ev->target.bytes = 0;
	}
	supervisor_record(sb, pid, ev);
}

/* text: all of it, or (whole > len) not. */
static void record_code(struct sandbox *sb, pid_t pid, struct event *ev, const char *name, const char *text, size_t len, uint64_t whole)
{
	char digest[KEPT_CODE_DIGEST];

	ev->type = "python.compile";
	ev->verdict = policy_rule(supervisor_policy(sb->sup), "python.compile");
	if (is_told_whole(sb, true)) {
		ev->target.name = name;
		ev->target.bytes = whole;
		if (whole > len)
			ev->detail = "it is too long to be kept";
		else if (kept_code_add(sb, text, len, digest))
			ev->detail = "its text is in the folder code beside the record";
		ev->target.digest = whole > len ? NULL : digest;
	}
	supervisor_record(sb, pid, ev);
}

#define PIECE_MAX (64 * 1024) /* of one that is sent, from its beginning */
#define PIECES_MAX (64ull << 20) /* of a sandbox, of requests and of code each; beyond it nothing is looked at, and that is said: whoever hands over so much may want it */
/* Of code up to a megabyte is looked at: a digest of a part would be nobody's.  Not once it is told without one. */
#define CODE_MAX (1024 * 1024)

static size_t most_of(struct sandbox *sb, bool code)
{
	return code && atomic_load(&sb->told[true]) < TOLD_WHOLE ? CODE_MAX : PIECE_MAX;
}

static void record_unread(struct sandbox *sb, pid_t pid, struct event *ev, bool code)
{
	if (atomic_exchange(&sb->unread[code], true))
		return;
	ev->type = "python.unread";
	ev->verdict = policy_rule(supervisor_policy(sb->sup), "python.unread");
	ev->target.name = code ? "code" : "requests";
	ev->detail = "from here on it is neither looked at nor written down: 64 MiB of it were";
	supervisor_record(sb, pid, ev);
}

static void told(struct sandbox *sb, const struct seccomp_notif *req, const struct pw_record_of *of, const struct record_view *view)
{
	struct event ev = {.action = EV_OBSERVED, .source = SRC_SHIM, .origin = origin_of_record(sb, view)};
	bool code = view->type == PW_EV_COMPILE;
	size_t most = most_of(sb, code), want = of->data_len < most ? (size_t)of->data_len : most;
	bool looked_at = atomic_fetch_add(&sb->handed[code], want) < PIECES_MAX;
	char *bytes = looked_at ? malloc(want + 1) : NULL;
	ssize_t len = bytes ? target_read_some(sb, req, of->data, bytes, want) : -ENOMEM;

	if (!looked_at)
		record_unread(sb, (pid_t)req->pid, &ev, code);
	if (len > 0 && (size_t)len == want) {
		bytes[len] = '\0';
		if (code)
			record_code(sb, (pid_t)req->pid, &ev, view->text, bytes, (size_t)len, of->data_len);
		else
			record_sent(sb, (pid_t)req->pid, &ev, bytes, (size_t)len, of->flags);
	}
	free(bytes);
}

static struct reply tell(struct sandbox *sb, const struct seccomp_notif *req)
{
	struct pw_record_of of;
	struct record_view view;
	int error;

	if (req->data.args[3] != sizeof of || sb->role == ROLE_INSTALLER)
		return reply_error(EINVAL);
	error = target_read(sb, req, req->data.args[2], &of, sizeof of);
	if (error)
		return reply_error(-error);
	if (!record_decode(&of.record, sizeof of.record, &view) || (view.type != PW_EV_HTTP && view.type != PW_EV_COMPILE))
		return reply_error(EINVAL);
	if (origin_is_open(sb))
		told(sb, req, &of, &view);
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
	case PW_OP_DATA: return tell(sb, req);
	default: return reply_error(EINVAL);
	}
}
