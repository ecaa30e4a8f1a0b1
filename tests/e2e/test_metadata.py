"""What is written about files outside the sandbox's own folders (mode, owner, times, attributes, flags, length) stays, whatever call is used.

tests/fixtures/metadata/metadata.c tries every call on a file of its own in a folder that the guest may read; the plain run changes them all."""
from __future__ import annotations

import os
import subprocess

import pytest

from lib import packages

SOURCE = packages.FIXTURES / "metadata" / "metadata.c"
# No effect to be had here: another file system's requests; fs-verity and versions where the file system has none.
ELSEWHERE = {"ioctl_version", "ioctl_ext4_version", "ioctl_fat", "ioctl_verity"}


@pytest.fixture(scope="module")
def program(base):
    built = base / "metadata"
    subprocess.run(["cc", "-static", "-O1", "-Wall", "-Wextra", "-Werror", "-o", built, SOURCE], check=True, timeout=60)
    return built


def victims(world, program, name):
    folder = world.root / name
    folder.mkdir()
    for attempt in subprocess.run([program, "--names"], capture_output=True, text=True, check=True, timeout=10).stdout.split():
        path = world.write(folder / attempt, "the user's own\n", 0o644)
        try:
            os.setxattr(path, "user.kept", b"1")
        except OSError:
            pass
    return world.own_tree(folder)


def flags_of(path):
    done = subprocess.run(["lsattr", path], capture_output=True, text=True, timeout=10)
    return done.stdout.split()[0] if done.returncode == 0 else ""


def state(path):
    s = path.stat()
    try:
        attributes = {n: os.getxattr(path, n) for n in os.listxattr(path)}
    except OSError:
        attributes = None
    return s.st_mode, s.st_uid, s.st_gid, s.st_size, s.st_mtime_ns, s.st_ctime_ns, attributes


def changed(folder, before):
    return {name for name, old in before.items() if state(folder / name) != old}


def states(folder):
    return {path.name: state(path) for path in folder.iterdir()}


@pytest.mark.parametrize("hide", ["", "landlock=2", "namespaces"], ids=lambda h: h or "nothing")
def test_nothing_outside_is_changed(make_world, user, program, hide):
    world = make_world(user, hide=hide)
    plainly = victims(world, program, "plain")
    before = states(plainly)
    plain = world.run([program, str(plainly)], {"TMPDIR": str(world.temp)})
    results = dict(line.split() for line in plain.out.splitlines())
    # A call that the kernel or the file system lacks has no effect to be shown.
    lacking = {name for name, result in results.items() if int(result) in (-38, -95, -25, -61, -22)} | ELSEWHERE
    assert set(before) - changed(plainly, before) <= lacking, f"no effect: {set(before) - changed(plainly, before) - lacking}\n{plain}"
    assert len(changed(plainly, before)) >= 30, str(plain)

    folder = victims(world, program, "guarded")
    before = states(folder)
    held = world.guarded(["run", "--", str(program), str(folder)], options=["--allow-read", str(folder)])
    assert held.status in (0, 100) and len(held.out.splitlines()) == len(before), str(held)
    assert changed(folder, before) == set(), str(held)
    refused = {line.split()[0] for line in held.out.splitlines() if int(line.split()[1]) < 0}
    refused.add("open_truncate_again")  # a descriptor like the one that it has: nothing is emptied
    assert set(before) - refused == set(), f"{set(before) - refused} say that they went through\n{held}"
    named = {os.path.basename(e["target"].get("path", "")) for e in held.events if "target" in e}
    unrecorded = {n for n in set(before) - lacking - named if not n.startswith("open_truncate")}
    assert not unrecorded, f"not recorded: {unrecorded}\n{held}"
