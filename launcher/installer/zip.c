/* A pip that lies in an archive (pip.pyz, a wheel, the payload of get-pip.py): its members, read from memory (pure), and unpacked. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "launcher/base/fd.h"
#include "launcher/installer/parts.h"

enum { END_SIZE = 22, CENTRAL_SIZE = 46, LOCAL_SIZE = 30, COMMENT_MAX = 65535, MEMBER_MAX = 16 << 20, MEMBERS_MAX = 20000, STORED = 0, DEFLATED = 8 };

static unsigned get16(const unsigned char *p)
{
	return p[0] | (unsigned)p[1] << 8;
}

static size_t get32(const unsigned char *p)
{
	return get16(p) | (size_t)get16(p + 2) << 16;
}

/* The end record; NULL: this is no zip. */
static const unsigned char *find_end(const struct zip *z)
{
	size_t lowest = z->len > END_SIZE + COMMENT_MAX ? z->len - END_SIZE - COMMENT_MAX : 0;

	if (z->len < END_SIZE) {
		return NULL;
	}
	for (size_t at = z->len - END_SIZE + 1; at-- > lowest;) {
		if (!memcmp(z->data + at, "PK\5\6", 4)) {
			return z->data + at;
		}
	}
	return NULL;
}

bool inst_zip_open(struct zip *z)
{
	const unsigned char *end = find_end(z);
	size_t size, offset, at;

	if (!end) {
		return false;
	}
	at = (size_t)(end - z->data);
	size = get32(end + 12);
	offset = get32(end + 16);
	if (size > at || offset > at - size) {
		return false;
	}
	/* A zipapp has a line before it that no offset counts. */
	z->first = at - size;
	z->end = at;
	z->shift = z->first - offset;
	return true;
}

bool inst_zip_next(const struct zip *z, size_t *at, struct zip_member *m)
{
	const unsigned char *p;
	size_t name, more, local;

	if (*at == 0) {
		*at = z->first;
	}
	if (*at > z->end || z->end - *at < CENTRAL_SIZE || memcmp(z->data + *at, "PK\1\2", 4)) {
		return false;
	}
	p = z->data + *at;
	name = get16(p + 28);
	more = name + get16(p + 30) + get16(p + 32);
	local = get32(p + 42);
	if (more > z->end - *at - CENTRAL_SIZE || name >= sizeof(m->name) || memchr(p + CENTRAL_SIZE, 0, name)) {
		return false;
	}
	memcpy(m->name, p + CENTRAL_SIZE, name);
	m->name[name] = '\0';
	m->method = get16(p + 10);
	m->crc = (unsigned)get32(p + 16);
	m->packed = get32(p + 20);
	m->size = get32(p + 24);
	m->local = local + z->shift;
	*at += CENTRAL_SIZE + more;
	return true;
}

static bool inflate_all(const unsigned char *from, size_t packed, char *to, size_t size)
{
	z_stream s = { .next_in = (unsigned char *)from, .avail_in = (unsigned)packed, .next_out = (unsigned char *)to, .avail_out = (unsigned)size };
	int result;

	if (inflateInit2(&s, -MAX_WBITS) != Z_OK) {
		return false;
	}
	result = inflate(&s, Z_FINISH);
	inflateEnd(&s);
	return result == Z_STREAM_END && s.avail_out == 0;
}

char *inst_zip_read(const struct zip *z, const struct zip_member *m)
{
	const unsigned char *p;
	size_t start;
	char *text;
	bool good;

	if (m->size > MEMBER_MAX || m->local > z->len || z->len - m->local < LOCAL_SIZE || memcmp(z->data + m->local, "PK\3\4", 4)) {
		return NULL;
	}
	p = z->data + m->local;
	start = m->local + LOCAL_SIZE + get16(p + 26) + get16(p + 28);
	if (start > z->len || m->packed > z->len - start || (m->method != STORED && m->method != DEFLATED)) {
		return NULL;
	}
	text = malloc(m->size + 1);
	if (!text) {
		return NULL;
	}
	if (m->method == STORED) {
		good = m->packed == m->size;
		if (good) {
			memcpy(text, z->data + start, m->size);
		}
	} else {
		good = inflate_all(z->data + start, m->packed, text, m->size);
	}
	if (!good || crc32(0, (unsigned char *)text, (unsigned)m->size) != m->crc) {
		free(text);
		return NULL;
	}
	text[m->size] = '\0';
	return text;
}

char *inst_zip_text(const struct zip *z, const char *name)
{
	struct zip_member m;
	size_t at = 0;

	for (int i = 0; i < MEMBERS_MAX && inst_zip_next(z, &at, &m); i++) {
		if (!strcmp(m.name, name)) {
			return inst_zip_read(z, &m);
		}
	}
	return NULL;
}

/* pip/… of plain components. */
static bool is_below_pip(const char *name)
{
	if (!inst_starts(name, "pip/")) {
		return false;
	}
	for (const char *at = name; *at; at += strcspn(at, "/"), at += *at == '/') {
		size_t len = strcspn(at, "/");

		if (len == 0 || (at[0] == '.' && (len == 1 || (len == 2 && at[1] == '.')))) {
			return false;
		}
	}
	return true;
}

static int write_member(const char *folder, const char *name, const char *text, size_t size)
{
	cleanup_text char *path = inst_path_join(folder, name);

	for (char *at = path + strlen(folder) + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		if (mkdir(path, 0755) && errno != EEXIST) {
			return -errno;
		}
		*at = '/';
	}
	cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	return fd < 0 ? -errno : fd_write_all(fd, text, size);
}

int inst_zip_unpack_pip(const struct zip *z, const char *folder)
{
	struct zip_member m;
	size_t at = 0;
	int error = 0;

	for (int i = 0; !error && i < MEMBERS_MAX && inst_zip_next(z, &at, &m); i++) {
		if (is_below_pip(m.name) && !inst_ends(m.name, "/")) {
			cleanup_text char *text = inst_zip_read(z, &m);

			error = text ? write_member(folder, m.name, text, m.size) : -EINVAL;
		}
	}
	return error;
}

/* --- get-pip.py: DATA = b"""base85""" ------------------------------------------------------------- */

static int digit85(char c)
{
	static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
	const char *found = c ? strchr(alphabet, c) : NULL;

	return found ? (int)(found - alphabet) : -1;
}

bool inst_get_pip_payload(const char *text, size_t len, struct zip *z)
{
	static const char start[] = "\nDATA = b\"\"\"";
	const char *at = memmem(text, len, start, sizeof(start) - 1), *end = text + len;
	unsigned long long group = 0;
	unsigned n = 0;

	*z = (struct zip){ 0 };
	z->data = at ? malloc(len) : NULL;
	if (!z->data) {
		return false;
	}
	for (at += sizeof(start) - 1; at < end && *at != '"'; at++) {
		int digit = digit85(*at);

		if (digit < 0 && (*at == '\n' || *at == '\r')) {
			continue;
		}
		if (digit < 0) {
			return false;
		}
		group = group * 85 + (unsigned)digit;
		if (++n == 5) {
			if (group > 0xffffffffu) {
				return false;
			}
			for (int shift = 24; shift >= 0; shift -= 8) {
				z->data[z->len++] = (unsigned char)(group >> shift);
			}
			group = n = 0;
		}
	}
	if (n == 1) {
		return false;
	}
	if (n > 1) { /* as if filled up with the last digit */
		for (unsigned i = n; i < 5; i++) {
			group = group * 85 + 84;
		}
		for (unsigned i = 0; i + 1 < n; i++) {
			z->data[z->len++] = (unsigned char)(group >> (24 - 8 * i));
		}
	}
	return inst_zip_open(z);
}
