"""Where an invited person answers. A link only shows; the button on its page changes something."""

import uuid
from typing import Any

from litestar import Controller, Request, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from litestar.response import Template
from litestar.status_codes import HTTP_200_OK

from api.callers import Caller
from api.guards import PUBLIC, Access, needs
from domain.errors import InvalidInputError, NotFoundError
from domain.invitations import MeetingAnswer
from domain.links import LinkMaker
from domain.meeting_words import say_time
from domain.time import BusinessInstant
from models.clock import StoredClock
from models.database import Database
from models.meeting_answers import InvitedPerson, answer_meeting, load_invited, propose_another_time
from settings import Settings

ANOTHER_TIME = "another_time"
BUTTONS: dict[str, MeetingAnswer] = {"accepted": "accepted", "declined": "declined"}
SIGNED = needs(Access.SIGNATURE)
"""The token is the signature, as on the other pages for people who get our mail."""

InvitedRequest = Request[Caller, None, State]
Invited = tuple[uuid.UUID, uuid.UUID]


def _invited(token: FromPath[str], settings: NamedDependency[Settings]) -> Invited:
    found = LinkMaker(settings.base_url, settings.signing_key).meeting_of(token)
    if found is None:
        raise NotFoundError(what="invitation", key="this link names")
    return found


class InvitationController(Controller):
    """One invitation, for the person who got it."""

    path = "/meeting/{token:str}"
    opt = PUBLIC
    include_in_schema = False
    dependencies = {"invited": Provide(_invited, sync_to_thread=False)}  # noqa: RUF012  as Litestar declares it

    @get("/")
    async def show(
        self,
        request: InvitedRequest,
        invited: NamedDependency[Invited],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> Template:
        """Show the meeting and the three answers; the one of the link comes first."""
        async with database.transaction() as session:
            person = await load_invited(session, *invited)
        return _page(person, clock.now(), wanted=str(request.query_params.get("answer") or ""))

    @post("/", opt=SIGNED, status_code=HTTP_200_OK)
    async def answer(
        self,
        request: InvitedRequest,
        invited: NamedDependency[Invited],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> Template:
        """Keep the answer; the last one counts, as often as it is given."""
        form, now = await request.form(), clock.now()
        answer = str(form.get("answer") or "")
        if answer not in {*BUTTONS, ANOTHER_TIME}:
            raise InvalidInputError(field="answer", reason="press one of the buttons")
        async with database.transaction() as session:
            person = await load_invited(session, *invited)
            if person.is_cancelled or person.is_over(now):
                return _page(person, now)
            if answer == ANOTHER_TIME:
                await propose_another_time(session, invited[0], str(form.get("wish") or ""), now)
            else:
                await answer_meeting(session, invited[0], BUTTONS[answer], now, clock.wall_now())
        return _page(person, now, kept=answer)


def _page(person: InvitedPerson, now: BusinessInstant, **context: Any) -> Template:
    closed = "cancelled" if person.is_cancelled else "over" if person.is_over(now) else ""
    at = say_time(person.starts_at, person.time_zone, "en")
    shown = {"person": person, "at": at, "closed": closed, "wanted": "", "kept": "", **context}
    return Template("invitation.html", context=shown)
