"""Who did it: of each event of a row, are package, version, stage, file, line and function those of the replica?  Of native code: the object?

An event of the row's own code is right when it names the replica, at its stage, and a line of one of its Python files that belongs to the function which is
named.  What pip's own back end or a tool of the system does in the replica's sandbox is nobody's line, and is not counted."""
from __future__ import annotations

import ast
import tarfile
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from .kit import Row
from .make import VERSION

STAGE_OF = {"import": ("import", "script"), "script": ("import", "script"), "native": ("script",), "next": ("import", "script"), "metadata": ("metadata",),
            "build": ("build",), "after": ("build",), "install": ("build", "install", "metadata"), "wheel": ("install",)}


@dataclass
class Tally:
    """All events of some rows, and what of them is wrong."""
    right: int = 0
    wrong: list[str] = field(default_factory=list)
    unnamed: Counter = field(default_factory=Counter)  # by type: from Python, and no line is known
    rows: set[str] = field(default_factory=set)

    @property
    def share(self) -> float:
        return self.right / max(1, self.right + len(self.wrong) + sum(self.unnamed.values()))

    def __str__(self) -> str:
        lines = [f"{self.right} events of {len(self.rows)} replicas are right, {len(self.wrong)} wrong, {sum(self.unnamed.values())} without a line: {self.share:.2%}"]
        lines += [f"  without a line: {kind} {n}" for kind, n in self.unnamed.most_common()]
        return "\n".join(lines + [f"  wrong: {w}" for w in self.wrong[:40]])


def sources(archive: Path) -> dict[str, str]:
    """Its Python files and start-up files, by the end of their paths."""
    if archive.name.endswith(".whl"):
        with zipfile.ZipFile(archive) as z:
            return {n: z.read(n).decode(errors="replace") for n in z.namelist() if n.endswith((".py", ".pth"))}
    with tarfile.open(archive) as t:
        return {m.name.split("/", 1)[1]: t.extractfile(m).read().decode(errors="replace") for m in t.getmembers() if m.isfile() and m.name.endswith((".py", ".pth"))}


def functions_at(text: str, line: int) -> set[str]:
    """The names that code objects have which hold that line: the innermost of all, and what lambdas and comprehensions are called."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return {"<module>"}
    inner = [n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)) and n.lineno <= line <= (n.end_lineno or n.lineno)]
    names = {getattr(n, "name", "<lambda>") for n in inner if n is max(inner, key=lambda m: (m.lineno, -(m.end_lineno or 0)))}
    return names | {"<lambda>", "<listcomp>", "<genexpr>", "<dictcomp>", "<setcomp>"} | ({"<module>"} if not inner or isinstance(inner[-1], ast.ClassDef) else set())


def where(origin: dict, name: str, files: dict[str, str]) -> str:
    """What is wrong with its place in the code; "" where it is right."""
    lines = files[name].splitlines()
    line = origin.get("line", 0)
    if not 1 <= line <= len(lines) or not lines[line - 1].strip() or lines[line - 1].lstrip().startswith("#"):
        return f"{name}:{line} is no line of code"
    if name.endswith(".py") and origin.get("function") not in functions_at(files[name], line):
        return f"{name}:{line} is not in {origin.get('function')}"
    return ""


def judge(row: Row, event: dict, files: dict[str, str]) -> str | None:
    """None: it is not the row's own code.  "": right; else what is wrong."""
    package, origin = event.get("package") or {}, event.get("origin") or {}
    name = next((n for n in files if origin.get("file") == n or origin.get("file", "").endswith("/" + n)), None)
    if name is None:
        return None
    if (package.get("name") or "").replace("_", "-").lower() != row.package:
        return f"charged to {package.get('name')}"
    if package.get("version") != VERSION:
        return f"version {package.get('version')}"
    if package.get("stage") not in STAGE_OF[row.stage] and not row.command:
        return f"stage {package.get('stage')} of a row of {row.stage}"
    return where(origin, name, files)


# They go around the hook, by machine code and the like: that they are not explained is what they are for.
AROUND = ("ES-04", "ES-05", "ES-06", "ES-07", "ES-08")


def from_python(row: Row, event: dict) -> bool:
    """The interpreter itself made the attempt, and the row is Python: then a line can be asked for."""
    exe = Path((event.get("process") or {}).get("exe") or "").name
    return bool(row.act) and row.id not in AROUND and not row.native and exe.startswith("python") and event.get("shim") != "absent"


def add(tally: Tally, row: Row, events: list[dict], files: dict[str, str]) -> None:
    for event in events:
        if "first" in event or event["type"].startswith(("run.", "install.", "terminal.", "process.exit", "resource.")) or event.get("role") not in ("build", "guest"):
            continue
        found = judge(row, event, files)
        if found is None:
            if "origin" not in event and from_python(row, event) and event["severity"] != "info":
                tally.unnamed[f"{row.id} {event['type']}"] += 1
                tally.rows.add(row.id)
            continue
        tally.rows.add(row.id)
        if found:
            tally.wrong.append(f"{row.id} {event['type']} {event.get('rule')}: {found}")
        else:
            tally.right += 1

