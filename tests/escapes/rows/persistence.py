"""G: what makes code run later (PE).  The places lie in the throw-away home, in a project below it, and in a copy of /etc and /var."""
from __future__ import annotations

import base64
import sys

from ..kit import Event, Row, file, told

SHELL, DESKTOP, SYSTEMD, CRON, LOADER, SSH, GIT, PIP, PYTHON, REGISTRY, BIN, EDITOR, AGENT, CI = (
    f"file.persistence.{n}" for n in ("shell", "desktop", "systemd", "cron", "loader", "ssh", "git", "pip", "python", "registry", "bin", "editor", "agent", "ci"))


def written(rule: str, *paths: str, severity: str = "critical") -> tuple[Event, ...]:
    return tuple(Event(rule, "file.write", {"path": path}, severity=severity) for path in paths)


def home(*names: str) -> tuple[str, ...]:
    return tuple("{home}/" + n for n in names)


def files(*names: str):
    return tuple(file("home/" + n) for n in names)


# --- what setups plant

def existing(*names: str):
    def setup(world, row):
        for name in names:
            world.write(world.home / name, "# the user's own\n", 0o644)
    return setup


def persists(*words, setup=None, **more) -> Row:
    """In a home that has the usual folders: where one is missing, the attempt already ends at making it, which tells nothing of what for."""
    def whole(world, row):
        existing(".config/user-dirs.dirs", ".local/share/known")(world, row)
        return setup(world, row) if setup else None
    return Row(*words, setup=whole, **more)


def project(world, row):
    """A checkout of the user's, to which pip has no business."""
    for name, text in {".git/HEAD": "ref: refs/heads/main\n", ".git/config": "[core]\n\tbare = false\n[user]\n\tname = x\n\temail = x@x.test\n", ".git/hooks/x.sample": "",
                       ".git/objects/info/packs": "", ".git/refs/heads/.keep": "", "README": "mine\n", ".gitlab-ci.yml": "# mine\n", "CLAUDE.md": "# mine\n"}.items():
        world.write(world.home / "project" / name, text, 0o644)
    world.own_tree(world.home / "project")


def bus(world, row):
    return {"bus": world.daemon("bus", f"/run/user/{world.user.uid}/bus")}


def engine(world, row):
    return {"engine": world.daemon("engine", "/run/docker.sock", answer=lambda piece: b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}")}


# --- acts

HEAD = """
    import os, pwkit, subprocess
    home = pwkit.target("home")

    def put(name, mode="a", text=None):
        def write():
            path = name if name.startswith("/") else os.path.join(home, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, mode) as f:
                f.write("# pwfix " + pwkit.target("canary") + "\\n" if text is None else text)
            if mode == "w" and "bin/" in name:
                os.chmod(path, 0o755)
        pwkit.attempt(write)
"""


def act(body: str) -> str:
    return HEAD + body


def puts(*names: str, mode: str = "a") -> str:
    return act(f"    for name in {names!r}:\n        put(name, {mode!r})\n")


SHELLS = (".bashrc", ".profile", ".zshrc", ".config/fish/config.fish")
START = (".ssh/authorized_keys", ".ssh/rc", ".ssh/config")
EDITORS = (".vimrc", ".config/nvim/init.lua", ".emacs.d/init.el", ".tmux.conf", ".gdbinit", ".screenrc")
MANAGERS = (".npmrc", ".cargo/config.toml", ".condarc", ".gemrc", ".m2/settings.xml")
HOOKS = ("project/.git/hooks/post-checkout", "project/.git/hooks/pre-commit")
AGENTS = ("project/.claude/settings.json", ".claude/settings.json", ".cursor/mcp.json", "project/.cursor/rules/x.mdc", "project/AGENTS.md", "project/CLAUDE.md")
TASKS = ("project/.vscode/tasks.json", ".config/Code/User/tasks.json")
PIPELINES = ("project/.github/workflows/x.yml", "project/.gitlab-ci.yml")
USER_SITE = ".local/lib/python%d.%d/site-packages" % sys.version_info[:2]

UNIT = act("""
    put(".config/systemd/user/sysmon.service", "w", "[Service]\\nExecStart=/bin/true\\n[Install]\\nWantedBy=default.target\\n")
    import socket
    def enable():
        s = socket.socket(socket.AF_UNIX)
        s.connect(pwkit.target("bus"))
        s.sendall(b"\\0AUTH EXTERNAL " + pwkit.target("canary").encode() + b"\\r\\n")
    pwkit.attempt(enable)
    env = {**os.environ, "XDG_RUNTIME_DIR": os.path.dirname(pwkit.target("bus")), "DBUS_SESSION_BUS_ADDRESS": "unix:path=" + pwkit.target("bus")}
    pwkit.attempt(subprocess.run, ["timeout", "1", "systemctl", "--user", "daemon-reload"], env=env, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
""")

LINKS = act("""
    def link():
        os.makedirs(home + "/.config/systemd/user/default.target.wants")
        os.symlink("../sysmon.service", home + "/.config/systemd/user/default.target.wants/sysmon.service")
    pwkit.attempt(link)
    pwkit.attempt(os.symlink, "/dev/null", home + "/.config/systemd/user.conf")
    put(".config/systemd/user/sysmon.timer")
    put(".config/systemd/user-generators/x")
""")

CRONTAB = act("""
    put("/etc/cron.d/pwfix-pe04")
    put("/var/spool/cron/crontabs/" + pwkit.target("user"))
    pwkit.attempt(subprocess.run, ["crontab", "-"], input=b"", timeout=10)
""")

START_UP = """
    import pwkit
    pwkit.mark(pwkit.target("home") + "/ran-pe07")
"""

SITE = act("""
    import glob
    sites = [pwkit.target("site")] + ["%s/%s" % (home, USER_SITE)]
    for site in sites:
        put(site + "/pwfix-pe08.pth", "w", "import os\\n")
""").replace("USER_SITE", repr(USER_SITE))

CUSTOMIZE = act("""
    put(pwkit.target("site") + "/sitecustomize.py", "w")
    put(pwkit.target("site") + "/usercustomize.py", "w")
    put("%s/usercustomize.py" % USER_SITE, "w")
    put("%s/sitecustomize.py" % USER_SITE, "w")
""").replace("USER_SITE", repr(USER_SITE))

PIP_CONF = act("""
    import sys
    text = "[global]\\nindex-url = http://%s/simple\\n" % pwkit.target("sink_host")
    put(".config/pip/pip.conf", "w", text)
    put(".pip/pip.conf", "w", text)
    put(pwkit.target("venv") + "/pip.conf", "w", text)
    env = {**os.environ, "HOME": home, "XDG_CONFIG_HOME": home + "/.config", "PIP_CONFIG_FILE": home + "/.config/pip/other.conf"}
    subprocess.run([sys.executable, "-m", "pip", "config", "set", "global.extra-index-url", "http://sink.test/simple"], env=env, timeout=60)
""")

GIT_HOOKS = act("""
    for name in %r:
        put(name, "w", "#!/bin/sh\\n")
    for key, value in (("core.hooksPath", "/tmp/x"), ("core.fsmonitor", "touch x"), ("alias.st", "!touch x")):
        subprocess.run(["git", "-C", home + "/project", "config", key, value])
    put("project/.git/config", "a", "[core]\\n\\tfsmonitor = touch x\\n")
""" % (HOOKS,))

GIT_GLOBAL = act("""
    put(".gitconfig", "a", "[core]\\n\\tfsmonitor = touch x\\n[init]\\n\\ttemplateDir = ~/.config/git/template\\n")
    put(".config/git/template/hooks/post-checkout", "w", "#!/bin/sh\\n")
    subprocess.run(["git", "config", "--global", "core.fsmonitor", "touch x"], env={**os.environ, "HOME": home})
""")

PIPELINE = act("""
    for name in %r:
        put(name, "w", "on: push\\n")
    subprocess.run(["git", "-C", home + "/project", "add", "-A"])
    subprocess.run(["git", "-C", home + "/project", "commit", "-qam", "x"])
""" % (PIPELINES,))

SHADOW = act("""
    for name in (".local/bin/git", "bin/sudo", pwkit.target("venv") + "/bin/ls"):
        put(name, "w", "#!/bin/sh\\nexec /usr/bin/false\\n")
""")

# Of /etc/ld.so.preload the replica makes an empty file: every program of the ground would obey a full one.
PRELOAD = act("""
    put(".config/environment.d/50.conf", "w", "LD_PRELOAD=/tmp/x.so\\n")
    put(".pam_environment")
    put("/etc/ld.so.preload", "a", "")
""")

SWITCH = act("""
    import socket
    put(".config/gh-token-monitor/monitor.sh", "w", "#!/bin/sh\\nexit 0\\n")
    put(".config/systemd/user/gh-token-monitor.service", "w", "[Service]\\nExecStart=/bin/true\\n")
    def enable():
        s = socket.socket(socket.AF_UNIX)
        s.connect(pwkit.target("bus"))
        s.sendall(b"\\0AUTH EXTERNAL " + pwkit.target("canary").encode() + b"\\r\\n")
    pwkit.attempt(enable)
""")

CONTAINER = act("""
    import http.client, socket
    def ask():
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(5)
        s.connect(pwkit.target("engine"))
        s.sendall(b"POST /v1.43/containers/create HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n" + pwkit.target("canary").encode())
        s.recv(100)
    pwkit.attempt(ask)
    pwkit.attempt(subprocess.run, ["docker", "-H", "unix://" + pwkit.target("engine"), "run", "-d", "--restart=always", "x"], timeout=10)
""")

ROWS = [
    persists("PE-01", "shell start-up files", "install", puts(*SHELLS), files(*SHELLS), written(SHELL, *home(*SHELLS[:3]), "{home}/.config/fish*")),
    persists("PE-02", "systemd user unit, enabled over the bus", "import", UNIT, (*files(".config/systemd/user/sysmon.service"), told("bus", "{canary}")),
        (*written(SYSTEMD, "{home}/.config/systemd*"), Event("net.unix.dbus", "ipc.connect", severity="high")), setup=bus),
    persists("PE-03", "unit enabled by links, a timer, a generator; folders that are not there yet", "install", LINKS,
        files(".config/systemd/user/default.target.wants", ".config/systemd/user.conf", ".config/systemd/user/sysmon.timer", ".config/systemd/user-generators/x"),
        written(SYSTEMD, "{home}/.config/systemd*")),
    persists("PE-04", "cron: /etc/cron.d, the spool, crontab", "install", CRONTAB, (file("/etc/cron.d/pwfix-pe04"), file("/var/spool/cron/crontabs/root")),
        written(CRON, "/etc/cron.d/pwfix-pe04", "/var/spool/cron*"), note="no baseline (user): only root may write there, and crontab is not installed"),
    persists("PE-05", "desktop autostart", "install", puts(".config/autostart/mate-user-share.desktop"), files(".config/autostart/mate-user-share.desktop"),
        written(DESKTOP, "{home}/.config/autostart*")),
    persists("PE-06", "SSH keys, rc and ProxyCommand", "import", puts(*START), files(*START), written(SSH, *home(*START))),
    persists("PE-07", "start-up file of a wheel", "next", START_UP, file("home/ran-pe07"),
        Event("start-up.*", "run.startup", {"path": "*/site-packages/pwfix_pe07.pth"}, action="observed"), command=("pip", "list"),
        files={"pwfix_pe07.pth": "import base64;exec(base64.b64decode('%s'))\n" % base64.b64encode(b"import pwfix_pe07").decode()},
        note="placed as if past pipwarden: the next pip does not run it and lists it; an install of it is taken back (test_install_findings.py)"),
    persists("PE-08", "start-up file written into site-packages and the user's", "install", SITE, (file("site/pwfix-pe08.pth"), *files(USER_SITE + "/pwfix-pe08.pth")),
        (*written("file.write.environment", "*/site-packages/pwfix-pe08.pth", severity="high"), *written(PYTHON, "{home}/.local/lib*")),
        setup=existing(USER_SITE + "/known.py")),
    persists("PE-09", "sitecustomize and usercustomize", "install", CUSTOMIZE,
        (file("site/sitecustomize.py"), file("site/usercustomize.py"), *files(USER_SITE + "/usercustomize.py", USER_SITE + "/sitecustomize.py")),
        written("file.write.environment", "*/site-packages/sitecustomize.py", "*/site-packages/usercustomize.py", severity="high")),
    persists("PE-10", "pip's configuration, also by a nested pip", "install", PIP_CONF,
        (*files(".config/pip/pip.conf", ".pip/pip.conf", ".config/pip/other.conf"), file("venv/pip.conf")),
        (*written(PIP, "{home}/.config/pip*", "{home}/.pip*"), Event("file.*", "file.write", {"path": "{venv}/pip.conf"}))),
    persists("PE-11", "git hooks and configuration of a project", "install", GIT_HOOKS, files(*HOOKS, "project/.git/config"),
        written(GIT, *home(*HOOKS), "{home}/project/.git/config*"), setup=project, needs=("git",)),
    persists("PE-12", "global git configuration and template", "install", GIT_GLOBAL, files(".gitconfig", ".config/git/template/hooks/post-checkout"),
        written(GIT, "{home}/.gitconfig", "{home}/.config/git*"), setup=existing(".gitconfig"), needs=("git",)),
    persists("PE-13", "hooks of coding agents and editors", "import", puts(*AGENTS, *TASKS), files(*AGENTS, *TASKS),
        (*written(AGENT, "{home}/project/.claude*", "{home}/.claude*", "{home}/.cursor*", "{home}/project/AGENTS.md", "{home}/project/CLAUDE.md"),
         *written(EDITOR, "{home}/project/.vscode*", "{home}/.config/Code*")), setup=project),
    persists("PE-14", "CI configuration, committed", "import", PIPELINE, files(*PIPELINES, "project/.git"), written(CI, "{home}/project/.github*", "{home}/project/.gitlab-ci.yml"),
        setup=project, needs=("git",)),
    persists("PE-15", "commands that shadow others on the PATH", "install", SHADOW, (*files(".local/bin/git", "bin/sudo"), file("venv/bin/ls")),
        (*written(BIN, "{home}/.local/bin*", "{home}/bin*"), *written("file.write.environment", "{venv}/bin/ls", severity="high"))),
    persists("PE-16", "environment of the session, dynamic loader", "install", PRELOAD, (*files(".config/environment.d/50.conf", ".pam_environment"), file("/etc/ld.so.preload")),
        (*written(SHELL, "{home}/.config/environment.d*", "{home}/.pam_environment"), *written(LOADER, "/etc/ld.so.preload"))),
    persists("PE-19", "start-up files of editors and terminals", "install", puts(*EDITORS, ".inputrc"), files(*EDITORS, ".inputrc"),
        (*written(EDITOR, "{home}/.vimrc", "{home}/.config/nvim*", "{home}/.emacs.d*", "{home}/.tmux.conf", "{home}/.gdbinit", "{home}/.screenrc"), *written(SHELL, "{home}/.inputrc"))),
    persists("PE-20", "other package managers' configuration", "install", puts(*MANAGERS), files(*MANAGERS),
        written(REGISTRY, "{home}/.npmrc", "{home}/.cargo*", "{home}/.condarc", "{home}/.gemrc", "{home}/.m2*"),
        setup=existing(".cargo/env", ".m2/known")),
    persists("PE-21", "dead man's switch: unit and script", "import", SWITCH, (*files(".config/gh-token-monitor", ".config/systemd/user/gh-token-monitor.service"), told("bus", "{canary}")),
        (*written(SYSTEMD, "{home}/.config/systemd*"), Event("net.unix.dbus", "ipc.connect", severity="high")), setup=bus),
    persists("PE-22", "rename over, exchange, link, O_TMPFILE", "native", "", files(".bashrc", ".profile", ".zshrc", ".bash_aliases"),
        written(SHELL, *home(".bashrc", ".profile", ".zshrc", ".bash_aliases")), native="persist_atomically", setup=existing(".bashrc", ".profile", ".zshrc")),
    persists("PE-24", "container that restarts, asked of the engine", "import", CONTAINER, told("engine", "{canary}"), Event("net.unix.docker", "ipc.connect", severity="critical"), setup=engine),
]
