"""What a message belongs to, as the sending activity sees it: it is begun, recorded, and doubted there."""

from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import StepState
from models.doubts import Asker, ask_about, whether_arrived
from models.playbooks import PlaybookShelf
from models.send_claims import Begun, Lost, Ready, Route, Unsent, begin_send
from models.send_ledger import Become, count_as_touch, record_step
from models.step_visits import Visit


class Post(Protocol):
    """One message of a run or of a case. Each call is within a transaction."""

    async def begin(
        self,
        session: AsyncSession,
        route: Route,
        now: BusinessInstant,
        wall: WallInstant,
        lost: Unsent | None = None,
    ) -> Begun:
        """Lock the customer, ask everything that speaks against the message, and claim it."""
        ...

    async def record(
        self, session: AsyncSession, ready: Ready | Lost, become: Become, now: BusinessInstant
    ) -> None:
        """Write what became of the message where it belongs; what waits for a person is put to one.

        The caller holds the customer's lock.
        """
        ...


@dataclass(frozen=True)
class RunPost:
    """The message of one visit of one step of a run."""

    visit: Visit
    shelf: PlaybookShelf

    async def begin(
        self,
        session: AsyncSession,
        route: Route,
        now: BusinessInstant,
        wall: WallInstant,
        lost: Unsent | None = None,
    ) -> Begun:
        """Ask the guard with what the run knows."""
        return await begin_send(session, self.visit, self.shelf, route, now, wall, lost)

    async def record(
        self, session: AsyncSession, ready: Ready | Lost, become: Become, now: BusinessInstant
    ) -> None:
        """Write it into the step's record."""
        await record_step(session, self.visit, ready.context, become, now)
        if become.state is StepState.DONE:
            await count_as_touch(session, ready.context, now)
        if become.state is StepState.WAITING:
            context = ready.context
            asker = Asker(self.visit.origin, context.customer_id, run_id=self.visit.intervention_id)
            await ask_about(session, asker, whether_arrived(ready.effect.delivery_id, context.csm_id), now)
