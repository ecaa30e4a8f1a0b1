"""The terminal is the command's own: what a guest does at a shell's pseudo-terminal is the same with pipwarden and without."""
from __future__ import annotations

import re

from conftest import as_a_user
from lib.procs import wait_for

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


# --- job control -----------------------------------------------------------------------------------------------------------

def test_a_guest_keeps_the_terminal(way):
    """Window size, line editing, job control: run's command has the user's own terminal."""
    assert "40 100" in way.shell.command(way.line("{run} stty size"))
    way.shell.send(way.line("{run} /bin/sh -c 'echo g\"\"o; exec /bin/cat'\n"))
    way.shell.expect("[\r\n]go\r?\n")  # not before: a line that is typed while readline holds the terminal is no line
    way.shell.send("typed\n")
    way.shell.expect("typed\r?\ntyped\r?\n")
    way.stop()
    way.resume("exec /bin/cat'")
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
    said = way.stop(r"(?s)STOPPING(.*?)Stopped")[1]
    assert "STOPPED NOW" in said, said
    way.resume(r"slow_stop\.py.*")
    way.shell.send("line\n")
    way.shell.expect("GOT line")
    way.shell.send("\x04")
    way.shell.expect("READY> ")
    assert way.shell.status() == 0


def test_stops_and_ends_that_a_shell_sees(both):
    """By itself, by reading or writing in the background, by a signal: the shell is told the same as without pipwarden."""
    seen = []
    for way in both:
        run = way.say("{run} sh -c 'kill -STOP $$; echo back'", "jobs", "fg")
        run += way.say("{run} sh -c 'kill -INT $$'", "echo $?", "{run} sh -c 'kill -TERM $$'", "echo $?", "{run} sh -c 'kill -KILL $$'",
                         "echo $?", "{run} sh -c 'exit 130'; echo $?", "{run} sh -c 'kill -QUIT $$' 2>&1", "echo $?")
        # A script ends with the command that Ctrl-C ended, not with one that says 130 of itself.
        run += way.say("bash -c 'for i in 1 2; do {run} sh -c \"kill -INT \\$\\$\"; echo $i; done'; echo $?")
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
        lines = way.say("{run} tty", "{run} script -qc 'tty >/dev/null && echo in a terminal' /dev/null", "{run} stty -F /dev/tty size")
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


def test_without_a_mount_namespace_there_are_none(terminal_world, make_world):
    hidden = make_world(terminal_world.user, hide="namespaces")
    held = hidden.guarded(["run", "--", "/usr/bin/python3", "-c", "import os; os.openpty()"])
    assert held.status == 1 and "Permission denied" in held.err, str(held)


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
