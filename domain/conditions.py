"""The typed conditions of playbooks: a tree of all, any, not and comparisons over declared fields."""

import difflib
import operator
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

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
"""What a condition may speak of: name, type and meaning."""

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
            message = f"a comparison names one of {', '.join(OPERATORS)}"
            raise ValueError(message)
        rest = {key: value for key, value in data.items() if key != used[0]}
        return rest | {"op": used[0], "value": data[used[0]]}

    @model_validator(mode="after")
    def _knows_the_field(self) -> Self:
        if self.field not in FIELDS:
            near = difflib.get_close_matches(self.field, FIELDS, 1)
            hint = f"; did you mean {near[0]}?" if near else f"; fields are {', '.join(FIELDS)}"
            message = f"there is no field {self.field!r}{hint}"
            raise ValueError(message)
        if self.op in ORDERED and not isinstance(self.value, int | float):
            message = f"{self.op} compares numbers, not {self.value!r}"
            raise ValueError(message)
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


Condition = Annotated[All | AnyOf | Not | Compare, Field(union_mode="left_to_right")]
for model in (All, AnyOf, Not):
    model.model_rebuild()
