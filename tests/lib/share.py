"""Several pytest sessions side by side: each file of tests is run by the session that takes it first.

The sessions collect the same tests and share the folder that PIPWARDEN_SHARE names.  What takes longest is begun first, so that they end
together; the order has no other meaning."""
from __future__ import annotations

import itertools
import os
from pathlib import Path

LONGEST = ("test_online", "test_vcs", "test_proxies", "test_escapes", "test_credentials", "test_matrix", "test_index_credentials", "test_pips", "test_kill", "test_terminal_pip", "test_legitimate", "test_wheels", "test_places", "test_cli",
           "test_local", "test_terminal", "test_bypass", "test_flood", "test_faults", "test_denied_calls")


def _take(folder: Path, name: str) -> bool:
    try:
        os.close(os.open(folder / name, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    except FileExistsError:
        return False
    return True


def _files(items) -> list[tuple[str, list]]:
    files = [(name, list(group)) for name, group in itertools.groupby(items, lambda item: item.path.stem)]
    return sorted(files, key=lambda file: LONGEST.index(file[0]) if file[0] in LONGEST else len(LONGEST))


def run(session, folder: Path) -> None:
    """In the place of pytest's own loop."""
    waiting = _files(session.items)
    while waiting:
        name, items = waiting.pop(0)
        if not _take(folder, name):
            continue
        # What a session's fixtures made stays as long as there may be more to run.
        following = [*items[1:], waiting[0][1][0] if waiting else None]
        for item, after in zip(items, following):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
            if session.shouldfail:
                raise session.Failed(session.shouldfail)
            if session.shouldstop:
                raise session.Interrupted(session.shouldstop)
