"""Programs that pip takes for its keyring: one with a file store, where keyring's own file back ends keep theirs; and those that do more than they are for."""
from __future__ import annotations

import os
from pathlib import Path

from .world import World

# As `keyring get SERVICE USER`: a line of the store is USER, a tab, the password.
PROGRAM = """#!{python}
import os
import sys

{more}
data = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
if sys.argv[1:2] == ["get"]:
    with open(os.path.join(data, "python_keyring", "keyring_pass.cfg")) as store:
        logins = dict(line.rstrip("\\n").split("\\t") for line in store)
    if sys.argv[3] in logins:
        print(logins[sys.argv[3]])
        sys.exit(0)
sys.exit(1)
"""


def store(world: World, login: str, password: str) -> Path:
    return world.write(world.home / ".local/share/python_keyring/keyring_pass.cfg", f"{login}\t{password}\n")


def program(world: World, path: Path, python: str | Path = "/usr/bin/python3", more: str = "") -> Path:
    return world.write(path, PROGRAM.format(python=python, more=more), 0o755)


def plain(world: World) -> Path:
    """A script of the user's own, run by the system's Python: its folder for PATH."""
    return program(world, world.home / "tools/keyring").parent


def pipx(world: World) -> Path:
    """In an environment of its own, part of it a module there, with a link in ~/.local/bin: as pipx installs it."""
    venv = world.home / ".local/share/pipx/venvs/keyring"
    version = ".".join(os.path.realpath("/usr/bin/python3").rpartition("python")[2].split(".")[:2])
    world.write(venv / "pyvenv.cfg", f"home = /usr/bin\ninclude-system-site-packages = false\nversion = {version}\n", 0o644)
    world.write(venv / f"lib/python{version}/site-packages/pwkeyring.py", "THERE = True\n", 0o644)
    (venv / "bin").mkdir()
    (venv / "bin/python").symlink_to("/usr/bin/python3")
    world.own_tree(venv)
    program(world, venv / "bin/keyring", venv / "bin/python", "import pwkeyring\nassert sys.prefix != sys.base_prefix and pwkeyring.THERE")
    (world.home / ".local/bin").mkdir(parents=True)
    (world.home / ".local/bin/keyring").symlink_to(venv / "bin/keyring")
    world.own_tree(world.home / ".local/bin")
    return world.home / ".local/bin"
