#!/usr/bin/env python3
"""Boots the distribution's own kernels in an emulator and runs tests/lib/suite.py there: what the fallbacks are for, for real.

    python3 tests/lib/kernels.py BINARY [--folder DIR] [--suites bookworm,…] [--seconds N]

Needs root, a Debian, its mirror, and qemu-system-x86, debootstrap, cpio, gzip.  Everything that is fetched stays in the folder (build-kernels/ by
default).  The guests have no network."""
from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
SUITES = ("bookworm", "bookworm-backports", "sid")  # 6.1, 6.12, the newest
PACKAGES = "python3,python3-venv,python3-setuptools,python3-wheel,python3-dev,gcc,libc6-dev,libseccomp2,libcjson1,libmd0,zlib1g,procps,util-linux"
NOT_NEEDED = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/i18n", "usr/share/info", "var/lib/apt/lists", "var/cache/apt",
              "usr/lib/x86_64-linux-gnu/gconv", "usr/share/zoneinfo", "usr/lib/gcc/x86_64-linux-gnu/12/lto1", "usr/lib/gcc/x86_64-linux-gnu/12/lto-dump")
INIT = """#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm /run
mount -t devpts devpts /dev/pts; mount -t tmpfs shm /dev/shm; mount -t tmpfs -o mode=1777,size=3g tmp /tmp
ip link set lo up 2>/dev/null || python3 -c 'import fcntl,socket,struct; fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sh14x", b"lo", 1))'
cd /repository
echo "THE SUITE BEGINS"
timeout SECONDS python3 tests/lib/suite.py /opt/pipwarden/pipwarden ARGUMENTS 2>&1
echo "THE SUITE ENDS $?"
sync
echo o >/proc/sysrq-trigger
sleep 60
"""


def run(argv, **more):
    return subprocess.run([str(a) for a in argv], check=True, **more)


def mirror() -> str:
    """The one that apt is configured with."""
    for path in [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]:
        text = path.read_text() if path.is_file() else ""
        found = re.search(r"^(?:URIs:\s*|deb\s+(?:\[[^]]*\]\s+)?)(\S*/debian/?)(?:\s|$)", text, re.M)
        if found:
            return found[1]
    raise SystemExit("kernels: apt is configured with no mirror of Debian")


def fetch_kernel(folder: Path, suite: str) -> Path | None:
    """The suite's newest cloud kernel, unpacked: vmlinuz.  None: it has none."""
    own = folder / suite
    for name in ("lists/partial", "cache/archives/partial", "etc", "kernel"):
        (own / name).mkdir(parents=True, exist_ok=True)
    (own / "status").touch()
    (own / "etc/sources.list").write_text(f"deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] {mirror()} {suite} main\n")
    options = [f"Dir::Etc::sourcelist={own}/etc/sources.list", "Dir::Etc::sourceparts=-", f"Dir::State::lists={own}/lists", f"Dir::Cache={own}/cache",
               f"Dir::State::status={own}/status", "APT::Sandbox::User=root"]
    options = [word for o in options for word in ("-o", o)]
    done = list((own / "kernel").glob("**/vmlinuz*"))
    if done:
        return done[0]
    run(["apt-get", *options, "-qq", "update"])
    names = run(["apt-cache", *options, "--names-only", "search", r"^linux-(image|binary)-[0-9].*-cloud-amd64$"], capture_output=True, text=True).stdout
    names = [line.split()[0] for line in names.splitlines() if "unsigned" not in line and "dbg" not in line]
    if not names:
        return None
    newest = sorted(names, key=lambda n: [int(x) for x in re.findall(r"\d+", n)])[-1]
    # A kernel's image may lie in a package of its own that the named one depends on.
    for name in (newest, newest.replace("linux-image-", "linux-binary-")):
        try:
            run(["apt-get", *options, "-qq", "download", name], cwd=own / "cache")
        except subprocess.CalledProcessError:
            continue
        package = max((own / "cache").glob(f"{name}_*.deb"), key=lambda p: p.stat().st_mtime)
        run(["dpkg", "-x", package, own / "kernel"])
        done = list((own / "kernel").glob("**/vmlinuz*"))
        if done:
            return done[0]
    return None


def root_folder(folder: Path) -> Path:
    """A Debian with Python and a compiler."""
    target = folder / "root"
    if not (target / "usr/bin/gcc").exists():
        shutil.rmtree(target, ignore_errors=True)
        run(["debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", target, mirror()], stdout=subprocess.DEVNULL)
    return target


def prepare(root: Path) -> None:
    """What the suite can have made beforehand.  The mount is gone with its namespace: nothing of the machine's is ever below a folder that is removed."""
    run(["unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"', root,
         "/usr/bin/python3", "/repository/tests/lib/suite.py", "--prepare"], stdout=subprocess.DEVNULL)


def initramfs(folder: Path, binary: Path, arguments: str, seconds: int) -> Path:
    root, work, image = root_folder(folder), folder / "work", folder / "initramfs.gz"
    shutil.rmtree(work, ignore_errors=True)
    run(["cp", "-a", "--reflink=auto", root, work])
    for name in NOT_NEEDED:
        path = work / name
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    own = work / "opt/pipwarden"
    own.mkdir(parents=True)
    shutil.copytree(binary.parent / "libexec", own / "libexec")
    shutil.copy2(binary, own / "pipwarden")
    for part in ("tests/lib", "tests/fixtures", "tests/faults"):
        shutil.copytree(REPOSITORY / part, work / "repository" / part, ignore=shutil.ignore_patterns("__pycache__"))
    run(["chroot", work, "useradd", "-m", "pwtest"])
    prepare(work)
    (work / "init").write_text(INIT.replace("SECONDS", str(seconds)).replace("ARGUMENTS", arguments))
    (work / "init").chmod(0o755)
    with open(image, "wb") as out:
        find = subprocess.Popen(["find", ".", "-xdev"], cwd=work, stdout=subprocess.PIPE)
        cpio = subprocess.Popen(["cpio", "--quiet", "-o", "-H", "newc"], cwd=work, stdin=find.stdout, stdout=subprocess.PIPE)
        run(["gzip", "-1"], stdin=cpio.stdout, stdout=out)
        assert cpio.wait() == 0 and find.wait() == 0
    shutil.rmtree(work)
    return image


def boot(kernel: Path, image: Path, log: Path, seconds: int) -> tuple[int, int] | None:
    """(passed, failed) of the suite; None: it did not come to its end."""
    # Without cmpxchg16b: Debian 12's emulator spoils the stack pointer where 6.12.95 uses it, and that kernel dies.
    argv = ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max,cx16=off", "-smp", "2", "-m", "4096", "-kernel", kernel, "-initrd", image,
            "-append", "console=ttyS0 quiet panic=-1 lsm=landlock,yama", "-nographic", "-no-reboot", "-net", "none"]
    with open(log, "wb") as out:
        emulator = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
        end = time.monotonic() + seconds
        shown = 0
        while emulator.poll() is None and time.monotonic() < end:
            time.sleep(1)
            shown = show(log, shown)
        if emulator.poll() is None:
            emulator.kill()
        emulator.wait()
        show(log, shown)
    found = re.search(r"^(\d+) passed, (\d+) failed\s*$", log.read_text(errors="replace"), re.M)
    return (int(found[1]), int(found[2])) if found else None


def show(log: Path, shown: int) -> int:
    """What the suite has said since."""
    text = log.read_text(errors="replace")
    begin = text.find("THE SUITE BEGINS")
    if begin < 0:
        return shown
    shown = max(shown, begin)
    last = text.rfind("\n") + 1
    if last > shown:
        sys.stdout.write("".join(f"    {line}\n" for line in text[shown:last].splitlines() if line.strip()))
        sys.stdout.flush()
    return max(shown, last)


def conclude(table: list[tuple[str, str]], passed: int, failed: int) -> int:
    """Says of each machine how its suite went, and the sum; the exit status."""
    for line in table:
        print(": ".join(line))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("binary", type=Path)
    parser.add_argument("--folder", type=Path, default=REPOSITORY / "build-kernels")
    parser.add_argument("--suites", default=",".join(SUITES), help="of Debian, whose newest cloud kernel is taken")
    parser.add_argument("--seconds", type=int, default=3600, help="that a kernel's tests may take")
    parser.add_argument("--short", action="store_true", help="each kind of install once")
    parser.add_argument("--hide", action="append", default=[], help="as for suite.py: once more without these")
    options = parser.parse_args()
    missing = [p for p in ("qemu-system-x86_64", "debootstrap", "cpio", "gzip", "dpkg") if not shutil.which(p)]
    if missing or os.geteuid() != 0:
        raise SystemExit(f"kernels: this needs root and {' '.join(missing) or 'nothing else'}")
    options.folder.mkdir(exist_ok=True)
    image = initramfs(options.folder, options.binary.resolve(), " ".join([*(f"--hide {h}" for h in options.hide), *(["--short"] if options.short else [])]), options.seconds)
    passed = failed = 0
    table = []
    for suite in options.suites.split(","):
        kernel = fetch_kernel(options.folder, suite)
        if kernel is None:
            table.append((suite, "no cloud kernel there"))
            failed += 1
            continue
        version = re.search(r"\d[^/]*", str(kernel.relative_to(options.folder / suite)))[0]
        print(f"{suite}: Linux {version}", flush=True)
        log = options.folder / f"{suite}.log"
        result = boot(kernel, image, log, options.seconds + 120)
        if result is None and b"THE SUITE BEGINS" not in log.read_bytes():
            result = boot(kernel, image, log, options.seconds + 120)  # a kernel that dies before anything of ours has begun: the emulator's doing
        table.append((f"{suite}: Linux {version}", f"{result[0]} passed, {result[1]} failed" if result else f"did not end: see {options.folder / (suite + '.log')}"))
        passed += result[0] if result else 0
        failed += result[1] if result else 1
    return conclude(table, passed, failed)


if __name__ == "__main__":
    sys.exit(main())
