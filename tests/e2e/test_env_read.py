"""Which code read a variable: by package, file, line and function, through a whole run of pip and in a guest.

What the shim tells of one interpreter is tests/unit/preload's business, on every Python that there is."""
from __future__ import annotations

import ast
import hashlib

import pytest

from lib import packages
from lib.world import canaries

SETUP = """import os
import sys

from setuptools import setup

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import helper


def collect():
    return [os.environ.get(n) for n in ("DATABASE_URL",)] and os.environ["AWS_SECRET_ACCESS_KEY"]


collect()
helper.look()
dict(os.environ)
setup(name="pwreads", version="1.0", py_modules=["pwreads"])
"""
HELPER = """import os
import threading


def look():
    thread = threading.Thread(target=lambda: os.getenv("AWS_ACCESS_KEY_ID"))
    thread.start()
    thread.join()
"""
BACKEND = """import os

from tinyback import *
import tinyback


def build_wheel(*args, **kwargs):
    try:
        raise ValueError
    except ValueError:
        os.environ["DATABASE_URL"]
    return tinyback.build_wheel(*args, **kwargs)
"""


@pytest.fixture(scope="module")
def folder(base, package_folder):
    folder = base / "readers"
    packages.build_tools(folder)
    packages.tinyback(folder)
    packages.sdist(folder, "pwreads", "1.0", {"setup.py": SETUP, "helper.py": HELPER, "pwreads.py": ""})
    packages.sdist(folder, "pwbackend", "1.0", {
        "pyproject.toml": '[build-system]\nrequires = ["tinyback"]\nbuild-backend = "be"\nbackend-path = ["."]\n'
                          '[project]\nname = "pwbackend"\nversion = "1.0"\n',
        "be.py": BACKEND, "pwbackend.c": (packages.FIXTURES / "native" / "module.c").read_text().replace("NAME", "pwbackend")})
    return folder


def reads(result, package=None):
    """(name, file, line, function, stages) of every event, in any order."""
    found = {}
    for e in result.of_type("env.read", "env.enumerate"):
        if "first" in e or (package and e["package"].get("name") != package):
            continue
        assert e["source"] == "shim" and e["action"] == "decoy" and "package" in e, e
        o = e["origin"]
        found.setdefault((e["target"]["name"], o.get("file"), o.get("line"), o.get("function")), set()).add(e["package"].get("stage"))
    return found


def line_of(text, part):
    return next(i for i, line in enumerate(text.splitlines(), 1) if part in line)


def test_packages(folder, make_world, user_named, templates, python):
    world = make_world(user_named("user"))
    env = world.plant_canaries()
    world.use_venv(templates, python)
    held = world.guarded(["pip", "install", "--no-index", "--find-links", folder, "pwreads", "pwbackend"], env)
    assert held.status == 0 and "Successfully installed pwbackend-1.0 pwreads-1.0" in held.out, str(held)
    found = reads(held, "pwreads")
    setup_line = line_of(SETUP, "return [")
    for wanted in (("AWS_SECRET_ACCESS_KEY", "setup.py", setup_line, "collect"),
                   ("AWS_ACCESS_KEY_ID", "helper.py", line_of(HELPER, "getenv"), "<lambda>"),
                   ("os.environ", "setup.py", line_of(SETUP, "dict("), "<module>")):
        assert found.get(wanted), f"{wanted} is not among\n{found}\n{held}"
        assert found[wanted] <= {"metadata", "build"} and "metadata" in found[wanted], found[wanted]
    assert [k for k in found if k[:3] == ("DATABASE_URL", "setup.py", setup_line)], found
    found = reads(held, "pwbackend")
    assert found.get(("DATABASE_URL", "be.py", line_of(BACKEND, "DATABASE"), "build_wheel")) == {"build"}, f"{found}\n{held}"
    # Nobody but these two read by name; a walk is no news; and no value is anywhere.
    assert {e["package"]["name"] for e in held.of_type("env.read")} == {"pwreads", "pwbackend"}, str(held)
    assert all(e["severity"] == ("low" if e["type"] == "env.read" else "info") for e in held.of_type("env.read", "env.enumerate"))
    assert "read the variable AWS_SECRET_ACCESS_KEY at setup.py:%d in collect (secret variable read by name): a decoy was given" % setup_line in held.err, str(held)
    assert "os.environ" not in held.err
    assert not any(c.decode() in held.journal.read_text() + held.err for c in canaries())


def test_a_build_gets_what_an_option_lets_it_have(base, make_world, user_named, templates, distribution):
    """The user's own value, and not what stands for it in pip."""
    world = make_world(user_named("user"))
    env = world.plant_canaries()
    world.use_venv(templates, distribution)
    folder = base / "given"
    packages.sdist(folder, "pwgiven", "1.0", {"setup.py": """import hashlib
import os
from setuptools import setup

with open("pwgiven.py", "w") as f:
    f.write(repr({n: hashlib.sha256(os.environ.get(n, "").encode()).hexdigest() for n in ("DATABASE_URL", "AWS_SECRET_ACCESS_KEY")}))
setup(name="pwgiven", version="1.0", py_modules=["pwgiven"])
"""})
    held = world.guarded(["pip", "install", "--no-index", "--find-links", folder, "--no-build-isolation", "pwgiven"], env, options=["--allow-env", "build:DATABASE_URL"])
    assert held.status == 0, str(held)
    seen = ast.literal_eval((world.site_packages() / "pwgiven.py").read_text())
    own = {n: hashlib.sha256(env[n].encode()).hexdigest() for n in seen}
    assert seen["DATABASE_URL"] == own["DATABASE_URL"] and seen["AWS_SECRET_ACCESS_KEY"] != own["AWS_SECRET_ACCESS_KEY"], str(held)
    assert {e["target"]["name"] for e in held.of_type("env.read")} == {"AWS_SECRET_ACCESS_KEY"}, str(held)
    assert not any(c.decode() in held.journal.read_text() + held.err for c in canaries())


def test_guest(make_world, user_named, templates, python):
    world = make_world(user_named("user"))
    env = world.plant_canaries()
    world.use_venv(templates, python)
    world.write(world.site_packages() / "reader.pth", "\nimport os; os.environ['DATABASE_URL']\n", 0o644)
    world.write(world.site_packages() / "reader.py", "import os\n\n\ndef main():\n    os.environ['AWS_ACCESS_KEY_ID']\n", 0o644)
    argv = ["run", "--", str(world.venv / "bin/python"), "-c", "import reader; reader.main()"]
    held = world.guarded(argv, env)
    assert held.status == 0, str(held)
    found = reads(held)
    assert set(found) == {("DATABASE_URL", "reader.pth", 2, "<module>"), ("AWS_ACCESS_KEY_ID", "reader.py", 5, "main")}, f"{found}\n{held}"
    without = world.guarded(argv, {n: v for n, v in env.items() if n == "PIPWARDEN_REPLICA"})
    assert without.of_type("env.read", "env.enumerate") == [], str(without)
