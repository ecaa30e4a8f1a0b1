"""Item 2: real packages from the real index, guarded and plain into twin venvs.  All of the much-downloaded sdists: ./dev compat."""
from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from conftest import cannot
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


def toolchain() -> Path:
    """The folder of Rust's programs, without the shims that look for it below HOME."""
    if shutil.which("rustc") is None:
        cannot("there is no Rust here")
    rustc = subprocess.run(["rustc", "--print", "sysroot"], capture_output=True, text=True, timeout=60, check=True)
    cargo = Path(rustc.stdout.strip()) / "bin/cargo"
    version = subprocess.run([cargo, "--version"], capture_output=True, text=True, timeout=60, check=True).stdout
    major, minor = map(int, re.search(r"(\d+)\.(\d+)", version).groups())
    if (major, minor) < (1, 68):
        pytest.skip(f"{version.strip()} fetches its whole index with git")
    return cargo.parent


@pytest.mark.slow
def test_a_build_in_rust_says_what_hosts_it_needs(make_world, user_named, templates, distribution):
    """Refused first; then with what the record of the refused run names, and nothing else."""
    world = make_world(user_named("root"))
    world.use_venv(templates, distribution)
    rust = toolchain()
    world.extra["PATH"] = f"{world.venv}/bin:{rust}:/usr/bin:/bin"
    options, hosts = ["--allow-read", f"build:{rust.parent}"], []
    for _ in range(4):
        held = world.guarded(["pip", "install", "--no-binary", "rpds-py", "rpds-py"], options=options, timeout=600)
        asked = {e["target"]["host"] for e in held.events if e["type"] == "net.resolve" and e["action"] == "denied"}
        assert not asked & set(hosts), str(held)
        if not asked:
            break
        assert held.status != 0 and not list(world.site_packages().glob("rpds/*.so")), str(held)
        hosts += sorted(asked)
        options += [o for h in sorted(asked) for o in ("--allow-host", f"build:{h}")]
    assert hosts, f"nothing was refused: this shows nothing\n{held}"
    assert held.status == 0 and list(world.site_packages().glob("rpds/*.so")), str(held)
    assert not [e for e in held.events if e.get("severity") in ("low", "medium", "high", "critical")], str(held)
