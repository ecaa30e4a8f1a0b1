"""What a sandbox may use: each limit stops the plain run's effect, is recorded with its own rule, and leaves nothing; below a limit nothing is seen."""
from __future__ import annotations

import json
import uuid

import pytest

from conftest import USERS
from lib import packages
from lib.index import Index
from lib.procs import marked, wait_for

# Each process of a tree of two to the DEPTH says its number, and waits.
TREE = """
import os, sys, time
depth = int(sys.argv[1])
for level in range(depth):
    os.fork()
os.write(1, b"%d\\n" % os.getpid())
time.sleep(float(sys.argv[2]))
"""
THREADS = """
import threading, time
for i in range(300):
    threading.Thread(target=time.sleep, args=(20,), daemon=True).start()
print("300 threads", flush=True)
time.sleep(20)
"""
MANY_FILES = """
import os, time
held = []
try:
    while len(held) < 400:
        held.append(os.open("/dev/null", os.O_RDONLY))
except OSError as e:
    print(e.errno)
print(len(held), flush=True)
time.sleep(1.5)
"""
LARGE = """
import os, sys, time
f = open(os.environ["TMPDIR"] + "/large", "wb", buffering=0)
written = 0
try:
    while written < 4 << 20:
        written += f.write(b"x" * 65536)
except OSError as e:
    print("errno", e.errno)
print(written, flush=True)
time.sleep(float(sys.argv[1]))
"""
LIMITED = {"processes": "resource.processes", "open-files": "resource.files", "file-size": "resource.file-size", "time": "resource.time"}


@pytest.fixture(params=[("", "root"), ("", "user"), ("namespaces", "user")], ids=lambda p: f"{p[0] or 'nothing'} hidden, {p[1]}")
def world(request, make_world, user_named):
    made = make_world(user_named(request.param[1]), hide=request.param[0])
    made.extra["PWT_MARK"] = "mark" + uuid.uuid4().hex
    return made


def python(source, *args):
    return ["/usr/bin/python3", "-c", source, *map(str, args)]


def breaches(result, limit):
    found = result.of_type("resource.limit")
    assert all(e["rule"] == LIMITED[limit] and e["target"]["name"] == limit and e["action"] == "denied" and e["source"] == "kernel" for e in found), str(result)
    return found


def nobody_left(world):
    assert wait_for(lambda: not marked(world.extra["PWT_MARK"]), 5), marked(world.extra["PWT_MARK"])


def test_a_tree_of_processes_is_ended(world):
    plain = world.run(python(TREE, 8, 1))
    assert plain.status == 0 and len(plain.out.split()) == 256, str(plain)
    held = world.guarded(["run", "--", *python(TREE, 8, 30)], options=["--limit-processes", "100"])
    assert held.status == 100 and held.seconds < 20, str(held)
    [breach] = breaches(held, "processes")
    assert breach["severity"] == "high" and breach["role"] == "guest" and "limit is 100" in breach["hint"], str(held)
    nobody_left(world)


def test_threads_count(world):
    held = world.guarded(["run", "--", *python(THREADS)], options=["--limit-processes", "100"])
    assert held.status == 100 and held.seconds < 15 and len(breaches(held, "processes")) == 1, str(held)
    nobody_left(world)


def test_time(world):
    held = world.guarded(["run", "--", "/bin/sh", "-c", "sleep 30 & sleep 30"], options=["--limit-time", "1"])
    assert held.status == 100 and 0.9 < held.seconds < 10 and len(breaches(held, "time")) == 1, str(held)
    nobody_left(world)


def test_open_files(world):
    held = world.guarded(["run", "--", *python(MANY_FILES)], options=["--limit-open-files", "100"])
    assert held.status == 0 and held.out.split()[0] == "24" and int(held.out.split()[1]) < 100, str(held)
    assert len(breaches(held, "open-files")) == 1, str(held)


@pytest.mark.parametrize("how", ["held open", "killed"])
def test_file_size(world, how):
    program = python(LARGE, 1.5)
    plain = world.run(program, {"TMPDIR": str(world.temp)})
    assert plain.out.split() == ["4194304"], str(plain)
    if how == "killed":
        program = ["/bin/sh", "-c", 'exec head -c 4194304 /dev/zero >"$TMPDIR/large"']
    held = world.guarded(["run", "--", *program], options=["--limit-file-size", "1048576"])
    if how == "killed":
        assert held.status == 128 + 25, str(held)
    else:
        assert held.out.split() == ["errno", "27", "1048576"] and held.status == 0, str(held)
    assert len(breaches(held, "file-size")) == 1, str(held)


def test_nothing_is_seen_below_the_limits(world):
    options = [word for limit, value in (("processes", 64), ("open-files", 200), ("file-size", 8 << 20), ("time", 60))
               for word in (f"--limit-{limit}", str(value))]
    plain = world.run(python(TREE, 4, 1.2))
    held = world.guarded(["run", "--", *python(TREE, 4, 1.2)], options=options)
    assert held.status == plain.status == 0 and len(held.out.split()) == len(plain.out.split()) == 16, str(held)
    assert not held.of_type("resource.limit") and not held.above("info"), str(held)
    held = world.guarded(["run", "--", *python(LARGE, 1.2)], options=options)
    assert held.out.split() == ["4194304"] and not held.of_type("resource.limit"), str(held)


def test_under_audit_it_is_seen_and_goes_on(world):
    held = world.guarded(["run", "--", *python(TREE, 6, 1)], options=["--audit", "--limit-processes", "16"])
    assert held.status == 0 and len(held.out.split()) == 64, str(held)
    [seen] = held.of_type("resource.limit")
    assert (seen["rule"], seen["action"], seen["would"]) == ("resource.processes", "observed", "denied"), str(held)


@pytest.mark.parametrize("user", USERS, indirect=True)
def test_a_build_is_ended_by_its_time(make_world, user, base, templates, distribution):
    folder = base / f"limits-{user.name}"
    packages.build_tools(folder)
    packages.sdist(folder, "pwforever", "1.0", {"setup.py": "import time\ntime.sleep(40)\nfrom setuptools import setup\nsetup(name='pwforever', version='1.0')\n"})
    with Index(folder) as index:
        world = make_world(user, index=index)
        world.use_venv(templates, distribution)
        held = world.guarded(["pip", "install", "--no-build-isolation", "pwforever"], options=["--limit-time", "2"])
    assert held.status == 100 and held.seconds < 30, str(held)
    [breach] = breaches(held, "time")
    assert breach["package"]["name"] == "pwforever" and breach["role"] == "build", str(held)


@pytest.mark.parametrize("user", ["user"], indirect=True)
def test_layers_and_wrong_values(make_world, user):
    world = make_world(user)
    policy = world.write(world.work / "policy.json", '{"version": 1, "limits": {"guest": {"open-files": 300}}}')
    show = ["/bin/sh", "-c", "ulimit -Hn; ulimit -c"]
    assert world.guarded(["run", "--", *show], options=["--policy", policy]).out.split() == ["300", "0"]
    assert world.guarded(["run", "--", *show], options=["--policy", policy, "--limit-open-files", "200"]).out.split() == ["200", "0"]
    for word in ("-1", "x", "3", "1e3", ""):
        wrong = world.guarded(["run", "--", *show], options=[f"--limit-processes={word}"])
        assert wrong.status == 125 and "--limit-processes takes a number" in wrong.err, str(wrong)
    shown = json.loads(world.run([world.pipwarden, "--limit-time", "9", "policy", "show"]).out)["limits"]
    assert shown["guest"]["time"] == {"value": 9, "origin": "option"} and shown["build"]["processes"]["value"] == 4096, shown
