"""Offers of runs: what they cost, what speaks against them, and how they are written as their run goes on."""

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.case_vocabulary import OfferState
from domain.offer_policy import OfferPolicy
from domain.offers import NoOffer, say_amount, speaks_against
from domain.run_state import OfferOrder
from domain.step_offers import Paid, forgone, longest_bill, margin_left
from domain.time import BusinessInstant, after
from models.offer_standing import load_standing_facts
from models.step_visits import Visit
from models.tables.customers import CustomerRow
from models.tables.facts import SubscriptionRow
from models.tables.runs import OfferRow
from models.tables.work import TaskRow
from models.win_back_policy import load_win_back_policy

YEAR = 12
AGREED = "agreed"
"""The state of an order: a person has said yes, and it is to be made."""


def run_offer_key(visit: Visit) -> str:
    """Return what makes an offer of a run the same at each attempt; the question about it has it too."""
    return f"{visit.origin}offer"


@dataclass(frozen=True)
class Worth:
    """What an offer of a run costs, for the ledger of offers; of an upgrade nobody can say."""

    currency: str
    cost_minor: int | None
    margin: float | None
    evidence: dict[str, str]


async def write_offer(
    session: AsyncSession,
    customer_id: uuid.UUID,
    run_id: uuid.UUID,
    order: OfferOrder,
    now: BusinessInstant,
) -> None:
    """Write an offer, or the state that it has reached; one that was made or is over stays as it is."""
    policy = (await load_win_back_policy(session)).offers
    key = run_offer_key(Visit(run_id, order.step_id, order.occurrence))
    if order.state == OfferState.PROPOSED:
        worth = await _worth(session, customer_id, order, policy, now)
        await _propose(session, customer_id, run_id, key, order, worth, now)
        return
    by = select(TaskRow.closed_by_id).where(TaskRow.effect_key == key).scalar_subquery()
    state = OfferState.PROPOSED if order.state == AGREED else OfferState(order.state)
    values = {"state": state, "decided_at": now, "decided_by_id": by}
    if order.state in {AGREED, OfferState.GRANTED}:
        values["expires_at"] = after(now, dt.timedelta(days=policy.valid_days))
    still = (OfferRow.effect_key == key, OfferRow.state == OfferState.PROPOSED)
    await session.execute(update(OfferRow).where(*still).values(values))


async def _propose(
    session: AsyncSession,
    customer_id: uuid.UUID,
    run_id: uuid.UUID,
    key: str,
    order: OfferOrder,
    worth: Worth,
    now: BusinessInstant,
) -> None:
    statement = upsert(OfferRow).values(
        id=uuid.uuid4(),
        customer_id=customer_id,
        intervention_id=run_id,
        effect_key=key,
        kind=order.kind,
        title=order.title,
        percent=order.percent,
        months=order.months,
        state=OfferState.PROPOSED,
        proposed_at=now,
        expires_at=order.decide_by,
        **vars(worth),
    )
    await session.execute(statement.on_conflict_do_nothing(index_elements=["effect_key"]))


async def _worth(
    session: AsyncSession,
    customer_id: uuid.UUID,
    order: OfferOrder,
    policy: OfferPolicy,
    now: BusinessInstant,
) -> Worth:
    currency, terms = await _paid(session, customer_id, now)
    if order.percent is None and order.months is None:
        return Worth(currency, None, None, {})
    deal = (order.kind, order.percent, order.months)
    return Worth(
        currency,
        forgone(*deal, terms),
        margin_left(order.kind, order.percent, policy),
        say_amount(order.months, longest_bill(terms)),
    )


async def _paid(
    session: AsyncSession, customer_id: uuid.UUID, now: BusinessInstant
) -> tuple[str, list[Paid]]:
    """Return the running terms in the customer's own currency; without any, their yearly revenue at once."""
    customer = (
        await session.execute(
            select(CustomerRow.currency, CustomerRow.arr_minor).where(CustomerRow.id == customer_id)
        )
    ).one()
    row = SubscriptionRow
    query = select(row.mrr_minor, row.billing_months).where(
        row.customer_id == customer_id,
        row.currency == customer.currency,
        row.is_trial.is_(False),
        or_(row.ended_at.is_(None), row.ended_at > now),
    )
    terms = [Paid(mrr, months or 1) for mrr, months in (await session.execute(query)).all()]
    return customer.currency, terms or [Paid(customer.arr_minor // YEAR, YEAR)]


async def against_run_offer(
    session: AsyncSession,
    customer_id: uuid.UUID,
    now: BusinessInstant,
    *,
    except_for: str = "",
    disputed_payments: int = 0,
) -> NoOffer | None:
    """Return what speaks against an offer to a customer now, by the limits of all offers; None if nothing.

    `except_for` is the key of the offer itself.
    """
    policy = (await load_win_back_policy(session)).offers
    facts = await load_standing_facts(session, customer_id, now, disputed_payments, except_for)
    return speaks_against(facts, policy, now)


async def grant_without_code(session: AsyncSession, key: str) -> None:
    """Note that an offer is granted of which no provider makes a code."""
    still = (OfferRow.effect_key == key, OfferRow.state == OfferState.PROPOSED)
    await session.execute(update(OfferRow).where(*still).values(state=OfferState.GRANTED))
