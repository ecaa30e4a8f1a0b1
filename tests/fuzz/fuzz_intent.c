/* What lies in a sandbox's memory where its intents are said to be, and the head of a request: whatever the bytes, what is found is within its bounds,
 * speaks of the event, and leads to one line of valid JSON (fuzz_event.c). */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/record/intent.h"
#include "launcher/record/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const types[] = {"net.resolve", "net.connect", "net.send", "ipc.connect", "net.bind", "net.socket", "exec", "file.open", "process.signal",
                                    "syscall.denied", "env.read"};
#define TYPES (sizeof(types) / sizeof(types[0]))

/* Two slots from the input, small parts of which make up the whole of a slot; the event's words are the slot's or others. */
static void fill(struct pw_intents *ring, const uint8_t *data, size_t size)
{
	for (size_t n = 0; n < 2; n++) {
		struct pw_intent *i = &ring->intent[n];
		size_t half = size / 2;
		const uint8_t *at = data + n * half;
		memcpy(i, at, half < 40 ? half : 40);
		if (half > 40) {
			size_t text = (half - 40) / 2;
			memcpy(i->text, at + 40, text < sizeof(i->text) ? text : sizeof(i->text));
			memcpy(i->file, at + 40 + text, text < sizeof(i->file) ? text : sizeof(i->file));
		}
	}
}

static void check_find(const struct pw_intents *ring, const struct event *ev)
{
	struct intent_view view;
	if (intent_find(ring, ev, &view)) {
		assert(strnlen(view.object, sizeof(view.object)) < sizeof(view.object) && strnlen(view.file, sizeof(view.file)) < sizeof(view.file));
		assert(strnlen(view.function, sizeof(view.function)) < sizeof(view.function) && view.line <= INT32_MAX);
		assert(view.file[0] != '\0' || (view.object[0] != '\0' && view.line == 0));
	}
}

/* Nothing of a query but its mark, and of what is clean nothing more is taken. */
static void check_clean(const char *url)
{
	char once[REQUEST_URL_MAX], twice[REQUEST_URL_MAX];
	request_clean(url, once);
	assert(strnlen(once, sizeof(once)) < sizeof(once) && strchr(once, '#') == NULL);
	const char *query = strchr(once, '?');
	assert(query == NULL || strcmp(query, "?…") == 0);
	request_clean(once, twice);
	assert(strcmp(once, twice) == 0);
}

static void check_request(const uint8_t *data, size_t size)
{
	char *bytes = malloc(size + 1); /* of exactly that size: a byte behind it is somebody else's */
	struct request_view view;
	memcpy(bytes, data, size);
	if (request_decode(bytes, size, size % 2 == 0, &view)) {
		assert(view.method[0] != '\0' && strnlen(view.method, sizeof(view.method)) < sizeof(view.method));
		assert(strnlen(view.url, sizeof(view.url)) < sizeof(view.url));
		assert(strpbrk(view.method, " \t\r\n/:") == NULL && strchr(view.url, '\n') == NULL);
		check_clean(view.url);
	}
	free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pw_intents ring;
	char word[2][256] = {"", ""};
	memset(&ring, 0, sizeof(ring));
	if (size > 0) {
		check_request(data + 1, size - 1);
		fill(&ring, data + 1, size - 1);
	}
	for (size_t n = 0; n < 2; n++) { /* sometimes the slot's own */
		memcpy(word[n], ring.intent[n].text, sizeof(word[n]) - 1);
	}
	struct event ev = {.type = types[size > 0 ? data[0] % TYPES : 0],
	                   .target = {.host = word[0], .path = word[1], .as_written = word[0], .address = word[1], .name = word[0], .port = ring.intent[0].port & 0xffff}};
	check_find(&ring, &ev);
	ev.target.as_written = NULL;
	ev.target.host = NULL;
	check_find(&ring, &ev);
	ev.target = (struct event_target){.name = NULL};
	check_find(&ring, &ev);
	intent_ring(&ring, ring.self);
	return 0;
}
