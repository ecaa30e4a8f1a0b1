"""A slice of the matrix of `./dev matrix`: pips from 20.3 to the newest, each way in which they start themselves, build and install."""
from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest

from conftest import cannot
from lib import matrix
from lib.pips import Pips
from lib.places import PLACES
from lib.world import World

pytestmark = pytest.mark.online  # the pips come from the index

CELLS = [  # pip, place, user, kind
    ("20.3.4", "venv", "user", "isolated"), ("20.3.4", "user", "user", "wheel"), ("21.3.1", "venv", "root", "isolated"),
    ("22.0.4", "pyenv", "user", "isolated"), ("22.3.1", "system", "root", "sdist"), ("23.0.1", "venv", "user", matrix.LEGACY),
    ("23.2.1", "system", "user", "isolated"), ("24.3.1", "pyenv", "root", "sdist"), ("pip", "venv", "user", "isolated"),
    ("pip", "user", "root", "sdist")]


@pytest.fixture(scope="module")
def pips(base, package_folder):
    return Pips(base / "pips", package_folder)


@pytest.mark.parametrize("version,name,user_name,kind", CELLS, ids=["-".join(c) for c in CELLS])
def test_same_as_plain(version, name, user_name, kind, pips, base, pipwarden, distribution, index, user_named):
    if name == "pyenv" and not shutil.which("pyenv"):
        cannot("there is no pyenv here")
    folder = base / "places"
    folder.mkdir(exist_ok=True)
    place = PLACES[name](distribution, version, kind != matrix.LEGACY, folder, pips)
    world = World(Path(tempfile.mkdtemp(prefix="p", dir=base)), user_named(user_name), pipwarden, None, index.url)
    try:
        cell = matrix.cell(place, world, kind)
    finally:
        place.close()
        shutil.rmtree(world.root, ignore_errors=True)
    assert cell.verdict.startswith("same"), f"{cell.verdict}\n{cell.plain}\n{cell.held}"
