"""Requirements from version control: git over http and https, and of this machine's own folders.

The tool reaches its requirement's host and no other, has its own configuration and credentials, and starts nothing that came with a repository; a build has none
of that, and leaves `.git` alone.  Hosts lie in network namespaces; judged by what happened: packets, files, what the server was asked."""
from __future__ import annotations

import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from conftest import USERS, cannot
from lib import packages
from lib.fakenet import INET4, in_netns, self_signed
from lib.gitserver import GitServer, git, repository
from lib.procs import wait_for
from lib.proxy import Proxy

HOST, HTTP, HTTPS, SSH = "git.test", 8081, 8444, 2222
WORLDS = [*(("", u) for u in USERS), ("namespaces", "user")]
ELSEWHERE, PUBLIC = "elsewhere.test", "203.0.113.10"
LOGIN = ("someone", "canary0of0the0git0store")

# What a build tries in the checkout that it works in, and of the user's: told in its output.
NOSY = """
import os
def tried(what, f):
    try:
        print("TRIED", what, repr(f()), flush=True)
    except OSError as e:
        print("TRIED", what, type(e).__name__, flush=True)
def put(path, text="# x"):
    with open(path, "w") as f:
        return f.write(text)
home = HOME
CONFIG = open(".git/config").read()
tried("store", lambda: open(home + "/.git-credentials").read())
tried("config", lambda: open(home + "/.gitconfig").read())
tried("url", lambda: open(".git/config").read())
tried("write-config", lambda: put(".git/config"))
tried("write-hook", lambda: put(".git/hooks/post-checkout"))
tried("rename", lambda: os.rename(".git", ".tig") or os.rename(".tig", ".git"))
tried("restore", lambda: os.remove(".git/hooks/post-checkout") or put(".git/config", CONFIG))
"""


def project(name: str, setup: str = "") -> packages.Files:
    """Builds without an index: a back end of its own, which runs `setup` first."""
    source = setup + "\n" + (packages.FIXTURES / "tinyback" / "tinyback.py").read_text()
    return {"pyproject.toml": f'[build-system]\nrequires = []\nbuild-backend = "tinyback"\nbackend-path = ["backend"]\n[project]\nname = "{name}"\nversion = "1.0"\n',
            "backend/tinyback.py": source, f"{name}.c": (packages.FIXTURES / "native" / "module.c").read_text().replace("NAME", name)}


@pytest.fixture(scope="module")
def repositories(base, request) -> Path:
    folder = base / f"repositories-of-{request.module.__name__}"  # other modules have it as well
    repository(folder / "pwvcs.git", project("pwvcs"))
    git("tag", "v1", cwd=folder / "pwvcs.git")
    setup = 'from setuptools import setup\nsetup(name="pwedit", version="1.0", py_modules=["pwedit"])\n'
    repository(folder / "pwedit.git", {"setup.py": setup, "pwedit.py": "def add(a, b):\n    return a + b\n"})
    backend = '[build-system]\nrequires = ["setuptools", "wheel"]\nbuild-backend = "setuptools.build_meta"\n'
    repository(folder / "pwedit660.git", {"setup.py": setup, "pyproject.toml": backend, "pwedit.py": "def add(a, b):\n    return a + b\n"})
    repository(folder / "other.git", project("other"))
    other = git("rev-parse", "HEAD", cwd=folder / "other.git")
    repository(folder / "pwgood.git", {"setup.py": setup.replace("pwedit", "pwgood"), "pwgood.py": "def add(a, b):\n    return a + b\n"},
               submodules={"parts/other": f"http://{HOST}:{HTTP}/other.git#{other}"})
    repository(folder / "pwsub.git", project("pwsub"), submodules={"sub": f"http://{ELSEWHERE}:{HTTP}/pwvcs.git"})
    repository(folder / "pwext.git", project("pwext"), submodules={"sub": f"ext::sh -c touch% {base}/ext-ran"})
    repository(folder / "pwtool.git", {**project("pwtool"), "a-tool": f"#!/bin/sh\ntouch {base}/tool-ran\ncat\n", ".gitattributes": "*.c filter=users\n"})
    return folder


@pytest.fixture(scope="module")
def server(repositories, internet):
    def listen():
        return socket.create_server(("0.0.0.0", HTTP))
    with GitServer(repositories, in_netns(internet.inet_ns, listen)) as running:
        yield running


@pytest.fixture(scope="module")
def tls(base, request, repositories, internet):
    """The same over https; its certificate."""
    folder = base / f"gittls-of-{request.module.__name__}"
    folder.mkdir()
    key, cert = self_signed(folder, HOST)
    with GitServer(repositories, in_netns(internet.inet_ns, lambda: socket.create_server(("0.0.0.0", HTTPS))), (cert, key)) as running:
        running.certificate = cert
        yield running


def make(make_world, who, net, server, templates, distribution, hide=""):
    server.requests.clear()
    server.ask_for(None)
    world = make_world(who, net=net, hide=hide)
    world.use_venv(templates, distribution)
    return world


@pytest.fixture(params=WORLDS, ids=[f"{hide or 'nothing'}-{name}" for hide, name in WORLDS])
def any_world(request, make_world, user_named, net, server, templates, distribution):
    hide, name = request.param
    return make(make_world, user_named(name), net, server, templates, distribution, hide)


@pytest.fixture
def world(make_world, user, net, server, templates, distribution):
    return make(make_world, user, net, server, templates, distribution)


def installed(world, name="pwvcs") -> bool:
    return world.run([world.venv / "bin/python", "-c", f"import {name} as m; print(m.add(1, 2))"], cwd="/").out == "3\n"


def url(repo="pwvcs", host=HOST) -> str:
    return f"git+http://{host}:{HTTP}/{repo}.git"


def asked(server) -> set[str]:
    return {host.split(":")[0] for host, _, _ in server.requests}


def told(result, rule) -> list[dict]:
    return [e for e in result.events if e.get("rule") == rule]


@pytest.mark.parametrize("requirement", ["{}", "pwvcs @ {}", "{}@v1#egg=pwvcs", "pwvcs @ {}@main"])
def test_http(any_world, net, server, requirement):
    world = any_world
    result = world.guarded(["pip", "install", requirement.format(url())])
    assert result.status == 0 and installed(world), str(result)
    assert {h for h, _, _ in server.requests} == {f"{HOST}:{HTTP}"} and set(net.names()) == {HOST}, f"{server.requests}\n{result}"
    assert result.above("info") == [], str(result)


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
def test_through_the_proxy(world, net, server, scheme):
    """As a company has it.  The tool is given none: its connection is led there."""
    def listen():
        return in_netns(net.inet_ns, lambda: socket.create_server(("0.0.0.0", 0)))

    def dial(host, port):
        return in_netns(net.inet_ns, lambda: socket.create_connection((INET4, port), 10))

    with Proxy(listen, dial, login=":".join(LOGIN)) as proxy:
        result = world.guarded(["pip", "install", url()], {"http_proxy": f"{scheme}://{':'.join(LOGIN)}@proxy.test:{proxy.port}"})
    assert result.status == 0 and installed(world), str(result)
    assert (HOST, HTTP) in {(a.host, a.port) for a in proxy.asked} and HOST not in net.names(), f"{proxy.asked}\n{result}"
    assert LOGIN[1] not in result.out + result.err + result.journal.read_text(), str(result)
    assert result.above("info") == [], str(result)


def test_requirements_file_wheel_and_download(world, net, server):
    world.write(world.work / "r.txt", f"-r more.txt\n", 0o644)
    world.write(world.work / "more.txt", f"pwvcs @ {url()}\n", 0o644)
    for argv in (["wheel", "-w", "out", "-r", "r.txt"], ["download", "-d", "out", "-r", "r.txt"]):
        result = world.guarded(["pip", *argv])
        assert result.status == 0 and result.above("info") == [], str(result)
    assert {p.suffix for p in (world.work / "out").iterdir()} == {".whl", ".zip"}


def test_of_this_machine(world, net, repositories):
    shutil.copytree(repositories / "pwvcs.git", world.work / "pwvcs.git")
    world.own_tree(world.work)
    result = world.guarded(["pip", "install", f"git+file://{world.work}/pwvcs.git"])
    assert result.status == 0 and installed(world), str(result)
    assert result.above("info") == [] and net.names() == [] and net.outside() == [], str(result)


def nosy(world, repositories) -> Path:
    """A repository of its own, for the world's home is in it."""
    path = repositories / f"{world.root.name}.git"
    repository(path, project("pwnosy", NOSY.replace("HOME", repr(str(world.home)), 1)))
    return path


def test_own_configuration_and_store(world, net, tls, repositories, templates, distribution):
    """The tool has them, the build has not, nor can it change `.git`; plainly it can do all of it."""
    tls.ask_for(*LOGIN)
    tls.requests.clear()
    world.write(world.home / ".gitconfig", f"[http]\n\tsslCAInfo = {tls.certificate}\n[credential]\n\thelper = store\n", 0o644)
    world.write(world.home / ".git-credentials", f"https://{LOGIN[0]}:{LOGIN[1]}@{HOST}:{HTTPS}\n")
    argv = ["pip", "install", "-v", f"git+https://{HOST}:{HTTPS}/{nosy(world, repositories).name}"]
    plain = world.run(argv)
    assert plain.status == 0 and LOGIN[1] in plain.err and "TRIED write-hook 3" in plain.err and "TRIED rename None" in plain.err, str(plain)
    assert any(login for _, _, login in tls.requests), tls.requests

    world.use_venv(templates, distribution)
    tls.requests.clear()
    held = world.guarded(argv, options=["--on-violation", "deny"])
    assert installed(world, "pwnosy"), str(held)
    assert any(login for _, _, login in tls.requests) and asked(tls) == {HOST}, f"{tls.requests}\n{held}"
    assert LOGIN[1] not in held.out + held.err + held.journal.read_text(), str(held)
    tried = dict(line.split("TRIED ", 1)[1].split(" ", 1) for line in held.err.splitlines() if "TRIED " in line)
    assert tried["write-config"] == tried["write-hook"] == "PermissionError" and tried["rename"].endswith("Error"), f"{tried}\n{held}"


def test_password_in_the_url(world, net, server, repositories):
    """It reaches the server, and neither the record nor the build."""
    server.ask_for(*LOGIN)
    path = nosy(world, repositories)
    result = world.guarded(["pip", "install", "-v", f"git+http://{LOGIN[0]}:{LOGIN[1]}@{HOST}:{HTTP}/{path.name}"], options=["--on-violation", "deny"])
    assert installed(world, "pwnosy") and any(login for _, _, login in server.requests), str(result)
    assert LOGIN[1] not in result.journal.read_text(), str(result)
    assert LOGIN[1] not in result.out + result.err and "TRIED url '[core]" in result.err, str(result)


def test_submodule_elsewhere(world, net, server, templates, distribution):
    net.dns.addresses[ELSEWHERE] = [PUBLIC]
    argv = ["pip", "install", url("pwsub")]
    world.run(argv)
    assert ELSEWHERE in asked(server), "plainly nobody asks it"

    world.use_venv(templates, distribution)
    server.requests.clear(), net.clear()
    net.dns.addresses[ELSEWHERE] = [PUBLIC]
    held = world.guarded(argv)
    assert held.status != 0 and asked(server) == {HOST} and set(net.names()) == {HOST}, f"{net.names()}\n{held}"
    assert [e for e in told(held, "net.resolve") if e["role"] == "vcs" and f"--allow-host vcs:{ELSEWHERE}" in e.get("hint", "")], str(held)

    server.requests.clear()
    allowed = world.guarded(argv, options=["--allow-host", f"vcs:{ELSEWHERE}"])
    assert ELSEWHERE in asked(server) and not told(allowed, "net.resolve"), str(allowed)


def test_a_policy_without_the_requirement(world, server):
    world.write(world.home / ".config/pipwarden/policy.json", '{"version": 1, "network": {"vcs": []}}')
    held = world.guarded(["pip", "install", url()])
    assert held.status != 0 and server.requests == [] and f"--allow-host vcs:{HOST}" in held.err, str(held)


# --- what a package's metadata names -------------------------------------------------------------------------------------

@pytest.fixture
def asking(base, net, package_folder):
    folder = base / "asking"
    if not folder.exists():
        packages.pure_wheel(folder)
        packages.tinyback(folder)
        packages.wheel(folder, "pwneeds", "1.0", {"pwneeds.py": ""}, requires=(f"pwvcs @ {url()}",))
        packages.wheel(folder, "pwother", "1.0", {"pwother.py": ""}, requires=(f"other @ {url('other')}",))
        packages.wheel(folder, "pwdeep", "1.0", {"pwdeep.py": ""}, requires=(f"pwvcs @ {url()}",))
        for name, requires in (("pwbuild", f"pwvcs @ {url()}"), ("pwdeeper", "pwdeep")):
            files = project(name)
            files["pyproject.toml"] = files["pyproject.toml"].replace("requires = []", f'requires = ["{requires}"]')
            packages.sdist(folder, name, "1.0", files)
    before = net.index.folder
    net.index.serve(folder)
    yield
    net.index.serve(before)


@pytest.mark.parametrize("name", ["pwneeds", "pwbuild", "pwdeeper"])
def test_metadata_starts_no_tool(world, net, server, asking, templates, distribution, name):
    plain = world.run(["pip", "install", name])
    assert plain.status == 0 and asked(server) == {HOST}, f"it asks nobody\n{plain}"
    world.use_venv(templates, distribution)
    server.requests.clear(), net.clear()
    held = world.guarded(["pip", "install", name])
    assert held.status != 0 and server.requests == [] and net.names() == [] and net.outside() == [], str(held)
    assert told(held, "install.requirement") and "command line" in told(held, "install.requirement")[0]["hint"], str(held)


def test_metadata_of_a_host_that_is_named(world, net, server, asking):
    """Another repository of the same host is not what the user named; the same one is."""
    held = world.guarded(["pip", "install", url(), "pwother"])
    assert held.status != 0 and told(held, "install.requirement") and not any("other" in path for _, path, _ in server.requests), str(held)
    named = world.guarded(["pip", "install", f"pwvcs @ {url()}", "pwneeds"])
    assert named.status == 0 and installed(world), str(named)


# --- what a repository brings ---------------------------------------------------------------------------------------------

def test_ext_in_a_submodule(world, base, server, templates, distribution):
    ran = base / "ext-ran"
    world.write(world.home / ".gitconfig", "[protocol \"ext\"]\n\tallow = always\n", 0o644)
    base.chmod(0o777)
    world.run(["pip", "install", url("pwext")])
    assert ran.exists(), "plainly it does not run"
    ran.unlink()
    world.use_venv(templates, distribution)
    held = world.guarded(["pip", "install", url("pwext")])
    base.chmod(0o755)
    assert held.status != 0 and not ran.exists(), str(held)


def test_a_program_of_the_repository(world, base, server, templates, distribution):
    """The user's own filter names it by a relative path: the kernel starts nothing there."""
    ran = base / "tool-ran"
    world.write(world.home / ".gitconfig", "[filter \"users\"]\n\tsmudge = ./a-tool\n", 0o644)
    base.chmod(0o777)
    plain = world.run(["pip", "install", url("pwtool")])
    assert ran.exists(), f"plainly it does not run\n{plain}"
    ran.unlink()
    world.use_venv(templates, distribution)
    held = world.guarded(["pip", "install", url("pwtool")])
    base.chmod(0o755)
    assert held.status == 0 and installed(world, "pwtool") and not ran.exists(), str(held)
    assert told(held, "exec.refused"), str(held)


# --- editable -------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("src", [None, "~WORK~/sources"], ids=["venv", "src"])
@pytest.mark.parametrize("repo", ["pwedit", "pwedit660"])
def test_editable(world, net, server, repo, src):
    """By `setup.py develop` and by PEP 660; the second time the checkout is there and is brought up to date."""
    argv = ["pip", "install", *(["--src", src.replace("~WORK~", str(world.work))] if src else []), "-e", f"{url(repo)}#egg=pwedit"]
    checkout = Path(src.replace("~WORK~", str(world.work)) if src else world.venv / "src") / "pwedit"
    for again in (False, True):
        server.requests.clear()
        result = world.guarded(argv)
        assert result.status == 0 and (checkout / ".git").is_dir() and result.above("info") == [], f"again: {again}\n{result}"
        assert asked(server) == {HOST} and installed(world, "pwedit"), f"again: {again}\n{result}"
    listed = world.guarded(["pip", "list", "--editable"])
    assert str(checkout) in listed.out, str(listed)


def test_submodule_of_the_same_host(world, server):
    """Also in a checkout that is there already: what git makes of a submodule is trusted."""
    checkout = world.venv / "src/pwgood"
    for again in (False, True):
        result = world.guarded(["pip", "install", "-e", f"{url('pwgood')}#egg=pwgood"])
        assert result.status == 0 and (checkout / "parts/other/other.c").exists() and result.above("info") == [], f"again: {again}\n{result}"
        assert installed(world, "pwgood") and asked(server) == {HOST}, str(result)


def hostile(kind: str, checkout: Path, ran: Path) -> None:
    """What somebody has left in the checkout before."""
    config = checkout / ".git/config"
    run = f"touch {ran}"
    add = {"hook": "", "fsmonitor": f"[core]\n\tfsmonitor = \"{run} #\"\n", "ssh": f"[core]\n\tsshCommand = \"{run} #\"\n",
           "filter": f"[filter \"f\"]\n\tsmudge = {run}; cat\n\tclean = cat\n",
           "ext": f"[protocol \"ext\"]\n\tallow = always\n[url \"ext::sh -c touch% {ran} #\"]\n\tinsteadOf = http://{HOST}:{HTTP}/\n",
           "include": f"[include]\n\tpath = {checkout}/.git/more\n"}[kind]
    config.write_text(config.read_text() + add)
    (checkout / ".git/more").write_text(f"[core]\n\tfsmonitor = \"{run} #\"\n")
    (checkout / ".git/info/attributes").write_text("* filter=f\n" if kind == "filter" else "")
    for hook in ("post-checkout", "reference-transaction", "post-index-change") if kind == "hook" else ():
        (checkout / ".git/hooks" / hook).write_text(f"#!/bin/sh\n{run}\n")
        (checkout / ".git/hooks" / hook).chmod(0o755)
    if kind == "ssh":
        git("config", "remote.origin.url", f"ssh://{HOST}/pwedit.git", cwd=checkout)
    if kind == "filter":
        (checkout / "pwedit.py").unlink()


@pytest.mark.parametrize("kind", ["hook", "fsmonitor", "ssh", "filter", "ext", "include"])
def test_a_checkout_that_somebody_changed(world, server, kind, templates, distribution):
    first = ["pip", "install", "-e", f"{url('pwedit')}#egg=pwedit"]
    argv = ["pip", "install", "-e", f"git+ssh://{HOST}/pwedit.git#egg=pwedit"] if kind == "ssh" else first
    ran = world.temp / "it-ran"

    def prepare():
        world.use_venv(templates, distribution)
        made = world.run(first)
        assert made.status == 0, str(made)
        hostile(kind, world.venv / "src/pwedit", ran)
        world.own_tree(world.venv / "src")
        ran.unlink(missing_ok=True)
    prepare()
    world.run(argv)
    assert ran.exists(), "plainly it does not run"
    prepare()
    held = world.guarded(argv)
    assert not ran.exists(), str(held)
    if kind == "hook":
        assert held.status == 0, str(held)  # none of them counts
    else:
        assert held.status != 0 and "src/pwedit" in told(held, "install.checkout")[0]["hint"], str(held)


def test_ssh_reaches_its_host_and_port(world, net):
    """A sink stands for the server: it hears the client's first words."""
    result = world.guarded(["pip", "install", f"git+ssh://git@{HOST}/pwvcs.git"])
    assert result.status != 0, str(result)
    assert [d.split(b"\r")[0][:11] for port, d in net.sink.streams if port == 22] == [b"SSH-2.0-Ope"], f"{net.sink.streams}\n{result}"
    assert set(net.names()) == {HOST} and result.above("info") == [], str(result)


@pytest.fixture
def sshd(base, world, internet, repositories):
    """OpenSSH's server in the outside, for one key of the user's (as root: the account that the tests make is locked).  ssh looks for its files by the account, not by HOME, so it is told where they are."""
    if not Path("/usr/sbin/sshd").exists():
        cannot("there is no sshd here")
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    folder = base / f"sshd-{world.user.name}"
    folder.mkdir(mode=0o755, exist_ok=True)
    ssh = world.home / ".ssh"
    ssh.mkdir(mode=0o700)
    for key in (folder / "host", ssh / "key"):
        key.unlink(missing_ok=True)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True, timeout=30)
    (ssh / "known_hosts").write_text(f"[{HOST}]:{SSH} " + (folder / "host.pub").read_text())
    (folder / "authorized").write_text((ssh / "key.pub").read_text())
    world.own_tree(ssh)
    process = subprocess.Popen(["ip", "netns", "exec", internet.inet_ns, "/usr/sbin/sshd", "-D", "-e", "-f", "/dev/null", "-p", str(SSH), "-h", folder / "host",
                                "-o", f"AuthorizedKeysFile={folder}/authorized", "-o", "StrictModes=no", "-o", "PidFile=none", "-o", "UsePAM=no",
                                "-o", "PermitRootLogin=yes", "-o", "SetEnv=GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0=*"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert wait_for(lambda: listens(internet, SSH), 20)
    yield {"GIT_SSH_COMMAND": f"ssh -F none -i {ssh}/key -o UserKnownHostsFile={ssh}/known_hosts -o IdentitiesOnly=yes -o BatchMode=yes"}
    process.kill()
    process.wait()


def test_ssh(world, net, sshd, repositories):
    """With the user's key, which the build does not get."""
    path = nosy(world, repositories)
    result = world.guarded(["pip", "install", "-v", f"git+ssh://root@{HOST}:{SSH}{path}"], sshd, options=["--on-violation", "deny"])
    assert installed(world, "pwnosy"), str(result)
    assert set(net.names()) == {HOST} and not [e for e in result.above("info") if e["role"] == "vcs"], str(result)


# --- the other tools --------------------------------------------------------------------------------------------------------

OTHERS = {"hg": ("hg", 8090, "hg+http://{0}:8090/"), "svn": ("svnserve", 3690, "svn+svn://{0}/pwvcs"), "bzr": ("bzr", 8092, "bzr+http://{0}:8092/"),
          "hg-file": ("hg", 0, "hg+file://{1}"), "svn-file": ("svnadmin", 0, "svn+file://{1}"), "bzr-file": ("bzr", 0, "bzr+file://{1}")}


def plain(home: Path) -> dict[str, str]:
    """They make folders in whatever is their home."""
    return {"PATH": "/usr/bin:/bin", "HOME": str(home), "LANG": "C.UTF-8", "HGUSER": "a", "BRZ_EMAIL": "a <a@b.test>", "BRZ_HOME": str(home)}


def tool_runs(home: Path, *words, cwd=None) -> None:
    subprocess.run([str(w) for w in words], cwd=cwd, env=plain(home), check=True, capture_output=True, timeout=60)


def store(kind: str, folder: Path, home: Path) -> Path:
    """A repository of that tool's with the project in it."""
    tree = folder.with_name(folder.name + ".tree")
    for name, content in project("pwvcs").items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes(content.encode() if isinstance(content, str) else content)
    if kind == "svn":
        tool_runs(home, "svnadmin", "create", folder)
        tool_runs(home, "svn", "import", "-q", "-m", "one", tree, f"file://{folder}")
        return folder
    tool_runs(home, kind, "init", "-q" if kind == "hg" else tree, *([tree] if kind == "hg" else []))
    tool_runs(home, kind, "add", *(["-q"] if kind == "hg" else []), cwd=tree)
    tool_runs(home, kind, "commit", "-q", "-m", "one", cwd=tree)
    tree.rename(folder)
    return folder


@pytest.fixture
def served(request, base, world, internet):
    """The URL that pip is given, with a server in the outside's namespace where there is one."""
    name = request.param
    tool, port, url = OTHERS[name]
    if not shutil.which(tool):
        cannot(f"{tool} is not installed")
    path = store(name.split("-")[0], world.work / "pwvcs", world.logs)
    world.own_tree(world.work)
    serve = {"hg": ["hg", "serve", "-R", path, "-p", str(port), "-a", "0.0.0.0"], "svn": ["svnserve", "-d", "--foreground", "-r", world.work, "--listen-port", str(port)],
             "bzr": ["python3", "-m", "http.server", str(port), "-d", path]}.get(name)
    server = subprocess.Popen(["ip", "netns", "exec", internet.inet_ns, *map(str, serve)], env=plain(world.logs), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) if serve else None
    if server:
        assert wait_for(lambda: listens(internet, port), 20)
    yield url.format(HOST, path)
    if server:
        server.kill()
        server.wait()


def listens(internet, port: int) -> bool:
    def connect():
        with socket.create_connection(("127.0.0.1", port), 1):
            return True
    try:
        return in_netns(internet.inet_ns, connect)
    except OSError:
        return False


@pytest.mark.parametrize("served", OTHERS, indirect=True)
def test_other_tools(world, net, served):
    # Breezy looks for its modules where PATH's python3 has them.
    result = world.guarded([world.venv / "bin/pip", "install", served], {"PATH": "/usr/bin:/bin"})
    assert result.status == 0 and installed(world), str(result)
    assert result.above("info") == [] and set(net.names()) <= {HOST}, str(result)
    assert net.outside() == [] if "+file:" in served else net.outside(), str(result)


def test_audit(world, net, server):
    """Nothing is enforced: the submodule is asked for elsewhere, and that is written down."""
    net.dns.addresses[ELSEWHERE] = [PUBLIC]
    result = world.guarded(["pip", "install", url("pwsub")], options=["--audit"])
    assert asked(server) == {HOST, ELSEWHERE} and [e for e in told(result, "net.resolve") if e["role"] == "vcs"], str(result)


def test_another_python(make_world, user_named, net, server, templates, all_pythons):
    """Of the newest Python at hand, whose pip is another."""
    newest = max(all_pythons.values(), key=lambda p: p.version)
    world = make(make_world, user_named("user"), net, server, templates, newest)
    result = world.guarded(["pip", "install", "-v", f"pwvcs @ {url()}"])
    assert result.status == 0 and installed(world) and result.above("info") == [], str(result)
