"""Requirements from version control: git over http and https, and of this machine's own folders.

The tool reaches its requirement's host and no other, has its own configuration and credentials, and starts nothing that came with a repository; a build has none
of that, and leaves `.git` alone.  Hosts lie in network namespaces; judged by what happened: packets, files, what the server was asked."""
from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest

from conftest import USERS
from lib import packages
from lib.fakenet import in_netns, self_signed
from lib.gitserver import GitServer, git, repository

HOST, HTTP, HTTPS = "git.test", 8081, 8444
WORLDS = [*(("", u) for u in USERS), ("namespaces", "user")]


def project(name: str, setup: str = "") -> packages.Files:
    """Builds without an index: a back end of its own, which runs `setup` first."""
    source = setup + "\n" + (packages.FIXTURES / "tinyback" / "tinyback.py").read_text()
    return {"pyproject.toml": f'[build-system]\nrequires = []\nbuild-backend = "tinyback"\nbackend-path = ["backend"]\n[project]\nname = "{name}"\nversion = "1.0"\n',
            "backend/tinyback.py": source, f"{name}.c": (packages.FIXTURES / "native" / "module.c").read_text().replace("NAME", name)}


@pytest.fixture(scope="module")
def repositories(base) -> Path:
    folder = base / "repositories"
    repository(folder / "pwvcs.git", project("pwvcs"))
    git("tag", "v1", cwd=folder / "pwvcs.git")
    return folder


@pytest.fixture(scope="module")
def server(repositories, internet):
    def listen():
        return socket.create_server(("0.0.0.0", HTTP), reuse_port=True)
    with GitServer(repositories, in_netns(internet.inet_ns, listen)) as running:
        yield running


@pytest.fixture(params=WORLDS, ids=[f"{hide or 'nothing'}-{name}" for hide, name in WORLDS])
def world(request, make_world, user_named, net, server, templates, distribution):
    hide, name = request.param
    server.requests.clear()
    server.ask_for(None)
    world = make_world(user_named(name), net=net, hide=hide)
    world.use_venv(templates, distribution)
    return world


def installed(world, name="pwvcs") -> bool:
    return world.run([world.venv / "bin/python", "-c", f"import {name} as m; print(m.add(1, 2))"], cwd="/").out == "3\n"


def url(repo="pwvcs", host=HOST) -> str:
    return f"git+http://{host}:{HTTP}/{repo}.git"


@pytest.mark.parametrize("requirement", ["{}", "pwvcs @ {}", "{}@v1#egg=pwvcs", "pwvcs @ {}@main"])
def test_http(world, net, server, requirement):
    result = world.guarded(["pip", "install", requirement.format(url())])
    assert result.status == 0 and installed(world), str(result)
    assert {h for h, _, _ in server.requests} == {f"{HOST}:{HTTP}"} and set(net.names()) == {HOST}, f"{server.requests}\n{result}"
    assert result.above("info") == [], str(result)
