#include "launcher/supervise/proxy_dial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "launcher/base/clock.h"
#include "launcher/base/fd.h"
#include "launcher/installer/installer.h"
#include "launcher/names/names.h"
#include "launcher/relay/http_answer.h"
#include "launcher/relay/socks.h"
#include "launcher/supervise/dial.h"
#include "launcher/supervise/session.h"
#include "launcher/supervise/supervisor.h"

#define LOGIN_MAX 1024 /* bytes of a name and a password; a login of SOCKS has 255 for each */
#define HEAD_MAX (2 * LOGIN_MAX + 2 * HOST_TEXT_MAX + 128)
#define ANSWER_MS 60000 /* how long a proxy may take that nobody else bounds: it may be connecting to the host meanwhile */

/* --- whom ------------------------------------------------------------------------------------------ */

/* One label, or a domain that the Internet has not (RFC 2606, 6762 and what companies use as RFC 6762 appendix G lists it). */
static bool is_private(const char *host)
{
	static const char *const domains[] = {".local", ".localhost", ".internal", ".intranet", ".private", ".corp", ".home", ".lan", ".home.arpa", ".localdomain"};
	size_t len = strlen(host);

	for (size_t i = 0; i < sizeof domains / sizeof *domains; i++) {
		size_t n = strlen(domains[i]);

		if (len > n && !strcasecmp(host + len - n, domains[i]))
			return true;
	}
	return !strchr(host, '.');
}

const struct proxy *proxy_for(const struct supervisor *sup, const char *host, unsigned port)
{
	char canonical[PW_HOST_MAX];

	if (!supervisor_proxies(sup)->n || is_private(host) || names_classify(host, canonical) != NAME_REMOTE)
		return NULL;
	return proxies_for(supervisor_proxies(sup), host, port);
}

/* --- bytes ------------------------------------------------------------------------------------------ */

struct talk {
	const struct proxy_wait *wait;
	int sock;
	int64_t deadline; /* ms */
	int error;        /* positive; -1: nobody waits any more */
};

/* After a call that could not be done at once: when it can, or that it shall not be. */
static bool may_go_on(struct talk *d, short events)
{
	struct pollfd p = {.fd = d->sock, .events = events};

	if (errno != EINTR && errno != EAGAIN) {
		d->error = errno;
		return false;
	}
	poll(&p, 1, PROXY_LOOK_MS);
	if (!d->wait->goes_on(d->wait->arg))
		d->error = -1;
	else if (clock_milliseconds() >= d->deadline)
		d->error = ETIMEDOUT;
	return d->error == 0;
}

static bool say(struct talk *d, const void *bytes, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = send(d->sock, (const char *)bytes + done, len - done, MSG_NOSIGNAL);

		if (n >= 0)
			done += (size_t)n;
		else if (!may_go_on(d, POLLOUT))
			return false;
	}
	return true;
}

/* One at a time: what comes behind the proxy's answer is the host's, and stays in the socket for the relay. */
static bool hear(struct talk *d, uint8_t *byte)
{
	for (;;) {
		ssize_t n = recv(d->sock, byte, 1, 0);

		if (n == 1)
			return true;
		if (n == 0)
			d->error = ECONNRESET;
		if (n == 0 || !may_go_on(d, POLLIN))
			return false;
	}
}

/* --- HTTP ------------------------------------------------------------------------------------------- */

static void put_base64(char *out, const char *text)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *in = (const uint8_t *)text;
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i += 3) {
		uint32_t bits = (uint32_t)in[i] << 16 | (i + 1 < len ? (uint32_t)in[i + 1] << 8 : 0) | (i + 2 < len ? in[i + 2] : 0);

		*out++ = letters[bits >> 18];
		*out++ = letters[bits >> 12 & 63];
		*out++ = i + 1 < len ? letters[bits >> 6 & 63] : '=';
		*out++ = i + 2 < len ? letters[bits & 63] : '=';
	}
	*out = '\0';
}

static bool ask_http(struct talk *d, const struct proxy *p, const char *host, unsigned port)
{
	char head[HEAD_MAX], login[4 * (LOGIN_MAX / 3 + 1) + 1] = "";
	struct http_answer answer = {0};
	uint8_t byte;
	size_t used;

	if (p->login)
		put_base64(login, p->login);
	snprintf(head, sizeof head, "CONNECT %s:%u HTTP/1.1\r\nHost: %s:%u\r\n%s%s%s\r\n", host, port, host, port, p->login ? "Proxy-Authorization: Basic " : "", login,
	         p->login ? "\r\n" : "");
	bool said = say(d, head, strlen(head));
	explicit_bzero(head, sizeof head);
	explicit_bzero(login, sizeof login);
	while (said && answer.verdict == HTTP_ANSWER_MORE && hear(d, &byte))
		http_answer_feed(&answer, &byte, 1, &used);
	return answer.verdict == HTTP_ANSWER_TUNNEL;
}

/* --- SOCKS ------------------------------------------------------------------------------------------ */

/* Says a message, and hears the answer to it. */
static bool exchange(struct talk *d, struct socks_talk *t, const uint8_t *message, size_t len)
{
	size_t used;
	uint8_t byte;
	int state;

	if (!say(d, message, len) || socks_client(t, message, len, &used) == SOCKS_BAD || used != len)
		return false;
	state = t->state;
	while ((int)t->state == state) {
		if (!hear(d, &byte))
			return false;
		socks_proxy(t, &byte, 1);
	}
	return true;
}

static bool log_in(struct talk *d, struct socks_talk *t, const char *login)
{
	const char *colon = strchr(login, ':');
	size_t name = colon ? (size_t)(colon - login) : 0, word = colon ? strlen(colon + 1) : 0;
	uint8_t message[SOCKS_MESSAGE_MAX] = {1, (uint8_t)name};

	if (!colon || name > 255 || word > 255)
		return false;
	memcpy(message + 2, login, name);
	message[2 + name] = (uint8_t)word;
	memcpy(message + 3 + name, colon + 1, word);
	bool done = exchange(d, t, message, 3 + name + word);
	explicit_bzero(message, sizeof message);
	return done;
}

static bool ask_socks(struct talk *d, const struct proxy *p, const char *host, unsigned port)
{
	static const uint8_t plain[] = {5, 1, 0}, either[] = {5, 2, 0, 2};
	size_t len = strlen(host);
	uint8_t request[4 + 1 + HOST_TEXT_MAX + 2] = {5, 1, 0, 3, (uint8_t)len};
	struct socks_talk t = {0};

	if (!(p->login ? exchange(d, &t, either, sizeof either) : exchange(d, &t, plain, sizeof plain)))
		return false;
	if (t.state == SOCKS_AT_LOGIN && !log_in(d, &t, p->login))
		return false;
	if (t.state != SOCKS_AT_REQUEST)
		return false;
	memcpy(request + 5, host, len);
	request[5 + len] = (uint8_t)(port >> 8);
	request[6 + len] = (uint8_t)port;
	return exchange(d, &t, request, 7 + len) && t.made;
}

/* --- the connection --------------------------------------------------------------------------------- */

static void find(const struct proxy *p, struct pw_answer *out)
{
	char canonical[PW_HOST_MAX];

	if (names_classify(p->host, canonical) == NAME_REMOTE)
		names_ask(p->host, AF_UNSPEC, out, canonical);
	else
		names_local(p->host, AF_UNSPEC, out);
}

/* To one of the proxy's addresses.  -1 with *error, as in struct talk. */
static int connect_to(const struct proxy_wait *wait, const struct pw_address *address, unsigned port, int64_t patience, int *error)
{
	int64_t until = clock_milliseconds() + patience;
	struct dial dial;
	int sock = -EINPROGRESS;

	*error = 0;
	dial_init(&dial);
	dial_add(&dial, address, port);
	while (*error == 0 && (sock = dial_wait(&dial, PROXY_LOOK_MS)) == -EINPROGRESS) {
		if (!wait->goes_on(wait->arg))
			*error = -1;
		else if (patience && clock_milliseconds() >= until)
			*error = ETIMEDOUT;
	}
	if (sock < 0 && *error == 0)
		*error = -sock;
	dial_finish(&dial);
	return sock >= 0 ? sock : -1;
}

int proxy_dial(const struct proxy_wait *wait, const struct proxy *p, const char *host, unsigned port)
{
	int64_t patience = (int64_t)wait->patience.tv_sec * 1000 + wait->patience.tv_usec / 1000;
	struct talk d = {.error = EHOSTUNREACH};
	cleanup_fd int sock = -1;
	struct pw_answer proxy;

	if (p->login && strlen(p->login) > LOGIN_MAX)
		return -EACCES;
	find(p, &proxy);
	for (uint32_t i = 0; i < proxy.count && sock < 0 && d.error >= 0; i++)
		sock = connect_to(wait, &proxy.address[i], p->port, patience, &d.error);
	if (sock < 0)
		return d.error < 0 ? -ESRCH : -d.error;
	d = (struct talk){.wait = wait, .sock = sock, .deadline = clock_milliseconds() + (patience ? patience : ANSWER_MS)};
	if (p->kind == PROXY_SOCKS ? ask_socks(&d, p, host, port) : ask_http(&d, p, host, port))
		return steal_fd(&sock);
	return d.error < 0 ? -ESRCH : -(d.error ? d.error : ECONNREFUSED);
}
