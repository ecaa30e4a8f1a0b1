"""docs/escapes.md, as the runner writes it."""
from __future__ import annotations

import fcntl
import json
import shlex
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

from .catalogue import IDS
from .kit import Row

# As a user of each would write it for `pip install` in a virtual environment; {home} and the like are filled in.
WRAPPERS = {
    # The shell of bubblewrap's own demos/bubblewrap-shell.sh, with what pip needs: all of /etc, and its own folders.
    "bubblewrap": "bwrap --ro-bind /usr /usr --ro-bind /etc /etc --symlink usr/lib /lib --symlink usr/lib64 /lib64 --symlink usr/bin /bin "
                  "--symlink usr/sbin /sbin --dir /var --symlink ../tmp /var/tmp --proc /proc --dev /dev --tmpfs /tmp --tmpfs {home} "
                  "--bind {home}/.cache/pip {home}/.cache/pip --bind {venv} {venv} --bind {temp} {temp} --bind {work} {work} --ro-bind {ca} {ca} "
                  "--unshare-all --share-net --new-session --die-with-parent --",
    # Its own profile for pip, with the line that the profile suggests for pip's cache: nothing else of the home is seen.
    "firejail": "firejail --profile=/etc/firejail/pip.profile --whitelist={home}/.cache/pip --",
}
PROGRAMS = {"bubblewrap": "bwrap", "firejail": "firejail"}
PLACE = "/opt"  # not /tmp, of which both give the command another one

HEAD = """# Escapes: the catalogue, tried

Written by `tests/escapes/run.py --write docs/escapes.md`; do not edit.

Each row is a harmless replica of an attack behaviour: a package `pwfix-ID` or a program, with made-up secrets and an outside that is a network namespace. It
is run plainly, where its effect must be seen (else it proves nothing), and under each wrapper, where it must not. What counts is what the outside sees: bytes
that arrived, files that changed, processes that live. *Event*: the journal holds what was tried, by which package, with the right rule, path or address.

| | |
|---|---|
| yes / no | the effect was there, or was not, as root and as an ordinary user; where they differ: root / user |
| no baseline | the effect cannot be had on the machine that tried, not even plainly, for the reason that stands there |
| same | an honest row: its effect is the same with and without, and nothing above info is recorded |
| not run | the replica did not run under that wrapper: what it needs is not there |

The others were run as a careful user would for `pip install` in a virtual environment: network for the index, environment and cache writable.
They know nothing of pip, record nothing, and let the whole command do what any part of it may.

"""


@dataclass(frozen=True)
class Seen:
    """What is kept of an outcome."""
    ran: bool
    effect: str
    record: str
    not_tried: str


class Results:
    """By way (plain, pipwarden, a wrapper), user and row."""

    def __init__(self, path: Path | None = None):
        self._path = path
        self._all: dict = json.loads(path.read_text() or "{}") if path and path.exists() else {}

    def add(self, way: str, user: str, outcomes: dict) -> None:
        """Several runners may add to one file."""
        with open(self._path, "a+") if self._path else nullcontext() as f:
            if f:
                fcntl.flock(f, fcntl.LOCK_EX)
                f.seek(0)
                self._all = json.loads(f.read() or "{}")
            for id, o in outcomes.items():
                self._all.setdefault(way, {}).setdefault(user, {})[id] = asdict(Seen(o.ran, o.effect, o.record, o.not_tried))
            if f:
                f.truncate(0)
                f.write(json.dumps(self._all))

    def of(self, way: str, user: str, id: str) -> Seen | None:
        found = self._all.get(way, {}).get(user, {}).get(id)
        return found and Seen(**found)

    @property
    def others(self) -> list[str]:
        return [w for w in WRAPPERS if w in self._all]


def cell(values: list[str]) -> str:
    """Of root and of the user; one where both are the same."""
    return values[0] if len(set(values)) == 1 else " / ".join(values)


def seen(outcome) -> str:
    return "not tried" if outcome is None or outcome.not_tried else "not run" if not outcome.ran else "yes" if outcome.effect else "no"


def event(row: Row, outcomes: list) -> str:
    return cell(["right" if not o.record else "WRONG" for o in outcomes])


def lines(rows: list[Row], results: Results) -> list[str]:
    out = []
    for row in rows:
        base = [results.of("plain", u, row.id) for u in row.users]
        held = [results.of("pipwarden", u, row.id) for u in row.users]
        title = row.title.replace("|", "\\|")
        if None in base or None in held:
            continue
        if base[0].not_tried:
            out.append(f"| {row.id} | {title} | not tried: {base[0].not_tried} |" + " |" * (2 + len(results.others)))
            continue
        without = cell([f"no baseline: {row.no_baseline(u)}" if not o.effect and row.no_baseline(u) else seen(o) for u, o in zip(row.users, base)])
        with_it = "same" if row.control and all(o.effect for o in held) else cell([seen(o) for o in held])
        more = [cell([seen(results.of(w, u, row.id)) for u in row.users]) for w in results.others]
        out.append(f"| {row.id} | {title} | {without} | {with_it} | {event(row, held)} | " + " | ".join(more) + " |")
    return out


def sums(rows: list[Row], results: Results) -> list[str]:
    """How many there are, for root and for the user."""
    out = ["| | root | user |", "|---|---|---|"]
    plain, held = (lambda u, r, way=way: results.of(way, u, r.id) for way in ("plain", "pipwarden"))

    def line(text, count):
        out.append(f"| {text} | {count('root')} | {count('user')} |")

    def known(u):
        return [r for r in rows if u in r.users and plain(u, r) and held(u, r)]

    def tried(u):
        return [r for r in known(u) if not plain(u, r).not_tried]

    def attacks(u):
        return [r for r in tried(u) if plain(u, r).effect and not r.control]

    line(f"rows run, of the catalogue's {len(IDS)}", lambda u: len(known(u)))
    line("tried here", lambda u: len(tried(u)))
    line("no baseline on this machine", lambda u: sum(not plain(u, r).effect for r in tried(u)))
    line("honest controls, same under pipwarden", lambda u: f"{sum(bool(held(u, r).effect) for r in tried(u) if r.control)} of {sum(r.control for r in tried(u))}")
    line("attacks with an effect under plain pip", lambda u: len(attacks(u)))
    line("of these with an effect under pipwarden", lambda u: sum(bool(held(u, r).effect) for r in attacks(u)))
    for way in results.others:
        there = lambda u: [results.of(way, u, r.id) for r in attacks(u) if results.of(way, u, r.id)]  # noqa: B023, E731
        line(f"of these with an effect under {way} (and did not run there)", lambda u: f"{sum(bool(o.effect) for o in there(u))} ({sum(not o.ran for o in there(u))})")
    line("events right", lambda u: f"{sum(not held(u, r).record for r in tried(u))} of {len(tried(u))}")
    return out


def text(rows: list[Row], results: Results, machine: str) -> str:
    commands = "".join(f"\n{name}:\n\n```\n" + "\n".join(wrap(WRAPPERS[name])) + "\n```\n" for name in results.others)
    notes = [f"- {row.id}: {row.note}" for row in rows if row.note and not row.note.startswith("no baseline") and results.of("plain", row.users[0], row.id)]
    return (HEAD + "\n".join(sums(rows, results)) + f"\n\n{machine}\n\n"
            + f"| id | behaviour | plain pip | pipwarden | event | {' | '.join(results.others)} |\n|---|---|---|---|---|" + "---|" * len(results.others) + "\n"
            + "\n".join(lines(rows, results)) + "\n\n## Notes\n\n" + "\n".join(notes) + "\n\n## The other wrappers\n" + commands)


def wrap(command: str, width: int = 130) -> list[str]:
    out = [""]
    for word in shlex.split(command):
        if out[-1] and len(out[-1]) + len(word) > width:
            out[-1] += " \\"
            out.append("   ")
        out[-1] += (" " if out[-1] else "") + word
    return out
