"""Mail as touchpoints: copies of what our people write, and letters of people whom only a domain names.

What nobody can be named for is held in quarantine and looked at again, since contacts come later than mail.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select

from domain.addresses import by_mail
from domain.delivery_events import InboundEmail
from domain.facts import Fact, TouchpointFact
from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import Channel, Direction
from models.arrays import among
from models.database import Session
from models.facts import store_facts
from models.facts_batch import Verdict
from models.quarantine import REPLAYED, BadRow, list_quarantined, quarantine, settle_quarantined
from models.tables.connections import ConnectionRow
from models.tables.data import QuarantinedRow
from models.tables.people import UserRow

FILE = "mail"
"""Where held mail stands, as quarantine says it."""
PROVIDER = "mail"
LONGEST_SUBJECT = 300


async def copy_source(session: Session, email: InboundEmail) -> str | None:
    """Return the connection whose secret address the mail was copied to."""
    query = select(ConnectionRow.source_id).where(
        ConnectionRow.provider == PROVIDER,
        among(
            func.lower(ConnectionRow.options["address"].astext),
            [address.lower() for address in email.recipients],
        ),
    )
    return await session.scalar(query.limit(1))


async def is_ours(session: Session, address: str) -> bool:
    """Tell whether the address is one of our users'."""
    return bool(await _ours(session, [address]))


async def _ours(session: Session, addresses: Sequence[str]) -> set[str]:
    mail = func.lower(UserRow.email)
    query = select(mail).where(among(mail, [address.lower() for address in addresses]))
    return set(await session.scalars(query))


async def keep_mail(
    session: Session, source_id: str, email: InboundEmail, now: BusinessInstant, wall: WallInstant
) -> bool:
    """Keep a mail by its addresses; what concerns nobody we know is held. Returns whether it was news."""
    ours = await _ours(session, [email.sender_email, *email.addressed])
    if email.sender_email in ours:
        reached = ours | {address.lower() for address in email.recipients}
        theirs = [address for address in email.addressed if address not in reached]
        facts = [_touch(email, address, Direction.OUT, now) for address in theirs]
    else:
        facts = [_touch(email, email.sender_email, Direction.IN, now)]
    return await _store(session, source_id, facts, wall)


def _touch(email: InboundEmail, address: str, direction: Direction, now: BusinessInstant) -> TouchpointFact:
    whom = f"/{address}" if direction is Direction.OUT else ""
    return TouchpointFact(
        key=f"{email.message_id}{whom}",
        known_at=now,
        customer=by_mail(address),
        contact=by_mail(address),
        direction=direction,
        channel=Channel.EMAIL,
        subject=email.subject[:LONGEST_SUBJECT] or None,
        user_email=email.sender_email if direction is Direction.OUT else None,
        occurred_at=now,
    )


async def _store(session: Session, source_id: str, facts: Sequence[Fact], wall: WallInstant) -> bool:
    result = await store_facts(session, source_id, facts, received_at=wall)
    strangers = [
        _held(facts[index], problem.reason)
        for index, problem in result.problems.items()
        if result.verdicts[index] is Verdict.UNRESOLVED
    ]
    known = await _held_keys(session, source_id) if strangers else set()
    fresh = [row for row in strangers if row.raw["key"] not in known]
    await quarantine(session, None, source_id, fresh, wall)
    return result.stored > 0


async def _held_keys(session: Session, source_id: str) -> set[str]:
    """Return the keys of what is held: the same letter may come twice, at another time."""
    row = QuarantinedRow
    query = select(row.raw["key"].astext).where(row.source_id == source_id, row.file == FILE)
    return set(await session.scalars(query))


def _held(fact: Fact, reason: str) -> BadRow:
    return BadRow(FILE, 0, "unresolved", "customer", reason, fact.model_dump(mode="json"))


async def look_again(session: Session, wall: WallInstant) -> int:
    """Store held mail whose people are known by now; returns how many letters that were."""
    rows = await list_quarantined(session, file=FILE)
    stored = 0
    for source_id in sorted({row.source_id for row in rows}):
        mine = [row for row in rows if row.source_id == source_id]
        facts = [_fact(row.raw) for row in mine]
        result = await store_facts(session, source_id, facts, received_at=wall)
        done = (Verdict.STORED, Verdict.DUPLICATE)
        for row in _where(mine, (verdict in done for verdict in result.verdicts)):
            await settle_quarantined(session, row.id, REPLAYED, wall)
            stored += 1
    return stored


def _fact(raw: Mapping[str, Any]) -> TouchpointFact:
    return TouchpointFact.model_validate(dict(raw))


def _where(rows: Sequence[Any], chosen: Iterable[bool]) -> list[Any]:
    return [row for row, is_chosen in zip(rows, chosen, strict=True) if is_chosen]
