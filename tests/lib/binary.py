"""Where the pipwarden under test is."""
from __future__ import annotations

import os
import shutil
from pathlib import Path

from .pythons import everyone_may_run

ROOT = Path(__file__).resolve().parent.parent.parent


def built() -> Path | None:
    """$PIPWARDEN_BIN, else the newest one in a build folder."""
    named = os.environ.get("PIPWARDEN_BIN")
    if named:
        return Path(named).resolve()
    found = [p for p in ROOT.glob("build*/**/pipwarden") if p.is_file() and os.access(p, os.X_OK)]
    return max(found, key=lambda p: p.stat().st_mtime, default=None)


def public(binary: Path, folder: Path) -> Path:
    """The binary, where an ordinary user may run it: of a closed checkout its build folder is copied.  Helpers are found beside it."""
    if everyone_may_run(binary):
        return binary
    top = next(p for p in binary.parents if (p / "meson-private").is_dir() or p.parent == ROOT)
    target = folder / "build"
    if not target.exists():
        shutil.copytree(top, target, symlinks=True, ignore=shutil.ignore_patterns("meson-*", "*.p", "tests", ".ninja*"))
        for path in [target, *target.rglob("*")]:
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o555 if path.is_dir() or os.access(path, os.X_OK) else 0o444))
    return target / binary.relative_to(top)
