import re
import uuid

import pytest
from httpx import Response
from sqlalchemy import select

from api.web import contact_policy
from domain.contact_policy import ContactPolicy
from domain.vocabulary import Attention, HeadsUpState, TaskOutcome, TaskState, TouchTier
from models.attention import load_attention
from models.contact_policy import load_contact_policy
from models.database import Database
from models.installation import load_installation
from models.tables.work import HeadsUpRow, TaskRow
from tests.support.people import come_as
from tests.support.sample_rows import Sample, fixed_id
from tests.support.web import Client, csrf_in

pytestmark = pytest.mark.integration


async def send(browser: Client, page: str, action: str, **fields: str) -> Response:
    """Fill in a form of a page as a browser without JavaScript does, and follow where it leads."""
    token = csrf_in(await browser.get(page))
    return await browser.post(action, data={"_csrf_token": token, "back": page, **fields})


async def my_task(database: Database, user_id: uuid.UUID) -> TaskRow:
    async with database.transaction() as session:
        query = select(TaskRow).where(TaskRow.assignee_id == user_id, TaskRow.state == TaskState.OPEN)
        return (await session.scalars(query.order_by(TaskRow.id).limit(1))).one()


async def task(database: Database, task_id: uuid.UUID) -> TaskRow:
    async with database.transaction() as session:
        return (await session.scalars(select(TaskRow).where(TaskRow.id == task_id))).one()


async def test_a_task_is_finished_by_a_plain_form_and_taken_back_by_another(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "jonas")
    mine = await my_task(database, sample.users["jonas"])
    done = await send(
        browser, "/inbox", f"/inbox/tasks/{mine.id}/done", outcome="reached", note="All is well again"
    )
    assert "Done and noted." in done.text
    assert f"/inbox/tasks/{mine.id}/reopen" in done.text
    assert (await task(database, mine.id)).outcome is TaskOutcome.REACHED
    assert "All is well again" in (await browser.get("/inbox?show=done")).text
    undone = await send(browser, "/inbox", f"/inbox/tasks/{mine.id}/reopen")
    assert "Taken back" in undone.text
    assert (await task(database, mine.id)).state is TaskState.OPEN


async def test_a_form_that_lacks_something_says_what(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "jonas")
    mine = await my_task(database, sample.users["jonas"])
    assert "say what came of it" in (await send(browser, "/inbox", f"/inbox/tasks/{mine.id}/done")).text
    assert (
        "choose how long" in (await send(browser, "/inbox", f"/inbox/tasks/{mine.id}/snooze", days="4")).text
    )
    assert "choose a colleague" in (await send(browser, "/inbox", f"/inbox/tasks/{mine.id}/reassign")).text
    assert (await task(database, mine.id)).state is TaskState.OPEN


async def test_a_snooze_ends_in_the_morning_of_whoever_snoozed(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "priya")
    mine = await my_task(database, sample.users["priya"])
    said = await send(browser, "/inbox", f"/inbox/tasks/{mine.id}/snooze", days="3")
    assert "Snoozed until 23 Nov, 08:00." in said.text
    assert f'id="task-{mine.id}"' not in (await browser.get("/inbox")).text
    assert f'id="task-{mine.id}"' in (await browser.get("/inbox?show=snoozed")).text


async def test_a_task_can_be_handed_over_and_a_warning_acknowledged_and_closed(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "marta")
    mine = await my_task(database, sample.users["tom"])
    ada = str(sample.users["jonas"])
    assert (
        "Handed over."
        in (await send(browser, "/inbox", f"/inbox/tasks/{mine.id}/reassign", assignee=ada)).text
    )
    async with database.transaction() as session:
        warning = (await session.scalars(select(HeadsUpRow).limit(1))).one()
    for act, said in (("acknowledge", "Acknowledged"), ("close", "Closed.")):
        assert said in (await send(browser, "/inbox", f"/inbox/heads-ups/{warning.id}/{act}")).text
    async with database.transaction() as session:
        closed = (await session.scalars(select(HeadsUpRow).where(HeadsUpRow.id == warning.id))).one()
    assert (closed.state, closed.closed_reason) == (HeadsUpState.CLOSED, "by Marta Lindqvist")


async def test_whoever_only_reads_gets_no_forms_and_no_effect(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "vera")
    mine = await my_task(database, sample.users["jonas"])
    page = (await browser.get("/inbox?of=all")).text
    assert "/done" not in page
    answer = await send(browser, "/inbox", f"/inbox/tasks/{mine.id}/done", outcome="reached")
    assert answer.status_code == 403
    assert (await task(database, mine.id)).state is TaskState.OPEN


async def test_a_form_of_another_site_is_refused(browser: Client, database: Database, sample: Sample) -> None:
    await come_as(browser, database, sample, "jonas")
    mine = await my_task(database, sample.users["jonas"])
    answer = await browser.post(f"/inbox/tasks/{mine.id}/done", data={"outcome": "reached"})
    assert answer.status_code == 403


async def test_a_form_leads_back_to_our_own_pages_only(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "jonas")
    mine = await my_task(database, sample.users["jonas"])
    token = csrf_in(await browser.get("/inbox"))
    form = {"_csrf_token": token, "back": "https://elsewhere.example/", "days": "1"}
    answer = await browser.post(f"/inbox/tasks/{mine.id}/snooze", data=form, follow_redirects=False)
    assert answer.headers["location"].startswith("/?said=")


async def test_effects_are_stopped_by_those_on_watch_and_started_by_those_who_may(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "omar")
    stopped = await send(browser, "/plan", "/plan/stop-effects")
    assert "Effects stopped." in stopped.text
    assert "Start effects again" not in stopped.text
    assert (await send(browser, "/plan", "/plan/start-effects")).status_code == 403
    await come_as(browser, database, sample, "marta")
    assert "Effects stopped." not in (await send(browser, "/plan", "/plan/start-effects")).text


async def test_a_playbook_and_then_everything_is_taken_back_and_released_at_a_rate(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "marta")
    partly = await send(browser, "/plan", "/plan/observe", playbook="low-engagement")
    assert "Partly observing." in partly.text
    observing = await send(browser, "/plan", "/plan/observe")
    assert "Observing: nothing is sent." in observing.text
    assert (await send(browser, "/plan", "/plan/release", per_day="x")).status_code == 422
    await send(browser, "/plan", "/plan/release", per_day="5")
    async with database.transaction() as session:
        installation = await load_installation(session)
    assert installation.released_at is not None
    assert installation.release_per_day == 5


async def test_the_attention_table_is_edited_as_a_whole(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "ada")
    row = {"arr-0": "high", "standing-0": "", "renewal-0": "45", "attention-0": "now", "reason-0": "Big soon"}
    saved = await send(browser, "/attention", "/attention", high_arr="75,000", **row)
    assert "Saved." in saved.text
    async with database.transaction() as session:
        policy = await load_attention(session)
    assert (policy.high_arr, len(policy.rules)) == (75_000, 1)
    assert (policy.rules[0].attention, policy.rules[0].renewal_within_days) == (Attention.NOW, 45)
    wrong = await send(browser, "/attention", "/attention", **{**row, "high_arr": "1", "renewal-0": "-3"})
    assert "Row 1" in wrong.text
    reset = await send(browser, "/attention", "/attention", reset="1")
    assert "High ARR at risk" in reset.text


async def test_the_attention_table_is_read_only_for_others(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "jonas")
    assert "Save the table" not in (await browser.get("/attention")).text
    assert (await send(browser, "/attention", "/attention", reset="1")).status_code == 403


async def test_the_theme_is_remembered(browser: Client, database: Database, sample: Sample) -> None:
    await come_as(browser, database, sample, "jonas")
    dark = await send(browser, "/runs", "/theme", theme="dark")
    assert str(dark.url).endswith("/runs")
    assert 'data-theme="dark"' in dark.text


async def test_filters_lead_from_the_figures_to_the_customers_behind_them(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "jonas")
    home = (await browser.get("/")).text
    count = re.search(r"(\d+) customers at high or critical", home)
    assert count is not None
    behind = (await browser.get("/?tier=high&tier=critical")).text
    assert f"{count[1]} customers</span>" in behind.replace("\n", "")
    assert fixed_id("customer", 1).hex not in behind.replace("-", "")


async def test_the_contact_policy_is_previewed_in_words_saved_and_refused_by_name(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "ada")
    page = "/contact-policy"
    cells = {name: "3" for name, _ in contact_policy.NUMBERS}
    cells |= {f"silence-{tier.value}": "30" for tier in TouchTier}
    cells |= {"mon-0": "1", "from-0": "22:00", "to-0": "06:00", "days_off": "2026-12-24 2026-12-25"}
    tried = await send(browser, page, f"{page}/preview", **cells)
    assert "Optional e-mail goes out Monday 22:00 to 06:00, where the reader is." in tried.text
    assert "Nothing optional goes out on 24 December 2026, 25 December 2026." in tried.text
    async with database.transaction() as session:
        assert await load_contact_policy(session) == ContactPolicy()
    assert "Saved." in (await send(browser, page, page, **cells)).text
    async with database.transaction() as session:
        saved = await load_contact_policy(session)
    assert (saved.emails_per_day, saved.public_holidays, len(saved.days_off)) == (3, False, 2)
    wrong = await send(browser, page, page, **{**cells, "from-0": "dusk"})
    assert wrong.status_code == 422
    assert "hours.0.from" in wrong.text
    assert 'value="dusk"' in wrong.text
    reset = await send(browser, page, page, reset="1")
    assert "Monday to Friday 09:00 to 17:00" in reset.text


async def test_the_contact_policy_is_read_only_for_others(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "jonas")
    assert "Change it" not in (await browser.get("/contact-policy")).text
    assert (await send(browser, "/contact-policy", "/contact-policy", reset="1")).status_code == 403
