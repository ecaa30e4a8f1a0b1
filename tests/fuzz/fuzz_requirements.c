/* Requirements files and what their lines name: words come out stripped and without comments, hosts are plain. */
#include <assert.h>
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/installer/parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_host(const char *text, const char *scheme)
{
	struct url u;

	if (!pip_url_parse(text, scheme, &u)) {
		assert(!u.host);
		return;
	}
	assert(*u.host && u.port > 0 && u.port < 65536);
	for (const char *c = u.host; *c; c++) {
		assert(isalnum((unsigned char)*c) || strchr(".-_:", *c));
		assert(!isupper((unsigned char)*c));
	}
	free(u.host);
}

static void check_repository(const char *text)
{
	struct vcs_requirement one;

	if (pip_vcs_parse(text, &one)) {
		assert(one.url && one.shown && !strchr(one.shown, '#') && (one.host != NULL) == (one.port != 0));
		for (const char *c = one.host ? one.host : ""; *c; c++) {
			assert(isalnum((unsigned char)*c) || strchr(".-_:", *c));
		}
	}
	pip_vcs_finish(&one);
}

static void check_option(void *ctx, const struct option_def *def, const char *value)
{
	assert(def->value == (value != NULL));
	assert(def->commands & CMD_FILE);
	if (value) {
		check_host(value, "http");
	}
}

static void check_requirement(void *ctx, unsigned line, const char *text)
{
	char *where;
	enum requirement_kind kind = pip_requirement_kind(text, "/nowhere", &where);

	assert(line > 0 && !isspace((unsigned char)*text));
	assert((kind == REQ_NAME) == !where);
	if (kind == REQ_URL) {
		check_host(where, NULL);
	}
	if (kind == REQ_VCS) {
		check_repository(where);
	}
	if (kind == REQ_FILE || kind == REQ_DIRECTORY) {
		assert(where[0] == '/' && !strstr(where, "//") && !strstr(where, "/../"));
	}
	free(where);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char *const envp[] = { (char *)"A=https://x.example/ # ${A}", (char *)"B=", NULL };
	struct option_sink sink = { NULL, check_option, NULL };

	pip_requirements_parse((const char *)data, size, envp, &sink, check_requirement, NULL);
	return 0;
}
