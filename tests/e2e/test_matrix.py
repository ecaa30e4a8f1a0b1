"""The matrix that stays green: {wheel, setup.py with a C extension, PEP 517 with isolation and a C extension} x {root, user} x
{the distribution's CPython, 3.13}.  A guarded pip and a plain pip work on twin venvs at the same path; what they leave, say
and return must be the same.  Notifications and the supervisor's CPU time are printed at the end of the module."""
from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest

from conftest import LESS, LESS_IDS
from lib.world import World, differences, normalise, snapshot

PACKAGES = {"wheel": "pwpure", "setup.py": "pwnative", "pep517": "pwisolated", "pep517-tiny": "pwtiny"}
_table: list[tuple] = []


@pytest.fixture(scope="module", autouse=True)
def _print_table(request):
    yield
    reporter = request.config.pluginmanager.getplugin("terminalreporter")
    reporter.write_line("")
    reporter.write_line(f"{'package':<12} {'user':<7} {'python':<13} {'hidden':<12} {'installer':>9} {'all notif.':>10} {'supervisor CPU':>15} "
                        f"{'plain':>7} {'guarded':>8}")
    for kind, user, python, hide, cost, plain, guarded in _table:
        cpu = cost.get("supervisor_cpu")
        reporter.write_line(f"{kind:<12} {user:<7} {python:<13} {hide or '-':<12} {cost.get('installer_notifications', '?'):>9} {cost.get('notifications', '?'):>10} "
                            f"{'?' if cpu is None else f'{cpu * 1000:.1f} ms':>15} {plain:>6.2f}s {guarded:>7.2f}s")


@pytest.fixture(scope="module")
def twin_of(base, pipwarden, templates, index, user_named):
    """twin_of(user, python, argv, hide): (plain, guarded, snapshot, snapshot).  One world a user and Python, so that the paths are the
    same and a plain run is made once."""
    worlds, known = {}, {}

    def make(user, python, argv, hide=""):
        key = (user.name, python.name)
        if key not in worlds:
            worlds[key] = World(Path(tempfile.mkdtemp(prefix="m", dir=base)), user, pipwarden, None, index.url)
        world = worlds[key]
        if (*key, *argv) not in known:
            known[(*key, *argv)] = one(world, templates, python, argv, False)
        world.hide = hide
        (plain, before), (held, after) = known[(*key, *argv)], one(world, templates, python, argv, True)
        world.hide = ""
        return world, (plain, held, before, after)

    yield make
    for world in worlds.values():
        shutil.rmtree(world.root, ignore_errors=True)


def one(world, templates, python, argv, guarded):
    """The command plainly or guarded, from a fresh venv and an empty cache."""
    world.use_venv(templates, python)
    result = (world.guarded if guarded else world.run)(argv)
    return result, snapshot(world.venv)


def twins(world, templates, python, argv):
    (plain, before), (held, after) = (one(world, templates, python, argv, guarded) for guarded in (False, True))
    return plain, held, before, after


def check_twins(plain, held, before, after):
    assert plain.status == 0, f"the plain run failed\n{plain}"
    assert held.status == plain.status, str(held)
    assert normalise(held.out) == normalise(plain.out)
    assert normalise(held.err) == normalise(plain.err), "pipwarden said something without need"
    assert differences(after, before) == []
    assert held.above("info") == []
    assert held.events and held.events[0]["type"] == "run.start" and held.end.get("exit_status") == 0
    assert [e["seq"] for e in held.events] == list(range(1, len(held.events) + 1))


@pytest.mark.parametrize("kind", PACKAGES)
def test_install(kind, user, python, twin_of):
    world, twin = twin_of(user, python, ["pip", "install", PACKAGES[kind]])
    _table.append((kind, user.name, python.name, "", twin[1].cost, twin[0].seconds, twin[1].seconds))
    check_twins(*twin)
    if kind != "wheel":
        assert world.run([world.venv / "bin/python", "-c", f"import {PACKAGES[kind]} as m; print(m.add(1, 2))"]).out == "3\n"
    if kind == "wheel":
        # pip's own; the programs that it asks about the machine (lsb_release and the like) run in sandboxes and are counted there
        assert 0 < twin[1].cost["installer_notifications"] <= 30


@pytest.mark.parametrize("hide,name", LESS, ids=LESS_IDS)
@pytest.mark.parametrize("kind", ["wheel", "setup.py", "pep517"])
def test_install_with_less(kind, name, hide, twin_of, user_named, distribution):
    """Item 6: the same with mechanisms hidden."""
    _, twin = twin_of(user_named(name), distribution, ["pip", "install", PACKAGES[kind]], hide)
    _table.append((kind, name, distribution.name, hide, twin[1].cost, twin[0].seconds, twin[1].seconds))
    check_twins(*twin)
    assert hide.split("=")[0] in str(twin[1].events[0]), "the switch is not in run.start: is this a -Dtest_switches=true build?"


@pytest.mark.parametrize("argv", [
    ["pip", "list"], ["pip", "freeze"], ["pip", "--version"], ["pip", "config", "list"], ["pip", "check"], ["pip", "show", "-f", "wheel"],
    ["python3", "-m", "pip", "list"], ["pip", "uninstall", "-y", "wheel"], ["pip", "download", "pwpure"], ["pip", "wheel", "pwnative"],
    ["pip", "install", "--quiet", "-r", "requirements.txt"], ["pip", "install", "--target", "there", "pwpure"], ["pip", "inspect"],
    ["pip", "install", "no-such-project-at-all"], ["pip", "no-such-command"]], ids=lambda a: " ".join(a))
def test_other_commands(argv, make_world, templates, distribution, index, user_named):
    world = make_world(user_named("user"), index=index)
    results = []
    for guarded in (False, True):
        shutil.rmtree(world.work)
        world.work.mkdir()
        world.own(world.work)
        world.write(world.work / "requirements.txt", "pwpure==1.0\n", 0o644)
        world.use_venv(templates, distribution)
        result = (world.guarded if guarded else world.run)(argv)
        results.append((result, snapshot(world.venv), {n: v for n, v in snapshot(world.work).items() if not n.endswith(".whl")},
                        sorted(p.name for p in world.work.iterdir())))
    plain, held = results
    assert held[0].status == plain[0].status, str(held[0])
    assert normalise(held[0].out) == normalise(plain[0].out)
    assert differences(held[1], plain[1]) == [] and differences(held[2], plain[2]) == [] and held[3] == plain[3]
    assert held[0].above("info") == []
