"""Each newer system call missing or refused, for real (tests/faults/deny.c): an honest build comes out as plainly, attempts have no effect, and where
pipwarden cannot do its work it says so and runs nothing.  Older Landlock ABIs are test_landlock.py's."""
from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

import pytest

from conftest import cannot
from lib import faults
from test_matrix import check_twins, twins

DENY = Path(__file__).resolve().parent.parent / "faults/deny.c"
# What is missing, and who tries: the two take turns, so that each mechanism's absence is seen by both in some form.
WITHOUT = {"openat2": "user", "pidfd_getfd=EPERM": "root", "wait_killable,sync_wakeup": "user", "process_vm_readv=EPERM": "root", "namespaces=EPERM": "root",
           "network=EPERM": "user", "docker": "root", "docker,process_vm_readv=EPERM,ptrace=EPERM": "user"}
BUILDS = ("openat2", "pidfd_getfd=EPERM", "docker")
STOPS = {"addfd": "seccomp user notification", "landlock": "Landlock", "landlock=EPERM": "Landlock", "pidfd_open": "no process descriptors",
         "close_range": "pipwarden: ", "memfd_create": "cannot be started"}


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def deny(base) -> Path:
    program = base / "deny"
    subprocess.run(["cc", "-std=gnu11", "-D_GNU_SOURCE", "-O1", "-Wall", "-Wextra", "-Werror", "-o", program, DENY, "-lseccomp"], check=True, timeout=60)
    return program


@pytest.fixture(scope="module")
def kit(base, pipwarden, templates, distribution):
    made = faults.Kit(Path(tempfile.mkdtemp(prefix="deny", dir=base)), pipwarden, inject=False)
    made.folder.chmod(0o755)
    made.templates, made.python = templates, distribution
    return made


def wrapped(deny, what, pipwarden, folder) -> Path:
    """pipwarden started where those calls are denied, as a program."""
    script = Path(tempfile.mkdtemp(prefix="d", dir=folder)) / "pipwarden"
    script.parent.chmod(0o755)
    script.write_text(f'#!/bin/sh\nexec {deny} {what} {pipwarden} "$@"\n')
    script.chmod(0o755)
    return script


@pytest.mark.parametrize("what", BUILDS)
def test_an_honest_build(what, deny, base, pipwarden, make_world, user_named, index, templates, distribution):
    world = make_world(user_named(WITHOUT[what]), index=index)
    world.pipwarden = wrapped(deny, what, pipwarden, base)
    check_twins(*twins(world, templates, distribution, ["pip", "install", "pwnative"]))


@pytest.mark.parametrize("what,pip", [*((w, "") for w in WITHOUT), *((w, "local") for w in BUILDS)])
def test_attempts(what, pip, deny, base, kit, user_named):
    job = faults.Job(kit, user_named(WITHOUT[what]), faults.Workload(pip or "guest", "", pip))
    kit_binary, kit.pipwarden = kit.pipwarden, wrapped(deny, what, kit.pipwarden, base)
    try:
        trial = job.run(None)
    finally:
        kit.pipwarden = kit_binary
        job.close()
    assert trial.problems == [] and trial.status == 100, f"{trial}\n{trial.out[-2000:]}\n{trial.err[-2000:]}"
    assert "end of the workload" in trial.out + trial.err, f"the attempts were not made\n{trial.out}\n{trial.err}"


@pytest.mark.parametrize("what", STOPS)
def test_where_it_cannot_work(what, deny, base, pipwarden, make_world, user):
    world = make_world(user)
    world.pipwarden = wrapped(deny, what, pipwarden, base)
    result = world.guarded(["run", "--", "/bin/echo", "RAN"], timeout=30)
    assert result.status in (125, 126) and result.out == "", str(result)
    assert result.err.startswith("pipwarden: ") and STOPS[what] in result.err, str(result)


@pytest.mark.parametrize("what", ["network=EPERM", "inet=EPERM"])
@pytest.mark.parametrize("who", ["root", "user"])
def test_a_network_namespace_that_is_refused(who, what, deny, base, pipwarden, make_world, user_named):
    """A run asks without making one; `doctor` makes one.  They agree."""
    world = make_world(user_named(who))
    assert world.guarded(["run", "--", "/bin/true"]).events[0]["layers"]["namespaces"] is True
    world.pipwarden = wrapped(deny, what, pipwarden, base)
    result = world.guarded(["run", "--", "/bin/echo", "RAN"], timeout=30)
    assert result.status == 0 and result.out == "RAN\n", str(result)
    layers = result.events[0]["layers"]
    told = json.loads(world.run([world.pipwarden, "doctor", "--json"]).out)
    assert layers["namespaces"] is told["namespaces"] is False and layers["namespaces_why"] == told["namespaces_why"], (layers, told)


@pytest.mark.parametrize("limit,status", [(0, 0), (1, 125), (9, 0)])
def test_a_limit_of_network_namespaces(limit, status, base, pipwarden, make_world, user_named):
    """None: then there is no use in trying.  As many as there are: nothing told it beforehand, so the sandbox says it and nothing runs."""
    world = make_world(user_named("root"))
    script = Path(tempfile.mkdtemp(prefix="limit", dir=base)) / "pipwarden"
    script.parent.chmod(0o755)
    enter = "unshare --net" if limit else ""
    script.write_text('#!/bin/sh\nexec unshare --user --map-root-user sh -c \'echo "$0" >/proc/sys/user/max_net_namespaces && exec '
                      f'{enter} "$@"\' {limit} {pipwarden} "$@"\n')
    script.chmod(0o755)
    world.pipwarden = script
    for _ in range(12 if status else 1):  # whichever of its parts is heard first
        result = world.guarded(["run", "--", "/bin/echo", "RAN"], timeout=30)
        assert result.status == status and result.out == ("" if status else "RAN\n"), str(result)
        assert not status or "the sandbox could not be made (namespaces" in result.err, str(result)
    if status:
        assert "namespaces" in result.err and "max_net_namespaces" in result.err and "No space left" in result.err, str(result)
    else:
        assert result.events[0]["layers"]["namespaces"] is (limit != 0), str(result)


def test_the_denial_works(deny):
    """Or the rest would prove nothing."""
    asked = ("import ctypes; libc = ctypes.CDLL(None, use_errno=True)\n"
             "for n in (437, 438, 444, 272): libc.syscall(n, 0, 0, 0, 0); print(ctypes.get_errno())")
    out = subprocess.run([deny, "openat2,pidfd_getfd=EPERM,landlock,unshare=EPERM", "/usr/bin/python3", "-c", asked], capture_output=True, text=True)
    if out.stdout.split() != ["38", "1", "38", "1"]:
        cannot(f"no seccomp filter can be loaded here: {out.stdout + out.stderr}")
