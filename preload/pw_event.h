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
	/* Check-in, from the shim's constructor.  pointer, length: the process's struct pw_intents, or none.  Returns an
	 * enum pw_role (> 0), or -1/EINVAL when there is no supervisor. */
	PW_OP_HELLO = 1,
	/* From `enter` in the sandbox of the installer or of a version control tool.  Returns a connected SOCK_SEQPACKET
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
	/* An advisory event about some bytes.  pointer: struct pw_record_of, length: its size in bytes.  Returns 0. */
	PW_OP_DATA = 7,
};

enum pw_role { PW_ROLE_INSTALLER = 1, PW_ROLE_BUILD = 2, PW_ROLE_GUEST = 3, PW_ROLE_VCS = 4 };

/* The errno of an exec in a version control tool's sandbox that is to be made again by way of `enter`: the program knows passwords, and gets a sandbox of its
 * own.  EREMOTE, which execve has no other use for. */
#define PW_EXEC_ENTERS 66

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
	/* 2 and 3 are no more: struct pw_intents says it */
	PW_EV_REVERSE = 4,  /* the name of an address was asked for, and nobody was asked; text: printable address */
	PW_EV_WRITE_REFUSED = 5, /* installer: a write failed with EACCES or EROFS, or the bootstrap refused it; text: path */
	PW_EV_IMPORT_REFUSED = 6, /* installer, from the bootstrap: a module that is not pip's was asked for; text: its name */
	PW_EV_READ_REFUSED = 7, /* installer, from the bootstrap: an archive that nobody but a package named; text: its path */
	PW_EV_ENV_WALK = 8, /* Python walked over its whole environment; text: PW_TEXT_WALK */
	PW_EV_START_REFUSED = 9, /* installer, from the bootstrap: a start-up file of the environment whose code was left out; text: its path */
	PW_EV_HTTP = 10, /* Python's http.client sends, or (PW_FLAG_AHEAD) is about to connect in order to send; text: PW_TEXT_HTTP.  With data */
	PW_EV_COMPILE = 11, /* Python code of a package makes code of a text; text: the name that it gives it.  With data: the text */
	PW_EV_LOAD = 12, /* Python code of a package loads a library, with ctypes or by an import; text: its name or path */
};
#define PW_TEXT_HTTP "http.client"
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
	char function[PW_FUNCTION_MAX]; /* of a shared object's code: the symbol */
};
#define PW_OBJECT_BOOTSTRAP "pip_boot.py" /* of pip's bootstrap, which is no shared object */

#define PW_FLAG_TLS 1u
#define PW_FLAG_AHEAD 2u
struct pw_record_of {
	struct pw_record record;
	uint64_t data, data_len; /* where in the caller's memory, how much */
	uint32_t flags, unused;
};

/* What the threads of a process are about to do, and which code wants it.  It stays in the process's own memory, in a ring: no call is
 * made for it.  When the supervisor records what the kernel asked it about, it looks there for the newest that speaks of the same.
 * A fork's and a vfork's child have their parent's. */
enum pw_intent_kind {
	PW_IN_RESOLVE = 'R', /* text: a host's name */
	PW_IN_CONNECT = 'C', /* text: address (or a name that the program gave), or path; port */
	PW_IN_BIND = 'B',    /* the same */
	PW_IN_SOCKET = 'S',
	PW_IN_EXEC = 'X',    /* text: path or name of a program */
	PW_IN_FILE = 'F',    /* text: path */
	PW_IN_SIGNAL = 'K',
	PW_IN_CALL = 'D',    /* text: name of a function of libc's, which ctypes has looked up */
};
#define PW_INTENT_TEXT 512
#define PW_INTENT_FILE 512
#define PW_INTENT_OBJECT 256
struct pw_intent { /* texts are NUL-terminated, and cut */
	uint32_t turn; /* counts from 1; 0: nothing, or not yet complete */
	uint32_t kind; /* enum pw_intent_kind */
	uint32_t port, line;
	uint64_t data;     /* where the head of the HTTP request is that this is for; 0: none */
	uint32_t data_len, flags;
	char text[PW_INTENT_TEXT];
	char file[PW_INTENT_FILE], function[PW_FUNCTION_MAX], object[PW_INTENT_OBJECT]; /* as of struct pw_record */
};
#define PW_INTENTS 16u
#define PW_INTENTS_MAGIC UINT64_C(0x73746e65746e6957)
struct pw_intents {
	uint64_t magic, self; /* self: its own address */
	struct pw_intent intent[PW_INTENTS]; /* number turn % PW_INTENTS */
};

struct pw_nested {
	uint32_t version; /* PW_VERSION */
	uint32_t flags;   /* filled in by the supervisor, as what follows */
	char digest[65];  /* of the policy in force, hex */
};
#define PW_NESTED_AUDIT 1u /* the outer one enforces nothing */

#endif
