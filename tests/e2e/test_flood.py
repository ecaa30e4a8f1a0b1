"""The supervisor under attack: nothing is let through, nothing grows without bound, nothing hangs, and the honest half goes on."""
from __future__ import annotations

import contextlib
import os
import re
import resource
import subprocess
import uuid
from collections import Counter
from pathlib import Path

import pytest

from lib import packages
from lib.procs import descendants, marked, wait_for

REPOSITORY = Path(__file__).resolve().parent.parent.parent
SANITIZED = bool(os.environ.get("ASAN_OPTIONS"))
PEAK = 8 << 20  # what the supervisor may hold at most during a build of 20,000 opens

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def flood(base) -> Path:
    program = base / "flood"
    subprocess.run(["cc", "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror", "-Wno-unused-result", "-pthread", "-I", REPOSITORY,
                    "-o", program, REPOSITORY / "tests/flood/flood.c"], check=True, timeout=60)
    return program


@pytest.fixture
def flooded(flood, make_world, user_named):
    """flooded(user, arguments…): the result of `pipwarden run -- flood ARGUMENT… SECRET` and what the program counted."""

    def run(name, *argv, hide="", timeout=240, limits=None, secret=True, on=("--on-violation", "deny")):
        world = make_world(user_named(name), hide=hide)
        world.plant_canaries()
        marker = "mark" + uuid.uuid4().hex
        last = str(world.home / ".ssh/id_ed25519")
        command = [*map(str, argv), *([last] if secret else [])]
        script = ["/bin/sh", "-c", f'exec "$0" "$@" "$TMPDIR"', flood, *command] if not secret else [flood, *command]
        result = world.guarded(["run", "--", *script], {"PWT_MARK": marker}, options=[*on, "--allow-read", flood], timeout=timeout, start_new_session=True,
                               **({"preexec_fn": limits} if limits else {}))
        assert wait_for(lambda: not marked(marker), 5), f"left: {marked(marker)}"
        assert "[the test's own time limit]" not in result.err, str(result)
        return world, result

    return run


@contextlib.contextmanager
def ended(process):
    """Whatever the test finds, the run is not left."""
    with process:
        try:
            yield
        finally:
            if process.poll() is None:
                process.kill()


def counted(result) -> dict[str, int]:
    line = re.search(r"honest (\d+), refused (\d+), allowed (\d+), broken (\d+)", result.out)
    assert line, f"the flood did not come to its end\n{result}"
    return dict(zip(("honest", "refused", "allowed", "broken"), map(int, line.groups())))


def peak(result) -> int:
    print(f"peak of the supervisor: {result.cost['supervisor_peak_rss'] / (1 << 20):.2f} MB, {result.cost['notifications']} notifications, {result.seconds:.1f} s")
    return 0 if SANITIZED else result.cost["supervisor_peak_rss"]


def test_peak_memory_of_a_build(flood, make_world, user_named, templates, distribution):
    """A build with 20,000 opens, in which the supervisor never holds more than 8 MB."""
    world = make_world(user_named("user"))
    world.use_venv(templates, distribution)
    sdist = packages.sdist(world.work, "pwopens", "1.0", {"setup.py": (
        "import os, subprocess, sys, tempfile\nfrom setuptools import setup\n"
        f"if 'bdist_wheel' in sys.argv: subprocess.run(['/bin/sh', '-c', 'cp {flood} $0/f && $0/f opens 20000 $0', tempfile.mkdtemp()], check=True)\n"
        "setup(name='pwopens', version='1.0')\n")})
    result = world.guarded(["pip", "install", "-v", "--no-index", "--no-build-isolation", sdist], options=["--allow-read", f"build:{flood}"])
    assert result.status == 0 and result.above("info") == [], str(result)
    assert result.cost["notifications"] >= 20000
    assert peak(result) <= PEAK


@pytest.mark.parametrize("hide", ["", "namespaces,landlock=1"], ids=["", "less"])
def test_a_million_identical_attempts(hide, flooded):
    """Folded and counted; the record and the memory stay as small as with one."""
    n = 1_000_000 if not hide and not SANITIZED else 20_000
    world, result = flooded("user", "same", n, hide=hide)
    assert result.status == 100 and counted(result) == {"honest": 0, "refused": n, "allowed": 0, "broken": 0}, str(result)
    lines = [e for e in result.events if e.get("target", {}).get("path", "").endswith("id_ed25519")]
    assert sum(e.get("count", 1) for e in lines) == n, lines
    assert result.journal.stat().st_size < 20_000
    assert peak(result) <= PEAK


def test_different_attempts_are_bounded(make_world, user_named):
    """Beyond the bound the run ends, and says so; the record does not grow with them."""
    world = make_world(user_named("user"))
    program = "import sys\nfor i in range(40000):\n    try: open(sys.argv[1] + '/.ssh/id_%d' % i)\n    except OSError: pass\nprint('THE END')\n"
    result = world.guarded(["run", "--", "/usr/bin/python3", "-c", program, world.home], options=["--on-violation", "deny"])
    assert result.status == 100 and "THE END" not in result.out, str(result)
    assert result.of_type("run.bound") and len(result.events) < 10_200, len(result.events)
    assert result.journal.stat().st_size < 16 << 20
    peak(result)
    assert SANITIZED or result.cost["supervisor_peak_rss"] <= 64 << 20


@pytest.mark.parametrize("name", ["root", "user"])
def test_sixty_four_threads(name, flooded):
    world, result = flooded(name, "threads", 64)
    assert result.status == 100 and counted(result) == {"honest": 25600, "refused": 25600, "allowed": 0, "broken": 0}, str(result)
    assert peak(result) <= PEAK


@pytest.mark.parametrize("hide", ["", "namespaces"], ids=["", "namespaces"])
def test_a_fork_bomb(hide, flooded):
    world, result = flooded("user", "bomb", 700, hide=hide)
    born = int(re.search(r"born (\d+)", result.out)[1])
    assert born >= 100, str(result)
    assert result.status == 100 and counted(result)["refused"] == born and counted(result)["allowed"] == 0, str(result)
    assert peak(result) <= PEAK


@pytest.mark.parametrize("hide", ["", "namespaces"], ids=["", "namespaces"])
def test_no_descriptor_left_in_the_target(hide, flooded):
    world, result = flooded("user", "descriptors", hide=hide)
    assert result.status == 100 and counted(result) == {"honest": 1, "refused": 200, "allowed": 0, "broken": 0}, str(result)


@pytest.mark.parametrize("number", [8, 12, 16, 20, 24, 32, 48, 64])
def test_no_descriptor_left_in_the_supervisor(number, flooded):
    """With next to no descriptors: it works, or it says what it lacks; never less guarded, never for ever."""

    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (number, number))

    world, result = flooded("user", "threads", 8, limits=few, timeout=60)
    assert result.status in (100, 125, 126, 127), str(result)
    if result.status == 100:
        assert counted(result)["allowed"] == 0 and counted(result)["refused"] == 3200
    else:
        assert "pipwarden: " in result.err or result.err, str(result)
    if number >= 48:
        assert result.status == 100, f"{number} descriptors are enough for one command\n{result}"


@pytest.mark.parametrize("kind", ["AS", "DATA"])
@pytest.mark.parametrize("megabytes", [4, 16, 40, 80])
def test_little_memory(kind, megabytes, flooded):
    def little():
        resource.setrlimit(getattr(resource, f"RLIMIT_{kind}"), (megabytes << 20, megabytes << 20))

    world, result = flooded("user", "threads", 8, limits=little, timeout=60)
    assert result.status in (100, 125, 126, 127, 137), str(result)
    assert "allowed 0" in result.out or "allowed" not in result.out, str(result)
    assert result.status == 100 or result.err, str(result)


def test_memory_ends_in_mid_run(flood, make_world, user_named):
    """The supervisor of a run that has begun gets no more memory: attempts stay attempts."""
    world = make_world(user_named("root"))
    world.plant_canaries()
    go = world.work / "go"
    script = f'echo READY; i=0; while [ ! -e {go} ] && [ $i -lt 400 ]; do i=$((i + 1)); sleep 0.05; done; exec "$0" threads 16 {world.home}/.ssh/id_ed25519'
    journal = world.new_journal()
    p = world.popen([world.pipwarden, "--log", journal, "--on-violation", "deny", "--allow-read", world.work, "--allow-read", flood, "run", "--",
                     "/bin/sh", "-c", script, flood], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with ended(p):
        assert p.stdout.readline() == "READY\n"
        supervisor = next(d for d in descendants(p.pid) if d.ppid == p.pid)
        size = int(re.search(r"VmSize:\s+(\d+)", Path(f"/proc/{supervisor.pid}/status").read_text())[1]) * 1024
        resource.prlimit(supervisor.pid, resource.RLIMIT_AS, (size, size))
        world.write(go, "")
        out, err = p.communicate(timeout=60)
    assert p.returncode in (100, 125), out + err
    assert "allowed 0" in out or "allowed" not in out, out
    assert p.returncode == 100 or "pipwarden: " in err


def test_huge_arguments(flooded):
    world, result = flooded("user", "huge")
    assert result.status == 100 and counted(result) == {"honest": 1, "refused": 1, "allowed": 0, "broken": 0}, str(result)
    assert "exec of 1000 x 1000 bytes: 0" in result.out and "exec of 10 x 1048576 bytes: 7" in result.out, str(result)
    assert peak(result) <= PEAK


def test_a_huge_environment(make_world, user_named):
    """Of the launcher itself: what the kernel takes is carried through whole, secrets replaced."""
    world = make_world(user_named("user"))
    more = {f"V{i}": "x" * 1000 for i in range(1500)} | {"BIG": "y" * 120_000, "MY_TOKEN": "ghp_" + "a1B2c3D4" * 4 + "e5F6"}
    count = "import os; print(sum(len(os.environ.get('V%d' % i, '')) for i in range(1500)), len(os.environ['BIG']))"
    result = world.guarded(["run", "--", "/usr/bin/python3", "-c", count], more)
    assert result.status == 0 and result.out == "1500000 120000\n", str(result)


@pytest.mark.parametrize("hide", ["", "wait_killable,sync_wakeup", "namespaces"], ids=["", "wait", "namespaces"])
def test_half_dead_targets(hide, flooded):
    """Killed between question and answer, thousands of times: no descriptor of the supervisor stays behind, and the living are served."""
    world, result = flooded("user", "halfdead", 2000, hide=hide)
    assert result.status == 100 and counted(result) == {"honest": 20, "refused": 20, "allowed": 0, "broken": 0}, str(result)
    assert peak(result) <= PEAK


@pytest.mark.parametrize("hide", ["", "namespaces,landlock=1"], ids=["", "less"])
def test_a_fifo_that_is_never_let_go(hide, flooded):
    world, result = flooded("user", "fifo", 0, hide=hide, secret=False)
    assert result.status == 0 and counted(result) == {"honest": 2000, "refused": 0, "allowed": 0, "broken": 0}, str(result)


def test_a_fifo_in_a_served_folder(flood, make_world, user_named, templates, distribution):
    """In a project's own folder opens are the supervisor's: one that blocks must not keep the others waiting."""
    world = make_world(user_named("user"))
    world.use_venv(templates, distribution)
    project = world.work / "project"
    world.write(project / "flood", flood.read_bytes(), 0o755)
    world.write(project / "setup.py", (
        "import os, subprocess, sys\nfrom setuptools import setup\n"
        "if 'bdist_wheel' in sys.argv: subprocess.run([os.path.abspath('flood'), 'fifo', '0', os.getcwd()], check=True)\n"
        "setup(name='pwfifo', version='1.0')\n"), 0o644)
    result = world.guarded(["pip", "install", "-v", "--no-index", "--no-build-isolation", project], timeout=120)
    assert result.status == 0 and result.above("info") == [], str(result)
    assert "fifo: honest 2000, refused 0, allowed 0, broken 0" in result.out + result.err, str(result)


def held(folder: Path) -> list[str]:
    """What the descriptors lead to, but for the few that are kept of the last callers (supervise/alone.c) and places of packages (distributions.c)."""
    found = []
    for fd in folder.iterdir():
        try:
            found.append(os.readlink(fd))
        except OSError:
            pass
    callers = [name for name in found if name.startswith("/proc/") and name.endswith(("/maps", "/pagemap"))]
    places = [name for name in found if name.endswith("-packages")]
    assert len(callers) <= 16 and len(places) <= 32, found  # places: what is kept and what the sandboxes were given
    return sorted(name for name in found if name not in callers + places)


def test_descriptors_of_the_supervisor_stay_few(flood, make_world, user_named):
    """After every kind of call, answered or given up, it holds what it held before."""
    world = make_world(user_named("user"))
    world.plant_canaries()
    secret = world.home / ".ssh/id_ed25519"
    script = f'echo READY; read x; "$0" halfdead 300 {secret} >/dev/null; "$0" threads 16 {secret} >/dev/null; "$0" huge {secret} >/dev/null; echo DONE; read x'
    p = world.popen([world.pipwarden, "--log", world.new_journal(), "-q", "--on-violation", "deny", "--allow-read", flood, "run", "--",
                     "/bin/sh", "-c", script, flood], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    with ended(p):
        assert p.stdout.readline() == "READY\n"
        folder = Path(f"/proc/{next(d for d in descendants(p.pid) if d.ppid == p.pid).pid}/fd")
        before = held(folder)
        p.stdin.write("go\n")
        assert p.stdout.readline() == "DONE\n"
        assert wait_for(lambda: len(held(folder)) <= len(before), 3), f"more than before: {sorted((Counter(held(folder)) - Counter(before)).elements())}"
        p.stdin.write("end\n")
        assert p.wait(20) == 100, "the floods were not made"
