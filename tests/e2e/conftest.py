"""Fixtures of the end-to-end tests.  They run as root: namespaces, an ordinary user, and processes of both to look at.

PIPWARDEN_BIN          the binary (default: the newest in a build folder)
PIPWARDEN_MUST_WORK=1  a test that cannot run here fails instead of being skipped
PIPWARDEN_ONLINE=1     the tests marked `online` run too (CI=true means the same)
PIPWARDEN_SHARE        a folder that several sessions share, each of which runs a part (lib/share.py)"""
from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.umask(0o022)
# A shell's background job ignores these, and so would all that is started here.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

from lib import binary, golang, journals, packages, pythons, share  # noqa: E402
from lib.fakenet import FakeInternet  # noqa: E402
from lib.index import Index  # noqa: E402
from lib.terminal import Terminal, Way  # noqa: E402
from lib.world import ROOT, Templates, World, ordinary_user  # noqa: E402

MUST_WORK = os.environ.get("PIPWARDEN_MUST_WORK") == "1"
ONLINE = os.environ.get("PIPWARDEN_ONLINE") == "1" or os.environ.get("CI") == "true"
USERS = ("root", "user")
HIDDEN = ("", "namespaces", "pidfd_getfd", "sync_wakeup", "landlock=2")
HIDE_IDS = [h or "nothing" for h in HIDDEN]
LESS = [(hide, name) for hide in HIDDEN[1:] for name in USERS]
LESS_IDS = [f"{hide}-{name}" for hide, name in LESS]


def cannot(reason: str) -> None:
    """This machine cannot show it: never silently where CI says that it must."""
    (pytest.fail if MUST_WORK else pytest.skip)(reason)


def pytest_configure(config):
    config.addinivalue_line("markers", "online: needs the real package index")
    config.addinivalue_line("markers", "slow: left out by ./dev test --quick")


def pytest_collection_modifyitems(items):
    if not ONLINE:
        for item in items:
            if "online" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="online: set PIPWARDEN_ONLINE=1"))


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session):
    folder = os.environ.get("PIPWARDEN_SHARE")
    if not folder or session.testsfailed or session.config.option.collectonly:
        return None  # pytest's own
    share.run(session, Path(folder))
    return True


@pytest.fixture(scope="session", autouse=True)
def _as_root():
    if os.geteuid() != 0:
        pytest.exit("the end-to-end tests make network namespaces and run as several users: run them as root", 1)


@pytest.fixture(scope="session")
def base():
    """A folder that everyone may enter, gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="pwt", dir="/tmp"))
    # In memory where that can be: a venv is copied for nearly every test.
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3g,mode=0755", "tmpfs", folder], capture_output=True).returncode == 0
    folder.chmod(0o755)
    yield folder
    if mounted:
        subprocess.run(["umount", "-l", folder], check=False)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def race_programs(base) -> Path:
    """A folder with the program of tests/race/, dynamically and statically linked."""
    folder = base / "race"
    folder.mkdir()
    repository = Path(__file__).resolve().parent.parent.parent
    for name, more in (("race", []), ("race-static", ["-static"])):
        subprocess.run(["cc", "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror", "-pthread", *more,
                        "-I", repository, "-o", folder / name, *sorted((repository / "tests/race").glob("*.c"))],
                       check=True, timeout=60)
    return folder


@pytest.fixture(scope="session")
def go_program(base) -> Path:
    made = golang.build(base)
    if made is None:
        pytest.skip("there is no Go here")  # optional: lib/golang.py says why
    return made


@pytest.fixture(scope="session")
def pipwarden(base) -> Path:
    built = binary.built()
    assert built and os.access(built, os.X_OK), "no pipwarden is built: ./dev build, or set PIPWARDEN_BIN"
    return binary.public(built, base)


@pytest.fixture(scope="session")
def package_folder(base) -> Path:
    return packages.world(base / "packages")


@pytest.fixture(scope="session")
def all_pythons(base) -> dict[str, pythons.Python]:
    (base / "pythons").mkdir()
    return {p.name: p for p in pythons.find(base / "pythons")}


@pytest.fixture(params=["distribution", "3.13"])
def python(request, all_pythons) -> pythons.Python:
    if request.param not in all_pythons:
        pytest.skip(f"there is no CPython {request.param} here")  # optional by the matrix's own definition
    return all_pythons[request.param]


@pytest.fixture(scope="session")
def distribution(all_pythons) -> pythons.Python:
    return all_pythons["distribution"]


@pytest.fixture(scope="session")
def templates(base, package_folder) -> Templates:
    (base / "templates").mkdir()
    return Templates(base / "templates", package_folder)


@pytest.fixture(scope="session")
def index(package_folder):
    with Index(package_folder) as running:
        yield running


@pytest.fixture(scope="session")
def internet(base, package_folder):
    (base / "net").mkdir()
    with FakeInternet(package_folder, base / "net") as running:
        yield running


@pytest.fixture
def net(internet):
    internet.clear()
    yield internet
    internet.clear()


@pytest.fixture(scope="session")
def user_named():
    known = {"root": ROOT, "user": ordinary_user()}
    return lambda name: known[name]


@pytest.fixture(params=USERS)
def user(request, user_named):
    return user_named(request.param)


@pytest.fixture
def make_world(request, base, pipwarden):
    """make_world(user, net=None, index=None, hide=""): a fresh home, temp and working folder."""
    made = []

    def make(user, net=None, index=None, hide="") -> World:
        world = World(Path(tempfile.mkdtemp(prefix="w", dir=base)), user, pipwarden, net, index.url if index else None, hide)
        made.append(world)
        return world

    yield make
    try:
        for world in made:
            check_journals(world)
    finally:
        for world in made:
            shutil.rmtree(world.root, ignore_errors=True)


def check_journals(world: World) -> None:
    if world.pipwarden:
        journals.check(world.pipwarden, world.home, world.logs, world.home / ".local/state/pipwarden/runs")


@pytest.fixture(scope="module", params=USERS)
def terminal_world(request, base, pipwarden, user_named, templates, distribution, index):
    """One for all tests of a user at a terminal: nothing there leaves anything in it."""
    world = World(Path(tempfile.mkdtemp(prefix="tty", dir=base)), user_named(request.param), pipwarden, index_url=index.url)
    world.use_venv(templates, distribution)
    yield world
    check_journals(world)


as_a_user = pytest.mark.parametrize("terminal_world", ["user"], indirect=True)  # where root would add time and nothing else


@pytest.fixture(params=[False, True], ids=["plain", "guarded"])
def way(request, terminal_world):
    with Terminal(terminal_world) as shell:
        yield Way(shell, terminal_world, request.param)


@pytest.fixture
def both(terminal_world):
    with Terminal(terminal_world, columns=400) as one, Terminal(terminal_world, columns=400) as other:
        yield Way(one, terminal_world, False), Way(other, terminal_world, True)


def nothing_left(world: World) -> list[str]:
    """What is in HOME and TMPDIR, but for the journal's own place and pip's cache."""
    left = []
    for folder, known in ((world.home, (".local/state/pipwarden", ".cache/pip")), (world.temp, ())):
        for path in folder.rglob("*"):
            name = str(path.relative_to(folder))
            if not any(name == k or name.startswith(k + "/") or k.startswith(name + "/") for k in known):
                left.append(f"{folder.name}/{name}")
    return left
