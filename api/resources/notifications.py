"""`/api/me/notifications`: which warnings one gets by e-mail, and until when one is away."""

from litestar import Controller, get, put
from litestar.di import NamedDependency
from litestar.params import JSONBody
from pydantic import BaseModel

from api.guards import SIGNED_IN
from api.resources.instants import Instant
from api.resources.pages import ApiRequest, write_once
from domain.notifications import MailChoice, NotificationChoices
from domain.time import business
from models.clock import StoredClock
from models.database import Database, Session
from models.notifications import Preferences, load_preferences, save_preferences


class Notifications(BaseModel):
    """By severity: at once, in each weekday's digest, or never. While away, a manager stands in."""

    critical: MailChoice = MailChoice.AT_ONCE
    high: MailChoice = MailChoice.AT_ONCE
    medium: MailChoice = MailChoice.DIGEST
    info: MailChoice = MailChoice.DIGEST
    away_until: Instant | None = None


class NotificationController(Controller):
    """One's own choices; a key is nobody and has none."""

    path = "/me/notifications"
    opt = SIGNED_IN
    tags = ["Work"]  # noqa: RUF012  as Litestar declares it

    @get("/")
    async def show(self, request: ApiRequest, database: NamedDependency[Database]) -> Notifications:
        """Return what holds for whoever asks."""
        async with database.transaction() as session:
            return _told(await load_preferences(session, request.user.signed_in().id))

    @put("/")
    async def replace(
        self,
        request: ApiRequest,
        data: JSONBody[Notifications],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> Notifications:
        """Choose anew; what is not named gets its default."""
        user_id = request.user.signed_in().id
        choices = NotificationChoices(data.critical, data.high, data.medium, data.info)
        chosen = Preferences(choices, business(data.away_until) if data.away_until else None)

        async def write(session: Session) -> Notifications:
            await save_preferences(session, user_id, chosen, clock.wall_now())
            return _told(chosen)

        return await write_once(request, database, clock, Notifications, write)


def _told(preferences: Preferences) -> Notifications:
    return Notifications(**vars(preferences.choices), away_until=preferences.away_until)
