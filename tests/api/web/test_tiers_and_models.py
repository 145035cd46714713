"""Tiers, stored scores and who speaks, over the API; the pages of models decide as the API does."""

import datetime as dt

import pytest
from httpx import Response

from domain.trained_model import ModelState, ModelTarget
from domain.voices import ShadowScore
from models.database import Database
from models.model_registry import file_model, show_model
from models.scores import load_policy
from models.shadow_scores import save_shadow_scores
from tests.support.learned import begin, new_model
from tests.support.people import come_as
from tests.support.sample_models import REJECTED, WAITING
from tests.support.sample_rows import NOW, Sample
from tests.support.web import Client, csrf_in

pytestmark = pytest.mark.integration
WHY = "it finds them earlier"


async def model(database: Database, name: str) -> dict[str, object]:
    async with database.transaction() as session:
        return await show_model(session, name)


async def send(browser: Client, page: str, action: str, **fields: str) -> Response:
    token = csrf_in(await browser.get(page))
    return await browser.post(action, data={"_csrf_token": token, **fields})


async def file_churn_model(database: Database, number: int = 1) -> str:
    await begin(database, f"churn/{number}")
    async with database.transaction() as session:
        return await file_model(session, new_model(f"churn/{number}"), NOW)


async def test_mix_moves_and_stored_scores_are_read_by_programs(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "marta")
    browser.headers["accept"] = "application/json"
    mix = (await browser.get("/api/tiers", params={"days": 30, "tier": "scored"})).json()
    today = mix[-1]["customers"]
    assert len(mix) == 31
    assert sum(today.values()) == sum(1 for row in sample.rows if row["churn_risk_tier"])
    assert (await browser.get("/api/tiers", params={"days": 31})).status_code == 400
    moves = (
        await browser.get("/api/tiers/moves", params={"days": 40, "direction": "worse", "limit": 2})
    ).json()
    assert len(moves["items"]) == 2
    assert {"customer", "tier_before", "tier", "why", "state"} <= moves["items"][0].keys()
    following = await browser.get(
        "/api/tiers/moves", params={"days": 40, "direction": "worse", "cursor": moves["next"]}
    )
    assert following.json()["items"]
    one = sample.customers[0]
    scores = (await browser.get(f"/api/customers/{one}/scores", params={"days": 10})).json()
    assert [row["date"] for row in scores] == sorted(row["date"] for row in scores)
    on = (NOW.date() - dt.timedelta(days=5)).isoformat()
    known = (await browser.get(f"/api/customers/{one}/known", params={"on": on})).json()
    assert known["score"]["as_of"] == on
    later = (await browser.get(f"/api/customers/{one}/known", params={"on": "9999-12-31"})).json()
    assert later["date"] == NOW.date().isoformat()


async def test_an_installation_without_a_model_of_leaving_says_what_it_waits_for(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "vera")
    page = (await browser.get("/models")).text
    assert "Scorecard; evidence so far:" in page
    assert "of 30 outcomes" in page
    assert "import the history of cancellations" in page
    assert "/models/rollback" not in page
    browser.headers["accept"] = "application/json"
    evidence = (await browser.get("/api/models/evidence")).json()
    assert (evidence["needed"], evidence["weight"], evidence["champions"]["churn"]) == (30, 0.0, None)


async def test_the_page_of_a_model_promotes_it_and_rolls_it_back_with_name_and_reason(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "marta")
    name = await file_churn_model(database)
    used = await send(browser, f"/models/{name}", f"/models/{name}/promote", why=WHY)
    assert "In use from the next scoring on" in used.text
    found = await model(database, name)
    assert found["state"] is ModelState.CHAMPION
    assert found["decisions"][-1]["by"] == "Marta Lindqvist"  # type: ignore[index]  # a document
    assert f"{name}</a> is in use: it makes 50% of each score" in (await browser.get("/models")).text
    again = await send(browser, f"/models/{name}", f"/models/{name}/promote", why=WHY)
    assert "it is the champion already" in again.text
    back = await send(browser, "/models", f"/models/rollback/{ModelTarget.CHURN.value}", why="it cries wolf")
    assert "Rolled back: the scorecard speaks alone." in back.text
    assert (await model(database, name))["state"] is ModelState.RETIRED
    missing = await send(browser, f"/models/{name}", f"/models/{name}/promote", why=" ")
    assert "needs its reason" in missing.text


async def test_a_model_that_looks_too_good_is_reviewed_on_its_page(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "marta")
    page = (await browser.get(f"/models/{WAITING}")).text
    assert "It waits for a review" in page
    assert "Nobody is in the critical tier" in page
    await send(
        browser, f"/models/{WAITING}", f"/models/{WAITING}/review", why="no column knows it", found="sound"
    )
    found = await model(database, WAITING)
    assert found["state"] is ModelState.SHADOW
    assert found["reviewed_at"] is not None
    assert "It waits for a review" not in (await browser.get(f"/models/{WAITING}")).text


async def test_who_may_not_edit_policies_reads_and_decides_nothing(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "vera")
    page = await browser.get(f"/models/{WAITING}")
    assert "Somebody who may edit policies decides." in page.text
    assert "Use this model" not in page.text
    refused = await send(browser, "/me/notifications", f"/models/{REJECTED}/promote", why=WHY)
    assert refused.status_code == 403
    assert (await model(database, REJECTED))["state"] is ModelState.REJECTED


async def test_what_a_shadow_says_stands_beside_what_is_acted_on(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "ada")
    name = await file_churn_model(database)
    scored = [row for row in sample.rows if row["churn_risk_score"] is not None]
    said = [ShadowScore(name, row["id"], row["churn_probability"] + 0.1, 99) for row in scored]
    async with database.transaction() as session:
        await save_shadow_scores(session, said, NOW.date())
    page = (await browser.get(f"/models/{name}")).text
    assert f"{len(scored)} customers: its chance differs by 10%" in page
    browser.headers["accept"] = "application/json"
    shadow = (await browser.get(f"/api/models/{name}/shadow")).json()
    assert shadow["tiers"]["critical"][1] == shadow["customers"] == len(scored)
    assert (await browser.get(f"/api/models/{REJECTED}/shadow")).json() is None


async def test_the_history_of_a_score_shows_a_day_as_it_was_stored(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "jonas")
    place = f"/customers/{sample.customers[0]}/history"
    page = (await browser.get(place, params={"on": "2026-11-10"})).text
    assert "What was known on 10 Nov" in page
    assert "Scorecard 2, as of 10 Nov" in page
    early = (await browser.get(place, params={"on": "2020-01-01"})).text
    assert "Nothing was known yet" in early
    for nonsense in ("tomorrow", "9999-12-31", "0001-01-01", ""):
        assert (await browser.get(place, params={"on": nonsense, "days": "x"})).status_code == 200


async def test_what_is_watched_is_set_by_a_form_that_says_what_is_wrong(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "marta")
    drift = {"sample": "400", "least_customers": "50", "psi_watch": "0.2", "psi_alarm": "0.3"}
    views = {
        "lasting_days": "3",
        "decision_days": "4",
        "forecast_days": "60",
        "most_open": "9",
        "settle": "risk",
    }
    cells = {f"drift-{name}": said for name, said in (drift | {"log_loss_margin": "0.05"}).items()}
    cells |= {f"disagreement-{name}": said for name, said in views.items()}
    saved = await send(browser, "/watch-policy", "/watch-policy", **cells)
    assert "Saved." in saved.text
    async with database.transaction() as session:
        policy = await load_policy(session)
    assert (policy.drift.sample, policy.drift.psi_alarm, policy.disagreement.settle) == (400, 0.3, "risk")
    for wrong in ({"drift-sample": "many"}, {"drift-psi_alarm": "0.1"}, {"disagreement-settle": "chance"}):
        refused = await send(browser, "/watch-policy", "/watch-policy", **{**cells, **wrong})
        assert refused.status_code == 422
        assert 'role="alert"' in refused.text
    await come_as(browser, database, sample, "vera")
    assert "Save</button>" not in (await browser.get("/watch-policy")).text
