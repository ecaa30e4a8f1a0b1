"""What of the same user lies outside of a run stays out of reach: signals by every road, queues and memory that are named by number, what /proc lets be written.

The attempts are Python run by `pipwarden run`, against a stranger of the test's own that counts the signals it gets; the plain run shows each effect."""
from __future__ import annotations

import json
import os
import subprocess
import uuid
from pathlib import Path

import pytest

from lib.procs import wait_for

HIDE = [("", "root"), ("", "user"), ("landlock=2", "user"), ("namespaces", "user"), ("namespaces,landlock=2", "root"), ("namespaces,landlock=2", "user")]
IDS = [f"{hide or 'nothing'} hidden, {name}" for hide, name in HIDE]

STRANGER = """
import ctypes, os, signal, sys
got = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
for number in (*range(35, 60), signal.SIGIO, signal.SIGURG, signal.SIGTERM, signal.SIGUSR1):
    signal.signal(number, lambda n, _: os.write(got, b"%d\\n" % n))
print(os.getpid(), flush=True)
while True:
    signal.pause()
"""

# Each attempt uses a signal of its own: numbers are the roads.
SIGNALS = """
import ctypes, fcntl, json, os, signal, socket, struct, sys, time
libc = ctypes.CDLL(None, use_errno=True)
pid = int(sys.argv[1])
def call(*a):
    r = libc.syscall(*[ctypes.c_long(x) if isinstance(x, int) else x for x in a])
    return r if r >= 0 else -ctypes.get_errno()
info = ctypes.create_string_buffer(128)
def queued(n):
    return ctypes.create_string_buffer(struct.pack("iii", n, 0, -1), 128)
def owner(set_owner, n):
    # the kernel signals for us: data arrives at a socket whose owner is the stranger
    a, b = socket.socketpair()
    try:
        fcntl.fcntl(a, 10, n)  # F_SETSIG
        set_owner(a)
        fcntl.fcntl(a, fcntl.F_SETFL, os.O_ASYNC)
        b.send(b"x")
        return 0
    except OSError as e:
        return -e.errno
handle = call(434, pid, 0)
roads = {
    "kill": lambda: call(62, pid, 35),
    "tkill": lambda: call(200, pid, 36),
    "tgkill": lambda: call(234, pid, pid, 37),
    "rt_sigqueueinfo": lambda: call(129, pid, 38, queued(38)),
    "rt_tgsigqueueinfo": lambda: call(297, pid, pid, 39, queued(39)),
    "pidfd_send_signal": lambda: call(424, handle, 40, None, 0) if handle >= 0 else handle,
    "pidfd_send_signal group": lambda: call(424, handle, 46, None, 4) if handle >= 0 else handle,
    "kill group": lambda: call(62, -pid, 41),
    "F_SETOWN": lambda: owner(lambda s: fcntl.fcntl(s, 8, pid), 42),
    "F_SETOWN_EX": lambda: owner(lambda s: fcntl.fcntl(s, 15, struct.pack("ii", 1, pid)), 43),
    "FIOSETOWN": lambda: owner(lambda s: fcntl.ioctl(s, 0x8901, struct.pack("i", pid)), 44),
    "SIOCSPGRP": lambda: owner(lambda s: fcntl.ioctl(s, 0x8902, struct.pack("i", pid)), 45),
}
print(json.dumps({name: road() for name, road in roads.items()}))
time.sleep(0.1)
"""

# Everybody that there is: the guardian, the supervisor, the zygote, init and the shell are among them.  A signal that is ignored unless somebody asks for it.
EVERYBODY = """
import ctypes, json, os, signal
libc = ctypes.CDLL(None, use_errno=True)
me, reached = os.getpid(), []
for pid in range(1, me + 200):
    for road in ((62, pid, signal.SIGURG), (200, pid, signal.SIGURG), (234, pid, pid, signal.SIGURG)):
        if pid != me and libc.syscall(*road) == 0:
            reached.append([pid, road[0]])
    handle = libc.syscall(434, pid, 0) if pid != me else -1
    if handle >= 0 and libc.syscall(424, handle, signal.SIGURG, None, 0) == 0:
        reached.append([pid, 424])
    os.close(handle) if handle >= 0 else None
print(json.dumps({"reached": reached, "init": os.getppid()}))
"""

# Names and numbers of the stranger's are told; what could be had is printed.
OBJECTS = """
import ctypes, json, os, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
shm, queue, sem, name = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
got = {}
def attempt(what, f):
    try:
        got[what] = f()
    except OSError as e:
        got[what] = -e.errno
def shmat():
    at = libc.shmat(shm, None, 0)
    if at is None or at == ctypes.c_void_p(-1).value:
        return -ctypes.get_errno()
    return ctypes.string_at(at, 12).decode("latin-1")
attempt("shmat", shmat)
attempt("shmctl", lambda: libc.shmctl(shm, 0, None))
attempt("msgctl", lambda: libc.msgctl(queue, 0, None))
attempt("semctl", lambda: libc.semctl(sem, 0, 0))
attempt("mq_unlink", lambda: libc.mq_unlink(("/" + name).encode()))
attempt("shm_open", lambda: os.read(os.open("/dev/shm/" + name, os.O_RDONLY), 12).decode())
attempt("shm_unlink", lambda: os.unlink("/dev/shm/" + name) or 0)
attempt("shm list", lambda: name in os.listdir("/dev/shm"))
print(json.dumps(got))
"""
MAKE_OBJECTS = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
name = sys.argv[1]
shm = libc.shmget(0, 4096, 0o1600)
ctypes.memmove(libc.shmat(shm, None, 0), b"the-stranger", 12)
print(shm, libc.msgget(0, 0o1600), libc.semget(0, 1, 0o1600))
libc.mq_open(("/" + name).encode(), 0o102, 0o600, None)
fd = os.open("/dev/shm/" + name, os.O_CREAT | os.O_WRONLY, 0o600)
os.write(fd, b"the-stranger")
"""
GONE = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
shm, queue, sem, name = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
there = [not libc.shmctl(shm, 0, None), not libc.msgctl(queue, 0, None), not libc.semctl(sem, 0, 0),
         not libc.mq_unlink(("/" + name).encode()), os.path.exists("/dev/shm/" + name)]
print(*map(int, there))
if there[-1]:
    os.unlink("/dev/shm/" + name)
"""

# What may be written of a process in /proc, of the stranger and of the ancestors; and what its own may not be.
PROC = """
import json, os, sys
got = {}
for pid in sys.argv[1:]:
    for name, value in (("oom_score_adj", "900"), ("coredump_filter", "0"), ("timerslack_ns", "1000000"), ("autogroup", "19"), ("comm", "mine"),
                        ("loginuid", "0"), ("clear_refs", "1"), ("uid_map", "0 0 1"), ("setgroups", "deny"), ("attr/current", "x"), ("sched", "0"),
                        ("make-it-fail", "1"), ("mem", "x"), ("timens_offsets", "x")):
        path = "/proc/%s/%s" % (pid, name)
        try:
            fd = os.open(path, os.O_WRONLY)
            os.write(fd, value.encode())
            got[pid + " " + name] = 0
        except OSError as e:
            got[pid + " " + name] = -e.errno
print(json.dumps(got))
"""


def told(result):
    assert result.out.startswith("{"), str(result)
    return json.loads(result.out)


@pytest.fixture(params=HIDE, ids=IDS)
def world(request, make_world, user_named):
    hide, name = request.param
    return make_world(user_named(name), hide=hide)


@pytest.fixture
def stranger(world):
    """A process of the user's, outside: its id, and a function that gives the signals that it got."""
    log = world.logs / "signals"
    process = world.popen(["/usr/bin/python3", "-c", STRANGER, str(log)], stdout=subprocess.PIPE, start_new_session=True)
    pid = int(process.stdout.readline())
    try:
        yield pid, lambda: sorted(map(int, log.read_text().split())) if log.exists() else []
        assert process.poll() is None, "the stranger was ended"
    finally:
        process.kill()
        process.wait(10)


def test_no_road_for_signals(world, stranger):
    pid, got = stranger
    guarded = world.guarded(["run", "--", "/usr/bin/python3", "-c", SIGNALS, str(pid)])
    refused = told(guarded)
    assert all(r < 0 for r in refused.values()), str(guarded)
    assert got() == [], f"{got()}\n{guarded}"
    by_owner = [e for e in guarded.of_type("process.signal") if e["action"] == "denied"]
    assert by_owner and all(e["rule"] == "process.signal" for e in by_owner), str(guarded)
    plain = world.run(["/usr/bin/python3", "-c", SIGNALS, str(pid)])
    assert all(r == 0 for r in told(plain).values()), str(plain)
    assert wait_for(lambda: got() == list(range(35, 47)), 5), (got(), str(plain))


def test_everybody_else_of_the_machine(world):
    held = world.guarded(["--on-violation", "deny", "run", "--", "/usr/bin/python3", "-c", EVERYBODY], timeout=120)  # else it ends at the first of our own
    got = told(held)
    assert held.status in (0, 100) and {pid for pid, _ in got["reached"]} <= {got["init"]}, str(held)


def test_what_is_named_by_number_or_in_shm(world):
    name = "pwt" + uuid.uuid4().hex[:12]
    made = world.run(["/usr/bin/python3", "-c", MAKE_OBJECTS, name]).out.split()
    assert len(made) == 3 and all(int(n) >= 0 for n in made), made
    try:
        held = world.guarded(["run", "--", "/usr/bin/python3", "-c", OBJECTS, *made, name])
        got = told(held)
        assert all(r is False or (isinstance(r, int) and r < 0) for r in got.values()), str(held)
        assert "the-stranger" not in held.out
    finally:
        left = world.run(["/usr/bin/python3", "-c", GONE, *made, name])
    assert left.out.split() == ["1"] * 5, f"shared memory, queue, semaphores, message queue, file: {left}\n{held}"


def read(pid, name):
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except OSError:
        return None


def test_nothing_is_written_of_others_in_proc(world, stranger):
    pid, _ = stranger
    names = ("oom_score_adj", "coredump_filter", "timerslack_ns", "autogroup", "comm", "loginuid", "uid_map", "setgroups")
    before = [read(pid, n) for n in names], [read(os.getpid(), n) for n in names]
    held = world.guarded(["run", "--", "/usr/bin/python3", "-c", PROC, str(pid), str(os.getpid()), "1"])
    got = told(held)
    own_init = not world.hide.startswith("namespaces")  # there 1 is the sandbox's own
    assert all(r < 0 for name, r in got.items() if not (own_init and name.startswith("1 "))), str(held)
    assert ([read(pid, n) for n in names], [read(os.getpid(), n) for n in names]) == before, str(held)
    plain = world.run(["/usr/bin/python3", "-c", PROC, str(pid)])
    changed = told(plain)
    assert changed[f"{pid} oom_score_adj"] == 0 and read(pid, "oom_score_adj") == "900\n", str(plain)


def test_its_own_may_not_be_loosened(world):
    """A sandbox's score for the kernel's memory killer is 300 and stays (its /proc is there to be read); hard limits are not raised."""
    source = ("import os, resource\nprint(open('/proc/self/oom_score_adj').read().strip())\n"
              "def attempt(f):\n    try:\n        f()\n        return 0\n    except (OSError, ValueError) as e:\n        return 1\n"
              "def score(n):\n    with open('/proc/self/oom_score_adj', 'w') as f:\n        f.write(str(n))\n"
              "print(attempt(lambda: score(-1)), attempt(lambda: os.nice(-1)), attempt(lambda: resource.setrlimit(resource.RLIMIT_CORE, (1, 1))),\n"
              "      attempt(lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (100000, 100000))), attempt(lambda: score(500)))\n")
    held = world.guarded(["run", "--", "/usr/bin/python3", "-c", source])
    assert held.status == 0 and held.out.split() == ["300", "1", "1", "1", "1", "1"], str(held)
