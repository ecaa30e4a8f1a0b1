"""Attempts as a package's code makes them, one a line, each with what the record has to say of it: who did it is marked in the text itself."""
from __future__ import annotations

import hashlib
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

HEAD = """import ctypes, http.client, importlib.util, os, pathlib, shutil, socket, sqlite3, subprocess, urllib.request


def attempt(act):
    try:
        act()
    except Exception:
        pass


"""
# name: the line.  <secret> is a path of a private key, <program> one of a program: both are spelt in another way each time.
LINES = {
    "getaddrinfo": "socket.getaddrinfo('getaddrinfo.<place>.test', 443)",
    "gethostbyname": "socket.gethostbyname('GetHostByName.<place>.test.')",
    "create_connection": "socket.create_connection(('create.<place>.test', 443), 2)",
    "connect_name": "socket.socket().connect(('connect.<place>.test', 443))",
    "connect_address": "socket.socket().connect(('10.203.0.2', <port>))",
    "connect_ex": "socket.socket().connect_ex(('10.203.0.2', <port>))",
    "connect_unix": "socket.socket(socket.AF_UNIX).connect('<home>/agent.<place>')",
    "sendto": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('10.203.0.2', <port>))",
    "urlopen": "urllib.request.urlopen('https://urlopen.<place>.test/take?by=<place>', b'x' * 1234, 2)",
    "http_client": "http.client.HTTPConnection('client.<place>.test', 8080).request('PUT', '/put', 'y' * 77)",
    "popen": "subprocess.run(['<program>'])",
    "searched": "subprocess.run(['pwt-<place>-2'], env={'PATH': os.path.dirname('<program>') + ':/nowhere'})",
    "fork_exec": "os.fork() or os.execv('<program>', ['true'])",
    "posix_spawn": "os.posix_spawn('<program>', ['true'], {})",
    "system": "os.system('exit 0')",
    "open": "open('<secret>')",
    "path": "pathlib.Path('<home>/.ssh/path.<place>').read_text()",
    "os_open": "os.open('<secret>', os.O_RDONLY)",
    "copy": "shutil.copy('<secret>', 'taken')",
    "listdir": "os.listdir('<secret>/..')",
    "write": "open('<home>/.bashrc', 'a')",
    "chmod": "os.chmod('<secret>', 0o644)",
    "symlink": "os.symlink('nothing', '<home>/link.<place>')",
    "sqlite": "sqlite3.connect('<home>/.ssh/sqlite.<place>').execute('select 1 from sqlite_master')",
    "dlopen": "ctypes.CDLL('libm.so.6')",
    "extension": "importlib.util.module_from_spec(importlib.util.spec_from_file_location('pwt', '<program>.so'))",
    "exec": "exec('made = \"<place>\"')",
    "eval": "eval('len(\"eval <place>\")')",
    "compile": "compile('made = \"compile <place>\"', 'made.py', 'exec')",
    "getenv": "os.environ['AWS_SECRET_ACCESS_KEY']",
}
FORKS = {"fork_exec"}


@dataclass
class Act:
    name: str
    text: str  # with everything filled in
    line: int
    place: str

    @property
    def function(self) -> str:
        return f"act_{self.name}"

    def is_about(self, event: dict) -> bool:
        """Is this the event?  Who did it is not looked at."""
        kind, target = event["type"], event.get("target", {})
        if self.name in ("getaddrinfo", "gethostbyname", "create_connection", "connect_name", "urlopen", "http_client"):
            return kind == "net.resolve" and target.get("host") == re.search(r"'(?:https://)?([\w.]+?)\.?[/']", self.text)[1].lower()
        if self.name in ("connect_address", "connect_ex", "sendto"):
            return kind in ("net.connect", "net.send", "net.socket") and target.get("port") == int(re.search(r"2', (\d+)", self.text)[1])
        if self.name == "extension":
            return kind == "python.load" and target["path"] == re.search(r"'(/.*?)'", self.text)[1]
        if self.name in ("dlopen", "exec", "eval", "compile", "getenv"):
            if self.name == "getenv":
                return kind == "env.read" and target["name"] == "AWS_SECRET_ACCESS_KEY"
            if self.name == "dlopen":
                return kind == "python.load" and target["path"] == "libm.so.6"
            made = re.search(r"\('(.*?)'[,)]", self.text)[1]
            return kind == "python.compile" and target.get("digest") == hashlib.sha256(made.encode()).hexdigest()
        written = target.get("as_written") or target.get("path")
        if self.name == "system":
            return kind == "exec" and written == "/bin/sh"
        if self.name == "searched":
            return kind == "exec" and str(written).endswith(f"/pwt-{self.place}-2")
        path = [p for p in re.findall(r"'(.*?)'", self.text) if p.startswith("/")][0]
        if kind == "exec":
            return self.name in ("popen", "fork_exec", "posix_spawn") and written == path
        if self.name in ("path", "sqlite"):  # the library spells it otherwise
            return kind.startswith("file.") and target.get("path") == os.path.normpath(path)
        return kind.startswith(("file.", "ipc.")) and written == path


class Acts:
    """The text of a place in which attempts are made, and what is to be found of them."""

    def __init__(self, place: str, home: Path, programs: Path, first: str = "", last: str = "run()\n", leave_out: set[str] = frozenset(),
                 respelt: str = ""):
        self.place, self.acts, self._ports = place, [], iter(range(20000 + hash_of(place), 30000))
        text = first + HEAD
        for number, (name, line) in enumerate(l for l in LINES.items() if l[0] not in leave_out):
            filled = line
            for word, text_of in (("place", place), ("home", f"{home}{respelt}"), ("port", next(self._ports)), ("secret", f"{home}{respelt}/.ssh/{'./' * (number + 1)}id_ed25519"),
                                  ("program", f"{programs}{respelt}/{'./' * number}pwt-{place}")):
                filled = filled.replace(f"<{word}>", str(text_of))
            self.acts.append(Act(name, filled, text.count("\n") + 2, place))
            text += f"def act_{name}():\n    {filled}\n\n\n"
        text += "def run():\n" + "".join(f"    attempt(act_{a.name})\n" for a in self.acts) + "\n\n"
        self.text = text + last

    def judge(self, events: list[dict], file: str) -> dict[str, str]:
        """What the record says of each act: "" where it is right, "-" where there is no such event, else what it says instead."""
        found = {}
        for act in self.acts:
            mine = [e for e in events if act.is_about(e) and "first" not in e]
            wrong = [self._of(e) for e in mine if self._of(e) != (file, act.line, act.function)]
            found[act.name] = "-" if not mine else "" if len(wrong) < len(mine) and act.name == "getenv" else str(wrong[0]) if wrong else ""
        return found

    @staticmethod
    def _of(event: dict) -> tuple:
        o = event.get("origin", {})
        return o.get("file"), o.get("line"), o.get("function")


def hash_of(place: str) -> int:
    return int(hashlib.sha256(place.encode()).hexdigest(), 16) % 90 * 100


def programs(folder: Path, places: list[str]) -> Path:
    """A program of each place's own."""
    folder.mkdir(parents=True, exist_ok=True)
    for place in places:
        for name in (f"pwt-{place}", f"pwt-{place}-2", f"pwt-{place}.so"):
            shutil.copy("/bin/true", folder / name)
            (folder / name).chmod(0o755)
    folder.chmod(0o755)
    return folder
