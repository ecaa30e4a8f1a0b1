"""What is not the user's word leads pip nowhere: pages of an index that link to another host or redirect to one, a package's dependencies and build
requirements by URL, what a requirements file of the network says.  Each is first shown plainly; the refusal names what would allow it."""
from __future__ import annotations

import json

import pytest

from lib import packages
from lib.fakenet import INDEX_PORT

FILES = "files.corp.test"  # the fake internet's index answers to every name
ELSEWHERE = f"http://{FILES}:{INDEX_PORT}"
PYPROJECT = '[build-system]\nrequires = ["tinyback @ {}/files/tinyback-1.0-py3-none-any.whl"]\nbuild-backend = "tinyback"\n[project]\nname = "pwasks"\nversion = "1.0"\n'


@pytest.fixture(scope="module")
def folder(base, package_folder):
    """Honest packages, and two that name another host."""
    folder = base / "elsewhere"
    packages.pure_wheel(folder)
    packages.tinyback(folder)
    packages.wheel(folder, "pwneeds", "1.0", {"pwneeds.py": ""}, requires=(f"pwpure @ {ELSEWHERE}/files/pwpure-1.0-py3-none-any.whl",))
    packages.sdist(folder, "pwasks", "1.0", {
        "pyproject.toml": PYPROJECT.format(ELSEWHERE), "pwasks.c": (packages.FIXTURES / "native" / "module.c").read_text().replace("NAME", "pwasks")})
    (folder / "remote.txt").write_text(f"pwpure @ {ELSEWHERE}/files/pwpure-1.0-py3-none-any.whl\n")
    return folder


@pytest.fixture
def world(net, folder, make_world, user_named, templates, distribution):
    before = net.index.folder
    net.index.serve(folder)
    world = make_world(user_named("user"), net=net)
    world.use_venv(templates, distribution)
    yield world
    net.index.serve(before)
    net.index.move(None)


def setting(kind, net):
    """pip's arguments that lead elsewhere."""
    net.index.move((kind, ELSEWHERE) if kind in ("links", "redirects") else None)
    return {"links": ["pwpure"], "redirects": ["pwpure"], "dependency": ["pwneeds"], "build": ["pwasks"],
            "remote": ["-r", net.index_url.replace("/simple", "/files/remote.txt")]}[kind]


@pytest.mark.parametrize("kind", ["links", "redirects", "dependency", "build", "remote"])
def test_elsewhere_is_refused_and_can_be_allowed(kind, world, net, templates, distribution):
    argv = ["pip", "install", "--retries", "0", *setting(kind, net)]
    plain = world.run(argv)
    assert plain.status == 0 and FILES in net.names(), f"it does not lead there\n{plain}\n{net.names()}"

    world.use_venv(templates, distribution)
    net.clear()
    held = world.guarded(argv)
    assert held.status != 0 and net.names() == [] and not list(world.site_packages().glob("pw*")), f"{net.names()}\n{held}"
    told = [e for e in held.of_type("net.resolve") if e["target"].get("host") == FILES]
    assert told and f"--allow-host {FILES}" in told[0]["hint"] and f'"installer": ["@index", "{FILES}"]' in told[0]["hint"], str(held)
    assert f"--allow-host {FILES}" in held.err, str(held)

    for options, installer in ((["--allow-host", FILES], ["@index"]), ([], ["@index", FILES])):
        world.write(world.home / ".config/pipwarden/policy.json", json.dumps({"version": 1, "network": {"installer": installer}}))
        world.use_venv(templates, distribution)
        allowed = world.guarded(argv, options=options)
        assert allowed.status == 0 and list(world.site_packages().glob("pw*")), str(allowed)
