"""pip in its versions: the wheels, fetched once from the index, and what they install into without the help of another pip."""
from __future__ import annotations

import os
import subprocess
from pathlib import Path

from .pythons import DISTRIBUTION

# One of each way in which pip starts itself, builds, and lays out its installs; "pip": the newest.
VERSIONS = ("20.3.4", "21.3.1", "22.0.4", "22.3.1", "23.0.1", "23.2.1", "24.3.1", "pip")


def before(version: str, major: int, minor: int) -> bool:
    return version != "pip" and tuple(map(int, version.split(".")[:2])) < (major, minor)


class Pips:
    """Wheels of pip, and of setuptools and wheel beside them."""

    def __init__(self, folder: Path, tools: Path):
        self._folder, self._tools = folder, tools

    def wheel(self, version: str) -> Path:
        folder = self._folder / version
        if not folder.exists():
            what = "pip" if version == "pip" else f"pip=={version}"
            # The machine's own settings say where the index is and whom to trust.
            subprocess.run([DISTRIBUTION, "-m", "pip", "download", "-q", "--no-deps", "--no-cache-dir", "--dest", folder, what],
                           check=True, timeout=180, stdin=subprocess.DEVNULL)
        return next(folder.glob("pip-*.whl"))

    def install(self, python: Path, version: str, wheel: bool, *options: str, wrap=None, env: dict[str, str] | None = None) -> None:
        """That pip, setuptools and perhaps wheel, by that pip itself."""
        archive = self.wheel(version)
        argv = [python, archive / "pip", "install", "-q", "--no-index", "--no-cache-dir", "--no-warn-script-location", "--ignore-installed",
                "--find-links", archive.parent, "--find-links", self._tools, *options, "pip", "setuptools", *(["wheel"] if wheel else [])]
        plain = {"PATH": "/usr/bin:/bin", "HOME": str(self._folder), "LANG": "C.UTF-8", "PIP_DISABLE_PIP_VERSION_CHECK": "1",
                 "PIP_BREAK_SYSTEM_PACKAGES": "1", "TMPDIR": os.environ.get("TMPDIR", "/tmp"), **(env or {})}
        subprocess.run([str(a) for a in (wrap(argv) if wrap else argv)], check=True, timeout=180, stdin=subprocess.DEVNULL, env=plain)
