"""`everstay backtest` on a small vendor whose quiet customers leave."""

import datetime as dt
import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from domain.backtest import Cut
from domain.errors import ConflictError, InvalidInputError, NotFoundError
from models.backtests import list_backtests, show_backtest
from models.clock import start_clock, wall_now
from models.database import Database
from models.model_registry import file_model, promote
from tests.support.learned import QUICK, begin, new_model
from tests.support.portfolio import NOW
from workers.backtest_command import Asked, backtest
from workers.backtest_voices import training_days
from workers.backtest_words import shown
from workers.sample_command import lay_company, write_stories

pytestmark = pytest.mark.integration
DAY = dt.timedelta(days=1)
LONG = dt.date(2025, 6, 2)
FIRST, LAST = dt.date(2026, 3, 2), dt.date(2026, 6, 1)


def quietly(_what: str, _share: float) -> None:
    """Tell nobody."""


@pytest.fixture
async def company(database: Database, tmp_path: Path) -> Path:
    """A very small company with two years behind it; its stories in a file."""
    simulation = await lay_company(database, customers=24, seed=3)
    async with database.transaction() as session:
        await start_clock(session, wall_now(), at=NOW, rate=1.0)
    path = tmp_path / "stories.csv"
    write_stories(simulation, path)
    return path


async def test_a_backtest_replays_days_files_what_it_found_and_says_it(
    database: Database, company: Path
) -> None:
    asked = Asked("scorecard", LONG, LAST, "month", 3, company, is_kept=True)
    found = await backtest(database, asked, quietly)
    assert (found["from"], found["days"], found["room"], found["has_seen"]) == ("2025-06-02", 13, 3, False)
    assert [one["model"] for one in found["stages"]] == ["scorecard-2"]
    assert "group" in found["cuts"][Cut.TIER]["lead"]["by"]
    async with database.transaction() as session:
        (listed,) = await list_backtests(session)
        kept = await show_backtest(session, uuid.UUID(found["id"]))
    assert (listed.model, listed.first_day) == ("scorecard", LONG)
    assert kept.document == {key: value for key, value in found.items() if key != "id"}
    assert "scorecard, 2025-06-02 to" in shown(found)

    with pytest.raises(InvalidInputError, match="last known day"):
        await backtest(database, Asked("scorecard", FIRST, dt.date(2027, 1, 1)), quietly)
    with pytest.raises(InvalidInputError, match="nothing was known before"):
        await backtest(database, Asked("scorecard", dt.date(2020, 1, 1), LAST), quietly)
    with pytest.raises(ConflictError, match="empty one"):
        await lay_company(database, customers=5, seed=1)


async def test_a_model_that_has_learned_from_the_days_is_refused_or_marked(
    database: Database, company: Path
) -> None:
    with pytest.raises(NotFoundError, match="champion"):
        await backtest(database, Asked("champion", FIRST, LAST, "month"), quietly)
    await begin(database, "t/1")
    model = replace(new_model("t/1"), trained_until=FIRST, judged_until=FIRST - 30 * DAY)
    async with database.transaction() as session:
        name = await file_model(session, model, NOW)
        await promote(session, name, "test", "it is tested", NOW)
    twin = await backtest(database, Asked("champion", FIRST, LAST, "month"), quietly)
    assert not twin["has_seen"]
    assert "its twin that was judged" in twin["stages"][0]["why"]
    later = FIRST + 91 * DAY
    used = await backtest(database, Asked(name, later, later, "month"), quietly)
    assert used["stages"][0]["why"].startswith("had learned from outcomes up to")
    early = Asked(name, FIRST - 40 * DAY, LAST, "month")
    with pytest.raises(InvalidInputError, match="--allow-seen"):
        await backtest(database, early, quietly)
    seen = await backtest(database, replace(early, allow_seen=True), quietly)
    assert seen["has_seen"]
    assert "NOT A PROOF" in shown(seen)


async def test_training_as_it_would_have_been_falls_back_to_the_scorecard_where_too_few_had_left(
    database: Database, company: Path
) -> None:
    asked = Asked("retrain", FIRST, LAST, "month")
    found = await backtest(database, asked, quietly, QUICK)
    assert [one["since"] for one in found["stages"]] == ["2026-03-02", "2026-04-01"]
    assert all("30 are needed" in one["why"] for one in found["stages"])


def test_models_are_trained_at_the_start_and_at_each_quarter() -> None:
    days = training_days(dt.date(2025, 11, 3), dt.date(2026, 4, 1))
    assert days == [dt.date(2025, 11, 3), dt.date(2026, 1, 1), dt.date(2026, 4, 1)]
