/* Events and records of the shim from arbitrary bytes.  Whatever an event holds, its line is one JSON object in valid
 * UTF-8 on one line, without a control character and without the secret; a record is either refused or holds texts of
 * the promised lengths; a key and its event are the same. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "launcher/record/decode.h"
#include "launcher/record/encode.h"
#include "launcher/record/fold.h"
#include "launcher/record/summary.h"

#define SECRET "s3cret-canary"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	char *text;
	size_t len, at;
};

static uint8_t take_byte(struct input *in)
{
	return in->at < in->len ? (uint8_t)in->text[in->at++] : 0;
}

/* The next text of the input, up to a NUL; now and then none. */
static const char *take(struct input *in)
{
	if (in->at >= in->len || in->text[in->at] == (char)0xff) {
		in->at++;
		return NULL;
	}
	const char *text = in->text + in->at;
	in->at += strlen(text) + 1;
	return text;
}

static void take_argv(struct input *in, const char *argv[64])
{
	size_t n = 0;
	for (size_t want = take_byte(in) % 64; n < want; n++) {
		argv[n] = take(in);
		if (argv[n] == NULL) {
			break;
		}
	}
	argv[n] = NULL;
}

static struct event take_event(struct input *in, const char *process_argv[64], const char *target_argv[64])
{
	struct event ev = {.action = take_byte(in) % 5, .source = take_byte(in) % 2, .role = take_byte(in) % ROLE_COUNT};
	ev.verdict.severity = take_byte(in) % 5;
	ev.target.port = take_byte(in);
	ev.origin.line = take_byte(in);
	ev.process.pid = (signed char)take_byte(in);
	take_argv(in, process_argv);
	take_argv(in, target_argv);
	ev.process.argv = process_argv[0] != NULL ? process_argv : NULL;
	ev.target.argv = target_argv[0] != NULL ? target_argv : NULL;
	const char **const texts[] = {
		&ev.type, &ev.verdict.rule, &ev.verdict.kind, &ev.package.name, &ev.package.version, &ev.package.stage, &ev.target.name,
		&ev.target.path, &ev.target.as_written, &ev.target.host, &ev.target.address, &ev.target.protocol, &ev.process.exe,
		&ev.process.cwd, &ev.origin.object, &ev.origin.file, &ev.origin.function, &ev.detail, &ev.decoy.name, &ev.decoy.path, &ev.decoy.encoding, &ev.decoy.in,
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		*texts[i] = take(in);
	}
	return ev;
}

static void check_utf8(const unsigned char *s, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t n = s[i] < 0x80 ? 1 : s[i] < 0xe0 ? 2 : s[i] < 0xf0 ? 3 : 4;
		assert(s[i] < 0x80 || (s[i] >= 0xc2 && s[i] < 0xf5));
		assert(i + n <= len);
		for (size_t k = 1; k < n; k++) {
			assert((s[i + k] & 0xc0) == 0x80);
		}
		assert(s[i] != 0xc2 || s[i + 1] >= 0xa0);                                                    /* C1 */
		assert(n != 3 || memcmp(s + i, "\xe2\x80", 2) != 0 || s[i + 2] < 0xaa || s[i + 2] > 0xae); /* bidi */
		i += n;
	}
}

static cJSON *check_line(struct line *l)
{
	assert(!l->failed && l->len > 2 && l->data[l->len - 1] == '\n');
	assert(memchr(l->data, '\n', l->len) == l->data + l->len - 1);
	for (size_t i = 0; i + 1 < l->len; i++) {
		assert((unsigned char)l->data[i] >= 0x20 && l->data[i] != 0x7f);
	}
	check_utf8((const unsigned char *)l->data, l->len);
	assert(memmem(l->data, l->len, SECRET, strlen(SECRET)) == NULL);
	char *copy = strndup(l->data, l->len - 1);
	cJSON *json = cJSON_ParseWithOpts(copy, NULL, 1);
	assert(cJSON_IsObject(json));
	free(copy);
	return json;
}

static cJSON *encoded(struct encoder *e, const struct event *ev)
{
	struct timespec now = {.tv_sec = 1738153200};
	line_reset(&e->line);
	encode_head(e, &now, 1, "run");
	encode_event(e, ev);
	encode_end(e);
	return check_line(&e->line);
}

static void check_event(const struct event *ev, const struct redact *r)
{
	struct encoder e = {.redact = r};
	struct fold f;
	struct event back;
	const char *argv[FOLD_ARGV_MAX];
	cJSON *first = encoded(&e, ev);
	if (fold_init(&f) != 0) {
		abort();
	}
	assert(fold_find(&f, ev, r) == NULL);
	struct fold_entry *entry = fold_add(&f, ev, 1, r);
	assert(entry != NULL && fold_find(&f, ev, r) == entry);
	fold_event(entry, &back, argv);
	assert(fold_find(&f, &back, r) == entry);
	cJSON *closing = encoded(&e, &back);
	assert((cJSON_GetObjectItem(first, "target") == NULL) == (cJSON_GetObjectItem(closing, "target") == NULL));
	struct summary_run run = {.replaced = (char *[]){NULL}};
	char *text = summary_text(&f, &run, r, "/j", false, 1);
	assert(text != NULL && strstr(text, SECRET) == NULL);
	for (const char *at = text; *at != '\0'; at++) {
		assert((unsigned char)*at >= 0x20 || *at == '\n');
	}
	check_utf8((const unsigned char *)text, strlen(text));
	free(text);
	cJSON_Delete(first);
	cJSON_Delete(closing);
	fold_finish(&f);
	line_finish(&e.line);
}

static void check_record(const uint8_t *data, size_t size)
{
	struct record_view view;
	struct pw_record record = {0};
	memcpy(&record, data, size < sizeof(record) ? size : sizeof(record));
	if (record_decode(&record, sizeof(record), &view)) {
		assert(view.type >= PW_EV_ENV_READ && view.type <= PW_EV_LOAD && view.line <= INT32_MAX);
		assert(strlen(view.text) == record.text_len && strlen(view.object) == record.object_len);
		assert(strlen(view.file) == record.file_len && strlen(view.function) == record.function_len);
	}
	if (size != sizeof(record)) {
		assert(!record_decode(data, size, &view));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct redact r;
	char *const secrets[] = {(char *)SECRET, NULL};
	const char *process_argv[64], *target_argv[64];
	struct input in = {.text = calloc(1, size + 1), .len = size};
	memcpy(in.text, data, size);
	check_record(data, size);
	if (redact_init(&r, secrets) != 0) {
		abort();
	}
	struct event ev = take_event(&in, process_argv, target_argv);
	check_event(&ev, &r);
	redact_finish(&r);
	free(in.text);
	return 0;
}
