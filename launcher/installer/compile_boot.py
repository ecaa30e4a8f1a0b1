"""Compiles pip's bootstrap for every CPython on PATH: compile_boot.py FOLDER [STAMP].  FOLDER/__pycache__ is filled.

A Python that is missing here compiles the bootstrap at each start, which takes it some milliseconds.
"""
import os
import shutil
import subprocess
import sys

COMPILE = "import py_compile, sys; py_compile.compile(sys.argv[1], doraise=True, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)"

folder = sys.argv[1]
destination = os.environ.get("MESON_INSTALL_DESTDIR_PREFIX")  # set when meson installs
if destination:
    folder = os.path.join(destination, folder)
names = ["python3"] + ["python3.{}".format(minor) for minor in range(8, 20)]
for python in sorted({found for found in [sys.executable] + [shutil.which(name) for name in names] if found}):
    # A version manager's shim for a version that is not chosen says so and fails: nothing to compile for.
    subprocess.run([python, "-S", "-E", "-c", COMPILE, os.path.join(folder, "pip_boot.py")], stderr=subprocess.DEVNULL, timeout=60)
if len(sys.argv) > 2:
    open(sys.argv[2], "w").close()
