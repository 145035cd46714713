import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import func, select

from domain.outgoing_webhooks import AnswerLinks
from domain.vocabulary import EffectState, NoticeKind, StepState
from models.clock import wall_now
from models.database import Database
from models.endpoints import disable_endpoint, remove_endpoint
from models.tables.ledger import DecisionRow, OutboxRow
from tests.support.endpoints import (
    ASK,
    KEY,
    OTHER,
    PUBLIC,
    FakePoster,
    add_endpoint,
    answer,
    caller,
)
from tests.support.steps import STEP, Standing, stand_at
from tests.support.web import SIGNING_KEY, Client, web_client, web_settings

pytestmark = pytest.mark.integration

YES = {"approved": True, "by": "procurement"}


@pytest.fixture
async def client(database_url: str) -> AsyncIterator[Client]:
    async with web_client(web_settings(database_url, public_url=PUBLIC)) as opened:
        yield opened


@dataclass
class Asked:
    """An endpoint that was asked, and where it answers."""

    standing: Standing
    url: str


@pytest.fixture
async def asked(database: Database) -> Asked:
    await add_endpoint(database)
    standing, poster = await stand_at(database, ASK), FakePoster()
    await standing.perform(caller(standing, poster))
    return Asked(standing, poster.said["data"]["callback_url"])


async def rings(database: Database) -> list[Any]:
    async with database.transaction() as session:
        query = select(OutboxRow.payload).where(OutboxRow.kind == NoticeKind.CUSTOMER_CHANGED)
        return list((await session.scalars(query)).all())


async def test_an_answer_finishes_the_step_and_rings_the_run(
    client: Client, database: Database, asked: Asked
) -> None:
    before = len(await rings(database))
    assert (await answer(client, asked.url, YES)).status_code == 200
    row = await asked.standing.row()
    assert (row.state, row.reason, row.detail["answer"]) == (StepState.DONE, "answered", YES)
    assert row.detail["endpoint"] == KEY
    (effect,) = await asked.standing.effects()
    assert effect.state is EffectState.CONFIRMED
    rung = (await rings(database))[before:]
    assert rung == [{"intervention_id": str(asked.standing.run_id), "step_id": STEP}]


async def test_the_same_delivery_twice_is_harmless(client: Client, database: Database, asked: Asked) -> None:
    for told in (YES, YES, {"approved": False}):
        assert (await answer(client, asked.url, told)).status_code == 200
    assert (await asked.standing.row()).detail["answer"] == YES
    assert len(await rings(database)) == 1
    async with database.transaction() as session:
        said = select(func.count()).where(DecisionRow.reason == "answered")
        assert await session.scalar(said) == 1


async def test_another_answer_comes_too_late(client: Client, asked: Asked) -> None:
    await answer(client, asked.url, YES)
    late = await answer(client, asked.url, {"approved": False}, name="answer_2")
    assert (late.status_code, "another answer came first" in late.text) == (410, True)
    assert (await asked.standing.row()).detail["answer"] == YES


@pytest.mark.parametrize(
    ("state", "reason"),
    [(StepState.DONE, "timeout"), (StepState.SKIPPED, "a person skipped it"), (StepState.CANCELLED, "over")],
)
async def test_after_the_timeout_or_the_end_an_answer_is_too_late(
    client: Client, database: Database, asked: Asked, state: StepState, reason: str
) -> None:
    await asked.standing.finish(state, reason)
    late = await answer(client, asked.url, YES)
    assert late.status_code == 410
    assert late.headers["content-type"].startswith("application/problem+json")
    assert ((await asked.standing.row()).state, await rings(database)) == (state, [])


async def test_an_answer_may_come_before_our_own_call_has_returned(
    client: Client, database: Database
) -> None:
    await add_endpoint(database)
    standing = await stand_at(database, ASK)

    class Hasty(FakePoster):
        async def post(self, call: Any) -> int:
            status = await super().post(call)
            url = self.said["data"]["callback_url"]
            assert (await answer(client, url, YES)).status_code == 200
            return status

    result = await standing.perform(caller(standing, Hasty()))
    assert (result.state, result.reason) == ("done", "answered")
    assert (await standing.row()).detail["answer"] == YES


@pytest.mark.parametrize("shift", [-3600, 3600], ids=["stale", "from the future"])
async def test_an_answer_of_another_hour_is_refused(client: Client, asked: Asked, shift: float) -> None:
    moved = await answer(client, asked.url, YES, shift=dt.timedelta(seconds=shift))
    assert moved.status_code == 401


@pytest.mark.parametrize("headers", [{"x": "y"}, {"webhook-id": "a", "webhook-signature": "v1,x"}])
async def test_without_a_signature_nobody_is_believed(
    client: Client, asked: Asked, headers: dict[str, str]
) -> None:
    assert (await answer(client, asked.url, YES, headers=headers)).status_code == 401
    assert (await asked.standing.row()).state is StepState.WAITING


async def test_another_secret_is_refused_and_the_log_has_no_word_of_the_body(
    client: Client, asked: Asked, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (await answer(client, asked.url, YES, secret=OTHER)).status_code == 401
    logged = capsys.readouterr()
    assert "procurement" not in logged.out + logged.err


async def test_a_token_is_bound_to_its_visit_and_ours_alone(client: Client, asked: Asked) -> None:
    links, run = AnswerLinks(PUBLIC, SIGNING_KEY), asked.standing.run_id
    stranger = AnswerLinks(PUBLIC, "another key of another installation").link(run, STEP, 1)
    for url in (
        asked.url[:-1] + "#",
        asked.url.replace(".1.", ".2."),
        stranger,
        f"{PUBLIC}/webhooks/callbacks/é",
    ):
        assert (await answer(client, url, YES)).status_code == 404, url
    never_asked = links.link(run, STEP, 2)
    assert (await answer(client, never_asked, YES)).status_code == 404


@pytest.mark.parametrize(
    "told", ["", "[1]", '"yes"', "null", "{", "[" * 8000, '{"a": NaN}', '{"a": 1e999}', '{"a": "\\u0000"}']
)
async def test_what_is_no_object_is_refused_and_the_run_goes_on_waiting(
    client: Client, asked: Asked, told: str
) -> None:
    assert (await answer(client, asked.url, told)).status_code == 422
    assert (await asked.standing.row()).state is StepState.WAITING


async def test_an_answer_has_a_size(client: Client, asked: Asked) -> None:
    assert (await answer(client, asked.url, {"a": "x" * 20_000})).status_code == 413


async def test_an_endpoint_that_was_disabled_or_removed_is_believed_no_more(
    client: Client, database: Database, asked: Asked
) -> None:
    async with database.transaction() as session:
        await disable_endpoint(session, KEY, "its secret leaked", wall_now())
    assert (await answer(client, asked.url, YES)).status_code == 401
    async with database.transaction() as session:
        await remove_endpoint(session, KEY)
    assert (await answer(client, asked.url, YES)).status_code == 401
