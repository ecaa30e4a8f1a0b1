"""--audit: nothing is enforced, everything is recorded.  Judged by effect: the canary arrives, and the journal says what would have stopped it."""
from __future__ import annotations

import pytest

from conftest import USERS
from lib import packages
from lib.world import CANARY, canaries, differences, normalise, snapshot

RULE = "net.exfil.pipedream"
NOTHING = "audit: nothing was blocked"


def check_audited(result):
    """The journal and the summary say what mode it was; nothing was refused; no secret is in them."""
    assert result.events[0]["audit"] is True and "replaced" not in result.events[0]
    assert not [e for e in result.events if e.get("action") in ("denied", "aborted", "decoy")], str(result)
    assert all(e["action"] == "observed" for e in result.events if "would" in e)
    assert result.end["denied"] == 0
    assert NOTHING in result.err
    text = result.journal.read_text() + result.err
    assert not any(c.decode() in text for c in canaries())


def would(result, rule):
    return {e.get("would") for e in result.events if e.get("rule") == rule}


@pytest.mark.parametrize("name", USERS)
def test_install_of_deepseekai(name, make_world, user_named, templates, distribution, net):
    world = make_world(user_named(name), net=net)
    env = world.plant_canaries()
    results = []
    for options in (None, ["--audit"]):
        world.use_venv(templates, distribution)
        net.clear()
        argv = ["pip", "install", "deepseekai"]
        result = world.run(argv, env) if options is None else world.guarded(argv, env, options=options)
        assert all(c in net.sink.bytes for c in canaries()), f"it does not leak\n{result}"
        results.append((result, snapshot(world.venv)))
    (plain, before), (audited, after) = results
    assert (audited.status, normalise(audited.out)) == (0, normalise(plain.out)), str(audited)
    assert differences(after, before) == []
    check_audited(audited)
    assert would(audited, RULE) == {"aborted"}
    event = next(e for e in audited.events if e.get("rule") == RULE)
    assert event["package"]["name"] == "deepseekai" and event["role"] == "build" and event["severity"] == "critical"
    assert would(audited, "file.ssh-key") == {"aborted"}, "the key was read, and that is in the record"
    assert audited.end["verdict"] == "malicious" and audited.end["exit_status"] == 0
    assert "AWS_SECRET_ACCESS_KEY" in audited.events[0]["would_replace"]


def test_run_of_deepseeek(make_world, user_named, templates, distribution, net):
    world = make_world(user_named("user"), net=net)
    env = world.plant_canaries()
    world.use_venv(templates, distribution)
    assert world.run(["pip", "install", "deepseeek"], env).status == 0
    net.clear()
    audited = world.guarded(["run", "--", "deepseeek"], env, options=["--audit"])
    assert all(c in net.sink.bytes for c in canaries()), str(audited)
    assert audited.status == 0 and would(audited, RULE) == {"aborted"}, str(audited)
    check_audited(audited)
    assert "eoreplica000001.m.pipedream.net" in audited.err and "would be refused" in audited.err
    # Asked for as well, --fail-on has the last word on the status and none on the run.
    net.clear()
    failed = world.guarded(["run", "--", "deepseeek"], env, options=["--audit", "--fail-on", "critical"])
    assert failed.status == 100 and all(c in net.sink.bytes for c in canaries()), str(failed)


def test_honest_pip_is_as_without(make_world, user_named, templates, distribution, index):
    """Build isolation, a hook, a compiler: the same files and words, and one line that says that this was no protection."""
    world = make_world(user_named("user"), index=index)
    results = []
    for options in (None, ["--audit"]):
        world.use_venv(templates, distribution)
        argv = ["pip", "install", "pwisolated"]
        result = world.run(argv) if options is None else world.guarded(argv, options=options)
        results.append((result, snapshot(world.venv)))
    (plain, before), (audited, after) = results
    assert (audited.status, normalise(audited.out)) == (0, normalise(plain.out)), str(audited)
    assert differences(after, before) == []
    check_audited(audited)
    assert audited.above("info") == [] and "nothing would have been" in audited.err, str(audited)


ACTS = """
import ctypes, os, socket, sys
def parent(pid):
    return int(open("/proc/%d/stat" % pid).read().rpartition(")")[2].split()[1])
print(os.environ["AWS_SECRET_ACCESS_KEY"])
print(open(os.path.expanduser("~/.ssh/id_ed25519")).read())
open(os.path.expanduser("~/.bashrc"), "a").write("# written\\n")
os.chmod(os.path.expanduser("~/.bashrc"), 0o600)
os.mkdir(os.path.expanduser("~/outside"))
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.sendall(b"AGENT"); s.close()
os.kill(int(sys.argv[2]), 10)
libc = ctypes.CDLL(None, use_errno=True)
print("uring", libc.syscall(425, 4, ctypes.create_string_buffer(256)), ctypes.get_errno())
init = os.getppid()
for pid in (init, parent(init), parent(parent(init)), parent(parent(parent(init)))):
    try:
        os.kill(pid, 9)
        print("killed", pid)
    except PermissionError:
        print("spared")
"""


@pytest.mark.parametrize("name", USERS)
def test_what_goes_on_and_what_does_not(name, make_world, user_named):
    """Files, environment, sockets, signals of others: as without pipwarden.  Its own processes are spared, and rings stay away."""
    import socket
    import subprocess
    world = make_world(user_named(name))
    env = world.plant_canaries()
    agent, stranger = socket.socket(socket.AF_UNIX), None
    try:
        agent.bind(str(world.root / "ssh-agent.sock"))
        (world.root / "ssh-agent.sock").chmod(0o666)
        agent.listen(1)
        agent.settimeout(20)
        stranger = world.popen(["/bin/sleep", "100"], stdout=subprocess.DEVNULL)
        result = world.guarded(["run", "--", "/usr/bin/python3", "-c", ACTS, agent.getsockname(), stranger.pid], env, options=["--audit"])
        assert agent.accept()[0].recv(5) == b"AGENT"
        assert stranger.wait(20) == -10
    finally:
        agent.close()
        if stranger and stranger.poll() is None:
            stranger.kill()
            stranger.wait(10)
    assert result.status == 0, str(result)
    assert env["AWS_SECRET_ACCESS_KEY"] in result.out and CANARY in result.out
    assert "uring -1 38\n" in result.out and result.out.endswith("spared\n" * 4), str(result)
    assert (world.home / ".bashrc").read_text().endswith("# written\n") and (world.home / "outside").is_dir()
    assert (world.home / ".bashrc").stat().st_mode & 0o777 == 0o600
    assert would(result, "file.ssh-key") == {"aborted"} and would(result, "net.unix.agent") == {"aborted"}
    assert "denied" in would(result, "process.signal")
    persistence = [e for e in result.events if e.get("target", {}).get("path") == str(world.home / ".bashrc")]
    assert {e["type"] for e in persistence} == {"file.write", "file.meta"} and {e["would"] for e in persistence} == {"aborted"}
    enforced = [e for e in result.events if e.get("action") == "denied"]
    assert {e["rule"] for e in enforced} == {"syscall.io_uring", "syscall.supervisor", "process.signal"} and not any("would" in e for e in enforced)
    assert "nothing was blocked but what reached for pipwarden itself" in result.err


def test_start_up_code_runs_in_pip(make_world, user_named, templates, distribution):
    world = make_world(user_named("user"))
    world.use_venv(templates, distribution)
    world.write(world.site_packages() / "evil.py", "import os\nopen(os.environ['HOME'] + '/ran', 'w').close()\n", 0o644)
    world.write(world.site_packages() / "evil.pth", "import evil\n", 0o644)
    assert world.guarded(["pip", "list"]).status == 0 and not (world.home / "ran").exists()
    audited = world.guarded(["pip", "list"], options=["--audit"])
    assert audited.status == 0 and (world.home / "ran").exists(), str(audited)
    assert ("evil", "denied") in {(e["target"]["name"], e.get("would")) for e in audited.of_type("python.import")}, str(audited)


def test_what_pip_would_be_kept_from_writing(make_world, user_named, templates, distribution):
    world = make_world(user_named("user"))
    wheel = packages.wheel(world.work, "pwdata", "1.0", {"pwdata.py": ""}, data={"data/top.txt": "x", "data/share/doc/pwdata/note.txt": "x"})
    world.use_venv(templates, distribution)
    refused = world.guarded(["pip", "install", wheel])
    assert refused.status != 0 and not (world.venv / "top.txt").exists(), str(refused)
    world.use_venv(templates, distribution)
    audited = world.guarded(["pip", "install", wheel], options=["--audit"])
    assert audited.status == 0 and (world.venv / "top.txt").exists(), str(audited)
    told, would = ([(e["target"]["path"], e["hint"]) for e in r.events if e.get("rule") == "file.write.installer"] for r in (refused, audited))
    assert would == told == [(str(world.venv / "top.txt"), f"--allow-write installer:{world.venv}/top.txt")]
    assert audited.above("info") == [e for e in audited.events if e.get("rule") == "file.write.installer"]


def test_nested_in_an_audit(make_world, user_named):
    """The outer one guards nothing: an inner one that would does not pretend to."""
    world = make_world(user_named("user"))
    inner = [world.pipwarden, "run", "--", "/bin/echo", "RAN"]
    result = world.guarded(["run", "--", *inner], options=["--audit"])
    assert result.status == 125 and result.out == "" and "enforces nothing" in result.err, str(result)
    inner.insert(1, "--audit")
    result = world.guarded(["run", "--", *inner], options=["--audit"])
    assert result.status == 0 and result.out == "RAN\n" and "guards nothing" in result.err, str(result)


@pytest.mark.parametrize("options,env,word", [
    (["--audit", "--on-violation", "abort"], {}, "--on-violation"),
    (["--audit"], {"PIPWARDEN_OPTIONS": "--on-violation abort"}, "--on-violation"),
    ([], {"PIPWARDEN_OPTIONS": "--audit"}, "--audit")], ids=["both", "environment adds", "environment loosens"])
def test_refused(options, env, word, make_world, user_named):
    world = make_world(user_named("user"))
    result = world.guarded(["run", "--", "/bin/echo", "RAN"], env, options=options)
    assert result.status == 125 and word in result.err and result.err.count("\n") == 1 and result.out == "", str(result)
