#include "relay_pair.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "launcher/base/fd.h"

#define PIPE_SIZE (1024 * 1024) /* as much as a user may have, usually: it counts pages, and a packet may have one of its own */
#define ROUNDS 4 /* of a chunk each way, before others have their turn */

static void option(int fd, int level, int name, int value)
{
	setsockopt(fd, level, name, &value, sizeof value); /* each is for better only, and AF_UNIX has none of TCP's */
}

static int prepare(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	option(fd, IPPROTO_TCP, TCP_NODELAY, 1);   /* who wrote a small piece has decided about it already */
	option(fd, SOL_SOCKET, SO_OOBINLINE, 1);   /* urgent bytes are bytes: judged, and passed on in their place */
	option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);   /* no end waits for ever for a peer that is gone; the client's kernel answers for a program that is */
	option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 60); /* seconds, as the next */
	option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 20);
	return 0;
}

int relay_pair_init(struct relay_pair *p, int client, int outside, const struct relay_check *check, struct seek_stream *look)
{
	struct relay_held *held = NULL;
	int r = prepare(client);

	if (r == 0)
		r = prepare(outside);
	if (r == 0 && check && !(held = malloc(sizeof *held)))
		r = -ENOMEM;
	if (r < 0)
		return r;
	if (held) {
		held->check = *check;
		held->count = 0;
	}
	*p = (struct relay_pair){.client.fd = client, .outside.fd = outside, .held = held, .look = look, .open = !check};
	p->up = (struct relay_flow){.from = &p->client, .to = &p->outside};
	p->down = (struct relay_flow){.from = &p->outside, .to = &p->client};
	return 0;
}

/* --- decoys ------------------------------------------------------------------------------------ */

static void look_no_more(struct relay_pair *p)
{
	if (p->look)
		seek_stream_finish(p->look);
	free(p->look);
	p->look = NULL;
}

/* Does the client speak in the clear, and not too long already? */
static bool is_looked_at(const struct relay_pair *p, const struct relay_flow *f)
{
	return f == &p->up && p->look && seek_stream_wants(p->look) && (!p->held || p->held->check.state == RELAY_AT_REQUESTS || p->held->check.state == RELAY_AT_ANSWER);
}

/* What is about to be passed on.  False: there is a decoy in it, and it is not to be. */
static bool look_at(struct relay_pair *p, const uint8_t *bytes, size_t n)
{
	if (seek_stream_feed(p->look, bytes, n))
		p->seen = p->cut = true;
	return !p->seen;
}

/* Of what is held: a head or trailers, and a part of a body; a chunk's size is not of the body, but can hold something as well. */
static bool look_at_held(struct relay_pair *p, size_t used, size_t body)
{
	const uint8_t *bytes = p->held->bytes;
	bool is_size = p->held->check.unseen > 0 && used > 0;

	if (!is_looked_at(p, &p->up))
		return true;
	/* Each piece by itself at once, packed or not; and what goes over its end. */
	if (seek_data(p->look->needles, bytes, used, SEEK_BUDGET(used), &p->look->hits) ||
	    seek_data(p->look->needles, bytes + used, body, SEEK_BUDGET(body), &p->look->hits))
		p->seen = p->cut = true;
	return !p->seen && (is_size || look_at(p, bytes, used)) && look_at(p, bytes + used, body);
}

const struct needle_hits *relay_pair_decoys(struct relay_pair *p)
{
	if (!p->look)
		return NULL;
	seek_stream_end(p->look);
	return p->look->hits.n ? &p->look->hits : NULL;
}

/* --- one direction ----------------------------------------------------------------------------- */

/* What a step did. */
enum step { STEP_NONE, STEP_DID, STEP_CUT };

static void drop_rest(struct relay_flow *f)
{
	free(f->rest);
	f->rest = NULL;
	f->at = f->left = 0;
}

/* Nothing more can be told to f->to: what it still says, before and up to the reset's error, is passed on first. */
static void break_off(struct relay_pair *p, struct relay_flow *f)
{
	drop_rest(f);
	f->ended = f->done = true;
	p->cut = true;
}

/* How many of the bytes the other end took; f is broken off if it is gone. */
static size_t give(struct relay_pair *p, struct relay_flow *f, const uint8_t *bytes, size_t n)
{
	size_t given = 0;

	while (given < n && f->to->writable) {
		ssize_t r = send(f->to->fd, bytes + given, n - given, MSG_NOSIGNAL);
		if (r >= 0) {
			given += (size_t)r;
		} else if (errno == EAGAIN) {
			f->to->writable = false;
		} else if (errno != EINTR) {
			break_off(p, f);
			break;
		}
	}
	f->moved += given;
	return given;
}

/* Passes n bytes on; what is not taken is kept.  There is no rest before. */
static enum step pass(struct relay_pair *p, struct relay_flow *f, const uint8_t *bytes, size_t n)
{
	size_t given = give(p, f, bytes, n);

	if (given == n || f->done)
		return STEP_DID;
	f->rest = malloc(n - given);
	if (!f->rest)
		return STEP_CUT; /* the bytes are lost, and so the connection */
	memcpy(f->rest, bytes + given, n - given);
	f->at = 0;
	f->left = n - given;
	return STEP_DID;
}

static enum step pass_rest(struct relay_pair *p, struct relay_flow *f)
{
	size_t given = give(p, f, f->rest + f->at, f->left);

	if (f->done)
		return STEP_DID;
	f->at += given;
	f->left -= given;
	if (!f->left)
		drop_rest(f);
	return given ? STEP_DID : STEP_NONE;
}

static void pass_end(const struct relay_pair *p, struct relay_flow *f)
{
	/* After a failed send a reset reads as an end; to be told as one it must not be.  Where `to` is gone this fails, and its other direction finds it. */
	if (!p->cut)
		shutdown(f->to->fd, SHUT_WR);
	f->done = true;
}

/* At most n bytes from f->from: *got, 0 with f->ended at its end. */
static enum step take(struct relay_pair *p, struct relay_flow *f, uint8_t *bytes, size_t n, size_t *got)
{
	ssize_t r = recv(f->from->fd, bytes, n, 0);

	*got = r > 0 ? (size_t)r : 0;
	if (r == 0)
		f->ended = true;
	if (r >= 0 || errno == EINTR)
		return STEP_DID;
	if (errno == EAGAIN) {
		f->from->readable = false;
		return STEP_NONE;
	}
	p->cut = true; /* a reset comes behind all that was received before, and all that has been passed on */
	return STEP_CUT;
}

/* --- through the pipe -------------------------------------------------------------------------- */

void relay_scratch_init(struct relay_scratch *s)
{
	if (pipe2(s->pipe, O_CLOEXEC | O_NONBLOCK) < 0)
		s->pipe[0] = s->pipe[1] = -1;
	else
		fcntl(s->pipe[1], F_SETPIPE_SZ, PIPE_SIZE); /* or it stays as it is */
}

void relay_scratch_finish(struct relay_scratch *s)
{
	close_fd(&s->pipe[0]);
	close_fd(&s->pipe[1]);
}

/* Gives n bytes that are in the pipe: how many were not taken. */
static size_t give_piped(struct relay_flow *f, struct relay_scratch *s, size_t n)
{
	while (n > 0) {
		ssize_t r = splice(s->pipe[0], NULL, f->to->fd, NULL, n, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
		if (r > 0) {
			f->moved += (uint64_t)r;
			n -= (size_t)r;
		} else if (r == 0 || errno != EINTR) {
			break; /* send says why */
		}
	}
	return n;
}

/* Nothing may be left there that another connection would get. */
static bool empty_pipe(struct relay_scratch *s, size_t n)
{
	size_t have = 0;

	while (have < n) {
		ssize_t r = read(s->pipe[0], s->bytes + have, n - have);
		if (r <= 0 && !(r < 0 && errno == EINTR)) {
			relay_scratch_finish(s);
			return false;
		}
		have += r > 0 ? (size_t)r : 0;
	}
	return true;
}

/* At most n bytes, seen by nobody.  STEP_NONE: there are none, or not in this way: recv shall say. */
static enum step move_piped(struct relay_pair *p, struct relay_flow *f, struct relay_scratch *s, size_t n)
{
	ssize_t got;
	size_t left;

	if (s->pipe[0] < 0)
		return STEP_NONE;
	got = splice(f->from->fd, NULL, s->pipe[1], NULL, n, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	if (got < 0 && errno != EAGAIN && errno != EINTR && errno != EINVAL && errno != ENOMEM) {
		p->cut = true; /* a reset, which is told once: recv would take it for an end */
		return STEP_CUT;
	}
	if (got <= 0)
		return STEP_NONE;
	left = give_piped(f, s, (size_t)got);
	if (!left)
		return STEP_DID;
	return empty_pipe(s, left) ? pass(p, f, s->bytes, left) : STEP_CUT;
}

/* At most n bytes, unjudged. */
static enum step move(struct relay_pair *p, struct relay_flow *f, struct relay_scratch *s, size_t n)
{
	bool looked_at = is_looked_at(p, f) || (f == &p->down && p->held && relay_check_wants_server(&p->held->check));
	size_t got;
	enum step step;

	if (!f->from->readable || !f->to->writable)
		return STEP_NONE;
	if (!looked_at && (step = move_piped(p, f, s, n)) != STEP_NONE)
		return step;
	step = take(p, f, s->bytes, n, &got);
	if (step != STEP_DID || !got)
		return step;
	if (f == &p->up && looked_at && !look_at(p, s->bytes, got))
		return STEP_CUT;
	if (f == &p->down && looked_at)
		relay_check_server(&p->held->check, s->bytes, got);
	return pass(p, f, s->bytes, got);
}

/* --- the client's, judged ---------------------------------------------------------------------- */

static enum step hold(struct relay_pair *p)
{
	struct relay_held *h = p->held;
	size_t got;
	enum step step;

	if (!p->client.readable)
		return STEP_NONE;
	step = take(p, &p->up, h->bytes + h->count, sizeof h->bytes - h->count, &got);
	h->count += got;
	return step;
}

/* The first n bytes of those that are held. */
static enum step let_through(struct relay_pair *p, size_t n)
{
	struct relay_held *h = p->held;
	enum step step = pass(p, &p->up, h->bytes, n);

	h->count -= n;
	memmove(h->bytes, h->bytes + n, h->count);
	p->open = true;
	return step;
}

static enum step let_all_through(struct relay_pair *p)
{
	if (p->held->check.state == RELAY_AT_RECORD)
		look_no_more(p); /* TLS */
	if (p->look && !look_at(p, p->held->bytes, p->held->count))
		return STEP_CUT;
	enum step step = let_through(p, p->held->count);

	free(p->held);
	p->held = NULL;
	return step;
}

/* `refused` is set, or more was let through, or there was more to hold. */
static enum step judge(struct relay_pair *p, bool *refused)
{
	struct relay_held *h = p->held;
	size_t used, body;

	switch (relay_check_client(&h->check, h->bytes, h->count, &used)) {
	case RELAY_CHECK_MORE:
		return hold(p);
	case RELAY_CHECK_PASS:
		p->unseen = h->check.unseen;
		body = p->unseen < h->count - used ? (size_t)p->unseen : h->count - used;
		p->unseen -= body;
		return look_at_held(p, used, body) ? let_through(p, used + body) : STEP_CUT;
	case RELAY_CHECK_FREE:
		return let_all_through(p);
	case RELAY_CHECK_REFUSED:
		break;
	}
	*refused = true;
	return STEP_NONE;
}

/* ----------------------------------------------------------------------------------------------- */

static enum step step_up(struct relay_pair *p, struct relay_scratch *scratch, bool *refused)
{
	struct relay_flow *f = &p->up;

	if (f->done)
		return STEP_NONE;
	if (f->rest)
		return pass_rest(p, f);
	if (f->ended) {
		/* What is held is part of a hello or a request: nobody has judged it, so nobody gets it. */
		if (!p->open)
			return STEP_CUT;
		pass_end(p, f);
		return STEP_DID;
	}
	if (!p->held)
		return move(p, f, scratch, RELAY_CHUNK);
	if (p->unseen) {
		uint64_t before = f->moved + f->left;
		enum step step = move(p, f, scratch, p->unseen < RELAY_CHUNK ? (size_t)p->unseen : RELAY_CHUNK);

		p->unseen -= f->moved + f->left - before;
		return step;
	}
	return judge(p, refused);
}

static enum step step_down(struct relay_pair *p, struct relay_scratch *scratch)
{
	struct relay_flow *f = &p->down;

	if (f->done || !p->open)
		return STEP_NONE;
	if (f->rest)
		return pass_rest(p, f);
	if (f->ended) {
		pass_end(p, f);
		return STEP_DID;
	}
	return move(p, f, scratch, RELAY_CHUNK);
}

enum relay_state relay_pair_run(struct relay_pair *p, struct relay_scratch *scratch)
{
	for (int round = 0; round < ROUNDS; round++) {
		bool refused = false;
		enum step up = step_up(p, scratch, &refused), down = refused ? STEP_NONE : step_down(p, scratch);

		if (refused)
			return RELAY_REFUSED;
		if (p->seen)
			return RELAY_SEEN;
		if (up == STEP_CUT || down == STEP_CUT || (p->up.done && p->down.done))
			return RELAY_OVER;
		if (up == STEP_NONE && down == STEP_NONE)
			return RELAY_WAITS;
	}
	return RELAY_GOES_ON;
}

static void close_end(struct relay_end *e, bool reset)
{
	struct linger now = {.l_onoff = 1};

	if (reset)
		setsockopt(e->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	close_fd(&e->fd);
}

/* What a client is told that was refused, if there is something and it comes behind all else.  What it said meanwhile is read: to close on that would be a reset. */
static bool tell(const struct relay_pair *p, uint8_t *scratch, size_t size)
{
	const struct relay_check *check = &p->held->check;

	if (!check->words || p->cut || p->down.rest || send(p->client.fd, check->words, check->words_len, MSG_NOSIGNAL) != (ssize_t)check->words_len)
		return false;
	while (recv(p->client.fd, scratch, size, 0) > 0)
		;
	return true;
}

void relay_pair_close(struct relay_pair *p, enum relay_state state)
{
	bool whole = !p->cut && (!p->open || (p->up.done && p->down.done));
	bool told = state == RELAY_REFUSED && tell(p, p->held->bytes, sizeof p->held->bytes);

	drop_rest(&p->up);
	drop_rest(&p->down);
	free(p->held);
	p->held = NULL;
	look_no_more(p);
	close_end(&p->client, !told && (state == RELAY_REFUSED || !whole));
	close_end(&p->outside, state != RELAY_REFUSED && !whole);
}
