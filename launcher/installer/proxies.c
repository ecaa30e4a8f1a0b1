/* The proxies of requests' session: --proxy, and what urllib.request.getproxies_environment finds. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "launcher/installer/parts.h"

/* Is this variable NAME_proxy, in any case?  *lower: its ending is in lower case, which goes before the others. */
static const char *value_of(const char *variable, const char *name, bool *lower)
{
	size_t n = strlen(name);

	if (strncasecmp(variable, name, n) || strncasecmp(variable + n, "_proxy=", 7)) {
		return NULL;
	}
	*lower = inst_starts(variable + n, "_proxy=");
	return variable + n + 7;
}

/* The one that counts; *where is its variable.  NULL: none, or an empty one in lower case took it away. */
static const char *environment_proxy(char *const envp[], const char *name, const char **where)
{
	/* A server's CGI script would take a client's header for it. */
	bool cgi = !strcmp(name, "http") && inst_env(envp, "REQUEST_METHOD");
	const char *found = NULL;

	for (int pass = 0; pass < 2; pass++) {
		if (pass == 1 && cgi) {
			found = NULL;
		}
		for (char *const *e = envp; *e; e++) {
			bool lower;
			const char *value = value_of(*e, name, &lower);

			if (value && (pass ? lower : *value != '\0')) {
				found = *value ? value : NULL;
				*where = *e;
			}
		}
	}
	return found;
}

/* From 24.1 on --proxy stands alone; before, the environment's went before it. */
static bool uses_environment(const struct installer *ins, const struct asked *a)
{
	const char *option = a->single[OPT_PROXY].value;

	if (a->flag[OPT_NO_PROXY_ENV] || (option && !inst_version_before(ins->pip_version, 26, 2))) {
		return false;
	}
	return inst_version_before(ins->pip_version, 24, 1) || !option || !*option;
}

static const char *const schemes[] = { "http", "https" };

static void add(struct installer *ins, const char *url, bool https, const char *where)
{
	inst_hosts_add(ins, url, "http", HOST_PROXY, where);
	inst_proxies_add(&ins->proxies, url, https, where);
}

void inst_proxies_plan(struct installer *ins, const struct asked *a, char *const envp[])
{
	const struct sourced *option = &a->single[OPT_PROXY];
	bool given = option->value && *option->value;
	const char *where = NULL, *bypass = environment_proxy(envp, "no", &where);
	bool environment = uses_environment(ins, a) && !(bypass && !strcmp(bypass, "*"));

	inst_set(&ins->proxies.bypass, environment && bypass ? inst_dup(bypass) : NULL);
	for (size_t i = 0; i < 2; i++) {
		const char *proxy = environment ? environment_proxy(envp, schemes[i], &where) : NULL;

		if (!proxy && environment && !given) {
			proxy = environment_proxy(envp, "all", &where);
		}
		if (proxy) {
			cleanup_text char *name = inst_dup_n(where, strcspn(where, "="));

			add(ins, proxy, i == 1, name);
		}
		if (given && (!proxy || bypass)) {
			add(ins, option->value, i == 1, option->where);
		}
	}
}

void proxies_of_environment(struct proxies *p, char *const envp[])
{
	const char *where = NULL, *bypass = environment_proxy(envp, "no", &where);

	*p = (struct proxies){ .bypass = bypass ? inst_dup(bypass) : NULL };
	for (size_t i = 0; i < 2; i++) {
		const char *proxy = environment_proxy(envp, schemes[i], &where);

		if (!proxy) {
			proxy = environment_proxy(envp, "all", &where);
		}
		if (proxy) {
			cleanup_text char *name = inst_dup_n(where, strcspn(where, "="));

			inst_proxies_add(p, proxy, i == 1, name);
		}
	}
}
