"""Item 2: real packages from the real index, guarded and plain into twin venvs."""
from __future__ import annotations

import pytest

from test_matrix import check_twins, twins

pytestmark = pytest.mark.online

WHEELS = ["requests", "numpy"]
SOURCES = ["markupsafe", "pyyaml", "simplejson", "cffi"]


def compare(world, templates, python, argv):
    plain, held, before, after = twins(world, templates, python, argv)
    if plain.status != 0:
        pytest.fail(f"plain pip cannot do this here: no network, or a missing library\n{plain}")
    for snapshot in (before, after):  # C sources are compiled in a temporary folder whose name is in the debug information
        for name, value in snapshot.items():
            if name.endswith(".so"):
                snapshot[name] = (value[0], b"")
    # Size and hash of a wheel that was built depend on the time of day.
    check_twins(plain, held, *({n: v for n, v in s.items() if not (n.endswith("/RECORD") and "--no-binary" in argv)} for s in (before, after)))


@pytest.mark.parametrize("project", WHEELS)
def test_wheels(project, user, python, make_world, templates):
    compare(make_world(user), templates, python, ["pip", "install", project])


@pytest.mark.parametrize("project", SOURCES)
def test_sources(project, user, make_world, templates, distribution):
    compare(make_world(user), templates, distribution, ["pip", "install", "--no-binary", project, project])


def test_denied_names_are_denied_beside_the_index(make_world, user_named, templates, distribution):
    world = make_world(user_named("user"))
    world.use_venv(templates, distribution)
    held = world.guarded(["run", "--", "python3", "-c", "import urllib.request; urllib.request.urlopen('https://webhook.site/', timeout=5)"])
    assert held.status == 100 and any(e.get("severity") == "critical" for e in held.events), str(held)
