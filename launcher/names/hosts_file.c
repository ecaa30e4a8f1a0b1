#include "launcher/names/hosts_file.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>

#include "launcher/base/fd.h"

#define BLANK " \t\r\f\v"
#define YOUNG_SECONDS 2

/* Both point into the text. */
struct entry {
	const char *name, *address;
};

static struct {
	pthread_mutex_t lock;
	bool known, young; /* `of` is what was read; it may have changed since without a sign */
	struct stat of;
	char *text;
	struct entry *entry; /* by name, and of one name in the file's order */
	size_t n, room;
} kept = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* --- reading; under the lock ------------------------------------------------------------------------ */

static void forget(void)
{
	free(kept.text);
	free(kept.entry);
	kept.text = NULL;
	kept.entry = NULL;
	kept.n = kept.room = 0;
	kept.known = false;
}

static bool add(const char *name, const char *address)
{
	if (kept.n == kept.room) {
		size_t room = kept.room ? 2 * kept.room : 64;
		struct entry *more = reallocarray(kept.entry, room, sizeof *more);
		if (!more)
			return false;
		kept.entry = more;
		kept.room = room;
	}
	kept.entry[kept.n++] = (struct entry){name, address};
	return true;
}

/* "address name alias … # comment" */
static bool add_line(char *line)
{
	char *save = NULL, *address, *word;

	line[strcspn(line, "#")] = 0;
	address = strtok_r(line, BLANK, &save);
	while (address && (word = strtok_r(NULL, BLANK, &save))) {
		size_t len = strlen(word);
		if (len > 1 && word[len - 1] == '.')
			word[len - 1] = 0;
		if (!add(word, address))
			return false;
	}
	return true;
}

static int by_name(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = strcasecmp(x->name, y->name);

	if (order != 0)
		return order;
	return (x->address > y->address) - (x->address < y->address); /* in the text: the file's order */
}

/* Out of memory there are fewer names: as without the file, a resolver would be asked, if the policy lets it. */
static void read_file(int fd, const struct stat *st)
{
	char *save = NULL, *line;
	ssize_t len;

	forget();
	len = fd_slurp(fd, HOSTS_FILE_MAX, &kept.text);
	for (line = len > 0 ? strtok_r(kept.text, "\n", &save) : NULL; line && add_line(line); line = strtok_r(NULL, "\n", &save))
		;
	if (kept.n > 0)
		qsort(kept.entry, kept.n, sizeof *kept.entry, by_name);
	kept.of = *st;
	kept.known = true;
	kept.young = time(NULL) - st->st_ctim.tv_sec < YOUNG_SECONDS;
}

static bool is_kept(const struct stat *st)
{
	const struct stat *of = &kept.of;

	return kept.known && !kept.young && of->st_dev == st->st_dev && of->st_ino == st->st_ino && of->st_size == st->st_size &&
	       of->st_mtim.tv_sec == st->st_mtim.tv_sec && of->st_mtim.tv_nsec == st->st_mtim.tv_nsec && of->st_ctim.tv_sec == st->st_ctim.tv_sec &&
	       of->st_ctim.tv_nsec == st->st_ctim.tv_nsec;
}

static void look(const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && is_kept(&st))
		return;
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		forget();
	else
		read_file(fd, &st);
}

/* ----------------------------------------------------------------------------------------------------- */

static size_t first_of(const char *name)
{
	size_t low = 0, high = kept.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcasecmp(kept.entry[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool hosts_file_each_of(const char *path, const char *name, bool (*each)(const char *address, void *arg), void *arg)
{
	bool stopped = false;

	pthread_mutex_lock(&kept.lock);
	look(path);
	for (size_t i = first_of(name); i < kept.n && !stopped && !strcasecmp(kept.entry[i].name, name); i++)
		stopped = each(kept.entry[i].address, arg);
	pthread_mutex_unlock(&kept.lock);
	return stopped;
}

bool hosts_file_each(const char *name, bool (*each)(const char *address, void *arg), void *arg)
{
	return hosts_file_each_of("/etc/hosts", name, each, arg);
}
