"""Item 1: the two packages of January 2025 in a fake internet, judged at the sink and in the journal."""
from __future__ import annotations

import pytest

from conftest import LESS, LESS_IDS, USERS, nothing_left
from lib.world import canaries, snapshot

SECRETS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "DATABASE_URL")
RULE = "net.exfil.pipedream"
ALL = pytest.mark.parametrize("hide,name", [*(("", u) for u in USERS), *LESS], ids=[*USERS, *LESS_IDS])


def exfiltration(result, stage_package):
    events = [e for e in result.events if e.get("rule") == RULE]
    assert events, f"no event of rule {RULE}\n{result}"
    event = events[0]
    assert event["severity"] == "critical"
    assert event["target"]["host"].rstrip(".").endswith(".m.pipedream.net")
    if stage_package:
        assert event["package"]["name"] == stage_package
    return event


def check_silence(net, result):
    assert net.outside() == [], f"packets left\n{result}"
    assert net.sink.connections == 0 and net.sink.requests == [] and net.sink.streams == []
    assert net.names() == [], "a name reached the resolver"
    assert not any(c in net.sink.bytes for c in canaries())


def read_before(result, event, file, function):
    """What the summary has to say of the walk over the environment that led to the attempt."""
    walks = [e for e in result.of_type("env.enumerate") if e["seq"] < event["seq"] and e["origin"].get("function") == function]
    assert walks and walks[0]["origin"]["file"] == file and walks[0]["severity"] == "info", str(result)
    assert walks[0]["package"].get("name") == event["package"].get("name")
    return f"before, it read all variables of os.environ at {file}:{walks[0]['origin']['line']} in {function}"


def check_replaced(result):
    start = result.events[0]
    assert set(SECRETS) <= set(start["replaced"]), start
    text = result.journal.read_text() + result.err
    assert not any(c.decode() in text for c in canaries()), "a secret is in the journal or the summary"


@ALL
def test_install_of_deepseekai(hide, name, make_world, user_named, templates, distribution, net):
    world = make_world(user_named(name), net=net, hide=hide)
    env = world.plant_canaries()
    if not hide:  # what is hidden is hidden from pipwarden: plain pip is the same
        world.use_venv(templates, distribution)
        plain = world.run(["pip", "install", "deepseekai"], env)
        assert plain.status == 0, str(plain)
        assert all(c in net.sink.bytes for c in canaries()), "the baseline does not leak: the test would show nothing"
        net.clear()
    world.use_venv(templates, distribution)
    before = snapshot(world.venv)
    held = world.guarded(["pip", "install", "deepseekai"], env)
    assert held.status == 100, str(held)
    check_silence(net, held)
    event = exfiltration(held, "deepseekai")
    assert event["role"] == "build" and event["action"] == "aborted"
    assert event["package"]["stage"] == "metadata"
    assert held.end["exit_status"] == 100 and held.end["verdict"] == "malicious"
    check_replaced(held)
    assert snapshot(world.venv) == before, "something was installed"
    walk = read_before(held, event, "setup.py", "collect")
    for word in ("deepseekai", "eoreplica000002.m.pipedream.net", "AWS_SECRET_ACCESS_KEY", str(held.journal), walk):
        assert word in held.err, f"the summary does not say {word}\n{held}"


@ALL
def test_run_of_deepseeek(hide, name, make_world, user_named, templates, distribution, net):
    world = make_world(user_named(name), net=net, hide=hide)
    env = world.plant_canaries()
    world.use_venv(templates, distribution)
    installed = world.guarded(["pip", "install", "deepseeek"], env)
    assert installed.status == 0 and installed.above("info") == [], str(installed)

    if not hide:
        net.clear()
        plain = world.run(["deepseeek"], env)
        assert plain.status == 0
        assert all(c in net.sink.bytes for c in canaries()), "the baseline does not leak: the test would show nothing"

    net.clear()
    held = world.guarded(["run", "--", "deepseeek"], env)
    assert held.status == 100, str(held)
    check_silence(net, held)
    event = exfiltration(held, None)
    assert event["role"] == "guest"
    check_replaced(held)
    assert read_before(held, event, "deepseeek/__init__.py", "collect") in held.err, str(held)
    assert "eoreplica000001.m.pipedream.net" in held.err
    assert {n for n in nothing_left(world) if not n.startswith(("home/.ssh", "home/.aws"))} == {"home/.bashrc"}


def test_run_goes_on_when_told_to_deny(user, make_world, templates, distribution, net):
    """With --on-violation deny the command lives on, sees decoys and no answer."""
    world = make_world(user, net=net)
    env = world.plant_canaries()
    world.use_venv(templates, distribution)
    assert world.run(["pip", "install", "deepseeek"], env).status == 0
    net.clear()
    held = world.guarded(["run", "--", "deepseeek"], env, options=["--on-violation", "deny"])
    assert held.out == "deepseeek: hello\n" and held.status == 100, str(held)
    check_silence(net, held)


def test_environment_shows_decoys(user, make_world, net):
    world = make_world(user, net=net)
    env = world.plant_canaries()
    program = ("import os, subprocess; print(dict(os.environ)); print(open('/proc/self/environ').read());"
               "print(subprocess.run(['/bin/bash', '-c', 'env; cat /proc/$$/environ'], capture_output=True, text=True).stdout)")
    plain = world.run(["/usr/bin/python3", "-c", program], env)
    assert plain.out.count(env["AWS_SECRET_ACCESS_KEY"]) >= 3
    held = world.guarded(["run", "--", "/usr/bin/python3", "-c", program], env)
    assert held.status == 0, str(held)
    assert not any(c.decode() in held.out for c in canaries())
    assert held.out.count("AWS_SECRET_ACCESS_KEY") >= 4, "a decoy takes a secret's place"
    passed = world.guarded(["run", "--", "/usr/bin/python3", "-c", program], env, options=["--allow-env", "AWS_SECRET_ACCESS_KEY"])
    assert env["AWS_SECRET_ACCESS_KEY"] in passed.out and env["AWS_ACCESS_KEY_ID"] not in passed.out
