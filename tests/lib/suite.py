#!/usr/bin/env python3
"""A small suite for where the whole one cannot run: another kernel, a container.  What the machine gives is found by `doctor`; honest installs must come
out as plainly, and attempts of each kind, which all have their effect unguarded, none.

    python3 tests/lib/suite.py BINARY [--hide LIST]…     prints a line for each test and "N passed, N failed"
    python3 tests/lib/suite.py --prepare                 makes /opt/suite: what takes long in an emulator"""
from __future__ import annotations

import argparse
import json
import os
import platform
import pwd
import shutil
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lib import faults, packages  # noqa: E402
from lib.pythons import distribution  # noqa: E402
from lib.world import CANARY, ROOT, Templates, User, World, differences, normalise, ordinary_user, snapshot  # noqa: E402

PREPARED = Path("/opt/suite")
MANY = 15  # attempts that must have an effect of their own, or the rest proves nothing


def said(text: str) -> str:
    """pip's words, but for its sign of life when something takes a minute."""
    return "".join(line + "\n" for line in normalise(text).splitlines() if not line.endswith("still running..."))


def prepared(folder: Path) -> tuple[Path, Templates]:
    wheels, templates = folder / "packages", Templates(folder, folder / "packages")
    made = folder / f"template-{distribution().name}"
    if made.exists():
        templates.use(distribution(), made)
    else:
        packages.world(wheels)
    return wheels, templates


def users() -> list:
    """Who can be tried: ourselves, and as root an ordinary user, unless root may not become one here."""
    if os.geteuid() != 0:
        return [User(pwd.getpwuid(os.geteuid()).pw_name, os.geteuid(), os.getegid())]
    other = ordinary_user()
    can = subprocess.run(["setpriv", f"--reuid={other.uid}", "--clear-groups", "true"], stderr=subprocess.DEVNULL).returncode == 0
    return [ROOT, other] if can else [ROOT]


def packages_of(user, short: bool) -> tuple[str, ...]:
    return ("pwpure", "pwnative", "pwisolated") if not short else ("pwnative",) if user is ROOT else ("pwpure", "pwisolated")


def prepare():
    PREPARED.mkdir(mode=0o755)
    _, templates = prepared(PREPARED)
    templates.make(distribution())


class Suite:
    def __init__(self, binary: Path, hides: list[str], short: bool):
        self.hides, self.short = hides, short
        self.passed = self.failed = 0
        self.folder = Path(tempfile.mkdtemp(prefix="pws", dir="/tmp"))
        self.folder.chmod(0o755)
        self.binary = self.folder / "bin/pipwarden"
        shutil.copytree(binary.parent / "libexec", self.folder / "bin/libexec")
        shutil.copy2(binary, self.binary)
        for path in (self.folder / "bin").rglob("*"):
            path.chmod(0o755)
        self.kit = faults.Kit(self.folder, self.binary, inject=False)
        self.wheels, self.kit.templates = prepared(PREPARED if PREPARED.exists() else self.folder)
        self.kit.python = distribution()
        self.users = users()

    def test(self, name: str, f, *arguments):
        try:
            f(*arguments)
            self.passed += 1
            print(f"ok {name}", flush=True)
        except Exception as error:  # noqa: BLE001: the next one is run all the same
            self.failed += 1
            print(f"FAILED {name}: {error if isinstance(error, AssertionError) else traceback.format_exc()}", flush=True)

    def doctor(self):
        text = subprocess.run([self.binary, "doctor"], capture_output=True, text=True, timeout=60)
        print(text.stdout + text.stderr, flush=True)
        found = json.loads(subprocess.run([self.binary, "doctor", "--json"], capture_output=True, text=True, timeout=60).stdout)
        assert text.returncode == 0 and found["landlock_abi"] > 0, "doctor says that it does not work here"

    def install(self, user, package: str, hide: str):
        world = World(Path(tempfile.mkdtemp(prefix="w", dir=self.folder)), user, self.binary, hide=hide)
        twins = []
        for guarded in (False, True):
            world.use_venv(self.kit.templates, self.kit.python)
            argv = ["pip", "install", "--no-index", "--find-links", self.wheels, package]
            result = (world.guarded if guarded else world.run)(argv, timeout=1200)
            twins.append((result, snapshot(world.venv)))
        (plain, before), (held, after) = twins
        assert plain.status == 0, f"plain pip fails here\n{plain}"
        assert held.status == 0 and held.above("info") == [], str(held)
        assert differences(after, before) == [], str(differences(after, before))
        assert said(held.out) == said(plain.out) and said(held.err) == said(plain.err), f"{held}\n{plain}"
        shutil.rmtree(world.root)

    def baseline(self, user):
        job = faults.Job(self.kit, user, faults.Workload("guest"))
        result = job.world.run([self.kit.program, *job.arguments], {**job.environment})
        did = {line for line in result.out.splitlines() if line.startswith("did ")}
        print(f"# unguarded as {user.name}: {len(did)} kinds of attempt succeed, {len(job.sinks.heard)} messages at the sinks", flush=True)
        assert len(did) >= MANY and CANARY in result.out and job.sinks.heard, str(result)
        job.close()

    def attempts(self, user, pip: str, hide: str):
        job = faults.Job(self.kit, user, faults.Workload(pip or "guest", hide, pip))
        trial = job.run(None)
        job.close()
        assert trial.problems == [] and trial.status == 100, f"{trial}\n{trial.out[-2000:]}\n{trial.err[-2000:]}"
        assert "end of the workload" in trial.out + trial.err, f"the attempts were not made\n{trial.out[-2000:]}\n{trial.err[-2000:]}"

    def run(self) -> int:
        print(f"# {platform.release()}, uid {os.geteuid()}", flush=True)
        self.test("doctor", self.doctor)
        for user in self.users:
            self.test(f"attempts unguarded, {user.name}", self.baseline, user)
        for hide in self.hides:
            for user in self.users:
                where = f"{user.name}{', without ' + hide if hide else ''}"
                for pip in ("", "local") if self.short else ("", "sdist", "local"):
                    self.test(f"attempts of {pip or 'a command'}, {where}", self.attempts, user, pip, hide)
                for package in packages_of(user, self.short):
                    self.test(f"install {package}, {where}", self.install, user, package, hide)
        shutil.rmtree(self.folder, ignore_errors=True)
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        return 1 if self.failed else 0


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("binary", type=Path, nargs="?")
    parser.add_argument("--prepare", action="store_true")
    parser.add_argument("--short", action="store_true", help="each kind of install once")
    parser.add_argument("--hide", action="append", default=[])
    options = parser.parse_args()
    os.umask(0o022)
    if options.prepare:
        prepare()
        return 0
    faults.TIME_LIMIT = 900  # an emulated processor is slow
    return Suite(options.binary.resolve(), ["", *options.hide], options.short).run()


if __name__ == "__main__":
    sys.exit(main())
