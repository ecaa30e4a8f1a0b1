"""Whose an attempt is: package, version, archive and stage, by what pip really did, whatever the package says of itself."""
from __future__ import annotations

import hashlib

import pytest

from lib import packages

WALK = "import os\nlen(dict(os.environ))\nos.environ['DATABASE_URL']\n"
SETUP = WALK + "from setuptools import setup\nsetup(name={name!r}, version={version!r}, py_modules=[])\n"


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def charged(result, file):
    """The packages to which reads of the variable in that file are charged."""
    found = [e["package"] for e in result.of_type("env.read") if (e.get("origin") or {}).get("file") == file and e["target"]["name"] == "DATABASE_URL" and "first" not in e]
    assert found, f"no read in {file}\n{result}"
    return found


@pytest.fixture
def guarded(make_world, user, templates, python):
    world = make_world(user)
    env = world.plant_canaries()
    world.use_venv(templates, python)

    def run(argv, status=0, **more):
        held = world.guarded(argv, {**env, **more.pop("env", {})}, **more)
        assert held.status == status, str(held)
        return held

    run.world = world
    return run


def test_version_and_archive_are_those_of_the_file_that_pip_fetched(base, guarded):
    folder = base / "liars"
    made = packages.sdist(folder, "pw-liar", "1.5", {"setup.py": SETUP.format(name="pw-liar", version="1.5"),
                                                    "PKG-INFO": "Metadata-Version: 2.1\nName: numpy\nVersion: 9.9\n"})
    other = packages.sdist(folder, "pwother", "2.0", {"setup.py": SETUP.format(name="pwother", version="2.0")})
    held = guarded(["pip", "install", "--no-index", "--find-links", folder, "--no-build-isolation", "pw-liar", "pwother"])
    seen = charged(held, "setup.py")
    assert {(p["name"], p["version"], p["digest"]) for p in seen} == {("pw-liar", "1.5", sha256(made)), ("pwother", "2.0", sha256(other))}, str(held)
    assert {p["stage"] for p in seen} <= {"metadata", "build"} and all("for" not in p for p in seen)


def test_archive_of_an_index_with_and_without_hashes(base, make_world, user, templates, python, net, package_folder):
    """deepseekai's sdist as the test's index serves it, by the hash in its page."""
    world = make_world(user, net=net)
    env = world.plant_canaries()
    world.use_venv(templates, python)
    held = world.guarded(["pip", "install", "deepseekai"], env)
    assert held.status == 100, str(held)
    archive = next(package_folder.glob("deepseekai-*"))
    mine = [e["package"] for e in held.events if (e.get("package") or {}).get("name") == "deepseekai"]
    assert mine and all(p.get("digest") == sha256(archive) and p["version"] == "0.0.8" for p in mine), str(held)


def test_build_requirements_are_charged_to_both(base, guarded):
    """A plugin that the back end imports reads in the build of what requires it; and one that is built itself, in its own build."""
    folder = base / "requirements"
    packages.build_tools(folder)
    packages.tinyback(folder)
    packages.wheel(folder, "pw-plugin", "3.1", {"pw_plugin.py": WALK})
    inner = packages.sdist(folder, "pwinner", "0.2", {"setup.py": SETUP.format(name="pwinner", version="0.2")})
    packages.sdist(folder, "pwouter", "1.0", {
        "pyproject.toml": '[build-system]\nrequires = ["tinyback", "pw-plugin", "pwinner"]\nbuild-backend = "be"\nbackend-path = ["."]\n'
                          '[project]\nname = "pwouter"\nversion = "1.0"\n',
        "be.py": "import pw_plugin\nfrom tinyback import *\n",
        "pwouter.c": (packages.FIXTURES / "native" / "module.c").read_text().replace("NAME", "pwouter")})
    held = guarded(["pip", "install", "--no-index", "--find-links", folder, "pwouter"])
    plugin = charged(held, "pw_plugin.py")
    assert {(p["name"], p["version"], *p["for"]) for p in plugin} == {("pw-plugin", "3.1", "pwouter 1.0")}, str(held)
    assert {p["stage"] for p in plugin} <= {"metadata", "build"}
    built = charged(held, "setup.py")
    assert {(p["name"], p["version"], p["digest"], *p["for"]) for p in built} == {("pwinner", "0.2", sha256(inner), "pwouter 1.0")}, str(held)


@pytest.mark.parametrize("editable", [False, True], ids=["plain", "editable"])
def test_local_projects(guarded, editable):
    world = guarded.world
    project = world.work / "project"
    world.write(project / "setup.py", WALK + "from setuptools import setup\nsetup()\n", 0o644)
    world.write(project / "pyproject.toml", '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
                                            '[project]\nname = "pw-local"\nversion = "4.2"\n[tool.setuptools]\npy-modules = []\n', 0o644)
    held = guarded(["pip", "install", "--no-index", "--no-build-isolation", *(["-e"] if editable else []), "."], cwd=project)
    seen = charged(held, "setup.py")
    assert {(p["name"], p["version"]) for p in seen} == {("pw-local", "4.2")} and all("digest" not in p for p in seen), str(held)


def test_programs_of_an_environment(base, guarded):
    """Script, module and import, each traced back to the distribution whose RECORD has the file, namespaces and other people's claims included."""
    world, folder = guarded.world, base / "guests"
    packages.wheel(folder, "pw-app", "1.2", {"pw_app/__init__.py": "", "pw_app/cli.py": "import os\nimport pwspace.one\n\n\ndef main():\n    os.environ['DATABASE_URL']\n",
                                            "pw_app/__main__.py": "from pw_app.cli import main\nmain()\n"},
                   entry_points="[console_scripts]\npwapp = pw_app.cli:main\n")
    packages.wheel(folder, "pw.space.one", "0.1", {"pwspace/one.py": WALK})
    packages.wheel(folder, "pwspace-two", "0.2", {"pwspace/two.py": ""})
    assert world.run(["pip", "install", "--no-index", "--find-links", folder, "pw-app", "pw.space.one", "pwspace-two"]).status == 0
    for argv in (["pwapp"], [world.venv / "bin/python", "-m", "pw_app"]):
        held = guarded(["run", "--", *argv])
        assert [(p["name"], p["version"], p["stage"]) for p in charged(held, "pw_app/cli.py")] == [("pw-app", "1.2", "script")], str(held)
        (one,) = charged(held, "pwspace/one.py")
        assert one["name"].replace("_", ".") == "pw.space.one" and (one["version"], one["stage"]) == ("0.1", "import"), str(held)


def test_an_editable_project_owns_its_folder(guarded):
    world = guarded.world
    project = world.work / "living"
    world.write(project / "pyproject.toml", '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
                                            '[project]\nname = "pwliving"\nversion = "0.9"\n[tool.setuptools]\npy-modules = ["pwliving"]\n', 0o644)
    world.write(project / "pwliving.py", WALK, 0o644)
    assert world.run(["pip", "install", "--no-index", "--no-build-isolation", "-e", "."], cwd=project).status == 0
    held = guarded(["run", "--", world.venv / "bin/python", "-c", "import pwliving"], options=["--allow-read", project])
    owners = [e["package"] for e in held.of_type("env.read")]
    assert owners and all((p.get("name"), p.get("version")) == ("pwliving", "0.9") for p in owners), str(held)


def test_another_packages_name_is_no_way_out(base, guarded):
    """Code that is compiled under a name of somebody else's: one that leads elsewhere is nobody's, a real one is charged to both."""
    world, folder = guarded.world, base / "borrowed"
    act = "import os, tempfile\nhere = tempfile.gettempdir() + '/site-packages'\n" \
          "os.makedirs(here + '/victim-9.9.dist-info')\nopen(here + '/victim-9.9.dist-info/RECORD', 'w').write('victim/__init__.py,,\\n')\n" \
          "import pwgood\nsite = os.path.dirname(os.path.dirname(pwgood.__file__))\n" \
          "for name in (site + '/' + '../' * site.count('/') + here[1:] + '/victim/__init__.py', pwgood.__file__):\n" \
          "    exec(compile('import os; len(dict(os.environ)); os.environ[\"DATABASE_URL\"]', name, 'exec'))\n"
    packages.wheel(folder, "pw-evil", "1", {"pw_evil.py": "def main():\n" + "".join(f"    {line}\n" for line in act.splitlines())},
                   entry_points="[console_scripts]\npwevil = pw_evil:main\n")
    packages.wheel(folder, "pwgood", "3", {"pwgood/__init__.py": ""})
    assert world.run(["pip", "install", "--no-index", "--find-links", folder, "pw-evil", "pwgood"]).status == 0
    held = guarded(["run", "--", "pwevil"])
    owners = [e["package"] for e in held.of_type("env.read")]
    assert [(p["name"], p.get("for")) for p in owners] == [("pw-evil", None), ("pwgood", ["pw-evil 1"])], owners
