"""Playbooks in the browser without JavaScript: read, drawn, edited, published with a choice, tried out."""

import re

import pytest
from httpx import Response

from models.database import Database
from models.resources.playbooks import list_versions
from tests.support.people import come_as
from tests.support.sample_rows import Sample
from tests.support.web import Client, csrf_in

pytestmark = pytest.mark.integration
PLACE = "/playbooks/low-engagement"
TEXT = re.compile(r'<textarea[^>]*name="text"[^>]*>\n(.*?)</textarea>', re.DOTALL)
SEEN = re.compile(r'name="seen" value="(\d+)"')


def form_in(page: Response) -> dict[str, str]:
    """Return what a browser would send of the form with the document."""
    from html import unescape

    text, seen = TEXT.search(page.text), SEEN.search(page.text)
    assert text is not None
    assert seen is not None
    return {"_csrf_token": csrf_in(page), "text": unescape(text[1]), "seen": seen[1]}


async def test_the_page_draws_the_steps_and_says_the_same_as_a_list(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "marta")
    page = (await browser.get(PLACE)).text
    assert '<svg class="graph"' in page
    assert '<title id="graph-title">Steps of Low engagement</title>' in page
    assert "first-mail: E-mail" in page
    assert page.count("<code>wait-for-answer</code>") >= 2
    assert "churn risk becomes high, because of usage or adoption" in page
    assert re.search(r'<g class="graph-count"><title>\d+ open run', page)


async def test_a_document_is_checked_reviewed_and_published(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "marta")
    form = form_in(await browser.get(f"{PLACE}/edit"))
    broken = form | {"text": form["text"].replace("timeout: 5d", "timeout: fife")}
    wrong = await browser.post("/playbooks/review", data=broken)
    assert wrong.status_code == 422
    assert re.search(r"<b>Line \d+</b>, <code>steps\[3\].wait.timeout</code>", wrong.text)
    assert "fife" in wrong.text
    edited = form | {"text": form["text"].replace("timeout: 5d", "timeout: 4d"), "note": "sooner"}
    checked = await browser.post("/playbooks/check", data=edited)
    assert "It is valid." in checked.text
    review = await browser.post("/playbooks/review", data=edited)
    assert "It becomes version 2" in review.text
    assert "Only times ahead change" in review.text
    assert form_in(review)["text"] == edited["text"]
    choice = {"unaffected": "migrate", "retimed": "migrate", "changed": "pin", "stranded": "pin"}
    done = await browser.post("/playbooks/publish", data=edited | choice)
    assert "Published version 2." in done.text
    assert "sooner" in done.text
    stale = await browser.post("/playbooks/publish", data=edited | choice)
    assert stale.status_code == 412
    async with database.transaction() as session:
        assert [one["open_runs"] > 0 for one in await list_versions(session, "low-engagement")] == [
            True,
            False,
        ]


async def test_a_choice_that_cannot_be_carried_out_is_refused_and_leaves_nothing(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "marta")
    form = form_in(await browser.get(f"{PLACE}/edit"))
    renamed = form | {"text": form["text"].replace("key: low-engagement", "key: renamed")}
    assert (
        await browser.post("/playbooks/publish", data=renamed | {"stranded": "migrate"})
    ).status_code == 422
    assert (await browser.post("/playbooks/publish", data=renamed)).status_code == 412
    assert "renamed" not in (await browser.get("/playbooks")).text


async def test_an_older_version_can_be_read_and_published_again(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "marta")
    form = form_in(await browser.get(f"{PLACE}/edit"))
    edited = form | {"text": form["text"].replace("timeout: 5d", "timeout: 4d")}
    await browser.post("/playbooks/publish", data=edited)
    assert "What version 2 changed" in (await browser.get(PLACE)).text
    assert "Publish this version again" in (await browser.get(f"{PLACE}?version=1")).text
    back = form_in(await browser.get(f"{PLACE}/edit?from=1"))
    assert "timeout: 5d" in back["text"]
    assert "Published version 3." in (await browser.post("/playbooks/publish", data=back)).text


async def test_a_dry_run_shows_when_and_why(browser: Client, database: Database, sample: Sample) -> None:
    await come_as(browser, database, sample, "marta")
    address = f"{PLACE}/try?customer={sample.customers[0]}&task=1d&reply=2d"
    page = (await browser.get(address)).text
    assert "The run opens" in page
    assert "The run ends as" in page
    assert "Nothing is sent, written or called." in page


async def test_a_playbook_is_archived_and_taken_back(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "marta")
    token = csrf_in(await browser.get(PLACE))
    archived = await browser.post(f"{PLACE}/archive", data={"_csrf_token": token})
    assert "Archived. Open runs go on." in archived.text
    back = await browser.post(f"{PLACE}/archive", data={"_csrf_token": token, "restore": "1"})
    assert "It is in use again." in back.text


async def test_who_may_not_edit_sees_no_button_and_gets_no_form(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "vera")
    page = await browser.get(PLACE)
    assert page.status_code == 200
    assert "/edit" not in page.text
    assert (await browser.get(f"{PLACE}/edit")).status_code == 403
