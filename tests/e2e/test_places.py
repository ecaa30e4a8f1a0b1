"""Where pip installs, and how the place is named: options, links, other interpreters, layouts.  Plain and guarded pip must agree."""
from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from lib.world import differences, normalise, snapshot


@pytest.fixture
def pair(make_world, templates, distribution, index, user_named):
    """pair(user, prepare, argv, env): a plain and a guarded run from the same start; prepare(world) makes what is besides a venv.
    Everything below the world's folder is compared, but for what pip caches and pipwarden records."""

    def run(name, argv, prepare=None, env=None, status=0):
        world = make_world(user_named(name), index=index)
        results = []
        for guarded in (False, True):
            for entry in world.root.iterdir():
                if entry.is_symlink():
                    entry.unlink()
                elif entry != world.logs:
                    shutil.rmtree(entry)
            for folder in (world.work, world.home, world.temp):
                folder.mkdir()
                world.own(folder)
            world.use_venv(templates, distribution)
            if prepare:
                prepare(world)
                world.own_tree(world.root)
            told = {k: v.replace("~", str(world.root)) for k, v in (env or {}).items()}
            words = [a.replace("~", str(world.root)) for a in argv]
            result = (world.guarded if guarded else world.run)(words, told)
            results.append((result, snapshot(world.root, ("logs", "home/.cache", "home/.local/state", "temp"))))
        (plain, before), (held, after) = results
        assert plain.status == status, f"plain pip does something else here\n{plain}"
        assert held.status == status, str(held)
        assert normalise(held.out) == normalise(plain.out)
        assert normalise(held.err) == normalise(plain.err)
        after = {n: v for n, v in after.items() if n not in ("home/.local", "home/.cache") or n in before}
        before = {n: v for n, v in before.items() if n not in ("home/.local", "home/.cache") or n in after}
        assert differences(after, before) == []
        assert held.above("info") == []
        return world, held

    return run


OPTIONS = {
    "target": (["pip", "install", "--target", "there", "pwpure", "pwtiny"], {}),
    "target-again": (["pip", "install", "--upgrade", "--target=there", "pwpure"], {"PIP_NO_DEPS": "1"}),
    "prefix": (["pip", "install", "--prefix", "~/work/there", "pwtiny"], {}),
    "root": (["pip", "install", "--root", "image", "--ignore-installed", "pwpure"], {}),
    "report": (["pip", "install", "-q", "--report", "report.json", "--dry-run", "pwpure"], {}),
    "PIP_TARGET": (["pip", "install", "pwpure"], {"PIP_TARGET": "there"}),
    "PIP_PREFIX": (["pip", "install", "pwtiny"], {"PIP_PREFIX": "~/work/there"}),
    "PIP_REQUIREMENT": (["pip", "install"], {"PIP_REQUIREMENT": "r.txt"}),
    "isolated": (["python3", "-Im", "pip", "install", "--isolated", "--index-url", "INDEX", "pwpure"], {"PIP_TARGET": "nowhere"}),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_options_say_where(name, pair, index):
    argv, env = OPTIONS[name]
    pair("user" if len(name) % 2 else "root", [a.replace("INDEX", index.url) for a in argv], lambda world: world.write(world.work / "r.txt", "pwpure\n", 0o644), env)


def test_a_user_install_in_a_venv_is_pips_own_error(pair):
    pair("user", ["pip", "install", "--user", "pwpure"], status=1)


def test_an_externally_managed_environment_is_pips_own_error(pair, distribution):
    marker = distribution.path.resolve().parent.parent / f"lib/python{distribution.version[0]}.{distribution.version[1]}/EXTERNALLY-MANAGED"
    if not marker.exists():
        pytest.skip("there is no CPython here that its distribution manages")
    pair("user", [str(distribution.path), "-m", "pip", "install", "pwpure"], status=1)


def test_break_system_packages(pair, distribution):
    """Of an ordinary user, who has no right to the system's folders: pip goes to the user's."""
    world, held = pair("user", [str(distribution.path), "-m", "pip", "install", "--break-system-packages", "pwtiny"], env={"PYTHONWARNINGS": "ignore"})
    assert list(world.home.glob(".local/lib/python3*/site-packages/pwtiny*")), str(held)


def another(world):
    subprocess.run([world.venv / "bin/python", "-m", "venv", "--without-pip", world.root / "other"], check=True, timeout=60)


@pytest.mark.parametrize("argv,env", [(["pip", "--python", "~/other", "install", "pwtiny"], {}), (["pip", "install", "pwpure"], {"PIP_PYTHON": "~/other/bin/python"}),
                                      (["pip", "--python=../other", "list"], {})], ids=["option", "PIP_PYTHON", "list"])
def test_another_python(argv, env, pair):
    world, held = pair("user", argv, another, env)
    if "install" in argv:
        assert list((world.root / "other").glob("lib/python3*/site-packages/pw*")), str(held)
        assert not list(world.site_packages().glob("pw*"))


def linked(world):
    os.symlink("venv", world.root / "link")
    os.mkdir(world.root / "bin")
    os.symlink("../venv/bin/pip", world.root / "bin/pip")


@pytest.mark.parametrize("word", ["~/link/bin/pip", "~/bin/pip", "~/link/bin/python3 -m pip"])
def test_links_to_an_environment(word, pair):
    pair("user", [*word.split(), "install", "pwtiny"], linked)


def pip_behind_a_link(world):
    """As virtualenv's --symlink-app-data leaves it: pip itself lies elsewhere, in the home."""
    (world.home / "image").mkdir()
    shutil.move(world.site_packages() / "pip", world.home / "image/pip")
    os.symlink(world.home / "image/pip", world.site_packages() / "pip")


def test_a_pip_behind_a_link(pair):
    pair("user", ["pip", "install", "pwtiny", "pwnative"], pip_behind_a_link)


@pytest.mark.parametrize("options", [[], ["--upgrade", "--default-pip", "-v"]], ids=["plain", "default-pip"])
def test_ensurepip(options, make_world, distribution, user_named):
    """pip's own settings count for nothing there, and its wheels lie where the standard library or the distribution keeps them."""
    world = make_world(user_named("user"))
    results = []
    for guarded in (False, True):
        world.venv = world.root / "venv"
        shutil.rmtree(world.venv, ignore_errors=True)
        subprocess.run([distribution.path, "-m", "venv", "--without-pip", world.venv], check=True, timeout=60)
        world.own_tree(world.venv)
        argv = ["python3", "-m", "ensurepip", *options]
        result = (world.guarded if guarded else world.run)(argv, {"PIP_TARGET": "nowhere", "PIP_NO_SUCH": "1"})
        results.append((result, snapshot(world.venv)))
    (plain, before), (held, after) = results
    assert plain.status == 0 and held.status == 0, f"{plain}\n{held}"
    assert differences(after, before) == [] and held.above("info") == []
    assert list(world.site_packages().glob("pip-*.dist-info")) and not (world.work / "nowhere").exists()
