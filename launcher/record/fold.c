#include "launcher/record/fold.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "launcher/record/encode.h"
#include "launcher/record/text.h"

/* A character more than is written, so that the closing line is cut, and says so, where the first one was. */
#define FIELD_MAX (ENCODE_TEXT_MAX + 8)
#define FIELDS 24
#define KEY_MAX ((FIELDS + 3) * (FIELD_MAX + 1) + ENCODE_ARGV_BYTES + ENCODE_ARGV_MAX * 2 + 64)

struct header { /* the part of a key that is no text */
	uint8_t action, would; /* would: 0, or one more than the enum's */
	uint16_t source, role;
	uint16_t argc; /* 0: no argv; else one more than its entries */
	uint32_t port, line, present, zero; /* present: a bit for each field that is not NULL; zero: no padding, which is anything */
	uint64_t bytes;
};

static uint64_t rotate(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

uint64_t fold_hash(const uint64_t seed[2], const void *data, size_t len)
{
	uint64_t v[4] = {seed[0] ^ 0x736f6d6570736575u, seed[1] ^ 0x646f72616e646f6du, seed[0] ^ 0x6c7967656e657261u,
	                 seed[1] ^ 0x7465646279746573u};
	const unsigned char *at = data;
	for (size_t left = len;; left -= 8, at += 8) {
		uint64_t word = left < 8 ? (uint64_t)len << 56 : 0;
		memcpy(&word, at, left < 8 ? left : 8);
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
		if (left < 8) {
			break;
		}
	}
	v[2] ^= 0xff;
	sip_round(v);
	sip_round(v);
	sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

int fold_init(struct fold *f)
{
	*f = (struct fold){.size = 1024};
	f->slots = calloc(f->size, sizeof(struct fold_entry *));
	f->key = malloc(KEY_MAX);
	if (f->slots == NULL || f->key == NULL) {
		fold_finish(f);
		return -ENOMEM;
	}
	if (getrandom(f->seed, sizeof(f->seed), 0) != sizeof(f->seed)) {
		fold_finish(f);
		return -EIO;
	}
	return 0;
}

void fold_finish(struct fold *f)
{
	for (struct fold_entry *e = f->first, *next; e != NULL; e = next) {
		next = e->next;
		free(e);
	}
	free(f->slots);
	free(f->key);
	*f = (struct fold){0};
}

static size_t put(struct fold *f, size_t at, const char *text, const struct redact *r)
{
	return at + text_redact(f->key + at, FIELD_MAX, text, r) + 1;
}

/* As much of an argv as is written, and one entry more when it is cut. */
static size_t put_argv(struct fold *f, size_t at, const char *const *argv, uint16_t *argc, const struct redact *r)
{
	size_t used = 0;
	*argc = argv != NULL;
	for (size_t i = 0; argv != NULL && argv[i] != NULL; i++) {
		++*argc;
		if (i == ENCODE_ARGV_MAX || used >= ENCODE_ARGV_BYTES) {
			f->key[at++] = '\0';
			break;
		}
		size_t end = put(f, at, argv[i], r);
		used += end - at < ENCODE_TEXT_MAX + 1 ? end - at : ENCODE_TEXT_MAX + 1; /* counts as encode_strings does */
		at = end;
	}
	return at;
}

static void make_key(struct fold *f, const struct event *ev, const struct redact *r)
{
	const char *const fields[FIELDS] = {
		ev->type, ev->verdict.rule, ev->package.name, ev->package.version, ev->package.stage, ev->package.digest, ev->package.above, ev->target.name, ev->target.path,
		ev->target.as_written, ev->target.host, ev->target.address, ev->target.protocol, ev->origin.object, ev->origin.file,
		ev->origin.function, ev->origin.symbol, ev->target.url, ev->target.method, ev->target.digest,
		ev->decoy.name, ev->decoy.path, ev->decoy.encoding, ev->decoy.in,
	};
	struct header h = {.action = (uint8_t)ev->action, .would = (uint8_t)(ev->audited ? ev->would + 1 : 0), .source = (uint16_t)ev->source, .role = (uint16_t)ev->role,
	                   .port = ev->target.port, .line = ev->origin.line, .bytes = ev->target.bytes};
	size_t at = sizeof(h);
	for (size_t i = 0; i < FIELDS; i++) {
		if (fields[i] != NULL) {
			h.present |= 1u << i;
			at = put(f, at, fields[i], r);
		}
	}
	f->key_len = put_argv(f, at, ev->target.argv, &h.argc, r);
	memcpy(f->key, &h, sizeof(h));
	f->key_hash = fold_hash(f->seed, f->key, f->key_len);
}

static struct fold_entry **slot(struct fold *f, uint64_t hash, const char *key, size_t key_len)
{
	for (size_t i = hash & (f->size - 1);; i = (i + 1) & (f->size - 1)) {
		struct fold_entry *e = f->slots[i];
		if (e == NULL || (key != NULL && e->hash == hash && e->key_len == key_len && memcmp(e->key, key, key_len) == 0)) {
			return &f->slots[i];
		}
	}
}

struct fold_entry *fold_find(struct fold *f, const struct event *ev, const struct redact *r)
{
	make_key(f, ev, r);
	return *slot(f, f->key_hash, f->key, f->key_len);
}

static bool grow(struct fold *f)
{
	struct fold_entry **old = f->slots;
	struct fold_entry **slots = calloc(f->size * 2, sizeof(struct fold_entry *));
	if (slots == NULL) {
		return false;
	}
	f->slots = slots;
	f->size *= 2;
	for (struct fold_entry *e = f->first; e != NULL; e = e->next) {
		*slot(f, e->hash, NULL, 0) = e;
	}
	free(old);
	return true;
}

struct fold_entry *fold_add(struct fold *f, const struct event *ev, uint64_t seq, const struct redact *r)
{
	if (f->count * 2 >= f->size && !grow(f)) {
		return NULL;
	}
	size_t room = sizeof(struct fold_entry) + f->key_len + 2 * (size_t)FIELD_MAX;
	struct fold_entry *e = malloc(room);
	if (e == NULL) {
		return NULL;
	}
	*e = (struct fold_entry){.hash = f->key_hash, .seq = seq, .severity = ev->verdict.severity, .key_len = f->key_len};
	memcpy(e->key, f->key, f->key_len);
	size_t end = f->key_len;
	size_t kind = 0, detail = 0;
	if (ev->verdict.kind != NULL && ev->verdict.kind[0] != '\0') {
		kind = end;
		end += text_redact(e->key + end, FIELD_MAX, ev->verdict.kind, r) + 1;
	}
	if (ev->detail != NULL) {
		detail = end;
		end += text_redact(e->key + end, FIELD_MAX, ev->detail, r) + 1;
	}
	struct fold_entry *fitted = realloc(e, sizeof(*e) + end);
	e = fitted != NULL ? fitted : e;
	e->kind = kind != 0 ? e->key + kind : NULL;
	e->detail = detail != 0 ? e->key + detail : NULL;
	*slot(f, e->hash, e->key, e->key_len) = e;
	if (f->last != NULL) {
		f->last->next = e;
	} else {
		f->first = e;
	}
	f->last = e;
	f->count++;
	f->bytes += sizeof(*e) + end;
	return e;
}

void fold_event(const struct fold_entry *e, struct event *ev, const char *argv[FOLD_ARGV_MAX])
{
	*ev = (struct event){0};
	const char **const fields[FIELDS] = {
		&ev->type, &ev->verdict.rule, &ev->package.name, &ev->package.version, &ev->package.stage, &ev->package.digest, &ev->package.above, &ev->target.name,
		&ev->target.path, &ev->target.as_written, &ev->target.host, &ev->target.address, &ev->target.protocol, &ev->origin.object,
		&ev->origin.file, &ev->origin.function, &ev->origin.symbol, &ev->target.url, &ev->target.method, &ev->target.digest,
		&ev->decoy.name, &ev->decoy.path, &ev->decoy.encoding, &ev->decoy.in,
	};
	struct header h;
	memcpy(&h, e->key, sizeof(h));
	const char *at = e->key + sizeof(h);
	for (size_t i = 0; i < FIELDS; i++) {
		if ((h.present & 1u << i) != 0) {
			*fields[i] = at;
			at += strlen(at) + 1;
		}
	}
	for (size_t i = 0; i + 1 < h.argc; i++) {
		argv[i] = at;
		at += strlen(at) + 1;
	}
	if (h.argc != 0) {
		argv[h.argc - 1] = NULL;
		ev->target.argv = argv;
	}
	ev->action = (enum event_action)h.action;
	ev->audited = h.would != 0;
	ev->would = ev->audited ? (enum event_action)(h.would - 1) : EV_ALLOWED;
	ev->source = (enum event_source)h.source;
	ev->role = (enum role)h.role;
	ev->verdict.severity = e->severity;
	ev->verdict.kind = e->kind;
	ev->target.port = h.port;
	ev->target.bytes = h.bytes;
	ev->origin.line = h.line;
	ev->detail = e->detail;
}

struct attempt *fold_attempts(const struct fold *f, const char *(**words)[FOLD_ARGV_MAX])
{
	size_t n = 0;
	struct attempt *all = calloc(f->count + 1, sizeof(*all));
	*words = calloc(f->count + 1, sizeof(**words));
	if (all == NULL || *words == NULL) {
		free(all);
		free(*words);
		*words = NULL;
		return NULL;
	}
	for (const struct fold_entry *e = f->first; e != NULL; e = e->next, n++) {
		all[n] = (struct attempt){.seq = e->seq, .times = 1 + e->again, .when = e->when};
		fold_event(e, &all[n].ev, (*words)[n]);
	}
	return all;
}
