/* What the installer's tests share: throwaway trees, and an installer that was planned in one line. */
#ifndef TESTS_INSTALLER_SUPPORT_H
#define TESTS_INSTALLER_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "launcher/installer/parts.h"

/* A tree below a fresh temporary folder; removed by tree_finish. */
struct tree {
	char *root;
};
int tree_setup(void **state);
int tree_teardown(void **state);
char *tree_path(const struct tree *t, const char *name);
void tree_file(const struct tree *t, const char *name, unsigned mode, const char *format, ...) __attribute__((format(printf, 4, 5)));
void tree_link(const struct tree *t, const char *name, const char *target);
void tree_dir(const struct tree *t, const char *name);

/* base/: a Python 3.11 without anything; venv/: a virtual environment of it with pip of this version, whose default index is index.example. */
void tree_python(const struct tree *t, const char *pip_version);

/* What the fake policy calls protected: this folder, all above it. */
extern const char *fake_protected;

#endif
