"""The typed conditions of playbooks: a tree of all, any, not and comparisons over declared fields."""

import difflib
import math
import operator
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationInfo, model_validator

from domain.vocabulary import HealthStatus, RiskTier, Segment, TaskOutcome, TouchTier

Value = bool | int | float | str | None

FIELDS: dict[str, tuple[type, str]] = {
    "tier": (str, "churn risk tier that was last acted on: low, medium, high, critical"),
    "tier_rank": (int, "the same as a number from 0 (low) to 3 (critical)"),
    "health_score": (int, "0 to 100, high is good"),
    "health_status": (str, "thriving, engaged, neutral, needs_attention or at_risk"),
    "touch_tier": (str, "strategic, managed or tech_touch"),
    "segment": (str, "small, mid_market or enterprise"),
    "plan": (str, "name of the plan"),
    "arr": (float, "annual recurring revenue in whole units of the customer's currency"),
    "days_to_renewal": (int, "days until the renewal date, empty without one"),
    "has_owner": (bool, "a CSM is assigned"),
    "causes_open": (bool, "what opened this run still holds"),
    "replied": (bool, "somebody at the customer has answered since the run started"),
    "last_task_outcome": (str, "how the last task of this run ended"),
}
"""What a condition of a playbook may speak of: name, type and meaning.

Others are given as validation context, `{"fields": {...}}` of this same shape (see domain.signal_fields).
"""

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "is": operator.eq,
    "is_not": operator.ne,
    "at_least": operator.ge,
    "at_most": operator.le,
    "more_than": operator.gt,
    "less_than": operator.lt,
    "one_of": lambda value, choices: value in choices,
}
ORDERED = {"at_least", "at_most", "more_than", "less_than"}
NUMBERS = {int, float}
NAMES = {str: "a text", int: "a number", float: "a number", bool: "true or false"}


def _is_a(value: Value, kind: type, *, or_empty: bool) -> bool:
    """Tell whether a field of this type can have this value; `true` is no number here."""
    if value is None:
        return or_empty
    if kind in NUMBERS:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return isinstance(value, kind)


WORDS: dict[str, type[StrEnum]] = {
    "tier": RiskTier,
    "churn_risk_tier": RiskTier,
    "health_status": HealthStatus,
    "touch_tier": TouchTier,
    "segment": Segment,
    "last_task_outcome": TaskOutcome,
}


def _check_word(field: str, value: Value) -> None:
    """Refuse a word that the field never has: the comparison could not come true."""
    words = [word.value for word in WORDS.get(field, ())]
    if words and value is not None and value not in words:
        near = difflib.get_close_matches(str(value), words, 1)
        hint = f"; did you mean {near[0]}?" if near else f": it is one of {', '.join(words)}"
        message = f"{field} is never {value!r}{hint}"
        raise ValueError(message)


def _fields(info: ValidationInfo) -> Mapping[str, tuple[type, str]]:
    """Return the fields that may be spoken of where this condition stands."""
    found: Mapping[str, tuple[type, str]] = (info.context or {}).get("fields", FIELDS)
    return found


class Compare(BaseModel):
    """`{field: tier, is: high}`. An empty field is only ever `is: null` or different."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    field: str
    op: Literal["is", "is_not", "at_least", "at_most", "more_than", "less_than", "one_of"]
    value: Value | tuple[Value, ...]

    @model_validator(mode="before")
    @classmethod
    def _read_short_form(cls, data: Any) -> Any:
        if not isinstance(data, Mapping) or "op" in data:
            return data
        used = [name for name in OPERATORS if name in data]
        if len(used) != 1:
            message = f"a comparison names exactly one of {', '.join(OPERATORS)}"
            raise ValueError(message)
        rest = {key: value for key, value in data.items() if key != used[0]}
        return rest | {"op": used[0], "value": data[used[0]]}

    @model_validator(mode="after")
    def _knows_the_field(self, info: ValidationInfo) -> Self:
        fields = _fields(info)
        if self.field not in fields:
            near = difflib.get_close_matches(self.field, fields, 1)
            hint = f"; did you mean {near[0]}?" if near else f"; fields are {', '.join(fields)}"
            message = f"there is no field {self.field!r}{hint}"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _compares_like_with_like(self, info: ValidationInfo) -> Self:
        """Refuse what could only fail at run time, or never be true."""
        kind = _fields(info)[self.field][0]
        if isinstance(self.value, tuple) is not (self.op == "one_of"):
            raise ValueError(
                "one_of takes a list such as [high, critical], and every other comparison one value"
            )
        if self.op in ORDERED and kind not in NUMBERS:
            message = f"{self.op} compares numbers, and {self.field} is none"
            raise ValueError(message)
        for value in self.value if isinstance(self.value, tuple) else (self.value,):
            if not _is_a(value, kind, or_empty=self.op not in ORDERED):
                message = f"{self.field} is {NAMES[kind]}, not {value!r}"
                raise ValueError(message)
            _check_word(self.field, value)
        return self

    def holds(self, facts: Mapping[str, Value]) -> bool:
        """Tell whether the comparison is true; an unknown value makes an ordering false."""
        found = facts.get(self.field)
        if found is None and self.op in ORDERED:
            return False
        return OPERATORS[self.op](found, self.value)


class All(BaseModel):
    """Every one of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    all: tuple["Condition", ...] = Field(min_length=1)

    def holds(self, facts: Mapping[str, Value]) -> bool:
        """Tell whether each part is true."""
        return all(part.holds(facts) for part in self.all)


class AnyOf(BaseModel):
    """At least one of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    any: tuple["Condition", ...] = Field(min_length=1)

    def holds(self, facts: Mapping[str, Value]) -> bool:
        """Tell whether one part is true."""
        return any(part.holds(facts) for part in self.any)


class Not(BaseModel):
    """The contrary."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    negated: "Condition" = Field(alias="not")

    def holds(self, facts: Mapping[str, Value]) -> bool:
        """Tell whether the part is false."""
        return not self.negated.holds(facts)


def _form(data: Any) -> str:
    """Tell which form a condition has, so that its errors speak of that form alone."""
    names = data if isinstance(data, Mapping) else {type(data).__name__}
    forms = {"all": "all", "any": "any", "not": "not", "All": "all", "AnyOf": "any", "Not": "not"}
    return next((forms[name] for name in forms if name in names), "compare")


Condition = Annotated[
    Annotated[All, Tag("all")]
    | Annotated[AnyOf, Tag("any")]
    | Annotated[Not, Tag("not")]
    | Annotated[Compare, Tag("compare")],
    Discriminator(_form),
]
for model in (All, AnyOf, Not):
    model.model_rebuild()


def fields_in(condition: Condition) -> frozenset[str]:
    """Return the names of all fields that a condition speaks of."""
    if isinstance(condition, Compare):
        return frozenset({condition.field})
    if isinstance(condition, Not):
        return fields_in(condition.negated)
    parts = condition.all if isinstance(condition, All) else condition.any
    return frozenset().union(*map(fields_in, parts))
