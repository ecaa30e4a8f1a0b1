/* What cannot be guarded: refused by name, before anything runs. */
#include <string.h>

#include "launcher/installer/parts.h"

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

int inst_refuse(const struct asked *a, const struct installer *ins, struct installer_error *err)
{
	if (a->ambiguous) {
		return inst_fail(err, 125, "the option %.*s is abbreviated too far: write it in full", (int)strcspn(a->ambiguous, "="), a->ambiguous);
	}
	if (!strcmp(ins->command, "config") && a->positionals.n && !strcmp(a->positionals.v[0].value, "edit")) {
		return inst_fail(err, 125, "`pip config edit` starts an editor; use `pip config set`, or edit the file without pipwarden");
	}
	return refuse_features(a, err);
}
