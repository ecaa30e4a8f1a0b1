"""Descriptors that whoever starts pipwarden has left open: a guest gets the standard three, pipes and plain files, a build the
standard three; neither sees anything of PID 1, which with namespaces is pipwarden's own."""
from __future__ import annotations

import json
import os
import socket
from contextlib import ExitStack, contextmanager

import pytest

from conftest import HIDDEN, HIDE_IDS
from lib import packages
from lib.index import Index

SECRET = "inherited0environment0of0process0one"

# Lists what is open before it opens anything, then tries PID 1.  "read" is what a file of /proc gave, "" for a refusal.
LIST = """
import json, os, sys

def kind(fd):
    try:
        return os.readlink(f"/proc/self/fd/{fd}")
    except OSError as e:
        try:
            mode = os.fstat(fd).st_mode
        except OSError:
            return None
        return f"{e.strerror}, mode {mode:o}"

def shown(path):
    try:
        if path.endswith("/root"):
            return " ".join(os.listdir(path))
        with open(path, "rb") as f:
            if path.endswith("/mem"):
                f.seek(int(open("/proc/1/maps").readline().split("-")[0], 16))
            return repr(f.read(4096)) or "nothing"
    except (OSError, ValueError):
        return ""

found = {fd: kind(fd) for fd in range(256)}
found = {fd: what for fd, what in found.items() if what is not None}
try:
    names = sorted(int(n) for n in os.listdir("/proc/self/fd"))
except OSError:
    names = None
def held_by(pid):
    # The numbers may be seen, what they stand for may not.
    got = []
    for fd in range(256):
        for look in (os.readlink, lambda p: os.close(os.open(p, os.O_RDONLY)) or p, os.listdir):
            try:
                got.append(look(f"/proc/{pid}/fd/{fd}"))
            except OSError:
                pass
    return got

pid1 = {"fd": held_by(1)} | {name: shown("/proc/1/" + name) for name in ("environ", "mem", "root", "cwd/etc/hostname")}
text = json.dumps({"open": found, "names": names, "pid1": pid1, "pid": os.getpid()})
"""
GUEST = LIST + "print(text)\n"
SETUP = LIST + """
from setuptools import setup
os.makedirs('pwlister', exist_ok=True)
open('pwlister/__init__.py', 'w').close()
with open('pwlister/found.json', 'w') as f:
    f.write(text)
setup(name='pwlister', version='1.0', packages=['pwlister'], package_data={'pwlister': ['found.json']})
"""


@contextmanager
def left_open(world):
    """name: descriptor, of everything that must not go in and of what may."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        client = stack.enter_context(socket.create_connection(listener.getsockname()))
        a, b = (stack.enter_context(s) for s in socket.socketpair())
        datagram = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        pipe, other_end = os.pipe()
        plain = world.write(world.root / "left-open.txt", "left open\n", 0o644)
        fds = {"tcp": client.fileno(), "listener": listener.fileno(), "unix": a.fileno(), "unix end": b.fileno(), "datagram": datagram.fileno(),
               "folder": os.open(world.home, os.O_RDONLY | os.O_DIRECTORY), "root": os.open("/", os.O_RDONLY | os.O_DIRECTORY),
               "handle": os.open(world.home / ".ssh/id_ed25519", os.O_PATH), "handle of a folder": os.open("/", os.O_PATH),
               "event": os.eventfd(1),
               "pipe": pipe, "plain": os.open(plain, os.O_RDONLY)}
        for fd in (pipe, other_end, *(fds[n] for n in ("folder", "root", "handle", "handle of a folder", "event", "plain"))):
            stack.callback(os.close, fd)
        yield fds


def check_pid1(found):
    assert not any(found["pid1"].values()), f"PID 1 can be read: {found['pid1']}"


@pytest.mark.parametrize("hide", HIDDEN[:2], ids=HIDE_IDS[:2])
def test_a_guest_gets_pipes_and_plain_files(hide, user, make_world):
    world = make_world(user, hide=hide)
    env = {**world.plant_canaries(), "INHERITED": SECRET}
    with left_open(world) as fds:
        plain = json.loads(world.run(["/usr/bin/python3", "-c", GUEST], env, pass_fds=list(fds.values())).out)
        assert set(map(str, fds.values())) <= set(plain["open"]), "the baseline does not inherit: the test would show nothing"
        held = world.guarded(["run", "--", "/usr/bin/python3", "-c", GUEST], env, options=["--on-violation", "deny"], pass_fds=list(fds.values()))
    assert held.status in (0, 100), str(held)  # PID 1 was tried
    found = json.loads(held.out)
    may = {"0", "1", "2", str(fds["pipe"]), str(fds["plain"])}
    assert set(found["open"]) == may, f"{ {fd: found['open'][fd] for fd in set(found['open']) ^ may if fd in found['open']} }\n{fds}"
    check_pid1(found)


@pytest.mark.parametrize("hide", HIDDEN[:2], ids=HIDE_IDS[:2])
def test_a_build_gets_nothing(hide, user, make_world, templates, distribution, base):
    folder = base / "lister"
    if not folder.exists():
        packages.build_tools(folder)
        packages.sdist(folder, "pwlister", "1.0", {"setup.py": SETUP})
    with Index(folder) as index:
        world = make_world(user, index=index, hide=hide)
        env = world.plant_canaries()
        world.use_venv(templates, distribution)
        with left_open(world) as fds:
            held = world.guarded(["pip", "install", "pwlister"], env, options=["--on-violation", "deny"], pass_fds=list(fds.values()))
    assert held.status in (0, 100), str(held)  # PID 1 was tried
    found = json.loads((world.site_packages() / "pwlister/found.json").read_text())
    assert set(found["open"]) == {"0", "1", "2"}, found["open"]
    check_pid1(found)
    assert found["names"] is None or set(found["names"]) <= {0, 1, 2, 3}  # 3: the listing itself
