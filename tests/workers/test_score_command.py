"""`everstay score` against a real Postgres."""

import asyncio
import json
import uuid

import pytest

from cli import run
from models.clock import start_clock
from models.database import Database
from tests.support.portfolio import NOW, WALL, Portfolio

pytestmark = pytest.mark.integration


@pytest.fixture
def customer_id(database_url: str, monkeypatch: pytest.MonkeyPatch) -> uuid.UUID:
    monkeypatch.setenv("EVERSTAY_DATABASE_URL", database_url)
    return asyncio.run(_customer(database_url))


async def _customer(database_url: str) -> uuid.UUID:
    database = Database(database_url)
    async with database.transaction() as session:
        await start_clock(session, WALL, at=NOW, rate=0.0)
        portfolio = Portfolio(session)
        await portfolio.connect()
        customer_id = await portfolio.customer()
        await portfolio.daily_usage(customer_id, 10, range(20, 120))
    await database.close()
    return customer_id


def test_everyone_is_scored_and_counted(customer_id: uuid.UUID, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["score", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["scored"] == 1
    assert run(["score"]) == 0
    assert "Scored 1 customers" in capsys.readouterr().out


def test_one_customer_is_never_a_bare_number(
    customer_id: uuid.UUID, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["score", "--customer", str(customer_id)]) == 0
    shown = capsys.readouterr().out
    assert "high is bad" in shown
    assert "within 90 days, by scorecard-2 on data up to 2026-05-26" in shown
    assert "nobody has used the product for 20 days (usually every day)" in shown


def test_a_look_at_the_past_stores_nothing(
    customer_id: uuid.UUID, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["score", "--customer", str(customer_id), "--as-of", "2026-06-01T00:00:00", "--json"]
    assert run(arguments) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["as_of"] == "2026-06-01T00:00:00+00:00"
    assert document["customers"][0]["customer_id"] == str(customer_id)
    assert run(["score", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["assessments"] == 1


def test_a_customer_that_nobody_knows_is_an_error_with_its_id(
    customer_id: uuid.UUID, capsys: pytest.CaptureFixture[str]
) -> None:
    unknown = uuid.UUID(int=7)
    assert run(["score", "--customer", str(unknown)]) == 1
    assert str(unknown) in capsys.readouterr().err
