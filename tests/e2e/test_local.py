"""Local projects: `pip install .`, `-e .`, paths and file: URLs.  The project's folder is served: its build works there as plainly, and reads no
secret of it, leaves `.git`, CI and editor configuration alone."""
from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest

from conftest import LESS
from lib import packages
from lib.world import differences, normalise, snapshot

PROJECT = '[project]\nname = "pwlocal"\nversion = "1.0"\n'
SETUPTOOLS = '[build-system]\nrequires = ["setuptools", "wheel"]\nbuild-backend = "setuptools.build_meta"\n'
ENV = "SECRET_OF_THE_PROJECT=canary0of0the0project0env\n"


def native(name: str, *, pyproject: bool) -> packages.Files:
    """The C extension of the fixtures, as files of a project."""
    files = packages.tree(packages.FIXTURES / "native")
    return {k: v.replace(b"NAME", name.encode()) for k, v in files.items() if pyproject or k != "pyproject.toml"}


def in_tree(name: str) -> packages.Files:
    """A back end of the project's own."""
    source = (packages.FIXTURES / "tinyback" / "tinyback.py").read_text()
    return {"pyproject.toml": f'[build-system]\nrequires = []\nbuild-backend = "tinyback"\nbackend-path = ["backend"]\n[project]\nname = "{name}"\nversion = "1.0"\n',
            "backend/tinyback.py": source, f"{name}.c": (packages.FIXTURES / "native" / "module.c").read_text().replace("NAME", name)}


def put(world, folder, files) -> None:
    for name, content in files.items():
        world.write(folder / name, content, 0o644)


@pytest.fixture(scope="module")
def twin(base, pipwarden, templates, index):
    """twin(world, python, files, argv): the same command plainly and guarded, on fresh copies of the project at the same path."""
    def run(world, python, files, argv):
        results = []
        for guarded in (False, True):
            shutil.rmtree(world.work)
            world.work.mkdir()
            world.own(world.work)
            put(world, world.work, files)
            world.use_venv(templates, python)
            result = (world.guarded if guarded else world.run)([a.replace("~WORK~", str(world.work)) for a in argv])
            results.append((result, snapshot(world.venv), snapshot(world.work)))
        return results
    return run


def said(text: str) -> str:
    """A wheel of a local project is not kept: pip names the run's own temporary folder."""
    return re.sub(r"/pw-\w{6}/t/", "/", normalise(text))


def check(results):
    (plain, plain_venv, plain_work), (held, held_venv, held_work) = results
    assert plain.status == 0, f"the plain run failed\n{plain}"
    assert held.status == 0, str(held)
    assert said(held.out) == said(plain.out)
    assert said(held.err) == said(plain.err)
    assert differences(held_venv, plain_venv) == []
    assert differences(held_work, plain_work) == []
    assert held.above("info") == [], str(held)


KINDS = {"setup.py": native("pwlocal", pyproject=False), "pep517": native("pwlocal", pyproject=True), "in-tree": in_tree("pwlocal")}


@pytest.mark.parametrize("kind", KINDS)
def test_install(kind, user, make_world, distribution, index, twin):
    world = make_world(user, index=index)
    results = twin(world, distribution, KINDS[kind], ["pip", "install", "."])
    check(results)
    assert world.run([world.venv / "bin/python", "-c", "import pwlocal as m; print(m.add(1, 2))"], cwd="/").out == "3\n"
