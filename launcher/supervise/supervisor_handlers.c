/* What handlers ask of the supervisor, and what they tell it: supervise.h, and the rest of what any thread may call. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "charge.h"
#include "image.h"
#include "origin.h"
#include "session.h"
#include "supervisor.h"
#include "target.h"

const struct policy *supervisor_policy(const struct supervisor *s)
{
	return s->run->policy;
}

const struct caps *supervisor_caps(const struct supervisor *s)
{
	return s->run->caps;
}

const uint8_t *supervisor_decoy_key(const struct supervisor *s)
{
	return s->run->decoy_key;
}

struct names *supervisor_resolver(struct supervisor *s)
{
	return s->names;
}

struct stand_ins *supervisor_stand_ins(struct supervisor *s)
{
	return s->stand_ins;
}

const char *const *supervisor_homes(const struct supervisor *s)
{
	return s->run->homes;
}

const char *supervisor_shim(const struct supervisor *s)
{
	return s->shim_path;
}

const char *supervisor_temp(const struct supervisor *s)
{
	return s->run->dir->tmp;
}

size_t supervisor_redact(const struct supervisor *s, char *dst, size_t cap, const char *text)
{
	return journal_redact(s->run->journal, dst, cap, text);
}

const char *const *supervisor_environment(const struct supervisor *s)
{
	static const char *const none[] = {NULL};
	const struct python_env *env = s->run->env;

	return env != NULL && env->write_dirs.v != NULL ? (const char *const *)env->write_dirs.v : none;
}

bool supervisor_is_own(const struct supervisor *s, pid_t pid)
{
	return pid == getpid() || pid == getppid() || pid == s->zygote.pid || pid == s->command;
}

static bool is_configured(const struct supervisor *s, const char *host, unsigned port, bool proxies)
{
	const struct installer *ins = s->run->installer;

	for (size_t i = 0; ins != NULL && i < ins->host_count; i++) {
		if ((proxies || ins->hosts[i].origin != HOST_PROXY) && (port == 0 || ins->hosts[i].port == port) && strcasecmp(ins->hosts[i].host, host) == 0) {
			return true;
		}
	}
	for (size_t i = 0; proxies && i < s->run->proxies->n; i++) {
		if ((port == 0 || s->run->proxies->v[i].port == port) && strcasecmp(s->run->proxies->v[i].host, host) == 0) {
			return true;
		}
	}
	return false;
}

/* Whose hosts it may reach: ssh carries its tool's connection. */
static enum role hosts_role(const struct sandbox *sb)
{
	return sb->requirement != NULL ? ROLE_VCS : sb->role;
}

bool supervisor_host_required(const struct sandbox *sb, const char *host, unsigned port)
{
	const struct vcs_requirement *r = sb->requirement;

	return r != NULL && r->host != NULL && policy_host_word(supervisor_policy(sb->sup), hosts_role(sb), "@requirement") && (port == 0 || r->port == port) &&
	       strcasecmp(r->host, host) == 0;
}

bool supervisor_host_allowed(const struct sandbox *sb, const char *host, unsigned port)
{
	const struct supervisor *s = sb->sup;

	if (policy_host_allowed(s->run->policy, hosts_role(sb), host, port) || supervisor_host_required(sb, host, port)) {
		return true;
	}
	return sb->role == ROLE_INSTALLER && policy_host_word(s->run->policy, sb->role, "@index") && is_configured(s, host, port, true);
}

bool supervisor_host_indexed(struct supervisor *s, const char *host, unsigned port)
{
	return policy_host_allowed(s->run->policy, ROLE_INSTALLER, host, port) ||
	       (policy_host_word(s->run->policy, ROLE_INSTALLER, "@index") && is_configured(s, host, port, false));
}

const struct proxies *supervisor_proxies(const struct supervisor *s)
{
	return s->run->proxies;
}

bool supervisor_host_opaque(const struct sandbox *sb, const char *host, unsigned port)
{
	return policy_host_opaque(supervisor_policy(sb->sup), hosts_role(sb), host, port) || (supervisor_host_required(sb, host, port) && sb->requirement->opaque);
}

bool supervisor_has_hosts(const struct sandbox *sb)
{
	return policy_role_has_hosts(supervisor_policy(sb->sup), hosts_role(sb)) ||
	       (sb->requirement != NULL && sb->requirement->host != NULL && supervisor_host_required(sb, sb->requirement->host, 0));
}

int supervisor_names(struct sandbox *sb)
{
	int fd = sb->sup->names_fd;

	if (fd < 0) {
		return -ENOENT;
	}
	fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return fd < 0 ? -errno : fd;
}

const char *const *supervisor_decoys(const struct sandbox *sb)
{
	static const char *const none[] = {NULL};
	char **names = sb->sup->sandbox_env.replaced;

	return names != NULL ? (const char *const *)names : none;
}

void supervisor_wake(struct supervisor *s)
{
	uint64_t one = 1;

	/* EAGAIN: the counter is full, it is awake.  Else the other thing that it waits for does as well. */
	if (write(s->wake, &one, sizeof one) < 0 && errno != EAGAIN) {
		kill(getpid(), SIGCHLD);
	}
}

void supervisor_abort(struct supervisor *s, int status, const char *why)
{
	int none = 0;

	if (!atomic_compare_exchange_strong(&s->abort_status, &none, status)) {
		return;
	}
	atomic_store(&s->abort_why, why);
	zygote_kill(&s->zygote); /* every init follows by its parent-death signal, and with it its PID namespace */
	supervisor_wake(s);
}

void supervisor_record(struct sandbox *sb, pid_t pid, struct event *ev)
{
	struct target_identity who;
	struct origin_room room;
	bool violation = ev->action != EV_ALLOWED && ev->action != EV_OBSERVED;
	bool ends = violation && ev->verdict.action == ACTION_ABORT;
	bool audit = sb->sup->run->audit;
	int error;

	ev->role = sb->role;
	if (ends && !(audit && ev->enforced)) { /* under --audit the run goes on */
		ev->action = EV_ABORTED;
	}
	if (audit && violation && !ev->enforced) {
		ev->audited = true;
		ev->would = ev->action;
		ev->action = EV_OBSERVED;
	}
	if (pid > 0) {
		origin_join(sb, pid, ev, &room);
	}
	charge_event(sb, pid, ev);
	if (pid > 0 && !journal_folds(sb->sup->run->journal, ev)) { /* who did it costs more than the line; the first one said it */
		target_identify(pid, &who);
		ev->shim_absent = sb->checked_in != NULL && images_lack(sb->checked_in, image_of(pid));
		ev->process = (struct event_process){.pid = who.pid, .ppid = who.ppid, .exe = who.exe, .cwd = who.cwd,
		                                     .argv = ev->decoy.in != NULL ? NULL : who.argv}; /* which may hold the decoy */
	}
	error = journal_event(sb->sup->run->journal, ev, NULL);
	if (error == -ENOBUFS) {
		struct event bound = {.type = "run.bound", .action = audit ? EV_OBSERVED : EV_ABORTED, .source = SRC_KERNEL, .role = ev->role, .package = ev->package,
		                      .verdict = policy_rule(sb->sup->run->policy, "sandbox.flood")};
		journal_event(sb->sup->run->journal, &bound, NULL); /* the journal keeps room for it */
		if (!audit) {
			supervisor_abort(sb->sup, 100, "too many different attempts: the run was ended");
		}
	} else if (error < 0) {
		supervisor_abort(sb->sup, 125, "the journal cannot be written: nothing may happen unrecorded");
	} else if (ends && !audit) {
		supervisor_abort(sb->sup, 100, NULL);
	}
}
