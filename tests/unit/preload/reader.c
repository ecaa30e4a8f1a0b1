/* A library that reads variables, so that the reports name it and not the program. */
#include <stdlib.h>

char *reader_get(const char *name);
char *reader_get_secure(const char *name);

__attribute__((noinline)) char *reader_get(const char *name)
{
	char *value = getenv(name);

	__asm__ volatile("" ::: "memory"); /* no tail call: the return address is what is looked at */
	return value;
}

__attribute__((noinline)) char *reader_get_secure(const char *name)
{
	char *value = secure_getenv(name);

	__asm__ volatile("" ::: "memory");
	return value;
}
