"""Daily partitions of what arrives in masses, by day of receipt: made ahead, dropped by retention."""

import datetime as dt
import re

PARTITIONED = ("usage_events", "tracked_events")
PATTERN = re.compile(rf"({'|'.join(PARTITIONED)})_(\d{{8}}|rest)")


def partition_name(day: dt.date, table: str = "usage_events") -> str:
    """Return the name of the partition of one day."""
    return f"{table}_{day:%Y%m%d}"


def is_partition(table: str) -> bool:
    """Tell partitions from tables that Alembic looks after."""
    return PATTERN.fullmatch(table) is not None


def create_partition_sql(day: dt.date, table: str = "usage_events") -> str:
    """Return the statement that makes the partition of one day."""
    return (
        f"CREATE TABLE IF NOT EXISTS {partition_name(day, table)} PARTITION OF {table} "
        f"FOR VALUES FROM ('{day:%Y-%m-%d} 00:00+00') TO ('{day + dt.timedelta(days=1):%Y-%m-%d} 00:00+00')"
    )
