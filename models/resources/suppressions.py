"""Suppressed addresses as the API, the page and the command line show them."""

from collections.abc import Sequence

from sqlalchemy import func, select

from domain.suppressions import SuppressionList
from domain.time import WallInstant
from models.database import Session
from models.resources.keyset import Order, Row, Slice, only, read_rows, read_slice
from models.tables.mail import ProviderSuppressionRow, SuppressionPullRow
from models.tables.people import UserRow


async def list_suppressions(
    session: Session,
    lists: Sequence[SuppressionList] = (),
    search: str = "",
    since: WallInstant | None = None,
    *,
    cursor: str | None = None,
    limit: int = 50,
) -> Slice:
    """Return what the provider holds, the latest first; `search` is a part of the address."""
    row = ProviderSuppressionRow
    query = select(
        row.id,
        row.provider,
        row.list,
        row.group,
        row.email,
        row.reason,
        row.listed_at,
        row.imported_at,
        row.people,
        row.lifted_at,
        row.lifted_because,
        UserRow.name.label("lifted_by"),
    ).outerjoin(UserRow, UserRow.id == row.lifted_by_id)
    query = query.where(*only(list=(row.list.expression, list(lists))))
    if search:
        query = query.where(row.email.contains(search.strip().lower(), autoescape=True))
    if since is not None:
        query = query.where(row.listed_at >= since)
    order = Order("listed_at", row.listed_at.expression, row.id.expression, descending=True)
    return await read_slice(session, query, order, cursor, limit)


async def load_pulls(session: Session) -> list[Row]:
    """Return how far each list was read, and what keeps one from being read."""
    row = SuppressionPullRow
    query = select(row.provider, row.list, row.cursor, row.pulled_at, row.problem)
    return await read_rows(session, query.order_by(row.provider, row.list))


async def count_by_list(session: Session) -> dict[str, int]:
    """Return how many addresses each list holds."""
    row = ProviderSuppressionRow
    found = await session.execute(select(row.list, func.count()).group_by(row.list))
    return {which.value: count for which, count in found}
