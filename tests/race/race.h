/* What the parts of the racing program share. */
#ifndef TESTS_RACE_RACE_H
#define TESTS_RACE_RACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEN(a) (sizeof(a) / sizeof(a)[0])

struct race {
	const char *name;
	void (*init)(void);
	void (*flip)(uint32_t random);
	void (*attempt)(unsigned long i);
	bool yields; /* the swapping thread makes way: a connect is handed from thread to thread, each of which would wait for a processor */
	bool process; /* another process swaps, which shares nothing else with the one that tries */
};

/* Each ends with a race without a name. */
extern const struct race races_of_sockets[], races_of_files[], races_of_trees[];

extern const char *race_name;
extern char race_own_dir[512];         /* the working folder at the start, by its absolute name */
extern bool race_inet, race_unix;      /* could such sockets be made? */

/* key=value of the command line; race_get() exits where there is none. */
const char *race_get(const char *key);
const char *race_get_or(const char *key, const char *otherwise);

/* only=try: another process swaps (only=flip), and what there is to be swapped is there already. */
bool race_prepared(void);

/* Exits with a message unless good. */
void race_must(bool good, const char *what);

/* Counts a system call's result, by errno.  Returns whether it was none. */
bool race_count(long result);

/* The attempt stands for so many tries more: what is cheap is tried often in one process. */
void race_also(unsigned long tries);

/* Something of another's was reached; the first one's text is reported. */
void race_foreign(const char *text, size_t len);

/* --- what is swapped --------------------------------------------------------------------------------------------------------- */

/* Descriptors at fixed numbers: USED is what the call names, and becomes the one slot or the other. */
enum { USED = 100, SLOT_A, SLOT_B };

/* Where the address or path of a memory race lies; its first eight bytes are swapped. */
enum { SWAP_SIZE = 4096 };
extern char *swap_memory;

/* The word to swap, and the values that it can have (eight bytes each, four at most). */
void swap_words(void *place);
void swap_add(const void *eight);

/* `own` (at most 7 characters) and `outside` (absolute) share swap_memory: "own\0…" and "////////tmp/secret". */
void swap_paths(const char *own, const char *outside);

/* Flips, and what they choose from. */
unsigned swap_count(void);
void swap_flip_word(uint32_t random);
void swap_flip_slot(uint32_t random);

/* Moves a descriptor to its slot. */
void swap_put(int fd, int slot);

#endif
