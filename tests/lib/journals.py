"""Every journal that a test leaves is what docs/schema/events.schema.json says.  conftest.py looks at each world's when the test is over, and at what
`pipwarden report` makes of it."""
from __future__ import annotations

import json
import subprocess
from functools import lru_cache
from pathlib import Path

from . import sarif
from .schema import errors

SCHEMAS = Path(__file__).resolve().parents[2] / "docs/schema"
REPORTED, FINDINGS = 1 << 20, 30  # of how long a journal a report is made, and how many of its findings are looked at
WHOLE, EVERY = 400, 50  # of a flood's ten thousand lines the first, and one in so many of the others


@lru_cache(maxsize=None)
def schema(name: str) -> dict:
    return json.loads((SCHEMAS / f"{name}.schema.json").read_text())


def line_errors(line: dict) -> list[str]:
    kind = {"run.start": "start", "run.end": "end"}.get(line.get("type"), "event")
    return list(errors(line, {"$ref": f"#/$defs/{kind}"}, schema("events"), f"line {line.get('seq')}"))


def journal_errors(text: str) -> list[str]:
    """A line without an end is one that a kill or a full disk cut."""
    found, last = [], {}
    lines = text.split("\n")[:-1]
    for i, written in enumerate(lines):
        try:
            line = json.loads(written)
        except ValueError as e:
            found.append(f"line {i + 1}: {e}: {written[:200]}")
            continue
        follows = 1 if line.get("type") == "run.start" else last.get(line.get("run"), 0) + 1
        if line.get("seq") != follows:
            found.append(f"line {i + 1}: number {line.get('seq')} in the place of {follows}")
        last[line.get("run")] = line.get("seq")
        if i < WHOLE or i % EVERY == 0 or i >= len(lines) - EVERY or line.get("type") == "run.end":
            found += line_errors(line)
    return found


def report_errors(pipwarden: Path, home: Path, journal: Path) -> list[str]:
    """What is made of it is what docs/schema/report.schema.json and SARIF say."""
    def made(kind: str) -> str:
        done = subprocess.run([pipwarden, "report", journal, "--format", kind], capture_output=True, text=True, timeout=60, env={"PATH": "/usr/bin:/bin", "HOME": str(home)})
        assert done.returncode == 0, f"{journal}: report --format {kind}: {done.returncode}: {done.stderr}"
        return done.stdout

    document = json.loads(made("json"))
    document["findings"] = document["findings"][:FINDINGS]
    sarif.check(json.loads(made("sarif")))
    return list(errors(document, schema("report"), schema("report"), "report"))


def check(pipwarden: Path, home: Path, *folders: Path) -> None:
    seen: set[str] = set()
    for folder in folders:
        for path in sorted(folder.glob("**/*.jsonl")):
            text = path.read_text(errors="surrogateescape")
            if text in seen:
                continue  # the state folder's copy of the same
            seen.add(text)
            found = journal_errors(text)
            if "\n" in text and len(text) < REPORTED:
                found += report_errors(pipwarden, home, path)
            assert not found, f"{path}: " + "\n".join(found[:10])
