"""How a card was used lately, over all invoices: what the networks' ceilings are counted from."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.billing import Decline, PaymentMethod
from domain.case_vocabulary import AttemptResult
from domain.declines import DeclineKind, rule_on
from domain.dunning_policy import Ceiling
from domain.dunning_schedule import CardUse
from domain.time import BusinessInstant, after
from models.tables.cases import PaymentAttemptRow

UNCOUNTED = AttemptResult.NOT_MADE
"""An attempt that certainly did not reach the network; one in doubt counts as made."""


async def card_use(
    session: AsyncSession, method: PaymentMethod | None, ceilings: Sequence[Ceiling], now: BusinessInstant
) -> CardUse:
    """Return the attempts of the longest ceiling with one card, and whether a network has barred it."""
    if method is None:
        return CardUse()
    span = max((one.span for one in ceilings), default=dt.timedelta())
    row = PaymentAttemptRow
    mine = (row.card_key == method.key) & (row.result != UNCOUNTED)
    made = await session.scalars(
        select(row.made_at).where(mine, row.made_at > after(now, -span)).order_by(row.made_at)
    )
    return CardUse(method.key, method.brand, tuple(made.all()), await _is_barred(session, method))


def refusal(
    code: str | None, advice: str | None, network_code: str | None, network_advice: str | None
) -> Decline:
    """Return a refusal as it was stored."""
    return Decline(code or "", advice or "", network_code or "", network_advice or "")


async def _is_barred(session: AsyncSession, method: PaymentMethod) -> bool:
    row = PaymentAttemptRow
    query = (
        select(row.decline_code, row.advice_code, row.network_code, row.network_advice)
        .where(row.card_key == method.key, row.result == AttemptResult.DECLINED)
        .distinct()
    )
    found = [refusal(*each) for each in await session.execute(query)]
    return any(rule_on(one, method.brand).kind is DeclineKind.NEVER for one in found)
