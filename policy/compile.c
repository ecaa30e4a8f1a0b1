/* Build time: reads the built-in policy as every other layer is read, and writes the model as C tables, so that no run has to read it again.
 *
 *     policy-compile builtin.json builtin.c
 *
 * Exit status 1, with file, line and column, when the policy is wrong: the build stops. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/internal.h"

static void put_text(FILE *out, const char *text)
{
	if (!text) {
		fputs("NULL", out);
		return;
	}
	fputc('"', out);
	for (const unsigned char *c = (const unsigned char *)text; *c; c++)
		if (*c < 0x20 || *c >= 0x7f || *c == '"' || *c == '\\' || *c == '?')
			fprintf(out, "\\%03o", *c);
		else
			fputc(*c, out);
	fputc('"', out);
}

static void put_member(FILE *out, const char *name, const char *text)
{
	fprintf(out, ".%s = ", name);
	put_text(out, text);
	fputs(", ", out);
}

/* cap leaves no room: whoever adds to the list makes a copy of it. */
static void put_strings(FILE *out, const char *name, const struct strings *s)
{
	if (!s->n)
		return;
	fprintf(out, ".%s = {(const char *[]){", name);
	for (size_t i = 0; i < s->n; i++) {
		put_text(out, s->v[i]);
		fputs(", ", out);
	}
	fprintf(out, "NULL}, %zu, %zu}, ", s->n, s->n + 1);
}

static void put_place(FILE *out, const struct place *at)
{
	fprintf(out, ".at = {policy_builtin_origin, %u, %u}", at->line, at->column);
}

static void put_rules(FILE *out, const struct policy *p)
{
	fputs("static const struct rule rules[] = {\n", out);
	for (size_t i = 0; i < p->rule_count; i++) {
		const struct rule *r = &p->rules[i];
		fputs("\t{", out);
		put_member(out, "id", r->id);
		put_member(out, "kind", r->kind);
		put_member(out, "text", r->text);
		fprintf(out, ".severity = %d, .list = %d, .has_action = %d, .own_action = %d, ", r->severity, r->list, r->has_action,
			r->own_action);
		put_strings(out, "patterns", &r->patterns);
		put_strings(out, "except", &r->except);
		put_strings(out, "addresses", &r->addresses);
		put_place(out, &r->at);
		fputs("},\n", out);
	}
	fputs("};\n\n", out);
}

/* A pattern and what goes with it: an action, or a list. */
static void put_pattern(FILE *out, const char *pattern, const char *member, int value, const struct place *at)
{
	fputs("\t{", out);
	put_member(out, "pattern", pattern);
	fprintf(out, ".%s = %d, ", member, value);
	put_place(out, at);
	fputs("},\n", out);
}

static void put_actions(FILE *out, const struct policy *p)
{
	fputs("static const struct action_entry actions[] = {\n", out);
	for (size_t i = 0; i < p->action_count; i++)
		put_pattern(out, p->actions[i].pattern, "action", p->actions[i].action, &p->actions[i].at);
	fputs("};\n\n", out);
}

static void put_env(FILE *out, const struct policy *p)
{
	fputs("static const struct env_pattern env[] = {\n", out);
	for (size_t i = 0; i < p->env_count; i++)
		put_pattern(out, p->env[i].pattern, "list", p->env[i].list, &p->env[i].at);
	fputs("};\n\n", out);
}

/* Words such as "@index" are all that the built-in lists hold; a host there would need more members. */
static int put_hosts(FILE *out, const struct policy *p)
{
	fputs("static const struct builtin_word words[] = {\n", out);
	for (int role = 0; role < ROLE_COUNT; role++)
		for (size_t i = 0; i < p->hosts[role].n; i++) {
			const struct allowed_host *h = &p->hosts[role].v[i];
			if (!h->word)
				return -1;
			fprintf(out, "\t{%d, {", role);
			put_member(out, "text", h->text);
			fputs(".word = true, ", out);
			put_place(out, &h->at);
			fputs("}},\n", out);
		}
	fputs("};\n\n", out);
	return 0;
}

static void put_limits(FILE *out, const struct policy *p)
{
	fputs(".limits = {", out);
	for (int role = 0; role < ROLE_COUNT; role++) {
		fputs("{.v = {", out);
		for (int l = 0; l < LIMIT_COUNT; l++)
			fprintf(out, "%lluu, ", (unsigned long long)p->limits[role].v[l]);
		fputs("}, .at = {", out);
		for (int l = 0; l < LIMIT_COUNT; l++)
			fprintf(out, "{policy_builtin_origin, %u, %u}, ", p->limits[role].at[l].line, p->limits[role].at[l].column);
		fputs("}}, ", out);
	}
	fputs("},\n\t", out);
}

static void put_stand_ins(FILE *out, const struct policy *p)
{
	fputs(".stand_in = {", out);
	for (int six = 0; six < 2; six++) {
		const struct stand_in_network *n = &p->stand_in[six];
		fprintf(out, "{.text = \"%s\", .block = {.bytes = {", n->text);
		for (size_t i = 0; i < sizeof(n->block.bytes); i++)
			fprintf(out, "%u, ", n->block.bytes[i]);
		fprintf(out, "}, .bits = %u}, .at = {policy_builtin_origin, %u, %u}}, ", n->block.bits, n->at.line, n->at.column);
	}
	fputs("},\n\t", out);
}

static void put_all(FILE *out, const struct policy *p, const char *sha256)
{
	fputs("const struct builtin policy_builtin = {\n"
	      "\t.rules = rules, .rule_count = sizeof(rules) / sizeof(*rules),\n"
	      "\t.actions = actions, .action_count = sizeof(actions) / sizeof(*actions),\n"
	      "\t.env = env, .env_count = sizeof(env) / sizeof(*env),\n"
	      "\t.words = words, .word_count = sizeof(words) / sizeof(*words),\n\t",
	      out);
	put_strings(out, "env_words", &p->env_words);
	put_strings(out, "env_pairs", &p->env_pairs);
	put_strings(out, "env_endings", &p->env_endings);
	fputs("\n\t", out);
	put_limits(out, p);
	put_stand_ins(out, p);
	put_member(out, "sha256", sha256);
	fputs("\n};\n", out);
}

static int write_tables(const char *path, const struct policy *p, const char *sha256)
{
	FILE *out = fopen(path, "we");

	if (!out) {
		perror(path);
		return -1;
	}
	fputs("/* Made by policy-compile. */\n#include \"policy/internal.h\"\n\nstatic const char policy_builtin_origin[] = \"built-in\";\n\n", out);
	put_rules(out, p);
	put_actions(out, p);
	put_env(out, p);
	if (put_hosts(out, p) || p->grant_count) {
		fputs("policy-compile: the built-in policy may list words as hosts, and grants nothing\n", stderr);
		fclose(out);
		return -1;
	}
	put_all(out, p, sha256);
	if (fclose(out)) {
		perror(path);
		return -1;
	}
	return 0;
}

static char *read_source(const char *path, size_t *len)
{
	FILE *in = fopen(path, "re");
	char *text = malloc(POLICY_MAX_BYTES);

	if (!in || !text || !(*len = fread(text, 1, POLICY_MAX_BYTES, in)) || ferror(in)) {
		perror(path);
		free(text);
		text = NULL;
	}
	if (in)
		fclose(in);
	return text;
}

int main(int argc, char **argv)
{
	struct policy_error err = {0};
	char sha256[65];
	size_t len;
	int result = 1;
	char *text = argc == 3 ? read_source(argv[1], &len) : NULL;
	struct policy *p = policy_empty();

	if (text && p) {
		SHA256Data((const uint8_t *)text, len, sha256);
		if (policy_read_layer(p, "built-in", text, len, &err))
			fprintf(stderr, "%s:%u:%u: %s\n", argv[1], err.line, err.column, err.message);
		else {
			/* In the order that they are looked up in, so that a run need not sort. */
			policy_sort_rules(p);
			env_compile(p);
			result = write_tables(argv[2], p, sha256) ? 1 : 0;
		}
	}
	policy_free(p);
	free(text);
	return result;
}
