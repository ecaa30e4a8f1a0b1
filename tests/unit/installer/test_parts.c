/* The pure parts: option words, pip.conf, requirements files, URLs, script headers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/installer/support.h"

/* --- pip.conf --- */

static void join_setting(void *ctx, const char *section, const char *key, const char *value)
{
	char **out = ctx;

	inst_set(out, inst_format("%s[%s]%s=%s|", *out, section, key, value));
}

static char *conf(const char *text, bool *ok)
{
	char *out = inst_dup("");

	*ok = pip_conf_parse(text, strlen(text), join_setting, &out);
	return out;
}

static void assert_conf(const char *text, bool right, const char *want)
{
	bool ok;
	cleanup_text char *got = conf(text, &ok);

	assert_string_equal(got, want);
	assert_int_equal(ok, right);
}

/* Each expectation was printed by configparser.RawConfigParser and pip's key normalisation. */
static void conf_is_read_as_configparser_reads_it(void **state)
{
	assert_conf("[global]\nindex-url = https://a.example/simple\n", true, "[global]index-url=https://a.example/simple|");
	assert_conf("[global]\nIndex_URL: b\n; c\n# d\n--pre = 1\n", true, "[global]index-url=b|[global]pre=1|");
	assert_conf("[global]\nfind-links =\n    https://a\n\n    # no\n    https://b\n[install]\nx=y", true,
	            "[global]find-links=https://a\n\nhttps://b|[install]x=y|");
	assert_conf("[DEFAULT]\nproxy = p\n[install]\nproxy = q\n", true, "[install]proxy=p|[install]proxy=q|");
	assert_conf("[a]\nb = c = d : e ; f\n", true, "[a]b=c = d : e ; f|");
	assert_conf("[a]\r\nb=1\r\n  2\r\n", true, "[a]b=1\n2|");
	assert_conf("x = 1\n[a]\nb=2\n", false, "[a]b=2|");
	assert_conf("[a]\nno delimiter\n", false, "");
	assert_conf("[a]\nb=1\n[a]\nc=2\n", false, "[a]b=1|[a]c=2|");
	assert_conf("", true, "");
}

/* --- options --- */

static void join_option(void *ctx, const struct option_def *def, const char *value)
{
	char **out = ctx;

	inst_set(out, inst_format("%s%s%s%s|", *out, def->name, value ? "=" : "", value ? value : ""));
}

static void join_positional(void *ctx, const char *text)
{
	char **out = ctx;

	inst_set(out, inst_format("%s(%s)|", *out, text));
}

static void assert_options(const char *line, unsigned commands, const char *want)
{
	cleanup_strings struct strings words = { 0 };
	cleanup_text char *out = inst_dup("");
	struct option_sink sink = { &out, join_option, join_positional };
	const char *ambiguous = NULL;

	strings_split(&words, line);
	if (pip_options_parse(words.v, words.n, commands, &sink, &ambiguous) < 0) {
		assert_null(want);
		assert_non_null(ambiguous);
	} else {
		assert_non_null(want);
		assert_string_equal(out, want);
	}
}

static void options_follow_optparse(void **state)
{
	assert_options("-i https://a -ihttps://b --index-url=c --index-url d x", CMD_INSTALL,
	               "index-url=https://a|index-url=https://b|index-url=c|index-url=d|(x)|");
	assert_options("--index=a --index-u b --extra c", CMD_INSTALL, "index-url=a|index-url=b|extra-index-url=c|");
	assert_options("-qUvr file --tar t", CMD_INSTALL, "quiet|upgrade|verbose|requirement=file|target=t|");
	assert_options("--no-i x", CMD_INSTALL, NULL);
	assert_options("--sour s", CMD_INSTALL, NULL);
	assert_options("--source s", CMD_INSTALL, "source=s|");
	assert_options("--pre x", CMD_INSTALL, "pre|(x)|");
	assert_options("-- -e x", CMD_INSTALL, "(-e)|(x)|");
	assert_options("-e .", CMD_LIST, "editable|(.)|");
	assert_options("-e .", CMD_INSTALL, "editable=.|");
	assert_options("-f files", CMD_SHOW, "files|(files)|");
	assert_options("--never-heard-of x", CMD_INSTALL, "(x)|");
	assert_options("-d out -w", CMD_DOWNLOAD, "dest=out|");
	assert_options("-", CMD_INSTALL, "(-)|");
	assert_options("--index-url", CMD_INSTALL, "");
}

/* --- requirements --- */

static void join_requirement(void *ctx, unsigned line, const char *text)
{
	char **out = ctx;

	if (*text) {
		inst_set(out, inst_format("%s%u:%s|", *out, line, text));
	}
}

static void assert_requirements(const char *text, const char *want)
{
	static char *const envp[] = { (char *)"HOST=mirror.example", (char *)"EMPTY=", (char *)"lower=x", NULL };
	cleanup_text char *out = inst_dup("");
	struct option_sink sink = { &out, join_option, NULL };
	const char *wrong = pip_requirements_parse(text, strlen(text), envp, &sink, join_requirement, &out);

	if (wrong) {
		assert_null(want);
	} else {
		assert_non_null(want);
		assert_string_equal(out, want);
	}
}

static void requirements_are_read_as_pip_reads_them(void **state)
{
	assert_requirements("a\nb # c\n# d\nhttps://x.example/y#sha256=1\n", "1:a|2:b|4:https://x.example/y#sha256=1|");
	assert_requirements("-i https://${HOST}/simple\n--extra-index-url https://${EMPTY}/\n--find-links=${lower}\n",
	                    "index-url=https://mirror.example/simple|extra-index-url=https://${EMPTY}/|find-links=${lower}|");
	assert_requirements("a==1 \\\n  --hash=sha256:0 \\\n  --hash sha256:1\nb\n", "hash=sha256:0|hash=sha256:1|1:a==1|4:b|");
	assert_requirements("-r other.txt\n-cconstraints.txt\n-e .\n--no-index\n--index https://q\n",
	                    "requirement=other.txt|constraint=constraints.txt|editable=.|no-index|index-url=https://q|");
	assert_requirements("a \\\n# comment ends it\nb", "1:a|3:b|");
	assert_requirements("-f 'a b' --trusted-host \"c\"\n", "find-links=a b|trusted-host=c|");
	assert_requirements("\xef\xbb\xbf" "a\r\nb\rc", "1:a|2:b|3:c|");
	assert_requirements("--use-feature=venv-isolation\n", "use-feature=venv-isolation|");
	assert_requirements("-f 'open\n", NULL);
	assert_requirements("--no- x\n", NULL);
	assert_requirements("a\\", "1:a|");
	assert_requirements("", "");
}

static void assert_kind(const char *text, enum requirement_kind want, const char *where_want)
{
	cleanup_text char *where = NULL;

	assert_int_equal(pip_requirement_kind(text, "/tmp", &where), want);
	if (where_want) {
		assert_non_null(where);
		assert_string_equal(where, where_want);
	}
}

static void requirements_are_told_apart(void **state)
{
	assert_kind("requests", REQ_NAME, NULL);
	assert_kind("requests[socks]>=2; python_version < '3.9'", REQ_NAME, NULL);
	assert_kind("a @ https://x.example/a.whl ; extra == 'b'", REQ_URL, "https://x.example/a.whl");
	assert_kind("a[b]@https://x.example/a.whl", REQ_URL, "https://x.example/a.whl");
	assert_kind("HTTPS://x.example/a.whl", REQ_URL, "HTTPS://x.example/a.whl");
	assert_kind("git+https://x.example/a", REQ_VCS, NULL);
	assert_kind("a @ git+ssh://git@x.example/a@main#egg=a", REQ_VCS, NULL);
	assert_kind("Hg+http://x.example/a", REQ_VCS, NULL);
	assert_kind(".", REQ_DIRECTORY, "/tmp");
	assert_kind(".[extra]", REQ_DIRECTORY, "/tmp");
	assert_kind("./nowhere", REQ_DIRECTORY, "/tmp/nowhere");
	assert_kind("file:///tmp", REQ_DIRECTORY, "/tmp");
	assert_kind("a @ file:///tmp", REQ_DIRECTORY, "/tmp");
	assert_kind("file:///t%6dp", REQ_DIRECTORY, "/tmp");
	assert_kind("./a-1.0-py3-none-any.whl", REQ_FILE, "/tmp/a-1.0-py3-none-any.whl");
	assert_kind("x/a-1.0.tar.gz[e]", REQ_FILE, "/tmp/x/a-1.0.tar.gz");
	assert_kind("file:///nowhere/a.whl#egg=a", REQ_FILE, "/nowhere/a.whl");
	assert_true(pip_requirement_is_pip("pip"));
	assert_true(pip_requirement_is_pip("Pip>=23"));
	assert_true(pip_requirement_is_pip("pip[x]"));
	assert_false(pip_requirement_is_pip("pip-tools"));
	assert_false(pip_requirement_is_pip("pipx"));
}

/* --- URLs --- */

static void assert_vcs(const char *text, const char *url, const char *shown, const char *host, unsigned port, bool opaque, const char *name)
{
	struct vcs_requirement one;

	assert_true(pip_vcs_parse(text, &one));
	assert_string_equal(one.url, url);
	assert_string_equal(one.shown, shown);
	assert_string_equal(one.host ? one.host : "", host);
	assert_string_equal(one.name ? one.name : "", name);
	assert_int_equal(one.port, port);
	assert_int_equal(one.opaque, opaque);
	pip_vcs_finish(&one);
}

static void assert_no_vcs(const char *text)
{
	struct vcs_requirement one;

	assert_false(pip_vcs_parse(text, &one));
	pip_vcs_finish(&one);
}

/* What pip gives its tools, by its own get_url_rev_and_auth. */
static void repositories_are_parsed(void **state)
{
	assert_vcs("git+https://X.example/a/b.git@v1.0#egg=b[x]&subdirectory=s", "https://X.example/a/b.git", "git+https://X.example/a/b.git", "x.example", 443, false, "b");
	assert_vcs("GIT+HTTP://u:p%40w@x.example:8080/a@b@c", "http://u:p%40w@x.example:8080/a@b", "git+http://x.example:8080/a@b", "x.example", 8080, false, "");
	assert_vcs("git+https://u:p@q@x.example/a?b#c", "https://u:p@q@x.example/a?b", "git+https://x.example/a", "x.example", 443, false, "");
	assert_vcs("git+ssh://git@[::1]:22/a", "ssh://git@[::1]:22/a", "git+ssh://[::1]:22/a", "::1", 22, true, "");
	assert_vcs("git+file:///a%20b/c@d", "file:///a b/c", "git+file:///a%20b/c", "", 0, false, "");
	assert_vcs("hg+static-http://x.example/a", "static-http://x.example/a", "hg+static-http://x.example/a", "x.example", 80, false, "");
	assert_vcs("svn+https://u:p@x.example/a@12", "https://x.example/a", "svn+https://x.example/a", "x.example", 443, false, "");
	assert_vcs("svn+ssh://u@x.example/a#egg=n", "svn+ssh://u@x.example/a", "svn+ssh://x.example/a", "x.example", 22, true, "n");
	assert_no_vcs("git+https://");
	assert_no_vcs("git+https:/x.example/a");
	assert_no_vcs("git+ssh://git@x.example:a/b");
	assert_no_vcs("git+git@x.example:a/b");
	assert_no_vcs("git+https://x example/a");
	assert_no_vcs("git+ext::sh");
	assert_no_vcs("ssh://x.example/a");
	assert_no_vcs("bzr+lp:a");
}

static void assert_url(const char *text, const char *scheme, const char *host, unsigned port)
{
	struct url u;
	bool ok = pip_url_parse(text, scheme, &u);

	assert_int_equal(ok, host != NULL);
	if (ok) {
		assert_string_equal(u.host, host);
		assert_int_equal(u.port, port);
		free(u.host);
	}
}

static void hosts_of_urls(void **state)
{
	assert_url("https://Index.Example/simple", NULL, "index.example", 443);
	assert_url("http://u:p%40@x.example:8080/", NULL, "x.example", 8080);
	assert_url("https://u@v@x.example", NULL, "x.example", 443);
	assert_url("https://[2001:DB8::1]:444/x", NULL, "2001:db8::1", 444);
	assert_url("https://x.example./", NULL, "x.example", 443);
	assert_url("https://x.example:/", NULL, "x.example", 443);
	assert_url("proxy.example:3128", "http", "proxy.example", 3128);
	assert_url("proxy.example", "http", "proxy.example", 80);
	assert_url("socks5h://proxy.example", "http", NULL, 0);
	assert_url("ftp://x.example/", NULL, NULL, 0);
	assert_url("https://%65vil%2eexample/", NULL, "evil.example", 443);
	assert_url("https://x.example:0/", NULL, "x.example", 443);
	assert_url("https://x.example:000444/", NULL, "x.example", 444);
	assert_url("https://.example/", NULL, NULL, 0);
	assert_url("https://x.example\\@evil.example/", NULL, "x.example", 443);
	assert_url("https://x.example:99999/", NULL, NULL, 0);
	assert_url("https://x.example:8x/", NULL, NULL, 0);
	assert_url("https://[::1", NULL, NULL, 0);
	assert_url("https://a b/", NULL, NULL, 0);
	assert_url("https://", NULL, NULL, 0);
	assert_url("/local/folder", NULL, NULL, 0);
	assert_url("", "http", NULL, 0);
}

/* --- scripts and interpreters --- */

static void assert_shebang(const char *text, const char *interpreter, bool by_path, const char *flag)
{
	struct shebang s;
	bool ok = inst_shebang_parse(text, strlen(text), &s);

	assert_int_equal(ok, interpreter != NULL);
	if (ok) {
		assert_string_equal(s.interpreter, interpreter);
		assert_int_equal(s.by_path, by_path);
		assert_int_equal(s.flags.n, flag ? 1 : 0);
		if (flag) {
			assert_string_equal(s.flags.v[0], flag);
		}
	}
	inst_shebang_finish(&s);
}

static void shebangs(void **state)
{
	assert_shebang("#!/v/bin/python3\nx", "/v/bin/python3", false, NULL);
	assert_shebang("#! /v/bin/python3  -I \nx", "/v/bin/python3", false, "-I");
	assert_shebang("#!/usr/bin/env python3\n", "python3", true, NULL);
	assert_shebang("#!/usr/bin/env -S python3 -I\n", "python3", true, "-I");
	assert_shebang("#!/bin/sh\n'''exec' /a/very/long/python \"$0\" \"$@\"\n' '''\n", "/a/very/long/python", false, NULL);
	assert_shebang("#!/bin/sh\n'''exec' \"/with a space/python\" -I \"$0\" \"$@\"\n' '''\n", "/with a space/python", false, "-I");
	assert_shebang("#!/bin/sh\nexec python\n", NULL, false, NULL);
	assert_shebang("#!/bin/sh", NULL, false, NULL);
	assert_shebang("#!\n", NULL, false, NULL);
	assert_shebang("import x\n", NULL, false, NULL);
	assert_true(inst_script_is_pip("from pip._internal.cli.main import main", 39));
	assert_true(inst_script_is_pip("load_entry_point('pip==22.3', 'console_scripts', 'pip3')", 56));
	assert_false(inst_script_is_pip("import pipx", 11));
}

static void assert_words(const char *line, int first, const char *flags)
{
	cleanup_strings struct strings words = { 0 };
	cleanup_strings struct strings got = { 0 };
	cleanup_text char *joined = inst_dup("");
	const char *why = NULL, *archive = NULL;

	strings_split(&words, line);
	assert_int_equal(inst_interpreter_words(words.v, &got, &archive, &why), first);
	assert_int_equal(archive != NULL, first > 0 && (inst_names_archive(words.v[first - 1]) || !strcmp(words.v[first - 1], "ensurepip")));
	assert_int_equal(why != NULL, first < 0);
	for (size_t i = 0; first >= 0 && i < got.n; i++) {
		inst_set(&joined, inst_format("%s%s ", joined, got.v[i]));
	}
	if (flags) {
		assert_string_equal(joined, flags);
	}
}

static void interpreter_options(void **state)
{
	assert_words("python3 -m pip install x", 3, "");
	assert_words("python -Im pip", 3, "-I ");
	assert_words("python -I -m pip", 4, "-I ");
	assert_words("python -mpip list", 2, "");
	assert_words("python pip.pyz list", 2, "");
	assert_words("python -I -m ensurepip --upgrade", 4, "-I ");
	assert_words("python -I ./pip-26.3.pyz", 3, "-I ");
	assert_words("python x/get-pip.py --user", 2, "");
	assert_words("python -W error pip-26.3-py3-none-any.whl/pip install x", 4, "-Werror ");
	assert_words("python other.pyz", -1, NULL);
	assert_words("python pip.py", -1, NULL);
	assert_words("python six-1.whl/pip", -1, NULL);
	assert_words("python -sBE -W error -Xdev -X importtime -m pip", 9, "-sBE -Werror -Xdev -Ximporttime ");
	assert_words("python -sWdefault -m pip", 4, "-sWdefault ");
	assert_words("python", -1, NULL);
	assert_words("python -m venv x", -1, NULL);
	assert_words("python -S -m pip", -1, NULL);
	assert_words("python -c 1", -1, NULL);
	assert_words("python -i -m pip", -1, NULL);
	assert_words("python script.py", -1, NULL);
	assert_words("python --version", -1, NULL);
	assert_words("python -m", -1, NULL);
	assert_words("python -W", -1, NULL);
	assert_true(installer_is_word("pip"));
	assert_true(installer_is_word("/v/bin/pip3.11"));
	assert_true(installer_is_word("pip-3.11"));
	assert_true(installer_is_word("python3"));
	assert_false(installer_is_word("pipx"));
	assert_false(installer_is_word("pip-compile"));
	assert_false(installer_is_word("./pip/"));
	assert_false(installer_is_word("run"));
}

static void default_index(void **state)
{
	char *url, *host;

	assert_true(inst_default_index("PyPI = PackageIndex(\n    \"https://i.example/\", file_storage_domain=\"f.example\"\n)\n", &url, &host));
	assert_string_equal(url, "https://i.example/");
	assert_string_equal(host, "f.example");
	free(url);
	free(host);
	assert_false(inst_default_index("TestPyPI = PackageIndex(\"https://i.example/\", file_storage_domain=\"f.example\")\n", &url, &host));
	assert_false(inst_default_index("PyPI = PackageIndex(URL, file_storage_domain=X)\n", &url, &host));
	assert_false(inst_default_index("", &url, &host));
}

static void absolute_paths(void **state)
{
	static const char *const rows[][3] = { { "/a", "b", "/a/b" }, { "/a", "../b", "/b" },  { "/", "..", "/" }, { "/a", "/b//c/./d/", "/b/c/d" },
		                               { "/a", ".", "/a" },   { "/a", "../../..", "/" }, { "/a/b", "..", "/a" } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		cleanup_text char *got = inst_path_absolute(rows[i][0], rows[i][1]);

		assert_string_equal(got, rows[i][2]);
	}
}

/* --- proxies --- */

/* "KIND HOST:PORT LOGIN" of what an environment with this proxy has; "": nobody. */
static void assert_proxy(const char *url, const char *want)
{
	static const char *const kinds[] = { [PROXY_HTTP] = "http", [PROXY_TLS] = "tls", [PROXY_SOCKS] = "socks" };
	cleanup_text char *variable = inst_format("https_proxy=%s", url);
	char *const envp[] = { variable, NULL };
	cleanup_text char *got = inst_dup("");
	struct proxies p;

	proxies_of_environment(&p, envp);
	for (size_t i = 0; i < p.n; i++) {
		inst_set(&got, inst_format("%s%s %s:%u %s", got, kinds[p.v[i].kind], p.v[i].host, p.v[i].port, p.v[i].login ? p.v[i].login : "-"));
		assert_string_equal(p.v[i].where, "https_proxy");
	}
	assert_string_equal(got, want);
	proxies_finish(&p);
}

static void proxies_are_what_their_urls_say(void **state)
{
	assert_proxy("http://Proxy.Example:3128", "http proxy.example:3128 -");
	assert_proxy("proxy.example:3128", "http proxy.example:3128 -");
	assert_proxy("//me:word@proxy.example", "http proxy.example:80 me:word");
	assert_proxy("http://me:w%40r%2Fd%25%3a@proxy.example:1/x@y", "http proxy.example:1 me:w@r/d%:");
	assert_proxy("http://me@proxy.example:1", "http proxy.example:1 -");
	assert_proxy("http://me:w%0d%0aX: y@proxy.example:1", "http proxy.example:1 -");
	assert_proxy("http://me:w%00@proxy.example:1", "http proxy.example:1 -");
	assert_proxy("https://proxy.example", "tls proxy.example:443 -");
	assert_proxy("SOCKS5://me:word@[2001:db8::1]", "socks 2001:db8::1:1080 me:word");
	assert_proxy("socks5h://proxy.example:80", "socks proxy.example:80 -");
	assert_proxy("socks4://proxy.example", "");
	assert_proxy("http://pro xy", "");
	assert_proxy("", "");
}

/* The port of the proxy for it, 0: none. */
static unsigned dialled(char *const envp[], const char *host, unsigned port)
{
	const struct proxy *one;
	struct proxies p;
	unsigned found;

	proxies_of_environment(&p, envp);
	one = proxies_for(&p, host, port);
	found = one ? one->port : 0;
	proxies_finish(&p);
	return found;
}

static void hosts_are_dialled_by_their_proxy(void **state)
{
	char http[] = "http_proxy=http://h:1", https[] = "HTTPS_PROXY=h:2", tls[] = "all_proxy=https://h:3", some[] = "no_proxy=x.test, .Example.org:8080,*.y.test",
	     all[] = "NO_PROXY=*";
	char *both[] = { http, https, NULL }, *one[] = { https, NULL }, *hidden[] = { tls, NULL }, *without[] = { http, https, some, NULL }, *past[] = { http, all, NULL };

	assert_int_equal(dialled(both, "a.test", 80), 1);
	assert_int_equal(dialled(both, "a.test", 443), 2);
	assert_int_equal(dialled(both, "a.test", 8443), 2);
	assert_int_equal(dialled(one, "a.test", 80), 2);
	assert_int_equal(dialled(hidden, "a.test", 443), 0);
	assert_int_equal(dialled(past, "a.test", 443), 0);
	assert_int_equal(dialled(without, "x.test", 443), 0);
	assert_int_equal(dialled(without, "a.x.test", 443), 0);
	assert_int_equal(dialled(without, "ax.test", 443), 2);
	assert_int_equal(dialled(without, "example.org", 443), 0);
	assert_int_equal(dialled(without, "a.example.org", 80), 0);
	assert_int_equal(dialled(without, "b.y.test", 80), 0);
	assert_int_equal(dialled(without, "test", 80), 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(conf_is_read_as_configparser_reads_it),
		cmocka_unit_test(options_follow_optparse),
		cmocka_unit_test(requirements_are_read_as_pip_reads_them),
		cmocka_unit_test(requirements_are_told_apart),
		cmocka_unit_test(repositories_are_parsed),
		cmocka_unit_test(hosts_of_urls),
		cmocka_unit_test(proxies_are_what_their_urls_say),
		cmocka_unit_test(hosts_are_dialled_by_their_proxy),
		cmocka_unit_test(shebangs),
		cmocka_unit_test(interpreter_options),
		cmocka_unit_test(default_index),
		cmocka_unit_test(absolute_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
