"""Item 2: real packages from the real index, guarded and plain into twin venvs.  All of the much-downloaded sdists: ./dev compat."""
from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest

from lib import sdists
from lib.pips import Pips
from lib.places import Venv
from lib.world import World
from test_matrix import check_twins, twins

pytestmark = pytest.mark.online

WHEELS = ["requests", "numpy"]
# One of each kind of build, as one user and the other.
SOURCES = [("markupsafe", "root"), ("pyyaml", "user"), ("simplejson", "user"), ("cffi", "root"), ("attrs", "user"), ("msgpack", "user"), ("greenlet", "root")]


@pytest.mark.parametrize("project", WHEELS)
def test_wheels(project, user, python, make_world, templates):
    plain, *rest = twins(make_world(user), templates, python, ["pip", "install", project])
    assert plain.status == 0, f"plain pip cannot do this here: no network?\n{plain}"
    check_twins(plain, *rest)


@pytest.fixture(scope="module")
def venv(base, distribution, package_folder):
    folder = base / "sdists"
    folder.mkdir()
    return Venv(distribution, "pip", False, folder, Pips(base / "pips", package_folder))


@pytest.mark.parametrize("project,name", SOURCES, ids=[p for p, _ in SOURCES])
def test_sources(project, name, venv, base, pipwarden, user_named):
    assert project in sdists.KIND_OF
    world = World(Path(tempfile.mkdtemp(prefix="s", dir=base)), user_named(name), pipwarden)
    done = sdists.outcome(venv, world, project)
    shutil.rmtree(world.root, ignore_errors=True)
    assert done.verdict == "same", f"{done.verdict}\n{done.plain}\n{done.held}"


def test_denied_names_are_denied_beside_the_index(make_world, user_named, templates, distribution):
    world = make_world(user_named("user"))
    world.use_venv(templates, distribution)
    held = world.guarded(["run", "--", "python3", "-c", "import urllib.request; urllib.request.urlopen('https://webhook.site/', timeout=5)"])
    assert held.status == 100 and any(e.get("severity") == "critical" for e in held.events), str(held)
