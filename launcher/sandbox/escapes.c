#include "escapes.h"

#include <stdbool.h>
#include <string.h>

/* As terminals parse (ECMA-48).  C1 controls are taken in UTF-8 (C2 9B), not as bytes: those are parts of other letters. */
enum state { GROUND, AFTER_C2, AFTER_ESC, ESC_INTERMEDIATE, CSI, STRING };

const char *escape_name(enum escape_kind kind)
{
	static const char *const names[] = {[ESCAPE_TITLE] = "title", [ESCAPE_CLIPBOARD] = "clipboard", [ESCAPE_QUERY] = "query", [ESCAPE_KEYS] = "keys",
	                                    [ESCAPE_SCREEN] = "screen", [ESCAPE_RESET] = "reset"};

	return (unsigned)kind < ESCAPE_KINDS ? names[kind] : "";
}

static void found(struct escapes *e, enum escape_kind kind)
{
	e->found |= 1u << kind;
}

static void begin(struct escapes *e, enum state state, unsigned char opener)
{
	e->state = state;
	e->opener = opener;
	e->len = 0;
}

static bool keep(struct escapes *e, unsigned char c)
{
	if (e->len == ESCAPE_KEPT) {
		return false;
	}
	e->kept[e->len++] = c;
	return true;
}

/* The number at the beginning of what is kept, -1: none; *rest: behind it. */
static int number(const struct escapes *e, size_t from, size_t *rest)
{
	int n = -1;

	while (from < e->len && e->kept[from] >= '0' && e->kept[from] <= '9') {
		n = (n < 0 ? 0 : n < 100000 ? n * 10 : n) + (e->kept[from++] - '0');
	}
	*rest = from;
	return n;
}

/* --- CSI ------------------------------------------------------------------------------------------ */

/* One of the parameters is one of these. */
static bool has_parameter(const struct escapes *e, size_t from, const int *values)
{
	for (size_t rest = from; rest < e->len; from = rest + 1) {
		int n = number(e, from, &rest);
		for (const int *v = values; *v >= 0; v++) {
			if (n == *v) {
				return true;
			}
		}
	}
	return false;
}

static void end_csi(struct escapes *e, unsigned char final)
{
	static const int screens[] = {47, 1047, 1049, -1}, reports[] = {11, 13, 14, 15, 16, 18, 19, 20, 21, -1};
	unsigned char first = e->len > 0 ? e->kept[0] : 0, last = e->len > 0 ? e->kept[e->len - 1] : 0;
	bool private = first >= '<' && first <= '?';

	switch (final) {
	case 'c': /* DA */
	case 'x': /* DECREQTPARM */
		if (last < ' ' || last > '/') {
			found(e, ESCAPE_QUERY);
		}
		break;
	case 'n': /* DSR; with '>' it sets a resource */
		if (first != '>') {
			found(e, ESCAPE_QUERY);
		}
		break;
	case 't': /* window reports; others move the window */
		if (!private && has_parameter(e, 0, reports)) {
			found(e, ESCAPE_QUERY);
		}
		break;
	case 'p':
		if (last == '!') {
			found(e, ESCAPE_RESET);
		} else if (last == '$') { /* DECRQM */
			found(e, ESCAPE_QUERY);
		}
		break;
	case 'q': /* XTVERSION */
		if (first == '>') {
			found(e, ESCAPE_QUERY);
		}
		break;
	case 'u': /* which keyboard protocol? */
		if (first == '?') {
			found(e, ESCAPE_QUERY);
		}
		break;
	case 'y': /* DECRQCRA: reads the screen back */
		if (last == '*') {
			found(e, ESCAPE_QUERY);
		}
		break;
	case 'h':
	case 'l':
		if (first == '?' && has_parameter(e, 1, screens)) {
			found(e, ESCAPE_SCREEN);
		}
		break;
	}
}

/* --- OSC, DCS and the like ------------------------------------------------------------------------ */

static void look_at_osc(struct escapes *e)
{
	size_t rest;
	int n = number(e, 0, &rest);

	if (n < 0 || rest == e->len || e->kept[rest] != ';') {
		return;
	}
	if (n <= 2) {
		found(e, ESCAPE_TITLE);
	} else if (n == 52) {
		found(e, ESCAPE_CLIPBOARD);
	} else if ((n == 4 || n == 5 || (n >= 10 && n <= 19) || n == 21 || n == 50) && e->kept[e->len - 1] == '?') {
		found(e, ESCAPE_QUERY);
	}
}

static bool begins(const struct escapes *e, const char *text)
{
	return e->len == strlen(text) && memcmp(e->kept, text, e->len) == 0;
}

static bool only_parameters(const struct escapes *e, size_t len)
{
	size_t n = 0;

	while (n < len && ((e->kept[n] >= '0' && e->kept[n] <= '9') || e->kept[n] == ';')) {
		n++;
	}
	return n == len;
}

static void look_at_dcs(struct escapes *e)
{
	unsigned char last = e->kept[e->len - 1];

	if (begins(e, "$q") || begins(e, "+q")) {
		found(e, ESCAPE_QUERY);
	} else if (begins(e, "tmux;") || (e->len == 1 && last == 0x1b)) {
		found(e, ESCAPE_KEYS);
	} else if (last == '|' && only_parameters(e, e->len - 1)) { /* DECUDK */
		found(e, ESCAPE_KEYS);
	}
}

static void look_at_string(struct escapes *e, unsigned char c)
{
	if (!keep(e, c)) {
		return;
	}
	if (e->opener == ']') {
		look_at_osc(e);
	} else if (e->opener == 'P') {
		look_at_dcs(e);
	}
}

/* --- the machine ---------------------------------------------------------------------------------- */

static void after_esc(struct escapes *e, unsigned char c)
{
	switch (c) {
	case '[':
		begin(e, CSI, c);
		return;
	case 'k':
		found(e, ESCAPE_TITLE);
		begin(e, STRING, c);
		return;
	case ']':
	case 'P':
	case 'X':
	case '^':
	case '_':
		begin(e, STRING, c);
		return;
	case 'Z': /* DECID */
		found(e, ESCAPE_QUERY);
		break;
	case 'c':
		found(e, ESCAPE_RESET);
		break;
	}
	e->state = c >= ' ' && c <= '/' ? ESC_INTERMEDIATE : GROUND;
}

static void in_csi(struct escapes *e, unsigned char c)
{
	if (c >= '@' && c <= '~') {
		e->state = GROUND;
		end_csi(e, c);
	} else if (c >= ' ' && c < '@') {
		keep(e, c);
	} else if (c >= 0x7f) {
		e->state = GROUND;
	} /* other controls are carried out in the middle of it */
}

static void step(struct escapes *e, unsigned char c)
{
	if (c == 0x05 && e->state != STRING) {
		found(e, ESCAPE_QUERY); /* ENQ: the answerback */
	}
	if (c == 0x18 || c == 0x1a) {
		e->state = GROUND;
	} else if (c == 0x1b) {
		if (e->state == STRING && e->opener == 'P' && e->len == 0) {
			look_at_string(e, c); /* screen's: what follows is for the terminal outside */
		}
		e->state = AFTER_ESC; /* the end of a string, or of nothing */
	} else {
		switch ((enum state)e->state) {
		case GROUND:
			e->state = c == 0xc2 ? AFTER_C2 : GROUND;
			break;
		case AFTER_C2:
			e->state = c == 0xc2 ? AFTER_C2 : GROUND;
			if (c >= 0x80 && c <= 0x9f) {
				after_esc(e, c - 0x40);
			}
			break;
		case AFTER_ESC:
			after_esc(e, c);
			break;
		case ESC_INTERMEDIATE:
			e->state = c >= ' ' && c <= '/' ? ESC_INTERMEDIATE : GROUND;
			break;
		case CSI:
			in_csi(e, c);
			break;
		case STRING:
			if (c == 0x07 && e->opener == ']') {
				e->state = GROUND;
			} else {
				look_at_string(e, c);
			}
			break;
		}
	}
}

unsigned escapes_look(struct escapes *e, const void *bytes, size_t len)
{
	const unsigned char *at = bytes;
	unsigned before = e->found;

	for (size_t i = 0; i < len; i++) {
		step(e, at[i]);
	}
	return e->found & ~before;
}
