"""Whom pip may reach is whom pip itself contacts: each row of tests/lib/hosts_cases.py, given to a real pip (tests/lib/pip_reference.py says whom
it turns to) and to what pipwarden computes from files (tests/unit/installer/show.c), by each of several pips."""
from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from conftest import cannot
from lib import binary, packages, pythons
from lib.hosts_cases import CASES, Case
from lib.pips import Pips

REFERENCE = Path(__file__).resolve().parent.parent / "lib" / "pip_reference.py"
# Those that a machine has without asking anybody, by the Python 3 that brings them; and the oldest and the newest, which are fetched.
IN_PLACE = {"distribution": None, "24.2": 13}
FETCHED = ("20.3.4", "pip")
# What else urllib3 takes for a host is no name that could be looked up, and is never allowed.
NAME = re.compile(r"(?=.{1,253}:\d+$)[a-z0-9._-]+:\d+|[0-9a-f:.]+:\d+")


@dataclass(frozen=True)
class Seen:
    error: str
    hosts: frozenset[str]


def bundled(version: str, minor: int) -> Path | None:
    for python in pythons.in_place(minor, (minor,))[1:]:
        for found in Path(python).parent.parent.glob(f"lib/python3.*/ensurepip/_bundled/pip-{version}-*.whl"):
            return found
    return None


def put_pip(target: Path, name: str, base: Path, tools: Path) -> None:
    """That pip's files, without the help of any pip."""
    if name == "distribution":
        for found in packages.DIST_PACKAGES.glob("pip*"):
            if found.name == "pip" or found.name.startswith("pip-"):
                shutil.copytree(found, target / found.name, ignore=shutil.ignore_patterns("__pycache__"))
        return
    wheel = bundled(name, IN_PLACE[name]) if name in IN_PLACE else Pips(base / "pips", tools).wheel(name)
    if wheel is None:
        cannot(f"no Python here brings pip {name}")
    with zipfile.ZipFile(wheel) as z:
        z.extractall(target)


@pytest.fixture(scope="module", params=[*IN_PLACE, *(pytest.param(v, marks=pytest.mark.online) for v in FETCHED)])
def python(request, base, package_folder) -> Path:
    """The interpreter of an environment with that pip."""
    venv = base / f"hosts-{request.param}"
    subprocess.run([pythons.DISTRIBUTION, "-m", "venv", "--without-pip", venv], check=True, timeout=60)
    put_pip(next(venv.glob("lib/python3*/site-packages")), request.param, base, package_folder)
    return venv / "bin" / "python"


@pytest.fixture(scope="session")
def show() -> Path:
    top = next(p for p in binary.built().parents if (p / "meson-private").is_dir())
    return top / "tests/unit/installer/installer_show"


class Place:
    """The folders of one row."""

    def __init__(self, case: Case, folder: Path):
        self._case, self._folder = case, folder
        self.work = folder / "work"
        for name in ("home", "work", "xdg"):
            (folder / name).mkdir()
        for name, content in case.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else self.filled(content).encode())
        self.env = {"PATH": "/usr/bin:/bin", "HOME": str(folder / "home"), "LANG": "C.UTF-8", "XDG_CONFIG_DIRS": str(folder / "xdg"),
                    "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_RETRIES": "0"}
        for name, value in case.env.items():
            self.env.pop(name, None)
            if value is not None:
                self.env[name] = self.filled(value)
        self.words = [self.filled(w) for w in case.words]

    def filled(self, text: str) -> str:
        return text.replace("@ROOT@", str(self._folder))

    def site(self, python: Path) -> Path:
        path = python.parent.parent / "pip.conf"
        path.unlink(missing_ok=True)
        if self._case.site:
            path.write_text(self._case.site)
        return path


def by_pip(python: Path, places: list[Place], cases: list[Case]) -> list[dict]:
    rows = [{"words": p.words, "env": p.env, "cwd": str(p.work), "remote": c.remote} for p, c in zip(places, cases)]
    done = subprocess.run([python, "-I", REFERENCE], input=json.dumps(rows), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def by_pipwarden(show: Path, python: Path, place: Place) -> Seen:
    done = subprocess.run([show, python, "-m", "pip", *place.words], cwd=place.work, env=place.env, capture_output=True, text=True, timeout=20)
    assert done.returncode in (0, 1), done.stderr
    lines = done.stdout.splitlines()
    return Seen(next((line for line in lines if line.startswith("error=")), ""), frozenset(line[5:] for line in lines if line.startswith("host=")))


def version_of(python: Path) -> tuple[int, int]:
    text = next(python.parent.parent.glob("lib/python3*/site-packages/pip/__init__.py")).read_text()
    return tuple(map(int, re.search(r'__version__ = "(\d+)\.(\d+)', text).groups()))


def judge(case: Case, pip: dict, own: Seen) -> str | None:
    """What is wrong; None: nothing."""
    hosts = {h for h in pip["hosts"] if NAME.fullmatch(h)}
    if case.refused:
        return None if case.refused in own.error else f"not refused: {sorted(own.hosts)}"
    if own.error:
        return own.error
    if case.broken:
        return None if not hosts and pip["status"] else f"pip is not stopped by it: {pip}"
    more, less = own.hosts - hosts, hosts - own.hosts - set(case.beyond)
    if more or less:
        return f"only pipwarden: {sorted(more)}, only pip: {sorted(less)}; pip said {pip['status']} {pip['error'][-600:]}"
    if set(case.beyond) - hosts:
        return "no limit any more"
    return None if bool(hosts) != case.nobody else f"it shows nothing; pip said {pip['status']} {pip['error'][-600:]}"


def test_as_pip_sees_them(python, show, base):
    folder = Path(tempfile.mkdtemp(prefix="hosts", dir=base))
    wrong, version = [], version_of(python)
    rows = [c for c in CASES if c.since <= version < c.until and (c.debian or "distribution" not in str(python))]
    # The environment's own file is there for one row at a time.
    for cases in [[c for c in rows if not c.site], *([c] for c in rows if c.site)]:
        places = []
        for case in cases:
            (folder / case.name).mkdir()
            places.append(Place(case, folder / case.name))
        site = places[0].site(python)
        for case, place, pip in zip(cases, places, by_pip(python, places, cases)):
            found = judge(case, pip, by_pipwarden(show, python, place))
            if found:
                wrong.append(f"{case.name}: {found}")
        site.unlink(missing_ok=True)
    shutil.rmtree(folder)
    assert not wrong, "\n".join(wrong)
