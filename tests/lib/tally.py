"""The last line of ./dev test: what every runner counted, together.  usage: tally.py FOLDER

FOLDER holds e2e.xml (pytest), *.testlog.json (meson, one object a line) and steps (lines "name… status").
Skipped tests are listed; where PIPWARDEN_MUST_WORK=1 they are failures, but for those that the machine lacks by definition."""
from __future__ import annotations

import json
import os
import sys
import xml.etree.ElementTree as xml
from collections import Counter
from pathlib import Path

OPTIONAL = ("there is no CPython", "there is no other CPython", "there is no Go", "its tool is not here")  # "3.13 where there is one"; a compiler of another language
MESON_PASSED = ("OK", "EXPECTEDFAIL")


def pytest_results(path: Path):
    for case in xml.parse(path).getroot().iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            yield name, "failed", ""
        elif skipped is not None:
            yield name, "skipped", skipped.get("message") or ""
        else:
            yield name, "passed", ""


def meson_results(path: Path):
    for line in path.read_text().splitlines():
        test = json.loads(line)
        result = test["result"]
        yield (f"{path.name.split('.')[0]}: {test['name']}",
               "passed" if result in MESON_PASSED else "skipped" if result == "SKIP" else "failed", "")


def step_results(path: Path):
    for line in path.read_text().splitlines():
        name, _, status = line.rpartition(" ")
        yield name, "passed" if status == "0" else "failed", ""


def main() -> int:
    folder = Path(sys.argv[1])
    results = []
    for pattern, read in (("*.xml", pytest_results), ("*.testlog.json", meson_results), ("steps", step_results)):
        for path in sorted(folder.glob(pattern)):
            results += read(path)
    must_work = os.environ.get("PIPWARDEN_MUST_WORK") == "1"
    passed, skipped, broken = 0, Counter(), []
    for name, result, reason in results:
        if result == "skipped":
            optional = any(o in reason for o in OPTIONAL)
            skipped[name.partition("[")[0], reason] += 1
            if must_work and not optional:
                broken.append(f"{name} (skipped)")
        elif result == "failed":
            broken.append(name)
        else:
            passed += 1
    for (name, reason), times in sorted(skipped.items()):
        print(f"skipped: {name}: {times} of {reason}")
    # Last, where a reader of a log's end finds them.
    for name in broken:
        print(f"failed: {name}")
    if not results:
        print("no test ran")
    print(f"{passed} passed, {len(broken)} failed")
    return 1 if broken or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
