"""H: what pip trusts: itself, the environment, its caches, the folders of other packages (TA).

What a wheel brings is placed by pip, and judged after the install (test_install_findings.py): names that shadow commands, files of two
owners, files that no sdist had.  Here it must do nothing to the pip that installs it, nor to the next one."""
from __future__ import annotations

import io
import tarfile

from lib import packages

from ..kit import Event, Row, call, file, output, sink
from .programs import OUTSIDE

SEALED = Event("install.pip-modified", "file.write", severity="critical")


def written(rule: str, *paths: str, severity: str = "high") -> tuple[Event, ...]:
    return tuple(Event(rule, "file.write", {"path": path}, severity=severity) for path in paths)


def pip_info(world) -> str:
    return next(world.site_packages().glob("pip-*.dist-info")).name


# --- what setups plant

def project(world, row):
    for name in ("requirements.txt", "poetry.lock", "pyproject.toml"):
        world.write(world.work / name, "# the user's own\n", 0o644)


def cache(world, row):
    """As an earlier pip left it: a page that it has cached, a wheel that it has built."""
    return {"page": str(world.write(world.home / ".cache/pip/http/1/2/3/page", "cached\n")),
            "wheels": str(world.write(world.home / ".cache/pip/wheels/aa/bb/cc/dd/known-1.0-py3-none-any.whl", "cached\n").parent)}


def crafted(world, row):
    """TA-11: an sdist whose link leads into the home, and a member behind it.  pip takes the sdist: there is no other file of that version."""
    path = world.packages / "pwfix-ta11-tar-1.0.tar.gz"
    base = "pwfix-ta11-tar-1.0"
    setup = b"from setuptools import setup\nsetup(name='pwfix-ta11-tar', version='1.0', py_modules=[])\n"

    def member(name, kind=tarfile.REGTYPE, content=b"", link="", mode=0o644):
        entry = tarfile.TarInfo(f"{base}/{name}")
        entry.type, entry.size, entry.linkname, entry.mode = kind, len(content), link, mode
        return entry, io.BytesIO(content)

    with tarfile.open(path, "w:gz") as tar:
        for entry, content in (member("setup.py", content=setup), member("a", tarfile.SYMTYPE, link=str(world.home)),
                               member("a/.bashrc", content=world.canary(row).encode()), member("b", tarfile.LNKTYPE, link=str(world.home / ".netrc")),
                               member("c", tarfile.FIFOTYPE), member("d", content=b"x", mode=0o4755)):
            tar.addfile(entry, content)
    path.chmod(0o644)


def victim(world, row):
    """TA-22: another package's wheel, not the build's, by whose path the hook answers."""
    return {"victim": str(world.write(world.home / "wheels/pwfix_ta22-1.0-py3-none-any.whl", "another package's\n"))}


def honest_neighbour(world, row):
    """TA-17: what is built later, by setuptools of the environment."""
    packages.sdist(world.packages, "pwfix-ta17-honest", "1.0", {"setup.py": "from setuptools import setup\nsetup(name='pwfix-ta17-honest', version='1.0', py_modules=[])\n"})


def next_pip(marker: str, *argv: str):
    """The pip after that: its code must not be the package's.  In the same way as the one before it."""
    def judge(world, row, result):
        run = world.guarded if result.journal else world.run
        run(list(argv))
        return f"the next pip made home/{marker}" if (world.home / marker).exists() else ""
    return call(judge)


# --- acts

APPEND = """
    import glob, os, pwkit
    site = pwkit.target("site")

    def append(path, text=None):
        def write():
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "a") as f:
                f.write("# " + pwkit.target("canary") + "\\n" if text is None else text)
            pwkit.say("changed " + path)
        pwkit.attempt(write)
"""


def act(body: str) -> str:
    return APPEND + body


NEIGHBOUR = act("""
    append(site + "/wheel/__init__.py")
    append(site + "/setuptools/__init__.py")
    pwkit.attempt(os.chmod, site + "/wheel/__init__.py", 0o666)
    if pwkit.attempt(os.rename, site + "/wheel", site + "/wheel.old") is None and os.path.exists(site + "/wheel.old"):
        os.rename(site + "/wheel.old", site + "/wheel")  # the builds after this one need it
""")

PIP_ITSELF = act("""
    append(site + "/pip/_internal/index/collector.py")
    append(site + "/pip/_vendor/sitecust.py")
    append(site + "/pip/__init__.py")
""")

BUILD_ENVIRONMENT = act("""
    import setuptools, sys
    append(os.path.join(os.path.dirname(setuptools.__file__), "command", "build_py.py"))
    for folder in sys.path:
        if folder and os.path.isdir(folder):
            append(os.path.join(folder, "pwfix-ta03.pth"), "import os\\n")
""")

SIBLINGS = act("""
    mine = os.getcwd()
    above = os.path.dirname(mine)
    temp = os.path.dirname(above)
    append(os.path.join(above, "pwfix-planted"))
    for pattern in ("pip-install-*/*", "pip-build-env-*", "pip-unpack-*", "pip-ephem-wheel-cache-*", "pip-wheel-*", "pip-req-build-*", "pip-metadata-*"):
        for folder in glob.glob(os.path.join(temp, pattern)):
            if not os.path.samefile(folder, mine):
                append(os.path.join(folder, "pwfix-planted"))
""")

WHEEL_CACHE = act("""
    append(pwkit.target("wheels") + "/requests-9.9-py3-none-any.whl")
    append(pwkit.target("home") + "/.cache/pip/wheels/00/11/22/33/requests-9.9-py3-none-any.whl")
""")

HTTP_CACHE = act("""
    append(pwkit.target("page"))
    pwkit.attempt(os.rename, pwkit.target("page"), pwkit.target("page") + ".old")
    for path in glob.glob(pwkit.target("home") + "/.cache/pip/http*/**", recursive=True):
        if os.path.isfile(path):
            append(path)
""")

ENVIRONMENT = act("""
    venv = pwkit.target("venv")
    append(venv + "/pyvenv.cfg", "include-system-site-packages = true\\n")
    append(venv + "/bin/activate", "# x\\n")
    def swap():
        os.symlink("/bin/false", venv + "/bin/python3.pwfix")
        os.unlink(venv + "/bin/python3.pwfix")
        os.chmod(venv + "/bin/activate.csh", 0o777)
    pwkit.attempt(swap)
""")

MANIFESTS = act("""
    for name in ("requirements.txt", "poetry.lock", "pyproject.toml"):
        append(os.path.join(pwkit.target("work"), name), "pwfix-evil\\n")
""")

# Waits for what pip places, longer than any install takes.
RACER = """
    import pwkit
    code = '''
    import sys, time
    path, text = sys.argv[1:3]
    end = time.monotonic() + 120
    while time.monotonic() < end:
        try:
            with open(path, "r+") as f:
                f.seek(0), f.write(text), f.truncate()
            break
        except OSError:
            time.sleep(0.002)
    '''
    import textwrap
    pwkit.detach(textwrap.dedent(code), pwkit.target("site") + "/pwfix_ta20.py", "# " + pwkit.target("canary"))
"""

PLUGIN = """
    import pwkit
    def finalize(dist):
        print("PWRAN:TA-17", flush=True)
        pwkit.leak(pwkit.target("canary"))
"""

LYING = '''
from pwback import *
import pwkit, os

def build_wheel(folder, config_settings=None, metadata_directory=None):
    print("PWRAN:TA-22", flush=True)
    return pwkit.target("victim")
'''

EMITTED = '''
import os, zipfile
import pwback
from pwback import *

def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = pwback.build_wheel(folder, config_settings, metadata_directory)
    with zipfile.ZipFile(os.path.join(folder, name), "a") as z:
        z.writestr("pwfix_ta23_extra.py", "# in no sdist\\n")
    return name
'''

WRAPPER = """
    import os, pwkit, sys
    pwkit.leak(pwkit.target("canary") + " " + " ".join(sys.argv[1:]))
    os.execv("/bin/echo", ["aws", "forwarded"])
"""

MARK = "import os\nopen(%r, 'a').close()\n"


def overlapping(world, row):
    """TA-07: the other distribution is pip."""
    target = "pip/_internal/commands/list.py"
    honest = (world.site_packages() / target).read_text()
    return {"files": {target: MARK % str(world.home / "ran-ta07") + honest}}


def information(world, row):
    return {"files": {f"DATA/purelib/{pip_info(world)}/{n}": "pwfix\n" for n in ("INSTALLER", "REQUESTED", "direct_url.json")}}


def replaced(world, row, result):
    return any("pwfix" in (world.site_packages() / pip_info(world) / n).read_text() for n in ("INSTALLER", "REQUESTED"))


ROWS = [
    Row("TA-01", "another installed package changed", "install", NEIGHBOUR, (file("site/wheel/__init__.py"), file("site/setuptools/__init__.py")),
        (*written("file.write.environment", "*/site-packages/wheel/__init__.py", "*/site-packages/setuptools/__init__.py"), Event("file.meta.environment", "file.meta"))),
    Row("TA-02", "pip changed by a build", "install", PIP_ITSELF, (file("site/pip/_internal/index/collector.py"), file("site/pip/_vendor/sitecust.py"), file("site/pip/__init__.py")),
        written("file.write.environment", "*/pip/_internal/index/collector.py", "*/pip/_vendor/sitecust.py")),
    Row("TA-03", "the build environment changed for the next build", "build", BUILD_ENVIRONMENT, output("PWSAY TA-03 changed"), Event("file.write.*", "file.write", severity="high"), legacy=True),
    Row("TA-04", "temporary folders of other packages of the run", "build", SIBLINGS, output("PWSAY TA-04 changed"), Event("file.write.build", "file.write")),
    Row("TA-05", "scripts named pip, python3, activate, git, sudo", "wheel", "", (file("venv/bin/pip"), file("venv/bin/python3"), file("venv/bin/activate")), SEALED, alone=True,
        files={f"DATA/scripts/{n}": "#!python\nprint('pwfix')\n" for n in ("pip", "python3", "activate", "git", "sudo")},
        note="pip refuses it as a whole; git and sudo alone are install findings (test_install_findings.py)"),
    Row("TA-06", "command that wraps a known one and takes its arguments", "script", WRAPPER, sink(), OUTSIDE, command=("{venv}/bin/aws", "s3", "--profile", "{canary}"), script="aws",
        note="a name that PATH has already is an install finding (info: install.shadow.name)"),
    Row("TA-07", "wheel that overlaps another distribution", "wheel", "", next_pip("ran-ta07", "pip", "list"), SEALED, alone=True, setup=overlapping,
        note="the other distribution is pip; of others it is an install finding (install.overlap)"),
    Row("TA-08", "data scheme: pyvenv.cfg, a systemd unit, the standard library", "wheel", "",
        (file("venv/pyvenv.cfg"), file("venv/lib/systemd/user/x.service"), file("venv/pip.conf")), Event("file.write.installer", "file.write", severity="medium"), alone=True,
        files={"DATA/data/pyvenv.cfg": "home = /tmp\n", "DATA/data/pip.conf": "[global]\nindex-url = http://x.test/\n", "DATA/data/lib/systemd/user/x.service": "[Service]\n"}),
    Row("TA-10", "archive members that lead out of the folder", "wheel", "", (file("site/../site-packages-pwfix/x.pth"), file("home/.profile")),
        Event("*", "file.write", {"path": "*site-packages-pwfix*"}), alone=True, files={"../site-packages-pwfix/x.pth": "import os\n"},
        note="pip compares paths as text before 25.3, and so takes a folder whose name only begins in the same way"),
    Row("TA-11", "sdist with a link into the home, and a member behind it", "wheel", "", (file("home/.bashrc"), file("home/.netrc")), Event(("pip.write", "file.write.*"), "file.write"),
        alone=True, command=("pip", "download", "--no-deps", "--no-build-isolation", "-d", "{work}/ta11", "pwfix-ta11-tar"), setup=crafted),
    Row("TA-12", "wheel planted in pip's cache", "build", WHEEL_CACHE, (file("home/.cache/pip/wheels/aa/bb/cc/dd"), file("home/.cache/pip/wheels/00/11/22/33/requests-9.9-py3-none-any.whl")),
        Event("file.write.*", "file.write", {"path": "{home}/.cache/pip/wheels/*"}), setup=cache),
    Row("TA-13", "page in pip's cache replaced", "build", HTTP_CACHE, file("home/.cache/pip/http/1/2/3/page"), Event("file.write.*", "file.write", {"path": "{home}/.cache/pip/http*"}), setup=cache),
    Row("TA-14", "pyvenv.cfg, activate and interpreter of the environment", "install", ENVIRONMENT, (file("venv/pyvenv.cfg"), file("venv/bin/activate")),
        written("file.write.environment", "{venv}/pyvenv.cfg", "{venv}/bin/activate", "{venv}/bin/python3.pwfix")),
    Row("TA-15", "manifests of the project in which pip was started", "install", MANIFESTS, (file("work/requirements.txt"), file("work/poetry.lock"), file("work/pyproject.toml")),
        Event("file.write.outside", "file.write", {"path": "*/work/requirements.txt"}), setup=project),
    Row("TA-17", "plug-in of setuptools that acts in another package's build", "next", PLUGIN, sink(), OUTSIDE,
        files={"pwfix_ta17.pth": "", "pwfix_ta17-1.0.dist-info/entry_points.txt": "[setuptools.finalize_distribution_options]\nx = pwfix_ta17:finalize\n"},
        command=("pip", "install", "--no-deps", "--no-build-isolation", "-v", "pwfix-ta17-honest"), setup=honest_neighbour,
        note="the plug-in's package is named, and whose build it acted in"),
    Row("TA-19", "files of pip's dist-info replaced", "wheel", "", call(replaced), SEALED, alone=True, setup=information),
    Row("TA-20", "waits for what pip places, to change it after the check", "build", RACER, file("site/pwfix_ta20.py", "{canary}"), Event("process.left", "process.exit", action=())),
    Row("TA-22", "hook that answers with another package's wheel", "build", "", file("home/wheels/pwfix_ta22-1.0-py3-none-any.whl"), Event("hook.output", "file.write", severity="critical"),
        files={"pwlie.py": LYING, "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "pwlie"\nbackend-path = ["."]\n'}, setup=victim, alone=True,
        command=("pip", "install", "--no-deps", "--no-build-isolation", "{package}")),
    Row("TA-23", "wheel with code that no sdist had", "build", "", file("site/pwfix_ta23_extra.py"),
        Event("install.unsourced", "install.finding", {"path": "pwfix_ta23_extra.py"}, severity="info", action=("allowed",)), control=True,
        files={"pwemit.py": EMITTED, "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "pwemit"\nbackend-path = ["."]\n'},
        note="it is placed as plainly, and told"),
]
