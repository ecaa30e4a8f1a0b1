"""The packages of the rows: sdists with a back end of their own (one process a hook), with setup.py where a row is about that, and wheels."""
from __future__ import annotations

import json
import subprocess
import textwrap
import zipfile
from pathlib import Path

from lib import packages

from .kit import Row

HERE = Path(__file__).resolve().parent
VERSION = "1.0"

PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "pwback"\nbackend-path = ["."]\n'

RUN = '''
import traceback
import pwkit

def run():
    print("PWRAN:" + pwkit.target("id"), flush=True)
    try:
        import pwact
    except BaseException:
        traceback.print_exc()
'''

BACKEND = RUN + '''
import os, zipfile

NAME, MODULE, STAGE, VERSION = %(name)r, %(module)r, %(stage)r, %(version)r
INFO = "%%s-%%s.dist-info" %% (MODULE, VERSION)
METADATA = "Metadata-Version: 2.1\\nName: %%s\\nVersion: %%s\\n" %% (NAME, VERSION)

def prepare_metadata_for_build_wheel(folder, config_settings=None):
    if STAGE == "metadata":
        run()
    os.makedirs(os.path.join(folder, INFO))
    with open(os.path.join(folder, INFO, "METADATA"), "w") as f:
        f.write(METADATA)
    return INFO

def build_wheel(folder, config_settings=None, metadata_directory=None):
    if STAGE != "metadata":
        run()
    filename = "%%s-%%s-py3-none-any.whl" %% (MODULE, VERSION)
    files = {MODULE + ".py": "", INFO + "/METADATA": METADATA,
             INFO + "/WHEEL": "Wheel-Version: 1.0\\nGenerator: pwback\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"}
    files[INFO + "/RECORD"] = "".join(n + ",,\\n" for n in files) + INFO + "/RECORD,,\\n"
    with zipfile.ZipFile(os.path.join(folder, filename), "w") as z:
        for name, text in files.items():
            z.writestr(name, text)
    return filename
'''

# The act stands in setup.py itself, where the replicated ones had it.
SETUP_TOP = '''import sys, traceback
if %(word)r in sys.argv:
    import pwkit
    print("PWRAN:" + pwkit.target("id"), flush=True)
    try:
%(act)s
    except BaseException:
        traceback.print_exc()
from setuptools import setup
setup(name=%(name)r, version=%(version)r, py_modules=[])
'''

SETUP_COMMANDS = RUN + '''
from setuptools import setup
from setuptools.command.develop import develop
from setuptools.command.install import install

class Install(install):
    def run(self):
        install.run(self)
        run()

class Develop(develop):
    def run(self):
        develop.run(self)
        run()

setup(name=%(name)r, version=%(version)r, py_modules=[], cmdclass={"install": Install, "develop": Develop})
'''

MODULE = '''import os as _os, sys as _sys; _sys.path.insert(0, _os.path.dirname(_os.path.abspath(__file__))); import pwkit as _pwkit
print("PWRAN:" + _pwkit.target("id"), flush=True)
'''


def compile_native(folder: Path) -> Path:
    """native.c and native/*.c as a static program and as a library."""
    sources = [HERE / "native.c", *sorted((HERE / "native").glob("*.c")), packages.FIXTURES / "bypass/bypass.c"]
    common = ["cc", "-std=gnu11", "-D_GNU_SOURCE", "-DBYPASS_PART", "-O1", "-Wall", "-Wextra", "-Wno-unused-function", "-s", "-pthread"]
    folder.mkdir(parents=True, exist_ok=True)
    for more, name in ((["-static"], "pwnative"), (["-shared", "-fPIC", "-fvisibility=hidden"], "pwnative.so")):
        subprocess.run([*common, *more, "-o", folder / name, *sources], check=True, timeout=120)
    return folder


def _kit(row: Row, targets: dict, native: Path) -> packages.Files:
    """What lies beside each act."""
    files: packages.Files = {"pwkit.py": (HERE / "pwkit.py").read_bytes(), "targets.json": json.dumps(targets),
                             "targets.txt": "".join(f"{k} {v}\n" for k, v in targets.items() if "\n" not in str(v))}
    if row.native:
        files.update({n: (native / n).read_bytes() for n in ("pwnative", "pwnative.so")})
    return files


def _act(row: Row) -> str:
    return row.act or ("import pwkit\npwkit.native()\n" if row.native else "")


def sdist(folder: Path, row: Row, targets: dict, native: Path) -> Path:
    words = {"name": row.package, "module": row.module, "stage": row.stage, "version": VERSION, "act": textwrap.indent(_act(row), "        "),
             "word": "egg_info" if row.stage == "metadata" else "bdist_wheel"}
    files = {**_kit(row, targets, native), **row.files}
    if row.stage == "install":
        files.update({"setup.py": SETUP_COMMANDS % words, "pwact.py": _act(row)})
    elif row.legacy:
        files["setup.py"] = SETUP_TOP % words
    else:
        files.update({"pyproject.toml": PYPROJECT, "pwback.py": BACKEND % words, "pwact.py": _act(row)})
    return packages.sdist(folder, row.package, VERSION, {**files, **{n: c for n, c in row.files.items() if n in files}})


def wheel(folder: Path, row: Row, targets: dict, native: Path) -> Path:
    """A module with the act in it, the row's own files, a console command for `script`, a .pth for `next` that has none."""
    files, data = {}, {}
    for name, content in {**row.files, **targets.pop("files", {})}.items():
        (data if name.startswith("DATA/") else files)[name.removeprefix("DATA/")] = content
    points = ""
    if _act(row):
        body = _act(row)
        if row.stage == "script":
            body = "def main():\n" + textwrap.indent(body, "    ") + "\n"
            points = f"[console_scripts]\n{row.script or row.package} = {row.module}:main\n"
        if row.stage == "next" and not any(n.endswith(".pth") for n in files):
            files[f"{row.module}.pth"] = f"import {row.module}\n"
        files = {f"{row.module}/__init__.py": MODULE + body, **{f"{row.module}/{n}": c for n, c in _kit(row, targets, native).items()}, **files}
    return packages.wheel(folder, row.package, VERSION, files, entry_points=points, requires=row.requires, data=data)


def build(folder: Path, row: Row, targets: dict, native: Path) -> Path:
    made = (sdist if row.stage in ("metadata", "build", "install", "after") else wheel)(folder, row, targets, native)
    made.chmod(0o644)
    return made


def honest(folder: Path, native: Path) -> Path:
    """pwfix-honest, for commands that need something to build."""
    return build(folder, Row("HONEST", "an honest package", "build", "pass"), {"id": "HONEST"}, native)


def place(archive: Path, venv: Path, own) -> None:
    """As `pip install` of that wheel would: for commands that are about what was installed before."""
    site = next((venv / "lib").glob("python3*")) / "site-packages"
    with zipfile.ZipFile(archive) as z:
        z.extractall(site)
        points = next((z.read(n).decode() for n in z.namelist() if n.endswith("entry_points.txt")), "")
        tops = {n.split("/")[0] for n in z.namelist()}
    for top in tops:
        own(site / top)
    for program in site.glob("*/pwnative"):
        program.chmod(0o755)
    for line in points.splitlines():
        command, _, where = line.partition(" = ")
        if where:
            module, _, function = where.partition(":")
            script = venv / "bin" / command
            script.write_text(f"#!{venv}/bin/python\nimport sys\nfrom {module} import {function}\nsys.exit({function}())\n")
            script.chmod(0o755)
            own(script)


def environment_name(row: Row) -> str:
    return row.module.upper() + "_TOKEN"
