#include "preload/shim.h"

#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "preload/intent.h"
#include "preload/next.h"
#include "preload/python.h"

enum state { FRESH, STARTING, STARTED };

static struct shim shim;
static struct shim inert; /* not const: zeros need no room in the file */
static _Atomic int state;

/* How often an interrupted event call is made again: a signal may come, a storm of them may not keep
 * us here. */
#define MAX_TRIES 1000

long shim_call(unsigned op, const void *pointer, size_t len)
{
	int saved = errno;
	long ret;

	for (int i = 0; i < MAX_TRIES; i++) {
		ret = syscall(SYS_prctl, (unsigned long)PW_MAGIC, (unsigned long)op, pointer, len, 0UL);
		if (ret < 0)
			ret = -errno;
		if (ret != -EINTR)
			break;
	}
	errno = saved;
	return ret;
}

static uint32_t copy_text(char *to, size_t size, const char *from)
{
	size_t len = from ? strlen(from) : 0;

	if (len > size)
		len = size;
	memcpy(to, from ? from : "", len);
	return (uint32_t)len;
}

static void tell(struct pw_record_of *of, enum pw_record_type type, const char *text, const struct shim_origin *origin)
{
	struct pw_record *r = &of->record;

	memset(of, 0, sizeof(*of));
	r->type = type;
	r->text_len = copy_text(r->text, sizeof(r->text), text);
	r->object_len = copy_text(r->object, sizeof(r->object), origin->object);
	r->file_len = copy_text(r->file, sizeof(r->file), origin->file);
	r->function_len = copy_text(r->function, sizeof(r->function), origin->function);
	r->line = origin->line;
}

void shim_event(enum pw_record_type type, const char *text, const struct shim_origin *origin)
{
	struct pw_record_of of;

	tell(&of, type, text, origin);
	shim_call(PW_OP_EVENT, &of.record, sizeof(of.record));
}

void shim_event_of(enum pw_record_type type, const char *text, const struct shim_origin *origin, const void *data, size_t len, unsigned flags)
{
	struct pw_record_of of;

	tell(&of, type, text, origin);
	of.data = (uintptr_t)data;
	of.data_len = len;
	of.flags = flags;
	shim_call(PW_OP_DATA, &of, sizeof(of));
}

/* The head of glibc's struct dl_find_object, which older headers do not have. */
struct found_object {
	unsigned long long flags;
	void *map_start, *map_end;
	struct link_map *map;
	void *eh_frame;
	unsigned long long reserved[16];
};

static const struct link_map *holder(const struct shim *s, const void *addr, struct found_object *found)
{
	return s->real.find_object((void *)addr, found) == 0 ? found->map : NULL;
}

const char *shim_symbol(const struct shim *s, const void *addr)
{
	struct found_object found;

	return s->real.find_object ? next_symbol_of(holder(s, addr, &found), addr) : next_symbol(addr);
}

const char *shim_object(const struct shim *s, const void *addr)
{
	struct found_object found;
	const struct link_map *map;
	const char *name = NULL;

	if (!s->real.find_object)
		name = next_object(addr);
	else if ((map = holder(s, addr, &found))) /* without a lock, where that is possible */
		name = map->l_name;
	if (name && !name[0]) /* the program itself has no name in the loader's list */
		name = (const char *)getauxval(AT_EXECFN);
	return name ? name : "";
}

char *shim_getenv(const char *name)
{
	size_t len = strlen(name);

	if (!environ || !len)
		return NULL;
	for (char **e = environ; *e; e++) {
		if (!strncmp(*e, name, len) && (*e)[len] == '=')
			return *e + len + 1;
	}
	return NULL;
}

int shim_append(char *buf, size_t size, const char *src)
{
	size_t used = strlen(buf), len = strlen(src);
	int fits = len < size - used;

	if (!fits)
		len = size - used - 1;
	memcpy(buf + used, src, len);
	buf[used + len] = '\0';
	return fits;
}

/* In the order of struct shim_real. */
static void find_real(char *path, size_t size)
{
	static const char names[] =
		"posix_spawn\0posix_spawnp\0system\0popen\0pclose\0getaddrinfo\0getnameinfo\0gethostbyname\0gethostbyname2\0"
		"gethostbyaddr\0gethostbyname_r\0gethostbyname2_r\0gethostbyaddr_r\0connect\0open\0open64\0openat\0openat64\0"
		"mkdir\0rename\0unlink\0_dl_find_object\0";
	struct next_want want[sizeof(shim.real) / sizeof(void *)];
	void **slots = (void **)&shim.real;

	next_names(want, slots, sizeof(want) / sizeof(want[0]), names);
	next_find(&shim, want, sizeof(want) / sizeof(want[0]), path, size);
}

/* The helper lies beside this object; both are named by the path with which the loader found it. */
static void find_place(const char *path, const char *helper)
{
	char self[PATH_MAX] = "";
	char *slash;

	if (path[0] != '/') {
		if (!path[0] || syscall(SYS_getcwd, self, sizeof(self)) < 0 || self[0] != '/' ||
		    !shim_append(self, sizeof(self), "/"))
			return;
	}
	if (!shim_append(self, sizeof(self), path))
		return;
	/* The loader splits LD_PRELOAD at these, so such a path cannot be handed on. */
	if (!strpbrk(self, ": ")) {
		shim_append(shim.preload, sizeof(shim.preload), SHIM_PRELOAD_VAR);
		shim_append(shim.preload, sizeof(shim.preload), self);
	}
	slash = strrchr(self, '/');
	slash[1] = '\0';
	if (shim_append(self, sizeof(self), helper))
		memcpy(shim.helper, self, sizeof(shim.helper));
}

static void map_names(void)
{
	long fd = shim_call(PW_OP_NAMES, NULL, 0);
	struct stat st;
	char *p;

	if (fd < 0)
		return;
	if (syscall(SYS_fstat, (int)fd, &st) == 0 && st.st_size > 0 && st.st_size <= 1 << 20) {
		p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, (int)fd, 0);
		if (p != MAP_FAILED && p[st.st_size - 1] == '\0') {
			shim.names_len = (size_t)st.st_size;
			shim.names = p;
		}
	}
	syscall(SYS_close, (int)fd);
}

/* The helper is started by this very shim and is followed by it where it is not linked statically: what
 * it then executes is decided already. */
static int is_helper(void)
{
	const char *program = (const char *)getauxval(AT_EXECFN);

	return program && shim.helper[0] && !strcmp(program, shim.helper);
}

static void start(void)
{
	char path[PATH_MAX];
	int saved = errno;
	long role;

	find_real(path, sizeof(path));
	role = shim_call(PW_OP_HELLO, intent_ring(), sizeof(struct pw_intents));
	if (role > 0) {
		find_place(path, role == PW_ROLE_INSTALLER || role == PW_ROLE_VCS ? "enter" : "become");
		if (role != PW_ROLE_INSTALLER)
			map_names();
		if (role <= PW_ROLE_VCS && !is_helper())
			shim.role = (int)role;
	}
	errno = saved;
}

const struct shim *shim_started(void)
{
	return atomic_load_explicit(&state, memory_order_acquire) == STARTED ? &shim : NULL;
}

const struct shim *shim_get(void)
{
	int fresh = FRESH;

	if (atomic_load_explicit(&state, memory_order_acquire) == STARTED)
		return &shim;
	if (!atomic_compare_exchange_strong(&state, &fresh, STARTING))
		return &inert;
	start();
	atomic_store_explicit(&state, STARTED, memory_order_release);
	return &shim;
}

__attribute__((constructor)) static void construct(void)
{
	int role = shim_get()->role;

	if (role == PW_ROLE_BUILD || role == PW_ROLE_GUEST)
		python_start();
}
