#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assemble.h"
#include "hellos.h"
#include "launcher/relay/client_hello.h"

#define WIRE_MAX (64 * 1024)

/* Pieces of rows: see assemble.h. */
#define RECORD(payload) "16 0301 (2 " payload ") "
#define MESSAGE(body) "01 (3 " body ") "
#define BODY(extensions) "0303 52*32 (1 ) (2 1301 c02f) (1 00) (2 " extensions ") "
#define HELLO(extensions) RECORD(MESSAGE(BODY(extensions)))
#define EXTENSION(type, data) type " (2 " data ") "
#define HOST(name) "00 (2 " name ") "
#define SNI(name) EXTENSION("0000", "(2 " HOST(name) ")")
#define VERSIONS EXTENSION("002b", "(1 0304 0303)")
#define NAMED SNI("'a.example'")

static uint8_t wire[WIRE_MAX], cut[WIRE_MAX];

/* What was made of a stream. */
struct outcome {
	enum hello_verdict verdict;
	enum hello_fault fault;
	char name[HOST_TEXT_MAX];
	bool encrypted;
	size_t length;
};

static void end(struct client_hello *h, enum hello_verdict verdict, size_t used, struct outcome *o)
{
	size_t again = 1;

	*o = (struct outcome){.verdict = verdict, .fault = h->fault, .encrypted = h->encrypted, .length = h->length};
	memcpy(o->name, h->name, sizeof o->name);
	assert_int_equal(h->length, used);
	assert_int_equal(verdict == HELLO_BAD, h->fault != HELLO_FINE);
	assert_int_equal(verdict == HELLO_NAME, h->name[0] != '\0');
	if (verdict == HELLO_MORE)
		return;
	assert_int_equal(client_hello_feed(h, "\x16\x03\x01", 3, &again), verdict); /* and stays so */
	assert_int_equal(again, 0);
	free(h);
}

/* Fed in portions of `first` bytes once, then of `then`. */
static struct outcome feed(const uint8_t *bytes, size_t len, size_t first, size_t then)
{
	struct client_hello *h = calloc(1, sizeof *h); /* in memory of its own, for the sanitizer */
	enum hello_verdict verdict = HELLO_MORE;
	struct outcome o;
	size_t total = 0, used;

	for (size_t at = 0, n = first; at < len; at += n, n = then) {
		if (n > len - at)
			n = len - at;
		uint8_t *portion = malloc(n ? n : 1);
		memcpy(portion, bytes + at, n);
		verdict = client_hello_feed(h, portion, n, &used);
		free(portion);
		total += used;
		assert_true(used <= n && (verdict != HELLO_MORE || used == n));
		if (verdict != HELLO_MORE)
			break;
	}
	end(h, verdict, total, &o);
	if (verdict == HELLO_MORE)
		free(h);
	return o;
}

static void same(const char *what, const struct outcome *a, const struct outcome *b)
{
	if (a->verdict != b->verdict || a->fault != b->fault || strcmp(a->name, b->name) || a->encrypted != b->encrypted || a->length != b->length)
		fail_msg("%s: %d (%s) %s at %zu, then %d (%s) %s at %zu", what, a->verdict, hello_fault_text(a->fault), a->name, a->length,
		         b->verdict, hello_fault_text(b->fault), b->name, b->length);
}

/* At once; cut in two at every byte; byte by byte; in odd portions. */
static struct outcome feed_all_ways(const char *what, const uint8_t *bytes, size_t len)
{
	static const size_t portions[] = {1, 2, 3, 7, 16, 333};
	struct outcome whole = feed(bytes, len, len, 1), other;

	for (size_t first = 0; first <= len; first += len > 4096 ? 61 : 1) {
		other = feed(bytes, len, first, len);
		same(what, &whole, &other);
	}
	for (size_t i = 0; i < sizeof portions / sizeof *portions; i++) {
		other = feed(bytes, len, portions[i], portions[i]);
		same(what, &whole, &other);
	}
	return whole;
}

static void is_name(const char *what, const uint8_t *bytes, size_t len, const char *name, bool encrypted, size_t length)
{
	struct outcome o = feed_all_ways(what, bytes, len), want = {.verdict = *name ? HELLO_NAME : HELLO_NONE, .encrypted = encrypted, .length = length};

	strcpy(want.name, name);
	same(what, &want, &o);
}

/* --- real ones --------------------------------------------------------------------------------- */

static const struct {
	const char *what, *hex, *name;
	bool encrypted;
} real[] = {
	{"openssl 1.3", hello_openssl_13, "files.example.com"},
	{"openssl 1.2", hello_openssl_12, "files.example.com"},
	{"openssl 1.1", hello_openssl_11, "files.example.com"},
	{"openssl 1.0", hello_openssl_10, "files.example.com"},
	{"openssl without a name", hello_openssl_nameless, ""},
	{"openssl alpn", hello_openssl_alpn, "files.example.com"},
	{"openssl ticket", hello_openssl_ticket, "files.example.com"},
	{"openssl early data", hello_openssl_early, "files.example.com"},
	{"python 1.3", hello_python_13, "files.example.com"},
	{"python 1.2", hello_python_12, "files.example.com"},
	{"python without a name", hello_python_nameless, ""},
	{"curl", hello_curl, "files.example.com"},
	{"wget", hello_wget, "localhost"},
	{"node", hello_node, "files.example.com"},
	{"go", hello_go, "files.example.com"},
	{"go ech", hello_go_ech, "outer.example.com", true},
};
#define REAL (sizeof real / sizeof *real)

/* The first record is the whole hello in each of them. */
static size_t first_record(const uint8_t *bytes)
{
	return 5 + ((size_t)bytes[3] << 8 | bytes[4]);
}

static void real_hellos(void **state)
{
	(void)state;
	for (size_t i = 0; i < REAL; i++) {
		size_t len = assemble(real[i].hex, wire, sizeof wire);

		is_name(real[i].what, wire, len, real[i].name, real[i].encrypted, first_record(wire));
	}
}

static void each_beginning_is_incomplete(void **state)
{
	(void)state;
	for (size_t i = 0; i < REAL; i++) {
		assemble(real[i].hex, wire, sizeof wire);
		for (size_t len = 0; len < first_record(wire); len++) {
			struct outcome o = feed(wire, len, len, 1);
			assert_int_equal(o.verdict, HELLO_MORE);
			assert_int_equal(o.length, len);
		}
	}
}

/* The same message in records of n bytes, the first `ones` of one byte. */
static size_t fragment(const uint8_t *bytes, size_t n, size_t ones, size_t *records)
{
	size_t left = first_record(bytes) - 5, len = 0;

	bytes += 5;
	for (*records = 0; left; ++*records) {
		size_t now = *records < ones ? 1 : n < left ? n : left;

		memcpy(cut + len, (uint8_t[]){22, 3, 1, (uint8_t)(now >> 8), (uint8_t)now}, 5);
		memcpy(cut + len + 5, bytes, now);
		len += 5 + now;
		bytes += now;
		left -= now;
	}
	return len;
}

static void hellos_in_several_records(void **state)
{
	static const size_t sizes[] = {1, 2, 7, 16, 17, 48, 64, 100, 255, 256, 511, 1024};

	(void)state;
	for (size_t i = 0; i < REAL; i++) {
		assemble(real[i].hex, wire, sizeof wire);
		for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
			for (size_t ones = 0; ones < HELLO_RECORDS_MAX; ones += 15) {
				size_t records, len = fragment(wire, sizes[k], ones, &records);
				if (records <= HELLO_RECORDS_MAX) {
					is_name(real[i].what, cut, len, real[i].name, real[i].encrypted, len);
					continue;
				}
				struct outcome o = feed_all_ways(real[i].what, cut, len);
				assert_int_equal(o.fault, HELLO_BAD_RECORDS);
			}
		}
	}
}

/* A hello that is small enough for 32 records of two bytes, and one of 31 of one byte and a rest. */
static void small_hellos_in_small_records(void **state)
{
	size_t records, len;

	(void)state;
	assemble(RECORD(MESSAGE("0301 52*32 (1 ) (2 c02f) (1 00) (2 " SNI("'a.b'") ")")), wire, sizeof wire);
	len = fragment(wire, 2, 0, &records);
	assert_int_equal(records, 30);
	is_name("two bytes", cut, len, "a.b", false, len);
	len = fragment(wire, 100, HELLO_RECORDS_MAX - 1, &records);
	assert_int_equal(records, HELLO_RECORDS_MAX);
	is_name("one byte", cut, len, "a.b", false, len);
	len = fragment(wire, 100, HELLO_RECORDS_MAX, &records);
	assert_int_equal(feed_all_ways("a record more", cut, len).fault, HELLO_BAD_RECORDS);
}

static void largest_hellos(void **state)
{
	size_t records, len;

	(void)state;
	assemble(HELLO(NAMED EXTENSION("0015", "00*16317")), wire, sizeof wire); /* a record that may not be */
	assert_int_equal(first_record(wire), 5 + 4 + HELLO_BODY_MAX);
	assert_int_equal(feed_all_ways("one record", wire, first_record(wire)).fault, HELLO_BAD_RECORD_LENGTH);
	len = fragment(wire, 16384, 0, &records);
	is_name("two records", cut, len, "a.example", false, len);
	len = fragment(wire, 529, 0, &records);
	assert_int_equal(records, 31);
	len = fragment(wire, 529, 1, &records);
	assert_int_equal(len, HELLO_WIRE_MAX);
	is_name("all that may be", cut, len, "a.example", false, len);
	assemble(HELLO(NAMED EXTENSION("0015", "00*16318")), wire, sizeof wire);
	len = fragment(wire, 16384, 0, &records);
	assert_int_equal(feed_all_ways("a byte more", cut, len).fault, HELLO_BAD_SIZE);
}

/* What stands behind it, in the same segment, is not the hello's and is not judged. */
static void more_behind_a_hello(void **state)
{
	(void)state;
	for (size_t i = 0; i < REAL; i++) {
		size_t len;

		assemble(real[i].hex, wire, sizeof wire);
		len = first_record(wire);
		memset(wire + len, 0x80, 100);
		is_name(real[i].what, wire, len + 100, real[i].name, real[i].encrypted, len);
	}
}

/* --- made ones --------------------------------------------------------------------------------- */

#define LABEL "61*63"
static const struct {
	const char *what, *text, *name;
	bool encrypted;
} made[] = {
	{"small", HELLO(NAMED), "a.example"},
	{"TLS 1.3", HELLO(VERSIONS NAMED), "a.example"},
	{"the name last", HELLO(VERSIONS EXTENSION("0017", "") EXTENSION("ff01", "00") NAMED), "a.example"},
	{"no extensions at all", RECORD(MESSAGE("0301 52*32 (1 ) (2 0005) (1 00)")), ""},
	{"an empty list of them", HELLO(""), ""},
	{"one of no length", HELLO(EXTENSION("0017", "")), ""},
	{"compression too", RECORD(MESSAGE("0302 52*32 (1 41*32) (2 0005) (1 01 00) (2 " NAMED ")")), "a.example"},
	{"record version 3.3", "16 0303 (2 " MESSAGE(BODY(NAMED)) ")", "a.example"},
	{"GREASE everywhere", RECORD(MESSAGE("0303 52*32 (1 41*32) (2 0a0a 1301 1302) (1 00) (2 " EXTENSION("1a1a", "") NAMED EXTENSION("002b", "(1 7a7a 0304 0303)")
		EXTENSION("000a", "(2 4a4a 001d)") EXTENSION("0033", "(2 4a4a (2 00) 001d (2 11*32))") EXTENSION("fafa", "00") ")")), "a.example"},
	{"an encrypted hello", HELLO(SNI("'public.example'") EXTENSION("fe0d", "00 0001 0001 2a (2 33*32) (2 44*208)")), "public.example", true},
	{"one without an outer name", HELLO(EXTENSION("fe0d", "00 0001 0001 2a (2 33*32) (2 44*208)")), "", true},
	{"an inner one", HELLO(EXTENSION("fe0d", "01") NAMED), "a.example", true},
	{"of a draft", HELLO(EXTENSION("fe0a", "00") NAMED), "a.example", true},
	{"an encrypted name", HELLO(EXTENSION("ffce", "00") NAMED), "a.example", true},
	{"a post-quantum key share", HELLO(EXTENSION("0033", "(2 11ec (2 55*1216) 001d (2 66*32))") NAMED), "a.example"},
	{"padding", HELLO(NAMED EXTENSION("0015", "00*1200")), "a.example"},
	{"a ticket", HELLO(EXTENSION("0023", "77*4000") NAMED), "a.example"},
	{"a pre-shared key", HELLO(NAMED EXTENSION("002a", "") EXTENSION("002d", "(1 01)") EXTENSION("0029", "(2 (2 88*200) 00000001) (2 (1 99*32))")), "a.example"},
	{"the largest in one record", HELLO(NAMED EXTENSION("0015", "00*16313")), "a.example"},
	{"capitals", HELLO(SNI("'A.ExAmPlE'")), "a.example"},
	{"a dot at the end", HELLO(SNI("'a.example.'")), "a.example"},
	{"an underscore", HELLO(SNI("'_a.b-c.example'")), "_a.b-c.example"},
	{"one label", HELLO(SNI("'localhost'")), "localhost"},
	{"punycode", HELLO(SNI("'xn--bcher-kva.example'")), "xn--bcher-kva.example"},
	{"digits, but no address", HELLO(SNI("'1.2.3.4.example'")), "1.2.3.4.example"},
};

static void made_hellos(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
		size_t len = assemble(made[i].text, wire, sizeof wire);

		is_name(made[i].what, wire, len, made[i].name, made[i].encrypted, len);
	}
}

static void longest_names(void **state)
{
	char name[HOST_TEXT_MAX];
	size_t len = assemble(HELLO(SNI(LABEL " 2e " LABEL " 2e " LABEL " 2e 61*61")), wire, sizeof wire);

	(void)state;
	memset(name, 'a', 253);
	name[63] = name[127] = name[191] = '.';
	name[253] = '\0';
	is_name("253 octets", wire, len, name, false, len);
	len = assemble(HELLO(SNI(LABEL " 2e " LABEL " 2e " LABEL " 2e 61*61 2e")), wire, sizeof wire);
	is_name("253 octets and a dot", wire, len, name, false, len);
}

static void as_many_extensions_as_there_may_be(void **state)
{
	char text[8192];
	size_t n = 0, len;

	(void)state;
	for (unsigned i = 1; i < HELLO_EXTENSIONS_MAX; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "%04x 0000 ", i + 0x1000);
	char whole[8192 + 256];
	snprintf(whole, sizeof whole, HELLO(NAMED "%s"), text);
	len = assemble(whole, wire, sizeof wire);
	is_name("128", wire, len, "a.example", false, len);
	snprintf(whole, sizeof whole, HELLO(NAMED "%s 2000 0000"), text);
	len = assemble(whole, wire, sizeof wire);
	assert_int_equal(feed_all_ways("129", wire, len).fault, HELLO_BAD_EXTENSIONS);
}

/* --- hostile ones ------------------------------------------------------------------------------ */

static const struct {
	const char *what, *text;
	enum hello_fault fault;
} hostile[] = {
	/* other protocols */
	{"HTTP", "'GET / HTTP/1.1' 0d0a", HELLO_BAD_TLS},
	{"SSH", "'SSH-2.0-x' 0d0a", HELLO_BAD_TLS},
	{"nothing but zeros", "00*64", HELLO_BAD_TLS},
	{"SSLv2's hello", "80 2e 01 0002 0015 0000 0010 010080", HELLO_BAD_TLS},
	{"SSLv2's hello with padding", "00 2e 00 01 0301", HELLO_BAD_TLS},
	{"DTLS", "16 fefd 0000 000000000000 0040 01", HELLO_BAD_TLS},
	{"an alert first", "15 0301 0002 0100", HELLO_BAD_TLS},
	{"a change of cipher first", "14 0301 0001 01", HELLO_BAD_TLS},
	{"data first", "17 0303 0010 00*16", HELLO_BAD_TLS},
	{"a heartbeat first", "18 0303 0003 01 4000", HELLO_BAD_TLS},
	{"an imagined major version", "16 0401 (2 " MESSAGE(BODY(NAMED)) ")", HELLO_BAD_TLS},
	/* records */
	{"record version 3.0", "16 0300 (2 " MESSAGE(BODY(NAMED)) ")", HELLO_BAD_RECORD_VERSION},
	{"record version 3.4", "16 0304 (2 " MESSAGE(BODY(NAMED)) ")", HELLO_BAD_RECORD_VERSION},
	{"a second record of another version", "16 0301 (2 01) 16 0303 (2 000033)", HELLO_BAD_RECORD_VERSION},
	{"a second record of another major version", "16 0301 (2 01) 16 0201 (2 000033)", HELLO_BAD_RECORD_VERSION},
	{"an empty record", "16 0301 0000", HELLO_BAD_RECORD_LENGTH},
	{"an empty record in between", "16 0301 (2 01) 16 0301 0000 16 0301 (2 000033)", HELLO_BAD_RECORD_LENGTH},
	{"an over-long record", "16 0301 4001 01", HELLO_BAD_RECORD_LENGTH},
	{"the longest length", "16 0301 ffff 01", HELLO_BAD_RECORD_LENGTH},
	{"an alert in between", "16 0301 (2 01) 15 0301 (2 0100)", HELLO_BAD_RECORD_TYPE},
	{"a change of cipher in between", "16 0301 (2 01) 14 0301 (2 01)", HELLO_BAD_RECORD_TYPE},
	{"data in between", "16 0301 (2 01 0000) 17 0301 (2 33)", HELLO_BAD_RECORD_TYPE},
	{"text in between", "16 0301 (2 01 0000) 'GET /'", HELLO_BAD_RECORD_TYPE},
	/* messages */
	{"a server's hello", "16 0301 (2 02 (3 0303 52*32 00 1301 00))", HELLO_BAD_MESSAGE},
	{"a request for a hello", "16 0301 (2 00 000000)", HELLO_BAD_MESSAGE},
	{"a finish", "16 0301 (2 14 (3 00*12))", HELLO_BAD_MESSAGE},
	{"a message before the hello", "16 0301 (2 18 (3 00) " MESSAGE(BODY(NAMED)) ")", HELLO_BAD_MESSAGE},
	{"a byte more than 16 KiB", "16 0301 (2 01 004001 0303)", HELLO_BAD_SIZE},
	{"the longest message", "16 0301 (2 01 ffffff 0303)", HELLO_BAD_SIZE},
	{"its length in a second record", "16 0301 (2 01 01) 16 0301 (2 0000 0303)", HELLO_BAD_SIZE},
	{"a byte behind the hello", RECORD(MESSAGE(BODY(NAMED)) "00"), HELLO_BAD_BEHIND},
	{"a second hello behind it", RECORD(MESSAGE(BODY(NAMED)) MESSAGE(BODY(SNI("'b.example'")))), HELLO_BAD_BEHIND},
	{"a hello of nothing and another", RECORD("01 000000 " MESSAGE(BODY(NAMED))), HELLO_BAD_BEHIND},
	{"a length shorter than the hello", RECORD("01 (3-1 " BODY(NAMED) ")"), HELLO_BAD_BEHIND},
	/* the hello */
	{"a hello of nothing", RECORD("01 000000"), HELLO_BAD_LENGTHS},
	{"half a version", RECORD(MESSAGE("03")), HELLO_BAD_LENGTHS},
	{"half a random", RECORD(MESSAGE("0303 52*31")), HELLO_BAD_LENGTHS},
	{"SSL 3.0", RECORD(MESSAGE("0300 52*32 (1 ) (2 0005) (1 00)")), HELLO_BAD_VERSION},
	{"3.4 in place of 3.3", RECORD(MESSAGE("0304 52*32 (1 ) (2 1301) (1 00) (2 " NAMED ")")), HELLO_BAD_VERSION},
	{"version 2.0", RECORD(MESSAGE("0002 52*32 (1 ) (2 1301) (1 00) (2 " NAMED ")")), HELLO_BAD_VERSION},
	{"a session of 33 bytes", RECORD(MESSAGE("0303 52*32 (1 41*33) (2 1301) (1 00) (2 " NAMED ")")), HELLO_BAD_FIELDS},
	{"a session beyond the end", RECORD(MESSAGE("0303 52*32 20 41*31")), HELLO_BAD_LENGTHS},
	{"no ciphers", RECORD(MESSAGE("0303 52*32 (1 ) (2 ) (1 00) (2 " NAMED ")")), HELLO_BAD_FIELDS},
	{"half a cipher", RECORD(MESSAGE("0303 52*32 (1 ) (2 1301 c0) (1 00) (2 " NAMED ")")), HELLO_BAD_FIELDS},
	{"ciphers beyond the end", RECORD(MESSAGE("0303 52*32 (1 ) ffff 1301 (1 00) (2 " NAMED ")")), HELLO_BAD_LENGTHS},
	{"no list of ciphers", RECORD(MESSAGE("0303 52*32 (1 ) 00")), HELLO_BAD_LENGTHS},
	{"no compression", RECORD(MESSAGE("0303 52*32 (1 ) (2 1301) (1 ) (2 " NAMED ")")), HELLO_BAD_FIELDS},
	{"compression but no null", RECORD(MESSAGE("0303 52*32 (1 ) (2 1301) (1 01) (2 " NAMED ")")), HELLO_BAD_FIELDS},
	{"no list of compressions", RECORD(MESSAGE("0303 52*32 (1 ) (2 1301)")), HELLO_BAD_LENGTHS},
	{"half a length of extensions", RECORD(MESSAGE("0303 52*32 (1 ) (2 1301) (1 00) 00")), HELLO_BAD_LENGTHS},
	{"extensions one short", RECORD(MESSAGE("0303 52*32 (1 ) (2 1301) (1 00) (2-1 " NAMED ")")), HELLO_BAD_LENGTHS},
	{"extensions one long", RECORD(MESSAGE("0303 52*32 (1 ) (2 1301) (1 00) (2+1 " NAMED ")")), HELLO_BAD_LENGTHS},
	{"a byte behind the extensions", RECORD(MESSAGE(BODY(NAMED) "00")), HELLO_BAD_LENGTHS},
	{"a second list of extensions", RECORD(MESSAGE(BODY(NAMED) "(2 " SNI("'b.example'") ")")), HELLO_BAD_LENGTHS},
	{"half a type", HELLO(NAMED "00"), HELLO_BAD_LENGTHS},
	{"half an extension's length", HELLO(NAMED "0017 00"), HELLO_BAD_LENGTHS},
	{"an extension beyond the end", HELLO(NAMED "0017 (2+1 )"), HELLO_BAD_LENGTHS},
	{"an extension one short", HELLO("0000 (2-1 (2 " HOST("'a.example'") "))"), HELLO_BAD_NAMES},
	{"two server_names", HELLO(NAMED SNI("'b.example'")), HELLO_BAD_TWICE},
	{"the same one twice", HELLO(NAMED NAMED), HELLO_BAD_TWICE},
	{"another twice", HELLO(EXTENSION("0017", "") NAMED EXTENSION("0017", "")), HELLO_BAD_TWICE},
	{"GREASE twice", HELLO(EXTENSION("1a1a", "") NAMED EXTENSION("1a1a", "00")), HELLO_BAD_TWICE},
	{"an encrypted hello twice", HELLO(NAMED EXTENSION("fe0d", "01") EXTENSION("fe0d", "01")), HELLO_BAD_TWICE},
	{"the name behind the pre-shared key", HELLO(VERSIONS EXTENSION("0029", "00") NAMED), HELLO_BAD_KEY_ORDER},
	/* the name's list */
	{"an empty server_name", HELLO(EXTENSION("0000", "")), HELLO_BAD_NAMES},
	{"an empty list", HELLO(EXTENSION("0000", "(2 )")), HELLO_BAD_NAMES},
	{"a byte behind the list", HELLO(EXTENSION("0000", "(2 " HOST("'a.example'") ") 00")), HELLO_BAD_NAMES},
	{"a list one short", HELLO(EXTENSION("0000", "(2-1 " HOST("'a.example'") ")")), HELLO_BAD_NAMES},
	{"a list one long", HELLO(EXTENSION("0000", "(2+1 " HOST("'a.example'") ")")), HELLO_BAD_NAMES},
	{"a name one short", HELLO(EXTENSION("0000", "(2 00 (2-1 'a.example'))")), HELLO_BAD_NAMES},
	{"a name one long", HELLO(EXTENSION("0000", "(2 00 (2+1 'a.example'))")), HELLO_BAD_NAMES},
	{"two host_names", HELLO(EXTENSION("0000", "(2 " HOST("'a.example'") HOST("'b.example'") ")")), HELLO_BAD_NAMES},
	{"another kind of name", HELLO(EXTENSION("0000", "(2 01 (2 'a.example'))")), HELLO_BAD_NAMES},
	{"another kind of name first", HELLO(EXTENSION("0000", "(2 01 (2 'b') " HOST("'a.example'") ")")), HELLO_BAD_NAMES},
	{"another kind of name last", HELLO(EXTENSION("0000", "(2 " HOST("'a.example'") "01 (2 'b'))")), HELLO_BAD_NAMES},
	{"a kind alone", HELLO(EXTENSION("0000", "(2 00)")), HELLO_BAD_NAMES},
	/* the name */
	{"an empty name", HELLO(SNI("")), HELLO_BAD_NAME},
	{"a dot", HELLO(SNI("'.'")), HELLO_BAD_NAME},
	{"two dots at the end", HELLO(SNI("'a.example..'")), HELLO_BAD_NAME},
	{"a dot first", HELLO(SNI("'.a.example'")), HELLO_BAD_NAME},
	{"an empty label", HELLO(SNI("'a..example'")), HELLO_BAD_NAME},
	{"a NUL at the end", HELLO(SNI("'a.example' 00")), HELLO_BAD_NAME},
	{"a NUL and another name", HELLO(SNI("'a.example' 00 '.b.example'")), HELLO_BAD_NAME},
	{"a space", HELLO(SNI("'a.example '")), HELLO_BAD_NAME},
	{"a line end", HELLO(SNI("'a.example' 0d0a")), HELLO_BAD_NAME},
	{"a port", HELLO(SNI("'a.example:443'")), HELLO_BAD_NAME},
	{"a URL", HELLO(SNI("'https://a.example'")), HELLO_BAD_NAME},
	{"a star", HELLO(SNI("'*.example'")), HELLO_BAD_NAME},
	{"UTF-8", HELLO(SNI("'b' c3bc '.example'")), HELLO_BAD_NAME},
	{"a full-width dot", HELLO(SNI("'a' efbc8e 'example'")), HELLO_BAD_NAME},
	{"a label of 64", HELLO(SNI("61*64 '.example'")), HELLO_BAD_NAME},
	{"254 octets", HELLO(SNI(LABEL " 2e " LABEL " 2e " LABEL " 2e 61*62")), HELLO_BAD_NAME},
	{"a thousand octets", HELLO(SNI("'a.' 61*1000")), HELLO_BAD_NAME},
	{"an address", HELLO(SNI("'203.0.113.7'")), HELLO_BAD_ADDRESS},
	{"an address with a dot", HELLO(SNI("'203.0.113.7.'")), HELLO_BAD_ADDRESS},
	{"an address in fewer parts", HELLO(SNI("'127.1'")), HELLO_BAD_ADDRESS},
	{"an address in one", HELLO(SNI("'2130706433'")), HELLO_BAD_ADDRESS},
	{"an address in hex", HELLO(SNI("'0x7f000001'")), HELLO_BAD_ADDRESS},
	{"an address in octal", HELLO(SNI("'0177.0.0.1'")), HELLO_BAD_ADDRESS},
	{"an IPv6 address", HELLO(SNI("'2001:db8::1'")), HELLO_BAD_ADDRESS},
	{"one in brackets", HELLO(SNI("'[::1]'")), HELLO_BAD_ADDRESS},
	{"one with a zone", HELLO(SNI("'fe80::1%eth0'")), HELLO_BAD_ADDRESS},
	{"a mapped one", HELLO(SNI("'::ffff:127.0.0.1'")), HELLO_BAD_ADDRESS},
};

static void hostile_hellos(void **state)
{
	(void)state;
	assert_true(sizeof hostile / sizeof *hostile >= 50);
	for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
		size_t len = assemble(hostile[i].text, wire, sizeof wire);
		struct outcome o = feed_all_ways(hostile[i].what, wire, len);

		if (o.verdict != HELLO_BAD || o.fault != hostile[i].fault)
			fail_msg("%s: %d, %s instead of %s", hostile[i].what, o.verdict, hello_fault_text(o.fault), hello_fault_text(hostile[i].fault));
		assert_int_equal(o.name[0], '\0');
		assert_false(o.encrypted);
	}
}

/* Every length field of a hello made one more, one less, nothing and all: never another name. */
static void each_byte_changed(void **state)
{
	static const uint8_t changes[] = {0, 1, 0x7f, 0x80, 0xff};
	size_t len = assemble(HELLO(VERSIONS NAMED EXTENSION("0017", "")), wire, sizeof wire);

	(void)state;
	for (size_t i = 0; i < len; i++) {
		uint8_t was = wire[i];

		for (size_t k = 0; k < sizeof changes + 2; k++) {
			wire[i] = k < sizeof changes ? changes[k] : (uint8_t)(k == sizeof changes ? was + 1 : was - 1);
			struct outcome o = feed_all_ways("changed", wire, len);
			assert_true(o.verdict != HELLO_NAME || strlen(o.name) == strlen("a.example"));
		}
		wire[i] = was;
	}
}

static void faults_have_texts(void **state)
{
	(void)state;
	for (unsigned i = 0; i < HELLO_FAULTS; i++)
		assert_non_null(hello_fault_text(i));
	assert_string_equal(hello_fault_text(HELLO_FAULTS), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_hellos),
		cmocka_unit_test(each_beginning_is_incomplete),
		cmocka_unit_test(hellos_in_several_records),
		cmocka_unit_test(small_hellos_in_small_records),
		cmocka_unit_test(largest_hellos),
		cmocka_unit_test(more_behind_a_hello),
		cmocka_unit_test(made_hellos),
		cmocka_unit_test(longest_names),
		cmocka_unit_test(as_many_extensions_as_there_may_be),
		cmocka_unit_test(hostile_hellos),
		cmocka_unit_test(each_byte_changed),
		cmocka_unit_test(faults_have_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
