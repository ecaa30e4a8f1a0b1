/* How the folders look that pip installs into: each entry once, before the run and after it.
 *
 * Folders are opened before the run, when nothing of it can have moved them; one that pip makes is opened after it, by a path of which no link is followed.
 * Everything in them is other people's: names are taken relative to the descriptor and never followed.  Errors are values, lack of memory too.
 * By one thread. */
#ifndef FINDINGS_VIEW_H
#define FINDINGS_VIEW_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

enum folder_kind { FOLDER_PACKAGES, FOLDER_SCRIPTS, FOLDER_OTHER /* no entries are kept of it */ };

struct look { /* what tells one state of a file from another; all zero: it is not there */
	ino_t ino;
	mode_t mode;
	off_t size;
	struct timespec mtime, ctime;
};

struct view_entry {
	char *name;
	struct look look;
};
struct view_entries {
	struct view_entry *v; /* by name */
	size_t n;
	int error; /* -errno: they are not all */
};

struct view_folder {
	enum folder_kind kind;
	bool flat;   /* of --target: what a RECORD calls ../../bin lies in the folder itself */
	char *path;  /* as the installer knows it: absolute, normal */
	char *real;  /* the same with the links resolved that were there before the run */
	int fd;      /* O_PATH or -1 */
	dev_t dev;
	ino_t ino;
	struct timespec since; /* the file system's clock when the run began: what has a later change time was written in the run */
	struct view_entries before, after;
	int error;   /* -errno: why it could not be looked at as a whole */
};

struct view {
	struct view_folder *v;
	size_t n;
};

/* One more (the result's place may change with the next); a folder that is there already (by device and inode too) is not taken twice.  0 or -ENOMEM.  path: absolute. */
int view_add(struct view *w, enum folder_kind kind, const char *path);
/* Looks for the first time.  started: by this machine's clock; mark: the name of a file that was made for the run in each folder where it could, NULL: none. */
void view_before(struct view *w, struct timespec started, const char *mark);
/* Looks again, and opens what pip has made. */
void view_after(struct view *w);
void view_finish(struct view *w);

const struct view_entry *view_find(const struct view_entries *e, const char *name);
bool view_same(const struct look *a, const struct look *b);
struct look view_look(const struct stat *st);
/* Was the entry not there before, or is it another one? */
bool view_is_new(const struct view_folder *f, const struct view_entry *after);
/* Has the entry that holds this path (or is it) come in the run?  Never of FOLDER_OTHER, of which no entries are kept, and not where they were not all seen before. */
bool view_has_come(const struct view_folder *f, const char *path);
/* Was the file written in the run?  Where its entry came in it, whatever a clock says. */
bool view_is_written(const struct view_folder *f, const char *path, const struct stat *st);

/* Where an absolute path lies: the deepest folder that holds it, and *rest, what of the path is below it; NULL: in none. */
struct view_folder *view_holder(const struct view *w, const char *path, const char **rest);

#endif
