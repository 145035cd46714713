"""Offers in the database: proposed, agreed to, made, used or over; and what they leave of the margin."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.case_vocabulary import OfferState
from domain.offers import DISCOUNT, Offer
from domain.time import BusinessInstant
from models.case_steps import CaseVisit
from models.stored_offers import FIELDS, StoredOffer
from models.tables.runs import OfferRow


def offer_key(visit: CaseVisit) -> str:
    """Return what makes an offer of a case the same at each attempt: the visit in which it is made."""
    return f"{visit.origin}offer"


async def propose(
    session: AsyncSession,
    customer_id: uuid.UUID,
    visit: CaseVisit,
    offer: Offer,
    decide_by: BusinessInstant | None,
    now: BusinessInstant,
) -> None:
    """Write an offer; without a time by which a person decides, the policy has agreed to it."""
    agreed = decide_by is None
    await session.execute(
        insert(OfferRow).values(
            id=uuid.uuid4(),
            customer_id=customer_id,
            case_id=visit.case_id,
            effect_key=offer_key(visit),
            kind=DISCOUNT,
            title=offer.title,
            percent=offer.percent,
            months=offer.months,
            currency=offer.currency,
            cost_minor=offer.cost_minor,
            margin=offer.margin,
            evidence={**offer.evidence, **({"approval": offer.approval} if offer.approval else {})},
            state=OfferState.PROPOSED,
            proposed_at=now,
            decided_at=now if agreed else None,
            expires_at=offer.expires_at if agreed else decide_by,
        )
    )


async def offers_of(session: AsyncSession, case_id: uuid.UUID) -> Sequence[StoredOffer]:
    """Return a case's offers, the oldest first: the n-th is its n-th."""
    row = OfferRow
    query = select(*FIELDS).where(row.case_id == case_id)
    found = (await session.execute(query.order_by(row.proposed_at, row.effect_key))).all()
    return [StoredOffer(*one) for one in found]


async def agree(
    session: AsyncSession,
    offer_id: uuid.UUID,
    by_id: uuid.UUID | None,
    valid_for: dt.timedelta,
    now: BusinessInstant,
) -> None:
    """Note that a person said yes: it is to be made, and is valid from when it was to be decided on."""
    row = OfferRow
    still = (row.id == offer_id, row.state == OfferState.PROPOSED, row.decided_at.is_(None))
    values = {"decided_at": now, "decided_by_id": by_id, "expires_at": row.expires_at + valid_for}
    await session.execute(update(row).where(*still).values(values))


@dataclass(frozen=True)
class OfferFigures:
    """All offers of one state in one currency: how many, what they cost, what they leave."""

    state: OfferState
    currency: str
    offers: int
    cost_minor: int
    least_margin: float
    mean_margin: float
    """Of the offers, not weighted by revenue."""


async def offer_figures(session: AsyncSession) -> list[OfferFigures]:
    """Return what offers cost and what they leave of the gross margin, by state and currency."""
    row = OfferRow
    query = (
        select(
            row.state,
            row.currency,
            func.count(),
            func.sum(row.cost_minor),
            func.min(row.margin),
            func.avg(row.margin),
        )
        .where(row.cost_minor.is_not(None), row.margin.is_not(None), row.currency.is_not(None))
        .group_by(row.state, row.currency)
        .order_by(row.state, row.currency)
    )
    return [
        OfferFigures(state, currency, count, int(cost), float(least), float(mean))
        for state, currency, count, cost, least, mean in await session.execute(query)
    ]
