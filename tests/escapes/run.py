"""Runs the kit: every row plainly, and under pipwarden or another wrapper, as root and as a user; prints the matrix.

usage: python3 tests/escapes/run.py [--rows SE-01,SF-*] [--user root|user|both] [--one] [--wrapper 'bwrap … --'] [--hide MECHANISMS] [--write FILE] [-v]

Rows of one stage go into one pip command (guarded: with --on-violation deny, so that one does not hide the others); --one runs each alone, under
the default policy.  Needs root: it makes network and mount namespaces."""
from __future__ import annotations

import argparse
import fnmatch
import os
import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lib import binary, packages, pythons  # noqa: E402
from lib.fakenet import FakeInternet  # noqa: E402
from lib.world import LEVELS, ROOT, Result, Templates, ordinary_user  # noqa: E402

from escapes import make, origins, report  # noqa: E402
from escapes.ground import Ground  # noqa: E402
from escapes.kit import PIP_STAGES, Row  # noqa: E402
from escapes.rows import table  # noqa: E402

USERS = ("root", "user")
PIP = ["pip", "--no-input"]
BATCHES = {
    "metadata": ["download", "--no-binary", ":all:", "--no-deps", "--no-build-isolation", "-v", "-d", "{work}/out"],
    "build": ["install", "--no-deps", "--no-build-isolation", "-v"],
}
BATCH_OF = {"metadata": "metadata", "build": "build", "install": "build", "after": "build", "wheel": "build"}
GUESTS = {
    "next": ["{python}", "-c", "pass"],
    "import": ["{python}", "-c", "import {module}"],
    # By the environment's Python: a guest reads the environment that its command belongs to.
    "native": ["{python}", "-c", "import os, sys; os.execv(sys.argv[1], sys.argv[1:])", "{site}/{module}/pwnative", "{native}", "{site}/{module}/targets.txt"],
    "script": ["{venv}/bin/{package}"],
}
FRESH = ("wheel", "next")  # stages that get an environment of their own
SETTLE = 2.0  # for what arrives after the command has ended


@dataclass
class Outcome:
    """One row of one run."""
    row: Row
    ran: bool = False
    effect: str = ""
    events: list = field(default_factory=list)
    result: Result | None = None
    not_tried: str = ""
    before: dict = field(default_factory=dict)  # what file effects are compared with
    record: str = ""  # what is wrong with the journal

    def has_run(self, result: Result) -> bool:
        """Of what only lies somewhere until a later command, nothing runs."""
        return self.row.stage in FRESH or not (self.row.act or self.row.native) or f"PWRAN:{self.row.id}" in result.out + result.err

    def told(self) -> str:
        """For people: what the command printed of this row, and what the record holds of it."""
        if self.result is None:
            return "not run"
        lines = (self.result.out + self.result.err).splitlines()
        mine = lines if self.row.own_command else [l for l in lines if self.row.id in l or self.row.package in l]
        events = [str({k: e[k] for k in ("type", "action", "rule", "severity", "role", "target", "origin", "package", "count") if k in e}) for e in self.events]
        return "\n".join([f"$ {' '.join(self.result.argv)[:300]}: status {self.result.status}", *(l[:300] for l in mine[-60:]), *events[-60:]])

    def event_problem(self, ground: Ground) -> str:
        """What is wrong with the record; "" where it is right."""
        if not self.row.events:
            loud = [e for e in self.events if e.get("severity", "info") != "info"]
            return f"above info: {loud[0]['rule']} {loud[0].get('target')}" if loud else ""
        for wanted in self.row.events:
            if not any(wanted.fits(e, lambda text: ground.fill(text, self.row)) for e in self.events):
                return f"no event {wanted.rule} {wanted.type or ''} {wanted.target or ''}"
        return ""


def used() -> float:
    """Seconds of a processor, by this process and by all that has ended below it."""
    return sum(u.ru_utime + u.ru_stime for u in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


def printable(text: str) -> str:
    """Of what a replica named, nothing that a terminal would obey."""
    return "".join(c if c.isprintable() else "?" for c in text) or "-"


def normalise(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name or "").lower()


class Bench:
    """What all runs share.  with Bench(folder) as bench: bench.run(rows, user, guarded)."""

    def __init__(self, base: Path, pipwarden: Path | None, templates: Templates, python: pythons.Python, net: FakeInternet):
        self.base, self.pipwarden, self.templates, self.python, self.net = base, pipwarden, templates, python, net
        self.native = make.compile_native(base / "native")

    def run(self, rows: list[Row], user, guarded: bool, *, wrapper: str | None = None, one: bool = False, hide: str = "") -> "Run":
        """hide: mechanisms of the kernel that pipwarden is to do without (docs/kernel.md)."""
        run = Run(self, rows, user, guarded, wrapper, one, hide)
        try:
            run.go()
        finally:
            run.ground.close()
            self.net.clear()
        return run


class Run:
    """All rows for one user, plainly or guarded."""

    def __init__(self, bench: Bench, rows: list[Row], user, guarded: bool, wrapper: str | None, one: bool, hide: str = ""):
        self.bench, self.guarded, self.wrapper, self.one, self.hide = bench, guarded, wrapper, one, hide
        self.ground = Ground(Path(tempfile.mkdtemp(prefix="e", dir=bench.base)), user, bench.pipwarden, bench.net, hide=hide)
        if guarded and wrapper is not None:
            self.ground.name_home()
        self.user = "user" if user.uid else "root"
        self.rows = [r for r in rows if self.user in r.users]
        self.outcomes: dict[str, Outcome] = {}
        self.sources: dict[str, dict[str, str]] = {}  # of their packages
        self.seconds = self.cpu = 0.0

    def go(self) -> None:
        start, ground, cpu = time.monotonic(), self.ground, used()
        ground.net.clear()
        ground.use_venv(self.bench.templates, self.bench.python)
        ground.net.index.serve(ground.packages)
        wanted = []
        for row in self.rows:
            missing = [n for n in row.needs if not shutil.which(n, path="/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")]
            self.outcomes[row.id] = Outcome(row, not_tried=f"no {', '.join(missing)}" if missing else "")
            if not missing:
                wanted.append(row)
        make.honest(ground.packages, self.bench.native)
        archives = {r.id: make.build(ground.packages, r, ground.targets(r), self.bench.native) for r in wanted}
        self.sources = {id: origins.sources(archive) for id, archive in archives.items()}
        for name in BATCHES:
            batch = [r for r in wanted if not r.own_command and r.stage in PIP_STAGES and BATCH_OF[r.stage] == name]
            for part in [[r] for r in batch] if self.one else [batch]:
                if part:
                    self._pip(name, part)
        self._settle([r for r in wanted if not r.own_command])
        # What changes the environment, and later starts in it, comes last.
        own = sorted((r for r in wanted if r.own_command), key=lambda r: r.stage in FRESH)
        for row in own:
            self._own(row, archives[row.id])
        self._settle(own)
        self.seconds, self.cpu = time.monotonic() - start, used() - cpu

    # --- commands

    def command(self, argv: list, options: list, guest: bool, **more) -> Result:
        ground = self.ground
        if self.wrapper is not None and self.guarded:
            return ground.run([*shlex.split(ground.fill(self.wrapper)), *argv], **more)
        if not self.guarded:
            return ground.run(argv, **more)
        return ground.guarded([*(["run", "--"] if guest else []), *argv], options=options, **more)

    def env(self, rows: list[Row]) -> dict:
        """A secret for each row, and of a row alone what it asks for.  Not all rows': some wrappers take 255 variables."""
        secrets = {make.environment_name(r): self.ground.secret("$" + make.environment_name(r)) for r in rows}
        return {**secrets, **({k: self.ground.fill(v, rows[0]) for k, v in rows[0].env.items()} if len(rows) == 1 else {})}

    def options(self, *own: str) -> list:
        return [*own] if self.one else ["--on-violation", "deny", *own]

    def _pip(self, batch: str, rows: list[Row]) -> None:
        alone, ground = rows[0] if len(rows) == 1 else None, self.ground
        before = {r.id: ground.before(r) for r in rows}
        argv = [*PIP, *(ground.fill(w) for w in BATCHES[batch]), *(r.package for r in rows)]
        ground.outside = alone.outside if alone else ()
        result = self.command(argv, self.options(*(alone.options if alone else ())), False,
                              timeout=alone.timeout if alone else max(60.0, *(r.timeout for r in rows)) + 10 * len(rows), env=self.env(rows))
        ground.outside = ()
        if len(rows) > 1 and (lost := [r for r in rows if not self.outcomes[r.id].has_run(result)]):
            # One that breaks the command must not take the others with it.
            for row in lost:
                self._pip(batch, [row])
            rows = [r for r in rows if r not in lost]
        self._judge(rows, result, before, len(before) > 1)

    def _own(self, row: Row, archive: Path) -> None:
        ground = self.ground
        if row.stage in FRESH:
            ground.use_venv(self.bench.templates, self.bench.python)
        if row.stage in PIP_STAGES and not row.command:
            return self._pip(BATCH_OF[row.stage], [row])
        if row.stage in GUESTS:
            make.place(archive, ground.venv, ground.own_tree)
        argv = [ground.fill(w.replace("{native}", row.native), row) for w in row.command or GUESTS[row.stage]]
        pip = Path(argv[0]).name.startswith("pip")
        before = {row.id: ground.before(row)}
        ground.outside = row.outside
        result = self.command(argv, self.options(*row.options), not pip, timeout=row.timeout, env=self.env([row]))
        ground.outside = ()
        self._judge([row], result, before, False)

    # --- judging

    def _judge(self, rows: list[Row], result: Result, before: dict, batch: bool) -> None:
        for row in rows:
            outcome = self.outcomes[row.id]
            outcome.result, outcome.before = result, before[row.id]
            outcome.effect = self.ground.evidence(row, result, outcome.before)
            outcome.ran = outcome.has_run(result)
            outcome.events = [e for e in result.events if "severity" in e and (not batch or normalise((e.get("package") or {}).get("name")) == row.package)]
            outcome.record = "" if not self.guarded or self.wrapper is not None or self.hide else outcome.event_problem(self.ground)


    def _settle(self, rows: list[Row]) -> None:
        """What arrived, or happened, after its command had ended: looked for again until these are over."""
        until = time.monotonic() + (SETTLE if any(r.stage == "after" for r in rows) else 0.5)
        waiting = [o for o in (self.outcomes[r.id] for r in rows) if o.result and not o.effect]
        while waiting and time.monotonic() < until:
            for outcome in waiting:
                lasting = tuple(e for e in outcome.row.effects if not outcome.row.own_command or e.kind not in ("file", "call"))
                outcome.effect = lasting and self.ground.evidence(outcome.row, outcome.result, outcome.before, lasting) or ""
            waiting = [o for o in waiting if not o.effect]
            time.sleep(0.05)


# --- the table

@dataclass
class Verdict:
    good: bool
    text: str


def judge(row: Row, user: str, plain: Outcome, held: Outcome | None) -> Verdict:
    """One row for one user."""
    if plain.not_tried:
        return Verdict(True, f"not tried: {plain.not_tried}")
    reason = row.no_baseline(user)
    if not plain.ran:
        return Verdict(False, "the plain replica did not run")
    if not plain.effect and not reason:
        return Verdict(False, "no effect even without pipwarden: the replica is wrong")
    if held is None:
        return Verdict(True, plain.effect)
    if not held.ran:
        return Verdict(False, "the guarded replica did not run")
    if row.control:
        if not held.effect:
            return Verdict(False, "an honest act has no effect with pipwarden")
    elif held.effect:
        return Verdict(False, f"EFFECT with pipwarden: {held.effect}")
    if held.record:
        return Verdict(False, held.record)
    return Verdict(True, f"no baseline: {reason}" if reason and not plain.effect else "")


def select(rows: list[Row], patterns: str) -> list[Row]:
    wanted = patterns.split(",") if patterns else ["*"]
    return [r for r in rows if any(fnmatch.fnmatchcase(r.id, p) for p in wanted)]


class Standing:
    """A Bench of its own, outside of pytest."""

    def __init__(self, above: str = "/tmp"):
        self.above, self.base, self.mounted, self.net = above, Path("/nowhere"), False, None

    def __enter__(self) -> Bench:
        try:
            return self._begin()
        except BaseException:
            self.__exit__()
            raise

    def _begin(self) -> Bench:
        os.umask(0o022)
        self.base = Path(tempfile.mkdtemp(prefix="pwk", dir=self.above))
        self.mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3g,mode=0755", "tmpfs", self.base], capture_output=True).returncode == 0
        self.base.chmod(0o755)
        built = binary.built()
        (self.base / "net").mkdir(), (self.base / "templates").mkdir()
        packages.build_tools(self.base / "tools")
        self.net = FakeInternet(self.base / "tools", self.base / "net")
        self.net.__enter__()
        return Bench(self.base, binary.public(built, self.base) if built else None, Templates(self.base / "templates", self.base / "tools"),
                     pythons.distribution(), self.net)

    def __exit__(self, *exc) -> None:
        if self.net:
            self.net.__exit__()
        if self.mounted:
            subprocess.run(["umount", "-l", self.base], check=False)
        shutil.rmtree(self.base, ignore_errors=True)


def both(options) -> tuple[str, ...]:
    return USERS if options.user == "both" else (options.user,)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="", help="ids or globs, separated by commas")
    parser.add_argument("--user", choices=[*USERS, "both"], default="both")
    parser.add_argument("--one", action="store_true", help="each row alone, under the default policy")
    parser.add_argument("--plain", action="store_true", help="the baseline only")
    parser.add_argument("--wrapper", help="instead of pipwarden: a command's beginning, in which {home}, {venv}, {work}, {temp}, {ca} are filled in; or "
                        + " or ".join(report.WRAPPERS))
    parser.add_argument("--hide", default="", help="mechanisms that pipwarden is to do without, as in PIPWARDEN_TEST_HIDE; effects alone are judged then")
    parser.add_argument("--write", type=Path, help="run all rows plainly, under pipwarden and under the known wrappers, and write the table there")
    parser.add_argument("--results", type=Path, help="with --write: a file that keeps what was found, so that --rows can take the table piece by piece")
    parser.add_argument("--ways", default=",".join(["plain", "pipwarden", *report.WRAPPERS]), help="with --write: what is run now (default: %(default)s)")
    parser.add_argument("-v", "--verbose", action="store_true", help="what was printed and recorded, too")
    options = parser.parse_args()
    if os.geteuid() != 0:
        print("run.py: this needs root: it makes namespaces and runs as several users", file=sys.stderr)
        return 2
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))  # with all that is to be taken away
    rows = select(table(), options.rows)
    return write(rows, options) if options.write else show(rows, options)


def show(rows: list[Row], options) -> int:
    bad = 0
    wrapper = report.WRAPPERS.get(options.wrapper, options.wrapper)
    with Standing("/tmp" if wrapper is None else report.PLACE) as bench:
        users = {"root": ROOT, "user": ordinary_user()}
        for name in both(options):
            plain = bench.run(rows, users[name], False, one=options.one)
            held = None if options.plain else bench.run(rows, users[name], True, wrapper=wrapper, one=options.one, hide=options.hide)
            for row in plain.rows:
                one, two = plain.outcomes[row.id], held.outcomes[row.id] if held else None
                verdict = judge(row, name, one, two)
                bad += not verdict.good
                print(f"{'ok ' if verdict.good else 'BAD'} {row.id:6} {name:4} {row.title[:50]:50} | {printable(one.effect):36.36} | {printable(two.effect if two else ''):20.20} | {verdict.text}")
                if options.verbose:
                    print("\n".join("    " + line for o in (one, two) if o for line in o.told().splitlines()))
            print(f"{name}: " + ", ".join(f"{r.seconds:.1f} s ({r.cpu:.1f} s of a processor)" for r in (plain, held) if r), flush=True)
    print(f"{bad} wrong")
    return 1 if bad else 0


def write(rows: list[Row], options) -> int:
    results = report.Results(options.results)
    missing = [w for w, program in report.PROGRAMS.items() if not shutil.which(program)]
    for wrapper in missing:
        print(f"run.py: no {wrapper}: apt-get install {wrapper}", file=sys.stderr)
    wanted = [w for w in options.ways.split(",") if w not in missing]
    for place, ways in (("/tmp", ("plain", "pipwarden")), (report.PLACE, tuple(report.WRAPPERS))):
        if set(ways) & set(wanted):
            with Standing(place) as bench:
                run_ways(bench, rows, [w for w in ways if w in wanted], both(options), results)
    options.write.write_text(report.text(table(), results, machine()))
    wrong = [f"{r.id} {u}: {v.text}" for u in USERS for r in rows if u in r.users and results.of("plain", u, r.id) and results.of("pipwarden", u, r.id)
             for v in [judge(r, u, results.of("plain", u, r.id), results.of("pipwarden", u, r.id))] if not v.good]
    print("\n".join([*wrong, f"{len(wrong)} wrong"]))
    return 1 if wrong else 0


def run_ways(bench: Bench, rows: list[Row], ways: list[str], names, results: report.Results) -> None:
    users = {"root": ROOT, "user": ordinary_user()}
    for way in ways:
        for name in names:
            run = bench.run(rows, users[name], way != "plain", wrapper=report.WRAPPERS.get(way))
            results.add(way, name, run.outcomes)
            print(f"{way}, {name}: {run.seconds:.0f} s ({run.cpu:.0f} s of a processor)", flush=True)


def machine() -> str:
    release = next((l.partition("=")[2].strip('"\n') for l in open("/etc/os-release") if l.startswith("PRETTY_NAME=")), "Linux")
    versions = [subprocess.run([p, "--version"], capture_output=True, text=True).stdout.splitlines()[0] for p in report.PROGRAMS.values() if shutil.which(p)]
    return f"{release}, Linux {os.uname().release}; {', '.join(versions)}."


if __name__ == "__main__":
    sys.exit(main())
