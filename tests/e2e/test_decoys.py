"""Decoy files: the private home's credentials, and what a rule with the action `decoy` gives in the place of a protected file."""
from __future__ import annotations

import json
import os
import subprocess

import pytest

from lib import packages
from lib.index import Index
from lib.world import CANARY

HOME_FILES = [".aws/credentials", ".ssh/id_ed25519", ".netrc", ".git-credentials", ".npmrc", ".pypirc", ".docker/config.json", ".kube/config",
              ".config/gcloud/application_default_credentials.json"]
# Prints what is there, as thieves do: names from a listing, then contents; modes.
LOOK = """
import json, os, sys
home = os.path.expanduser("~")
found = {}
for folder, _, names in os.walk(home):
    for name in names:
        path = os.path.join(folder, name)
        found[os.path.relpath(path, home)] = [oct(os.stat(path).st_mode & 0o777), open(path).read()]
print(json.dumps(found))
"""
DECOY = '{"version": 1, "actions": {"file.ssh-key": "decoy"}}'
# One secret by every name it can have.
ALIASES = """
import json, os, sys
key, link = sys.argv[1:]
home = os.path.dirname(os.path.dirname(key))
got = {}
def attempt(name, path, **more):
    try:
        fd = os.open(path, os.O_RDONLY, **more)
        got[name] = os.read(fd, 4096).decode()
    except OSError as e:
        got[name] = e.errno
attempt("path", key)
attempt("dots", home + "/.ssh/./../.ssh//id_ed25519")
attempt("root", "/proc/self/root" + key)
attempt("link", link)
attempt("folder", ".ssh/id_ed25519", dir_fd=os.open(home, os.O_PATH))
attempt("descriptor", "/proc/self/fd/%d" % os.open(key, os.O_PATH))
os.chdir(home)
attempt("relative", ".ssh/id_ed25519")
os.chdir("/")
attempt("other folder", home + "/.ssh")
attempt("missing", home + "/.ssh/id_rsa")
for flags in (os.O_RDWR, os.O_WRONLY | os.O_TRUNC, os.O_RDONLY | os.O_DIRECTORY):
    try:
        os.open(key, flags)
        got[flags] = "opened"
    except OSError as e:
        got[flags] = e.errno
print(json.dumps(got))
"""


def told(result):
    assert result.out.startswith("{"), str(result)
    return json.loads(result.out)


def opened(result, action):
    return [e for e in result.of_type("file.open") if e["action"] == action]


def test_a_guest_finds_credentials(make_world, user):
    world = make_world(user)
    world.plant_canaries()
    held = world.guarded(["run", "--", "/usr/bin/python3", "-c", LOOK])
    assert held.status == 0 and not held.above("info"), str(held)
    found = told(held)
    assert sorted(found) == sorted(HOME_FILES) and {mode for mode, _ in found.values()} == {"0o600"}, str(held)
    assert CANARY not in held.out, str(held)
    json.loads(found[".docker/config.json"][1]), json.loads(found[HOME_FILES[-1]][1])
    read = opened(held, "decoy")
    assert {e["rule"] for e in read} == {"decoy.read"}, str(held)
    assert {e["target"]["path"].split("/0h/", 1)[1] for e in read} == set(HOME_FILES), str(held)
    key = world.write(world.temp / "key", found[".ssh/id_ed25519"][1], 0o600)
    public = subprocess.run(["ssh-keygen", "-y", "-f", key], capture_output=True, text=True, timeout=30)
    assert public.stdout.startswith("ssh-ed25519 "), public
    again = json.loads(world.guarded(["run", "--", "/usr/bin/python3", "-c", LOOK]).out)
    assert all(again[name][1] != found[name][1] for name in HOME_FILES), again


@pytest.mark.parametrize("user", ["user"], indirect=True)
def test_a_build_finds_credentials_and_its_own_files_are_left_alone(make_world, user, base, templates, distribution):
    folder = base / "decoys"
    packages.build_tools(folder)
    packages.sdist(folder, "pwlooks", "1.0", {"setup.py": "import os, time\nopen(os.path.expanduser('~/.own'), 'a').close()\ntime.sleep(0.1)\n"
                                              "print('FOUND', sorted(os.listdir(os.path.expanduser('~'))), flush=True)\n"
                                              "from setuptools import setup\nsetup(name='pwlooks', version='1.0')\n"})
    with Index(folder) as index:
        world = make_world(user, index=index)
        world.use_venv(templates, distribution)
        held = world.guarded(["pip", "install", "-v", "--no-build-isolation", "pwlooks"])
    assert held.status == 0 and not held.above("info"), str(held)
    assert all(f"'{name}'" in held.out + held.err for name in (".aws", ".own", ".ssh")), str(held)


def test_a_rule_gives_a_decoy_by_every_name(make_world, user):
    world = make_world(user)
    world.plant_canaries()
    key = world.home / ".ssh/id_ed25519"
    link = world.work / "link"
    os.symlink(key, link)
    policy = world.write(world.work / "policy.json", DECOY)
    program = ["/usr/bin/python3", "-c", ALIASES, str(key), str(link)]
    plain = json.loads(world.run(program).out)
    names = ("path", "dots", "root", "link", "folder", "descriptor", "relative")
    assert all(CANARY in plain[name] for name in names) and plain["missing"] == 2, plain
    world.plant_canaries()  # the plain run could empty it
    held = world.guarded(["run", "--", *program], options=["--policy", policy])
    got = told(held)
    assert CANARY not in held.out + held.err, str(held)
    assert len({got[name] for name in names}) == 1 and got["path"].startswith("-----BEGIN OPENSSH PRIVATE KEY-----"), str(held)
    assert got["missing"] == 2 and got["other folder"] == 13 and got[str(os.O_RDWR)] == 13 and got[str(os.O_WRONLY | os.O_TRUNC)] == 13, str(held)
    assert got[str(os.O_DIRECTORY)] in (13, 20), str(held)
    given = opened(held, "decoy")
    assert given and {(e["rule"], e["target"]["path"]) for e in given} == {("file.ssh-key", str(key))}, str(held)
    assert CANARY in key.read_text()
    denied = world.guarded(["run", "--", *program], options=["--on-violation", "deny"])
    got = told(denied)
    assert {got[name] for name in names} == {13} and got["missing"] == 2 and not opened(denied, "decoy"), str(denied)
