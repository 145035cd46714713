"""The typed conditions: a tree of all, any, not, comparisons over declared fields, and clauses.

They are asked in memory (`holds`, of a `domain.known.Known`) and in SQL (models/condition_sql.py), and a
property test holds the two equal. Every leaf is true or false, never unknown: a field without a value is
only ever `is: null` or different, and so `not` always turns the answer round.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationInfo, model_validator

from domain.condition_clauses import Performed, SignalOpen, check_clause, place_of
from domain.condition_words import OPERATORS, ConditionFault, check_value, fits, short_form
from domain.durations import Duration
from domain.field_shape import FieldValue
from domain.fields import ALIASES, FIELDS, fields_with_history, objection_to
from domain.known import Facts, known_of

Value: TypeAlias = FieldValue


class Compare(BaseModel):
    """`{field: tier, is: high}`. An empty field is only ever `is: null` or different."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    field: str
    op: Literal["is", "is_not", "at_least", "at_most", "more_than", "less_than", "one_of"]
    value: FieldValue | tuple[FieldValue, ...]

    @model_validator(mode="before")
    @classmethod
    def _read_short_form(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        read = dict(data) if "op" in data else short_form(data, OPERATORS, "value")
        if isinstance(read.get("field"), str):
            read["field"] = ALIASES.get(read["field"], read["field"])
        return read

    @model_validator(mode="after")
    def _compares_what_is_known_with_its_like(self, info: ValidationInfo) -> Self:
        objection = objection_to(self.field, place_of(info))
        if objection:
            raise ConditionFault(objection, "field")
        check_value(self.field, FIELDS[self.field], self.op, self.value)
        return self

    def fits(self, found: FieldValue) -> bool:
        """Tell whether a value is as asked."""
        return fits(found, self.op, self.value)

    def holds(self, facts: Facts) -> bool:
        """Tell whether the comparison is true; an unknown value makes an ordering false."""
        return self.fits(known_of(facts).values.get(self.field))


class HasBeen(Compare):
    """`{field: health_status, is: at_risk, for: 30d}`: true now, and without a break for at least so long."""

    lasting: Duration = Field(alias="for")

    @model_validator(mode="after")
    def _is_recorded(self, info: ValidationInfo) -> Self:
        if not FIELDS[self.field].has_history:
            reason = f"it is not recorded since when {self.field} is what it is; it is for "
            raise ConditionFault(reason + ", ".join(fields_with_history()), "for")
        check_clause(info, "for")
        if not self.lasting:
            raise ConditionFault("leave `for` out to ask about now", "for")
        return self

    def holds(self, facts: Facts) -> bool:
        """Tell whether it is so, and since long enough; any point that was different restarts the count."""
        known = known_of(facts)
        since = None
        for point in known.points(self.field):
            if not self.fits(point.value):
                since = None
            elif since is None:
                since = point.since
        return super().holds(known) and since is not None and since <= known.instant() - self.lasting


class All(BaseModel):
    """Every one of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    all: tuple["Condition", ...] = Field(min_length=1)

    def holds(self, facts: Facts) -> bool:
        """Tell whether each part is true."""
        return all(part.holds(facts) for part in self.all)


class AnyOf(BaseModel):
    """At least one of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    any: tuple["Condition", ...] = Field(min_length=1)

    def holds(self, facts: Facts) -> bool:
        """Tell whether one part is true."""
        return any(part.holds(facts) for part in self.any)


class Not(BaseModel):
    """The contrary."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    negated: "Condition" = Field(alias="not")

    def holds(self, facts: Facts) -> bool:
        """Tell whether the part is false."""
        return not self.negated.holds(facts)


FORMS = {
    "all": "all",
    "any": "any",
    "not": "not",
    "performed": "performed",
    "signal": "signal",
    "All": "all",
    "AnyOf": "any",
    "Not": "not",
    "Performed": "performed",
    "SignalOpen": "signal",
    "HasBeen": "has_been",
    "for": "has_been",
}
"""Which form a key, or a class, tells; the first one counts."""


def _form(data: Any) -> str:
    """Tell which form a condition has, so that its errors speak of that form alone."""
    names = data if isinstance(data, Mapping) else {type(data).__name__}
    return f"<{next((FORMS[name] for name in FORMS if name in names), 'compare')}>"


Condition = Annotated[
    Annotated[All, Tag("<all>")]
    | Annotated[AnyOf, Tag("<any>")]
    | Annotated[Not, Tag("<not>")]
    | Annotated[Performed, Tag("<performed>")]
    | Annotated[SignalOpen, Tag("<signal>")]
    | Annotated[HasBeen, Tag("<has_been>")]
    | Annotated[Compare, Tag("<compare>")],
    Discriminator(_form),
]
for model in (All, AnyOf, Not):
    model.model_rebuild()

Leaf = Compare | Performed | SignalOpen


def leaves_of(condition: Condition) -> Iterator[Leaf]:
    """Yield every comparison and clause of a condition."""
    if isinstance(condition, Not):
        yield from leaves_of(condition.negated)
    elif isinstance(condition, All | AnyOf):
        for part in condition.all if isinstance(condition, All) else condition.any:
            yield from leaves_of(part)
    else:
        yield condition


def fields_in(condition: Condition) -> frozenset[str]:
    """Return the names of all fields that a condition speaks of."""
    return frozenset(leaf.field for leaf in leaves_of(condition) if isinstance(leaf, Compare))
