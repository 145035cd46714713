"""Send a letter as the sending activity does, with something in between its claim and its send."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from activities.letters import Letterhead
from domain.links import LinkMaker
from domain.ports import EmailAddress
from domain.time import BusinessInstant, WallInstant
from integrations.invitations import CalendarInvitations
from integrations.jinja_renderer import JinjaMessageRenderer
from models.posts import RunPost
from models.send_claims import Begun, Route, Unsent
from workers.library import LIBRARY

LETTERHEAD = Letterhead(
    JinjaMessageRenderer(LIBRARY / "templates"),
    LinkMaker("https://vendor.example", "a key of the tests"),
    EmailAddress("success@vendor.example", "Customer Success"),
    CalendarInvitations(),
)


@dataclass(frozen=True)
class InterruptedPost(RunPost):
    """A run's message to whose reader something happens right after its claim."""

    then: Callable[[AsyncSession], Awaitable[object]] | None = None

    async def begin(
        self,
        session: AsyncSession,
        route: Route,
        now: BusinessInstant,
        wall: WallInstant,
        lost: Unsent | None = None,
    ) -> Begun:
        begun = await super().begin(session, route, now, wall, lost)
        if self.then is not None:
            await self.then(session)
        return begun


@dataclass
class StandingClock:
    """A clock that stands where the test put it."""

    at: BusinessInstant

    def now(self) -> BusinessInstant:
        return self.at

    def wall_now(self) -> WallInstant:
        return WallInstant(self.at)

    def wall_at(self, due: BusinessInstant) -> WallInstant:
        return WallInstant(due)

    def business_at(self, wall: WallInstant) -> BusinessInstant:
        return BusinessInstant(wall)
