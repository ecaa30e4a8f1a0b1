#include "preload/exec.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FEW 256
#define MANY 4096

static __attribute__((noinline)) int with_few(exec_vector_fn *fn, void *arg)
{
	char *vector[FEW];

	return fn(vector, arg);
}

static __attribute__((noinline)) int with_many(exec_vector_fn *fn, void *arg)
{
	char *vector[MANY];

	return fn(vector, arg);
}

static int with_mapping(size_t n, exec_vector_fn *fn, void *arg)
{
	size_t len = n * sizeof(char *);
	int saved = errno;
	long p;
	int ret;

	if (n > SIZE_MAX / sizeof(char *) / 2)
		return E2BIG;
	p = syscall(SYS_mmap, NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L);
	if (p == -1) {
		errno = saved;
		return ENOMEM;
	}
	ret = fn((char **)p, arg);
	syscall(SYS_munmap, p, len);
	errno = saved;
	return ret;
}

int exec_with_vector(size_t n, exec_vector_fn *fn, void *arg)
{
	if (n <= FEW)
		return with_few(fn, arg);
	return n <= MANY ? with_many(fn, arg) : with_mapping(n, fn, arg);
}

size_t exec_env_room(char *const *envp)
{
	size_t n = 2;

	while (envp && *envp++)
		n++;
	return n;
}

/* Length of NAME=, or of all when there is no '='. */
static size_t name_length(const char *var)
{
	const char *eq = strchr(var, '=');

	return eq ? (size_t)(eq - var) + 1 : strlen(var);
}

void exec_fill_env(char **vector, char *const *envp, const char *var, const char *drop)
{
	size_t len = name_length(var);

	*vector++ = (char *)var;
	for (; envp && *envp; envp++) {
		if (strncmp(*envp, var, len) && !(drop && !strcmp(*envp, drop)))
			*vector++ = *envp;
	}
	*vector = NULL;
}

/* Whether a list that ld.so splits at colons and spaces has this item. */
static int has_item(const char *list, const char *item)
{
	size_t len = strlen(item);

	while (*list) {
		size_t n = strcspn(list, ": ");

		if (n == len && !memcmp(list, item, len))
			return 1;
		list += n + (list[n] != '\0');
	}
	return 0;
}

const char *exec_preload_var(const struct shim *shim, char *const *envp, char *buf, size_t size)
{
	const size_t name = sizeof(SHIM_PRELOAD_VAR) - 1;
	const char *theirs = NULL;

	if (!shim->preload[0])
		return NULL;
	for (char *const *e = envp; e && *e && !theirs; e++) {
		if (!strncmp(*e, SHIM_PRELOAD_VAR, name))
			theirs = *e + name;
	}
	if (!theirs || !theirs[0])
		return shim->preload;
	if (has_item(theirs, shim->preload + name))
		return NULL;
	buf[0] = '\0';
	if (!shim_append(buf, size, shim->preload) || !shim_append(buf, size, ":") || !shim_append(buf, size, theirs))
		return NULL; /* longer than any real one: theirs is kept, explanations are lost */
	return buf;
}
