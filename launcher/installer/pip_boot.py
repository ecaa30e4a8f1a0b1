"""Starts pip so that nothing of its environment runs inside it.

    PYTHON [FLAGS] -S pip_boot.py SPEC ARG...

SPEC is one JSON object (docs/installer.md describes it):
    program     sys.argv[0] as pip expects it: the script's path, .../pip/__main__.py, or pip's own runner file
    pip_dir     the folder of the package `pip` that is to run
    module      true for `python -m pip`
    runner      pip's runner when pip started itself: a file, or pip's own folder (run as Python would run it); the folder
                that a pip was unpacked into from the archive `program`; else null
    sealed      false when pip itself is what is being installed: its modules may then change in mid-run
    started     optional: nanoseconds; modules of pip whose inode changed later are refused.  Without: those that change from now on
    audit       optional: true: what would be refused is reported and goes on; start-up code runs
    allow_pth   start-up files whose code lines run after all
    pythonpath  optional: a PYTHONPATH that was kept from the interpreter's own start, where it could replace `encodings`
    projects    local projects, in whose folders builds work
    for         optional: whose build requirements this pip installs: words "NAME VERSION", the nearest first
    socks       optional: true: a SOCKS proxy is configured, and pip gets pip_socks.py, beside this file, as the module `socks`
    archives    where archives may be read besides the run's temp: files, folders, "FOLDER/*" for what lies directly in one
    event       optional: {"magic", "op", "type", "write", "read", "start"}: report what was refused by prctl (preload/pw_event.h):
                a module, a write, a read

Left alone, site runs code lines of .pth files, sitecustomize and usercustomize, pip imports optional modules (keyring,
_manylinux, ...) from wherever sys.path leads, and `python -m pip` imports from the working directory.  Here -S keeps site
from running, a finder that goes by location takes over before the first import, and site.main() then only computes
paths.  sys.path is what it always is, because pip reads the installed distributions from it: it is not imported from.

pip itself is trusted, but what it is told to do comes from packages: class Guard holds it to four rules about files.
"""
import sys


def drop_boot_folder():
    """Takes back the folder of this file, which Python put first (not with -I or -P)."""
    if not (sys.flags.isolated or getattr(sys.flags, "safe_path", False)):
        del sys.path[0]


drop_boot_folder()

_external = sys.modules["_frozen_importlib_external"]
_imp = sys.modules["_imp"]
PathFinder = _external.PathFinder
SourceFileLoader = _external.SourceFileLoader

OBJECT = b"pip_boot.py"  # PW_OBJECT_BOOTSTRAP

# Names that pip asks for on every run and does without: no event for them.
EXPECTED = frozenset(["_distutils_hack", "setuptools"])
# Start-up lines that stand in nearly every environment and are left out as all others: no event for them either.
DISTUTILS = ("import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, '{}') == 'local'; "
             "enabled and __import__('_distutils_hack').add_shim();")
EVERYWHERE = frozenset([DISTUTILS.format("local"), DISTUTILS.format("stdlib"), "import _virtualenv"])


class DistributionsOnly(PathFinder):
    """PathFinder without its imports: importlib.metadata asks the finders of sys.meta_path for find_distributions."""

    @classmethod
    def find_spec(cls, fullname, path=None, target=None):
        return None

    @classmethod
    def find_module(cls, fullname, path=None):  # 3.8 to 3.11 may ask for it
        return None


class Refusal:
    """The loader of a module that exists, but not for pip: find_spec tells the truth, the import fails."""

    def __init__(self, finder):
        self.finder = finder

    def create_module(self, spec):
        if spec.name == "wheel":
            return None  # pips before 23.1 import it to learn whether it is there: an empty module says so
        if spec.name not in EXPECTED:
            self.finder.report(spec.name)
        raise ModuleNotFoundError("No module named {!r}".format(spec.name), name=spec.name)

    def exec_module(self, module):
        if module.__name__ == "wheel":
            return
        raise ModuleNotFoundError("No module named {!r}".format(module.__name__), name=module.__name__)


class LocationFinder:
    """Finds top-level names in the standard library, then `pip` in its own folder, and nothing else."""

    def __init__(self, library):
        self.library = library  # the standard library's entries of sys.path
        self.socks = None  # the file that is the module `socks`
        self.wheels = []  # Debian's wheels of what pip vendors, where root put them
        self.pip_dir = None
        self.seal = None  # what pip consists of; None: not sealed
        self.event = None
        self.guard = None
        self.audit = False
        self.open = False  # a start-up file that the user allowed is running
        self.opened = set()  # top-level names that it imported

    def find_spec(self, fullname, path=None, target=None):
        top, _, rest = fullname.partition(".")
        if top == "pip" and self.pip_dir is not None:
            spec = self.pip_spec(fullname)
            if spec is not None or path is None or not self.wheels:
                return spec
            # A module of pip._vendor that is another name of one of the wheels'.
            return PathFinder.find_spec(fullname, [entry for entry in path if self.trusted(entry)])
        if path is None:
            return self.top_spec(fullname)
        if top in self.opened:
            return PathFinder.find_spec(fullname, path)
        return PathFinder.find_spec(fullname, [entry for entry in path if self.trusted(entry)])

    def top_spec(self, name):
        if name in sys.builtin_module_names or _imp.is_frozen(name):
            return None  # the finders of Python itself come next
        if name == "socks" and self.socks is not None:
            loader = SourceFileLoader(name, self.socks)
            loader._cache_bytecode = lambda *_args: None  # pipwarden's own folder is not pip's to write
            return _external.spec_from_file_location(name, self.socks, loader=loader)
        # The library first: with the working directory on sys.path PathFinder would find ./typing.py before the real one.
        spec = PathFinder.find_spec(name, self.library + self.wheels)
        if spec is not None and spec.origin is not None and spec.loader is not None:
            return spec
        spec = PathFinder.find_spec(name, sys.path)
        if spec is None:
            return None
        if self.audit and not self.open and name != "wheel" and name not in EXPECTED:
            self.report(name)
        if self.open or self.audit:
            self.opened.add(name)
            return spec
        spec.loader = Refusal(self)
        return spec

    def trusted(self, entry):
        for root in self.library:
            if entry.startswith(root + "/"):
                rest = entry[len(root):] + "/"
                return "/site-packages/" not in rest and "/dist-packages/" not in rest
        return any(entry.startswith(root + "/") for root in self.wheels)

    def pip_spec(self, fullname):
        # Not PathFinder: an extension module or a .pyc that was laid beside a module of pip would win there.
        base = "/".join([self.pip_dir] + fullname.split(".")[1:])
        package = base + "/__init__.py"
        if self.is_source(package):
            return self.spec_of(fullname, package, [base])
        if self.is_source(base + ".py"):
            return self.spec_of(fullname, base + ".py", None)
        return None

    def is_source(self, path):
        if self.seal is not None:
            return path in self.seal
        try:
            return is_file(os.stat(path))
        except OSError:
            return False

    def spec_of(self, fullname, path, locations):
        loader = SourceFileLoader(fullname, path)  # of exactly this type: distlib looks its resource finder up by type
        if self.seal is not None:
            plain = loader.get_data
            loader.get_data = lambda wanted: self.sealed_data(wanted, plain)
            loader._cache_bytecode = lambda *_args: None  # nothing is written into a sealed pip
        if fullname == "pip._internal.exceptions" and self.guard is not None:
            self.guard.listen(loader)
        return _external.spec_from_file_location(fullname, path, loader=loader, submodule_search_locations=locations)

    def sealed_data(self, path, plain):
        """Reads a file of pip if it is still the one of the run's start.  A compiled file that is not: compile anew."""
        if not path.endswith((".py", ".pyc")):
            return plain(path)
        with open_code(path) as stream:
            if self.seal.fits(path, os.fstat(stream.fileno())):
                return stream.read()
        if path.endswith(".pyc"):
            raise OSError("not the compiled file of the run's start")
        self.report(path)
        if self.audit:
            with open_code(path) as stream:
                return stream.read()
        raise ImportError("pipwarden: {} was changed since this run began".format(path), path=path)

    def report(self, text, kind="type", archive="", doing=""):
        """An event for the record.  Rare, so ctypes is loaded only here; without it there is no event."""
        if self.event is None or kind not in self.event:
            return
        try:
            import ctypes
            import struct

            data, name, doing = (os.fsencode(word).replace(b"\0", b"?")[:size] for word, size in ((text, 1024), (archive, 1024), (doing, 128)))
            record = struct.pack("=IIII1024s256sII1024s128s", self.event[kind], len(data), len(OBJECT), 0, data, OBJECT, len(name), len(doing), name, doing)
            libc = ctypes.CDLL(None)
            libc.prctl(ctypes.c_int(self.event["magic"]), ctypes.c_ulong(self.event["op"]), record,
                       ctypes.c_ulong(len(record)), ctypes.c_ulong(0))
        except Exception:
            pass


def library_entries():
    """sys.path before site is PYTHONPATH, then the standard library."""
    entries = sys.path[:]
    if not sys.flags.ignore_environment:
        # os cannot be imported yet: with PYTHONPATH on sys.path it could be anybody's.
        text = sys.modules["posix"].environ.get(b"PYTHONPATH", b"")
        if text:
            del entries[: text.count(b":") + 1]
    return [entry.rstrip("/") for entry in entries if entry.startswith("/")]


def take_over():
    finder = LocationFinder(library_entries())
    sys.meta_path[:] = [finder] + [DistributionsOnly if one is PathFinder else one for one in sys.meta_path]
    return finder


_finder = take_over()
import errno  # noqa: E402
import os  # noqa: E402
import json  # noqa: E402
import site  # noqa: E402
import time  # noqa: E402
from io import open_code  # noqa: E402


def is_file(st):
    return (st.st_mode & 0o170000) == 0o100000


class SealedByTime:
    """What of pip's folder no one has touched since the run began.  By change times, which nobody can set: the kernel's clock makes them."""

    def __init__(self, folder, started):
        self.folder, self.started = folder + "/", started

    def __contains__(self, path):
        try:
            return path.startswith(self.folder) and is_file(os.stat(path))
        except OSError:
            return False

    def fits(self, path, st):
        return st.st_ctime_ns <= self.started


class SealedByList:
    """What pip's folder consists of now: nothing has been installed yet."""

    def __init__(self, folder):
        self.files = {}
        folders = [folder]
        while folders:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.name.endswith((".py", ".pyc")):
                        try:
                            self.files[entry.path] = self.identity(entry.stat())
                        except OSError:
                            continue
                    elif "." not in entry.name and entry.is_dir():
                        folders.append(entry.path)

    def __contains__(self, path):
        return path in self.files

    def fits(self, path, st):
        return self.files.get(path) == self.identity(st)

    @staticmethod
    def identity(st):
        return (st.st_dev, st.st_ino, st.st_size, st.st_mtime_ns, st.st_ctime_ns)


def seal_of(folder, started):
    # A list takes a look at every file of pip, which is most of what the bootstrap costs.
    return SealedByList(folder) if started is None else SealedByTime(folder, started)


# What pip takes for an archive by its name, and the modules that take anything for one.
ARCHIVES = (".whl", ".zip", ".tar.gz", ".tgz", ".tar", ".tar.bz2", ".tbz", ".tar.xz", ".txz", ".tlz", ".tar.lz", ".tar.lzma")
READERS = frozenset(["zipfile", "zipfile._path", "tarfile", "gzip", "bz2", "lzma", "pip._internal.utils.unpacking"])


def below(path, folder):
    return path == folder or path.startswith(folder if folder == "/" else folder + "/")


def covers(place, path):
    """An entry of the list of archives."""
    if place.endswith("/*"):
        return os.path.dirname(path) == (place[:-2] or "/")
    return below(path, place)


def has_stem(name, stem, ends):
    """Is name the stem and one of these characters repeated?  pip3.11 is one of pip's scripts, pip-compile is not."""
    return name.startswith(stem) and not name[len(stem):].strip(ends)


def is_own_script(name):
    if name.startswith(("activate", "Activate")):
        rest = name[len("activate"):]
        return rest in ("", "_this.py") or rest.startswith(".")
    return has_stem(name, "pip", "0123456789.") or has_stem(name, "python", "0123456789.t")


def absolute(path, dir_fd=-1):
    """The path as the kernel is told it; one that is relative to a descriptor begins with that folder's real path."""
    path = os.fsdecode(path)
    if path.startswith("/"):
        return path
    if dir_fd is None or dir_fd < 0:
        return os.getcwd() + "/" + path
    return os.readlink("/proc/self/fd/{}".format(dir_fd)) + "/" + path


def is_plain(name):
    """Is it one name, which leads nowhere else?"""
    return isinstance(name, str) and "/" not in name and name not in ("", ".", "..")


def is_requirement(one):
    return type(one).__name__ == "InstallRequirement"


def requirement_at(frame):
    """The requirement that pip is at work on, as its own frames have it, or None."""
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith("pip._internal."):
            known = frame.f_locals
            for one in (known.get("req"), known.get("self"), getattr(known.get("self"), "req", None)):
                if is_requirement(one):
                    return one
        frame = frame.f_back
    return None


def canonical(name):
    return name.lower().replace("_", "-").replace(".", "-")


def split_archive(filename, name):
    """NAME-VERSION.tar.gz: both; name: what pip has for it, or None."""
    for end in ARCHIVES:
        if filename.lower().endswith(end):
            stem = filename[: -len(end)]
            for at, letter in enumerate(stem):
                if letter == "-" and (canonical(stem[:at]) == canonical(name) if name else stem[at + 1: at + 2].isdigit()):
                    version = stem[at + 1:]
                    return name or stem[:at], version.partition("-")[0] if end == ".whl" else version
    return name, None


def digest_of(path):
    """SHA-256 of an archive for which the index had none."""
    import hashlib

    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


class Word:
    """pip's word on whose code it is about to start, given to the child's environment, of which the supervisor takes it away."""

    VARIABLE = "PIPWARDEN_FOR"  # FOR_VARIABLE in launcher/supervise/word.h

    def __init__(self, spec):
        self.above = spec.get("for") or []

    def on_start(self, _executable, _argv, _cwd, env):
        if type(env) is not dict:  # os.environ itself, or none of its own
            return
        try:
            text = json.dumps(self.about(requirement_at(sys._getframe(3))))
        except Exception:  # another pip, whose frames look otherwise: the supervisor goes by folders
            return
        env[self.VARIABLE] = text

    def about(self, req):
        if req is None:
            return {"for": self.above}
        name, version = split_archive(req.link.filename, req.name) if req.link else (req.name, None)
        return {"name": name, "version": version, "sha256": self.sha256(req), "for": self.above}

    @staticmethod
    def sha256(req):
        if req.link is not None and req.link.hash_name == "sha256":
            return req.link.hash
        path = req.local_file_path
        if path and os.path.isfile(path):
            return digest_of(path)
        return None


def refused_member(text):
    """Of what archive's file pip says that it would lie outside of where it is unpacked; "" when that is not what it says."""
    if " trying to install" in text and "target directory" in text:
        return text.partition(" has a file ")[2].partition(" trying to install")[0].strip("()'\"")
    member = getattr(sys.exc_info()[1], "tarinfo", None) if text.startswith("Invalid member") else None
    return member.name if member is not None else ""


class Guard:
    """Four rules for pip, which is trusted code that handles hostile data; an audit hook sees what it does.

    Archives are read only where the user's words lead, not where a package's requirement points.  pip's own files stay as
    they are unless pip is what is being installed: they would run unguarded.  What is written below the run's temp stays
    there, whatever links an unpacked archive has laid, and nothing is written through a link that a project's build has laid.
    The kernel's rules hold besides; here is what they cannot tell apart.
    """

    def __init__(self, finder, spec):
        self.report = finder.report
        self.audit = finder.audit
        self.temp = os.path.abspath(os.environ.get("TMPDIR") or "/tmp")
        self.real_temp = os.path.realpath(self.temp)
        # Archives on PYTHONPATH are looked through for distributions.
        self.archives = (spec.get("archives") or []) + [entry for entry in os.environ.get("PYTHONPATH", "").split(":") if entry[:1] == "/"]
        self.pip_dir = os.path.realpath(spec["pip_dir"])
        self.library = [os.path.realpath(entry) for entry in finder.library + finder.wheels] + [self.pip_dir]
        self.real_folders = {}  # outside the temp nobody else moves folders meanwhile
        # The environment may have a pip of its own besides (--python).
        sites = [os.path.realpath(entry) for entry in sys.path if os.path.isfile(entry + "/pip/__init__.py")]
        self.sites = tuple({entry + "/" for entry in [os.path.dirname(self.pip_dir)] + sites})
        self.scripts = self.own_scripts(spec)
        self.sealed = spec.get("sealed", True)
        self.projects = spec.get("projects") or []
        self.began = spec.get("started") or time.time_ns()
        self.word = Word(spec)
        self.archive = ""  # the last one that was opened: what is unpacked

    def install(self):
        checks = {
            "open": self.on_open,
            "os.mkdir": lambda path, mode, dir_fd: self.on_write(path, dir_fd),
            "os.remove": self.on_write,
            "os.rmdir": self.on_write,
            "os.symlink": lambda target, path, dir_fd: self.on_write(path, dir_fd),
            "os.rename": self.on_rename,
            "os.link": self.on_rename,
            "os.truncate": lambda path, length: self.on_write(path, follow=True),
            "os.chmod": lambda path, mode, dir_fd: self.on_write(path, dir_fd, True),
            "subprocess.Popen": self.word.on_start,
        }
        find = checks.get

        def hook(event, args):
            check = find(event)
            if check is not None:
                check(*args)

        sys.addaudithook(hook)

    def listen(self, loader):
        """What pip itself refuses to unpack is worth a record, too: it is told when pip makes the error for it."""
        run = loader.exec_module

        def exec_module(module):
            run(module)
            kind = module.InstallationError

            def init(error, *args, **more):
                super(kind, error).__init__(*args, **more)
                try:
                    member = refused_member(str(args[0]) if args else "")
                    if member:
                        req = requirement_at(sys._getframe(1))
                        known = split_archive(req.link.filename, req.name) if req is not None and req.link else ("", "")
                        self.report(member, "write", self.archive, "unpack {} {}".format(*(word or "" for word in known)))
                except Exception:  # another pip: its own error is what counts
                    pass

            kind.__init__ = init

        loader.exec_module = exec_module

    @staticmethod
    def own_scripts(spec):
        """What starts this pip and its Python, and what existed: `pip` may create the rest."""
        found = {os.path.realpath(spec["program"])}
        for folder in {os.path.dirname(sys.executable), os.path.join(sys.prefix, "bin"), os.path.dirname(spec["program"])}:
            folder = os.path.realpath(folder)
            try:
                found.update(os.path.join(folder, name) for name in os.listdir(folder) if is_own_script(name))
            except OSError:
                pass
        return found

    # --- archives

    def on_open(self, path, mode, flags):
        if isinstance(path, int):
            return
        writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC) or (mode and (mode[0] in "wax" or "+" in mode))
        if writes:
            self.on_write(path, follow=True)
        if not flags & os.O_WRONLY:
            self.on_read(path)

    def on_read(self, path):
        text = os.fsdecode(path)
        # Frames: this one, on_open, the hook, then who opens.
        if not text.lower().endswith(ARCHIVES) and sys._getframe(3).f_globals.get("__name__") not in READERS:
            return
        text = absolute(text)
        self.archive = os.path.basename(text)
        real = os.path.realpath(text)
        if below(real, self.real_temp) or any(below(real, place) for place in self.library):
            return
        # As written, too: a folder that the user named may hold links.
        texts = [real] if ".." in text.split("/") else [real, os.path.normpath(text)]
        if any(covers(place, one) for place in self.archives for one in texts):
            return
        if os.path.isfile(real):  # else pip's own message says it better; folders of sys.path are tried as zips, too
            self.refuse("read", real, "neither the command line nor a requirements file nor pip's settings name this archive")

    # --- writing

    def on_write(self, path, dir_fd=-1, follow=False):
        if isinstance(path, int):
            return
        text = absolute(path, dir_fd)
        # A descriptor's folder is told by its real path: whole trees are removed so.
        real = text if dir_fd is not None and dir_fd >= 0 and is_plain(path) else self.resolve(text)
        if follow and os.path.islink(real):
            # `pip wheel .` writes into the folder that the build works in.
            if any(below(real, project) for project in self.projects) and os.lstat(real).st_ctime_ns > self.began:
                self.refuse("write", real, "this link came while a build worked here: pip writes nothing through it")
            real = os.path.realpath(real)
        self.judge(text, real)

    def on_rename(self, old, new, old_fd, new_fd):
        for path, dir_fd in ((old, old_fd), (new, new_fd)):
            path = absolute(path, dir_fd)
            real = self.resolve(path)
            if self.sealed and any(below(site + "pip", real) for site in self.sites):
                self.refuse("write", real, "pip's own files change only when pip is what is installed: name it")
            self.judge(path, real)

    def judge(self, path, real):
        if self.sealed and self.is_of_pip(real):
            self.refuse("write", real, "pip's own files change only when pip is what is installed: name it")
        if self.claims_temp(path) and not below(real, self.real_temp):
            self.refuse("write", os.path.normpath(path), "this path leads out of the temporary folder through a link", self.archive)

    def resolve(self, path):
        """The path with the links of its folder resolved, those of its last name not."""
        folder, _, name = path.rpartition("/")
        if name in ("", ".", ".."):
            return os.path.realpath(path)
        folder = folder or "/"
        real = self.real_folders.get(folder)
        if real is None:
            real = os.path.realpath(folder)
            if not self.claims_temp(folder) and not below(real, self.real_temp):
                self.real_folders[folder] = real
        return real + "/" + name if real != "/" else "/" + name

    def claims_temp(self, path):
        if "/." in path or "//" in path:
            path = os.path.normpath(path)
        return below(path, self.temp) or below(path, self.real_temp)

    def is_of_pip(self, real):
        if real.startswith(self.sites):
            for site in self.sites:
                top = real[len(site):].partition("/")[0] if real.startswith(site) else ""
                if top == "pip" or (top.startswith("pip-") and top.endswith((".dist-info", ".egg-info"))):
                    return True
        return real in self.scripts

    def refuse(self, kind, path, why, archive=""):
        self.report(path, kind, archive)
        if self.audit:
            return
        raise PermissionError(errno.EACCES, "pipwarden: " + why, path)


def read_pth(path):
    """The text of a start-up file as this version of Python reads it; None when it cannot."""
    import locale

    try:
        with open_code(path) as stream:
            content = stream.read()
    except OSError:
        return None
    encoding = locale.getpreferredencoding(False)
    if sys.version_info >= (3, 12, 4):
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError:
            pass
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return None


def make_addpackage(finder, allowed):
    """site.addpackage that takes path lines only, and code lines of the files that the user allowed."""
    allowed = {os.path.realpath(path) for path in allowed}
    told = set()

    def left_out(path):
        if path not in told:
            told.add(path)
            finder.report(path, "start")

    def run_line(line, path):
        finder.open = True
        try:
            exec(line, {"__builtins__": __builtins__, "sitedir": os.path.dirname(path)})
        finally:
            finder.open = False

    def addpackage(sitedir, name, known_paths=None, *_args, **_options):
        reset = known_paths is None
        if reset:
            known_paths = site._init_pathinfo()
        path = os.path.join(sitedir, name)
        text = read_pth(path)
        for line in (text or "").splitlines():
            if line.startswith("#") or not line.strip():
                continue
            try:
                if line.startswith(("import ", "import\t")):
                    if os.path.realpath(path) in allowed:
                        run_line(line, path)
                    elif line.rstrip() not in EVERYWHERE:
                        left_out(path)
                    continue
                entry, case = site.makepath(sitedir, line.rstrip())
                if case not in known_paths and os.path.exists(entry):
                    sys.path.append(entry)
                    known_paths.add(case)
            except Exception as exc:
                print("Error processing {}: {!r}\nRemainder of file ignored".format(path, exc), file=sys.stderr)
                break
        return None if reset else known_paths

    return addpackage


def make_addsitedir(addpackage):
    def addsitedir(sitedir, known_paths=None, *_args, **_options):
        reset = known_paths is None
        if reset:
            known_paths = site._init_pathinfo()
        sitedir, case = site.makepath(sitedir)
        if case not in known_paths:
            sys.path.append(sitedir)
            known_paths.add(case)
        try:
            names = os.listdir(sitedir)
        except OSError:
            return None
        for name in sorted(names):
            if name.endswith(".pth") and not name.startswith("."):
                addpackage(sitedir, name, known_paths)
        return None if reset else known_paths

    return addsitedir


def leave_out(finder, name):
    spec = PathFinder.find_spec(name, sys.path)
    if spec is not None and spec.origin is not None and os.path.dirname(spec.origin) not in finder.library:
        finder.report(spec.origin, "start")


def run_site(finder, allowed):
    """Paths as always (the prefix of a virtual environment too, which -S alone leaves out), code never."""
    if not finder.audit:
        site.addpackage = make_addpackage(finder, allowed)
        if sys.version_info >= (3, 15):  # start-up files of further kinds are read in addsitedir there
            site.addsitedir = make_addsitedir(site.addpackage)
        site.execsitecustomize = lambda *_args, **_options: leave_out(finder, "sitecustomize")
        site.execusercustomize = lambda *_args, **_options: leave_out(finder, "usercustomize")
    site.main()


def give_back_pythonpath(text):
    os.environ["PYTHONPATH"] = text
    if not sys.flags.ignore_environment:
        entries = text.split(":") if text else []
        if sys.version_info >= (3, 11):
            entries = [os.path.abspath(entry) for entry in entries]
        sys.path[:0] = entries


def first_entry(spec):
    """sys.path[0] as Python sets it: the script's folder, or the working directory under -m."""
    if sys.flags.isolated or getattr(sys.flags, "safe_path", False):
        return
    if spec["module"]:
        try:
            sys.path.insert(0, os.getcwd())
        except OSError:
            pass
    elif os.path.isdir(spec["program"]):
        sys.path.insert(0, spec["program"])
    elif spec.get("runner") not in (None, spec["program"]):
        pass  # it would be the archive that pip came in
    else:
        sys.path.insert(0, os.path.dirname(os.path.realpath(spec["program"])))


def debian_wheels(pip_dir):
    """Debian's older pips, in its venvs too, load what others vendor from wheels that root put into one folder."""
    folder = sys.base_prefix + "/share/python-wheels"
    try:
        st = os.stat(folder)
        if st.st_uid != 0 or st.st_mode & 0o022:
            return []
        with open_code(pip_dir + "/_vendor/__init__.py") as stream:
            if b"\nDEBUNDLED = True" not in stream.read(8192):
                return []
        return [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name.endswith(".whl")]
    except OSError:
        return []


def new_main(path):
    module = type(sys)("__main__")
    module.__file__ = path
    module.__builtins__ = __builtins__
    module.__cached__ = None
    module.__package__ = None
    module.__loader__ = SourceFileLoader("__main__", path)
    # This file's own module has to outlive the run: its functions are the finder's.
    module.__pip_boot__ = sys.modules["__main__"]
    sys.modules["__main__"] = module
    return module


def run_script(path, source, package=None):
    """As Python runs a script file, or a folder's __main__.py (package: "")."""
    code = compile(source, path, "exec", dont_inherit=True)
    main = new_main(path)
    main.__package__ = package
    exec(code, main.__dict__)


def run_module(finder):
    """As `python -m pip` does."""
    import pip  # noqa: F401

    spec = finder.find_spec("pip.__main__", pip.__path__)
    if spec is None:
        raise ImportError("No module named pip.__main__", name="pip.__main__")
    code = spec.loader.get_code(spec.name)
    main = new_main(spec.origin)
    main.__package__ = "pip"
    main.__spec__ = spec
    main.__loader__ = spec.loader
    main.__cached__ = spec.cached
    main.__doc__ = None
    sys.argv[0] = spec.origin
    exec(code, main.__dict__)


def read_source(finder, path):
    if finder.seal is not None and path in finder.seal:
        return finder.sealed_data(path, None)
    with open_code(path) as stream:
        return stream.read()


def boot(finder):
    spec = json.loads(sys.argv[1])
    del sys.argv[1]
    sys.argv[0] = spec["program"]
    finder.event = spec.get("event")
    finder.audit = spec.get("audit", False)
    if spec.get("socks"):
        finder.socks = __file__.rpartition("/")[0] + "/pip_socks.py"
    if spec.get("pythonpath") is not None:
        give_back_pythonpath(spec["pythonpath"])
    run_site(finder, spec.get("allow_pth") or [])
    first_entry(spec)
    finder.wheels = debian_wheels(spec["pip_dir"])
    finder.pip_dir = spec["pip_dir"].rstrip("/")
    if spec.get("sealed", True):
        finder.seal = seal_of(finder.pip_dir, spec.get("started"))
    finder.guard = Guard(finder, spec)
    finder.guard.install()
    if spec["module"]:
        run_module(finder)
        return
    if spec.get("runner"):
        # The runner redirects `pip` to its own folder with PathFinder; imported beforehand, it comes from the finder above.
        import pip  # noqa: F401
    path = spec.get("runner") or spec["program"]
    if os.path.isdir(path):  # pips before 22.2 run their own folder
        path = os.path.join(path, "__main__.py")
        run_script(path, read_source(finder, path), "")
    else:
        run_script(path, read_source(finder, path))


if __name__ == "__main__":
    boot(_finder)
