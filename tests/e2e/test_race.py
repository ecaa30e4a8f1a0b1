"""Item 4: races of two threads between check and use (tests/race/), from a guest and from a build.

Judged by effects only: connections, bytes and packets at sinks outside, content that only another file has, a marker, the victim's
mode and size.  Each guarded run must really have raced: both sides were seen, and all tries were made.  200 unguarded tries show
that each effect can be had.  The numbers of every run are printed.

1,000,000 tries of address, descriptor, message header, path, working folder and exec by an ordinary user's guest; 100,000 of the others.  In CI a tenth of
these, but for message headers: the million of address and of descriptor takes two minutes each.
Fewer as root, from a build and with each mechanism hidden, so that all of it takes minutes: see tries()."""
from __future__ import annotations

import json
import os
import shutil
import socket
import threading
import time
from pathlib import Path

import pytest

from conftest import HIDDEN, HIDE_IDS, USERS
from lib import packages
from lib.fakenet import close_sockets, in_netns
from lib.procs import wait_for
from lib.world import CANARY

OUTSIDE = "203.0.113.9"  # any but the nameserver's, which a sandbox has one of its own at
SOCKETS = ("address", "address-family", "descriptor", "send")
READS = ("path", "link", "dirfd", "cwd")
RACES = (*SOCKETS, *READS, "mode", "mode-descriptor", "truncate", "exec", "exec-many")
LONG = ("address", "descriptor", "send", "path", "cwd", "exec-many")
BUILD_RACES = ("address", "descriptor", "path")
PORT = 4444
IN_CI = os.environ.get("CI") == "true"

MILLION, FULL, SOME, FEW, BASELINE = 1_000_000, 100_000, 20_000, 4_000, 200


def tries(race: str, role: str, user: str, hide: str) -> int:
    if race == "send" and hide == "namespaces":
        number = FULL  # there is no datagram socket, so nobody is asked: fewer are over before the other thread has begun
    elif hide or role == "build":
        number = SOME if user == "user" and race in ("path", "descriptor") else FEW
    elif user == "root":
        number = SOME
    else:
        number = (MILLION if race in LONG else FULL) // (10 if IN_CI and race != "send" else 1)
    if hide == "namespaces" and race in SOCKETS and race != "send":
        number = min(number, FEW) // 2  # a worker and two looks into the kernel's lists a connect
    return number // 20 if race == "exec" else number  # 0.6 ms each: a process a try


class Agents:
    """A fake ssh-agent on a path outside, and one on an abstract name; what they are told is kept."""

    def __init__(self, path: Path, net):
        self.path, self.connections, self.received = path, {"path": 0, "abstract": 0}, []
        self._sockets = []
        # race.c swaps the first eight bytes of the address: family and six characters of the name
        for name, address in (("path", str(path)), ("abstract", b"\0race-" + str(path)[1:].encode())):
            s = in_netns(net.host_ns, lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            s.bind(address)
            s.listen(256)
            self._sockets.append(s)
            threading.Thread(target=self._serve, args=(s, name), daemon=True).start()
        path.chmod(0o666)

    def _serve(self, listener, name):
        while True:
            try:
                connection = listener.accept()[0]
            except OSError:
                return
            self.connections[name] += 1
            with connection:
                connection.settimeout(2)
                try:
                    while piece := connection.recv(4096):
                        self.received.append(piece)
                except OSError:
                    pass

    def close(self):
        close_sockets(self._sockets)


class Arena:
    """One world with what must not be reached, and what it looks like afterwards."""

    def __init__(self, world, net, programs: Path):
        self.world, self.net = world, net
        world.plant_canaries()
        self.tools = world.root / "tools"  # granted for reading, nothing else
        self.victim = world.write(self.tools / "victim", "the user's own\n", 0o644)
        self.tools.chmod(0o755)
        for name in ("race", "race-static"):
            world.own(Path(shutil.copy(programs / name, self.tools)))
        self.marker = world.root / "marker"
        program = world.own(Path(shutil.copy(programs / "race-static", world.home / "program")))
        self.agents = Agents(world.root / "agent.sock", net)
        self.targets = [f"address={OUTSIDE}", f"port={PORT}", f"agent={self.agents.path}",
                        f"secret={world.home}/.ssh/id_ed25519", f"victim={self.victim}", f"program={program}", f"marker={self.marker}"]

    def effects(self, lines: list[dict]) -> dict:
        """What became of it, as the outside sees it.  Empty: nothing at all."""
        time.sleep(0.05)  # what has arrived is read by threads of ours
        stat, sink = self.victim.stat(), self.net.sink
        found = {
            "tcp": sink.connections, "bytes": sink.bytes, "packets": self.net.outside(),
            "agent": self.agents.connections["path"], "abstract": self.agents.connections["abstract"],
            "told": b"".join(self.agents.received),
            "foreign": sum(line["foreign"] for line in lines), "canary": any(CANARY in line["text"] for line in lines),
            "marker": self.marker.exists(), "mode": stat.st_mode & 0o7777 != 0o644,
            "content": self.victim.read_text() != "the user's own\n",
        }
        return {name: value for name, value in found.items() if value}


EXPECTED = {  # without pipwarden
    "address": {"tcp", "bytes"}, "address-family": {"agent", "told"}, "descriptor": {"agent", "abstract", "told"},
    "send": {"bytes"},
    **{r: {"foreign", "canary"} for r in READS}, "mode": {"mode"}, "mode-descriptor": {"mode"},
    "truncate": {"content"}, "exec": {"marker", "foreign"}, "exec-many": {"marker", "foreign"}}


def lines_of(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines() if line.startswith('{"race"')]


@pytest.fixture
def arena(make_world, net, race_programs):
    made = []

    def make(user, hide="") -> Arena:
        made.append(Arena(make_world(user, net=net, hide=hide), net, race_programs))
        return made[-1]

    yield make
    for a in made:
        a.agents.close()


@pytest.fixture
def show(request, capsys):
    """The numbers, whatever is captured: a line a race."""
    def say(line: dict, seconds: float):
        errors = ", ".join(f"{os.strerror(int(e)) if int(e) else 'succeeded'} {n}" for e, n in line["errors"].items())
        with capsys.disabled():
            print(f"\n  {request.node.name}: {line['race']}, {line['done']} tries, {line['flips']} swaps, "
                  f"{line['seconds']:.1f} of {seconds:.1f} s: {errors}", end="", flush=True)
    return say


def check_raced(line: dict, number: int, hide: str) -> None:
    assert line["tries"] == number <= line["done"], "tries are missing"
    assert line["flips"] >= number // 20, "hardly anything was swapped: nothing was raced"
    refused = {e: n for e, n in line["errors"].items() if e != "0"}
    if line["race"] == "send" and hide == "namespaces":
        assert not line["inet"], "a datagram socket, where there is no network namespace to keep it in"
        assert set(refused) == {"9"} and "0" not in line["errors"], line
        return
    if line["race"] in SOCKETS:
        assert line["inet"], "no sockets: nothing was raced"
    if line["race"] in ("address-family", "descriptor"):
        assert line["unix"] == (hide != "pidfd_getfd"), "AF_UNIX sockets are made exactly where their connects can be confined"
    assert line["errors"].get("0", 0) >= number // 1000 and sum(refused.values()) >= number // 1000, f"only one side was seen: {line}"


def check_nothing(a: Arena, lines: list[dict], result) -> None:
    effects = a.effects(lines)
    assert not effects, f"{effects}\n{result}"


@pytest.mark.parametrize("race", RACES)
@pytest.mark.parametrize("user", USERS)
def test_baseline(user, race, arena, user_named, show):
    """Unguarded, each has its effect: the test can fail."""
    a = arena(user_named(user))
    number = BASELINE * 20 if race == "exec-many" else BASELINE  # which makes no pauses within a process
    result = a.world.run([a.tools / "race", race, number, "pause=300", *a.targets], timeout=60)
    assert result.status == 0, str(result)
    lines = lines_of(result.out)
    show(lines[0], result.seconds)
    assert lines[0]["done"] >= number
    assert wait_for(lambda: EXPECTED[race] <= set(a.effects(lines)), 5), f"no effect even unguarded: {a.effects(lines)}\n{result}"


@pytest.mark.parametrize("race", RACES)
@pytest.mark.parametrize("hide", HIDDEN, ids=HIDE_IDS)
@pytest.mark.parametrize("user", USERS)
def test_guest(user, hide, race, arena, user_named, show):
    a = arena(user_named(user), hide)
    number = tries(race, "guest", user, hide)
    result = a.world.guarded(["run", "--", a.tools / "race", race, number, *a.targets],
                             options=["--on-violation", "deny", "--allow-read", a.tools], timeout=300)
    assert result.status in (0, 100), str(result)
    lines = lines_of(result.out)
    assert len(lines) == 1, str(result)
    show(lines[0], result.seconds)
    check_nothing(a, lines, result)
    check_raced(lines[0], number, hide)


SETUP = """
import os, subprocess, sys
from setuptools import setup

if "bdist_wheel" in sys.argv:
    os.chmod("race-static", 0o755)
    with open("races.txt") as races, open("pwrace/results.jsonl", "wb") as results:
        for line in races:
            subprocess.run(["./race-static", *line.split()], stdout=results, check=True)

setup(name="pwrace", version="1.0", packages=["pwrace"], package_data={"pwrace": ["results.jsonl"]})
"""


@pytest.mark.parametrize("hide", HIDDEN, ids=HIDE_IDS)
@pytest.mark.parametrize("user", USERS)
def test_build(user, hide, arena, user_named, templates, distribution, race_programs, show):
    """The same from setup.py, by the static program."""
    a = arena(user_named(user), hide)
    numbers = {race: tries(race, "build", user, hide) for race in BUILD_RACES}
    links = a.world.root / "links"
    sdist = packages.sdist(links, "pwrace", "1.0", {
        "setup.py": SETUP, "race-static": (race_programs / "race-static").read_bytes(), "pwrace/__init__.py": "",
        "races.txt": "".join(" ".join([race, str(n), *a.targets]) + "\n" for race, n in numbers.items())})
    sdist.chmod(0o644)
    a.world.use_venv(templates, distribution)
    result = a.world.guarded(["pip", "install", "--no-index", "--find-links", links, "pwrace"], options=["--on-violation", "deny"],
                             timeout=200)
    assert result.status in (0, 100), str(result)
    lines = lines_of((a.world.site_packages() / "pwrace/results.jsonl").read_text())
    assert [line["race"] for line in lines] == list(BUILD_RACES), str(result)
    for line in lines:
        show(line, result.seconds)
    check_nothing(a, lines, result)
    for line in lines:
        check_raced(line, numbers[line["race"]], hide)
