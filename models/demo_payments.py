"""What the payments of a demo came to in our books, for its summary."""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.case_vocabulary import CaseKind, OfferState
from models.tables.cases import CaseRow, DunningRow, PaymentAttemptRow
from models.tables.runs import OfferRow


async def payment_figures(session: AsyncSession) -> dict[str, Any]:
    """Return cases by how they ended, or as open; attempts by who made them; money in minor units."""
    recovered = select(func.count(), func.coalesce(func.sum(DunningRow.recovered_minor), 0))
    invoices, money = (await session.execute(recovered.where(DunningRow.recovered_minor > 0))).one()
    redeemed = select(func.count()).select_from(OfferRow).where(OfferRow.state == OfferState.REDEEMED)
    return {
        "dunning": await _cases(session, CaseKind.DUNNING),
        "attempts": await _attempts(session),
        "invoices_recovered": invoices,
        "recovered_minor": int(money),
        "win_back": await _cases(session, CaseKind.WIN_BACK),
        "codes_redeemed": await session.scalar(redeemed) or 0,
    }


async def _cases(session: AsyncSession, kind: CaseKind) -> dict[str, int]:
    query = select(CaseRow.outcome, func.count()).where(CaseRow.kind == kind).group_by(CaseRow.outcome)
    return {outcome or "open": number for outcome, number in (await session.execute(query)).all()}


async def _attempts(session: AsyncSession) -> dict[str, int]:
    query = select(PaymentAttemptRow.by, func.count()).group_by(PaymentAttemptRow.by)
    return {by.value: number for by, number in (await session.execute(query)).all()}
