"""`everstay evaluate` on a small vendor whose quiet customers leave."""

import datetime as dt
import random
from collections.abc import Iterator

import pytest

from activities.training_data import Target
from domain.errors import InvalidInputError
from domain.facts import CustomerFact, Fact, SubscriptionFact, UsageFact
from domain.time import BusinessInstant, after, business
from models.clock import start_clock, wall_now
from models.database import Database
from models.facts import store_facts
from models.sources import Source, connect_source
from tests.support.web import web_settings
from workers.evaluate_command import Window, run_evaluate, shown

pytestmark = pytest.mark.integration
START = business(dt.datetime(2024, 1, 1, tzinfo=dt.UTC))
DAY = dt.timedelta(days=1)
CUSTOMERS, DAYS = 90, 480
CRM = "crm"


def day(number: float) -> BusinessInstant:
    return after(START, number * DAY)


def vendor() -> Iterator[Fact]:
    """Half of the customers leave at a day of their own; a quarter before that they use less."""
    for place in range(CUSTOMERS):
        chance, key = random.Random(place), f"c{place:03}"
        leaves = chance.uniform(150, 700) if place % 2 else None
        ended = day(leaves) if leaves is not None and leaves < DAYS else None
        yield CustomerFact(key=key, known_at=START, name=key.title(), started_at=START)
        yield SubscriptionFact(
            key=f"{key}/term",
            known_at=START,
            customer=key,
            product="core",
            mrr_minor=chance.randint(1, 9) * 10_000,
            seats=10,
            billing_months=1,
            started_at=START,
            ended_at=ended,
            ended_known_at=ended,
        )
        for week in range(DAYS // 7):
            on = 7.0 * week + chance.random()
            if ended is None or day(on) < ended:
                fading = leaves is not None and leaves - on < 90
                yield UsageFact(
                    key=f"{key}/{week}",
                    known_at=day(on),
                    customer=key,
                    feature=chance.choice(("search", "edit")),
                    quantity=round(max(chance.gauss(40, 16), 0) * (0.85 if fading else 1)),
                    users=5,
                    occurred_at=day(on),
                )


async def tell(database: Database) -> None:
    facts = list(vendor())
    async with database.transaction() as session:
        await start_clock(session, wall_now(), at=day(DAYS), rate=1.0)
        await connect_source(
            session, Source(CRM, "CRM", "test", ("customers", "subscriptions", "usage"), START)
        )
    for start in range(0, len(facts), 1000):
        async with database.transaction() as session:
            await store_facts(session, CRM, facts[start : start + 1000], received_at=wall_now())


async def test_an_evaluation_says_what_was_learned_how_well_and_that_nothing_leaked(
    database: Database, database_url: str
) -> None:
    await tell(database)
    told: list[str] = []
    run = run_evaluate(
        web_settings(database_url), Target.CHURN_60, Window(), 2, lambda what, _share: told.append(what)
    )
    found = await run
    assert found["target"] == "churn_60d"
    assert found["train"]["to"] < found["test"]["from"] <= found["test"]["to"] <= "2025-02-01"
    assert found["auc"]["value"] > found["auc"]["low"] > 0.5
    assert found["log_loss"] < found["constant_log_loss"]
    names = ("future_deleted_equal", "planted_leak_refused", "single_feature", "purge", "grouping")
    assert found["leak_checks"] == dict.fromkeys(names, True), found["leaks"]
    assert {one["name"] for one in found["variants"]} >= {"lean", "core-line", "worth", "core-hazard"}
    assert told[-1] == "seed 2 of 2"
    page = shown(found)
    assert "churn_60d: learned from" in page
    assert page.count("passed") == len(names)


async def test_windows_that_overlap_are_refused_with_the_gap_that_is_needed(
    database: Database, database_url: str
) -> None:
    await tell(database)
    window = Window(dt.date(2024, 9, 1), dt.date(2024, 10, 1), dt.date(2024, 12, 1))
    with pytest.raises(InvalidInputError, match="60 days"):
        await run_evaluate(web_settings(database_url), Target.CHURN_60, window, 1, lambda _what, _share: None)


async def test_without_customers_it_says_what_is_missing(database: Database, database_url: str) -> None:
    async with database.transaction() as session:
        await start_clock(session, wall_now(), at=day(DAYS), rate=1.0)
    with pytest.raises(InvalidInputError, match="train_until"):
        await run_evaluate(
            web_settings(database_url), Target.CHURN_90, Window(), 1, lambda _what, _share: None
        )
