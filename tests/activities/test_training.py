"""Trainings on a real Postgres: gathered, learned, judged, in shadow, in use, and rolled back."""

import functools
import uuid
from typing import Any

import pytest
from sqlalchemy import func, select, update

from activities.champions import open_voices
from activities.customer_scoring import judge_customers, score_customers
from activities.leak_checks import feature_parity, future_deleted
from activities.model_decisions import promote_by_hand, review_by_hand, roll_back_by_hand
from activities.training import due_training, promote_shadows
from activities.training_run import gather_dates, plan_dates, train_filed
from activities.training_trial import judge_filed
from domain.errors import ConflictError, InvalidInputError, NotFoundError
from domain.risk import SCORECARD_VERSION, Scorecard
from domain.scoring_policy import POLICY_KEY, RiskPolicy, ScoringPolicy
from domain.trained_model import GATE, ModelState, ModelTarget
from ml.adapters import CatBoostLearner, CatBoostModelReader
from ml.trained_risk import TrainedRisk
from models.database import Database
from models.features import PRESENT
from models.model_registry import file_model, list_models, promote, show_model
from models.tables.customers import CustomerRow
from models.tables.facts import CancellationRow, SubscriptionRow
from models.tables.scoring import AssessmentRow, ScoreRow
from models.tables.system import PolicyRow
from models.tables.trained import ModelRow, ShadowScoreRow, TrainingPartRow
from models.trainings import load_training
from tests.support.learned import QUICK, add_portfolio, begin, doubt, new_model
from tests.support.portfolio import NOW, WALL, FixedClock, ago

pytestmark = pytest.mark.integration
CLOCK = FixedClock()
LEARNER, READER = CatBoostLearner(QUICK), CatBoostModelReader()
KEY = "churn/2026-06-15"
CHECKS = {
    "purge", "grouping", "single_feature", "auc", "planted_leak_refused", "knows_something",
    "feature_parity", "future_deleted_equal",
}  # fmt: skip


async def run(
    database: Database, target: ModelTarget = ModelTarget.CHURN, key: str = KEY
) -> ModelState | None:
    dates = await plan_dates(database, CLOCK, target, key)
    if not dates:
        return None
    await gather_dates(database, LEARNER, key, dates)
    await train_filed(database, CLOCK, LEARNER, key)
    return await judge_filed(database, CLOCK, LEARNER, key)


async def count(database: Database, table: Any) -> int:
    async with database.transaction() as session:
        return int(await session.scalar(select(func.count()).select_from(table)) or 0)


async def outcome(database: Database) -> str | None:
    async with database.transaction() as session:
        return (await load_training(session, KEY)).outcome


async def set_nights(database: Database, nights: int) -> None:
    policy = ScoringPolicy.model_validate({"risk": {"shadow_nights": nights}})
    async with database.transaction() as session:
        values = {"key": POLICY_KEY, "document": policy.model_dump(mode="json"), "updated_at": NOW}
        session.add(PolicyRow(**values))


async def test_a_known_signal_is_learned_judged_shadowed_used_and_rolled_back(database: Database) -> None:
    ids = await add_portfolio(database, customers=600)
    await set_nights(database, 2)
    state = await run(database)
    assert state is ModelState.SHADOW, await outcome(database)
    assert await count(database, TrainingPartRow) == 0
    async with database.transaction() as session:
        (one,) = await list_models(session)
        card = (await show_model(session, one["name"]))["card"]
    assert one["name"] == "churn-2026-06-15-1"
    assert card["metrics"]["auc"] > 0.65
    assert card["drivers"]["families"][0]["columns"][0]["column"] in {
        "commercial.seats",
        "commercial.price_per_seat",
    }
    families = card["drivers"]["families"]
    assert families[0]["family"] == "commercial"
    assert sum(each["share"] for each in families) == pytest.approx(1)
    seats = {each["column"]: each["direction"] for each in families[0]["columns"]}
    assert seats.get("commercial.seats", -1) == -1
    assert card["intervals"]["auc"]["low"] < card["metrics"]["auc"] < card["intervals"]["auc"]["high"]
    assert all(check["passed"] for check in card["leak_checks"].values() if not check["is_suspicion"])
    assert set(card["leak_checks"]) == CHECKS
    assert card["involuntary"]["churners"] == 0
    assert [word["state"] for word in one["decisions"]] == ["challenger", "shadow"]

    live = [each for each in ids if await _is_live(database, each)][:20]
    await score_customers(database, CLOCK, READER, live)
    assert await _versions(database) == {SCORECARD_VERSION}
    assert await count(database, ShadowScoreRow) == 20
    assert await promote_shadows(database, CLOCK) == []
    await score_customers(database, FixedClock(ago(-1)), READER, live)
    assert await promote_shadows(database, CLOCK) == [one["name"]]

    await score_customers(database, FixedClock(ago(-2)), READER, live)
    version = f"{SCORECARD_VERSION} and {one['name']}"
    assert version in " ".join(await _versions(database))
    async with database.transaction() as session:
        scored = await session.scalar(select(CustomerRow).where(CustomerRow.id == live[0]))
        assessment = await session.scalar(
            select(AssessmentRow)
            .where(AssessmentRow.customer_id == live[0])
            .order_by(AssessmentRow.assessed_at)
        )
    assert scored is not None
    assert assessment is not None
    assert scored.expansion_probability is None
    assert "no model of expansion" in str((await _newest(database, live[0])).outlook_missing)

    alone = [(await judge_customers(database, READER, [each], NOW, exact=True))[0].risk for each in live[:5]]
    whole = {
        each.features.customer_id: each.risk
        for each in await judge_customers(database, READER, live, NOW, exact=True)
    }
    assert alone == [whole[each] for each in live[:5]]

    async with database.transaction() as session:
        assert await roll_back_by_hand(session, ModelTarget.CHURN, "Ada", "it cries wolf", NOW) is None
    await score_customers(database, FixedClock(ago(-3)), READER, live)
    assert (await _newest(database, live[0])).model_version == SCORECARD_VERSION


async def _is_live(database: Database, customer_id: uuid.UUID) -> bool:
    async with database.transaction() as session:
        status = await session.scalar(select(CustomerRow.status).where(CustomerRow.id == customer_id))
    return status == "active"


async def _versions(database: Database) -> set[str]:
    async with database.transaction() as session:
        return set(await session.scalars(select(ScoreRow.model_version)))


async def _newest(database: Database, customer_id: uuid.UUID) -> ScoreRow:
    async with database.transaction() as session:
        query = select(ScoreRow).where(ScoreRow.customer_id == customer_id).order_by(ScoreRow.as_of.desc())
        return (await session.scalars(query.limit(1))).one()


async def test_noise_is_refused_with_its_reason(database: Database) -> None:
    await add_portfolio(database, has_signal=False)
    assert await run(database) is ModelState.REJECTED
    async with database.transaction() as session:
        (one,) = await list_models(session)
        training = await load_training(session, KEY)
    assert "knows_something failed" in one["decisions"][-1]["why"]
    assert one["decisions"][-1]["by"] == "gate"
    assert training.outcome is not None
    assert "is rejected" in training.outcome


async def test_a_training_whose_snapshots_know_the_future_is_refused_before_anything_is_learned(
    database: Database,
) -> None:
    await add_portfolio(database)
    dates = await plan_dates(database, CLOCK, ModelTarget.CHURN, KEY)
    await gather_dates(database, LEARNER, KEY, dates[-4:])
    peeking = functools.partial(future_deleted, reader=PRESENT)
    assert await train_filed(database, CLOCK, LEARNER, KEY, safeguards=(feature_parity, peeking)) is None
    said = await outcome(database)
    assert said is not None
    assert said.startswith("nothing was learned, since the check future_deleted_equal failed: ")
    assert "feature_parity" not in said
    assert await count(database, ModelRow) == await count(database, TrainingPartRow) == 0
    assert await judge_filed(database, CLOCK, LEARNER, KEY) is None


async def test_with_too_few_churners_nothing_is_gathered_and_the_reason_is_kept(database: Database) -> None:
    await add_portfolio(database, customers=40)
    assert await run(database, ModelTarget.INVOLUNTARY, "involuntary/2026-06-15") is None
    async with database.transaction() as session:
        training = await load_training(session, "involuntary/2026-06-15")
    assert training.outcome == "0 involuntary churners are known, 30 are needed"
    assert training.ended_at is not None


async def test_who_left_unpaid_leaves_the_rows_at_that_date(database: Database) -> None:
    ids = await add_portfolio(database)
    async with database.transaction() as session:
        ends = {
            row.customer_id: row.ended_at
            for row in await session.scalars(
                select(SubscriptionRow).where(SubscriptionRow.ended_at.is_not(None))
            )
        }
        unpaid = [each for each in ids if each in ends][:12]
        for each in unpaid:
            session.add(_cancellation(each, ends[each]))
    await run(database)
    async with database.transaction() as session:
        card = (await show_model(session, "churn-2026-06-15-1"))["card"]
        model = await session.scalar(select(ModelRow))
    assert 0 < card["involuntary"]["churners"] <= 12
    assert "too few for a model of their own" in card["involuntary"]["said"]
    assert model is not None
    assert model.other_rate > 0


def _cancellation(customer_id: uuid.UUID, at: Any) -> CancellationRow:
    return CancellationRow(
        id=uuid.uuid4(), source_id="crm", external_id=str(customer_id), content_hash="", received_at=WALL,
        customer_id=customer_id, occurred_at=at, known_at=at, reason="other", reactivated=False,
        involuntary=True,
    )  # fmt: skip


async def test_a_training_goes_on_behind_the_last_date_that_was_kept(database: Database) -> None:
    await add_portfolio(database)
    dates = await plan_dates(database, CLOCK, ModelTarget.CHURN, KEY)
    await gather_dates(database, LEARNER, KEY, dates[:3])
    async with database.transaction() as session:
        await session.execute(update(TrainingPartRow).values(rows=-1))
    told: list[str] = []
    found, _rows = await gather_dates(
        database, LEARNER, KEY, dates[:6], lambda what, _share: told.append(what)
    )
    assert found == 6
    assert ["-1 customers" in one for one in told[:4]] == [True, True, True, False]


async def test_a_training_is_due_each_week_or_with_news_and_never_twice_within_an_hour(
    database: Database,
) -> None:
    assert await due_training(database, CLOCK) is None
    await add_portfolio(database)
    assert await due_training(database, CLOCK) is ModelTarget.CHURN
    await begin(database, KEY)
    assert await due_training(database, CLOCK) is None


async def test_one_model_is_champion_and_a_rollback_brings_back_the_one_before(database: Database) -> None:
    first, second = await _two_models(database)
    assert await _promoted(database, first, "it is the first") is None
    assert await _promoted(database, second, "it is better") == first
    assert await _states(database) == {first: ModelState.RETIRED, second: ModelState.CHAMPION}
    with pytest.raises(ConflictError):
        await _promoted(database, second, "again")
    assert await _rolled_back(database, "worse") == first
    assert await _states(database) == {first: ModelState.CHAMPION, second: ModelState.RETIRED}
    assert await _rolled_back(database, "worse still") is None
    with pytest.raises(NotFoundError):
        await _rolled_back(database, "what else")
    with pytest.raises(InvalidInputError):
        await _promoted(database, first, " ")


async def test_rollbacks_end_at_the_scorecard_also_where_one_was_promoted_twice(database: Database) -> None:
    first, second = await _two_models(database)
    for name in (first, second, first):
        await _promoted(database, name, "back and forth")
    assert await _rolled_back(database, "worse") == second
    assert await _rolled_back(database, "worse as well") == first
    assert await _rolled_back(database, "worse than nothing") is None


async def _two_models(database: Database) -> list[str]:
    names = []
    for number in range(2):
        await begin(database, f"t/{number}")
        async with database.transaction() as session:
            names.append(await file_model(session, new_model(f"t/{number}", seed=number), NOW))
    return names


async def _promoted(database: Database, name: str, why: str) -> str | None:
    async with database.transaction() as session:
        return await promote_by_hand(session, name, "Ada", why, NOW)


async def _rolled_back(database: Database, why: str) -> str | None:
    async with database.transaction() as session:
        return await roll_back_by_hand(session, ModelTarget.CHURN, "Ada", why, NOW)


async def test_a_model_that_reads_what_is_no_more_leaves_the_scorecard_to_speak(database: Database) -> None:
    await begin(database, "t/1")
    async with database.transaction() as session:
        name = await file_model(session, new_model("t/1"), NOW)
        await promote(session, name, "Ada", "it is the first", NOW)
        assert isinstance((await open_voices(session, READER, RiskPolicy())).model, TrainedRisk)
        await session.execute(update(ModelRow).values(columns=["usage.gone"]))
        assert isinstance((await open_voices(session, READER, RiskPolicy())).model, Scorecard)


async def test_a_review_lets_a_suspicious_model_go_on_or_rejects_it(database: Database) -> None:
    await begin(database, "t/1")
    async with database.transaction() as session:
        name = await file_model(session, new_model("t/1"), NOW)
        assert await file_model(session, new_model("t/1"), NOW) == name
    with pytest.raises(ConflictError, match="waits for no review"):
        await _reviewed(database, name, "the gate has not seen it", is_sound=True)
    await doubt(database, name)
    state = await _reviewed(database, name, "the contract says so", is_sound=True)
    assert state is ModelState.SHADOW
    with pytest.raises(ConflictError):
        await _reviewed(database, name, "again", is_sound=False)
    async with database.transaction() as session:
        found = await show_model(session, name)
    assert found["reviewed_at"] == NOW
    assert [one["by"] for one in found["decisions"]] == ["training", GATE, "Ada", "Ada"]


async def _reviewed(database: Database, name: str, why: str, *, is_sound: bool) -> ModelState:
    async with database.transaction() as session:
        return await review_by_hand(session, name, "Ada", why, NOW, is_sound=is_sound)


async def _states(database: Database) -> dict[str, ModelState]:
    async with database.transaction() as session:
        return {one["name"]: one["state"] for one in await list_models(session)}
