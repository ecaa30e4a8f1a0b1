"""Section J: around the filter and Landlock.  The shim is gone; the act is that of section I where nothing else is said."""
from __future__ import annotations

import base64
import ctypes
import mmap
import os
import platform
import socket
import subprocess
import threading
from pathlib import Path

from lib.fakenet import in_netns

from ..kit import Effect, Event, Row, file, loot, output, sink, told
from .shim import BOTH, connect_refused, read_refused, secret

REPOSITORY = Path(__file__).resolve().parents[3]
MACHINE = platform.machine()


def _runs(code: str) -> bool:
    """This machine code, which returns a number, in a child: of what a kernel may have been built without."""
    pid = os.fork()
    if pid == 0:
        page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        page.write(bytes.fromhex(code))
        os._exit(not ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))() > 0)
    return os.waitpid(pid, 0)[1] == 0


# getpid: mov $20,%eax; int $0x80; ret, and mov $0x40000027,%eax; syscall; ret
I386 = MACHINE == "x86_64" and _runs("b814000000cd80c3")
X32 = MACHINE == "x86_64" and _runs("b8270000400f05c3")


def missing(there: bool, what: str) -> str:
    return "" if there else f"no baseline: this kernel has no {what}"


# --- a process of the same user's, outside

STRANGER = """
import ctypes, os, signal, socket, sys, threading, time
secret = sys.argv[2].encode()
text = ctypes.create_string_buffer(secret.ljust(64))
fd = os.memfd_create("pwfix")
os.write(fd, secret)
log = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
for number in range(35, 41):
    signal.signal(number, lambda n, _: os.write(log, b"%d\\n" % n))
print(hex(ctypes.addressof(text)), fd, flush=True)
while True:
    time.sleep(1)
"""


class Stranger:
    """Of a world: one for all rows that want its memory, its descriptors, or to signal it."""

    def __init__(self, world):
        self.log = world.root / "stranger.log"
        world.write(self.log, "")
        self.process = world.bystander(["/usr/bin/python3", "-c", STRANGER, self.log, world.secret("the stranger's memory")])
        words = self.process.stdout.readline().decode().split()
        self.targets = {"stranger": self.process.pid, "stranger_address": words[0], "stranger_fd": words[1]}


def stranger(world, row=None) -> dict:
    if not hasattr(world, "stranger"):
        world.stranger = Stranger(world)
    return world.stranger.targets


def attempts(*names: str):
    """Of tests/fixtures/bypass/bypass.c, by name."""
    def setup(world, row):
        return {**secret(world, row), **stranger(world), "attempts": " ".join(names)}
    return setup


def with_stranger(world, row) -> dict:
    return {**secret(world, row), **stranger(world)}


def signalled(world, row, result) -> str:
    heard = world.stranger.log.read_text().split()
    return f"the stranger was sent {', '.join(heard)}" if heard else ""


# --- races: tests/race, a few thousand tries; a million of each are tests/e2e/test_race*.py's

def racer(world) -> str:
    if not hasattr(world, "racer"):
        path = world.root / "race-static"
        subprocess.run(["cc", "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-w", "-pthread", "-static", "-s", "-I", REPOSITORY, "-o", path,
                        *sorted((REPOSITORY / "tests/race").glob("*.c"))], check=True, timeout=120)
        world.racer = "\n" + base64.b64encode(path.read_bytes()).decode()
    return world.racer


def races(*names: str):
    def setup(world, row):
        return {**secret(world, row), "racer": racer(world), "races": list(names), "program": str(world.plant(f"home/program-{row.id}", "#!/bin/sh\n", 0o755)),
                "marker_file": str(world.root / f"ran-{row.id}"), "victim": str(world.plant(f"home/victim-{row.id}", "the user's own\n", 0o644))}
    return setup


RACE = '''
import base64, os, subprocess, pwkit
path = os.path.join(os.environ.get("TMPDIR", "/tmp"), "pwfix-race")
with open(path, "wb") as f:
    f.write(base64.b64decode(pwkit.target("racer")))
os.chmod(path, 0o755)
for race in pwkit.target("races"):
    p = subprocess.run([path, race, "1500", "pause=60", "address=%s" % pwkit.target("sink_host"), "port=%s" % pwkit.target("sink_port"),
                        "agent=/tmp/pwfix-none.s", "secret=" + pwkit.target("secret"), "victim=" + pwkit.target("victim"),
                        "program=" + pwkit.target("program"), "marker=" + pwkit.target("marker_file")], stdout=subprocess.PIPE, timeout=50)
    pwkit.loot(p.stdout)
os.unlink(path)
'''
RACED = sink("RACE:")

# --- a process that hands its descriptors on


def launderer(world, row) -> dict:
    """Offers an open secret on a path, and on an abstract name."""
    path, abstract = world.root / "launder.sock", "pwfix-launder-" + world.nonce
    held = world.plant("work/launder", "{c}\n")

    def serve(listener):
        while True:
            try:
                connection = listener.accept()[0]
            except OSError:
                return
            with connection, open(held, "rb") as f:
                world.told.setdefault("launderer", []).append(b"connected")
                socket.send_fds(connection, [b"x"], [f.fileno()])

    for address in (str(path), "\0" + abstract):
        listener = in_netns(world.net.host_ns, lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        listener.bind(address)
        listener.listen(8)
        world.defer(listener.close)
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
    path.chmod(0o666)
    return {**stranger(world), "launderer": str(path), "abstract": abstract}


def blind(world, row) -> dict:
    victim = world.plant("home/victim-EK-17", "the user's own\n", 0o644)
    path = str(world.daemons.unix("ek17", world.root / "ek17.sock"))
    (world.root / "ek17.sock").chmod(0o666)
    return {"victim": str(victim), "socket": path, "abstract": world.daemon("ek17", abstract="pwfix-ek17-" + world.nonce)}


PTRACE = Event("syscall.ptrace", "syscall.denied", {"name": "ptrace"}, "medium")
# Where there is a PID namespace a stranger has no number, so what needs one is ESRCH and an honest answer; the others are refused.
SIGNALS = Event("process.signal", "process.signal", {}, "medium")

ROWS = [
    Row("EK-01", "system calls of the x32 ABI", "native", native="x32", effect=(loot(), output()), event=Event("syscall.foreign-abi", severity="high"),
        setup=secret, note=missing(X32, "x32")),
    Row("EK-02", "int 0x80 from a program of 64 bits", "native", native="i386", effect=(loot(), output()),
        event=Event("syscall.foreign-abi", severity="high") if I386 else None, setup=secret, note=missing(I386, "32-bit system calls")),
    Row("EK-03", "an address swapped while connect is decided", "import", RACE, RACED, connect_refused(), setup=races("address")),
    Row("EK-04", "paths, messages and programs swapped while they are decided", "import", RACE, (loot(), RACED), read_refused(),
        setup=races("path", "dirfd", "cwd", "send", "exec")),
    Row("EK-06", "a link swapped while it is opened", "import", RACE, loot(), read_refused(), setup=races("link")),
    Row("EK-07", "a filter of its own on top", "native", native="own_filter", effect=loot(), event=BOTH, setup=secret),
    Row("EK-09", "ptrace of a stranger and of a child", "native", native="ptrace", effect=(loot(), output()), event=PTRACE, setup=with_stranger),
    Row("EK-10", "memory of a stranger and of pip", "build", native="memory", effect=(loot(), output()),
        event=Event("syscall.process-memory", "syscall.denied", {"name": "process_vm_readv"}, "high"), setup=with_stranger),
    Row("EK-11", "a descriptor of a stranger, by pidfd_getfd", "native", native="take_descriptor", effect=loot(),
        event=Event("syscall.process-memory", "syscall.denied", {"name": "pidfd_getfd"}, "high"), setup=with_stranger),
    Row("EK-12", "signals, limits and priorities of a stranger", "native", native="signals", effect=(Effect.call(signalled), output()), event=SIGNALS,
        setup=attempts("signal_kill", "signal_tgkill", "signal_tkill", "signal_queue", "signal_pidfd", "signal_owner", "nice_stranger", "pin_stranger", "limit_stranger")),
    Row("EK-13", "namespaces, and mounts inside", "native", native="namespaces", effect=output(),
        event=(Event("syscall.namespace", "syscall.denied", {"name": "unshare"}), Event("syscall.namespace", "syscall.denied", {"name": "setns"}),
               Event("syscall.mount", "syscall.denied", {"name": "mount"}, "medium"), Event("syscall.mount", "syscall.denied", {"name": "pivot_root"}),
               Event("syscall.mount", "syscall.denied", {"name": "chroot"}))),
    Row("EK-14", "the newer mount calls", "native", native="new_mounts", effect=output(),
        event=tuple(Event("syscall.mount", "syscall.denied", {"name": name}, "medium") for name in ("open_tree", "fsopen", "fspick", "move_mount", "mount_setattr"))),
    Row("EK-15", "bpf, perf, modules, ports and memory of the machine", "native", native="machine", effect=output(),
        event=(Event("syscall.bpf", severity="medium"), Event("syscall.module", severity="high"), Event("syscall.perf"), Event("file.memory", "file.open", {"path": "/dev/kmsg"}, "high")),
        setup=attempts("call_bpf", "call_perf", "call_module", "call_swapon", "call_acct", "call_syslog", "call_keyctl", "call_userfaultfd")),
    Row("EK-17", "what Landlock does not see: metadata, UDP, sockets, FIFOs", "native", native="blind",
        effect=(file("home/victim-EK-17"), sink(), told("ek17"), output()),
        event=(Event(("file.meta*", "file.write*"), ("file.meta", "file.write"), {"path": "{home}/victim-EK-17"}), Event("net.*", ("net.send", "net.socket")),
               Event(("net.unix", "net.*"), ("ipc.connect", "net.socket"))), setup=blind),
    Row("EK-19", "a descriptor laundered by a process with other rights", "build", native="laundered", effect=(loot(), told("launderer")),
        event=Event(("net.unix", "net.*"), ("ipc.connect", "net.socket")), setup=launderer),
    Row("EK-20", "a hundred threads, signals and deaths while questions are pending", "native", native="flood", effect=output(), control=True),
    Row("EK-22", "exec by descriptor, memfd, deleted file, long name, scripts", "native", native="execs", effect=loot(),
        event=(*BOTH, Event("exec.recorded", "exec", action="allowed")), setup=secret),
    Row("EK-23", "core dumps, dumpable, tracers", "native", native="core", effect=output(), setup=with_stranger),
]
