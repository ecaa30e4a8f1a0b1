"""docs/schema/events.schema.json describes what the journal writes, and nothing else.

usage: check_schema.py SCHEMA EMITTER"""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from lib.schema import errors  # noqa: E402


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        schema = json.load(f)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "events.jsonl")
        subprocess.run([sys.argv[2], path], check=True)
        with open(path, encoding="utf-8", newline="\n") as f:
            lines = [json.loads(line) for line in f]
    wrong = [error for line in lines for error in errors(line, schema, schema)]
    seen = {name for line in lines for name in line} | {name for line in lines for name in line.get("target", {})}
    for kind in ("start", "event", "end"):  # every field that is described is also written
        wrong += [f"{name} was never written" for name in schema["$defs"][kind]["properties"] if name not in seen | {"unrecorded", "decoy"}]
    # The checker itself must be able to say no.
    for spoil in ({"severity": "grave"}, {"count": 0}, {"surplus": 1}, {"ts": "today"}, {"target": {"port": "1"}}):
        if not list(errors({**lines[1], **spoil}, schema, schema)):
            wrong.append(f"{spoil} was not noticed")
    print(*wrong, sep="\n")
    sys.exit(1 if wrong or len(lines) != 34 else 0)


main()
