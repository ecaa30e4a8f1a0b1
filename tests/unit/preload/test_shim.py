#!/usr/bin/env python3
"""The shim against libc: whatever is started, resolved or read with it has to come out as without it.

    test_shim.py --shim libpipwarden.so --tools FOLDER [--map libpipwarden.map] GROUP

FOLDER holds the built helpers (fake_supervisor, fake_enter, show, drivers).  Groups: exports, exec-c,
exec-python, names, env, python.  Where the kernel lacks user notification the test is skipped (77), or
fails when PIPWARDEN_MUST_WORK is 1."""
import argparse
import difflib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from lib import pythons  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT = 40 * 1024
TIMEOUT = 240
failures = []


def check(condition, message):
    if not condition:
        failures.append(message)
        print("FAIL:", message)


def build_world(root, tools, shim):
    """The folder in which programs are started, and the shim with its `enter` beside it."""
    lib = os.path.join(root, "lib")
    world = os.path.join(root, "world")
    bin_ = os.path.join(world, "bin")
    for folder in (lib, bin_, bin_ + "/dir", bin_ + "/dir2", bin_ + "/closed", world + "/denied", world + "/none"):
        os.makedirs(folder)
    shutil.copy(shim, lib + "/libpipwarden.so")
    shutil.copy(tools + "/fake_enter", lib + "/enter")
    for name in ("fake_supervisor", "exec_driver", "name_driver", "env_driver"):
        shutil.copy(os.path.join(tools, name), os.path.join(lib, name))
    shutil.copy(tools + "/libreader.so", lib + "/libreader.so")
    shutil.copy(HERE + "/exec_cases.py", lib + "/exec_cases.py")
    shutil.copytree(HERE + "/python_cases", lib + "/python_cases", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(tools + "/show", bin_ + "/show")
    shutil.copy(tools + "/show", bin_ + "/late")
    shutil.copy(tools + "/show", bin_ + "/onlyx")
    os.chmod(bin_ + "/onlyx", 0o711)
    shutil.copy(tools + "/show", bin_ + "/closed/show")
    os.chmod(bin_ + "/closed", 0o600)

    def write(name, text, mode=0o755):
        path = os.path.join(world, name)
        with open(path, "wb") as f:
            f.write(text if isinstance(text, bytes) else text.encode())
        os.chmod(path, mode)

    write("bin/script", '#!/bin/sh\nprintf "<%s>" script "$@"\n')
    write("bin/args", '#!/bin/sh -e  \nprintf "<%s>" args "$@"\nfalse\necho not reached\n')
    write("bin/counts", 'echo counts $#\n')
    write("bin/noshebang", 'printf "<%s>" plain "$@"\n')
    write("bin/noexec", "#!/bin/sh\necho no\n", 0o644)
    write("denied/denied", "#!/bin/sh\necho no\n", 0o644)
    write("denied/first", "#!/bin/sh\necho no\n", 0o644)
    shutil.copy(tools + "/show", bin_ + "/first")
    write("bin/nointerp", "#!/nonexistent/interpreter\n")
    write("bin/interpnoexec", "#!%s/bin/noexec\n" % world)
    write("bin/interpdir", "#!%s/bin/dir\n" % world)
    write("bin/blank", "#!   \t \n")
    write("bin/spaces", "#! \t /bin/sh  \nprintf '<%s>' spaces \"$@\"\n")
    write("bin/nonl", "#!/bin/true")
    write("bin/longline", "#!/" + "x" * 300 + "\n")
    write("bin/textnul", b"#!/bin/true\0more\n")
    write("bin/empty", b"")
    write("bin/shortelf", b"\x7fELF")
    write("bin/badelf", b"\x7fELF\2\1\1" + b"\0" * 9 + b"\1\0" + b"\0" * 200)
    previous = world + "/bin/show"
    for i in range(1, 8):
        write("bin/deep%d" % i, "#!%s\n" % previous)
        previous = "%s/bin/deep%d" % (world, i)
    with open(tools + "/show", "rb") as f:
        data = f.read()
    loader = re.search(rb"/lib[0-9a-z]*/ld-linux[-a-z0-9_]*\.so\.[0-9]", data).group()
    write("bin/noelfinterp", data.replace(loader, loader[:-1] + b"X", 1))
    os.symlink("show", bin_ + "/link")
    os.symlink("nothing-here", bin_ + "/dangling")
    os.symlink("loop", bin_ + "/loop")
    write("bin/sink", "", 0o666)
    os.mkfifo(bin_ + "/fifo", 0o755)
    write("aFile", "x")
    for folder, _, names in os.walk(root):
        if not folder.endswith("/closed"):
            os.chmod(folder, 0o755)
    os.chmod(world, 0o777)
    return lib, world


class Runner:
    def __init__(self, lib, world, root, user=None):
        self.lib, self.world, self.root, self.user = lib, world, root, user

    def environment(self):
        path = ":".join([self.world + "/none", self.world + "/aFile", self.world + "/denied", self.world + "/bin",
                         "/usr/bin", "/bin"])
        return {"PATH": path, "HOME": self.root, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}

    def become(self):
        if self.user is not None:
            os.setgroups([])
            os.setgid(self.user)
            os.setuid(self.user)

    def plain(self, command, **extra):
        return self.call(command, dict(self.environment(), **extra))

    def shimmed(self, role, command, **extra):
        """Output, and the events as lists of fields."""
        events = os.path.join(self.root, "events")
        for name in (events, self.lib + "/enter.log"):
            with open(name, "wb"):
                pass
            os.chmod(name, 0o666)
        env = dict(self.environment(), SHIM=extra.pop("shim", self.lib + "/libpipwarden.so"), **extra)
        out = self.call([self.lib + "/fake_supervisor", str(role), events] + command, env)
        with open(events, errors="replace") as f:
            return out, [line.rstrip("\n").split("\t") for line in f]

    def started(self):
        with open(self.lib + "/enter.log") as f:
            return f.read().splitlines()

    def call(self, command, env):
        p = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                           preexec_fn=self.become, timeout=TIMEOUT, cwd=self.world)
        if p.returncode == 120 and b"fake_supervisor: seccomp" in p.stderr:
            print("no user notification here:", p.stderr.decode())
            sys.exit(1 if os.environ.get("PIPWARDEN_MUST_WORK") == "1" else 77)
        return p.returncode, p.stdout.decode("latin-1"), p.stderr.decode("latin-1")


def compare(name, plain, shimmed):
    check(plain[0] == shimmed[0], "%s: status %s instead of %s" % (name, shimmed[0], plain[0]))
    check(plain[2] == shimmed[2], "%s: standard error %r instead of %r" % (name, shimmed[2][-500:], plain[2][-500:]))
    if plain[1] != shimmed[1]:
        diff = difflib.unified_diff(plain[1].splitlines(), shimmed[1].splitlines(), "plain", "shim", lineterm="", n=0)
        check(False, "%s:\n%s" % (name, "\n".join(line[:400] for line in list(diff)[:60])))


def users():
    return [None, 65534] if os.getuid() == 0 else [None]


def exec_c(lib, world, root):
    for user in users():
        r = Runner(lib, world, root, user)
        plain = r.plain([lib + "/exec_driver", world])
        check(plain[0] == 0 and plain[1].count("\n") > 600, "the driver itself: %s %s" % (plain[0], plain[2]))
        check("cwd=%s" % world in plain[1] and "popen" in plain[1], "the driver ran no program")
        shimmed, events = r.shimmed(1, [lib + "/exec_driver", world])
        compare("exec_driver as %s" % user, plain, shimmed)
        check(events == [], "events of the installer: %r" % events[:3])
        started = r.started()
        check(len(started) > 300, "only %d starts went through enter" % len(started))
        check(all(p for p in started), "an empty path reached enter")
        for role in (0, 2, 3):
            out, _ = r.shimmed(role, [lib + "/exec_driver", world])
            # In a sandbox the environment of a start shows the shim: that is what the interposer is for.
            text = out[1].replace(" {LD_PRELOAD=%s/libpipwarden.so}" % lib, "")
            reference = plain[1]
            compare("exec_driver in role %d as %s" % (role, user), (plain[0], reference, plain[2]), (out[0], text, out[2]))
            check(r.started() == [], "role %d started enter" % role)
            if role:
                shown = [l for l in out[1].splitlines() if l.startswith(("execve bin/show:", "execle bin/show:",
                                                                         "execve_bare bin/show:", "posix_spawn bin/show:"))]
                check(len(shown) == 4 and all("{LD_PRELOAD=%s/libpipwarden.so}" % lib in l for l in shown),
                      "role %d: the shim was not put back: %r" % (role, shown))


def exec_python(lib, world, root):
    for python in pythons.in_place(only=(8, 13)):
        for user in users():
            if user is not None and python != "/usr/bin/python3":
                continue  # other pythons may lie in a home of root's
            r = Runner(lib, world, root, user)
            command = [python, "-s", lib + "/exec_cases.py", world]
            plain = r.plain(command)
            check(plain[0] == 0 and plain[1].count("\n") > 500, "%s: %s %s" % (python, plain[0], plain[2][-500:]))
            shimmed, events = r.shimmed(1, command)
            compare("%s as %s" % (python, user), plain, shimmed)
            started = r.started()
            check(len(started) > 1200, "%s: only %d starts went through enter" % (python, len(started)))
            check(events == [], "%s: events %r" % (python, events[:3]))
            version = json.loads(plain[1]).get("threads")
            check(version == 800, "%s: threads: %r" % (python, version))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--shim", required=True)
    parser.add_argument("--tools", required=True)
    parser.add_argument("--map")
    parser.add_argument("--exec-library")
    parser.add_argument("group")
    args = parser.parse_args()
    args.shim, args.tools = os.path.abspath(args.shim), os.path.abspath(args.tools)
    import python_group
    import shim_groups
    os.umask(0o022)
    with tempfile.TemporaryDirectory(prefix="pw-shim-") as root:
        if args.group == "exports":
            shim_groups.exports(args, root, check)
        else:
            lib, world = build_world(root, args.tools, args.shim)
            os.chmod(root, 0o755)
            if args.group == "exec-c":
                exec_c(lib, world, root)
            elif args.group == "exec-python":
                exec_python(lib, world, root)
            elif args.group == "names":
                shim_groups.names(Runner(lib, world, root), check)
            elif args.group == "env":
                shim_groups.env(Runner(lib, world, root), check)
            elif args.group == "python":
                python_group.python(Runner(lib, world, root), pythons.in_place(oldest=6), check)
            else:
                parser.error("unknown group")
    print("%s: %s" % (args.group, "%d failures" % len(failures) if failures else "ok"))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
