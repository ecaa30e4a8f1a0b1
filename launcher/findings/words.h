/* What names say: of commands, modules, places and entry points.  Pure. */
#ifndef FINDINGS_WORDS_H
#define FINDINGS_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* A command that people type, or that programs start, trusting that it is the system's: ls, ssh, git, sudo. */
bool words_is_command(const char *name);
/* Built into the interpreter: there is no file of it in the standard library. */
bool words_is_builtin(const char *module);
/* What many packages leave at the top by mistake: tests, docs, examples. */
bool words_is_common(const char *top);

enum place { PLACE_PLAIN, PLACE_COMPLETION /* a shell reads it when somebody types */, PLACE_STARTS /* something is started by it */ };
/* A data file's path, by its folders. */
enum place words_place(const char *path);

/* Of an entry_points.txt, NUL-terminated: the next group's name, in out; *at is moved on.  False: that was all. */
bool words_next_group(const char **at, char *out, size_t size);
/* Does an entry point of this group run without being called by its name: in each build, each run of pytest …? */
bool words_is_plugin(const char *group);

/* The first component of a relative path: its length. */
size_t words_top(const char *path);
/* Compiled code; *cached: in a __pycache__. */
bool words_is_bytecode(const char *path, bool *cached);
/* Of a compiled file in a __pycache__, its source's path beside that folder.  False: it is none, or has no room. */
bool words_source(const char *path, char *out, size_t size);

#endif
