#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/installer/parts.h"

struct entry {
	char *section, *key, *value;
};

struct reader {
	struct entry *v;
	size_t n;
	struct strings sections; /* in the file's order, without DEFAULT */
	char *section;           /* NULL: no header yet */
	bool option_open;        /* indented lines go on with the last value */
	size_t indent;
	bool ok;
};

/* configparser lowers the key, pip makes dashes of underscores and drops a leading "--". */
static char *normalise_key(char *key)
{
	for (char *c = key; *c; c++) {
		*c = *c == '_' ? '-' : (char)tolower((unsigned char)*c);
	}
	return inst_dup(inst_starts(key, "--") ? key + 2 : key);
}

static void append_value(struct reader *r, const char *text)
{
	struct entry *last = &r->v[r->n - 1];

	inst_set(&last->value, inst_format("%s\n%s", last->value, text));
}

static void open_section(struct reader *r, const char *name, size_t len)
{
	inst_set(&r->section, inst_dup_n(name, len));
	r->option_open = false;
	if (!strcmp(r->section, "DEFAULT")) {
		return;
	}
	if (strings_has(&r->sections, r->section)) {
		r->ok = false; /* configparser is strict: pip stops at such a file */
	} else {
		strings_put(&r->sections, r->section);
	}
}

static void open_option(struct reader *r, char *text)
{
	size_t at = strcspn(text, "=:");
	char *key, *value;

	r->option_open = false;
	if (!text[at]) {
		r->ok = false;
		return;
	}
	text[at] = '\0';
	key = inst_strip(text);
	value = inst_strip(text + at + 1);
	if (!*key) {
		r->ok = false;
		return;
	}
	r->v = inst_grow(r->v, r->n, sizeof(*r->v));
	r->v[r->n++] = (struct entry){ inst_dup(r->section), normalise_key(key), inst_dup(value) };
	r->option_open = true;
}

static void read_line(struct reader *r, char *line)
{
	char *text = inst_strip(line), *header_end;
	size_t indent = (size_t)(text - line);

	if (*text == '#' || *text == ';') {
		return;
	}
	if (!*text) {
		if (r->option_open) {
			append_value(r, "");
		}
		return;
	}
	if (r->option_open && indent > r->indent) {
		append_value(r, text);
		return;
	}
	r->indent = indent;
	header_end = *text == '[' ? strrchr(text, ']') : NULL;
	if (header_end && header_end > text + 1) {
		open_section(r, text + 1, (size_t)(header_end - text - 1));
	} else if (!r->section) {
		r->ok = false;
	} else {
		open_option(r, text);
	}
}

static void deliver(const struct reader *r, conf_fn *each, void *ctx)
{
	/* A section has its own values over those of DEFAULT. */
	for (size_t s = 0; s < r->sections.n; s++) {
		for (int own = 0; own < 2; own++) {
			for (size_t i = 0; i < r->n; i++) {
				const struct entry *e = &r->v[i];

				if (!strcmp(e->section, own ? r->sections.v[s] : "DEFAULT")) {
					each(ctx, r->sections.v[s], e->key, inst_strip(e->value));
				}
			}
		}
	}
}

bool pip_conf_parse(const char *text, size_t len, conf_fn *each, void *ctx)
{
	cleanup_text char *copy = inst_dup_n(text, len);
	struct reader r = { .ok = true };
	unsigned lines = 0;

	/* A file with more is no configuration; the bound keeps a hostile one from costing quadratic time. */
	for (char *line = copy; *line && lines++ < 16384 && r.n < 4096 && r.sections.n < 256;) {
		size_t n = strcspn(line, "\r\n");
		char end = line[n];

		line[n] = '\0';
		read_line(&r, line);
		line += n + (end ? 1 : 0);
		if (end == '\r' && *line == '\n') {
			line++;
		}
	}
	deliver(&r, each, ctx);
	for (size_t i = 0; i < r.n; i++) {
		free(r.v[i].section);
		free(r.v[i].key);
		free(r.v[i].value);
	}
	free(r.v);
	free(r.section);
	strings_finish(&r.sections);
	return r.ok;
}
