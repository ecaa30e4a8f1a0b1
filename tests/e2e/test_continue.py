"""docs/continue.md names every place in the code that lets a call go on, and only those; the tests that it names exist."""
from __future__ import annotations

import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
DOCUMENT = (REPOSITORY / "docs/continue.md").read_text()
CODE = {p: p.read_text() for p in sorted((REPOSITORY / "launcher").rglob("*.[ch]"))}
CALL = re.compile(r"reply_continue\(([^)]*)\)")


def named() -> list[str]:
    """The entries of the document: the first cells of its tables, and the one of --audit."""
    return re.findall(r"^\| `([a-z.-]+)` \|", DOCUMENT, re.M) + re.findall(r"^`(audit)`:", DOCUMENT, re.M)


def test_every_place_has_an_entry():
    said = [argument for p, text in CODE.items() if p.name != "supervise.h" for argument in CALL.findall(text)]
    assert said and all(re.fullmatch(r'"[a-z.-]+"', s) for s in said), f"a place without a name of its own: {said}"
    tags = sorted(s.strip('"') for s in said)
    assert len(tags) == len(set(tags)), "two places with one name"
    assert tags == sorted(named()), f"differ: {set(tags) ^ set(named())}"


def test_there_is_no_other_way():
    """Only the listener's thread says it to the kernel, and only reply_continue() makes such an answer."""
    raw = [p.name for p, text in CODE.items() if "SECCOMP_USER_NOTIF_FLAG_CONTINUE" in text]
    assert raw == ["listener.c"]
    made = [p.name for p, text in CODE.items() if re.search(r"kind = REPLY_CONTINUE|\.kind\s*=\s*REPLY_CONTINUE", text)]
    assert made == ["supervise.h"]


def test_every_test_exists():
    files = {}
    for p in [*(REPOSITORY / "tests/e2e").glob("*.py"), *(REPOSITORY / "tests/unit").rglob("*.c")]:
        files[p.name] = files.get(p.name, "") + p.read_text()
    races = "".join(p.read_text() for p in (REPOSITORY / "tests/race").glob("*.c"))
    bypass = (REPOSITORY / "tests/fixtures/bypass/bypass.c").read_text()
    for row in re.findall(r"^\| `[a-z.-]+` \|.*\| (.*) \|$", DOCUMENT, re.M):
        for name, cases in re.findall(r"`(test_\w+\.(?:py|c))`((?: [\w-]+,?)*)", row):
            assert name in files, name
            for case in re.findall(r"[\w-]+", cases):
                known = files[name] + (races if name.startswith("test_race") else bypass if name == "test_bypass.py" else "")
                assert re.search(rf"\b{re.escape(case)}\b", known), f"{name} has no {case}"
