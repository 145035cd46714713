"""What a letter to a lost customer says now: which template, to whom, and with which offer."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.case_vocabulary import OfferState
from domain.labels import Cause
from domain.money import whole_units
from domain.time import BusinessInstant
from domain.vocabulary import ContactRole, CustomerStatus, Purpose
from domain.win_back import morning_of
from domain.win_back_policy import WinBackPolicy
from models.case_letters import CaseLetter
from models.case_steps import CaseVisit
from models.cases import StoredCase
from models.offers import offers_of
from models.payers import find_payer
from models.stored_offers import StoredOffer, told_of
from models.tables.cases import WinBackRow
from models.tables.customers import CustomerRow
from models.win_back_state import load_win_back

TO = (
    ContactRole.CHAMPION,
    ContactRole.ADMIN,
    ContactRole.BILLING,
    ContactRole.EXECUTIVE_SPONSOR,
)
PURPOSES = {Cause.INVOLUNTARY: Purpose.LIFECYCLE, Cause.VOLUNTARY: Purpose.MARKETING}
"""Who decided to leave is advertised to; whose payment failed is told what happened to what they have."""


async def win_back_letter(
    session: AsyncSession, case: StoredCase, visit: CaseVisit, now: BusinessInstant
) -> CaseLetter:
    """Return the letter of a visit as it is now. The caller holds the customer's lock."""
    number = int(visit.step.removeprefix("letter-"))
    row = await load_win_back(session, case.id)
    customer = (
        await session.execute(
            select(CustomerRow.name, CustomerRow.status, CustomerRow.time_zone).where(
                CustomerRow.id == case.customer_id
            )
        )
    ).one()
    policy = WinBackPolicy.model_validate(case.policy)
    later = policy.days[number : number + 1]
    offer = await _offer(session, case, now)
    return CaseLetter(
        template=f"win-back-{number}",
        purpose=PURPOSES[row.cause],
        to=TO,
        values=_values(row, customer.name, offer),
        has_page=await find_payer(session, case.customer_id) is not None,
        still_wanted=row.returned_at is None and customer.status is CustomerStatus.CHURNED,
        is_held_out=row.is_held_out,
        useful_until=morning_of(row.cancelled_at, customer.time_zone, later[0]) if later else None,
        worth=whole_units(row.lost_arr_minor, row.currency),
    )


async def _offer(session: AsyncSession, case: StoredCase, now: BusinessInstant) -> StoredOffer | None:
    """Return the offer that they can use now."""
    for one in reversed(await offers_of(session, case.id)):
        if one.state is OfferState.GRANTED and one.code and (one.expires_at is None or one.expires_at > now):
            return one
    return None


def _values(row: WinBackRow, company: str, offer: StoredOffer | None) -> dict[str, Any]:
    """Return what the templates say beside what every letter has."""
    return {
        "win_back": {
            "cause": row.cause.value,
            "reason": row.reason or "",
            "left_on": row.cancelled_at.date(),
        },
        "offer": told_of(offer, company),
    }
