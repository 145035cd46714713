"""Where contact was measured to do harm, and what people say to that: a policy document like the others."""

import datetime as dt
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain.errors import EverstayError
from domain.time import BusinessInstant
from domain.vocabulary import Segment

KEY = "do_not_disturb"


class StoredListError(EverstayError):
    """The stored do-not-disturb list is of no use: {reason}. Lift it and let the next night write it anew."""


class Harm(BaseModel):
    """A playbook that does harm in a segment: surely there, or surely as a whole and as far as seen there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    playbook: str
    segment: Segment
    effect: float
    """Change of the share of customers that stay; below 0 is harm."""
    low: float
    high: float
    customers: int
    found_at: dt.datetime


class Word(BaseModel):
    """A person's word on a playbook in a segment, which outweighs what was measured."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    playbook: str = Field(max_length=64)
    segment: Segment
    contact: bool
    """True: write to them all the same. False: leave them in peace, whatever was measured."""
    reason: str = Field(min_length=3, max_length=500)
    by: str = ""
    at: dt.datetime | None = None


class DoNotDisturb(BaseModel):
    """The whole list."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    found: tuple[Harm, ...] = ()
    words: tuple[Word, ...] = ()

    @property
    def quiet(self) -> frozenset[tuple[str, Segment]]:
        """The playbooks that are not opened, by segment."""
        measured = {(one.playbook, one.segment) for one in self.found}
        lifted = {(one.playbook, one.segment) for one in self.words if one.contact}
        ordered = {(one.playbook, one.segment) for one in self.words if not one.contact}
        return frozenset((measured - lifted) | ordered)

    def with_word(self, word: Word, by: str, now: BusinessInstant) -> "DoNotDisturb":
        """Return the list with a person's word in the place of the one before."""
        others = tuple(
            one for one in self.words if (one.playbook, one.segment) != (word.playbook, word.segment)
        )
        signed = word.model_copy(update={"by": by, "at": now})
        return self.model_copy(update={"words": (*others, signed)})

    def without_word(self, playbook: str, segment: Segment) -> "DoNotDisturb":
        """Return the list as it is measured there again."""
        left = tuple(one for one in self.words if (one.playbook, one.segment) != (playbook, segment))
        return self.model_copy(update={"words": left})


def stored_do_not_disturb(document: dict[str, Any] | None) -> DoNotDisturb:
    """Return the stored list, an empty one where there is none yet."""
    try:
        return DoNotDisturb.model_validate(document or {})
    except ValidationError as error:
        raise StoredListError(reason=error.errors()[0]["msg"]) from error
