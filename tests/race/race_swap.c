/* Words of memory and descriptors, swapped at once: no look ever falls on half a value. */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/race/race.h"

static _Alignas(8) char memory[SWAP_SIZE];
char *swap_memory = memory;

static struct {
	_Atomic uint64_t *place;
	uint64_t value[4];
	unsigned count;
} words;

void swap_words(void *place)
{
	words.place = place;
	words.count = 0;
}

void swap_add(const void *eight)
{
	race_must(words.count < LEN(words.value), "too many words");
	memcpy(&words.value[words.count++], eight, 8);
}

void swap_paths(const char *own, const char *outside)
{
	char eight[8] = {0};

	race_must(strlen(own) < sizeof eight && strlen(outside) + 8 < SWAP_SIZE, "paths");
	swap_words(swap_memory);
	memcpy(eight, own, strlen(own));
	swap_add(eight);
	swap_add("////////");
	snprintf(swap_memory, SWAP_SIZE, "////////%s", outside + 1);
}

unsigned swap_count(void)
{
	return words.count;
}

void swap_flip_word(uint32_t random)
{
	atomic_store_explicit(words.place, words.value[random % words.count], memory_order_release);
}

void swap_flip_slot(uint32_t random)
{
	dup3(random & 1 ? SLOT_A : SLOT_B, USED, O_CLOEXEC);
}

void swap_put(int fd, int slot)
{
	race_must(fd >= 0 && dup3(fd, slot, O_CLOEXEC) == slot, "slot");
	close(fd);
}
