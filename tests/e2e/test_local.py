"""Local projects: `pip install .`, `-e .`, paths and file: URLs.  The project's folder is served: its build works there as plainly, and reads no
secret of it, leaves `.git`, CI and editor configuration alone."""
from __future__ import annotations

import os
import shutil

import pytest

from lib import packages
from lib.world import differences, normalise, snapshot

PROJECT = '[project]\nname = "pwlocal"\nversion = "1.0"\n'
SETUPTOOLS = '[build-system]\nrequires = ["setuptools", "wheel"]\nbuild-backend = "setuptools.build_meta"\n'
ENV = "SECRET_OF_THE_PROJECT=canary0of0the0project0env\n"


def in_tree(name: str) -> packages.Files:
    """A back end of the project's own."""
    source = (packages.FIXTURES / "tinyback" / "tinyback.py").read_text()
    return {"pyproject.toml": f'[build-system]\nrequires = []\nbuild-backend = "tinyback"\nbackend-path = ["backend"]\n[project]\nname = "{name}"\nversion = "1.0"\n',
            "backend/tinyback.py": source, f"{name}.c": (packages.FIXTURES / "native" / "module.c").read_text().replace("NAME", name)}


def put(world, folder, files) -> None:
    for name, content in files.items():
        world.write(folder / name, content, 0o755 if content[:2] in ("#!", b"#!") else 0o644)


@pytest.fixture(scope="module")
def twin(base, pipwarden, templates, index):
    """twin(world, python, files, argv): the same command plainly and guarded, on fresh copies of the project at the same path; guarded once
    for each mechanism that is hidden."""
    def run(world, python, files, argv, hides=None):
        results = []
        for hide in (None, *(hides or [world.hide])):
            world.hide = hide
            shutil.rmtree(world.work)
            world.work.mkdir()
            world.own(world.work)
            put(world, world.work, files)
            world.use_venv(templates, python)
            result = (world.run if hide is None else world.guarded)([a.replace("~WORK~", str(world.work)) for a in argv])
            results.append((result, snapshot(world.venv), snapshot(world.work)))
        return results
    return run


def check(results):
    (plain, plain_venv, plain_work), (held, held_venv, held_work) = results
    assert plain.status == 0, f"the plain run failed\n{plain}"
    assert held.status == 0, str(held)
    assert normalise(held.out) == normalise(plain.out)
    assert normalise(held.err) == normalise(plain.err)
    assert differences(held_venv, plain_venv) == []
    assert differences(held_work, plain_work) == []
    assert held.above("info") == [], str(held)


KINDS = {"setup.py": packages.native_project("pwlocal", pyproject=False), "pep517": packages.native_project("pwlocal", pyproject=True),
         "in-tree": in_tree("pwlocal")}


@pytest.mark.parametrize("kind", KINDS)
def test_install(kind, user, make_world, distribution, index, twin):
    world = make_world(user, index=index)
    results = twin(world, distribution, KINDS[kind], ["pip", "install", "."])
    check(results)
    assert world.run([world.venv / "bin/python", "-c", "import pwlocal as m; print(m.add(1, 2))"], cwd="/").out == "3\n"


def test_editable_and_requirement_files(user, make_world, distribution, index, twin):
    world = make_world(user, index=index)
    files = {f"sub/{k}": v for k, v in in_tree("pwlocal").items()} | {"r.txt": "-r deeper/r.txt\n", "deeper/r.txt": "./sub\n"}
    check(twin(world, distribution, files, ["pip", "install", "-r", "r.txt"]))
    files = {"pyproject.toml": SETUPTOOLS + PROJECT + '[tool.setuptools]\npackages = ["pwlocal"]\n', "pwlocal/__init__.py": "x = 1\n"}
    (plain, _, _), (held, _, _) = twin(world, distribution, files, ["pip", "install", "-e", "."])
    assert plain.status == held.status == 0, f"{plain}\n{held}"
    assert held.above("info") == [], str(held)
    assert world.run([world.venv / "bin/python", "-c", "import pwlocal; print(pwlocal.__file__)"], cwd="/").out == f"{world.work}/pwlocal/__init__.py\n"


def test_develop(user, make_world, distribution, index, twin):
    """Without a back end `setup.py develop` makes an editable install: the same files as plainly, which pip takes away again."""
    world = make_world(user, index=index)
    check(twin(world, distribution, KINDS["setup.py"], ["pip", "install", "-e", "."]))
    assert world.run(["pwlocal"], cwd="/").out == "3\n" and world.run(["pwlocal-script"], cwd="/").out == "4\n"
    listed = world.guarded(["pip", "list", "--editable"])
    assert f"pwlocal 1.0     {world.work}" in listed.out, str(listed)
    gone = world.guarded(["pip", "uninstall", "-y", "pwlocal"])
    assert gone.status == 0 and not gone.above("info"), str(gone)
    assert not (world.venv / "bin/pwlocal").exists() and not list(world.site_packages().glob("*.egg-link"))
    assert str(world.work) not in (world.site_packages() / "easy-install.pth").read_text()


# Each plants in the environment what belongs to others; OUT and BIN are where its own link and scripts go.
PLANTS = {
    "pip": "open(BIN + '/pip', 'w').write('#!/bin/sh\\necho evil\\n')",
    "code in easy-install.pth": "open(OUT + '/easy-install.pth', 'a').write('import evil\\n')",
    "directly": "open(SITE + '/direct.pth', 'w').write('import evil\\n')",
}
DEVELOP = """
from setuptools import setup
from setuptools.command.develop import develop

SITE = {site!r}

class evil(develop):
    def run(self):
        develop.run(self)
        OUT, BIN = self.install_dir, self.script_dir
        try:
            {plant}
        except OSError:
            pass

setup(name="pwlocal", version="1.0", cmdclass={{"develop": evil}})
"""


@pytest.mark.parametrize("plant", PLANTS)
def test_hostile_develop(plant, user_named, make_world, templates, distribution, index):
    world = make_world(user_named("user"), index=index)
    changed = []
    for guarded in (False, True):
        world.use_venv(templates, distribution)
        site = world.site_packages()
        put(world, world.work, {"setup.py": DEVELOP.format(site=str(site), plant=PLANTS[plant])})
        before = snapshot(world.venv)
        result = (world.guarded if guarded else world.run)(["pip", "install", "-e", "."])
        own = {f"{site.relative_to(world.venv)}/{name}" for name in ("pwlocal.egg-link", "easy-install.pth")}
        changed.append([line for line in differences(snapshot(world.venv), before) if line.split(": ")[0] not in own
                        or "easy-install" in line and "evil" in (site / "easy-install.pth").read_text()])
    assert changed[0], f"the plain run plants nothing\n{result}"
    assert changed[1] == [], f"{changed[1]}\n{result}"
    assert result.status == 100 and any(e.get("rule") == "file.write.environment" for e in result.events), str(result)


# Each line reads what it may not, or plants what it may not; what came of it is written into the project.
EVIL = r'''
import os
from tinyback import *
from tinyback import build_wheel as honest

def attempt(call):
    try:
        call()
    except OSError:
        pass

def build_wheel(*a, **k):
    loot = []
    def read(path):
        attempt(lambda: loot.append(open(path, errors="replace").read()))
    for path in (".env", ".git/config", "data.txt", "notes", "sub/../.env"):
        read(path)
    def moved():
        os.rename(".env", "free"); read("free"); os.rename("free", ".env")
    def linked():
        os.link(".env", "alias"); read("alias")
    attempt(moved)
    attempt(linked)
    attempt(lambda: os.chmod(".env", 0o777))
    attempt(lambda: open(".git/hooks/post-checkout", "w").write("evil"))
    attempt(lambda: open(".github/workflows/evil.yml", "w").write("evil"))
    attempt(lambda: open(".vscode/tasks.json", "w").write("evil"))
    def carried():
        os.makedirs("carry/.git/hooks"); os.rename("carry", "carried")
    attempt(carried)
    open("loot.txt", "w").write("\n".join(loot))
    return honest(*a, **k)
'''


def hostile(world):
    put(world, world.work, {**in_tree("pwlocal"), "backend/evil.py": EVIL, ".env": ENV, ".git/HEAD": "ref: refs/heads/main\n",
                            ".git/hooks/readme": "", ".github/workflows/ci.yml": "on: push\n", ".vscode/settings.json": "{}\n",
                            ".git/config": '[remote "origin"]\n\turl = https://me:canary0of0the0remote0@host.invalid/x\n'})
    toml = world.work / "pyproject.toml"
    toml.write_text(toml.read_text().replace('build-backend = "tinyback"', 'build-backend = "evil"'))
    world.plant_canaries()
    os.symlink(world.home / ".ssh/id_ed25519", world.work / "notes")
    os.link(world.home / ".ssh/id_ed25519", world.work / "data.txt")
    world.own_tree(world.work)


def installs(world, prepare, templates, distribution):
    """(guarded, result) of `pip install .`, plainly and then guarded, each in a project that was made anew."""
    argv = ["pip", "install", "."]
    for guarded in (False, True):
        shutil.rmtree(world.work)
        world.work.mkdir()
        prepare(world)
        world.use_venv(templates, distribution)
        yield guarded, world.guarded(argv, options=["--on-violation", "deny"]) if guarded else world.run(argv)


@pytest.mark.parametrize("hide,name", [("", "root"), ("", "user"), ("landlock=1", "user"), ("landlock=3", "root"), ("namespaces", "user")])
def test_hostile_build_of_the_project(hide, name, user_named, make_world, templates, distribution, index):
    world = make_world(user_named(name), index=index, hide=hide)
    planted = [".git/hooks/post-checkout", ".github/workflows/evil.yml", ".vscode/tasks.json", "carried"]
    secrets = ["canary0of0the0project0env", "canary0of0the0remote0", "OPENSSH"]
    for guarded, result in installs(world, hostile, templates, distribution):
        loot = (world.work / "loot.txt").read_text()
        if not guarded:
            assert result.status == 0 and all(s in loot for s in secrets) and all((world.work / p).exists() for p in planted), f"{loot}\n{result}"
    assert not any(s in loot for s in secrets), f"{loot}\n{result}"
    assert "host.invalid/x" in loot, "the repository's configuration itself could not be read"
    assert not [p for p in planted if (world.work / p).exists()], str(result)
    assert (world.work / ".env").read_text() == ENV and (world.work / ".env").stat().st_mode & 0o777 == 0o644
    assert result.status == 100 and all(s not in result.err + result.journal.read_text() for s in secrets), str(result)
    assert {e["rule"] for e in result.events if e.get("rule", "").startswith("file.p")} >= {"file.persistence.project-git"}


GIT = r'''
from tinyback import *
from tinyback import build_wheel as honest

def build_wheel(*a, **k):
    said = [subprocess.run(["git", *argv.split()], capture_output=True, text=True) for argv in (
        "describe --tags --dirty", "rev-parse --show-toplevel", "log --oneline", "status --porcelain", "ls-files", "archive --format=tar -o /dev/null HEAD")]
    open("said.txt", "w").write("\n".join(f"{s.returncode} {s.stdout}{s.stderr}" for s in said))
    return honest(*a, **k)
'''


@pytest.mark.parametrize("name", ["root", "user"])
def test_git_in_the_project(name, user_named, make_world, templates, distribution, index):
    """What version tools ask of git is answered as plainly."""
    world = make_world(user_named(name), index=index)
    env = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b.invalid", "GIT_COMMITTER_NAME": "a",
           "GIT_COMMITTER_EMAIL": "a@b.invalid"}
    put(world, world.work, {**in_tree("pwlocal"), "backend/ask.py": GIT})
    toml = world.work / "pyproject.toml"
    toml.write_text(toml.read_text().replace('build-backend = "tinyback"', 'build-backend = "ask"'))
    for argv in ("init -q", "add .", "commit -q -m one", "tag v1.5", "config remote.origin.url https://me:secretsecret@host.invalid/x"):
        done = world.run(["git", *argv.split()], env)
        assert done.status == 0, str(done)
    said = []
    for guarded in (False, True):
        world.write(world.work / "pwlocal.c", (world.work / "pwlocal.c").read_text(), 0o644)  # git has to look at it again
        world.use_venv(templates, distribution)
        result = (world.guarded if guarded else world.run)(["pip", "install", "."])
        assert result.status == 0, str(result)
        said.append((world.work / "said.txt").read_text())
        for left in (world.work / "said.txt", *world.work.glob("*.so")):
            left.unlink()
        shutil.rmtree(world.work / "backend/__pycache__", ignore_errors=True)
    assert said[0] == said[1] and said[0].startswith("0 v1.5"), "\n".join(said)
    assert result.above("info") == [], str(result)
