"""The monitor: what does not go on by itself, and its repairs, one by one or many after a confirmation."""

from collections.abc import Sequence
from urllib.parse import urlencode

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.response import Response, Template

from api.guards import needs
from api.resources.monitor import look
from api.web.desk import DESK, Desk
from api.web.query import text
from api.web.run_control import Form, field, hand_at, outcome_in
from domain.errors import InvalidInputError
from domain.monitoring import Finding, Repair, Trouble
from domain.permissions import Permission
from domain.vocabulary import Outcome
from models.model_health import load_model_health
from models.repairs import Repaired, RepairOrder, named, repair_all
from models.run_control import checked_reason

NAMES = {
    Trouble.OVERSLEPT_RUN: "Runs that overslept",
    Trouble.OVERSLEPT_CUSTOMER: "Customers that overslept",
    Trouble.OVERSLEPT_CASE: "Cases that overslept",
    Trouble.LOST_WORKFLOW: "Workflows that are gone",
    Trouble.FAILING_WORKFLOW: "Workflows that fail",
    Trouble.NO_OUTCOME: "Runs that ended without an outcome",
    Trouble.UNCERTAIN_EFFECT: "Effects of which nobody knows",
    Trouble.UNHEARD_NOTICE: "News that nobody hears",
}
REPAIR_NAMES = {
    Repair.RETRY: "Look again",
    Repair.RESTART_WORKFLOW: "Start the workflow anew",
    Repair.SKIP: "Skip the step",
    Repair.RESTART: "Send the run back to its beginning",
    Repair.STOP: "End the run",
    Repair.SENT: "It happened",
    Repair.NOT_SENT: "It did not happen",
}
MOST_TOLD = 3


class MonitorController(Controller):
    """For whoever is on watch."""

    path = "/monitor"
    dependencies = DESK
    include_in_schema = False
    opt = needs(Permission.READ_RUNS)

    @get("/")
    async def show(self, desk: NamedDependency[Desk]) -> Template:
        """Show what was found, by kind, the oldest first."""
        async with desk.reading() as session:
            found = await look(session, desk.clock)
            models = await load_model_health(session, desk.now.date())
        return desk.page(
            "monitor.html",
            found=found,
            models=models,
            names=NAMES,
            troubles=Trouble,
            repair_names=REPAIR_NAMES,
            flash=text(desk.query, "said", 500),
            problem=text(desk.query, "problem", 500),
        )

    @post("/confirm", opt=needs(Permission.REPAIR_RUNS))
    async def confirm(self, desk: NamedDependency[Desk]) -> Template | Response[None]:
        """Say how many would be repaired, and which, before anything is done."""
        form = await desk.request.form()
        try:
            repair = _repair(form)
            async with desk.reading() as session:
                chosen = named((await look(session, desk.clock)).findings, form.getall("finding", []))
        except InvalidInputError as error:
            return desk.go("/monitor?" + urlencode({"problem": str(error)}))
        fitting = [one for one in chosen if repair in one.repairs]
        if not fitting:
            return desk.go("/monitor?" + urlencode({"problem": _nothing(chosen)}))
        return desk.page(
            "monitor_confirm.html",
            fitting=fitting,
            others=len(chosen) - len(fitting),
            repair=repair,
            name=REPAIR_NAMES[repair],
            outcomes=Outcome,
        )

    @post("/repair", opt=needs(Permission.REPAIR_RUNS))
    async def repair(self, desk: NamedDependency[Desk]) -> Response[None]:
        """Carry the repair out, and say what became of it."""
        form = await desk.request.form()
        try:
            order = _order(form)
            async with desk.database.transaction() as session:
                found = named((await look(session, desk.clock)).findings, form.getall("finding", []))
                repaired = await repair_all(session, found, order, hand_at(desk))
        except InvalidInputError as error:
            return desk.go("/monitor?" + urlencode({"problem": str(error)}))
        return desk.go("/monitor?" + urlencode(_told(repaired)))


def _repair(form: Form) -> Repair:
    try:
        return Repair(field(form, "repair"))
    except ValueError:
        raise InvalidInputError(field="repair", reason="choose what to do") from None


def _order(form: Form) -> RepairOrder:
    repair = _repair(form)
    if repair is not Repair.STOP:
        return RepairOrder(repair)
    return RepairOrder(repair, outcome_in(form), checked_reason(field(form, "reason")))


def _nothing(chosen: Sequence[Finding]) -> str:
    return "This repair fits none of those that you chose." if chosen else "Choose at least one finding."


def _told(repaired: Repaired) -> dict[str, str]:
    """Say how many were repaired, and of the first few others why not."""
    told = {"said": f"{len(repaired.done)} repaired." if repaired.done else ""}
    if repaired.refused:
        reasons = dict.fromkeys(reason for _key, reason in repaired.refused)
        words = " ".join(list(reasons)[:MOST_TOLD])
        told["problem"] = f"{len(repaired.refused)} not repaired: {words}"
    if not told["said"] and not repaired.refused:
        told["said"] = "Nothing was left to repair."
    return {name: value for name, value in told.items() if value}
