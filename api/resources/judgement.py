"""What people say of a customer's health and future, and where it differs from the rules and the model."""

import datetime as dt
import uuid
from typing import Annotated

from litestar import Controller, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK
from pydantic import BaseModel, ConfigDict, Field

from api.guards import needs
from api.resources.instants import Instant
from api.resources.pages import ApiRequest, hand_of, write_once
from api.resources.shapes import Shape
from domain.permissions import Permission
from domain.stances import Forecast, OverrideEnd, Stance
from domain.time import business
from domain.vocabulary import HealthStatus
from models.clock import StoredClock
from models.database import Database, Session
from models.forecasts import ForecastLine, state_forecast
from models.health_overrides import LONGEST_REASON, OverrideLine, end_override, override_health
from models.resources.customers import check_customer
from models.views.judgement import DisagreementLine, load_disagreements, load_judgement

READ, WRITE = needs(Permission.READ_CUSTOMERS), needs(Permission.DO_WORK)
Reason = Annotated[str, Field(min_length=1, max_length=LONGEST_REASON, description="Why; kept with it.")]


class NewOverride(BaseModel):
    """A person's own verdict, until an instant in the next 180 days."""

    model_config = ConfigDict(extra="forbid")

    status: HealthStatus
    reason: Reason
    until: Instant


class NewForecast(BaseModel):
    """What somebody expects of a customer."""

    model_config = ConfigDict(extra="forbid")

    forecast: Forecast
    reason: Reason


class OverrideShape(Shape):
    """A person's verdict, what the rules said when it was set, and how it ended, if it has."""

    status: HealthStatus
    reason: str
    by: str
    set_at: dt.datetime
    until: dt.datetime
    rules_status: HealthStatus | None
    rules_score: int | None
    ended_at: dt.datetime | None
    ended_how: OverrideEnd | None
    ended_by: str | None


class ForecastShape(Shape):
    """What somebody expected, and when."""

    forecast: Forecast
    reason: str
    by: str
    said_at: dt.datetime


class DisagreementShape(Shape):
    """Views that differ: who expects what, what was decided, and who was right once that is known."""

    customer_id: uuid.UUID
    customer: str
    state: str = Field(description="seen, open (a person is asked), decided, or over.")
    views: dict[str, Stance]
    began_at: dt.datetime
    opened_at: dt.datetime | None
    due_at: dt.datetime | None
    decided: Stance | None
    decided_at: dt.datetime | None
    by_policy: str | None = Field(description="The rule that settled it, where nobody answered in time.")
    ended_at: dt.datetime | None
    left: bool | None = Field(description="Whether the customer left; null until it is known.")
    right: dict[str, bool]


class JudgementShape(Shape):
    """Everything that people say of one customer, the newest first."""

    overrides: list[OverrideShape]
    forecasts: list[ForecastShape]
    disagreements: list[DisagreementShape]


class RightShape(Shape):
    """How often one view was right where views differed."""

    view: str
    right: int
    of: int


class DisagreementsShape(Shape):
    """The newest disagreements that were put to people, those that wait first, and who was right so far."""

    items: list[DisagreementShape]
    right: list[RightShape]


class JudgementController(Controller):
    """What people say of one customer."""

    path = "/customers/{customer_id:uuid}"
    opt = READ
    tags = ["Judgement"]  # noqa: RUF012  as Litestar declares it

    @get("/judgement")
    async def show(
        self, customer_id: FromPath[uuid.UUID], database: NamedDependency[Database]
    ) -> JudgementShape:
        """Return people's verdicts, forecasts, and where views differ."""
        async with database.transaction() as session:
            return await _judgement(session, customer_id)

    @put("/health-override", opt=WRITE)
    async def override(
        self,
        request: ApiRequest,
        customer_id: FromPath[uuid.UUID],
        data: JSONBody[NewOverride],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> JudgementShape:
        """Set a status by hand in the place of the rules'; the assessment says both."""

        async def write(session: Session) -> JudgementShape:
            until, by = business(data.until), hand_of(request, clock)
            await override_health(session, customer_id, data.status, data.reason, until, by)
            return await _judgement(session, customer_id)

        return await write_once(request, database, clock, JudgementShape, write)

    @delete("/health-override", opt=WRITE, status_code=HTTP_200_OK)
    async def withdraw(
        self,
        request: ApiRequest,
        customer_id: FromPath[uuid.UUID],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> JudgementShape:
        """Go back to the rules' own status."""

        async def write(session: Session) -> JudgementShape:
            await end_override(session, customer_id, hand_of(request, clock))
            return await _judgement(session, customer_id)

        return await write_once(request, database, clock, JudgementShape, write)

    @post("/forecasts", opt=WRITE, status_code=HTTP_200_OK)
    async def forecast(
        self,
        request: ApiRequest,
        customer_id: FromPath[uuid.UUID],
        data: JSONBody[NewForecast],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> JudgementShape:
        """Note what somebody expects; it is compared with health and risk each night."""

        async def write(session: Session) -> JudgementShape:
            by = hand_of(request, clock)
            await state_forecast(session, customer_id, data.forecast, data.reason, by)
            return await _judgement(session, customer_id)

        return await write_once(request, database, clock, JudgementShape, write)


@get("/disagreements", opt=READ, tags=["Judgement"])
async def disagreements(database: NamedDependency[Database]) -> DisagreementsShape:
    """List where health, risk and forecasts differ, and count who was right."""
    async with database.transaction() as session:
        found = await load_disagreements(session)
    return DisagreementsShape(
        items=[_disagreement(line) for line in found.lines],
        right=[RightShape(view=one.name, right=one.right, of=one.of) for one in found.scores],
    )


async def _judgement(session: Session, customer_id: uuid.UUID) -> JudgementShape:
    await check_customer(session, customer_id)
    found = await load_judgement(session, customer_id)
    return JudgementShape(
        overrides=[_override(line) for line in found.overrides],
        forecasts=[_forecast(line) for line in found.forecasts],
        disagreements=[_disagreement(line) for line in found.disagreements],
    )


def _override(line: OverrideLine) -> OverrideShape:
    return OverrideShape.model_validate(vars(line))


def _forecast(line: ForecastLine) -> ForecastShape:
    return ForecastShape.model_validate(vars(line))


def _disagreement(line: DisagreementLine) -> DisagreementShape:
    voices = line.voices
    views = {"health": voices.health, "risk": voices.risk, "csm": voices.csm}
    told = {**vars(line), "views": views, "state": line.state, "right": line.right}
    return DisagreementShape.model_validate(told)
