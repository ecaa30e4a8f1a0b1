"""The interpreters that the tests run: the distribution's and those of pyenv."""
from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

DISTRIBUTION = Path("/usr/bin/python3")


@dataclass(frozen=True)
class Python:
    name: str  # "distribution", "3.13"
    version: tuple[int, int]
    path: Path


def _version(path: Path) -> tuple[int, int] | None:
    try:
        out = subprocess.run([path, "-IS", "-c", "import sys; print(*sys.version_info[:2], sys.implementation.name)"],
                             capture_output=True, text=True, timeout=20, check=True).stdout.split()
    except (OSError, subprocess.SubprocessError):
        return None
    return (int(out[0]), int(out[1])) if len(out) == 3 and out[2] == "cpython" else None


def _pyenv_versions(oldest: int = 8) -> list[Path]:
    """The newest patch release of each minor version, the oldest first."""
    pyenv = shutil.which("pyenv")
    if not pyenv:
        return []
    try:
        root = subprocess.run([pyenv, "root"], capture_output=True, text=True, timeout=20, check=True).stdout.strip()
    except subprocess.SubprocessError:
        return []
    found = {}
    for folder in sorted(Path(root, "versions").glob("3.*")):
        m = re.fullmatch(r"3\.(\d+)\.(\d+)", folder.name)
        if m and int(m[1]) >= oldest and (folder / "bin" / "python3").exists():
            found[int(m[1])] = max(folder, found.get(int(m[1]), folder), key=lambda f: int(f.name.split(".")[2]))
    return [found[minor] for minor in sorted(found)]


def in_place(oldest: int = 8, only: tuple[int, ...] = ()) -> list[str]:
    """Where they lie: the distribution's first, then CPython 3.`oldest` and later, or only these minor versions.  Perhaps for root alone."""
    found = [folder / "bin" / "python3" for folder in _pyenv_versions(oldest) if not only or int(folder.name.split(".")[1]) in only]
    return [str(path) for path in [DISTRIBUTION, *found] if _version(path)]


def everyone_may_run(path: Path) -> bool:
    return all(p.stat().st_mode & 0o001 for p in path.resolve().parents)


def distribution() -> Python:
    version = _version(DISTRIBUTION)
    if version is None:
        raise RuntimeError(f"{DISTRIBUTION} does not run")
    return Python("distribution", version, DISTRIBUTION)


def public_copy(prefix: Path, cache: Path) -> Path:
    """A version below somebody's closed home is copied once: sys.prefix follows the folder."""
    if everyone_may_run(prefix / "bin" / "python3"):
        return prefix
    target = cache / prefix.name
    if not target.exists():
        partial = cache / (prefix.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(prefix, partial, symlinks=True,
                        ignore=shutil.ignore_patterns("test", "idlelib", "site-packages", "__pycache__", "*.a"))
        os.chmod(partial, 0o755)
        _find_own_library(partial, prefix)
        for told in [*partial.glob("lib/python3.*/_sysconfigdata*.py"), *partial.glob("lib/python3.*/config-*/Makefile")]:
            told.write_text(told.read_text().replace(str(prefix), str(target)))  # where the headers are
        os.rename(partial, target)
    return target


def _find_own_library(copy: Path, prefix: Path) -> None:
    """A shared build names its libpython by an absolute run path: the copy must find its own."""
    old, new = str(prefix / "lib").encode() + b"\0", b"$ORIGIN/../lib\0"
    for program in (copy / "bin").glob("python3.*"):
        content = program.read_bytes() if program.is_file() and not program.is_symlink() else b""
        if content.startswith(b"\x7fELF") and old in content and len(new) <= len(old):
            program.write_bytes(content.replace(old, new.ljust(len(old), b"\0")))


def find(cache: Path, everything: bool = False) -> list[Python]:
    """The matrix: the distribution's CPython and 3.13 where there is one; everything: every CPython from 3.8 on."""
    pythons = [distribution()]
    for prefix in _pyenv_versions():
        minor = int(prefix.name.split(".")[1])
        if everything or minor == 13:
            path = public_copy(prefix, cache) / "bin" / "python3"
            version = _version(path)
            if version:
                pythons.append(Python(f"{version[0]}.{version[1]}", version, path))
    return pythons
