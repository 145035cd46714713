"""Setting the business clock to the end of imported data, where nothing was lived through yet."""

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import InvalidInputError
from domain.time import BusinessInstant, WallInstant
from models.clock import load_timeline, start_clock
from models.clock_rings import ring_open_lifecycles
from models.tables.customers import CustomerRow
from models.tables.ledger import DecisionRow, EffectRow

OPTION = "--set-clock"


async def refuse_to_set_clock(session: AsyncSession) -> None:
    """Raise InvalidInputError unless the installation is fresh: no customer, decision or effect yet."""
    lived = (
        ("customers", exists().select_from(CustomerRow)),
        ("decisions", exists().select_from(DecisionRow)),
        ("effects", exists().select_from(EffectRow)),
    )
    for what, clause in lived:
        if await session.scalar(select(clause)):
            reason = (
                f"this installation already has {what}, and its time would jump under them; "
                "import into a fresh one (another EVERSTAY_HOME), or add --force"
            )
            raise InvalidInputError(field=OPTION, reason=reason)


async def set_clock(session: AsyncSession, at: BusinessInstant, wall: WallInstant) -> None:
    """Let business time go on from `at`, at the pace it has, and tell who waits by it."""
    timeline = await load_timeline(session)
    rate = timeline.segments[-1].rate if timeline is not None else 1.0
    await start_clock(session, wall, at=at, rate=rate or 1.0)
    await ring_open_lifecycles(session, at, wall)


async def business_now(session: AsyncSession, wall: WallInstant) -> BusinessInstant:
    """Return business time; on a database without a clock it is the wall's."""
    timeline = await load_timeline(session)
    return BusinessInstant(wall) if timeline is None else timeline.business_at(wall)
