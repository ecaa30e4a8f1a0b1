/* What lies below an open folder, by a path that may be anybody's word: component by component, no link followed, no ".." and nothing absolute. */
#ifndef FINDINGS_BENEATH_H
#define FINDINGS_BENEATH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The folder that holds the last component (an O_PATH descriptor), and *name, that component, in path's own memory.  -errno: -ELOOP for a link on the way,
 * -EINVAL for a path of another kind. */
int beneath_parent(int folder, const char *path, const char **name);
/* A regular file there, to be read; never waits for a FIFO or a device.  A descriptor or -errno. */
int beneath_open(int folder, const char *path);
/* At most max bytes of it, NUL-terminated, of malloc: the length or -errno (-EFBIG: it is longer). */
ssize_t beneath_text(int folder, const char *path, size_t max, char **out);
/* The same, but a longer file is cut. */
ssize_t beneath_head(int folder, const char *path, size_t max, char **out);
/* Its SHA-256.  0 or -errno; -EFBIG when it is longer than max. */
int beneath_hash(int folder, const char *path, size_t max, unsigned char out[32]);

#endif
