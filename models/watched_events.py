"""Which of the events that people perform a playbook waits for: their customers are rung at once."""

from collections.abc import Iterable

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.condition_needs import needs_of
from domain.playbook import Playbook
from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import NoticeKind
from models.attribution_queries import FEATURE, IS_COUNTED
from models.outbox import Notice, put_notices
from models.playbooks import PlaybookShelf
from models.standing_orders import load_standing_orders

_WHO = text(f"""
SELECT customer_id FROM (
    SELECT customer_id, {FEATURE} AS feature FROM attributed
    WHERE customer_id IS NOT NULL AND {IS_COUNTED} AND was_held IS NULL AND occurred_at >= :since
) AS done
WHERE feature = ANY(CAST(:names AS text[])) GROUP BY customer_id
""")  # noqa: S608 - constants only


def watched_names(playbooks: Iterable[Playbook]) -> frozenset[str]:
    """Return the names of events that open a playbook, or that its conditions ask for."""
    names: set[str] = set()
    for document in playbooks:
        names |= {document.trigger.event.performed} if document.trigger.event is not None else set()
        names |= {name for name, _days in needs_of(*document.conditions()).performed}
    return frozenset(names)


async def tell_of_watched_events(
    session: AsyncSession, shelf: PlaybookShelf, now: BusinessInstant, wall: WallInstant
) -> None:
    """Put a notice for each customer whose people just did what a playbook waits for.

    What happened long ago, and comes now because its sender was slow or its owner was found, tells nobody.
    """
    names = watched_names(known.document for known in (await load_standing_orders(session, shelf)).playbooks)
    if not names:
        return
    since = BusinessInstant(now.replace(hour=0, minute=0, second=0, microsecond=0))
    customers = (await session.scalars(_WHO, {"names": sorted(names), "since": since})).all()
    await put_notices(session, [Notice(one, NoticeKind.PERFORMED, {}, now) for one in customers], wall)
