"""Item 5: whoever of pipwarden's processes dies, the whole tree ends; signals are pip's."""
from __future__ import annotations

import os
import re
import signal
import subprocess
import time
import uuid
from pathlib import Path

import pytest

from conftest import LESS, LESS_IDS, USERS, cannot, nothing_left
from lib import packages
from lib.index import Index
from lib.procs import descendants, look, marked, wait_for

# Says that it is there, then opens files for a minute: a build that is in the middle of something.
SLOW_SETUP = """
import os, subprocess, sys, time
if 'bdist_wheel' in sys.argv:
    subprocess.Popen(['/bin/sleep', '61'])
    subprocess.Popen(['/bin/sh', '-c', 'trap "" TERM INT HUP; i=0; '
                      'while [ $i -lt 1300 ]; do i=$((i + 1)); read x </etc/hostname; sleep 0.05; done'])
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            end = time.time() + 61
            while time.time() < end:
                open('/etc/hostname').close()
                time.sleep(0.05)
        os._exit(0)
    time.sleep(0.1)
    print('IN THE BUILD', flush=True)
    time.sleep(61)
from setuptools import setup
setup(name='pwslow', version='1.0')
"""


@pytest.fixture(scope="module")
def slow_index(base):
    folder = base / "slow"
    packages.build_tools(folder)
    packages.sdist(folder, "pwslow", "1.0", {"setup.py": SLOW_SETUP})
    with Index(folder) as running:
        yield running


class Build:
    """A guarded (or plain) `pip install -v pwslow` that has come into its build."""

    def __init__(self, world, guarded=True):
        self.world, self.marker = world, "mark" + uuid.uuid4().hex
        self.journal = world.new_journal()
        prefix = [world.pipwarden, "--log", self.journal] if guarded else []
        self.process = world.popen([*prefix, "pip", "install", "-v", "pwslow"], {"PWT_MARK": self.marker}, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.out, self.seen = b"", []
        if not wait_for(self._ready, 40):
            self.end()
            raise AssertionError(f"the build did not start\n{self.out.decode()}")
        time.sleep(0.2)  # its children come a moment later
        self.seen = descendants(self.process.pid)

    def _ready(self):
        try:
            self.out += self.process.stdout.read() or b""
        except (BlockingIOError, TypeError):
            pass
        return b"IN THE BUILD" in self.out

    def survivors(self):
        return [p for p in {*[s for s in self.seen if s.lives()], *marked(self.marker)} if p.pid != os.getpid()]

    def end(self):
        for p in self.survivors():
            p.kill()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.end()


def parts_of(build):
    """The processes of pipwarden itself: the guardian (or what stands for it below `setpriv`), the supervisor, the zygote."""
    guardian = build.process.pid
    children = [p for p in build.seen if p.ppid == guardian]
    assert len(children) == 1, f"the guardian has {children}"
    supervisor = children[0]
    below = [p for p in build.seen if p.ppid == supervisor.pid]
    zygote = [p for p in below if any("setup.py" in d.argv or "sleep 61" in d.argv for d in descendants(p.pid))
              and not re.search(r"\bpip\b.*install", p.argv)]
    pip = [p for p in below if re.search(r"\bpip\b.*install|pip_start", p.argv)]
    assert zygote and pip, f"below the supervisor: {below}"
    return {"guardian": look(guardian), "supervisor": supervisor, "zygote": zygote[0], "pip": pip[0]}

# Then fuzzing fills the disk meanwhile, for which the record's last line waits.
SANITIZED = "ASAN_OPTIONS" in os.environ and os.environ["ASAN_OPTIONS"] != ""


@pytest.mark.parametrize("victim", ["supervisor", "zygote", "guardian", "pip"])
@pytest.mark.parametrize("hide,name", [*(("", u) for u in USERS), *LESS], ids=[*USERS, *LESS_IDS])
def test_sigkill_in_mid_build(victim, hide, name, user_named, make_world, templates, distribution, slow_index):
    world = make_world(user_named(name), index=slow_index, hide=hide)
    world.use_venv(templates, distribution)
    with Build(world) as build:
        parts = parts_of(build)
        assert len(build.survivors()) >= 6, "the tree is smaller than the test believes"
        parts[victim].kill()
        ours = {parts["guardian"].pid, parts["supervisor"].pid}
        assert wait_for(lambda: not [p for p in build.survivors() if p.pid not in ours], 2), f"after 2 s there are still {build.survivors()}"
        assert wait_for(lambda: not build.survivors(), 20 if SANITIZED else 2), f"the record is not closed: {build.survivors()}"
    # The next start sweeps what was left.
    after = world.guarded(["run", "--", "/bin/true"])
    assert after.status == 0 and after.err == "", str(after)
    assert [n for n in nothing_left(world) if n.startswith("temp/") and not n.startswith("temp/pip-")] == []


def test_a_plain_build_outlives_pip(user_named, make_world, templates, distribution, slow_index):
    """The baseline: without pipwarden the same build's children go on."""
    world = make_world(user_named("user"), index=slow_index)
    world.use_venv(templates, distribution)
    with Build(world, guarded=False) as build:
        build.process.kill()
        time.sleep(1)
        assert build.survivors()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_as_with_plain_pip(number, user, make_world, templates, distribution, slow_index):
    statuses = []
    for guarded in (False, True):
        world = make_world(user, index=slow_index)
        world.use_venv(templates, distribution)
        with Build(world, guarded) as build:
            # To the process group, as a terminal does with Ctrl-C; to the process alone for SIGTERM, as `kill` does.
            os.killpg(build.process.pid, number) if number == signal.SIGINT else build.process.send_signal(number)
            status = build.process.wait(15)
            statuses.append(128 - status if status < 0 else status)
            if guarded:
                assert wait_for(lambda: not build.survivors(), 2), f"still there: {build.survivors()}"
    assert statuses[1] == statuses[0]


def test_the_terminal_goes_away(user_named, make_world, templates, distribution, slow_index):
    """SIGHUP, as of a closed terminal: to the whole group, or to the launcher alone."""
    for alone in (False, True):
        world = make_world(user_named("user"), index=slow_index)
        world.use_venv(templates, distribution)
        with Build(world) as build:
            build.process.send_signal(signal.SIGHUP) if alone else os.killpg(build.process.pid, signal.SIGHUP)
            assert build.process.wait(15) in (129, -signal.SIGHUP)
            assert wait_for(lambda: not build.survivors(), 2), f"still there: {build.survivors()}"


@pytest.mark.parametrize("hide", ["", "namespaces"], ids=["", "namespaces"])
@pytest.mark.parametrize("victim", ["init", "enter"])
def test_a_part_of_a_sandbox_is_killed(victim, hide, user_named, make_world, templates, distribution, slow_index):
    """Its sandbox ends, and pip learns that its child did."""
    world = make_world(user_named("user"), index=slow_index, hide=hide)
    world.use_venv(templates, distribution)
    with Build(world) as build:
        parts = parts_of(build)
        if victim == "init":
            target = next(p for p in descendants(parts["zygote"].pid) if p.ppid == parts["zygote"].pid)
        else:
            target = next(p for p in descendants(parts["pip"].pid) if Path(f"/proc/{p.pid}/exe").resolve().name == "enter")
        target.kill()
        assert build.process.wait(40) in (1, 100), "pip says that a build failed (and tries the environment itself, which is refused)"
        assert wait_for(lambda: not build.survivors(), 2), f"still there: {build.survivors()}"


# --- a full disk ------------------------------------------------------------------------------------------------------------

@pytest.fixture
def small_disk(base):
    folder = base / ("small" + uuid.uuid4().hex[:6])
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=0777", "tmpfs", folder], capture_output=True).returncode:
        cannot("no tmpfs can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=False)


def test_journal_on_a_full_disk(user, make_world, templates, distribution, base, small_disk):
    """Nothing is allowed unrecorded: the run stops with 125 and says so."""
    folder = base / f"loud-{user.name}"
    packages.build_tools(folder)
    with Index(folder) as loud:
        world = make_world(user, index=loud)
        world.plant_canaries()
        world.use_venv(templates, distribution)
        packages.sdist(folder, "pwloud", "1.0", {"setup.py": (
            "for i in range(3000):\n    try: open('%s/.ssh/id_%%d' %% i)\n    except OSError: pass\n"
            "from setuptools import setup\nsetup(name='pwloud', version='1.0')\n") % world.home})
        journal = small_disk / "events.jsonl"
        marker = "mark" + uuid.uuid4().hex
        result = world.run([world.pipwarden, "--log", journal, "--on-violation", "deny", "pip", "install", "pwloud"],
                           {"PWT_MARK": marker}, timeout=90)
    assert result.status == 125, str(result)
    assert str(journal) in result.err or "No space" in result.err or "journal" in result.err, str(result)
    assert wait_for(lambda: not marked(marker), 2)
    assert not (world.site_packages() / "pwloud-1.0.dist-info").exists()


def test_full_disk_from_the_start(make_world, user_named, small_disk):
    world = make_world(user_named("user"))
    (small_disk / "ballast").write_bytes(b"x" * 60_000)
    try:
        with open(small_disk / "more", "wb") as f:
            f.write(b"x" * 100_000)
    except OSError:
        pass
    result = world.run([world.pipwarden, "--log", small_disk / "events.jsonl", "run", "--", "/bin/echo", "RAN"])
    assert result.status == 125 and result.out == "", str(result)


def test_two_runs_do_not_sweep_each_other(user, make_world, templates, distribution, slow_index):
    world = make_world(user, index=slow_index)
    world.use_venv(templates, distribution)
    with Build(world) as build:
        other = world.guarded(["run", "--", "/bin/sh", "-c", "echo $HOME; test -d $HOME"])
        assert other.status == 0, str(other)
        time.sleep(0.3)
        assert build.process.poll() is None and len(build.survivors()) >= 6
        assert not Path(other.out.strip()).exists() or other.out.strip() == str(world.home)


def test_a_fork_storm_ends(user, make_world):
    """Bounded: 300 sleepers that ignore signals, in sessions of their own; nothing of them outlives the run."""
    world = make_world(user)
    marker = "mark" + uuid.uuid4().hex
    program = ("import os, signal, time\n"
               "for i in range(300):\n    if os.fork() == 0:\n        os.setsid()\n        signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
               "        time.sleep(20)\n        os._exit(0)\nprint('forked', flush=True)\n")
    result = world.guarded(["run", "--", "/usr/bin/python3", "-c", program], {"PWT_MARK": marker}, timeout=60)
    assert result.out == "forked\n", str(result)
    assert wait_for(lambda: not marked(marker), 2), f"{len(marked(marker))} are left"
