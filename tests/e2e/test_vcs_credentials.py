"""What a version control tool asks for passwords, in sandboxes of its own: git's credential helpers and ssh, with its agent.

They work as without pipwarden; the tool itself reads no store and reaches no agent, and one that its server has taken over gets the requirement's own password and
nothing else: another program stands for git here, which the user is made to trust."""
from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from conftest import cannot
from lib.procs import wait_for
from lib.terminal import Terminal
from test_vcs import (HOST, HTTPS, LOGIN, SSH, any_world, installed, nosy, repositories, server, sshd, store, tls, told, world)  # noqa: F401

OTHER = ("other.test", "canary9of9another9host")
KEY = "canary5of5a5private5key"

# Stands for git: tries what is not its own, tells it on standard error, and then does git's work.
TAKEN_OVER = """#!/usr/bin/python3
import os, socket, subprocess, sys
HOME, AGENT, HOST, OTHER = {home!r}, {agent!r}, {host!r}, {other!r}

def tried(what, f):
    try:
        answer = f()
    except OSError as e:
        answer = type(e).__name__
    print("TRIED", what, repr(answer), file=sys.stderr, flush=True)

def read(path):
    return lambda: open(os.path.join(HOME, path)).read()

def ask(question, *argv):
    def call():
        p = subprocess.run(argv or ["git", "credential-store", "get"], input=question, capture_output=True, text=True, timeout=30)
        return p.stdout + p.stderr
    return call

def agent():
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(AGENT)
        return "connected"

if "clone" in sys.argv:
    tried("store", read(".git-credentials"))
    tried("store-xdg", read(".config/git/credentials"))
    tried("key", read(".ssh/other_key"))
    tried("agent", agent)
    tried("own", ask(f"protocol=https\\nhost={{HOST}}\\n"))
    tried("other", ask(f"protocol=https\\nhost={{OTHER}}\\n"))
    tried("two", ask(f"protocol=https\\nhost={{HOST}}\\nhost={{OTHER}}\\n"))
    tried("url", ask(f"protocol=https\\nhost={{HOST}}\\nurl=https://{{OTHER}}/\\n"))
    tried("file", ask(f"protocol=https\\nhost={{HOST}}\\n", "git", "credential-store", f"--file={{HOME}}/elsewhere", "get"))
    tried("ssh-file", ask("", "ssh", "-F", HOME + "/.ssh/other_key", HOST, "git-upload-pack 'x'"))
    tried("ssh-other", ask("", "ssh", OTHER, "git-upload-pack 'x'"))
    tried("ssh-port", ask("", "ssh", "-p", "2", HOST.split(":")[0], "git-upload-pack 'x'"))
    tried("ssh-no-port", ask("", "ssh", HOST.split(":")[0], "git-upload-pack 'x'"))
    tried("ssh-command", ask("", "ssh", "-o", f"ProxyCommand=cat {{HOME}}/.ssh/other_key >&2", HOST, "git-upload-pack 'x'"))
os.execv("/usr/bin/git", ["git", *sys.argv[1:]])
"""


def answers(result) -> dict[str, str]:
    return dict(line.split("TRIED ", 1)[1].split(" ", 1) for line in result.err.splitlines() if "TRIED " in line)


def stores(world, certificate) -> None:
    world.write(world.home / ".gitconfig", f"[http]\n\tsslCAInfo = {certificate}\n[credential]\n\thelper = store\n", 0o644)
    world.write(world.home / ".git-credentials", f"https://{LOGIN[0]}:{LOGIN[1]}@{HOST}:{HTTPS}\nhttps://me:{OTHER[1]}@{OTHER[0]}\n")
    world.write(world.home / ".config/git/credentials", f"https://me:{OTHER[1]}@{OTHER[0]}\n")
    world.write(world.home / "elsewhere", f"https://me:{OTHER[1]}@{HOST}:{HTTPS}\n")
    world.write(world.home / ".ssh/other_key", KEY + "\n")
    (world.home / ".ssh").chmod(0o700)


class Agent:
    """The user's ssh-agent, with the key that lies in the home until then."""

    def __init__(self, world):
        if not shutil.which("ssh-agent"):
            cannot("there is no ssh-agent here")
        self._world, self.path = world, str(world.home / "agent")

    def __enter__(self):
        who = {} if self._world.user.uid == os.geteuid() else {"user": self._world.user.uid, "group": self._world.user.gid, "extra_groups": []}
        self._process = subprocess.Popen(["ssh-agent", "-D", "-a", self.path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **who)
        assert wait_for(lambda: Path(self.path).exists(), 20)
        key = self._world.home / ".ssh/key"
        if key.exists():
            subprocess.run(["ssh-add", "-q", key], env={"PATH": "/usr/bin:/bin", "SSH_AUTH_SOCK": self.path}, check=True, timeout=30, **who)
            key.unlink()
        return self

    def __exit__(self, *exc):
        self._process.send_signal(signal.SIGTERM)
        self._process.wait()


def test_a_tool_that_was_taken_over(any_world, net, tls, repositories, templates, distribution):
    """It gets its own host's password, for that is what it is for; plainly it gets all."""
    world = any_world
    tls.ask_for(*LOGIN)
    stores(world, tls.certificate)
    with Agent(world) as agent:
        program = TAKEN_OVER.format(home=str(world.home), agent=agent.path, host=f"{HOST}:{HTTPS}", other=OTHER[0])
        tools = world.write(world.home / "tools/git", program, 0o755).parent
        env = {"PATH": f"{world.venv}/bin:{tools}:/usr/bin:/bin"}
        argv = ["pip", "install", "-v", f"git+https://{HOST}:{HTTPS}/pwvcs.git"]
        plain = answers(world.run(argv, env))
        for what in ("store", "store-xdg", "other", "url", "file"):
            assert OTHER[1] in plain[what], f"{what}: {plain}"
        assert KEY in plain["key"] + plain["ssh-command"] and KEY in plain["ssh-file"] and "connected" in plain["agent"], plain
        world.use_venv(templates, distribution)
        held = world.guarded(argv, env, options=["--allow-read", f"vcs:{tools}", "--allow-read", f"build:{tools}", "--on-violation", "deny"])
    got = answers(held)
    assert installed(world), str(held)
    assert LOGIN[1] in got["own"], f"{got}\n{held}"
    assert OTHER[1] not in str(got) and KEY not in str(got) and "connected" not in got["agent"], f"{got}\n{held}"
    assert {e["target"].get("host") for e in told(held, "exec.credential.host")} == {OTHER[0]}, str(held)
    assert sum(e.get("count", 1) for e in told(held, "exec.credential.use")) >= 6 and "another host" in got["ssh-other"], str(held)
    assert "another host or port" in got["ssh-port"] and "another host or port" in got["ssh-no-port"], f"{got}\n{held}"
    assert HOST in {e["target"].get("host") for e in held.of_type("exec") if e.get("role") == "credential"}, str(held)
    text = held.journal.read_text()
    assert LOGIN[1] not in text and OTHER[1] not in text and KEY not in text


def test_store(any_world, net, tls, templates, distribution):
    """The login works; no build and no tool reads the store."""
    world = any_world
    tls.ask_for(*LOGIN)
    tls.requests.clear()
    stores(world, tls.certificate)
    result = world.guarded(["pip", "install", f"git+https://{HOST}:{HTTPS}/pwvcs.git"])
    assert result.status == 0 and installed(world) and any(login for _, _, login in tls.requests), str(result)
    assert result.above("info") == [], str(result)


@pytest.mark.parametrize("helper", ["store --file ~/logins/of-git", "/usr/lib/git-core/git-credential-store", "!git credential-store"])
def test_helpers_as_the_configuration_has_them(world, net, tls, helper):
    tls.ask_for(*LOGIN)
    tls.requests.clear()
    stores(world, tls.certificate)
    world.write(world.home / ".gitconfig", f"[http]\n\tsslCAInfo = {tls.certificate}\n[credential \"https://{HOST}:{HTTPS}\"]\n\thelper = \"{helper}\"\n", 0o644)
    world.write(world.home / "logins/of-git", f"https://{LOGIN[0]}:{LOGIN[1]}@{HOST}:{HTTPS}\n")
    if "--file" in helper:
        world.write(world.home / ".git-credentials", "")
    result = world.guarded(["pip", "install", f"git+https://{HOST}:{HTTPS}/pwvcs.git"])
    assert result.status == 0 and installed(world) and any(login for _, _, login in tls.requests), str(result)
    assert result.above("info") == [], str(result)


def test_the_cache(world, net, tls):
    """A daemon that the user has started before: its socket is asked."""
    tls.ask_for(*LOGIN)
    tls.requests.clear()
    world.write(world.home / ".gitconfig", f"[http]\n\tsslCAInfo = {tls.certificate}\n[credential]\n\thelper = cache\n", 0o644)
    (world.home / ".cache").mkdir(mode=0o700, exist_ok=True)
    world.own(world.home / ".cache")
    try:
        told_it = world.run(["git", "credential", "approve"], stdin=f"protocol=https\nhost={HOST}:{HTTPS}\nusername={LOGIN[0]}\npassword={LOGIN[1]}\n".encode())
        assert told_it.status == 0 and (world.home / ".cache/git/credential/socket").exists(), str(told_it)
        result = world.guarded(["pip", "install", f"git+https://{HOST}:{HTTPS}/pwvcs.git"])
    finally:
        world.run(["git", "credential-cache", "exit"])
    assert result.status == 0 and installed(world) and any(login for _, _, login in tls.requests), str(result)
    assert result.above("info") == [], str(result)


def test_askpass(world, net, tls):
    """A program of the user's own that git asks in words."""
    tls.ask_for(*LOGIN)
    tls.requests.clear()
    world.write(world.home / ".gitconfig", f"[http]\n\tsslCAInfo = {tls.certificate}\n", 0o644)
    program = world.write(world.home / "tools/asked", f"#!/bin/sh\ncase $1 in U*) echo {LOGIN[0]};; *) echo {LOGIN[1]};; esac\n", 0o755)
    result = world.guarded(["pip", "install", f"git+https://{HOST}:{HTTPS}/pwvcs.git"], {"GIT_ASKPASS": str(program)})
    assert result.status == 0 and installed(world) and any(login for _, _, login in tls.requests), str(result)
    assert LOGIN[1] not in result.out + result.err + result.journal.read_text()


def test_agent(world, net, sshd, repositories):
    """No key lies in the home: ssh has it from the agent, whom neither git nor the build reaches."""
    path = nosy(world, repositories)
    command = f"ssh -F none -o UserKnownHostsFile={world.home}/.ssh/known_hosts -o BatchMode=yes"
    with Agent(world) as agent:
        env = {"GIT_SSH_COMMAND": command, "SSH_AUTH_SOCK": agent.path}
        result = world.guarded(["pip", "install", "-v", f"git+ssh://root@{HOST}:{SSH}{path}"], env, options=["--on-violation", "deny"])
    assert installed(world, "pwnosy"), str(result)
    assert not [e for e in result.above("info") if e["role"] in ("vcs", "credential")], str(result)
    assert [e for e in result.of_type("net.connect") if e["role"] == "credential" and e["target"].get("host") == HOST], str(result)


def over_ssh(world, sshd, tool):
    """A repository at the other end of ssh: the requirement, and what has the user's ssh find it."""
    if not shutil.which(tool):
        cannot(f"{tool} is not installed")
    path = store(tool, world.work / "pwvcs", world.logs)
    world.own_tree(world.work)
    ssh = sshd["GIT_SSH_COMMAND"]
    if tool == "hg":
        world.write(world.home / ".hgrc", f"[ui]\nssh = {ssh}\n", 0o644)
        return f"hg+ssh://root@{HOST}:{SSH}/{path}", {}
    return f"svn+ssh://root@{HOST}{path}", {"SVN_SSH": f"{ssh} -p {SSH}"}


def test_mercurial_over_ssh(world, net, sshd):
    requirement, env = over_ssh(world, sshd, "hg")
    result = world.guarded(["pip", "install", requirement], env)
    assert result.status == 0 and installed(world), str(result)
    assert result.above("info") == [], str(result)


def test_subversion_over_ssh_on_another_port(world, net, sshd, templates, distribution):
    """Its URLs name no port for ssh, so the policy does; nothing but that port of that host is let through unseen."""
    requirement, env = over_ssh(world, sshd, "svn")
    held = world.guarded(["pip", "install", requirement], env)
    assert held.status != 0 and "another host or port" in str(told(held, "exec.credential.use")), str(held)
    seen = world.guarded(["pip", "install", requirement], env, options=["--allow-host", f"vcs:{HOST}:{SSH}"])
    assert seen.status != 0 and told(seen, "net.connect.name"), str(seen)
    world.write(world.home / ".config/pipwarden/policy.json",
                f'{{"version": 1, "network": {{"vcs": ["@requirement", {{"host": "{HOST}", "port": {SSH}, "opaque": true}}]}}}}')
    result = world.guarded(["pip", "install", requirement], env)
    assert result.status == 0 and installed(world), str(result)
    assert result.above("info") == [], str(result)


# --- at the terminal ----------------------------------------------------------------------------------------------------

def password_of(user: str, pip: str) -> str:
    """How git asks for it; in its place pipwarden does in its own words, which put nothing that a tool has chosen before the host."""
    return f"Password for 'https://{HOST}:{HTTPS}' (user {user}): " if "--log" in pip else f"Password for 'https://{user}@{HOST}:{HTTPS}': "


@pytest.fixture(params=[False, True], ids=["plain", "guarded"])
def at_terminal(request, world):
    """How the command begins, and the shell."""
    with Terminal(world, columns=400) as shell:
        yield shell, f"{world.pipwarden} --log {world.logs}/typed.jsonl pip" if request.param else "pip"


def typed(shell, answers: dict[str, str]) -> str:
    """What is shown while each question is answered, as often as it comes (a partial clone asks twice)."""
    text, asked = "", set()
    for _ in range(12):
        m = shell.expect("(?s).*?(" + "|".join([*map(re.escape, answers), "READY> "]) + ")", 60)
        text += m[0]
        if m[1] == "READY> ":
            assert asked == set(answers), text
            return text
        asked.add(m[1])
        shell.send(answers[m[1]] + "\n")
    raise AssertionError(f"it asks for ever: {text}")


def test_git_asks_at_the_terminal(world, net, tls, at_terminal):
    tls.ask_for(*LOGIN)
    tls.requests.clear()
    world.write(world.home / ".gitconfig", f"[http]\n\tsslCAInfo = {tls.certificate}\n", 0o644)
    shell, pip = at_terminal
    before = shell.settings()
    shell.start(f"{pip} install git+https://{HOST}:{HTTPS}/pwvcs.git")
    text = typed(shell, {f"Username for 'https://{HOST}:{HTTPS}': ": LOGIN[0], password_of(LOGIN[0], pip): LOGIN[1]})
    assert LOGIN[1] not in text and shell.status() == 0 and installed(world), text
    assert any(login for _, _, login in tls.requests) and shell.settings() == before


# Stands for git: asks the user itself, with an answer that is to go into a file of the user's, and in words of its own about another host.
ASKS = """#!/usr/bin/python3
import os, subprocess, sys
HOME, ABOUT = {home!r}, {about!r}
if "clone" in sys.argv:
    asked = os.environ["GIT_ASKPASS"]
    subprocess.run([asked, f"Username for '{{ABOUT}}': "], stdout=os.open(HOME + "/.bashrc", os.O_PATH))
    subprocess.run([asked, f"Username for '{{ABOUT}}/\\nthe one at github.test': "], stdout=subprocess.PIPE)
    subprocess.run([asked, f"Username for '{{ABOUT}}/of/github.test': "], stdout=subprocess.PIPE)
os.execv("/usr/bin/git", ["git", *sys.argv[1:]])
"""


def test_a_tool_that_was_taken_over_asks_at_the_terminal(world, net, tls):
    """In pipwarden's words, and for an answer to itself; without pipwarden it has the terminal and the file, and needs to ask nobody."""
    tls.ask_for(*LOGIN)
    world.write(world.home / ".gitconfig", f"[http]\n\tsslCAInfo = {tls.certificate}\n", 0o644)
    mine = world.write(world.home / ".bashrc", "# mine: long enough to be seen changed\n", 0o644)
    tools = world.write(world.home / "tools/git", ASKS.format(home=str(world.home), about=f"https://{HOST}:{HTTPS}"), 0o755).parent
    options = f"--log {world.logs}/typed.jsonl --on-violation deny --allow-read vcs:{tools} --allow-read build:{tools}"
    with Terminal(world, columns=400) as shell:
        shell.start(f"PATH={world.venv}/bin:{tools}:/usr/bin:/bin {world.pipwarden} {options} pip install git+https://{HOST}:{HTTPS}/pwvcs.git")
        text = typed(shell, {f"Username for 'https://{HOST}:{HTTPS}': ": LOGIN[0], password_of(LOGIN[0], "--log"): LOGIN[1]})
    asked = [e for e in map(json.loads, (world.logs / "typed.jsonl").read_text().splitlines()) if e.get("rule") == "exec.credential.use"]
    assert installed(world) and "github.test" not in text, text
    assert mine.read_text() == "# mine: long enough to be seen changed\n"
    assert sum(e.get("count", 1) for e in asked) >= 2, asked


def test_nobody_is_asked_where_git_is_told_so(world, net, tls, at_terminal):
    tls.ask_for(*LOGIN)
    world.write(world.home / ".gitconfig", f"[http]\n\tsslCAInfo = {tls.certificate}\n", 0o644)
    shell, pip = at_terminal
    shell.start(f"GIT_TERMINAL_PROMPT=0 {pip} install git+https://{HOST}:{HTTPS}/pwvcs.git")
    text = shell.expect("(?s).*READY> ")[0]
    assert "terminal prompts disabled" in text and "Username" not in text.replace("read Username", ""), text


def test_ctrl_c_at_the_question(world, net, tls, at_terminal):
    tls.ask_for(*LOGIN)
    world.write(world.home / ".gitconfig", f"[http]\n\tsslCAInfo = {tls.certificate}\n", 0o644)
    shell, pip = at_terminal
    before = shell.settings()
    shell.start(f"{pip} install git+https://me@{HOST}:{HTTPS}/pwvcs.git")
    shell.expect(re.escape(password_of("me", pip)))
    shell.send("\x03")
    shell.expect("READY> ")
    assert shell.status() in (1, 130) and shell.settings() == before


def test_ssh_asks_at_the_terminal(world, net, sshd, repositories, at_terminal):
    """For the passphrase of a key."""
    key = world.home / ".ssh/key"
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", LOGIN[1], "-f", key], check=True, timeout=30)
    world.own(key)
    shell, pip = at_terminal
    command = sshd["GIT_SSH_COMMAND"].replace(" -o BatchMode=yes", "")
    shell.start(f"GIT_SSH_COMMAND='{command}' {pip} install git+ssh://root@{HOST}:{SSH}{repositories}/pwvcs.git")
    text = typed(shell, {f"Enter passphrase for key '{key}': ": LOGIN[1]})
    assert LOGIN[1] not in text and shell.status() == 0 and installed(world), text
