"""The page on which people choose which warnings they get by e-mail, and say until when they are away."""

import datetime as dt
from collections.abc import Mapping

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.response import Response, Template

from api.guards import SIGNED_IN
from api.web.desk import DESK, Desk
from api.web.query import text
from domain.errors import InvalidInputError
from domain.heads_up_mail import MORNING
from domain.notifications import MailChoice, NotificationChoices
from domain.time import BusinessInstant, business
from domain.vocabulary import Severity
from models.notifications import Preferences, load_preferences, save_preferences

PLACE = "/me/notifications"
CHOICES = {
    MailChoice.AT_ONCE: "At once",
    MailChoice.DIGEST: "In the morning's digest",
    MailChoice.NEVER: "Never",
}
LONGEST_AWAY_DAYS = 366


class NotificationPage(Controller):
    """One's own choices."""

    path = PLACE
    dependencies = DESK
    include_in_schema = False
    opt = SIGNED_IN

    @get("/")
    async def show(self, desk: NamedDependency[Desk]) -> Template:
        """Show what holds now."""
        async with desk.reading() as session:
            preferences = await load_preferences(session, desk.user.id)
        away = preferences.away_until
        return desk.page(
            "notifications.html",
            preferences=preferences,
            severities=reversed(Severity),
            choices=CHOICES,
            back_on=desk.say.local(away).date() if away and away > desk.now else None,
            morning=f"{MORNING:%H:%M}",
            flash=text(desk.query, "said", 200),
            problem=text(desk.query, "problem", 300),
        )

    @post("/")
    async def save(self, desk: NamedDependency[Desk]) -> Response[None]:
        """Put the form's choices in place of those before."""
        form = await desk.request.form()
        try:
            chosen = Preferences(_choices(form), _back_on(desk, form))
        except InvalidInputError:
            return desk.go(f"{PLACE}?problem=Choose+one+for+each+severity%2C+and+a+day+in+the+next+year.")
        async with desk.database.transaction() as session:
            await save_preferences(session, desk.user.id, chosen, desk.wall)
        return desk.go(f"{PLACE}?said=Saved.")


def _choices(form: Mapping[str, object]) -> NotificationChoices:
    try:
        chosen = {one.value: MailChoice(str(form.get(one.value) or "")) for one in Severity}
    except ValueError:
        raise InvalidInputError(field="severity", reason="choose one for each") from None
    return NotificationChoices(**chosen)


def _back_on(desk: Desk, form: Mapping[str, object]) -> BusinessInstant | None:
    """Return the first instant of the reader's day on which they are back, none where they are here."""
    given = str(form.get("back_on") or "").strip()
    if not given:
        return None
    try:
        day = dt.date.fromisoformat(given)
    except ValueError:
        raise InvalidInputError(field="back_on", reason="a date") from None
    if not desk.say.today < day <= desk.say.today + dt.timedelta(days=LONGEST_AWAY_DAYS):
        raise InvalidInputError(field="back_on", reason="a day in the next year")
    return business(dt.datetime(day.year, day.month, day.day, tzinfo=desk.say.zone))
