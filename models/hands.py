"""Whose hand it is that steers: for records that name a person, or the program behind a key."""

import uuid
from dataclasses import dataclass

from domain.time import BusinessInstant, WallInstant


@dataclass(frozen=True)
class Hand:
    """Somebody who acts now. A program has a name and no user."""

    name: str
    user_id: uuid.UUID | None
    now: BusinessInstant
    wall: WallInstant
