#include "assemble.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct assembler {
	const char *text;
	uint8_t *out;
	size_t n, size;
};

static void put(struct assembler *a, uint8_t byte)
{
	assert(a->n < a->size);
	a->out[a->n++] = byte;
}

static uint8_t digit(char c)
{
	assert(isxdigit((unsigned char)c));
	return (uint8_t)(isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10);
}

static void put_bytes(struct assembler *a)
{
	uint8_t byte = (uint8_t)(digit(a->text[0]) << 4 | digit(a->text[1]));
	unsigned long times = 1;
	char *end;

	a->text += 2;
	if (*a->text == '*') {
		times = strtoul(a->text + 1, &end, 10);
		a->text = end;
	}
	for (unsigned long i = 0; i < times; i++)
		put(a, byte);
}

static void put_text(struct assembler *a)
{
	for (a->text++; *a->text != '\''; a->text++) {
		assert(*a->text);
		put(a, (uint8_t)*a->text);
	}
	a->text++;
}

static void put_all(struct assembler *a);

static void put_vector(struct assembler *a)
{
	unsigned width = (unsigned)digit(a->text[1]);
	size_t at = a->n, length;
	long wrong = 0;
	char *end;

	a->text += 2;
	if (*a->text == '+' || *a->text == '-') {
		wrong = strtol(a->text, &end, 10);
		a->text = end;
	}
	for (unsigned i = 0; i < width; i++)
		put(a, 0);
	put_all(a);
	assert(*a->text == ')');
	a->text++;
	length = a->n - at - width + (size_t)wrong;
	for (unsigned i = width; i > 0; i--, length >>= 8)
		a->out[at + i - 1] = (uint8_t)length;
}

static void put_all(struct assembler *a)
{
	while (*a->text && *a->text != ')') {
		if (*a->text == '\'')
			put_text(a);
		else if (*a->text == '(')
			put_vector(a);
		else if (isspace((unsigned char)*a->text))
			a->text++;
		else
			put_bytes(a);
	}
}

size_t assemble(const char *text, uint8_t *out, size_t size)
{
	struct assembler a = {.text = text, .out = out, .size = size};

	put_all(&a);
	assert(!*a.text);
	return a.n;
}
