"""Where pip installs: a virtual environment, the system's Python, one of pyenv, the user's own folder.  Each is made anew for each
run, at the same path, so that a plain and a guarded pip can be compared."""
from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from .pips import Pips
from .pythons import Python, public_copy
from .world import Templates, World, snapshot

COPY = ["cp", "-a", "--reflink=auto"]


def replace(source: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([*COPY, source, target], check=True, timeout=120)


class Place:
    """fresh(): the environment as it was before any install, for that world's user.  roots: what an install may change."""

    name = "?"
    options: tuple[str, ...] = ()

    def __init__(self, python: Python, version: str, wheel: bool, folder: Path, pips: Pips):
        self.python, self.version, self.wheel, self.folder, self.pips = python, version, wheel, folder, pips
        self.key = f"{self.name}-{python.name}-{version}{'' if wheel else '-no-wheel'}"
        self._made = False

    def fresh(self, world: World) -> None:
        if not self._made:
            self.make()
            self._made = True
        for folder in (world.home / ".cache", world.home / ".local/lib", world.home / ".local/bin", world.home / ".local/share"):
            shutil.rmtree(folder, ignore_errors=True)
        world.extra, world.enter, world.venv = {"PIP_NO_WARN_SCRIPT_LOCATION": "1"}, None, None
        self.put(world)

    def make(self) -> None:
        raise NotImplementedError

    def put(self, world: World) -> None:
        raise NotImplementedError

    def roots(self, world: World) -> list[Path]:
        raise NotImplementedError

    def snapshot(self, world: World) -> dict[str, tuple]:
        user = [p for p in (world.home / ".local").glob("*") if p.name != "state"]
        return {f"{root.name}/{name}": value for root in (*self.roots(world), *user) if root.exists() for name, value in snapshot(root).items()}

    def close(self) -> None:
        pass


class Venv(Place):
    name = "venv"

    def make(self) -> None:
        self.template = self.folder / self.key
        subprocess.run([self.python.path, "-m", "venv", "--without-pip", self.template], check=True, timeout=60)
        self.pips.install(self.template / "bin/python", self.version, self.wheel)

    def put(self, world: World) -> None:
        world.venv = world.root / "venv"
        shutil.rmtree(world.venv, ignore_errors=True)
        Templates.copy(self.template, world.venv)
        world.own_tree(world.venv)

    def roots(self, world: World) -> list[Path]:
        return [world.venv]


class System(Place):
    """The distribution's Python, with a /usr/local of its own in a mount namespace: the machine's stays as it is."""

    name = "system"

    def make(self) -> None:
        script = "mount -t tmpfs -o mode=0755 tmpfs /usr/local && mkdir -p /usr/local/bin && echo ready && exec sleep 3600"
        self._holder = subprocess.Popen(["unshare", "-m", "--propagation", "private", "sh", "-c", script], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, text=True)
        assert self._holder.stdout.readline() == "ready\n", "no mount namespace can be made"
        self.local = Path(f"/proc/{self._holder.pid}/root/usr/local")
        enter = ["/usr/bin/nsenter", f"--mount=/proc/{self._holder.pid}/ns/mnt"]
        self.pips.install(self.python.path, self.version, False, wrap=lambda argv: [*enter, *argv])
        self.template = self.folder / self.key
        replace(self.local, self.template)

    def put(self, world: World) -> None:
        for entry in self.local.iterdir():
            shutil.rmtree(entry)
        for entry in self.template.iterdir():
            subprocess.run([*COPY, entry, self.local], check=True, timeout=60)
        world.enter = self._holder.pid
        world.extra.update({"PATH": "/usr/local/bin:/usr/bin:/bin", "PIP_BREAK_SYSTEM_PACKAGES": "1"})

    def roots(self, world: World) -> list[Path]:
        return [self.local]

    def close(self) -> None:
        if self._made:
            self._holder.kill()
            self._holder.wait()


class UserSite(System):
    """The same Python, told to install for the user."""

    name = "user"
    options = ("--user",)


class Pyenv(Place):
    """A version of pyenv's, started through pyenv's own shims."""

    name = "pyenv"

    def make(self) -> None:
        pyenv = Path(subprocess.run(["pyenv", "root"], check=True, timeout=20, capture_output=True, text=True).stdout.strip())
        self.root = self.folder / f"root-{self.key}"
        self.root.mkdir()
        for part in ("bin", "libexec", "pyenv.d"):
            replace(pyenv / part, self.root / part)
        (self.root / "versions").mkdir()
        prefix = next(p for p in sorted((pyenv / "versions").glob("3.*")) if p.name.startswith(f"{self.python.version[0]}.{self.python.version[1]}."))
        self.prefix = public_copy(prefix, self.root / "versions")
        lib = self.prefix / f"lib/python{self.python.version[0]}.{self.python.version[1]}"
        self.site = lib / "site-packages"
        self.site.mkdir(exist_ok=True)
        self.pips.install(self.prefix / "bin/python3", self.version, self.wheel)
        self.template = self.folder / self.key
        self.template.mkdir()
        for part in (self.site, self.prefix / "bin"):
            replace(part, self.template / part.name)

    def put(self, world: World) -> None:
        for part in (self.site, self.prefix / "bin"):
            replace(self.template / part.name, part)
        shutil.rmtree(self.prefix / "share/doc", ignore_errors=True)
        subprocess.run([self.root / "bin/pyenv", "rehash"], check=True, timeout=60, env={"PATH": "/usr/bin:/bin", "PYENV_ROOT": str(self.root)})
        world.own_tree(self.root)
        world.extra.update({"PATH": f"{self.root}/shims:{self.root}/bin:/usr/bin:/bin", "PYENV_ROOT": str(self.root), "PYENV_VERSION": self.prefix.name})

    def roots(self, world: World) -> list[Path]:
        return [self.site, self.prefix / "bin", self.prefix / "share"]


PLACES = {one.name: one for one in (Venv, System, Pyenv, UserSite)}
