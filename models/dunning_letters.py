"""What the letters of a dunning case say: the invoice as it stood at the last look, in both languages."""

import datetime as dt
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.dunning_words import say_amount, say_day
from domain.time import BusinessInstant, after
from domain.vocabulary import ContactRole, Purpose
from models.case_letters import CaseLetter
from models.case_steps import CaseVisit
from models.cases import StoredCase
from models.dunnings import memory_of, policy_of
from models.tables.cases import DunningRow
from models.tables.facts import InvoiceRow

RECIPIENTS = (ContactRole.BILLING, ContactRole.ADMIN, ContactRole.CHAMPION)
"""Whoever pays hears of it first; the others only where there is nobody of that role."""
OWED = "open"


async def write_letter(
    session: AsyncSession, case: StoredCase, visit: CaseVisit, now: BusinessInstant
) -> CaseLetter:
    """Return one letter as it would be now; the template has the step's name."""
    invoice, row = InvoiceRow, DunningRow
    query = select(invoice, row.currency).join(row, row.invoice_id == invoice.id)
    found, currency = (await session.execute(query.where(row.case_id == case.id))).one()
    return CaseLetter(
        visit.step,
        Purpose.TRANSACTIONAL,
        RECIPIENTS,
        {"invoice": _invoice(case, found, currency, now)},
        still_wanted=found.status == OWED,
        has_page=True,
    )


def _invoice(case: StoredCase, invoice: InvoiceRow, currency: str, now: BusinessInstant) -> dict[str, Any]:
    memory, policy = memory_of(case), policy_of(case)
    ends = after(max(memory.final_notice_at or now, now), policy.grace)
    in_part = memory.remaining_minor < invoice.amount_due_minor
    said: dict[str, Any] = {
        "number": invoice.number or invoice.external_id,
        "days_late": max((now - invoice.due_at) // dt.timedelta(days=1), 0),
        "last4": memory.last4,
        "pay_url": memory.pay_url,
        "is_part_paid": in_part,
        "final_action": policy.final_action.value,
    }
    for language, ending in (("en", ""), ("de", "_de")):
        said[f"amount{ending}"] = say_amount(memory.remaining_minor, currency, language)
        said[f"due_on{ending}"] = say_day(invoice.due_at, language)
        said[f"ends_on{ending}"] = say_day(ends, language)
    return said
