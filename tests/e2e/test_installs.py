"""pip with pipwarden in front: the ways to call it, installs for the user, and what is said where it may not write."""
from __future__ import annotations

import re
import shutil

import pytest

from conftest import nothing_left
from lib import packages
from lib.index import Index


def test_pip_forms(make_world, user, templates, distribution, index):
    world = make_world(user, index=index)
    venv = world.use_venv(templates, distribution)
    version = world.run(["pip", "--version"]).out
    minor = ".".join(map(str, distribution.version))
    for argv in (["pip"], ["pip3"], [f"pip{minor}"], ["python3", "-m", "pip"], [venv / "bin/pip"], [venv / "bin/python", "-m", "pip"]):
        result = world.guarded([*argv, "--version"])
        assert (result.status, result.out, result.err) == (0, version, ""), f"{argv}\n{result}"


def test_the_distributions_own_pip(make_world, user):
    world = make_world(user)
    for argv in (["pip", "--version"], ["pip3", "list"], ["/usr/bin/python3", "-m", "pip", "freeze"]):
        plain, held = world.run(argv), world.guarded(argv)
        assert (held.status, held.out) == (plain.status, plain.out), f"{argv}\n{held}"


def test_user_install(make_world, user_named, index):
    """pip install --user with the distribution's pip, and the command that it installed."""
    world = make_world(user_named("user"), index=index)
    held = world.guarded(["pip", "install", "--user", "--break-system-packages", "pwpure"])
    assert held.status == 0 and held.above("info") == [], str(held)
    assert (world.home / ".local/share/doc/pwpure/note.txt").exists()
    ran = world.guarded(["run", "--", world.home / ".local/bin/pwpure"])
    assert ran.out == "pure\n", str(ran)
    assert [n for n in nothing_left(world) if not n.startswith("home/.local/")] == []


def test_user_uninstall(make_world, user_named, index):
    """pip moves a folder as a whole where all of it goes (~/.local/bin with the only command in it); under pipwarden the files."""
    left = []
    for guarded in (False, True):
        world = make_world(user_named("user"), index=index)
        run = world.guarded if guarded else world.run
        assert world.run(["pip", "install", "--user", "--break-system-packages", "pwpure"]).status == 0
        result = run(["pip", "uninstall", "-y", "--break-system-packages", "pwpure"])
        assert result.status == 0, str(result)
        left.append((result.out, result.err, sorted(str(p.relative_to(world.home)) for p in (world.home / ".local").rglob("*") if not p.is_dir())))
        if guarded:
            assert result.above("info") == []
            left[1] = (*left[1][:2], [n for n in left[1][2] if not n.startswith(".local/state/")])
    assert left[0] == left[1]


@pytest.mark.parametrize("place,allowed", [("pwshare", True), ("systemd/user", False)])
def test_a_refused_write_is_explained(place, allowed, make_world, user_named, base):
    """Of a user's ~/.local/share only folders that hold data are open: path and option are said, and the option works."""
    folder = base / f"share-{place.replace('/', '-')}"
    packages.wheel(folder, "pwshare", "1.0", {"pwshare.py": ""}, data={f"data/share/{place}/note.txt": "a note\n"})
    with Index(folder) as index:
        world = make_world(user_named("user"), index=index)
        argv = ["pip", "install", "--user", "--break-system-packages", "pwshare"]
        wanted = world.home / ".local/share" / place
        held = world.guarded(argv)
        assert held.status == 1 and not wanted.exists(), str(held)
        summary = held.err[held.err.find("pipwarden"):]
        assert str(world.home / ".local/share") in summary, str(held)
        (event,) = held.of_type("file.write")
        assert event["role"] == "installer" and event["source"] == "shim" and event["action"] == "denied", event
        assert wanted.is_relative_to(event["target"]["path"])
        for left in world.home.glob(".local/lib/*/site-packages/pwshare*"):  # as pip leaves them without pipwarden, too
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        again = world.guarded(argv, options=["--allow-write", re.search(r"--allow-write (\S+)", summary)[1]] if allowed else
                              ["--allow-write", wanted])
    if allowed:
        assert again.status == 0 and again.err == "" and (wanted / "note.txt").exists(), str(again)
    else:
        assert "--allow-write" not in summary and again.status == 125 and not wanted.exists(), f"{held}\n{again}"


def test_a_build_cannot_be_mistaken_for_output(make_world, user, templates, distribution, base, index):
    """A build's control characters reach neither journal nor summary raw."""
    folder = base / f"noisy-{user.name}"
    packages.build_tools(folder)
    packages.sdist(folder, "pwnoisy", "1.0", {"setup.py": "import os\ntry: open(os.environ['PWT_HOME'] + '/.ssh/id_\\x1b[31m\\n{\"seq\": 9}')\n"
                                              "except OSError: pass\nfrom setuptools import setup\nsetup(name='pwnoisy', version='1.0')\n"})
    with Index(folder) as noisy:
        world = make_world(user, index=noisy)
        world.plant_canaries()
        world.use_venv(templates, distribution)
        held = world.guarded(["pip", "install", "pwnoisy"], {"PWT_HOME": str(world.home)})
    assert held.events and "\x1b" not in held.journal.read_text() and "\x1b[31m" not in held.err
    assert held.of_type("file.open"), str(held)
