"""Runs of playbooks, and the decision ledger behind them."""

import uuid
from collections.abc import Sequence

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Template

from api.guards import needs
from api.previews import preview
from api.web import sentences
from api.web.desk import DESK, Desk
from api.web.query import ListAddress, chosen, key, number, text
from api.web.step_graph import list_steps
from domain.permissions import Permission
from domain.playbook import Playbook
from domain.vocabulary import DecisionKind, InterventionState, Outcome, PauseScope
from models.previews import load_pending
from models.resting import Rest, rests_now
from models.views.decisions import DecisionFilter, load_decisions, load_reasons
from models.views.meetings import load_meetings_of
from models.views.playbooks import load_playbooks
from models.views.runs import RunDetail, RunFilter, load_run, load_runs

DECISIONS_OF_A_RUN = 100


def read_run_filter(desk: Desk) -> RunFilter:
    """Return what the address asks for."""
    return RunFilter(
        states=chosen(desk.query, "state", InterventionState),
        outcomes=chosen(desk.query, "outcome", Outcome),
        playbook=text(desk.query, "playbook"),
        overslept=text(desk.query, "late") == "1",
        page=number(desk.query, "page") or 1,
    )


def run_address(chosen_: RunFilter) -> ListAddress:
    """Return the list's address."""
    state: dict[str, list[str] | str] = {
        "state": [each.value for each in chosen_.states],
        "outcome": [each.value for each in chosen_.outcomes],
        "playbook": chosen_.playbook,
        "late": "1" if chosen_.overslept else "",
    }
    return ListAddress("/runs", state)


class RunController(Controller):
    """All runs, and one of them."""

    path = "/runs"
    dependencies = DESK
    include_in_schema = False
    opt = needs(Permission.READ_RUNS)

    @get("/")
    async def show_all(self, desk: NamedDependency[Desk]) -> Template:
        """List runs, open ones first."""
        filter_ = read_run_filter(desk)
        async with desk.reading() as session:
            page = await load_runs(session, filter_, desk.now)
            playbooks = await load_playbooks(session)
        return desk.page(
            "runs.html",
            page=page,
            filter=filter_,
            address=run_address(filter_),
            playbooks=playbooks,
            states=InterventionState,
            outcomes=Outcome,
            sentences=sentences,
        )

    @get("/{run_id:uuid}")
    async def show(self, desk: NamedDependency[Desk], run_id: FromPath[uuid.UUID]) -> Template:
        """Show one run: its steps, causes, decisions and document."""
        async with desk.reading() as session:
            run = await load_run(session, run_id, desk.now)
            decisions = await load_decisions(session, DecisionFilter(run=run_id), DECISIONS_OF_A_RUN)
            resting = covering(await rests_now(session, desk.now), run)
            shows = desk.query.get("preview") == "1" and desk.may(Permission.READ_CUSTOMERS)
            pending = await load_pending(session, run_id, desk.now) if shows else None
            meetings = await load_meetings_of(session, run_id)
        return desk.page(
            "run.html",
            run=run,
            decisions=decisions.decisions,
            sentences=sentences,
            resting=resting,
            meetings=meetings,
            outcomes=Outcome,
            steps=list_steps(Playbook.model_validate(run.document), {}),
            preview=preview(desk.settings, pending, desk.now) if pending is not None else None,
            flash=text(desk.query, "said", 300),
            problem=text(desk.query, "problem", 500),
        )


def covering(resting: Sequence[Rest], run: RunDetail) -> list[Rest]:
    """Return the rests that cover a run."""
    line = run.line
    mine = {
        (PauseScope.EVERYTHING, ""),
        (PauseScope.SEGMENT, run.segment.value),
        (PauseScope.PLAYBOOK, line.playbook_key),
        (PauseScope.CUSTOMER, str(line.customer_id)),
        (PauseScope.RUN, str(line.id)),
    }
    return [one for one in resting if (one.scope, one.key) in mine]


class DecisionController(Controller):
    """Why we did, and why we did not."""

    path = "/decisions"
    dependencies = DESK
    include_in_schema = False
    opt = needs(Permission.READ_RUNS)

    @get("/")
    async def show(self, desk: NamedDependency[Desk]) -> Template:
        """List decisions and refusals, newest first."""
        query = desk.query
        filter_ = DecisionFilter(
            kinds=chosen(query, "kind", DecisionKind),
            action=text(query, "action"),
            reason=text(query, "reason"),
            customer=key(query, "customer"),
            run=key(query, "run"),
            page=number(query, "page") or 1,
        )
        state: dict[str, list[str] | str] = {
            "kind": [kind.value for kind in filter_.kinds],
            "action": filter_.action,
            "reason": filter_.reason,
            "customer": str(filter_.customer or ""),
            "run": str(filter_.run or ""),
        }
        async with desk.reading() as session:
            page = await load_decisions(session, filter_)
            reasons = await load_reasons(session)
        return desk.page(
            "decisions.html",
            page=page,
            filter=filter_,
            address=ListAddress("/decisions", state),
            reasons=reasons,
            kinds=DecisionKind,
            sentences=sentences,
        )
