"""What is watched of models, and when people must reconcile their views: two parts of the scoring policy."""

from collections.abc import Mapping
from typing import Any

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.response import Response, Template
from litestar.status_codes import HTTP_422_UNPROCESSABLE_ENTITY
from pydantic import ValidationError

from api.guards import needs
from api.web.desk import DESK, Desk
from api.web.query import text
from api.web.run_control import field
from domain.disagreement import RULES
from domain.errors import InvalidInputError
from domain.permissions import Permission
from domain.scoring_policy import DisagreementPolicy, DriftPolicy, ScoringPolicy
from models.changes import announce_change
from models.scores import load_policy
from models.scoring_policies import change_policy

PLACE = "/watch-policy"
DRIFT = {
    "sample": "Customers that are looked at each night",
    "least_customers": "With fewer customers shares say nothing",
    "psi_watch": "Stability index of the probability from which a change is told",
    "psi_alarm": "Stability index of a column from which a change is told",
    "log_loss_margin": "Log-loss by which a month may be worse than the card",
}
DISAGREEMENT = {
    "lasting_days": "Days that views must differ before people are asked",
    "decision_days": "Days to decide in",
    "forecast_days": "Days after which a forecast says nothing any more",
    "most_open": "Decisions that wait for people at a time, at most",
}


class WatchPolicyController(Controller):
    """Read by everyone who sees customers; changed by those who may edit policies."""

    path = PLACE
    dependencies = DESK
    include_in_schema = False

    @get("/", opt=needs(Permission.READ_CUSTOMERS))
    async def show(self, desk: NamedDependency[Desk]) -> Template:
        """Show both parts as they are in force."""
        async with desk.reading() as session:
            policy = await load_policy(session)
        return _page(desk, _cells(policy))

    @post("/", opt=needs(Permission.EDIT_POLICIES))
    async def save(self, desk: NamedDependency[Desk]) -> Response[Any]:
        """Put what the form says in force, or show it again with what is wrong."""
        form = dict(await desk.request.form())
        try:
            wanted = read_form(form)
        except InvalidInputError as error:
            async with desk.reading():
                page = _page(desk, form, str(error))
            page.status_code = HTTP_422_UNPROCESSABLE_ENTITY
            return page
        async with desk.database.transaction() as session:
            await change_policy(session, lambda now: now.model_copy(update=wanted), desk.user.id, desk.now)
            await announce_change(session)
        return desk.go(f"{PLACE}?said=Saved.+The+next+night+goes+by+it.")


def read_form(form: Mapping[str, object]) -> dict[str, DriftPolicy | DisagreementPolicy]:
    """Return both parts as the form says them; raises InvalidInputError naming the cell."""
    drift = {name: field(form, f"drift-{name}") for name in DRIFT}
    views = {name: field(form, f"disagreement-{name}") for name in (*DISAGREEMENT, "settle")}
    try:
        found = DriftPolicy.model_validate(drift)
        views_found = DisagreementPolicy.model_validate(views)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "psi_alarm"
        label = DRIFT.get(name) or DISAGREEMENT.get(name) or "What holds after the deadline"
        raise InvalidInputError(field=label, reason=first["msg"].removeprefix("Value error, ")) from None
    return {"drift": found, "disagreement": views_found}


def _cells(policy: ScoringPolicy) -> dict[str, str]:
    cells = {f"drift-{name}": f"{getattr(policy.drift, name):g}" for name in DRIFT}
    cells |= {f"disagreement-{name}": str(getattr(policy.disagreement, name)) for name in DISAGREEMENT}
    return cells | {"disagreement-settle": policy.disagreement.settle}


def _page(desk: Desk, cells: Mapping[str, Any], problem: str = "") -> Template:
    return desk.page(
        "watch_policy.html",
        cells=cells,
        drift=DRIFT,
        disagreement=DISAGREEMENT,
        settles=RULES,
        flash=text(desk.query, "said", 200),
        problem=problem,
    )
