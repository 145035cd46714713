"""Connected providers: which source reads which account, with what address, options and secrets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, Select, and_, exists, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.billing import BILLING_PROVIDERS
from domain.errors import NotFoundError
from domain.time import WallInstant
from domain.timeline import lives_on_business_time
from models.ciphers import Cipher
from models.tables.connections import ConnectionRow, PullCursorRow
from models.tables.data import SourceRow

CHANNEL = "everstay_connections"
"""Told when a connection is made, paused, resumed or to be pulled now."""


@dataclass(frozen=True)
class Connection:
    """One account at a provider. Its secrets (token, webhook_secret …) are in no repr and no log."""

    source_id: str
    provider: str
    options: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    pull_every_seconds: float | None = None
    """None: the provider only pushes."""
    paused_at: WallInstant | None = None
    problem: str | None = None
    """Why the last pass ended before its time, as a sentence; None where it did not."""

    @property
    def base_url(self) -> str | None:
        """Another address than the provider's own, where one was given."""
        given = self.options.get("base_url")
        return None if given is None else str(given)


@dataclass(frozen=True)
class ListedConnection:
    """A connection as lists show it: without its secrets."""

    source_id: str
    name: str
    provider: str
    options: Mapping[str, Any]
    pull_every_seconds: float | None
    paused_at: WallInstant | None
    problem: str | None
    created_at: WallInstant
    last_received_at: WallInstant | None
    last_fact_at: Any


async def save_connection(
    session: AsyncSession, connection: Connection, cipher: Cipher, wall: WallInstant
) -> None:
    """Store a connection of an existing source, or replace what it was; a replaced one is not paused."""
    values = {
        "source_id": connection.source_id,
        "provider": connection.provider,
        "options": dict(connection.options),
        "secrets": cipher.encrypt(connection.secrets),
        "pull_every_seconds": connection.pull_every_seconds,
        "paused_at": connection.paused_at,
        "problem": None,
        "created_at": wall,
    }
    statement = insert(ConnectionRow).values(values)
    kept = {name: statement.excluded[name] for name in values if name not in {"source_id", "created_at"}}
    await session.execute(statement.on_conflict_do_update(index_elements=["source_id"], set_=kept))
    await tell(session)


async def load_connection(session: AsyncSession, source_id: str, cipher: Cipher) -> Connection:
    """Return a connection with its secrets; raises NotFoundError, UnreadableSecretsError."""
    row = (await session.execute(_query().where(ConnectionRow.source_id == source_id))).one_or_none()
    if row is None:
        raise NotFoundError(what="connection", key=source_id)
    return _connection(row, cipher)


async def connections_of(session: AsyncSession, provider: str, cipher: Cipher) -> list[Connection]:
    """Return all connections of one provider with their secrets, oldest first."""
    query = _query().where(ConnectionRow.provider == provider)
    rows = await session.execute(query.order_by(ConnectionRow.created_at, ConnectionRow.source_id))
    return [_connection(row, cipher) for row in rows]


async def list_connections(session: AsyncSession) -> list[ListedConnection]:
    """Return every connection for people to see, by name."""
    found = await session.execute(_listed().order_by(SourceRow.name, SourceRow.id))
    return [ListedConnection(*row) for row in found]


async def get_listed(session: AsyncSession, source_id: str) -> ListedConnection:
    """Return one connection without its secrets; raises NotFoundError."""
    row = (await session.execute(_listed().where(ConnectionRow.source_id == source_id))).one_or_none()
    if row is None:
        raise NotFoundError(what="connection", key=source_id)
    return ListedConnection(*row)


async def has_business_clock(session: AsyncSession, provider: str) -> bool:
    """Tell whether a connection says of its provider that it lives on business time."""
    query = select(ConnectionRow.options).where(ConnectionRow.provider == provider)
    return any(lives_on_business_time(options) for options in await session.scalars(query))


def _listed() -> Select[Any]:
    row = ConnectionRow
    return select(
        row.source_id,
        SourceRow.name,
        row.provider,
        row.options,
        row.pull_every_seconds,
        row.paused_at,
        row.problem,
        row.created_at,
        SourceRow.last_received_at,
        SourceRow.last_fact_at,
    ).join(SourceRow, SourceRow.id == row.source_id)


@dataclass(frozen=True)
class PulledSource:
    """A connection that is read, and whatever its workflow should hear of."""

    source_id: str
    pull_every_seconds: float | None
    paused_at: WallInstant | None
    created_at: WallInstant
    asked_at: WallInstant | None
    """When single objects were asked for last, while any still waits."""


async def pulled_sources(session: AsyncSession, providers: Sequence[str]) -> list[PulledSource]:
    """Return the sources that have to be read again and again, paused ones too."""
    row, cursor = ConnectionRow, PullCursorRow
    wishes = and_(cursor.source_id == row.source_id, cursor.stream == "asked", cursor.cursor != {})
    query = (
        select(row.source_id, row.pull_every_seconds, row.paused_at, row.created_at, cursor.moved_at)
        .outerjoin(cursor, wishes)
        .where(row.pull_every_seconds.is_not(None), row.provider.in_(providers))
    )
    rows = await session.execute(query.order_by(row.source_id))
    return [PulledSource(*found) for found in rows]


async def pause_connection(session: AsyncSession, source_id: str, paused_at: WallInstant | None) -> None:
    """Stop reading (and, with None, go on) without forgetting anything; raises NotFoundError."""
    await _change(session, source_id, paused_at=paused_at)
    await tell(session)


async def note_problem(session: AsyncSession, source_id: str, problem: str | None) -> None:
    """Keep the sentence that says why a pass ended before its time, or that the newest did not."""
    await _change(session, source_id, problem=problem)


async def change_options(session: AsyncSession, source_id: str, options: Mapping[str, Any]) -> None:
    """Replace a connection's options; raises NotFoundError."""
    await _change(session, source_id, options=dict(options))


async def is_billing(session: AsyncSession, source_id: str) -> bool:
    """Tell whether invoices of a source can be collected through its connection."""
    row = ConnectionRow
    found = exists().where(row.source_id == source_id, row.provider.in_(BILLING_PROVIDERS))
    return bool(await session.scalar(select(found)))


async def tell(session: AsyncSession) -> None:
    """Wake whoever looks after connections, when this commits."""
    await session.execute(text(f"NOTIFY {CHANNEL}"))


async def _change(session: AsyncSession, source_id: str, **values: Any) -> None:
    statement = update(ConnectionRow).where(ConnectionRow.source_id == source_id)
    changed = await session.scalar(statement.values(**values).returning(ConnectionRow.source_id))
    if changed is None:
        raise NotFoundError(what="connection", key=source_id)


def _query() -> Select[Any]:
    row = ConnectionRow
    return select(
        row.source_id,
        row.provider,
        row.options,
        row.secrets,
        row.pull_every_seconds,
        row.paused_at,
        row.problem,
    )


def _connection(row: Row[Any], cipher: Cipher) -> Connection:
    return Connection(
        row.source_id,
        row.provider,
        row.options,
        cipher.decrypt(row.secrets),
        row.pull_every_seconds,
        row.paused_at,
        row.problem,
    )
