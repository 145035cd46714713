"""When a model is trained anew: each week of business time, and when enough has happened."""

import datetime as dt
from dataclasses import dataclass

from domain.time import BusinessInstant, WallInstant
from domain.trained_model import ModelTarget

EVERY = dt.timedelta(days=7)
NEWS = 25
"""Departures since the last training began from which the next does not wait for its week."""
LEAST_DEPARTURES = 30
"""With fewer nothing could be learned."""
LEAST_WALL = dt.timedelta(hours=1)
"""Hours of the machine between two trainings: a compressed clock has a week every few seconds."""


@dataclass(frozen=True)
class Training:
    """One training as it stands."""

    key: str
    target: ModelTarget
    started_at: BusinessInstant
    started_wall: WallInstant
    known_until: BusinessInstant
    ended_at: BusinessInstant | None
    departures: int
    """Departures that were known when it began."""
    outcome: str | None


def is_due(
    last: Training | None,
    newest: WallInstant | None,
    departures: int,
    now: BusinessInstant,
    wall: WallInstant,
) -> bool:
    """Tell whether a target is to be trained now. `newest`: when any training began, on the wall."""
    if departures < LEAST_DEPARTURES or (newest is not None and wall - newest < LEAST_WALL):
        return False
    if last is None:
        return True
    return now - last.started_at >= EVERY or departures - last.departures >= NEWS
