"""Fault injection: a system call of pipwarden's own processes fails at one place, and nothing gets out for it, nothing hangs, nothing is left.
The same where one of the processes crashes.

`./dev faults` tries every place; here it is a sample, the same each time for the same binary, spread over processes, calls and phases."""
from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lib import binary

DRIVER = Path(__file__).resolve().parent.parent / "lib/faults.py"

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("workload,user,sample,crash", [
    ("guest", "root", 120, False), ("guest-plain", "user", 100, False), ("sdist", "user", 20, False),
    ("guest", "user", 40, True)], ids=lambda v: "crash" if v is True else "" if v is False else str(v))
def test_a_sample(workload, user, sample, crash):
    # In a PID namespace of its own: a wrong kill() must not reach the tests.
    result = subprocess.run([sys.executable, DRIVER, binary.built(), "--workloads", workload, "--users", user, "--sample", str(sample), *(["--crash"] if crash else [])],
                            capture_output=True, text=True, timeout=900, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    summary = re.search(r"^(\d+) faults tried, (\d+) came about, (\d+) bad", result.stdout, re.M)
    print(result.stdout)
    assert summary and result.returncode == 0, result.stdout[-8000:] + result.stderr[-3000:]
    assert int(summary[1]) >= sample * 0.9 and int(summary[2]) >= int(summary[1]) * 0.7, "the faults did not come about"  # some places are come by on a busy machine only, or not there
