/* What is allowed.  Values in, values out: no system call but reading policy files.
 *
 * A struct policy is built by one thread (new, add…, finish) and is read-only after policy_finish():
 * from then on every thread may use it.  Strings that functions return belong to the policy and live
 * as long as it does, unless the contract says otherwise. */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum severity { SEV_INFO, SEV_LOW, SEV_MEDIUM, SEV_HIGH, SEV_CRITICAL };
enum role { ROLE_INSTALLER, ROLE_BUILD, ROLE_GUEST, ROLE_VCS, ROLE_CREDENTIAL, ROLE_COUNT };
enum policy_action { ACTION_ALLOW, ACTION_DENY, ACTION_DECOY, ACTION_ABORT };
enum file_access { FILE_READ, FILE_WRITE };

const char *severity_name(enum severity s); /* "info" … "critical" */
bool severity_parse(const char *text, enum severity *out);
const char *role_name(enum role r); /* "installer" … */
bool role_parse(const char *text, size_t len, enum role *out);
const char *policy_action_name(enum policy_action a); /* "allow" "deny" "decoy" "abort" */

/* Where in which file a policy is wrong.  line and column count from 1; 0: not of a place. */
struct policy_error {
	char file[256];
	unsigned line, column;
	char message[256];
};

/* What a rule says of one act. */
struct verdict {
	const char *rule; /* id, "net.exfil.pipedream" */
	const char *kind; /* what it is, for people: "Pipedream HTTP endpoint", "SSH key"; may be "" */
	enum severity severity;
	enum policy_action action; /* from `actions`: the most specific pattern, on a tie the stricter */
};

struct policy;

/* The built-in policy, compiled in.  NULL only on lack of memory (or a broken build: err says). */
struct policy *policy_new(struct policy_error *err);
void policy_free(struct policy *p); /* NULL is fine */

/* One layer more.  0, or -1 with *err filled in; then the policy may only be freed.
 * policy_add_file reads at most 1 MiB and refuses what is not a regular file or may be written by
 * group or others, or is owned by neither root nor the caller's user. */
int policy_add_file(struct policy *p, const char *path, struct policy_error *err);
/* The same for a file that the environment names: it may only tighten (policy/tighten.c). */
int policy_add_tightening(struct policy *p, const char *path, struct policy_error *err);
int policy_add_text(struct policy *p, const char *origin, const char *text, size_t len, struct policy_error *err);

/* Options of the command line: spec is [ROLE:]HOST[:PORT], [ROLE:]NAME, [ROLE:]PATH; role where none is
 * written.  IPv6 literals in brackets.  0, or -1 with err->message. */
int policy_allow_host(struct policy *p, enum role role, const char *spec, struct policy_error *err);
int policy_allow_env(struct policy *p, enum role role, const char *spec, struct policy_error *err);
/* PATH is made absolute against cwd; the grant must neither be, contain nor lie above a protected place
 * (checked in policy_finish, when homes are known). */
int policy_allow_path(struct policy *p, enum role role, enum file_access access, const char *spec,
                      const char *cwd, struct policy_error *err);

/* --on-violation: ACTION_DENY or ACTION_ABORT for every violation: a rule whose action is not allow and whose severity is above
 * info (honest builds raise those of info, so an abort there would end every run). ACTION_DENY leaves decoys alone. */
void policy_on_violation(struct policy *p, enum policy_action one);

/* Expands ~ (each of homes, NULL-terminated: $HOME and every home in /etc/passwd of a real user; homes[0] is
 * the user's own), $XDG_RUNTIME_DIR is not expanded. Compiles the matchers, checks grants, freezes.  0 or -1 with *err. */
int policy_finish(struct policy *p, const char *const homes[], struct policy_error *err);

const char *policy_digest(const struct policy *p); /* SHA-256 of the layers and options that made it, hex */
/* The result as JSON with the origin of each rule, for `policy show`.  The caller frees. */
char *policy_show(const struct policy *p);

/* Where the rule of that id stands, as policy_show has it: "built-in:345:4", FILE:LINE:COLUMN.  False: there is none. */
bool policy_rule_origin(const struct policy *p, const char *id, char *out, size_t size);

/* --- files ------------------------------------------------------------------------------------- */

/* Is there a rule for this absolute, normalised path?  For FILE_READ: `files.secret`; for FILE_WRITE:
 * `files.persistence`, then `files.secret`.  False: nothing protected. */
bool policy_file(const struct policy *p, const char *path, enum file_access access, struct verdict *out);

/* A project's own folder, in which its build works (`files.project`).  path is relative to that folder: "/setup.py", "/" is the folder itself.
 * FILE_READ: `secret`; FILE_WRITE: `guarded`, then `secret`. */
bool policy_project(const struct policy *p, const char *path, enum file_access access, struct verdict *out);
/* The same where the file system takes names for the same that differ in case. */
bool policy_project_folded(const struct policy *p, const char *path, enum file_access access, struct verdict *out);
/* path as such a file system may see it: small letters, without the code points that some leave out, and with NTFS's short name of `.git` spelt out.
 * out: as large as path. */
void path_fold(const char *path, char *out);
/* Does a rule name this place of a project, or one below it, by where it lies ("/x/y", not by "**" and a name)?  For moving a folder: names go with it. */
bool policy_project_holds(const struct policy *p, const char *path);
/* Where the user's secrets and start-up files lie: each calls with the literal part of a rule's path below a home (severity medium or above), existing or not. */
void policy_secret_places(const struct policy *p, void (*each)(void *context, const char *path), void *context);
/* May this folder not be a project that is built in place?  It is or contains a home, `/` or a folder of the system, or lies in a protected place. */
bool policy_tree_conflict(const struct policy *p, const char *path, const char **what);

/* True when `path` is, contains, or lies above a protected place: home directories, `/`, secret or
 * persistence paths; *what then names the place.  For grants (options, pip's command line). */
bool policy_grant_conflict(const struct policy *p, const char *path, enum file_access access, const char **what);

/* The same for one role: a program that knows passwords may be given what rules call a secret, for that is what it reads; no more than that. */
bool policy_role_grant_conflict(const struct policy *p, enum role role, const char *path, enum file_access access, const char **what);

/* Extra grants from the policy (files.read, files.write) and options for a role: absolute paths,
 * NULL-terminated. */
const char *const *policy_grants(const struct policy *p, enum role role, enum file_access access);

/* --- network ----------------------------------------------------------------------------------- */

/* The deny list: true when the name (any case, trailing dot allowed) is on it. It beats every allowance. */
bool policy_host_denied(const struct policy *p, const char *host, struct verdict *out);
/* The watch list: names and addresses that honest software uses as well.  It forbids nothing: it is the label (id, severity) for
 * a contact that no allowance covers. */
bool policy_host_watched(const struct policy *p, const char *host, struct verdict *out);
/* An address as text (inet_ntop form; IPv4-mapped given as IPv4) on the deny list: cloud metadata and the like.  One that leads to an IPv4 address (NAT64, 6to4) is
 * judged as that as well. */
bool policy_address_denied(const struct policy *p, const char *address, struct verdict *out);
/* Does the policy list host:port for the role? `@index` and `@requirement` are not expanded here. port 0: any port will do. */
bool policy_host_allowed(const struct policy *p, enum role role, const char *host, unsigned port);
/* Does it list them as opaque: whatever is spoken there goes through, no server name is looked for? */
bool policy_host_opaque(const struct policy *p, enum role role, const char *host, unsigned port);
/* Does the role's list hold any host that is written out (not only words such as "@index")? */
bool policy_role_has_hosts(const struct policy *p, enum role role);
/* Does the role's list hold the word ("@index")? */
bool policy_host_word(const struct policy *p, enum role role, const char *word);

/* The networks of the addresses that stand for allowed hosts in sandboxes, one of each family: 4 or 16 bytes, of which the first `bits` bits count, the others are 0,
 * and at least POLICY_STAND_IN_BITS do not count. */
#define POLICY_STAND_IN_BITS 14
struct policy_network {
	uint8_t bytes[16];
	unsigned bits;
};
struct policy_network policy_stand_in(const struct policy *p, bool six);

/* --- environment ------------------------------------------------------------------------------- */

enum env_class {
	ENV_PUBLIC,  /* passes */
	ENV_SECRET,  /* a decoy takes its place */
	ENV_POINTER, /* names a secret-bearing socket or file: removed from build and guest */
};
/* By exact names, patterns, segments (unless the value is a plain setting: 4096, true) and the shape of the value; an empty
 * value is ENV_PUBLIC, and so are pointers in the roles that run no package's code. policy_allow_env makes it ENV_PUBLIC.
 * pip's own settings, proxies and index URLs are ENV_PUBLIC for ROLE_INSTALLER (see decoy.h for what
 * becomes of their user:password@ in the other roles). */
enum env_class policy_env(const struct policy *p, enum role role, const char *name, const char *value);

/* --- limits ------------------------------------------------------------------------------------ */

enum limit { LIMIT_PROCESSES, LIMIT_OPEN_FILES, LIMIT_FILE_SIZE, LIMIT_TIME, LIMIT_COUNT };
const char *limit_name(enum limit l); /* "processes" "open-files" "file-size" "time"; of the policy, and of the option --limit-NAME */
/* What a sandbox of the role may use: a number, bytes, seconds; 0: no limit. */
uint64_t policy_limit(const struct policy *p, enum role role, enum limit l);
/* --limit-NAME: for builds and guests. */
void policy_set_limit(struct policy *p, enum limit l, uint64_t value);

/* --- rules that have no pattern ---------------------------------------------------------------- */

/* Severity and action of a rule id that code raises itself ("syscall.ptrace", "net.outside"): a table in the
 * built-in policy, `rules`, which layers may change.  An unknown id: medium, deny. */
struct verdict policy_rule(const struct policy *p, const char *id);

#endif
