"""Processes as /proc shows them: descendants, marked ones, those that still hold a folder."""
from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    pid: int
    start: int  # of /proc/PID/stat: a number that was used again is another process
    ppid: int
    name: str
    argv: str

    def lives(self) -> bool:
        now = look(self.pid)
        return now is not None and now.start == self.start

    def kill(self, number: int = signal.SIGKILL) -> None:
        if self.lives():
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                pass


def look(pid: int) -> Process | None:
    """None for what is gone, and for zombies: they open nothing any more."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        argv = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return None
    name, _, rest = stat.partition("(")[2].rpartition(")")
    fields = rest.split()
    return None if fields[0] in "ZX" else Process(pid, int(fields[19]), int(fields[1]), name, argv)


def everything() -> list[Process]:
    return [p for p in (look(int(d)) for d in os.listdir("/proc") if d.isdigit()) if p]


def descendants(pid: int) -> list[Process]:
    """Of pid, itself left out, parents first."""
    by_parent: dict[int, list[Process]] = {}
    for p in everything():
        by_parent.setdefault(p.ppid, []).append(p)
    found, todo = [], [pid]
    while todo:
        children = by_parent.get(todo.pop(0), [])
        found += children
        todo += [c.pid for c in children]
    return found


def marked(marker: str) -> list[Process]:
    """Whose environment or command line holds the marker."""
    found = []
    for p in everything():
        try:
            if p.pid != os.getpid() and (marker in p.argv or marker.encode() in Path(f"/proc/{p.pid}/environ").read_bytes()):
                found.append(p)
        except OSError:
            pass
    return found


def wait_for(condition, seconds: float, step: float = 0.02):
    """The condition's value as soon as it is true, else its last one."""
    end = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < end:
        time.sleep(step)
    return value
