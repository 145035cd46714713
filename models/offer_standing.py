"""What speaks against an offer to any customer: others beside it, a running discount, signs of misuse."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import Select, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from domain.offers import OfferFacts, PastOffer
from domain.time import BusinessInstant
from models.relations import load_relations
from models.tables.customers import CustomerRow
from models.tables.facts import SubscriptionRow
from models.tables.runs import OfferRow

_TWINS = text("""
WITH used AS (
    SELECT DISTINCT customer_id FROM offers WHERE redeemed_at IS NOT NULL AND customer_id <> :customer
), mine AS (
    SELECT DISTINCT lower(contact.email) AS email
    FROM contact_roles AS role JOIN contacts AS contact ON contact.id = role.contact_id
    WHERE role.customer_id = :customer AND contact.email IS NOT NULL
)
SELECT EXISTS (
         SELECT FROM used JOIN customers AS other ON other.id = used.customer_id
         WHERE lower(other.domain) = (SELECT lower(domain) FROM customers WHERE id = :customer)) AS domain,
       EXISTS (
         SELECT FROM used
         JOIN contact_roles AS role ON role.customer_id = used.customer_id
         JOIN contacts AS contact ON contact.id = role.contact_id
         WHERE lower(contact.email) IN (SELECT email FROM mine)) AS address,
       EXISTS (
         SELECT FROM payment_attempts AS theirs
         JOIN invoices AS invoice ON invoice.id = theirs.invoice_id
         JOIN used ON used.customer_id = invoice.customer_id
         WHERE theirs.card_key <> '' AND theirs.card_key IN (
           SELECT attempt.card_key FROM payment_attempts AS attempt
           JOIN invoices AS own ON own.id = attempt.invoice_id
           WHERE own.customer_id = :customer)) AS card
""")
NAMES = {"address": "e-mail address", "domain": "domain", "card": "card"}


async def load_standing_facts(
    session: AsyncSession,
    customer_id: uuid.UUID,
    now: BusinessInstant,
    disputed_payments: int,
    except_for: str,
) -> OfferFacts:
    """Return what speaks against an offer to somebody who is a customer: nothing that it would be chosen by.

    `except_for` is the key of the offer in question, which is not beside itself.
    """
    query = select(CustomerRow.arr_minor, CustomerRow.currency).where(CustomerRow.id == customer_id)
    customer = (await session.execute(query)).one()
    relation = (await load_relations(session, {customer_id}))[customer_id]
    returns = (one.until for one in relation.absences())
    return OfferFacts(
        arr_minor=customer.arr_minor,
        currency=customer.currency,
        tenure=max(now - relation.started_at, dt.timedelta()),
        past=await past_offers(session, customer_id, None, except_for),
        has_discount=await has_discount(session, customer_id),
        returns=tuple(at for at in returns if at is not None),
        disputed_payments=disputed_payments,
        used_by_twins=await shared_with_users(session, customer_id),
    )


async def past_offers(
    session: AsyncSession, customer_id: uuid.UUID, case_id: uuid.UUID | None, except_for: str = ""
) -> tuple[PastOffer, ...]:
    """Return the offers that a customer had, the oldest first; those of `case_id` are of this departure."""
    row = OfferRow
    query = select(row.state, row.expires_at, row.redeemed_at, row.case_id, row.code.is_not(None)).where(
        row.customer_id == customer_id, row.effect_key != except_for
    )
    found = await session.execute(query.order_by(row.proposed_at, row.effect_key))
    is_asked = case_id is not None
    return tuple(
        PastOffer(state, expires, redeemed, is_of_this_case=is_asked and of == case_id, was_made=was_made)
        for state, expires, redeemed, of, was_made in found
    )


async def has_discount(session: AsyncSession, customer_id: uuid.UUID) -> bool:
    """Tell whether what they paid last was discounted: what they would come back to is, too."""
    return bool(await session.scalar(_newest_term(SubscriptionRow.discount, customer_id)))


async def billing_months(session: AsyncSession, customer_id: uuid.UUID) -> int:
    """Return how many months a bill of what they paid last was for: what they would come back to is, too."""
    return await session.scalar(_newest_term(SubscriptionRow.billing_months, customer_id)) or 1


def _newest_term(column: InstrumentedAttribute[Any], customer_id: uuid.UUID) -> Select[Any]:
    row = SubscriptionRow
    newest = select(column).where(row.customer_id == customer_id)
    return newest.order_by(row.started_at.desc(), row.external_id).limit(1)


async def shared_with_users(session: AsyncSession, customer_id: uuid.UUID) -> tuple[str, ...]:
    """Say what they share with another customer who has used an offer."""
    found = (await session.execute(_TWINS, {"customer": customer_id})).mappings().one()
    return tuple(words for name, words in NAMES.items() if found[name])
