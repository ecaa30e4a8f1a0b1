/* Names of a tree, part of which must not be changed: the path's memory, and a folder on the way. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/race/race.h"

enum { RENAME_SWAP = 2 }; /* RENAME_EXCHANGE */

static const char *own_name, *used;

static bool is_victim(const char *name)
{
	struct stat st, victim;

	return !stat(name, &st) && !stat(race_get("victim"), &victim) && st.st_ino == victim.st_ino && st.st_dev == victim.st_dev;
}

static void make_own(void)
{
	int fd = (int)syscall(SYS_openat, AT_FDCWD, own_name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	race_must(fd >= 0, own_name);
	close(fd);
}

/* What came of it stays: a victim that was moved, removed, emptied or overwritten is not put back. */
static void try_change(unsigned long i)
{
	long fd;

	make_own();
	switch (i % 6) {
	case 0:
		fd = syscall(SYS_openat, AT_FDCWD, used, O_WRONLY | (i & 8 ? O_TRUNC : 0) | O_CLOEXEC, 0);
		if (race_count(fd)) {
			race_count(write((int)fd, "changed\n", 8));
			close((int)fd);
		}
		break;
	case 1:
		race_count(syscall(SYS_renameat, AT_FDCWD, used, AT_FDCWD, "moved"));
		break;
	case 2:
		unlink("alias");
		if (race_count(syscall(SYS_linkat, AT_FDCWD, used, AT_FDCWD, "alias", 0)) && is_victim("alias"))
			race_foreign("alias", 5);
		break;
	case 3:
		race_count(syscall(SYS_unlinkat, AT_FDCWD, used, 0));
		break;
	case 4:
		race_count(syscall(SYS_truncate, used, 3));
		break;
	default:
		close((int)syscall(SYS_openat, AT_FDCWD, "bait", O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
		race_count(syscall(SYS_renameat, AT_FDCWD, "bait", AT_FDCWD, used));
	}
}

static void entry_init(void)
{
	own_name = "own";
	used = swap_memory;
	swap_paths("own", race_get("victim"));
}

/* p leads to a folder of the program's own, q to the victim's: made by whoever swaps, used by whoever tries. */
static void parent_init(void)
{
	static char folder[1024], plain[1024], through[1024];
	const char *victim = race_get("victim"), *slash = strrchr(victim, '/');

	snprintf(folder, sizeof folder, "%.*s", (int)(slash - victim), victim);
	snprintf(plain, sizeof plain, "plain%s", slash);
	snprintf(through, sizeof through, "p%s", slash);
	own_name = plain;
	used = through;
	race_must(race_prepared() || (!mkdir("plain", 0755) && !symlink("plain", "p") && !symlink(folder, "q")), "folders");
}

static void flip_parent(uint32_t r)
{
	(void)r;
	syscall(SYS_renameat2, AT_FDCWD, "p", AT_FDCWD, "q", RENAME_SWAP);
}

const struct race races_of_trees[] = {
	{"entry", entry_init, swap_flip_word, try_change, .yields = true},
	{"parent", parent_init, flip_parent, try_change, .yields = true},
	{0},
};
