#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "compat.h"
#include "filter_ready.h"
#include "launcher/base/fd.h"

int filter_build(enum filter_kind kind, const struct filter_options *opt)
{
	const struct filter_ready *ready = &filter_ready[kind][filter_variant(opt)];
	cleanup_fd int fd = memfd_create("pipwarden-filter", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0) {
		return -errno;
	}
	int r = fd_write_all(fd, ready->code, ready->len * sizeof *ready->code);
	if (r < 0) {
		return r;
	}
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0) {
		return -errno;
	}
	return steal_fd(&fd);
}

int filter_load(int program_fd, bool wait_killable)
{
	unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
	struct sock_fprog program;
	struct stat st;
	void *map;
	long r = -1;

	if (fstat(program_fd, &st) < 0) {
		return -errno;
	}
	if (st.st_size <= 0 || st.st_size % (off_t)sizeof(struct sock_filter) ||
	    st.st_size / (off_t)sizeof(struct sock_filter) > BPF_MAXINSNS) {
		return -EINVAL;
	}
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, program_fd, 0);
	if (map == MAP_FAILED) {
		return -errno;
	}
	program.len = (unsigned short)((size_t)st.st_size / sizeof(struct sock_filter));
	program.filter = map;
	if (wait_killable) {
		r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &program);
	}
	/* EINVAL: a kernel before 5.19. */
	if (r < 0 && (!wait_killable || errno == EINVAL)) {
		r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	}
	r = r < 0 ? -errno : r;
	/* From here on our own filter judges: munmap is allowed by every role. */
	munmap(map, (size_t)st.st_size);
	return (int)r;
}
