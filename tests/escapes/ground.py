"""Where a run of the kit happens: a throw-away home full of canaries, /etc, /var, /home, /root and /run of its own, fake daemons, an outside that
is none.  Everything is below one folder and in namespaces, and goes with them."""
from __future__ import annotations

import base64
import os
import re
import secrets
import shutil
import socket
import subprocess
from pathlib import Path

from lib.daemons import Daemons
from lib.fakenet import HOST4, INET4, INET6
from lib.procs import marked
from lib.world import Result, World

from . import make, plants
from .kit import Effect, Row

SINK_PORT = UDP_PORT = 4444
# Folders of the system that the commands see as copies: what is planted or changed there lies below over/.
OVER = ("etc", "var", "home", "root", "usr/local")
MOUNTS = """
set -e
for name in %s; do mount -t overlay -o "lowerdir=/$name,upperdir=$0/over/$name,workdir=$0/.over/$name" overlay "/$name"; done
mount --bind "$0/run" /run
echo ready
exec cat
""" % " ".join(OVER)


class Ground(World):
    """A World for many rows, and for setups: canary(), secret(), plant(), system(), daemon(), defer()."""

    def __init__(self, root: Path, user, pipwarden, net, hide: str = ""):
        super().__init__(root, user, pipwarden, net, hide=hide)
        self.packages = root / "packages"
        self._closers: list = []
        self._daemons: dict[str, str] = {}  # path or abstract name -> the first name that was given to it
        self.daemons = Daemons(net)
        self.told = self.daemons.told
        self.defer(self.daemons.close)
        self.outside: tuple = ()  # what the next command is started by, outside of the sandbox
        self.secrets: dict[str, str] = {}  # what no replica may have: where it stands -> its value
        self._canaries: dict[str, str] = {}
        self.nonce = secrets.token_hex(5)
        self._home_named = False
        for name in OVER:
            for folder in (root / "over" / name, root / ".over" / name):
                folder.mkdir(parents=True)
        (root / "over/root").chmod(0o700)
        for folder in (self.packages, root / "run", root / "run/user", self.runtime_folder):
            folder.mkdir()
        self.own(self.runtime_folder)
        self._holder = self._mount()
        self.system("/etc/resolv.conf", f"nameserver {INET4}\noptions timeout:1 attempts:1\n")
        self.extra.update(plants.environment(self))
        plants.files(self)

    @property
    def runtime_folder(self) -> Path:
        """What the commands see as /run/user/UID."""
        return self.root / "run/user" / str(self.user.uid)

    # --- for setups

    def canary(self, row: Row | str) -> str:
        """The row's own, which its replica knows: target("canary")."""
        id = row if isinstance(row, str) else row.id
        return self._canaries.setdefault(id, f"CANARY-{id}-{secrets.token_hex(8)}")

    def secret(self, where: str) -> str:
        """A value that no replica may have; the same for the same place."""
        return self.secrets.setdefault(where, "CANARY" + secrets.token_hex(12))

    def plant(self, path: str, text: str = "{c}\n", mode: int = 0o600) -> Path:
        """A file of the user's: "home/…", "work/…", "temp/…" or another name below the world's folder; {c} is a secret of its own."""
        return self.write(self.root / path, text.replace("{c}", self.secret(path)), mode)

    def system(self, path: str, text: str = "{c}\n", mode: int = 0o644, mine: bool = False) -> Path:
        """A file that the commands see at this absolute path (below /etc, /var, /home, /root or /run), root's unless `mine`."""
        real = self.seen(path)
        missing = [p for p in real.parents if not p.exists()]
        real.parent.mkdir(parents=True, exist_ok=True)
        real.write_text(text.replace("{c}", self.secret(path)) if "{c}" in text else text)
        real.chmod(mode)
        if mine:
            for p in [real, *missing]:
                self.own(p)
        return real

    def seen(self, path: str) -> Path:
        """Where that lies for us what the commands see at an absolute path."""
        path = re.sub("^/var/run/", "/run/", path)
        return Path(f"/proc/{self._holder.pid}/root{path}") if path[1:].startswith((*(name + "/" for name in OVER), "run/")) else Path(path)

    def defer(self, function, *args) -> None:
        self._closers.append((function, args))

    def daemon(self, name: str, path: str = "", *, abstract: str = "", port: int | None = None, answer=None, kind=socket.SOCK_STREAM) -> str:
        """A listener that keeps what it is told in told[name]: at a path (as the commands see it), an abstract name, or a port of the machine's
        loopback (0: any).  answer(piece) -> bytes.  Returns what to connect to.  Where several rows want the same one, all hear what it is told:
        their effects have to say what."""
        there = path or abstract
        if there in self._daemons:
            self.told[name] = self.told[self._daemons[there]]
            return there
        if there:
            self._daemons[there] = name
        if path:
            where = self.seen(path)
            where.parent.mkdir(parents=True, exist_ok=True)
            self.daemons.unix(name, where, kind, answer)
            self.own(where)
            return path
        return self.daemons.abstract(name, abstract, answer) if abstract else str(self.daemons.loopback(name, port or 0, answer))

    def bystander(self, argv: list, env: dict | None = None, **more) -> subprocess.Popen:
        """A process of the same user's, outside; ended with the world."""
        more.setdefault("stdout", subprocess.PIPE)
        p = self.popen(argv, env, stdin=subprocess.DEVNULL, **more)
        self.defer(self._end, p)
        return p

    @staticmethod
    def _end(p):
        p.kill()
        p.wait(10)
        if p.stdout:
            p.stdout.close()

    def name_home(self) -> None:
        """The password file's home is the world's: sandboxes look there, and not at $HOME."""
        entries = [line.split(":") for line in Path("/etc/passwd").read_text().splitlines()]
        for entry in entries:
            if entry[2] == str(self.user.uid):
                entry[5] = str(self.home)
        self.system("/etc/passwd", "".join(":".join(entry) + "\n" for entry in entries))
        self._home_named = True

    def use_venv(self, *args) -> Path:
        venv = super().use_venv(*args)
        if self._home_named:
            self.own_tree(self._made(self.home / ".cache/pip").parent)
        return venv

    @staticmethod
    def _made(folder: Path) -> Path:
        folder.mkdir(parents=True)
        return folder

    # --- commands

    def _mount(self) -> subprocess.Popen:
        """The process that holds the namespaces."""
        holder = subprocess.Popen(["ip", "netns", "exec", self.net.host_ns, "/bin/sh", "-c", MOUNTS, self.root],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if holder.stdout.readline() != b"ready\n":
            raise RuntimeError("the kit's own /etc, /var, /home, /root, /usr/local and /run cannot be mounted")
        return holder

    def command(self, argv: list, cwd: Path | None = None) -> list[str]:
        return ["/usr/bin/nsenter", "-t", str(self._holder.pid), "--mount", "--net", f"--setuid={self.user.uid}", f"--setgid={self.user.gid}",
                "/bin/sh", "-c", 'cd "$0" && exec "$@"', str(cwd or self.work), *map(str, [*self.outside, *argv])]

    def fill(self, text: str, row: Row | None = None) -> str:
        values = {"home": self.home, "venv": self.venv, "work": self.work, "temp": self.temp, "root": self.root, "uid": self.user.uid, "user": self.user.name,
                  "python": f"{self.venv}/bin/python", "ca": self.net.ca, "site": self.site_packages() if self.venv else ""}
        if row:
            values.update(id=row.id, package=row.package, module=row.module, canary=self.canary(row), secret=self.secret(f"the command of {row.id}"),
                          here=str(self.packages))
        return re.sub(r"\{(\w+)\}", lambda m: str(values.get(m[1], m[0])), text)

    def targets(self, row: Row) -> dict:
        """What a replica is told."""
        said = row.setup(self, row) if row.setup else None
        return {"id": row.id, "act": row.native, "package": row.package, "canary": self.canary(row), "home": str(self.home), "venv": str(self.venv),
                "site": str(self.site_packages()), "work": str(self.work), "temp": str(self.temp), "user": self.user.name, "uid": self.user.uid,
                "sink_host": INET4, "sink_host6": INET6, "own_host": HOST4, "sink_port": SINK_PORT, "udp_port": UDP_PORT,
                "marker": self.marker(row), "variable": make.environment_name(row), **(said or {})}

    def marker(self, row: Row) -> str:
        return f"pwmark-{row.id}-{self.nonce}"

    def close(self) -> None:
        for function, args in reversed(self._closers):
            function(*args)
        for p in marked(self.nonce):
            p.kill()
        self._holder.stdin.close()
        self._holder.wait(10)
        self._holder.stdout.close()
        shutil.rmtree(self.root, ignore_errors=True)

    # --- judging

    def path_of(self, what: str, row: Row) -> Path:
        what = self.fill(what, row)
        if what.startswith("site/"):
            return self.site_packages() / what[5:]
        return self.seen(what) if what.startswith("/") else self.root / what

    @staticmethod
    def state(path: Path):
        """What a file effect compares."""
        try:
            s = path.lstat()
        except OSError:
            return None
        content = b""
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
        elif path.is_symlink():
            content = os.readlink(path).encode()
        elif path.is_dir():
            content = "\n".join(sorted(os.listdir(path))).encode()
        return (s.st_mode, s.st_uid, s.st_gid, content, path.is_dir() or (s.st_mtime_ns, s.st_nlink))

    def before(self, row: Row) -> dict:
        return {e.what: self.state(self.path_of(e.what, row)) for e in row.effects if e.kind == "file"}

    def evidence(self, row: Row, result: Result, before: dict, effects: tuple[Effect, ...] = ()) -> str:
        """Of the row's effects (or of these), the first that is there; "" where none is."""
        return next((found for e in effects or row.effects if (found := getattr(self, "_" + e.kind)(row, e, result, before))), "")

    def _sink(self, row: Row, effect: Effect, result, before) -> str:
        wanted = self.fill(effect.what, row).encode()
        sent = self.net.sink
        for where, pieces in (("sink", (b for _, b in sent.streams)), ("TLS sink", (b for _, b in sent.requests)), ("packet", (p.payload for p in sent.packets))):
            if any(wanted in piece for piece in pieces):
                return f"{wanted.decode()} at the {where}"
        return ""

    def looted(self, row: Row, result: Result) -> list[bytes]:
        """Everything that the row's pwkit.loot() showed."""
        head = b"PWFIX " + row.id.encode() + b" "
        printed = re.findall(rf"PWLOOT:{row.id}:([A-Za-z0-9+/=]*):", result.out + result.err)
        return [b for _, b in self.net.sink.streams if b.startswith(head)] + [base64.b64decode(p) for p in printed]

    def _loot(self, row: Row, effect: Effect, result, before) -> str:
        for data in self.looted(row, result):
            for where, value in self.secrets.items():
                if value.encode() in data:
                    return f"the secret of {where}"
        return ""

    def _output(self, row: Row, effect: Effect, result, before) -> str:
        wanted = self.fill(effect.what, row)
        return f"{wanted} in the output" if wanted in result.out + result.err else ""

    def _file(self, row: Row, effect: Effect, result, before) -> str:
        path = self.path_of(effect.what, row)
        if effect.text:
            wanted = self.fill(effect.text, row).encode()
            return f"{effect.what} holds it" if path.is_file() and wanted in path.read_bytes() else ""
        return f"{effect.what} changed" if self.state(path) != before[effect.what] else ""

    def _told(self, row: Row, effect: Effect, result, before) -> str:
        heard, wanted = self.told.get(self.fill(effect.what, row), []), self.fill(effect.text, row).encode()
        return f"{effect.what} was told" if heard and (not wanted or any(wanted in h for h in heard)) else ""

    def _name(self, row: Row, effect: Effect, result, before) -> str:
        from fnmatch import fnmatchcase
        wanted = self.fill(effect.what, row).lower()
        return next((f"asked for {n}" for n in self.net.dns.names if fnmatchcase(n, wanted)), "")

    def _alive(self, row: Row, effect: Effect, result, before) -> str:
        return next((f"process {p.pid} lives" for p in marked(self.marker(row))), "")

    def _call(self, row: Row, effect: Effect, result, before) -> str:
        found = effect.judge(self, row, result)
        return found if isinstance(found, str) else "seen" if found else ""
