"""What the clauses of conditions read: use by name and window, and signals by name."""

import datetime as dt
from typing import Any

from sqlalchemy import ColumnElement, Float, Text, and_, case, cast, exists, func, or_, type_coerce

from domain.time import BusinessInstant
from domain.vocabulary import SignalKind
from models.tables.facts import UsageDailyRow
from models.tables.scoring import SignalRow
from models.tables.tracking import MetricRow


def sum_of_times() -> ColumnElement[float]:
    """Return how often something was performed, as a sum over UsageDailyRow.

    An event counts once, and an imported row for as many uses as it tells. Where the quantity is an amount
    (a metric with a property, or a gauge), each reading counts once.
    """
    row = UsageDailyRow
    is_amount = exists().where(
        MetricRow.feature == row.feature, or_(MetricRow.property.is_not(None), MetricRow.kind == "gauge")
    )
    times = case((is_amount.correlate(row), cast(row.events, Float)), else_=row.quantity)
    return func.coalesce(func.sum(times), 0.0)


def used_in(name: Any, window: dt.timedelta, now: BusinessInstant) -> ColumnElement[bool]:
    """Select the days of a window, whole and in UTC, today the last of them."""
    row, today = UsageDailyRow, now.date()
    return and_(row.feature == name, row.day > today - window, row.day <= today)


def signal_name() -> ColumnElement[str]:
    """Return a signal's name as conditions say it: its kind, or the dedupe key of the tenant's own."""
    return case(
        (SignalRow.kind == SignalKind.OWN, SignalRow.dedupe_key), else_=type_coerce(SignalRow.kind, Text)
    )
