"""What a guest of `pipwarden run` could be given by mistake: by its environment's links, by a link that an option names, by a descriptor."""
from __future__ import annotations

import os
import pathlib
import shutil
import subprocess

import pytest

from lib.world import CANARY


@pytest.fixture
def world(make_world, user):
    world = make_world(user)
    world.plant_canaries()
    return world


def key_of(world):
    key = world.home / ".ssh/id_ed25519"
    assert CANARY in key.read_text()
    return key


def hostile_environment(world, target):
    """A checkout that brings an environment whose folders are links to what it wants to read."""
    project = world.root / "checkout"
    (project / ".venv/bin").mkdir(parents=True, exist_ok=True)
    world.own_tree(project)
    world.write(project / ".venv/pyvenv.cfg", "home = /usr/bin\nversion = 3.11.2\n", 0o644)
    os.symlink("/usr/bin/python3", project / ".venv/bin/python")
    for name in ("share", "include", "lib64"):
        os.symlink(target, project / ".venv" / name)
    return project


@pytest.mark.parametrize("above", [False, True], ids=["the folder", "the home"])
def test_links_of_the_environment_open_nothing(above, world):
    key = key_of(world)
    project = hostile_environment(world, world.home if above else key.parent)
    tool = world.write(project / "tool", f"#!{project}/.venv/bin/python\nprint(open({str(key)!r}).read())\n", 0o755)
    plain = world.run([str(tool)])
    assert CANARY in plain.out, f"the attack does nothing by itself\n{plain}"
    held = world.guarded(["run", "--", str(tool)])
    assert CANARY not in held.out + held.err and held.status == 100, str(held)
    assert [e for e in held.of_type("file.open") if e["target"]["path"] == str(key) and e["source"] == "kernel"], str(held)


def test_an_environment_beside_a_program(world):
    key = key_of(world)
    folder = world.root / "tools"
    folder.mkdir()
    world.own(folder)
    shutil.copy("/bin/cat", folder / "viewer")
    world.write(folder / "pyvenv.cfg", f"home = {key.parent}/bin\n", 0o644)
    os.symlink(world.home, folder / "share")
    held = world.guarded(["run", "--", str(folder / "viewer"), str(key)])
    assert CANARY not in held.out and held.status == 100, str(held)


def test_a_shebang_that_is_a_secret(world):
    key = key_of(world)
    link = world.root / "interpreter"
    os.symlink(key, link)
    tool = world.write(world.root / "tool", f"#!{link}\n", 0o755)
    held = world.guarded(["run", "--", "/bin/cat", str(key)])
    assert CANARY not in held.out, str(held)
    held = world.guarded(["run", "--", str(tool)])
    assert CANARY not in held.out + held.err and held.status not in (0, 1), str(held)


@pytest.mark.parametrize("option", ["--allow-read", "--allow-write"])
def test_a_link_that_an_option_names(option, world):
    key = key_of(world)
    link = world.work / "data"
    os.symlink(key.parent, link)
    held = world.guarded(["run", "--", "/bin/cat", str(key)], options=[option, str(link)])
    assert held.status == 125 and CANARY not in held.out and str(link) in held.err and held.err.count("\n") == 1, str(held)


def test_the_journals_descriptor_stays_outside(world):
    log = world.logs / "fd.jsonl"
    script = 'for f in /proc/self/fd/*; do n=${f##*/}; [ "$n" -gt 2 ] && readlink "$f"; done; echo end'
    with open(log, "w") as out:
        os.chown(log, world.user.uid, world.user.gid)
        held = world.guarded(["run", "--", "/bin/sh", "-c", script], options=["--log-fd", str(out.fileno())], pass_fds=[out.fileno()])
    assert held.status == 0 and "fd.jsonl" not in held.out and held.out.endswith("end\n"), str(held)
    assert '"run.end"' in log.read_text()


def test_a_journal_inside_a_grant(world):
    folder = world.work / "writable"
    folder.mkdir()
    world.own(folder)
    held = world.guarded(["run", "--", "/bin/true"], {"XDG_STATE_HOME": str(folder)}, options=["--allow-write", str(folder)])
    assert held.status == 125 and "could be rewritten" in held.err, str(held)
    held = world.guarded(["run", "--", "/bin/true"], {"TMPDIR": str(folder)}, options=["--allow-write", str(folder)])
    assert held.status == 125 and "could be rewritten" in held.err, str(held)


def test_own_descriptors_by_name(world):
    """echo >/dev/stderr and friends, with standard streams that are plain files outside every grant: as without pipwarden."""
    script = "echo a >/dev/stderr; echo b >>/dev/stdout; cat /dev/stdin; echo c | tee -a /dev/stderr"
    seen = []
    for guarded in (False, True):
        files = [world.write(world.root / f"{name}-{guarded}", text, 0o600) for name, text in (("in", "input\n"), ("out", ""), ("err", ""))]
        argv = ["/bin/sh", "-c", f"{{ {script}; }} <{files[0]} >{files[1]} 2>{files[2]}"] if not guarded else None
        if not guarded:
            status = world.run(argv).status
        else:
            command = " ".join(map(str, world.command([str(world.pipwarden), "run", "--", "/bin/sh", "-c", f"'{script}'"])))
            status = world.run(["/bin/sh", "-c", f"{command} <{files[0]} >{files[1]} 2>{files[2]}"]).status
        seen.append((status, files[1].read_text(), files[2].read_text()))
    assert seen[0] == seen[1], seen


OPENERS = r"""
import ctypes, os, subprocess, sys
ssh, static = sys.argv[1:]
subprocess.run(["/bin/cat", ssh + "/id_ordinary"])
if os.fork() == 0:
    try:
        open(ssh + "/id_forked")
    finally:
        os._exit(0)
os.wait()
if os.fork() == 0:  # past libc's own execve, which the shim would see
    argv = (ctypes.c_char_p * 3)(b"cat", (ssh + "/id_cleared").encode(), None)
    ctypes.CDLL(None).syscall(59 if os.uname().machine == "x86_64" else 221, b"/bin/cat", argv, (ctypes.c_char_p * 1)(None))
    os._exit(1)
os.wait()
subprocess.run([static, ssh + "/id_static"])
"""


def test_events_of_programs_without_the_shim_are_marked(user, make_world):
    """A static program, and one with an environment that was cleared: what they do is not explained, and the record says so."""
    world = make_world(user)
    kinds = ("ordinary", "forked", "cleared", "static")
    for kind in kinds:
        world.write(world.home / f".ssh/id_{kind}", "x")
    source = world.write(world.work / "open.c", "#include <fcntl.h>\nint main(int n, char **v) { return open(v[n - 1], O_RDONLY) >= 0; }\n")
    static = world.work / "static"
    subprocess.run(["cc", "-static", "-o", static, source], check=True, capture_output=True)
    result = world.guarded(["run", "--", "/usr/bin/python3", "-c", OPENERS, world.home / ".ssh", static],
                           options=["--allow-read", ".", "--on-violation", "deny"])
    shim = {e["target"]["path"].rpartition("id_")[2]: e.get("shim") for e in result.of_type("file.open") if e.get("rule") == "file.ssh-key"}
    assert shim == {"ordinary": None, "forked": None, "cleared": "absent", "static": "absent"}, str(result)


def test_a_refused_read_that_no_rule_names_is_recorded(user, make_world):
    """Quietly: honest programs run into that.  With the option that would allow it, and none where none does."""
    world = make_world(user)
    notes = world.write(world.home / "notes.txt", "x")
    script = "cat $1 $1; cat $1.none; ls /; ls /usr >/dev/null; cat $0"
    mine = world.write(world.work / "mine", "mine\n", 0o644)
    result = world.guarded(["run", "--", "/bin/sh", "-c", script, mine, notes], options=["--allow-read", "."])
    assert result.out == "mine\n" and result.status == 0 and result.above("info") == [], str(result)
    reads = {e["target"]["path"]: e for e in result.events if e.get("rule") == "file.read.outside" and "count" not in e}
    assert set(reads) == {str(notes), "/"}, str(result)
    assert reads[str(notes)]["hint"] == f"--allow-read guest:{notes}" and "no option" in reads["/"]["hint"]
    assert {e["action"] for e in reads.values()} == {"denied"}


STRANGERS_PROC = """
import os, sys
pid, found = sys.argv[1], set()
def look(name, f):
    try:
        if b"{canary}" in f(): found.add(name)
    except OSError: pass
def text(path, at=None):
    fd = os.open(path, os.O_RDONLY, dir_fd=at)
    try: return os.read(fd, 1 << 16)
    finally: os.close(fd)
folder, task = os.open("/proc/" + pid, os.O_PATH), os.open("/proc/%s/task" % pid, os.O_PATH)
look("path", lambda: text("/proc/%s/environ" % pid))
look("self..", lambda: text("/proc/self/../%s/environ" % pid))
look("thread-self..", lambda: text("/proc/thread-self/../../../%s/task/%s/environ" % (pid, pid)))
look("root", lambda: text("/proc/self/root/proc/%s/environ" % pid))
look("folder", lambda: text("environ", folder))
look("task", lambda: text("../environ", task))
look("task self", lambda: text("../../self/../%s/environ" % pid, task))
look("fd", lambda: text("/proc/self/fd/%d/environ" % folder))
look("fd ..", lambda: text("/proc/self/fd/%d/../environ" % task))
look("folder root", lambda: text("root/proc/%s/environ" % pid, folder))
print(sorted(found), len(text("/proc/self/status")) > 100, text("/proc/self/comm"), os.path.basename(os.readlink("/proc/self/exe"))[:6])
"""


def test_served_proc_is_the_sandboxs_own(world):
    """Without namespaces /proc is the machine's: a stranger's folder stays closed, however it is reached."""
    world.hide = "namespaces"
    script = STRANGERS_PROC.replace("{canary}", CANARY)
    with world.popen(["/bin/sleep", "120"], {"STRANGER_SECRET": CANARY}) as stranger:
        try:
            argv = ["/usr/bin/python3", "-c", script, str(stranger.pid)]
            plain, held = world.run(argv), world.guarded(["run", "--", *argv])
        finally:
            stranger.kill()
    ways = plain.out.partition("]")[0].count("'") // 2
    assert ways >= 9, f"the attack does nothing by itself\n{plain}"
    assert held.out.startswith("[] True"), str(held)
    assert held.of_type("file.open", "process.inspect"), "it is in the record"


def test_served_shared_memory_is_the_packages_own(world):
    world.hide = "namespaces"
    name = "pwt-" + os.urandom(6).hex()
    theirs = pathlib.Path("/dev/shm", name)
    theirs.write_text(CANARY)
    theirs.chmod(0o644)
    script = ("import os, sys\nfrom multiprocessing import shared_memory as m\nn = sys.argv[1]\n"
              "try: print(open('/dev/shm/' + n).read())\nexcept OSError as e: print(e.strerror)\n"
              "for f in (lambda: os.unlink('/dev/shm/' + n), lambda: os.rename('/dev/shm/' + n, '/dev/shm/x'), lambda: os.link('/dev/shm/' + n, '/dev/shm/y'),\n"
              "          lambda: os.open('/dev/shm/../shm/' + n, os.O_RDWR), lambda: os.open('/dev/shm/../../etc/passwd', os.O_RDWR)):\n"
              " try: f(); print('done')\n except OSError: pass\n"
              "s = m.SharedMemory(n + 'own', True, 64); s.buf[:2] = b'ok'; t = m.SharedMemory(n + 'own'); print(bytes(t.buf[:2])); t.close(); s.close(); s.unlink()\n"
              "fd = os.open('/dev/shm/%s' % n, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600); os.write(fd, b'mine')\n"
              "os.symlink('/etc/shadow', '/dev/shm/%s.link' % n)\n")
    try:
        held = world.guarded(["run", "--", "/usr/bin/python3", "-c", script, name], options=["--on-violation", "deny"])
        assert held.out == "No such file or directory\nb'ok'\n", str(held)
        assert "PermissionError" in held.err and theirs.read_text() == CANARY, str(held)
        assert [p.name for p in pathlib.Path("/dev/shm").iterdir() if p.name.startswith(name)] == [name]
    finally:
        theirs.unlink()
    assert list(world.temp.iterdir()) == []


# Each writes the program itself, so nothing keeps it from running; the record says what it was.
NAMELESS = r"""
import os, shutil, sys
program = open("/bin/true", "rb").read()

def run(path):
    pid = os.fork()
    if pid == 0:
        try:
            os.execve(path, ["true"], {})
        finally:
            os._exit(9)
    assert os.waitpid(pid, 0)[1] == 0, path

def put(fd):
    os.write(fd, program)
    reader = os.open("/proc/self/fd/%d" % fd, os.O_RDONLY)  # what is open for writing is busy
    os.dup2(reader, 77)
    os.close(fd), os.close(reader)

memory = os.memfd_create("kworker")
put(memory)
run("/proc/self/fd/77"), run(77), run("/dev/fd/77")
path = os.environ["TMPDIR"] + "/deleted"
shutil.copy("/bin/true", path)
os.dup2(os.open(path, os.O_RDONLY), 78)
os.unlink(path)
run(78)
shutil.copy("/bin/true", sys.argv[2] + "/pwt")
os.chdir(sys.argv[2])
os.spawnlp(os.P_WAIT, "./pwt", "pwt")
try:
    os.execv(sys.argv[1], ["home"])
except PermissionError:
    print("refused")
"""


@pytest.mark.parametrize("hide", ["", "namespaces"])
def test_programs_that_nobody_finds_later_are_recorded(hide, make_world, user):
    world = make_world(user, hide=hide)
    program = world.write(world.home / "program", "#!/bin/sh\necho ran\n", 0o755)
    assert world.run([program]).out == "ran\n"
    # With namespaces /dev/shm is the sandbox's own, which nobody outside can look into.
    held = world.guarded(["run", "--", "/bin/sh", "-c", 'exec /usr/bin/python3 -c "$@" "${FOLDER:-$TMPDIR}"', "sh", NAMELESS, program], {"FOLDER": "" if hide else "/dev/shm"})
    assert held.out == "refused\n" and held.status == 0, str(held)
    seen = {(e["rule"], e["action"], e["target"]["path"]) for e in held.of_type("exec")}
    memory = [e for e in held.of_type("exec") if e["rule"] == "exec.memory"]
    assert {e["target"]["as_written"] for e in memory} == {"/proc/self/fd/77", "/dev/fd/77", "/proc/self/fd/78"}, str(held)
    assert {e["severity"] for e in memory} == {"low"} and any(e["target"]["path"].startswith("/memfd:kworker") for e in memory)
    assert ("exec.refused", "denied", str(program)) in seen, str(held)
    assert any(path.endswith("/pwt") for _, _, path in seen), f"{seen}\n{held}"
