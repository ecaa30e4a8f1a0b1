"""The shim under attack, and under honest programs that do not expect it: tests/fixtures/shim/.

Each case is run plainly and guarded.  What the honest part of it prints and its exit status are the same; the wall, which the same program tries
from there, is open plainly (the secret is read, the connection arrives) and holds guarded, and the record says so."""
from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from conftest import USERS
from lib import packages
from lib.fakenet import INET4
from lib.procs import wait_for
from lib.world import CANARY, World

SOURCE = packages.FIXTURES / "shim"
PORT = 4444
FLAGS = ["-std=gnu11", "-D_GNU_SOURCE", "-O1", "-Wall", "-Wextra", "-Werror", "-pthread"]
STATIC = ["-static", "-Wno-unused-function"]
# dlopen, getaddrinfo: warned of by the linker in a static program, which is what is wanted here.
PROGRAMS = {"attack": ["cc", *FLAGS, "-rdynamic"], "attack-static": ["cc", *FLAGS, *STATIC], "attack-musl": ["musl-gcc", *FLAGS],
            "attack-musl-static": ["musl-gcc", *FLAGS, *STATIC]}
CASES = ("plain", "unset", "overwritten", "second_libc", "threads", "handler", "vforked", "spawned", "big", "descriptors", "aliases")
GLIBC_ONLY = {"second_libc"}
RUNS = [("attack", case, user) for case in CASES for user in USERS]
RUNS += [(program, case, "user") for program in list(PROGRAMS)[1:] for case in CASES if case not in GLIBC_ONLY]


@pytest.fixture(scope="session")
def programs(base) -> Path:
    folder = base / "shim"
    folder.mkdir()
    for name, command in PROGRAMS.items():
        subprocess.run([*command, "-o", folder / name, SOURCE / "attack.c"], check=True, capture_output=True, timeout=120)
    for name, source in (("libchained.so", "chained.c"), ("libplugin.so", "plugin.c"), ("libaudit-nothing.so", "audit.c")):
        subprocess.run(["cc", *FLAGS, "-shared", "-fPIC", "-o", folder / name, SOURCE / source], check=True, timeout=60)
    subprocess.run(["cc", *FLAGS, "-rdynamic", "-o", folder / "interposer", SOURCE / "interposer.c"], check=True, timeout=60)
    (folder / "notes.txt").write_text("no library\n")
    return folder


class Arena:
    """A home with a secret, and the programs.  Each plain run is made once."""

    def __init__(self, world, net, folder: Path):
        self.world, self.net, self.folder, self._plain = world, net, folder, {}
        self.env = {**world.plant_canaries(), "GITHUB_TOKEN": "ghp_" + "C4naryC4naryC4naryC4naryC4naryC4nary"}
        self.secret = world.home / ".aws/credentials"
        world.write(self.secret, CANARY + "\n")

    def argv(self, program, case):
        return [self.folder / program, case, self.secret, INET4, PORT]

    def plain(self, argv, env=None):
        key = (tuple(argv), tuple((env or {}).items()))
        if key not in self._plain:
            self.net.clear()
            result = self.world.run([*with_environment(env), *argv], self.env, timeout=120)
            made = result.out.count("connect=yes")
            assert wait_for(lambda: self.net.sink.connections >= made and self.net.sink.bytes.count(b"WALL") >= 2 * made, 20), str(result)
            self._plain[key] = result, self.net.sink.bytes
        return self._plain[key]

    def guarded(self, argv, env=None, hide=""):
        self.net.clear()
        self.world.hide = hide
        journal = self.world.new_journal()
        result = self.world.run([*with_environment(env), self.world.pipwarden, "--log", journal, "--on-violation", "deny", "--allow-read", self.folder,
                                 "run", "--", *argv], self.env, timeout=120)
        self.world.hide, result.journal = "", journal
        return result


def with_environment(env: dict | None) -> list[str]:
    """For the command alone, and not for what enters the tests' namespace before it."""
    return ["/usr/bin/env", *(f"{name}={value}" for name, value in env.items())] if env else []


@pytest.fixture(scope="module")
def arena_of(base, pipwarden, internet, programs, user_named):
    known = {}

    def make(name) -> Arena:
        if name not in known:
            known[name] = Arena(World(Path(tempfile.mkdtemp(prefix="s", dir=base)), user_named(name), pipwarden, internet), internet, programs)
        return known[name]

    yield make
    internet.clear()
    for a in known.values():
        shutil.rmtree(a.world.root, ignore_errors=True)


def split(text: str) -> tuple[str, list[str]]:
    """What is to be the same, and what was seen of the wall."""
    lines = text.splitlines()
    return "\n".join(l for l in lines if not l.startswith("WALL")), [l for l in lines if l.startswith("WALL")]


# Of a dynamic program that a static one starts without a descriptor to spare: it fails before main() with and without us, for want of libc, and the loader
# names what it could not open, the shim as well.  What a program starts through libc is not told of it.
CANNOT_LOAD = re.compile(r"ERROR: ld.so: object '\S*/libpipwarden.so' from LD_PRELOAD cannot be preloaded \(cannot open shared object file\): ignored.\n"
                         r"(?=\S+: error while loading shared libraries)")


def without_sockets(text: str) -> str:
    """Where there is no socket, nothing is connected."""
    return re.sub("connect[+-]", "", text)


def own_words(text: str, static: bool = False) -> str:
    """Standard error without pipwarden's summary, which comes last."""
    text = re.split(r"(?m)^pipwarden: ", text)[0]
    return CANNOT_LOAD.sub("", text) if static else text


def check(a: Arena, argv, hide="", env=None, walls=True):
    plain, sent = a.plain(argv, env)
    held = a.guarded(argv, env, hide)
    honest, open_walls = split(without_sockets(plain.out) if hide else plain.out)
    kept, walls_held = split(without_sockets(held.out) if hide else held.out)
    assert plain.status == 0 and honest, str(plain)
    if walls:
        assert any(CANARY in w for w in open_walls) and CANARY.encode() in sent, f"the wall cannot be seen to be open\n{plain}"
    assert kept == honest and own_words(held.err, "static" in str(argv[0])) == plain.err, f"{plain}\n{held}"
    assert held.status == (100 if open_walls else 0), str(held)
    assert len(walls_held) == len(open_walls), str(held)
    assert not [w for w in walls_held if CANARY in w or "connect=yes" in w], str(held)
    assert a.net.sink.connections == 0 and b"WALL" not in a.net.sink.bytes and CANARY not in held.out + held.err, str(held)
    if open_walls:
        assert [e for e in held.of_type("file.open") if e["target"].get("path") == str(a.secret) and e["source"] == "kernel"], str(held)
        assert held.of_type("net.connect", "net.socket"), str(held)
    return held


@pytest.mark.parametrize("program,case,user", RUNS, ids=["-".join(run) for run in RUNS])
def test_case(program, case, user, arena_of):
    a = arena_of(user)
    check(a, a.argv(program, case), walls=case != "big" and case != "descriptors" or program == "attack")


@pytest.mark.parametrize("case", CASES)
def test_case_without_namespaces(case, arena_of):
    a = arena_of("user")
    check(a, a.argv("attack", case), "namespaces")


@pytest.mark.parametrize("user", USERS)
def test_program_that_defines_the_same_names(user, arena_of):
    a = arena_of(user)
    check(a, a.argv("interposer", "interposer"))


# --- chained with another preload -------------------------------------------------------------------------------------------

def library(*names: str) -> str:
    for folder in ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib"):
        for name in names:
            found = sorted(Path(folder).glob(name))
            if found:
                return str(found[0])
    return ""


PRELOADS = {"chained": "", "jemalloc": "libjemalloc.so.2", "faketime": "faketime/libfaketime.so.1"}


@pytest.mark.parametrize("case", ["plain", "unset", "vforked", "handler"])
@pytest.mark.parametrize("name", PRELOADS)
def test_preload_of_the_users_own(name, case, arena_of):
    """Whatever it stands in front of, it does as without the shim: in the program, and in what that starts."""
    a = arena_of("user")
    path = library(PRELOADS[name]) if PRELOADS[name] else str(a.folder / "libchained.so")
    if not path:
        pytest.skip(f"its tool is not here: {name}")  # more than the one that the test makes: where they happen to be installed
    held = check(a, a.argv("attack", case), env={"LD_PRELOAD": path, **({"FAKETIME": "@2020-02-02 00:00:00"} if name == "faketime" else {})})
    if name == "chained" and case == "plain":
        assert "chained: open+ connect+" in held.out


COMPILE = r"""
import subprocess, sys
source = "int main(void) { return 0; }\n"
for argv in (["cc", "-xc", "-o", "/dev/null", "-"], ["sh", "-c", "cat >/dev/null; ls /nowhere; exit 3"]):
    p = subprocess.run(argv, input=source.encode(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    print(argv[0], p.returncode, p.stdout.decode())
"""


def test_preload_that_counts_starts(arena_of):
    """As bear and other tools that record a build: the user's library is asked for each start, and hands it on to the shim."""
    a = arena_of("user")
    for guarded in (False, True):
        argv = ["/usr/bin/python3", "-c", COMPILE]
        env = {"LD_PRELOAD": str(a.folder / "libchained.so"), "PWT_STARTS": "1"}
        result = a.guarded(argv, env) if guarded else a.plain(argv, env)[0]
        assert result.status == 0, str(result)
        seen = (sorted(result.out.splitlines()), result.err) if not guarded else (sorted(result.out.splitlines()), own_words(result.err))
        assert not guarded or seen == before, f"{before}\n{result}"
        before = seen
    assert "chained: start" in "".join(before[0]), before


FAKEROOT = "id -u; cd \"$TMPDIR\"; echo x >f; chown 12:13 f; stat -c %u:%g f; mknod n c 1 3; stat -c %F n; chmod 600 f; stat -c %a f; rm f n; env -i /bin/echo ended"


def test_fakeroot(arena_of):
    if not shutil.which("fakeroot"):
        pytest.skip("its tool is not here: fakeroot")
    a = arena_of("user")
    argv = ["fakeroot", "/bin/sh", "-c", FAKEROOT]
    plain = a.world.run(argv, timeout=60)
    held = a.world.guarded(["run", "--", *argv], timeout=60)
    assert plain.status == 0 and plain.out.startswith("0\n12:13\n"), str(plain)
    assert (held.status, held.out, held.err) == (plain.status, plain.out, plain.err) and held.above("info") == [], str(held)


# --- as the installer and a build see it ---------------------------------------------------------------------------------------

SETUP = """
import os, subprocess, sys
from setuptools import setup

if "bdist_wheel" in sys.argv:
    with open("pwshim/results.txt", "wb") as results:
        for program, case in [line.split() for line in open("runs.txt")]:
            path = os.path.abspath(program)
            os.chmod(path, 0o755)
            p = subprocess.run([path, case, *open("target.txt").read().split()], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            results.write(b"== %s %s %d\\n%s\\n" % (program.encode(), case.encode(), p.returncode, p.stdout))

setup(name="pwshim", version="1.0", packages=["pwshim"], package_data={"pwshim": ["results.txt"]})
"""


@pytest.mark.parametrize("user", [pytest.param("root", marks=pytest.mark.slow), "user"])
def test_in_a_build(user, arena_of, templates, distribution):
    """Programs that a build makes lie in its own folder.  And pip itself starts with a big environment and few descriptors."""
    a = arena_of(user)
    files = {p.name: p.read_bytes() for p in a.folder.iterdir() if p.is_file()}
    runs = "".join(f"attack {case}\n" for case in ("unset", "overwritten", "handler", "vforked", "spawned", "descriptors", "second_libc")) + "attack-musl unset\n"
    links = a.world.root / "links"
    packages.build_tools(links)
    packages.sdist(links, "pwshim", "1.0", {**files, "setup.py": SETUP, "runs.txt": runs, "target.txt": f"{a.secret} {INET4} {PORT}", "pwshim/__init__.py": ""})
    env = {**a.env, **{f"BIG{i}": "x" * 100 for i in range(3000)}}
    texts = []
    for guarded in (False, True):
        a.net.clear()
        a.world.use_venv(templates, distribution)
        argv = ["/bin/sh", "-c", 'ulimit -n 64; exec "$@"', "sh",
                *([a.world.pipwarden, "--log", a.world.new_journal(), "--on-violation", "deny"] if guarded else []),
                "pip", "install", "--no-index", "--find-links", links, "pwshim"]
        result = a.world.run(argv, env, timeout=200)
        path = a.world.site_packages() / "pwshim/results.txt"
        assert result.status == (100 if guarded else 0) and path.exists(), str(result)
        texts.append(split(re.sub(r"/\S*/pwshim[^ ]*/", "", path.read_text(errors="replace"))))
        assert (CANARY.encode() in a.net.sink.bytes) != guarded
    assert texts[0][0] == texts[1][0]
    assert any(CANARY in w for w in texts[0][1]) and len(texts[0][1]) == len(texts[1][1])
    assert not [w for w in texts[1][1] if CANARY in w or "connect=yes" in w]


def test_big_environment_of_the_command(arena_of):
    """As large as the kernel takes it beside the usual stack."""
    a = arena_of("user")
    check(a, a.argv("attack", "count"), env={f"BIG{i}": "x" * 100_000 for i in range(15)}, walls=False)
