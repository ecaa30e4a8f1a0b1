/* `python -m ensurepip`: a pip that the standard library (or the distribution) keeps as a wheel installs itself from there.  What ensurepip does is
 * done here, because it starts its pip by a text that nobody could tell from another: the same wheel, arguments and environment. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/installer/parts.h"

/* The one wheel of a project in a folder; NULL: there is none. */
static char *wheel_of(const char *folder, const char *project)
{
	cleanup_text char *start = inst_format("%s-", project);
	DIR *d = opendir(folder);
	struct dirent *entry;
	char *found = NULL;

	while (d && (entry = readdir(d))) {
		if (inst_starts(entry->d_name, start) && inst_ends(entry->d_name, ".whl") && (!found || strverscmp(entry->d_name, inst_path_base(found)) > 0)) {
			inst_set(&found, inst_path_join(folder, entry->d_name));
		}
	}
	if (d) {
		closedir(d);
	}
	return found;
}

static int read_options(struct installer *ins, const struct strings *given, struct strings *out, struct installer_error *err)
{
	bool altinstall = false, default_pip = false;
	size_t verbose = 0;
	cleanup_text char *letters = NULL;

	for (size_t i = 0; i < given->n; i++) {
		const char *word = given->v[i];

		if (!strcmp(word, "-U") || !strcmp(word, "--upgrade")) {
			strings_put(out, "--upgrade");
		} else if (!strcmp(word, "--user")) {
			strings_put(out, "--user");
		} else if (!strcmp(word, "--altinstall")) {
			altinstall = true;
		} else if (!strcmp(word, "--default-pip")) {
			default_pip = true;
		} else if (!strcmp(word, "--verbose") || (inst_starts(word, "-v") && strspn(word + 1, "v") == strlen(word + 1))) {
			verbose += word[1] == '-' ? 1 : strlen(word + 1);
		} else if (inst_starts(word, "--root=") || (!strcmp(word, "--root") && i + 1 < given->n)) {
			strings_put(out, "--root");
			strings_put(out, word[6] ? word + 7 : given->v[++i]);
		} else {
			return inst_fail(err, 125, "ensurepip's option %s is not known here", word);
		}
	}
	if (altinstall && default_pip) {
		return inst_fail(err, 125, "--altinstall and --default-pip exclude each other");
	}
	if (verbose) {
		letters = calloc(1, verbose + 2);
		memset(letters, 'v', verbose + 1);
		letters[0] = '-';
		strings_put(out, letters);
	}
	ins->ensurepip = altinstall ? "altinstall" : default_pip ? "" : "install";
	return 0;
}

int inst_ensurepip(struct installer *ins, struct installer_error *err)
{
	cleanup_text char *library = inst_format("%s/lib/python%s/ensurepip/_bundled", ins->env.base_prefix, ins->env.version);
	cleanup_text char *library64 = inst_format("%s/lib64/python%s/ensurepip/_bundled", ins->env.base_prefix, ins->env.version);
	const char *const folders[] = { library, library64, "/usr/share/python-wheels" };
	struct strings given = ins->args;
	int result;

	if (ins->env.debian && !ins->env.venv) {
		return inst_fail(err, 125, "the distribution has no ensurepip for its own Python: make an environment, or install its package of pip");
	}
	ins->args = (struct strings){ 0 };
	for (size_t i = 0; i < 3; i++) {
		cleanup_text char *pip = wheel_of(folders[i], "pip");
		cleanup_text char *setuptools = wheel_of(folders[i], "setuptools");

		if (!pip) {
			continue;
		}
		strings_put(&ins->args, "install");
		strings_put(&ins->args, "--no-cache-dir");
		strings_put(&ins->args, "--no-index");
		strings_put(&ins->args, "--find-links");
		strings_put(&ins->args, folders[i]);
		result = read_options(ins, &given, &ins->args, err);
		if (setuptools && inst_version_before(ins->env.version, 3, 12)) {
			strings_put(&ins->args, "setuptools");
		}
		strings_put(&ins->args, "pip");
		strings_finish(&given);
		return result ? result : inst_archive_read(ins, pip, err);
	}
	strings_finish(&given);
	return inst_fail(err, 127, "%s has no ensurepip with a pip in it", ins->env.interpreter);
}
