"""A pseudo-terminal with an interactive shell on it, as a user has one: its job control, window size and settings."""
from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import termios
import time

from .procs import descendants

PROMPT = "READY> "


class Terminal:
    """with Terminal(world) as t: t.command("ls")."""

    def __init__(self, world, columns=100, env=None):
        self.text, self.world = "", world
        self.master, slave = pty.openpty()
        self.name = os.ttyname(slave)
        self.resize(40, columns)
        os.fchown(slave, world.user.uid, -1)

        def own_terminal():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = world.popen(["/bin/bash", "--norc", "--noprofile", "-i"],
                                   {"PS1": PROMPT, "TERM": "xterm", "HISTFILE": "/dev/null", **(env or {})},
                                   stdin=slave, stdout=slave, stderr=slave, preexec_fn=own_terminal)
        os.close(slave)
        self.expect(PROMPT)

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def settings(self):
        """What `stty -g` would say, but for readline's own while it waits for a line."""
        return termios.tcgetattr(self.master)

    def at_prompt(self):
        """The shell itself is in the foreground, not a command."""
        return os.tcgetpgrp(self.master) == self.process.pid

    def send(self, text):
        os.write(self.master, text.encode())

    def read(self, seconds=0.2):
        """What has come meanwhile goes to the end of self.text.  False: nothing."""
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        try:
            self.text += os.read(self.master, 65536).decode(errors="replace")
        except OSError:
            raise AssertionError(f"the shell ended: {self.text[-3000:]!r}") from None
        return True

    def expect(self, pattern, seconds=40):
        """Reads until the pattern has come; what came up to its end is forgotten."""
        end = time.monotonic() + seconds
        while not (m := re.search(pattern, self.text)):
            assert time.monotonic() < end, f"no {pattern!r} in {self.text[-3000:]!r}"
            self.read()
        self.text = self.text[m.end():]
        return m

    def start(self, line):
        """Types the line; what it prints comes after its echo."""
        self.send(line + "\n")
        self.expect(re.escape(line[-10:]) + r"\r?\n")

    def command(self, line, seconds=40):
        """What the line prints."""
        self.start(line)
        return self.expect(rf"(?s)(.*?){PROMPT}", seconds)[1]

    def status(self):
        """Of the last command."""
        return int(re.search(r"status=(\d+)", self.command("echo status=$?"))[1])

    def close(self):
        for p in descendants(self.process.pid):
            p.kill()
        self.process.kill()
        self.process.wait(10)
        os.close(self.master)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


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

    def say(self, *lines):
        """What the shell prints for each line."""
        return [self.same(self.shell.command(self.line(line))) for line in lines]

    def stop(self, stopped="Stopped"):
        """Ctrl-Z, until the shell's prompt is back."""
        self.shell.send("\x1a")
        said = self.shell.expect(stopped, 10)
        self.shell.expect("READY> ", 10)
        return said

    def resume(self, echoed):
        """fg; echoed: the end of the line that it prints before the program has the terminal again."""
        self.shell.send("fg\n")
        self.shell.expect(echoed + r"\r?\n")
