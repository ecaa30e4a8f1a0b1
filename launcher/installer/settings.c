/* pip's configuration: its files and variables, in the order in which pip lays them over each other. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "launcher/installer/parts.h"

struct adder {
	struct settings *s;
	const char *path;
};

static void put(struct settings *s, const char *section, const char *key, const char *value, char *where, enum host_origin origin)
{
	struct setting *one = NULL;

	for (size_t i = 0; i < s->n && !one; i++) {
		if (!strcmp(s->v[i].section, section) && !strcmp(s->v[i].key, key)) {
			one = &s->v[i];
		}
	}
	if (!one) {
		s->v = inst_grow(s->v, s->n, sizeof(*s->v));
		one = &s->v[s->n++];
		one->section = inst_dup(section);
		one->key = inst_dup(key);
	}
	inst_set(&one->value, inst_dup(value));
	inst_set(&one->where, where);
	one->origin = origin;
}

static void put_entry(void *ctx, const char *section, const char *key, const char *value)
{
	struct adder *a = ctx;

	put(a->s, section, key, value, inst_format("%s: %s", a->path, key), HOST_CONFIG);
}

static void read_file(struct settings *s, const char *path)
{
	struct adder adder = { s, path };
	size_t len;
	cleanup_text char *text = inst_file_text(path, 256 << 10, &len);

	if (text) {
		pip_conf_parse(text, len, put_entry, &adder);
	}
}

static void read_joined(struct settings *s, const char *dir, const char *name)
{
	cleanup_text char *path = inst_path_join(dir, name);

	read_file(s, path);
}

char *pip_config_dir(char *const envp[], const char *home)
{
	const char *xdg = inst_env(envp, "XDG_CONFIG_HOME");

	return xdg && *xdg ? inst_path_join(xdg, "pip") : inst_path_join(home, ".config/pip");
}

static void read_global(struct settings *s, char *const envp[])
{
	const char *dirs = inst_env(envp, "XDG_CONFIG_DIRS");

	for (const char *at = dirs && *dirs ? dirs : "/etc/xdg";;) {
		size_t len = strcspn(at, ":");
		cleanup_text char *dir = inst_dup_n(at, len);

		if (len) {
			read_joined(s, dir, "pip/pip.conf");
		}
		if (!at[len]) {
			break;
		}
		at += len + 1;
	}
	read_file(s, "/etc/pip.conf");
}

static void read_user(struct settings *s, char *const envp[], const char *home)
{
	cleanup_text char *dir = pip_config_dir(envp, home);

	read_joined(s, home, ".pip/pip.conf");
	read_joined(s, dir, "pip.conf");
}

static void read_variables(struct settings *s, char *const envp[])
{
	for (; *envp; envp++) {
		const char *equals = strchr(*envp, '=');
		cleanup_text char *key = NULL;

		if (!equals || !inst_starts(*envp, "PIP_")) {
			continue;
		}
		key = inst_dup_n(*envp + 4, (size_t)(equals - *envp - 4));
		for (char *c = key; *c; c++) {
			*c = *c == '_' ? '-' : *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
		}
		if (strcmp(key, "version") && strcmp(key, "help")) {
			put(s, ":env:", key, equals + 1, inst_dup_n(*envp, (size_t)(equals - *envp)), HOST_ENVIRONMENT);
		}
	}
}

void pip_settings_read(struct settings *s, const struct python_env *env, char *const envp[], const char *home, bool isolated)
{
	const char *named = inst_env(envp, "PIP_CONFIG_FILE");

	if (!named || strcmp(named, "/dev/null")) {
		read_global(s, envp);
		if (!isolated && !(named && *named && !access(named, F_OK))) {
			read_user(s, envp, home);
		}
		read_joined(s, env->prefix, "pip.conf");
		if (named && *named) {
			read_file(s, named);
		}
	}
	if (!isolated) {
		read_variables(s, envp);
	}
}

/* The sections' order: a later one wins; an empty value counts for nothing. */
static const struct setting *winner(const struct settings *s, const char *key, const char *command)
{
	const char *order[] = { ":env:", command, "global" };

	for (size_t o = 0; o < 3; o++) {
		for (size_t i = 0; i < s->n; i++) {
			if (s->v[i].value[0] && !strcmp(s->v[i].section, order[o]) && !strcmp(s->v[i].key, key)) {
				return &s->v[i];
			}
		}
	}
	return NULL;
}

void pip_settings_effective(const struct settings *s, const char *command, void (*each)(void *ctx, const struct setting *one), void *ctx)
{
	for (size_t i = 0; i < s->n; i++) {
		if (winner(s, s->v[i].key, command) == &s->v[i]) {
			each(ctx, &s->v[i]);
		}
	}
}

void pip_settings_finish(struct settings *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->v[i].section);
		free(s->v[i].key);
		free(s->v[i].value);
		free(s->v[i].where);
	}
	free(s->v);
	*s = (struct settings){ 0 };
}
