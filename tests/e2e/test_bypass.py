"""Item 3: what malware would try from a build, by raw system calls, from a static program and from inside the build's Python.

One `pip install pwpure pwbypass` makes every attempt of tests/fixtures/bypass/bypass.c; it is run once plainly (the baseline: the
effect can be had) and once guarded for each user.  Judged by effects: what arrived at the sinks, what was read, what was changed."""
from __future__ import annotations

import errno
import json
import os
import re
import shutil
import socket
import stat
import subprocess
import tempfile
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from conftest import LESS, LESS_IDS, USERS
from lib import packages
from lib.daemons import CONNECTED, Daemons
from lib.fakenet import INET4, INET6
from lib.procs import marked
from lib.world import CANARY, World, snapshot

MODES = ("static", "inside")
SOURCE = packages.FIXTURES / "bypass"
NAMES = re.findall(r"\bA\((\w+)\)", (SOURCE / "bypass.c").read_text().partition("attempts[] = {")[2])

NET = {n for n in NAMES if n in {
    "tcp4", "tcp6", "mptcp", "mapped", "unspec_first", "metadata_service", "fastopen_sendto", "fastopen_sendmsg", "udp_sendto",
    "udp_sendmsg", "udp_sendmmsg", "udp6_sendmsg", "udp_pktinfo", "udp_connect", "raw_icmp", "ping_socket"}}
UNIX = {n for n in NAMES if n.startswith("unix_")}
READS = {n for n in NAMES if n.startswith("read_") and n != "read_shadow"} | {"stranger_environ", "stranger_cmdline", "stranger_fd", "stranger_root", "stranger_cwd",
                                                                                "shared_memory"}
SIGNALS = {"signal_kill": 35, "signal_tgkill": 36, "signal_tkill": 37, "signal_queue": 38, "signal_pidfd": 39, "signal_owner": 40}
WRITES = {n for n in NAMES if n.startswith(("write_", "empty_", "change_", "make_"))} | {"remove_file", "rename_over", "rename_out", "rename_exchange", "link_over"}
SITE_MODE = {"site_chmod", "site_fchmod", "site_chmod_proc"}
# An effect that the plain run does not have here, though the attempt is right: by the kernel's configuration, or by what the file is.
NO_BASELINE = {
    "root": {"vsock_socket", "alg_socket", "sctp_socket", "call_x32", "call_i386", "call_tiocsti", "call_module", "call_swapon", "call_acct",
             "call_request_key", "call_perf", "call_syslog", "call_bpf", "mptcp", "parent_ptrace", "netlink_audit", "io_uring", "call_userfaultfd",
             "read_handle", "read_unreadable", "wait_fifo", "limit_stranger", "call_kcmp", "call_keyctl", "call_add_key", "change_xattr", "change_owner"},
}
NO_BASELINE["user"] = NO_BASELINE["root"] | {
    "raw_icmp", "packet_socket", "read_shadow", "call_mount", "call_chroot", "call_setns", "null_device", "exec_enter", "exec_home", "call_unshare",
    "call_clone"}

STRANGER = """
import ctypes, os, signal, sys, time
text = ctypes.create_string_buffer(b"the stranger's memory")
log = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
os.chdir(sys.argv[3])
held = os.open("id_ed25519", os.O_RDONLY)
for number in range(35, 41):
    signal.signal(number, lambda n, _: os.write(log, b"%d\\n" % n))
print(hex(ctypes.addressof(text)), flush=True)
while True:
    time.sleep(1)
"""


@dataclass
class Outcome:
    result: object
    lines: dict = field(default_factory=dict)  # (mode, name) -> the attempt's own line
    effects: dict = field(default_factory=dict)  # (mode, name) -> what became of it, as the outside sees it
    survivors: list = field(default_factory=list)
    world: World = None
    signals: list = field(default_factory=list)
    connections: int = 0

    def kernel_events(self):
        return [e for e in self.result.events if e.get("source") == "kernel"]


def stat_of(path: Path):
    try:
        s = path.lstat()
        return (s.st_mode, s.st_uid, s.st_gid, s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_nlink, s.st_ino)
    except FileNotFoundError:
        return None


class Bypass:
    def __init__(self, world: World, net, guarded: bool, folder: Path):
        self.world, self.net, self.guarded, self.folder = world, net, guarded, folder
        self.marker = "mark" + uuid.uuid4().hex
        self.shm = Path("/dev/shm", "pwt" + uuid.uuid4().hex[:12])
        self.sinks = Daemons(net)  # a fake ssh-agent, a fake docker.sock, a datagram socket and an abstract one
        for name in ("agent", "docker", "datagram"):
            self.sinks.unix(name, world.root / f"{name}.sock", socket.SOCK_DGRAM if name == "datagram" else socket.SOCK_STREAM)
        self.sinks.abstract("abstract", self.marker)
        self.stranger = self.mounted = None

    def prepare(self, templates, python):
        world = self.world
        self.env = {**world.plant_canaries(), "PWT_MARK": self.marker}
        world.use_venv(templates, python)
        self.shm.write_text(CANARY)
        self.shm.chmod(0o644)
        world.write(world.home / "program", "#!/bin/sh\nexit 0\n", 0o755)
        ssh = world.home / ".ssh"
        world.write(Path(os.fsdecode(os.fsencode(ssh) + b"/\xff\xfekey")), CANARY)
        os.mkfifo(ssh / "fifo")
        os.mknod(ssh / "zero", stat.S_IFCHR | 0o666, os.makedev(1, 5))
        world.own(ssh / "fifo")
        os.chmod(ssh / "zero", 0o666)
        self.mounted = world.root / "mounted"
        self.mounted.mkdir(exist_ok=True)
        subprocess.run(["mount", "--bind", ssh, self.mounted], check=True, timeout=30)
        self.victims = {}
        for mode in MODES:
            for name in NAMES:
                path = world.write(world.home / f".config/autostart/{mode}-{name}", "the user's own\n", 0o644)
                self.victims[mode, name] = (path, path.with_name(path.name + ".new"))
        log = world.temp.parent / "signals"
        self.signal_log = world.write(log, b"")
        self.stranger = world.popen(["/usr/bin/python3", "-c", STRANGER, log, "argument-" + CANARY, ssh], {"STRANGER_SECRET": CANARY},
                                    stdout=subprocess.PIPE)
        address = self.stranger.stdout.readline().decode().strip()
        enter = next((p for top in list(world.pipwarden.parents)[:3] for p in top.rglob("enter") if p.is_file() and os.access(p, os.X_OK)),
                     Path("/bin/true"))
        self.targets = {"home": world.home, "address4": INET4, "address6": INET6, "abstract": self.marker,
                        **{name: world.root / f"{name}.sock" for name in ("agent", "docker", "datagram")},
                        "stranger": self.stranger.pid, "stranger_address": address, "site": world.site_packages(), "temp": world.temp,
                        "mounted": self.mounted, "shm": self.shm.name, "enter": enter}

    def run(self) -> Outcome:
        world = self.world
        packages.build_tools(self.folder)
        packages.sdist(self.folder, "pwbypass", "1.0", {
            **packages.tree(SOURCE), "pwbypass/__init__.py": "",
            "targets.txt": "".join(f"{k} {v}\n" for k, v in self.targets.items())})
        (self.folder / "pwbypass-1.0.tar.gz").chmod(0o644)
        links = ["--find-links", self.folder]  # pwpure comes from the index: a downloaded wheel is one of the victims
        if self.guarded:
            result = world.guarded(["pip", "install", *links, "pwpure", "pwbypass"], self.env, options=["--on-violation", "deny"], timeout=300)
        else:
            result = world.run(["pip", "install", *links, "pwpure", "pwbypass"], self.env, timeout=300)
        time.sleep(0.5)
        outcome = Outcome(result, world=world)
        outcome.survivors = [p for p in marked(self.marker) if p.pid != self.stranger.pid]
        path = world.site_packages() / "pwbypass/results.jsonl"
        for line in bytes(b ^ 0x55 for b in path.read_bytes()).decode().splitlines() if path.exists() else ():
            entry = json.loads(line)
            outcome.lines[entry["mode"], entry["name"]] = entry
        outcome.signals = [int(n) for n in self.signal_log.read_text().split()]
        return outcome

    def judge(self, outcome: Outcome) -> None:
        sent = self.net.sink.bytes
        told = b"".join(self.sinks.heard(name) for name in self.sinks.told)
        outcome.connections = told.count(CONNECTED)
        site = self.world.site_packages()
        for key, entry in outcome.lines.items():
            mode, name = key
            payload = f"BYPASS:{mode}:{name}\n".encode()
            good = entry["result"] >= 0
            if name in NET:
                effect = payload in sent
            elif name == "dns_by_hand":
                effect = f"bypass-{mode}.leak.test" in self.net.dns.names
            elif name in UNIX:
                effect = payload in told
            elif name in READS:
                effect = CANARY in entry["data"]
            elif name == "ancestors_environ":
                effect = self.env["AWS_SECRET_ACCESS_KEY"] in entry["data"]
            elif name in SIGNALS:
                effect = SIGNALS[name] in outcome.signals
            elif name == "write_bashrc":
                effect = (self.world.home / ".bashrc").read_text() != "# the user's own\n"
            elif name in WRITES:
                old, new = self.victims[key]
                effect = stat_of(old) != self.before[key] or new.exists() or new.is_symlink()
            elif name == "site_pth":
                effect = (site / f"bypass-{mode}.pth").exists()
            elif name in SITE_MODE:
                effect = (site / "wheel/__init__.py").stat().st_mode & 0o777 == 0o777 or good
            elif name == "outlive":
                effect = any("sleep 47" in p.argv for p in outcome.survivors)
            else:
                effect = good
            outcome.effects[key] = effect

    def remember(self):
        self.before = {key: stat_of(old) for key, (old, _) in self.victims.items()}

    def close(self):
        self.sinks.close()
        self.shm.unlink(missing_ok=True)
        if self.mounted:
            subprocess.run(["umount", "-l", self.mounted], check=False, timeout=30)
        for p in marked(self.marker):
            p.kill()
        if self.stranger:
            self.stranger.kill()
            self.stranger.wait(10)
            self.stranger.stdout.close()


@pytest.fixture(scope="session")
def outcome_of(base, pipwarden, templates, all_pythons, internet, user_named):
    """outcome_of(user name, guarded, hide): each run is made once."""
    known, worlds = {}, []

    def make(user, guarded, hide=""):
        key = (user, guarded, hide)
        if key not in known:
            internet.clear()
            world = World(Path(tempfile.mkdtemp(prefix="b", dir=base)), user_named(user), pipwarden, internet, None, hide)
            worlds.append(world)
            folder = world.root / "links"
            bypass = Bypass(world, internet, guarded, folder)
            try:
                bypass.prepare(templates, all_pythons["distribution"])
                bypass.remember()
                outcome = bypass.run()
                bypass.judge(outcome)
            finally:
                bypass.close()
                internet.clear()
            known[key] = outcome
        return known[key]

    yield make
    for world in worlds:
        shutil.rmtree(world.root, ignore_errors=True)


@pytest.mark.parametrize("user", USERS)
def test_baseline(user, outcome_of):
    """Unguarded, each of these has its effect: what the guarded run is compared with."""
    outcome = outcome_of(user, False)
    assert outcome.result.status == 0, str(outcome.result)
    assert set(outcome.lines) == {(m, n) for m in MODES for n in NAMES}
    expected = {(m, n) for m in MODES for n in NAMES if n not in NO_BASELINE[user]}
    without = {k: outcome.lines[k]["result"] for k in expected if not outcome.effects[k]}
    assert not without, f"no effect even unguarded: {without}"


@pytest.mark.parametrize("user", USERS)
def test_the_build_ran(user, outcome_of):
    outcome = outcome_of(user, True)
    assert outcome.result.status == 100, str(outcome.result)
    assert set(outcome.lines) == {(m, n) for m in MODES for n in NAMES}, f"attempts are missing: the build was stopped\n{outcome.result}"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("user", USERS)
def test_guarded(user, name, outcome_of):
    outcome = outcome_of(user, True)
    for mode in MODES:
        assert (mode, name) in outcome.lines, "not attempted"
        assert not outcome.effects[mode, name], f"{mode}: {outcome.lines[mode, name]}"


@pytest.mark.parametrize("hide,user", LESS, ids=LESS_IDS)
def test_guarded_with_less(hide, user, outcome_of):
    outcome = outcome_of(user, True, hide)
    assert set(outcome.lines) == {(m, n) for m in MODES for n in NAMES}, str(outcome.result)
    assert not [outcome.lines[k] for k, effect in outcome.effects.items() if effect]
    assert outcome.survivors == [] and outcome.connections == 0 and outcome.signals == []


@pytest.mark.parametrize("user", USERS)
def test_a_fifo_under_a_protected_name_holds_nobody_up(user, outcome_of):
    for mode in MODES:
        assert outcome_of(user, True).lines[mode, "wait_fifo"]["result"] == -errno.EACCES


@pytest.mark.parametrize("user", USERS)
def test_nothing_outside_was_touched(user, outcome_of):
    outcome = outcome_of(user, True)
    assert outcome.survivors == [] and outcome.connections == 0 and outcome.signals == []
    files = snapshot(outcome.world.home / ".config")
    assert all(v[1] == b"the user's own\n" for v in files.values() if isinstance(v[1], bytes)) and len(files) >= len(NAMES) * 2


@pytest.mark.parametrize("user", USERS)
def test_attempts_are_recorded(user, outcome_of):
    """One event of the kernel's where an open, a socket call or an exec is involved."""
    outcome = outcome_of(user, True)
    events = outcome.kernel_events()
    home = outcome.world.home
    paths = {e["target"].get("path") for e in events if e["type"].startswith("file.") and "target" in e}
    assert {str(home / ".ssh/id_ed25519"), str(home / ".aws/credentials"), str(home / ".bashrc")} <= paths
    assert all(e["package"]["name"] == "pwbypass" for e in events if e.get("role") == "build" and e["type"].startswith("file."))
    written = {e["target"].get("path") for e in events if e["type"] in ("file.write", "file.meta") and "target" in e}
    for mode in MODES:
        for name in ("write_append", "write_creat", "empty_by_open", "change_mode", "remove_file", "rename_over"):
            assert str(home / f".config/autostart/{mode}-{name}") in written, f"{mode}-{name} is not in the record"
        for name in ("make_folder", "make_link", "make_node"):
            assert str(home / f".config/autostart/{mode}-{name}.new") in written, f"{mode}-{name} is not in the record"
    connects = {(e["target"].get("address"), e["target"].get("port")) for e in outcome.result.of_type("net.connect")}
    sockets = outcome.result.of_type("net.socket")
    assert (INET4, 4444) in connects and (INET6, 4444) in connects or sockets
    assert ("169.254.169.254", 80) in connects or sockets
    assert len(sockets) >= 4, "raw, packet, ping and datagram sockets are refused and recorded"
    assert {e["target"].get("path") for e in outcome.result.of_type("ipc.connect") if "target" in e} & {
        str(outcome.world.root / "agent.sock"), str(outcome.world.root / "docker.sock")}
    denied = {e["target"].get("name") for e in outcome.result.of_type("syscall.denied")}
    assert {"ptrace", "io_uring_setup", "process_vm_readv", "bpf"} <= denied
    assert outcome.result.of_type("exec"), "an exec of a file in the home is not in the record"
