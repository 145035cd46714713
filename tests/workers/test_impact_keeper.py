"""From a decision to a label to a report: what is left to chance is written down, and what became of it."""

import datetime as dt
import uuid
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from activities.contracts import AdvanceInput, DecideInput
from activities.intervention import InterventionActivities
from activities.lifecycle import LifecycleActivities
from domain.do_not_disturb import Word
from domain.holdout import place_of
from domain.time import BusinessInstant
from domain.trial_labels import Measure, TrialLabel
from domain.trials import Arm
from domain.vocabulary import DecisionKind, InterventionState, Outcome, RiskTier, Segment, TouchTier
from models.database import Database
from models.digests import keep_digest
from models.hands import Hand
from models.impact import SHARES, load_do_not_disturb, load_report, say_word
from models.installation import release
from models.playbooks import PlaybookShelf, load_library, publish
from models.tables.customers import CustomerRow
from models.tables.facts import CancellationRow
from models.tables.ledger import DecisionRow
from models.tables.playbooks import InterventionRow, PlaybookVersionRow
from models.tables.scoring import KindSilenceRow
from models.tables.system import InstallationRow
from models.tables.trials import AssignmentRow, TrialOutcomeRow
from models.trial_outcomes import label_goals
from tests.support.loop import LIBRARY, MONDAY, ServerClock
from tests.support.portfolio import NOW, WALL, Portfolio, ago
from tests.support.runs import one_letter, open_run
from tests.support.scenario import Scenario
from workers.impact_keeper import learn_from_outcomes

pytestmark = pytest.mark.integration
KEY = "low-engagement"


def deciding(database: Database) -> LifecycleActivities:
    clock = ServerClock()
    clock.tell(dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC))
    return LifecycleActivities(database, clock, PlaybookShelf())


async def at_high_risk(database: Database, share: float) -> Scenario:
    """A customer whose use has fallen, at an installation that withholds this share."""
    async with database.transaction() as session:
        await load_library(session, LIBRARY, MONDAY)
        await release(session, MONDAY, ServerClock().wall_now())
        shares = {"holdout_share": 0.05, "playbook_holdout_share": share}
        await session.execute(update(InstallationRow).values(shares))
    scene = await Scenario(database, MONDAY).begin(churn_probability=0.2)
    await scene.set_tier(RiskTier.HIGH)
    return scene


async def assignments(database: Database) -> list[AssignmentRow]:
    async with database.transaction() as session:
        return list((await session.scalars(select(AssignmentRow).order_by(AssignmentRow.assigned_at))).all())


async def test_a_run_that_opens_is_kept_with_its_chance_and_its_customer_as_it_was(
    database: Database,
) -> None:
    scene = await at_high_risk(database, 0.0)
    await deciding(database).decide(DecideInput(scene.customer_id, 1))
    (kept,) = await assignments(database)
    (run,) = await scene.runs()
    assert (kept.arm, kept.playbook_key, kept.intervention_id) == (Arm.TREATED, KEY, run.id)
    assert [kept.propensity, kept.global_share] == pytest.approx([0.95, 0.05])
    assert (kept.churn_probability, kept.acted_tier, kept.arr_minor) == (0.2, RiskTier.HIGH, 4_800_000)


async def test_a_customer_of_the_playbooks_holdout_gets_no_run_and_is_kept_once(database: Database) -> None:
    scene = await at_high_risk(database, 0.5)
    async with database.transaction() as session:
        salts = (f"salt-{number}" for number in range(100))
        chosen = next(one for one in salts if place_of(scene.customer_id, salt=one, name=KEY) < 0.5)
        await session.execute(update(InstallationRow).values(holdout_salt=chosen))
    for seq in (1, 2):
        await deciding(database).decide(DecideInput(scene.customer_id, seq))
    (kept,) = await assignments(database)
    assert (kept.arm, kept.intervention_id, kept.occasion) == (Arm.HOLDOUT, None, "tier:high")
    assert kept.propensity == pytest.approx(0.95 * 0.5)
    assert await scene.runs() == []
    async with database.transaction() as session:
        told = select(DecisionRow.reason).where(DecisionRow.kind == DecisionKind.REFUSAL)
        assert list(await session.scalars(told)) == ["playbook_holdout"]


async def test_a_persons_word_keeps_a_playbook_from_a_segment_at_the_next_decision(
    database: Database,
) -> None:
    scene = await at_high_risk(database, 0.0)
    async with database.transaction() as session:
        segment = await session.scalar(select(CustomerRow.segment))
        assert segment is not None
        word = Word(playbook=KEY, segment=segment, contact=False, reason="A merger is going on")
        await say_word(session, word, Hand("Ada", None, MONDAY, WALL))
    await deciding(database).decide(DecideInput(scene.customer_id, 1))
    assert await scene.runs() == []
    async with database.transaction() as session:
        assert (
            await session.scalar(select(DecisionRow.reason).where(DecisionRow.subject == KEY))
            == "do_not_disturb"
        )


EXPERIMENT = {
    "choose": "measured",
    "variants": [{"name": "a", "next": "letter"}, {"name": "b", "next": "letter"}],
}


async def test_a_variant_is_dealt_by_measured_shares_and_kept_with_its_chance(database: Database) -> None:
    scene = await Scenario(database, MONDAY).begin()
    steps = [{"id": "which", "experiment": EXPERIMENT}, *one_letter().model_dump(mode="json")["steps"]]
    run_id = await open_run(database, one_letter(steps=steps), scene.customer_id, MONDAY)
    shares = {"one-lifecycle-letter": {"which": {"all": {"a": 0.2, "b": 0.8}}}}
    async with database.transaction() as session:
        await keep_digest(session, SHARES, MONDAY, shares)
    clock = ServerClock()
    clock.tell(dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC))
    advancing = InterventionActivities(database, clock, PlaybookShelf())
    for _ in range(2):
        await advancing.advance(AdvanceInput(run_id, 1))
    (kept,) = await assignments(database)
    assert (kept.step_id, kept.intervention_id) == ("which", run_id)
    assert kept.propensity == pytest.approx({"a": 0.2, "b": 0.8}[kept.arm])
    async with database.transaction() as session:
        ended = {"state": InterventionState.ENDED, "outcome": Outcome.SAVED, "ended_at": MONDAY}
        await session.execute(update(InterventionRow).values(ended))
        assert await label_goals(session, MONDAY) == 1
        assert await session.scalar(select(TrialOutcomeRow.is_good)) is True


class Trials:
    """Customers with assignments in a portfolio."""

    def __init__(self, portfolio: Portfolio) -> None:
        """Take where customers are made."""
        self.portfolio = portfolio

    async def begin(self) -> None:
        await self.portfolio.connect()
        await publish(self.portfolio.session, one_letter(), ago(400))

    async def assign(
        self, customer_id: uuid.UUID, days_ago: float, arm: Arm = Arm.TREATED, **values: Any
    ) -> uuid.UUID:
        """Write an assignment as the director would have."""
        version = await self.portfolio.session.scalar(select(PlaybookVersionRow.id))
        key = uuid.uuid4()
        defaults: dict[str, Any] = {
            "id": key, "key": str(key), "customer_id": customer_id, "playbook_key": "one-lifecycle-letter",
            "version_id": version, "occasion": "tier:high", "arm": arm.value, "propensity": 0.5,
            "global_share": 0.0, "assigned_at": ago(days_ago), "segment": Segment.MID_MARKET,
            "touch_tier": TouchTier.MANAGED, "acted_tier": RiskTier.HIGH, "churn_probability": 0.1,
            "arr_minor": 1_000_000, "currency": "USD", "state": {},
        }  # fmt: skip
        await self.portfolio.session.execute(insert(AssignmentRow).values(defaults | values))
        return key

    async def weeks(
        self, customer_id: uuid.UUID, days_ago: int, usual: float, before: float, later: float
    ) -> None:
        """Write eight usual weeks, the one before the assignment, and the second one after it."""
        spans = ((range(days_ago + 8, days_ago + 64), usual), (range(days_ago + 1, days_ago + 8), before))
        for days, quantity in (*spans, (range(days_ago - 13, days_ago - 6), later)):
            if quantity:
                await self.portfolio.daily_usage(customer_id, quantity, days)


async def labels(
    database: Database, measure: Measure
) -> dict[uuid.UUID, tuple[TrialLabel | None, bool | None]]:
    row = TrialOutcomeRow
    async with database.transaction() as session:
        query = select(row.assignment_id, row.label, row.is_good).where(row.measure == measure)
        return {key: (label, good) for key, label, good in await session.execute(query)}


async def test_use_that_had_fallen_and_came_back_within_a_fortnight_has_recovered(database: Database) -> None:
    cases = {
        (10.0, 4.0, 9.0): (TrialLabel.RECOVERED, True),
        (10.0, 4.0, 5.0): (TrialLabel.NO_CHANGE, False),
        (10.0, 4.0, 0.0): (TrialLabel.NO_CHANGE, False),
        (10.0, 10.0, 10.0): (None, None),
        (0.0, 4.0, 9.0): (None, None),
    }
    expected = {}
    async with database.transaction() as session:
        trials = Trials(Portfolio(session))
        await trials.begin()
        for weeks, became in cases.items():
            customer = await trials.portfolio.customer()
            await trials.weeks(customer, 20, *weeks)
            expected[await trials.assign(customer, 20)] = became
        await trials.assign(await trials.portfolio.customer(), 10)
    assert await learn_from_outcomes(database, NOW) == len(cases)
    assert await labels(database, Measure.RECOVERED) == expected
    assert await learn_from_outcomes(database, NOW) == 0


async def test_nothing_is_said_of_use_that_nobody_told(database: Database) -> None:
    async with database.transaction() as session:
        trials = Trials(Portfolio(session))
        await trials.begin()
        customer = await trials.portfolio.customer()
        await trials.weeks(customer, 20, 10.0, 4.0, 0.0)
        key = await trials.assign(customer, 20)
        silence = {
            "kind": "usage",
            "since": ago(12),
            "until": None,
            "sources": ["crm"],
            "noticed_at": ago(10),
        }
        await session.execute(insert(KindSilenceRow).values(silence))
    await learn_from_outcomes(database, NOW)
    assert await labels(database, Measure.RECOVERED) == {key: (None, None)}


async def left(trials: Trials, customer_id: uuid.UUID, at: BusinessInstant) -> None:
    values = {
        "occurred_at": at,
        "known_at": at,
        "reason": "other",
        "involuntary": False,
        "reactivated": False,
    }
    await trials.portfolio.fact(CancellationRow, customer_id, **values)


async def test_late_labels_wait_for_the_whole_window_and_keep_when_they_were_known(
    database: Database,
) -> None:
    async with database.transaction() as session:
        trials = Trials(Portfolio(session))
        await trials.begin()
        there, gone, waiting = [await trials.portfolio.customer() for _ in range(3)]
        for customer in (there, gone, waiting):
            await trials.portfolio.subscription(customer, ago(400))
        await left(trials, gone, ago(70))
        await left(trials, waiting, ago(100))
        expected = {
            await trials.assign(there, 130): (TrialLabel.SAVED, True),
            await trials.assign(gone, 130): (TrialLabel.CHURNED, False),
        }
        await trials.assign(waiting, 119)
    await learn_from_outcomes(database, NOW)
    assert await labels(database, Measure.STAYED) == expected
    async with database.transaction() as session:
        assert set(await session.scalars(select(TrialOutcomeRow.known_at))) == {NOW}


async def test_a_night_reports_effects_and_leaves_a_segment_in_peace_that_contact_drives_away(
    database: Database,
) -> None:
    async with database.transaction() as session:
        trials = Trials(Portfolio(session))
        await trials.begin()
        for number in range(160):
            customer = await trials.portfolio.customer()
            await trials.portfolio.subscription(customer, ago(400))
            arm = Arm.TREATED if number % 2 else Arm.HOLDOUT
            if arm is Arm.TREATED and number % 4 == 1:
                await left(trials, customer, ago(70))
            await trials.assign(customer, 130, arm)
    await learn_from_outcomes(database, NOW)
    async with database.transaction() as session:
        report = await load_report(session)
        policy = await load_do_not_disturb(session)
    (found,) = report.playbooks
    assert report.as_of == NOW
    assert found.late.measured is not None
    assert found.late.measured.value == pytest.approx(-0.5)
    assert policy.quiet == {("one-lifecycle-letter", Segment.MID_MARKET)}
