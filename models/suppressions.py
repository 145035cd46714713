"""Provider's suppression lists in our database: kept once per entry, applied like the webhook's events."""

import uuid
from collections.abc import Mapping, Sequence

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.errors import ConflictError, NotFoundError
from domain.suppressions import LIST_RULES, ListedAddress, SuppressionList
from domain.time import BusinessInstant, WallInstant
from models.arrays import among
from models.clock import load_timeline, start_clock
from models.database import Session
from models.opt_outs import MAIL_PROVIDER, OPTIONAL, record_consent, release_address, suppress_contact
from models.tables.customers import ContactRow
from models.tables.mail import ProviderSuppressionRow, SuppressionPullRow

_KEY = ("provider", "list", "group", "email")


async def cursor_of(session: Session, provider: str, which: SuppressionList) -> WallInstant | None:
    """Return up to when a list was read whole, None where it never was."""
    row = SuppressionPullRow
    query = select(row.cursor).where(row.provider == provider, row.list == which)
    return await session.scalar(query)


async def note_pull(
    session: Session,
    provider: str,
    which: SuppressionList,
    cursor: WallInstant | None,
    wall: WallInstant,
    problem: str | None = None,
) -> None:
    """Keep how far a list was read, and what kept it from being read; the cursor only ever moves on."""
    row = SuppressionPullRow
    values = {"provider": provider, "list": which, "cursor": cursor, "pulled_at": wall, "problem": problem}
    statement = upsert(row).values(values)
    later = func.greatest(row.cursor, statement.excluded.cursor)
    told = {"cursor": later, "pulled_at": wall, "problem": problem}
    await session.execute(statement.on_conflict_do_update(index_elements=["provider", "list"], set_=told))


async def take_entries(
    session: Session,
    provider: str,
    which: SuppressionList,
    entries: Sequence[ListedAddress],
    wall: WallInstant,
) -> int:
    """Keep and apply what is new in a page; returns how many. The same page twice changes nothing.

    An address that was lifted here and is listed again later counts as new: it has bounced once more.
    """
    news = 0
    for entry in sorted({(each.group, each.email): each for each in entries}.values(), key=_order):
        if await _keep(session, provider, which, entry, wall):
            news += 1
            await _apply(session, provider, which, entry, wall)
    return news


def _order(entry: ListedAddress) -> tuple[str, str]:
    return entry.group, entry.email


async def _keep(
    session: Session, provider: str, which: SuppressionList, entry: ListedAddress, wall: WallInstant
) -> bool:
    row = ProviderSuppressionRow
    told = {"reason": entry.reason, "listed_at": entry.listed_at, "imported_at": wall}
    key = {"provider": provider, "list": which, "group": entry.group, "email": entry.email}
    statement = upsert(row).values(id=uuid.uuid4(), people=0, **key, **told)
    fresh = {**told, "lifted_at": None, "lifted_by_id": None, "lifted_because": None}
    newer = statement.on_conflict_do_update(
        index_elements=_KEY, set_=fresh, where=row.listed_at < entry.listed_at
    )
    return await session.scalar(newer.returning(row.id)) is not None


async def _apply(
    session: Session, provider: str, which: SuppressionList, entry: ListedAddress, wall: WallInstant
) -> None:
    """Do for everybody with the address what the list asks, as of when the provider listed it."""
    people = await people_with(session, entry.email)
    for contact_id in people:
        await _hold(session, contact_id, which, entry.listed_at, wall)
    row = ProviderSuppressionRow
    mine = (row.provider == provider, row.list == which, row.group == entry.group, row.email == entry.email)
    await session.execute(update(row).where(*mine).values(people=len(people)))


async def _hold(
    session: Session, contact_id: uuid.UUID, which: SuppressionList, listed_at: WallInstant, wall: WallInstant
) -> None:
    rule = LIST_RULES[which]
    timeline = await load_timeline(session) or await start_clock(session, wall)
    now = timeline.business_at(wall)
    if rule.suppresses:
        await suppress_contact(session, contact_id, which.value, now, wall)
    if rule.ends_consent:
        choices = [(purpose, False) for purpose in OPTIONAL]
        at = min(timeline.business_at(listed_at), now)
        await record_consent(session, contact_id, choices, MAIL_PROVIDER, at, now, wall)


async def hold_newcomers(session: Session, people: Mapping[uuid.UUID, str], wall: WallInstant) -> None:
    """Do what the lists ask for people, by id, who came or took their address after it was listed."""
    addresses = {mail.lower() for mail in people.values() if mail}
    row = ProviderSuppressionRow
    query = select(row.email, row.list, row.listed_at).where(
        among(row.email, sorted(addresses)), row.lifted_at.is_(None)
    )
    listed = (await session.execute(query)).all() if addresses else []
    for contact_id, mail in sorted(people.items()):
        for one in (each for each in listed if each.email == mail.lower()):
            await _hold(session, contact_id, one.list, one.listed_at, wall)


async def people_with(session: Session, email: str) -> list[uuid.UUID]:
    """Return the contacts with an address, in one order, so that two writers cannot wait for each other."""
    same = func.lower(ContactRow.email) == email.lower()
    return list((await session.scalars(select(ContactRow.id).where(same).order_by(ContactRow.id))).all())


async def lift(
    session: Session,
    suppression_id: uuid.UUID,
    because: str,
    user_id: uuid.UUID | None,
    now: BusinessInstant,
) -> None:
    """Take mail to an address up again here; the provider's own list stays as it is.

    What people said themselves is not lifted: an opt-out is theirs to take back. Raises NotFoundError, and
    ConflictError where there is nothing of ours to lift.
    """
    row = ProviderSuppressionRow
    found = (
        await session.execute(
            select(row.email, row.list, row.lifted_at).where(row.id == suppression_id).with_for_update()
        )
    ).one_or_none()
    if found is None:
        raise NotFoundError(what="suppression", key=suppression_id)
    if found.lifted_at is not None or not LIST_RULES[found.list].suppresses:
        reason = "it was lifted before" if found.lifted_at is not None else "it keeps no address from mail"
        raise ConflictError(what="this suppression", reason=reason)
    values = {"lifted_at": now, "lifted_by_id": user_id, "lifted_because": because}
    await session.execute(update(row).where(row.id == suppression_id).values(values))
    if await _still_held(session, found.email):
        return
    await release_address(session, found.email)


async def _still_held(session: Session, email: str) -> bool:
    """Whether another list still keeps the address from mail."""
    row = ProviderSuppressionRow
    holding = [which for which, rule in LIST_RULES.items() if rule.suppresses]
    query = select(row.id).where(row.email == email, row.list.in_(holding), row.lifted_at.is_(None)).limit(1)
    return await session.scalar(query) is not None
