"""Every Landlock ABI that this kernel has, forced: an honest build comes out as plainly, and what a newer ABI would have refused is refused all the same."""
from __future__ import annotations

import ctypes

import pytest

from lib.world import CANARY
from test_matrix import check_twins, twins

NEWEST = ctypes.CDLL(None).syscall(444, None, 0, 1)  # landlock_create_ruleset, LANDLOCK_CREATE_RULESET_VERSION
ABIS = range(1, NEWEST + 1)

ATTACK = r"""
import os, shutil, sys
home, outside, mine = sys.argv[1:]
key, rc, other, third = home + "/.ssh/id_ed25519", home + "/.bashrc", outside + "/kept", outside + "/third"

def read(path):
    with open(path) as f:
        print(f.read())


def put(path):
    with open(mine + "/new", "w") as f:
        f.write("planted")
    os.rename(mine + "/new", path)

TRIES = {
    "read": lambda: read(key),
    "read-link": lambda: (os.symlink(key, mine + "/s"), read(mine + "/s")),
    "read-hard-link": lambda: (os.link(key, mine + "/h"), read(mine + "/h")),
    "append": lambda: open(rc, "a").write("planted"),
    "empty-on-open": lambda: os.close(os.open(rc, os.O_RDONLY | os.O_TRUNC)),
    "empty-without-a-right": lambda: os.close(os.open(rc, os.O_ACCMODE | os.O_TRUNC)),
    "truncate": lambda: os.truncate(rc, 1),
    "truncate-outside": lambda: os.truncate(other, 1),
    "rename-over": lambda: put(rc),
    "mode": lambda: os.chmod(other, 0o777),
    "rename-away": lambda: os.rename(third, mine + "/away"),
    "unlink": lambda: os.unlink(other),
    "mkdir": lambda: os.mkdir(outside + "/made"),
    "read-renamed": lambda: (os.rename(home + "/.ssh", mine + "/d"), read(mine + "/d/id_ed25519")),
}
for name in TRIES:
    try:
        TRIES[name]()
        print("did", name)
    except OSError:
        pass
"""


def state(world, outside):
    files = [world.home / ".bashrc", outside / "kept", outside / "third", world.home / ".ssh/id_ed25519"]
    return [(str(f), f.read_text(), f.stat().st_mode, f.stat().st_ino) if f.exists() else (str(f), None) for f in files], sorted(p.name for p in outside.iterdir())


@pytest.mark.parametrize("abi", ABIS)
def test_an_honest_build(abi, make_world, user_named, index, templates, distribution):
    world = make_world(user_named("root" if abi % 2 == 0 else "user"), index=index, hide=f"landlock={abi}")
    check_twins(*twins(world, templates, distribution, ["pip", "install", "pwnative"]))


@pytest.mark.parametrize("name", ["root", "user"])
@pytest.mark.parametrize("abi", ABIS)
def test_what_stays_out_of_reach(abi, name, make_world, user_named):
    world = make_world(user_named(name), hide=f"landlock={abi}")
    outside = world.root / "outside"
    outside.mkdir()
    world.own(outside)

    def plant():
        world.plant_canaries()
        for file in ("kept", "third"):
            world.write(outside / file, "kept\n", 0o644)

    def run(guarded):
        script = 'exec /usr/bin/python3 -c "$0" "$1" "$2" "$TMPDIR"' if guarded else 'd=$(mktemp -d); exec /usr/bin/python3 -c "$0" "$1" "$2" "$d"'
        argv = ["/bin/sh", "-c", script, ATTACK, str(world.home), str(outside)]
        return world.guarded(["run", "--", *argv], options=["--on-violation", "deny"]) if guarded else world.run(argv)

    plant()
    before = state(world, outside)
    held = run(True)
    assert CANARY not in held.out + held.err and "did" not in held.out, str(held)
    assert state(world, outside) == before
    refused = {e["target"]["path"] for e in held.events if e.get("action") == "denied" and e["source"] == "kernel"}
    assert {str(world.home / ".ssh/id_ed25519"), str(world.home / ".bashrc")} <= refused, str(held)

    plain = run(False)
    assert plain.out.count(CANARY) == 4 and plain.out.count("did ") == ATTACK.count(": lambda"), f"an attack does nothing by itself\n{plain}"
