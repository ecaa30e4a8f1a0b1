"""A slice of the matrix of `./dev matrix`: pips from 20.3 to the newest, each way in which they start themselves, build and install."""
from __future__ import annotations

import base64
import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path

import pytest

from conftest import cannot
from lib import matrix, packages
from lib.index import Index
from lib.pips import Pips
from lib.places import PLACES
from lib.world import World, differences, normalise, snapshot

pytestmark = pytest.mark.online  # the pips come from the index

CELLS = [  # pip, place, user, kind
    ("20.3.4", "venv", "user", "isolated"), ("20.3.4", "user", "user", "wheel"), ("21.3.1", "venv", "root", "isolated"),
    ("22.0.4", "pyenv", "user", "isolated"), ("22.3.1", "system", "root", "sdist"), ("23.0.1", "venv", "user", matrix.LEGACY),
    ("23.2.1", "system", "user", "isolated"), ("24.3.1", "pyenv", "root", "sdist"), ("pip", "venv", "user", "isolated"),
    ("pip", "user", "root", "sdist"), ("20.3.4", "venv", "user", "develop"), ("21.1.3", "venv", "root", "editable"),
    ("21.3.1", "user", "user", "develop")]


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


# --- pips that come in an archive

def bare(world, distribution):
    """An environment without a pip."""
    world.venv = world.root / "venv"
    shutil.rmtree(world.venv, ignore_errors=True)
    shutil.rmtree(world.home / ".cache", ignore_errors=True)
    subprocess.run([distribution.path, "-m", "venv", "--without-pip", world.venv], check=True, timeout=60)
    world.own_tree(world.venv)


def zipapp(wheel, target):
    """As pip's own pip.pyz is made: its package, a __main__.py, a line before it."""
    with target.open("wb") as f:
        f.write(b"#!/usr/bin/env python3\n")
        with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(f, "w", zipfile.ZIP_DEFLATED) as z:
            for name in source.namelist():
                if name.startswith("pip/"):
                    z.writestr(name, source.read(name))
            z.writestr("__main__.py", "import runpy\nrunpy.run_module('pip', run_name='__main__')\n")
    target.chmod(0o755)
    return target


def get_pip(wheel, target):
    """The outline of get-pip.py: a zip in base 85, and what is to be done with it."""
    data = base64.b85encode(zipapp(wheel, target).read_bytes()).decode()
    target.write_text("#!/usr/bin/env python\nimport base64, os, sys, tempfile\nDATA = b\"\"\"\n" + "\n".join(data[i:i + 79] for i in range(0, len(data), 79))
                      + "\n\"\"\"\npath = os.path.join(tempfile.mkdtemp(), 'pip.zip')\nopen(path, 'wb').write(base64.b85decode(DATA.replace(b'\\n', b'')))\n"
                      "sys.path.insert(0, path)\nfrom pip._internal.cli.main import main\n"
                      "sys.exit(main(['install', '--upgrade', '--force-reinstall'] + sys.argv[1:] + ['pip', 'setuptools', 'wheel']))\n")


@pytest.mark.parametrize("form,version", [("pip.pyz", "pip"), ("get-pip.py", "24.3.1"), ("wheel", "21.3.1")])
def test_an_archive_of_pip(form, version, pips, make_world, user_named, distribution, index):
    world = make_world(user_named("user"), index=index)
    wheel = pips.wheel(version)
    if form == "wheel":
        argv = ["python3", wheel / "pip", "install", "pwtiny"]
        wheel.parent.parent.chmod(0o755)
    else:
        (zipapp if form == "pip.pyz" else get_pip)(wheel, world.work / form)
        argv = ["./pip.pyz", "install", "pwtiny"] if form == "pip.pyz" else ["python3", form, "--no-index", "--find-links", wheel.parent, "--find-links", index.folder]
    results = []
    for guarded in (False, True):
        bare(world, distribution)
        result = (world.guarded if guarded else world.run)(argv)
        results.append((result, snapshot(world.venv)))
    (plain, before), (held, after) = results
    assert plain.status == 0, f"plain pip cannot do it\n{plain}"
    assert held.status == 0 and normalise(held.out) == normalise(plain.out) and held.err == plain.err, f"{held}\n{plain}"
    assert differences(after, before) == [] and held.above("info") == []
    assert not list(world.temp.glob("pw-*"))


# --- what the newer grants must not give away

BACKEND = '''import glob, os, sys
sys.path.insert(0, os.path.dirname(__file__))
from tinyback import *
import tinyback

def spoil(path):
    try:
        with open(path, "a") as f:
            f.write("# spoilt\\n")
        print("spoilt", path)
    except OSError as error:
        print("kept out", path, error)

def build_wheel(wheel_directory, *args, **kwargs):
    spoil(os.path.join(os.path.dirname(wheel_directory), "other-1.0-py3-none-any.whl"))
    spoil(os.path.join(os.path.dirname(os.path.dirname(wheel_directory)), "spoilt"))
    for entry in glob.glob("/proc/self/cwd/../../../p/pip/__init__.py") + [os.path.join(os.environ["PWT_PIP"], "__init__.py")]:
        spoil(entry)
    return tinyback.build_wheel(wheel_directory, *args, **kwargs)
'''


@pytest.fixture(scope="module")
def spoiling(base):
    folder = base / "spoiling"
    packages.sdist(folder, "pwspoil", "1.0", {
        "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n[project]\nname = "pwspoil"\nversion = "1.0"\n',
        "backend.py": BACKEND, "tinyback.py": (packages.FIXTURES / "tinyback" / "tinyback.py").read_text(),
        "pwspoil.c": (packages.FIXTURES / "native" / "module.c").read_text().replace("NAME", "pwspoil")})
    with Index(folder) as running:
        yield running


@pytest.mark.parametrize("form", ["venv", "pip.pyz"])
def test_a_build_writes_neither_the_cache_nor_pip(form, pips, spoiling, base, make_world, user_named, distribution):
    """The newest pip has wheels made within its cache, and a pip from an archive lies in the run's folder: a build reaches neither."""
    world = make_world(user_named("user"), index=spoiling)
    (base / "places").mkdir(exist_ok=True)
    place = PLACES["venv"](distribution, "pip", True, base / "places", pips)
    if form == "pip.pyz":
        zipapp(pips.wheel("pip"), world.work / "pip.pyz")
    found = []
    for guarded in (False, True):
        place.fresh(world)
        own = world.site_packages() / "pip"
        result = (world.guarded if guarded else world.run)(["python3", "pip.pyz", "-v", "install", "pwspoil"] if form == "pip.pyz" else ["pip", "-v", "install", "pwspoil"],
                                                          {"PWT_PIP": str(own)})
        spoilt = [p for p in (world.home / ".cache").rglob("*") if p.name in ("spoilt", "other-1.0-py3-none-any.whl")]
        found.append((result, len(spoilt) + ("spoilt" in (own / "__init__.py").read_text()), result.err.count("kept out")))
    (plain, effects, _), (held, held_effects, kept) = found
    assert plain.status == 0 and effects == 3, f"the attack does not work unguarded\n{plain}"
    assert held_effects == 0 and kept >= 3, str(held)
    assert any("wheels/" in str(e) and e.get("action") == "denied" for e in held.events), "the cache is not on record"
