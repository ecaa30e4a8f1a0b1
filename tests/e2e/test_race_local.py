"""Races in the folder of a local project, where nothing is Landlock's and all is the supervisor's: a static program that lies there makes raw calls, while
a thread of its own swaps the memory of the path, or a process outside, which nothing slows down, swaps links and folders on the way.

Judged by effects: what is read of `.env` and of a key in the home, what becomes of a hook of `.git`, whether a script runs that may not be read.
80 unguarded tries show that each effect can be had; 100,000 guarded ones of reading and 40,000 of changing, that none is."""
from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from lib import packages
from lib.procs import wait_for
from lib.world import CANARY
from test_local import in_tree, put
from test_race import lines_of, show

BASELINE = 80
# name, tries of the user's (root's: a tenth), does a process outside swap?
RACES = [("path", 80_000, False), ("link", 20_000, True), ("entry", 20_000, False), ("parent", 20_000, True), ("exec", 1_000, False)]

BACKEND = """
import os, subprocess
from tinyback import *
from tinyback import build_wheel as honest

def build_wheel(*a, **k):
    with open("races.txt") as races, open("results.jsonl", "wb") as results:
        for line in races:
            subprocess.run(["./race-static", *line.split()], stdout=results, check=True, env={**os.environ, "TMPDIR": os.getcwd()})
    return honest(*a, **k)
"""


class Project:
    def __init__(self, world, static: Path):
        self.world, self.work = world, world.work
        world.plant_canaries()
        files = in_tree("pwlocal")
        files["pyproject.toml"] = files["pyproject.toml"].replace('build-backend = "tinyback"', 'build-backend = "races"')
        script = f"#!/bin/sh\n# {CANARY}\necho ran >>{self.work}/marker\nexit 77\n"
        put(world, self.work, {**files, "backend/races.py": BACKEND, ".env": script, ".git/hooks/hook": "the user's own\n", "bin/true": "#!/bin/true\n"})
        self.program = world.own(Path(shutil.copy(static, self.work / "race-static")))
        self.hook, self.env = self.work / ".git/hooks/hook", self.work / ".env"
        self.before = self.kept()
        self.targets = [f"victim={self.hook}", f"program={self.env}", f"marker={self.work}/marker", f"bin={self.work}/bin"]

    def line(self, race: str, tries: int, only: str = "") -> list[str]:
        secret = self.world.home / ".ssh/id_ed25519" if race == "link" else self.env
        return [race, str(tries), *([f"only={only}", f"folder={self.work}/swapped-{race}"] if only else []), f"secret={secret}", *self.targets]

    def kept(self) -> dict:
        """What must stay as it is."""
        return {p: (p.read_text(), p.stat().st_mode, p.stat().st_ino, p.stat().st_nlink, p.stat().st_mtime_ns) for p in (self.hook, self.env)
                if p.exists()} | {f: sorted(os.listdir(f)) for f in (self.hook.parent, self.hook.parent.parent)}

    def effects(self, lines: list[dict]) -> set[str]:
        found = {"foreign": any(line["foreign"] for line in lines), "canary": any(CANARY in line["text"] for line in lines),
                 "changed": self.kept() != self.before, "ran": (self.work / "marker").exists()}
        return {name for name, value in found.items() if value}


EXPECTED = {"path": {"foreign", "canary"}, "link": {"foreign", "canary"}, "entry": {"changed"}, "parent": {"changed"}, "exec": {"ran", "foreign"}}


@pytest.mark.parametrize("race", EXPECTED)
def test_baseline(race, user_named, make_world, race_programs, show):  # noqa: F811
    project = Project(make_world(user_named("user")), race_programs / "race-static")
    result = project.world.run([project.program, *project.line(race, BASELINE), "pause=300"], {"TMPDIR": str(project.work)}, timeout=60)
    assert result.status == 0, str(result)
    lines = lines_of(result.out)
    show(lines[0], result.seconds)
    assert EXPECTED[race] <= project.effects(lines), f"no effect even unguarded: {project.effects(lines)}\n{result}"


@pytest.fixture
def swappers():
    """Processes outside that swap names until they are told to end."""
    running = []
    yield running
    for p in running:
        if p.poll() is None:
            p.send_signal(signal.SIGTERM)
            p.wait(10)


@pytest.mark.parametrize("user", ["root", "user"])
def test_build(user, user_named, make_world, templates, distribution, race_programs, swappers, show):  # noqa: F811
    world = make_world(user_named(user))
    project = Project(world, race_programs / "race-static")
    plan = [(race, number // (10 if user == "root" else 1), outside) for race, number, outside in RACES]
    world.write(project.work / "races.txt", "".join(" ".join(project.line(r, n, "try" if outside else "")) + "\n" for r, n, outside in plan))
    for race, prepared in (("link", "other"), ("parent", "q")):
        swappers.append(world.popen([project.program, *project.line(race, 0, "flip")], stdout=subprocess.PIPE, cwd=project.work))
        assert wait_for(lambda: (project.work / f"swapped-{race}" / prepared).is_symlink(), 5)
    world.use_venv(templates, distribution)
    result = world.guarded(["pip", "install", "--no-index", "."], options=["--on-violation", "deny"], timeout=120)
    assert result.status in (0, 100), str(result)
    lines = lines_of((project.work / "results.jsonl").read_text())
    assert [line["race"] for line in lines] == [race for race, _, _ in plan], str(result)
    flips = {}
    for p in swappers:
        p.send_signal(signal.SIGTERM)
        flips |= {line["race"]: line["flips"] for line in lines_of(p.communicate(timeout=10)[0].decode())}
    for line, (race, _, _) in zip(lines, plan):
        line["flips"] += flips.get(race, 0)
        show(line, result.seconds)
    assert not project.effects(lines), f"{project.effects(lines)}\n{result}"
    for line, (_, number, _) in zip(lines, plan):
        good = line["errors"].get("0", 0)
        assert line["done"] == number and line["flips"] >= number // 20, f"hardly anything was raced: {line}"
        assert good >= number // 1000 and sum(line["errors"].values()) - good >= number // 1000, f"only one side was seen: {line}"
