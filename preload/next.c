#include "preload/next.h"

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct object {
	ElfW(Addr) base;
	const ElfW(Sym) *sym;
	const char *str;
	const uint32_t *hash;
	const ElfW(Versym) *version;
};

struct search {
	const void *self;
	const struct next_want *want;
	size_t count, found;
	uint64_t done; /* a bit for each want */
	char *path;
	size_t size;
	bool past_self;
};

static bool holds(const struct dl_phdr_info *info, const void *addr)
{
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];

		if (ph->p_type == PT_LOAD && (ElfW(Addr))addr - (info->dlpi_addr + ph->p_vaddr) < ph->p_memsz)
			return true;
	}
	return false;
}

/* glibc relocates the pointers of a dynamic section in place, other loaders and the vdso do not. */
static const void *dynamic_pointer(ElfW(Addr) base, ElfW(Addr) value)
{
	return (const void *)(value < base ? base + value : value);
}

static bool read_dynamic(ElfW(Addr) base, const ElfW(Dyn) *dyn, struct object *o)
{
	memset(o, 0, sizeof(*o));
	o->base = base;
	if (!dyn)
		return false;
	for (; dyn->d_tag != DT_NULL; dyn++) {
		const void *p = dynamic_pointer(o->base, dyn->d_un.d_ptr);

		if (dyn->d_tag == DT_SYMTAB)
			o->sym = p;
		else if (dyn->d_tag == DT_STRTAB)
			o->str = p;
		else if (dyn->d_tag == DT_GNU_HASH)
			o->hash = p;
		else if (dyn->d_tag == DT_VERSYM)
			o->version = p;
	}
	return o->sym && o->str && o->hash;
}

static bool read_object(const struct dl_phdr_info *info, struct object *o)
{
	const ElfW(Dyn) *dyn = NULL;

	for (int i = 0; i < info->dlpi_phnum; i++) {
		if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
			dyn = (const ElfW(Dyn) *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
	}
	return read_dynamic(info->dlpi_addr, dyn, o);
}

static uint32_t gnu_hash(const char *name)
{
	uint32_t h = 5381;

	for (const unsigned char *p = (const unsigned char *)name; *p; p++)
		h = h * 33 + *p;
	return h;
}

static void *find_symbol(const struct object *o, const char *name)
{
	uint32_t buckets = o->hash[0], first = o->hash[1], bloom_words = o->hash[2];
	const uint32_t *bucket = (const uint32_t *)((const ElfW(Addr) *)(o->hash + 4) + bloom_words);
	const uint32_t *chain = bucket + buckets;
	uint32_t h = gnu_hash(name);
	uint32_t i = buckets ? bucket[h % buckets] : 0;

	if (i < first || i == 0)
		return NULL;
	for (;; i++) {
		uint32_t c = chain[i - first];
		const ElfW(Sym) *s = &o->sym[i];
		unsigned type = ELF64_ST_TYPE(s->st_info);

		/* Bit 15 of a version marks one that is not the default (posix_spawn@GLIBC_2.2.5 still
		 * falls back to the shell).  An indirect function would have to be called to be found. */
		if ((c | 1) == (h | 1) && s->st_shndx != SHN_UNDEF && s->st_value && type != STT_GNU_IFUNC &&
		    (!o->version || !(o->version[i] & 0x8000)) && !strcmp(o->str + s->st_name, name))
			return (void *)(o->base + s->st_value);
		if (c & 1)
			return NULL;
	}
}

static void copy_path(struct search *s, const char *name)
{
	size_t len = strlen(name);

	if (len < s->size)
		memcpy(s->path, name, len + 1);
}

static int visit(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct search *s = arg;
	struct object o;

	if (!s->past_self) {
		if (holds(info, s->self)) {
			s->past_self = true;
			copy_path(s, info->dlpi_name);
		}
		return 0;
	}
	if (!read_object(info, &o))
		return 0;
	for (size_t i = 0; i < s->count; i++) {
		void *p = s->done >> i & 1 ? NULL : find_symbol(&o, s->want[i].name);

		if (!p)
			continue;
		memcpy(s->want[i].slot, &p, sizeof(p));
		s->done |= UINT64_C(1) << i;
		s->found++;
	}
	return s->found == s->count;
}

void next_names(struct next_want *want, void **slots, size_t count, const char *names)
{
	for (size_t i = 0; i < count; i++, names += strlen(names) + 1)
		want[i] = (struct next_want){ .name = names, .slot = &slots[i] };
}

size_t next_find(const void *self, const struct next_want *want, size_t count, char *path, size_t size)
{
	struct search s = { .self = self, .want = want, .count = count, .path = path, .size = size,
		.past_self = !self };

	if (size)
		path[0] = '\0';
	if (count <= 64)
		dl_iterate_phdr(visit, &s);
	return s.found;
}

struct lookup {
	const void *addr;
	const char *name;
};

static int visit_holder(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct lookup *l = arg;

	if (!holds(info, l->addr))
		return 0;
	l->name = info->dlpi_name;
	return 1;
}

const char *next_object(const void *addr)
{
	struct lookup l = { .addr = addr };

	dl_iterate_phdr(visit_holder, &l);
	return l.name;
}

/* Every exported name is in a chain of the hash table. */
static const char *symbol_at(const struct object *o, ElfW(Addr) addr)
{
	uint32_t buckets = o->hash[0], first = o->hash[1];
	const uint32_t *bucket = (const uint32_t *)((const ElfW(Addr) *)(o->hash + 4) + o->hash[2]);
	const uint32_t *chain = bucket + buckets;

	for (uint32_t b = 0; b < buckets; b++) {
		for (uint32_t i = bucket[b]; i >= first && i; i++) {
			const ElfW(Sym) *s = &o->sym[i];

			if (addr - o->base - s->st_value < s->st_size && ELF64_ST_TYPE(s->st_info) == STT_FUNC && s->st_shndx != SHN_UNDEF)
				return o->str + s->st_name;
			if (chain[i - first] & 1)
				break;
		}
	}
	return NULL;
}

const char *next_symbol_of(const struct link_map *map, const void *addr)
{
	struct object o;

	return map && read_dynamic(map->l_addr, map->l_ld, &o) ? symbol_at(&o, (ElfW(Addr))addr) : NULL;
}

static int visit_symbol(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct lookup *l = arg;
	struct object o;

	if (!holds(info, l->addr))
		return 0;
	l->name = read_object(info, &o) ? symbol_at(&o, (ElfW(Addr))l->addr) : NULL;
	return 1;
}

const char *next_symbol(const void *addr)
{
	struct lookup l = { .addr = addr };

	dl_iterate_phdr(visit_symbol, &l);
	return l.name;
}
