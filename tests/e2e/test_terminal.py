"""The terminal is the command's own: what is seen and typed at a shell's pseudo-terminal is the same with pipwarden and without."""
from __future__ import annotations

import random
import re
import tempfile
import termios
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
    time.sleep(0.4)
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
    packages.sdist(folder, "pwnosy", "1.0", {"setup.py": NOSY_SETUP})
    packages.wheel(folder, "pwbulky", "1.0", {"pwbulky.bin": random.Random(7).randbytes(3 << 20)})
    packages.wheel(folder, "pwendless", "1.0", {"pwendless.py": "x = 1\n"})
    packages.wheel(folder, "pwlong", "1.0", {f"pwlong{i}.py": "a = [1, 2]\n" * 60000 for i in range(40)})  # pip compiles for long
    with Index(folder) as running:
        running.never_send("pwendless-1.0-py3-none-any.whl")
        yield running


@pytest.fixture(scope="module")
def locked_index(index):
    with Index(index.folder) as running:
        running.ask_for("someone", PASSWORD)
        yield running


@pytest.fixture(scope="module", params=USERS)
def world(request, base, pipwarden, user_named, templates, distribution, index):
    """One for all tests of a user: nothing here leaves anything in it."""
    world = World(Path(tempfile.mkdtemp(prefix="tty", dir=base)), user_named(request.param), pipwarden, index_url=index.url)
    world.use_venv(templates, distribution)
    return world


as_a_user = pytest.mark.parametrize("world", ["user"], indirect=True)  # where root would add time and nothing else


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
        text = text.replace(self.pip, "pip").replace(self.run, "env --")
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
    assert wait_for(lambda: not way.shell.at_prompt(), 10)  # fg tells before it hands over, and Ctrl-C would be the shell's
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


@as_a_user
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
    # A death by a signal other than Ctrl-C's is told by the status 128+N alone, so the shell has no word for it.
    deaths = re.compile(r"^(Terminated|Killed|Quit).*$")
    plain, guarded = ([deaths.sub("", line) for line in run] for run in seen)
    assert guarded == plain


def test_a_guest_that_is_a_shell(way):
    """It has job control of its own, suspends itself, and gets the terminal back with fg."""
    shell = way.shell
    shell.send(way.line("{run} env PS1='IN''NER> ' bash --norc --noprofile\n"))
    shell.expect("INNER> ")
    shell.send("sleep 50 & jobs\n")
    shell.expect("Running +sleep 50")
    shell.send("echo g''o; cat\n")
    shell.expect("[\r\n]go\r?\n")
    shell.send("typed\n")
    shell.expect("typed\r?\ntyped\r?\n")
    shell.send("\x1a")
    shell.expect("Stopped +cat")
    shell.expect("INNER> ")
    shell.send("suspend\n")
    shell.expect("Stopped")
    shell.expect("READY> ")
    assert "Stopped" in shell.command("jobs")
    shell.send("fg\n")
    shell.expect("INNER> ")
    shell.send("fg %2\n")
    shell.expect("[\r\n]cat\r?\n")
    shell.send("again\n")
    shell.expect("again\r?\nagain\r?\n")
    shell.send("\x04")
    shell.expect("INNER> ")
    # Not `kill %1 %2` and a stopped job: bash forgets a death that it is told of while it prints another before its prompt.
    shell.send("kill %1; wait %1; exit 3\n")
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
    while target.shell.read(0.1):
        pass
    assert "INTRUDER" not in target.shell.text


def test_without_a_mount_namespace_there_are_none(world, make_world):
    hidden = make_world(world.user, hide="namespaces")
    held = hidden.guarded(["run", "--", "/usr/bin/python3", "-c", "import os; os.openpty()"])
    assert held.status == 1 and "Permission denied" in held.err, str(held)


# --- what pip shows and asks -------------------------------------------------------------------------------------------------

PASSWORD = "Pw-typed-at-the-prompt-7391"


def settled(shell):
    """The terminal's settings as a command leaves them: asked by a command, not while readline holds it."""
    return re.search(r"[0-9a-f:]{20,}", shell.command("stty -g"))[0]


def frames(text):
    """Progress without what time decides: the kinds of escape sequences, and the last state of each line."""
    kinds = set(re.findall(r"\x1b\[[0-9;?]*[A-Za-z]", text)) - {"\x1b[90m", "\x1b[91m"}  # of a bar between its ends
    lasts = [re.split(r"\r|\x1b\[2K", line.rstrip("\r"))[-1] for line in text.split("\n")]
    lasts = [re.sub(r"[\d.]+ [kM]?B/s|\d+:\d\d:\d\d", "N", line) for line in lasts]
    return kinds, [line for line in lasts if line.strip()]


@as_a_user
def test_pip_shows_the_same(both):
    """Progress bar, colours, and the ways to switch them off."""
    seen = []
    for way in both:
        before = settled(way.shell)
        shown = []
        for line in ("{pip} install --no-deps --force-reinstall pwbulky", "PIP_PROGRESS_BAR=off {pip} download -q -d $TMPDIR/d pwbulky; rm -r $TMPDIR/d",
                     "{pip} --no-color install nosuchproject", "{pip} install nosuchproject", "{pip} nosuchcommand", "COLUMNS=60 {pip} list",
                     "{pip} show -f pwbulky 2>/dev/null | head -1", "{pip} uninstall -y pwbulky"):
            kinds, lasts = frames(way.shell.command(way.line(line)))
            shown.append((line, sorted(kinds - {"\x1b[?2004h", "\x1b[?2004l"}), [way.same(l) for l in lasts], way.shell.status()))
        seen.append(shown)
        assert settled(way.shell) == before
    assert any("\x1b[" in kind for kind in seen[0][3][1]), "nothing was in colour"
    for plain, guarded in zip(*seen):
        assert guarded == plain


def test_an_index_that_asks_for_a_password(both, locked_index):
    """User and password are asked at the terminal, and the password shows up nowhere."""
    for way in both:
        before = settled(way.shell)
        way.shell.start(way.line("{pip} download -q -d $TMPDIR/p --no-deps --index-url %s pwbulky" % locked_index.url))
        way.shell.expect(r"User for [\d.:]+: ")
        way.shell.send("someone\n")
        way.shell.expect("Password: ")
        assert not way.shell.settings()[3] & termios.ECHO, "what is typed would be seen"
        way.shell.send(PASSWORD + "\n")
        rest = way.shell.expect(r"(?s)(.*?)(READY> |keyring \[y/N\]: )")
        if "keyring" in rest[2]: # some pips ask, with none there
            way.shell.send("n\n")
            way.shell.expect("READY> ")
        rest = rest[1]
        assert way.shell.status() == 0, rest
        assert "pwbulky" in way.shell.command("ls $TMPDIR/p; rm -r $TMPDIR/p") and PASSWORD not in rest
        assert settled(way.shell) == before
        if way.guarded:
            assert PASSWORD not in way.journal.read_text() and "run.end" in way.journal.read_text()


@as_a_user
def test_uninstall_asks(both):
    seen = []
    for way in both:
        way.shell.command(way.line("{pip} install -q pwbulky"))
        answers = []
        for answer in ("n", "y"):
            way.shell.start(way.line("{pip} uninstall pwbulky"))
            asked = way.shell.expect(r"(?s)(.*)Proceed \(Y/n\)\? ")[1]
            way.shell.send(answer + "\n")
            answers += [way.same(asked), way.same(way.shell.expect("(?s)(.*?)READY> ")[1]), way.shell.status()]
        seen.append(answers)
    assert seen[1] == seen[0]


def in_the_middle(phase, world, index):
    """pip has not only said so: it waits for the file, or compiles."""
    if phase == "download":
        return index.requests and index.requests[-1].endswith("pwendless-1.0-py3-none-any.whl")
    return phase == "build" or any(world.site_packages().glob("__pycache__/pwlong*"))


@as_a_user
@pytest.mark.parametrize("phase,key,status", [("download", "\x03", (1, 130)), ("build", "\x03", (1, 130)), ("install", "\x03", (1, 130)),
                                              ("build", "\x1c", (131,))], ids=["download", "build", "install", "ctrl-backslash"])
def test_keys_end_pip(phase, key, status, both, world, index):
    """The same status in each phase, and the terminal's settings as before."""
    line, sign = {"download": ("install pwendless", "Collecting pwendless"), "build": ("install -v --no-build-isolation pwslow", "IN THE BUILD\r?\n"),
                  "install": ("install pwlong", "Installing collected packages")}[phase]
    seen = []
    for way in both:
        before = settled(way.shell)
        index.requests.clear()
        way.shell.start(way.line("{pip} " + line))
        way.shell.expect(sign)
        assert wait_for(lambda: in_the_middle(phase, world, index), 20)
        way.shell.send(key)
        way.shell.expect("READY> ", 20)
        seen.append(way.shell.status())
        assert settled(way.shell) == before
        way.shell.command("pip uninstall -q -y pwlong 2>/dev/null; rm -rf $VIRTUAL_ENV/lib/python3*/site-packages/{~,pwlong,__pycache__/pwlong}*")
    assert seen[1] == seen[0] and seen[1] in status


def test_a_new_window_size(way):
    program = ("import os, signal, time; signal.signal(signal.SIGWINCH, lambda *_: os.write(1, b'SIZE %d ' % os.get_terminal_size().columns)); "
               "os.write(1, b'READ' b'Y\\n'); [time.sleep(0.1) for i in range(100)]")
    way.shell.send(way.line(f"{{run}} python3 -c \"{program}\"\n"))
    way.shell.expect("[\r\n]READY\r?\n")
    way.shell.resize(30, 77)
    way.shell.expect("SIZE 77")
    way.shell.send("\x03")
    way.shell.expect("READY> ")


# --- a build and the terminal ------------------------------------------------------------------------------------------------

NOSY_SETUP = """
import array, fcntl, os, sys, termios
from setuptools import setup
if 'bdist_wheel' in sys.argv:
    told = []
    def attempt(name, call):
        try:
            told.append('%s=%r' % (name, call()))
        except Exception as e:
            told.append('%s!%s' % (name, type(e).__name__))
    def settings(fd):
        new = termios.tcgetattr(fd)
        new[3] &= ~(termios.ECHO | termios.ISIG)
        termios.tcsetattr(fd, termios.TCSANOW, new)
        return 'changed'
    attempt('tty', lambda: os.open('/dev/tty', os.O_RDWR))
    attempt('name', lambda: os.open(os.environ['PWT_TTY'], os.O_RDWR | os.O_NOCTTY))
    fds = [0, 1, 2]
    for path in ('/dev/tty', os.environ['PWT_TTY']):
        try:
            fds.append(os.open(path, os.O_RDWR | os.O_NOCTTY))
        except OSError:
            pass
    for fd in fds:
        attempt('settings%d' % fd, lambda: settings(fd))
        attempt('sti%d' % fd, lambda: fcntl.ioctl(fd, termios.TIOCSTI, b'#'))
        attempt('ctty%d' % fd, lambda: fcntl.ioctl(fd, termios.TIOCSCTTY, 0))
    print('NOW TYPE', flush=True)
    for fd in [f for f in fds if f not in (1, 2)]:
        attempt('read%d' % fd, lambda: os.read(fd, 100))
        if 'typed' in told[-1]:
            break
    print('TOLD', ' '.join(told), flush=True)
    print('\\x1b[31mred\\x1b[0m END', flush=True)
setup(name='pwnosy', version='1.0')
"""


def test_a_build_cannot_use_the_terminal(both):
    """It neither reads what the user types nor changes the settings; plainly it does both."""
    for way in both:
        before = settled(way.shell)
        way.shell.start(way.line(f"PWT_TTY={way.shell.name} {{pip}} install -v --no-deps --no-build-isolation --no-cache-dir pwnosy"))
        way.shell.expect("NOW TYPE\r?\n")
        changed = way.shell.settings()[3] & (termios.ECHO | termios.ISIG) != termios.ECHO | termios.ISIG
        way.shell.send("echo typed-by-the-user\n")
        told = way.shell.expect(r"(?s)TOLD (.*?)END")[1]
        read = r"typed-by-the-user\n" in told  # as Python writes it: the terminal's echo may fall anywhere
        way.shell.expect("READY> ")
        if way.guarded:
            assert not changed and "changed" not in told and not read and "tty!" in told and "name!" in told, told
            way.shell.expect("typed-by-the-user\r?\n")  # the shell's, which it was meant for
            way.shell.expect("READY> ")
            assert settled(way.shell) == before
        else:
            assert changed and read, told
            way.shell.send("stty sane\n") # nothing is echoed yet
            way.shell.expect("READY> ")
        way.shell.command("pip uninstall -q -y pwnosy")


# --- without a terminal, or half of one ----------------------------------------------------------------------------------------

# Not here: a guest whose standard input, output or error is closed finds /dev/null there.
LINES = ["{pip} list 2>/dev/null | head -1", "{pip} list </dev/null", "{pip} list <&-", "{pip} list >&-; echo $?", "{pip} list 2>&-; echo $?", "{pip} list <&- >&- 2>&-; echo $?",
         "setsid -w {pip} list", "nohup {pip} list 2>/dev/null", "script -qec '{pip} list' /dev/null", "{pip} list & wait", "{pip} list | cat",
         "{run} cat </dev/null; echo $?", "{run} yes | head -1; echo ${PIPESTATUS[0]}",
         "echo in | {run} cat", "setsid -w {run} sh -c 'tty; : </dev/tty'; echo $?",          "(trap '' PIPE; {run} sh -c 'seq 100000; echo $? >&2' | head -1)"]


@as_a_user
def test_standard_streams_of_every_kind(both):
    seen = [[(line, way.same(way.shell.command(way.line(line))).replace(way.shell.name, "TERMINAL")) for line in LINES] for way in both]
    for plain, guarded in zip(*seen):
        assert guarded == plain
