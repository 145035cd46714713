"""What our people say of a meeting on the page of its run."""

import datetime as dt
import uuid
from collections.abc import Mapping
from urllib.parse import urlencode

from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Response

from api.guards import needs
from api.web.desk import DESK, Desk
from domain.errors import ConflictError, InvalidInputError
from domain.permissions import Permission
from domain.time import BusinessInstant, business
from models.meeting_changes import MeetingChange, change_meeting
from models.views.meetings import load_meeting


class MeetingController(Controller):
    """The buttons beside a meeting."""

    path = "/meetings"
    dependencies = DESK
    include_in_schema = False
    opt = needs(Permission.DO_WORK)

    @post("/{meeting_id:uuid}")
    async def tell(self, desk: NamedDependency[Desk], meeting_id: FromPath[uuid.UUID]) -> Response[None]:
        """Write down one answer, a new time, or that it was held, and go back to the run."""
        form = await desk.request.form()
        async with desk.database.transaction() as session:
            meeting = await load_meeting(session, meeting_id)
        place = f"/runs/{meeting.intervention_id}"
        try:
            change = _change(form, desk)
            async with desk.database.transaction() as session:
                await change_meeting(session, meeting_id, change, desk.now, desk.wall)
        except (ConflictError, InvalidInputError) as error:
            return desk.go(f"{place}?{urlencode({'problem': str(error)})}")
        return desk.go(place)


def _change(form: Mapping[str, object], desk: Desk) -> MeetingChange:
    match str(form.get("act") or ""):
        case "accepted":
            return MeetingChange(answer="accepted")
        case "declined":
            return MeetingChange(answer="declined")
        case "held":
            return MeetingChange(was_held=True, by_id=desk.user.id)
        case "moved":
            return MeetingChange(starts_at=_time(str(form.get("starts_at") or ""), desk))
    raise InvalidInputError(field="act", reason="press one of the buttons")


def _time(told: str, desk: Desk) -> BusinessInstant:
    """Read what the browser's clock field says, in the zone of whoever filled it in."""
    try:
        return business(dt.datetime.fromisoformat(told).replace(tzinfo=desk.say.zone))
    except (ValueError, OverflowError):
        raise InvalidInputError(field="starts_at", reason="write the time as 2026-01-31T14:30") from None
