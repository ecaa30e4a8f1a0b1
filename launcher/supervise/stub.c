#include "launcher/supervise/stub.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/base/clock.h"
#include "launcher/base/fd.h"
#include "launcher/supervise/lookup.h"
#include "launcher/supervise/question.h"
#include "launcher/supervise/supervisor.h"
#include "launcher/supervise/worker.h"

#define ROUND_MAX 32       /* datagrams before the session looks at its other business */
#define DEAF_MS 100        /* without descriptors */
#define LOCAL_SECONDS 5    /* of answers: /etc/hosts may change */

enum { DNS_MX = 15, DNS_TXT = 16, DNS_ANY = 255 };

/* Who asked. */
struct client {
	enum dns_transport how;
	int fd;
	struct sockaddr_storage from; /* of a datagram */
	socklen_t from_len;
};

/* The answer stands behind two bytes that are free.  It is small: a client whose buffer is full takes none, and asks again.  False: it is not gone out whole. */
static bool send_answer(const struct client *c, uint8_t *out, size_t len)
{
	if (c->how == DNS_UDP)
		return sendto(c->fd, out + 2, len, MSG_NOSIGNAL, (const struct sockaddr *)&c->from, c->from_len) == (ssize_t)len;
	dns_frame_put(out, len);
	return send(c->fd, out, len + 2, MSG_NOSIGNAL) == (ssize_t)len + 2;
}

/* --- what is answered --------------------------------------------------------------------------- */

static bool is_address_type(unsigned type)
{
	return type == DNS_A || type == DNS_AAAA;
}

/* Types whose answer is a text of the other side's choosing. */
static bool carries_text(unsigned type)
{
	return type == DNS_TXT || type == DNS_MX || type == DNS_ANY;
}

static int answer_addresses(const struct dns_question *q, enum dns_transport how, const struct pw_answer *answer, uint8_t *out, size_t size)
{
	uint8_t bytes[PW_ANSWER_MAX * 16];
	size_t each = q->type == DNS_A ? 4 : 16, n = 0;

	for (uint32_t i = 0; i < answer->count; i++)
		memcpy(bytes + n++ * each, answer->address[i].bytes, each);
	if (n == 0) /* "there is none" would not be asked again */
		return dns_answer_code(q, answer->error == EAI_AGAIN ? DNS_SERVFAIL : DNS_NOERROR, out, size);
	return dns_answer_addresses(q, how, bytes, n, LOCAL_SECONDS, out, size);
}

static int answer_local(const struct dns_question *q, enum dns_transport how, const char *host, uint8_t *out, size_t size)
{
	struct pw_answer answer;

	if (!is_address_type(q->type))
		return dns_answer_code(q, DNS_NOERROR, out, size);
	names_local(host, q->type == DNS_A ? AF_INET : AF_INET6, &answer);
	return answer_addresses(q, how, &answer, out, size);
}

static int refuse(struct stub *s, const struct dns_question *q, const struct question *asked, enum dns_rcode code, uint8_t *out, size_t size)
{
	char type[DNS_TYPE_TEXT];

	question_record(s->sb, 0, asked, dns_type_name(q->type, type));
	return dns_answer_code(q, code, out, size);
}

static int refuse_by_rule(struct stub *s, const struct dns_question *q, const char *rule, const char *detail, enum dns_rcode code, uint8_t *out, size_t size)
{
	struct question asked = {.verdict = policy_rule(supervisor_policy(s->sb->sup), rule), .detail = detail};

	char spelled[DNS_TEXT_MAX];

	snprintf(asked.host, sizeof asked.host, "%.*s", PW_HOST_MAX - 1, q->name);
	dns_spelling(q, spelled);
	question_sign(s->sb, spelled, &asked);
	return refuse(s, q, &asked, code, out, size);
}

static bool is_loopback(const struct pw_address *a)
{
	return a->family == AF_INET ? a->bytes[0] == 127 : !memcmp(a->bytes, &in6addr_loopback, sizeof in6addr_loopback);
}

static int answer_reverse(struct stub *s, const struct dns_question *q, enum dns_transport how, uint8_t *out, size_t size)
{
	struct pw_address address;

	if (dns_reverse_address(q->name, &address) && is_loopback(&address))
		return dns_answer_name(q, how, "localhost", LOCAL_SECONDS, out, size);
	return refuse_by_rule(s, q, "net.resolve.reverse", "resolvers are not asked for the names of addresses, which can carry data", DNS_NXDOMAIN, out, size);
}

/* Of an allowed host its real addresses have to be asked for, which may take its time. */
struct asking {
	struct shade who;
	struct client client; /* its fd is a duplicate */
	struct dns_question question;
	char host[PW_HOST_MAX];
};

static void ask(void *argument)
{
	struct asking *a = argument;
	uint8_t out[2 + DNS_UDP_MAX];
	struct pw_answer answer;

	lookup_allowed(&a->who, a->host, a->question.type == DNS_A ? AF_INET : AF_INET6, &answer);
	int len = answer_addresses(&a->question, a->client.how, &answer, out + 2, sizeof out - 2);
	if (len > 0)
		send_answer(&a->client, out, (size_t)len);
	close(a->client.fd);
	free(a);
}

static int ask_later(struct stub *s, const struct dns_question *q, const char *host, const struct client *c)
{
	struct asking *a = calloc(1, sizeof *a);

	if (a == NULL)
		return -ENOMEM;
	shade_init(&a->who, s->sb);
	a->client = *c;
	a->client.fd = fcntl(c->fd, F_DUPFD_CLOEXEC, 3);
	a->question = *q;
	memcpy(a->host, host, sizeof a->host);
	int error = a->client.fd < 0 ? -EMFILE : worker_start(s->sb->id, ask, a);
	if (error < 0) {
		close_fd(&a->client.fd);
		free(a);
	}
	return error;
}

/* An allowed name as a resolver with a search list asks for it: with a domain of the list behind it, first (ndots) or when the name has no such address. */
static bool is_searched(struct stub *s, const struct question *asked)
{
	char host[PW_HOST_MAX];
	size_t from = 0, len;

	if (asked->class != NAME_REMOTE || strcmp(asked->verdict.rule, "net.resolve"))
		return false;
	while ((len = nameservers_searched(&s->sb->sup->servers, asked->host, &from)) > 0) {
		snprintf(host, sizeof host, "%.*s", (int)len, asked->host);
		if (supervisor_host_allowed(s->sb, host, 0))
			return true;
	}
	return false;
}

static int answer_good(struct stub *s, const struct dns_question *q, const struct client *c, uint8_t *out, size_t size)
{
	struct question asked;
	char spelled[DNS_TEXT_MAX];

	if (q->class != DNS_IN)
		return refuse_by_rule(s, q, "net.resolve.type", "only the Internet's names are answered", DNS_REFUSED, out, size);
	if (q->type == DNS_PTR)
		return answer_reverse(s, q, c->how, out, size);
	dns_spelling(q, spelled);
	switch (question_judge(s->sb, spelled, &asked)) {
	case QUESTION_REFUSED:
		if (is_searched(s, &asked)) /* the name itself comes next */
			return dns_answer_code(q, DNS_NXDOMAIN, out, size);
		return refuse(s, q, &asked, DNS_NXDOMAIN, out, size);
	case QUESTION_LITERAL:
		return dns_answer_code(q, DNS_NXDOMAIN, out, size); /* as everywhere: an address is no name */
	case QUESTION_LOCAL:
		return answer_local(q, c->how, asked.host, out, size);
	case QUESTION_ASK:
		break;
	}
	if (carries_text(q->type))
		return refuse_by_rule(s, q, "net.resolve.type", "of an allowed host its addresses are answered, and nothing else", DNS_REFUSED, out, size);
	if (!is_address_type(q->type))
		return dns_answer_code(q, DNS_NOERROR, out, size);
	return ask_later(s, q, asked.host, c) < 0 ? dns_answer_code(q, DNS_SERVFAIL, out, size) : 0;
}

/* The length of the answer; 0: none may be given, or it comes later. */
static size_t answer(struct stub *s, const void *message, size_t len, const struct client *c, uint8_t *out, size_t size)
{
	struct dns_question q;
	enum dns_rcode code = dns_read_question(message, len, &q);
	int built;

	if (code == DNS_DROP)
		return 0;
	built = code == DNS_NOERROR ? answer_good(s, &q, c, out, size) : dns_answer_code(&q, code, out, size);
	return built > 0 ? (size_t)built : 0;
}

/* --- UDP ----------------------------------------------------------------------------------------- */

static void serve_datagrams(struct stub *s, int sock)
{
	uint8_t message[STUB_MESSAGE_MAX], out[2 + DNS_UDP_MAX];

	for (int i = 0; i < ROUND_MAX; i++) {
		struct client c = {.how = DNS_UDP, .fd = sock, .from_len = sizeof c.from};
		ssize_t n = recvfrom(sock, message, sizeof message, 0, (struct sockaddr *)&c.from, &c.from_len);
		if (n < 0)
			return;
		size_t len = answer(s, message, (size_t)n, &c, out + 2, sizeof out - 2);
		if (len > 0)
			send_answer(&c, out, len);
	}
}

/* --- TCP ----------------------------------------------------------------------------------------- */

static void accept_stream(struct stub *s, int sock)
{
	struct stub_stream *place = s->streams;
	int fd = accept4(sock, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS))
		s->deaf_until = clock_milliseconds() + DEAF_MS;
	if (fd < 0)
		return;
	for (struct stub_stream *t = s->streams; t < s->streams + STUB_STREAMS && place->fd >= 0; t++)
		if (t->fd < 0 || t->heard < place->heard)
			place = t;
	close_fd(&place->fd);
	*place = (struct stub_stream){.fd = fd, .heard = ++s->messages};
}

static bool answer_stream(struct stub *s, struct stub_stream *t, const uint8_t *message, size_t len)
{
	const struct client c = {.how = DNS_TCP, .fd = t->fd};
	uint8_t out[2 + DNS_UDP_MAX];
	size_t built = answer(s, message, len, &c, out + 2, sizeof out - 2);

	return built == 0 || send_answer(&c, out, built);
}

static bool serve_stream(struct stub *s, struct stub_stream *t)
{
	ssize_t n = recv(t->fd, t->bytes + t->have, sizeof t->bytes - t->have, 0);
	size_t offset, len;

	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR);
	t->have += (size_t)n;
	t->heard = ++s->messages;
	for (;;) {
		switch (dns_frame_take(t->bytes, t->have, &offset, &len)) {
		case DNS_FRAME_MORE:
			return t->have < sizeof t->bytes; /* longer than any question */
		case DNS_FRAME_BAD:
			return false;
		case DNS_FRAME_WHOLE:
			if (!answer_stream(s, t, t->bytes + offset, len))
				return false;
			t->have -= offset + len;
			memmove(t->bytes, t->bytes + offset + len, t->have);
		}
	}
}

/* --- the session's ------------------------------------------------------------------------------- */

void stub_init(struct stub *s, struct sandbox *sb)
{
	s->sb = sb;
	s->n = 0;
	for (size_t i = 0; i < STUB_STREAMS; i++)
		s->streams[i].fd = -1;
}

void stub_take(struct stub *s, const int *sockets, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s->n < OWN_NET_SOCKETS)
			s->sockets[s->n++] = sockets[i];
		else
			close(sockets[i]);
	}
}

void stub_finish(struct stub *s)
{
	for (size_t i = 0; i < STUB_STREAMS; i++)
		close_fd(&s->streams[i].fd);
	while (s->n > 0)
		close(s->sockets[--s->n]);
}

static bool is_stream(int sock)
{
	int type = 0;
	socklen_t len = sizeof type;

	return getsockopt(sock, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_STREAM;
}

size_t stub_poll(struct stub *s, struct pollfd *fds, int *wait)
{
	int64_t deaf = s->deaf_until ? s->deaf_until - clock_milliseconds() : 0;
	size_t n = 0;

	if (deaf <= 0)
		s->deaf_until = 0;
	else if (*wait < 0 || deaf < *wait)
		*wait = (int)deaf;
	for (size_t i = 0; i < s->n; i++)
		if (deaf <= 0 || !is_stream(s->sockets[i]))
			fds[n++] = (struct pollfd){.fd = s->sockets[i], .events = POLLIN};
	for (size_t i = 0; i < STUB_STREAMS; i++)
		if (s->streams[i].fd >= 0)
			fds[n++] = (struct pollfd){.fd = s->streams[i].fd, .events = POLLIN};
	return n;
}

static struct stub_stream *stream_of(struct stub *s, int fd)
{
	for (struct stub_stream *t = s->streams; t < s->streams + STUB_STREAMS; t++)
		if (t->fd == fd)
			return t;
	return NULL;
}

void stub_serve(struct stub *s, const struct pollfd *fds, size_t n)
{
	for (size_t i = n; i-- > 0;) { /* the streams first: one that is accepted may take the number of one that is closed */
		struct stub_stream *t = stream_of(s, fds[i].fd);
		if (fds[i].revents == 0)
			continue;
		if (t != NULL) {
			if (!serve_stream(s, t))
				close_fd(&t->fd);
		} else if (is_stream(fds[i].fd)) {
			accept_stream(s, fds[i].fd);
		} else {
			serve_datagrams(s, fds[i].fd);
		}
	}
}

bool stub_listens_at(const struct sandbox *sb, const struct sockaddr_storage *sa)
{
	return sb->namespaces && nameservers_has(&sb->sup->servers, sa);
}
