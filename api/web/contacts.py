"""One contact: which tracked users it is, where it belongs, and a person who says otherwise."""

import datetime as dt
import uuid
from collections.abc import Mapping
from urllib.parse import urlencode

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Response, Template

from api.guards import needs
from api.web.desk import DESK, Desk
from api.web.query import text
from domain.errors import ConflictError, InvalidInputError, NotFoundError
from domain.permissions import Permission
from domain.time import BusinessInstant, start_of_day
from domain.vocabulary import ContactRole
from models.changes import announce_change
from models.contact_links import (
    Membership,
    UserKey,
    begin_membership,
    end_membership,
    link_user,
    unlink_user,
)
from models.database import Session
from models.holding_actions import Said
from models.views.contact import load_contact, load_tracking_sources
from models.views.holding import find_candidates

Form = Mapping[str, object]


class ContactController(Controller):
    """The page of one contact."""

    path = "/contacts/{contact_id:uuid}"
    dependencies = DESK
    include_in_schema = False
    opt = needs(Permission.READ_IMPORTS)

    @get("/")
    async def show(self, desk: NamedDependency[Desk], contact_id: FromPath[uuid.UUID]) -> Template:
        """Show what the person is known by and where they belong; a search finds other customers."""
        search = text(desk.query, "q")
        async with desk.reading() as session:
            contact = await load_contact(session, contact_id)
            sources = await load_tracking_sources(session)
            candidates = await find_candidates(session, search) if search else []
        return desk.page(
            "contact.html",
            contact=contact,
            sources=sources,
            search=search,
            candidates=candidates,
            roles=ContactRole,
            flash=text(desk.query, "said", 200),
            problem=text(desk.query, "problem", 300),
        )

    @post("/{act:str}", opt=needs(Permission.MEND_ROWS))
    async def act(
        self, desk: NamedDependency[Desk], contact_id: FromPath[uuid.UUID], act: FromPath[str]
    ) -> Response[None]:
        """Link or unlink a tracked user; begin or end a membership."""
        form = await desk.request.form()
        try:
            async with desk.database.transaction() as session:
                said = await _act(session, desk, contact_id, act, form)
                await announce_change(session)
        except (ConflictError, InvalidInputError) as error:
            return desk.go(f"/contacts/{contact_id}?" + urlencode({"problem": str(error)}))
        return desk.go(f"/contacts/{contact_id}?" + urlencode({"said": said}))


async def _act(session: Session, desk: Desk, contact_id: uuid.UUID, act: str, form: Form) -> str:
    said = Said(str(desk.user.id), desk.now, desk.wall)
    if act in {"link", "unlink"}:
        user = UserKey(_word(form, "source"), _word(form, "user"))
        change, done = (link_user, "linked") if act == "link" else (unlink_user, "unlinked")
        await change(session, user, contact_id, said)
        return f"{user.key} is {done}."
    if act in {"begin", "end"}:
        member = Membership(contact_id, _customer(form))
        if act == "begin":
            role = _role(form) or ContactRole.END_USER
            await begin_membership(session, member, role, _day(form, "since", desk.now), said)
            return "They belong there now."
        await end_membership(session, member, _role(form), _day(form, "until", desk.now), said)
        return "Ended; no source takes it up again."
    raise NotFoundError(what="act on a contact", key=act)


def _word(form: Form, name: str) -> str:
    return str(form.get(name) or "").strip()


def _customer(form: Form) -> uuid.UUID:
    try:
        return uuid.UUID(_word(form, "customer"))
    except ValueError:
        raise InvalidInputError(field="customer", reason="choose one of the customers found") from None


def _role(form: Form) -> ContactRole | None:
    told = _word(form, "role")
    try:
        return ContactRole(told) if told else None
    except ValueError:
        raise InvalidInputError(field="role", reason=f"one of {', '.join(ContactRole)}") from None


def _day(form: Form, name: str, now: BusinessInstant) -> BusinessInstant:
    """Return the beginning of the day that a form names, now where it names none."""
    told = _word(form, name)
    try:
        day = dt.date.fromisoformat(told) if told else None
    except ValueError:
        raise InvalidInputError(field=name, reason="write the day as 2026-01-31") from None
    return now if day is None else start_of_day(day)
