"""Daily partitions of usage_events, by day of receipt: made ahead, dropped by retention."""

import datetime as dt
import re

PATTERN = re.compile(r"usage_events_(\d{8}|rest)")


def partition_name(day: dt.date) -> str:
    """Return the name of the partition of one day."""
    return f"usage_events_{day:%Y%m%d}"


def is_partition(table: str) -> bool:
    """Tell partitions from tables that Alembic looks after."""
    return PATTERN.fullmatch(table) is not None


def create_partition_sql(day: dt.date) -> str:
    """Return the statement that makes the partition of one day."""
    return (
        f"CREATE TABLE IF NOT EXISTS {partition_name(day)} PARTITION OF usage_events "
        f"FOR VALUES FROM ('{day:%Y-%m-%d} 00:00+00') TO ('{day + dt.timedelta(days=1):%Y-%m-%d} 00:00+00')"
    )
