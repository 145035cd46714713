"""Attempts to collect an invoice: ours with their effect, and those that were seen at the provider."""

import uuid
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.billing import Decline, InvoiceEvidence, PaymentMethod, PaymentResult
from domain.case_vocabulary import AttemptResult, PaidBy
from domain.dunning_state import Attempt
from domain.time import BusinessInstant
from models.payment_ceilings import refusal
from models.tables.cases import PaymentAttemptRow

AUTHENTICATION = "authentication_required"
UNTOLD = ""
"""The code of a refusal of which nobody says why."""


async def attempts_of(session: AsyncSession, invoice_id: uuid.UUID) -> tuple[Attempt, ...]:
    """Return every attempt at one invoice, the oldest first; one that was not made is none."""
    row = PaymentAttemptRow
    query = (
        select(row)
        .where(row.invoice_id == invoice_id, row.result != AttemptResult.NOT_MADE)
        .order_by(row.made_at, row.number)
    )
    return tuple(_attempt(found) for found in await session.scalars(query))


def _attempt(row: PaymentAttemptRow) -> Attempt:
    refused = row.result is AttemptResult.DECLINED
    words = (row.decline_code, row.advice_code, row.network_code, row.network_advice)
    decline = refusal(*words) if refused else None
    return Attempt(row.made_at, row.by, row.result, row.card_key, row.card_brand, decline)


async def note_seen(
    session: AsyncSession,
    invoice_id: uuid.UUID,
    case_id: uuid.UUID,
    evidence: InvoiceEvidence,
    known: Sequence[Attempt],
    now: BusinessInstant,
) -> bool:
    """Write attempts that the provider counts and we do not know: they count for ceilings. True for news.

    Only of the newest is known why it was refused. Whether the provider counts ours too differs between
    providers, so those are taken off: an attempt is never written twice.
    """
    missing = evidence.attempts - len(known)
    if missing <= 0 or evidence.decline is None:
        return False
    newest = evidence.decline.at or now
    for number in range(len(known) + 1, evidence.attempts + 1):
        told = evidence.decline if number == evidence.attempts else Decline(UNTOLD)
        await session.execute(
            upsert(PaymentAttemptRow)
            .values(
                id=uuid.uuid4(),
                invoice_id=invoice_id,
                case_id=case_id,
                number=number,
                provider_key=f"seen/{number}",
                by=PaidBy.PROVIDER,
                amount_minor=evidence.remaining_minor,
                currency=evidence.currency,
                result=AttemptResult.DECLINED,
                made_at=newest,
                **_card(evidence.method),
                **_refusal(told),
            )
            .on_conflict_do_nothing()
        )
    return True


async def note_ours(
    session: AsyncSession,
    invoice_id: uuid.UUID,
    case_id: uuid.UUID,
    effect_key: str,
    evidence: InvoiceEvidence,
    result: PaymentResult | None,
    now: BusinessInstant,
) -> None:
    """Write what an attempt of ours came to, None where nobody can say; the same effect is written once."""
    row = PaymentAttemptRow
    count = select(func.count()).where(row.invoice_id == invoice_id).scalar_subquery()
    values = {
        "id": uuid.uuid4(),
        "invoice_id": invoice_id,
        "case_id": case_id,
        "number": count + 1,
        "effect_key": effect_key,
        "provider_key": (result.key or None) if result is not None else None,
        "by": PaidBy.EVERSTAY,
        "amount_minor": evidence.remaining_minor,
        "currency": evidence.currency,
        "result": _result(result),
        "made_at": (result.at if result is not None else None) or now,
        **_card(evidence.method),
        **_refusal(_decline(result)),
    }
    outcome = {name: values[name] for name in ("result", "provider_key", "decline_code", "advice_code")}
    statement = upsert(row).values(values)
    await session.execute(statement.on_conflict_do_update(index_elements=["effect_key"], set_=outcome))


def _result(result: PaymentResult | None) -> AttemptResult:
    if result is None:
        return AttemptResult.UNCERTAIN
    if result.succeeded:
        return AttemptResult.SUCCEEDED
    return AttemptResult.PENDING if result.pending else AttemptResult.DECLINED


def _decline(result: PaymentResult | None) -> Decline | None:
    """Return why it was refused; what the customer has to confirm is a refusal that says so."""
    if result is None or result.succeeded or result.pending:
        return None
    if result.needs_customer:
        return Decline(AUTHENTICATION)
    return result.decline or Decline(UNTOLD)


def _card(method: PaymentMethod | None) -> dict[str, str]:
    known = method or PaymentMethod("")
    return {"card_key": known.key, "card_brand": known.brand}


def _refusal(decline: Decline | None) -> dict[str, str | None]:
    return {
        "decline_code": decline.code if decline is not None else None,
        "advice_code": decline.advice if decline is not None else None,
        "network_code": decline.network_code if decline is not None else None,
        "network_advice": decline.network_advice if decline is not None else None,
    }
