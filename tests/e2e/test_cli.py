"""The command line: exit statuses, streams, bad input.  Nothing here needs a network."""
from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from conftest import HIDDEN, HIDE_IDS, nothing_left


@pytest.fixture
def world(make_world, user):
    return make_world(user)


def run_sh(world, script, **more):
    return world.guarded(["run", "--", "/bin/sh", "-c", script], **more)


# --- statuses and streams of the command ------------------------------------------------------------------------------

def check_status(world, script, status):
    result = run_sh(world, script)
    assert (result.status, result.out, result.err) == (status, "", ""), str(result)
    assert result.end["exit_status"] == status
    assert nothing_left(world) == []


@pytest.mark.parametrize("script,status", [("true", 0), ("false", 1), ("exit 7", 7), ("exit 100", 100), ("kill -TERM $$", 143),
                                           ("kill -KILL $$", 137), ("kill -SEGV $$", 139)])
def test_status_is_the_commands(script, status, world):
    check_status(world, script, status)


@pytest.mark.parametrize("hide", HIDDEN[1:], ids=HIDE_IDS[1:])
def test_status_with_less(hide, make_world, user):
    world = make_world(user, hide=hide)
    check_status(world, "exit 7", 7)
    check_status(world, "kill -KILL $$", 137)


def test_not_found_and_not_executable(world):
    missing = world.guarded(["run", "--", "no-such-command-anywhere"])
    assert missing.status == 127 and "no-such-command-anywhere" in missing.err and missing.err.count("\n") == 1, str(missing)
    plain = world.write(world.work / "plain.txt", "text\n", 0o644)
    refused = world.guarded(["run", "--", plain])
    assert refused.status == 126 and "plain.txt" in refused.err and refused.err.count("\n") == 1, str(refused)


def test_streams_pass_unchanged(world):
    data = os.urandom(300_000)
    process = world.popen([world.pipwarden, "run", "--", "/bin/sh", "-c", "cat; printf E >&2; exit 3"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = process.communicate(data, timeout=60)
    assert out == data and err == b"E" and process.returncode == 3


def test_pipelines(world):
    """A reader that leaves early ends the writer as without pipwarden; a closed stdin reads as empty."""
    result = world.run(["/bin/bash", "-c", 'set -o pipefail; "$1" run -- /usr/bin/yes | head -n 2; echo ${PIPESTATUS[0]}', "-",
                        world.pipwarden])
    assert result.out == "y\ny\n141\n", str(result)
    assert world.run(["/bin/sh", "-c", f"'{world.pipwarden}' run -- /bin/cat <&-"]).out == ""


def test_arguments_and_folder_are_the_commands(world):
    result = world.guarded(["run", "--", "/bin/sh", "-c", 'printf "%s|" "$@"; pwd', "-", "a b", "", "--log", "ä"])
    assert result.out == f"a b||--log|ä|{world.work}\n", str(result)


def test_many_descriptors_and_children(world):
    result = run_sh(world, "for i in 1 2 3 4 5 6 7 8 9 10; do /bin/true; done; ls /proc/self/fd | wc -l", timeout=60)
    assert result.status == 0 and int(result.out) <= 5, str(result)


def test_ls_of_usr_is_silent(world):
    result = world.guarded(["run", "--", "/bin/ls", "/usr"])
    assert result.status == 0 and result.err == "" and "bin" in result.out.split() and result.above("info") == []


def test_run_without_dashes(world):
    assert world.guarded(["run", "/bin/echo", "x"]).out == "x\n"


# --- information --------------------------------------------------------------------------------------------------------

def test_version_and_help(world):
    version = world.run([world.pipwarden, "--version"])
    assert version.status == 0 and version.out.startswith("pipwarden 0.") and version.out.count("\n") == 1 and version.err == ""
    help_text = world.run([world.pipwarden, "--help"])
    assert help_text.status == 0 and help_text.err == ""
    for word in ("--policy", "--allow-host", "--allow-env", "--allow-read", "--allow-write", "--allow-pth", "--fail-on", "--on-violation",
                 "--allow-degraded", "--log", "--timeout", "doctor", "policy", "run", "125"):
        assert word in help_text.out, word


def test_doctor(world):
    text = world.run([world.pipwarden, "doctor"])
    assert text.status == 0 and "landlock" in text.out.lower(), str(text)
    ladder = world.run([world.pipwarden, "doctor", "--json"])
    assert ladder.status == 0
    assert isinstance(json.loads(ladder.out), dict)


def test_doctor_tells_what_is_hidden(make_world, user_named):
    world = make_world(user_named("user"), hide="namespaces,landlock=1")
    assert "namespaces" in world.run([world.pipwarden, "doctor"]).out
    gone = make_world(user_named("user"), hide="landlock=0")
    result = gone.guarded(["run", "--", "/bin/echo", "RAN"])
    assert result.status == 125 and "andlock" in result.err and result.err.count("\n") == 1, str(result)
    assert "RAN" not in result.out


def test_policy_show(world):
    result = world.run([world.pipwarden, "policy", "show"])
    assert result.status == 0, str(result)
    shown = json.loads(result.out)
    assert "net.exfil.pipedream" in result.out and shown["version"] == 1


@pytest.mark.parametrize("text,where,word", [
    ('{ "version": 1,\n  "network": { "guest": "example.org" } }\n', ":2:", "guest"),
    ('{ "version": 1,\n\n  "netwrok": {} }\n', ":3:", "netwrok"),
    ('{ "version": 1,\n  "environment": { "secret": [ 7 ] } }\n', ":2:", "secret"),
    ('{ "version": 99 }\n', ":1:", "version"),
    ('{ "version": 1,\n  "actions": { "net.exfil.*": "perhaps" } }\n', ":2:", "actions"),
    ('{ "version": 1\n', ":", "")], ids=["type", "key", "element", "version", "action", "syntax"])
def test_wrong_policy(text, where, word, world):
    path = world.write(world.work / "policy.json", text, 0o644)
    check = world.run([world.pipwarden, "policy", "check", path])
    assert check.status not in (0, 127) and f"{path}{where}" in check.out + check.err and word in check.out + check.err, str(check)
    result = world.guarded(["run", "--", "/bin/echo", "RAN"], options=["--policy", path])
    assert result.status == 125 and f"{path}{where}" in result.err and result.err.count("\n") == 1, str(result)
    assert result.out == ""


def test_good_policy(world):
    path = world.write(world.work / "policy.json", '// a comment\n{ "version": 1, "environment": { "secret": ["MY_VERY_OWN_*"] } }\n', 0o644)
    assert world.run([world.pipwarden, "policy", "check", path]).status == 0
    script = "echo $MY_VERY_OWN_THING"
    value = "k3sJ0vPq9LxW2mZt7Yb4"
    assert run_sh(world, script, env={"MY_VERY_OWN_THING": value}).out == value + "\n"
    assert run_sh(world, script, env={"MY_VERY_OWN_THING": value}, options=["--policy", path]).out != value + "\n"


def test_policy_that_others_may_write(world):
    path = world.write(world.work / "policy.json", '{ "version": 1 }\n', 0o666)
    assert world.guarded(["run", "--", "/bin/true"], options=["--policy", path]).status == 125


def test_policy_is_not_read_from_the_working_directory(world):
    world.write(world.work / "policy.json", "not json", 0o644)
    world.write(world.work / "pipwarden.json", "not json", 0o644)
    assert run_sh(world, "true").status == 0


# --- bad input: one clear line, 125 or 127, and nothing was run --------------------------------------------------------

BAD = {
    "unknown option": (["--no-such-option"], "--no-such-option"),
    "unknown level": (["--fail-on", "sometimes"], "sometimes"),
    "missing policy": (["--policy", "/nowhere/policy.json"], "/nowhere/policy.json"),
    "unwritable journal": (["--log", "/nowhere/journal.jsonl"], "/nowhere/journal.jsonl"),
    "journal is a folder": (["--log", "/usr"], "/usr"),
    "no descriptor": (["--log-fd", "77"], "77"),
    "grant of the root": (["--allow-read", "/"], "/"),
    "grant of the home": (["--allow-write", "~HOME~"], "~HOME~"),
    "grant above the home": (["--allow-read", "~HOME~/.."], "~HOME~"),
    "grant of the keys": (["--allow-read", "~HOME~/.ssh"], ".ssh"),
    "timeout": (["--timeout", "soon"], "soon"),
    "host": (["--allow-host", "no host at all"], "no host at all"),
    "role": (["--allow-env", "nobody:NAME"], "nobody"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name, world):
    options, word = BAD[name]
    options = [o.replace("~HOME~", str(world.home)) for o in options]
    word = word.replace("~HOME~", str(world.home))
    world.write(world.home / ".ssh/id_ed25519", "x")
    result = world.run([world.pipwarden, *options, "run", "--", "/bin/echo", "RAN"])
    assert result.status == 125 and word in result.err and result.err.count("\n") == 1, str(result)
    assert result.out == ""


def test_no_command(world):
    for argv in ([], ["run"], ["run", "--"], ["no-such-subcommand"]):
        result = world.run([world.pipwarden, *argv])
        assert result.status in (125, 127) and result.out == "" and result.err != "", f"{argv}\n{result}"


def test_run_in_the_home_itself(world):
    """cd ~ && pipwarden run …: the home is no grant."""
    world.plant_canaries()
    result = world.guarded(["run", "--", "/bin/sh", "-c", "cat .ssh/id_ed25519 .aws/credentials; echo x >> .bashrc"], cwd=world.home)
    assert "canary" not in result.out + result.err and (world.home / ".bashrc").read_text() == "# the user's own\n", str(result)
    refused = world.guarded(["run", "--", "/bin/true"], cwd=world.home, options=["--allow-read", "."])
    assert refused.status == 125 and str(world.home) in refused.err, str(refused)


def test_no_pip_on_path(world):
    empty = world.work / "empty"
    empty.mkdir()
    result = world.run([world.pipwarden, "pip", "list"], {"PATH": str(empty)})
    assert result.status == 127 and "pip" in result.err and result.err.count("\n") == 1, str(result)


REFUSED = {
    "home as a project": (["install", "~HOME~"], "~HOME~"),
    "editable home": (["install", "-e", "~HOME~"], "~HOME~"),
    "editable vcs": (["install", "-e", "git+ext::sh#egg=x"], "not understood"),
    "vcs": (["install", "git+https:///x.git"], "not understood"),
    "sources above": (["install", "--src", "~HOME~", "-e", "git+https://example.invalid/x.git#egg=x"], "~HOME~"),
    "config edit": (["config", "edit"], "edit"),
    "venv isolation": (["install", "--use-feature=venv-isolation", "pwpure"], "venv-isolation"),
    "inprocess": (["install", "--use-feature=inprocess-build-deps", "pwpure"], "inprocess-build-deps"),
    "target above": (["install", "--target", "~HOME~", "pwpure"], "~HOME~"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_by_name(name, make_world, user, templates, distribution, index):
    world = make_world(user, index=index)
    world.use_venv(templates, distribution)
    world.write(world.work / "package/setup.py", f"open({str(world.temp / 'ran')!r}, 'w')\n", 0o644)
    argv, word = REFUSED[name]
    result = world.guarded(["pip", *(a.replace("~HOME~", str(world.home)) for a in argv)])
    assert result.status == 125 and word.replace("~HOME~", str(world.home)) in result.err and result.err.count("\n") == 1, str(result)
    assert not (world.temp / "ran").exists()


def test_refused_in_a_requirement_file(make_world, user_named, templates, distribution, index):
    world = make_world(user_named("user"), index=index)
    world.use_venv(templates, distribution)
    world.write(world.work / "r.txt", "pwpure\n-r more.txt\n", 0o644)
    world.write(world.work / "more.txt", "-e git+git@nowhere.invalid:pwvcs#egg=pwvcs\n", 0o644)
    result = world.guarded(["pip", "install", "-r", "r.txt"])
    assert result.status == 125 and result.err.count("\n") == 1, str(result)


def test_pip_in_the_working_directory_is_not_trusted(make_world, user, templates, distribution):
    world = make_world(user)
    marker = world.temp / "ran"
    world.write(world.work / "pip", f"#!/bin/sh\ntouch {marker}\n", 0o755)
    result = world.run([world.pipwarden, "pip", "list"], {"PATH": f"{world.work}:/usr/bin:/bin"})
    assert result.status in (125, 126, 127) and not marker.exists(), str(result)


# --- journal and housekeeping -------------------------------------------------------------------------------------------

def test_the_journal_is_private_and_whole(world):
    result = run_sh(world, "true")
    assert result.journal.stat().st_mode & 0o777 == 0o600 and result.journal.stat().st_uid == world.user.uid
    assert [e["seq"] for e in result.events] == list(range(1, len(result.events) + 1))
    assert result.events[0]["type"] == "run.start" and result.end["type"] == "run.end"


def test_the_default_journal(world):
    assert world.run([world.pipwarden, "run", "--", "/bin/true"]).status == 0
    runs = list((world.home / ".local/state/pipwarden/runs").glob("*/events.jsonl"))
    assert len(runs) == 1, nothing_left(world)
    assert nothing_left(world) == []


def test_log_fd(world):
    with tempfile.TemporaryFile() as f:
        process = world.popen([world.pipwarden, "--log-fd", str(f.fileno()), "run", "--", "/bin/true"], pass_fds=[f.fileno()])
        assert process.wait(60) == 0
        f.seek(0)
        lines = f.read().splitlines()
    assert json.loads(lines[0])["type"] == "run.start" and json.loads(lines[-1])["type"] == "run.end"


def test_a_journal_in_a_writable_grant_is_refused(world):
    folder = world.work / "open"
    folder.mkdir()
    world.own(folder)
    result = world.run([world.pipwarden, "--log", folder / "j.jsonl", "--allow-write", folder, "run", "--", "/bin/echo", "RAN"])
    assert result.status == 125 and result.out == "", str(result)


def test_timeout(world):
    result = run_sh(world, "sleep 30 & sleep 30", options=["--timeout", "1"], timeout=20)
    assert result.seconds < 10 and result.status != 0, str(result)


def test_allow_read_and_write_of_the_working_directory(world):
    world.write(world.work / "in.txt", "in\n")
    script = "cat in.txt; echo out > out.txt"
    assert run_sh(world, script).out == "" and not (world.work / "out.txt").exists()
    read = run_sh(world, script, options=["--allow-read", "."])
    assert read.out == "in\n" and not (world.work / "out.txt").exists(), str(read)
    both = run_sh(world, script, options=["--allow-read", ".", "--allow-write", "."])
    assert both.out == "in\n" and (world.work / "out.txt").read_text() == "out\n", str(both)


def test_preload_of_the_users_own_is_kept(world):
    source = world.write(world.work / "own.c", "#include <unistd.h>\n__attribute__((constructor)) static void f(void) { write(1, \"own\\n\", 4); }\n")
    library = Path(tempfile.mkdtemp(prefix="pwl", dir="/opt")) / "own.so"
    try:
        library.parent.chmod(0o755)
        subprocess.run(["cc", "-w", "-shared", "-fPIC", "-o", library, source], check=True)
        assert world.run(["/bin/true"], {"LD_PRELOAD": str(library)}).out == "own\n"
        held = world.guarded(["run", "--", "/bin/true"], {"LD_PRELOAD": str(library)}, options=["--allow-read", library.parent])
        assert "own\n" in held.out, str(held)
    finally:
        shutil.rmtree(library.parent)


@pytest.mark.slow
def test_installed_under_a_prefix(make_world, user_named, base, pipwarden):
    """meson install into any prefix, moved afterwards: helpers are found beside the executable, not through a variable."""
    from lib.binary import ROOT, built
    build = next((p for p in built().parents if (p / "build.ninja").exists()), None)
    if build is None:
        pytest.skip("PIPWARDEN_BIN is not in a build folder: nothing to install from")
    destination = base / "installed"
    subprocess.run(["meson", "install", "-C", build, "--no-rebuild", "--quiet", "--destdir", destination], check=True, cwd=ROOT,
                   capture_output=True)
    program = next(destination.rglob("bin/pipwarden"))
    world = make_world(user_named("user"))
    world.pipwarden = program
    result = world.guarded(["run", "--", "/bin/echo", "x"], {"PIPWARDEN_LIBEXEC": "/nowhere", "PIPWARDEN_LIBEXECDIR": "/nowhere"})
    assert (result.status, result.out) == (0, "x\n"), str(result)


def test_nested(world):
    """pipwarden inside pipwarden: says so in one line and runs the command."""
    inner = world.guarded(["run", "--", world.pipwarden, "run", "--", "/bin/echo", "x"], options=["--allow-read", world.pipwarden.parent])
    assert inner.status == 0 and inner.out == "x\n" and inner.err.count("\n") == 1, str(inner)


def test_signals_end_the_command(world):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        process = world.popen([world.pipwarden, "run", "--", "/bin/sh", "-c", "echo ready; exec sleep 30"], stdout=subprocess.PIPE)
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(number)
        status = process.wait(10)
        assert status in (128 + number, -number), (number, status)
        process.stdout.close()
