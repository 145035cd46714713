"""Marketing mail that others sent through our mail provider: it spends the customer's contact budget too."""

from domain.addresses import by_mail, is_mail
from domain.delivery_events import DeliveryEvent
from domain.facts import TouchpointFact
from domain.time import WallInstant
from domain.vocabulary import Channel, Direction, Purpose
from models.clock import load_timeline, start_clock
from models.database import Session
from models.facts import store_facts
from models.sources import Source, connect_source

CAMPAIGNS = "campaigns"
"""The source id of campaigns that the mail provider reports."""


async def keep_campaign_mail(session: Session, event: DeliveryEvent, wall: WallInstant) -> None:
    """Keep that a campaign reached somebody; who is nobody's contact does not concern us."""
    if not is_mail(event.email):
        return
    timeline = await load_timeline(session) or await start_clock(session, wall)
    now = timeline.business_at(wall)
    await connect_source(session, Source(CAMPAIGNS, "Campaigns", "everstay", (), now))
    whom = by_mail(event.email)
    sent = TouchpointFact(
        key=event.event_id,
        known_at=now,
        customer=whom,
        contact=whom,
        direction=Direction.OUT,
        channel=Channel.EMAIL,
        purpose=Purpose.MARKETING,
        occurred_at=min(timeline.happened_at(event.occurred_at), now),
    )
    await store_facts(session, CAMPAIGNS, [sent], received_at=wall)
