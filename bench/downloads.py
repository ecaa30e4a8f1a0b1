"""What downloads cost, and a name: the bare command and the guarded one in turn (run.py).  All on the machine's loopback, from a server that sends from memory.

Programs that download keep what they get: curl, and Python's urllib as a setup.py calls it.  Of a client that throws everything away as fast as it comes server, relay
and client share the processors: with two of them the relay's share shows whole.  At the pace of a network, which is below /paced, it waits like everybody else."""
from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

MEGABYTES = 500
PACE = 2_500_000_000 // 8  # bytes a second
WHEELS = {"pwbig": MEGABYTES, "pwlittle": 1}

# A client that does nothing else: HTTP by plain sockets.
FETCH = r"""
import socket, sys, time
host, port, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
begun, got, room = time.monotonic(), 0, bytearray(1 << 20)
s = socket.create_connection((host, port))
s.sendall(b"GET %s HTTP/1.0\r\nHost: %s\r\n\r\n" % (path.encode(), host.encode()))
while n := s.recv_into(room):
    got += n
assert got > 524288000
print(got, time.monotonic() - begun)
"""

# What setup.py files do, and what they call: to a file.
RETRIEVE = r"""
import os, sys, urllib.request
urllib.request.urlretrieve("http://%s:%s%s" % tuple(sys.argv[1:]), os.environ["TMPDIR"] + "/fetched")
os.unlink(os.environ["TMPDIR"] + "/fetched")
"""
CURL = 'curl -sf -o "$TMPDIR/fetched" "http://$0:$1$2" && rm "$TMPDIR/fetched"'

# Names that nothing allows: by the shim, and by hand to the sandbox's own resolver.
NAMES = r"""
import socket, statistics, struct, sys, time
def shim(i):
    try:
        socket.getaddrinfo("nobody.test", 80)
    except OSError:
        pass
server = [line.split()[1] for line in open("/etc/resolv.conf") if line.startswith("nameserver") and ":" not in line]
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(2)
question = b"\x12\x34\1\0\0\1\0\0\0\0\0\0\6nobody\4test\0\0\1\0\1"
def stub(i):
    s.send(question)
    s.recv(999)
ways = [shim]
if server:
    s.connect((server[0], 53))
    ways.append(stub)
for way in ways:
    took = []
    for i in range(3000):
        begun = time.perf_counter_ns()
        way(i)
        took.append(time.perf_counter_ns() - begun)
    print(statistics.median(took[200:]) / 1000)
"""

SERVER = r"""
import os, socket, sys, threading
files = {}
for name, path, page in zip(*[iter(sys.argv[2:])] * 3):
    files["/simple/%s/" % name] = ("text/html", page.encode(), None)
    files["/files/" + os.path.basename(path)] = ("application/octet-stream", None, path)
def serve(c):
    with c:
        head = b""
        while b"\r\n\r\n" not in head:
            piece = c.recv(65536)
            if not piece:
                return
            head += piece
        name = head.split()[1].decode()
        if name.startswith("/paced"):
            c.setsockopt(socket.SOL_SOCKET, 47, PACE)  # SO_MAX_PACING_RATE
        kind, body, path = files.get(name.removeprefix("/paced"), ("text/plain", b"", None))
        size = os.stat(path).st_size if path else len(body)
        c.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (kind.encode(), size) + (body or b""))
        if path:
            with open(path, "rb") as f:
                at = 0
                while at < size:
                    at += os.sendfile(c.fileno(), f.fileno(), at, size - at)
listener = socket.socket(fileno=int(sys.argv[1]))
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""


def file_of(name: str) -> str:
    return f"{name}-1.0-py3-none-any.whl"


class Server:
    """A process of its own, as a server is; its files are in the page cache after the first round."""

    def __init__(self, folder: Path):
        arguments = []
        for name, size in WHEELS.items():
            wheel = folder / file_of(name)
            with zipfile.ZipFile(wheel, "w", zipfile.ZIP_STORED) as z:
                z.writestr(f"{name}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: bench\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
                z.writestr(f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
                z.writestr(f"{name}-1.0.dist-info/RECORD", "")
                z.writestr(f"{name}/data", os.urandom(1 << 20) * size)
            digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
            arguments += [name, wheel, f'<!DOCTYPE html><html><body><a href="/files/{wheel.name}#sha256={digest}">{wheel.name}</a></body></html>']
        with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
            self.port = listener.getsockname()[1]
            self._process = subprocess.Popen([sys.executable, "-I", "-c", SERVER.replace("PACE", str(PACE)), str(listener.fileno()), *arguments], pass_fds=[listener.fileno()])
        self.url = f"http://127.0.0.1:{self.port}/simple"

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *exc) -> None:
        self._process.kill()
        self._process.wait()


def names(bench) -> None:
    result = bench.world.guarded(["run", "--", "/usr/bin/python3", "-I", "-c", NAMES], timeout=120)
    if result.status not in (0, 100) or not result.out:
        raise SystemExit(str(result))
    for way, us in zip(("asked by the shim", "asked of the sandbox's resolver"), result.out.split()):
        print(f"a refused name, {way}: {float(us):.0f} µs (median of 2800)", flush=True)


def by_pip(bench, folder: Path, url: str, rounds: int) -> None:
    """A large file and a little one: what the large one takes longer is the transfer."""
    took = {}
    for name, size in WHEELS.items():
        pip = ["pip", "download", "-q", "--no-deps", "--no-cache-dir", "-i", url, "-d", folder / "got", name]
        took[name] = bench.pairs(f"pip download: {size} MB", pip, rounds, prefix=(), before=lambda: (folder / "got" / file_of(name)).unlink(missing_ok=True))
    bare, held = (large - little for large, little in zip(*took.values()))
    print(f"pip's transfer of {MEGABYTES - 1} MB: {bare * 1000:.0f} and {held * 1000:.0f} ms, throughput {bare / held:.3f} of the bare one", flush=True)


def downloads(bench, folder: Path, rounds: int) -> None:
    (folder / "big").mkdir()
    with Server(folder / "big") as server:
        bench.world.use_venv(bench.templates, bench.python)
        by_pip(bench, folder, server.url, rounds)
        options = ("--allow-host", f"127.0.0.1:{server.port}", "run", "--")
        clients = {"curl": ["/bin/sh", "-c", CURL], "urllib": ["/usr/bin/python3", "-I", "-c", RETRIEVE], "thrown away": ["/usr/bin/python3", "-I", "-c", FETCH]}
        path = f"/files/{file_of('pwbig')}"
        for client, argv in clients.items():
            bench.pairs(f"{MEGABYTES} MB relayed: {client}", [*argv, "127.0.0.1", server.port, path], rounds, prefix=options)
        bench.pairs(f"{MEGABYTES} MB relayed: 2.5 Gbit/s", [*clients["thrown away"], "127.0.0.1", server.port, f"/paced{path}"], rounds, prefix=options)
