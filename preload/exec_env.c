#include "preload/exec.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MANY 4096

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
	return n <= MANY ? fn(__builtin_alloca(n * sizeof(char *)), arg) : with_mapping(n, fn, arg);
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

#define NAME (sizeof(SHIM_PRELOAD_VAR) - 1)

/* Without a descriptor to be had the loader would complain of us to the user, and then go on to fail, or, for another libc, to work. */
static int can_load(void)
{
	struct rlimit files;
	int saved = errno, ret = (int)syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &files);

	errno = saved;
	return ret < 0 || files.rlim_cur > 3;
}

const char *exec_preload_lacks(const struct shim *shim, char *const *envp)
{
	const char *theirs = "";

	if (!shim->preload[0])
		return NULL;
	for (; envp && *envp; envp++) {
		if (!strncmp(*envp, SHIM_PRELOAD_VAR, NAME)) {
			theirs = *envp + NAME;
			break;
		}
	}
	if (!strcmp(theirs, shim->preload + NAME) && !can_load())
		return "";
	/* Longer than any real one: theirs is kept, explanations are lost. */
	return has_item(theirs, shim->preload + NAME) || exec_preload_bytes(shim, theirs) > PATH_MAX ? NULL : theirs;
}

size_t exec_preload_bytes(const struct shim *shim, const char *theirs)
{
	return strlen(shim->preload) + strlen(theirs) + 2;
}

const char *exec_preload_var(const struct shim *shim, const char *theirs, char *buf)
{
	size_t size = exec_preload_bytes(shim, theirs);

	if (!theirs[0])
		return can_load() ? shim->preload : SHIM_PRELOAD_VAR;
	buf[0] = '\0';
	shim_append(buf, size, SHIM_PRELOAD_VAR);
	shim_append(buf, size, theirs);
	shim_append(buf, size, ":");
	shim_append(buf, size, shim->preload + NAME);
	return buf;
}
