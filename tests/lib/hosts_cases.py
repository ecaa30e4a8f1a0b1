"""What may say whom pip is to contact, a row for each way: tests/e2e/test_pip_hosts.py.

Files are named below the row's folder, which is @ROOT@ in words, variables and files: home/ is HOME, work/ the working folder, xdg/ is XDG_CONFIG_DIRS."""
from __future__ import annotations

from dataclasses import dataclass, field

I = "https://i.test/simple"  # noqa: E741


@dataclass(frozen=True)
class Case:
    name: str
    words: tuple[str, ...]
    env: dict[str, str | None] = field(default_factory=dict)
    files: dict[str, str | bytes] = field(default_factory=dict)
    site: str = ""  # the environment's own pip.conf
    remote: dict[str, str] = field(default_factory=dict)  # requirements files of the network, by their last name
    refused: str = ""  # pipwarden does not start it, and says this
    broken: bool = False  # pip stops at it, whom it would have contacted is not known
    nobody: bool = False  # nobody is contacted
    since: tuple[int, int] = (0, 0)  # what older pips do not know
    until: tuple[int, int] = (99, 0)
    debian: bool = True  # False: Debian's own pip is another in this
    beyond: tuple[str, ...] = ()  # the limits of docs/installer.md: what only pip knows


def install(*words: str) -> tuple[str, ...]:
    return ("install", *words)


X = install("pwx")
NO = ("install", "--no-index", "--no-deps")


def conf(section: str, *lines: str) -> str:
    return f"[{section}]\n" + "".join(line + "\n" for line in lines)


def index(host: str) -> str:
    return f"index-url = https://{host}/simple"


CONFIGURATION = [
    Case("default", X),
    Case("no-index", NO + ("pwx",), nobody=True),
    Case("global-file", X, files={"xdg/pip/pip.conf": conf("global", index("g.test"))}),
    Case("two-global-files", X, {"XDG_CONFIG_DIRS": "@ROOT@/one:@ROOT@/two"},
         {"one/pip/pip.conf": conf("global", index("one.test"), "find-links = https://one-f.test/"), "two/pip/pip.conf": conf("global", index("two.test"))}),
    Case("global-empty-entry", X, {"XDG_CONFIG_DIRS": ":@ROOT@/one"},
         {"work/pip/pip.conf": conf("global", index("cwd.test")), "one/pip/pip.conf": conf("global", "extra-index-url = https://e.test/")}),
    Case("global-slash", X, {"XDG_CONFIG_DIRS": "@ROOT@/one/"}, {"one/pip/pip.conf": conf("global", index("one.test"))}),
    Case("global-tilde", X, {"XDG_CONFIG_DIRS": "~/one"}, {"home/one/pip/pip.conf": conf("global", index("one.test"))}),
    Case("user-legacy", X, files={"home/.pip/pip.conf": conf("global", index("l.test"))}),
    Case("user", X, files={"home/.config/pip/pip.conf": conf("global", index("u.test"))}),
    Case("user-over-legacy", X, files={"home/.pip/pip.conf": conf("global", index("l.test")), "home/.config/pip/pip.conf": conf("global", index("u.test"))}),
    Case("user-over-global", X, files={"xdg/pip/pip.conf": conf("global", index("g.test")), "home/.config/pip/pip.conf": conf("global", index("u.test"))}),
    Case("user-xdg", X, {"XDG_CONFIG_HOME": "@ROOT@/mine"},
         {"mine/pip/pip.conf": conf("global", index("m.test")), "home/.config/pip/pip.conf": conf("global", index("u.test"))}),
    Case("user-xdg-blank", X, {"XDG_CONFIG_HOME": " "}, {"home/.config/pip/pip.conf": conf("global", index("u.test"))}),
    Case("site", X, files={"home/.config/pip/pip.conf": conf("global", index("u.test"))}, site=conf("global", index("s.test"))),
    Case("site-and-named", X, {"PIP_CONFIG_FILE": "@ROOT@/n.conf"}, {"n.conf": conf("global", index("n.test"))}, site=conf("global", index("s.test"))),
    Case("site-isolated", install("--isolated", "pwx"), {"PIP_INDEX_URL": I}, site=conf("global", index("s.test"))),
    Case("named-file", X, {"PIP_CONFIG_FILE": "@ROOT@/n.conf"},
         {"n.conf": conf("global", index("n.test")), "home/.config/pip/pip.conf": conf("global", "extra-index-url = https://u.test/")}),
    Case("named-file-missing", X, {"PIP_CONFIG_FILE": "@ROOT@/none.conf"}, {"home/.config/pip/pip.conf": conf("global", index("u.test"))}),
    Case("named-file-empty", X, {"PIP_CONFIG_FILE": ""}, {"home/.config/pip/pip.conf": conf("global", index("u.test"))}),
    Case("named-file-relative", X, {"PIP_CONFIG_FILE": "n.conf"}, {"work/n.conf": conf("global", index("n.test"))}),
    Case("dev-null", X, {"PIP_CONFIG_FILE": "/dev/null"},
         {"xdg/pip/pip.conf": conf("global", index("g.test")), "home/.config/pip/pip.conf": conf("global", index("u.test"))}),
    Case("isolated", install("--isolated", "pwx"), {"PIP_INDEX_URL": I},
         {"xdg/pip/pip.conf": conf("global", index("g.test")), "home/.config/pip/pip.conf": conf("global", index("u.test"))}),
    Case("isolated-before", ("--isolated", *X), {"PIP_INDEX_URL": I}, {"home/.config/pip/pip.conf": conf("global", index("u.test"))}),
    Case("isolated-variable", X, {"PIP_ISOLATED": "1"}, {"home/.config/pip/pip.conf": conf("global", index("u.test"))}),
    Case("command-section", X, files={"home/.config/pip/pip.conf": conf("install", index("c.test")) + conf("global", index("u.test"))}),
    Case("other-section", X, files={"home/.config/pip/pip.conf": conf("download", index("c.test")) + conf("global", index("u.test"))}),
    Case("download-section", ("download", "pwx"), files={"home/.config/pip/pip.conf": conf("download", index("c.test")) + conf("global", index("u.test"))}),
    Case("section-below-file", X, files={"xdg/pip/pip.conf": conf("install", index("c.test")), "home/.config/pip/pip.conf": conf("global", index("u.test"))}),
    Case("alias-in-section", X, files={"home/.config/pip/pip.conf": conf("install", index("c.test")) + conf("global", "pypi-url = https://p.test/")}),
    Case("alias-in-variable", X, {"PIP_PYPI_URL": "https://p.test/"}, {"home/.config/pip/pip.conf": conf("global", index("u.test"))}),
    Case("default-section", X, files={"home/.config/pip/pip.conf": conf("DEFAULT", index("d.test")) + conf("global", "no-color = 1")}),
    Case("keys", X, files={"home/.config/pip/pip.conf": "[global]\nIndex_URL: https://k.test/\n--extra-index-url = https://e.test/\n"}),
    Case("spaced-value", X, files={"home/.config/pip/pip.conf": "[global]\nindex-url = \u00a0https://k.test/\u2003\n"}),
    Case("many-lines", X, files={"home/.config/pip/pip.conf": "[global]\nfind-links =\n    https://a.test/\n    # none\n    https://b.test/ https://c.test/\n"}),
    Case("empty-value", X, files={"xdg/pip/pip.conf": conf("global", index("g.test")), "home/.config/pip/pip.conf": conf("global", "index-url =")}),
    Case("no-index-off", X, files={"xdg/pip/pip.conf": conf("global", "no-index = true", index("g.test")), "home/.config/pip/pip.conf": conf("global", "no-index = off")}),
    Case("broken-file", X, files={"home/.config/pip/pip.conf": "index-url = https://u.test/\n"}, broken=True),
    Case("double-section", X, files={"home/.config/pip/pip.conf": conf("global", index("a.test")) + conf("global", index("b.test"))}, broken=True),
    Case("double-key", X, files={"home/.config/pip/pip.conf": conf("global", index("a.test"), index("b.test"))}, broken=True),
]

VARIABLES = [
    Case("variable", X, {"PIP_INDEX_URL": I}, {"home/.config/pip/pip.conf": conf("install", index("c.test"))}),
    Case("variable-empty", X, {"PIP_INDEX_URL": ""}, {"home/.config/pip/pip.conf": conf("global", index("u.test"))}),
    Case("variable-lower", X, {"PIP_index_url": I}),
    Case("variable-dashes", X, {"PIP___INDEX_URL": I}),
    Case("variable-abbreviated", X, {"PIP_INDEX": I}),
    Case("variable-many", X, {"PIP_EXTRA_INDEX_URL": "https://a.test/ https://b.test/\nhttps://c.test/\t https://d.test/"}),
    Case("variable-odd-space", X, {"PIP_EXTRA_INDEX_URL": "https://a.test/\u00a0https://b.test/\u2028https://c.test/\x1fhttps://d.test/"}),
    Case("variable-replaces-many", X, {"PIP_FIND_LINKS": "https://v.test/"}, {"home/.config/pip/pip.conf": conf("global", "find-links = https://f.test/")}),
    Case("variable-and-option-add", install("-f", "https://o.test/", "pwx"), {"PIP_FIND_LINKS": "https://v.test/"}),
    Case("variable-no-index", X, {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "https://v.test/"}),
    Case("variable-no-index-no", X, {"PIP_NO_INDEX": "no", "PIP_INDEX_URL": I}),
    Case("variable-no-index-empty", X, {"PIP_NO_INDEX": "", "PIP_INDEX_URL": I}),
    Case("variable-no-index-odd", X, {"PIP_NO_INDEX": "perhaps", "PIP_INDEX_URL": I}, broken=True),
    Case("variable-requirement", ("install",), {"PIP_REQUIREMENT": "r.txt s.txt", "PIP_NO_INDEX": "1"},
         {"work/r.txt": "pwa @ https://a.test/pwa-1.0-py3-none-any.whl", "work/s.txt": "pwb @ https://b.test/pwb-1.0-py3-none-any.whl"}),
    Case("variable-constraint", X, {"PIP_CONSTRAINT": "c.txt"}, {"work/c.txt": f"-i {I}\n"}),
    Case("variable-url", X, {"PIP_INDEX_URL": " https://space.test/ "}, nobody=True, until=(24, 1)),
    Case("variable-url-stripped", X, {"PIP_INDEX_URL": " https://space.test/ "}, since=(24, 1)),
    Case("version-check", X, {"PIP_DISABLE_PIP_VERSION_CHECK": None, "PIP_INDEX_URL": I}),
    Case("proxy-variable", X, {"PIP_PROXY": "http://p.test:3128", "PIP_INDEX_URL": I}),
    Case("proxy-environment", X, {"http_proxy": "http://a.test:1", "HTTPS_PROXY": "b.test:2", "PIP_INDEX_URL": I}, since=(21, 3)),
    Case("proxy-all", X, {"all_proxy": "http://a.test:1", "https_proxy": "http://b.test:2", "PIP_INDEX_URL": I}),
    Case("proxy-all-unused", X, {"ALL_PROXY": "http://a.test:1", "http_proxy": "http://c.test", "https_proxy": "http://b.test:2", "PIP_INDEX_URL": I}),
    Case("proxy-lower-wins", X, {"HTTPS_PROXY": "http://u.test:1", "https_proxy": "http://l.test:2", "PIP_INDEX_URL": I}),
    Case("proxy-lower-empty", X, {"HTTPS_PROXY": "http://u.test:1", "https_proxy": "", "PIP_INDEX_URL": I}),
    Case("proxy-cgi", X, {"HTTP_PROXY": "http://u.test:1", "REQUEST_METHOD": "GET", "PIP_INDEX_URL": I}),
    Case("proxy-none-for-all", X, {"https_proxy": "http://b.test:2", "no_proxy": "*", "PIP_INDEX_URL": I}),
    Case("proxy-option-and-environment", install("--proxy", "http://o.test:1", "pwx"), {"https_proxy": "http://b.test:2", "PIP_INDEX_URL": I}),
    Case("proxy-option-empty", install("--proxy=", "pwx"), {"https_proxy": "http://b.test:2", "PIP_INDEX_URL": I}),
    Case("proxy-login", install("--proxy", "http://good.test:81@evil.test:1", "pwx"), {"PIP_INDEX_URL": I}),
    Case("proxy-tls", install("--proxy", "https://p.test", "pwx"), {"PIP_INDEX_URL": I}),
    Case("proxy-bare", install("--proxy", "p.test", "pwx"), {"PIP_INDEX_URL": I}),
    Case("proxy-word", install("--proxy", "proxy:99", "pwx"), {"PIP_INDEX_URL": I}, broken=True),
    Case("proxy-mixed-case", X, {"Https_Proxy": "http://m.test:1", "HTTP_proxy": "http://n.test:2", "PIP_INDEX_URL": I}),
    Case("proxy-some-direct", install("--proxy", "http://o.test:1", "pwx"), {"https_proxy": "http://b.test:2", "no_proxy": "i.test", "PIP_INDEX_URL": I}),
    Case("proxy-slashes", install("--proxy", "//p.test:99", "pwx"), {"PIP_INDEX_URL": I}),
    Case("proxy-before", ("--proxy", "p.test:8", *X), {"PIP_INDEX_URL": I}, since=(21, 3)),
    Case("proxy-socks", install("--proxy", "socks5://p.test", "pwx"), {"PIP_INDEX_URL": I, "PIP_NO_INDEX": "1"}, nobody=True),
]

OPTIONS = [
    *(Case(f"option-{n}", install(*words, "pwx"), {"PIP_INDEX_URL": "https://v.test/"}) for n, words in enumerate((
        ("-i", I), (f"-i{I}",), (f"--index-url={I}",), ("--index-url", I), ("--index", I), ("--index-u", I), (f"--pypi-url={I}",), ("--pypi", I),
        ("--extra-index", I), ("--extra", I), ("--extra-index-url", "https://a.test/", "--extra-index-url=https://b.test/"), ("-qi", I), ("-qf", I),
        ("-f", "https://f.test/page.html"), ("-fhttps://f.test/",), ("--find-links=https://f.test/",), ("--find", "https://f.test/"),
        ("-f", "@ROOT@/work"), ("-f", "~/nothing"), ("-f", "file:///nowhere"), ("-f", "//f.test/x"), ("-f", "f.test/x"), ("-i", "https://a.test/", "-i", "https://b.test/"), ("--trusted-host", "t.test", "-i", "http://t.test:8080/s"),
        ("-i", "https://a.test/", "--no-index", "-f", "https://f.test/")))),
    Case("option-ftp", install("-f", "ftp://f.test/", "pwx"), broken=True, since=(22, 0)),
    Case("option-index-folder", install("-i", "/local/folder", "pwx"), nobody=True),
    Case("option-after-dashes", install("--", "-i", I), broken=True),
    Case("option-ambiguous", install("--no-i", "pwx"), refused="abbreviated"),
    Case("option-before-the-command", ("--proxy", "p.test:8", "--trusted-host=t.test", "-q", *install("-i", I, "pwx")), since=(21, 3)),
    Case("word-install", ("install", "install", "-i", I)),
    Case("list-outdated", ("list", "-o", "-i", I), {"PIP_DISABLE_PIP_VERSION_CHECK": None}),
    Case("index-versions", ("index", "versions", "pwx", "-i", I), {"PIP_DISABLE_PIP_VERSION_CHECK": None}, since=(21, 2)),
    Case("freeze", ("freeze",), {"PIP_DISABLE_PIP_VERSION_CHECK": None}, nobody=True),
    Case("list", ("list", "-i", I), nobody=True),
    Case("uninstall", ("uninstall", "-y", "-r", "https://r.test/r.txt"), remote={"r.txt": "pwx\n"}),
    Case("wheel", ("wheel", "--no-deps", "-i", I, "pwx")),
]


def files(name: str, text: str | bytes, *words: str, **more) -> Case:
    """r.txt in the working folder."""
    beside = more.pop("beside", {})
    return Case(name, ("install", *words, "-r", "r.txt"), more.pop("env", {}), {"work/r.txt": text, **{f"work/{n}": t for n, t in beside.items()}}, **more)


def whl(host: str, name: str = "pwa") -> str:
    return f"https://{host}/{name}-1.0-py3-none-any.whl"


REQUIREMENTS = [
    files("file-index", f"-i {I}\npwx\n"),
    files("file-index-version-check", f"-i {I}\npwx\n", env={"PIP_DISABLE_PIP_VERSION_CHECK": None}, debian=False),
    files("file-index-after", f"pwx\n--index-url={I}\n"),
    files("file-two-indexes", "-i https://a.test/\n-i https://b.test/\npwx\n"),
    files("file-index-replaces", f"-i {I}\npwx\n", "-i", "https://a.test/", "--extra-index-url", "https://b.test/"),
    files("file-index-replaces-settings", f"-i {I}\npwx\n", env={"PIP_INDEX_URL": "https://a.test/", "PIP_FIND_LINKS": "https://f.test/"}),
    files("file-extra", "--extra-index-url https://e.test/\npwx\n", "-i", I),
    files("file-extra-then-index", f"--extra-index-url https://e.test/\n-i {I}\npwx\n"),
    files("file-both-on-a-line", f"-i {I} --extra-index-url https://e.test/ -f https://f.test/\npwx\n"),
    files("file-two-links-on-a-line", f"-i {I}\n-f https://f.test/ -f https://g.test/\npwx\n"),
    files("file-no-index", "--no-index\n-f https://f.test/\npwx\n"),
    files("file-no-index-then-index", f"--no-index\n-i {I}\n-f https://f.test/\npwx\n"),
    files("no-index-and-file-index", f"-i {I}\n-f https://f.test/\npwx\n", "--no-index"),
    files("no-index-and-file-extra", "--extra-index-url https://e.test/\n-f https://f.test/\npwx\n", "--no-index"),
    files("file-option-on-a-requirement", "pwx --index-url https://a.test/\n", "-i", I),
    files("file-links-on-a-requirement", "pwx -f https://a.test/ --no-index\n", "-i", I),
    files("file-nested", "-r sub/s.txt\npwx\n", beside={"sub/s.txt": "-r t.txt\n--extra-index-url https://s.test/\n", "sub/t.txt": f"-i {I}\n"}),
    files("file-nested-order", f"-i https://a.test/\n-r s.txt\n-i {I}\npwx\n", beside={"s.txt": "-i https://s.test/\n--extra-index-url https://e.test/\n"}),
    files("file-nested-last", f"-i {I}\n-r s.txt\npwx\n", beside={"s.txt": "-i https://s.test/\n"}),
    files("file-nested-and-index", f"-r s.txt -i {I}\npwx\n", beside={"s.txt": "--extra-index-url https://s.test/\n"}),
    files("file-nested-two-on-a-line", "-r s.txt -r t.txt\npwx\n", "-i", I,
          beside={"s.txt": "--extra-index-url https://s.test/\n", "t.txt": "--extra-index-url https://t.test/\n"}),
    files("file-nested-both-kinds", "-c t.txt -r s.txt\npwx\n", "-i", I,
          beside={"s.txt": "--extra-index-url https://s.test/\n", "t.txt": "--extra-index-url https://t.test/\n"}),
    files("file-nested-quoted", "-r 'a file.txt'\npwx\n", beside={"a file.txt": f"-i {I}\n"}),
    files("file-nested-url", "-r file://@ROOT@/work/a%20file.txt\npwx\n", beside={"a file.txt": f"-i {I}\n"}),
    files("file-itself", f"-i {I}\n-r r.txt\npwx\n", broken=True),
    files("file-constraint", "-c c.txt\npwx\n", beside={"c.txt": f"-i {I}\npwx==1.0\n"}),
    files("constraint-then-file", "-i https://a.test/\npwx\n", "-c", "c.txt", beside={"c.txt": f"-i {I}\n"}),
    files("file-then-constraint", f"--extra-index-url {I}\npwx\n", "-c", "c.txt", beside={"c.txt": "--extra-index-url https://c.test/\n-i https://d.test/\n"}),
    files("file-continued", "--extra-\\\nindex-url \\\nhttps://e.test/\npwx\n", "-i", I),
    files("file-continued-comment", "pwx \\\n# --extra-index-url https://a.test/\n--extra-index-url https://e.test/\n", "-i", I),
    files("file-comments", "# -i https://a.test/\n  # -i https://b.test/\npwx # -i https://c.test/\n-i https://d.test/#x\n-f https://f.test/ #no\n"),
    files("file-comment-separators", "# a\u2028--extra-index-url https://a.test/\u0085--extra-index-url https://b.test/\x0c--extra-index-url https://c.test/\n"
          "# b\x1d--extra-index-url https://d.test/\u2029pwx\n", "-i", I),
    files("file-odd-spaces", "\u00a0--extra-index-url https://a.test/\u3000\n--extra-index-url\u00a0https://b.test/\npwx\u2003# none\n", "-i", I, broken=True),
    files("file-variables", "-i https://${HOST}/${EMPTY}/\n--extra-index-url https://$HOST/\npwx\n", env={"HOST": "h.test", "EMPTY": ""}),
    files("file-variables-twice", "-i https://${A}/${B}\npwx\n", env={"A": "${B}.test", "B": "b"}),
    files("file-variable-line", "${LINE}\npwx\n", env={"LINE": f"-i {I}"}),
    files("file-variable-lower", "--extra-index-url https://${low}.test/\npwx\n", "-i", I, env={"low": "l"}),
    files("file-abbreviation", f"--index {I}\n--extra https://e.test/\npwx\n"),
    files("file-letters", f"-i{I}\n-fhttps://f.test/\npwx\n"),
    files("file-bom", b"\xef\xbb\xbf-i https://i.test/\r\npwx\r--extra-index-url https://e.test/"),
    files("file-utf16", "-i https://i.test/\npwx\n".encode("utf-16"), refused="UTF-8"),
    files("file-nul", "-i https://i.test/\n\0pwx\n", refused="UTF-8"),
    files("file-quoted", "--extra-index-url 'https://a.test/' -f \"https://f.test/\"\npwx\n", "-i", I),
    files("file-quote-open", "--extra-index-url 'https://a.test/\npwx\n", refused="quotation"),
    files("file-huge-line", "pwx  " + "#" * 1000 + " " + "x" * 300000 + "\n" + "-i https://" + "a" * 300 + ".test/\n--extra-index-url https://e.test/\n"),
    files("file-url", f"pwa @ {whl('a.test')}\n{whl('b.test', 'pwb')}\n", *NO[1:]),
    files("file-url-marker", f"pwa @ {whl('a.test')} ; python_version > '3'\n{whl('b.test', 'pwb')} ; python_version > '3'\n", *NO[1:]),
    files("file-url-hash", f"pwa @ {whl('a.test')}\npwb @ {whl('b--c.test', 'pwb')}\n", *NO[1:]),
    files("file-url-dashes", f"pwa @ {whl('a--b.test')}\n", *NO[1:]),
    files("file-url-constraint", "pwa\n", "--no-index", "-c", "c.txt", beside={"c.txt": f"pwa @ {whl('a.test')}\n"}, since=(21, 1)),
    files("file-links-beside", "-f links\npwx\n", "-i", I, beside={"links/none": ""}),
    Case("remote-file", ("install", "--no-index", "-r", "https://r.test/r.txt"), remote={"r.txt": ""}),
    Case("remote-file-upper", ("install", "--no-index", "-r", "HTTPS://R.Test/r.txt"), remote={"r.txt": ""}),
    files("remote-nested", "-r https://r.test/x.txt\npwx\n", "-i", I),
    files("remote-nested-upper", "-r HTTPS://r.test/x.txt\npwx\n", "-i", I),
    Case("remote-names-hosts", ("install", "-r", "https://r.test/r.txt"), {"PIP_INDEX_URL": I},
         remote={"r.txt": f"--extra-index-url https://hidden.test/\npwa @ {whl('b.test')}\npwx\n"}, beyond=("hidden.test:443", "b.test:443")),
    Case("remote-constraint", ("install", "-c", "https://r.test/c.txt", "-i", I, "pwx"), remote={"c.txt": ""}),
]


def url(name: str, text: str, **more) -> Case:
    """Directly, as the only thing that could lead anywhere."""
    return Case("url-" + name, (*NO, text), **more)


URLS = [
    url("plain", whl("u.test")),
    url("http", "http://u.test:8080/pwa-1.0-py3-none-any.whl"),
    url("name", f"pwa @ {whl('u.test')}"),
    url("name-close", f"pwa@{whl('u.test')}"),
    url("extra", f"pwa[e] @ {whl('u.test')}"),
    url("fragment", whl("u.test") + "#egg=pwa&x=https://other.test/"),
    url("login", whl("good.test@evil.test")),
    url("login-twice", whl("good.test@better.test@evil.test")),
    url("login-port", whl("good.test:443@evil.test")),
    url("login-coded", whl("good.test%2f@evil.test")),
    url("login-semicolon", whl("good.test;@evil.test")),
    url("login-semicolon-name", f"pwa @ {whl('good.test;@evil.test')}", broken=True),
    url("login-hash", whl("good.test#@evil.test")),
    url("login-question", "https://good.test?@evil.test/pwa-1.0-py3-none-any.whl"),
    url("backslash", whl("good.test\\@evil.test")),
    url("backslashes", "https:\\\\evil.test\\pwa-1.0-py3-none-any.whl", nobody=True),
    url("coded-host", whl("%65vil.test")),
    url("coded-dot", whl("evil%2etest")),
    url("idna", whl("b\u00fccher.test"), beyond=("xn--bcher-kva.test:443",)),
    url("idna-ready", whl("xn--bcher-kva.test")),
    url("idna-wide-dot", whl("evil\u3002test"), nobody=True),
    url("idna-wide-letters", whl("\uff45vil.test"), nobody=True),
    url("trailing-dot", whl("u.test.")),
    url("upper", "HTTPS://U.Test/pwa-1.0-py3-none-any.whl"),
    url("port-zero", whl("u.test:0")),
    url("port-default", whl("u.test:443")),
    url("port-empty", whl("u.test:")),
    url("port-zeros", whl("u.test:00444")),
    url("port-other-default", "http://u.test:443/pwa-1.0-py3-none-any.whl"),
    url("port-large", whl("u.test:65536"), nobody=True),
    url("port-zeros-many", whl("u.test:000443"), since=(23, 0)),
    url("port-words", whl("u.test:x"), nobody=True),
    url("tab", "https://u.\ttest/pwa-1.0-py3-none-any.whl", nobody=True, until=(24, 3)),
    url("newline", "https://u.test\n.evil.test/pwa-1.0-py3-none-any.whl", nobody=True, until=(24, 3)),
    url("space-before", " " + whl("u.test")),
    url("six", whl("[2001:DB8::1]:444")),
    url("six-zone", whl("[fe80::1%25eth0]"), nobody=True),
    url("six-open", whl("[::1"), nobody=True),
    url("four", whl("192.0.2.7")),
    url("four-octal", whl("0300.0.2.7")),
    url("four-number", whl("3221225991")),
    url("underscore", whl("u_u.test")),
    url("star", whl("*.test"), nobody=True),
    url("dot-first", whl(".test"), nobody=True, since=(22, 0)),
    url("one-slash", "https:/evil.test/pwa-1.0-py3-none-any.whl", nobody=True),
    url("no-slash", "https:evil.test/pwa-1.0-py3-none-any.whl", nobody=True),
    url("three-slashes", "https:///evil.test/pwa-1.0-py3-none-any.whl", nobody=True),
    url("no-scheme", "//evil.test/pwa-1.0-py3-none-any.whl", nobody=True),
    url("ftp", "ftp://evil.test/pwa-1.0-py3-none-any.whl", nobody=True),
    url("file-host", "file://evil.test/pwa-1.0-py3-none-any.whl", nobody=True),
    url("separator", whl("good.test\u2028.evil.test"), nobody=True),
    url("huge", whl("a." * 30000 + "test"), nobody=True),
    Case("index-login", install("-i", "https://good.test@evil.test/simple", "pwx")),
    Case("index-idna", install("-i", "https://b\u00fccher.test/simple", "pwx"), beyond=("xn--bcher-kva.test:443",)),
    Case("index-backslash", install("-i", "https://good.test\\@evil.test/simple", "pwx")),
    Case("index-port-zero", install("-i", "https://u.test:0/simple", "pwx")),
    Case("index-ftp", install("-i", "ftp://u.test/simple", "-f", "https://f.test/", "pwx"), since=(22, 0)),
    Case("index-one-slash", install("-i", "https:/evil.test/simple", "-f", "https://f.test/", "pwx"), since=(22, 0)),
    Case("index-semicolon", install("-i", "https://good.test;@evil.test/simple", "pwx")),
    Case("index-tab", install("-i", "https://good.test\t.evil.test/simple", "-f", "https://f.test/", "pwx")),
]

CASES = [*CONFIGURATION, *VARIABLES, *OPTIONS, *REQUIREMENTS, *URLS]
