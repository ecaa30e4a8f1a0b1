#include "origin.h"

#include <stdlib.h>

#include "image.h"
#include "pathtext.h"
#include "served.h"
#include "supervisor.h"
#include "target.h"

static struct event_origin origin_of(const struct sandbox *sb, const char *object, const char *file, const char *function, unsigned line)
{
	bool python = file[0] != '\0';

	return (struct event_origin){
		.object = object[0] != '\0' ? object : NULL,
		.symbol = !python && function[0] != '\0' ? function : NULL,
		.file = python ? pathtext_source(file, sb->served != NULL ? sb->served->root : NULL, sb->writable) : NULL,
		.whole = file[0] == '/' ? file : NULL,
		.function = python && function[0] != '\0' ? function : NULL,
		.line = line,
	};
}

struct event_origin origin_of_record(const struct sandbox *sb, const struct record_view *view)
{
	return origin_of(sb, view->object, view->file, view->function, view->line);
}

bool origin_is_open(const struct sandbox *sb)
{
	return sb->role == ROLE_BUILD || sb->role == ROLE_GUEST;
}

void origin_request(const struct sandbox *sb, struct request_view *request, struct event_target *target)
{
	char known[2 * REQUEST_URL_MAX]; /* a mark may be longer than what it stands for */

	supervisor_redact(sb->sup, known, sizeof known, request->url);
	request_clean(known, request->url);
	target->method = request->method;
	target->url = request->url;
	target->bytes = request->bytes;
}

uint64_t origin_intents(struct sandbox *sb, pid_t tid)
{
	return sb->checked_in != NULL ? images_intents_of(sb->checked_in, tid) : sb->intents;
}

static bool read_at(struct sandbox *sb, pid_t tid, uint64_t address, struct pw_intents *ring)
{
	return address != 0 && target_peek(sb, tid, address, ring, sizeof *ring) == sizeof *ring && intent_ring(ring, address);
}

/* The process's intents, or NULL; malloc'ed. */
static struct pw_intents *read_intents(struct sandbox *sb, pid_t tid)
{
	uint64_t known = sb->checked_in != NULL ? atomic_load(&sb->checked_in->recent) : 0;
	struct pw_intents *ring = malloc(sizeof *ring);

	if (ring != NULL && !read_at(sb, tid, known, ring) && !read_at(sb, tid, origin_intents(sb, tid), ring)) {
		free(ring);
		ring = NULL;
	}
	return ring;
}

static void join_request(struct sandbox *sb, pid_t tid, struct event *ev, struct origin_room *room)
{
	size_t want = room->intent.data_len < REQUEST_HEAD_MAX ? room->intent.data_len : REQUEST_HEAD_MAX;
	char *head = room->intent.data != 0 && want > 0 ? malloc(want) : NULL;
	ssize_t len = head != NULL ? target_peek(sb, tid, room->intent.data, head, want) : 0;

	if (len > 0 && request_decode(head, (size_t)len, room->intent.tls, &room->request)) {
		origin_request(sb, &room->request, &ev->target);
	}
	free(head);
}

void origin_join(struct sandbox *sb, pid_t tid, struct event *ev, struct origin_room *room)
{
	struct pw_intents *ring;

	if (ev->source != SRC_KERNEL || ev->origin.file != NULL || ev->origin.object != NULL || (ring = read_intents(sb, tid)) == NULL) {
		return;
	}
	if (intent_find(ring, ev, &room->intent)) {
		ev->origin = origin_of(sb, room->intent.object, room->intent.file, room->intent.function, room->intent.line);
		if (origin_is_open(sb)) {
			join_request(sb, tid, ev, room);
		}
	}
	free(ring);
}
