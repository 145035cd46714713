"""`/api/meetings`: what our people say of the meetings that runs plan."""

import datetime as dt
import uuid
from typing import Literal, Self

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK
from pydantic import BaseModel, ConfigDict, model_validator

from api.guards import needs
from api.resources.instants import Instant
from api.resources.pages import ApiRequest, write_once
from api.resources.shapes import Shape
from domain.permissions import Permission
from domain.time import BusinessInstant
from models.clock import StoredClock
from models.database import Database, Session
from models.meeting_changes import MeetingChange, change_meeting
from models.views.meetings import load_meeting


class Meeting(Shape):
    """A meeting that a run planned. `answer` is what the customer said last; null is no answer yet."""

    id: uuid.UUID
    customer_id: uuid.UUID
    contact_id: uuid.UUID
    intervention_id: uuid.UUID
    step_id: str
    kind: str
    title: str
    scheduled_at: dt.datetime
    minutes: int
    organiser_id: uuid.UUID | None
    answer: str | None
    answered_at: dt.datetime | None
    held_at: dt.datetime | None
    cancelled_at: dt.datetime | None


class MeetingTold(BaseModel):
    """What is known now: the customer's answer, an agreed time, that it was held. At least one of them."""

    model_config = ConfigDict(extra="forbid")

    answer: Literal["accepted", "declined", "tentative"] | None = None
    scheduled_at: Instant | None = None
    held: Literal[True] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.answer is None and self.scheduled_at is None and self.held is None:
            raise ValueError("say at least one of answer, scheduled_at and held")
        return self


class MeetingController(Controller):
    """Meetings of runs."""

    path = "/meetings/{meeting_id:uuid}"
    opt = needs(Permission.READ_RUNS)
    tags = ["Runs"]  # noqa: RUF012  as Litestar declares it

    @get("/")
    async def show(self, meeting_id: FromPath[uuid.UUID], database: NamedDependency[Database]) -> Meeting:
        """Return one meeting that a run planned."""
        async with database.transaction() as session:
            return Meeting.model_validate(vars(await load_meeting(session, meeting_id)))

    @post("/", opt=needs(Permission.DO_WORK), status_code=HTTP_200_OK)
    async def tell(
        self,
        request: ApiRequest,
        meeting_id: FromPath[uuid.UUID],
        data: JSONBody[MeetingTold],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> Meeting:
        """Say what the customer answered, when it takes place, or that it did; its run goes on."""
        starts_at = None if data.scheduled_at is None else BusinessInstant(data.scheduled_at)
        change = MeetingChange(data.answer, starts_at, was_held=bool(data.held), by_id=request.user.user_id)

        async def write(session: Session) -> Meeting:
            await change_meeting(session, meeting_id, change, clock.now(), clock.wall_now())
            return Meeting.model_validate(vars(await load_meeting(session, meeting_id)))

        return await write_once(request, database, clock, Meeting, write)
