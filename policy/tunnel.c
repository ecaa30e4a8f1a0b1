#include "policy/tunnel.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "policy/shape.h"

#define ID_MAX 44
#define IDS_MAX 56
#define ID_LEAST 8
#define PIECE_LEAST 20
#define COUNTER_MAX 6
#define BINARY_LEAST 8
#define LONG 180
#define LONG_IN_LABELS 100
#define MANY_LABELS 10
#define DOMAIN_LABELS 2

#define NAME_MAX_BYTES 255
#define LABEL_MAX 63

/* A name as bytes. */
struct name {
	unsigned char bytes[NAME_MAX_BYTES]; /* without dots */
	size_t len;
	unsigned char end[NAME_MAX_BYTES]; /* of each label */
	size_t labels;
	size_t text; /* characters, with the dots */
};

static unsigned char escaped(const char **text)
{
	const unsigned char *c = (const unsigned char *)*text;

	if (c[0] == '\\' && isdigit(c[1]) && isdigit(c[2]) && isdigit(c[3])) {
		unsigned value = (unsigned)((c[1] - '0') * 100 + (c[2] - '0') * 10 + c[3] - '0');
		if (value < 256) {
			*text += 4;
			return (unsigned char)value;
		}
	}
	*text += 1;
	return c[0];
}

/* What is longer than a name can be is cut off. */
static void read_name(const char *text, struct name *out)
{
	size_t begin = 0;

	out->len = out->labels = 0;
	while (*text && out->len < NAME_MAX_BYTES) {
		if (*text != '.') {
			out->bytes[out->len++] = escaped(&text);
			continue;
		}
		text++;
		if (out->len > begin)
			out->end[out->labels++] = (unsigned char)out->len;
		begin = out->len;
	}
	if (out->len > begin)
		out->end[out->labels++] = (unsigned char)out->len;
	out->text = out->len + (out->labels ? out->labels - 1 : 0);
}

static const unsigned char *label_at(const struct name *n, size_t i, size_t *len)
{
	size_t begin = i ? n->end[i - 1] : 0;

	*len = n->end[i] - begin;
	return n->bytes + begin;
}

/* --- words -------------------------------------------------------------------------------------- */

/* By the first letter: which ones often follow it, in names of packages and hosts. */
static const char *const followers[26] = {
	"bcdgiklmnprstuy", "aeiloru", "adehikloprstu", "adeinorsu", "abcdelmnoprstvwx", "aeilor", "aeior", "aeio", "abcdefglmnoprstv", "a", "aei", "aeilosu", "aceiop",
	"acdegikost", "bcdgklmnoprstuw", "aehiloprsty", "u", "acdeikmnostuy", "acdehiopstu", "acehiorstuy", "bdilmnprst", "aei", "aeiosw", "", "aeopt", "aeio",
};

static bool common_pair(unsigned char a, unsigned char b)
{
	return strchr(followers[tolower(a) - 'a'], tolower(b)) != NULL;
}

static bool odd_run(const unsigned char *run, size_t len)
{
	size_t common = 0, other = 0, letters = 0;

	for (size_t i = 0; i < len; i++) {
		letters += isalpha(run[i]) != 0;
		if (!i || (isdigit(run[i]) && isdigit(run[i - 1])))
			continue;
		if (isalpha(run[i]) && isalpha(run[i - 1]) && common_pair(run[i - 1], run[i]))
			common++;
		else
			other++;
	}
	return other > common || !letters;
}

static bool in_run(unsigned char c)
{
	return c < 128 && isalnum(c);
}

/* How many characters of a label are in odd runs. */
static size_t odd_in(const unsigned char *label, size_t len)
{
	size_t odd = 0;

	for (size_t i = 0; i < len; i++) {
		size_t run = 0;
		while (i + run < len && in_run(label[i + run]))
			run++;
		if (run && odd_run(label + i, run))
			odd += run;
		i += run;
	}
	return odd;
}

/* A row of one letter is odd and carries nothing. */
static size_t data_in(const unsigned char *label, size_t len)
{
	char text[LABEL_MAX + 1];
	size_t n = len < LABEL_MAX ? len : LABEL_MAX;

	memcpy(text, label, n);
	text[n] = '\0';
	return shape_is_plain(text, false) && strlen(text) == n ? 0 : odd_in(label, len);
}

/* --- signs -------------------------------------------------------------------------------------- */

static bool counter(const struct name *n, size_t i)
{
	size_t len;
	const unsigned char *label = label_at(n, i, &len);

	for (size_t k = 0; k < len; k++)
		if (!isdigit(label[k]))
			return false;
	return len <= COUNTER_MAX;
}

/* A top-level domain is letters, or an xn-- name (RFC 3696, 2); what else comes last stands there for want of a domain. */
static bool is_top(const unsigned char *label, size_t len)
{
	bool letters = len < 25;

	for (size_t i = 0; i < len; i++)
		letters = letters && isalpha(label[i]);
	return letters || (len > 4 && !strncasecmp((const char *)label, "xn--", 4));
}

/* How many labels stand below the domain.  Of a name of two the first counts: a search list may make it longer. */
static size_t below_domain(const struct name *n)
{
	size_t len;
	const unsigned char *last = n->labels ? label_at(n, n->labels - 1, &len) : NULL;

	if (!last || !is_top(last, len))
		return n->labels;
	return n->labels > DOMAIN_LABELS ? n->labels - DOMAIN_LABELS : n->labels - 1;
}

static bool has_data(const struct name *n)
{
	size_t below = below_domain(n), all = 0;

	for (size_t i = 0; i < below; i++) {
		size_t len, data;
		const unsigned char *label = label_at(n, i, &len);
		data = data_in(label, len);
		all += data >= ID_LEAST ? data : 0;
		if (data > ID_MAX || all > IDS_MAX)
			return true;
		if (data >= PIECE_LEAST && ((i && counter(n, i - 1)) || (i + 1 < below && counter(n, i + 1))))
			return true;
	}
	return false;
}

/* The length of a character of UTF-8 that is none of ASCII; 0: it is none. */
static size_t utf8(const unsigned char *at, size_t len)
{
	size_t n = at[0] >= 0xc2 && at[0] <= 0xdf ? 2 : at[0] >= 0xe0 && at[0] <= 0xef ? 3 : at[0] >= 0xf0 && at[0] <= 0xf4 ? 4 : 0;

	for (size_t i = 1; i < n; i++)
		if (i >= len || (at[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

static bool is_binary(const struct name *n)
{
	size_t binary = 0;

	for (size_t i = 0; i < n->len;) {
		size_t step = n->bytes[i] < 128 ? 1 : utf8(n->bytes + i, n->len - i);
		binary += !step || iscntrl(n->bytes[i]);
		i += step ? step : 1;
	}
	return binary >= BINARY_LEAST;
}

static bool is_reverse(const struct name *n)
{
	static const char arpa[] = "arpa";
	size_t len;
	const unsigned char *last = n->labels ? label_at(n, n->labels - 1, &len) : NULL;

	return last && len == sizeof(arpa) - 1 && !strncasecmp((const char *)last, arpa, len);
}

static bool is_long(const struct name *n)
{
	return n->text > LONG || (n->text > LONG_IN_LABELS && n->labels >= MANY_LABELS);
}

enum tunnel_sign tunnel_judge(const char *name, const struct needles *needles, struct needle_hits *hits)
{
	struct needle_hits none = {.n = 0};
	struct name n;

	read_name(name, &n);
	if (needles_search(needles, n.bytes, n.len, hits ? hits : &none))
		return TUNNEL_SECRET;
	if (has_data(&n) || is_binary(&n))
		return TUNNEL_DATA;
	return is_long(&n) && !is_reverse(&n) ? TUNNEL_LONG : TUNNEL_NONE;
}

const char *tunnel_text(enum tunnel_sign sign)
{
	static const char *const texts[] = {"", "a very long name", "encoded data", "a secret"};

	return texts[sign];
}
