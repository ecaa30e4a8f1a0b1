"""A message bus of one's own (dbus-daemon), and those who speak on it: programs as text, for nothing of D-Bus is in the standard library."""
from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from .world import World

# Enough of D-Bus for texts: connect(), call(), receive().
PARTY = r'''
import os, socket, struct, sys

def pad(data, to):
    return data + b"\0" * (-len(data) % to)

def text(value, kind="s"):
    raw = value.encode()
    return struct.pack("<I", len(raw)) + raw + b"\0" if kind in "so" else bytes([len(raw)]) + raw + b"\0"

def message(kind, serial, fields, body=b"", signature=""):
    if signature:
        fields = fields + [(8, "g", signature)]
    head = b""
    for code, sort, value in fields:
        head = pad(head, 8) + bytes([code, 1, ord(sort), 0])
        head += struct.pack("<I", value) if sort == "u" else text(value, sort)
    return pad(struct.pack("<cBBBIII", b"l", kind, 0, 1, len(body), serial, len(head)) + head, 8) + body

class Party:
    def __init__(self, path):
        self.socket, self.serial = socket.socket(socket.AF_UNIX), 0
        self.socket.connect(path)
        self.socket.sendall(b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\r\n")
        assert self.socket.recv(200).startswith(b"OK "), "no login"
        self.socket.sendall(b"BEGIN\r\n")
        self.call("org.freedesktop.DBus", "org.freedesktop.DBus", "Hello")

    def exactly(self, count):
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def receive(self):
        """Kind, serial, {field: value}, body."""
        head = self.exactly(16)
        _, kind, _, _, body, serial, size = struct.unpack("<cBBBIII", head)
        rest, at, fields = self.exactly(-(-size // 8) * 8 + body), 0, {}
        while at < size:
            at = -(-at // 8) * 8
            code, sort = rest[at], chr(rest[at + 2])
            at += 4
            if sort == "u":
                fields[code], at = struct.unpack_from("<I", rest, at)[0], at + 4
            elif sort == "g":
                fields[code], at = rest[at + 1:at + 1 + rest[at]].decode(), at + 2 + rest[at]
            else:
                length = struct.unpack_from("<I", rest, at)[0]
                fields[code], at = rest[at + 4:at + 4 + length].decode(), at + 5 + length
        return kind, serial, fields, rest[-(-size // 8) * 8:]

    def call(self, to, interface, member, body=b"", signature="", path="/org/pwtest"):
        self.serial += 1
        self.socket.sendall(message(1, self.serial, [(1, "o", path), (2, "s", interface), (3, "s", member), (6, "s", to)], body, signature))
        while True:
            kind, _, fields, body = self.receive()
            if fields.get(5) == self.serial:
                return body[4:4 + struct.unpack_from("<I", body)[0]].decode() if kind == 2 and fields.get(8, "")[:1] == "s" else kind
'''
# NAME ANSWER RECORD: has the name, answers every call with the text and writes down which it was.
SERVICE = PARTY + r'''
party, name, answer = Party(sys.argv[1]), sys.argv[2], sys.argv[3]
party.call("org.freedesktop.DBus", "org.freedesktop.DBus", "RequestName", pad(text(name), 4) + struct.pack("<I", 4), "su")
record = open(sys.argv[4], "a", buffering=1)
record.write("ready\n")
while True:
    kind, serial, fields, body = party.receive()
    if kind == 1:
        record.write(fields.get(3, "?") + "\n")
        party.serial += 1
        party.socket.sendall(message(2, party.serial, [(5, "u", serial), (6, "s", fields[7])], text(answer), "s"))
'''


def is_there() -> bool:
    return shutil.which("dbus-daemon") is not None


class Bus:
    """with Bus(world) as bus: bus.address; bus.serve(NAME, ANSWER) gives the file where its calls are written down."""

    def __init__(self, world: World):
        self._world, self._running = world, []
        self.folder = Path(tempfile.mkdtemp(prefix="dbus-", dir="/tmp"))
        world.own(self.folder)
        self.path = self.folder / "bus"
        self.address = f"unix:path={self.path}"

    def _wait(self, ready, what: str) -> None:
        end = time.monotonic() + 20
        while not ready():
            assert time.monotonic() < end, f"{what} does not start"
            time.sleep(0.05)

    def __enter__(self) -> "Bus":
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._running.append(self._world.popen(["/usr/bin/dbus-daemon", "--session", "--nofork", "--nopidfile", f"--address={self.address}"], **quiet))
        self._wait(self.path.exists, "the bus")
        return self

    def serve(self, name: str, answer: str) -> Path:
        program, record = self._world.write(self.folder / f"{name}.py", SERVICE, 0o644), self._world.write(self.folder / f"{name}.calls", "")
        self._running.append(self._world.popen(["/usr/bin/python3", program, self.path, name, answer, record], stdin=subprocess.DEVNULL))
        self._wait(lambda: "ready" in record.read_text(), name)
        return record

    def __exit__(self, *exc) -> None:
        for process in reversed(self._running):
            process.kill()
            process.wait(20)
        shutil.rmtree(self.folder)
