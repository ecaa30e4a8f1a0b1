"""The long tail of the system's files: what everybody may read works in a sandbox, what only looks so does not.

Real places are used (/etc, /opt, /var/lib, /usr/lib), under names of the test's own, and removed again."""
from __future__ import annotations

import os
import shutil
import subprocess
import uuid
from pathlib import Path

import pytest

from lib.world import CANARY

NAME = "pwt-" + uuid.uuid4().hex[:8]
HONEST = {f"/etc/{NAME}/odd.conf": "etc", f"/opt/{NAME}/share/data.txt": "opt", f"/var/lib/{NAME}/status": "lib", f"/opt/{NAME}/certs/ca.pem": "certificate",
          f"/opt/{NAME}/site-packages/x/.env": "a package's"}
SECRET = (f"/opt/{NAME}/.env", f"/opt/{NAME}/conf/config.php", f"/opt/{NAME}/tls/server.key", f"/opt/{NAME}/tls/server.pem", f"/var/lib/{NAME}/.ssh/id_rsa",
          f"/etc/{NAME}/secrets/password", f"/srv/{NAME}/settings.txt", f"/var/www/{NAME}/index.txt", f"/run/secrets/{NAME}", f"/opt/{NAME}/pip.conf")


def make(path, text, mode=0o644):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.fixture(scope="module")
def places(user_named):
    tops = [Path(p, NAME) for p in ("/etc", "/opt", "/var/lib", "/srv", "/var/www", "/run/secrets", "/usr/lib")] + [Path(f"/usr/lib/{NAME}.conf")]
    new = [p for p in (Path("/var/www"), Path("/run/secrets")) if not p.exists()]
    try:
        for path, text in HONEST.items():
            make(path, text)
        for path in SECRET:
            make(path, CANARY)
        make(f"/opt/{NAME}/bin/pwt-tool", "#!/bin/sh\nexec pwt-part\n", 0o755)
        make(f"/opt/{NAME}/libexec/pwt-part", "#!/bin/sh\necho a part\n", 0o755)
        os.symlink(f"../libexec/pwt-part", f"/opt/{NAME}/bin/pwt-part")
        os.symlink(f"/etc/{NAME}", f"/usr/lib/{NAME}")
        os.symlink(f"/etc/{NAME}/odd.conf", f"/usr/lib/{NAME}.conf")
        yield
    finally:
        for top in tops:
            subprocess.run(["umount", "-l", top / "mounted"], capture_output=True)
            top.unlink() if top.is_symlink() or top.is_file() else shutil.rmtree(top, ignore_errors=True)
        for p in new:
            if p.exists() and not any(p.iterdir()):
                p.rmdir()


@pytest.fixture(params=["", "namespaces"], ids=["with namespaces", "without"])
def world(request, make_world, user, places):
    return make_world(user, hide=request.param)


def cat(world, paths, guarded, **more):
    argv = ["/usr/bin/python3", "-c", "import sys\nfor p in sys.argv[1:]:\n try: print(p, open(p).read())\n except OSError as e: print(p, e.strerror)", *paths]
    return world.guarded(["run", "--", *argv], **more) if guarded else world.run(argv)


def test_what_everybody_may_read(world):
    # A link in a folder of which another file was opened before: a folder is looked at once, each name in it again.
    paths = [*HONEST, f"/usr/lib/{NAME}/odd.conf", "/usr/lib/os-release", f"/usr/lib/{NAME}.conf", "/var/lib/dpkg/status"]
    plain, held = cat(world, paths, False), cat(world, paths, True)
    assert held.out == plain.out and held.status == 0 and held.above("info") == [], str(held)
    for text in HONEST.values():
        assert text in plain.out
    lists = "import os; print([sorted(os.listdir(p)) for p in ('/etc', '/opt/%s', '/var/lib')])" % NAME
    held = world.guarded(["run", "--", "/usr/bin/python3", "-c", lists])
    assert held.status == 0 and NAME in held.out and held.above("info") == [], str(held)


def test_only_to_be_read(world):
    script = ("import os, sys, errno\np, d = sys.argv[1:]\n"
              "for f in (os.O_WRONLY, os.O_RDWR, os.O_RDONLY | os.O_TRUNC, os.O_WRONLY | os.O_APPEND):\n try: os.open(p, f); print('opened')\n except OSError: pass\n"
              "fd = os.open(p, os.O_RDONLY)\n"
              "for t in ('/proc/self/fd/%d' % fd, '/dev/fd/%d' % fd):\n try: os.open(t, os.O_WRONLY); print('reopened')\n except OSError: pass\n"
              "for c in (lambda: os.ftruncate(fd, 0), lambda: os.fchmod(fd, 0o777), lambda: os.write(fd, b'x'), lambda: os.link(p, d + '/l')):\n"
              " try: c(); print('changed')\n except OSError: pass\n"
              "print(os.read(fd, 9).decode())\n")
    path = f"/etc/{NAME}/odd.conf"
    before = os.stat(path)
    held = world.guarded(["run", "--", "/bin/sh", "-c", 'exec /usr/bin/python3 -c "$0" "$1" "$TMPDIR"', script, path])
    after = os.stat(path)
    assert held.out == "etc\n" and Path(path).read_text() == "etc", str(held)
    assert (before.st_mode, before.st_mtime_ns, before.st_nlink, before.st_ctime_ns) == (after.st_mode, after.st_mtime_ns, after.st_nlink, after.st_ctime_ns)


def test_what_is_named_or_lies_elsewhere(world):
    plain = cat(world, SECRET, False)
    assert plain.out.count(CANARY) == len(SECRET), f"they cannot be read plainly\n{plain}"
    held = cat(world, SECRET, True, options=["--on-violation", "deny"])
    assert CANARY not in held.out + held.err, str(held)
    seen = {e["target"].get("path"): e for e in held.of_type("file.open")}
    assert set(SECRET) <= set(seen), str(held)
    assert all(e.get("hint") for e in held.of_type("file.open")), "a refusal names what would allow it"


def test_what_is_not_everybodys(world):
    """Modes, a closed folder above, owners, links to what is closed."""
    top = Path(f"/opt/{NAME}")
    closed = [make(top / "group.txt", CANARY, 0o640), make(top / "closed/file.txt", CANARY)]
    (top / "closed").chmod(0o750)
    stranger = make(top / "somebody.txt", CANARY)
    os.chown(stranger, 4242, 4242)
    link = top / "link.txt"
    link.unlink(missing_ok=True)
    link.symlink_to("group.txt")
    paths = [*closed, stranger, link]
    if world.user.uid:
        own = make(top / "own.txt", CANARY)
        os.chown(own, world.user.uid, world.user.gid)
        paths.append(own)
        os.chown(top / "group.txt", 0, world.user.gid)
        os.chown(top / "closed", 0, world.user.gid)
    plain = cat(world, paths, False)
    assert plain.out.count(CANARY) == len(paths), f"they cannot be read plainly\n{plain}"
    held = cat(world, paths, True)
    assert CANARY not in held.out + held.err and held.above("info") == [], str(held)


def test_what_is_mounted_from_memory(world):
    """As a Kubernetes volume: root's, readable for everybody, and a secret."""
    folder = Path(f"/etc/{NAME}/mounted")
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=0755", "tmpfs", folder], check=True, timeout=30)
    try:
        token = make(folder / "token", CANARY)
        assert CANARY in cat(world, [token], False).out
        held = cat(world, [token], True)
        assert CANARY not in held.out, str(held)
    finally:
        subprocess.run(["umount", "-l", folder], check=False)


def test_programs_on_the_path(world):
    env = {"PATH": f"/opt/{NAME}/bin:/usr/bin:/bin"}
    held = world.guarded(["run", "--", "/bin/sh", "-c", "pwt-tool"], env)
    assert held.out == "a part\n" and held.status == 0, str(held)
    held = world.guarded(["run", "--", "/bin/sh", "-c", f"/opt/{NAME}/libexec/pwt-part"])
    assert held.out == "a part\n" and held.status == 0, "what is on no PATH is served, and started all the same: " + str(held)
    assert CANARY not in cat(world, [f"/opt/{NAME}/.env"], True, env=env).out
    # What lies beside a bin is granted as a whole, so not where a rule names something in it.
    make(f"/opt/{NAME}/lib/part/plain.txt", "part")
    assert "part" in cat(world, [f"/opt/{NAME}/lib/part/plain.txt"], True, env=env).out
    deep = make(f"/opt/{NAME}/lib/part/conf/database.yml", CANARY)
    held = cat(world, [deep], True, env=env)
    assert CANARY not in held.out and "Permission denied" in held.out, str(held)
    shutil.rmtree(f"/opt/{NAME}/lib")


def test_a_race_for_the_object(world):
    """A link of the sandbox's own is swapped between what is served and what is not: never the other's content."""
    script = """
import os, sys, threading, time
good, bad, folder = sys.argv[1:]
link, stop = folder + "/link", False
def swap():
    while not stop:
        for target in (good, bad):
            os.symlink(target, link + ".new")
            os.replace(link + ".new", link)
os.symlink(good, link)
t = threading.Thread(target=swap); t.start()
served = refused = 0
end = time.monotonic() + 30
while (served < 50 or refused < 50) and time.monotonic() < end:
    try:
        with open(link) as f: text = f.read()
        served += 1
        if text != "opt": print("LEAK", text)
    except OSError: refused += 1
stop = True; t.join()
print("both" if served >= 50 and refused >= 50 else (served, refused))
"""
    held = world.guarded(["run", "--", "/bin/sh", "-c", 'exec /usr/bin/python3 -c "$0" "$1" "$2" "$TMPDIR"', script, f"/opt/{NAME}/share/data.txt",
                          f"/opt/{NAME}/conf/config.php"], options=["--on-violation", "deny"])
    assert held.out == "both\n", str(held)[:3000]
