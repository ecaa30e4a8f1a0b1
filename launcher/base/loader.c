#include "loader.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>

#include "fd.h"

bool elf_interpreter(const char *path, char *out, size_t size)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ElfW(Ehdr) header;
	ElfW(Phdr) segment;

	if (fd < 0 || pread(fd, &header, sizeof header, 0) != sizeof header || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
	    header.e_phentsize != sizeof segment || header.e_phnum > 256) {
		return false;
	}
	for (unsigned i = 0; i < header.e_phnum; i++) {
		off_t at = (off_t)(header.e_phoff + i * sizeof segment);
		if (pread(fd, &segment, sizeof segment, at) != sizeof segment) {
			return false;
		}
		if (segment.p_type != PT_INTERP) {
			continue;
		}
		if (segment.p_filesz == 0 || segment.p_filesz > size ||
		    pread(fd, out, segment.p_filesz, (off_t)segment.p_offset) != (ssize_t)segment.p_filesz) {
			return false;
		}
		return out[segment.p_filesz - 1] == '\0';
	}
	return false;
}
