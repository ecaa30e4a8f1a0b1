/* Acts in C: what a replica does by raw system calls.  An act is written ACT(name) { … return 0; } in any file of native/ and found by its name. */
#ifndef PW_NATIVE_H
#define PW_NATIVE_H
#include <stddef.h>

struct pw_act {
	const char *name;
	int (*run)(void);
};

/* In a section of their own, so that no list has to name them. */
#define ACT(NAME)                                                                                                          \
	static int act_##NAME(void);                                                                                       \
	static const struct pw_act entry_##NAME = {#NAME, act_##NAME};                                                     \
	static const struct pw_act *const listed_##NAME __attribute__((section("pw_acts"), used)) = &entry_##NAME;         \
	static int act_##NAME(void)

const char *target(const char *key); /* "" where there is none */
long target_number(const char *key);

/* To the sink over TCP by raw system calls; -errno. */
int connected(void); /* a socket to the sink that has said whose it is */
int leak(const void *data, size_t length);

/* What was stolen: printed encoded, and leaked.  Whatever it is, a row's effect loot() sees it. */
void loot(const void *data, size_t length);
void pair(void); /* the usual act: target("secret") is read, and the sink is told */
void loot_file(const char *path); /* by open and read */
void loot_fd(int fd);
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
#endif
