"""What the supervisor runs: one line of data for each child."""

import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Self

Probe = Callable[[int], Awaitable[bool]]
"""Asks a running child, given its pid, whether it does its work; may raise, which counts as no."""


SERVICE_STOP_SECONDS = 3.0  # Postgres takes 0.1, Temporal 1.1


class Kind(StrEnum):
    """A service runs until the stack stops; a task runs once and has to succeed."""

    SERVICE = "service"
    TASK = "task"


@dataclass(frozen=True)
class RunAs:
    """The user that a child runs as, where it may not be root."""

    uid: int
    gid: int


@dataclass(frozen=True)
class ChildSpec:
    """One child of the supervisor. `depends_on` orders both the start and, reversed, the stop."""

    name: str
    command: tuple[str, ...]
    ready: Probe | None = None  # none: a service is ready when it has lived for a moment
    port: int | None = None  # where it has to listen itself: another program that answers there is not it
    where: str = ""  # the address that people are told
    folder: Path | None = None  # working folder, as for the supervisor if none
    environment: Mapping[str, str] = field(default_factory=dict)
    depends_on: tuple[str, ...] = ()
    kind: Kind = Kind.SERVICE
    run_as: RunAs | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL  # what the kernel sends it when the supervisor dies
    stop_seconds: float = 5.5  # then it is killed. Workers give activities 5 s; with the services under 10 s
    ready_seconds: float = 120.0  # a start that takes longer has failed; a busy machine takes one minute

    def after(self, names: tuple[str, ...]) -> Self:
        """Return the same child that starts after these ones too."""
        return replace(self, depends_on=tuple(dict.fromkeys((*names, *self.depends_on))))


def levels(specs: tuple[ChildSpec, ...]) -> list[tuple[ChildSpec, ...]]:
    """Sort children into levels, each of which needs only the levels before it; refuse a cycle."""
    done: set[str] = set()
    waiting = list(specs)
    found: list[tuple[ChildSpec, ...]] = []
    while waiting:
        level = tuple(spec for spec in waiting if done.issuperset(spec.depends_on))
        if not level:
            names = ", ".join(spec.name for spec in waiting)
            raise ValueError(f"these children wait for each other or for one that is not there: {names}")
        found.append(level)
        done.update(spec.name for spec in level)
        waiting = [spec for spec in waiting if spec.name not in done]
    return found
