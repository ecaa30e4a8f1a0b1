"""Starts programs in the ways that Python knows and prints what came of each, as JSON.

    exec_cases.py FOLDER

FOLDER is laid out by test_shim.py.  Run once plainly and once with the shim; the outputs are compared.
Works on Python 3.6 and later."""
import ctypes
import json
import os
import signal
import subprocess
import sys
import threading

os.chdir(sys.argv[1])
HERE = os.getcwd()
SHOW = HERE + "/bin/show"
PIPE = subprocess.PIPE
SINK = open("bin/sink", "ab")
results = {}


def clean(value):
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    return value if isinstance(value, (int, str, list, type(None))) else repr(value)


def case(name):
    def decorate(function):
        try:
            value = function()
        except BaseException as error:
            value = [type(error).__name__, getattr(error, "errno", None), getattr(error, "filename", None), str(error)]
        results[name] = [clean(v) for v in value] if isinstance(value, (list, tuple)) else clean(value)
        return function
    return decorate


def run(*args, **kw):
    kw.setdefault("stdout", PIPE)
    kw.setdefault("stderr", PIPE)
    kw.setdefault("timeout", 60)
    p = subprocess.run(*args, **kw)
    return [p.returncode, p.stdout, p.stderr]


TARGETS = ["bin/show", "show", "missing", "bin/missing", "bin/noexec", "noexec", "bin/dir", "bin/dangling", "bin/loop",
           "bin/show/x", "bin/noshebang", "noshebang", "bin/nointerp", "bin/noelfinterp", "bin/script", "bin/empty", "", "/",
           "bin/deep5", "bin/deep6", "late", "first", "denied", "bin/onlyx", "bin/closed/show"]

for target in TARGETS:
    case("run " + target)(lambda: run([target, "a", "b c"]))
    case("run env " + target)(lambda: run([target, "a"], env={"A": "1", "PATH": HERE + "/bin"}))
    case("executable " + target)(lambda: run(["zero", "a"], executable=target))
    case("no close_fds " + target)(lambda: run([HERE + "/" + target, "a"], close_fds=False))
    case("quiet " + target)(lambda: subprocess.call([target], stdout=SINK, stderr=SINK))
    if hasattr(os, "posix_spawn"):
        @case("posix_spawn " + target)
        def spawn():
            pid = os.posix_spawn(target, ["zero", "x"], {"A": "1"}, file_actions=[(os.POSIX_SPAWN_CLOSE, 1)])
            return os.waitpid(pid, 0)[1]

        @case("posix_spawnp " + target)
        def spawnp():
            pid = os.posix_spawnp(target, ["zero", "x"], os.environ, file_actions=[(os.POSIX_SPAWN_CLOSE, 1)],
                                  setsigdef=[signal.SIGPIPE])
            return os.waitpid(pid, 0)[1]

    @case("spawnlp " + target)
    def spawnlp():
        devnull = os.open("bin/sink", os.O_WRONLY)
        saved = os.dup(1)
        sys.stdout.flush()
        os.dup2(devnull, 1)
        try:
            return os.spawnlp(os.P_WAIT, target, "zero", "y")
        finally:
            os.dup2(saved, 1)
            os.close(saved)
            os.close(devnull)

case("empty env")(lambda: run([SHOW], env={}))
case("cwd")(lambda: run(["./show"], cwd="bin"))
case("cwd missing")(lambda: run(["./show"], cwd="nodir"))
case("cwd relative exe")(lambda: run(["bin/show"], cwd="bin"))
case("shell")(lambda: run("bin/show 'a b'; exit 4", shell=True))
case("shell arg")(lambda: run("echo $0 $1 | cat", shell=True))
case("stdin")(lambda: run(["cat"], input=b"x" * 300000))
case("stderr to stdout")(lambda: run(["sh", "-c", "echo a; echo b >&2"], stderr=subprocess.STDOUT))
case("preexec")(lambda: run([SHOW], preexec_fn=lambda: os.umask(0o77)))
case("close_fds")(lambda: run([SHOW], close_fds=True))
case("pass_fds")(lambda: run([SHOW], pass_fds=[2]))
case("session")(lambda: run([sys.executable, "-S", "-c", "import os; print(os.getsid(0) == os.getpid())"],
                            start_new_session=True))
case("restore_signals")(lambda: run([SHOW], restore_signals=False))
case("argv0")(lambda: run(["-odd name-"], executable=SHOW))
case("killed")(lambda: run(["sh", "-c", "kill -9 $$"]))
case("terminated")(lambda: run(["sh", "-c", "kill -TERM $$"]))
case("status")(lambda: run(["sh", "-c", "exit 77"]))
case("100000 arguments")(lambda: run([SHOW] + ["a"] * 100000))
case("1.5 MB")(lambda: run([SHOW] + ["b" * 125000] * 12))
case("E2BIG")(lambda: run([SHOW, "c" * 200000]))
case("E2BIG total")(lambda: run([SHOW] + ["d" * 100000] * 40))
case("check_output")(lambda: subprocess.check_output(["bin/script", "q"]))
case("getoutput")(lambda: subprocess.getstatusoutput("bin/show; false"))
case("os.system")(lambda: [os.system("exit 3"), os.system("kill -9 $$"), os.system("bin/show > bin/sink")])
case("os.popen")(lambda: os.popen("bin/show; exit 2").read())
case("sequential")(lambda: [run(["true"])[0] for _ in range(100)].count(0))


@case("timeout kills")
def timeout():
    try:
        run(["sleep", "30"], timeout=0.3)
    except subprocess.TimeoutExpired:
        return "expired"


@case("signal reaches")
def reaches():
    p = subprocess.Popen(["sh", "-c", "trap 'exit 9' TERM; echo up; while :; do sleep 0.02; done"], stdout=PIPE)
    p.stdout.readline()
    p.send_signal(signal.SIGTERM)
    code = p.wait(30)
    p.stdout.close()
    return code


def child(function):
    """What a forked child that execs prints, and its status."""
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.dup2(write, 1)
            os.dup2(write, 2)
            function()
        except OSError as error:
            os.write(1, ("OSError %s" % error.errno).encode())
        os._exit(11)
    os.close(write)
    with os.fdopen(read, "rb") as f:
        output = f.read()
    return [output, os.waitpid(pid, 0)[1]]


ENV = {"B": "2", "PATH": HERE + "/bin"}
for target in ["bin/show", "show", "missing", "noexec", "bin/dir", "noshebang"]:
    case("execl " + target)(lambda: child(lambda: os.execl(target, "z", "1")))
    case("execlp " + target)(lambda: child(lambda: os.execlp(target, "z", "1")))
    case("execle " + target)(lambda: child(lambda: os.execle(target, "z", ENV)))
    case("execlpe " + target)(lambda: child(lambda: os.execlpe(target, "z", ENV)))
    case("execvp " + target)(lambda: child(lambda: os.execvp(target, ["z"])))

case("execve fd")(lambda: child(lambda: os.execve(os.open("bin/show", os.O_RDONLY), ["fd"], ENV)))
case("execv after failure")(lambda: child(lambda: [case_ignore(), os.execv(SHOW, ["second"])]))


def case_ignore():
    try:
        os.execv("bin/missing", ["first"])
    except OSError as error:
        os.write(1, str(error.errno).encode())


libc = ctypes.CDLL(None, use_errno=True)


@case("ctypes system")
def ctypes_system():
    return [libc.system(b"exit 6"), libc.system(None)]


@case("ctypes popen")
def ctypes_popen():
    libc.popen.restype = ctypes.c_void_p
    libc.pclose.argtypes = [ctypes.c_void_p]
    libc.fgets.restype = ctypes.c_void_p
    libc.fgets.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p]
    stream = libc.popen(b"echo from popen; exit 8", b"r")
    buffer = ctypes.create_string_buffer(100)
    libc.fgets(buffer, 100, stream)
    return [buffer.value, libc.pclose(stream)]


@case("threads")
def threads():
    counts = []

    def work(number):
        good = 0
        for i in range(100):
            data = b"%d-%d" % (number, i)
            p = subprocess.run(["cat"], input=data, stdout=PIPE)
            good += p.returncode == 0 and p.stdout == data
        counts.append(good)
    workers = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    return sum(counts)


@case("system threads")
def system_threads():
    codes = []
    workers = [threading.Thread(target=lambda: codes.extend(os.system("exit 1") for _ in range(20))) for _ in range(4)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    with open("/proc/self/status") as f:
        ignored = [line for line in f if line.startswith("SigIgn")]
    return [len(codes), sorted(set(codes)), ignored]


@case("environment untouched")
def environment():
    return [k for k in os.environ if k.startswith("PIPWARDEN")]


json.dump(results, sys.stdout, indent=1, sort_keys=True)
