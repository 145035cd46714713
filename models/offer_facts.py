"""What speaks for and against an offer to a former customer, gathered from the books."""

import datetime as dt
import uuid

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.offers import OfferFacts, PastOffer
from domain.vocabulary import CancellationReason
from models.cases import StoredCase
from models.relations import load_relations
from models.tables.cases import WinBackRow
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


async def load_offer_facts(
    session: AsyncSession, case: StoredCase, row: WinBackRow, disputed_payments: int
) -> OfferFacts:
    """Return what an offer of a case is chosen by; what the provider knows of disputes is given."""
    relation = (await load_relations(session, {case.customer_id}))[case.customer_id]
    returns = (one.until for one in relation.absences() if one.since < row.cancelled_at)
    return OfferFacts(
        arr_minor=row.lost_arr_minor,
        currency=row.currency,
        tenure=max(row.cancelled_at - relation.started_at, dt.timedelta()),
        reason=CancellationReason(row.reason) if row.reason else None,
        past=await _past(session, case),
        has_discount=await _has_discount(session, case.customer_id),
        returns=tuple(at for at in returns if at is not None),
        disputed_payments=disputed_payments,
        used_by_twins=await _twins(session, case.customer_id),
    )


async def _past(session: AsyncSession, case: StoredCase) -> tuple[PastOffer, ...]:
    row = OfferRow
    query = select(row.state, row.expires_at, row.redeemed_at, row.case_id, row.code.is_not(None)).where(
        row.customer_id == case.customer_id
    )
    found = await session.execute(query.order_by(row.proposed_at, row.effect_key))
    return tuple(
        PastOffer(state, expires, redeemed, is_of_this_case=case_id == case.id, was_made=was_made)
        for state, expires, redeemed, case_id, was_made in found
    )


async def _has_discount(session: AsyncSession, customer_id: uuid.UUID) -> bool:
    """Tell whether what they paid last was discounted: what they would come back to is, too."""
    row = SubscriptionRow
    newest = select(row.discount).where(row.customer_id == customer_id)
    discount = await session.scalar(newest.order_by(row.started_at.desc(), row.external_id).limit(1))
    return bool(discount)


async def _twins(session: AsyncSession, customer_id: uuid.UUID) -> tuple[str, ...]:
    """Say what they share with another customer who has used an offer."""
    found = (await session.execute(_TWINS, {"customer": customer_id})).mappings().one()
    return tuple(words for name, words in NAMES.items() if found[name])
