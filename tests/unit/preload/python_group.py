"""Reads of variables in CPython: who is named, and that a program cannot tell the difference.  python_cases/ holds the programs."""
import os
import re
import subprocess

from shim_groups import SECRETS

READ, WALK, COMPILE = "1", "8", "11"


def expected(files, version):
    """What the marks in the files say, as events."""
    events = set()
    for path in files:
        with open(path) as f:
            for number, line in enumerate(f, 1):
                mark = re.search(r"# (READ|WALK) (\S+)(?: (\S+))?$", line.rstrip())
                if not mark:
                    continue
                kind, name, function = mark.groups()
                if kind == "WALK":
                    name, function = "os.environ", name
                if function == "COMPREHENSION":  # a function of its own until 3.12
                    function = "by_name" if version >= (3, 12) else "<listcomp>"
                events.add((READ if kind == "READ" else WALK, name, path, str(number), function))
    return events


class Cases:
    def __init__(self, runner, python, version, check):
        self.runner, self.python, self.version, self.check = runner, python, version, check
        self.folder = runner.lib + "/python_cases"

    def run(self, *args, role=2, **env):
        out, events = self.runner.shimmed(role, [self.python] + list(args), **dict(SECRETS, **env))
        self.check(out[0] == 0 and out[2] == "", "%s %s: %s" % (self.python, args, out))
        return out, events

    def tells(self, wanted, *args, **more):
        """wanted: (kind, name, file, line, function), in any order.  Of reads, or of what is wanted."""
        kinds = {w[0] for w in wanted} | {READ, WALK}
        _, events = self.run(*args, **more)
        got = sorted(tuple(e) for e in events if e[0] in kinds and not e[2].endswith(".pth") or e[0] in (READ, WALK))
        self.check(got == sorted(wanted), "%s %s told\n%s\ninstead of\n%s" % (self.python, args, "\n".join(map(str, got)),
                                                                          "\n".join(map(str, sorted(wanted)))))

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(text)
        return path

    def reads(self):
        files = [self.path(n) for n in ("reads.py", "imported.py", "run.py")]
        made_up = (READ, "GITHUB_TOKEN", "<made up>", "3", "<module>")
        self.tells(expected(files, self.version) | {made_up}, self.path("reads.py"))
        self.tells(expected([self.path("walks.py")], self.version), self.path("walks.py"))
        self.tells([], self.path("reads.py"), role=1)

    def starts(self):
        read = "import os; os.environ['GITHUB_TOKEN']"
        string = [(READ, "GITHUB_TOKEN", "<string>", "1", "<module>")]
        for flags in (["-I"], ["-E", "-s"], ["-X", "dev"]):
            self.tells(string, *(flags + ["-c", read]))
        self.tells(string, "-c", read, PYTHONMALLOC="debug")
        self.tells([(READ, "GITHUB_TOKEN", "<string>", "3", "<module>")], "-S", "-c", read.replace("; ", "\nimport json\n"))
        module = self.path("imported.py")
        self.tells([(READ, "DATABASE_URL", module, "5", "read")], "-c", "import sys; sys.path.insert(0, %r)\n"
                   "import runpy; runpy.run_module('imported', run_name='__main__')" % self.folder)
        self.tells([(READ, "DATABASE_URL", module, "5", "read")], "-m", "imported", PYTHONPATH=self.folder)

    def tools(self):
        """What the standard library or a build tool reads, it reads for its caller; older setuptools run setup.py as a string."""
        tool = self.write("v/lib/site-packages/setuptools/build_meta.py",
                          "import os\ndef get(): return os.environ['GITHUB_TOKEN']\n"
                          "def run_setup(text): exec(text, {'__name__': '__main__'})\n")
        self.write("v/lib/site-packages/setuptools/__init__.py", "")
        folder = os.path.dirname(os.path.dirname(tool))
        own = self.write("setup/setup.py", "from setuptools import build_meta\nbuild_meta.get()\n")
        self.tells([(READ, "GITHUB_TOKEN", own, "2", "<module>")], own, PYTHONPATH=folder)
        text = "import os\ndef f():\n    os.environ['DATABASE_URL']\nsorted([1], key=lambda x: f())\n"
        self.tells([(READ, "DATABASE_URL", self.runner.world + "/setup.py", "3", "f")],
                   "-c", "from setuptools.build_meta import run_setup; run_setup(%r)" % text, PYTHONPATH=folder)
        launch = "exec(compile(%r, '<pip-setuptools-caller>', 'exec'))"
        self.tells([(READ, "GITHUB_TOKEN", tool, "2", "get")], "-c", launch % "import setuptools.build_meta as b; b.get()", PYTHONPATH=folder)
        self.tells([(READ, "GITHUB_TOKEN", "/x/setup.py", "2", "<module>")], "-c",
                   launch % "exec(compile('import os\\nos.environ[\"GITHUB_TOKEN\"]', '/x/setup.py', 'exec'))")
        dependency = self.write("v/lib/site-packages/evil/__init__.py", "import os\nos.environ['ZZZ_LAST']\n")
        self.tells([(READ, "ZZZ_LAST", dependency, "2", "<module>")], "-c", "import evil", PYTHONPATH=folder)

    def compiles(self):
        """Code of a text, where the package's own code makes it: not what the standard library makes for it."""
        made = self.write("makes.py", "import collections, dataclasses, ast, typing\nexec('x = 1')\nfor n in range(3):\n    eval('n')\ncompile(b'1', 'called.py', 'eval')\n"
                          "T = collections.namedtuple('T', 'a b')\nD = dataclasses.make_dataclass('D', ['a'])\nast.parse('1')\n"
                          "exec(compile('pass', '', 'exec'))\nexec(\"exec('y = 2')\")\n")
        string = "<string>"
        self.tells([(COMPILE, string, made, "2", "<module>"), (COMPILE, string, made, "4", "<module>"), (COMPILE, "called.py", made, "5", "<module>"),
                    (COMPILE, string, made, "9", "<module>"), (COMPILE, string, made, "10", "<module>"), (COMPILE, string, string, "1", "<module>")], made)

    def start_up(self):
        pth = self.write("pth/a.pth", "\n# a comment\nimport os; os.environ['GITHUB_TOKEN']\n")
        self.tells([(READ, "GITHUB_TOKEN", pth, "3", "<module>")], "-c", "import site; site.addsitedir(%r)" % os.path.dirname(pth))

    def interpreters(self):
        name = "_interpreters" if self.version >= (3, 13) else "_xxsubinterpreters"
        code = ("import os, %s as i\nfor n in range(3):\n    id = i.create()\n    i.run_string(id, 'import os\\nos.environ[\"GITHUB_TOKEN\"]')\n"
                "    i.destroy(id)\nos.environ['ZZZ_LAST']\n" % name)
        if self.runner.plain([self.python, "-c", "import " + name])[0] == 0:
            script = "<script>" if self.version >= (3, 14) else "<string>"
            self.tells([(READ, "GITHUB_TOKEN", script, "2", "<module>"), (READ, "ZZZ_LAST", "<string>", "6", "<module>")], "-c", code)

    def behaves(self):
        for extra, role in (({}, 3), ({"PYTHONMALLOC": "debug"}, 2)):
            plain = self.runner.plain([self.python, self.path("behaves.py")], **dict(SECRETS, **extra))
            self.check(plain[0] == 0 and plain[1].count("\n") > 100 and "Error" in plain[1], "plain: %s" % (plain,))
            out, events = self.runner.shimmed(role, [self.python, self.path("behaves.py")], **dict(SECRETS, **extra))
            self.check(out == plain, "%s: another behaviour in role %d:\n%s" % (self.python, role, difference(plain, out)))
            self.check(len(events) > 10, "%s: only %d events" % (self.python, len(events)))
            self.check(not any(v in "".join(map("".join, events)) for v in SECRETS.values() if ":" in v), "a value was reported")

    def without_hook(self):
        """No hook, no difference: an interpreter without the functions, or too old."""
        plain = self.runner.plain([self.python, "-c", "import os; print(os.environ['GITHUB_TOKEN'])"], **SECRETS)
        out, events = self.runner.shimmed(2, [self.python, "-c", "import os; print(os.environ['GITHUB_TOKEN'])"], **SECRETS)
        self.check(out == plain and plain[0] == 0 and events == [], "%s: %s %s" % (self.python, out, events))


def difference(plain, out):
    for one, other in zip(plain[1].splitlines(), out[1].splitlines()):
        if one != other:
            return "%s\n%s" % (other[:600], one[:600])
    return "%s" % (out[2][-600:],)


def python(runner, pythons, check):
    seen = 0
    for path in pythons:
        version = subprocess.run([path, "-c", "import sys; print(*sys.version_info[:2])"], stdout=subprocess.PIPE,
                                 universal_newlines=True).stdout.split()
        version = tuple(map(int, version))
        cases = Cases(runner, path, version, check)
        if version < (3, 8):
            cases.without_hook()
            continue
        seen += 1
        for case in (cases.reads, cases.starts, cases.tools, cases.compiles, cases.start_up, cases.interpreters, cases.behaves):
            case()
    check(seen > 0, "there is no CPython of 3.8 or later")
