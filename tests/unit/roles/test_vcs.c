/* Which tool of version control gets the role `vcs`, and which checkout of an earlier run is trusted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/supervise/checkouts.h"
#include "launcher/supervise/vcs.h"
#include "tests/unit/roles/world.h"

#define URL "https://x.example/a.git"

/* `tools` is where the user says that such programs are; packages are installed into venv/bin. */
struct world {
	char root[PATH_MAX];
	struct rundir dir;
	struct installer ins;
	struct vcs_requirement requirements[2];
	struct run run;
	struct supervisor sup;
	struct policy *policy;
};

static char text[60][PATH_MAX];
static int next_text;

static char *at(struct world *w, const char *below)
{
	char *out = text[next_text++ % 60];

	snprintf(out, PATH_MAX, "%.2000s/%s", w->root, below);
	return out;
}

static void file(struct world *w, const char *below, const char *content)
{
	char *path = at(w, below);

	for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	close(fd);
}

static int setup(void **state)
{
	static const char *const homes[] = {"/home/nobody-of-the-tests", NULL};
	struct world *w = calloc(1, sizeof *w);
	struct policy_error err;

	snprintf(w->root, sizeof w->root, "/tmp/pwvcs-XXXXXX");
	assert_non_null(mkdtemp(w->root));
	file(w, "tools/git", "");
	file(w, "venv/bin/git", "");
	file(w, "other/git", "");
	file(w, "run/t/pip-install-x/.keep", "");
	file(w, "src/.keep", "");
	snprintf(w->dir.tmp, sizeof w->dir.tmp, "%.2000s/run", w->root);
	w->policy = policy_new(&err);
	assert_non_null(w->policy);
	assert_int_equal(policy_allow_path(w->policy, ROLE_VCS, FILE_READ, at(w, "tools"), "/", &err), 0);
	assert_int_equal(policy_finish(w->policy, homes, &err), 0);
	assert_int_equal(strings_add(&w->ins.env.write_dirs, at(w, "venv/bin")), 0);
	w->requirements[0] = (struct vcs_requirement){.tool = VCS_GIT, .url = URL, .host = "x.example", .port = 443};
	w->requirements[1] = (struct vcs_requirement){.tool = VCS_GIT, .url = "https://y.example/b", .host = "y.example", .port = 443, .name = "My_B", .editable = true};
	w->ins.vcs = w->requirements;
	w->ins.vcs_count = 2;
	w->ins.src_dir = strdup(at(w, "src"));
	w->run = (struct run){.dir = &w->dir, .installer = &w->ins, .policy = w->policy};
	w->sup.run = &w->run;
	pthread_mutex_init(&w->sup.lock, NULL);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	world_remove(w->root);
	world_free_owners(&w->sup);
	for (size_t i = 0; i < w->sup.checkout_count; i++) {
		free(w->sup.checkouts[i].folder);
	}
	free(w->sup.checkouts);
	strings_finish(&w->ins.env.write_dirs);
	free(w->ins.src_dir);
	policy_free(w->policy);
	free(w);
	return 0;
}

#define ARGV(...) ((char *[]){__VA_ARGS__, NULL})

static enum become become(struct world *w, char *tool, const char *cwd, bool of_pip, char **argv)
{
	struct start request = {.path = tool, .argv = argv, .umask = 022};
	struct birthright b = {.become = BECOME_BUILD};
	bool decided = vcs_decide(&w->sup, &request, cwd, of_pip, &b);
	enum become what = b.become;

	assert_int_equal(decided, what != BECOME_BUILD);
	if (what == BECOME_VCS) { /* that one folder, and nothing around it */
		assert_int_equal(b.write.n, 1);
		assert_string_equal(b.write.v[0], b.checkout);
		assert_non_null(b.requirement);
	}
	birthright_finish(&b);
	return what;
}

static void what_the_user_named(void **state)
{
	struct world *w = *state;
	char *git = at(w, "tools/git"), *folder = at(w, "run/t/pip-install-x/a_1");

	assert_int_equal(become(w, git, "/", true, ARGV("git", "version")), BECOME_BUILD);
	assert_int_equal(become(w, git, "/", true, ARGV("git", "clone", "-q", URL, folder)), BECOME_VCS);
	assert_int_equal(access(folder, F_OK), 0);
	assert_int_equal(become(w, git, folder, true, ARGV("git", "rev-parse", "HEAD")), BECOME_VCS);
	assert_int_equal(become(w, git, folder, false, ARGV("git", "rev-parse", "HEAD")), BECOME_BUILD);
	assert_int_equal(become(w, git, at(w, "run/t"), true, ARGV("git", "rev-parse", "HEAD")), BECOME_BUILD);
	checkouts_built(&w->sup, folder);
	assert_int_equal(become(w, git, folder, true, ARGV("git", "rev-parse", "HEAD")), BECOME_BUILD);
	assert_int_equal(become(w, "/usr/bin/env", folder, true, ARGV("git", "clone", URL, folder)), BECOME_BUILD);
}

static void nobody_else(void **state)
{
	struct world *w = *state;
	char *git = at(w, "tools/git"), *folder = at(w, "run/t/pip-req-build-x");

	assert_int_equal(become(w, git, "/", true, ARGV("git", "clone", "https://x.example/other.git", folder)), BECOME_REFUSED);
	assert_int_equal(become(w, git, "/", true, ARGV("git", "clone", URL "x", folder)), BECOME_REFUSED);
	assert_int_equal(become(w, git, "/", true, ARGV("git", "clone", URL, "https://x.example/other.git", folder)), BECOME_REFUSED);
	assert_int_equal(become(w, git, "/", true, ARGV("git", "clone")), BECOME_REFUSED);
	assert_int_equal(become(w, git, "/", false, ARGV("git", "clone", URL, folder)), BECOME_REFUSED); /* a pip of build isolation */
	assert_int_equal(become(w, at(w, "venv/bin/git"), "/", true, ARGV("git", "clone", URL, folder)), BECOME_REFUSED);
	assert_int_equal(become(w, at(w, "other/git"), "/", true, ARGV("git", "clone", URL, folder)), BECOME_REFUSED);
	assert_int_equal(symlink(git, at(w, "other/hg")), 0);
	assert_int_equal(symlink(git, at(w, "venv/bin/hg")), 0);
	assert_int_equal(become(w, at(w, "venv/bin/hg"), "/", true, ARGV("hg", "clone", URL, folder)), BECOME_REFUSED);
	assert_int_not_equal(access(folder, F_OK), 0);
}

static void folders(void **state)
{
	struct world *w = *state;
	char *git = at(w, "tools/git"), outside[PATH_MAX];

	assert_int_equal(become(w, git, "/", true, ARGV("git", "clone", URL, at(w, "src/a"))), BECOME_VCS);
	assert_int_equal(become(w, git, "/", true, ARGV("git", "clone", URL, at(w, "run/t/pip-req-build-y"))), BECOME_VCS);
	snprintf(outside, sizeof outside, "%.2000s/outside", w->root);
	assert_int_equal(become(w, git, "/", true, ARGV("git", "clone", URL, outside)), BECOME_REFUSED);
	assert_int_equal(become(w, git, "/", true, ARGV("git", "clone", URL, at(w, "run/t/pip-install-x/../../o"))), BECOME_REFUSED);
	assert_int_equal(become(w, git, "/", true, ARGV("git", "clone", URL, at(w, "run/t/pip-install-x/.."))), BECOME_REFUSED);
	assert_int_equal(become(w, git, "/", true, ARGV("git", "clone", URL, "relative")), BECOME_REFUSED);
	assert_int_equal(symlink(outside, at(w, "run/t/pip-req-build-z")), 0);
	assert_int_equal(become(w, git, "/", true, ARGV("git", "clone", URL, at(w, "run/t/pip-req-build-z"))), BECOME_REFUSED);
}

/* --- checkouts of an earlier run ----------------------------------------------------------------------------------- */

static void assert_distrusted(struct world *w, const char *folder, const char *word)
{
	char *why = vcs_distrust(VCS_GIT, at(w, folder));

	assert_non_null(why);
	assert_non_null(strstr(why, word));
	free(why);
}

static void assert_trusted(struct world *w, const char *folder)
{
	char *why = vcs_distrust(VCS_GIT, at(w, folder));

	if (why != NULL) {
		fail_msg("%s", why);
	}
}

static void checkout(struct world *w, const char *folder)
{
	char path[200];

	snprintf(path, sizeof path, "%s/.git/config", folder);
	file(w, path, "[core]\n\tbare = false\n[submodule \"s\"]\n\tactive = true\n\turl = https://x.example/s\n");
	snprintf(path, sizeof path, "%s/.git/hooks/post-checkout", folder);
	file(w, path, "#!/bin/sh\n");
	snprintf(path, sizeof path, "%s/.git/modules/a/s/config", folder);
	file(w, path, "[core]\n\tworktree = ../../../../s\n");
	snprintf(path, sizeof path, "%s/.git/modules/a/s/HEAD", folder);
	file(w, path, "ref: refs/heads/config\n");
	snprintf(path, sizeof path, "%s/.git/modules/a/s/refs/heads/config", folder);
	file(w, path, "1111\n");
	snprintf(path, sizeof path, "%s/.git/modules/a/s/hooks/x.sample", folder);
	file(w, path, "");
	snprintf(path, sizeof path, "%s/s/.git", folder);
	file(w, path, "gitdir: ../.git/modules/a/s\n");
	snprintf(path, sizeof path, "%s/code/config", folder);
	file(w, path, "[core]\n\tfsmonitor = /x\n");
}

static void existing(void **state)
{
	struct world *w = *state;
	char *git = at(w, "tools/git");

	checkout(w, "src/my-b");
	assert_trusted(w, "src/my-b");
	assert_int_equal(become(w, git, at(w, "src/my-b"), true, ARGV("git", "fetch", "-q")), BECOME_VCS);
	checkout(w, "src/c"); /* of no requirement */
	assert_int_equal(become(w, git, at(w, "src/c"), true, ARGV("git", "fetch", "-q")), BECOME_BUILD);
	checkout(w, "src/deeper/my-b");
	assert_int_equal(become(w, git, at(w, "src/deeper/my-b"), true, ARGV("git", "fetch", "-q")), BECOME_BUILD);
}

static void changed(void **state)
{
	struct world *w = *state;

	checkout(w, "src/a");
	file(w, "src/a/.git/config", "[core]\n\tsshCommand = x\n");
	assert_distrusted(w, "src/a", "core.sshCommand");
	checkout(w, "src/b");
	file(w, "src/b/.git/modules/a/s/config", "[filter \"x\"]\n\tsmudge = x\n");
	assert_distrusted(w, "src/b", "filter.smudge");
	checkout(w, "src/c");
	file(w, "src/c/.git/modules/a/s/hooks/post-checkout", "");
	assert_distrusted(w, "src/c", "hook");
	checkout(w, "src/d");
	file(w, "src/d/.git/commondir", "..");
	assert_distrusted(w, "src/d", "commondir");
	checkout(w, "src/e");
	file(w, "src/e/code/t/.git/config", "");
	assert_distrusted(w, "src/e", "code/t/.git");
	checkout(w, "src/f");
	file(w, "src/f/s/.git", "gitdir: ../code\n");
	assert_distrusted(w, "src/f", "s/.git");
	file(w, "src/f/s/.git", "gitdir: /tmp\n");
	assert_distrusted(w, "src/f", "s/.git");
	file(w, "src/g/.git", "gitdir: ../a/.git\n");
	assert_distrusted(w, "src/g", ".git is no folder");
	checkout(w, "src/h");
	assert_int_equal(unlink(at(w, "src/h/.git/config")), 0);
	assert_int_equal(symlink("../code/config", at(w, "src/h/.git/config")), 0);
	assert_distrusted(w, "src/h", ".git/config");
	assert_int_equal(symlink("c", at(w, "src/link")), 0);
	assert_distrusted(w, "src/link", "cannot be looked at");
	assert_distrusted(w, "src/missing", "cannot be looked at");
}

static void of_mercurial(void **state)
{
	struct world *w = *state;

	file(w, "src/a/.hg/hgrc", "[paths]\ndefault = https://x.example/a\n");
	file(w, "src/a/code/x", "");
	assert_null(vcs_distrust(VCS_HG, at(w, "src/a")));
	file(w, "src/a/code/sub/.hg/hgrc", "");
	char *why = vcs_distrust(VCS_HG, at(w, "src/a"));
	assert_non_null(why);
	free(why);
	file(w, "src/b/.hg/hgrc", "[hooks]\nupdate = x\n");
	why = vcs_distrust(VCS_HG, at(w, "src/b"));
	assert_non_null(why);
	free(why);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(what_the_user_named), TEST(nobody_else), TEST(folders), TEST(existing), TEST(changed), TEST(of_mercurial)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
