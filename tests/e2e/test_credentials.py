"""Programs that pip asks for passwords, in the role `credential`: the user's own works, and reaches nothing but its own store; one of the environment gets none."""
from __future__ import annotations

import os
import socket
import threading

import pytest

from lib import keyrings, packages, sweeps
from lib.index import Index
from lib.world import CANARY

LOGIN, PASSWORD = "ann", "kR1ng0canary7of9the5store3"
WAYS = [("root", ""), ("user", ""), ("user", "namespaces")]
ways = pytest.mark.parametrize("way", WAYS, ids=lambda w: f"{w[0]}-{w[1] or 'nothing'}")


@pytest.fixture(scope="module")
def swept(base):
    folder = sweeps.sdists(base / "keyring-swept")
    packages.pure_wheel(folder)
    with Index(folder) as index:
        index.ask_for(LOGIN, PASSWORD)
        yield index


def ask(index, folder, world, **more) -> dict[str, str]:
    """pip finds the login's name in the URL and asks the keyring on PATH for its password."""
    return {"PIP_INDEX_URL": f"http://{LOGIN}@{index.host}:{index.port}/simple", "PIP_KEYRING_PROVIDER": "subprocess",
            "PATH": f"{world.venv}/bin:{folder}:/usr/bin:/bin", **more}


def logged_in(index) -> bool:
    return f"{LOGIN}:{PASSWORD}" in index.logins


KEYRINGS = [(keyrings.plain, *WAYS[0], "distribution"), (keyrings.plain, *WAYS[1], "3.13"), (keyrings.plain, *WAYS[2], "3.13"),
            (keyrings.pipx, *WAYS[0], "3.13"), (keyrings.pipx, *WAYS[1], "distribution"), (keyrings.pipx, *WAYS[2], "distribution")]


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


class Listener:
    """What comes to a port of the machine's loopback."""

    def __enter__(self):
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port, self.came = self._socket.getsockname()[1], []
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def _serve(self):
        try:
            while True:
                connection, _ = self._socket.accept()
                with connection:
                    self.came.append(connection.recv(100))
        except OSError:
            pass

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
agent.connect(os.environ["PWT_AGENT"])
print(agent.recv(100).decode())
sys.exit(0)
"""


@ways
def test_its_agent(way, make_world, user_named, templates, distribution, swept):
    """A socket is reached when it is named, and not otherwise."""
    world = make_world(user_named(way[0]), hide=way[1])
    world.use_venv(templates, distribution)
    path = world.home / "agent.sock"
    folder = keyrings.program(world, world.home / "tools/keyring", more=AGENT).parent
    with socket.socket(socket.AF_UNIX) as agent:
        agent.bind(str(path))
        agent.listen(8)
        world.own(path)

        def serve():
            try:
                while True:
                    connection, _ = agent.accept()
                    with connection:
                        connection.sendall(PASSWORD.encode())
            except OSError:
                pass

        threading.Thread(target=serve, daemon=True).start()
        for allowed in (False, True):
            swept.forget()
            result = world.guarded(["pip", "install", "pwpure"], ask(swept, folder, world, PWT_AGENT=str(path)),
                                   options=["--allow-read", f"credential:{path}"] if allowed else [])
            assert logged_in(swept) == allowed == (result.status == 0), str(result)
        agent.shutdown(socket.SHUT_RDWR)


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
