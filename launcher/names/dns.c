#include "launcher/names/dns.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* The header's second pair of bytes. */
#define FLAG_ANSWER 0x8000
#define FLAG_CUT 0x0200
#define FLAG_RECURSE 0x0100
#define FLAG_RECURSES 0x0080
#define FLAG_NO_CHECK 0x0010
#define OPCODE_SHIFT 11

#define LABEL_MAX 63
#define POINTER 0xc0     /* two bits that make a length a pointer to an earlier name */
#define POINTER_TO_QUESTION 0xc00c
#define RECORD_HEAD 12   /* pointer, type, class, TTL, length */
#define OPT_LEN 11       /* the same with the root for a name; no options */
#define EDNS_DNSSEC 0x8000
#define TTL_MAX 0x7fffffffu /* RFC 2181, 8 */

/* --- a question --------------------------------------------------------------------------------- */

/* The bytes that are left. */
struct rest {
	const uint8_t *at;
	size_t len;
};

static const uint8_t *take(struct rest *r, size_t len)
{
	const uint8_t *at = r->at;

	if (r->len < len)
		return NULL;
	r->at += len;
	r->len -= len;
	return at;
}

static uint16_t number(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static bool plain(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static uint8_t small(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 'a' - 'A') : c;
}

/* Returns the end.  Letters beyond ASCII have no case in DNS. */
static char *label_text(const uint8_t *label, size_t len, bool spelled, char *out)
{
	for (size_t i = 0; i < len; i++) {
		if (plain(label[i]))
			*out++ = (char)(spelled ? label[i] : small(label[i]));
		else
			out += sprintf(out, "\\%03u", label[i]);
	}
	*out = '\0';
	return out;
}

/* wire was read by read_name. */
static void name_text(const uint8_t *wire, bool spelled, char out[DNS_TEXT_MAX])
{
	*out = '\0';
	for (const char *begin = out; *wire; wire += *wire + 1) {
		if (out != begin)
			*out++ = '.';
		out = label_text(wire + 1, *wire, spelled, out);
	}
}

void dns_spelling(const struct dns_question *q, char out[DNS_TEXT_MAX])
{
	*out = '\0';
	if (q->wire_len)
		name_text(q->wire, true, out);
}

/* The name's length on the wire; 0: it is none.  A pointer has nothing to point at in a message's first name. */
static size_t read_name(struct rest *r, struct dns_question *out)
{
	size_t len = 0;

	for (;;) {
		const uint8_t *label = take(r, 1);
		size_t whole = label ? (size_t)*label + 1 : 0;

		if (!label || *label > LABEL_MAX || len + whole > DNS_NAME_MAX || !take(r, *label))
			return 0;
		memcpy(out->wire + len, label, whole);
		len += whole;
		if (whole == 1)
			return len;
		out->labels++;
	}
}

static bool read_asked(struct rest *r, struct dns_question *out)
{
	size_t len = read_name(r, out);
	const uint8_t *rest = len ? take(r, 4) : NULL;

	if (!rest)
		return false;
	memcpy(out->wire + len, rest, 4);
	out->type = number(rest);
	out->class = number(rest + 2);
	out->wire_len = (uint16_t)(len + 4);
	name_text(out->wire, false, out->name);
	return true;
}

/* *root: it is the root.  Where a pointer leads to is of no interest: whose records they are is not asked. */
static bool skip_name(struct rest *r, bool *root)
{
	for (bool first = true;; first = false) {
		const uint8_t *label = take(r, 1);

		if (!label)
			return false;
		*root = first && !*label;
		if (!*label)
			return true;
		if (*label >= POINTER)
			return take(r, 1) != NULL;
		if (*label > LABEL_MAX || !take(r, *label))
			return false;
	}
}

/* Code and length, then that many bytes.  None of them changes an answer of ours. */
static bool options_hold(struct rest options)
{
	while (options.len) {
		const uint8_t *head = take(&options, 4);

		if (!head || !take(&options, number(head + 2)))
			return false;
	}
	return true;
}

static enum dns_rcode read_opt(const uint8_t *fixed, struct rest options, struct dns_question *out)
{
	if (out->edns)
		return DNS_FORMERR; /* RFC 6891, 6.1.1: there is one at most */
	out->edns = true;
	out->udp_size = number(fixed + 2);
	out->dnssec = number(fixed + 6) & EDNS_DNSSEC;
	if (!options_hold(options))
		return DNS_FORMERR;
	return fixed[5] ? DNS_BADVERS : DNS_NOERROR;
}

/* One record.  A wrong version is told when the whole message has been read: it counts less than what cannot be read. */
static enum dns_rcode read_additional(struct rest *r, struct dns_question *out)
{
	bool root;
	const uint8_t *fixed = skip_name(r, &root) ? take(r, 10) : NULL;
	bool opt = fixed && number(fixed) == DNS_OPT;
	const uint8_t *data = fixed ? take(r, number(fixed + 8)) : NULL;

	if (!data) {
		out->edns |= opt; /* RFC 6891, 7: a client is told of an OPT record that is wrong by a message that has one */
		return DNS_FORMERR;
	}
	if (!opt)
		return DNS_NOERROR;
	enum dns_rcode wrong = read_opt(fixed, (struct rest){data, number(fixed + 8)}, out);
	return root ? wrong : DNS_FORMERR;
}

static enum dns_rcode read_sections(const uint8_t *header, struct rest *r, struct dns_question *out)
{
	enum dns_rcode all = DNS_NOERROR;

	if (number(header + 4) != 1 || !read_asked(r, out)) /* RFC 9619: one question and no more */
		return DNS_FORMERR;
	if (number(header + 6) || number(header + 8))
		return DNS_FORMERR;
	for (unsigned n = number(header + 10); n > 0; n--) {
		enum dns_rcode one = read_additional(r, out);

		if (one == DNS_FORMERR)
			return one;
		if (one != DNS_NOERROR)
			all = one;
	}
	return r->len ? DNS_FORMERR : all; /* bytes that belong to nothing */
}

enum dns_rcode dns_read_question(const void *message, size_t len, struct dns_question *out)
{
	struct rest rest = {message, len};
	const uint8_t *header = take(&rest, DNS_HEADER);

	memset(out, 0, sizeof *out);
	if (!header || number(header + 2) & FLAG_ANSWER)
		return DNS_DROP;
	out->id = number(header);
	out->opcode = header[2] >> 3 & 15;
	out->recurse = number(header + 2) & FLAG_RECURSE;
	out->no_check = number(header + 2) & FLAG_NO_CHECK;
	return out->opcode ? DNS_NOTIMP : read_sections(header, &rest, out); /* the sections of other messages mean other things */
}

/* --- names -------------------------------------------------------------------------------------- */

const char *dns_type_name(uint16_t type, char out[DNS_TYPE_TEXT])
{
	static const struct {
		uint16_t type;
		const char *name;
	} known[] = {
		{1, "A"}, {2, "NS"}, {5, "CNAME"}, {6, "SOA"}, {10, "NULL"}, {12, "PTR"}, {13, "HINFO"}, {15, "MX"}, {16, "TXT"}, {17, "RP"}, {18, "AFSDB"},
		{24, "SIG"}, {25, "KEY"}, {28, "AAAA"}, {29, "LOC"}, {33, "SRV"}, {35, "NAPTR"}, {37, "CERT"}, {39, "DNAME"}, {41, "OPT"}, {42, "APL"}, {43, "DS"},
		{44, "SSHFP"}, {45, "IPSECKEY"}, {46, "RRSIG"}, {47, "NSEC"}, {48, "DNSKEY"}, {49, "DHCID"}, {50, "NSEC3"}, {51, "NSEC3PARAM"}, {52, "TLSA"},
		{53, "SMIMEA"}, {55, "HIP"}, {59, "CDS"}, {60, "CDNSKEY"}, {61, "OPENPGPKEY"}, {62, "CSYNC"}, {63, "ZONEMD"}, {64, "SVCB"}, {65, "HTTPS"}, {99, "SPF"},
		{108, "EUI48"}, {109, "EUI64"}, {249, "TKEY"}, {250, "TSIG"}, {251, "IXFR"}, {252, "AXFR"}, {255, "ANY"}, {256, "URI"}, {257, "CAA"},
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (known[i].type == type)
			return known[i].name;
	}
	snprintf(out, DNS_TYPE_TEXT, "TYPE%u", type);
	return out;
}

/* *name, if it ends in the labels of tail, is cut off before them; tail begins with its dot. */
static bool cut_tail(const char *name, const char *tail, size_t *len)
{
	size_t all = strlen(name), n = strlen(tail);

	if (all <= n || strcmp(name + all - n, tail))
		return false;
	*len = all - n;
	return true;
}

/* "4.3.2.1": the last number first, none with a zero before it. */
static bool reverse4(const char *text, size_t len, uint8_t out[4])
{
	const char *end = text + len;

	for (int i = 3; i >= 0; i--) {
		unsigned n = 0, digits = 0;

		while (text < end && *text >= '0' && *text <= '9' && digits < 3) {
			n = n * 10 + (unsigned)(*text++ - '0');
			digits++;
		}
		if (!digits || n > 255 || (digits > 1 && n < (digits == 2 ? 10 : 100)))
			return false;
		if (i ? text == end || *text++ != '.' : text != end)
			return false;
		out[i] = (uint8_t)n;
	}
	return true;
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 32 digits, the last first. */
static bool reverse6(const char *text, size_t len, uint8_t out[16])
{
	if (len != 63)
		return false;
	for (size_t i = 0; i < 32; i++) {
		int digit = hex(text[2 * i]);

		if (digit < 0 || (i < 31 && text[2 * i + 1] != '.'))
			return false;
		out[15 - i / 2] |= (uint8_t)(i % 2 ? digit << 4 : digit);
	}
	return true;
}

bool dns_reverse_address(const char *name, struct pw_address *out)
{
	size_t len;

	memset(out, 0, sizeof *out);
	if (cut_tail(name, ".in-addr.arpa", &len)) {
		out->family = AF_INET;
		return reverse4(name, len, out->bytes);
	}
	out->family = AF_INET6;
	return cut_tail(name, ".ip6.arpa", &len) && reverse6(name, len, out->bytes);
}

/* --- answers ------------------------------------------------------------------------------------ */

static uint8_t *put16(uint8_t *at, unsigned n)
{
	at[0] = (uint8_t)(n >> 8);
	at[1] = (uint8_t)n;
	return at + 2;
}

/* RA: an empty answer without it, and without AA, is taken for that of a server that has been named by mistake (glibc), and the next one is asked. */
static uint8_t *put_header(uint8_t *at, const struct dns_question *q, enum dns_rcode code, bool cut, size_t count)
{
	unsigned flags = FLAG_ANSWER | FLAG_RECURSES | (unsigned)q->opcode << OPCODE_SHIFT | ((unsigned)code & 15);

	flags |= (cut ? FLAG_CUT : 0) | (q->recurse ? FLAG_RECURSE : 0) | (q->no_check ? FLAG_NO_CHECK : 0);
	at = put16(put16(at, q->id), flags);
	at = put16(put16(at, q->wire_len ? 1 : 0), (unsigned)count);
	at = put16(put16(at, 0), q->edns ? 1 : 0);
	if (q->wire_len)
		memcpy(at, q->wire, q->wire_len);
	return at + q->wire_len;
}

/* DO is copied (RFC 3225, 3). */
static void put_opt(uint8_t *at, const struct dns_question *q, enum dns_rcode code)
{
	*at = 0;
	at = put16(put16(at + 1, DNS_OPT), DNS_UDP_MAX);
	at = put16(put16(at, ((unsigned)code >> 4) << 8), q->dnssec ? EDNS_DNSSEC : 0);
	put16(at, 0);
}

/* Records of the question's own name, type and class. */
struct records {
	const uint8_t *data;
	size_t count, each; /* bytes of one */
	uint32_t ttl;
};

static uint8_t *put_record(uint8_t *at, const struct dns_question *q, const struct records *r, size_t i)
{
	at = put16(put16(at, POINTER_TO_QUESTION), q->type);
	at = put16(put16(at, q->class), r->ttl >> 16);
	at = put16(put16(at, r->ttl & 0xffff), (unsigned)r->each);
	memcpy(at, r->data + i * r->each, r->each);
	return at + r->each;
}

size_t dns_room(const struct dns_question *q, enum dns_transport how)
{
	if (how == DNS_TCP)
		return DNS_TCP_MAX;
	if (!q->edns || q->udp_size < DNS_UDP_PLAIN)
		return DNS_UDP_PLAIN;
	return q->udp_size < DNS_UDP_MAX ? q->udp_size : DNS_UDP_MAX;
}

static int answer(const struct dns_question *q, enum dns_transport how, enum dns_rcode code, struct records r, void *out, size_t size)
{
	size_t len = DNS_HEADER + q->wire_len + (q->edns ? OPT_LEN : 0);
	bool cut = r.count > DNS_TCP_MAX || len + r.count * (RECORD_HEAD + r.each) > dns_room(q, how);

	if (cut && how == DNS_TCP)
		return -EMSGSIZE;
	if (cut)
		r.count = 0;
	len += r.count * (RECORD_HEAD + r.each);
	if (len > size)
		return -ENOSPC;
	uint8_t *at = put_header(out, q, code, cut, r.count);
	for (size_t i = 0; i < r.count; i++)
		at = put_record(at, q, &r, i);
	if (q->edns)
		put_opt(at, q, code);
	return (int)len;
}

int dns_answer_code(const struct dns_question *q, enum dns_rcode code, void *out, size_t size)
{
	if (code < 0 || (code > 15 && !q->edns))
		return -EINVAL;
	return answer(q, DNS_UDP, code, (struct records){0}, out, size);
}

/* Can it have records of that type? */
static bool takes(const struct dns_question *q, enum dns_type type, uint32_t ttl)
{
	return q->wire_len && q->type == type && q->class == DNS_IN && ttl <= TTL_MAX;
}

int dns_answer_addresses(const struct dns_question *q, enum dns_transport how, const void *addresses, size_t count, uint32_t ttl, void *out, size_t size)
{
	struct records r = {addresses, count, takes(q, DNS_A, ttl) ? 4 : 16, ttl};

	if (r.each == 16 && !takes(q, DNS_AAAA, ttl))
		return -EINVAL;
	return answer(q, how, DNS_NOERROR, r, out, size);
}

/* The name on the wire, at most DNS_NAME_MAX bytes; 0: it is no host name. */
static size_t wire_name(const char *name, uint8_t out[DNS_NAME_MAX])
{
	size_t len = 0;

	for (;;) {
		size_t n = strcspn(name, ".");

		if (!n || n > LABEL_MAX || len + n + 2 > DNS_NAME_MAX)
			return 0;
		out[len++] = (uint8_t)n;
		for (size_t i = 0; i < n; i++) {
			if (!plain((uint8_t)name[i]))
				return 0;
			out[len++] = (uint8_t)name[i];
		}
		if (!name[n])
			break;
		name += n + 1;
	}
	out[len++] = 0;
	return len;
}

int dns_answer_name(const struct dns_question *q, enum dns_transport how, const char *name, uint32_t ttl, void *out, size_t size)
{
	uint8_t wire[DNS_NAME_MAX];
	struct records r = {wire, 1, wire_name(name, wire), ttl};

	if (!r.each || !takes(q, DNS_PTR, ttl))
		return -EINVAL;
	return answer(q, how, DNS_NOERROR, r, out, size);
}

/* --- TCP ---------------------------------------------------------------------------------------- */

enum dns_frame dns_frame_take(const void *bytes, size_t len, size_t *offset, size_t *message_len)
{
	if (len < 2)
		return DNS_FRAME_MORE;
	*offset = 2;
	*message_len = number(bytes);
	if (*message_len < DNS_HEADER)
		return DNS_FRAME_BAD;
	return len - 2 < *message_len ? DNS_FRAME_MORE : DNS_FRAME_WHOLE;
}

void dns_frame_put(uint8_t out[2], size_t message_len)
{
	put16(out, (unsigned)message_len);
}
