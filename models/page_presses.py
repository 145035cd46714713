"""A button that was pressed on the page of a letter: the one click of it that certainly a person made."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.delivery_events import DeliveryEvent, DeliveryEventKind
from domain.links import BillingLink
from domain.time import WallInstant
from domain.vocabulary import Direction
from models.provider_events import store_events
from models.tables.ledger import EffectRow, TouchpointRow

OWN_PAGES = "everstay"
"""Who tells of such a click, beside the mail providers that tell of others."""


async def note_press(
    session: AsyncSession, link: BillingLink, place: str, wall: WallInstant, *, is_machine: bool
) -> bool:
    """Keep it, once, as a click in the newest letter of the case to this person; True where it was news.

    It is applied as the events of providers are, and judged with them.
    """
    delivery_id = await _letter(session, link)
    if delivery_id is None:
        return False
    event = DeliveryEvent(
        event_id=f"press/{delivery_id}",
        kind=DeliveryEventKind.CLICKED,
        delivery_id=delivery_id,
        email="",
        occurred_at=wall,
        url=place,
        is_machine=is_machine,
    )
    return await store_events(session, OWN_PAGES, [event], wall) > 0


async def _letter(session: AsyncSession, link: BillingLink) -> str | None:
    point, effect = TouchpointRow, EffectRow
    query = (
        select(effect.delivery_id)
        .join(point, point.effect_key == effect.key)
        .where(
            point.case_id == link.case_id,
            point.contact_id == link.contact_id,
            point.direction == Direction.OUT,
        )
        .order_by(point.occurred_at.desc(), point.id)
        .limit(1)
    )
    found: str | None = await session.scalar(query)
    return found
