"""Section K: resources, and destruction.  Everything is bounded here, too: an original goes on until nothing is left."""
from __future__ import annotations

import gzip

from ..kit import Effect, Event, Row, alive, file, output
from .daemons import at
from .shim import secret

MEGABYTE = 1 << 20
BUS, PRIVATE = "/run/dbus/system_bus_socket", "/run/systemd/private"


def wanted(number: int, **more):
    def setup(world, row):
        return {"wanted": number, **{k: v(world) for k, v in more.items()}}
    return setup


def limit(rule: str, severity: str) -> Event:
    return Event(rule, "resource.limit", severity=severity)


def documents(world, row) -> dict:
    """Of the user's: what must be the same afterwards."""
    folder = f"home/documents-{row.id}"
    for name in ("letter.txt", "photo.jpg", "sub/thesis.tex"):
        world.plant(f"{folder}/{name}", f"{name} {row.id} {world.nonce}\n", 0o644)
    return {"documents": str(world.root / folder), "device": "/dev/null"}


def harmed(id: str) -> tuple:
    folder = f"home/documents-{id}"
    return tuple(file(f"{folder}{name}") for name in ("", "/letter.txt", "/photo.jpg", "/sub/thesis.tex", "/sub"))


def hung(world, row, result) -> str:
    return "it was the test that ended it" if "[the test's own time limit]" in result.err else ""


def left_behind(world, row, result) -> str:
    return next((f"{p} was left" for p in world.temp.rglob("pwfix-fill*")), "")


DESTROY = '''
import os, shutil, subprocess, pwkit
top = pwkit.target("documents")
files = [os.path.join(folder, name) for folder, _, names in os.walk(top) for name in names] or [
    os.path.join(top, name) for name in ("letter.txt", "photo.jpg", "sub/thesis.tex")]
'''

ROWS = [
    Row("RA-01", "every interpreter starts another one", "next", """
        import os, subprocess, sys, pwkit
        depth = int(os.environ.get("PWFIX_DEPTH", "0"))
        if depth == 60:
            pwkit.say("all of them: " + pwkit.target("canary"))
        else:
            subprocess.run([sys.executable, "-c", "pass"], env={**os.environ, "PWFIX_DEPTH": str(depth + 1)})
        """, output(), limit("resource.processes", "high"), options=("--limit-processes", "30")),
    Row("RA-02", "a fork bomb, and one of threads", "metadata", native="processes", effect=output(), event=limit("resource.processes", "high"),
        setup=wanted(300), alone=True, options=("--limit-processes", "100")),
    Row("RA-03", "shared memory, and memory, filled", "native", native="shared_memory", effect=output(), event=limit("resource.file-size", "medium"),
        setup=wanted(48 * MEGABYTE), options=("--limit-file-size", str(16 * MEGABYTE))),
    Row("RA-04", "the disk filled: one large file, many, deep folders", "build", """
        import os, pwkit
        os.chmod(pwkit.here("pwnative"), 0o755)
        os.execv(pwkit.here("pwnative"), ["pwnative", "disk", pwkit.here("targets.txt")])
        """, (output(), *harmed("RA-04"), Effect.call(left_behind)), limit("resource.file-size", "medium"), native="disk",
        setup=lambda world, row: {"wanted": 48 * MEGABYTE, "victims": documents(world, row)["documents"]}, alone=True,
        options=("--limit-file-size", str(16 * MEGABYTE))),
    Row("RA-05", "a miner, in the command and after it", "native", native="miner", effect=(output(), alive()), event=limit("resource.time", "high"),
        setup=lambda world, row: {"seconds": 3}, options=("--limit-time", "1")),
    Row("RA-06", "an archive bomb that a build unpacks", "build", """
        import gzip, signal, pwkit
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        with gzip.open(pwkit.here("bomb.gz")) as bomb, open("unpacked", "wb") as out:
            while True:
                piece = bomb.read(1 << 20)
                if not piece:
                    break
                out.write(piece)
        pwkit.say("all of it: " + pwkit.target("canary"))
        """, output(), limit("resource.file-size", "medium"), files={"bomb.gz": gzip.compress(bytes(48 * MEGABYTE), 6)}, alone=True,
        options=("--limit-file-size", str(16 * MEGABYTE))),
    Row("RA-07", "hangs: reads its input, waits at a FIFO, sleeps", "metadata", native="hang", effect=Effect.call(hung), event=limit("resource.time", "high"),
        alone=True, options=("--limit-time", "1"), timeout=6),
    Row("RA-08", "an attempt hidden behind thousands", "native", native="log_flood", event=Event("sandbox.flood", severity="high"),
        setup=lambda world, row: {**secret(world, row), "wanted": 12000}),
    Row("RA-09", "a wiper", "import", DESTROY + """
for path in files:
    for act in (os.unlink, os.truncate, lambda p: open(p, "wb").write(bytes(100)), lambda p: os.rename(p, p + ".gone")):
        pwkit.attempt(act, path) if act is not os.truncate else pwkit.attempt(act, path, 0)
pwkit.attempt(shutil.rmtree, top)
for command in (["rm", "-rf", top], ["shred", "-u", *files], ["dd", "if=/dev/zero", "of=" + files[0], "bs=1", "count=1"], ["find", top, "-delete"]):
    pwkit.attempt(subprocess.run, command, stderr=subprocess.DEVNULL, timeout=20)
""", harmed("RA-09"), Event("file.write.outside", "file.write", {"path": "{home}/documents-{id}/letter.txt"}), setup=documents),
    Row("RA-10", "documents held for ransom", "install", DESTROY + """
def xor(path):
    with open(path, "rb") as f:
        data = f.read()
    with open(path, "wb") as f:
        f.write(bytes(b ^ 0x55 for b in data))
for path in files:
    pwkit.attempt(xor, path)
    pwkit.attempt(os.rename, path, path + ".locked")
    with_note = os.path.join(os.path.dirname(path), "README-PAY.txt")
    pwkit.attempt(pwkit.mark, with_note)
""", harmed("RA-10"), Event("file.write.outside", "file.write", {"path": "{home}/documents-{id}/*"}), setup=documents, legacy=True),
    Row("RA-11", "turns the machine off: reboot, systemd, login1", "import", f"""
        import shutil, socket, subprocess, pwkit
        pwkit.native("shuts_down")
        for path, words in (({BUS!r}, b"\\0AUTH EXTERNAL 30\\r\\n"), ({PRIVATE!r}, b"\\0AUTH EXTERNAL 30\\r\\n")):
            with socket.socket(socket.AF_UNIX) as s:
                pwkit.attempt(s.connect, path)
                pwkit.attempt(s.sendall, words + b"org.freedesktop.login1.Manager.PowerOff")
        """, (Effect.told(BUS, "PowerOff"), Effect.told(PRIVATE, "PowerOff")),
        (Event("syscall.other", "syscall.denied", {"name": "reboot"}), Event("net.unix*", "ipc.connect", {"path": BUS}), Event("net.unix*", "ipc.connect", {"path": PRIVATE})),
        native="shuts_down", setup=at(BUS, PRIVATE)),
]
