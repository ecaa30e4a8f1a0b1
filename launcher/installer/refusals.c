/* What a later release will do, and what cannot be guarded: refused by name, before anything runs. */
#include <string.h>

#include "launcher/installer/parts.h"

static int refuse_requirement(const struct sourced *one, const char *cwd, struct installer_error *err)
{
	cleanup_text char *where = NULL;

	switch (pip_requirement_kind(one->value, cwd, &where)) {
	case REQ_VCS:
		return inst_fail(err, 125, "%s: a requirement from version control comes with a later release; name an archive of it, or clone it and run "
			    "`python -m build`", one->where);
	case REQ_DIRECTORY:
	case REQ_NAME:
	case REQ_URL:
	case REQ_FILE:
		break;
	}
	return 0;
}

static int refuse_features(const struct asked *a, struct installer_error *err)
{
	static const char *const refused[] = { "venv-isolation", "inprocess-build-deps" };

	for (size_t i = 0; i < a->features.n; i++) {
		for (size_t k = 0; k < 2; k++) {
			if (!strcmp(a->features.v[i].value, refused[k])) {
				return inst_fail(err, 125, "%s: pip's feature %s would run the code of build requirements inside pip: leave it out",
					    a->features.v[i].where, refused[k]);
			}
		}
	}
	return 0;
}

int inst_refuse(const struct asked *a, const struct installer *ins, char *const envp[], const char *cwd, struct installer_error *err)
{
	const unsigned packages = CMD_INSTALL | CMD_DOWNLOAD | CMD_WHEEL | CMD_LOCK;

	if (a->ambiguous) {
		return inst_fail(err, 125, "the option %.*s is abbreviated too far: write it in full", (int)strcspn(a->ambiguous, "="), a->ambiguous);
	}
	if (!strcmp(ins->command, "config") && a->positionals.n && !strcmp(a->positionals.v[0].value, "edit")) {
		return inst_fail(err, 125, "`pip config edit` starts an editor; use `pip config set`, or edit the file without pipwarden");
	}
	if (refuse_features(a, err)) {
		return -1;
	}
	if (!(pip_command_bit(ins->command) & packages)) {
		return 0;
	}
	for (size_t i = 0; i < a->editables.n; i++) {
		if (refuse_requirement(&a->editables.v[i], cwd, err)) {
			return -1;
		}
	}
	for (size_t i = 0; i < a->positionals.n; i++) {
		if (refuse_requirement(&a->positionals.v[i], cwd, err)) {
			return -1;
		}
	}
	return 0;
}
