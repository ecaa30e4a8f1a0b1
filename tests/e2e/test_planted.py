"""What the build of a local project leaves behind for others: for the tools that its user starts later in that folder, and for pip itself."""
from __future__ import annotations

import json
import os
import shutil

import pytest

from test_local import in_tree, put

# Each attempt says by its name what came of it, in a file of the project.
BACKEND = r'''
import json, os, sysconfig
from tinyback import *
from tinyback import build_wheel as honest
from tinyback import prepare_metadata_for_build_wheel as honest_metadata

done = {}

def attempt(name, call):
    try:
        call()
        done[name] = "done"
    except OSError as error:
        done[name] = error.strerror

def append(path):
    with open(path, "a") as f:
        f.write("evil\n")

def write(path, text="x"):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)

def read(path):
    with open(path) as f:
        done["read " + path] = f.read()

def prepare_metadata_for_build_wheel(*a, **k):
    write("build/own/pyvenv.cfg")
    return honest_metadata(*a, **k)

def build_wheel(*a, **k):
    exec(compile(open("backend/attack").read(), "attack", "exec"), globals())
    with open("done.json", "w") as f:
        json.dump(done, f)
    return honest(*a, **k)
'''

# core.fsmonitor is a program that `git status`, and so many a prompt, runs.
ATTACK = r'''
def repository():
    write("docs/objects/x"); write("docs/refs/heads/.x")
    write("docs/config", "[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = .\n\tfsmonitor = \"touch %s/ran; false\"\n" % os.getcwd())
    write("docs/HEAD", "ref: refs/heads/main\n")

attempt("repository", repository)
attempt("start-up code", lambda: write(".venv/lib/python3/site-packages/evil.pth"))
attempt("activate", lambda: append(".venv/bin/activate"))
attempt("hook", lambda: append("tools/pre-commit"))
attempt("hooks path", lambda: write("scripts/hooks/post-checkout"))
attempt("included", lambda: append("gitconfig"))
attempt("filter", lambda: append("tools/clean"))
attempt("tasks", lambda: write("conf/editor/tasks.json"))
attempt("replaced", lambda: (os.rename("tools", "other"), os.rename("other", "tools")))
attempt("alias", lambda: os.link("tools/pre-commit", "alias"))
attempt("output", lambda: os.symlink("/etc/passwd", "out/name"))
attempt("cache", lambda: write(".cache/pip/wheels/aa/other.whl"))
attempt("wheels", lambda: append("wheels/other-1.0-py3-none-any.whl"))
attempt("secret", lambda: read("env/dev.env"))
# honest
attempt("own", lambda: (append("build/own/pyvenv.cfg"), append("tools/other"), write("src/HEADER"), write("build/lib/x/HEAD")))
attempt("look", lambda: (os.listdir(".venv/bin"), read(".venv/bin/activate"), read("tools/pre-commit")))
'''
HONEST = {"own", "look"}


def hostile(world, attack) -> None:
    put(world, world.work, {
        **in_tree("pwlocal"), "backend/evil.py": BACKEND, "backend/attack": attack, ".git/HEAD": "ref: refs/heads/main\n",
        ".git/config": "[core]\n\thooksPath = \"scripts/hooks\" ; ours\n[include]\n\tpath=../gitconfig\n[filter \"x\"]\n\tclean = sh tools/clean %f\n",
        "gitconfig": "", "tools/clean": "", ".git/objects/x": "", ".git/refs/x": "", ".git/hooks/x.sample": "",
        "scripts/hooks/pre-push": "#!/bin/sh\n", "tools/pre-commit": "#!/bin/sh\n", "tools/other": "", "conf/editor/settings.json": "{}", "wheels/other-1.0-py3-none-any.whl": "", "out/old": "",
        "env/dev.env": "TOKEN=canary0of0the0linked0env\n", ".venv/pyvenv.cfg": "home = /usr/bin\n", ".venv/bin/activate": "# mine\n"})
    toml = world.work / "pyproject.toml"
    toml.write_text(toml.read_text().replace('build-backend = "tinyback"', 'build-backend = "evil"'))
    for link, target in ((".git/hooks/pre-commit", "../../tools/pre-commit"), (".vscode", "conf/editor"), (".env", "env/dev.env")):
        os.symlink(target, world.work / link)
    world.own_tree(world.work)


@pytest.mark.parametrize("hide,name", [("", "root"), ("namespaces landlock=1".replace(" ", ","), "user")])
def test_what_other_tools_run(hide, name, user_named, make_world, templates, distribution, index):
    world = make_world(user_named(name), index=index, hide=hide)
    git = {"GIT_CONFIG_GLOBAL": "/dev/null"}
    cache = {"XDG_CACHE_HOME": str(world.work / ".cache")}  # as CI has it, to keep it from run to run
    for guarded in (False, True):
        shutil.rmtree(world.work)
        world.work.mkdir()
        hostile(world, ATTACK)
        world.use_venv(templates, distribution)
        run = (lambda a: world.guarded(a, cache, options=["--on-violation", "deny"])) if guarded else (lambda a: world.run(a, cache))
        result = run(["pip", "install", "--find-links", "wheels", "--src", "out", "."])
        done = json.loads((world.work / "done.json").read_text())
        said = world.run(["git", "-C", world.work / "docs", "status"], git)
        ran = (world.work / "ran").exists()
        if not guarded:
            assert ran and {d for n, d in done.items() if not n.startswith("read")} == {"done"}, f"{done}\n{said}\n{result}"
    assert not ran, "the planted repository's configuration was obeyed"
    assert {n for n, d in done.items() if d == "done"} == HONEST, f"{done}\n{result}"
    assert (world.work / "tools/pre-commit").read_text() == "#!/bin/sh\n" and "canary0of0the0linked0env" not in (world.work / "done.json").read_text()
    assert {p.name for p in (world.work / ".venv/bin").iterdir()} == {"activate"} and not list(world.work.rglob("*.pth"))
    assert result.status == 100 and (world.site_packages() / "pwlocal-1.0.dist-info").is_dir(), str(result)


LINK = r'''
tag = "cp%s-none-%s" % (sysconfig.get_config_var("py_version_nodot"), sysconfig.get_platform().replace("-", "_").replace(".", "_"))
os.symlink(open("victim").read(), "pwlocal-1.0-%s.whl" % tag)
'''


def test_pip_writes_through_no_link_of_a_build(user_named, make_world, templates, distribution, index):
    """`pip wheel .` puts the wheel where the build has worked: a link there to a wheel in pip's cache would replace that."""
    world = make_world(user_named("user"), index=index)
    victim = world.home / ".cache/pip/wheels/aa/victim.whl"
    for guarded in (False, True):
        shutil.rmtree(world.work)
        world.work.mkdir()
        hostile(world, LINK)
        world.use_venv(templates, distribution)
        world.write(victim, "another package's")
        world.write(world.work / "victim", str(victim), 0o644)
        result = (world.guarded if guarded else world.run)(["pip", "wheel", "."])
        if not guarded:
            assert victim.read_bytes()[:2] == b"PK", f"the attack is none\n{result}"
    assert victim.read_text() == "another package's", str(result)
    assert result.status != 0 and [e for e in result.events if e.get("rule") == "file.link.planted"], str(result)
    # A link of the user's own is followed as ever.
    kept = world.write(world.root / "kept.whl", "")
    wheel, = (p for p in world.work.glob("*.whl"))
    wheel.unlink()
    wheel.symlink_to(kept)
    (world.work / "backend/attack").write_text("")
    result = world.guarded(["pip", "wheel", "."], options=["--allow-write", f"installer:{kept}"])
    assert result.status == 0 and kept.read_bytes()[:2] == b"PK" and result.above("info") == [], str(result)
    # And where the output is a folder that the build works in, it goes on to.
    (world.work / "backend/attack").write_text('write("build/lib/again")\n')
    result = world.guarded(["pip", "wheel", "-w", "build", "."])
    assert result.status == 0 and list((world.work / "build").glob("*.whl")) and (world.work / "build/lib/again").exists(), str(result)
    assert result.above("info") == [], str(result)
