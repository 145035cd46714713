"""Buttons that steer: runs are stopped, skipped, sent back and rung; rests are ordered and ended."""

import uuid
from collections.abc import Mapping
from urllib.parse import urlencode

from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Response

from api.callers import hand
from api.guards import needs
from api.sign_in import local_path
from api.web.desk import DESK, Desk
from api.web.inbox import snooze_end
from domain.errors import ConflictError, InvalidInputError, NotFoundError
from domain.permissions import Permission, may_rest
from domain.time import BusinessInstant
from domain.vocabulary import Outcome, PauseScope
from models.database import Session
from models.hands import Hand
from models.resting import end_rest, load_rest, order_rest
from models.run_control import restart_run, retry_run, skip_step, stop_run
from models.run_requests import request_run

Form = Mapping[str, object]


class SteeringController(Controller):
    """What people do with runs, from the pages of runs and customers."""

    path = "/"
    dependencies = DESK
    include_in_schema = False

    @post("/runs/{run_id:uuid}/{act:str}", opt=needs(Permission.CONTROL_RUNS))
    async def steer(
        self, desk: NamedDependency[Desk], run_id: FromPath[uuid.UUID], act: FromPath[str]
    ) -> Response[None]:
        """Stop, skip, restart or retry one run."""
        form = await desk.request.form()
        place = f"/runs/{run_id}"
        try:
            async with desk.database.transaction() as session:
                said = await _steer(session, run_id, act, form, hand_at(desk))
        except (ConflictError, InvalidInputError) as error:
            return desk.go(_told(place, problem=str(error)))
        return desk.go(_told(place, said=said))

    @post("/customers/{customer_id:uuid}/runs", opt=needs(Permission.CONTROL_RUNS))
    async def start(self, desk: NamedDependency[Desk], customer_id: FromPath[uuid.UUID]) -> Response[None]:
        """Ask for a run of a playbook."""
        form = await desk.request.form()
        place = f"/customers/{customer_id}"
        try:
            async with desk.database.transaction() as session:
                asked = await request_run(
                    session,
                    customer_id,
                    field(form, "playbook"),
                    field(form, "note"),
                    hand_at(desk),
                    is_urgent=field(form, "is_urgent") == "1",
                )
        except (ConflictError, InvalidInputError) as error:
            return desk.go(_told(place, problem=str(error)))
        return desk.go(_told(place, said=f"{asked.playbook} is asked for; the answer stands here soon."))

    @post("/pauses", opt=needs(Permission.ORDER_RESTS))
    async def pause(self, desk: NamedDependency[Desk]) -> Response[None]:
        """Order a rest; how wide it may be depends on who orders it."""
        form = await desk.request.form()
        place = field(form, "back") or "/plan"
        try:
            scope, key = _scope(form)
            may_rest(desk.may, scope, desk.request.user.who)
            async with desk.database.transaction() as session:
                await order_rest(
                    session, scope, key, _until(desk, form), field(form, "reason"), hand_at(desk)
                )
        except (ConflictError, InvalidInputError) as error:
            return desk.go(_told(place, problem=str(error)))
        return desk.go(_told(place, said="It rests."))

    @post("/pauses/{pause_id:uuid}/resume", opt=needs(Permission.ORDER_RESTS))
    async def resume(self, desk: NamedDependency[Desk], pause_id: FromPath[uuid.UUID]) -> Response[None]:
        """End a rest."""
        form = await desk.request.form()
        place = field(form, "back") or "/plan"
        async with desk.database.transaction() as session:
            rest = await load_rest(session, pause_id)
            may_rest(desk.may, rest.scope, desk.request.user.who, ends=True)
            try:
                await end_rest(session, pause_id, hand_at(desk))
            except NotFoundError:
                return desk.go(_told(place, problem="This rest is over already."))
        return desk.go(_told(place, said="It goes on."))


def hand_at(desk: Desk) -> Hand:
    """Return whose hand it is."""
    return hand(desk.request.user, desk.now, desk.wall)


def field(form: Form, name: str) -> str:
    """Return one field of a form without blanks around it."""
    return str(form.get(name) or "").strip()


def outcome_in(form: Form) -> Outcome:
    """Return the outcome that was chosen; raises InvalidInputError."""
    try:
        return Outcome(field(form, "outcome"))
    except ValueError:
        raise InvalidInputError(field="outcome", reason="say how the run ends") from None


async def _steer(session: Session, run_id: uuid.UUID, act: str, form: Form, by: Hand) -> str:
    if act == "stop":
        await stop_run(session, run_id, outcome_in(form), field(form, "reason"), by)
        return "The run has ended."
    if act == "skip":
        return f"“{await skip_step(session, run_id, by)}” is skipped."
    if act == "restart":
        return f"Sent back to “{await restart_run(session, run_id, field(form, 'step') or None, by)}”."
    if act == "retry":
        await retry_run(session, run_id, by)
        return "It looks again."
    raise NotFoundError(what="act on a run", key=act)


def _scope(form: Form) -> tuple[PauseScope, str]:
    """Read what rests, as `scope` and `key` or as one choice such as `segment/small`."""
    scope, _, key = field(form, "what").partition("/")
    try:
        return PauseScope(scope), key
    except ValueError:
        raise InvalidInputError(field="what", reason="choose what rests") from None


def _until(desk: Desk, form: Form) -> BusinessInstant | None:
    return snooze_end(desk, form) if field(form, "days") else None


def _told(place: str, **told: str) -> str:
    """Return the address to go back to, with what to tell there; never another site."""
    path, _, query = local_path(place).partition("?")
    kept = [pair for pair in query.split("&") if pair and pair.split("=")[0] not in {"said", "problem"}]
    return f"{path}?{'&'.join([*kept, urlencode(told)])}"
