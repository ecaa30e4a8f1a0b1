"""Interpreters with environments of their own, and pips in them that are started plainly or through the bootstrap."""
import glob
import json
import os
import subprocess
import zipfile

BOOT = None  # pip_boot.py, as the test's command line names it

# A pip that shows what pip can see.  It stands in where the real one would only hide a difference.
PROBE = r"""
import importlib.util, json, os, site, sys

def name(flag):
    return getattr(sys.flags, flag, None)

flags = [f for f in dir(sys.flags) if not f.startswith("_") and f not in ("count", "index", "no_site", "n_fields",
         "n_sequence_fields", "n_unnamed_fields")]
print(json.dumps({"path": sys.path, "argv": sys.argv, "prefix": [sys.prefix, sys.base_prefix, sys.exec_prefix],
    "executable": sys.executable, "flags": {f: name(f) for f in flags}, "user": [site.ENABLE_USER_SITE, site.USER_SITE],
    "name": __name__, "file": __file__, "package": __package__, "warn": sys.warnoptions,
    "spec": __spec__ and __spec__.name, "main": sys.modules["__main__"].__file__,
    "setuptools": importlib.util.find_spec("setuptools") is not None,
    "keyring": importlib.util.find_spec("keyring") is not None, "none": importlib.util.find_spec("nosuchthing") is not None,
    "pythonpath": os.environ.get("PYTHONPATH")}, sort_keys=True))
"""


class World:
    """One interpreter, with environments of it."""

    def __init__(self, python, root):
        self.python = python
        self.root = root
        self.work = os.path.join(root, "work")
        self.mark = os.path.join(root, "mark")
        self.home = os.path.join(root, "home")
        os.makedirs(self.work)
        os.makedirs(self.home)

    def environment(self, **more):
        env = {"PATH": "/usr/bin:/bin", "HOME": self.home, "LANG": "C.UTF-8", "PIP_CONFIG_FILE": "/dev/null",
               "PIP_DISABLE_PIP_VERSION_CHECK": "1", "COLUMNS": "120"}
        env.update({k: v for k, v in more.items() if v is not None})
        return env

    def venv(self, name, *options):
        folder = os.path.join(self.root, name)
        subprocess.run([self.python, "-m", "venv", *options, folder], check=True, env=self.environment(), cwd=self.root,
                       stdout=subprocess.DEVNULL)
        return Venv(self, folder)


class Venv:
    def __init__(self, world, folder):
        self.world = world
        self.folder = folder
        self.python = os.path.join(folder, "bin", "python")
        self.script = os.path.join(folder, "bin", "pip")
        self.site = glob.glob(os.path.join(folder, "lib", "python3.*", "site-packages"))[0]
        self.pip = os.path.join(self.site, "pip")

    def add(self, name, text):
        path = os.path.join(self.site, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(text)
        return path

    def fake_pip(self, main, **modules):
        self.add("pip/__init__.py", "__version__ = '99'\n")
        self.add("pip/__main__.py", main)
        for name, text in modules.items():
            self.add("pip/{}.py".format(name), text)
        with open(self.script, "w") as f:
            f.write("#!{}\n{}".format(self.python, main))
        os.chmod(self.script, 0o755)

    def run(self, how, args, flags=(), guarded=False, spec=None, **env):
        """how: script, module or runner, as pip would be started; guarded: through the bootstrap."""
        runner = os.path.join(self.pip, "__pip-runner__.py")
        program = {"script": self.script, "module": os.path.join(self.pip, "__main__.py"), "runner": runner}[how]
        if guarded:
            full = {"program": program, "pip_dir": self.pip, "module": how == "module", "runner": runner if how == "runner" else None}
            full.update(spec or {})
            command = [self.python, *flags, "-S", BOOT, json.dumps(full)]
        elif how == "module":
            command = [self.python, *flags, "-m", "pip"]
        else:
            command = [self.python, *flags, program]
        return subprocess.run(command + list(args), cwd=self.world.work, env=self.world.environment(**env), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)


def wheel(folder, name, files=None, requires=""):
    path = os.path.join(folder, "{}-1.0-py3-none-any.whl".format(name))
    info = "{}-1.0.dist-info/".format(name)
    content = {name + ".py": "x = 1\n"}
    content.update(files or {})
    content[info + "METADATA"] = "Metadata-Version: 2.1\nName: {}\nVersion: 1.0\n{}".format(
        name, "Requires-Dist: {}\n".format(requires) if requires else "")
    content[info + "WHEEL"] = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    content[info + "RECORD"] = "".join("{},,\n".format(member) for member in list(content) + [info + "RECORD"])
    with zipfile.ZipFile(path, "w") as z:
        for member, text in content.items():
            z.writestr(member, text)
    return path
