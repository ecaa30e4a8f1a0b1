"""Who did it: file, line and function of every attempt, wherever in a package's code it is made.

The attempts are lib/acts.py's; each is marked by its own place in the text.  What the kernel was asked about and what the hook says of it is one line of the record."""
from __future__ import annotations

import zipfile

import pytest

from lib import acts, packages
from lib.acts import Acts
from lib.world import canaries

PLACES = ["setup", "helper", "thread", "backend", "script", "dash_c", "runpy", "zipapp", "interpreter", "string"]
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
    assert url["target"]["method"] == "POST" and url["target"]["bytes"] == 1234 and url["target"]["url"] == "https://urlopen.script.test/take?by=script", url
    put = next(e for e in held.of_type("net.resolve") if e["target"]["host"].startswith("client."))
    assert (put["target"]["method"], put["target"]["url"], put["target"]["bytes"]) == ("PUT", "http://client.script.test:8080/put", 77), put


def test_dash_c(guest):
    made = guest.acts("dash_c")
    check(made, guest.run([guest.bin, "-c", made.text]), "<string>")


@pytest.mark.parametrize("flags", [["-I"], ["-S"], ["-E"], ["-X", "dev"]], ids=lambda f: "".join(f))
def test_flags(guest, flags):
    made = guest.acts("dash_c")
    check(made, guest.run([guest.bin, *flags, "-c", made.text]), "<string>", "dash_c " + "".join(flags))


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
