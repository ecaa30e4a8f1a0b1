/* What the installer's parts share: text and path helpers that take and return values, and the module's inner types.
 *
 * All of it runs before anything is started, in a launcher that may die: a lack of memory ends the process with 125. */
#ifndef INSTALLER_PARTS_H
#define INSTALLER_PARTS_H

#include <stdarg.h>

#include "launcher/base/pathtext.h"
#include "launcher/installer/installer.h"

/* --- text.c ------------------------------------------------------------------------------------ */

char *inst_dup(const char *text);
char *inst_dup_n(const char *text, size_t len);
char *inst_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
void inst_set(char **slot, char *owned); /* frees what *slot held */
/* The length of the white space (as str.isspace of Python), or of the line's end (as str.splitlines), that UTF-8 text begins with; 0: none. */
size_t inst_space(const char *text);
size_t inst_line_break(const char *text);
char *inst_strip(char *text);            /* in place; white space at both ends */
bool inst_starts(const char *text, const char *prefix);
bool inst_ends(const char *text, const char *suffix);
bool inst_truth(const char *value); /* as distutils' strtobool; false for what it would refuse */

static inline void inst_free_text(char **text)
{
	__builtin_free(*text);
}
#define cleanup_text __attribute__((cleanup(inst_free_text)))
#define cleanup_strings __attribute__((cleanup(strings_finish)))

void *inst_grow(void *array, size_t n, size_t size); /* room for element n; ends the process when there is none */
void strings_put(struct strings *s, const char *text); /* strings_add that cannot fail */
void strings_split(struct strings *s, const char *text); /* adds the words between white space */
/* Fills *err in and returns -1. */
int inst_fail(struct installer_error *err, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* --- path.c ------------------------------------------------------------------------------------ */

const char *inst_env(char *const envp[], const char *name); /* NULL: not set */
const char *inst_path_base(const char *path);
char *inst_path_dir(const char *path);
char *inst_path_join(const char *dir, const char *name); /* name, when it is absolute */
char *inst_path_absolute(const char *cwd, const char *path); /* normalised by its text, as os.path.abspath does */
char *inst_path_expand_user(const char *path, const char *home); /* ~ and ~/x */
bool inst_path_is_dir(const char *path);
bool inst_path_is_file(const char *path);
bool inst_path_can_make(const char *path); /* exists and may be written, or its nearest existing parent may */
char *inst_file_text(const char *path, size_t max, size_t *len); /* NUL-terminated; NULL: no regular file, unreadable, or longer */
char *inst_file_head(const char *path, size_t max, size_t *len); /* the same, but a longer file is cut off */

/* --- script.c: what a file that is to be started says it is (pure) ------------------------------ */

struct shebang {
	char *interpreter; /* as written; for `env`, the word that is looked up on PATH */
	bool by_path;      /* found through env */
	struct strings flags;
};
/* Understands `#!/path/python -I`, `#!/usr/bin/env [-S] python3`, and `#!/bin/sh` with `'''exec' /path/python "$0" "$@"`. */
bool inst_shebang_parse(const char *text, size_t len, struct shebang *out);
void inst_shebang_finish(struct shebang *s);
bool inst_script_is_pip(const char *text, size_t len); /* imports pip's main and is a script of Python */
/* Interpreter options before `-m pip`, or before the path of an archive of pip (*archive), or `-m ensurepip` (*archive is that word).  The index of the first argument of pip, or -1 with *why. */
int inst_interpreter_words(char *const argv[], struct strings *flags, const char **archive, const char **why);
bool inst_names_archive(const char *word); /* pip.pyz, pip-26.3.pyz, get-pip.py, pip-26.3-py3-none-any.whl/pip: by its name */

/* --- zip.c: an archive of pip, in memory (pure but for unpacking) --------------------------------- */

struct zip {
	unsigned char *data; /* malloc'd, the owner's */
	size_t len;
	size_t first, end, shift; /* of the central directory; of every offset */
};
struct zip_member {
	char name[512];
	size_t packed, size, local;
	unsigned method, crc;
};
bool inst_zip_open(struct zip *z); /* data and len are set; false: not understood */
bool inst_zip_next(const struct zip *z, size_t *at, struct zip_member *m); /* *at: 0 to begin with */
char *inst_zip_read(const struct zip *z, const struct zip_member *m); /* NUL-terminated; NULL: damaged or larger than 16 MiB */
char *inst_zip_text(const struct zip *z, const char *name);
int inst_zip_unpack_pip(const struct zip *z, const char *folder); /* members below pip/ into an empty folder of our own; 0 or -errno */
bool inst_get_pip_payload(const char *text, size_t len, struct zip *z); /* the zip in a get-pip.py; z->data is to be freed either way */

/* --- layout.c, grants.c ------------------------------------------------------------------------ */

bool python_env_read(struct python_env *env, char *const envp[], const char *home); /* interpreter and its flags are set */
void python_env_grants(struct python_env *env); /* what may be read */
void python_env_writes(struct python_env *env); /* what pip may write, for the installer only */
/* Takes from the grants what this command cannot need. */
void python_env_narrow(struct python_env *env, bool writes, bool user);
bool inst_name_version(const char *name, char *out, size_t size); /* "python3.11" → "3.11" */

/* --- package.c --------------------------------------------------------------------------------- */

bool inst_pip_locate(struct installer *ins); /* pip_dir, pip_version, runner */
int inst_archive_read(struct installer *ins, const char *path, struct installer_error *err); /* zip, pip_version */
int inst_ensurepip(struct installer *ins, struct installer_error *err); /* ensurepip.c: its arguments become pip's; zip, pip_version */
char *inst_pip_text(const struct installer *ins, const char *name); /* a file of pip's: "_internal/models/index.py" */
bool inst_package_before(const struct python_env *env, const char *name, int major); /* it is there, in an older version */
bool inst_has_package(const struct python_env *env, const char *name); /* in its site-packages */
bool inst_version_before(const char *version, int major, int minor);
/* Default index and its file host, out of the text of models/index.py.  false: not understood. */
bool inst_default_index(const char *text, char **index_url, char **file_host);

/* --- pip_conf.c (pure) ------------------------------------------------------------------------- */

typedef void conf_fn(void *ctx, const char *section, const char *key, const char *value);
/* pip's INI as configparser reads it; keys as pip normalises them.  false when configparser would refuse the file (entries so far are delivered). */
bool pip_conf_parse(const char *text, size_t len, conf_fn *each, void *ctx);

/* --- options.c (pure): pip's option parser ------------------------------------------------------ */

enum option_id {
	OPT_OTHER, OPT_INDEX_URL, OPT_EXTRA_INDEX_URL, OPT_FIND_LINKS, OPT_NO_INDEX, OPT_PROXY, OPT_NO_PROXY_ENV, OPT_REQUIREMENT,
	OPT_CONSTRAINT, OPT_EDITABLE, OPT_SCRIPT_REQUIREMENTS, OPT_DEST, OPT_WHEEL_DIR, OPT_TARGET, OPT_PREFIX, OPT_ROOT, OPT_SRC,
	OPT_LOG, OPT_NO_USER, OPT_REPORT, OPT_OUTPUT, OPT_CACHE_DIR, OPT_NO_CACHE_DIR, OPT_USE_FEATURE, OPT_PYTHON, OPT_USER, OPT_GLOBAL, OPT_SITE,
	OPT_NO_BINARY, OPT_NO_VERSION_CHECK, OPT_OUTDATED, OPT_KEYRING, OPT_NO_PEP517,
};
enum { CMD_INSTALL = 1, CMD_DOWNLOAD = 2, CMD_WHEEL = 4, CMD_LOCK = 8, CMD_LIST = 16, CMD_FREEZE = 32, CMD_UNINSTALL = 64, CMD_INDEX = 128,
       CMD_CONFIG = 256, CMD_CACHE = 512, CMD_SHOW = 1024, CMD_SEARCH = 2048, CMD_REST = 4096, CMD_FILE = 8192 /* a requirements file */,
       CMD_MAIN = 16384 /* before the command */ };

struct option_def {
	const char *name; /* without the dashes */
	char letter;      /* 0: none of its own */
	bool value, many; /* takes a value; a later one is added */
	enum option_id id;
	unsigned commands;
};
unsigned pip_command_bit(const char *command);
const struct option_def *pip_option_by_name(const char *name, unsigned commands); /* exact; NULL */

struct option_sink {
	void *ctx;
	void (*option)(void *ctx, const struct option_def *def, const char *value); /* value: NULL for a flag */
	void (*positional)(void *ctx, const char *text); /* NULL: parsing ends at the first one (pip's main parser) */
};
/* optparse's rules.  The index of the word at which it ended (n, or a main parser's command), or -1: *ambiguous is an abbreviation that could be
 * several options.  Unknown options are passed over: pip itself will refuse them. */
int pip_options_parse(char *const words[], size_t n, unsigned commands, const struct option_sink *sink, const char **ambiguous);

/* --- requirements.c (pure) --------------------------------------------------------------------- */

typedef void requirement_fn(void *ctx, unsigned line, const char *text);
/* One requirements file: a line's options go to sink->option, then its requirement to each, "" where there is none.  NULL, or what is wrong with it. */
const char *pip_requirements_parse(const char *text, size_t len, char *const envp[], const struct option_sink *sink, requirement_fn *each, void *ctx);

enum requirement_kind { REQ_NAME, REQ_URL, REQ_FILE, REQ_DIRECTORY, REQ_VCS };
/* What a requirement is; *where is its URL or path (owned by the caller), NULL for a name.  Relative paths are of `base`.  A marker follows a bare URL
 * behind "; ", and anything else behind ";". */
enum requirement_kind pip_requirement_kind(const char *text, const char *base, char **where);
bool pip_requirement_is_pip(const char *text);

/* --- hosts.c (pure but for the list) ------------------------------------------------------------ */

struct url {
	char scheme[16];
	char *host;
	unsigned port;
	bool written_port; /* else it is the scheme's own */
};
/* Whom requests and urllib3 would contact for it.  default_scheme NULL: http:// or https:// has to be there; else it is a proxy's address.  false: nobody,
 * or what is no plain host name.  The host is the caller's. */
bool pip_url_parse(const char *text, const char *default_scheme, struct url *out);
/* The same for the part of a URL before its path; out->port is the scheme's own.  out->host has to be freed also where it is false. */
bool pip_authority_parse(const char *text, size_t len, struct url *out);
void inst_hosts_add(struct installer *ins, const char *url, const char *default_scheme, enum host_origin origin, const char *where);

/* --- settings.c -------------------------------------------------------------------------------- */

struct setting {
	char *section, *key, *value, *where;
	enum host_origin origin;
};
struct settings {
	struct setting *v;
	size_t n;
};
/* pip.conf files and PIP_ variables by that pip's order, without the user's under --isolated. */
void pip_settings_read(struct settings *s, const struct installer *ins, char *const envp[], const char *home);
/* Those that count for a command, each key once, in pip's order: an option with two names is what the later one says. */
void pip_settings_effective(const struct settings *s, const char *command, void (*each)(void *ctx, const struct setting *one), void *ctx);
void pip_settings_finish(struct settings *s);
char *pip_config_dir(const char *pip_version, char *const envp[], const char *home); /* ~/.config/pip, as pip computes it */

/* --- asked.c: what settings, command line and requirement files ask for ------------------------- */

struct sourced {
	char *value, *where;
	enum host_origin origin;
};
struct sourced_list {
	struct sourced *v;
	size_t n;
};
/* The indexes that a package is looked for on: --index-url and --extra-index-url, in pip's order. */
struct index_scope {
	struct sourced_list urls;
	bool standard; /* pip's own default is one of them */
	bool none;     /* --no-index, for good */
};
struct asked {
	struct index_scope command; /* what settings and command line ask for */
	struct index_scope scope;   /* after the requirements files, which may replace it: see files.c */
	struct sourced_list find_links, requirements, constraints, editables, features, positionals, scripts;
	struct sourced_list fetched; /* requirements and constraints files of the network */
	struct sourced single[OPT_NO_PEP517 + 1]; /* the last value of options that are told once */
	struct sourced_list logs;
	bool flag[OPT_NO_PEP517 + 1];
	char *ambiguous; /* an option abbreviated too far */
};
int inst_asked_collect(struct asked *a, const struct installer *ins, char *const envp[], const char *cwd, const char *home, struct installer_error *err);
void inst_asked_finish(struct asked *a);
void inst_sourced_add(struct sourced_list *list, const char *value, const char *where, enum host_origin origin);
void inst_sourced_clear(struct sourced_list *list);

/* An option of a kind that pip has in files too: into the lists, whatever its place. */
void inst_asked_option(struct asked *a, const struct option_def *def, const char *value, const char *where, enum host_origin origin);

/* --- files.c: requirements and constraints files, with those that they name ---------------------- */

int inst_asked_files(struct asked *a, const struct installer *ins, char *const envp[], const char *cwd, struct installer_error *err);

/* --- proxies.c, proxy_list.c ---------------------------------------------------------------------------------- */

/* One of them from its URL, if that is understood. */
void inst_proxies_add(struct proxies *p, const char *url, bool https, const char *where);
/* The proxies that requests would go through for any http or https URL, as pip's session is made. */
void inst_proxies_plan(struct installer *ins, const struct asked *a, char *const envp[]);

/* --- refusals.c, outputs.c, archives.c ---------------------------------------------------------- */

int inst_refuse(const struct asked *a, const struct installer *ins, struct installer_error *err);
int inst_outputs_plan(struct installer *ins, const struct asked *a, const struct policy *p, char *const envp[], const char *cwd, const char *home,
                 struct installer_error *err);
void inst_archives_plan(struct installer *ins, const struct asked *a, const char *cwd, const char *home); /* after outputs */

/* --- schemes.c ---------------------------------------------------------------------------------- */

void inst_schemes_plan(struct installer *ins, const struct asked *a, const char *cwd, const char *home); /* after what is narrowed */

/* --- helpers.c ---------------------------------------------------------------------------------- */

void inst_helpers_plan(struct installer *ins, char *const envp[], const char *cwd, const char *home); /* after outputs and what is narrowed */
void inst_helpers_finish(struct installer *ins);

/* --- helper_words.c: what the user's configuration of version control and ssh names --------------- */

/* The words of a command line as a shell would split it, quotes and all, `~/` and `$HOME/` expanded; nothing else is.  Pure. */
void inst_shell_words(const char *text, const char *home, struct strings *out);
struct helper_words {
	struct strings ssh;     /* of commands for ssh */
	struct strings git;     /* of git's credential helpers */
	struct strings askpass; /* of core.askPass */
	struct strings ssh_files; /* keys, known hosts and agents that commands and ~/.ssh/config name; absolute, existing or not */
};
/* account: the home that the account database names, which is ssh's. */
void inst_helper_words(struct helper_words *w, char *const envp[], const char *home, const char *account);
void inst_helper_words_finish(struct helper_words *w);

/* --- local.c ------------------------------------------------------------------------------------ */

int inst_local_plan(struct installer *ins, const struct asked *a, const struct policy *p, const char *cwd, struct installer_error *err);

/* --- vcs.c -------------------------------------------------------------------------------------- */

/* A URL as pip takes it, `git+https://HOST/PATH@REV#egg=NAME`: what its tool is given, and whom that contacts.  false: not understood; *out is to be finished
 * either way. */
bool pip_vcs_parse(const char *text, struct vcs_requirement *out);
void pip_vcs_finish(struct vcs_requirement *one);
int inst_vcs_plan(struct installer *ins, const struct asked *a, const char *cwd, struct installer_error *err);
/* Is any of them editable? */
bool inst_vcs_editable(const struct asked *a, const char *cwd);

/* --- shim.c ------------------------------------------------------------------------------------ */

/* A file of a version manager's `shims` folder?  1: *real is the file that it stands for; 0: it is none; -1: *err. */
int inst_shim_resolve(const char *path, const char *name, char *const envp[], const char *cwd, const char *home, char **real,
                 struct installer_error *err);
/* The newest folder in `folder` whose name begins with `version` and a dot; NULL: none. */
char *inst_newest_like(const char *folder, const char *version);
/* --- tool_versions.c: a shim of asdf or mise; as inst_shim_resolve */
int inst_tool_resolve(bool mise, const char *shims, const char *name, char *const envp[], const char *cwd, const char *home, char **real,
                      struct installer_error *err);
/* find.c: has a project's folder on PATH chosen this program?  found: as PATH led to it; absolute: the same without links resolved. */
bool inst_planted(const char *found, const char *absolute, char *const envp[], const char *cwd, const char *home);
/* As execvp searches; `skip` is a folder left out, or NULL.  The found path (as execvp would start it) or NULL with errno. */
char *inst_search_path(const char *name, char *const envp[], const char *skip);

#endif
