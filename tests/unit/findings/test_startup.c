#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "launcher/findings/startup.h"

#define NAMESPACE(line_name) NAMESPACE_IN("'google', 'cloud'", line_name)
#define NAMESPACE_IN(folder, line_name) "import sys, types, os;has_mfs = sys.version_info > (3, 5);p = os.path.join(sys._getframe(1).f_locals['sitedir'], *(" folder "));" \
	"importlib = has_mfs and __import__('importlib.util');has_mfs and __import__('importlib.machinery');m = has_mfs and sys.modules.setdefault('" line_name "', " \
	"importlib.util.module_from_spec(importlib.machinery.PathFinder.find_spec('" line_name "', [os.path.dirname(p)])));m = m or sys.modules.setdefault('" line_name "', " \
	"types.ModuleType('" line_name "'));mp = (m or []) and m.__dict__.setdefault('__path__',[]);(p not in mp) and mp.append(p);m and setattr(sys.modules['google'], 'cloud', m)"
#define DISTUTILS "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'local') == 'local'; enabled and __import__('_distutils_hack').add_shim(); "

static void expect(const char *text, const char *dist, bool editable, enum startup_level level)
{
	struct startup s = startup_pth(text, strlen(text), &(struct startup_of){.dist = dist, .editable = editable});

	if (s.level != level) {
		fail_msg("%s: %d (%s), expected %d", text, s.level, s.why, level);
	}
}

static void folders(void **state)
{
	expect("", "", false, STARTUP_PATHS);
	expect("one\ntwo/three\n# import os\n\n", "", false, STARTUP_PATHS);
	expect(" import os\nimportos\n", "", false, STARTUP_PATHS); /* site takes it for a folder */
	expect("/home/me/project\n", "", false, STARTUP_OUTSIDE);
	expect("a/../../b\n", "", false, STARTUP_OUTSIDE);
	expect("/home/me/project\n", "", true, STARTUP_PATHS);
	expect("a..b\n..c\n", "", false, STARTUP_PATHS);
}

static void known_lines(void **state)
{
	expect(DISTUTILS "\n", "setuptools", false, STARTUP_KNOWN);
	expect(DISTUTILS, "requests", false, STARTUP_HOSTILE); /* the module would be its own */
	expect(DISTUTILS, NULL, false, STARTUP_KNOWN);
	expect(DISTUTILS "x", "setuptools", false, STARTUP_HOSTILE);
	expect(NAMESPACE("google.cloud") "\n", "google-cloud-core", false, STARTUP_KNOWN);
	expect(NAMESPACE("google.cloud") "\nimport os\n", "", false, STARTUP_HOSTILE);
	expect(NAMESPACE("x'),exec('y"), "", false, STARTUP_HOSTILE);
	expect("import __editable___x_finder; __editable___x_finder.install()", "x", true, STARTUP_KNOWN);
	expect("import __editable___x_finder; __editable___x_finder.install()", "x", false, STARTUP_CODE);
	expect("import __editable___x_finder; __editable___y_finder.install()", "x", true, STARTUP_CODE);
	expect("import _x_editable_loader", "x", true, STARTUP_KNOWN);
	expect("import _virtualenv", "", false, STARTUP_KNOWN);
	expect("import _virtualenv", "x", false, STARTUP_CODE);
}

static bool is_cloud(const void *context, const char *module)
{
	(*(unsigned *)context)++;
	return strcmp(module, "google.cloud") == 0;
}

static void a_namespace_that_is_an_extension(void **state)
{
	static const char text[] = "/elsewhere\n" NAMESPACE_IN("'google',", "google") "\n" NAMESPACE("google.cloud") "\n";
	unsigned asked = 0;
	const struct startup_of of = {.dist = "", .is_extension = is_cloud, .context = &asked};

	assert_int_equal(startup_pth(text, sizeof text - 1, &of).level, STARTUP_HOSTILE);
	assert_int_equal(asked, 2); /* of each line, whatever stands before it */
}

/* The folder that is looked into is the tuple's, the name is the other one. */
static void a_namespace_of_another_name(void **state)
{
	static const char *const lines[] = {
		NAMESPACE("google.other"), NAMESPACE("cloud"), NAMESPACE_IN("'google'", "google"), NAMESPACE_IN("''", "google"), NAMESPACE_IN("'google','cloud'", "google.cloud"),
		NAMESPACE_IN("'google', 'cloud', 'x'", "google.cloud"), NAMESPACE("google.cloud.x"),
	};
	char name[400], line[4000];

	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		expect(lines[i], "", false, STARTUP_HOSTILE);
		expect(lines[i], NULL, true, STARTUP_HOSTILE);
	}
	expect(NAMESPACE_IN("'google',", "google"), "", false, STARTUP_KNOWN);
	for (size_t n = 100; n < sizeof name; n++) { /* a name that does not fit is no name */
		memset(name, 'x', n);
		name[n] = '\0';
		snprintf(line, sizeof line, NAMESPACE_IN("'%s',", "%s"), name, name, name, name, name);
		expect(line, "", false, n < 256 ? STARTUP_KNOWN : STARTUP_HOSTILE);
	}
}

static void code(void **state)
{
	struct startup s = startup_pth("x\nimport pkg.boot, sys\n", 22, &(struct startup_of){.dist = ""});

	assert_int_equal(s.level, STARTUP_CODE);
	assert_int_equal(s.line, 2);
	assert_string_equal(s.module, "pkg.boot");
	expect("import\tpkg", "", false, STARTUP_CODE);
	expect("\xef\xbb\xbfimport pkg", "", false, STARTUP_CODE);
	expect("x\rimport pkg\r\n", "", false, STARTUP_CODE);
	expect("import postal, executor, chrome", "", false, STARTUP_CODE); /* words are whole */
}

static void hostile_code(void **state)
{
	static const char *const lines[] = {
		"import os", "import sys;exec('x')", "import a; a.b(eval)", "import subprocess as s", "import urllib.request", "import x;__import__('y')", "import x; x.getattr",
		"import x, base64", "import \xef\xbd\x85", "import x;'\\x6f'", "import x\x01", "x\x0bimport os", "x\xe2\x80\xa8import y", "x\xc2\x85import y", "x\x1cimport y",
		"import x;open('y')", "import x; y='os'",
	};
	char text[3000] = "import ";

	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		expect(lines[i], "", false, STARTUP_HOSTILE);
		expect(lines[i], "", true, STARTUP_HOSTILE);
	}
	memset(text + 7, 'x', sizeof text - 8);
	expect(text, "", false, STARTUP_HOSTILE);
	struct startup s = startup_pth("import a\0;exec('x')", 19, &(struct startup_of){.dist = ""});
	assert_int_equal(s.level, STARTUP_HOSTILE);
}

static void names(void **state)
{
	char out[64];

	assert_true(startup_is_pth("x.pth") && startup_is_pth(".x.pth") && startup_is_pth(".pth"));
	assert_false(startup_is_pth("x.pth.bak") || startup_is_pth("pth") || startup_is_pth(""));
	assert_true(startup_is_customize("sitecustomize.py") && startup_is_customize("usercustomize") && startup_is_customize("sitecustomize.cpython-311.so"));
	assert_false(startup_is_customize("sitecustomizer.py") || startup_is_customize("xsitecustomize.py"));
	name_normal("Zope.Interface__x", 17, out);
	assert_string_equal(out, "zope-interface-x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folders), cmocka_unit_test(known_lines), cmocka_unit_test(a_namespace_that_is_an_extension), cmocka_unit_test(a_namespace_of_another_name),
		cmocka_unit_test(code), cmocka_unit_test(hostile_code), cmocka_unit_test(names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
