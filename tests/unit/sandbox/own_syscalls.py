"""Writes what this machine's asm/unistd.h knows as initialisers of {"name", number}: own_syscalls.py COMPILER…"""
import re
import subprocess
import sys

text = subprocess.run([*sys.argv[1:], "-E", "-dM", "-"], input="#include <asm/unistd.h>\n", text=True, capture_output=True, check=True).stdout
for name in sorted(set(re.findall(r"#define __NR_(\w+) ", text)) - {"syscalls", "arch_specific_syscall"}):
    # aarch64 names some by their historical ones: __NR3264_fcntl
    if not name.startswith("3264"):
        print(f'{{"{name}", __NR_{name}}},')
