/* Decoys: what a role sees in the place of a secret variable.
 * Pure; thread-safe.  A decoy has the shape of the value it replaces (length, prefix, alphabet, checksum where the format
 * has one) and is derived from the run's key and the variable's name, so that one run gives one decoy. */
#ifndef POLICY_DECOY_H
#define POLICY_DECOY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy.h"

#define DECOY_KEY_LEN 32

/* The decoy for `value`; the caller frees.  NULL with *remove = true: the value is too short (under 8 characters) or too
 * plain to be told apart, so the variable is to be removed.  NULL with *remove = false: no memory. */
char *decoy_value(const uint8_t key[DECOY_KEY_LEN], const char *name, const char *value, bool *remove);

/* `value` with the user:password@ of every URL in it replaced by a decoy; the caller frees. NULL: nothing to replace. */
char *decoy_userinfo(const uint8_t key[DECOY_KEY_LEN], const char *name, const char *value);

/* Which bytes of a decoy were drawn by chance, or stand between such: random[0 … strlen(decoy)], the last one false.  Not those that every value of its kind has,
 * and of a URL with user or password nothing else.  False: no memory. */
bool decoy_random(const char *decoy, bool *random);

/* Credentials that lie in a private home, by index: a path below it; NULL: there are no more. */
const char *decoy_file_path(size_t index);
/* What a file of that name may hold, every secret in it a decoy of the run: for such a path, or for whatever else is protected.  The caller frees; NULL: no memory. */
char *decoy_file(const uint8_t key[DECOY_KEY_LEN], const char *path);

/* Kinds of decoy files, by index from 0 to DECOY_FILES - 1: first those that lie in a private home.  Of which kind is what decoy_file gives for a path? */
#define DECOY_FILES 11
size_t decoy_file_kind(const char *path);
/* The decoys in a file of that kind, NULL-terminated; the caller frees with env_secrets_free.  *host: whose they are, NULL: nobody's.  NULL: no memory. */
char **decoy_file_secrets(const uint8_t key[DECOY_KEY_LEN], size_t kind, const char **host);

/* A role's environment. */
struct env_set {
	char **envp;      /* NULL-terminated "NAME=value" */
	char **replaced;  /* NULL-terminated names that hold a decoy or whose userinfo does, sorted by strcmp */
	char **removed;   /* NULL-terminated names taken away, sorted */
};

/* From envp (NULL-terminated; entries without '=' are dropped) the environment that `role` may see.
 * Treats LD_PRELOAD, HOME, PATH like any public variable: callers set what they need afterwards.
 * 0 or -ENOMEM. env_set_finish frees all. */
int env_for_role(const struct policy *p, enum role role, char *const envp[], const uint8_t key[DECOY_KEY_LEN],
                 struct env_set *out);
void env_set_finish(struct env_set *s);

/* Secrets of `envp` that policy_env calls ENV_SECRET (and passwords in URLs, in `words` too, which may be NULL), for redaction: NULL-terminated values of at
 * least 8 characters, longest first; the caller frees with env_secrets_free. NULL: no memory. */
char **env_secrets(const struct policy *p, char *const envp[], char *const words[]);
void env_secrets_free(char **values);

#endif
