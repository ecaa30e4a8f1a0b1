"""What one test runs in: a throw-away user's home, temp, working folder and venv, and the commands with what they left."""
from __future__ import annotations

import json
import os
import pwd
import re
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from .fakenet import FakeInternet
from .procs import descendants
from .pythons import Python

LEVELS = ("info", "low", "medium", "high", "critical")
CANARY = "canary0key0of0the0throwaway0home"


@dataclass(frozen=True)
class User:
    name: str
    uid: int
    gid: int


ROOT = User("root", 0, 0)


def ordinary_user() -> User:
    """The throw-away user: made where it is missing; without a way to make one, a number does."""
    for _ in range(3):  # another test process may be making it
        try:
            entry = pwd.getpwnam("pwtest")
            return User("pwtest", entry.pw_uid, entry.pw_gid)
        except KeyError:
            subprocess.run(["useradd", "-m", "pwtest"], capture_output=True, timeout=30)
            time.sleep(0.5)
    return User("64999", 64999, 64999)


@dataclass
class Result:
    argv: list[str]
    status: int  # as the shell has it: 128 + N for a signal
    out: str
    err: str
    seconds: float
    journal: Path | None = None
    _events: list[dict] | None = field(default=None, repr=False)

    @property
    def events(self) -> list[dict]:
        if self._events is None:
            text = self.journal.read_text() if self.journal and self.journal.exists() else ""
            self._events = [json.loads(line) for line in text.splitlines()]
        return self._events

    def above(self, level: str) -> list[dict]:
        return [e for e in self.events if e.get("severity") in LEVELS and LEVELS.index(e["severity"]) > LEVELS.index(level)]

    def of_type(self, *types: str) -> list[dict]:
        return [e for e in self.events if e["type"] in types]

    @property
    def end(self) -> dict:
        return self.events[-1] if self.events and self.events[-1]["type"] == "run.end" else {}

    @property
    def cost(self) -> dict:
        return self.end.get("cost") or {}

    def __str__(self) -> str:
        lines = [f"$ {' '.join(self.argv)}", f"status {self.status} after {self.seconds:.2f} s",
                 "--- stdout", self.out[-6000:], "--- stderr", self.err[-6000:]]
        return "\n".join(lines + ["--- events"] + [json.dumps(e)[:600] for e in self.above("info")[:20]])


def shell_status(returncode: int) -> int:
    return 128 - returncode if returncode < 0 else returncode


class World:
    """Folders that belong to `user`; commands run as that user with a clean environment."""

    def __init__(self, root: Path, user: User, pipwarden: Path | None, net: FakeInternet | None = None,
                 index_url: str | None = None, hide: str = ""):
        self.root, self.user, self.net, self.hide = root, user, net, hide
        self.pipwarden = pipwarden
        self.index_url = index_url
        self.home, self.temp, self.work, self.logs = (root / n for n in ("home", "temp", "work", "logs"))
        self.venv: Path | None = None
        self.extra: dict[str, str] = {}  # of every command's environment
        self.enter: int | None = None  # a process in whose mount namespace the commands run
        self._runs = 0
        for folder in (root, self.home, self.temp, self.work, self.logs):
            folder.mkdir(parents=True, exist_ok=True)
            self.own(folder)
            folder.chmod(0o755)

    def own(self, path: Path) -> Path:
        os.chown(path, self.user.uid, self.user.gid, follow_symlinks=False)
        return path

    def own_tree(self, path: Path) -> Path:
        subprocess.run(["chown", "-hR", f"{self.user.uid}:{self.user.gid}", path], check=True, timeout=60)
        return path

    def write(self, path: Path, text: str | bytes, mode: int = 0o600) -> Path:
        """A file of the user's, below the world's folder."""
        missing = [p for p in path.parents if not p.exists()]
        path.parent.mkdir(parents=True, exist_ok=True)
        for p in missing:
            self.own(p)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        path.chmod(mode)
        return self.own(path)

    def plant_canaries(self) -> dict[str, str]:
        """Canaries in the home; the environment that holds the others."""
        self.write(self.home / ".ssh/id_ed25519", "-----BEGIN OPENSSH PRIVATE KEY-----\n%s\n-----END OPENSSH PRIVATE KEY-----\n" % CANARY)
        (self.home / ".ssh").chmod(0o700)
        self.write(self.home / ".aws/credentials", f"[default]\naws_secret_access_key = {CANARY}\n")
        self.write(self.home / ".bashrc", "# the user's own\n", 0o644)
        return canary_environment()

    # --- venvs

    def use_venv(self, templates: "Templates", python: Python) -> Path:
        """A fresh copy of that Python's template, always at the same path: twins need no path to be rewritten.  pip's cache
        goes as well, or a second install would not build."""
        self.venv = self.root / "venv"
        shutil.rmtree(self.venv, ignore_errors=True)
        shutil.rmtree(self.home / ".cache/pip", ignore_errors=True)
        templates.clone(python, self.venv)
        self.own_tree(self.venv)
        return self.venv

    def site_packages(self) -> Path:
        return next((self.venv / "lib").glob("python3*")) / "site-packages"

    # --- commands

    def environment(self, extra: dict[str, str] | None = None) -> dict[str, str]:
        env = {"HOME": str(self.home), "TMPDIR": str(self.temp), "LANG": "C.UTF-8", "USER": self.user.name,
               "LOGNAME": self.user.name, "SHELL": "/bin/bash", "PIP_DISABLE_PIP_VERSION_CHECK": "1",
               "PATH": (f"{self.venv}/bin:" if self.venv else "") + "/usr/bin:/bin"}
        if self.net:
            env.update(self.net.environment())
        elif self.index_url:
            env["PIP_INDEX_URL"] = self.index_url
        if self.hide:
            env["PIPWARDEN_TEST_HIDE"] = self.hide
        env.update({n: os.environ[n] for n in ("ASAN_OPTIONS", "UBSAN_OPTIONS") if os.environ.get(n)})
        return {**env, **self.extra, **(extra or {})}

    def command(self, argv: list, cwd: Path | None = None) -> list[str]:
        if self.enter is not None:
            # The folder is entered anew: the one that is inherited is outside.
            return ["/usr/bin/nsenter", f"--mount=/proc/{self.enter}/ns/mnt", f"--setuid={self.user.uid}", f"--setgid={self.user.gid}",
                    "/bin/sh", "-c", 'cd "$0" && exec "$@"', str(cwd or self.work), *map(str, argv)]
        return self.net.wrap(argv, self.user.uid, self.user.gid) if self.net else [str(a) for a in argv]

    def popen(self, argv: list, env: dict[str, str] | None = None, **more) -> subprocess.Popen:
        if not self.net and self.enter is None and self.user.uid != os.geteuid():
            more.update(user=self.user.uid, group=self.user.gid, extra_groups=[])
        more.setdefault("cwd", self.work)
        return subprocess.Popen(self.command(argv, more["cwd"]), env=self.environment(env), **more)

    def run(self, argv: list, env: dict[str, str] | None = None, *, stdin: bytes | None = None, timeout: float = 180,
            **more) -> Result:
        start = time.monotonic()
        pipe = {} if stdin is not None else {"stdin": subprocess.DEVNULL}
        with self.popen(argv, env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                        **({"stdin": subprocess.PIPE} if stdin is not None else pipe), **more) as p:
            try:
                out, err = p.communicate(stdin, timeout=timeout)
            except subprocess.TimeoutExpired:
                for child in descendants(p.pid):  # else they would hold the pipes
                    child.kill()
                p.kill()
                out, err = p.communicate()
                err += b"\n[the test's own time limit]"
        return Result([str(a) for a in argv], shell_status(p.returncode), out.decode(errors="replace"),
                      err.decode(errors="replace"), time.monotonic() - start)

    def new_journal(self) -> Path:
        self._runs += 1
        return self.logs / f"run{self._runs}.jsonl"

    def guarded(self, argv: list, env: dict[str, str] | None = None, *, options: list | tuple = (), **more) -> Result:
        """pipwarden --log JOURNAL OPTIONS ARGV."""
        journal = self.new_journal()
        result = self.run([self.pipwarden, "--log", journal, *options, *argv], env, **more)
        result.journal = journal
        return result


def canary_environment() -> dict[str, str]:
    """Values of the real shapes, worth nothing; none of them ever belonged to anybody."""
    return {"AWS_ACCESS_KEY_ID": "AKIA" + "QX7CANARY7TESTS2", "AWS_SECRET_ACCESS_KEY": "cAnArY0wJalrXUtnFEMI0K7MDENG0bPxRfiCYzz9",
            "DATABASE_URL": "postgres://app:" + CANARY + "@db.internal:5432/app", "PIPWARDEN_REPLICA": "1"}


def canaries() -> list[bytes]:
    env = canary_environment()
    return [v.encode() for v in (env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], CANARY)]


class Templates:
    """One venv a Python, with setuptools and wheel in it, made once and cloned."""

    def __init__(self, folder: Path, wheels: Path):
        self._folder, self._wheels = folder, wheels
        self._made: dict[Python, Path] = {}

    def use(self, python: Python, made: Path) -> None:
        """One that was made before."""
        self._made[python] = made

    def make(self, python: Python) -> Path:
        if python not in self._made:
            path = self._folder / f"template-{python.name}"
            env = {"PATH": "/usr/bin:/bin", "HOME": str(self._folder), "LANG": "C.UTF-8", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
            subprocess.run([python.path, "-m", "venv", path], check=True, capture_output=True, env=env, timeout=180)
            subprocess.run([path / "bin/python", "-m", "pip", "install", "-q", "--no-index", "--find-links", self._wheels,
                            "setuptools", "wheel"], check=True, capture_output=True, env=env, timeout=180)
            self._made[python] = path
        return self._made[python]

    def clone(self, python: Python, target: Path) -> None:
        self.copy(self.make(python), target)

    @staticmethod
    def copy(source: Path, target: Path) -> None:
        subprocess.run(["cp", "-a", "--reflink=auto", source, target], check=True, timeout=300)
        old, new = str(source).encode(), str(target).encode()
        for script in [target / "pyvenv.cfg", *(target / "bin").iterdir()]:
            if script.is_file() and not script.is_symlink():
                content = script.read_bytes()
                if old in content:
                    script.write_bytes(content.replace(old, new))


# --- comparing twins -------------------------------------------------------------------------------------------------

def snapshot(folder: Path, ignore: tuple[str, ...] = ()) -> dict[str, tuple]:
    """Every file with its mode and content, in the form in which two plain runs agree: no byte code, no time stamps."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if "__pycache__" in path.parts or path.name == "direct_url.json" or any(name.startswith(i) for i in ignore):
            continue
        if path.is_symlink():
            found[name] = ("link", os.readlink(path))
        elif path.is_file():
            content = path.read_bytes()
            if path.name == "RECORD":
                content = b"\n".join(sorted(l for l in content.splitlines() if b"__pycache__" not in l))
            found[name] = (oct(path.stat().st_mode), content)
        else:
            found[name] = (oct(path.stat().st_mode), path.is_dir())
    return found


def differences(one: dict[str, tuple], other: dict[str, tuple]) -> list[str]:
    lines = []
    for name in sorted(one.keys() | other.keys()):
        if name not in one or name not in other:
            lines.append(f"{name}: only {'guarded' if name not in one else 'plain'}")
        elif one[name] != other[name]:
            lines.append(f"{name}: {_short(one[name])} != {_short(other[name])}")
    return lines


def _short(value: tuple) -> str:
    return f"{value[0]} {value[1][:60]!r}" if isinstance(value[1], bytes) else str(value)


def normalise(text: str) -> str:
    """pip's output without temporary names, hashes and timings."""
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    text = re.sub(r"(pip-[a-z-]+?-)[a-z0-9_]{8}\b", r"\1XXXXXXXX", text)
    text = re.sub(r"/pw-\w{6}/t/", "/", text)  # the run's own TMPDIR
    text = re.sub(r"/tmp[a-z0-9_]{8}\b", "/tmpXXXXXXXX", text)
    text = re.sub(r"_[0-9a-f]{32}", "_HASH", text)
    text = re.sub(r"sha256=[0-9a-f]{64}", "sha256=HASH", text)
    text = re.sub(r"(size=)\d+", r"\1N", text)
    text = re.sub(r"/wheels(/[0-9a-f]{2,64}){4}", "/wheels/HASH", text)
    text = re.sub(r"[ \t]*━[^\n]*", "", text)
    text = re.sub(r"\d+(\.\d+)? [kM]?B/s", "N B/s", text)
    text = re.sub(r"eta [0-9:-]+", "eta N", text)
    return text
