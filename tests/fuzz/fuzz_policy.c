/* A policy text, and the strings that the matchers are asked about.  The first line is a subject, the rest a layer. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "policy/decoy.h"
#include "policy/policy.h"

static const char *const homes[] = {"/home/ann", "/root", NULL};
static const uint8_t key[DECOY_KEY_LEN] = "fuzz", other_key[DECOY_KEY_LEN] = "other";

static void check_error(const struct policy_error *err)
{
	assert(err->message[0]);
	assert(memchr(err->message, '\0', sizeof(err->message)) && memchr(err->file, '\0', sizeof(err->file)));
	assert(!err->line == !err->column);
}

static void check_verdict(bool found, const struct verdict *v)
{
	assert(!found || (v->rule && *v->rule && v->kind && v->severity <= SEV_CRITICAL && v->action <= ACTION_ABORT));
}

/* A decoy is its own decoy, and is not the value: but a value may be the decoy of one key (the fuzzer copies what it sees compared),
 * so of two keys one must answer something else. */
static void check_decoy(const char *value)
{
	bool remove, again;
	char *one = decoy_value(key, "NAME", value, &remove);

	assert(!one == remove);
	if (!one)
		return;
	if (!strcmp(one, value)) {
		char *other = decoy_value(other_key, "NAME", value, &again);
		assert(other && strcmp(other, value));
		free(other);
	}
	char *two = decoy_value(key, "NAME", one, &again);
	assert(two && !strcmp(one, two));
	free(one);
	free(two);
}

static void check_environment(const struct policy *p, const char *subject)
{
	size_t len = strlen(subject);
	char *secret = malloc(len + sizeof("A_TOKEN=")), *plain = malloc(len + 3);
	struct env_set s;

	strcat(strcpy(secret, "A_TOKEN="), subject);
	strcat(strcpy(plain, "X="), subject);
	char *envp[] = {secret, plain, (char *)subject, NULL};
	for (int role = 0; role < ROLE_COUNT; role++) {
		assert(!env_for_role(p, (enum role)role, envp, key, &s));
		env_set_finish(&s);
	}
	char **secrets = env_secrets(p, envp, (char *[]){NULL});
	assert(secrets);
	for (char **v = secrets; *v; v++)
		assert(strlen(*v) >= 8 && (v == secrets || strlen(v[-1]) >= strlen(*v)));
	env_secrets_free(secrets);
	free(secret);
	free(plain);
}

static void ask(const struct policy *p, const char *subject)
{
	struct verdict v = {0};
	const char *what = NULL;

	for (int access = FILE_READ; access <= FILE_WRITE; access++) {
		check_verdict(policy_file(p, subject, (enum file_access)access, &v), &v);
		bool conflict = policy_grant_conflict(p, subject, (enum file_access)access, &what);
		assert(!conflict || what);
	}
	bool denied = policy_host_denied(p, subject, &v);
	check_verdict(denied, &v);
	check_verdict(policy_host_watched(p, subject, &v), &v);
	check_verdict(policy_address_denied(p, subject, &v), &v);
	for (int role = 0; role < ROLE_COUNT; role++) {
		policy_host_allowed(p, (enum role)role, subject, 443);
		policy_env(p, (enum role)role, subject, subject);
	}
	v = policy_rule(p, subject);
	check_verdict(*subject != '\0', &v);
	check_environment(p, subject);
}

static void try_layer(const char *subject, const char *layer, size_t len)
{
	struct policy_error err = {0};
	struct policy *p = policy_new(&err);

	assert(p);
	if (policy_allow_host(p, ROLE_GUEST, subject, &err))
		check_error(&err);
	if (policy_allow_env(p, ROLE_GUEST, subject, &err))
		check_error(&err);
	if (policy_allow_path(p, ROLE_GUEST, FILE_READ, subject, "/tmp", &err))
		check_error(&err);
	if (policy_add_text(p, "fuzz", layer, len, &err) || policy_finish(p, homes, &err)) {
		check_error(&err);
	} else {
		assert(strlen(policy_digest(p)) == 64);
		ask(p, subject);
		char *text = policy_show(p);
		assert(text);
		free(text);
	}
	policy_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct policy *builtin; /* reading it takes a hundred times as long as asking it */
	const uint8_t *line = memchr(data, '\n', size);
	size_t first = line ? (size_t)(line - data) : size;
	char *subject = strndup((const char *)data, first);
	struct policy_error err = {0};

	assert(subject);
	if (!builtin) {
		builtin = policy_new(&err);
		assert(builtin && !policy_finish(builtin, homes, &err));
	}
	check_decoy(subject);
	ask(builtin, subject);
	if (line)
		try_layer(subject, (const char *)line + 1, size - first - 1);
	free(subject);
	return 0;
}
