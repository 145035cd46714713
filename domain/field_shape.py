"""What a field of the condition language is: its type, unit, words, and where and as of when it is known."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from domain.features import CustomerFeatures

FieldValue = bool | int | float | str | None
"""What a field can be; None is empty: nobody knows, or there is none."""
Read = Callable[[CustomerFeatures], FieldValue]


class Place(StrEnum):
    """Where a condition stands, which says what it may speak of."""

    CUSTOMER = "customer"
    """Lists, audiences, triggers, exits, goals: anything that is asked of a customer."""
    RUN = "run"
    """Inside a playbook's run, which also knows of itself."""
    SIGNAL = "signal"
    """A signal of the tenant's own: it is played back over the past, so only what facts tell is known."""


class AsOf(StrEnum):
    """As of when a field is known."""

    NOW = "now"
    SCORING = "last scoring"


@dataclass(frozen=True)
class Field:
    """One field of the registry."""

    type: type
    meaning: str
    unit: str | None = None
    words: tuple[str, ...] = ()
    needs: str | None = None
    """The kind of fact it rests on: the field is empty while nobody tells that kind."""
    scope: Place = Place.CUSTOMER
    as_of: AsOf = AsOf.NOW
    has_history: bool = False
    """It is recorded since when the field is what it is, so that `for` can be asked."""
    read: Read | None = None
    """How it follows from a customer's facts, where it does."""
    in_signals: bool = False
    """Signals of the tenant's own may speak of it."""

    def is_known_in(self, place: Place) -> bool:
        """Tell whether a condition at this place may speak of it."""
        if place is Place.SIGNAL:
            return self.in_signals
        return place is Place.RUN or self.scope is Place.CUSTOMER


def words_of(words: type[StrEnum]) -> tuple[str, ...]:
    """Return the words of a vocabulary."""
    return tuple(word.value for word in words)
