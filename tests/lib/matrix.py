"""The matrix: {pip} x {place} x {kind of package} x {root, user}, each cell a plain and a guarded install that must agree.

    python3 tests/lib/matrix.py BINARY [--pip V…] [--place P…] [--kind K…] [--user U…]      (./dev matrix; as root, asks the index for the pips)

Prints a table in Markdown.  A cell is "same" when status, output and every file agree and the record is silent; else it says
what differs.  "-" is a combination that plain pip itself cannot do."""
from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lib import binary, packages, pythons  # noqa: E402
from lib.index import Index  # noqa: E402
from lib.pips import VERSIONS, Pips, before  # noqa: E402
from lib.places import PLACES, Place  # noqa: E402
from lib.world import ROOT, Result, World, differences, normalise, ordinary_user, snapshot  # noqa: E402

KINDS = {"wheel": ["pwpure"], "sdist": ["pwnative"], "isolated": ["pwtiny"]}
# A folder in the working directory, with a back end that knows editable installs, or with a setup.py alone.
TREES = {"local": ["./project"], "editable": ["-e", "./project"], "develop": ["-e", "./project"]}
# Without `wheel` pips before 23.1 would run `setup.py install` in place: a wheel is built instead, and one line says so.
LEGACY = "no-wheel"
SAID = "PIP_USE_PEP517"


@dataclass
class Cell:
    verdict: str  # "same", "-", or what differs
    plain: Result
    held: Result | None


def make_project(world: World, kind: str) -> Path:
    project = world.work / "project"
    shutil.rmtree(project, ignore_errors=True)
    for name, content in packages.native_project("pwlocal", pyproject=kind != "develop").items():
        world.write(project / name, content, 0o644)
    return project


def one(place: Place, world: World, kind: str, argv: list[str], guarded: bool) -> tuple[Result, dict]:
    place.fresh(world)
    project = make_project(world, kind) if kind in TREES else None
    result = (world.guarded if guarded else world.run)(argv)
    found = place.snapshot(world)
    if project:
        found.update({f"project/{name}": value for name, value in snapshot(project).items()})
    return result, found


def judge(kind: str, plain: Result, held: Result, before_: dict, after: dict) -> str:
    if held.status != plain.status:
        return f"status {held.status}, not {plain.status}"
    if held.above("info"):
        return f"recorded {held.above('info')[0].get('rule') or held.above('info')[0]['type']}"
    if kind == LEGACY:
        return "same, as a wheel" if SAID in held.err else "does not say what it does"
    if normalise(held.out) != normalise(plain.out) or normalise(held.err) != normalise(plain.err):
        return "other output"
    changed = differences(after, before_)
    return f"other files: {changed[0]}" if changed else "same"


def cell(place: Place, world: World, kind: str) -> Cell:
    argv = ["pip", "install", *place.options, *{**KINDS, **TREES, LEGACY: KINDS["sdist"]}[kind]]
    plain, files = one(place, world, kind, argv, False)
    if plain.status != 0:
        return Cell("-", plain, None)
    held, held_files = one(place, world, kind, argv, True)
    return Cell(judge(kind, plain, held, files, held_files), plain, held)


def rows(options, base: Path, pipwarden: Path, index: Index, report):
    """Every cell in turn: report(version, place, user, {kind: Cell})."""
    pips = Pips(base / "pips", index.folder)
    python = pythons.distribution()
    users = {"root": ROOT, "user": ordinary_user()}
    for version in options.pip:
        for name in options.place:
            for with_wheel in (True, False):
                kinds = [k for k in options.kind if (k == LEGACY) != with_wheel]
                if not kinds or (not with_wheel and (not before(version, 23, 1) or name in ("system", "user"))):
                    continue
                place = PLACES[name](python, version, with_wheel, base / "places", pips)
                try:
                    for user in options.user:
                        world = World(Path(tempfile.mkdtemp(prefix="x", dir=base)), users[user], pipwarden, None, index.url)
                        report(version, name, user, {kind: cell(place, world, kind) for kind in kinds})
                finally:
                    place.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=Path)
    parser.add_argument("--pip", nargs="+", default=list(VERSIONS))
    parser.add_argument("--place", nargs="+", default=list(PLACES), choices=list(PLACES))
    parser.add_argument("--kind", nargs="+", default=[*KINDS, LEGACY, *TREES], choices=[*KINDS, LEGACY, *TREES])
    parser.add_argument("--user", nargs="+", default=["root", "user"], choices=["root", "user"])
    parser.add_argument("--verbose", action="store_true", help="show the runs of what is not the same")
    options = parser.parse_args()
    os.umask(0o022)
    found: dict[tuple[str, str, str], dict[str, Cell]] = {}
    start = time.monotonic()

    def report(version, name, user, cells):
        found.setdefault((version, name, user), {}).update(cells)
        print(f"{time.monotonic() - start:5.0f} s  pip {version:<7} {name:<7} {user:<5} "
              + "  ".join(f"{k}: {c.verdict}" for k, c in cells.items()), file=sys.stderr, flush=True)
        for c in cells.values() if options.verbose else ():
            if not c.verdict.startswith("same"):
                print(f"{c.plain}\n=====\n{c.held}", file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory(prefix="pwx", dir="/tmp", ignore_cleanup_errors=True) as folder:
        base = Path(folder)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3g,mode=0755", "tmpfs", base], capture_output=True).returncode == 0
        base.chmod(0o755)
        try:
            (base / "places").mkdir()
            with Index(packages.world(base / "packages")) as index:
                rows(options, base, binary.public(options.binary.resolve(), base), index, report)
        finally:
            if mounted:
                subprocess.run(["umount", "-l", base], check=False)
    print_table(found, options.kind)
    bad = [c for cells in found.values() for c in cells.values() if c.verdict != "-" and not c.verdict.startswith("same")]
    print(f"\n{sum(len(c) for c in found.values())} cells, {len(bad)} differ")
    return 1 if bad else 0


def print_table(found, kinds) -> None:
    print("| pip | place | user | " + " | ".join(kinds) + " |\n" + "|---" * (len(kinds) + 3) + "|")
    for (version, place, user), cells in found.items():
        print(f"| {'newest' if version == 'pip' else version} | {place} | {user} | " + " | ".join(cells[k].verdict if k in cells else "" for k in kinds) + " |")


if __name__ == "__main__":
    sys.exit(main())
