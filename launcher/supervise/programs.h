/* The seccomp programs of a run, as sealed memfds.
 *
 * programs_make: the supervisor's main thread, after the zygote was forked (whose descriptors they are not) and before any other thread.
 * programs_get: any thread.  The descriptors live as long as the process. */
#ifndef SUPERVISE_PROGRAMS_H
#define SUPERVISE_PROGRAMS_H

struct run;

enum program { PROGRAM_INSTALLER, PROGRAM_SANDBOX, PROGRAM_COUNT };

/* 0 or -errno. */
int programs_make(const struct run *run);

/* A descriptor, not the caller's, or -ENOENT: the run has no such sandbox. */
int programs_get(enum program which);

#endif
