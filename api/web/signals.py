"""The catalogue of signals: what each detector looks at, how it is tuned, and what that would have meant."""

import uuid
from collections.abc import Mapping
from urllib.parse import quote

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Response, Template
from litestar.status_codes import HTTP_200_OK
from pydantic import ValidationError

from api.guards import needs
from api.web.desk import DESK, Desk
from api.web.query import text
from domain.errors import InvalidInputError
from domain.permissions import Permission
from domain.scoring_policy import SignalPolicy, Thresholds
from domain.signal_readings import SignalSpec
from domain.vocabulary import Segment
from models import sentiment, signal_lift
from models.changes import announce_change
from models.digests import read_digests
from models.mass_alerts import release_mass_alert
from models.own_signals import list_own_signals, load_own_signals
from models.scores import load_policy
from models.signal_catalogue import CatalogueLine, count_open, load_catalogue, load_line, tune_signal, tuned
from models.signal_lift import measure_lift, read_lift
from models.signal_replay import Preview, preview

LEVELS = ("open", "close", "severe")


class SignalController(Controller):
    """Read by everyone who sees customers; tuned by those who may edit policies."""

    path = "/signals"
    dependencies = DESK
    include_in_schema = False

    @get("/", opt=needs(Permission.READ_CUSTOMERS))
    async def show_all(self, desk: NamedDependency[Desk]) -> Template:
        """List every detector with what it shows now."""
        async with desk.reading() as session:
            counts = await count_open(session)
            kept = await read_digests(session, signal_lift.KEY, sentiment.KEY)
            return desk.page(
                "signals.html",
                lines=await load_catalogue(session, counts),
                own=await list_own_signals(session),
                counts=counts,
                measured=signal_lift.measured(kept.get(signal_lift.KEY)),
                sentiment=sentiment.said_of(kept.get(sentiment.KEY)),
                segments=Segment,
                flash=text(desk.query, "said", 200),
            )

    @post("/measure", opt=needs(Permission.EDIT_POLICIES))
    async def measure(self, desk: NamedDependency[Desk]) -> Response[None]:
        """Count who left after each signal, in a sample of the last half year."""
        async with desk.database.transaction() as session:
            policy, own = await load_policy(session), await load_own_signals(session)
            await measure_lift(session, policy, own, desk.now)
        return desk.go("/signals?said=Measured.")

    @post("/mass-alerts/{alert_id:uuid}/release", opt=needs(Permission.EDIT_POLICIES))
    async def release(self, desk: NamedDependency[Desk], alert_id: FromPath[uuid.UUID]) -> Response[None]:
        """Tell the customers' workflows after all."""
        async with desk.database.transaction() as session:
            told = await release_mass_alert(session, alert_id, desk.now, desk.wall, user_id=desk.user.id)
        return desk.go(f"/signals?said=Released:+{told}+signals+are+told+now.")

    @get("/{kind:str}", opt=needs(Permission.READ_CUSTOMERS))
    async def show(self, desk: NamedDependency[Desk], kind: FromPath[str]) -> Template:
        """Show one detector, as a form where it may be tuned."""
        async with desk.reading() as session:
            line = await load_line(session, kind)
            measured = await read_lift(session)
        problem = text(desk.query, "problem", 300)
        return _page(
            desk, line, None, measured=measured, problem=problem, flash=text(desk.query, "said", 200)
        )

    @post("/{kind:str}", opt=needs(Permission.EDIT_POLICIES))
    async def save(self, desk: NamedDependency[Desk], kind: FromPath[str]) -> Response[None]:
        """Put the thresholds in force, or say what is wrong with them."""
        form = await desk.request.form()
        try:
            async with desk.database.transaction() as session:
                spec = (await load_line(session, kind)).spec
                change = None if form.get("reset") else read_policy(form)
                await tune_signal(session, spec.kind, change, desk.user.id, desk.now)
                await announce_change(session)
        except InvalidInputError as error:
            return desk.go(f"/signals/{kind}?problem={quote(str(error))}")
        return desk.go(f"/signals/{kind}?said=Saved.+The+next+look+at+each+customer+uses+it.")

    @post("/{kind:str}/preview", opt=needs(Permission.EDIT_POLICIES), status_code=HTTP_200_OK)
    async def preview(self, desk: NamedDependency[Desk], kind: FromPath[str]) -> Template:
        """Play the last 90 days back with what the form says, and keep nothing."""
        form = await desk.request.form()
        async with desk.reading() as session:
            line, measured = await load_line(session, kind), await read_lift(session)
            try:
                change = read_policy(form)
                policy = tuned(await load_policy(session), line.spec.kind, change)
            except InvalidInputError as error:
                return _page(desk, line, None, measured=measured, problem=str(error), flash="")
            seen = await preview(session, policy, (), desk.now)
        edited = CatalogueLine(
            line.spec, change.enabled, change.thresholds, line.is_tuned, line.open, line.missing
        )
        return _page(desk, edited, seen, measured=measured, problem="", flash="")


def _page(desk: Desk, line: CatalogueLine, seen: Preview | None, **more: object) -> Template:
    rises = _rises(line.spec)
    return desk.page(
        "signal.html", line=line, seen=seen, rises=rises, segments=Segment, levels=LEVELS, **more
    )


def _rises(spec: SignalSpec) -> bool:
    """Tell whether more is worse."""
    limits = spec.defaults[Segment.SMALL.value]
    return limits.open >= limits.close


def read_policy(form: Mapping[str, object]) -> SignalPolicy:
    """Return what the form says of one detector, or raise InvalidInputError."""
    limits = {segment: _read_limits(form, segment) for segment in Segment}
    return SignalPolicy(enabled=bool(form.get("enabled")), thresholds=limits)


def _read_limits(form: Mapping[str, object], segment: Segment) -> Thresholds:
    cells = {level: str(form.get(f"{segment.value}-{level}") or "").strip() for level in LEVELS}
    try:
        return Thresholds.model_validate(cells)
    except ValidationError as error:
        level = str(error.errors()[0]["loc"][0])
        field = f"{segment.value.replace('_', ' ')}, {level}"
        raise InvalidInputError(field=field.capitalize(), reason=f"{cells[level]!r} is no number") from None
