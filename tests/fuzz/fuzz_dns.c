/* A message of DNS as a sandbox may send it, and what is answered: whatever is read as a question, each answer holds it again, fits the client,
 * and is no query itself.  The same bytes as a stream of TCP and as a reverse name. */
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "launcher/names/dns.h"

#define OPT_LEN 11

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const struct dns_question *q)
{
	char spelled[DNS_TEXT_MAX];
	size_t len = strnlen(q->name, sizeof q->name), dots = 0;

	assert(len < sizeof q->name);
	for (size_t i = 0; i < len; i++) {
		dots += q->name[i] == '.';
		assert(islower((unsigned char)q->name[i]) || isdigit((unsigned char)q->name[i]) || strchr("-_.\\", q->name[i]));
	}
	assert(q->labels == (len ? dots + 1 : 0));
	dns_spelling(q, spelled);
	assert(!strcasecmp(spelled, q->name));
}

static void check_same(const struct dns_question *a, const struct dns_question *b)
{
	assert(a->id == b->id && a->type == b->type && a->class == b->class && a->labels == b->labels && a->edns == b->edns && a->dnssec == b->dnssec);
	assert(a->recurse == b->recurse && a->no_check == b->no_check && a->wire_len == b->wire_len && !memcmp(a->wire, b->wire, a->wire_len));
	assert(!strcmp(a->name, b->name));
}

/* An answer without its records, with the bit turned that makes it one, is the question. */
static void check_answer(const struct dns_question *q, enum dns_rcode read, const uint8_t *out, int len, size_t room)
{
	size_t tail = q->edns ? OPT_LEN : 0, head = DNS_HEADER + q->wire_len;
	uint8_t *copy = malloc((size_t)len);
	struct dns_question again;

	assert(len > 0 && (size_t)len <= room && (size_t)len >= head + tail);
	assert(dns_read_question(out, (size_t)len, &again) == DNS_DROP);
	memcpy(copy, out, (size_t)len);
	memmove(copy + head, copy + (size_t)len - tail, tail);
	copy[2] &= 0x7f;
	copy[6] = copy[7] = 0;
	enum dns_rcode code = dns_read_question(copy, head + tail, &again);
	free(copy);
	if (q->opcode || !q->wire_len) {
		assert(code == (q->opcode ? DNS_NOTIMP : DNS_FORMERR) && again.id == q->id && again.opcode == q->opcode);
		return;
	}
	assert(code == DNS_NOERROR);
	if (read == DNS_NOERROR)
		check_same(q, &again);
}

static void check_codes(const struct dns_question *q, enum dns_rcode read)
{
	static const enum dns_rcode codes[] = {DNS_NOERROR, DNS_FORMERR, DNS_SERVFAIL, DNS_NXDOMAIN, DNS_NOTIMP, DNS_REFUSED, DNS_BADVERS};
	uint8_t out[DNS_UDP_MAX];

	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
		int len = dns_answer_code(q, codes[i], out, sizeof out);

		if (codes[i] == DNS_BADVERS && !q->edns)
			assert(len == -EINVAL);
		else
			check_answer(q, read, out, len, DNS_UDP_PLAIN);
	}
	assert(dns_answer_code(q, DNS_DROP, out, sizeof out) == -EINVAL);
}

/* As many addresses as the message has bytes; the bytes themselves. */
static void check_addresses(const struct dns_question *q, const uint8_t *data, size_t size)
{
	static uint8_t out[DNS_TCP_MAX];
	size_t each = q->type == DNS_A ? 4 : 16, count = size / each;

	for (enum dns_transport how = DNS_UDP; how <= DNS_TCP; how++) {
		int len = dns_answer_addresses(q, how, data, count, 60, out, sizeof out);

		if ((q->type != DNS_A && q->type != DNS_AAAA) || q->class != DNS_IN) {
			assert(len == -EINVAL);
			continue;
		}
		if (len == -EMSGSIZE) {
			assert(how == DNS_TCP && count * (12 + each) > DNS_TCP_MAX - 300);
			continue;
		}
		check_answer(q, DNS_NOERROR, out, len, dns_room(q, how));
		assert((size_t)(out[6] << 8 | out[7]) == (out[2] & 2 ? 0 : count));
		assert(how == DNS_UDP || !(out[2] & 2));
	}
}

static void check_name(const struct dns_question *q)
{
	uint8_t out[DNS_TCP_MAX];
	int len = dns_answer_name(q, DNS_UDP, q->name, 60, out, sizeof out);

	if (q->type != DNS_PTR || q->class != DNS_IN || !*q->name || strchr(q->name, '\\'))
		assert(len == -EINVAL);
	else
		check_answer(q, DNS_NOERROR, out, len, dns_room(q, DNS_UDP));
}

static void check_reverse(const uint8_t *data, size_t size)
{
	char *name = malloc(size + 1);
	struct pw_address address;

	memcpy(name, data, size);
	name[size] = '\0';
	if (dns_reverse_address(name, &address))
		assert(address.family == (strlen(name) == 72 ? AF_INET6 : AF_INET));
	free(name);
}

static void check_stream(const uint8_t *data, size_t size)
{
	struct dns_question q;
	size_t offset, len;
	enum dns_frame frame;

	while ((frame = dns_frame_take(data, size, &offset, &len)) == DNS_FRAME_WHOLE) {
		assert(offset == 2 && len >= DNS_HEADER && offset + len <= size);
		dns_read_question(data + offset, len, &q);
		data += offset + len;
		size -= offset + len;
	}
	assert(frame == DNS_FRAME_BAD || size < 2 || size - 2 < (size_t)(data[0] << 8 | data[1]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dns_question q;
	char text[DNS_TYPE_TEXT];

	check_stream(data, size);
	check_reverse(data, size);
	memset(&q, 0x5a, sizeof q);
	enum dns_rcode code = dns_read_question(data, size, &q);
	if (code == DNS_DROP) {
		assert(size < DNS_HEADER || data[2] & 0x80);
		return 0;
	}
	assert(code == DNS_NOERROR || code == DNS_FORMERR || code == DNS_NOTIMP || code == DNS_BADVERS);
	assert((code == DNS_NOTIMP) == (q.opcode != 0) && (code != DNS_BADVERS || q.edns));
	check_codes(&q, code);
	if (code != DNS_NOERROR)
		return 0;
	assert(q.wire_len >= 5 && q.wire_len <= DNS_QUESTION_MAX && strlen(dns_type_name(q.type, text)) < DNS_TYPE_TEXT);
	check_text(&q);
	check_addresses(&q, data, size);
	check_name(&q);
	return 0;
}
