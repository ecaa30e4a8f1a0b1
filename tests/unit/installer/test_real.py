"""What the installer reads from files about real interpreters is what those interpreters and their pips say themselves."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from lib import pythons  # noqa: E402

SHOW = None
ASK = r"""
import json, os, pip, site, sys, sysconfig
sites = [p for p in sys.path if os.path.basename(p) in ("site-packages", "dist-packages")]
print(json.dumps({"site": sites, "prefix": sys.prefix, "base_prefix": sys.base_prefix, "pip_dir": os.path.dirname(pip.__file__),
    "pip_version": pip.__version__, "version": "%d.%d" % sys.version_info[:2], "user": site.getusersitepackages(),
    "user_on": bool(site.ENABLE_USER_SITE)}))
"""
# The places that pip itself would install to, as it computes them.
SCHEME = r"""
import json, sys
from pip._internal.locations import get_scheme
s = get_scheme("x", user=len(sys.argv) > 1)
print(json.dumps([s.purelib, s.platlib, s.scripts, s.headers]))
"""


class RealTest(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="pipwarden-real-")
        self.addCleanup(shutil.rmtree, self.root)
        self.env = {"PATH": "/usr/bin:/bin", "HOME": self.root, "LANG": "C.UTF-8", "PIP_DISABLE_PIP_VERSION_CHECK": "1",
                    "PIP_CONFIG_FILE": "/dev/null"}

    def ask(self, command, **env):
        done = subprocess.run(command, env=dict(self.env, **env), cwd=self.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              universal_newlines=True, timeout=120)
        return done.returncode, done.stdout

    def show(self, *words, **env):
        status, text = self.ask([SHOW, *words], **env)
        found = {}
        for line in text.splitlines():
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
        return status, found

    def check(self, python, flags=(), **env):
        status, text = self.ask([python, *flags, "-c", ASK], **env)
        if status:
            self.skipTest("{} has no pip".format(python))
        truth = json.loads(text)
        status, found = self.show(python, *flags, "-m", "pip", "install", "x", **env)
        if tuple(map(int, truth["pip_version"].split(".")[:2])) < (20, 3):
            self.assertEqual(status, 1)
            return
        self.assertEqual(status, 0, found)
        self.assertEqual(found.get("site"), truth["site"], (python, flags, env))
        for key in ("prefix", "base_prefix", "pip_dir", "pip_version", "version"):
            self.assertEqual(found[key], [truth[key]], (python, key))
        self.assertEqual(found["hosts"], ["2"])
        status, cache = self.ask([python, *flags, "-m", "pip", "cache", "dir"], **env)
        self.assertEqual(found["cache"], [cache.strip()])
        status, text = self.ask([python, *flags, "-c", SCHEME], **env)
        for place in json.loads(text):
            self.assertTrue(any(place == w or place.startswith(w + "/") for w in found["write"]) or not os.access("/usr/local", os.W_OK), place)
        self.assertNotIn(truth["prefix"], found["write"])
        if truth["user_on"]:
            status, found = self.show(python, *flags, "-m", "pip", "install", "--user", "x", **env)
            self.assertIn(truth["user"], found["write"])

    def test_interpreters(self):
        for python in pythons.in_place():
            for flags, env in (((), {}), (("-I",), {}), (("-s",), {}), ((), {"PYTHONUSERBASE": self.root + "/base"}),
                               ((), {"PYTHONNOUSERSITE": "1"})):
                with self.subTest(python=python, flags=flags, env=env):
                    self.check(python, flags, **env)

    def test_environments(self):
        found = pythons.in_place()
        for python in {*found[:2], found[-1]}:
            for options in ((), ("--system-site-packages",)):
                folder = os.path.join(self.root, "venv")
                subprocess.run([python, "-m", "venv", "--clear", *options, folder], check=True, env=self.env, stdout=subprocess.DEVNULL)
                with self.subTest(python=python, options=options):
                    self.check(os.path.join(folder, "bin", "python"))
                    status, shown = self.show(os.path.join(folder, "bin", "pip"), "list")
                    self.assertEqual((status, shown["module"], shown.get("write")), (0, ["0"], None))


if __name__ == "__main__":
    at = sys.argv.index("--show")
    SHOW = os.path.abspath(sys.argv[at + 1])
    del sys.argv[at:at + 2]
    unittest.main()
