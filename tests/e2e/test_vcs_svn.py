"""Subversion over https, against the server that people run: the requirement's host and no other, its login, and a server of another name."""
from __future__ import annotations

import shutil

import pytest

from conftest import cannot
from lib.fakenet import self_signed
from lib.svnserver import SvnServer, is_there
from test_vcs import HOST, LOGIN, any_world, installed, plain, server, repositories, store, told, tool_runs, world  # noqa: F401

PORT = 8445
ELSEWHERE = "elsewhere.test"


@pytest.fixture
def served(base, internet, request):
    """serve(world, name, login): a running server whose certificate is of that name, and which the user's configuration trusts."""
    if not (is_there() and shutil.which("svnadmin")):
        cannot("there is no Apache with mod_dav_svn here")
    running = []

    def serve(world, name=HOST, login=None, externals=None):
        path = store("svn", world.work / "pwvcs", world.logs)
        if externals:
            work = world.logs / "externals"
            tool_runs(world.logs, "svn", "checkout", "-q", f"file://{path}", work)
            tool_runs(world.logs, "svn", "propset", "-q", "svn:externals", externals, work)
            tool_runs(world.logs, "svn", "commit", "-q", "-m", "two", work)
        folder = world.root / "apache"
        tls = folder.with_name("tls")
        tls.mkdir()
        key, cert = self_signed(tls, name)
        one = SvnServer(folder, path, internet.inet_ns, PORT, (cert, key), name, login)
        running.append(one.__enter__())
        world.write(world.home / ".subversion/servers", f"[global]\nssl-authority-files = {cert}\nstore-passwords = no\n", 0o644)
        world.own_tree(world.home / ".subversion")
        return one

    yield serve
    for one in running:
        one.__exit__()


def test_with_a_login_in_the_url(any_world, net, served):
    world = any_world
    there = served(world, login=LOGIN)
    result = world.guarded(["pip", "install", f"svn+https://{LOGIN[0]}:{LOGIN[1]}@{HOST}:{PORT}/"])
    assert result.status == 0 and installed(world), str(result)
    assert set(net.names()) == {HOST} and any(f" {LOGIN[0]} 200" in line for line in there.requests()), f"{there.requests()}\n{result}"
    assert LOGIN[1] not in result.journal.read_text() and result.above("info") == [], str(result)


def test_a_server_of_another_name(world, net, served):
    """Subversion looks at it itself, for the TLS is its own from end to end."""
    there = served(world, name=ELSEWHERE)
    held = world.guarded(["pip", "install", f"svn+https://{HOST}:{PORT}/"])
    assert held.status != 0 and not installed(world) and there.requests() == [], f"{there.requests()}\n{held}"


def test_an_external_of_another_host(world, net, served, templates, distribution):
    """What the repository names is not what the user did; plainly it is asked."""
    net.dns.addresses[ELSEWHERE] = ["203.0.113.10"]
    served(world, externals=f"http://{ELSEWHERE}/x part")
    argv = ["pip", "install", f"svn+https://{HOST}:{PORT}/"]
    world.run(argv)
    assert ELSEWHERE in net.names(), "plainly nobody asks it"
    world.use_venv(templates, distribution)
    net.clear()
    held = world.guarded(argv)
    assert set(net.names()) == {HOST} and [e for e in told(held, "net.resolve") if e["role"] == "vcs"], f"{net.names()}\n{held}"
