"""What speaks for and against an offer to a former customer, gathered from the books."""

import datetime as dt

from sqlalchemy.ext.asyncio import AsyncSession

from domain.offers import OfferFacts
from domain.vocabulary import CancellationReason
from models.cases import StoredCase
from models.offer_standing import billing_months, has_discount, past_offers, shared_with_users
from models.relations import load_relations
from models.tables.cases import WinBackRow


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
        past=await past_offers(session, case.customer_id, case.id),
        billing_months=await billing_months(session, case.customer_id),
        has_discount=await has_discount(session, case.customer_id),
        returns=tuple(at for at in returns if at is not None),
        disputed_payments=disputed_payments,
        used_by_twins=await shared_with_users(session, case.customer_id),
    )
