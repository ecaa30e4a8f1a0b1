#include "kept_code.h"

#include <errno.h>
#include <fcntl.h>
#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "launcher/base/fd.h"
#include "supervisor.h"

#define KEPT_MAX 64 /* texts of a run */
#define KEPT_BYTES_MAX (4u << 20)

/* A process is one run. */
static _Atomic unsigned kept;
static _Atomic size_t kept_bytes;

static bool write_text(const char *path, const char *text, size_t len)
{
	cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0) {
		return errno == EEXIST;
	}
	if (fd_write_all(fd, text, len) < 0) {
		unlink(path); /* half of it would be another text */
		return false;
	}
	return true;
}

bool kept_code_add(struct sandbox *sb, const char *text, size_t len, char digest[KEPT_CODE_DIGEST])
{
	const struct run *run = sb->sup->run;
	char path[PATH_MAX + KEPT_CODE_DIGEST + 16];
	char *redacted;
	bool done = false;

	SHA256Data((const uint8_t *)text, len, digest);
	if (run->dir->state[0] == '\0' || atomic_fetch_add(&kept, 1) >= KEPT_MAX || atomic_fetch_add(&kept_bytes, len) + len > KEPT_BYTES_MAX ||
	    (redacted = malloc(2 * len + 16)) == NULL) {
		return false;
	}
	snprintf(path, sizeof path, "%s/code", run->dir->state);
	if (mkdir(path, 0700) == 0 || errno == EEXIST) {
		snprintf(path, sizeof path, "%s/code/%s.py", run->dir->state, digest);
		done = write_text(path, redacted, journal_redact(run->journal, redacted, 2 * len + 16, text));
	}
	free(redacted);
	return done;
}
