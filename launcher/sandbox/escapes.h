/* What a program writes to a terminal that does more than show text: a stream of bytes is looked at as it passes, and says which kinds were in it.
 *
 * Pure and bounded: some bytes of state, whatever comes, however it is cut into pieces; fuzzed.  Colours, cursor movement and the like are nothing to speak of.
 * A sequence counts as soon as it is known for what it is, not at its end: what is cut off or reformatted on its way was meant all the same. */
#ifndef SANDBOX_ESCAPES_H
#define SANDBOX_ESCAPES_H

#include <stddef.h>

enum escape_kind {
	ESCAPE_TITLE,     /* sets the window's title: OSC 0, 1, 2, ESC k */
	ESCAPE_CLIPBOARD, /* writes or asks for the clipboard: OSC 52 */
	ESCAPE_QUERY,     /* makes the terminal answer, which is input to whoever reads next: DA, DSR, DECRQSS, XTGETTCAP, ENQ, colour and title reports … */
	ESCAPE_KEYS,      /* programs keys, or passes sequences on to an outer terminal: DECUDK, tmux's DCS, screen's */
	ESCAPE_SCREEN,    /* the alternate screen */
	ESCAPE_RESET,     /* RIS, DECSTR */
	ESCAPE_KINDS
};
const char *escape_name(enum escape_kind kind); /* "title" … */

#define ESCAPE_KEPT 24
struct escapes {
	unsigned state;
	unsigned char opener; /* of a string: ']' 'P' 'X' '^' '_' 'k' */
	unsigned char kept[ESCAPE_KEPT]; /* the beginning of the sequence */
	size_t len;
	unsigned found; /* kinds, as bits */
};

/* Begin with zeroes.  Kinds that were found in these bytes and not before, as bits. */
unsigned escapes_look(struct escapes *e, const void *bytes, size_t len);

#endif
