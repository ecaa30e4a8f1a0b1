"""Index credentials work for pip, wherever they are kept, and builds find them nowhere: not in their environment, not in pip's arguments nor those of the pip
that pip starts, not in the files.  Judged by what a sweeping build brings home, and by what the index is told."""
from __future__ import annotations

import pytest

from lib import sweeps
from lib.index import Index

LOGIN, TOKEN = "ann", "tok0Qx7canary9of5the3index1"


@pytest.fixture(scope="module")
def swept(base):
    with sweeps.served(base / "swept", LOGIN, TOKEN) as index:
        yield index


@pytest.fixture(scope="module")
def empty(base):
    (base / "nothing").mkdir()
    with Index(base / "nothing") as index:
        yield index


def url(index, login=f"{LOGIN}:{TOKEN}@"):
    return f"http://{login}{index.host}:{index.port}/simple"


def conf(index):
    return f"[global]\nindex-url = {url(index)}\n"


def in_netrc(world, index, empty):
    path = world.write(world.home / ".netrc", f"machine {index.host}\nlogin {LOGIN}\npassword {TOKEN}\n")
    return [], {"PIP_INDEX_URL": url(index, "")}, path


def in_variable(world, index, empty):
    return [], {"PIP_INDEX_URL": url(index)}, None


def in_extra_variable(world, index, empty):
    return [], {"PIP_INDEX_URL": url(empty, ""), "PIP_EXTRA_INDEX_URL": url(index)}, None


def in_user_file(world, index, empty):
    return [], {}, world.write(world.home / ".config/pip/pip.conf", conf(index))


def in_site_file(world, index, empty):
    return [], {}, world.write(world.venv / "pip.conf", conf(index))


def in_named_file(world, index, empty):
    path = world.write(world.home / "corporate.conf", conf(index))
    return [], {"PIP_CONFIG_FILE": str(path)}, path


def in_arguments(world, index, empty):
    return ["-i", url(index)], {}, None


def in_a_requirements_file(world, index, empty):
    path = world.write(world.work / "requirements.txt", f"--index-url {url(index)}\npwpure\n")
    return ["-r", path], {}, path


PLACES = [in_netrc, in_variable, in_extra_variable, in_user_file, in_site_file, in_named_file, in_arguments, in_a_requirements_file]
WAYS = [("root", ""), ("user", ""), ("root", "namespaces"), ("user", "namespaces")]


@pytest.mark.parametrize("way", WAYS, ids=lambda w: f"{w[0]}-{w[1] or 'nothing'}")
@pytest.mark.parametrize("place", PLACES, ids=lambda p: p.__name__)
def test_index_credentials(place, way, make_world, user_named, templates, distribution, swept, empty):
    name, hide = way
    world = make_world(user_named(name), hide=hide)
    guarded_only = way != ("user", "")
    for guarded in [True] if guarded_only else [False, True]:
        world.use_venv(templates, distribution)
        argv, env, file = place(world, swept, empty)
        # Start-up code that no pip runs: an event of each pip, with its arguments.
        world.write(world.site_packages() / "pwstart.pth", "import colorsys\n", 0o644)
        swept.forget()
        result = (world.guarded if guarded else world.run)(["pip", "install", *argv, "pwsweep"], {**env, "PWT_PLACES": str(file or "")})
        assert result.status in ((0, 100) if guarded else (0,)), str(result)  # 100: the sweep itself is an attack
        assert f"{LOGIN}:{TOKEN}" in swept.logins, "pip did not log in"
        found = sweeps.found(world.site_packages())
        if guarded:
            assert TOKEN.encode() not in found, f"a build has it: {[l[:60] for l in found.splitlines() if TOKEN.encode() in l]}"
            assert result.of_type("python.import"), "no event has pip's arguments"
            assert TOKEN not in result.journal.read_text() and TOKEN not in result.err
        else:
            assert TOKEN.encode() in found, "the sweep finds nothing where nobody is guarded"
