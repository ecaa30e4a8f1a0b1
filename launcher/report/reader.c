#include "launcher/report/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/record/line.h"
#include "launcher/report/parse.h"

#define FORMAT 1

static void forget(struct record *r)
{
	for (size_t i = 0; i < r->tree_count; i++) {
		cJSON_Delete(r->trees[i]);
	}
	free(r->trees);
	free(r->attempts);
	free(r->programs);
	free(r->command);
	free(r->replaced);
	free(r->removed);
}

void reader_finish(struct record *r)
{
	forget(r);
	*r = (struct record){0};
}

/* *tree is NULL afterwards: it lives as long as the record. */
static bool keep(struct record *r, cJSON **tree)
{
	if (r->tree_count == r->tree_room) {
		size_t room = r->tree_room != 0 ? r->tree_room * 2 : 64;
		cJSON **trees = reallocarray(r->trees, room, sizeof(*trees));
		if (trees == NULL) {
			return false;
		}
		r->trees = trees;
		r->tree_room = room;
	}
	r->trees[r->tree_count++] = *tree;
	*tree = NULL;
	return true;
}

static bool make_room(struct record *r)
{
	if (r->n < r->room) {
		return true;
	}
	size_t room = r->room != 0 ? r->room * 2 : 64;
	struct attempt *attempts = reallocarray(r->attempts, room, sizeof(*attempts));
	r->attempts = attempts != NULL ? attempts : r->attempts;
	struct reader_program *programs = reallocarray(r->programs, room, sizeof(*programs));
	r->programs = programs != NULL ? programs : r->programs;
	if (attempts == NULL || programs == NULL) {
		return false;
	}
	r->room = room;
	return true;
}

/* A run begins: what came before it in the file is another's.  *tree is NULL afterwards when it was kept. */
static bool begin(struct record *r, cJSON **tree, const char **why)
{
	const cJSON *line = *tree;
	uint64_t format;
	if (!parse_number(cJSON_GetObjectItemCaseSensitive(line, "format"), &format)) {
		return false;
	}
	if (format != FORMAT) {
		*why = "it is of a newer format than this pipwarden reads";
		return false;
	}
	reader_finish(r);
	if (!keep(r, tree)) {
		*why = "no memory";
		return false;
	}
	r->run = parse_text(line, "run");
	r->version = parse_text(line, "version");
	r->digest = parse_text(line, "policy_digest");
	r->started = parse_moment(parse_text(line, "ts")) != 0 ? parse_text(line, "ts") : NULL;
	r->audit = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(line, "audit"));
	r->namespaces = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(line, "layers"), "namespaces"));
	r->command = parse_words(line, "command", READER_WORDS_MAX);
	r->replaced = parse_words(line, r->audit ? "would_replace" : "replaced", READER_WORDS_MAX);
	r->removed = parse_words(line, r->audit ? "would_remove" : "removed", READER_WORDS_MAX);
	r->last_seq = 1;
	if (r->command == NULL || r->replaced == NULL || r->removed == NULL) {
		*why = "no memory";
		return false;
	}
	return true;
}

static bool end(struct record *r, const cJSON *line)
{
	const cJSON *status = cJSON_GetObjectItemCaseSensitive(line, "exit_status");
	const char *verdict = parse_text(line, "verdict");
	if (!cJSON_IsNumber(status) || status->valuedouble < 0 || status->valuedouble > 255 || verdict == NULL || !score_verdict_parse(verdict, &r->verdict)) {
		return false;
	}
	r->ended = true;
	r->finished = parse_moment(parse_text(line, "ts")) != 0 ? parse_text(line, "ts") : NULL;
	r->exit_status = (int)status->valuedouble;
	if (!parse_number(cJSON_GetObjectItemCaseSensitive(line, "unrecorded"), &r->unrecorded)) {
		r->unrecorded = 0;
	}
	return true;
}

static struct attempt *of_seq(const struct record *r, uint64_t seq)
{
	size_t low = 0, high = r->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (r->attempts[middle].seq < seq) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low < r->n && r->attempts[low].seq == seq ? &r->attempts[low] : NULL;
}

/* An attempt, or what closes one.  False: it is none, or there is no memory (*why). */
static bool add(struct record *r, cJSON **tree, uint64_t seq, const char **why)
{
	uint64_t first, count = 1;
	bool closes = parse_number(cJSON_GetObjectItemCaseSensitive(*tree, "count"), &count) &&
	              parse_number(cJSON_GetObjectItemCaseSensitive(*tree, "first"), &first);
	struct attempt *known = closes ? of_seq(r, first) : NULL, a = {.seq = seq, .times = closes ? count : 1};
	struct reader_program program;
	if (known == NULL && !parse_event(*tree, &a, &program)) {
		return false;
	}
	if (r->n == READER_ATTEMPTS_MAX || r->tree_count >= 2 * READER_ATTEMPTS_MAX) {
		r->too_long = true;
		return true;
	}
	if ((known == NULL && !make_room(r)) || !keep(r, tree)) {
		*why = "no memory";
		return false;
	}
	if (known != NULL) {
		known->times += count;
	} else {
		r->attempts[r->n] = a;
		r->programs[r->n++] = program;
	}
	return true;
}

/* A line of the run that is being read. */
static bool go_on(struct record *r, cJSON **tree, const char *type, uint64_t seq, const char **why)
{
	bool taken;
	if (seq <= r->last_seq || r->ended) {
		return false;
	}
	/* The argument vectors are most of a journal, and nothing here shows them. */
	cJSON_DeleteItemFromObjectCaseSensitive(cJSON_GetObjectItemCaseSensitive(*tree, "process"), "argv");
	if (strcmp(type, "run.end") == 0) {
		taken = end(r, *tree) && keep(r, tree);
	} else {
		taken = add(r, tree, seq, why);
	}
	if (taken) {
		r->missing += seq - r->last_seq - 1;
		r->last_seq = seq;
	}
	return taken;
}

/* One line.  False: not understood, or *why. */
static bool take(struct record *r, cJSON **tree, const char **why)
{
	const char *type = parse_text(*tree, "type"), *run = parse_text(*tree, "run");
	uint64_t seq;
	if (type == NULL || run == NULL || !parse_number(cJSON_GetObjectItemCaseSensitive(*tree, "seq"), &seq)) {
		return false;
	}
	if (strcmp(type, "run.start") == 0) {
		return begin(r, tree, why);
	}
	if (r->run == NULL || strcmp(run, r->run) != 0) {
		return true; /* another run's, in the same file */
	}
	return go_on(r, tree, type, seq, why);
}

enum got { GOT_LINE, GOT_LONG, GOT_CUT, GOT_END };

/* The next line without its end.  GOT_LONG: it is longer than a journal's are, and was stepped over. */
static enum got next_line(FILE *in, char **text, size_t *room, size_t *len, uint64_t *left)
{
	int c = 0;
	*len = 0;
	while (*left > 0 && (c = getc_unlocked(in)) != EOF && c != '\n') {
		--*left;
		if (*len + 1 >= *room && *room < LINE_BYTES_MAX) {
			size_t more = *room != 0 ? *room * 2 : 4096;
			char *grown = realloc(*text, more);
			*text = grown != NULL ? grown : *text;
			*room = grown != NULL ? more : *room;
		}
		if (*len + 1 < *room) {
			(*text)[*len] = (char)c;
		}
		++*len;
	}
	if (*len + 1 > *room && *len > 0) {
		return GOT_LONG;
	}
	if (*len > 0) {
		(*text)[*len] = '\0';
	}
	return c == '\n' ? GOT_LINE : *len > 0 ? GOT_CUT : GOT_END;
}

static void bad(struct record *r, uint64_t number)
{
	r->first_bad = r->bad_lines++ == 0 ? number : r->first_bad;
}

int reader_read(struct record *r, FILE *in, const char **why)
{
	uint64_t left = READER_BYTES_MAX, number = 0;
	char *text = NULL;
	size_t room = 0, len;
	enum got got;

	*r = (struct record){0};
	*why = NULL;
	while (*why == NULL && (got = next_line(in, &text, &room, &len, &left)) != GOT_END) {
		number++;
		if (got == GOT_CUT) {
			r->cut = true;
		}
		if (len == 0 && got == GOT_LINE) {
			continue;
		}
		cJSON *tree = got == GOT_LONG || !parse_fits(text, len) ? NULL : cJSON_ParseWithOpts(text, NULL, 1);
		if ((tree == NULL || !take(r, &tree, why)) && got != GOT_CUT) {
			bad(r, number);
		}
		cJSON_Delete(tree);
	}
	r->too_long |= left == 0;
	free(text);
	if (*why == NULL && ferror(in)) {
		*why = strerror(errno);
	}
	if (*why == NULL && r->run == NULL) {
		*why = number == 0 ? "it is empty" : "no run begins in it: it is no journal of pipwarden";
	}
	if (*why != NULL) {
		reader_finish(r);
		return -1;
	}
	for (size_t i = 0; i < r->n; i++) { /* not before: the array has moved */
		r->attempts[i].ev.target.argv = r->programs[i].argv[0] != NULL ? r->programs[i].argv : NULL;
	}
	return 0;
}

const struct attempt *reader_find(const struct record *r, uint64_t seq)
{
	const struct attempt *a = of_seq(r, seq);
	for (size_t i = 0; a == NULL && i < r->tree_count; i++) {
		uint64_t number, first;
		if (parse_number(cJSON_GetObjectItemCaseSensitive(r->trees[i], "seq"), &number) && number == seq &&
		    parse_number(cJSON_GetObjectItemCaseSensitive(r->trees[i], "first"), &first)) {
			a = of_seq(r, first);
		}
	}
	return a;
}

bool reader_damaged(const struct record *r)
{
	return !r->ended || r->bad_lines > 0 || r->missing > 0 || r->cut || r->too_long;
}
