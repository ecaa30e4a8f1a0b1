/* What a run has installed, judged: start-up code, names that stand for something else, files in odd places, RECORDs that do not fit.
 * Reads files below the view's folders; changes nothing.  By one thread, when nothing of the run lives. */
#ifndef FINDINGS_JUDGE_H
#define FINDINGS_JUDGE_H

#include "dist.h"

struct finding {
	const char *rule;    /* id, "install.pth.hostile" */
	const char *path;    /* absolute; NULL: of the whole distribution */
	const char *name;    /* what else it is about: a group of entry points, a module; may be NULL */
	const char *why;     /* never NULL */
	struct dist *dist;   /* whose RECORD names it; NULL: nobody's */
	const struct view_folder *folder; /* of a file of no distribution, where it lies: path is folder's and one name; else NULL */
};

struct judge {
	const struct view *view;
	const struct dists *dists;
	const char *library;        /* the standard library's folder; NULL: not known */
	const char *search;         /* PATH; NULL: none */
	const char *const *projects; /* the folders that the user asked to install, of which one may be editable; NULL-terminated, or NULL */
	mode_t umask;               /* of the command */
	void (*found)(void *context, const struct finding *f);
	void *context;
};

void judge_all(const struct judge *j);

/* judge_start.c: what came into package folders and runs in every Python. */
void judge_start_ups(const struct judge *j);
/* judge_names.c: one entry of a folder of scripts; d: whose it is, or NULL. */
void judge_script(const struct judge *j, const struct view_folder *f, const char *name, struct dist *d);
/* One path of its RECORD, for the first of its components.  library: a descriptor of the standard library's folder, or -1. */
void judge_module(const struct judge *j, int library, struct dist *d, const char *top);
/* overlap.c: files of two distributions.  Reads RECORDs that are not new only where a new distribution has files in a folder that was there before. */
void judge_overlap(const struct judge *j);

/* A path of the distribution's RECORD: the folder that holds it and *rest below that, in out (PATH_MAX).  NULL: it leads out of every folder of the view; out is
 * then the absolute path. */
const struct view_folder *judge_place(const struct judge *j, const struct dist *d, const char *path, char *out, const char **rest);
#endif
