"""What was measured is acted on: personal shares only where proven, and expected values by what was seen."""

import datetime as dt
import uuid

import pytest
from sqlalchemy import insert, select, update

from activities.contracts import AdvanceInput, DecideInput
from activities.intervention import InterventionActivities
from activities.lifecycle import LifecycleActivities
from domain.trial_labels import Measure, TrialLabel
from domain.trials import Arm
from domain.vocabulary import DecisionKind, RiskTier, Segment, TouchTier
from models.database import Database
from models.impact import load_report, load_shares
from models.installation import release
from models.playbooks import PlaybookShelf, load_library, publish
from models.tables.customers import CustomerRow
from models.tables.ledger import DecisionRow
from models.tables.playbooks import PlaybookVersionRow
from models.tables.system import InstallationRow
from models.tables.trials import AssignmentRow, TrialOutcomeRow
from models.uplifts import load_uplifts
from tests.support.loop import LIBRARY, MONDAY, ServerClock
from tests.support.portfolio import NOW, Portfolio, ago
from tests.support.runs import one_letter, open_run
from tests.support.scenario import Scenario
from workers.impact_keeper import learn_from_outcomes

pytestmark = pytest.mark.integration
KEY = "low-engagement"
LETTER = "one-lifecycle-letter"
STEPS = [
    {
        "id": "which",
        "experiment": {
            "choose": "measured",
            "variants": [{"name": "a", "next": "letter"}, {"name": "b", "next": "letter"}],
        },
    },
    *one_letter().model_dump(mode="json")["steps"],
]


async def past(
    database: Database, key: str, arms: dict[str, dict[Segment, float]], step: str, measure: Measure
) -> None:
    """Write sixty customers of each arm and segment, a share of whom did well."""
    async with database.transaction() as session:
        portfolio = Portfolio(session)
        version = await session.scalar(
            select(PlaybookVersionRow.id).where(PlaybookVersionRow.playbook_key == key)
        )
        assigned, became = [], []
        for arm, shares in arms.items():
            for segment, share in shares.items():
                for number in range(60):
                    identity = uuid.uuid4()
                    assigned.append(
                        {
                            "id": identity, "key": str(identity), "customer_id": await portfolio.customer(),
                            "playbook_key": key, "version_id": version, "step_id": step, "arm": arm,
                            "occasion": "tier:high", "propensity": 0.5, "global_share": 0.0,
                            "assigned_at": ago(150), "segment": segment, "touch_tier": TouchTier.MANAGED,
                            "arr_minor": 1_000_000, "currency": "USD", "state": {},
                        }
                    )  # fmt: skip
                    is_good = number < round(60 * share)
                    label = TrialLabel.SAVED if is_good else TrialLabel.CHURNED
                    became.append(
                        {
                            "assignment_id": identity, "measure": measure, "label": label,
                            "is_good": is_good, "matured_at": ago(20), "known_at": ago(20),
                        }
                    )  # fmt: skip
        await session.execute(insert(AssignmentRow), assigned)
        await session.execute(insert(TrialOutcomeRow), became)


@pytest.mark.parametrize(
    ("b_in_enterprise", "is_personal"), [pytest.param(0.9, True, id="proven"), (0.35, False)]
)
async def test_each_segment_gets_its_own_choice_only_where_that_is_proven_to_beat_one_for_all(
    database: Database, b_in_enterprise: float, *, is_personal: bool
) -> None:
    small, large = Segment.SMALL, Segment.ENTERPRISE
    scene = await newcomer(database, large)
    async with database.transaction() as session:
        await publish(session, one_letter(steps=STEPS), ago(400))
    arms = {"a": {small: 0.85, large: 0.4}, "b": {small: 0.3, large: b_in_enterprise}}
    await past(database, LETTER, arms, "which", Measure.GOAL)
    await learn_from_outcomes(database, NOW)
    async with database.transaction() as session:
        (told,) = (await load_report(session)).experiments
        shares = {one: (await load_shares(session, LETTER, one))["which"] for one in (small, large)}
    assert told.gain_by_segment is not None
    assert (told.gain_by_segment.low > 0) is is_personal
    assert shares[small]["a"] > 0.8
    assert (shares[large]["b"] > 0.8) is is_personal
    assert (shares[large] == shares[small]) is not is_personal
    dealt = await dealt_to(scene)
    assert dealt.propensity == pytest.approx(shares[large][dealt.arm])


async def newcomer(database: Database, segment: Segment) -> Scenario:
    """A customer of whom nothing is known yet but its size."""
    scene = await Scenario(database, MONDAY).begin(churn_probability=0.2)
    async with database.transaction() as session:
        mine = CustomerRow.id == scene.customer_id
        await session.execute(update(CustomerRow).where(mine).values(segment=segment))
    return scene


def at_work() -> ServerClock:
    clock = ServerClock()
    clock.tell(dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC))
    return clock


async def dealt_to(scene: Scenario) -> AssignmentRow:
    """Deal a variant to the newcomer."""
    database = scene.database
    run_id = await open_run(database, one_letter(steps=STEPS), scene.customer_id, MONDAY)
    await InterventionActivities(database, at_work(), PlaybookShelf()).advance(AdvanceInput(run_id, 1))
    async with database.transaction() as session:
        query = select(AssignmentRow).where(AssignmentRow.customer_id == scene.customer_id)
        return (await session.scalars(query)).one()


async def decided(scene: Scenario) -> DecisionRow:
    """Let the director look at the newcomer, whose risk is high now."""
    database = scene.database
    async with database.transaction() as session:
        await release(session, MONDAY, ServerClock().wall_now())
        await session.execute(update(InstallationRow).values(playbook_holdout_share=0.0))
    await scene.set_tier(RiskTier.HIGH)
    deciding = LifecycleActivities(database, at_work(), PlaybookShelf())
    await deciding.decide(DecideInput(scene.customer_id, 1))
    async with database.transaction() as session:
        query = select(DecisionRow).where(DecisionRow.subject == KEY, DecisionRow.action == "start_run")
        return (await session.scalars(query)).one()


async def test_a_decision_says_what_was_measured_and_elsewhere_what_is_assumed(database: Database) -> None:
    scene = await newcomer(database, Segment.SMALL)
    async with database.transaction() as session:
        await load_library(session, LIBRARY, MONDAY)
    arms = {Arm.TREATED.value: {Segment.SMALL: 0.9}, Arm.HOLDOUT.value: {Segment.SMALL: 0.6}}
    await past(database, KEY, arms, "", Measure.STAYED)
    await learn_from_outcomes(database, NOW)
    async with database.transaction() as session:
        found = (await load_uplifts(session))[KEY, Segment.SMALL]
    assert 0.06 < found.value < 0.75
    assert (found.low < found.value < found.high, found.customers) == (True, 120)
    told = await decided(scene)
    assert told.evidence["uplift"].startswith("measured: saves ")
    assert told.evidence["uplift"].endswith("n = 120")
    assert told.evidence["expected_value"] == pytest.approx(48_000 * 0.2 * found.value, rel=0.01)


async def test_where_nothing_was_measured_a_decision_says_what_it_assumes(database: Database) -> None:
    scene = await newcomer(database, Segment.ENTERPRISE)
    async with database.transaction() as session:
        await load_library(session, LIBRARY, MONDAY)
    told = await decided(scene)
    assert told.evidence["uplift"] == "assumed: saves 6 in 100"


async def test_a_playbook_that_drives_a_segment_away_is_refused_there_by_name(database: Database) -> None:
    scene = await newcomer(database, Segment.SMALL)
    async with database.transaction() as session:
        await load_library(session, LIBRARY, MONDAY)
    arms = {Arm.TREATED.value: {Segment.SMALL: 0.4}, Arm.HOLDOUT.value: {Segment.SMALL: 0.9}}
    await past(database, KEY, arms, "", Measure.STAYED)
    await learn_from_outcomes(database, NOW)
    told = await decided(scene)
    assert (told.kind, told.reason) == (DecisionKind.REFUSAL, "do_not_disturb")
