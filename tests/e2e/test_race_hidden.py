"""An attempt cannot hide: while another thread, or another process on a shared page, swaps what a path says or leads to, every open that the
attacker sees refused is in the record, under the name of what was refused.

The racing program (tests/race/) counts what it was answered; the journal's lines, with what they were folded to, must add up to the same."""
from __future__ import annotations

import pytest

from conftest import HIDDEN, USERS
from test_race import arena, lines_of, show  # noqa: F401

TRIES = 10_000
EACCES = "13"
RACES = ("path", "system-path", "page", "file-page", "link", "link-process", "dirfd", "cwd")
# With less, what differs: how memory, links and descriptors are looked at.
CASES = [(user, "", race) for user in USERS for race in RACES] + [("user", hide, race) for hide in HIDDEN[1:] for race in ("path", "page", "link-process", "dirfd")]


def recorded(events: list[dict], path) -> int:
    """Attempts on `path` that the journal knows of: a folded line stands for `count` more."""
    return sum(e.get("count", 1) for e in events if e["type"] == "file.open" and e["action"] == "denied" and e["target"].get("path") == str(path))


@pytest.mark.parametrize("user,hide,race", CASES, ids=[f"{user}-{hide or 'nothing'}-{race}" for user, hide, race in CASES])
def test_every_refusal_is_recorded(user, hide, race, arena, user_named, show):  # noqa: F811
    a = arena(user_named(user), hide)
    result = a.world.guarded(["run", "--", a.tools / "race", race, TRIES, *a.targets],
                             options=["--on-violation", "deny", "--allow-read", a.tools], timeout=120)
    assert result.status == 100, str(result)
    line = lines_of(result.out)[0]
    show(line, result.seconds)
    assert line["done"] == TRIES and line["foreign"] == 0, str(result)
    assert line["flips"] >= TRIES // 20 and set(line["errors"]) <= {"0", EACCES}, f"{line}\n{result}"
    assert min(line["errors"].get("0", 0), line["errors"].get(EACCES, 0)) >= TRIES // 1000, f"only one side was seen: {line}"
    secret = a.world.home / ".ssh/id_ed25519"
    assert recorded(result.events, secret) == line["errors"][EACCES], f"{line}\n{result}"
