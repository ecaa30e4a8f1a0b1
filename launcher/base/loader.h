/* The program interpreter (PT_INTERP, the dynamic loader) that an ELF file names.  Reads the file; pure otherwise. */
#ifndef BASE_LOADER_H
#define BASE_LOADER_H

#include <stdbool.h>
#include <stddef.h>

/* False: no ELF file of this class, none named (static), or longer than size. */
bool elf_interpreter(const char *path, char *out, size_t size);

#endif
