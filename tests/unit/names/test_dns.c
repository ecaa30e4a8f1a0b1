#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/nameser.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "launcher/names/dns.h"

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

/* --- messages ------------------------------------------------------------------------------------ */

struct message {
	uint8_t bytes[2048];
	size_t len;
};

static void add(struct message *m, const void *bytes, size_t len)
{
	assert_true(m->len + len <= sizeof m->bytes);
	memcpy(m->bytes + m->len, bytes, len);
	m->len += len;
}

static void add16(struct message *m, unsigned n)
{
	add(m, (uint8_t[]){(uint8_t)(n >> 8), (uint8_t)n}, 2);
}

static void add_label(struct message *m, const void *bytes, size_t len)
{
	add(m, (uint8_t[]){(uint8_t)len}, 1);
	add(m, bytes, len);
}

/* Labels between dots, and the root. */
static void add_name(struct message *m, const char *name)
{
	while (*name) {
		size_t len = strcspn(name, ".");

		add_label(m, name, len);
		name += len + (name[len] == '.');
	}
	add(m, "", 1);
}

static struct message header(unsigned flags, unsigned questions, unsigned answers, unsigned authorities, unsigned additional)
{
	struct message m = {.len = 0};

	add16(&m, 0x1234);
	add16(&m, flags);
	add16(&m, questions);
	add16(&m, answers);
	add16(&m, authorities);
	add16(&m, additional);
	return m;
}

static struct message query(const char *name, unsigned type, unsigned additional)
{
	struct message m = header(0x0100, 1, 0, 0, additional);

	add_name(&m, name);
	add16(&m, type);
	add16(&m, 1);
	return m;
}

static void add_opt(struct message *m, unsigned size, unsigned version, unsigned flags, const void *options, size_t len)
{
	add(m, "", 1);
	add16(m, 41);
	add16(m, size);
	add16(m, version);
	add16(m, flags);
	add16(m, (unsigned)len);
	add(m, options, len);
}

/* What real clients sent, as hex. */
static struct message captured(const char *hex)
{
	struct message m = {.len = strlen(hex) / 2};

	for (size_t i = 0; i < m.len; i++) {
		char two[3] = {hex[2 * i], hex[2 * i + 1], 0};

		m.bytes[i] = (uint8_t)strtoul(two, NULL, 16);
	}
	return m;
}

/* From memory of exactly that size, so that a sanitizer sees a byte too many. */
static enum dns_rcode read_all(const struct message *m, struct dns_question *q)
{
	uint8_t *exact = malloc(m->len ? m->len : 1);

	assert_non_null(exact);
	memcpy(exact, m->bytes, m->len);
	memset(q, 0x5a, sizeof *q);
	enum dns_rcode code = dns_read_question(exact, m->len, q);
	free(exact);
	return code;
}

static struct dns_question good(const struct message *m)
{
	struct dns_question q;

	assert_int_equal(read_all(m, &q), DNS_NOERROR);
	return q;
}

static void refused(const struct message *m, enum dns_rcode want)
{
	struct dns_question q;

	assert_int_equal(read_all(m, &q), want);
}

/* --- the checker ---------------------------------------------------------------------------------- */

struct seen {
	uint16_t flags, answers, opt_size, opt_flags;
	unsigned code, opt_version;
	bool opt;
	struct {
		uint16_t type, class, len;
		uint32_t ttl;
		const uint8_t *data;
	} record[64];
};

static unsigned get16(const uint8_t **at)
{
	unsigned n = (unsigned)((*at)[0] << 8 | (*at)[1]);

	*at += 2;
	return n;
}

static void see_records(const uint8_t **at, struct seen *s)
{
	for (unsigned i = 0; i < s->answers; i++) {
		assert_true(i < COUNT(s->record));
		assert_int_equal(get16(at), 0xc00c);
		s->record[i].type = (uint16_t)get16(at);
		s->record[i].class = (uint16_t)get16(at);
		s->record[i].ttl = get16(at) << 16;
		s->record[i].ttl |= get16(at);
		s->record[i].len = (uint16_t)get16(at);
		s->record[i].data = *at;
		*at += s->record[i].len;
	}
}

static void see_opt(const uint8_t **at, struct seen *s)
{
	assert_int_equal(*(*at)++, 0);
	assert_int_equal(get16(at), 41);
	s->opt_size = (uint16_t)get16(at);
	unsigned high = get16(at);
	s->code |= high >> 8 << 4;
	s->opt_version = high & 255;
	s->opt_flags = (uint16_t)get16(at);
	assert_int_equal(get16(at), 0);
}

/* libc's parser as well: another's reading of the same RFC. */
static void see_with_libc(const uint8_t *m, size_t len, const struct seen *s)
{
	ns_msg msg;
	ns_rr rr;
	char owner[NS_MAXDNAME];

	assert_int_equal(ns_initparse(m, (int)len, &msg), 0);
	assert_int_equal(ns_msg_count(msg, ns_s_an), s->answers);
	if (ns_msg_count(msg, ns_s_qd) == 0)
		return;
	assert_int_equal(ns_parserr(&msg, ns_s_qd, 0, &rr), 0);
	snprintf(owner, sizeof owner, "%s", ns_rr_name(rr));
	for (unsigned i = 0; i < s->answers; i++) {
		assert_int_equal(ns_parserr(&msg, ns_s_an, (int)i, &rr), 0);
		assert_string_equal(ns_rr_name(rr), owner);
		assert_int_equal(ns_rr_ttl(rr), s->record[i].ttl);
		assert_int_equal(ns_rr_rdlen(rr), s->record[i].len);
	}
	for (unsigned i = 0; i < ns_msg_count(msg, ns_s_ar); i++)
		assert_int_equal(ns_parserr(&msg, ns_s_ar, (int)i, &rr), 0);
}

static struct seen see(const struct dns_question *q, const uint8_t *m, int len)
{
	const uint8_t *at = m;
	struct seen s = {0};

	assert_true(len >= DNS_HEADER);
	assert_int_equal(get16(&at), q->id);
	s.flags = (uint16_t)get16(&at);
	s.code = s.flags & 15;
	assert_int_equal(get16(&at), q->wire_len ? 1 : 0);
	s.answers = (uint16_t)get16(&at);
	assert_int_equal(get16(&at), 0);
	s.opt = get16(&at);
	assert_memory_equal(at, q->wire, q->wire_len); /* as it was spelled */
	at += q->wire_len;
	see_records(&at, &s);
	if (s.opt)
		see_opt(&at, &s);
	assert_ptr_equal(at, m + len);
	assert_int_equal(s.opt, q->edns);
	assert_int_equal(s.flags & 0x8480, 0x8080); /* an answer, RA, not AA */
	assert_int_equal((s.flags & 0x0100) != 0, q->recurse);
	assert_int_equal((s.flags & 0x0010) != 0, q->no_check);
	assert_int_equal(s.flags >> 11 & 15, q->opcode);
	assert_int_equal(s.flags & 0x0060, 0);
	if (s.opt) {
		assert_int_equal(s.opt_size, DNS_UDP_MAX);
		assert_int_equal(s.opt_version, 0);
		assert_int_equal(s.opt_flags, q->dnssec ? 0x8000 : 0);
	}
	see_with_libc(m, (size_t)len, &s);
	return s;
}

/* --- questions of real clients -------------------------------------------------------------------- */

#define DIG "49db0120000100000000000103775777074578616d706c6503636f6d000001000100002904d000000000000c000a00089895fdad7a36491c"

static void test_dig(void **state)
{
	struct message m = captured(DIG);
	struct dns_question q = good(&m);
	char text[DNS_TEXT_MAX];

	(void)state;
	assert_int_equal(q.id, 0x49db);
	assert_string_equal(q.name, "www.example.com");
	dns_spelling(&q, text);
	assert_string_equal(text, "wWw.Example.com");
	assert_int_equal(q.labels, 3);
	assert_int_equal(q.type, DNS_A);
	assert_int_equal(q.class, DNS_IN);
	assert_true(q.recurse && q.edns && !q.dnssec && !q.no_check);
	assert_int_equal(q.udp_size, 1232);
	assert_int_equal(q.wire_len, 21);
}

static void test_dig_options(void **state)
{
	static const struct {
		const char *hex, *name;
		unsigned type, size;
		bool recurse, no_check, edns, dnssec;
	} cases[] = {
		{"eeb201300001000000000001076578616d706c6503636f6d00001c000100002904d000008000000c000a0008804459e68ca2e079", /* +dnssec +cd */
		 "example.com", DNS_AAAA, 1232, true, true, true, true},
		{"9c5d00200001000000000000076578616d706c6503636f6d0000100001", "example.com", 16, 0, false, false, false, false}, /* +noedns +norec */
		{"9d3601200001000000000001076578616d706c6503636f6d000001000100002904d000000000001b000300000008000700011800c00002000a0008057fbf8adb786dd4",
		 "example.com", DNS_A, 1232, true, false, true, false}, /* +nsid +subnet */
		{"4f7b012000010000000000010131013001300331323707696e2d61646472046172706100000c000100002904d000000000000c000a00084aec899db0a1e679",
		 "1.0.0.127.in-addr.arpa", DNS_PTR, 1232, true, false, true, false}, /* -x */
		{"c1170120000100000000000106612e6220635c076578616d706c6503636f6d000001000100002904d000000000000c000a0008f2a5e15f73bdff03",
		 "a\\046b\\032c\\092.example.com", DNS_A, 1232, true, false, true, false}, /* a\.b\032c\\ */
		{"bc7501200001000000000001000002000100002904d000000000000c000a00082a13fc436b513845", "", 2, 1232, true, false, true, false},
		{"72f901200001000000000002076578616d706c6503636f6d000001000100002904d000000000000c000a00088bee37289521363b016b0000fa00ff00000000003d0b686d61"
		 "632d7368613235360000006b0d0f95012c0020233dbcbf3ddb27051ead8ea743d969c816e051f58e7e0e7d6a1f03435976182e72f900000000",
		 "example.com", DNS_A, 1232, true, false, true, false}, /* -y: a TSIG record behind the OPT */
		{"79ae010000010000000000000566696c65730c707974686f6e686f73746564036f726700001c0001",
		 "files.pythonhosted.org", DNS_AAAA, 0, true, false, false, false}, /* glibc */
		{"ad25010000010000000000010566696c65730c707974686f6e686f73746564036f726700001c000100002904b0000000000000",
		 "files.pythonhosted.org", DNS_AAAA, 1200, true, false, true, false}, /* glibc with edns0 */
		{"8f19012000010000000000000470797069036f72670000010001", "pypi.org", DNS_A, 0, true, false, false, false}, /* musl */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct message m = captured(cases[i].hex);
		struct dns_question q = good(&m);

		assert_string_equal(q.name, cases[i].name);
		assert_int_equal(q.type, cases[i].type);
		assert_int_equal(q.udp_size, cases[i].size);
		assert_true(q.recurse == cases[i].recurse && q.no_check == cases[i].no_check && q.edns == cases[i].edns && q.dnssec == cases[i].dnssec);
	}
}

static void test_dig_refused(void **state)
{
	struct message other_version = captured("108001200001000000000001076578616d706c6503636f6d000001000100002904d000010000000c000a00085cdea573d54638b1");
	struct message status = captured("f4b911200001000000000001076578616d706c6503636f6d000001000100002904d000000000000c000a000844bc77b393d6289e");
	uint8_t out[DNS_UDP_MAX];
	struct dns_question q;

	(void)state;
	assert_int_equal(read_all(&other_version, &q), DNS_BADVERS);
	struct seen s = see(&q, out, dns_answer_code(&q, DNS_BADVERS, out, sizeof out));
	assert_int_equal(s.code, 16);
	assert_int_equal(q.wire_len, 17);
	assert_int_equal(read_all(&status, &q), DNS_NOTIMP);
	s = see(&q, out, dns_answer_code(&q, DNS_NOTIMP, out, sizeof out));
	assert_int_equal(s.code, 4);
	assert_int_equal(q.opcode, 2);
}

/* --- what is no query ------------------------------------------------------------------------------ */

static void test_drop(void **state)
{
	struct message m = captured(DIG);

	(void)state;
	for (m.len = 0; m.len < DNS_HEADER; m.len++)
		refused(&m, DNS_DROP);
	m = captured(DIG);
	m.bytes[2] |= 0x80;
	refused(&m, DNS_DROP);
	m.len = DNS_HEADER;
	refused(&m, DNS_DROP);
	m.bytes[2] |= 0x78; /* an answer is none whatever it answers */
	refused(&m, DNS_DROP);
}

static void test_opcodes(void **state)
{
	(void)state;
	for (unsigned opcode = 1; opcode < 16; opcode++) {
		struct message m = captured(DIG);
		struct dns_question q;
		uint8_t out[DNS_UDP_MAX];

		m.bytes[2] = (uint8_t)(opcode << 3);
		assert_int_equal(read_all(&m, &q), DNS_NOTIMP);
		assert_int_equal(q.opcode, opcode);
		struct seen s = see(&q, out, dns_answer_code(&q, DNS_NOTIMP, out, sizeof out));
		assert_int_equal(s.code, DNS_NOTIMP);
		m.len = DNS_HEADER;
		refused(&m, DNS_NOTIMP);
	}
}

/* Cut off anywhere it is an error, and can be answered. */
static void test_cut_off(void **state)
{
	struct message whole = captured(DIG), m = whole;

	(void)state;
	for (m.len = DNS_HEADER; m.len < whole.len; m.len++) {
		struct dns_question q;
		uint8_t out[DNS_UDP_MAX];

		assert_int_equal(read_all(&m, &q), DNS_FORMERR);
		assert_int_equal(q.wire_len, m.len < DNS_HEADER + 21 ? 0 : 21);
		struct seen s = see(&q, out, dns_answer_code(&q, DNS_FORMERR, out, sizeof out));
		assert_int_equal(s.code, DNS_FORMERR);
		assert_int_equal(s.opt, m.len >= whole.len - 12); /* told that it is the OPT record that is wrong */
	}
}

static void test_counts(void **state)
{
	static const unsigned counts[][4] = {{0, 0, 0, 0}, {2, 0, 0, 0}, {65535, 0, 0, 0}, {1, 1, 0, 0}, {1, 0, 1, 0}, {1, 0, 0, 1}, {1, 0, 0, 65535},
		                             {1, 65535, 65535, 0}};

	(void)state;
	for (size_t i = 0; i < COUNT(counts); i++) {
		struct message m = header(0x0100, counts[i][0], counts[i][1], counts[i][2], counts[i][3]);

		add_name(&m, "a.example");
		add16(&m, DNS_A);
		add16(&m, DNS_IN);
		refused(&m, DNS_FORMERR);
		add_opt(&m, 1232, 0, 0, "", 0);
		if (counts[i][3] != 1)
			refused(&m, DNS_FORMERR);
	}
	struct message m = header(0x0100, 0, 0, 0, 0);
	refused(&m, DNS_FORMERR);
}

static void test_bytes_behind(void **state)
{
	struct message m = query("a.example", DNS_A, 0);

	(void)state;
	good(&m);
	add(&m, "", 1);
	refused(&m, DNS_FORMERR);
	m = query("a.example", DNS_A, 1);
	add_opt(&m, 1232, 0, 0, "", 0);
	good(&m);
	add(&m, "payload", 7);
	refused(&m, DNS_FORMERR);
}

/* --- names ----------------------------------------------------------------------------------------- */

static struct message raw_query(const void *name, size_t len)
{
	struct message m = header(0x0100, 1, 0, 0, 0);

	add(&m, name, len);
	add16(&m, DNS_A);
	add16(&m, DNS_IN);
	return m;
}

static void test_labels(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} bad[] = {
		{"\xc0\x0c", 2},       /* itself */
		{"\xc0\x00", 2},       {"\xc0\xff", 2},       {"\xff\xff", 2},
		{"\1a\xc0\x0c", 4},    {"\1a\xc0\x0e", 4},    /* a pointer behind a label */
		{"\x40" "a\0", 3},     {"\x41\0", 2},         {"\x80" "a\0", 3},     {"\xbf\0", 2}, /* reserved kinds of labels */
		{"\x3f" "abc\0", 5},   {"\5abc\0", 5},        /* longer than what is there */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct message m = raw_query(bad[i].bytes, bad[i].len);

		refused(&m, DNS_FORMERR);
	}
}

/* Labels of those lengths, and the root. */
static struct message labels_of(const unsigned *lengths, size_t n, uint8_t byte)
{
	struct message m = header(0x0100, 1, 0, 0, 0);
	uint8_t label[64];

	memset(label, byte, sizeof label);
	for (size_t i = 0; i < n; i++)
		add_label(&m, label, lengths[i]);
	add(&m, "", 1);
	add16(&m, DNS_A);
	add16(&m, DNS_IN);
	return m;
}

static void test_lengths(void **state)
{
	static const unsigned longest[] = {63, 63, 63, 61}, over[] = {63, 63, 63, 62}, far[] = {63, 63, 63, 63, 63}, wide[] = {64};
	unsigned many[128];
	struct message m = labels_of(longest, 4, 'x');
	struct dns_question q = good(&m);

	(void)state;
	assert_int_equal(q.labels, 4);
	assert_int_equal(q.wire_len, DNS_QUESTION_MAX);
	assert_int_equal(strlen(q.name), 253);
	m = labels_of(longest, 4, 0xff);
	q = good(&m);
	assert_int_equal(strlen(q.name), DNS_TEXT_MAX - 1); /* the longest text there is */
	assert_memory_equal(q.name, "\\255\\255", 8);
	m = labels_of(over, 4, 'x');
	refused(&m, DNS_FORMERR);
	m = labels_of(far, 5, 'x');
	refused(&m, DNS_FORMERR);
	m = labels_of(wide, 1, 'x');
	refused(&m, DNS_FORMERR);
	for (size_t i = 0; i < COUNT(many); i++)
		many[i] = 1;
	m = labels_of(many, 127, 'y');
	q = good(&m);
	assert_int_equal(q.labels, 127);
	m = labels_of(many, 128, 'y');
	refused(&m, DNS_FORMERR);
}

static void test_text(void **state)
{
	static const struct {
		const char *label;
		size_t len;
		const char *small, *spelled;
	} cases[] = {
		{"_Dmarc-1", 8, "_dmarc-1", "_Dmarc-1"},
		{"a.b", 3, "a\\046b", "a\\046b"},
		{"\\046", 4, "\\092046", "\\092046"}, /* not the text of a dot */
		{"\0", 1, "\\000", "\\000"},
		{"\n\x7f ", 3, "\\010\\127\\032", "\\010\\127\\032"},
		{"B\xc3\x9c", 3, "b\\195\\156", "B\\195\\156"}, /* no case beyond ASCII */
		{"@[`{/:", 6, "\\064\\091\\096\\123\\047\\058", "\\064\\091\\096\\123\\047\\058"},
		{"*", 1, "\\042", "\\042"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct message m = header(0x0100, 1, 0, 0, 0);
		char text[DNS_TEXT_MAX], want[DNS_TEXT_MAX];

		add_label(&m, cases[i].label, cases[i].len);
		add_name(&m, "eXample");
		add16(&m, DNS_A);
		add16(&m, DNS_IN);
		struct dns_question q = good(&m);
		snprintf(want, sizeof want, "%s.example", cases[i].small);
		assert_string_equal(q.name, want);
		snprintf(want, sizeof want, "%s.eXample", cases[i].spelled);
		dns_spelling(&q, text);
		assert_string_equal(text, want);
	}
}

/* --- EDNS ------------------------------------------------------------------------------------------ */

static void test_opt(void **state)
{
	static const unsigned sizes[][2] = {{0, 512}, {511, 512}, {512, 512}, {513, 513}, {1231, 1231}, {1232, 1232}, {1233, 1232}, {4096, 1232}, {65535, 1232}};
	struct message m = query("a.example", DNS_A, 0);
	struct dns_question q = good(&m);

	(void)state;
	assert_int_equal(dns_room(&q, DNS_UDP), 512);
	assert_int_equal(dns_room(&q, DNS_TCP), 65535);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		m = query("a.example", DNS_A, 1);
		add_opt(&m, sizes[i][0], 0, i % 2 ? 0x8000 : 0x7fff, "", 0);
		q = good(&m);
		assert_int_equal(q.udp_size, sizes[i][0]);
		assert_int_equal(q.dnssec, i % 2);
		assert_int_equal(dns_room(&q, DNS_UDP), sizes[i][1]);
		assert_int_equal(dns_room(&q, DNS_TCP), 65535);
	}
}

static void test_opt_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} options[] = {{"\0", 1}, {"\0\3\0", 3}, {"\0\3\0\1", 4}, {"\0\3\0\0\0", 5}, {"\0\12\0\10abcdefg", 11}, {"\0\3\xff\xff", 4}};
	struct dns_question q;
	struct message m;

	(void)state;
	for (size_t i = 0; i < COUNT(options); i++) {
		m = query("a.example", DNS_A, 1);
		add_opt(&m, 1232, 0, 0, options[i].bytes, options[i].len);
		assert_int_equal(read_all(&m, &q), DNS_FORMERR);
		assert_true(q.edns && q.wire_len);
	}
	for (unsigned version = 0; version < 2; version++) { /* that there are two counts more than what they say */
		m = query("a.example", DNS_A, 2);
		add_opt(&m, 1232, version, 0, "", 0);
		add_opt(&m, 1232, 0, 0, "", 0);
		assert_int_equal(read_all(&m, &q), DNS_FORMERR);
		assert_true(q.edns);
	}
	m = query("a.example", DNS_A, 1);
	add_opt(&m, 1232, 255, 0, "", 0);
	refused(&m, DNS_BADVERS);
	m = query("a.example", DNS_A, 2);
	add_opt(&m, 1232, 1, 0, "", 0);
	refused(&m, DNS_FORMERR); /* the second is missing */
	m = query("a.example", DNS_A, 1);
	add(&m, "\xc0\x0c\0\x29\x04\xd0\0\0\0\0\0\0", 12); /* an OPT record of a name */
	refused(&m, DNS_FORMERR);
	m = query("a.example", DNS_A, 1);
	add(&m, "\1a\0\0\x29\x04\xd0\0\0\0\0\0\0", 13);
	refused(&m, DNS_FORMERR);
}

/* Others in the additional section are stepped over, whatever their names point to. */
static void test_additional(void **state)
{
	static const char pointer[] = "\xc0\xff\0\1\0\1\0\0\0\0\0\4abcd", name[] = "\1a\1b\0\0\xfa\0\xff\0\0\0\0\0\0", both[] = "\1a\xc0\x0c\0\1\0\1\0\0\0\0\0\0";
	static const char reserved[] = "\x41" "a\0\0\1\0\1\0\0\0\0\0\0", past[] = "\0\0\1\0\1\0\0\0\0\xff\xff";
	struct message m = query("a.example", DNS_A, 4);

	(void)state;
	add(&m, pointer, sizeof pointer - 1);
	add(&m, name, sizeof name - 1);
	add_opt(&m, 1400, 0, 0, "\0\3\0\0", 4);
	add(&m, both, sizeof both - 1);
	struct dns_question q = good(&m);
	assert_int_equal(q.udp_size, 1400);
	m = query("a.example", DNS_A, 1);
	add(&m, reserved, sizeof reserved - 1);
	refused(&m, DNS_FORMERR);
	m = query("a.example", DNS_A, 1);
	add(&m, past, sizeof past - 1);
	refused(&m, DNS_FORMERR);
	m = query("a.example", DNS_A, 1);
	add(&m, "\xc0", 1);
	refused(&m, DNS_FORMERR);
}

/* --- types and reverse names ----------------------------------------------------------------------- */

static void test_types(void **state)
{
	static const struct {
		uint16_t type;
		const char *name;
	} cases[] = {{1, "A"}, {28, "AAAA"}, {16, "TXT"}, {10, "NULL"}, {12, "PTR"}, {65, "HTTPS"}, {255, "ANY"}, {252, "AXFR"}, {257, "CAA"},
		     {0, "TYPE0"}, {65400, "TYPE65400"}, {65535, "TYPE65535"}};
	char text[DNS_TYPE_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(dns_type_name(cases[i].type, text), cases[i].name);
}

static void test_reverse(void **state)
{
	static const char loop6[] = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa";
	static const char doc6[] = "f.e.d.c.b.a.9.8.7.6.5.4.3.2.1.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa";
	static const uint8_t doc[16] = {0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 1, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
	static const char *const bad[] = {
		"", "in-addr.arpa", ".in-addr.arpa", "3.2.1.in-addr.arpa", "5.4.3.2.1.in-addr.arpa", "256.3.2.1.in-addr.arpa", "04.3.2.1.in-addr.arpa",
		"00.3.2.1.in-addr.arpa", "004.3.2.1.in-addr.arpa", "1000.3.2.1.in-addr.arpa", "4..2.1.in-addr.arpa", "4.3.2.1x.in-addr.arpa", "4.3.2.1.in-addr.arpa.x",
		"4.3.2.1in-addr.arpa", "0x4.3.2.1.in-addr.arpa", "4.3.2.1.IN-ADDR.ARPA", " 4.3.2.1.in-addr.arpa", "4.3.2.-1.in-addr.arpa", "a.3.2.1.in-addr.arpa",
		"4.3.2.1.ip6.arpa", "ip6.arpa", "0.0.ip6.arpa", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa",
		"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa", "g.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa",
		"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0-0.ip6.arpa", "\\046.3.2.1.in-addr.arpa",
	};
	struct pw_address a;

	(void)state;
	assert_true(dns_reverse_address("4.3.2.1.in-addr.arpa", &a));
	assert_int_equal(a.family, AF_INET);
	assert_memory_equal(a.bytes, "\1\2\3\4\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_true(dns_reverse_address("0.10.255.203.in-addr.arpa", &a));
	assert_memory_equal(a.bytes, "\xcb\xff\x0a\0", 4);
	assert_true(dns_reverse_address(loop6, &a));
	assert_int_equal(a.family, AF_INET6);
	assert_memory_equal(a.bytes, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	assert_true(dns_reverse_address(doc6, &a));
	assert_memory_equal(a.bytes, doc, 16);
	for (size_t i = 0; i < COUNT(bad); i++)
		if (dns_reverse_address(bad[i], &a))
			fail_msg("\"%s\" passed", bad[i]);
}

/* --- answers --------------------------------------------------------------------------------------- */

static struct dns_question asked(const char *name, unsigned type, unsigned udp_size)
{
	struct message m = query(name, type, udp_size ? 1 : 0);

	if (udp_size)
		add_opt(&m, udp_size, 0, 0, "", 0);
	return good(&m);
}

static void test_addresses(void **state)
{
	static const uint8_t v4[8] = {203, 0, 113, 7, 198, 18, 0, 1}, v6[32] = {0x20, 1, 0x0d, 0xb8, [15] = 1, [16] = 0xfd, [31] = 2};
	uint8_t out[DNS_UDP_MAX];

	(void)state;
	for (unsigned size = 0; size <= 4096; size += 4096) {
		struct dns_question q = asked("FiLeS.PyThOnHoStEd.oRg", DNS_A, size);
		struct seen s = see(&q, out, dns_answer_addresses(&q, DNS_UDP, v4, 2, 60, out, sizeof out));

		assert_int_equal(s.code, 0);
		assert_int_equal(s.flags & 0x0200, 0);
		assert_int_equal(s.answers, 2);
		for (unsigned i = 0; i < 2; i++) {
			assert_int_equal(s.record[i].type, DNS_A);
			assert_int_equal(s.record[i].class, DNS_IN);
			assert_int_equal(s.record[i].ttl, 60);
			assert_int_equal(s.record[i].len, 4);
			assert_memory_equal(s.record[i].data, v4 + 4 * i, 4);
		}
		assert_memory_equal(out + DNS_HEADER, "\5FiLeS\14PyThOnHoStEd\3oRg", 23);
		q = asked("files.pythonhosted.org", DNS_AAAA, size);
		s = see(&q, out, dns_answer_addresses(&q, DNS_UDP, v6, 2, 0x7fffffff, out, sizeof out));
		assert_int_equal(s.record[0].ttl, 0x7fffffff);
		assert_int_equal(s.record[1].type, DNS_AAAA);
		assert_memory_equal(s.record[1].data, v6 + 16, 16);
		s = see(&q, out, dns_answer_addresses(&q, DNS_UDP, NULL, 0, 60, out, sizeof out));
		assert_int_equal(s.answers, 0); /* NODATA */
	}
}

static void test_codes(void **state)
{
	static const enum dns_rcode codes[] = {DNS_NOERROR, DNS_FORMERR, DNS_SERVFAIL, DNS_NXDOMAIN, DNS_NOTIMP, DNS_REFUSED};
	struct dns_question plain = asked("MiXeD.example", 16, 0), edns = asked("MiXeD.example", 16, 1232);
	uint8_t out[DNS_UDP_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(codes); i++) {
		assert_int_equal(see(&plain, out, dns_answer_code(&plain, codes[i], out, sizeof out)).code, codes[i]);
		struct seen s = see(&edns, out, dns_answer_code(&edns, codes[i], out, sizeof out));
		assert_int_equal(s.code, codes[i]);
		assert_int_equal(s.answers, 0);
	}
	assert_int_equal(see(&edns, out, dns_answer_code(&edns, DNS_BADVERS, out, sizeof out)).code, 16);
	assert_int_equal(dns_answer_code(&plain, DNS_BADVERS, out, sizeof out), -EINVAL); /* there is no place for it */
	assert_int_equal(dns_answer_code(&plain, DNS_DROP, out, sizeof out), -EINVAL);
	assert_int_equal(dns_answer_code(&edns, DNS_DROP, out, sizeof out), -EINVAL);
}

/* The longest question of all has room for its errors in the smallest message. */
static void test_longest(void **state)
{
	static const unsigned longest[] = {63, 63, 63, 61};
	struct message m = labels_of(longest, 4, 'x');
	uint8_t out[DNS_UDP_MAX], addresses[4 * 32] = {0};

	(void)state;
	m.bytes[11] = 1;
	add_opt(&m, 0, 0, 0x8000, "", 0);
	struct dns_question q = good(&m);
	assert_int_equal(dns_answer_code(&q, DNS_NXDOMAIN, out, sizeof out), 12 + 259 + 11);
	see(&q, out, dns_answer_code(&q, DNS_NXDOMAIN, out, 282));
	assert_int_equal(dns_answer_code(&q, DNS_NXDOMAIN, out, 281), -ENOSPC);
	assert_int_equal(see(&q, out, dns_answer_addresses(&q, DNS_UDP, addresses, 14, 1, out, sizeof out)).answers, 14);
	struct seen s = see(&q, out, dns_answer_addresses(&q, DNS_UDP, addresses, 15, 1, out, sizeof out));
	assert_int_equal(s.answers, 0);
	assert_int_equal(s.flags & 0x0200, 0x0200);
}

static void test_truncation(void **state)
{
	/* "a.example": 12 + 15, and 11 with EDNS; 16 a record */
	static const struct {
		unsigned udp_size;
		size_t fits;
	} cases[] = {{0, 30}, {1, 29}, {512, 29}, {600, 35}, {1232, 74}, {4096, 74}, {65535, 74}};
	uint8_t out[DNS_TCP_MAX], addresses[4 * 100] = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct dns_question q = asked("a.example", DNS_A, cases[i].udp_size);
		int len = dns_answer_addresses(&q, DNS_UDP, addresses, cases[i].fits, 1, out, sizeof out);

		assert_true(len > 0 && (size_t)len <= dns_room(&q, DNS_UDP) && (size_t)len + 16 > dns_room(&q, DNS_UDP));
		assert_int_equal(out[2] & 2, 0);
		len = dns_answer_addresses(&q, DNS_UDP, addresses, cases[i].fits + 1, 1, out, sizeof out);
		struct seen s = see(&q, out, len);
		assert_int_equal(s.answers, 0);
		assert_int_equal(s.flags & 0x0200, 0x0200);
		len = dns_answer_addresses(&q, DNS_TCP, addresses, cases[i].fits + 1, 1, out, sizeof out);
		assert_int_equal(out[2] & 2, 0);
		assert_int_equal(out[7], cases[i].fits + 1);
		assert_int_equal(len, 27 + (cases[i].udp_size ? 11 : 0) + 16 * (int)(cases[i].fits + 1));
	}
}

static void test_no_room(void **state)
{
	struct dns_question q = asked("a.example", DNS_A, 0);
	uint8_t out[DNS_TCP_MAX + 1], *many = calloc(70000, 4);

	(void)state;
	assert_non_null(many);
	for (size_t size = 0; size < 43; size++) {
		memset(out, 0x5a, sizeof out);
		assert_int_equal(dns_answer_addresses(&q, DNS_UDP, "\1\2\3\4", 1, 1, out, size), -ENOSPC);
		assert_int_equal(out[size], 0x5a);
	}
	assert_int_equal(dns_answer_addresses(&q, DNS_UDP, "\1\2\3\4", 1, 1, out, 43), 43);
	assert_int_equal(dns_answer_addresses(&q, DNS_TCP, many, 4094, 1, out, sizeof out), 27 + 16 * 4094);
	assert_int_equal(dns_answer_addresses(&q, DNS_TCP, many, 4095, 1, out, sizeof out), -EMSGSIZE);
	assert_int_equal(dns_answer_addresses(&q, DNS_TCP, many, 70000, 1, out, sizeof out), -EMSGSIZE);
	assert_int_equal(dns_answer_addresses(&q, DNS_TCP, many, SIZE_MAX / 8, 1, out, sizeof out), -EMSGSIZE);
	assert_int_equal(dns_answer_addresses(&q, DNS_UDP, many, SIZE_MAX, 1, out, sizeof out), 27); /* TC */
	free(many);
}

static void test_no_such_answer(void **state)
{
	static const uint8_t address[16];
	struct dns_question txt = asked("a.example", 16, 0), a = asked("a.example", DNS_A, 0), ptr = asked("1.0.0.127.in-addr.arpa", DNS_PTR, 0);
	struct dns_question none = {.type = DNS_A, .class = DNS_IN}, chaos = a;
	uint8_t out[DNS_UDP_MAX];

	(void)state;
	chaos.class = 3;
	assert_int_equal(dns_answer_addresses(&txt, DNS_UDP, address, 1, 1, out, sizeof out), -EINVAL);
	assert_int_equal(dns_answer_addresses(&ptr, DNS_UDP, address, 1, 1, out, sizeof out), -EINVAL);
	assert_int_equal(dns_answer_addresses(&none, DNS_UDP, address, 1, 1, out, sizeof out), -EINVAL);
	assert_int_equal(dns_answer_addresses(&chaos, DNS_UDP, address, 1, 1, out, sizeof out), -EINVAL);
	assert_int_equal(dns_answer_addresses(&a, DNS_UDP, address, 1, 0x80000000u, out, sizeof out), -EINVAL);
	assert_int_equal(dns_answer_name(&a, DNS_UDP, "localhost", 1, out, sizeof out), -EINVAL);
	assert_int_equal(dns_answer_name(&ptr, DNS_UDP, "localhost", 0x80000000u, out, sizeof out), -EINVAL);
}

static void test_pointer(void **state)
{
	static const char *const bad[] = {"", ".", "a..b", "a.", ".a", "a b", "a\\046b", "b\xc3\xbc" "cher", "*.a"};
	struct dns_question q = asked("1.0.0.127.In-Addr.Arpa", DNS_PTR, 1232);
	uint8_t out[DNS_UDP_MAX];
	char name[300];

	(void)state;
	struct seen s = see(&q, out, dns_answer_name(&q, DNS_UDP, "localhost", 5, out, sizeof out));
	assert_int_equal(s.answers, 1);
	assert_int_equal(s.record[0].type, DNS_PTR);
	assert_int_equal(s.record[0].len, 11);
	assert_memory_equal(s.record[0].data, "\11localhost", 11);
	s = see(&q, out, dns_answer_name(&q, DNS_TCP, "Files.python_hosted.org", 5, out, sizeof out));
	assert_memory_equal(s.record[0].data, "\5Files\15python_hosted\3org", 25);
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(dns_answer_name(&q, DNS_UDP, bad[i], 5, out, sizeof out), -EINVAL);
	memset(name, 'n', sizeof name);
	name[63] = name[127] = name[191] = '.';
	name[253] = 0;
	s = see(&q, out, dns_answer_name(&q, DNS_UDP, name, 5, out, sizeof out));
	assert_int_equal(s.record[0].len, 255);
	name[253] = 'n';
	name[254] = 0;
	assert_int_equal(dns_answer_name(&q, DNS_UDP, name, 5, out, sizeof out), -EINVAL);
	name[63] = 'n';
	name[64] = 0;
	assert_int_equal(dns_answer_name(&q, DNS_UDP, name, 5, out, sizeof out), -EINVAL);
}

/* --- TCP ------------------------------------------------------------------------------------------- */

static void test_frames(void **state)
{
	struct message one = captured(DIG), stream = {.len = 0};
	size_t offset, len, at = 0;
	uint8_t head[2];

	(void)state;
	for (int i = 0; i < 3; i++) {
		dns_frame_put(head, one.len - (size_t)i);
		add(&stream, head, 2);
		add(&stream, one.bytes, one.len - (size_t)i);
	}
	for (size_t n = 0; n < one.len + 2; n++)
		assert_int_equal(dns_frame_take(stream.bytes, n, &offset, &len), DNS_FRAME_MORE);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(dns_frame_take(stream.bytes + at, stream.len - at, &offset, &len), DNS_FRAME_WHOLE);
		assert_int_equal(offset, 2);
		assert_int_equal(len, one.len - (size_t)i);
		assert_memory_equal(stream.bytes + at + offset, one.bytes, len);
		at += offset + len;
	}
	assert_int_equal(dns_frame_take(stream.bytes + at, stream.len - at, &offset, &len), DNS_FRAME_MORE);
}

static void test_bad_frames(void **state)
{
	uint8_t bytes[2 + 65535] = {0};
	size_t offset, len;

	(void)state;
	for (unsigned n = 0; n < DNS_HEADER; n++) {
		dns_frame_put(bytes, n);
		assert_int_equal(dns_frame_take(bytes, 2, &offset, &len), DNS_FRAME_BAD);
		assert_int_equal(dns_frame_take(bytes, sizeof bytes, &offset, &len), DNS_FRAME_BAD);
	}
	dns_frame_put(bytes, DNS_HEADER);
	assert_int_equal(dns_frame_take(bytes, 2, &offset, &len), DNS_FRAME_MORE);
	assert_int_equal(dns_frame_take(bytes, 14, &offset, &len), DNS_FRAME_WHOLE);
	dns_frame_put(bytes, 65535);
	assert_int_equal(dns_frame_take(bytes, sizeof bytes - 1, &offset, &len), DNS_FRAME_MORE);
	assert_int_equal(dns_frame_take(bytes, sizeof bytes, &offset, &len), DNS_FRAME_WHOLE);
	assert_int_equal(len, 65535);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dig),
		cmocka_unit_test(test_dig_options),
		cmocka_unit_test(test_dig_refused),
		cmocka_unit_test(test_drop),
		cmocka_unit_test(test_opcodes),
		cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_bytes_behind),
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_opt),
		cmocka_unit_test(test_opt_refused),
		cmocka_unit_test(test_additional),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_reverse),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_codes),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_truncation),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_no_such_answer),
		cmocka_unit_test(test_pointer),
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_bad_frames),
	};

	return cmocka_run_group_tests_name("dns", tests, NULL, NULL);
}
