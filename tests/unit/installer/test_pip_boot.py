"""The bootstrap against every CPython from 3.8 that is here: nothing of an environment runs inside pip, and pip cannot tell.

Offline: environments come from ensurepip.  PIPWARDEN_ONLINE=1 adds other pips from the configured index, --all all interpreters.
"""
import glob
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import unittest
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
import boot_world  # noqa: E402
from boot_world import PROBE, Venv, World, wheel  # noqa: E402
from lib import pythons  # noqa: E402

GUARD_CASES = str(Path(__file__).resolve().parent / "guard_cases.py")
ALL = False
ONLINE_PIPS = ["22.3", "23.2.1", "24.0", "25.0", "pip"]  # "pip": the newest

# pip's files change while it runs: by another process, for pip itself may not.
CHANGE = r"""
import os, sys, py_compile, importlib.util
here = sys.argv[1]
with open(here + "/late.py", "w") as f:
    f.write("print('late: changed')\n")
with open(here + "/new.py", "w") as f:
    f.write("print('new: changed')\n")
# A compiled file that Python would take: right source time and size, other code.
source = here + "/other.py"
st = os.stat(source)
with open(here + "/evil.py", "w") as f:
    f.write("print('other: changed')\n")
cache = importlib.util.cache_from_source(source)
py_compile.compile(here + "/evil.py", cfile=cache)
data = bytearray(open(cache, "rb").read())
data[8:16] = int(st.st_mtime).to_bytes(4, "little") + st.st_size.to_bytes(4, "little")
os.unlink(cache)
open(cache, "wb").write(bytes(data))
"""

LATE = r"""
import os, subprocess, sys
subprocess.run([sys.executable, "-c", {!r}, os.path.dirname(__file__)], check=True)
for module in ("late", "new", "other"):
    try:
        __import__("pip." + module)
    except ImportError as error:
        print(module + ": refused")
""".replace("{!r}", repr(CHANGE))


class InterpreterTest(unittest.TestCase):
    python = None

    @classmethod
    def setUpClass(cls):
        cls.root = tempfile.mkdtemp(prefix="pipwarden-boot-")
        cls.world = World(cls.python, cls.root)
        cls.real = cls.world.venv("real")
        cls.real.add("extra.pth", "{}\n".format(cls.world.home))
        cls.probe = cls.world.venv("probe", "--without-pip")
        cls.probe.fake_pip(PROBE)
        cls.probe.add("setuptools/__init__.py", "")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.root)


class BootTest(InterpreterTest):
    """What runs inside pip, and what pip sees."""

    def same(self, venv, how, args, flags=(), **env):
        plain = venv.run(how, args, flags, **env)
        guarded = venv.run(how, args, flags, guarded=True, **env)
        case = "{} {} {}".format(how, flags, args)
        self.assertEqual(plain.stdout, guarded.stdout, case)
        self.assertEqual(plain.stderr, guarded.stderr, case)
        self.assertEqual(plain.returncode, guarded.returncode, case)
        return guarded

    def test_output_is_that_of_plain_pip(self):
        for args in (["--version"], ["list", "-v"], ["freeze", "--all"], ["show", "-f", "pip"], ["inspect"], ["check"], ["debug"],
                     ["config", "list"], ["cache", "dir"], ["nonsense"], ["install"], ["help", "install"], ["hash", "nothing"],
                     ["uninstall", "-y", "nothing"]):
            for how in ("script", "module", "runner") if args[0] in ("--version", "list", "nonsense") else ("script",):
                self.same(self.real, how, args)

    def test_pip_sees_what_it_would_see(self):
        library = os.path.join(self.root, "library")
        os.makedirs(library, exist_ok=True)
        for flags in ((), ("-I",), ("-E",), ("-s",), ("-u", "-W", "error"), ("-B", "-O", "-X", "dev")):
            for how in ("script", "module"):
                self.same(self.probe, how, ["a", "--b"], flags)
                self.same(self.probe, how, [], flags, PYTHONPATH=library + ":relative:" + library)
                self.same(self.probe, how, [], flags, PYTHONPATH="")
                # Kept from the interpreter's start and given back.
                plain = self.probe.run(how, [], flags, PYTHONPATH=library + ":relative")
                kept = self.probe.run(how, [], flags, guarded=True, spec={"pythonpath": library + ":relative"})
                self.assertEqual(plain.stdout, kept.stdout)
        system = self.world.venv("system", "--without-pip", "--system-site-packages")
        system.fake_pip(PROBE)
        os.makedirs(os.path.join(self.world.home, ".local/lib", os.path.basename(os.path.dirname(system.site)), "site-packages"), exist_ok=True)
        for how in ("script", "module"):
            self.same(system, how, [])
            self.same(system, how, [], (), PYTHONNOUSERSITE="1")
        self.assertIn(b'"setuptools": true', self.probe.run("script", [], guarded=True).stdout)

    def test_ends_as_plain_pip_ends(self):
        venv = self.world.venv("ends", "--without-pip")
        for main in ("raise SystemExit(7)", "import sys; sys.exit('words')", "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
                     "import os; os._exit(3)", "pass"):
            venv.fake_pip(main)
            self.same(venv, "script", [])
            self.same(venv, "module", [])
        venv.fake_pip("raise KeyboardInterrupt")
        self.assertEqual(venv.run("script", []).returncode, venv.run("script", [], guarded=True).returncode)

    def plant(self, venv, names):
        for name in names:
            venv.add(name, "open({!r}, 'a').write({!r})\n".format(self.world.mark, name + " "))
        venv.add("evil.pth", "import os; open({!r}, 'a').write('pth ')\n".format(self.world.mark))
        for name in ("typing.py", "json.py", "readline.py"):
            with open(os.path.join(self.world.work, name), "w") as f:
                f.write("open({!r}, 'a').write('cwd ')\n".format(self.world.mark))

    def marks(self):
        try:
            with open(self.world.mark) as f:
                return f.read()
        except FileNotFoundError:
            return ""
        finally:
            if os.path.exists(self.world.mark):
                os.unlink(self.world.mark)

    def test_nothing_of_the_environment_runs(self):
        # A copy saves the time of another ensurepip: the environment is where its python is.
        shutil.copytree(self.real.folder, os.path.join(self.root, "hostile"), symlinks=True)
        venv = Venv(self.world, os.path.join(self.root, "hostile"))
        wheels = os.path.join(self.root, "wheels")
        os.makedirs(wheels)
        wheel(wheels, "demo")
        # One that lays modules into pip's way, in the very run that installs it.
        mark = "open({!r}, 'a').write('wheel ')\n".format(self.world.mark)
        wheel(wheels, "sly", {"_manylinux.py": mark, "keyring/__init__.py": mark})
        self.plant(venv, ["_manylinux.py", "attr.py", "socks.py", "keyring/__init__.py", "msvcrt.py", "truststore.py", "wheel.py",
                          "sitecustomize.py", "usercustomize.py", "_distutils_hack/__init__.py", "simplejson.py", "ctypes.py",
                          "brotli.py", "zstandard.py", "OpenSSL/__init__.py", "cryptography/__init__.py"])
        self.addCleanup(lambda: [os.unlink(os.path.join(self.world.work, n)) for n in ("typing.py", "json.py", "readline.py")])
        plain = venv.run("module", ["list"])
        seen = self.marks()
        for word in ("pth", "cwd"):  # a distribution's own sitecustomize may come first
            self.assertIn(word, seen, "the hostile set is not: {}".format(plain.stderr))
        # An extension module beside a module of pip wins in Python's own finder.
        tag = subprocess.run([venv.python, "-ISc", "import _imp; print(_imp.extension_suffixes()[0])"], stdout=subprocess.PIPE,
                             universal_newlines=True, check=True).stdout.strip()
        venv.add("pip/_internal/configuration" + tag, "not even one")
        self.assertNotEqual(venv.run("script", ["config", "list"]).returncode, 0)
        self.marks()
        paths = os.path.join(self.root, "paths")
        os.makedirs(paths)
        for name in ("site.py", "os.py", "json.py", "io.py", "pip.py", "re.py", "posixpath.py", "runpy.py"):
            with open(os.path.join(paths, name), "w") as f:
                f.write("open({!r}, 'a').write('path ')\n".format(self.world.mark))
        with zipfile.ZipFile(os.path.join(self.root, "evil.zip"), "w") as z:
            z.writestr("site.py", "open({!r}, 'a').write('zip ')\n".format(self.world.mark))
        with open(os.path.join(paths, "encodings.py"), "w") as f:
            f.write("open({!r}, 'a').write('encodings ')\n".format(self.world.mark))
        # encodings and io are imported before the bootstrap can act: a PYTHONPATH is kept from the start, and given back.
        pythonpath = {"pythonpath": paths + ":" + self.root + "/evil.zip"}
        install = ["install", "--no-index", "--force-reinstall", "-f", wheels]
        if b"keyring-provider" in venv.run("script", ["install", "--help"], guarded=True).stdout:
            install += ["--keyring-provider", "import"]
        runs = [("script", ["list"], {}), ("script", ["debug"], pythonpath), ("script", install + ["demo"], pythonpath),
                ("module", ["list"], pythonpath), ("module", ["freeze"], {}), ("module", install + ["demo"], {}),
                ("runner", ["check"], {}), ("runner", install + ["demo"], pythonpath), ("script", install + ["sly"], {}),
                ("module", install + ["sly"], pythonpath), ("module", ["list"], {}), ("script", ["--version"], pythonpath)]
        for how, args, spec in runs:
            done = venv.run(how, args, guarded=True, spec=spec)
            self.assertEqual(self.marks(), "", (how, args, done.stderr))
            self.assertEqual(done.returncode, 0, (how, args, done.stderr))
        self.assertTrue(os.path.exists(os.path.join(venv.site, "demo.py")))
        self.assertTrue(os.path.exists(os.path.join(venv.site, "_manylinux.py")))

    def test_changed_modules_of_pip(self):
        refused, changed = (b"late: refused\nnew: refused\nother: original\n", b"late: changed\nnew: changed\nother: changed\n")
        for name, sealed, by_time, want in (("list", True, False, refused), ("time", True, True, refused), ("none", False, False, changed)):
            venv = self.world.venv("seal-" + name, "--without-pip")
            venv.fake_pip(LATE, late="print('late: original')\n", other="print('other: original')\n")
            spec = {"sealed": sealed, "event": {"magic": 0x50575244, "op": 4, "type": 6}}
            if by_time:
                spec["started"] = time.time_ns()
            done = venv.run("module", [], guarded=True, spec=spec)
            self.assertEqual((done.stdout, done.stderr), (want, b""), name)
        venv = self.world.venv("started", "--without-pip")
        venv.fake_pip("print('ran')")
        self.assertEqual(venv.run("module", [], guarded=True, spec={"started": time.time_ns() + 10**9}).stdout, b"ran\n")
        late = venv.run("module", [], guarded=True, spec={"started": time.time_ns() - 3600 * 10**9})
        self.assertEqual(late.stdout, b"")
        self.assertIn(b"__init__.py was changed since this run began", late.stderr)

    def test_a_start_up_file_that_is_allowed(self):
        venv = self.world.venv("allowed", "--without-pip")
        venv.fake_pip("import patch, patch.late\ntry:\n    import other\nexcept ModuleNotFoundError:\n    print('other: refused')\n")
        venv.add("patch/__init__.py", "print('patch')\n")
        venv.add("patch/late.py", "print('late')\n")
        venv.add("other.py", "print('other')\n")
        venv.add("b.pth", "import other\n")
        allowed = venv.add("a.pth", "import patch\n")
        done = venv.run("script", [], guarded=True, spec={"allow_pth": [allowed]})
        self.assertEqual((done.stdout, done.stderr), (b"patch\nlate\nother: refused\n", b""))

    @unittest.skipUnless(os.environ.get("PIPWARDEN_ONLINE") == "1", "PIPWARDEN_ONLINE=1 runs it")
    def test_other_pips(self):
        for version in ONLINE_PIPS:
            venv = self.world.venv("pip" + version)
            want = "pip" if version == "pip" else "pip==" + version
            env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PIP_CONFIG_FILE")}
            done = subprocess.run([venv.python, "-m", "pip", "install", "-q", "-U", want], env=env, cwd=self.world.work,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            if b"No matching distribution" in done.stderr or venv.run("script", ["--version"]).returncode:
                print("{}: {} does not run here".format(self.python, want), file=sys.stderr)
                continue
            for args in (["--version"], ["list"], ["freeze", "--all"], ["inspect"], ["check"], ["debug"], ["show", "-f", "pip"]):
                for how in ("script", "module", "runner"):
                    if os.path.exists(os.path.join(venv.pip, "__pip-runner__.py")):
                        self.same(venv, how, args)


class GuardTest(InterpreterTest):
    """What class Guard refuses."""

    def test_the_guard_decides(self):
        for more in ([], ["pip is what is installed"]):
            folder = os.path.join(self.root, "guard{}".format(len(more)))
            os.makedirs(folder)
            done = subprocess.run([self.python, "-IS", GUARD_CASES, boot_world.BOOT, folder] + more, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  timeout=60)
            self.assertEqual((done.stdout, done.stderr), (b"done\n", b""))

    def guarded_world(self, name):
        """A copy of the real environment, a folder of wheels that is named, one that is not, and a temp of its own."""
        root = os.path.join(self.root, name)
        os.makedirs(root)
        shutil.copytree(self.real.folder, os.path.join(root, "venv"), symlinks=True)
        venv = Venv(self.world, os.path.join(root, "venv"))
        for folder in ("wheels", "private", "temp"):
            os.makedirs(os.path.join(root, folder))

        def run(*args, guarded=True, **spec):
            full = {"archives": [os.path.join(root, "wheels"), venv.site]}
            full.update(spec)
            return venv.run("module", args, guarded=guarded, spec=full, TMPDIR=os.path.join(root, "temp"))

        return venv, root, run

    def assert_refused(self, done, why):
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(b"pipwarden: " + why, done.stdout + done.stderr)

    def test_archives_that_a_package_names(self):
        venv, root, run = self.guarded_world("archives")
        wheels, private = os.path.join(root, "wheels"), os.path.join(root, "private")
        secret = wheel(private, "secret", {"key.txt": "private"})
        backup = os.path.join(private, "backup")  # a zip, whatever it is called
        shutil.copy(secret, backup)
        wheel(wheels, "fine")
        wheel(wheels, "greedy", requires="secret @ file://" + secret)
        wheel(wheels, "greedier", requires="secret @ file://" + backup)
        install = ["install", "--no-index", "--force-reinstall", "--no-compile", "-f", wheels]
        for name in ("greedy", "greedier"):
            self.assert_refused(run(*install, name), b"neither the command line")
            self.assertFalse(os.path.exists(os.path.join(venv.site, "key.txt")))
        self.assertEqual(run(*install, "fine").returncode, 0)
        self.assertEqual(run(*install, "greedy", archives=[wheels, secret]).returncode, 0)
        self.assertTrue(os.path.exists(os.path.join(venv.site, "key.txt")))
        self.assertEqual(run("uninstall", "-y", "secret", "greedy").returncode, 0)
        self.assertEqual(run(*install, "greedy", guarded=False).returncode, 0)
        self.assertTrue(os.path.exists(os.path.join(venv.site, "key.txt")), "the attack is none")
        done = run("install", "--no-index", "./missing.whl")
        self.assertNotIn(b"pipwarden: ", done.stdout + done.stderr)

    def test_pip_stays_as_it_is(self):
        venv, root, run = self.guarded_world("itself")
        wheels = os.path.join(root, "wheels")
        main = os.path.join(venv.pip, "_internal", "cli", "main.py")
        with open(main) as f:
            before = f.read()
        install = ["install", "--no-index", "--force-reinstall", "-f", wheels]
        sly = {"mainly": {"pip/_internal/cli/main.py": "evil"}, "newly": {"pip/_internal/added.py": "evil"},
               "scripts": {"scripts-1.0.data/scripts/pip": "#!python\nevil\n"}, "interpreter": {"interpreter-1.0.data/scripts/python": "evil\n"},
               "activates": {"activates-1.0.data/scripts/activate": "evil\n"}}
        for name, files in sly.items():
            wheel(wheels, name, files)
            self.assert_refused(run(*install, name), b"pip's own files")
            self.assertEqual(run("--version").stdout, self.real.run("script", ["--version"]).stdout.replace(
                self.real.folder.encode(), venv.folder.encode()))
        with open(main) as f:
            self.assertEqual(f.read(), before)
        # What only sounds like pip, twice: the second time it exists.
        wheel(wheels, "piptools", {"piptools-1.0.data/scripts/pip-compile": "#!python\n", "pip_tools/__init__.py": "", "pipx.py": "",
                                   "piptools-1.0.data/scripts/python-argcomplete-check": "#!python\n"})
        for _ in range(2):
            self.assertEqual(run(*install, "piptools").returncode, 0)
        # Removing what a package says is its own.
        wheel(wheels, "record")
        self.assertEqual(run(*install, "record").returncode, 0)
        with open(os.path.join(venv.site, "record-1.0.dist-info", "RECORD"), "a") as f:
            f.write("pip/_internal/cli/main.py,,\n")
        self.assert_refused(run("uninstall", "-y", "record"), b"pip's own files")
        self.assertTrue(os.path.exists(main))
        # pip itself is what is meant.
        done = run(*install, "mainly", sealed=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(main) as f:
            self.assertEqual(f.read(), "evil")

    def test_pip_replaces_and_removes_itself(self):
        venv, root, run = self.guarded_world("upgrade")
        found = []
        ask = "import ensurepip, os; print(os.path.dirname(ensurepip.__file__) + '/_bundled')"
        bundled = subprocess.run([self.python, "-ISc", ask], stdout=subprocess.PIPE, universal_newlines=True, check=True).stdout.strip()
        for folder in (bundled, "/usr/share/python-wheels"):
            found += glob.glob(os.path.join(folder, "pip-*.whl"))
        self.assertTrue(found, "no wheel of pip is here")
        install = ["install", "--no-index", "--force-reinstall", found[0]]
        self.assert_refused(run(*install, archives=[found[0]]), b"pip's own files")
        self.assertEqual(run("list").returncode, 0)
        done = run(*install, archives=[found[0]], sealed=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(run("list").returncode, 0)
        self.assert_refused(run("uninstall", "-y", "pip"), b"pip's own files")
        self.assertEqual(run("uninstall", "-y", "pip", sealed=False).returncode, 0)
        self.assertFalse(os.path.exists(venv.pip))

    def test_a_sealed_pip_compiles_nothing_into_itself(self):
        venv, root, run = self.guarded_world("bytecode")
        for folder, folders, _ in os.walk(venv.pip):
            if "__pycache__" in folders:
                shutil.rmtree(os.path.join(folder, "__pycache__"))
        done = run("--version")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertFalse(glob.glob(os.path.join(venv.pip, "**", "__pycache__"), recursive=True))

    def test_unpacking_stays_in_the_temp(self):
        venv, root, run = self.guarded_world("unpack")
        wheels = os.path.join(root, "wheels")

        def sdist(name, *members):
            path = os.path.join(wheels, name + "-1.0.tar.gz")
            with tarfile.open(path, "w:gz") as tar:
                for member, link, text in [("PKG-INFO", None, "Metadata-Version: 2.1\nName: {}\nVersion: 1.0\n".format(name)),
                                           ("setup.py", None, "raise SystemExit('built')\n")] + list(members):
                    info = tarfile.TarInfo("{}-1.0/{}".format(name, member))
                    info.size = len(text)
                    if link:
                        info.type, info.linkname = tarfile.SYMTYPE, link
                    tar.addfile(info, io.BytesIO(text.encode()))
            return path

        dropped = os.path.join(venv.folder, "bin", "dropped")
        evil = [sdist("folder", ("out", venv.folder, ""), ("out/bin/dropped", None, "evil")), sdist("file", ("out", dropped, ""), ("out", None, "evil"))]
        honest = sdist("honest", ("data/here", None, "x"), ("link", "data", ""), ("link/there", None, "y"))
        command = ["install", "--no-index", "--no-deps", "--no-build-isolation"]
        worked = 0
        for path in evil:
            done = run(*command, path)
            self.assertNotEqual(done.returncode, 0)
            self.assertNotIn(b"Preparing metadata", done.stdout + done.stderr)
            self.assertFalse(os.path.exists(dropped))
            run(*command, path, guarded=False)
            if os.path.exists(dropped):
                worked += 1
                self.assertIn(b"pipwarden: this path leads out", done.stdout + done.stderr)
                os.unlink(dropped)
        major, minor = (int(part) for part in os.path.basename(os.path.dirname(venv.site))[6:].split("."))
        if (major, minor) < (3, 12):
            self.assertTrue(worked, "the attack is none")
        done = run(*command, honest)
        self.assertNotIn(b"pipwarden: ", done.stdout + done.stderr)
        self.assertIn(b"Preparing metadata", done.stdout + done.stderr)  # it was unpacked


def load_tests(loader, _tests, _pattern):
    suite = unittest.TestSuite()
    found = pythons.in_place()
    if not ALL and len(found) > 3:
        found = [*found[:2], found[-1]]  # the distribution's, the oldest and the newest; --all takes each of them
    print("interpreters: " + " ".join(found), file=sys.stderr)
    for python in found:
        for part in PARTS:
            suite.addTests(loader.loadTestsFromTestCase(type(part.__name__ + python.replace("/", "_"), (part,), {"python": python})))
    if not suite.countTestCases():
        raise SystemExit("no CPython from 3.8 on was found")
    return suite


PARTS = [BootTest, GuardTest]

if __name__ == "__main__":
    at = sys.argv.index("--boot")
    boot_world.BOOT = os.path.abspath(sys.argv[at + 1])
    del sys.argv[at:at + 2]
    if "--part" in sys.argv:
        at = sys.argv.index("--part")
        PARTS = [part for part in PARTS if part.__name__.lower().startswith(sys.argv[at + 1])]
        del sys.argv[at:at + 2]
    ALL = "--all" in sys.argv
    if ALL:
        sys.argv.remove("--all")
    unittest.main()
