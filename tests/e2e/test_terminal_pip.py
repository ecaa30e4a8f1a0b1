"""What pip shows at a terminal, asks there and does about its keys is the same with pipwarden and without; a build has no part in it."""
from __future__ import annotations

import random
import re
import termios

import pytest

from conftest import as_a_user
from lib import packages
from lib.index import Index
from lib.procs import wait_for

PASSWORD = "Pw-typed-at-the-prompt-7391"

# Comes to a point where it waits, in the middle of a build.
SLOW_SETUP = """
import sys, time
if 'bdist_wheel' in sys.argv:
    print('IN THE BUILD', flush=True)
    time.sleep(61)
from setuptools import setup
setup(name='pwslow', version='1.0')
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


def test_ctrl_z_and_fg_of_pip(way):
    way.shell.start(way.line("{pip} install -v --no-build-isolation pwslow"))
    way.shell.expect("IN THE BUILD\r?\n")
    way.stop()
    assert "Stopped" in way.shell.command("jobs")
    way.resume("pwslow")
    assert wait_for(lambda: not way.shell.at_prompt(), 10)  # fg tells before it hands over, and Ctrl-C would be the shell's
    way.shell.send("\x03")
    way.shell.expect("READY> ", 10)
    assert way.shell.status() in (1, 130)


# --- what pip shows and asks -------------------------------------------------------------------------------------------------

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
def test_keys_end_pip(phase, key, status, both, terminal_world, index):
    """The same status in each phase, and the terminal's settings as before."""
    line, sign = {"download": ("install pwendless", "Collecting pwendless"), "build": ("install -v --no-build-isolation pwslow", "IN THE BUILD\r?\n"),
                  "install": ("install pwlong", "Installing collected packages")}[phase]
    seen = []
    for way in both:
        before = settled(way.shell)
        index.requests.clear()
        way.shell.start(way.line("{pip} " + line))
        way.shell.expect(sign)
        assert wait_for(lambda: in_the_middle(phase, terminal_world, index), 20)
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
