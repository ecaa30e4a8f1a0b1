"""Section L: the user's terminal, and what is said there."""
from __future__ import annotations

import os
import re
import threading
import tty

from ..kit import Effect, Event, Row, loot, output
from .shim import connect_refused, secret

# What the command is started by, so that it has a terminal of its own; what comes out of it is what the user would see.
TERMINAL = ("/usr/bin/python3", "-c", "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))",
            "/bin/sh", "-c", 'stty rows 40 columns 100; exec "$@"', "sh")
REFUSED = Event("syscall.terminal", "syscall.denied", {"name": "ioctl"}, "medium")
ESCAPE = Event("terminal.escape", severity="low", action=("allowed", "observed", "denied"))

# With ST at the end: pip drops BEL from what it prints of a build.
TITLE, CLIPBOARD = "\x1b]0;pwned {canary}\x1b\\", "\x1b]52;c;cHdmaXg=\x1b\\"
LINK = "\x1b]8;;http://127.66.0.1/\x1b\\good.example\x1b]8;;\x1b\\"
QUERY, ANSWERBACK, RESET = "\x1bP$q\"p\x1b\\", "\x05", "\x1bc"
ODD = "\n\x1b[2J\u202e\x9b31m\"\\{id}"


def other_terminal(world, row) -> dict:
    """Of the same user's, open elsewhere; what is written to it is kept."""
    master, slave = os.openpty()
    tty.setraw(slave)
    os.fchown(slave, world.user.uid, -1)
    world.told["terminal"] = []

    def reads():
        while True:
            try:
                world.told["terminal"].append(os.read(master, 4096))
            except OSError:
                return
    threading.Thread(target=reads, daemon=True).start()
    path = os.ttyname(slave)
    world.defer(os.close, slave)
    return {"terminal": path}


def odd_names(world, row) -> dict:
    world.plant("home/.aws/" + ODD.replace("{id}", row.id))
    return {"odd": str(world.home / ".aws" / ODD.replace("{id}", row.id))}


def raw_control(text: str) -> str:
    """Of what pipwarden itself said: nothing that a terminal would obey, or show in another order."""
    said = "\n".join(l for l in text.splitlines() if l.startswith(("pipwarden:", "  ")))
    found = re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", said)
    return f"a raw {found[0]!r} in the summary" if found else ""


def summary_obeys(world, row, result) -> str:
    return raw_control(result.err) if "pipwarden:" in result.err else ""


def warning_hidden(world, row, result) -> str:
    """The summary is the last that is said, begins on a line of its own, and the status says it too."""
    seen = result.out + result.err
    if "pipwarden" not in " ".join(result.argv):
        return ""
    at = seen.rfind("pipwarden: ")
    after = seen[at:]
    if at < 0 or "\x1b" in re.sub("\x1b\\[[0-9;]*m", "", after):
        return "the summary is missing, or something comes after it"
    if at > 0 and not re.search("(\n| {20,}\r)$", seen[:at]):
        return f"the summary does not begin on a line of its own: {seen[max(0, at - 30):at]!r}"
    opened, closed = seen.rfind("\x1b[?1049h"), seen.rfind("\x1b[?47l")
    if opened > closed:
        return "the summary stands on the alternate screen"
    return "" if result.status == 100 else f"the status is {result.status}"


def long_line(world, row, result) -> str:
    return "50 MB in one line" if "x" * 50_000_000 in result.out else ""


ROWS = [
    Row("TE-01", "types into the terminal (TIOCSTI)", "metadata", native="types", effect=output("the shell reads: touch {canary}"), event=REFUSED,
        note="no baseline: this kernel lets nobody type into a terminal"),
    Row("TE-02", "pastes into the console, takes its output", "metadata", native="console", effect=output(), event=REFUSED,
        note="no baseline: this machine has no console, or only root may take it"),
    Row("TE-03", "asks for a password on /dev/tty", "metadata", """
        import os, termios, pwkit
        def ask():
            fd = os.open("/dev/tty", os.O_RDWR)
            settings = termios.tcgetattr(fd)
            settings[3] &= ~termios.ECHO
            termios.tcsetattr(fd, termios.TCSANOW, settings)
            os.write(fd, b"[sudo] password for user (%s): " % pwkit.target("canary").encode())
        pwkit.attempt(ask)
        """, output("[sudo] password for user ({canary})"), Event("file.terminal", ("file.open", "file.write"), {"path": "/dev/tty"}), alone=True, outside=TERMINAL),
    Row("TE-04", "writes to the user's other terminals", "metadata", """
        import subprocess, pwkit
        def write():
            with open(pwkit.target("terminal"), "w") as f:
                f.write(pwkit.target("canary"))
        pwkit.attempt(write)
        pwkit.attempt(subprocess.run, ["sh", "-c", "echo $0 >$1", pwkit.target("canary"), pwkit.target("terminal")], stderr=subprocess.DEVNULL)
        """, Effect.told("terminal", "{canary}"), Event("file.terminal", ("file.open", "file.write"), {"path": "/dev/pts/*"}), setup=other_terminal),
    Row("TE-05", "title, clipboard, links, queries and reset, in what a build prints", "build", f"""
        import sys, pwkit
        title = {TITLE!r}.replace("{{canary}}", pwkit.target("canary"))
        print("begin", title, {CLIPBOARD!r}, {LINK!r}, {QUERY!r}, {ANSWERBACK!r}, {RESET!r}, "end", flush=True)
        """, output(f"begin {TITLE} {CLIPBOARD}"), (ESCAPE,), control=True),
    Row("TE-06", "hides the warning: clears, overwrites, another screen", "build", """
        import sys, pwkit
        pwkit.loot(pwkit.read(pwkit.target("secret")))
        sys.stdout.write("\\x1b[2J\\x1b[H\\x1b[1A\\x1b[2K\\rSuccessfully installed\\x1b[?1049h\\x1b[8m no line break")
        sys.stdout.flush()
        """, (loot(), Effect.call(warning_hidden)), (Event("file.aws", "file.open"), connect_refused()), setup=secret, alone=True, outside=TERMINAL, env={"TERM": "xterm"}),
    Row("TE-08", "names that forge lines of the record and the summary", "import", """
        import os, socket, subprocess, pwkit
        odd = pwkit.target("odd")
        pwkit.loot(pwkit.read(odd))
        pwkit.attempt(os.getenv, "PWFIX\\n{\\"seq\\": 1}")
        pwkit.attempt(socket.getaddrinfo, "pw\\x1b[2J.example\\u202e", 80)
        pwkit.attempt(socket.getaddrinfo, b"pw\\xff\\x1b\\n.example", 80)
        pwkit.attempt(subprocess.run, ["/bin/true", "a\\n\\x1b[2J\\u202e\\x9b31m\\"\\\\"])
        pwkit.attempt(open, b"/etc/ssl/private/\\xff\\xfe\\x1b]0;x\\x07\\n{}", "rb")
        pwkit.attempt(os.mkdir, os.path.dirname(odd) + "/\\r\\x85new\\x7f")
        """, (loot(), Effect.call(summary_obeys)), Event("file.aws", "file.open", {"path": "{home}/.aws/*"}, "critical"), setup=odd_names),
    Row("TE-10", "fifty megabytes in one line", "script", """
        import sys
        for _ in range(50):
            sys.stdout.write("x" * 1_000_000)
        sys.stdout.flush()
        """, Effect.call(long_line), control=True),
]
