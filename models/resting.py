"""Rests as people order and see them: who, why, until when; over them `models.pauses` keeps what holds."""

import uuid
from dataclasses import dataclass

from sqlalchemy import Text, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import InvalidInputError, NotFoundError
from domain.time import BusinessInstant
from domain.vocabulary import DecisionKind, PauseScope
from models.decisions import Decision, record_decisions
from models.hands import Hand
from models.pauses import LONGEST_REASON, Pause, pause, resume
from models.tables.customers import CustomerRow
from models.tables.people import UserRow
from models.tables.playbooks import InterventionRow, PlaybookRow
from models.tables.runs import PauseRow

LATELY = 20
"""Rests that are over, as lists show them."""
NARROW = {PauseScope.RUN, PauseScope.CUSTOMER}
"""Whoever steers runs may have these rest; wider ones are for those who may stop effects."""


@dataclass(frozen=True)
class Rest:
    """One rest, over or not."""

    id: uuid.UUID
    scope: PauseScope
    key: str
    reason: str
    since: BusinessInstant
    until: BusinessInstant | None
    ended_at: BusinessInstant | None
    by: str | None
    name: str
    """Of the playbook, customer or segment; a run's is its playbook and customer."""
    customer_id: uuid.UUID | None


async def order_rest(
    session: AsyncSession,
    scope: PauseScope,
    key: str,
    until: BusinessInstant | None,
    reason: str,
    hand: Hand,
) -> uuid.UUID:
    """Order a rest; on one customer or run it is a decision too."""
    said = reason.strip()
    if not 1 <= len(said) <= LONGEST_REASON:
        raise InvalidInputError(field="reason", reason=f"say why, in at most {LONGEST_REASON} characters")
    wanted = Pause(scope, "" if scope is PauseScope.EVERYTHING else key, until)
    pause_id = await pause(session, wanted, said, hand.user_id, hand.now, hand.wall)
    end = f" until {until:%d %B %Y %H:%M} UTC" if until is not None else ""
    await _record(session, scope, key, "pause", f"{hand.name} had it rest{end}: {said.rstrip('.')}.", hand)
    return pause_id


async def end_rest(session: AsyncSession, pause_id: uuid.UUID, hand: Hand) -> Rest:
    """End a rest; what was covered hears what happened meanwhile, and goes on."""
    rest = await load_rest(session, pause_id)
    await resume(session, pause_id, hand.user_id, hand.now, hand.wall)
    await _record(session, rest.scope, rest.key, "resume", f"{hand.name} ended the rest.", hand)
    return rest


async def load_rest(session: AsyncSession, pause_id: uuid.UUID) -> Rest:
    """Return one rest; raises NotFoundError."""
    found = await _read(session, PauseRow.id == pause_id, most=1)
    if not found:
        raise NotFoundError(what="pause", key=pause_id)
    return found[0]


async def rests_now(session: AsyncSession, now: BusinessInstant) -> list[Rest]:
    """Return what rests now, the widest first."""
    found = await _read(session, PauseRow.ended_at.is_(None), most=500)
    order = list(PauseScope)
    holding = [one for one in found if one.until is None or one.until > now]
    return sorted(holding, key=lambda one: (order.index(one.scope), one.since))


async def rests_before(session: AsyncSession, now: BusinessInstant) -> list[Rest]:
    """Return the latest rests that are over, the newest first."""
    over = PauseRow.ended_at.is_not(None) | (PauseRow.until <= now)
    return await _read(session, over, most=LATELY)


async def find_rest(session: AsyncSession, scope: PauseScope, key: str, now: BusinessInstant) -> Rest:
    """Return the rest of just this; raises NotFoundError."""
    found = next((one for one in await rests_now(session, now) if (one.scope, one.key) == (scope, key)), None)
    if found is None:
        raise NotFoundError(what="pause that holds for", key=f"{scope.value} {key}".strip())
    return found


async def _read(session: AsyncSession, condition: object, *, most: int) -> list[Rest]:
    row, run, customer = PauseRow, InterventionRow, CustomerRow
    is_run = row.scope == PauseScope.RUN
    of_customer = (row.scope == PauseScope.CUSTOMER) & (cast(customer.id, Text) == row.key)
    playbook_key = func.coalesce(run.playbook_key, row.key)
    query = (
        select(
            row.id,
            row.scope,
            row.key,
            row.reason,
            row.since,
            row.until,
            row.ended_at,
            UserRow.name.label("by"),
            PlaybookRow.name.label("playbook"),
            customer.name.label("customer"),
            customer.id.label("customer_id"),
        )
        .outerjoin(UserRow, UserRow.id == row.by_id)
        .outerjoin(run, is_run & (cast(run.id, Text) == row.key))
        .outerjoin(PlaybookRow, PlaybookRow.key == playbook_key)
        .outerjoin(customer, of_customer | (is_run & (customer.id == run.customer_id)))
        .where(condition)  # type: ignore[arg-type]  # a condition on the table, which only this file makes
        .order_by(row.since.desc(), row.id)
        .limit(most)
    )
    return [
        Rest(*each[:8], _name(each.scope, each.key, each.playbook, each.customer), each.customer_id)
        for each in (await session.execute(query)).all()
    ]


def _name(scope: PauseScope, key: str, playbook: str | None, customer: str | None) -> str:
    names = {
        PauseScope.EVERYTHING: "everything",
        PauseScope.SEGMENT: f"{key.replace('_', '-')} customers",
        PauseScope.PLAYBOOK: playbook or key,
        PauseScope.CUSTOMER: customer or key,
        PauseScope.RUN: f"{playbook or 'a run'} for {customer or key}",
    }
    return names[scope]


async def _record(
    session: AsyncSession, scope: PauseScope, key: str, action: str, sentence: str, hand: Hand
) -> None:
    """Write the decision where one customer is meant; of wider rests the row itself is the record."""
    if scope not in NARROW:
        return
    run_id = uuid.UUID(key) if scope is PauseScope.RUN else None
    customer_id = uuid.UUID(key) if scope is PauseScope.CUSTOMER else None
    if run_id is not None:
        customer_id = await session.scalar(
            select(InterventionRow.customer_id).where(InterventionRow.id == run_id)
        )
    if customer_id is None:
        return
    decision = Decision(
        customer_id,
        DecisionKind.DIRECTIVE,
        action,
        scope.value,
        "by_a_person",
        sentence,
        {},
        run_id,
    )
    await record_decisions(session, [decision], hand.now)
