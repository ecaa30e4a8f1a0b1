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

static bool is_blank(const char *text)
{
	return !text[strspn(text, " \t\r\n\f\v")];
}

/* pip's vendored platformdirs, before 21.3 appdirs, takes these variables otherwise each time: from 26.3 on what is not absolute is as if it were not there. */
char *pip_config_dir(const char *pip_version, char *const envp[], const char *home)
{
	const char *xdg = inst_env(envp, "XDG_CONFIG_HOME");
	bool set = xdg && (inst_version_before(pip_version, 21, 3) ||
	                   (inst_version_before(pip_version, 26, 3) ? !is_blank(xdg) : xdg[strspn(xdg, " \t\r\n\f\v")] == '/'));
	cleanup_text char *written = set ? inst_dup(xdg) : NULL;

	if (!set) {
		return inst_path_join(home, ".config/pip");
	}
	return *written ? inst_path_join(inst_version_before(pip_version, 26, 3) ? written : inst_strip(written), "pip") : inst_dup("pip");
}

/* The folder that one entry of XDG_CONFIG_DIRS is; an empty one may be the working folder.  NULL: it does not count. */
static char *global_folder(const char *pip_version, char *entry, const char *home)
{
	if (!inst_version_before(pip_version, 26, 3)) {
		entry = inst_strip(entry);
		return *entry == '/' ? inst_dup(entry) : NULL;
	}
	if (!*entry && (inst_version_before(pip_version, 21, 3) || !inst_version_before(pip_version, 26, 2))) {
		return NULL;
	}
	if (!*entry) {
		return inst_dup(".");
	}
	return inst_version_before(pip_version, 24, 1) ? inst_path_expand_user(entry, home) : inst_dup(entry);
}

static void read_global(struct settings *s, const char *pip_version, char *const envp[], const char *home)
{
	const char *dirs = inst_env(envp, "XDG_CONFIG_DIRS");

	for (const char *at = dirs && !is_blank(dirs) ? dirs : "/etc/xdg";; at++) {
		size_t len = strcspn(at, ":");
		cleanup_text char *entry = inst_dup_n(at, len);
		cleanup_text char *dir = global_folder(pip_version, entry, home);

		if (dir) {
			read_joined(s, dir, "pip/pip.conf");
		}
		at += len;
		if (!*at) {
			break;
		}
	}
	read_file(s, "/etc/pip.conf");
}

static void read_user(struct settings *s, const char *pip_version, char *const envp[], const char *home)
{
	cleanup_text char *dir = pip_config_dir(pip_version, envp, home);

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
			put(s, ":env:", inst_starts(key, "--") ? key + 2 : key, equals + 1, inst_dup_n(*envp, (size_t)(equals - *envp)), HOST_ENVIRONMENT);
		}
	}
}

void pip_settings_read(struct settings *s, const struct installer *ins, char *const envp[], const char *home)
{
	const char *named = inst_env(envp, "PIP_CONFIG_FILE");
	bool isolated = strings_has(&ins->args, "--isolated");

	if (!named || strcmp(named, "/dev/null")) {
		read_global(s, ins->pip_version, envp, home);
		if (!isolated && !(named && *named && !access(named, F_OK))) {
			read_user(s, ins->pip_version, envp, home);
		}
		read_joined(s, ins->env.prefix, "pip.conf");
		if (named && *named) {
			read_file(s, named);
		}
	}
	if (!isolated) {
		read_variables(s, envp);
	}
}

/* An empty value counts for nothing. */
static bool counts(const struct setting *one, const char *section)
{
	return one->value[0] && !strcmp(one->section, section);
}

static bool is_replaced(const struct settings *s, const struct setting *one, const char *const sections[], size_t n)
{
	for (size_t o = 0; o < n; o++) {
		for (size_t i = 0; i < s->n; i++) {
			if (counts(&s->v[i], sections[o]) && !strcmp(s->v[i].key, one->key)) {
				return true;
			}
		}
	}
	return false;
}

void pip_settings_effective(const struct settings *s, const char *command, void (*each)(void *ctx, const struct setting *one), void *ctx)
{
	const char *const sections[] = { "global", command, ":env:" };

	for (size_t o = 0; o < 3; o++) {
		for (size_t i = 0; i < s->n; i++) {
			if (counts(&s->v[i], sections[o]) && !is_replaced(s, &s->v[i], sections + o + 1, 2 - o)) {
				each(ctx, &s->v[i]);
			}
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
