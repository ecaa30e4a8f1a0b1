/* What the parts of policy/ share.  Nobody outside includes it. */
#ifndef POLICY_INTERNAL_H
#define POLICY_INTERNAL_H

#include <cjson/cJSON.h>

#include <sha2.h>

#include "policy/policy.h"

#define POLICY_VERSION 1
#define POLICY_MAX_BYTES (1024 * 1024)

/* Strings and lists of a policy die with it: one arena, no ownership questions. */
struct arena {
	struct arena_chunk *chunks;
};
void *arena_alloc(struct arena *a, size_t size); /* zeroed; NULL: no memory */
char *arena_copy(struct arena *a, const char *text, size_t len);
char *arena_join(struct arena *a, const char *left, const char *right);
void arena_finish(struct arena *a);

/* A growing array of strings in an arena; v is NULL-terminated from the first push on. */
struct strings {
	const char **v;
	size_t n, cap;
};
bool strings_push(struct arena *a, struct strings *s, const char *text);

/* Where an entry was written.  line 0: an option. */
struct place {
	const char *origin;
	unsigned line, column;
};

enum rule_list {
	LIST_CODE,        /* `rules`: raised by code */
	LIST_SECRET,      /* `files.secret` */
	LIST_PERSISTENCE, /* `files.persistence` */
	LIST_DENY,        /* `network.deny` */
	LIST_WATCH,       /* `network.watch` */
	LIST_PROJECT_SECRET,  /* `files.project.secret`: paths in a project's own folder */
	LIST_PROJECT_GUARDED, /* `files.project.guarded` */
};

struct rule {
	const char *id, *kind, *text;
	enum severity severity;
	enum rule_list list;
	bool has_action;
	enum policy_action own_action;
	struct strings patterns;  /* paths, or hosts */
	struct strings except;    /* paths */
	struct strings addresses; /* text, ADDRESS or ADDRESS/BITS */
	struct place at;
	struct verdict verdict; /* made by policy_finish */
};

/* An address of either family as 16 bytes (IPv4 mapped), with the bits that count. */
struct net_block {
	uint8_t bytes[16];
	unsigned bits;
};

struct allowed_host {
	const char *text; /* as written */
	const char *host; /* normalised, without "*."; NULL: a word, an address or any */
	bool word, any, below, address;
	bool opaque; /* no server name is looked for in what goes there */
	struct net_block block;
	unsigned port; /* 0: any */
	struct place at;
};

struct allowed_hosts {
	struct allowed_host *v;
	size_t n, cap;
};

enum env_list { ENV_LIST_PUBLIC, ENV_LIST_INSTALLER, ENV_LIST_POINTER, ENV_LIST_SECRET, ENV_LIST_COUNT };

struct env_pattern {
	const char *pattern;
	enum env_list list;
	bool exact;
	size_t rank; /* literal characters */
	struct place at;
};

struct env_allowed {
	const char *pattern;
	enum role role;
};

struct action_entry {
	const char *pattern;
	enum policy_action action;
	struct place at;
};

struct grant {
	enum role role;
	enum file_access access;
	const char *path;
	struct place at;
};

struct role_limits {
	uint64_t v[LIMIT_COUNT];
	struct place at[LIMIT_COUNT];
};

struct stand_in_network {
	const char *text; /* NULL: not read yet */
	struct net_block block;
	struct place at;
};

struct policy {
	struct arena arena;
	bool frozen;
	int on_violation; /* -1, or enum policy_action */

	struct rule *rules; /* sorted by id from policy_finish on */
	size_t rule_count, rule_cap;
	struct strings removed; /* ids */
	struct action_entry *actions;
	size_t action_count, action_cap;

	struct allowed_hosts hosts[ROLE_COUNT];
	struct host_table *denied, *watched;
	struct stand_in_network stand_in[2]; /* of IPv4, of IPv6 */

	struct env_pattern *env; /* sorted: exact ones by name first, then wildcards */
	size_t env_count, env_cap, env_exact;
	struct strings env_words, env_pairs, env_endings;
	struct env_allowed *env_allowed;
	size_t env_allowed_count, env_allowed_cap;

	struct strings homes;
	struct path_table *paths;
	struct grant *grants;
	size_t grant_count, grant_cap;
	struct strings granted[ROLE_COUNT][2];
	struct role_limits limits[ROLE_COUNT];

	SHA2_CTX mixed; /* what came so far, for the digest */
	char digest[65];
};

/* Makes room for one more element of size bytes; array is the address of the pointer. */
bool array_grow(void *array, size_t count, size_t *cap, size_t size);
/* qsort, but for what is sorted already, as the built-in policy is. */
void array_sort(void *array, size_t n, size_t size, int (*compare)(const void *, const void *));

int policy_fail(struct policy_error *err, const struct place *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int policy_no_memory(struct policy_error *err);

bool action_parse(const char *text, enum policy_action *out);
bool rule_id_valid(const char *id);
/* Does this layer only make things stricter?  0, or -1 with *err. */
int policy_check_tightens(const struct policy *p, const char *origin, const char *text, size_t len, struct policy_error *err);
struct rule *policy_find_rule(const struct policy *p, const char *id); /* before policy_finish; linear */
const char *rule_list_name(enum rule_list list);
bool rule_list_of_files(enum rule_list list); /* its rules name paths */
bool rule_list_of_project(enum rule_list list); /* and those are of a project's folder */
const char *env_list_name(enum env_list list);

/* read.c */
int policy_read_layer(struct policy *p, const char *origin, const char *text, size_t len, struct policy_error *err);

/* actions.c: the verdict of each rule; errors of patterns that match no rule. */
int actions_compile(struct policy *p, struct policy_error *err);

/* hosts.c */
/* A host pattern's error in words, or NULL. */
const char *host_pattern_error(const char *pattern);
/* Reads an entry of an allow list into *out; NULL, or the error in words. */
const char *allowed_host_parse(struct arena *a, const char *text, struct allowed_host *out);
int hosts_compile(struct policy *p, struct policy_error *err);
void hosts_finish(struct policy *p);

/* stand_in.c: nothing else that the policy speaks of lies in those networks. */
int stand_in_compile(struct policy *p, struct policy_error *err);

/* files.c */
int files_compile(struct policy *p, struct policy_error *err);
void files_finish(struct policy *p);
bool rule_excepts(const struct policy *p, const struct rule *r, const char *path); /* by its `except` */

/* grants.c: the homes are expanded, each grant is checked. */
int grants_compile(struct policy *p, struct policy_error *err);

/* path.c */
const char *path_pattern_error(const char *pattern);
const char *project_pattern_error(const char *pattern);
/* Absolute and without ".", "..", "//" against cwd, in words only: links are not followed. NULL: no memory, or not absolute. */
char *path_normal(struct arena *a, const char *path, const char *cwd);

/* env.c */
const char *env_pattern_error(const char *pattern);
/* No package's code runs in the role, and it needs what pointers lead to and URLs hold. */
bool role_trusted(enum role role);
void policy_sort_rules(struct policy *p); /* by id */
void env_compile(struct policy *p);
/* As policy_env, and says how the answer came about. */
struct env_answer {
	enum env_class class;
	bool allowed;   /* an option let it through, as it is */
	bool installer; /* of the list that the installer keeps whole */
};
struct env_answer env_decide(const struct policy *p, enum role role, const char *name, const char *value, bool heed_options);

/* show.c */
/* Everything that makes the policy what it is goes into the digest: kind is a word for what it is. */
void policy_mix(struct policy *p, const char *kind, const char *text, size_t len);

/* The built-in layer, read at build time (compile.c). */
struct builtin_word {
	enum role role;
	struct allowed_host host;
};

struct builtin {
	const struct rule *rules;
	const struct action_entry *actions;
	const struct env_pattern *env;
	const struct builtin_word *words;
	size_t rule_count, action_count, env_count, word_count;
	struct strings env_words, env_pairs, env_endings;
	struct role_limits limits[ROLE_COUNT];
	struct stand_in_network stand_in[2];
	const char *sha256; /* of the file */
};
extern const struct builtin policy_builtin;

struct policy *policy_empty(void); /* without even the built-in layer; NULL: no memory */

#endif
