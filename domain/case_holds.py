"""A case that a person has told to wait: kept in its memory, where no motion may drop or overrule it."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from domain.time import BusinessInstant

HELD_BY_PERSON = "held_by_person"
"""The key in a case's memory. Motions keep nothing of their own under it."""


class PersonsHold(BaseModel):
    """Why a person holds a case, who, and since when. It ends by a person's hand, or with the case."""

    model_config = ConfigDict(frozen=True)

    reason: str
    by: str
    since: BusinessInstant

    @property
    def sentence(self) -> str:
        """The hold in words, as boards show it: `Held by Ada Osei: they dispute the amount`."""
        return f"Held by {self.by}: {self.reason.rstrip('.')}"


def hold_in(memory: Mapping[str, Any]) -> PersonsHold | None:
    """Return the hold that a memory keeps, None where no person holds the case."""
    kept = memory.get(HELD_BY_PERSON)
    try:
        return None if kept is None else PersonsHold.model_validate(kept)
    except ValidationError as error:
        message = f"the memory of a case keeps no hold under {HELD_BY_PERSON!r} but {kept!r}"
        raise ValueError(message) from error


def with_hold(memory: Mapping[str, Any], hold: PersonsHold | None) -> dict[str, Any]:
    """Return a memory with this hold in the place of whatever it keeps; None takes a hold out."""
    others = {name: value for name, value in memory.items() if name != HELD_BY_PERSON}
    return others if hold is None else {**others, HELD_BY_PERSON: hold.model_dump(mode="json")}
