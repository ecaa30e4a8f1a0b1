"""What honest builds and honest machines do, and a careless sandbox breaks: each row as without pipwarden, and no event above info.

One build (tests/fixtures/honest) goes through the rows that are a package's; it is made plainly once a user and guarded once for each user, with and
without namespaces.  The rows that are the machine's (its umask, temp folder, users …) are a test each."""
from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from conftest import USERS, cannot
from lib import packages
from lib.world import World, differences, normalise, snapshot

SOURCE = packages.FIXTURES / "honest"
TEXT = "".join(path.read_text() for path in sorted(SOURCE.glob("rows_*.py")))
ROWS = re.findall(r"^@row\ndef (\w+)\(", TEXT, re.M)
NEEDS_NAMESPACES = re.findall(r'"(\w+)"', re.search(r"^NAMESPACES = (.*)$", TEXT, re.M)[1])
CASES = [(user, hide) for hide in ("", "namespaces") for user in USERS]
CASE_IDS = [f"{user}-{hide or 'nothing'}" for user, hide in CASES]


@pytest.fixture(scope="module")
def build_of(base, pipwarden, templates, distribution, user_named):
    """build_of(user name, guarded, hide): (result, rows); each build is made once."""
    known, worlds = {}, {}

    def make(name, guarded, hide=""):
        key = (name, guarded, hide)
        if key not in known:
            if name not in worlds:
                worlds[name] = World(Path(tempfile.mkdtemp(prefix="l", dir=base)), user_named(name), pipwarden)
                packages.sdist(worlds[name].root, "pwhonest", "1.0", {**packages.tree(SOURCE), "pwhonest/__init__.py": ""}).chmod(0o644)
            world = worlds[name]
            world.hide = hide
            world.use_venv(templates, distribution)
            argv = ["pip", "install", "--no-index", "--no-build-isolation", world.root / "pwhonest-1.0.tar.gz"]
            result = (world.guarded if guarded else world.run)(argv, timeout=400)
            path = world.site_packages() / "pwhonest/results.json"
            known[key] = result, json.loads(path.read_text()) if path.exists() else {}
        return known[key]

    yield make
    for world in worlds.values():
        shutil.rmtree(world.root, ignore_errors=True)


# Without namespaces a build has no datagrams: less is allowed there (docs/kernel.md).
ROW_CASES = [(user, hide, row) for user, hide in CASES for row in ROWS if not (hide and row in NEEDS_NAMESPACES)]


@pytest.mark.parametrize("user,hide,row", ROW_CASES, ids=[f"{u}-{h or 'nothing'}-{r}" for u, h, r in ROW_CASES])
def test_row(user, hide, row, build_of):
    plain, before = build_of(user, False)
    assert plain.status == 0 and row in before, str(plain)
    if before[row]["value"] is None:
        pytest.skip("its tool is not here, or not for this user")
    assert not re.match(r"\w*(Error|Expired): ", str(before[row]["value"])), f"the row does not work by itself: {before[row]}"
    held, after = build_of(user, True, hide)
    assert row in after, f"the build did not get there\n{held}"
    assert after[row]["value"] == before[row]["value"]


@pytest.mark.parametrize("user,hide", CASES, ids=CASE_IDS)
def test_nothing_above_info(user, hide, build_of):
    held, _ = build_of(user, True, hide)
    assert held.status == 0, str(held)
    assert held.above("info") == [], str(held)


# --- what a wheel may bring

# setuptools writes this line.
NAMESPACE = ("import sys, types, os;has_mfs = sys.version_info > (3, 5);p = os.path.join(sys._getframe(1).f_locals['sitedir'], *('pwspace',));"
             "importlib = has_mfs and __import__('importlib.util');has_mfs and __import__('importlib.machinery');"
             "m = has_mfs and sys.modules.setdefault('pwspace', importlib.util.module_from_spec(importlib.machinery.PathFinder.find_spec('pwspace', [os.path.dirname(p)])));"
             "m = m or sys.modules.setdefault('pwspace', types.ModuleType('pwspace'));mp = (m or []) and m.__dict__.setdefault('__path__',[]);(p not in mp) and mp.append(p)\n")


def test_wheels_of_every_shape(make_world, templates, distribution, user_named):
    """T-11 executable .pth files, T-29 data below share and etc, T-40 files named like secrets."""
    world = make_world(user_named("user"))
    folder = world.root / "links"
    names = ("tests/id_rsa", "tests/server.key", "tests/.netrc", ".env.example", "credentials.json", "cacert.pem")
    packages.wheel(folder, "pwshapes", "1.0", {
        "pwshapes/__init__.py": "", **{f"pwshapes/{n}": n for n in names},
        "pwshapes-nspkg.pth": NAMESPACE, "pwpaths.pth": "pwshapes\n",
    }, data={f"data/{n}": n for n in ("share/jupyter/kernels/pw/kernel.json", "etc/jupyter/pw.json", "share/man/man1/pw.1", "share/applications/pw.desktop",
                                      "share/bash-completion/completions/pw")} | {"headers/pw.h": "int x;\n"})
    world.own_tree(folder)
    results = []
    for guarded in (False, True):
        world.use_venv(templates, distribution)
        result = (world.guarded if guarded else world.run)(["pip", "install", "--no-index", "--find-links", folder, "pwshapes"])
        results.append((result, snapshot(world.venv)))
    (plain, before), (held, after) = results
    assert plain.status == 0 and held.status == 0, str(held)
    assert differences(after, before) == [] and normalise(held.out) == normalise(plain.out) and held.above("info") == [], str(held)


def test_index_with_a_password(make_world, templates, distribution, index, user_named):
    """T-03 a .netrc, T-05 a password in the index URL: pip uses them, the record does not show them."""
    world = make_world(user_named("user"))
    world.use_venv(templates, distribution)
    world.write(world.home / ".netrc", f"machine {index.host}\nlogin netrc-user\npassword netrc0canary0password\n")
    url = index.url.replace("http://", "http://someone:url0canary0password@")
    held = world.guarded(["pip", "install", "pwpure"], {"PIP_INDEX_URL": url, "PIP_TRUSTED_HOST": index.host})
    assert held.status == 0 and held.above("info") == [], str(held)
    assert "canary0password" not in held.journal.read_text()


# --- what a machine may be like

NATIVE = ["pip", "install", "pwnative"]


def installs(world, env=None, argv=NATIVE, options=(), **more):
    held = world.guarded(argv, env, options=options, **more)
    assert held.status == 0 and held.above("info") == [], str(held)
    assert world.run([world.venv / "bin/python", "-c", "import pwnative; print(pwnative.add(1, 2))"], **more).out == "3\n"
    return held


@pytest.fixture
def ready(make_world, templates, distribution, index, user):
    world = make_world(user, index=index)
    world.use_venv(templates, distribution)
    return world


def test_temp_folder_with_spaces_and_letters(ready):
    temp = ready.root / "mit Leerzeichen und Ümläuten ☂"
    temp.mkdir()
    ready.own(temp)
    installs(ready, {"TMPDIR": str(temp)})
    assert list(temp.iterdir()) == []


@pytest.mark.parametrize("where", ["another device", "/dev/shm"])
def test_temp_folder_in_memory(where, ready):
    """A device of its own; a sandbox's own /dev/shm hides what is in the machine's."""
    temp = ready.root / "memory" if where == "another device" else Path(tempfile.mkdtemp(prefix="pwt", dir="/dev/shm"))
    temp.mkdir(exist_ok=True)
    mounted = where == "another device" and subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", temp], capture_output=True).returncode == 0
    try:
        if where == "another device" and not mounted:
            cannot("no file system can be mounted here")
        temp.chmod(0o755)
        ready.own(temp)
        assert temp.stat().st_dev != ready.home.stat().st_dev
        installs(ready, {"TMPDIR": str(temp)})
        assert list(temp.iterdir()) == []
    finally:
        if mounted:
            subprocess.run(["umount", "-l", temp], check=False)
        shutil.rmtree(temp, ignore_errors=True)


@pytest.mark.parametrize("mask", [0o000, 0o077, 0o027], ids=oct)
def test_umask(mask, make_world, templates, distribution, index, user_named):
    world = make_world(user_named("user"), index=index)
    seen = []
    for guarded in (False, True):
        world.use_venv(templates, distribution)
        result = (world.guarded if guarded else world.run)(NATIVE, umask=mask)
        assert result.status == 0 and result.above("info") == [], str(result)
        seen.append(snapshot(world.venv))
    assert differences(seen[1], seen[0]) == []


def test_user_without_a_name(make_world, templates, distribution, index):
    from lib.world import User
    world = make_world(User("64998", 64998, 64998), index=index)
    world.use_venv(templates, distribution)
    installs(world, {"USER": "", "LOGNAME": ""})


@pytest.mark.parametrize("home", ["/nonexistent", "/", None], ids=str)
def test_home_that_is_not_there(home, make_world, templates, distribution, index):
    """As in containers that run as any number; the record is named with --log."""
    from lib.world import User
    world = make_world(User("64998", 64998, 64998), index=index)
    world.use_venv(templates, distribution)
    unset = ["/usr/bin/env", "-u", "HOME"] if home is None else ["/usr/bin/env", f"HOME={home}"]
    journal = world.new_journal()
    held = world.run([*unset, world.pipwarden, "--log", journal, *NATIVE])
    held.journal = journal
    assert held.status == 0 and held.above("info") == [], str(held)


@pytest.mark.parametrize("temp", ["/nonexistent", "/proc", "relative", "/etc/passwd", ""])
def test_temp_folder_that_cannot_be_used(temp, ready):
    """Python goes on to the next place."""
    held = ready.guarded(["run", "--", "/usr/bin/python3", "-c", "import tempfile; tempfile.TemporaryFile(); print('made')"], {"TMPDIR": temp})
    assert held.out == "made\n" and held.status == 0 and held.above("info") == [], str(held)


def test_signals_that_were_ignored(ready):
    """nohup, and a parent that blocks and ignores."""
    installs(ready, argv=NATIVE, preexec_fn=lambda: __import__("signal").signal(1, __import__("signal").SIG_IGN))


def test_closed_standard_input(ready):
    script = 'exec <&-; exec "$@"'
    journal = ready.new_journal()
    held = ready.run(["/bin/sh", "-c", script, "sh", ready.pipwarden, "--log", journal, *NATIVE])
    held.journal = journal
    assert held.status == 0 and held.above("info") == [], str(held)


@pytest.fixture(scope="module")
def counting_preload(base):
    """A library of the user's own: counts getpid in a variable and does nothing else."""
    source = base / "own.c"
    source.write_text("int pwt_preloaded(void) { return 42; }\n")
    library = base / "libown.so"
    subprocess.run(["gcc", "-shared", "-fPIC", source, "-o", library], check=True, timeout=60)
    library.chmod(0o755)
    return library


def test_preload_of_the_users_own(ready, counting_preload):
    """In the home: the loader must find it in every program, and says nothing."""
    library = ready.home / "lib/libown.so"
    ready.write(library, counting_preload.read_bytes(), 0o755)
    program = "import ctypes; print(ctypes.CDLL(None).pwt_preloaded())"
    held = ready.guarded(["run", "--", "/usr/bin/python3", "-c", program], {"LD_PRELOAD": str(library)})
    assert held.out == "42\n" and held.status == 0 and "ld.so" not in held.err and held.above("info") == [], str(held)
    held = installs(ready, {"LD_PRELOAD": str(library)})
    assert "ld.so" not in held.err + held.out, str(held)


def test_first_process_of_a_container(ready):
    """PID 1 in a PID namespace of its own: nobody else reaps, and no default action of a signal."""
    argv = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
    if ready.user.uid:
        argv = ["unshare", "--user", "--map-current-user", *argv[1:]]
    if ready.run([*argv, "/bin/true"]).status:
        cannot("a PID namespace cannot be made here")
    journal = ready.new_journal()
    held = ready.run([*argv, ready.pipwarden, "--log", journal, *NATIVE])
    held.journal = journal
    assert held.status == 0 and held.above("info") == [], str(held)


@pytest.mark.parametrize("user", ["root"], indirect=True)
def test_read_only_root(ready):
    """Everything read-only but the temp, the home and the environment; the mounts are root's to make."""
    script = ("mount --make-rprivate / && for d in $2 $3 $4 $5; do mount --bind $d $d || exit 9; done && mount -o remount,bind,ro / || exit 9; "
              "touch /pwt-ro 2>/dev/null && exit 8; shift 5; exec \"$@\"")
    journal = ready.new_journal()
    held = ready.run(["unshare", "--mount", "/bin/sh", "-c", script, "sh", "x", ready.temp, ready.home, ready.venv, ready.logs,
                      ready.pipwarden, "--log", journal, *NATIVE])
    held.journal = journal
    if held.status == 9:
        cannot("the root cannot be made read-only here")
    assert held.status == 0 and held.above("info") == [], str(held)


def test_two_at_once(ready):
    first = ready.popen([ready.pipwarden, *NATIVE], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    held = ready.guarded(["run", "--", "/bin/sh", "-c", "echo inside"])
    out = first.communicate(timeout=200)[0].decode()
    assert first.returncode == 0 and held.status == 0 and held.out == "inside\n" and held.above("info") == [], out + str(held)


# --- what pip and commands are used for

@pytest.mark.slow
def test_pip_replaces_itself(make_world, user, templates, distribution, package_folder):
    """T-32: its own files and bin/pip, while it runs, and setuptools and wheel with it; the pip that is there then works."""
    world = make_world(user)
    folder = world.root / "links"
    folder.mkdir()
    for archive in (*packages.PYTHON_WHEELS.glob("pip-*.whl"), *package_folder.glob("setuptools-*.whl"), *package_folder.glob("wheel-*.whl")):
        shutil.copy(archive, folder)
    assert len(list(folder.iterdir())) == 3
    world.own_tree(folder)
    seen = []
    for guarded in (False, True):
        world.use_venv(templates, distribution)
        run = world.guarded if guarded else world.run
        result = run(["pip", "install", "--no-index", "--find-links", folder, "--force-reinstall", "-U", "pip", "setuptools", "wheel"])
        after = run(["pip", "list"])
        assert result.status == 0 and after.status == 0, f"{result}\n{after}"
        assert result.above("info") == [] and after.above("info") == [], f"{result}\n{after}"
        seen.append((snapshot(world.venv), normalise(result.out), after.out))
    assert differences(seen[1][0], seen[0][0]) == [] and seen[1][1:] == seen[0][1:]


PTH = {"distutils-precedence.pth": "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'local') == 'local'; enabled and __import__('_distutils_hack').add_shim();\n",
       "_virtualenv.pth": "import _virtualenv", "_virtualenv.py": "import sys\nsys.pwt_virtualenv = True\n",
       "zpw_coverage.pth": "import sys; exec('try:\\n    import coverage\\nexcept ImportError:\\n    pass')\n",
       "__editable__.pwt-1.0.pth": "import __editable___pwt_finder; __editable___pwt_finder.install()\n",
       "__editable___pwt_finder.py": "import sys\ndef install():\n    sys.pwt_editable = True\n",
       "pwt-nspkg.pth": "import sys, types; m = sys.modules.setdefault('pwtspace', types.ModuleType('pwtspace'))\n"}


def test_start_up_files_of_honest_environments(ready):
    """T-11: setuptools', virtualenv's, coverage's, editable and namespace ones: pip installs and builds, and they work in builds and commands."""
    for name, text in PTH.items():
        ready.write(ready.site_packages() / name, text, 0o644)
    installs(ready)
    program = "import sys; print(sys.pwt_virtualenv, sys.pwt_editable, 'pwtspace' in sys.modules, '_distutils_hack' in sys.modules)"
    held = ready.guarded(["run", "--", ready.venv / "bin/python", "-c", program])
    assert held.out == "True True True True\n" and held.above("info") == [], str(held)


def test_a_command_that_needs_its_secrets(ready):
    """T-50: what an option grants it has, without a word in the record; nothing else."""
    ready.write(ready.home / ".config/pwtool/token", "file0token0of0the0user", 0o600)
    ready.write(ready.home / ".config/other/token", "another0token", 0o600)
    tool = ready.write(ready.venv / "bin/pwtool", f"#!{ready.venv}/bin/python\nimport os, sys\nprint(os.environ['TWINE_PASSWORD'], open(sys.argv[1]).read())\n", 0o755)
    env = {"TWINE_PASSWORD": "twine0password0of0the0user"}
    token = ready.home / ".config/pwtool/token"
    plain = ready.run([tool, token], env)
    assert plain.out == "twine0password0of0the0user file0token0of0the0user\n", str(plain)
    refused = ready.guarded(["run", "--", tool, token], env)
    assert "0of0the0user" not in refused.out and f"--allow-read guest:{token}" in refused.journal.read_text(), str(refused)
    held = ready.guarded(["run", "--", tool, token], env, options=["--allow-env", "TWINE_PASSWORD", "--allow-read", token])
    assert held.out == plain.out and held.status == 0 and held.above("info") == [], str(held)
