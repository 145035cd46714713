"""What signals read from the database: targets, reopened tickets, peers; what a source told and we read."""

from typing import Any

import pytest

from domain.adoption import LEAST_PEERS
from domain.fact_merge import RULES, merge
from domain.features import AdoptionNumbers, CustomerFeatures
from models.adoption import compute_norms, load_norms
from models.database import Database
from models.digests import read_digest
from models.features import load_features
from tests.support.portfolio import NOW, Portfolio, ago

pytestmark = pytest.mark.integration


async def features_of(database: Database, *tickets: dict[str, Any]) -> CustomerFeatures:
    async with database.transaction() as session:
        made = Portfolio(session)
        await made.connect()
        customer = await made.customer()
        for ticket in tickets:
            opened = ticket.pop("opened", ago(10))
            await made.ticket(customer, opened, **ticket)
        (found,) = await load_features(session, [customer], NOW, {})
    return found


async def test_a_target_that_was_met_late_is_missed_and_one_met_in_time_is_not(database: Database) -> None:
    late = {"resolve_due_at": ago(8), "resolved_at": ago(6), "resolved_known_at": ago(6)}
    kept = {"resolve_due_at": ago(8), "resolved_at": ago(9), "resolved_known_at": ago(9)}
    answered = {"first_response_due_at": ago(9), "first_responded_at": ago(8)}
    prompt = {"first_response_due_at": ago(8), "first_responded_at": ago(9)}
    found = (await features_of(database, late, kept, answered, prompt)).support
    assert (found.breached_30, found.breached_days) == (2, 8)


async def test_a_target_that_nobody_met_is_missed_from_its_hour_on(database: Database) -> None:
    missed = {"first_response_due_at": ago(3), "resolve_due_at": ago(-2)}
    found = (await features_of(database, missed)).support
    assert (found.breached_30, found.breached_days, found.overdue) == (1, 3, 1)


async def test_what_was_missed_long_ago_is_no_news(database: Database) -> None:
    old = {"opened": ago(60), "resolve_due_at": ago(50), "resolved_at": ago(40), "resolved_known_at": ago(40)}
    assert (await features_of(database, old)).support.breached_30 == 0


async def test_the_oldest_open_ticket_and_those_opened_again_are_counted(database: Database) -> None:
    done = {"opened": ago(90), "resolved_at": ago(80), "resolved_known_at": ago(80), "reopened": 1}
    found = (await features_of(database, done, {"opened": ago(20)}, {"reopened": 2})).support
    assert (found.oldest_open_days, found.reopened_open) == (20, 1)


async def test_a_customer_lags_behind_what_its_peers_use(database: Database) -> None:
    async with database.transaction() as session:
        made = Portfolio(session)
        await made.connect()
        ids = [await made.customer(plan="Pro") for _ in range(LEAST_PEERS + 1)]
        other = await made.customer(plan="Pro", started_at=ago(20))
        for customer in (*ids, other):
            await made.daily_usage(customer, 5, range(1, 40), "report")
        for customer in ids[1:]:
            await made.daily_usage(customer, 5, range(1, 20), "export")
        await made.daily_usage(ids[2], 5, range(1, 20), "rare")
        norms = await compute_norms(session, NOW)
        rows = await load_features(session, [ids[0], ids[1], other], NOW, {})
        lags = {one.customer_id: norms.of(one) for one in rows}
        assert lags[ids[0]] == AdoptionNumbers(("export",), LEAST_PEERS + 1, 2)
        assert lags[ids[1]].lagging == ()
        assert lags[other] == AdoptionNumbers()
        assert await load_norms(session, NOW) == norms
        assert await load_norms(session, ago(-3)) == norms
        kept = await read_digest(session, "adoption_norms")
    assert kept is not None
    assert kept.as_of == NOW


def test_another_reading_of_the_same_ticket_is_no_contradiction() -> None:
    rule = RULES["ticket"]
    known = dict.fromkeys([*rule.filled, *rule.latest, *rule.known.values()])
    known |= {"reopened": 0, "escalated": False}
    read = known | {"sentiment": 0.4, "sentiment_by": "vader"}
    again = known | {"sentiment": -0.1, "sentiment_by": "vader"}
    told = known | {"sentiment": 0.9}
    assert merge(rule, known, read, is_later=True) == {"sentiment": 0.4, "sentiment_by": "vader"}
    assert merge(rule, read, again, is_later=True) == {}
    assert merge(rule, told, read, is_later=True) == {}
