#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/installer/support.h"

const char *fake_protected;

/* In place of policy/: these tests are of what is asked, not of what the built-in policy protects. */
bool policy_grant_conflict(const struct policy *p, const char *path, enum file_access access, const char **what)
{
	if (fake_protected && pathtext_below(fake_protected, path)) {
		*what = fake_protected;
		return true;
	}
	return false;
}

bool policy_tree_conflict(const struct policy *p, const char *path, const char **what)
{
	return policy_grant_conflict(p, path, FILE_WRITE, what);
}

int tree_setup(void **state)
{
	struct tree *t = calloc(1, sizeof(*t));
	char template[] = "/tmp/pipwarden-installer-XXXXXX";

	if (!t || !mkdtemp(template)) {
		free(t);
		return -1;
	}
	t->root = strdup(template);
	*state = t;
	fake_protected = NULL;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

int tree_teardown(void **state)
{
	struct tree *t = *state;
	int result = nftw(t->root, remove_one, 16, FTW_DEPTH | FTW_PHYS);

	free(t->root);
	free(t);
	return result;
}

char *tree_path(const struct tree *t, const char *name)
{
	return inst_path_join(t->root, name);
}

void tree_dir(const struct tree *t, const char *name)
{
	cleanup_text char *path = tree_path(t, name);

	for (char *c = path + strlen(t->root) + 1; (c = strchr(c, '/')); c++) {
		*c = '\0';
		assert_true(!mkdir(path, 0755) || errno == EEXIST);
		*c = '/';
	}
	assert_true(!mkdir(path, 0755) || errno == EEXIST);
}

void tree_file(const struct tree *t, const char *name, unsigned mode, const char *format, ...)
{
	cleanup_text char *path = tree_path(t, name);
	cleanup_text char *dir = inst_path_dir(name);
	va_list ap;
	FILE *f;

	tree_dir(t, dir);
	f = fopen(path, "w");
	assert_non_null(f);
	va_start(ap, format);
	assert_true(vfprintf(f, format, ap) >= 0);
	va_end(ap);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

void tree_link(const struct tree *t, const char *name, const char *target)
{
	cleanup_text char *path = tree_path(t, name);
	cleanup_text char *dir = inst_path_dir(name);

	tree_dir(t, dir);
	assert_int_equal(symlink(target, path), 0);
}

void tree_python(const struct tree *t, const char *pip_version)
{
	static const char site[] = "venv/lib/python3.11/site-packages/pip";
	cleanup_text char *init = inst_format("%s/__init__.py", site);
	cleanup_text char *runner = inst_format("%s/__pip-runner__.py", site);
	cleanup_text char *module = inst_format("%s/_internal/models/index.py", site);

	tree_file(t, "base/bin/python3.11", 0755, "\177ELF, for all that is looked at");
	tree_file(t, "base/lib/python3.11/os.py", 0644, "\n");
	tree_file(t, "venv/pyvenv.cfg", 0644, "home = %s/base/bin\ninclude-system-site-packages = false\nversion = 3.11.7\n", t->root);
	tree_link(t, "venv/bin/python3.11", "../../base/bin/python3.11");
	tree_link(t, "venv/bin/python", "python3.11");
	tree_file(t, init, 0644, "from typing import List\n\n__version__ = \"%s\"\n", pip_version);
	tree_file(t, runner, 0644, "\n");
	tree_file(t, module, 0644,
	          "import x\n\nPyPI = PackageIndex(\"https://index.example/\", file_storage_domain=\"files.example\")\n"
	          "TestPyPI = PackageIndex(\"https://test.index.example/\", file_storage_domain=\"test-files.example\")\n");
	tree_file(t, "venv/bin/pip", 0755, "#!%s/venv/bin/python\nimport sys\nfrom pip._internal.cli.main import main\nsys.exit(main())\n", t->root);
}
