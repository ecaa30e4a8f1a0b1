#include "subpip.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "launcher/base/environment.h"
#include "pip_temp.h"

static bool same_file(const char *a, const char *b)
{
	struct stat sa, sb;

	return stat(a, &sa) == 0 && stat(b, &sb) == 0 && sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

/* The interpreter's path as written lies in the launched environment's own bin directory. */
static bool is_own_interpreter(const struct supervisor *s, const char *path)
{
	const struct installer *ins = s->run->installer;
	const char *slash = strrchr(path, '/');
	char bin[PATH_MAX];

	if (strcmp(path, ins->env.interpreter) == 0) {
		return true;
	}
	snprintf(bin, sizeof bin, "%s/bin", ins->env.prefix);
	return slash != NULL && (size_t)(slash - path) == strlen(bin) && strncmp(path, bin, strlen(bin)) == 0 &&
	       same_file(path, ins->env.interpreter_real);
}

/* A variable that changes what a Python loads must be as the launched pip had it. */
static bool same_variable(const struct supervisor *s, char *const *envp, const char *name)
{
	const char *now = envp_get(envp, name), *then = envp_get(s->run->envp, name);

	return now == NULL ? true : then != NULL && strcmp(now, then) == 0;
}

static bool ends_with(const char *text, size_t len, const char *end)
{
	size_t n = strlen(end);

	return len >= n && strncasecmp(text + len - n, end, n) == 0;
}

/* Would pip take this for a file, a folder or a repository?  PEP 508's `name @ url` with or without blanks, and what pip itself takes for a path. */
static bool is_local_or_vcs(const char *word)
{
	static const char *const archives[] = {".whl", ".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz", ".tar.xz", ".txz", ".tlz", ".tar.lz", ".tar.lzma"};
	static const char *const schemes[] = {"file:", "git+", "hg+", "svn+", "bzr+", "git:", "ssh:"};
	const char *at = strchr(word, '@');
	const char *url = at != NULL ? at + 1 + strspn(at + 1, " \t") : word;

	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
		if (strncasecmp(url, schemes[i], strlen(schemes[i])) == 0) {
			return true;
		}
	}
	if (strncasecmp(url, "http:", 5) == 0 || strncasecmp(url, "https:", 6) == 0) {
		return false; /* a host: connect() decides */
	}
	/* pip takes extras and a marker off a path: "x.whl[y]", "x.whl ; python_version > '3'". */
	size_t len = strcspn(word, "[;");
	while (len > 0 && isspace((unsigned char)word[len - 1])) {
		len--;
	}
	for (size_t i = 0; i < sizeof archives / sizeof *archives; i++) {
		if (ends_with(word, len, archives[i])) {
			return true;
		}
	}
	return at != NULL || word[0] == '.' || strchr(word, '/') != NULL;
}

/* A build requirement that is a path or a repository which the top-level command line did not name. */
static bool names_a_file(const struct supervisor *s, const char *word)
{
	return is_local_or_vcs(word) && !strings_has(&s->run->installer->args, word);
}

/* Options of pip's own sub-pip call that take a path of pip's own choosing. */
static bool takes_path(const char *option)
{
	static const char *const options[] = {"--prefix", "--target", "--cert", "--client-cert", "--cache-dir", "--find-links", "-f", "-i", "--index-url",
	                                      "--extra-index-url", "--proxy", "--trusted-host", "--log", "-r", "-c", "--constraint", "--build-constraint", "--exists-action"};
	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		if (strcmp(option, options[i]) == 0) {
			return true;
		}
	}
	return false;
}

/* TEMP/pip-standalone-pip-X/__env_pip__.zip/pip: what pip 21.1 to 22.1 start is a zip of themselves that they have just made.  Its name says what is
 * meant, no more: the sub-pip that starts is the launched pip's own folder, and the zip is never read. */
static bool is_zip_of_itself(const struct supervisor *s, const char *path)
{
	static const char start[] = "pip-standalone-pip-", end[] = "/__env_pip__.zip/pip";
	const char *relative = pip_temp_below(s, path);

	if (relative == NULL || strncmp(relative, start, sizeof start - 1) != 0) {
		return false;
	}
	return strcmp(relative + strcspn(relative, "/"), end) == 0;
}

static bool is_runner(const struct supervisor *s, const char *path)
{
	const struct installer *ins = s->run->installer;

	if (ins->runner == NULL) {
		return false;
	}
	return strcmp(path, ins->runner) == 0 || (ins->runner_real != NULL && strcmp(path, ins->runner_real) == 0) ||
	       (ins->zips_itself && is_zip_of_itself(s, path));
}

bool subpip_is(struct supervisor *s, const struct start *r, struct birthright *b)
{
	if (r->argv[0] == NULL || r->argv[1] == NULL || !is_own_interpreter(s, r->path) || pip_temp_below(s, r->path) != NULL ||
	    !is_runner(s, r->argv[1])) {
		return false;
	}
	if (!same_variable(s, r->envp, "PYTHONPATH") || !same_variable(s, r->envp, "PYTHONSTARTUP") || !same_variable(s, r->envp, "PYTHONHOME")) {
		return false; /* a build, with a build's rights */
	}
	bool positional = false; /* behind "--" */
	for (size_t i = 2; r->argv[i] != NULL; i++) {
		if (!positional && (takes_path(r->argv[i - 1]) || r->argv[i][0] == '-')) {
			positional = strcmp(r->argv[i], "--") == 0;
			continue;
		}
		if (names_a_file(s, r->argv[i])) {
			b->wanted = BECOME_SUBPIP;
			birthright_refuse(b, "install.requirement", EACCES,
			       "a package asks for the build requirement %.100s; only the command line may name files and repositories", r->argv[i]);
			return true;
		}
	}
	b->become = BECOME_SUBPIP;
	return true;
}
