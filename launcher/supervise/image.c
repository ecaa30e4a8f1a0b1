#include "image.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "launcher/base/fd.h"

enum { AUXV_ENTRIES = 64, SLOTS_FIRST = 64 };

static ssize_t read_proc(pid_t tid, const char *name, void *buffer, size_t len, off_t at)
{
	char path[48];

	snprintf(path, sizeof path, "/proc/%d/%s", (int)tid, name);
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -1 : pread(fd, buffer, len, at);
}

uint64_t image_of(pid_t tid)
{
	Elf64_auxv_t auxv[AUXV_ENTRIES];
	ssize_t len = read_proc(tid, "auxv", auxv, sizeof auxv, 0);
	uint64_t image = 0;

	for (size_t i = 0; len > 0 && i < (size_t)len / sizeof *auxv; i++) {
		if (auxv[i].a_type == AT_RANDOM) {
			ssize_t got = read_proc(tid, "mem", &image, sizeof image, (off_t)auxv[i].a_un.a_val);
			return got == sizeof image ? image : 0;
		}
	}
	return 0; /* gone, not readable, or of 32 bits */
}

/* Where it is or would go.  The numbers are random already. */
static struct image *find(struct image *slot, size_t size, uint64_t image)
{
	size_t i = (size_t)image & (size - 1);

	while (slot[i].image != 0 && slot[i].image != image) {
		i = (i + 1) & (size - 1);
	}
	return &slot[i];
}

/* Room for one more, in a table that is at most half full. */
static bool make_room(struct images *set)
{
	size_t size = set->size == 0 ? SLOTS_FIRST : set->size * 2;

	if ((set->count + 1) * 2 <= set->size) {
		return true;
	}
	struct image *slot = set->count < IMAGES_MAX ? calloc(size, sizeof *slot) : NULL;
	if (slot == NULL) {
		return false;
	}
	for (size_t i = 0; i < set->size; i++) {
		if (set->slot[i].image != 0) {
			*find(slot, size, set->slot[i].image) = set->slot[i];
		}
	}
	free(set->slot);
	set->slot = slot;
	set->size = size;
	return true;
}

void images_add(struct images *set, uint64_t image, uint64_t intents)
{
	pthread_mutex_lock(&set->lock);
	if (image == 0 || !make_room(set)) {
		set->full = set->full || image != 0;
	} else if (find(set->slot, set->size, image)->image == 0) {
		*find(set->slot, set->size, image) = (struct image){image, intents};
		set->count++;
	}
	pthread_mutex_unlock(&set->lock);
}

bool images_lack(struct images *set, uint64_t image)
{
	pthread_mutex_lock(&set->lock);
	bool lack = image != 0 && !set->full && (set->size == 0 || find(set->slot, set->size, image)->image == 0);
	pthread_mutex_unlock(&set->lock);
	return lack;
}

uint64_t images_intents(struct images *set, uint64_t image)
{
	pthread_mutex_lock(&set->lock);
	uint64_t intents = image != 0 && set->size != 0 ? find(set->slot, set->size, image)->intents : 0;
	pthread_mutex_unlock(&set->lock);
	return intents;
}

uint64_t images_intents_of(struct images *set, pid_t tid)
{
	uint64_t intents = images_intents(set, image_of(tid));

	atomic_store(&set->recent, intents);
	return intents;
}

void images_finish(struct images *set)
{
	free(set->slot);
	*set = (struct images){0};
}
