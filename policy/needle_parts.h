/* What is inside struct needles: for needle.c, which searches, and needle_forms.c, which writes the texts. */
#ifndef POLICY_NEEDLE_PARTS_H
#define POLICY_NEEDLE_PARTS_H

#include <stdint.h>

#include "policy/needle.h"

#define NEEDLE_WINDOW 8

/* How a text is read before it is compared: which characters count, and as which. */
enum reading { READ_DATA, READ_FOLDED, READ_HEX, READ_BASE32, READ_BASE32HEX, READ_BASE64_LOST, READ_BASE64, READINGS };

/* A part of a decoy in one encoding. */
struct form {
	uint32_t at, len;     /* in text and from */
	uint32_t part;        /* in parts */
	enum reading reading;
	uint32_t least;       /* characters in a row, if it is not all of them */
	const char *encoding;
};

struct part {
	uint32_t bits;        /* in bits: of each byte, and those before it, in sixteenths */
	unsigned of;
	uint32_t host;        /* in hosts; 0: none */
};

/* The eight characters of a form that begin at `at`. */
struct window {
	uint64_t hash;
	uint32_t form, at;
	uint32_t next;        /* of the same slot; 0: none */
};

struct needles {
	enum needle_kind kind;
	unsigned char as[READINGS][256]; /* 0: passed over */
	unsigned char *text;
	uint16_t *from;       /* of each character: the part's byte that it is of */
	size_t used, room;
	struct form *forms;
	size_t form_count, form_room;
	struct part *parts;
	size_t part_count, part_room;
	uint32_t *bits;
	size_t bits_count, bits_room;
	char *hosts;
	size_t hosts_len, hosts_room;
	struct window *windows; /* the first is none */
	size_t window_count, window_room;
	uint32_t *slots;      /* a power of two */
	size_t slot_count;
	uint64_t *seen;       /* a bit for each hash's low bits */
	size_t seen_mask;
};

/* For each reading which characters count. */
void needle_readings(struct needles *n);
/* Writes all texts of one part (from NEEDLE_WINDOW bytes on).  False: no memory. */
bool needle_forms(struct needles *n, uint32_t part, const unsigned char *bytes, size_t len);

#endif
