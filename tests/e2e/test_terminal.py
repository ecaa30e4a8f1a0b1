"""The terminal is the command's own: what is seen and typed at a shell's pseudo-terminal is the same with pipwarden and without."""
from __future__ import annotations

import re
import tempfile
import time
from pathlib import Path

import pytest

from conftest import USERS
from lib import packages
from lib.index import Index
from lib.procs import wait_for
from lib.terminal import Terminal
from lib.world import World

# Comes to a point where it waits, in the middle of a build.
SLOW_SETUP = """
import sys, time
if 'bdist_wheel' in sys.argv:
    print('IN THE BUILD', flush=True)
    time.sleep(61)
from setuptools import setup
setup(name='pwslow', version='1.0')
"""

# Takes its time to stop, and reads from the terminal until then.
SLOW_STOP = """
import os, signal, sys, time
def stop(*_):
    os.write(1, b'STOPPING')
    time.sleep(0.7)
    os.write(1, b'STOPPED NOW')
    os.kill(os.getpid(), signal.SIGSTOP)
signal.signal(signal.SIGTSTP, stop)
print('G' + 'O', flush=True)
for line in sys.stdin:
    print('GOT', line, flush=True)
"""


@pytest.fixture(scope="module")
def index(base):
    folder = base / "terminal"
    packages.build_tools(folder)
    packages.sdist(folder, "pwslow", "1.0", {"setup.py": SLOW_SETUP})
    with Index(folder) as running:
        yield running


@pytest.fixture(scope="module", params=USERS)
def world(request, base, pipwarden, user_named, templates, distribution, index):
    """One for all tests of a user: nothing here leaves anything in it."""
    world = World(Path(tempfile.mkdtemp(prefix="tty", dir=base)), user_named(request.param), pipwarden, index_url=index.url)
    world.use_venv(templates, distribution)
    return world


class Way:
    """Plain or guarded: a shell, and how a command is started from it."""

    def __init__(self, shell, world, guarded):
        self.shell, self.guarded, self.journal = shell, guarded, world.new_journal()
        self.pip = f"{world.pipwarden} --log {self.journal} pip" if guarded else "pip"
        self.run = f"{world.pipwarden} --log {self.journal} run --" if guarded else "env --"

    def line(self, text):
        return text.replace("{pip}", self.pip).replace("{run}", self.run)

    def same(self, text):
        """Without what differs by itself: the command as typed, process numbers, readline's switches."""
        for own in (self.pip, self.run):
            text = text.replace(own, "COMMAND")
        return re.sub(r"\x1b\[\?2004[hl]\r?|\b\d{3,7}\b", "", text).strip()


@pytest.fixture(params=[False, True], ids=["plain", "guarded"])
def way(request, world):
    with Terminal(world) as shell:
        yield Way(shell, world, request.param)


@pytest.fixture
def both(world):
    with Terminal(world, columns=400) as one, Terminal(world, columns=400) as other:
        yield Way(one, world, False), Way(other, world, True)


def build_begins(way):
    way.shell.start(way.line("{pip} install -v --no-build-isolation pwslow"))
    way.shell.expect("IN THE BUILD\r?\n")


# --- job control -----------------------------------------------------------------------------------------------------------

def test_ctrl_z_and_fg_of_pip(way):
    build_begins(way)
    way.shell.send("\x1a")
    way.shell.expect("Stopped", 10)
    way.shell.expect("READY> ", 10)
    assert "Stopped" in way.shell.command("jobs")
    way.shell.send("fg\n")
    way.shell.expect("pwslow\r?\n")
    time.sleep(0.3)
    way.shell.send("\x03")
    way.shell.expect("READY> ", 10)
    assert way.shell.status() in (1, 130)


def test_a_guest_keeps_the_terminal(way):
    """Window size, line editing, job control: run's command has the user's own terminal."""
    assert "40 100" in way.shell.command(way.line("{run} stty size"))
    way.shell.send(way.line("{run} /bin/sh -c 'echo g\"\"o; exec /bin/cat'\n"))
    way.shell.expect("[\r\n]go\r?\n")  # not before: a line that is typed while readline holds the terminal is no line
    way.shell.send("typed\n")
    way.shell.expect("typed\r?\ntyped\r?\n")
    way.shell.send("\x1a")
    way.shell.expect("Stopped", 10)
    way.shell.expect("READY> ")
    way.shell.send("fg\n")
    way.shell.expect("exec /bin/cat'\r?\n")
    way.shell.send("again\n")
    way.shell.expect("again\r?\nagain\r?\n")
    way.shell.send("\x04")
    way.shell.expect("READY> ")
    assert way.shell.status() == 0


def test_the_shell_goes_on_when_the_guest_has_stopped(way):
    """Not before: what is typed at the shell's prompt would be the guest's."""
    way.shell.world.write(way.shell.world.work / "slow_stop.py", SLOW_STOP, 0o644)
    way.shell.send(way.line("{run} python3 -c \"$(cat slow_stop.py)\"\n")) # a guest may not read the working directory
    way.shell.expect("GO\r?\n")
    way.shell.send("\x1a")
    said = way.shell.expect(r"(?s)STOPPING(.*?)Stopped")[1]
    assert "STOPPED NOW" in said, said
    way.shell.expect("READY> ")
    way.shell.send("fg\n")
    way.shell.expect(r"slow_stop\.py.*\r?\n")
    way.shell.send("line\n")
    way.shell.expect("GOT line")
    way.shell.send("\x04")
    way.shell.expect("READY> ")
    assert way.shell.status() == 0


def say(way, *lines):
    """What the shell prints for each line."""
    return [way.same(way.shell.command(way.line(line))) for line in lines]


def test_stops_and_ends_that_a_shell_sees(both):
    """By itself, by reading or writing in the background, by a signal: the shell is told the same as without pipwarden."""
    seen = []
    for way in both:
        run = say(way, "{run} sh -c 'kill -STOP $$; echo back'", "jobs", "fg")
        run += say(way, "{run} sh -c 'kill -INT $$'", "echo $?", "{run} sh -c 'kill -TERM $$'", "echo $?", "{run} sh -c 'kill -KILL $$'",
                         "echo $?", "{run} sh -c 'exit 130'; echo $?", "{run} sh -c 'kill -QUIT $$' 2>&1", "echo $?")
        # A script ends with the command that Ctrl-C ended, not with one that says 130 of itself.
        run += say(way, "bash -c 'for i in 1 2; do {run} sh -c \"kill -INT \\$\\$\"; echo $i; done'; echo $?")
        way.shell.command(way.line("{run} cat &"))
        assert wait_for(lambda: "tty input" in way.shell.command("jobs -l"), 15)
        way.shell.start("fg")
        way.shell.send("hello\n")
        way.shell.expect("hello\r?\n")
        way.shell.send("\x04")
        way.shell.expect("READY> ")
        way.shell.command("stty tostop")
        way.shell.command(way.line("{run} echo out &"))
        assert wait_for(lambda: "tty output" in way.shell.command("jobs -l"), 15)
        run.append(way.same(way.shell.command("fg")))
        seen.append(run)
    assert seen[1] == seen[0]


def test_a_guest_that_is_a_shell(way):
    """It has job control of its own, suspends itself, and gets the terminal back with fg."""
    shell = way.shell
    shell.send(way.line("{run} env PS1='INNER> ' bash --norc --noprofile\n"))
    shell.expect("INNER> ")
    shell.send("sleep 50 & jobs\n")
    shell.expect("Running +sleep 50")
    shell.send("sleep 49\n")
    time.sleep(0.3)
    shell.send("\x1a")
    shell.expect(r"Stopped +sleep 49")
    shell.send("suspend\n")
    shell.expect("Stopped")
    shell.expect("READY> ")
    assert "Stopped" in shell.command("jobs")
    shell.send("fg\n")
    time.sleep(0.3)
    shell.send("kill %1 %2; echo in''side\n")
    shell.expect("inside")
    shell.send("wait; exit 3\n")
    shell.expect("READY> ")
    assert shell.status() == 3


# --- pseudo-terminals of a guest's own ---------------------------------------------------------------------------------------

PTY = "import os, pty; print(len(os.openpty())); print(pty.spawn(['tty']))"


def test_a_guest_makes_terminals_of_its_own(both):
    """openpty, script: as plainly; and its own terminal keeps its name."""
    seen = []
    for way in both:
        lines = say(way, "{run} tty", "{run} script -qc 'tty >/dev/null && echo in a terminal' /dev/null", "{run} stty -F /dev/tty size")
        spawned = way.shell.command(way.line("{run} python3 -c \"%s\"" % PTY))
        assert re.search(r"2\r\n/dev/pts/\d+\r\n0\r\n", spawned), spawned
        seen.append([line.replace(way.shell.name, "TERMINAL") for line in lines])
    assert seen[1] == seen[0] and "TERMINAL" in seen[1][0]


def test_a_guest_sees_no_foreign_terminal(both):
    """A second terminal of the same user: plainly it can be written to."""
    target, way = both
    number = target.shell.name.rpartition("/")[2]
    write = f"sh -c 'echo INTRU''DER >/dev/pts/{number}'"
    way.shell.command(write)
    target.shell.expect("INTRUDER")
    text = way.shell.command(way.line("{run} ls /dev/pts"))
    assert not re.search(rf"\b{number}\b", text.replace(way.shell.name, "")) or way.shell.name == f"/dev/pts/{number}", text
    way.shell.command(way.line("{run} " + write))
    while target.shell.read(0.5):
        pass
    assert "INTRUDER" not in target.shell.text


def test_without_a_mount_namespace_there_are_none(world, make_world):
    hidden = make_world(world.user, hide="namespaces")
    held = hidden.guarded(["run", "--", "/usr/bin/python3", "-c", "import os; os.openpty()"])
    assert held.status == 1 and "Permission denied" in held.err, str(held)
