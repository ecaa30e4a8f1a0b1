"""The table of the kit: the rows of all sections, in the catalogue's order."""
from __future__ import annotations

import importlib

SECTIONS = ("env", "files", "network", "names", "daemons", "programs", "persistence", "tampering", "shim", "kernel", "resources", "terminal", "later_runs")


def table() -> list:
    rows = []
    for name in SECTIONS:
        try:
            module = importlib.import_module(f"{__name__}.{name}")
        except ModuleNotFoundError as e:
            if e.name != f"{__name__}.{name}":
                raise
            continue
        rows += module.ROWS
    return rows
