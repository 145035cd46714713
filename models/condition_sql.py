"""Compiles a condition into SQL over CustomerRow: for lists and audiences of many thousands of customers."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Float,
    Text,
    and_,
    any_,
    exists,
    false,
    literal,
    not_,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import aliased

from domain.condition_clauses import Performed, SignalOpen
from domain.condition_words import ORDERED, Values
from domain.conditions import All, AnyOf, Compare, Condition, HasBeen, Leaf, Not
from domain.field_shape import FieldValue
from domain.time import BusinessInstant
from domain.vocabulary import SignalState
from models.clause_columns import signal_name, sum_of_times, used_in
from models.field_columns import Column, column_of, recorded_as, recorded_value
from models.tables.customers import CustomerRow
from models.tables.facts import UsageDailyRow
from models.tables.scoring import FieldPointRow, SignalRow

Truth = ColumnElement[bool]
"""Always true or false, never null: what is empty is decided at each comparison."""


def condition_sql(condition: Condition, now: BusinessInstant) -> Truth:
    """Return whether a condition holds of the customer of this row, as `holds` says it of what is known."""
    if isinstance(condition, All):
        return and_(*(condition_sql(part, now) for part in condition.all))
    if isinstance(condition, AnyOf):
        return or_(*(condition_sql(part, now) for part in condition.any))
    if isinstance(condition, Not):
        return not_(condition_sql(condition.negated, now))
    return _leaf(condition, now)


def _leaf(leaf: Leaf, now: BusinessInstant) -> Truth:
    if isinstance(leaf, Performed):
        return _performed(leaf, now)
    if isinstance(leaf, SignalOpen):
        return _signal(leaf, now)
    is_so = _fits(leaf, column_of(leaf.field, now))
    return and_(is_so, _has_lasted(leaf, now)) if isinstance(leaf, HasBeen) else is_so


_ORDER: dict[str, Callable[[Any, Any], Truth]] = {
    "at_least": lambda column, value: column >= value,
    "at_most": lambda column, value: column <= value,
    "more_than": lambda column, value: column > value,
    "less_than": lambda column, value: column < value,
}


def _fits(compare: Compare, column: Column) -> Truth:
    """Compare without ever being null: `x = 1 AND x IS NOT NULL` is false, and still finds an index."""
    if compare.op in ORDERED:
        asked = _bound(_single(compare.value))
        return and_(_ORDER[compare.op](column, asked), column.is_not(None))
    if compare.op == "one_of":
        return _among(column, compare.value if isinstance(compare.value, tuple) else (compare.value,))
    same = _among(column, (_single(compare.value),))
    return not_(same) if compare.op == "is_not" else same


def _single(value: Values) -> FieldValue:
    return value[0] if isinstance(value, tuple) else value


def _among(column: Column, values: tuple[FieldValue, ...]) -> Truth:
    told = [value for value in values if value is not None]
    parts: list[Truth] = []
    if len(told) == 1:
        parts = [and_(column == _bound(told[0]), column.is_not(None))]
    elif told:
        parts = [and_(column == any_(_bound_all(told)), column.is_not(None))]
    if None in values:
        parts.append(column.is_(None))
    return or_(*parts) if parts else false()


def _bound(value: FieldValue) -> Column:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return literal(float(value), Float)
    return literal(value)


def _bound_all(values: Sequence[FieldValue]) -> Column:
    if isinstance(values[0], str | bool):
        return literal(list(values), ARRAY(Text if isinstance(values[0], str) else Boolean))
    return literal([float(value) for value in values if value is not None], ARRAY(Float))


def _has_lasted(condition: HasBeen, now: BusinessInstant) -> Truth:
    """Tell whether a point long enough ago was as asked, and no later one was different."""
    point, later = aliased(FieldPointRow), aliased(FieldPointRow)
    field = recorded_as(condition.field)
    broken = exists().where(
        later.customer_id == point.customer_id,
        later.field == field,
        later.since > point.since,
        not_(_fits(condition, recorded_value(condition.field, later.value))),
    )
    began = exists().where(
        point.customer_id == CustomerRow.id,
        point.field == field,
        point.since <= now - condition.lasting,
        _fits(condition, recorded_value(condition.field, point.value)),
        ~broken.correlate(point),
    )
    return began.correlate(CustomerRow)


def _performed(condition: Performed, now: BusinessInstant) -> Truth:
    row, name = UsageDailyRow, condition.performed
    mine = select(sum_of_times()).where(
        row.customer_id == CustomerRow.id, used_in(name, condition.within, now)
    )
    times = mine.correlate(CustomerRow).scalar_subquery()
    asked = literal(float(condition.times), Float)
    return times == asked if condition.op == "is" else _ORDER[condition.op](times, asked)


def _signal(condition: SignalOpen, now: BusinessInstant) -> Truth:
    row = SignalRow
    found = exists().where(
        row.customer_id == CustomerRow.id,
        row.state == SignalState.OPEN,
        signal_name() == condition.signal,
    )
    if condition.lasting is not None:
        found = found.where(row.opened_at <= now - condition.lasting)
    return found.correlate(CustomerRow)
