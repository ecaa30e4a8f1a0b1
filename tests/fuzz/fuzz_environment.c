/* A whole environment, NUL after NUL: no secret passes into a role that runs a package's code, and what passes is the caller's own. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "policy/decoy.h"
#include "policy/policy.h"

#define VARIABLES 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const homes[] = {"/home/ann", NULL};

static const struct policy *policy(void)
{
	static struct policy *p;
	struct policy_error err = {0};

	if (p == NULL) {
		p = policy_new(&err);
		assert(p != NULL && policy_finish(p, homes, &err) == 0);
	}
	return p;
}

static bool is_there(char *const *envp, const char *entry)
{
	while (*envp != NULL && strcmp(*envp, entry) != 0) {
		envp++;
	}
	return *envp != NULL;
}

static void check(enum role role, char *const *envp)
{
	static const uint8_t key[DECOY_KEY_LEN] = "fuzz";
	struct env_set set = {0};

	if (env_for_role(policy(), role, envp, key, &set) < 0) {
		return;
	}
	for (char *const *e = envp; *e != NULL; e++) {
		const char *equals = strchr(*e, '=');
		if (equals == NULL || equals == *e || equals - *e > 200) {
			continue;
		}
		char name[256];
		memcpy(name, *e, (size_t)(equals - *e));
		name[equals - *e] = '\0';
		/* A decoy may be equal to what the fuzzer has seen of one; the class of its value is then the same. */
		if (policy_env(policy(), role, name, equals + 1) == ENV_PUBLIC && role == ROLE_INSTALLER) {
			assert(is_there(set.envp, *e) || strchr(equals, '@') != NULL);
		}
		if (policy_env(policy(), role, name, equals + 1) == ENV_POINTER) {
			assert(!is_there(set.envp, *e));
		}
	}
	env_set_finish(&set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *envp[VARIABLES + 1];
	size_t n = 0;

	memcpy(text, data, size);
	text[size] = '\0';
	for (size_t at = 0; at < size && n < VARIABLES; at += strlen(text + at) + 1) {
		envp[n++] = text + at;
	}
	envp[n] = NULL;
	for (int role = 0; role < ROLE_COUNT; role++) {
		check((enum role)role, envp);
	}
	char **secrets = env_secrets(policy(), envp, (char *[]){NULL});
	for (char **s = secrets; s != NULL && *s != NULL; s++) {
		assert(strlen(*s) >= 1);
	}
	env_secrets_free(secrets);
	free(text);
	return 0;
}
