/* The seccomp programs of a run, as sealed memfds.  Building them takes longer than anything else of a start, so a thread of their own does it while the rest
 * gets ready.
 *
 * programs_start: the supervisor's main thread, after the zygote was forked (which must have one thread only) and before any of its sandboxes.
 * programs_get: any thread; waits for the build.  The descriptors live as long as the process. */
#ifndef SUPERVISE_PROGRAMS_H
#define SUPERVISE_PROGRAMS_H

struct run;

enum program { PROGRAM_INSTALLER, PROGRAM_SANDBOX, PROGRAM_SERVED /* of builds that work in a served folder */, PROGRAM_COUNT };

/* 0 or -errno: no thread. */
int programs_start(const struct run *run);

/* A descriptor, not the caller's, or -errno: could not be built, or the run has no such sandbox. */
int programs_get(enum program which);

#endif
