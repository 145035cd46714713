"""Each field of a customer in SQL, over CustomerRow, as of an instant.

Both ways of asking a condition read these: the memory back end selects them, the SQL back end compares them.
Numbers come as floating point. Time comes from the caller; nothing here asks the database for it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Date,
    DateTime,
    Float,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    type_coerce,
)

from domain.field_shape import Place
from domain.fields import FIELDS, fields_with_history
from domain.money import IN_THOUSANDTHS, WITHOUT_MINOR_UNITS
from domain.time import BusinessInstant
from domain.vocabulary import CustomerStatus, RiskTier
from models.tables.customers import CustomerRow
from models.tables.scoring import CustomerValuesRow

Column = ColumnElement[Any]
SECONDS = 86_400
MINOR_PER_UNIT = case(
    (CustomerRow.currency.in_(sorted(WITHOUT_MINOR_UNITS)), 1),
    (CustomerRow.currency.in_(sorted(IN_THOUSANDTHS)), 1000),
    else_=100,
)
"""Says in SQL what `minor_per_unit` says."""
SQL_TYPES: Mapping[type, Any] = {str: Text, int: Float, float: Float, bool: Boolean}


def _number(column: Any) -> Column:
    return cast(column, Float)


def _word(column: Any) -> Column:
    """Return an enumeration as the text that it is stored as."""
    return type_coerce(column, Text)


def rank_of(word: Column) -> Column:
    """Return the rank of a risk tier."""
    return case(*((word == tier.value, literal(float(tier.rank), Float)) for tier in RiskTier), else_=null())


def _days_until(day: Any, now: BusinessInstant) -> Column:
    return _number(day - literal(now.date(), Date))


def _days_since(instant: Any, now: BusinessInstant) -> Column:
    """Return whole days that have passed, at least none."""
    seconds = func.extract("epoch", literal(now, DateTime(timezone=True)) - instant)
    return case((instant.is_(None), null()), else_=_number(func.greatest(0, func.floor(seconds / SECONDS))))


def _days_since_date(day: Any, now: BusinessInstant) -> Column:
    return case((day.is_(None), null()), else_=_number(func.greatest(0, literal(now.date(), Date) - day)))


def _shown_health(now: BusinessInstant) -> Column:
    row = CustomerRow
    overruled = and_(
        row.health_override.is_not(None),
        or_(row.health_override_until.is_(None), row.health_override_until > now),
    )
    return case((overruled, _word(row.health_override)), else_=_word(row.health_status))


def _arr(_now: BusinessInstant) -> Column:
    return _number(CustomerRow.arr_minor) / cast(MINOR_PER_UNIT, Float)


def _kept(name: str) -> Column:
    """Return a measured field as of the last scoring."""
    row = CustomerValuesRow
    value = cast(row.fields[name].astext, SQL_TYPES[FIELDS[name].type])
    mine = select(value).where(row.customer_id == CustomerRow.id)
    return mine.correlate(CustomerRow).scalar_subquery()


def _counted_on(name: str) -> Callable[[BusinessInstant], Column]:
    """Return days as of the last scoring, and the days since then."""

    def column(now: BusinessInstant) -> Column:
        row = CustomerValuesRow
        scored_on = cast(func.timezone("UTC", row.scored_at), Date)
        passed = func.greatest(0, literal(now.date(), Date) - scored_on)
        value = _number(cast(row.fields[name].astext, Float) + passed)
        mine = select(value).where(row.customer_id == CustomerRow.id)
        return mine.correlate(CustomerRow).scalar_subquery()

    return column


def _days_since_use(now: BusinessInstant) -> Column:
    """Return days since the newest use, where the last scoring had use to speak of."""
    told = _kept("days_since_use").is_not(None)
    return case((told, _days_since_date(CustomerRow.last_usage_on, now)), else_=null())


def _days_since_touch(now: BusinessInstant) -> Column:
    told = _kept("days_since_touch").is_not(None)
    return case((told, _days_since(CustomerRow.last_touch_at, now)), else_=null())


def _days_since_churn(now: BusinessInstant) -> Column:
    left = CustomerRow.status == CustomerStatus.CHURNED
    return case((left, _days_since(CustomerRow.churned_at, now)), else_=null())


LIVE: Mapping[str, Callable[[BusinessInstant], Column]] = {
    "tier": lambda _now: _word(CustomerRow.acted_tier),
    "tier_rank": lambda _now: rank_of(_word(CustomerRow.acted_tier)),
    "health_score": lambda _now: _number(CustomerRow.health_score),
    "health_status": lambda _now: _word(CustomerRow.health_status),
    "health_status_shown": _shown_health,
    "churn_risk_score": lambda _now: _number(CustomerRow.churn_risk_score),
    "churn_risk_tier": lambda _now: _word(CustomerRow.churn_risk_tier),
    "churn_probability": lambda _now: _number(CustomerRow.churn_probability),
    "status": lambda _now: _word(CustomerRow.status),
    "touch_tier": lambda _now: _word(func.coalesce(CustomerRow.touch_tier_override, CustomerRow.touch_tier)),
    "segment": lambda _now: _word(CustomerRow.segment),
    "plan": lambda _now: _word(CustomerRow.plan),
    "arr": _arr,
    "currency": lambda _now: _word(CustomerRow.currency),
    "country": lambda _now: _word(CustomerRow.country),
    "industry": lambda _now: _word(CustomerRow.industry),
    "employees": lambda _now: _number(CustomerRow.employees),
    "tenure_days": lambda now: _days_since(func.coalesce(CustomerRow.started_at, CustomerRow.known_at), now),
    "days_to_renewal": lambda now: _days_until(CustomerRow.renewal_on, now),
    "days_to_notice": lambda now: _number(_days_until(CustomerRow.renewal_on, now) - CustomerRow.notice_days),
    "days_since_churn": _days_since_churn,
    "has_owner": lambda _now: CustomerRow.csm_id.is_not(None),
    "do_not_contact": lambda _now: type_coerce(CustomerRow.do_not_contact, Boolean),
    "days_since_use": _days_since_use,
    "days_since_touch": _days_since_touch,
    "days_since_inbound": _counted_on("days_since_inbound"),
    "days_since_executive": _counted_on("days_since_executive"),
    "days_since_ticket": _counted_on("days_since_ticket"),
    "days_since_survey": _counted_on("days_since_survey"),
}
"""What is told by the customer's own row, or moves with the clock. All other fields are kept values."""


def column_of(name: str, now: BusinessInstant) -> Column:
    """Return a field of the customer as of now, null where it is empty."""
    assert FIELDS[name].scope is Place.CUSTOMER, name  # noqa: S101 - callers sort out the fields of a run
    return LIVE[name](now) if name in LIVE else _kept(name)


RECORDED = tuple(name for name in fields_with_history() if name != "tier_rank")
"""Fields of which points are kept; a rank is read from its tier's."""


def recorded_as(name: str) -> str:
    """Return the field whose points tell the history of this one."""
    return "tier" if name == "tier_rank" else name


def recorded_value(name: str, value: Any) -> Column:
    """Return a point's text as the field has it."""
    text = type_coerce(value, Text)
    return rank_of(text) if name == "tier_rank" else text
