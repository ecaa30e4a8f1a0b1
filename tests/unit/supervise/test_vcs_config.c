/* Which configuration of a repository's is what a clone writes, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "launcher/supervise/vcs_config.h"

static void assert_harmless(const char *text, bool module)
{
	char *key;

	assert_true(vcs_config_harmless(text, module, &key));
	assert_null(key);
}

/* key: what is told; NULL: a line that is not understood. */
static void assert_refused(const char *text, const char *named)
{
	char *key;

	assert_false(vcs_config_harmless(text, false, &key));
	if (named == NULL) {
		assert_null(key);
	} else {
		assert_non_null(key);
		assert_string_equal(key, named);
	}
	free(key);
}

#define CLONE "[core]\n\trepositoryformatversion = 1\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = true\n" \
	"[remote \"origin\"]\n\turl = https://u:p@x.example/a.git\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n\tpromisor = true\n" \
	"\tpartialclonefilter = blob:none\n[branch \"main\"]\n\tremote = origin\n\tmerge = refs/heads/main\n"

static void clones_are_harmless(void **state)
{
	assert_harmless("", false);
	assert_harmless(CLONE, false);
	assert_harmless(CLONE "[submodule]\n\tactive = .\n[submodule \"a/b\"]\n\turl = https://x.example/b\n\tupdate = rebase\n", false);
	assert_harmless("# a\n; b\r\n  [Core]\r\n\tBare = false\r\n", false);
	assert_harmless("[core]\n\tworktree = ../../../sub\n", true);
}

static void whatever_runs_something_is_not(void **state)
{
	assert_refused(CLONE "[core]\n\tfsmonitor = /x\n", "core.fsmonitor");
	assert_refused(CLONE "[core]\n\tsshCommand = /x\n", "core.sshCommand");
	assert_refused("[core]\n\thooksPath = /x\n", "core.hooksPath");
	assert_refused("[filter \"f\"]\n\tsmudge = /x\n", "filter.smudge");
	assert_refused("[remote \"origin\"]\n\tuploadpack = /x\n", "remote.uploadpack");
	assert_refused("[remote \"origin\"]\n\tvcs = x\n", "remote.vcs");
	assert_refused("[submodule \"a\"]\n\tupdate = !sh\n", "submodule.update");
	assert_refused("[include]\n\tpath = /x\n", "include.path");
	assert_refused("[url \"ext::sh\"]\n\tinsteadOf = https://x.example/\n", "url.insteadOf");
	assert_refused("[credential]\n\thelper = !sh\n", "credential.helper");
	assert_refused("[core]\n\tworktree = ../x\n", "core.worktree");
	assert_refused("[extensions]\n\tworktreeConfig = true\n", "extensions.worktreeConfig");
}

static void what_is_not_understood_is_not(void **state)
{
	assert_refused("[core] fsmonitor = /x\n", NULL);
	assert_refused("[core]fsmonitor=/x\n", NULL);
	assert_refused("[core \"a\\\"]\n[core\"]\nbare = x\n", NULL);
	assert_refused("[user]\nname = a \\\nfsmonitor = /x\n", NULL);
	assert_refused("[core.x]\nbare = 1\n", NULL);
	assert_refused("\xef\xbb\xbf[core]\nbare = 1\n", NULL);
	assert_refused("[core]\nbare = 1\v\n", NULL);
	assert_refused("[core]\nbare=1\rfsmonitor=x\n", NULL);
	assert_refused("bare = 1\n", NULL);
	assert_refused("[]\nbare = 1\n", NULL);
}

static void hgrc(void **state)
{
	char *key;

	assert_true(vcs_hgrc_harmless("# example\n[paths]\ndefault = https://x.example/a\n\n# [ui]\n", &key));
	assert_false(vcs_hgrc_harmless("[paths]\ndefault = x\n[hooks]\nupdate = sh\n", &key));
	assert_string_equal(key, "[hooks]");
	free(key);
	assert_false(vcs_hgrc_harmless("%include /x\n", &key));
	assert_false(vcs_hgrc_harmless("[paths]\n%include /x\n", &key));
	assert_false(vcs_hgrc_harmless("[paths] \n[hooks]\n", &key));
	free(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clones_are_harmless),
		cmocka_unit_test(whatever_runs_something_is_not),
		cmocka_unit_test(what_is_not_understood_is_not),
		cmocka_unit_test(hgrc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
