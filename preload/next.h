/* Finding the next definition of a symbol without dlsym.
 *
 * dlsym and dladdr lived in libdl before glibc 2.34 and need its version node after it, so a shim that
 * uses them loads on one side only; dlsym may also allocate, and both take the loader's big lock,
 * which dlopen holds while constructors run.  dl_iterate_phdr has been in libc for ever and holds only
 * the lock of the list of objects. */
#ifndef PRELOAD_NEXT_H
#define PRELOAD_NEXT_H

#include <stddef.h>

struct next_want {
	const char *name;
	void *slot; /* a function pointer to fill in; left alone when nothing is found */
};

/* Fills in what the objects loaded after the one that holds `self` (NULL: all objects) define, in load
 * order, default versions only.  Copies the path of the object that holds self to path (cut to size; empty when
 * the loader names none).  Returns how many were found. */
size_t next_find(const void *self, const struct next_want *want, size_t count, char *path, size_t size);
/* Path of the object that holds addr, or NULL. */
const char *next_object(const void *addr);
/* The function that holds addr, of those that its object exports; NULL: none does.  Without a lock where its link_map (may be NULL) is known. */
struct link_map;
const char *next_symbol_of(const struct link_map *map, const void *addr);
const char *next_symbol(const void *addr);

/* Fills in want for as many pointers that lie one after the other, from NUL-terminated names that do so, too: that needs no relocation. */
void next_names(struct next_want *want, void **slots, size_t count, const char *names);

#endif
