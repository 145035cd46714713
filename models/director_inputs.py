"""Everything that one decision reads, loaded under the customer's row lock."""

import uuid
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from domain.customer_state import CustomerState, DirectorPolicy, HeardNotice
from domain.time import BusinessInstant, WallInstant
from models.contact_policy import load_contact_policy
from models.customer_state import load_customer_state
from models.installation import load_installation, release_left
from models.outbox import take_notices
from models.playbooks import PlaybookShelf
from models.touches import note_finished_tasks


@dataclass(frozen=True)
class DirectorInputs:
    """The arguments of `domain.director.decide`, without memory and time."""

    state: CustomerState
    notices: tuple[HeardNotice, ...]
    policy: DirectorPolicy


async def load_director_inputs(
    session: AsyncSession,
    customer_id: uuid.UUID,
    shelf: PlaybookShelf,
    now: BusinessInstant,
    wall: WallInstant,
) -> DirectorInputs:
    """Consume the customer's notices and return what to decide on."""
    notices = await take_notices(session, customer_id, wall)
    await note_finished_tasks(session, customer_id, notices, now)
    state = await load_customer_state(session, customer_id, shelf)
    heard = tuple(HeardNotice(notice.kind, notice.payload, notice.occurred_at) for notice in notices)
    return DirectorInputs(state, heard, await _policy(session, shelf, now))


async def _policy(session: AsyncSession, shelf: PlaybookShelf, now: BusinessInstant) -> DirectorPolicy:
    contact = await load_contact_policy(session)
    installation = await load_installation(session)
    return DirectorPolicy(
        await shelf.current(session),
        contact.longest_silence_days,
        await release_left(session, installation, now),
    )
