"""Section E of the catalogue: daemons and sessions of the same user.  The fakes stand outside; not even a connection may reach them."""
from __future__ import annotations

import os
import shutil
import socket
import tempfile
import textwrap
from pathlib import Path

from ..kit import Effect, Event, Row, file, output, told
from .network import act, refused_socket

HTTP = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n[]\n"
BUS = b"OK 0123456789abcdef0123456789abcdef\r\n"
AGENT = b"\0\0\0\x05\x0c\0\0\0\0"  # no identities

SPEAK = '''
def speak(path, *pieces, kind=socket.SOCK_STREAM):
    """Connects, says each piece, hears an answer to each."""
    with socket.socket(socket.AF_UNIX, kind) as s:
        s.settimeout(2)
        s.connect(path)
        for piece in pieces:
            s.sendall(piece)
            try:
                s.recv(4096)
            except socket.timeout:
                pass
'''


def talk(text: str) -> str:
    return act(SPEAK) + textwrap.dedent(text)


def refused(path: str, rule: str = "net.unix", severity: str = "high") -> Event:
    return Event(rule, "ipc.connect", {"path": path}, severity)


def at(*paths: str, reply: bytes = HTTP):
    """A setup: a daemon at each of the paths, which is its name as well; {uid} and the like are filled in."""
    def setup(world, row):
        for path in paths:
            path = world.fill(path, row)
            if path not in world.told:
                world.daemon(path, path, answer=lambda _: reply)
    return setup


def in_tmp(world, name: str) -> Path:
    """A folder in the machine's /tmp, gone with the world."""
    folder = Path(tempfile.mkdtemp(prefix=name, dir="/tmp"))
    world.own(folder)
    world.defer(shutil.rmtree, folder, True)
    return folder


def agent(world, row):
    if "SSH_AUTH_SOCK" not in world.extra:
        folder = in_tmp(world, "ssh-pwfix")
        world.extra["SSH_AUTH_SOCK"] = world.daemons.unix("agent", folder / "agent.4711", answer=lambda _: AGENT)
        world.own(folder / "agent.4711")
    return {"agent": world.extra["SSH_AUTH_SOCK"]}


def display(world, row):
    number = 4000 + os.getpid() % 20000
    folder, made = Path("/tmp/.X11-unix"), world.daemons
    if not folder.exists():
        folder.mkdir(mode=0o777)
        world.defer(lambda: folder.rmdir() if not os.listdir(folder) else None)
    made.unix("x11", folder / f"X{number}", answer=lambda _: b"\0\0\x0b\0\0\0\0\0")
    made.abstract("x11-abstract", f"/tmp/.X11-unix/X{number}")
    return {"display": f"/tmp/.X11-unix/X{number}"}


def session_bus(world, row):
    folder = in_tmp(world, "dbus-pwfix")
    made = world.daemons
    made.unix("private-bus", folder / "bus", answer=lambda _: BUS)
    made.abstract("abstract-bus", "/tmp/dbus-" + world.nonce, answer=lambda _: BUS)
    at("/run/user/{uid}/bus", reply=BUS)(world, row)
    return {"private": str(folder / "bus"), "abstract": "/tmp/dbus-" + world.nonce}


def system_bus(world, row):
    at("/run/user/{uid}/bus", "/run/user/{uid}/systemd/private", "/run/dbus/system_bus_socket", reply=BUS)(world, row)


def log(world, row):
    for path in ("/run/systemd/journal/dev-log", "/run/systemd/journal/socket"):
        if path not in world.told:
            world.daemon(path, path, kind=socket.SOCK_DGRAM)


def helper(world, row):
    """A program that would make anybody root."""
    path = world.root / "helper"
    if not path.exists():
        shutil.copy(next(world.packages.parent.parent.rglob("native/pwnative")), path)
        os.chown(path, 0, 0)
        path.chmod(0o4755)
    return {"helper": str(path)}


ENGINES = ("/run/podman/podman.sock", "/run/containerd/containerd.sock", "/run/crio/crio.sock", "/run/libvirt/libvirt-sock", "/run/buildkit/buildkitd.sock")
LXD = ("/var/lib/lxd/unix.socket",)  # nothing can listen in a layer below
BASES = ("/run/postgresql/.s.PGSQL.5432", "/run/mysqld/mysqld.sock", "/run/redis/redis.sock")
EDITORS = ("/run/user/{uid}/vscode-ipc-4711.sock", "/run/user/{uid}/emacs/server", "/run/user/{uid}/nvim.4711.0")
LOGIN = '"\\0AUTH EXTERNAL %s\\r\\n" % str(os.getuid()).encode().hex()'

ROWS = [
    Row("IP-01", "docker.sock: list, then a container with the root mounted", "import", talk("""
        for path in ("/var/run/docker.sock", "/run/docker.sock"):
            attempt(speak, path, b"GET /containers/json HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n", b"POST /containers/create HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n{\\"Binds\\": [\\"/:/host\\"]}" + CANARY.encode())
        """), told("/run/docker.sock"), (refused("/run/docker.sock", "net.unix.docker", "critical"),), setup=at("/run/docker.sock")),
    Row("IP-02", "podman, containerd, CRI-O, libvirt, BuildKit, LXD", "import", talk("""
        for path in %r:
            attempt(speak, path, b"GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n" + CANARY.encode())
        """ % (ENGINES + LXD,)), tuple(told(p) for p in ENGINES), tuple(refused(p, "net.unix.docker", "critical") for p in ENGINES + LXD), setup=at(*ENGINES)),
    Row("IP-03", "ssh-agent: list and sign", "metadata", talk("""
        request = b"\\0\\0\\0\\1\\x0b", b"\\0\\0\\0\\x1d\\x0d" + CANARY.encode()[:28].ljust(28)
        for path in (os.environ.get("SSH_AUTH_SOCK"), pwkit.target("agent")):
            path and attempt(speak, path, *request)
        """), told("agent"), refused("/tmp/ssh-*/agent.*", "net.unix.agent", "critical"), setup=agent),
    Row("IP-04", "an agent found without the variable", "native", "", told("agent", "{canary}"), refused("/tmp/ssh-*/agent.*", "net.unix.agent", "critical"),
        native="find_agent", setup=agent),
    Row("IP-05", "gpg-agent's key list, gpg --export-secret-keys", "metadata", talk("""
        for path in ("/run/user/%d/gnupg/S.gpg-agent" % os.getuid(), pwkit.target("home") + "/.gnupg/S.gpg-agent"):
            attempt(speak, path, b"KEYINFO --list\\n", b"PKSIGN " + CANARY.encode() + b"\\n")
        """), told("/run/user/{uid}/gnupg/S.gpg-agent"), refused("/run/user/*/gnupg/S.gpg-agent", "net.unix.agent", "critical"),
        setup=at("/run/user/{uid}/gnupg/S.gpg-agent", reply=b"OK\n")),
    Row("IP-06", "Secret Service over the session bus", "import", talk("""
        hello = (%s).encode()
        for path in ("/run/user/%%d/bus" %% os.getuid(), pwkit.target("private"), "\\0" + pwkit.target("abstract")):
            attempt(speak, path, hello, b"BEGIN\\r\\n" + b"org.freedesktop.secrets SearchItems " + CANARY.encode())
        """ % LOGIN), (told("/run/user/{uid}/bus", "{canary}"), told("private-bus"), told("abstract-bus")),
        (refused("/run/user/*/bus", "net.unix.dbus"), refused("/tmp/dbus-*", "net.unix.dbus"), refused("@/tmp/dbus-*", "net.unix.dbus")), setup=session_bus),
    Row("IP-07", "systemd starts a unit outside", "metadata", talk("""
        for path in ("/run/user/%%d/systemd/private" %% os.getuid(), "/run/user/%%d/bus" %% os.getuid()):
            attempt(speak, path, (%s).encode(), b"BEGIN\\r\\n" + b"StartTransientUnit " + CANARY.encode())
        attempt(run, "systemd-run", "--user", "--scope", "true", env=dict(os.environ, XDG_RUNTIME_DIR="/run/user/%%d" %% os.getuid()))
        """ % LOGIN), told("/run/user/{uid}/systemd/private"), (refused("/run/user/*/systemd/private", "net.unix.dbus"), refused("/run/user/*/bus", "net.unix.dbus")),
        setup=system_bus, note="systemd-run is tried where it is"),
    Row("IP-08", "desktop services over the buses", "metadata", talk("""
        for path in ("/run/user/%%d/bus" %% os.getuid(), "/run/dbus/system_bus_socket", "/var/run/dbus/system_bus_socket"):
            attempt(speak, path, (%s).encode(), b"BEGIN\\r\\n" + b"org.freedesktop.portal.OpenURI " + CANARY.encode())
        """ % LOGIN), told("/run/dbus/system_bus_socket"), (refused("/run/user/*/bus", "net.unix.dbus"), refused("/run/dbus/system_bus_socket", "net.unix.dbus")),
        setup=system_bus),
    Row("IP-10", "X11 by path and by abstract name", "import", talk("""
        for path in (pwkit.target("display"), "\\0" + pwkit.target("display")):
            attempt(speak, path, b"l\\0\\x0b\\0\\0\\0\\0\\0\\0\\0\\0\\0" + CANARY.encode())
        """), (told("x11"), told("x11-abstract")), (refused("/tmp/.X11-unix/X*", "net.unix.display"), refused("@/tmp/.X11-unix/X*", "net.unix.display")), setup=display),
    Row("IP-11", "Wayland compositor", "import", talk("""
        attempt(speak, "/run/user/%d/wayland-0" % os.getuid(), b"\\1\\0\\0\\0\\1\\0\\x0c\\0" + CANARY.encode())
        """), told("/run/user/{uid}/wayland-0"), refused("/run/user/*/wayland-0", "net.unix.display"), setup=at("/run/user/{uid}/wayland-0")),
    Row("IP-13", "editors told to run something", "import", talk("""
        for path in %r:
            path = path.replace("{uid}", str(os.getuid()))
            attempt(speak, path, b"-eval (shell-command \\"x\\") " + CANARY.encode())
        """ % (EDITORS,)), tuple(told(p) for p in EDITORS), (refused("/run/user/*/vscode-ipc-4711.sock", "net.unix.agent", "critical"), refused("/run/user/*/emacs/server"),
                                                            refused("/run/user/*/nvim.4711.0")), setup=at(*EDITORS)),
    Row("IP-14", "crontab, at", "metadata", talk("""
        attempt(run, "crontab", "-", input=b"* * * * * /bin/true # " + CANARY.encode() + b"\\n")
        attempt(run, "at", "now + 1 year", input=b"true # " + CANARY.encode() + b"\\n")
        """), (file("/var/spool/cron/crontabs/{user}", "{canary}"),), Event("file.persistence.cron", severity="critical"), needs=("crontab",),
        note="at is tried where it is"),
    Row("IP-15", "set-id helpers: sudo, pkexec, su", "import", talk("""
        attempt(run, "sudo", "-n", "id")
        attempt(run, "pkexec", "--disable-internal-agent", "id")
        attempt(run, "su", "-c", "id")
        print((attempt(run, pwkit.target("helper"), "whoami", pwkit.here("targets.txt")) or b"").decode())
        """), output("EUID 0 of"), (Event("exec.recorded", "exec", {"path": "*/bin/su"}, action="allowed"), Event("file.read.outside", "file.open", {"path": "*/helper"})), users=("user",), native="whoami", setup=helper,
        note="sudo and pkexec are tried where they are; root has nothing to gain"),
    Row("IP-17", "databases by their sockets", "import", talk("""
        startup = b"\\0\\0\\0\\x17\\0\\3\\0\\0user\\0postgres\\0\\0"
        for path in %r:
            attempt(speak, path, startup + CANARY.encode())
        """ % (BASES,)), tuple(told(p) for p in BASES), tuple(refused(p) for p in BASES), setup=at(*BASES, reply=b"R\0\0\0\x08\0\0\0\0")),
    Row("IP-19", "kernel key rings", "native", "", output("KEYS:"), Event("syscall.keyring", "syscall.denied"), native="key_rings"),
    Row("IP-20", "journal and syslog", "metadata", talk("""
        for path in ("/dev/log", "/run/systemd/journal/dev-log", "/run/systemd/journal/socket"):
            attempt(speak, path, b"<13>pwfix: " + CANARY.encode(), kind=socket.SOCK_DGRAM)
        attempt(run, "logger", "-u", "/run/systemd/journal/dev-log", CANARY)
        """), (told("/run/systemd/journal/dev-log", "{canary}"), told("/run/systemd/journal/socket")), refused_socket("AF_UNIX/SOCK_DGRAM/*"), setup=log),
]
