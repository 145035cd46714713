"""Trying a playbook before it runs: every kind of step, and the company's own values."""

import pytest

from domain.dry_run import Assumptions, dry_run
from domain.guard import Allow
from domain.playbook_steps import STEP_KINDS
from models.database import Database
from models.dry_runs import try_out
from tests.support.journeys import recipe, rest
from tests.support.loop import MONDAY
from tests.support.scenario import Scenario
from tests.support.walks import DAY, START, TEXTS, Run

BODIES: dict[str, dict[str, object]] = {
    "send_email": {"template": "stay-in-touch", "to": ["champion"]},
    "in_app_prompt": {"to": ["champion"], "title": "t", "body": "b"},
    "schedule_meeting": {"to": ["champion"], "title": "t"},
    "offer": {"kind": "upgrade", "title": "t", "body": "b"},
    "create_task": {"title": "t", "body": "b"},
    "notify": {"title": "t", "body": "b"},
    "wait": {"duration": "1d"},
    "branch": {"if": {"field": "tier", "is": "high"}, "then": "experiment", "else": "experiment"},
    "experiment": {"variants": [{"name": name, "next": "update-customer"} for name in ("a", "b")]},
    "update_customer": {"watchlist": True},
    "retry_payment": {},
    "call_webhook": {"endpoint": "crm"},
    "write_crm": {"properties": {"churn_risk": "$reason"}, "note": "n"},
    "call": {"step": "seat-audit"},
}


def test_a_dry_run_leaves_out_no_kind_of_step() -> None:
    document = recipe(*({"id": kind.replace("_", "-"), kind: BODIES[kind]} for kind in STEP_KINDS))
    assumed = Assumptions(task_done_after=DAY)
    told = dry_run(
        Run(document).view, document, TEXTS, START, assumed, lambda _step, _sent, _now: (Allow(), "Ann")
    )
    assert {one.step for one in told if one.step is not None} == {step.id for step in document.steps}
    assert told[-1].what == "ended"


@pytest.mark.integration
@pytest.mark.parametrize(("more_than", "way"), [(10_000, "yes"), (10_000_000, "no")])
async def test_a_condition_on_the_company_is_asked_in_a_dry_run_as_in_a_real_one(
    database: Database, more_than: int, way: str
) -> None:
    scene = await Scenario(database, MONDAY).begin()
    branch = {"if": {"field": "arr", "more_than": more_than}, "then": "large", "else": "small"}
    document = recipe(
        {"id": "size", "branch": branch}, rest("large", "1d") | {"next": "end"}, rest("small", "1d")
    )
    async with database.transaction() as session:
        tried = await try_out(session, document, scene.customer_id, Assumptions(), MONDAY)
    assert [one.why for one in tried.events if one.step == "size"] == [way]
    assert await scene.runs() == []
