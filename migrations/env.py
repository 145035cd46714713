"""Alembic's entry: the schema is models.tables.registry.METADATA, the address comes from the caller."""

import os

from alembic import context
from sqlalchemy import Connection, create_engine, text

from models.database import async_url
from models.tables.registry import METADATA
from models.tables.usage_partitions import is_partition

LOCK_TIMEOUT = "5s"


def include_name(name: str | None, kind: str, _parents: object) -> bool:
    """Leave the daily partitions of usage_events to the code that makes and drops them."""
    return not (kind == "table" and name is not None and is_partition(name))


def migrate(connection: Connection) -> None:
    """Run every pending revision in one transaction, giving up early where a lock is not to be had."""
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        include_name=include_name,
        compare_type=True,
        compare_server_default=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


url = context.config.get_main_option("sqlalchemy.url") or os.environ["EVERSTAY_DATABASE_URL"]
engine = create_engine(async_url(url))
with engine.connect() as connection:
    migrate(connection)
engine.dispose()
