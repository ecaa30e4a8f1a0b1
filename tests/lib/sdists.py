"""Much-downloaded sdists, each built from source plainly and guarded from the same start; the two must agree.

    python3 tests/lib/sdists.py BINARY [--only PROJECT…] [--python V…] [--user U] [--write FILE]      (./dev compat; as root)

The newest version of each that the index has for that Python; build requirements come from the index as well.  A third, plain run is made
only where the first two differ: what differs between two plain runs is left out.  Prints a table in Markdown; --write puts it into that file,
between the lines `<!-- sdists -->` and `<!-- end of sdists -->`."""
from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lib import binary, packages, pythons  # noqa: E402
from lib.pips import Pips  # noqa: E402
from lib.places import Venv  # noqa: E402
from lib.world import ROOT, Result, World, differences, normalise, ordinary_user  # noqa: E402

# What is built, and with what.  Those of another kind of back end or compiler than their neighbours come first in each line.
PROJECTS = {
    "pure": ["six", "idna", "urllib3", "packaging", "attrs", "python-dateutil", "certifi", "requests", "charset-normalizer", "click", "jinja2",
             "setuptools", "typing-extensions", "pytz", "s3transfer", "boto3", "google-auth"],
    "C": ["markupsafe", "cffi", "pyyaml", "wrapt", "simplejson", "psutil", "setproctitle", "multidict", "websockets", "xxhash", "lz4", "protobuf",
          "tornado", "coverage", "zope.interface", "ruamel.yaml.clib", "regex", "pycryptodome", "zstandard", "pynacl"],
    "Cython": ["msgpack", "frozenlist", "propcache", "yarl", "httptools", "aiohttp"],
    "C++": ["ujson", "greenlet", "kiwisolver"],
    "C++, Meson": ["contourpy"],
    "headers, CMake": ["pybind11"],
}
KIND_OF = {project: kind for kind, projects in PROJECTS.items() for project in projects}
LIMIT = 1500  # seconds for one run
BEGIN, END = "<!-- sdists -->", "<!-- end of sdists -->"


@dataclass
class Outcome:
    verdict: str  # "same", "-": plain pip cannot do it here, or what differs
    version: str
    plain: Result
    held: Result | None


def canonical(content: bytes) -> bytes:
    """A built object without what names the folder it was built in."""
    with tempfile.NamedTemporaryFile() as f:
        f.write(content)
        f.flush()
        if subprocess.run(["objcopy", "--strip-debug", "--remove-section=.note.gnu.build-id", f.name], capture_output=True, timeout=60).returncode == 0:
            content = Path(f.name).read_bytes()
    content = re.sub(rb"pip-install-[a-z0-9_]{8}", b"pip-install-XXXXXXXX", content)
    content = re.sub(rb"pip-build-env-[a-z0-9_]{8}", b"pip-build-env-XXXXXXXX", content)
    return re.sub(rb"_[0-9a-f]{32}\b", b"_HASH", content)


def files_of(place: Venv, world: World) -> dict[str, tuple]:
    """What was installed; sizes and hashes of what was built depend on the time of day."""
    found = place.snapshot(world)
    for name, value in found.items():
        if isinstance(value[1], bytes) and value[1][:4] == b"\x7fELF":
            found[name] = (value[0], canonical(value[1]))
        elif name.endswith("/RECORD"):
            found[name] = (value[0], re.sub(rb",sha256=[^\n]*", b"", value[1]))
    return found


def said(text: str) -> str:
    """A slow step says now and then that it is still running; how often is a matter of the machine."""
    return re.sub(r"[^\n]*still running\.\.\.\n", "", normalise(text))


def one(place: Venv, world: World, argv: list[str], guarded: bool) -> tuple[Result, dict]:
    place.fresh(world)
    result = (world.guarded if guarded else world.run)(argv, timeout=LIMIT)
    return result, files_of(place, world)


def judge(held: Result, plain: Result, held_files: dict, files: dict, again) -> str:
    if held.status != plain.status:
        return f"status {held.status}, not {plain.status}"
    if held.above("info"):
        return f"recorded {held.above('info')[0].get('rule') or held.above('info')[0]['type']}"
    if said(held.out) != said(plain.out) or said(held.err) != said(plain.err):
        return "other output"
    changed = differences(held_files, files)
    if changed:
        varies = {line.split(": ", 1)[0] for line in differences(again()[1], files)}
        changed = [line for line in changed if line.split(": ", 1)[0] not in varies]
    return f"other files: {changed[0]}" if changed else "same"


def outcome(place: Venv, world: World, project: str) -> Outcome:
    argv = ["pip", "install", "--upgrade", "--no-binary", project, project]
    plain, files = one(place, world, argv, False)
    installed = re.findall(r"^Successfully installed (.*)$", plain.out, re.M)[-1:] or [""]
    version = next((m[2] for m in (re.fullmatch(r"(.*)-(\d[^-]*)", word) for word in installed[0].split())
                    if m and m[1].replace("_", "-").lower() == project), "?")
    if plain.status != 0:
        return Outcome("-", version, plain, None)
    held, held_files = one(place, world, argv, True)
    return Outcome(judge(held, plain, held_files, files, lambda: one(place, world, argv, False)), version, plain, held)


def table(found: dict[tuple[str, str], Outcome], names: list[str]) -> str:
    lines = ["| sdist | version | of | " + " | ".join(f"CPython {n}" for n in names) + " |", "|---" * (3 + len(names)) + "|"]
    for project in dict.fromkeys(project for project, _ in found):
        cells = [found.get((project, n)) for n in names]
        version = next(c.version for c in cells if c)
        lines.append(f"| {project} | {version} | {KIND_OF.get(project, '')} | " + " | ".join(
            "" if c is None else c.verdict + ("" if c.version == version else f" ({c.version})") for c in cells) + " |")
    return "\n".join(lines)


def write(path: Path, text: str, begin: str, end: str) -> None:
    before, rest = path.read_text().split(begin + "\n", 1)
    path.write_text(before + begin + "\n" + text + "\n" + end + rest.split(end, 1)[1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=Path)
    parser.add_argument("--only", nargs="+", default=list(KIND_OF), metavar="PROJECT")
    parser.add_argument("--python", nargs="+", default=["3.11"], metavar="V", help="the distribution's, or one of pyenv's")
    parser.add_argument("--pip", default="pip", metavar="V", help="a version of pip; default: the newest")
    parser.add_argument("--user", default="user", choices=["root", "user"])
    parser.add_argument("--write", type=Path, metavar="FILE")
    parser.add_argument("--verbose", action="store_true", help="show the runs of what is not the same")
    options = parser.parse_args()
    os.umask(0o022)
    found: dict[tuple[str, str], Outcome] = {}
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="pws", dir="/tmp", ignore_cleanup_errors=True) as folder:
        base = Path(folder)
        base.chmod(0o755)
        for sub in ("pythons", "places"):
            (base / sub).mkdir()
        known = {f"{p.version[0]}.{p.version[1]}": p for p in reversed(pythons.find(base / "pythons", everything=options.python != ["3.11"]))}
        pips = Pips(base / "pips", packages.world(base / "packages"))
        program = binary.public(options.binary.resolve(), base)
        user = ROOT if options.user == "root" else ordinary_user()
        for name in options.python:
            place = Venv(known[name], options.pip, False, base / "places", pips)
            for project in options.only:
                world = World(Path(tempfile.mkdtemp(prefix="x", dir=base)), user, program)
                done = found[project, name] = outcome(place, world, project)
                print(f"{time.monotonic() - start:5.0f} s  {project} {done.version} on {name}: {done.verdict}  "
                      f"({done.plain.seconds:.0f} s, {done.held.seconds if done.held else 0:.0f} s guarded)", file=sys.stderr, flush=True)
                if options.verbose and done.verdict != "same":
                    print(f"{done.plain}\n=====\n{done.held}", file=sys.stderr, flush=True)
                subprocess.run(["rm", "-rf", world.root], check=False, timeout=120)
    text = table(found, options.python)
    print(text)
    if options.write:
        write(options.write, text, BEGIN, END)
    bad = [d for d in found.values() if d.verdict not in ("same", "-")]
    print(f"\n{len(found)} builds, {len(bad)} differ")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
