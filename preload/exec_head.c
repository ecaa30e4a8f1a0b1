#include "preload/exec_head.h"

#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <link.h>
#include <stdint.h>
#include <string.h>

#define SCRIPT_HEAD 256 /* BINPRM_BUF_SIZE, Linux 5.1 and later */

#if defined(__x86_64__)
#define NATIVE_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define NATIVE_MACHINE EM_AARCH64
#elif defined(__riscv)
#define NATIVE_MACHINE EM_RISCV
#else
#define NATIVE_MACHINE EM_NONE
#endif

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The first position of [p, end] that is not blank (or is, or is NUL, when end_of_word), or NULL: the
 * kernel's scans include the last byte, and so do these. */
static char *scan(char *p, const char *end, bool end_of_word)
{
	for (; p <= end; p++) {
		if (end_of_word ? is_blank(*p) || !*p : !is_blank(*p))
			return p;
	}
	return NULL;
}

/* As fs/binfmt_script.c of Linux 5.4 and later, limits and oddities included. */
static int read_script(char *head, struct exec_interp *interp)
{
	char *last = head + SCRIPT_HEAD - 1;
	char *end = memchr(head, '\n', strnlen(head, SCRIPT_HEAD));
	char *name, *stop;

	if (!end) {
		end = scan(head + 2, last, false);
		if (!end || !scan(end, last, true))
			return ENOEXEC; /* all blank, or a name that was cut */
		end = last;
	}
	while (is_blank(end[-1]))
		end--;
	name = scan(head + 2, end, false);
	if (!name || name == end)
		return ENOEXEC;
	stop = scan(name, end, true);
	*end = '\0';
	if (stop && stop < end && *stop) {
		interp->argument = scan(stop, end, false);
		*stop = '\0';
	}
	interp->path = name;
	interp->script = true;
	return 0;
}

static int read_loader(char *head, size_t len, const ElfW(Phdr) *ph, struct exec_interp *interp)
{
	if (ph->p_filesz < 2 || ph->p_filesz > PATH_MAX)
		return ENOEXEC;
	if (ph->p_offset > len || ph->p_filesz > len - ph->p_offset)
		return 0;
	if (head[ph->p_offset + ph->p_filesz - 1] != '\0')
		return ENOEXEC;
	interp->path = head + ph->p_offset;
	return 0;
}

static int read_elf(char *head, size_t len, struct exec_interp *interp)
{
	ElfW(Ehdr) eh;
	ElfW(Phdr) ph;

	memcpy(&eh, head, sizeof(eh));
	if (NATIVE_MACHINE == EM_NONE || eh.e_machine != NATIVE_MACHINE ||
	    eh.e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32))
		return eh.e_machine == EM_NONE ? ENOEXEC : 0;
	if ((eh.e_type != ET_EXEC && eh.e_type != ET_DYN) || eh.e_phentsize != sizeof(ph) || !eh.e_phnum)
		return ENOEXEC;
	for (unsigned i = 0; i < eh.e_phnum; i++) {
		if (eh.e_phoff > len || (i + 1) * sizeof(ph) > len - eh.e_phoff)
			return 0;
		memcpy(&ph, head + eh.e_phoff + i * sizeof(ph), sizeof(ph));
		if (ph.p_type == PT_INTERP)
			return read_loader(head, len, &ph, interp);
	}
	return 0;
}

int exec_head(char head[EXEC_HEAD_SIZE], size_t len, struct exec_interp *interp)
{
	*interp = (struct exec_interp){ 0 };
	if (len > EXEC_HEAD_SIZE)
		len = EXEC_HEAD_SIZE;
	memset(head + len, 0, EXEC_HEAD_SIZE - len); /* the kernel's buffer is zeroed as well */
	if (head[0] == '#' && head[1] == '!')
		return read_script(head, interp);
	if (!memcmp(head, ELFMAG, SELFMAG))
		return read_elf(head, len, interp);
	return ENOEXEC;
}
