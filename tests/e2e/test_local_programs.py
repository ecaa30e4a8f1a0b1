"""Programs in the folder of a local project: those that come with it, and those that its build makes there, are started as plainly.
What the build may not read it cannot execute either."""
from __future__ import annotations

import os

import pytest

from lib import packages
from test_local import check, in_tree, installs, put, twin  # noqa: F401

FIXTURE = packages.tree(packages.FIXTURES / "programs")


def project(*names: str, backend: str = "programs") -> packages.Files:
    """Those of the fixture's files whose names begin so, and the project that builds them."""
    files = {**in_tree("pwlocal"), **{n: c for n, c in FIXTURE.items() if n.startswith(names) or "/" not in n}}
    files["pyproject.toml"] = files["pyproject.toml"].replace('build-backend = "tinyback"', f'build-backend = "{backend}"')
    return files




@pytest.mark.parametrize("name,hides", [("root", ["", "landlock=3"]), ("user", ["landlock=1", "namespaces"])])
def test_programs_of_the_project(name, hides, user_named, make_world, distribution, index, twin):  # noqa: F811
    """In every way to start one: by libc's functions, by the shell, by make."""
    plain, *held = twin(make_world(user_named(name), index=index), distribution, project("backend", "tools"), ["pip", "install", "."], hides)
    for result in held:
        check((plain, result))
    said = plain[2]["said.txt"][1].decode()
    assert said.count("itself") > 20 and "42" in said and "once more" in said and "SIZEOF" not in said, said


TOOLS = r'''
import os, subprocess
from tinyback import *
from tinyback import build_wheel as honest

def build_wheel(*a, **k):
    for argv in COMMANDS:
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, timeout=120)
    return honest(*a, **k)
'''
BUILDERS = {"meson": [["meson", "setup", "out", "meson"], ["ninja", "-C", "out"]], "cmake": [["cmake", "-S", "cmake", "-B", "out"], ["cmake", "--build", "out"]]}


@pytest.mark.parametrize("builder", BUILDERS)
def test_build_tools_in_the_project(builder, user_named, make_world, templates, distribution, index):
    """They compile programs into the project and run them: checks of the compiler, generators, one with a library beside it."""
    world = make_world(user_named("user"), index=index)
    put(world, world.work, {**project(builder, backend="tools"), "backend/tools.py": TOOLS.replace("COMMANDS", repr(BUILDERS[builder]))})
    world.use_venv(templates, distribution)
    result = world.guarded(["pip", "install", "."])
    assert result.status == 0 and result.above("info") == [], str(result)
    assert (world.work / "out/words").read_text().endswith(" 1 42\n"), str(result)


CANARIES = ["canary0of0the0env", "canary0of0the0home", "canary0of0the0tool"]


def hostile(world):
    script = "#!/bin/sh\necho {}\n"
    put(world, world.work, {**project("backend", backend="evil"), ".env": script.format(CANARIES[0]), "interpreted": f"#!{world.work}/.env\n"})
    world.write(world.home / ".ssh/id_ed25519", script.format(CANARIES[1]), 0o755)
    world.write(world.home / "bin/tool", script.format(CANARIES[2]), 0o755)
    os.link(world.home / ".ssh/id_ed25519", world.work / "hard")
    os.symlink(world.home / ".ssh/id_ed25519", world.work / "secret")
    os.symlink(world.home / "bin/tool", world.work / "tool")
    os.symlink(".env", world.work / ".envlink")
    world.own_tree(world.work)


def test_hostile_programs(user, make_world, templates, distribution, index):
    world = make_world(user, index=index, hide="landlock=1" if user.uid == 0 else "")
    for guarded, result in installs(world, hostile, templates, distribution):
        told = (world.work / "told.txt").read_text()
        if not guarded:
            assert all(c in told for c in CANARIES) and told.count("reached") == 2, f"{told}\n{result}"
    assert not any(c in told + result.err + result.journal.read_text() for c in CANARIES), f"{told}\n{result}"
    assert "'./.env',): Permission denied" in told and "'./interpreted',): Permission denied" in told, told
    # Without the shim what was made here is refused, and the record says why.
    assert told.count("raw: Permission denied") >= 12 and "reached" not in told, told
    assert any(e["rule"] == "exec.refused" and "made/static" in str(e) for e in result.of_type("exec") if e.get("rule")), str(result)
