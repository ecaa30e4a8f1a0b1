/* The event call: how the shim and `enter` speak to the supervisor.
 *
 *     prctl(PW_MAGIC, op, pointer, length, 0)
 *
 * The BPF program of every role notifies it, so the kernel vouches for the sandbox that calls; it
 * needs no descriptor and is synchronous.  Without a supervisor it is EINVAL.  This header is shared
 * by preload/, `enter` and the supervisor; it depends on nothing but stdint.h.  All structures are
 * the caller's memory and untrusted: the supervisor copies once and checks what it copied. */
#ifndef PW_EVENT_H
#define PW_EVENT_H

#include <stdint.h>

#define PW_MAGIC 0x50575244u /* "PWRD": no prctl option of Linux has this value */
#define PW_VERSION 1u

/* In the environment of `enter` and `become`: the path that their caller executed. */
#define PW_EXEC_VARIABLE "PIPWARDEN_EXEC"

enum pw_op {
	/* Check-in, from the shim's constructor.  pointer, length: none.  Returns an enum pw_role
	 * (> 0), or -1/EINVAL when there is no supervisor. */
	PW_OP_HELLO = 1,
	/* From `enter` in the installer's sandbox only.  Returns a connected SOCK_SEQPACKET
	 * descriptor (close-on-exec) on which the request of launcher/sandbox/start.h goes. */
	PW_OP_ENTER = 2,
	/* A name is to be resolved.  pointer: struct pw_query.  Returns a close-on-exec memfd that
	 * holds struct pw_answer, or -1 with errno EACCES (refused: report EAI_NONAME). */
	PW_OP_RESOLVE = 3,
	/* An advisory event.  pointer: struct pw_record, length: its size in bytes.  Returns 0. */
	PW_OP_EVENT = 4,
	/* Names of the variables whose reading is worth an event.  Returns a close-on-exec, sealed
	 * memfd of NUL-terminated names in strcmp order, or -1/ENOENT when there are none. */
	PW_OP_NAMES = 5,
	/* From an inner pipwarden.  pointer: struct pw_nested.  Returns PW_MAGIC & 0x7fffffff. */
	PW_OP_NESTED = 6,
};

enum pw_role { PW_ROLE_INSTALLER = 1, PW_ROLE_BUILD = 2, PW_ROLE_GUEST = 3 };

/* What a name may be at most: RFC 1035's 253 octets, a trailing dot, NUL. */
#define PW_HOST_MAX 256

struct pw_query {
	uint32_t family; /* AF_UNSPEC, AF_INET, AF_INET6 */
	uint32_t flags;  /* ai_flags as given */
	char host[PW_HOST_MAX]; /* NUL-terminated, as the program wrote it */
};

#define PW_ANSWER_MAX 32
struct pw_address {
	uint32_t family; /* AF_INET or AF_INET6 */
	uint32_t scope;  /* sin6_scope_id */
	uint8_t bytes[16]; /* network order; 4 of them for AF_INET */
};
struct pw_answer {
	int32_t error; /* 0, or an EAI_ value */
	uint32_t count;
	struct pw_address address[PW_ANSWER_MAX];
};

enum pw_record_type {
	PW_EV_ENV_READ = 1, /* text: variable name */
	PW_EV_EXEC = 2,     /* text: path; only build and guest (the installer's go through enter) */
	PW_EV_CONNECT = 3,  /* text: printable address */
	PW_EV_REVERSE = 4,  /* the name of an address was asked for, and nobody was asked; text: printable address */
	PW_EV_WRITE_REFUSED = 5, /* installer: a write failed with EACCES or EROFS, or the bootstrap refused it; text: path */
	PW_EV_IMPORT_REFUSED = 6, /* installer, from the bootstrap: a module that is not pip's was asked for; text: its name */
	PW_EV_READ_REFUSED = 7, /* installer, from the bootstrap: an archive that nobody but a package named; text: its path */
	PW_EV_ENV_WALK = 8, /* Python walked over its whole environment; text: PW_TEXT_WALK */
	PW_EV_START_REFUSED = 9, /* installer, from the bootstrap: a start-up file of the environment whose code was left out; text: its path */
};
#define PW_TEXT_WALK "os.environ"

#define PW_TEXT_MAX 1024
#define PW_FILE_MAX 1024
#define PW_FUNCTION_MAX 128
struct pw_record {
	uint32_t type; /* enum pw_record_type */
	uint32_t text_len; /* bytes used of text, without NUL */
	uint32_t object_len; /* bytes used of object */
	uint32_t line; /* in file; 0: not known */
	char text[PW_TEXT_MAX];
	char object[256]; /* file name of the shared object that called, or empty; PW_OBJECT_BOOTSTRAP */
	uint32_t file_len, function_len; /* bytes used of these */
	char file[PW_FILE_MAX]; /* of Python code, as its code object names it, or empty */
	char function[PW_FUNCTION_MAX];
};
#define PW_OBJECT_BOOTSTRAP "pip_boot.py" /* of pip's bootstrap, which is no shared object */

struct pw_nested {
	uint32_t version; /* PW_VERSION */
	uint32_t flags;   /* filled in by the supervisor, as what follows */
	char digest[65];  /* of the policy in force, hex */
};
#define PW_NESTED_AUDIT 1u /* the outer one enforces nothing */

#endif
