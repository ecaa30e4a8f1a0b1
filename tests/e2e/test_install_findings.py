"""What pip has installed: judged by the files that lie there afterwards, then by the record.  And what was there before the run."""
from __future__ import annotations

import json
import os
import stat
import time
import zipfile
from pathlib import Path

import pytest

from lib import packages
from lib.index import Index
from lib.schema import errors

NAME, INFO = "pwbrought", "pwbrought-1.0.dist-info"
MARK = "import os; open(os.path.join(os.environ['PWT_HOME'], 'ran'), 'a').close()\n"
NSPKG = ("import sys, types, os;p = os.path.join(sys._getframe(1).f_locals['sitedir'], *('pwspace',));importlib = __import__('importlib.util');"
         "__import__('importlib.machinery');m = sys.modules.setdefault('pwspace', importlib.util.module_from_spec(importlib.machinery.PathFinder.find_spec("
         "'pwspace', [os.path.dirname(p)])));m = m or sys.modules.setdefault('pwspace', types.ModuleType('pwspace'));"
         "mp = (m or []) and m.__dict__.setdefault('__path__',[]);(p not in mp) and mp.append(p)\n")
COVERAGE = ("import sys; exec('import os\\n\\nif os.getenv(\"COVERAGE_PROCESS_START\") or os.getenv(\"COVERAGE_PROCESS_CONFIG\"):\\n try:\\n  import coverage\\n"
            " except:\\n  pass\\n else:\\n  coverage.process_startup(slug=\"pth\")')\n")


# name: (files, files of .data, entry points, rule, where), of those that stay the severity too
TAKEN = {  # back
    "code in a .pth": ({"pwbrought.pth": MARK}, {}, "", "install.pth.hostile", "site/pwbrought.pth"),
    "an encoded one": ({"a.pth": "import base64;exec(base64.b64decode('cGFzcw=='))\n"}, {}, "", "install.pth.hostile", "site/a.pth"),
    "a known name": ({"a1_coverage.pth": MARK}, {}, "", "install.pth.hostile", "site/a1_coverage.pth"),
    "a known line of another's": ({"x.pth": COVERAGE, "coverage/__init__.py": ""}, {}, "", "install.pth.hostile", "site/x.pth"),
    "letters that look alike": ({"x.pth": "import sys; ｅｘｅｃ('pass')\n"}, {}, "", "install.pth.hostile", "site/x.pth"),
    "another end of line": ({"x.pth": "x\x0bimport os\n"}, {}, "", "install.pth.hostile", "site/x.pth"),
    "an extension for a namespace": ({"x-nspkg.pth": NSPKG, "pwspace.cpython-311-x86_64-linux-gnu.so": "\x7fELF"}, {}, "", "install.pth.hostile", "site/x-nspkg.pth"),
    "sitecustomize": ({"sitecustomize.py": "x = 1\n"}, {}, "", "install.customize", "site/sitecustomize.py"),
    "usercustomize as a package": ({"usercustomize/__init__.py": "x = 1\n"}, {}, "", "install.customize", "site/usercustomize"),
}
STAYS = {
    "an import in a .pth": ({"x.pth": "import pwbrought\n"}, {}, "", "install.pth.code", "high", "site/x.pth"),
    "a path that leads outside": ({"x.pth": "/tmp/pwelsewhere\n"}, {}, "", "install.pth.path", "medium", "site/x.pth"),
    "a command of the system": ({}, {"scripts/ssh": "#!python\nprint('pw')\n"}, "", "install.shadow.command", "high", "venv/bin/ssh"),
    "a module of the library": ({"json.py": ""}, {}, "", "install.shadow.library", "low", "site/json.py"),
    "byte code without source": ({"pwbrought/hidden.pyc": "\x00"}, {}, "", "install.bytecode", "medium", "site/pwbrought/hidden.pyc"),
    "byte code of a cache": ({"pwbrought/__pycache__/x.cpython-39.pyc": "\x00"}, {}, "", "install.bytecode.cache", "info", "site/pwbrought/__pycache__/x.cpython-39.pyc"),
    "a unit": ({}, {"data/share/systemd/user/pw.service": "[Service]\n"}, "", "install.data", "medium", "venv/share/systemd/user/pw.service"),
    "a completion": ({}, {"data/share/bash-completion/completions/pw": ""}, "", "install.data.completion", "info", "venv/share/bash-completion/completions/pw"),
    "a plug-in of pytest": ({}, {}, "[pytest11]\nx = pwbrought\n", "install.plug-in", "info", f"site/{INFO}/entry_points.txt"),
    "a namespace package": ({"pwspace-nspkg.pth": NSPKG, "pwspace/mod.py": ""}, {}, "", "install.pth.known", "info", "site/pwspace-nspkg.pth"),
}
HONEST = {
    "a .pth with folders": ({"pwbrought.pth": "pwbrought\n# a note\n"}, {}, ""),
    "names that only begin so": ({"sitecustomizer.py": "", "pwbrought/sitecustomize.py": "", "pwbrought/x.pth": MARK}, {}, ""),
    "a command": ({}, {"scripts/pwcommand": "#!python\n"}, "[console_scripts]\npwother = pwbrought:main\n"),
    "data": ({}, {"data/share/man/man1/pw.1": "", "data/share/doc/pw/x": "", "data/etc/pw.conf": ""}, ""),
    "modules of its own": ({"pwbrought_one.py": "", "pwbrought/json.py": "", "tests/__init__.py": ""}, {}, ""),
}


def everything(folder: Path) -> dict:
    """Every file with its mode and content, every folder, byte code too."""
    found = {}
    for path in sorted(folder.rglob("*")):
        st = path.lstat()
        found[str(path.relative_to(folder))] = (oct(st.st_mode), os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None)
    return found


def make(world, files, data=None, points="", name=NAME, version="1.0", record=None):
    folder = world.root / "links"
    path = packages.wheel(folder, name, version, {f"{name}/__init__.py": "", **files}, data=data, entry_points=points)
    if record:
        rewrite(path, record)
    packages.pure_wheel(folder)
    world.own_tree(folder)
    return ["pip", "install", "--no-index", "--find-links", folder]


def rewrite(path: Path, change) -> None:
    """change(RECORD) -> RECORD."""
    with zipfile.ZipFile(path) as z:
        content = {n: z.read(n) for n in z.namelist()}
    with zipfile.ZipFile(path, "w") as z:
        for n, c in content.items():
            z.writestr(n, change(c.decode()) if n.endswith("/RECORD") else c)


def place(world, where: str) -> str:
    top, _, rest = where.partition("/")
    return str({"site": world.site_packages(), "venv": world.venv}[top] / rest)


def finding(result, rule):
    found = [e for e in result.of_type("install.finding") if e["rule"] == rule]
    assert found, f"no {rule}\n{result}"
    return found[0]


@pytest.fixture
def ready(make_world, user, templates, distribution):
    world = make_world(user)
    world.use_venv(templates, distribution)
    return world


@pytest.fixture
def users_own(make_world, user_named, templates, distribution):
    world = make_world(user_named("user"))
    world.use_venv(templates, distribution)
    return world


def quarantine(world) -> Path:
    (found,) = (world.home / ".local/state/pipwarden/runs").glob("*/quarantine")
    return found


# --- taken back

@pytest.mark.parametrize("case", TAKEN)
def test_taken_back(case, ready):
    files, data, points, rule, where = TAKEN[case]
    before = everything(ready.venv)
    held = ready.guarded([*make(ready, files, data, points), NAME])
    assert everything(ready.venv) == before, f"something of it is left\n{held}"
    assert held.status == 100 and held.end["verdict"] == "malicious", str(held)
    event = finding(held, rule)
    assert event["severity"] == "critical" and event["action"] == "denied" and event["source"] == "kernel" and event["role"] == "installer"
    assert event["package"] == {"name": NAME, "version": "1.0", "stage": "install"} and event["target"]["path"] == place(ready, where), event
    kept = quarantine(ready)
    assert str(kept) in event["hint"] and rule in event["hint"] and str(kept) in held.err, str(held)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o700 and kept.stat().st_uid == ready.user.uid
    assert (kept / place(ready, where).lstrip("/")).exists(), sorted(kept.rglob("*"))
    assert not held.of_type("install.left") and not [e for e in held.events if e.get("rule") == "install.left"], str(held)
    ready.run([ready.venv / "bin/python", "-c", "pass"], {"PWT_HOME": str(ready.home)})
    assert not (ready.home / "ran").exists()


@pytest.mark.parametrize("honest_first", [False, True])
def test_a_package_beside_it(honest_first, users_own, templates, distribution):
    argv = make(users_own, {"pwbrought.pth": MARK, "pwpure/extra.py": ""}, {"scripts/pwcommand": "#!python\n"})
    if honest_first:
        assert users_own.guarded([*argv, "pwpure"]).status == 0
        honest = everything(users_own.venv)
        held = users_own.guarded([*argv, NAME])
    else:
        users_own.guarded([*argv, "pwpure"])
        honest = everything(users_own.venv)
        users_own.use_venv(templates, distribution)
        held = users_own.guarded([*argv, "pwpure", NAME])
    after = everything(users_own.venv)
    assert held.status == 100 and set(after) == set(honest) and (after == honest or not honest_first), f"{set(after) ^ set(honest)}\n{held}"
    assert users_own.run(["pwpure"]).out == "pure\n"


def test_anothers_file_stays(users_own):
    """What another distribution's RECORD names, and still is that file, is not taken with it."""
    argv = make(users_own, {"pwbrought.pth": MARK, "pwshared/__init__.py": "same\n", "pwshared/own.py": ""})
    packages.wheel(users_own.root / "links", "pwother", "1.0", {"pwshared/__init__.py": "same\n"})
    held = users_own.guarded([*argv, "pwother", NAME])
    site = users_own.site_packages()
    assert (site / "pwshared/__init__.py").read_text() == "same\n" and not (site / "pwshared/own.py").exists(), str(held)
    assert not (site / "pwbrought.pth").exists() and not (site / INFO).exists() and (site / "pwother-1.0.dist-info/RECORD").exists()
    assert finding(held, "install.left")["target"]["path"] == str(site / "pwshared/__init__.py") and held.status == 100


def test_more_stays_than_is_written_down(users_own):
    """What is refused is said first; what stays by name (60 files and their byte code), and of the rest how many."""
    shared = {f"pwshared/x{i}.py": "same\n" for i in range(60)}
    argv = make(users_own, {"pwbrought.pth": MARK, **shared})
    packages.wheel(users_own.root / "links", "pwother", "1.0", shared)
    held = users_own.guarded([*argv, "pwother", NAME])
    found = held.of_type("install.finding")
    left = [e for e in found if e["rule"] == "install.left"]
    named = [e for e in left if "path" in e.get("target", {})]
    assert (len(named), len(left)) == (50, 51) and "70 more" in left[-1]["hint"], str(held)
    assert found.index(finding(held, "install.pth.hostile")) < found.index(left[0]) and held.status == 100, str(held)


def line_of(name: str, content: str) -> str:
    return packages._record_line(name, content.encode())


@pytest.mark.parametrize("at_once", [True, False])
def test_a_second_one_that_claims_it(at_once, users_own):
    """Its RECORD names the start-up file too, with the right hash: that keeps nothing."""
    argv = make(users_own, {"pwbrought.pth": MARK})
    second = packages.wheel(users_own.root / "links", "pwsecond", "1.0", {"pwsecond/__init__.py": "", **({"pwbrought.pth": MARK} if at_once else {})})
    rewrite(second, lambda record: record + line_of("pwbrought.pth", MARK))
    if not at_once:
        users_own.guarded([*argv, "pwsecond"])
    held = users_own.guarded([*argv, *(["pwsecond"] if at_once else []), NAME])
    site = users_own.site_packages()
    assert not (site / "pwbrought.pth").exists() and not (site / INFO).exists() and held.status == 100, str(held)
    assert (site / "pwsecond").exists() != at_once, str(held)


def test_more_start_up_files_than_are_looked_at(users_own):
    """None of them stays, and what the record says of each is so."""
    before = everything(users_own.venv)
    held = users_own.guarded([*make(users_own, {f"x{i:04}.pth": "pwbrought\n" for i in range(1400)}), NAME])
    assert everything(users_own.venv) == before and held.status == 100, str(held)
    assert 800 == len([e for e in held.of_type("install.finding") if e["rule"] == "install.pth.hostile" and "moved to" in e["hint"]]), str(held)


def bring_infos(path: Path, count: int) -> None:
    """As many .dist-info beside its own, by way of .data: each names all start-up files of the wheel, with the right hashes."""
    with zipfile.ZipFile(path) as z:
        record = next(z.read(n) for n in z.namelist() if n == f"{INFO}/RECORD").decode()
    start_ups = "".join(line + "\n" for line in record.splitlines() if line.split(",")[0].endswith(".pth"))
    base = INFO.removesuffix(".dist-info")
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as z:
        for i in range(count):
            z.writestr(f"{base}.data/purelib/pwmore{i}-1.0.dist-info/RECORD", start_ups)


def test_start_up_files_times_records(users_own):
    """Each number is one that is looked at: their product is no way to keep the judging from its end.  Hostile is what is judged, and what is not any more."""
    lines = "".join(NSPKG.replace("pwspace", f"pwspace{i}") for i in range(20))
    argv = make(users_own, {"aa.pth": MARK, **{f"x{i:03}.pth": lines for i in range(300)}, "zz.pth": MARK})
    bring_infos(next((users_own.root / "links").glob(f"{NAME}-*")), 200)
    before = everything(users_own.venv)
    begun = time.monotonic()
    held = users_own.guarded([*argv, NAME], timeout=120)
    took = time.monotonic() - begun
    after = everything(users_own.venv)
    assert after == before, f"{sorted(set(after) ^ set(before))}\n{held}"
    assert held.status == 100 and held.end["verdict"] == "malicious", str(held)
    event = finding(held, "install.pth.hostile")
    assert event["target"]["path"] == place(users_own, "site/aa.pth") and event["action"] == "denied" and "operating system" in event["hint"], event
    assert (quarantine(users_own) / place(users_own, "site/zz.pth").lstrip("/")).exists()
    assert took < 20, took  # 3 where nothing else runs


def test_only_the_users_project_is_editable(users_own):
    """A wheel beside it says that it is one as well."""
    url = json.dumps({"url": "file:///home/somebody/pwbrought", "dir_info": {"editable": True}})
    finder = {"x.pth": "import _pwbrought_editable\n", "_pwbrought_editable.py": "", "y.pth": "/home/somebody/pwbrought\n", f"{INFO}/direct_url.json": url}
    argv = make(users_own, finder)
    (users_own.work / "pwlocal").mkdir()
    users_own.write(users_own.work / "setup.py", "from setuptools import setup\nsetup(name='pwlocal', version='1.0', packages=['pwlocal'])\n", 0o644)
    users_own.write(users_own.work / "pwlocal/__init__.py", "", 0o644)
    users_own.own_tree(users_own.work)
    packages.build_tools(users_own.root / "links")
    held = users_own.guarded([*argv, "-e", ".", NAME])
    assert finding(held, "install.pth.code")["package"]["name"] == NAME and finding(held, "install.pth.path")["target"]["path"].endswith("/y.pth"), str(held)
    assert {e["rule"] for e in held.above("info")} == {"install.pth.code", "install.pth.path"}, str(held)


def test_what_path_finds_first(users_own):
    """A name of the system's that PATH finds there first shadows nothing; one of a folder that is not on PATH will, once that is."""
    argv = make(users_own, {}, {"scripts/ls": "#!python\n"})
    for path, rule in ((f"/usr/bin:/bin:{users_own.venv}/bin/", "install.shadow.name"), (f"{users_own.venv}/bin/:/usr/bin:/bin", "install.shadow.command"),
                       ("/usr/bin:/bin", "install.shadow.command")):
        held = users_own.guarded([users_own.venv / "bin/python", "-m", *argv, "--force-reinstall", NAME], {"PATH": path})
        assert finding(held, rule)["target"]["path"] == str(users_own.venv / "bin/ls"), f"{path}\n{held}"


def lie(record: str) -> str:
    """Hashes of other files, one that is not there, and names of files that are not its own."""
    lines = [line.split(",") for line in record.splitlines()]
    changed = [",".join([line[0], "sha256=" + "A" * 43 if line[1] else "", line[2]]) for line in lines]
    return "\n".join([*changed, "pwbrought/absent.py,,", "../../../../home/.profile,,", "setuptools/__init__.py,,", "/etc/passwd,,", ""])


def test_what_is_written(users_own):
    """Names come from the package: escaped as all others, and every line is what the schema says."""
    held = users_own.guarded([*make(users_own, {"pw\x1b[31m\u202ebrought.pth": MARK, "x.pth": "import pwbrought\n"}, {"scripts/ssh": "#!python\n"}), NAME])
    schema = json.loads((Path(__file__).resolve().parents[2] / "docs/schema/events.schema.json").read_text())
    held.events.extend(users_own.guarded(["pip", "list"]).events)
    assert [e for line in held.events for e in errors(line, schema, schema)] == [], str(held)
    assert "\\u001b[31m\\u202e" in held.journal.read_text() and "\x1b" not in held.journal.read_text() and "\x1b[31m" not in held.err


def test_a_record_that_lies(ready):
    """RECORD is the package's own word: wrong hashes keep nothing, and what it names of others stays."""
    ready.write(ready.home / ".profile", "# the user's own\n")
    before = everything(ready.venv)
    held = ready.guarded([*make(ready, {"pwbrought.pth": MARK}, {"scripts/pwcommand": "#!/bin/sh\n"}, record=lie), NAME])
    assert everything(ready.venv) == before and (ready.home / ".profile").read_text() == "# the user's own\n", str(held)
    rules = {e["rule"] for e in held.of_type("install.finding")}
    assert {"install.pth.hostile", "install.record.hash", "install.record.absent", "install.record.foreign", "install.record.outside"} <= rules, str(held)
    assert held.status == 100


def test_an_older_version_is_not_brought_back(users_own):
    argv = make(users_own, {"pwbrought/old.py": ""}, version="0.9")
    assert users_own.guarded([*argv, NAME]).status == 0
    make(users_own, {"pwbrought.pth": MARK})
    held = users_own.guarded([*argv, "-U", NAME])
    site = users_own.site_packages()
    assert not list(site.glob("pwbrought*")), str(held)
    assert "not brought back: pwbrought-0.9.dist-info" in finding(held, "install.pth.hostile")["hint"] and held.status == 100


PLACES = {"--target": lambda w: ["--target", w.root / "target"], "--prefix": lambda w: ["--prefix", w.root / "prefix"], "--root": lambda w: ["--root", w.root / "rooted"]}


@pytest.mark.parametrize("option", PLACES)
def test_other_places(option, ready):
    outside = [ready.root / n for n in ("target", "prefix", "rooted")]
    held = ready.guarded([*make(ready, {"pwbrought.pth": MARK}, {"scripts/pwcommand": "#!python\n"}), *PLACES[option](ready), NAME])
    assert [p for folder in outside for p in folder.rglob("*") if not p.is_dir()] == [], str(held)
    assert held.status == 100 and finding(held, "install.pth.hostile")["package"]["name"] == NAME
    honest = ready.guarded([*make(ready, {}), *PLACES[option](ready), "pwpure"])
    assert honest.status == 0 and honest.above("info") == [] and [p for folder in outside for p in folder.rglob("pwpure") if not p.is_dir()], str(honest)


def test_the_users_own_folder(make_world, user_named):
    world = make_world(user_named("user"))
    argv = ["pip", "install", "--user", "--break-system-packages", *make(world, {"pwbrought.pth": MARK})[2:], NAME]
    held = world.guarded(argv)
    assert held.status == 100 and not [p for p in (world.home / ".local").rglob("pwbrought*") if "quarantine" not in p.parts], str(held)


def test_without_a_state_folder(users_own):
    """The journal was named, and nothing can be kept: it is removed."""
    users_own.write(users_own.home / "no", "")
    before = everything(users_own.venv)
    held = users_own.guarded([*make(users_own, {"pwbrought.pth": MARK}), NAME], {"XDG_STATE_HOME": str(users_own.home / "no")})
    assert held.status == 100 and everything(users_own.venv) == before, str(held)
    assert "removed" in finding(held, "install.pth.hostile")["hint"]


# --- what stays, and is said

@pytest.mark.parametrize("case", STAYS)
def test_recorded(case, ready):
    files, data, points, rule, severity, where = STAYS[case]
    held = ready.guarded([*make(ready, files, data, points), NAME])
    event = finding(held, rule)
    assert Path(place(ready, where)).exists() and (event["severity"], event["action"]) == (severity, "allowed"), f"{event}\n{held}"
    assert event["target"]["path"] == place(ready, where) and event["package"]["name"] == NAME
    assert held.status == (100 if severity == "high" else 0), str(held)
    assert [e for e in held.above("info") if e["rule"] != rule] == [], str(held)


@pytest.mark.parametrize("case", HONEST)
def test_honest(case, ready):
    files, data, points = HONEST[case]
    held = ready.guarded([*make(ready, files, data, points), NAME])
    assert held.status == 0 and held.err == "" and held.of_type("install.finding") == [], str(held)


def test_a_known_line_of_its_own_package(users_own):
    held = users_own.guarded([*make(users_own, {"a1_coverage.pth": COVERAGE}, name="coverage"), "coverage"])
    assert held.status == 0 and held.err == "" and finding(held, "install.pth.known")["package"]["name"] == "coverage", str(held)


def test_anothers_start_up_file_overwritten(users_own):
    """The code goes, and it is said that the other one's is not brought back."""
    argv = make(users_own, {"distutils-precedence.pth": MARK})
    held = users_own.guarded([*argv, NAME])
    assert not (users_own.site_packages() / "distutils-precedence.pth").exists() and held.status == 100, str(held)
    hint = finding(held, "install.overlap")["hint"]
    assert "setuptools" in hint and "reinstall" in hint, hint


def test_files_of_two(users_own):
    argv = make(users_own, {"pwshared/__init__.py": "two\n", "tests/__init__.py": "two\n"})
    packages.wheel(users_own.root / "links", "pwother", "1.0", {"pwshared/__init__.py": "one\n", "tests/__init__.py": "one\n", "pwfirst/__init__.py": ""})
    packages.wheel(users_own.root / "links", "pwplug", "1.0", {"pwfirst/plug.py": ""})
    assert users_own.guarded([*argv, "pwother"]).status == 0
    held = users_own.guarded([*argv, NAME, "pwplug"])
    assert finding(held, "install.overlap")["severity"] == "medium" and "pwother-1.0" in finding(held, "install.overlap")["hint"]
    assert finding(held, "install.overlap.common")["severity"] == "info"
    assert finding(held, "install.inside")["package"]["name"] == "pwplug" and held.status == 0, str(held)


def test_the_policy_allows_it(users_own):
    policy = users_own.write(users_own.home / "policy.json", '{"version": 1, "actions": {"install.pth.hostile": "allow"}}')
    held = users_own.guarded([*make(users_own, {"pwbrought.pth": MARK}), NAME], options=["--policy", policy])
    assert held.status == 0 and (users_own.site_packages() / "pwbrought.pth").exists() and held.above("info") == [], str(held)
    assert finding(held, "install.pth.hostile")["action"] == "allowed"


def test_audit(users_own):
    held = users_own.guarded([*make(users_own, {"pwbrought.pth": MARK}), NAME], options=["--audit"])
    assert held.status == 0 and (users_own.site_packages() / "pwbrought.pth").exists(), str(held)
    event = finding(held, "install.pth.hostile")
    assert (event["action"], event["would"]) == ("observed", "denied") and not list((users_own.home / ".local/state").rglob("quarantine"))


def test_on_violation_abort(users_own):
    before = everything(users_own.venv)
    held = users_own.guarded([*make(users_own, {"x.pth": "import pwbrought\n"}), NAME], options=["--on-violation", "abort"])
    assert held.status == 100 and everything(users_own.venv) == before, str(held)


@pytest.mark.parametrize("stage", ["metadata", "build"])
def test_nothing_is_installed_after_an_abort(stage, ready):
    """The wheel beside it is not installed either: pip had not begun."""
    act = "try: open(os.environ['PWT_HOME'] + '/.ssh/id_ed25519').read()\nexcept OSError: pass\n"
    setup = {"metadata": f"import os\n{act}from setuptools import setup\nsetup(name='pwbad', version='1.0')\n",
             "build": "import os\nfrom setuptools import setup\nfrom distutils.command.build import build\nclass b(build):\n    def run(self):\n"
                      "        try: open(os.environ['PWT_HOME'] + '/.ssh/id_ed25519').read()\n        except OSError: pass\n        build.run(self)\n"
                      "setup(name='pwbad', version='1.0', py_modules=[], cmdclass={'build': b})\n"}[stage]
    ready.plant_canaries()
    argv = make(ready, {})
    packages.build_tools(ready.root / "links")
    packages.sdist(ready.root / "links", "pwbad", "1.0", {"setup.py": setup})
    before = everything(ready.venv)
    held = ready.guarded([*argv, "pwpure", "pwbad"], {"PWT_HOME": str(ready.home)})
    assert held.status == 100 and everything(ready.venv) == before, str(held)
    assert [e["package"]["stage"] for e in held.events if e.get("action") == "aborted"] == [stage], str(held)


# --- before the run

def test_start_up_code_is_listed_once(ready):
    site = ready.site_packages()
    ready.write(site / "there.pth", "import colorsys\n", 0o644)
    first = ready.guarded(["pip", "list"])
    (event,) = first.of_type("run.startup")
    assert (event["rule"], event["severity"], event["target"]["path"]) == ("start-up.there", "info", str(site / "there.pth")) and first.err == "", str(first)
    assert ready.guarded(["pip", "list"]).of_type("run.startup") == []
    ready.write(site / "new.pth", "import colorsys\n", 0o644)
    second = ready.guarded(["pip", "list"])
    (event,) = second.of_type("run.startup")
    assert (event["rule"], event["severity"], event["action"]) == ("start-up.new", "low", "observed") and "package" not in event, event
    assert second.status == 0 and str(site / "new.pth") in second.err and "no package brought" in second.err, str(second)
    (state,) = (ready.home / ".local/state/pipwarden/startup").iterdir()
    assert stat.S_IMODE(state.stat().st_mode) == 0o600 and stat.S_IMODE(state.parent.stat().st_mode) == 0o700 and state.stat().st_uid == ready.user.uid
    assert ready.guarded(["pip", "list"]).of_type("run.startup") == []
    (site / "new.pth").unlink()
    ready.write(site / "new.pth", "import colorsys, sys\n", 0o644)
    assert [e["rule"] for e in ready.guarded(["pip", "list"]).of_type("run.startup")] == ["start-up.new"]


def test_what_brought_it(users_own):
    """By its RECORD, with the module that it imports; what a guarded run installed is that run's finding and not listed again."""
    argv = make(users_own, {"x.pth": "import pwbrought\n"})
    users_own.guarded(["pip", "list"])
    assert finding(users_own.guarded([*argv, NAME]), "install.pth.code") and users_own.guarded(["pip", "list"]).of_type("run.startup") == []
    users_own.guarded(["pip", "uninstall", "-y", NAME])
    users_own.run([*argv, NAME])  # past pipwarden
    (event,) = users_own.guarded(["pip", "list"]).of_type("run.startup")
    assert event["package"] == {"name": NAME, "version": "1.0"} and "whose module is as recorded" in event["hint"], event
    users_own.guarded(["pip", "uninstall", "-y", NAME])
    users_own.run([*argv, NAME])
    users_own.write(users_own.site_packages() / "pwbrought/__init__.py", MARK, 0o644)
    users_own.write(users_own.site_packages() / "x.pth", "import pwbrought \n", 0o644)
    (event,) = users_own.guarded(["pip", "list"]).of_type("run.startup")
    assert (event["rule"], event["severity"]) == ("start-up.changed", "medium") and "not the file that its RECORD names" in event["hint"], event


def test_more_start_up_files_than_are_listed(users_own):
    users_own.guarded(["pip", "list"])
    for i in range(513):
        users_own.write(users_own.site_packages() / f"x{i}.pth", "", 0o644)
    for _ in range(2):
        held = users_own.guarded(["pip", "list"])
        (event,) = held.of_type("run.startup")
        assert (event["rule"], event["severity"]) == ("start-up.unread", "medium") and held.status == 0 and "more" in held.err, str(held)


def test_start_up_that_is_no_file(users_own):
    """Links are not followed, and a state that is broken counts as none."""
    (users_own.site_packages() / "sitecustomize.py").symlink_to("/dev/zero")
    os.mkfifo(users_own.site_packages() / "usercustomize.py")
    first = users_own.guarded(["pip", "list"], timeout=60)
    assert first.status == 0 and len(first.of_type("run.startup")) == 2, str(first)
    (state,) = (users_own.home / ".local/state/pipwarden/startup").iterdir()
    state.write_text("[1, {")
    again = users_own.guarded(["pip", "list"])
    assert again.status == 0 and {e["rule"] for e in again.of_type("run.startup")} == {"start-up.there"}, str(again)
    assert users_own.guarded(["pip", "list"]).of_type("run.startup") == []


def test_modules_that_the_source_does_not_have(make_world, user, base, templates, distribution):
    """A wheel's are found in the source wherever they lie there; what the build makes is told, also what an earlier step has laid beside the source."""
    folder = base / f"unsourced-{user.name}"
    packages.build_tools(folder)
    make = "import os\nos.makedirs('made', exist_ok=True)\nopen('made/__init__.py', 'w').close()\nopen('extra.py', 'w').close()\n"
    for name, setup, modules in (("pwsourced", "", "packages=['own', 'own.sub'], package_dir={'': 'src'}, py_modules=['alone']"),
                                 ("pwmade", make, "packages=['own', 'made'], package_dir={'own': 'src/own'}, py_modules=['extra']")):
        packages.sdist(folder, name, "1.0", {"setup.py": f"{setup}from setuptools import setup\nsetup(name='{name}', version='1.0', {modules})\n",
                                             "src/own/__init__.py": "", "src/own/sub/__init__.py": "", "src/alone.py": ""})
    with Index(folder) as index:
        world = make_world(user, index=index)
        for name, wanted in (("pwsourced", []), ("pwmade", ["extra.py", "made/__init__.py"])):
            world.use_venv(templates, distribution)
            held = world.guarded(["pip", "install", "--no-build-isolation", name])
            told = [e for e in held.of_type("install.finding") if e["rule"] == "install.unsourced"]
            assert held.status == 0 and sorted(e["target"]["path"] for e in told) == wanted and all(e["severity"] == "info" for e in told), str(held)
