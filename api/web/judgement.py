"""What people say of a customer's health and future, and the list of where views differ."""

import datetime as dt
import uuid
from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Response, Template

from api.guards import needs
from api.web.desk import DESK, Desk
from api.web.run_control import Form, field, hand_at
from domain.disagreement import NAMES, RULES
from domain.errors import EverstayError, InvalidInputError
from domain.permissions import Permission
from domain.stances import Forecast
from domain.time import BusinessInstant, start_of_day
from domain.vocabulary import HealthStatus
from models.database import Session
from models.forecasts import state_forecast
from models.health_overrides import end_override, override_health
from models.scores import load_policy
from models.views.judgement import load_disagreements

Saying = Callable[[Session, uuid.UUID, Form, Desk], Awaitable[str]]
VIEWS = {**NAMES, "decision": "what was decided"}


class JudgementController(Controller):
    """Forms on the customer's page; for those who do customer work."""

    path = "/customers/{customer_id:uuid}"
    dependencies = DESK
    include_in_schema = False
    opt = needs(Permission.DO_WORK)

    @post("/health-override")
    async def override(self, desk: NamedDependency[Desk], customer_id: FromPath[uuid.UUID]) -> Response[None]:
        """Set a person's verdict on health, or withdraw it."""
        return await _say(desk, customer_id, _override)

    @post("/forecast")
    async def forecast(self, desk: NamedDependency[Desk], customer_id: FromPath[uuid.UUID]) -> Response[None]:
        """Note what a person expects."""
        return await _say(desk, customer_id, _forecast)


class DisagreementController(Controller):
    """Where health, risk and forecast differ, and who was right."""

    path = "/disagreements"
    dependencies = DESK
    include_in_schema = False
    opt = needs(Permission.READ_CUSTOMERS)

    @get("/")
    async def show(self, desk: NamedDependency[Desk]) -> Template:
        """Show what was put to people, those that wait first."""
        async with desk.reading() as session:
            found = await load_disagreements(session)
            policy = (await load_policy(session)).disagreement
        return desk.page("disagreements.html", found=found, policy=policy, rules=RULES, views=VIEWS)


async def _say(desk: Desk, customer_id: uuid.UUID, said: Saying) -> Response[None]:
    form = dict(await desk.request.form())
    place = f"/customers/{customer_id}"
    try:
        async with desk.database.transaction() as session:
            told = await said(session, customer_id, form, desk)
    except EverstayError as error:
        return desk.go(f"{place}?{urlencode({'problem': str(error)})}#judgement")
    return desk.go(f"{place}?{urlencode({'said': told})}")


async def _override(session: Session, customer_id: uuid.UUID, form: Form, desk: Desk) -> str:
    if field(form, "end"):
        await end_override(session, customer_id, hand_at(desk))
        return "Withdrawn: the rules' own status holds again."
    until, status = _day(form), _status(form)
    await override_health(session, customer_id, status, field(form, "reason"), until, hand_at(desk))
    return "Set by hand. The assessment says both."


async def _forecast(session: Session, customer_id: uuid.UUID, form: Form, desk: Desk) -> str:
    try:
        forecast = Forecast(field(form, "forecast"))
    except ValueError:
        raise InvalidInputError(field="forecast", reason="say what you expect") from None
    await state_forecast(session, customer_id, forecast, field(form, "reason"), hand_at(desk))
    return "Noted. It is compared with health and risk each night."


def _status(form: Form) -> HealthStatus:
    try:
        return HealthStatus(field(form, "status"))
    except ValueError:
        raise InvalidInputError(field="status", reason="choose one") from None


def _day(form: Form) -> BusinessInstant:
    try:
        return start_of_day(dt.date.fromisoformat(field(form, "until")))
    except ValueError:
        raise InvalidInputError(field="until", reason="choose a day, such as 2026-12-24") from None
