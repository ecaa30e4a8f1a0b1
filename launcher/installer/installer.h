/* The pip that is launched: found before anything runs, from files alone (no interpreter, shim script or environment code is started).
 *
 * installer_find + installer_plan give everything the supervisor needs to start it and to bound it.  Called by the launcher before it has threads.
 * All strings are owned by the struct; installer_finish frees. Errors: -1 with a one-line message (what, which object, what to do) and an exit
 * status of 125, 126 or 127. */
#ifndef INSTALLER_INSTALLER_H
#define INSTALLER_INSTALLER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

#include "policy/policy.h"

struct installer_error {
	int status;
	char message[512];
};

/* A NULL-terminated list of owned strings. */
struct strings {
	char **v;
	size_t n;
};
int strings_add(struct strings *s, const char *text); /* copies; 0 or -ENOMEM */
int strings_add_real(struct strings *s, const char *path); /* with links resolved, if it is there; the same */
int strings_addf(struct strings *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool strings_has(const struct strings *s, const char *text);
void strings_remove(struct strings *s, const char *text);
void strings_finish(struct strings *s);

/* A Python environment, as its files tell it. */
struct python_env {
	char *interpreter;      /* as written: "/venv/bin/python3" */
	char *interpreter_real; /* links resolved */
	struct strings interpreter_flags; /* "-I", "-E" … from the shebang or the command line, before -m */
	char *prefix;           /* sys.prefix: the venv, or the base */
	char *base_prefix;      /* sys.base_prefix */
	char *version;          /* "3.11" */
	bool venv, debian;
	char *user_base;        /* of the user scheme; NULL: the environment has none */
	struct strings site_dirs;   /* existing site-packages and dist-packages of the environment, in sys.path order, user site included when it exists */
	struct strings write_dirs;  /* what pip may write: purelib, platlib, scripts, headers, data subfolders (share etc man include), user scheme;
	                             * installer_plan takes away what the command does not need (all of it for `pip list`) */
	struct strings make_dirs;   /* those of write_dirs that do not exist and have to be made (removed at the end if empty) */
	struct strings read_dirs;   /* what a build may read: bin, lib, lib64, include, share of prefix and base prefix, the user base's lib and bin */
	struct strings read_files;  /* pyvenv.cfg */
};

enum host_origin { HOST_DEFAULT, HOST_CONFIG, HOST_ENVIRONMENT, HOST_ARGUMENT, HOST_REQUIREMENTS, HOST_PROXY };
struct index_host {
	char *host;     /* lower case, no brackets; a name or a literal address */
	unsigned port;
	enum host_origin origin;
	char *where;    /* "PIP_INDEX_URL", "pip.conf line", …; never the URL: it may hold a password */
};

/* A proxy that the user has configured, and what leads past it. */
enum proxy_kind { PROXY_HTTP, PROXY_TLS /* it is itself spoken to in TLS */, PROXY_SOCKS };
struct proxy {
	enum proxy_kind kind;
	char *host;      /* as of an index_host */
	unsigned port;
	char *login;     /* "user:password" as they are meant, or NULL.  Never to be written anywhere but to the proxy */
	bool http, https; /* for URLs of which scheme */
	char *where;     /* as of an index_host */
};
struct proxies {
	struct proxy *v;
	size_t n;
	char *bypass;    /* NO_PROXY, or NULL */
};
/* Those of an environment, as programs that know such variables take them. */
void proxies_of_environment(struct proxies *p, char *const envp[]);
void proxies_finish(struct proxies *p);
/* The one to dial a host's port by, or NULL: there is none that can be spoken to without TLS, or NO_PROXY names the host.  What a user has for one scheme alone is
 * taken for both.  host: as host_normal makes it.  Pure. */
const struct proxy *proxies_for(const struct proxies *p, const char *host, unsigned port);

/* Who asks a program that knows passwords, and how. */
enum helper_use {
	HELPER_OF_PIP, /* by arguments: keyring */
	HELPER_SSH,    /* carries a version control tool's connection, with the user's keys */
	HELPER_OF_GIT, /* told on standard input whose password is wanted (gitcredentials(7)) */
	HELPER_ASKPASS, /* by git, with a question in words as its argument */
};

/* A program that knows passwords, as PATH or the user's configuration led to it before anything ran. */
struct helper {
	enum helper_use use;
	const char *const *words; /* static: the first arguments without which the program is something else; NULL: none */
	char *path;           /* what is started: an entry of PATH and the name */
	char *program;        /* what runs: the same, or the file that a version manager's shim stands for */
	dev_t device;         /* of the program, links resolved */
	ino_t inode;
	struct timespec changed;
	struct python_env env; /* of a Python script; no interpreter: none */
	struct strings places; /* where it keeps its passwords, or an agent listens that has them; absolute, existing or not */
	char *bus;            /* the session's message bus, where its key store listens; NULL: none */
	const char *refused;  /* why it does not get the role (a static string); NULL: it does */
};

enum vcs_tool { VCS_GIT, VCS_HG, VCS_SVN, VCS_BZR, VCS_COUNT };
/* A requirement from version control that the user names, on the command line or in a requirements file that it names. */
struct vcs_requirement {
	enum vcs_tool tool;
	char *url;      /* as pip gives it to the tool: it may hold a password */
	char *shown;    /* the same for people */
	char *host;     /* lower case, no brackets; NULL: of this machine (file:) */
	unsigned port;
	bool opaque;    /* what is spoken there is neither TLS nor HTTP */
	char *name;     /* the project's, as it is written; NULL: the requirement has none */
	bool editable;  /* checked out below src_dir, and stays there */
};

struct installer {
	struct python_env env;
	char *pip_dir;       /* the folder `pip` of the pip package that will run */
	char *pip_version;   /* "23.2.1" */
	char *program;       /* sys.argv[0] as pip expects it: the script's path, or .../pip/__main__.py */
	struct strings args; /* pip's own arguments */
	struct zip *zip;     /* pip lies in an archive, which is in memory: installer_unpack gives pip_dir and runner; NULL: in a folder */
	char *command;       /* "install", "download" …; "" for none (`pip --version`) */
	char *runner;        /* pip's own runner for sub-pips: .../pip/__pip-runner__.py, or before 22.2 .../pip */
	char *runner_real;   /* the same with links resolved: pip names it in either form */
	bool zips_itself;    /* pip 21.1 to 22.1: sub-pips are started from a zip of pip that pip makes in its temp */
	struct index_host *hosts; /* whom pip itself would contact: proxies, too, but those of SOCKS, which it speaks by pipwarden's help */
	size_t host_count;
	struct proxies proxies;   /* of its configuration */
	struct strings outputs;    /* files and folders the command line names for writing (-d -w -t --prefix --root --src --log --report --cache-dir, config's folder, cwd for download and wheel) */
	struct strings output_files; /* those of outputs that are files: they have to exist before a rule can be made */
	struct strings local_dirs, local_roots; /* local projects that the user names, links resolved: where pip builds each, and the folder that was
	                              * named (the same, but for `#subdirectory=`); index for index */
	struct vcs_requirement *vcs;
	size_t vcs_count;
	char *src_dir;             /* where editable ones are checked out; NULL: there are none */
	struct strings package_dirs, script_dirs, data_dirs; /* of `install`: where this command may put packages, scripts and the rest, existing or not; the last hold
	                              * the others, where a --prefix or --root does */
	char *target_dir;          /* --target, which is one of package_dirs; or NULL */
	struct strings archives;   /* where archives may be read by pip besides its temp: see archives.c */
	struct helper *helpers;    /* every program that pip, or a version control tool that it starts, may find and ask for a password */
	size_t helper_count;
	struct strings ssh_words;  /* of the user's own commands for ssh (GIT_SSH_COMMAND, core.sshCommand …): options that a tool may give it */
	struct strings git_words;  /* of its credential helpers: the same */
	bool git_asks;             /* its configuration names a program that asks for passwords (core.askPass) */
	struct strings urls;       /* what settings, command line and files name by URL, whole: a record shows none of the passwords in them */
	bool keyring_over;         /* pip is told to import keyring, which nothing of the environment is: it is to start it as a program instead */
	char *cache_dir;           /* pip's cache as it will compute it; NULL with --no-cache-dir */
	char *private_site;        /* the user's site-packages where this pip, by distutils, would make it and the user base with mode 0700; else NULL */
	bool use_pep517;           /* pip < 23.1 without `wheel`: PIP_USE_PEP517=1 is to be set */
	bool pip_is_target;        /* pip itself is being installed or upgraded */
	bool copies_local;         /* pip < 21.3 copies a local project into its temp and builds the copy */
	const char *ensurepip;     /* `-m ensurepip`: its ENSUREPIP_OPTIONS ("" for none), and pip's settings count for nothing; else NULL */
	bool other_python;         /* --python: env is the named interpreter's, pip the one that was found, which starts by its runner */
	bool module;               /* started as `python -m pip`: sys.path and sys.argv[0] differ from a script's */
};

/* argv: the words after pipwarden's options: `pip …`, `pip3.11 …`, `/path/to/pip …`, `python3 -m pip …`.  envp: the user's environment.
 * Resolves pyenv's shims by its own files (PYENV_VERSION, .python-version upwards from cwd, the global version). A pip found below the working
 * directory, outside the active environment, is refused unless it was typed as a path.  pip older than 20.3: a clear message. */
int installer_find(struct installer *ins, char *const argv[], char *const envp[], const char *cwd, struct installer_error *err);

/* Refuses, by name and with what to do: local directories that are or hold a protected place, VCS requirements whose host is not known, `pip config edit`,
 * --use-feature=venv-isolation, inprocess-build-deps (also by PIP_USE_FEATURE and pip.conf). Computes hosts, outputs, cache, use_pep517. */
int installer_plan(struct installer *ins, const struct policy *p, char *const envp[], const char *cwd, const char *home,
                   struct installer_error *err);
/* A pip that lies in an archive, into `folder`/p, a folder of the run that nothing but the launcher writes.  After installer_plan; nothing to do for others. */
int installer_unpack(struct installer *ins, const char *folder, struct installer_error *err);
void installer_finish(struct installer *ins);
/* Is it the name of a program that pip asks for passwords?  Pure. */
bool installer_is_helper(const char *name);

/* What the bootstrap of one pip is told besides what the installer knows. */
struct boot {
	bool runner;                    /* a sub-pip: ins->runner is run as the script */
	const struct strings *allow_pth; /* NULL: none */
	const char *pythonpath;         /* that was taken out of the environment of the interpreter's start, where a folder on it could replace `encodings`; or NULL */
	unsigned long long started;     /* nanoseconds since the epoch before the launched pip began, where pip's files tell by their change times whether they are older; 0: none */
	bool audit;                     /* what it would refuse is told and let through */
	const struct strings *above;    /* of a sub-pip, whose build requirements it installs: "NAME VERSION", the nearest first; NULL: nobody's */
};
/* The SPEC of pip_boot.py.  The caller frees. */
char *installer_boot_spec(const struct installer *ins, const struct boot *boot);

/* Is this text a word that starts pip (`pip`, `pip3`, `pip3.11`, a path to one, `python…`)? For the command line's dispatch. */
bool installer_is_word(const char *word);

/* Any command as the shell finds it, a version manager's shim resolved: *path as it would be executed (the caller frees; NULL after an
 * error).  0; 1 when it was a shim (argv[0] is then to be the path: a program that looks for itself would not find it by the word); or -1 with
 * *err. */
int installer_find_command(const char *word, char *const envp[], const char *cwd, const char *home, char **path, struct installer_error *err);

/* The environment of the shebang of a console script, for a guest: prefix and friends of `script`'s interpreter.  false: it has none. */
bool python_env_of_script(const char *script, char *const envp[], const char *home, struct python_env *out);
/* Where its installer puts packages and scripts, of the user's scheme or its own; false where it may not.  The caller frees. */
bool python_env_scheme(const struct python_env *env, bool user, char **packages, char **scripts);
/* The environment of an interpreter. */
bool python_env_of_interpreter(const char *interpreter, char *const envp[], const char *home, struct python_env *out);
void python_env_finish(struct python_env *env);

#endif
