"""Offers as they stand, of cases and of runs: found, granted, moved on, and told to templates."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.billing import DiscountReceipt
from domain.case_vocabulary import OfferState
from domain.time import BusinessInstant
from models.tables.runs import OfferRow


@dataclass(frozen=True)
class StoredOffer:
    """One offer of a case or a run as it stands."""

    id: uuid.UUID
    title: str
    percent: float | None
    months: int | None
    state: OfferState
    decided_at: BusinessInstant | None
    expires_at: BusinessInstant | None
    redeemed_at: BusinessInstant | None
    source_id: str | None
    provider_key: str | None
    code: str | None
    kind: str
    currency: str | None
    cost_minor: int | None
    evidence: Mapping[str, Any]


FIELDS = (
    OfferRow.id,
    OfferRow.title,
    OfferRow.percent,
    OfferRow.months,
    OfferRow.state,
    OfferRow.decided_at,
    OfferRow.expires_at,
    OfferRow.redeemed_at,
    OfferRow.source_id,
    OfferRow.provider_key,
    OfferRow.code,
    OfferRow.kind,
    OfferRow.currency,
    OfferRow.cost_minor,
    OfferRow.evidence,
)


async def offer_by(session: AsyncSession, key: str) -> StoredOffer:
    """Return the offer with this key."""
    return StoredOffer(*(await session.execute(select(*FIELDS).where(OfferRow.effect_key == key))).one())


async def usable_offer_of(
    session: AsyncSession, run_id: uuid.UUID, now: BusinessInstant
) -> StoredOffer | None:
    """Return the newest offer of a run that the customer can use now: it has a code, and is not over."""
    row = OfferRow
    usable = (row.intervention_id == run_id, row.state == OfferState.GRANTED, row.code.is_not(None))
    query = select(*FIELDS).where(*usable, row.expires_at > now).order_by(row.decided_at.desc())
    found = (await session.execute(query.limit(1))).one_or_none()
    return None if found is None else StoredOffer(*found)


def told_of(offer: StoredOffer | None, company: str) -> dict[str, Any] | None:
    """Return what templates say of an offer under the name `offer`; None where there is none."""
    if offer is None:
        return None
    return {
        "title": offer.title,
        "percent": f"{offer.percent:g}" if offer.percent is not None else "",
        "months": offer.months,
        "code": offer.code,
        "company": company,
        "expires_on": offer.expires_at.date() if offer.expires_at is not None else None,
    }


async def note_granted(session: AsyncSession, key: str, receipt: DiscountReceipt, source_id: str) -> None:
    """Note what the provider made: from now on the customer can use it."""
    row = OfferRow
    await session.execute(
        update(row)
        .where(row.effect_key == key, row.state == OfferState.PROPOSED)
        .values(
            state=OfferState.GRANTED,
            provider_key=receipt.key,
            code=receipt.code,
            source_id=source_id,
        )
    )


async def move_offer(
    session: AsyncSession, offer_id: uuid.UUID, state: OfferState, now: BusinessInstant
) -> None:
    """Give an offer its new state; one that was used or is over stays so."""
    row = OfferRow
    values: dict[str, object] = {"state": state}
    if state is OfferState.REDEEMED:
        values["redeemed_at"] = now
    if state is OfferState.REFUSED:
        values["decided_at"] = now
    open_ones = (OfferState.PROPOSED, OfferState.GRANTED)
    await session.execute(update(row).where(row.id == offer_id, row.state.in_(open_ones)).values(values))
