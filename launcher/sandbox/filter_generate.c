/* Run by the build: prints filter_ready.c, every kind and variant of filter_ready.h, each different program once.  Exits with 1, and says why, when the
 * table cannot be compiled. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "filter_compile.h"
#include "filter_ready.h"

struct program {
	struct sock_filter code[BPF_MAXINSNS];
	size_t len;
};

static struct program programs[FILTER_KINDS * FILTER_VARIANTS];
static size_t count;

static void __attribute__((noreturn)) die(const char *what, int error)
{
	fprintf(stderr, "filter_generate: %s: %s\n", what, strerror(error));
	exit(1);
}

static void compile(enum filter_kind kind, unsigned variant, struct program *p)
{
	const struct filter_options opt = filter_variant_options(variant);
	int fd = filter_compile(kind, &opt);

	if (fd < 0) {
		die("the table", -fd);
	}
	ssize_t size = pread(fd, p->code, sizeof p->code, 0);
	if (size <= 0 || (size_t)size % sizeof *p->code != 0) {
		die("a program", size < 0 ? errno : EINVAL);
	}
	p->len = (size_t)size / sizeof *p->code;
	close(fd);
}

/* The number of the last program, or of one before that is the same. */
static size_t number(void)
{
	const struct program *last = &programs[count];

	for (size_t i = 0; i < count; i++) {
		if (programs[i].len == last->len && memcmp(programs[i].code, last->code, last->len * sizeof *last->code) == 0) {
			return i;
		}
	}
	return count++;
}

static void print_code(size_t n)
{
	printf("static const struct sock_filter program_%zu[] = {\n", n);
	for (size_t i = 0; i < programs[n].len; i++) {
		const struct sock_filter *f = &programs[n].code[i];
		printf("{0x%x, %u, %u, 0x%x},\n", f->code, f->jt, f->jf, f->k);
	}
	puts("};\n");
}

int main(void)
{
	static size_t which[FILTER_KINDS][FILTER_VARIANTS];

	for (int kind = 0; kind < FILTER_KINDS; kind++) {
		for (unsigned variant = 0; variant < FILTER_VARIANTS; variant++) {
			compile((enum filter_kind)kind, variant, &programs[count]);
			which[kind][variant] = number();
		}
	}
	puts("/* Made by filter_generate.c. */\n#include \"launcher/sandbox/filter_ready.h\"\n");
	for (size_t i = 0; i < count; i++) {
		print_code(i);
	}
	puts("const struct filter_ready filter_ready[FILTER_KINDS][FILTER_VARIANTS] = {");
	for (int kind = 0; kind < FILTER_KINDS; kind++) {
		puts("{");
		for (unsigned variant = 0; variant < FILTER_VARIANTS; variant++) {
			printf("{program_%zu, %zu},\n", which[kind][variant], programs[which[kind][variant]].len);
		}
		puts("},");
	}
	puts("};");
	return fflush(stdout) == 0 ? 0 : 1;
}
