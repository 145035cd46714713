"""The end of a night on a real Postgres: proposals from outcomes, and looks at the models."""

import datetime as dt
import random
import uuid
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from activities.model_watch import watch_models
from activities.night_end import PARTS, end_night
from activities.weight_proposals import propose_once_a_quarter
from domain.risk import SCORECARD_VERSION
from domain.scoring_policy import POLICY_KEY
from domain.time import BusinessInstant
from domain.trained_model import ModelDecision, ModelState
from domain.vocabulary import HealthComponent, Segment
from ml.adapters import NumpyStatistician
from models.database import Database
from models.model_health import keep_reference, load_model_health, load_reference
from models.model_registry import decide, file_model, promote
from models.tables.customers import CustomerRow
from models.tables.facts import CancellationRow, UsageDailyRow
from models.tables.judgement import DisagreementRow, ModelHealthRow, WeightProposalRow
from models.tables.scoring import ScoreRow
from models.tables.system import PolicyRow
from models.weight_proposals import WeightProposal, load_proposals
from tests.support.learned import begin, new_model
from tests.support.portfolio import NOW, FixedClock, Portfolio, ago

pytestmark = pytest.mark.integration
STATISTICIAN = NumpyStatistician()
TODAY = NOW.date()
CUSTOMERS = 160


def component_document(scores: dict[HealthComponent, int]) -> dict[str, Any]:
    return {name.value: {"score": scores.get(name)} for name in HealthComponent}


def score_row(customer_id: uuid.UUID, day: dt.date, **values: Any) -> dict[str, Any]:
    base = {
        "customer_id": customer_id, "as_of": day,
        "scored_at": BusinessInstant(dt.datetime(day.year, day.month, day.day, 2, tzinfo=dt.UTC)),
        "churn_probability": 0.05, "churn_risk_score": 25, "churn_risk_tier": "medium", "health_score": 60,
        "components": {}, "drivers": [], "horizon_days": 90, "model_version": "scorecard-2", "data_on": day,
    }  # fmt: skip
    return base | values


async def a_year_of_scores(database: Database, *, leavers: int) -> None:
    """Customers whose support scores told, months before, who would leave; nothing else did."""
    dice = random.Random(5)
    async with database.transaction() as session:
        portfolio = Portfolio(session)
        await portfolio.connect()
        scores, gone = [], []
        for place in range(CUSTOMERS):
            leaves = place < leavers
            left_days = dice.randint(60, 260) if leaves else None
            values: dict[str, Any] = {"segment": Segment.MID_MARKET}
            if left_days is not None:
                at = ago(left_days)
                values |= {"status": "churned", "churned_at": at, "churn_known_at": at}
            customer_id = await portfolio.customer(**values)
            if left_days is not None:
                gone.append((customer_id, ago(left_days)))
            for month in range(13):
                day = (TODAY.replace(day=2) - dt.timedelta(days=31 * month)).replace(day=2)
                if left_days is not None and (TODAY - day).days <= left_days:
                    continue
                found = {name: dice.randint(30, 95) for name in HealthComponent}
                near = left_days is not None and (TODAY - day).days - left_days < 100
                found[HealthComponent.SUPPORT] = dice.randint(5, 45) if near else dice.randint(35, 95)
                scores.append(score_row(customer_id, day, components=component_document(found)))
        await session.execute(insert(ScoreRow), scores)
        for customer_id, at in gone:
            await portfolio.fact(
                CancellationRow,
                customer_id,
                occurred_at=at,
                known_at=at,
                reason="other",
                reactivated=False,
                involuntary=False,
            )


async def proposals(database: Database) -> list[WeightProposal]:
    async with database.transaction() as session:
        return await load_proposals(session)


async def test_outcomes_propose_weights_once_a_quarter_with_the_evidence(database: Database) -> None:
    await a_year_of_scores(database, leavers=60)
    clock = FixedClock()
    assert await propose_once_a_quarter(database, clock, STATISTICIAN, TODAY)
    assert not await propose_once_a_quarter(database, clock, STATISTICIAN, TODAY + dt.timedelta(days=10))
    (found,) = await proposals(database)
    assert (found.quarter, found.is_open) == ("2026-Q2", True)
    evidence = found.evidence["mid_market"]
    assert evidence["left"] > 20
    assert evidence["auc_proposed"]["value"] > evidence["auc_present"]["value"]
    assert found.proposed["mid_market"]["support"] > 2 * found.present["mid_market"]["support"]
    assert sum(found.proposed["mid_market"].values()) == pytest.approx(1)
    assert found.evidence["small"]["verdict"] == "not_enough"
    assert found.proposed["small"] == found.present["small"]
    assert await propose_once_a_quarter(database, clock, STATISTICIAN, TODAY + dt.timedelta(days=31))


async def test_with_few_outcomes_nothing_waits_for_an_answer_and_the_number_needed_is_told(
    database: Database,
) -> None:
    await a_year_of_scores(database, leavers=5)
    await propose_once_a_quarter(database, FixedClock(), STATISTICIAN, TODAY)
    (found,) = await proposals(database)
    assert not found.is_open
    assert found.evidence["mid_market"]["needed"] == 20 - found.evidence["mid_market"]["left"]
    assert found.proposed == found.present


async def a_portfolio_in_use(database: Database) -> list[uuid.UUID]:
    async with database.transaction() as session:
        document = {"drift": {"least_customers": 20, "sample": 60}}
        await session.execute(insert(PolicyRow).values(key=POLICY_KEY, document=document, updated_at=NOW))
        portfolio = Portfolio(session)
        await portfolio.connect()
        dice = random.Random(2)
        for _ in range(60):
            customer_id = await portfolio.customer()
            await portfolio.daily_usage(customer_id, dice.uniform(5, 15), range(1, 100))
        await session.execute(insert(ScoreRow), [score_row(one, TODAY) for one in portfolio.ids])
        return portfolio.ids


async def test_a_column_that_moved_is_told_in_words_and_nothing_is_told_before_there_is_a_reference(
    database: Database,
) -> None:
    ids = await a_portfolio_in_use(database)
    (first,) = await watch_models(database, FixedClock(), STATISTICIAN, TODAY)
    assert (first.columns, first.alerts, first.score_psi) == ([], [], None)
    later = TODAY + dt.timedelta(days=7)
    async with database.transaction() as session:
        await session.execute(insert(ScoreRow), [score_row(one, later, churn_probability=0.3) for one in ids])
        for customer_id in ids:
            await Portfolio(session).daily_usage(customer_id, 10, range(-6, 1))
        await session.execute(update(UsageDailyRow).values(users=30))
    await watch_models(database, FixedClock(ago(-7)), STATISTICIAN, later)
    async with database.transaction() as session:
        (seen,) = await load_model_health(session, later)
        assert await load_model_health(session, later + dt.timedelta(days=8)) == []
    assert (seen.as_of, seen.reference_on, seen.customers) == (later, TODAY, 60)
    assert seen.score_psi is not None
    assert seen.score_psi > 0.25
    told = {one["about"]: one["sentence"] for one in seen.alerts}
    assert all(one["level"] == "watch" for one in seen.alerts)
    assert told["score"].startswith("The churn probability: all customers moved since 15 June")
    assert any("the median rose from 3 to 30" in sentence for sentence in told.values())


async def test_a_column_that_is_no_more_stops_no_look(database: Database) -> None:
    await a_portfolio_in_use(database)
    await watch_models(database, FixedClock(), STATISTICIAN, TODAY)
    async with database.transaction() as session:
        kept = await load_reference(session, SCORECARD_VERSION)
        assert kept is not None
        described = {**kept["columns"], "usage.of_an_older_release": kept["columns"]["usage.week"]}
        await keep_reference(session, SCORECARD_VERSION, {**kept, "columns": described}, NOW)
    (seen,) = await watch_models(database, FixedClock(), STATISTICIAN, TODAY)
    assert "usage.of_an_older_release" not in {one["name"] for one in seen.columns}
    assert len(seen.columns) > 30


async def test_nobody_is_known_to_have_stayed_after_the_end_of_what_was_told(database: Database) -> None:
    ids = await a_portfolio_in_use(database)
    then = TODAY - dt.timedelta(days=125)
    async with database.transaction() as session:
        await session.execute(insert(ScoreRow), [score_row(one, then) for one in ids])
        await session.execute(delete(UsageDailyRow).where(UsageDailyRow.day > TODAY - dt.timedelta(days=10)))
    (seen,) = await watch_models(database, FixedClock(), STATISTICIAN, TODAY)
    assert seen.outcomes == {"rows": 0}


async def test_a_model_that_was_wrong_on_what_has_happened_since_is_an_alarm(database: Database) -> None:
    ids = await a_portfolio_in_use(database)
    then = TODAY - dt.timedelta(days=125)
    async with database.transaction() as session:
        await session.execute(insert(ScoreRow), [score_row(one, then) for one in ids])
        portfolio = Portfolio(session)
        for customer_id in ids[:20]:
            gone = {
                "occurred_at": ago(80),
                "known_at": ago(80),
                "reason": "other",
                "reactivated": False,
                "involuntary": False,
            }
            await portfolio.fact(CancellationRow, customer_id, **gone)
    (seen,) = await watch_models(database, FixedClock(), STATISTICIAN, TODAY)
    assert (seen.outcomes["observed"], seen.outcomes["expected"]) == (20, pytest.approx(3.0))
    (alarm,) = seen.alerts
    assert (alarm["level"], alarm["about"]) == ("alarm", "calibration")
    assert alarm["sentence"].startswith("More customers left than expected: 20 of 3 foreseen around 10 Feb")


async def test_a_model_that_is_worse_than_its_card_is_an_alarm(database: Database) -> None:
    ids = await a_portfolio_in_use(database)
    await begin(database, "spring")
    promised = {"as_used": {"log_loss": 0.02}}
    async with database.transaction() as session:
        name = await file_model(session, new_model("spring"), NOW)
        await decide(session, name, ModelDecision(ModelState.SHADOW, "gate", "won", NOW, promised))
        await promote(session, name, "gate", "a week in shadow", NOW)
        version = f"scorecard-2 and {name}, 40 % model"
        then = TODAY - dt.timedelta(days=125)
        await session.execute(
            insert(ScoreRow),
            [score_row(one, then, model_version=version, churn_probability=0.1) for one in ids],
        )
        await session.execute(update(ScoreRow).values(model_version=version))
    (seen,) = await watch_models(database, FixedClock(), STATISTICIAN, TODAY)
    told = {one["about"]: one for one in seen.alerts}
    assert seen.outcomes["card_log_loss"] == 0.02
    assert told["log_loss"]["level"] == "alarm"
    assert "0.105" in told["log_loss"]["sentence"]


async def test_the_end_of_a_night_does_everything_once_and_one_failure_stops_no_other(
    database: Database,
) -> None:
    ids = await a_portfolio_in_use(database)
    async with database.transaction() as session:
        apart = {"health_status": "thriving", "churn_risk_tier": "high"}
        await session.execute(update(CustomerRow).where(CustomerRow.id == ids[0]).values(**apart))

    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    for _ in range(2):
        await end_night(database, FixedClock(), STATISTICIAN, TODAY, parts=((broken, 1.0), *PARTS))
    async with database.transaction() as session:
        counts = [
            len(list(await session.scalars(select(table))))
            for table in (DisagreementRow, WeightProposalRow, ModelHealthRow)
        ]
    assert counts == [1, 1, 1]
