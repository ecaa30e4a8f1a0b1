#!/usr/bin/env python3
"""Every system call (and allocation) of pipwarden's own processes fails once at every place where it is called.

A counting run of each workload lists the places; then each place has runs of its own in which it fails.  Whatever fails, nothing gets out, nothing
outside is changed, nothing hangs and nothing is left: see Trial.problems.

    python3 tests/lib/faults.py BINARY [--workloads guest,…] [--users root,user] [--only TEXT] [--sample N] [--jobs N] [--list]"""
from __future__ import annotations

import argparse
import errno
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lib import packages, pythons  # noqa: E402
from lib.procs import marked, wait_for  # noqa: E402
from lib.world import CANARY, ROOT, Templates, World, canary_environment, ordinary_user  # noqa: E402

REPOSITORY = Path(__file__).resolve().parent.parent.parent
KINDS = ("launcher", "prober", "supervisor", "zygote", "init", "birth", "enter")
SLOTS, SITE, HEAD = 16384, "=QIII36s3Q", "=IIII"
TABLE_SIZE = 16 + SLOTS * struct.calcsize(SITE)
FOREVER = 0xFFFFFFFF
CRASH = 0  # in the place of an errno: the process crashes there
TIME_LIMIT = 40.0

# --- what a call fails with ------------------------------------------------------------------------------------------------------------------------

NUMBERS = {56: "clone", 435: "clone3", 202: "futex", 434: "pidfd_open", 438: "pidfd_getfd", 317: "seccomp", 444: "landlock_create_ruleset",
           445: "landlock_add_rule", 446: "landlock_restrict_self", 436: "close_range", 437: "openat2", 125: "capget", 126: "capset", 39: "getpid",
           110: "getppid", 186: "gettid", 424: "pidfd_send_signal", 234: "tgkill", 200: "tkill", 129: "rt_sigqueueinfo", 297: "rt_tgsigqueueinfo"}
ERRORS = {errno.ENOMEM: "malloc calloc realloc vasprintf mmap mmap64 strdup open_memstream getpwuid munmap poll __poll_chk",
          errno.EMFILE: "open open64 openat openat64 __open64_2 __openat64_2 opendir fdopendir fopen fopen64 socket socketpair pipe2 eventfd signalfd "
                        "memfd_create inotify_init1 dup2 dup3 fcntl64 pidfd_open pidfd_getfd openat2",
          errno.EAGAIN: "fork clone pthread_create pthread_kill timer_create sigtimedwait",
          errno.ENOSPC: "write mkdir mkdirat mknodat linkat symlinkat renameat renameat2 mkdtemp unshare ftruncate64 inotify_add_watch setxattr",
          errno.EPERM: "kill raise prctl capset capget mount setrlimit64 setsid unlinkat unlink rmdir seccomp landlock_restrict_self fchownat",
          errno.ENOBUFS: "sendmsg", errno.ECONNRESET: "recvmsg", errno.ESRCH: "process_vm_readv getpgid", errno.ECHILD: "waitpid waitid"}
FIRST = {name: number for number, names in ERRORS.items() for name in names.split()}
INTERRUPTED = set("read write open open64 openat openat64 openat2 recvmsg sendmsg poll __poll_chk waitpid waitid connect ioctl futex getrandom "
                  "nanosleep fdatasync flock sigwaitinfo sigtimedwait".split())


def base_name(call: str) -> str:
    name, _, number = call.removesuffix("@library").partition(":")
    return NUMBERS.get(int(number), call) if name == "syscall" else name


def errors_of(call: str) -> list[int]:
    name = base_name(call)
    return [FIRST.get(name, errno.EIO)] + ([errno.EINTR] if name in INTERRUPTED else [])


# --- places ----------------------------------------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Place:
    hash: int
    kind: str
    phase: int
    call: str
    addresses: tuple[int, ...]
    hits: int = field(compare=False, default=0)

    def __str__(self):
        return f"{self.kind}/{self.phase} {base_name(self.call)} at {' < '.join(hex(a) for a in self.addresses if a)}"


@dataclass(frozen=True)
class Fault:
    place: Place
    error: int
    first: int
    count: int

    def __str__(self):
        often = "from then on" if self.count == FOREVER else f"call {self.first}"
        return f"{self.place}: {errno.errorcode.get(self.error, 'crash')}, {often}"

    @property
    def order(self) -> str:
        return f"{self.place.hash:x}:{self.error}:{self.first}:{self.count}"


def crashes_of(place: Place) -> list[Fault]:
    return [Fault(place, CRASH, 1, 1)]


def faults_of(place: Place) -> list[Fault]:
    """Once; and while attempts are made each time, or an attempt could go by between two failures."""
    found = [Fault(place, error, 1, 1) for error in errors_of(place.call)]
    if place.phase == 1 and place.hits > 1:
        found.append(Fault(place, errors_of(place.call)[0], 1, FOREVER))
    return found


class Table:
    def __init__(self, path: Path):
        self.path = path
        self.clear()

    def clear(self):
        with open(self.path, "wb") as f:
            f.truncate(TABLE_SIZE)
        self.path.chmod(0o666)

    def head(self) -> tuple[int, int, int]:
        """Phase, calls that failed, table full."""
        with open(self.path, "rb") as f:
            return struct.unpack(HEAD, f.read(16))[:3]

    def places(self) -> list[Place]:
        found = []
        data = self.path.read_bytes()[16:]
        for number, hits, kind, phase, call, *addresses in struct.iter_unpack(SITE, data):
            if number:
                found.append(Place(number, KINDS[kind], phase, call.split(b"\0")[0].decode(), tuple(addresses), hits))
        return found


# --- workloads -------------------------------------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Workload:
    name: str
    hide: str = ""
    pip: str = ""  # "": a guest; sdist, local, develop


WORKLOADS = [Workload("guest"), Workload("guest-plain", hide="namespaces,landlock=1,pidfd_getfd,wait_killable,sync_wakeup"),
             Workload("sdist", pip="sdist"), Workload("local", pip="local"), Workload("develop", hide="namespaces", pip="develop")]

SETUP = """
import os, subprocess, sys
if 'egg_info' not in sys.argv and 'dist_info' not in sys.argv:
    here = os.path.dirname(os.path.abspath(__file__))
    subprocess.run([here + '/workload', *open(here + '/arguments').read().split()])
if 'bdist_wheel' not in sys.argv or not os.path.exists(os.path.join(os.environ.get('VIRTUAL_ENV', '/nonexistent'), 'stub')):
    from setuptools import setup
    setup(name='pwfault', version='1.0', py_modules=['pwfault'])
"""
STUB = REPOSITORY / "tests/faults/pip"  # a pip that starts what pip starts, and takes a tenth of its time


def enter_sources() -> list[str]:
    """Of the program that lies in a build statically linked, where nothing could come between it and its calls."""
    told = re.search(r"helper_sources = \{'enter': \[([^]]*)\]", (REPOSITORY / "launcher/meson.build").read_text())
    return re.findall(r"'([^']*)'", told[1])


class Kit:
    """The binary with the injector, what it is tried on, and one world for each job."""

    def __init__(self, folder: Path, built: Path, inject: bool = True):
        self.folder, self.inject = folder, inject
        self.preload = folder / "pw-fault-inject.so"
        self.program = folder / "workload"
        flags = ["cc", "-std=gnu11", "-D_GNU_SOURCE", "-O1", "-Wall", "-Wno-unused-result", "-I", REPOSITORY]
        faults = REPOSITORY / "tests/faults"
        self.pipwarden = built
        self.python = self.templates = None
        subprocess.run([*flags, "-static", "-o", self.program, faults / "workload.c"], check=True, timeout=120, stderr=subprocess.DEVNULL)
        self.program.chmod(0o755)
        if not inject:
            return
        subprocess.run([*flags, "-fno-builtin", "-fPIC", "-shared", "-o", self.preload, faults / "inject.c"], check=True, timeout=120)
        self.pipwarden = folder / "bin/pipwarden"
        shutil.copytree(built.parent / "libexec", folder / "bin/libexec", symlinks=False)
        shutil.copy2(built, self.pipwarden)
        launcher = REPOSITORY / "launcher"
        enter = folder / "bin/libexec/enter"
        enter.unlink()
        subprocess.run([*flags, "-fno-builtin", "-o", enter, faults / "inject.c",
                        *(launcher / f for f in enter_sources())],
                       check=True, timeout=120)
        for path in [self.preload, *(folder / "bin").rglob("*")]:
            path.chmod(0o755)

    def prepare_pip(self, all_pythons=None, templates=None):
        if self.templates is None:
            if templates is None:
                (self.folder / "pythons").mkdir()
                (self.folder / "templates").mkdir()
                all_pythons = {p.name: p for p in pythons.find(self.folder / "pythons")}
                wheels = packages.world(self.folder / "packages")
                templates = Templates(self.folder / "templates", wheels)
            self.templates, self.python = templates, all_pythons["distribution"]


class Sinks:
    """Who listens outside, and what they heard."""

    def __init__(self, path: Path):
        self.heard = []
        self._sockets = []
        for family, kind, address in ((socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)), (socket.AF_UNIX, socket.SOCK_STREAM, str(path)),):
            s = socket.socket(family, kind)
            s.bind(address)
            s.listen(64)
            if family == socket.AF_INET:
                self.port = s.getsockname()[1]
            self._sockets.append(s)
            threading.Thread(target=self._accept, args=(s,), daemon=True).start()
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        datagrams.bind(("127.0.0.1", self.port))
        self._sockets.append(datagrams)
        threading.Thread(target=self._take, args=(datagrams,), daemon=True).start()
        path.chmod(0o777)

    def _accept(self, s):
        while True:
            try:
                connection, _ = s.accept()
            except OSError:
                return
            connection.settimeout(2)
            try:
                self.heard.append(connection.recv(100))
            except OSError:
                self.heard.append(b"")
            connection.close()

    def _take(self, s):
        while True:
            try:
                self.heard.append(s.recv(100))
            except OSError:
                return

    def close(self):
        for s in self._sockets:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()


@dataclass
class Trial:
    fault: Fault | None
    status: int
    out: str
    err: str
    seconds: float
    phase: int
    failed: int
    problems: list[str]

    def __str__(self):
        return f"{self.fault}: {'; '.join(self.problems) or 'good'} (status {self.status}, {self.seconds:.1f} s, phase {self.phase}, {self.failed} failed)"


class Job:
    """A user's world in which one run after the other is tried."""

    def __init__(self, kit: Kit, user, workload: Workload):
        self.kit, self.user, self.workload = kit, user, workload
        self.world = World(Path(tempfile.mkdtemp(prefix="f", dir=kit.folder)), user, kit.pipwarden, hide=workload.hide)
        self.outside = self.world.root / "outside"
        self.source = self.world.work / "src"
        for path in (self.outside, self.source):
            path.mkdir()
            self.world.own(path)
        self.table = Table(self.source / "faults")
        self.world.plant_canaries()
        self.world.write(self.world.home / "bin/tool", "#!/bin/sh\ncat ~/.ssh/id_ed25519\n", 0o755)
        self.environment = canary_environment()
        self.sinks = Sinks(self.world.root / "agent.sock")
        self.stranger = subprocess.Popen(["/bin/sleep", "100000"], env={"STRANGER": CANARY},
                                         **({} if user.uid == os.geteuid() else dict(user=user.uid, group=user.gid, extra_groups=[])))
        self.arguments = [str(a) for a in (self.world.home, self.outside, self.world.root / "agent.sock", self.sinks.port, self.stranger.pid)]
        if workload.pip:
            self.world.use_venv(kit.templates, kit.python)
            if kit.inject:
                self._use_stub()
            self._project()
        self.before = self._state()
        self.dirty = False

    def _use_stub(self):
        venv, site = self.world.venv, self.world.site_packages()
        for old in site.glob("pip*"):
            shutil.rmtree(old)
        shutil.copytree(STUB, site / "pip", ignore=shutil.ignore_patterns("__pycache__"))
        (venv / "bin/pip").write_text(f"#!{venv}/bin/python3\nimport re\nimport sys\nfrom pip._internal.cli.main import main\nif __name__ == '__main__':\n    sys.exit(main())\n")
        (venv / "stub").touch()
        self.world.own_tree(venv)
        self.world.extra["VIRTUAL_ENV"] = str(venv)

    def _project(self):
        files = {"setup.py": SETUP, "pwfault.py": "", "workload": self.kit.program.read_bytes(), "arguments": " ".join(self.arguments)}
        if self.workload.pip == "sdist":
            path = packages.sdist(self.world.work, "pwfault", "1.0", files)
            # Its program must be one.
            import gzip, io, tarfile
            out = io.BytesIO()
            with tarfile.open(path) as old, tarfile.open(fileobj=out, mode="w:gz") as new:
                for entry in old:
                    entry.mode = 0o755
                    new.addfile(entry, old.extractfile(entry))
            path.write_bytes(out.getvalue())
            self.world.own(path)
            self.requirement = [str(path)]
        else:
            project = self.world.work / "project"
            for name, content in files.items():
                self.world.write(project / name, content, 0o755)
            self.requirement = (["-e"] if self.workload.pip == "develop" else []) + [str(project)]

    def argv(self) -> list[str]:
        if not self.workload.pip:
            return ["run", "--", str(self.kit.program), *self.arguments]
        where = [] if self.workload.pip == "develop" else ["--target", str(self.world.work / "target")]
        return ["pip", "install", "-v", "--no-index", "--no-deps", "--no-build-isolation", "--src", str(self.source), *where, *self.requirement]

    def _state(self):
        home = self.world.home
        found = []
        for path in (home / ".bashrc", home / ".ssh/id_ed25519", home / ".aws/credentials", home / "bin/tool"):
            st = os.lstat(path)
            found.append((path.name, path.read_bytes(), st.st_mode, st.st_uid, st.st_ino, st.st_nlink, st.st_mtime_ns, os.listxattr(path)))
        return found, sorted(p.name for p in self.outside.iterdir()), sorted(p.name for p in home.iterdir() if p.name not in (".local", ".cache"))

    def run(self, fault: Fault | None, reset=True) -> Trial:
        if reset:
            self.table.clear()
        shutil.rmtree(self.world.work / "target", ignore_errors=True)
        marker = "mark" + uuid.uuid4().hex
        journal = self.world.logs / "journal"
        journal.unlink(missing_ok=True)
        env = {**self.environment, "PWT_MARK": marker, "PIP_NO_CACHE_DIR": "1"}
        if self.kit.inject:
            env.update({"PW_FAULT_TABLE": str(self.table.path), "LD_PRELOAD": str(self.kit.preload)})
        if fault:
            env["PW_FAULT"] = fault.order
        self.sinks.heard.clear()
        result = self.world.run([self.kit.pipwarden, "--log", journal, "--on-violation", "deny", *self.argv()], env, timeout=TIME_LIMIT, start_new_session=True)
        phase, failed, full = self.table.head() if self.kit.inject else (2, 0, 0)
        trial = Trial(fault, result.status, result.out, result.err, result.seconds, phase, failed, [])
        self._judge(trial, journal, marker)
        if full:
            trial.problems.append("the table of places is full")
        return trial

    def _judge(self, t: Trial, journal: Path, marker: str):
        bad = t.problems.append
        if "[the test's own time limit]" in t.err:
            bad("it hangs")
        did = sorted({line.strip() for line in (t.out + t.err).splitlines() if line.strip().startswith("did ")})
        if did:
            bad(f"allowed: {', '.join(did)}")
        if CANARY in t.out + t.err or any(v in t.out + t.err for v in (self.environment["AWS_SECRET_ACCESS_KEY"],)):
            bad("a canary is in the output")
        if self.sinks.heard:
            bad(f"sinks heard {self.sinks.heard}")
        if self.stranger.poll() is not None:
            bad("a stranger was ended")
        if self._state() != self.before:
            bad(f"files have changed: {self._state()} was {self.before}")
            self.before = self._state()
        if t.fault and t.fault.error == CRASH and t.status in (139, 1, 125, 126, 137):
            pass
        elif t.status == 137 and "pipwarden: a part of pipwarden was killed" in t.err:
            pass
        elif t.phase >= 1 and t.status not in (100, 125, 126, 1):
            bad(f"status {t.status} after attempts")
        elif t.phase == 0 and t.status not in (0, 1, 2, 3, 100, 125, 126, 127):
            bad(f"status {t.status}")
        if t.phase >= 1 and t.status in (1, 126) and not any(w in t.err + t.out for w in ("pipwarden", "error")):
            bad("stopped without a word")
        if t.status == 125 and "pipwarden: " not in t.err:
            bad("125 without a message")
        # libseccomp's own code does not survive a lack of memory: that ends the run, too.
        library = t.fault is not None and t.fault.place.call.endswith("@library")
        if not (t.fault and t.fault.error == CRASH) and (re.search(r"was killed \(signal (4|6|7|8|11)\)", t.err) and not library or t.status in (134, 135, 139)):
            bad("a crash")
        if journal.exists():
            lines = journal.read_bytes().split(b"\n")
            try:
                events = [json.loads(l) for l in lines[:-1]]
                if t.status == 100 and not any(e.get("action") in ("denied", "aborted") for e in events):
                    bad("100 and nothing in the journal")
            except ValueError:
                bad("the journal is not one")
        if not wait_for(lambda: not marked(marker), 4, 0.05):
            bad(f"processes are left: {marked(marker)}")
            for p in marked(marker):
                p.kill()
        left = [p for p in self.world.temp.iterdir() if p.name.startswith("pw-")]
        if left:
            swept = self.world.run([self.kit.pipwarden, "-q", "run", "--", "/bin/true"], {"PIPWARDEN_LOG": ""})
            still = [p for p in self.world.temp.iterdir() if p.name.startswith("pw-") and p in left]
            fresh = [p for p in still if not (p / "lock").exists()]  # has a grace of its own
            for p in fresh:
                shutil.rmtree(p, ignore_errors=True)
            if set(still) - set(fresh):
                bad(f"the next start does not sweep {sorted(os.listdir(still[0]))} ({swept.err[:200]})")
                for p in still:
                    shutil.rmtree(p, ignore_errors=True)

    def close(self):
        self.sinks.close()
        self.stranger.kill()
        self.stranger.wait(10)
        shutil.rmtree(self.world.root, ignore_errors=True)


def count(job: Job, times: int = 2) -> tuple[list[Place], Trial]:
    """The places that a workload comes by."""
    job.table.clear()
    known: dict[int, Place] = {}
    for _ in range(times):
        trial = job.run(None)
        for p in job.table.places():
            known[p.hash] = p
    return list(known.values()), trial


def reach(kit: Kit, users, chosen, kinds_of=faults_of) -> tuple[list[tuple], list[str]]:
    """(user, workload, fault) for each place, in the first workload that comes by it, of the chosen workloads; what is wrong without any fault."""
    todo, wrong, seen = [], [], set()
    for user in users:
        for workload in WORKLOADS:
            if not chosen & {w.name for w in WORKLOADS[WORKLOADS.index(workload):]}:
                continue  # nor anything after it
            if workload.pip:
                kit.prepare_pip()
            job = Job(kit, user, workload)
            places, trial = count(job)
            job.close()
            wrong += [f"{user.name}, {workload.name}, no fault: {p}" for p in trial.problems]
            if trial.phase != 2 or trial.status != 100:
                wrong.append(f"{user.name}, {workload.name}: no whole run without a fault: {trial}\n{trial.out[-3000:]}\n{trial.err[-3000:]}")
            fresh = [p for p in places if (user.uid == 0, p.hash) not in seen]
            seen |= {(user.uid == 0, p.hash) for p in fresh}
            if workload.name not in chosen:
                continue
            todo += [(user, workload, f) for p in sorted(fresh, key=lambda p: p.hash) for f in kinds_of(p)]
    return todo, wrong


def spread(todo, n: int) -> list[tuple]:
    """n of them, chosen by nothing but the places: of each process, phase and call in turn."""
    groups: dict[tuple, list] = {}
    for t in todo:
        groups.setdefault((t[2].place.kind, t[2].place.phase, base_name(t[2].place.call)), []).append(t)
    turns = sorted(((i, key), t) for key, group in groups.items() for i, t in enumerate(group))
    return [t for _, t in turns[:n]]


def try_all(kit: Kit, todo, jobs: int, tell) -> list[tuple]:
    """(user, workload, trial) of each."""
    queue, results, lock = list(reversed(todo)), [], threading.Lock()

    def work():
        job = None
        while True:
            with lock:
                if not queue:
                    break
                user, workload, fault = queue.pop()
            if job is None or (job.user, job.workload) != (user, workload):
                if job:
                    job.close()
                job = Job(kit, user, workload)
            trial = job.run(fault)
            if trial.failed == 0 and not trial.problems:
                trial = job.run(fault)  # threads: it was not come by this time
            with lock:
                results.append((user, workload, trial))
                tell(len(results), len(todo), user, workload, trial)
        if job:
            job.close()

    with ThreadPoolExecutor(jobs) as pool:
        for f in [pool.submit(work) for _ in range(jobs)]:
            f.result()
    return results


def symbols(program: Path, places) -> dict[int, str]:
    """Function and line of each address."""
    wanted = sorted({a for p in places for a in p.addresses if a})
    out = subprocess.run(["addr2line", "-fse", program, *(hex(a - 1) for a in wanted)], capture_output=True, text=True).stdout.split("\n")
    return {a: f"{out[2 * i]}@{out[2 * i + 1]}" for i, a in enumerate(wanted) if 2 * i + 1 < len(out)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary", type=Path)
    parser.add_argument("--workloads", default=",".join(w.name for w in WORKLOADS))
    parser.add_argument("--users", default="root,user")
    parser.add_argument("--only", default="")
    parser.add_argument("--sample", type=int, default=0, help="only so many, spread over processes, phases and calls")
    parser.add_argument("--crash", action="store_true", help="the process crashes where otherwise a call would fail")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--skip", type=int, default=0)
    options = parser.parse_args()
    if os.getpid() != 1:
        # A wrong kill() reaches its whole PID namespace: that shall be one of our own, in which nobody else is.  PID 1 is spared.
        os.execvp("unshare", ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", sys.executable, *sys.argv])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.umask(0o022)
    folder = Path(tempfile.mkdtemp(prefix="pwf", dir="/tmp"))
    folder.chmod(0o755)
    try:
        kit = Kit(folder, options.binary.resolve())
        known = {"root": ROOT, "user": ordinary_user()}
        users = [known[n] for n in options.users.split(",")]
        todo, wrong = reach(kit, users, set(options.workloads.split(",")), crashes_of if options.crash else faults_of)
        for line in wrong:
            print("BAD", line, flush=True)
        names = {"enter": symbols(folder / "bin/libexec/enter", [f.place for _, _, f in todo if f.place.kind == "enter"]),
                 "": symbols(kit.pipwarden, [f.place for _, _, f in todo if f.place.kind != "enter"])}

        def name(fault):
            table = names["enter" if fault.place.kind == "enter" else ""]
            where = " < ".join(table.get(a, hex(a)) for a in fault.place.addresses if a)
            return f"{fault.place.kind}/{fault.place.phase} {base_name(fault.place.call)} {errno.errorcode.get(fault.error, 'crash')}x{'*' if fault.count == FOREVER else 1} at {where}"

        todo = [t for t in todo if options.only in name(t[2])][options.skip:]
        if options.sample:
            todo = spread(todo, options.sample)
        print(f"{len({t[2].place for t in todo})} places, {len(todo)} faults", flush=True)
        if options.list:
            for _, w, f in todo:
                print(w.name, name(f), f.place.hits)
            return 0
        start = time.monotonic()

        def tell(n, of, user, workload, trial):
            if trial.problems:
                print(f"BAD {user.name} {workload.name} {name(trial.fault)}: {'; '.join(trial.problems)[:700]} (status {trial.status}, {trial.seconds:.1f} s, "
                      f"{trial.err.strip()[-200:]!r})", flush=True)
            if n % 100 == 0:
                print(f"{n} of {of} after {time.monotonic() - start:.0f} s", flush=True)

        results = try_all(kit, todo, options.jobs, tell)
        bad = [r for r in results if r[2].problems]
        unreached = [r for r in results if r[2].failed == 0]
        statuses = {}
        for r in results:
            statuses[r[2].status] = statuses.get(r[2].status, 0) + 1
        print(f"{len(results)} faults tried, {len(results) - len(unreached)} came about, {len(bad)} bad; statuses {dict(sorted(statuses.items()))}")
        return 1 if bad or wrong else 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
