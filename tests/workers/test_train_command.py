"""`everstay train` and `everstay model` against a real Postgres, without anything else running."""

import asyncio
import json
from pathlib import Path

import pytest

from cli import run
from models.clock import start_clock
from models.database import Database
from models.model_registry import file_model
from tests.support.learned import add_portfolio, begin, doubt, new_model
from tests.support.portfolio import NOW, WALL

pytestmark = pytest.mark.integration
NAME = "churn-2026-06-15-1"


@pytest.fixture
def installation(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVERSTAY_DATABASE_URL", database_url)
    asyncio.run(_fill(database_url))


async def _fill(database_url: str) -> None:
    database = Database(database_url)
    async with database.transaction() as session:
        await start_clock(session, WALL, at=NOW, rate=0.0)
    await add_portfolio(database, customers=30)
    await begin(database, "t/1")
    async with database.transaction() as session:
        await file_model(session, new_model("t/1"), NOW)
    await database.close()


def test_too_little_to_learn_from_is_said_and_written(
    installation: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "card.json"
    assert run(["train", "--target", "churn", "--json", str(path)]) == 0
    assert "are needed" in capsys.readouterr().out
    document = json.loads(path.read_text(encoding="utf-8"))
    assert (document["target"], document["model"]) == ("churn", None)
    assert document["training"] == "churn/2026-06-15"


def test_models_are_listed_shown_promoted_and_rolled_back(
    installation: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["model", "promote", NAME, "--why", "the first", "--by", "Ada"]) == 0
    assert run(["model", "list"]) == 0
    listed = capsys.readouterr().out
    assert f"The champion is {NAME}." in listed
    assert "champion" in listed.splitlines()[-1]
    assert run(["model", "show", NAME]) == 0
    assert "Ada: the first" in capsys.readouterr().out
    assert run(["model", "rollback", "--target", "churn", "--why", "too loud"]) == 0
    assert "the scorecard speaks alone" in capsys.readouterr().out
    assert run(["model", "show", NAME, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["decisions"][-1]["state"] == "retired"


async def _doubted(database_url: str) -> None:
    database = Database(database_url)
    await doubt(database, NAME)
    await database.close()


def test_a_review_of_what_waits_for_none_is_refused(
    installation: None, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["model", "review", NAME, "--why", "before the gate has judged it"]) == 1
    assert "waits for no review" in capsys.readouterr().err
    asyncio.run(_doubted(database_url))
    assert run(["model", "review", NAME, "--why", "it reads the end date", "--leak"]) == 0
    assert "rejected" in capsys.readouterr().out
    assert run(["model", "review", NAME, "--why", "again"]) == 1
    assert "waits for no review" in capsys.readouterr().err
