#include "seen.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/base/environment.h"
#include "launcher/base/fd.h"
#include "policy/seek.h"
#include "policy/shape.h"
#include "session.h"
#include "supervisor.h"

#define OUT_OF_A_FILE (256u << 20) /* bytes that may be taken out of a large one */

struct seen {
	pthread_mutex_t lock;
	bool made[2];
	struct needles *needles[2];      /* by kind; then never changed */
	_Atomic bool file_read;
	char *read_as[DECOY_FILES];      /* by kind: what was read last, where that is a real file's stand-in */
};

struct seen *seen_new(void)
{
	struct seen *s = calloc(1, sizeof *s);

	if (s != NULL) {
		pthread_mutex_init(&s->lock, NULL);
	}
	return s;
}

/* --- what is looked for -------------------------------------------------------------------------- */

/* Of a URL with a password, where there is one: whose it is. */
static const char *host_of(const char *value, char *out, size_t size)
{
	size_t start, colon, end, more;

	if (!shape_userinfo(value, 0, &start, &colon, &end) || shape_userinfo(value, end, &start, &colon, &more)) {
		return NULL;
	}
	size_t len = strcspn(value + end + 1, ":/?# \t,;\"'");
	return len > 0 && len < size ? snprintf(out, size, "%.*s", (int)len, value + end + 1), out : NULL;
}

static bool add_variables(struct supervisor *s, struct needles *n, unsigned *of)
{
	char **names = s->sandbox_env.replaced, host[256];
	bool good = true;

	for (; good && names != NULL && names[*of] != NULL; ++*of) {
		const char *value = envp_get(s->sandbox_env.envp, names[*of]);
		good = value == NULL || needles_add(n, value, host_of(value, host, sizeof host), *of);
	}
	return good;
}

static bool add_files(struct supervisor *s, struct needles *n, unsigned first)
{
	bool good = true;

	for (size_t kind = 0; good && kind < DECOY_FILES; kind++) {
		const char *host;
		char **secrets = decoy_file_secrets(s->run->decoy_key, kind, &host);
		good = secrets != NULL;
		for (char **each = secrets; good && *each != NULL; each++) {
			good = needles_add(n, *each, host, first + (unsigned)kind);
		}
		env_secrets_free(secrets);
	}
	return good;
}

static void no_memory(struct supervisor *s)
{
	supervisor_abort(s, 125, "there is no memory to look for decoys: nothing may leave unseen");
}

/* false: not all of them. */
static bool make(struct supervisor *s, enum needle_kind kind, struct needles **out)
{
	unsigned variables = 0;

	*out = needles_new(kind);
	return *out != NULL && add_variables(s, *out, &variables) && add_files(s, *out, variables);
}

const struct needles *seen_needles(struct sandbox *sb, enum needle_kind kind)
{
	struct seen *seen = sb->sup->seen;

	if (sb->audit || seen == NULL) {
		return NULL;
	}
	pthread_mutex_lock(&seen->lock);
	if (!seen->made[kind]) {
		seen->made[kind] = true;
		if (!make(sb->sup, kind, &seen->needles[kind])) {
			no_memory(sb->sup); /* before anybody goes on with those that are there */
		}
	}
	pthread_mutex_unlock(&seen->lock);
	return seen->needles[kind];
}

bool seen_possible(const struct sandbox *sb)
{
	const struct supervisor *s = sb->sup;

	return !sb->audit && s->seen != NULL && ((s->sandbox_env.replaced != NULL && s->sandbox_env.replaced[0] != NULL) || atomic_load(&s->seen->file_read));
}

void seen_file_read(struct sandbox *sb, const char *real)
{
	struct seen *seen = sb->sup->seen;
	size_t kind = decoy_file_kind(real);
	bool home = sb->home != NULL && strncmp(real, sb->home, strlen(sb->home)) == 0;

	if (seen == NULL) {
		return;
	}
	pthread_mutex_lock(&seen->lock);
	free(seen->read_as[kind]);
	seen->read_as[kind] = home ? NULL : strdup(real);
	pthread_mutex_unlock(&seen->lock);
	atomic_store(&seen->file_read, true);
}

/* --- what was found ------------------------------------------------------------------------------ */

static const struct {
	const char *name, *rule, *detail;
} places[] = {
	[SEEN_NAME] = {"name", "decoy.seen", "the question reached nobody: whoever runs the domain would have read it"},
	[SEEN_ADDRESS] = {"address", "decoy.seen", "whoever is on the way to it would have read it"},
	[SEEN_URL] = {"url", "decoy.seen", "whoever is asked for it reads it"},
	[SEEN_ARGV] = {"argv", "decoy.seen.argv", "an honest program may be given a token like this; what it sends of it is looked at by itself"},
	[SEEN_HTTP] = {"http", "decoy.seen", "it was handed to Python's http.client, to be sent to a host that it is not for"},
	[SEEN_STREAM] = {"stream", "decoy.seen", "it was told to a host that it is not for"},
	[SEEN_WHEEL] = {"wheel", "decoy.seen", "what is built is installed, and may be published"},
	[SEEN_SOURCE] = {"source", "decoy.seen.source", "a build that writes its environment down leaves the secrets in it to whoever reads the project's folder"},
};

/* Which decoy it is: of a variable, or of a file as the package knew it. */
static void name_source(const struct sandbox *sb, unsigned of, struct event_decoy *out, char path[4096])
{
	struct seen *seen = sb->sup->seen;
	char **names = sb->sup->sandbox_env.replaced;
	unsigned variables = 0;

	while (names != NULL && names[variables] != NULL) {
		variables++;
	}
	if (of < variables) {
		out->name = names[of];
		return;
	}
	pthread_mutex_lock(&seen->lock);
	const char *as = seen->read_as[of - variables], *own = decoy_file_path(of - variables);
	snprintf(path, 4096, "%s%s", as != NULL || own == NULL ? "" : "~/", as != NULL ? as : own != NULL ? own : "a protected file");
	pthread_mutex_unlock(&seen->lock);
	out->path = path;
}

/* What holds no decoy itself. */
static const char *innocent(struct sandbox *sb, enum needle_kind kind, const char *text)
{
	struct needle_hits hits = {.n = 0};

	return text != NULL && !needles_search(seen_needles(sb, kind), text, strlen(text), &hits) ? text : NULL;
}

/* Build tools keep in the project's folder what they have looked up: meson a .netrc. */
static struct verdict verdict_of(const struct sandbox *sb, enum seen_in in, const struct event_decoy *decoy)
{
	return policy_rule(supervisor_policy(sb->sup), in == SEEN_SOURCE && decoy->path != NULL ? "decoy.seen.source.file" : places[in].rule);
}

bool decoy_seen_record(struct sandbox *sb, pid_t pid, const struct seen_place *where, const struct needle_hits *hits)
{
	bool found = false;
	struct event_target target = {.host = innocent(sb, NEEDLE_NAME, where->host), .port = where->port, .path = innocent(sb, NEEDLE_DATA, where->path)};

	for (size_t i = 0; i < hits->n; i++) {
		char path[4096];
		struct event ev = {
			.type = "decoy.seen", .source = where->origin != NULL ? SRC_SHIM : SRC_KERNEL,
			.target = target,
			.origin = where->origin != NULL ? *where->origin : (struct event_origin){.line = 0},
			.decoy = {.encoding = hits->v[i].encoding, .in = places[where->in].name},
			.detail = places[where->in].detail,
		};
		name_source(sb, hits->v[i].of, &ev.decoy, path);
		ev.verdict = verdict_of(sb, where->in, &ev.decoy);
		enum policy_action action = ev.verdict.action;
		bool stopped = !where->ahead && (action == ACTION_ABORT || (where->stopped && action != ACTION_ALLOW));
		ev.action = stopped ? EV_DENIED : EV_OBSERVED;
		supervisor_record(sb, pid, &ev);
		found |= action != ACTION_ALLOW;
	}
	return found;
}

/* Once, however much more there is. */
static bool record_unread(struct sandbox *sb, const struct seen_place *where)
{
	struct event ev = {
		.type = "decoy.unread", .source = SRC_KERNEL, .verdict = policy_rule(supervisor_policy(sb->sup), "decoy.unread"),
		.target = {.path = innocent(sb, NEEDLE_DATA, where->path)},
		.detail = "what else is packed or encoded in it, or in what is looked at after it, is not looked into: 256 MiB are taken out of a file, 1 GiB of all that a build leaves",
	};
	enum policy_action action = ev.verdict.action;

	ev.action = action == ACTION_ABORT || (where->stopped && action != ACTION_ALLOW) ? EV_DENIED : EV_OBSERVED;
	supervisor_record(sb, 0, &ev);
	return action != ACTION_ALLOW;
}

/* most: bytes that may be taken out of these.  True: not all that is packed was looked into, by a rule that does not just allow it. */
static bool look_into(struct sandbox *sb, const struct seen_place *where, const void *bytes, size_t len, size_t most, struct needle_hits *hits)
{
	struct seen_budget *all = where->budget;
	size_t given = all != NULL && all->left < most ? all->left : most, left = given;

	seek_data_of(seen_needles(sb, NEEDLE_DATA), bytes, len, &left, hits);
	if (all == NULL) {
		return false;
	}
	all->left -= given - left;
	if (left > 0 || all->told) {
		return false;
	}
	all->told = true;
	return record_unread(sb, where);
}

bool decoy_seen_data(struct sandbox *sb, pid_t pid, const struct seen_place *where, const void *bytes, size_t len)
{
	struct needle_hits hits = {.host = where->host};

	if (!seen_possible(sb)) {
		return false;
	}
	bool unread = look_into(sb, where, bytes, len, SEEK_BUDGET(len), &hits);
	return (hits.n > 0 && decoy_seen_record(sb, pid, where, &hits)) || unread;
}

/* Of a wheel, and of nothing else, it goes without saying that it is a zip. */
static void take_off_zip(struct needle_hits *hits)
{
	for (size_t i = 0; i < hits->n; i++) {
		char *encoding = hits->v[i].encoding;
		if (strncmp(encoding, "zip+", 4) == 0) {
			memmove(encoding, encoding + 4, strlen(encoding + 4) + 1);
		} else if (strcmp(encoding, "zip") == 0) {
			snprintf(encoding, sizeof hits->v[i].encoding, "plain");
		}
	}
}

bool decoy_seen_file(struct sandbox *sb, const struct seen_place *where, int fd, size_t len)
{
	struct needle_hits hits = {.n = 0};
	size_t have = 0;
	char *text = malloc(len + 1);

	if (text == NULL) {
		no_memory(sb->sup);
		return true;
	}
	while (have < len) {
		ssize_t n = read(fd, text + have, len - have);
		if (n <= 0) {
			break;
		}
		have += (size_t)n;
	}
	bool unread = look_into(sb, where, text, have, OUT_OF_A_FILE, &hits);
	free(text);
	if (where->in == SEEN_WHEEL) {
		take_off_zip(&hits);
	}
	return (hits.n > 0 && decoy_seen_record(sb, 0, where, &hits)) || unread;
}
