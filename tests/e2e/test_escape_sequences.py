"""What a build writes for the terminal: it arrives as without pipwarden, and is recorded; output itself is never changed."""
from __future__ import annotations

import re

import pytest

from lib import packages
from lib.index import Index

KINDS = ["clipboard", "keys", "query", "reset", "screen", "title"]
SETUP = r"""
import os, sys
sys.stdout.write("\x1b]0;a title\x1b\\ \x1b]52;c;cHduZWQ=\x1b\\ MARK-OUT \x1b[6n \x1bP0|17/6c73\x1b\\ \x1b[?1049h \x1bc\n")
sys.stdout.flush()
if "bdist_wheel" in sys.argv:
    os.write(2, b"MARK-ERR\n")
    for i in range(20000):
        os.write(1, b"%06d %s\n" % (i, b"x" * 40))
    os.write(1, "\u00e9\u4e2d\udc9b".encode("utf-8", "surrogateescape") + b"\nMARK-LAST")
from setuptools import setup
setup(name="pwescapes", version="1.0")
"""
LAST = r"""
import os, sys
from setuptools import setup
setup(name="pwlast", version="1.0")
if "bdist_wheel" in sys.argv:
    os.write(1, b"x" * 30000 + b"\x1b]0;a title\x1b\\ \x1b]52;c;cHduZWQ=\x1b\\ \x1b[6n \x1bP0|17/6c73\x1b\\ \x1b[?1049h \x1bc\n")
    os._exit(0)
"""
QUIET = """
import sys
sys.stdout.write("\\x1b[1;31mred\\x1b[0m \\x1b[2K\\x1b]8;;https://example.org/\\x1b\\\\link\\x1b]8;;\\x1b\\\\ \\x1b[?25l\\n")
from setuptools import setup
setup(name="pwcolours", version="1.0")
"""


@pytest.fixture(scope="module")
def escapes_index(base):
    folder = base / "escapes-index"
    packages.build_tools(folder)
    packages.sdist(folder, "pwescapes", "1.0", {"setup.py": SETUP})
    packages.sdist(folder, "pwlast", "1.0", {"setup.py": LAST})
    packages.sdist(folder, "pwcolours", "1.0", {"setup.py": QUIET})
    with Index(folder) as running:
        yield running


def essence(text):
    """Lines of the build's own, without what differs between any two runs."""
    return re.findall(r".*(?:MARK|\d{6} x+).*", text)


@pytest.mark.parametrize("user", ["user"], indirect=True)
def test_they_arrive_and_are_recorded(make_world, user, escapes_index, templates, distribution):
    world = make_world(user, index=escapes_index)
    world.use_venv(templates, distribution)
    command = ["pip", "install", "-v", "--no-build-isolation", "--no-cache-dir", "pwescapes"]
    plain = world.run(command)
    world.use_venv(templates, distribution)
    held = world.guarded(command)
    assert plain.status == held.status == 0, str(held)
    lines = essence(plain.out + plain.err)
    assert len(lines) >= 20003 and essence(held.out + held.err) == lines, str(held)
    seen = held.of_type("terminal.write")
    assert sorted({e["target"]["name"] for e in seen}) == KINDS, str(held)
    assert all(e["rule"] == "terminal.escape" and e["action"] == "allowed" and e["severity"] == "low" and e["package"]["name"] == "pwescapes" and
               e["role"] == "build" for e in seen), str(held)
    assert held.above("low") == [], str(held)


@pytest.mark.parametrize("user", ["user"], indirect=True)
def test_in_its_last_words(make_world, user, escapes_index, templates, distribution):
    """What is found in them is told while the build's end is: neither is lost."""
    world = make_world(user, index=escapes_index)
    for _ in range(12):
        world.use_venv(templates, distribution)
        held = world.guarded(["pip", "install", "--no-build-isolation", "--no-cache-dir", "pwlast"])
        assert held.status == 0 and sorted({e["target"]["name"] for e in held.of_type("terminal.write")}) == KINDS, str(held)[-3000:]


@pytest.mark.parametrize("user", ["user"], indirect=True)
def test_colours_are_nothing(make_world, user, escapes_index, templates, distribution):
    world = make_world(user, index=escapes_index)
    world.use_venv(templates, distribution)
    held = world.guarded(["pip", "install", "-v", "--no-build-isolation", "pwcolours"])
    assert held.status == 0 and not held.above("info") and not held.of_type("terminal.write"), str(held)
