"""The clauses beside comparisons: how often something was performed, and whether a signal is open."""

import datetime as dt
import difflib
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, model_validator

from domain.condition_words import COUNTS, ConditionFault, fits, is_storable, short_form
from domain.durations import Duration
from domain.field_shape import Place
from domain.known import Facts, known_of
from domain.vocabulary import SignalKind

OWN = "own:"
"""What stands before the key of a signal that the tenant declared."""
LONGEST_NAME = 500
MOST_TIMES = 10**12
DAY = dt.timedelta(days=1)


def place_of(info: ValidationInfo) -> Place:
    """Return where the condition stands, given as validation context `{"place": …}`; a run by default."""
    return Place((info.context or {}).get("place", Place.RUN))


def check_clause(info: ValidationInfo, at: str) -> None:
    """Refuse a clause where only values are known."""
    if place_of(info) is Place.SIGNAL:
        raise ConditionFault(
            "a signal of your own compares fields; for, performed and signal are for lists", at
        )


class Performed(BaseModel):
    """`{performed: "Report Exported", at_least: 3, within: 30d}`: how often the customer's people did it.

    The window is so many whole days (UTC), today included.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    performed: str = Field(min_length=1, max_length=LONGEST_NAME)
    op: Literal["at_least", "at_most", "more_than", "less_than", "is"] = "at_least"
    times: int = Field(default=1, ge=0, le=MOST_TIMES, strict=True)
    within: Duration

    @model_validator(mode="before")
    @classmethod
    def _read_short_form(cls, data: Any) -> Any:
        if not isinstance(data, Mapping) or "op" in data or not set(COUNTS) & set(data):
            return data
        return short_form(data, COUNTS, "times")

    @model_validator(mode="after")
    def _can_be_counted(self, info: ValidationInfo) -> Self:
        check_clause(info, "performed")
        if not is_storable(self.performed):
            raise ConditionFault("it holds a character that cannot be stored", "performed")
        if self.within % DAY or not self.within:
            raise ConditionFault("use is kept per day: write whole days, such as 30d", "within")
        return self

    def fits(self, times: float) -> bool:
        """Tell whether a number of times is as asked."""
        return fits(times, self.op, self.times)

    def holds(self, facts: Facts) -> bool:
        """Tell whether it was done as often as asked."""
        return self.fits(known_of(facts).times(self.performed, self.within))


class SignalOpen(BaseModel):
    """`{signal: usage_drop, for: 3d}`: a signal of this kind is open, and has been for so long."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    signal: str
    lasting: Duration | None = Field(default=None, alias="for")

    @model_validator(mode="after")
    def _is_a_kind(self, info: ValidationInfo) -> Self:
        check_clause(info, "signal")
        own: frozenset[str] | None = (info.context or {}).get("own_signals")
        objection = objection_to_signal(self.signal, own)
        if objection:
            raise ConditionFault(objection, "signal")
        return self

    @property
    def own_key(self) -> str | None:
        """The key of the tenant's own signal, if it is one."""
        return self.signal.removeprefix(OWN) if self.signal.startswith(OWN) else None

    def holds(self, facts: Facts) -> bool:
        """Tell whether one is open, for long enough."""
        known = known_of(facts)
        mine = [seen for seen in known.open_signals() if seen.name == self.signal]
        if self.lasting is None:
            return bool(mine)
        latest = known.instant() - self.lasting
        return any(seen.opened_at <= latest for seen in mine)


def objection_to_signal(name: str, own: frozenset[str] | None) -> str | None:
    """Say what is wrong with the name of a signal; `own`: keys that are declared, None where unknown."""
    kinds = [kind.value for kind in SignalKind if kind is not SignalKind.OWN]
    declared = [OWN + key for key in sorted(own or ())]
    is_own = name.startswith(OWN) and len(name) > len(OWN) and is_storable(name)
    if name in kinds or (is_own and (own is None or name in declared)):
        return None
    near = difflib.get_close_matches(name, [*kinds, *declared], 1)
    if OWN + name in declared:
        near = [OWN + name]
    hint = f"; did you mean {near[0]}?" if near else f": it is one of {', '.join(kinds)}, or own:<key>"
    return f"there is no signal {name!r}{hint}"
