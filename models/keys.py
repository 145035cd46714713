"""Keys of machines: write keys for tracking, scoped keys for the API. Only their hashes are kept."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import ConflictError, InvalidInputError, NotFoundError
from domain.permissions import Permission
from domain.time import WallInstant
from models.secrets import new_secret, secret_hash
from models.tables.data import SourceRow
from models.tables.people import ApiKeyRow
from models.tracking_sources import open_tracking_source

SHOWN = 16  # characters of a key that lists show, of which the first ones are its kind
TOUCH = dt.timedelta(minutes=1)


class KeyKind(StrEnum):
    """What a key opens: sending events, or the API within its scopes."""

    WRITE = "write"
    API = "api"


@dataclass(frozen=True)
class ApiKey:
    """A key as lists show it."""

    id: uuid.UUID
    kind: KeyKind
    name: str
    prefix: str
    scopes: tuple[str, ...]
    source_id: str | None
    created_at: WallInstant
    last_used_at: WallInstant | None
    revoked_at: WallInstant | None


_COLUMNS = (
    ApiKeyRow.id,
    ApiKeyRow.kind,
    ApiKeyRow.name,
    ApiKeyRow.prefix,
    ApiKeyRow.scopes,
    ApiKeyRow.source_id,
    ApiKeyRow.created_at,
    ApiKeyRow.last_used_at,
    ApiKeyRow.revoked_at,
)


def _key(row: Sequence[object]) -> ApiKey:
    key_id, kind, name, prefix, scopes, *rest = row
    return ApiKey(key_id, KeyKind(kind), name, prefix, tuple(scopes), *rest)  # type: ignore[arg-type]  # the columns above, in the order of the fields


def checked_scopes(kind: KeyKind, scopes: Sequence[str]) -> tuple[str, ...]:
    """Refuse scopes that do not exist, an API key without any, and a write key with some."""
    known = {str(each) for each in Permission}
    unknown = [scope for scope in scopes if scope not in known]
    if unknown:
        reason = f"{', '.join(unknown)}: no such scope; there are {', '.join(sorted(known))}"
        raise InvalidInputError(field="scopes", reason=reason)
    if kind is KeyKind.WRITE and scopes:
        raise InvalidInputError(field="scopes", reason="a write key only sends events and takes no scopes")
    if kind is KeyKind.API and not scopes:
        reason = f"an API key needs at least one of {', '.join(sorted(known))}"
        raise InvalidInputError(field="scopes", reason=reason)
    return tuple(dict.fromkeys(scopes))


async def create_key(
    session: AsyncSession,
    kind: KeyKind,
    wall: WallInstant,
    *,
    scopes: Sequence[str] = (),
    name: str = "",
    source_id: str | None = None,
    is_marketing: bool = False,
) -> tuple[str, ApiKey]:
    """Make a key and return it with its record; this is the only time that it is seen.

    A write key without a source gets one of its own: what it sends must belong to somebody. `is_marketing`
    makes that of a marketing tool.
    """
    if source_id is not None and await session.get(SourceRow, source_id) is None:
        raise NotFoundError(what="source", key=source_id)
    if is_marketing and (kind is not KeyKind.WRITE or source_id is not None):
        raise InvalidInputError(field="marketing", reason="is for a write key that gets a source of its own")
    if kind is KeyKind.WRITE and source_id is None:
        source_id = await open_tracking_source(session, name, wall, is_marketing=is_marketing)
    secret = new_secret(f"evs_{kind}_")
    granted = checked_scopes(kind, scopes)
    key = ApiKey(
        uuid.uuid4(), kind, name or f"{kind} key", secret[:SHOWN], granted, source_id, wall, None, None
    )
    values = {**vars(key), "scopes": list(granted), "key_hash": secret_hash(secret)}
    await session.execute(insert(ApiKeyRow).values(**values))
    return secret, key


async def find_key(session: AsyncSession, secret: str, wall: WallInstant) -> ApiKey | None:
    """Return the living key with this secret and note its use, at most once a minute."""
    query = select(*_COLUMNS).where(ApiKeyRow.key_hash == secret_hash(secret), ApiKeyRow.revoked_at.is_(None))
    row = (await session.execute(query)).one_or_none()
    if row is None:
        return None
    if row.last_used_at is None or wall - row.last_used_at > TOUCH:
        await session.execute(update(ApiKeyRow).where(ApiKeyRow.id == row.id).values(last_used_at=wall))
    return _key(row)


async def list_keys(session: AsyncSession) -> list[ApiKey]:
    """Return every key, revoked ones too, the newest first."""
    rows = await session.execute(select(*_COLUMNS).order_by(ApiKeyRow.created_at.desc(), ApiKeyRow.id))
    return [_key(row) for row in rows]


async def revoke_key(session: AsyncSession, which: str, wall: WallInstant) -> ApiKey:
    """End a key by its id or the beginning that lists show; raises NotFoundError or ConflictError."""
    found = [key for key in await list_keys(session) if which in {str(key.id), key.prefix}]
    living = [key for key in found if key.revoked_at is None]
    if not living:
        raise NotFoundError(what="living key", key=which)
    if len(living) > 1:
        raise ConflictError(what=f"the key {which}", reason="several keys begin so; give the id")
    await session.execute(update(ApiKeyRow).where(ApiKeyRow.id == living[0].id).values(revoked_at=wall))
    return next(key for key in await list_keys(session) if key.id == living[0].id)
