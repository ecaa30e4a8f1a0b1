"""What a row of the kit says, and how it is judged.

A row is one replica: what it does (`act`, Python, or `native`, an act of native/*.c), at which stage, what the outside sees of it (`effect`), and
what pipwarden's journal must hold of it (`event`; None: nothing above info).  docs/escapes.md tells what the columns of the table mean."""
from __future__ import annotations

import fnmatch
import textwrap
from dataclasses import dataclass, field
from typing import Callable

LEVELS = ("info", "low", "medium", "high", "critical")
# Rows of these stages go together into one pip command; the others are commands of their own.
PIP_STAGES = ("metadata", "build", "install", "wheel", "after")
GUEST_STAGES = ("next", "import", "native", "script")
STAGES = PIP_STAGES + GUEST_STAGES


@dataclass(frozen=True)
class Effect:
    """kind: sink, loot, output, file, told, name, alive, call.  In `what` {id}, {package}, {canary}, {home}, {venv} and the like are filled in."""
    kind: str
    what: str = ""
    text: str = ""
    judge: Callable | None = None

    # Effect.sink() and so on read well, too.
    @staticmethod
    def sink(what: str = "{canary}") -> "Effect":
        """The row's own canary, or `what`, arrived at a sink (in a stream or in any packet)."""
        return Effect("sink", what)

    @staticmethod
    def loot() -> "Effect":
        """A secret of the world, or of this row, was had: it arrived at the sink by pwkit.loot(), or stands in what the replica printed."""
        return Effect("loot")

    @staticmethod
    def output(what: str = "{canary}") -> "Effect":
        """It stands in what the command printed."""
        return Effect("output", what)

    @staticmethod
    def file(path: str, text: str = "") -> "Effect":
        """The file, which begins with home/, venv/, site/, work/, temp/ or /, was made, changed or removed; with `text`: it holds that."""
        return Effect("file", path, text)

    @staticmethod
    def told(daemon: str, text: str = "") -> "Effect":
        """A fake daemon was connected to, or told `text`."""
        return Effect("told", daemon, text)

    @staticmethod
    def name(pattern: str) -> "Effect":
        """The resolver outside was asked for such a name."""
        return Effect("name", pattern)

    @staticmethod
    def alive() -> "Effect":
        """A process with target("marker") in its arguments or environment lives when the command has ended."""
        return Effect("alive")

    @staticmethod
    def call(judge: Callable) -> "Effect":
        """judge(world, row, result) says."""
        return Effect("call", judge=judge)


sink, loot, output, file, told, name, alive, call = (
    Effect.sink, Effect.loot, Effect.output, Effect.file, Effect.told, Effect.name, Effect.alive, Effect.call)


@dataclass(frozen=True)
class Event:
    """At least one event of the row's package (of its run, for a guest) fits: one of the rules, one of the types, each field of the target."""
    rule: str | tuple[str, ...]
    type: str | tuple[str, ...] = ()
    target: dict = field(default_factory=dict)  # field -> glob; {home} and the like are filled in
    severity: str = "info"  # at least
    action: str | tuple[str, ...] = ("denied", "decoy", "aborted")
    origin: dict = field(default_factory=dict)  # the same of where in the code
    process: dict = field(default_factory=dict)  # and of the process
    more: dict = field(default_factory=dict)  # and of the event itself: {"shim": "absent"}

    def fits(self, event: dict, fill: Callable[[str], str]) -> bool:
        if not _any(event.get("rule", ""), self.rule) or self.type and not _any(event["type"], self.type):
            return False
        if self.action and not _any(event.get("action", ""), self.action):
            return False
        if LEVELS.index(event.get("severity", "info")) < LEVELS.index(self.severity):
            return False
        parts = [(event.get("target"), self.target), (event.get("origin"), self.origin), (event.get("process"), self.process), (event, self.more)]
        return all(fnmatch.fnmatchcase(_text((part or {}).get(key)), fill(glob)) for part, wanted in parts for key, glob in wanted.items())


def _text(value) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)


def _any(value: str, patterns: str | tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(value, p) for p in ([patterns] if isinstance(patterns, str) else patterns))


@dataclass(frozen=True)
class Row:
    id: str
    title: str
    stage: str
    act: str = ""
    effect: Effect | tuple[Effect, ...] = Effect.loot()  # of several, one is enough to be an effect
    event: Event | tuple[Event, ...] | None = None  # of several, each must be there
    native: str = ""
    files: dict = field(default_factory=dict)  # more files; "DATA/scripts/x" lies in a wheel's data scheme
    setup: Callable | None = None  # (world, row) -> targets; of a wheel "files" are more of its files
    users: tuple = ("root", "user")
    control: bool = False
    needs: tuple = ()
    note: str = ""
    # --- what few rows need
    legacy: bool = False  # metadata, build: by setup.py and setuptools, the act at its top (metadata) or in bdist_wheel (build)
    alone: bool = False  # a pip command of its own, not in the batch
    command: tuple = ()  # GUEST_STAGES: instead of the stage's own; {python}, {venv}, {home}, {module}, {package} are filled in
    env: dict = field(default_factory=dict)  # of its command; only for rows that have one of their own
    outside: tuple = ()  # what its command is started by, outside of the sandbox: ends in `exec "$@"`
    requires: tuple = ()  # of the wheel's metadata
    script: str = ""  # the console command's name, where it is not the package's
    timeout: float = 60  # of its own command
    options: tuple = ()  # of pipwarden, for its own command

    def __post_init__(self):
        object.__setattr__(self, "act", textwrap.dedent(self.act).strip("\n"))
        assert self.stage in STAGES, f"{self.id}: no stage {self.stage}"
        assert not (self.env or self.outside or self.options) or self.own_command, f"{self.id}: env, outside or options, but no command of its own"

    @property
    def package(self) -> str:
        return "pwfix-" + self.id.lower().replace("-", "")

    @property
    def module(self) -> str:
        return self.package.replace("-", "_")

    @property
    def own_command(self) -> bool:
        return self.alone or self.stage in GUEST_STAGES

    @property
    def effects(self) -> tuple[Effect, ...]:
        return self.effect if isinstance(self.effect, tuple) else (self.effect,)

    @property
    def events(self) -> tuple[Event, ...]:
        return () if self.event is None else self.event if isinstance(self.event, tuple) else (self.event,)

    def no_baseline(self, user: str) -> str:
        """`note` may say "no baseline: REASON", or "no baseline (user): REASON": why the plain run has no effect on this machine."""
        for head in ("no baseline: ", f"no baseline ({user}): "):
            if self.note.startswith(head):
                return self.note[len(head):]
        return ""
