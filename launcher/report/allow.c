#include "launcher/report/allow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/record/line.h"
#include "launcher/record/text.h"

static bool begins(const char *text, const char *with)
{
	return text != NULL && strncmp(text, with, strlen(with)) == 0;
}

static bool is(const char *text, const char *what)
{
	return text != NULL && strcmp(text, what) == 0;
}

static void none(struct allow *a, const char *why)
{
	a->why = why;
}

/* A list of a policy file replaces the one of the layers before it: what is built in has to be said again. */
static const char *also(enum role role)
{
	return role == ROLE_INSTALLER ? "\"@index\", " : role == ROLE_VCS ? "\"@requirement\", " : "";
}

/* As a JSON string; "" when there is no memory. */
static void json(char *out, size_t size, const char *text)
{
	struct line l = {0};
	text_append(&l, text, 4096, TEXT_JSON, NULL);
	char *escaped = line_steal(&l);
	snprintf(out, size, "%s", escaped != NULL ? escaped : "");
	free(escaped);
}

/* HOST, HOST:PORT, [IPv6]:PORT */
static void host_text(char *out, size_t size, const struct event *ev)
{
	const struct event_target *t = &ev->target;
	const char *host = t->host != NULL ? t->host : t->address;
	bool six = t->host == NULL && strchr(host, ':') != NULL;
	char port[16] = "";
	if (t->port != 0) {
		snprintf(port, sizeof port, ":%u", t->port);
	}
	snprintf(out, size, "%s%.300s%s%s", six ? "[" : "", host, six ? "]" : "", port);
}

/* The host, what it is another name of, or where it leads to. */
static bool on_deny_list(const struct policy *policy, const struct event_target *t, struct verdict *out)
{
	if (policy == NULL) {
		return false;
	}
	return (t->host != NULL && policy_host_denied(policy, t->host, out)) ||
	       (t->host != NULL && t->name != NULL && policy_host_denied(policy, t->name, out)) ||
	       (t->address != NULL && policy_address_denied(policy, t->address, out));
}

static void allow_host(const struct policy *policy, const struct event *ev, struct allow *a)
{
	const char *rule = ev->verdict.rule, *role = role_name(ev->role);
	struct verdict denied;
	char host[384], escaped[2048];
	bool on_list = on_deny_list(policy, &ev->target, &denied);

	host_text(host, sizeof host, ev);
	json(escaped, sizeof escaped, host);
	if (on_list || begins(rule, "net.exfil.") || begins(rule, "net.metadata.")) {
		none(a, "the deny list beats every option; only a policy file that takes the rule away and lists the host allows it");
		snprintf(a->policy, sizeof a->policy, "{\"version\": 1, \"network\": {\"deny\": [{\"id\": \"%.64s\", \"remove\": true}], \"%s\": [%s\"%s\"]}}",
		         on_list ? denied.rule : rule, role, also(ev->role), escaped);
		return;
	}
	a->option = "--allow-host";
	snprintf(a->value, sizeof a->value, "%s:%s", role, host);
	snprintf(a->policy, sizeof a->policy, "{\"version\": 1, \"network\": {\"%s\": [%s\"%s\"]}}", role, also(ev->role), escaped);
	a->why = ev->role == ROLE_CREDENTIAL ? "every credential helper of the run gets it" : NULL;
}

static void allow_net(const struct policy *policy, const struct event *ev, struct allow *a)
{
	static const struct {
		const char *rule, *why;
	} never[] = {
		{"net.resolve.type", "only addresses are looked up: an answer of another kind is a channel of its own"},
		{"net.resolve.reverse", "resolvers are not asked for the names of addresses, which can carry data"},
		{"net.resolve.bad", "it is no host name"},
		{"net.resolve.full", "what one build or command is told of addresses is bounded"},
		{"net.connect.full", "the connections of one build or command are bounded"},
		{"net.connect.name", "the name inside a connection has to be that of the host that was looked up: allow that one, and connect to it"},
		{"net.sweep", "whole networks are no hosts: list them in a policy file if that is meant"},
		{"net.outside.probe", "nothing was sent, and nothing needs to be done"},
		{"net.send", "datagrams do not leave a sandbox"},
		{"net.fastopen", "data does not go with the first packet; programs connect without it"},
	};
	const struct event_target *t = &ev->target;

	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		if (is(ev->verdict.rule, never[i].rule)) {
			none(a, never[i].why);
			return;
		}
	}
	if (begins(ev->verdict.rule, "net.loopback")) {
		none(a, "a sandbox has a loopback of its own, and the machine's is out of its reach");
	} else if (begins(ev->verdict.rule, "net.resolve.tunnel") && ev->detail != NULL && strstr(ev->detail, "decoy") != NULL) {
		none(a, "the name holds a decoy: it would tell it to whoever runs the domain");
	} else if (begins(ev->type, "net.socket") || begins(ev->type, "net.bind") || begins(ev->verdict.rule, "net.socket")) {
		none(a, "a kind of socket that could reach past the sandbox");
	} else if (begins(t->protocol, "udp") && ev->role != ROLE_INSTALLER && begins(ev->type, "net.connect")) {
		none(a, "datagrams do not leave a sandbox");
	} else if (begins(ev->detail, "the host is allowed, but")) {
		none(a, "the host is allowed, but on this machine nothing leads to it: see pipwarden doctor");
	} else if (t->host == NULL && t->address == NULL) {
		none(a, "the record does not say where to");
	} else if (is(ev->verdict.rule, "net.resolve.private") && t->address != NULL) {
		struct event leads = *ev; /* the name is allowed, where it leads to is not */
		leads.target.host = NULL;
		allow_host(policy, &leads, a);
	} else {
		allow_host(policy, ev, a);
	}
}

static void remove_rule(const char *list, const char *rule, struct allow *a)
{
	none(a, "a rule of the policy keeps it back; only a policy file that takes the rule away allows it");
	snprintf(a->policy, sizeof a->policy, "{\"version\": 1, \"files\": {\"project\": {\"%s\": [{\"id\": \"%.64s\", \"remove\": true}]}}}", list, rule);
}

/* Strings of a policy hold no control character, and '*' stands for more than itself. */
static bool fits_policy(const char *path)
{
	for (const char *c = path; *c != '\0'; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f || *c == '*') {
			return false;
		}
	}
	return true;
}

static void allow_path(const struct policy *policy, const struct event *ev, enum file_access access, struct allow *a)
{
	static const char *const options[] = {[FILE_READ] = "--allow-read", [FILE_WRITE] = "--allow-write"};
	static const char *const lists[] = {[FILE_READ] = "read", [FILE_WRITE] = "write"};
	const char *what = NULL;
	char escaped[4200];

	if (policy != NULL && policy_role_grant_conflict(policy, ev->role, ev->target.path, access, &what)) {
		none(a, access == FILE_READ
		                ? "it is, holds or lies in a protected place (a home, a secret), and no option or policy file opens one"
		                : "it is, holds or lies in a protected place (a home, a start-up file, the system), and no option or policy file opens one");
		return;
	}
	a->option = options[access];
	snprintf(a->value, sizeof a->value, "%s:%.4096s", role_name(ev->role), ev->target.path);
	if (fits_policy(ev->target.path)) {
		json(escaped, sizeof escaped, ev->target.path);
		snprintf(a->policy, sizeof a->policy, "{\"version\": 1, \"files\": {\"%s\": {\"%s\": [\"%s\"]}}}", lists[access], role_name(ev->role), escaped);
	}
}

static void allow_file(const struct policy *policy, const struct event *ev, struct allow *a)
{
	static const struct {
		const char *rule, *why;
	} never[] = {
		{"file.write.environment", "only pip itself changes the Python environment"},
		{"file.meta.environment", "only pip itself changes the Python environment"},
		{"file.write.build", "it belongs to pip or to another package's build"},
		{"file.write.pycache", "byte code is not kept outside the sandbox's own folders; nothing needs to be done"},
		{"file.meta.setid", "a file with a set-id bit is never made in a sandbox"},
		{"file.link.", "it would lead past the sandbox"},
		{"file.terminal", "a build has no terminal"},
		{"process.inspect", "processes outside the sandbox are out of its reach"},
		{"install.pip-modified", "only who names pip on the command line changes pip"},
		{"install.requirement", "only the command line, pip's configuration and requirement files name local archives"},
		{"install.checkout", "a checkout has to be what its tool has written"},
		{"pip.write", "an archive unpacks through a link of its own, out of the temporary folder"},
		{"hook.output", "a build hook returns what lies in its own folder"},
		{"decoy.read", "what was read is a decoy; nothing was refused"},
	};
	const char *rule = ev->verdict.rule;

	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		if (begins(rule, never[i].rule)) {
			none(a, never[i].why);
			return;
		}
	}
	if (is(rule, "file.project.env") || is(rule, "file.project.key") || is(rule, "file.project.login")) {
		remove_rule("secret", rule, a);
	} else if (begins(rule, "file.project.") || begins(rule, "file.persistence.project-")) {
		remove_rule("guarded", rule, a);
	} else if (ev->target.path == NULL || ev->target.path[0] != '/') {
		none(a, NULL);
	} else {
		allow_path(policy, ev, is(ev->type, "file.open") || is(ev->type, "exec") ? FILE_READ : FILE_WRITE, a);
	}
}

static void allow_env(const struct event *ev, struct allow *a)
{
	if (!is(ev->type, "env.read") || ev->target.name == NULL) {
		none(a, "nothing was refused: secrets in it are decoys; --allow-env NAME passes one on as it is");
		return;
	}
	a->option = "--allow-env";
	snprintf(a->value, sizeof a->value, "%s:%.300s", role_name(ev->role), ev->target.name);
	a->why = "whoever runs in that role gets the real value";
}

/* The option of a limit is named by it; 0: no limit. */
static void allow_more(const struct event *ev, struct allow *a)
{
	static const char *const names[][2] = {
		{"processes", "--limit-processes"}, {"open-files", "--limit-open-files"}, {"file-size", "--limit-file-size"}, {"time", "--limit-time"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (is(ev->target.name, names[i][0])) {
			a->option = names[i][1];
			strcpy(a->value, "0");
			a->why = "0 is no limit; a larger number than the one that was reached is safer";
		}
	}
}

static void allow_import(const struct event *ev, struct allow *a)
{
	size_t len = ev->target.path != NULL ? strlen(ev->target.path) : 0;

	none(a, "nothing of the environment runs inside pip; pip works without it");
	if (len >= 4 && strcmp(ev->target.path + len - 4, ".pth") == 0) {
		a->option = "--allow-pth";
		snprintf(a->value, sizeof a->value, "%.4096s", ev->target.path);
		a->why = "its lines run inside pip, with the rights of pip";
	}
}

static void allow_exec(const struct policy *policy, const struct event *ev, struct allow *a)
{
	if (is(ev->verdict.rule, "exec.refused")) {
		allow_file(policy, ev, a);
	} else {
		none(a, is(ev->verdict.rule, "exec.credential") ? "a program that packages may have written is asked for no password"
		                                                : "only pipwarden's own helpers are started so");
	}
}

void allow_find(const struct policy *policy, const struct event *ev, struct allow *out)
{
	out->option = out->why = NULL;
	out->value[0] = out->policy[0] = '\0';
	if (begins(ev->type, "net.")) {
		allow_net(policy, ev, out);
	} else if (begins(ev->type, "file.")) {
		allow_file(policy, ev, out);
	} else if (begins(ev->type, "env.")) {
		allow_env(ev, out);
	} else if (begins(ev->type, "exec")) {
		allow_exec(policy, ev, out);
	} else if (begins(ev->type, "python.import")) {
		allow_import(ev, out);
	} else if (begins(ev->type, "resource.")) {
		allow_more(ev, out);
	} else if (begins(ev->type, "ipc.connect") && ev->role == ROLE_CREDENTIAL && ev->target.path != NULL && ev->target.path[0] == '/') {
		allow_path(policy, ev, FILE_READ, out);
	} else if (begins(ev->type, "ipc.")) {
		none(out, "only sockets of the sandbox itself can be connected to");
	} else if (begins(ev->type, "install.")) {
		none(out, "it is in the environment already: look into it before anything runs there");
	} else if (begins(ev->type, "decoy.")) {
		none(out, "it is a decoy of this run: whoever sends one on steals");
	} else if (begins(ev->type, "process.") || begins(ev->type, "syscall.")) {
		none(out, "it could reach past the sandbox, and no honest package needs it");
	}
}
