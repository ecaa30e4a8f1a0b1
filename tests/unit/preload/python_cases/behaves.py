# What a program can see of os.environ: the output has to be the same with and without the shim.
import collections.abc
import copy
import inspect
import os
import pickle
import re
import subprocess
import sys
import traceback


os.environ.pop("LD_PRELOAD", None)


def show(what):
    try:
        print(what.__name__, what())
    except BaseException:
        print(what.__name__, re.sub("0x[0-9a-f]+", "0x", traceback.format_exc()))


def types():
    e = os.environ
    return (type(e) is os._Environ, type(e), type(os.environb) is os._Environ, isinstance(e, collections.abc.MutableMapping),
            type(iter(e)), type(e.keys()), [m.__name__ for m in os._Environ.__mro__], os._Environ.__module__)


def missing():
    return os.environ["MISSING"]


def missing_listed():
    os.environ.pop("ZZZ_LAST")
    return os.environ["ZZZ_LAST"]


def wrong_key():
    return os.environ[3]


def wrong_bytes():
    return os.environ[b"HOME"]


def wrong_text():
    return os.environb["HOME"]


def no_key():
    return os._Environ.__getitem__(os.environ)


def named_key():
    return os._Environ.__getitem__(os.environ, key="GITHUB_TOKEN") == os.environ["GITHUB_TOKEN"]


def unknown_key():
    return os._Environ.__getitem__(os.environ, other="GITHUB_TOKEN")


def surrogate():
    return os.environ.get("\udc80\udcff"), os.environ.get("\ud800", 1)


def nul():
    return os.environ.get("GITHUB_TOKEN\0")


def not_hashable():
    return os.environ.get(["GITHUB_TOKEN"])


def pickled():
    return pickle.dumps(os.environ)


def copies():
    one, other, third = os.environ.copy(), copy.copy(os.environ), dict(os.environ)
    return type(one), type(other), one == third, os.environ == third, len(os.environ), len(other)


def text():
    return sorted(repr(os.environ).split(", ")), str(os.environb)[:9], "%s" % os.environ == repr(os.environ), len(list(os.environ))


def changes():
    os.environ["X"] = "1"
    os.environ.update({"Y": "2"}, Z="3")
    out = [os.environ.pop("X"), os.environ.setdefault("Y", "4"), os.environ.get("Z"), os.getenv("Z")]
    del os.environ["Y"], os.environ["Z"]
    return out, "Y" in os.environ, os.environ.pop("Y", None)


def merges():
    if sys.version_info < (3, 9):
        return None
    return sorted(os.environ | {"X": "1"})[-2:], type(os.environ | {}), type({} | os.environ)


def signatures():
    return [str(inspect.signature(getattr(os._Environ, m))) for m in ("__getitem__", "__iter__", "__repr__", "__setitem__")]


def names():
    return [getattr(os._Environ, m).__name__ for m in ("__getitem__", "__iter__", "__repr__")]


class Own(dict):
    pass


class Sub(os._Environ):
    def __getitem__(self, key):
        return "sub:" + super().__getitem__(key)


def subclass():
    e = os.environ
    sub = Sub(*([e._data, e.encodekey, e.decodekey, e.encodevalue, e.decodevalue] + ([e.putenv, e.unsetenv] if hasattr(e, "putenv") else [])))
    return sub["GITHUB_TOKEN"], sub.get("NONE"), "GITHUB_TOKEN" in sub


class Key(str):
    def __hash__(self):
        return str.__hash__(self)


def own_key():
    return os.environ[Key("GITHUB_TOKEN")]


def while_handling():
    try:
        raise ValueError("first")
    except ValueError:
        os.environ["GITHUB_TOKEN"]
        raise KeyError("second")


def in_generator():
    def generate():
        yield os.environ["GITHUB_TOKEN"]
        yield from os.environ
    return len(list(generate()))


def child():
    return subprocess.run([sys.executable, "-c", "import os; print(os.environ['GITHUB_TOKEN'])"], stdout=subprocess.PIPE).stdout


def deep():
    def down(n):
        return down(n - 1) if n else os.environ["GITHUB_TOKEN"]
    return down(300)


def too_deep():
    def down():
        os.environ["GITHUB_TOKEN"]
        down()
    try:
        down()
    except RecursionError:
        return "as deep as that"


def audited():
    seen = []

    def hook(event, args):
        if active:
            seen.append((event, os.environ["GITHUB_TOKEN"]))
    active = []
    sys.addaudithook(hook)
    active.append(1)
    os.environ["DATABASE_URL"]
    active.clear()
    return sys.version_info >= (3, 9) and seen


def environment_in_place_of():
    real, os.environ = os.environ, Own(GITHUB_TOKEN="mine")
    try:
        return os.getenv("GITHUB_TOKEN"), dict(os.environ)
    finally:
        os.environ = real


def evaluators():
    """exec and eval are what they were to whoever looks at them, and work on their caller's variables."""
    import builtins
    import inspect
    made, inner = {}, "local"
    exec("made['by'] = inner; other = 1")
    exec(compile("x = inner", "made up", "exec"), {"inner": 5}, made)
    found = [type(f).__name__ + f.__name__ + f.__qualname__ + f.__module__ + str(f.__self__ is builtins) + str(f.__text_signature__) + f.__doc__ + repr(f)
             + str(pickle.loads(pickle.dumps(f)) is f) + str(inspect.signature(f)) for f in (exec, eval)]
    return found, made, eval("inner + 'ly'"), [eval(b"1 + 1"), eval("inner", {"inner": 6})], sorted(k for k in locals() if len(k) > 3)


def evaluator_errors():
    told = []
    for text in ("exec()", "eval()", "exec(1)", "eval('1 +')", "exec('x', {}, {}, {})", "eval('x', 1)", "exec(source='x')", "eval('a\\0b')", "exec('1/0')"):
        try:
            told.append(eval(text))
        except BaseException as e:
            told.append((type(e).__name__, str(e), traceback.extract_tb(e.__traceback__)[-1].name))
    return told


def sockets():
    import socket
    told = [socket.socket.connect.__doc__, socket.socket.connect_ex.__doc__, "connect" in dir(socket.socket)]

    class Own(socket.socket):
        def connect(self, address):
            return super().connect(address)
    with socket.socket(socket.AF_UNIX) as one, Own(socket.AF_UNIX) as two:
        for act in (lambda: one.connect("/nowhere"), lambda: two.connect(b"/nowhere"), lambda: one.connect(), lambda: one.connect(1), lambda: one.connect_ex("/nowhere"),
                    lambda: one.connect(address="x"), lambda: one.connect("/a", "/b")):
            try:
                told.append(act())
            except Exception as e:
                told.append((type(e).__name__, str(e), len(traceback.extract_tb(e.__traceback__))))
    return told


for case in (evaluators, evaluator_errors, sockets, types, missing, wrong_key, wrong_bytes, wrong_text, no_key, named_key, unknown_key, surrogate, nul, not_hashable, pickled, copies,
             text, changes, merges, signatures, names, subclass, own_key, while_handling, in_generator, child, deep, too_deep, audited,
             environment_in_place_of, missing_listed):
    show(case)
