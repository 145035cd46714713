"""What a stored payment does to a case: it ends in the same transaction, and nothing leaves after it."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.case_vocabulary import CaseOutcome, CaseState
from domain.dunning_endings import paid_ending
from domain.dunning_state import DunningEnding, DunningState
from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import EffectState
from models.arrays import among_ids
from models.cases import CaseEnding, StoredCase, end_case, read_case, ring_case
from models.dunnings import invoice_of, memory_of, write_dunning
from models.payment_attempts import attempts_of
from models.tables.cases import CaseRow, DunningRow
from models.tables.facts import InvoiceRow
from models.tables.ledger import EffectRow

Invoices = Mapping[uuid.UUID, Mapping[str, Any]]


async def heed_invoices(
    session: AsyncSession, moved: Invoices, now: BusinessInstant, wall: WallInstant
) -> None:
    """End the cases of invoices that are paid or void, and ring those of which something else is new.

    The caller holds the customers' locks. A charge of ours that is under way at this moment is left to say
    itself what it came to.
    """
    row = DunningRow
    query = (
        select(row.case_id, row.invoice_id)
        .join(CaseRow, CaseRow.id == row.case_id)
        .where(among_ids(row.invoice_id, list(moved)), CaseRow.state != CaseState.ENDED)
        .order_by(row.case_id)
    )
    for case_id, invoice_id in (await session.execute(query)).all():
        case, invoice = await read_case(session, case_id), moved[invoice_id]
        ending = await _ending(session, case, invoice, now)
        if ending is not None:
            await _end(session, case, ending, invoice, now, wall)
        await ring_case(session, case_id, wall)


async def ring_invoices(
    session: AsyncSession, source_id: str, keys: Sequence[str], wall: WallInstant
) -> None:
    """Have the cases of these invoices of a source look again, whatever our facts say of them."""
    row = DunningRow
    query = (
        select(row.case_id)
        .join(CaseRow, CaseRow.id == row.case_id)
        .join(InvoiceRow, InvoiceRow.id == row.invoice_id)
        .where(InvoiceRow.source_id == source_id, InvoiceRow.external_id.in_(keys))
        .where(CaseRow.state != CaseState.ENDED)
        .order_by(row.case_id)
    )
    for case_id in (await session.scalars(query)).all():
        await ring_case(session, case_id, wall)


async def _ending(
    session: AsyncSession, case: StoredCase, invoice: Mapping[str, Any], now: BusinessInstant
) -> DunningEnding | None:
    """Return how a case ends by what is known of its invoice, None where it goes on."""
    if invoice["status"] == "void":
        return DunningEnding(CaseOutcome.STOPPED, "The invoice is void: nothing is owed any more.")
    if invoice["status"] != "paid" or await _is_charging(session, case):
        return None
    found = await invoice_of(session, case.id)
    attempts = await attempts_of(session, found.id)
    state = DunningState(str(case.id), memory_of(case), found.retries, attempts=attempts)
    was_refused = bool(attempts) or invoice["failed_attempts"] > 0
    is_early = (invoice["paid_at"] or now) < invoice["due_at"] and not was_refused
    return paid_ending(state, invoice["failed_attempts"] + 1, is_early=is_early)


async def _is_charging(session: AsyncSession, case: StoredCase) -> bool:
    """Tell whether a charge of this case may have reached the provider and has not been settled."""
    row = EffectRow
    under_way = exists().where(
        row.key.startswith(f"case/{case.id}/", autoescape=True),
        row.kind == "payment",
        row.state == EffectState.CLAIMED,
        row.lease_until.is_not(None),
    )
    return bool(await session.scalar(select(under_way)))


async def _end(
    session: AsyncSession,
    case: StoredCase,
    ending: DunningEnding,
    invoice: Mapping[str, Any],
    now: BusinessInstant,
    wall: WallInstant,
) -> None:
    memory = memory_of(case)
    if invoice["status"] == "paid":
        memory = memory.model_copy(update={"remaining_minor": 0})
    await write_dunning(session, case.id, memory, None, ending)
    await end_case(session, case, CaseEnding(ending.outcome, ending.sentence), now, wall)
