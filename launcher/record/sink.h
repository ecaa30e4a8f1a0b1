/* Where lines go: a file or a descriptor.  A line is one write(2); one that fails part-way is taken back where that
 * can be done. */
#ifndef RECORD_SINK_H
#define RECORD_SINK_H

#include <stdbool.h>
#include <stddef.h>

struct sink {
	int fd; /* close-on-exec */
	bool regular;
};

/* Creates the file 0600, or appends to a regular file of ours that exists and has one name.  Never follows a link,
 * never blocks. 0 or -errno. */
int sink_open_path(struct sink *s, const char *path);
/* A duplicate of fd, which must be writable. 0 or -errno. */
int sink_open_fd(struct sink *s, int fd);
/* The whole line or -errno.  After a failure nothing may be written to the sink any more. */
int sink_write(struct sink *s, const char *line, size_t len);
int sink_sync(struct sink *s);
void sink_close(struct sink *s);

#endif
