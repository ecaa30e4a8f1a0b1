/* What a start-up file does: `site` runs the lines of a NAME.pth that begin with "import" in every Python of the environment, and imports sitecustomize and
 * usercustomize.  Judged by content; the file's name counts for nothing.  Pure: values in, values out. */
#ifndef FINDINGS_STARTUP_H
#define FINDINGS_STARTUP_H

#include <stdbool.h>
#include <stddef.h>

enum startup_level {
	STARTUP_PATHS,   /* no code; folders inside the environment */
	STARTUP_KNOWN,   /* code that every setuptools, namespace package or editable install has */
	STARTUP_OUTSIDE, /* no code, but a folder outside */
	STARTUP_CODE,    /* code */
	STARTUP_HOSTILE, /* code that starts programs, speaks to the network, unpacks itself, or hides */
};

struct startup {
	enum startup_level level; /* of the gravest line */
	const char *why;          /* a static string; never NULL */
	unsigned line;            /* from 1; 0: none */
	char module[128];         /* the first module that the line imports; "": not seen */
};

struct startup_of { /* what a file's text does not say */
	const char *dist; /* the normal name of the distribution that brought it (name_normal), "" where none did; NULL: it is not asked whose it is */
	bool editable;    /* it belongs to an editable install that the user asked for */
	/* Is there an extension module of this name ("google.cloud")?  The line of a namespace package would load it.  NULL: it is not asked. */
	bool (*is_extension)(const void *context, const char *module);
	const void *context;
};
struct startup startup_pth(const char *text, size_t len, const struct startup_of *of);
/* Does the text of a module, or of a line, use what start-up code has no need of?  *why: what, a static string. */
bool startup_hostile(const char *text, size_t len, const char **why);
/* Does the site of any Python look at a file of this name: "x.pth"?  Older ones take hidden files too, ".x.pth" and ".pth". */
bool startup_is_pth(const char *name);
/* Is it sitecustomize or usercustomize, as a module of any kind ("sitecustomize.py", "sitecustomize", "usercustomize.abi3.so")? */
bool startup_is_customize(const char *name);
/* A distribution's name as indexes compare them: small letters, runs of "-_." one "-".  out: as large as name and its NUL. */
void name_normal(const char *name, size_t len, char *out);

#endif
