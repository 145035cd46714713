"""The inbox: what waits for a person, and what they may do with it, each a plain form."""

import datetime as dt
import uuid
from collections.abc import Mapping
from urllib.parse import urlencode

from litestar import Controller, get, post
from litestar.datastructures import FormMultiDict
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Response, Template

from api.guards import needs
from api.sign_in import local_path
from api.web import sentences
from api.web.desk import DESK, Desk
from api.web.query import ListAddress, chosen, key, number, text
from api.web.words import plural
from domain.errors import ConflictError, InvalidInputError, NotFoundError
from domain.permissions import Permission
from domain.time import BusinessInstant, business
from domain.vocabulary import Role, TaskOutcome
from models.given_up_endpoints import load_given_up
from models.heads_up_groups import acknowledge_group, close_group, snooze_group
from models.heads_ups import acknowledge_heads_up, close_heads_up, reassign_heads_up, snooze_heads_up
from models.views.inbox import InboxScope, InboxShow, load_colleagues, load_inbox
from models.work import QUESTIONS, complete_task, outcomes_of, reassign_task, reopen_task, snooze_task

MORNING = 8
"""A snooze ends at eight in the morning of the reader's own clock."""
SNOOZES = {1: "Tomorrow", 3: "In 3 days", 7: "In a week", 14: "In 2 weeks", 30: "In 30 days"}
LEADS = frozenset({Role.MANAGER, Role.ADMIN, Role.OPERATOR, Role.VIEWER})
"""Who starts with the team's work instead of their own."""
DO = needs(Permission.DO_WORK)


class InboxController(Controller):
    """Tasks and early warnings."""

    path = "/inbox"
    dependencies = DESK
    include_in_schema = False
    opt = needs(Permission.READ_WORK)

    @get("/")
    async def show(self, desk: NamedDependency[Desk]) -> Template:
        """Show what waits, by customer, the largest revenue at stake first."""
        scope = next(iter(chosen(desk.query, "of", InboxScope)), default_scope(desk.user.role))
        part = next(iter(chosen(desk.query, "show", InboxShow)), InboxShow.DUE)
        async with desk.reading() as session:
            asked = number(desk.query, "page") or 1
            page = await load_inbox(session, scope, part, desk.user.id, desk.now, asked)
            tells = part is InboxShow.DUE and desk.may(Permission.EDIT_ENDPOINTS)
            given_up = await load_given_up(session) if tells else []
            colleagues = await load_colleagues(session)
        state = {"of": scope.value, "show": part.value if part is not InboxShow.DUE else ""}
        return desk.page(
            "inbox.html",
            page=page,
            given_up=given_up,
            colleagues=colleagues,
            scope=scope,
            show=part,
            address=ListAddress("/inbox", state),
            scopes=InboxScope,
            shows=InboxShow,
            outcomes_of=outcomes_of,
            questions=QUESTIONS,
            snoozes=SNOOZES,
            sentences=sentences,
            done=key(desk.query, "done"),
            flash=text(desk.query, "said", 200),
            problem=text(desk.query, "problem", 300),
        )

    @post("/tasks/{task_id:uuid}/{act:str}", opt=DO)
    async def act_on_task(
        self, desk: NamedDependency[Desk], task_id: FromPath[uuid.UUID], act: FromPath[str]
    ) -> Response[None]:
        """Finish, put off, hand over or take back one task."""
        form = await desk.request.form()
        try:
            said = await _task(desk, task_id, act, form)
        except (ConflictError, InvalidInputError) as error:
            return _back(desk, form, problem=str(error))
        undo = str(task_id) if act in {"done", "snooze"} else ""
        return _back(desk, form, said=said, done=undo)

    @post("/customers/{customer_id:uuid}/heads-ups/{act:str}", opt=DO)
    async def act_on_group(
        self, desk: NamedDependency[Desk], customer_id: FromPath[uuid.UUID], act: FromPath[str]
    ) -> Response[None]:
        """Acknowledge, put off or close the warnings of a customer that the page showed."""
        form = await desk.request.form()
        try:
            said = await _group(desk, customer_id, act, form)
        except (ConflictError, InvalidInputError) as error:
            return _back(desk, form, problem=str(error))
        return _back(desk, form, said=said)

    @post("/heads-ups/{heads_up_id:uuid}/{act:str}", opt=DO)
    async def act_on_heads_up(
        self, desk: NamedDependency[Desk], heads_up_id: FromPath[uuid.UUID], act: FromPath[str]
    ) -> Response[None]:
        """Acknowledge, put off, hand over or close one warning."""
        form = await desk.request.form()
        try:
            said = await _heads_up(desk, heads_up_id, act, form)
        except (ConflictError, InvalidInputError) as error:
            return _back(desk, form, problem=str(error))
        return _back(desk, form, said=said)


def default_scope(role: Role) -> InboxScope:
    """Return whose work a person sees first."""
    if role is Role.MANAGER:
        return InboxScope.TEAM
    return InboxScope.ALL if role in LEADS else InboxScope.MINE


async def _task(desk: Desk, task_id: uuid.UUID, act: str, form: Mapping[str, object]) -> str:
    me, now, wall = desk.user.id, desk.now, desk.wall
    async with desk.database.transaction() as session:
        if act == "done":
            await complete_task(session, task_id, _outcome(form), _text(form, "note"), me, now, wall)
            return "Done and noted."
        if act == "snooze":
            until = snooze_end(desk, form)
            await snooze_task(session, task_id, until, me, now, wall)
            return f"Snoozed until {desk.say.moment(until)}."
        if act == "reassign":
            await reassign_task(session, task_id, _person(form), now, wall)
            return "Handed over."
        if act == "reopen":
            await reopen_task(session, task_id, now, wall)
            return "Taken back: it is open again."
    raise NotFoundError(what="act on a task", key=act)


async def _heads_up(desk: Desk, heads_up_id: uuid.UUID, act: str, form: Mapping[str, object]) -> str:
    now = desk.now
    async with desk.database.transaction() as session:
        if act == "acknowledge":
            await acknowledge_heads_up(session, heads_up_id, now)
            return "Acknowledged; it stays on the customer until its cause is gone."
        if act == "snooze":
            until = snooze_end(desk, form)
            await snooze_heads_up(session, heads_up_id, until, now)
            return f"Snoozed until {desk.say.moment(until)}."
        if act == "reassign":
            await reassign_heads_up(session, heads_up_id, _person(form), now)
            return "Handed over."
        if act == "close":
            await close_heads_up(session, heads_up_id, _text(form, "note") or f"by {desk.user.name}", now)
            return "Closed."
    raise NotFoundError(what="act on a heads-up", key=act)


async def _group(desk: Desk, customer_id: uuid.UUID, act: str, form: FormMultiDict) -> str:
    ids, now = _shown(form), desk.now
    async with desk.database.transaction() as session:
        if act == "acknowledge":
            number = await acknowledge_group(session, customer_id, ids, now)
            return f"{plural(number, 'warning')} acknowledged."
        if act == "snooze":
            until = snooze_end(desk, form)
            number = await snooze_group(session, customer_id, ids, until, now)
            return f"{plural(number, 'warning')} snoozed until {desk.say.moment(until)}."
        if act == "close":
            reason = _text(form, "note") or f"by {desk.user.name}"
            number = await close_group(session, customer_id, ids, reason, now)
            return f"{plural(number, 'warning')} closed."
    raise NotFoundError(what="act on warnings", key=act)


def _shown(form: FormMultiDict) -> list[uuid.UUID]:
    """Return the warnings that the page showed: what came since then is nobody's to close unseen."""
    try:
        return [uuid.UUID(str(one)) for one in form.getall("heads_up", [])]
    except ValueError:
        raise InvalidInputError(field="heads_up", reason="reload the page and try again") from None


def _text(form: Mapping[str, object], name: str) -> str:
    return str(form.get(name) or "").strip()


def _outcome(form: Mapping[str, object]) -> TaskOutcome:
    try:
        return TaskOutcome(_text(form, "outcome"))
    except ValueError:
        raise InvalidInputError(field="outcome", reason="say what came of it") from None


def _person(form: Mapping[str, object]) -> uuid.UUID:
    try:
        return uuid.UUID(_text(form, "assignee"))
    except ValueError:
        raise InvalidInputError(field="assignee", reason="choose a colleague") from None


def snooze_end(desk: Desk, form: Mapping[str, object]) -> BusinessInstant:
    """Return eight in the morning of the reader's day so many days ahead."""
    days = _text(form, "days")
    if not days.isdigit() or int(days) not in SNOOZES:
        raise InvalidInputError(field="days", reason="choose how long")
    day = desk.say.today + dt.timedelta(days=int(days))
    return business(dt.datetime(day.year, day.month, day.day, MORNING, tzinfo=desk.say.zone))


def _back(desk: Desk, form: Mapping[str, object], **told: str) -> Response[None]:
    """Go back to where the form stood, with what to tell there; never to another site."""
    place = local_path(_text(form, "back") or "/inbox")
    path, _, query = place.partition("?")
    kept = [
        pair for pair in query.split("&") if pair and pair.split("=")[0] not in {"said", "done", "problem"}
    ]
    pairs = [*kept, urlencode({name: value for name, value in told.items() if value})]
    return desk.go(f"{path}?{'&'.join(pair for pair in pairs if pair)}")
