"""Two companies whose cards refuse: one is lost and won back, the other pays on the third day."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from temporalio.client import WorkflowHandle

from domain.case_vocabulary import CaseKind
from domain.time import after
from domain.trial_labels import Measure
from domain.trials import Arm
from domain.win_back_policy import KEY
from models.database import Database
from models.trial_outcomes import label_stays
from models.trial_rows import load_trial_rows
from tests.support.aside import aside
from tests.support.stack import running_stack
from tests.support.unpaid_story import DAY, MONDAY, Story
from workers.demo.histories import Failures, find_failures
from workers.embedded.connection import connect_temporal
from workers.workflow_keeper import CASE_SUMMARIES

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]


@pytest.fixture
def story() -> Iterator[Story]:
    """A stack of its own: nobody else lives in its time."""
    with running_stack() as settings, httpx.Client(timeout=10, trust_env=False) as http:
        yield Story(settings, http)


def test_one_is_lost_and_won_back_and_the_other_pays_and_hears_no_more(story: Story) -> None:
    story.begin()
    story.owe("acme", "globex")
    story.until(lambda: len(story.mail("globex")) == 2, "globex is written to on the third day")
    assert len(story.charges("globex")) > 1
    place = story.lead(story.mail("globex")[0], "pay")
    assert place == f"{story.settings.simulators_url}/hosted/invoices/{story.made['globex']['invoice']}"
    story.press(place)
    story.until(lambda: story.ending("globex", "dunning") == ("ended", "recovered"), "globex has paid")
    quiet = (len(story.charges("globex")), len(story.mail("globex")))

    story.until(lambda: story.ending("acme", "dunning") == ("ended", "exhausted"), "acme is given up")
    charges = story.charges("acme")
    assert [one["status"] for one in charges] == ["failed"] * 4, "Stripe's own attempt, and three of ours"
    first, *others, last = [one["subject"] for one in story.mail("acme")]
    assert first.startswith("A payment did not go through")
    assert len(others) == 1
    assert last.startswith("Last notice about invoice")

    story.until(lambda: story.ending("acme", "win_back")[0] == "open", "a win-back is opened")
    lost = "SELECT cause, lost_arr_minor, is_held_out FROM win_backs"
    assert story.rows(lost) == [("involuntary", 480_000, False)]
    assert story.one("SELECT status FROM customers WHERE external_id = 'acme'") == "churned"
    story.until(lambda: len(story.mail("acme")) == 3 + 3, "three letters were written")
    offer = story.mail("acme")[-1]
    [code] = story.control("GET", "/promotion-codes")
    assert code["code"] in offer["text"]
    assert code["redemptions"] == []
    story.press(story.lead(offer, "return"))
    story.until(lambda: story.ending("acme", "win_back") == ("ended", "reactivated"), "acme is back")

    assert story.rows("SELECT is_attributed FROM win_backs") == [(True,)]
    assert story.one("SELECT count(*) FROM touchpoints WHERE state = 'clicked'") == 2
    assert story.rows("SELECT state, code FROM offers") == [("redeemed", code["code"])]
    assert story.one("SELECT status FROM customers WHERE external_id = 'acme'") == "active"
    assert len(story.control("GET", "/promotion-codes")[0]["redemptions"]) == 1
    assert (len(story.charges("globex")), len(story.mail("globex"))) == quiet
    assert story.ending("globex", "win_back") == ("none", None)
    assert story.one("SELECT recovered_by FROM dunnings WHERE recovered_minor > 0") == "customer"
    assert (label_of(story), story.one("SELECT count(*) FROM win_backs")) == ("reactivated", 1)
    assert_everything_left_once(story)
    assert_histories_agree(story)


def label_of(story: Story) -> str:
    """Return the label of the only win-back, as the night writes it when its window has passed."""

    async def learn() -> str:
        database = Database(story.settings.database_url or "", pool_size=1)
        try:
            async with database.transaction() as session:
                await label_stays(session, after(MONDAY, 140 * DAY))
                [row] = [one for one in await load_trial_rows(session) if one.playbook == KEY]
        finally:
            await database.close()
        assert (row.arm, row.claims, row.has_left) == (Arm.TREATED, True, True)
        assert row.good == {Measure.STAYED: True}
        return str(story.one("SELECT label FROM trial_outcomes WHERE is_good"))

    return aside(learn)


def assert_everything_left_once(story: Story) -> None:
    """Hold the ledger against mailbox and books: what was claimed arrived, once."""
    claimed = story.rows(
        """SELECT delivery_id FROM effects JOIN touchpoints ON touchpoints.effect_key = effects.key
           WHERE touchpoints.channel = 'email' AND touchpoints.direction = 'out'"""
    )
    letters = [(one["delivery_id"],) for name in story.made for one in story.mail(name)]
    assert sorted(letters) == sorted(claimed)
    assert len(set(letters)) == len(letters)
    charged = """SELECT customers.external_id, count(*) FROM effects
                 JOIN customers ON customers.id = customer_id
                 WHERE kind = 'payment' AND state = 'confirmed' GROUP BY 1"""
    ours = dict(story.rows(charged))
    by_others = {"acme": 1, "globex": 2}
    assert {name: len(story.charges(name)) - by_others[name] for name in story.made} == ours
    assert story.rows("SELECT key, state FROM effects WHERE state NOT IN ('sent', 'confirmed')") == []


def assert_histories_agree(story: Story) -> None:
    """Hold each case's row against its history, which says what each is, and find no failure in any."""

    async def look() -> tuple[Failures, dict[str, str]]:
        client = await connect_temporal(story.settings)
        handles = {one: client.get_workflow_handle(one) for (one,) in cases}
        for name, handle in handles.items():
            kind = CaseKind(name.partition("/")[0].replace("-", "_"))
            assert await (await handle.describe()).static_summary() == CASE_SUMMARIES[kind]
            assert {'"Look 1"', '"Look 2"'} <= await summaries_of(handle)
        return await find_failures(client), {one: await handle.result() for one, handle in handles.items()}

    cases = story.rows("SELECT workflow_id FROM cases")
    failures, results = aside(look)
    assert (failures.workflow_tasks, failures.workflows) == (0, 0), failures.examples
    assert results == dict(story.rows("SELECT workflow_id, outcome FROM cases"))
    assert sorted(results.values()) == ["exhausted", "reactivated", "recovered"]


async def summaries_of(handle: WorkflowHandle[Any, Any]) -> set[str]:
    """Return what Temporal's page says of each activity of a history."""
    events = [one async for one in handle.fetch_history_events()]
    return {one.user_metadata.summary.data.decode() for one in events}
