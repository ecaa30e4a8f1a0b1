#!/usr/bin/env python3
"""Runs tests/lib/suite.py in containers without privileges: podman's own profile, one like Docker's, and what Kubernetes makes of it.

    python3 tests/lib/containers.py BINARY [--folder DIR] [--only NAME,…]

Needs root, podman, runc and debootstrap; nothing is pulled: the root folder is a Debian made here (shared with kernels.py).  The containers have no network."""
from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lib import kernels  # noqa: E402

REPOSITORY = Path(__file__).resolve().parent.parent.parent
PROFILE = Path("/usr/share/containers/seccomp.json")
# What Docker's default profile refuses without capabilities and podman's allows (of what an installation could meet).
NOT_DOCKERS = {"unshare", "setns", "mount", "umount", "umount2", "pivot_root", "move_mount", "open_tree", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr",
               "pidfd_getfd", "kcmp", "keyctl", "add_key", "request_key", "chroot", "process_madvise", "name_to_handle_at", "clone3", "io_uring_setup",
               "io_uring_enter", "io_uring_register"}
OLDER = {"process_vm_readv", "process_vm_writev", "ptrace"}  # refused by profiles for kernels before 4.8, and by hardened ones
NEW_NAMESPACES = 0x7E020000
DROPPED = ["--cap-drop", "all", "--security-opt", "no-new-privileges"]
# name: profile (None: podman's own), options, what must be seen in `doctor`
CONTAINERS = {
    "podman": (None, [], []),
    "podman, no capabilities": (None, [*DROPPED, "--user", "1000:1000"], []),
    "docker's profile": ("docker", [], ["own network", "pidfd_getfd"]),
    "kubernetes": ("docker", [*DROPPED, "--read-only", "--tmpfs", "/tmp:rw,exec,mode=1777", "--user", "1000:1000"], ["own network", "pidfd_getfd"]),
    "kubernetes, an old profile": ("older", [*DROPPED, "--user", "1000:1000"], ["own network", "pidfd_getfd", "process_vm_readv"]),
}


def profile(name: str, folder: Path) -> Path:
    told = json.loads(PROFILE.read_text())
    unwanted = NOT_DOCKERS | (OLDER if name == "older" else set())
    for rule in told["syscalls"]:
        if rule["action"] == "SCMP_ACT_ALLOW":
            rule["names"] = [n for n in rule["names"] if n not in unwanted and n != "clone"]
    told["syscalls"] = [r for r in told["syscalls"] if r.get("names")]
    told["syscalls"].append({"names": ["clone"], "action": "SCMP_ACT_ALLOW", "args": [
        {"index": 0, "value": NEW_NAMESPACES, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}]})
    told["syscalls"].append({"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38})
    told["syscalls"].append({"names": sorted(unwanted - {"clone3"}), "action": "SCMP_ACT_ERRNO", "errnoRet": 1})
    path = folder / f"seccomp-{name}.json"
    path.write_text(json.dumps(told))
    return path


def root(folder: Path, binary: Path) -> Path:
    made = folder / "container"
    shutil.rmtree(made, ignore_errors=True)
    kernels.run(["cp", "-a", "--reflink=auto", kernels.root_folder(folder), made])
    own = made / "opt/pipwarden"
    own.mkdir(parents=True)
    shutil.copytree(binary.parent / "libexec", own / "libexec")
    shutil.copy2(binary, own / "pipwarden")
    for part in ("tests/lib", "tests/fixtures", "tests/faults"):
        shutil.copytree(REPOSITORY / part, made / "repository" / part, ignore=shutil.ignore_patterns("__pycache__"))
    kernels.run(["chroot", made, "useradd", "-m", "-u", "1000", "pwtest"])
    kernels.prepare(made)
    return made


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("binary", type=Path)
    parser.add_argument("--folder", type=Path, default=REPOSITORY / "build-kernels")
    parser.add_argument("--only", default=",".join(CONTAINERS).replace(", ", "; "))
    parser.add_argument("--whole", action="store_true", help="each install for each user")
    options = parser.parse_args()
    missing = [p for p in ("podman", "runc", "debootstrap") if not shutil.which(p)]
    if missing or os.geteuid() != 0:
        raise SystemExit(f"containers: this needs root and {' '.join(missing) or 'nothing else'}")
    options.folder.mkdir(exist_ok=True)
    made = root(options.folder, options.binary.resolve())
    passed = failed = 0
    table = []
    for name in options.only.split(","):
        name = name.replace("; ", ", ")
        which, more, absent = CONTAINERS[name]
        print(f"{name}:", flush=True)
        security = ["--security-opt", f"seccomp={profile(which, options.folder)}"] if which else []
        # Limits that are as high as the caller's cannot be asked for where root lacks CAP_SYS_RESOURCE.
        argv = ["podman", "--cgroup-manager=cgroupfs", "--runtime", "runc", "run", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000", "--rm",
                "--network", "none", *security, *more, "--rootfs", made, "/usr/bin/python3", "/repository/tests/lib/suite.py", "/opt/pipwarden/pipwarden",
                *([] if options.whole else ["--short"])]
        out = subprocess.run([str(a) for a in argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=3600).stdout
        sys.stdout.write("".join(f"    {line}\n" for line in out.splitlines()))
        found = re.search(r"^(\d+) passed, (\d+) failed$", out, re.M)
        seen = [a for a in absent if not re.search(rf"^no .*{a}", out, re.M)]
        bad = (int(found[2]) if found else 1) + len(seen)
        table.append((name, (found[0] if found else "it did not end") + (f"; not as that profile has it: {seen}" if seen else "")))
        passed += int(found[1]) if found else 0
        failed += bad
    shutil.rmtree(made, ignore_errors=True)
    return kernels.conclude(table, passed, failed)


if __name__ == "__main__":
    sys.exit(main())
