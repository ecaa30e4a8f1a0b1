/* Which variables are secrets.  Names are compared without regard to case: a tool that reads `github_token` means the same. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/internal.h"
#include "policy/match.h"
#include "policy/shape.h"

#define NAME_MAX_LEN 256

const char *env_list_name(enum env_list list)
{
	static const char *const names[] = {"public", "installer", "pointer", "secret"};

	return names[list];
}

const char *env_pattern_error(const char *pattern)
{
	size_t len = strlen(pattern);

	if (!len || len >= NAME_MAX_LEN)
		return "the name of a variable was expected";
	if (strspn(pattern, "*") == len)
		return "the pattern stands for every variable";
	for (const char *c = pattern; *c; c++)
		if (*c == '=' || (unsigned char)*c <= ' ' || (unsigned char)*c >= 127)
			return "no variable can have that name";
	return NULL;
}

static int compare_patterns(const void *left, const void *right)
{
	const struct env_pattern *a = left, *b = right;

	if (a->exact != b->exact)
		return a->exact ? -1 : 1;
	return strcasecmp(a->pattern, b->pattern);
}

void env_compile(struct policy *p)
{
	p->env_exact = 0;
	for (size_t i = 0; i < p->env_count; i++) {
		struct env_pattern *e = &p->env[i];
		e->exact = !strchr(e->pattern, '*');
		e->rank = 0;
		for (const char *c = e->pattern; *c; c++)
			e->rank += *c != '*';
		p->env_exact += e->exact;
	}
	array_sort(p->env, p->env_count, sizeof(*p->env), compare_patterns);
}

static int compare_name(const void *name, const void *pattern)
{
	return strcasecmp(name, ((const struct env_pattern *)pattern)->pattern);
}

/* The entry that speaks for the name: the name itself, or the pattern with most literal characters, on a tie the stricter. */
static const struct env_pattern *listed(const struct policy *p, const char *name)
{
	const struct env_pattern *best = NULL;

	if (p->env_exact)
		best = bsearch(name, p->env, p->env_exact, sizeof(*p->env), compare_name);
	if (best)
		return best;
	for (size_t i = p->env_exact; i < p->env_count; i++) {
		const struct env_pattern *e = &p->env[i];
		if (!glob_match_nocase(e->pattern, strlen(e->pattern), name, strlen(name)))
			continue;
		if (!best || e->rank > best->rank || (e->rank == best->rank && e->list > best->list))
			best = e;
	}
	return best;
}

/* --- by the parts of the name ------------------------------------------------------------------ */

static bool has_word(const struct strings *words, const char *part)
{
	for (size_t i = 0; i < words->n; i++)
		if (!strcmp(words->v[i], part))
			return true;
	return false;
}

static bool has_ending(const struct strings *endings, const char *part)
{
	size_t len = strlen(part);

	for (size_t i = 0; i < endings->n; i++) {
		size_t n = strlen(endings->v[i]);
		if (len >= n && !strcmp(part + len - n, endings->v[i]))
			return true;
	}
	return false;
}

static bool has_pair(const struct strings *pairs, const char *left, const char *right)
{
	size_t n = strlen(left);

	for (size_t i = 0; i < pairs->n; i++) {
		const char *pair = pairs->v[i];
		if (!strncmp(pair, left, n) && pair[n] == ' ' && !strcmp(pair + n + 1, right))
			return true;
	}
	return false;
}

/* "KEY2" is KEY; a part of digits alone stays. */
static void drop_digits(char *part)
{
	size_t n = strlen(part);

	while (n > 1 && isdigit((unsigned char)part[n - 1]))
		n--;
	if (!isdigit((unsigned char)part[n - 1]))
		part[n] = '\0';
}

static bool secret_parts(const struct policy *p, const char *name)
{
	char upper[NAME_MAX_LEN], *save = NULL;
	const char *last = NULL;
	size_t len = strlen(name);

	if (!strcasecmp(name, "PWD") || !strcasecmp(name, "OLDPWD"))
		return false;
	/* Of an absurdly long name the end counts: there the words stand. */
	if (len >= sizeof(upper))
		name += len - sizeof(upper) + 1;
	for (size_t i = 0; i <= strlen(name); i++)
		upper[i] = (char)toupper((unsigned char)name[i]);
	for (char *part = strtok_r(upper, "_-.", &save); part; part = strtok_r(NULL, "_-.", &save)) {
		drop_digits(part);
		if (has_word(&p->env_words, part) || has_ending(&p->env_endings, part) ||
		    (last && has_pair(&p->env_pairs, last, part)))
			return true;
		last = part;
	}
	return false;
}

/* MAX_TOKENS=4096, OTP_VERSION=26.2, USE_AUTH=true: a word of a secret's name, and a value that is none.  Six digits could be a one-time
 * password. */
static bool setting(const char *value)
{
	static const char *const words[] = {"true", "false", "yes", "no", "on", "off", "none", "auto"};
	size_t len = strlen(value);

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strcasecmp(value, words[i]))
			return true;
	return len < (strchr(value, '.') ? 8 : 6) && strspn(value, "0123456789.") == len;
}

static bool allowed_by_option(const struct policy *p, enum role role, const char *name)
{
	for (size_t i = 0; i < p->env_allowed_count; i++) {
		const struct env_allowed *a = &p->env_allowed[i];
		if (a->role == role && glob_match(a->pattern, strlen(a->pattern), name, strlen(name)))
			return true;
	}
	return false;
}

bool role_trusted(enum role role)
{
	return role == ROLE_INSTALLER || role == ROLE_VCS || role == ROLE_CREDENTIAL;
}

struct env_answer env_decide(const struct policy *p, enum role role, const char *name, const char *value, bool heed_options)
{
	struct env_answer answer = {.class = ENV_PUBLIC};

	if (heed_options && allowed_by_option(p, role, name)) {
		answer.allowed = true;
		return answer;
	}
	if (!*value)
		return answer;
	const struct env_pattern *e = listed(p, name);
	if (!e) {
		if ((secret_parts(p, name) && !setting(value)) || shape_is_secret(value))
			answer.class = ENV_SECRET;
		return answer;
	}
	switch (e->list) {
	case ENV_LIST_SECRET:
		answer.class = ENV_SECRET;
		break;
	case ENV_LIST_POINTER:
		/* PIP_CONFIG_FILE=/dev/null leads to nothing and must stay, or pip would read its other files. */
		if (!role_trusted(role) && strcmp(value, "/dev/null"))
			answer.class = ENV_POINTER;
		answer.installer = true; /* as it is: a proxy's URL with its login */
		break;
	case ENV_LIST_INSTALLER:
		answer.installer = true;
		break;
	case ENV_LIST_PUBLIC:
	case ENV_LIST_COUNT:
		break;
	}
	return answer;
}

enum env_class policy_env(const struct policy *p, enum role role, const char *name, const char *value)
{
	return env_decide(p, role, name, value, true).class;
}
