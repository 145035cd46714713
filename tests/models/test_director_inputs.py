import datetime as dt

import pytest

from activities.contracts import DecideInput
from activities.lifecycle import LifecycleActivities
from domain.vocabulary import NoticeKind, RiskTier, SignalKind, TouchTier
from models.clock import wall_now
from models.customer_state import load_customer_state
from models.database import Database
from models.director_inputs import load_director_inputs
from models.installation import release
from models.keys import KeyKind, create_key
from models.playbooks import PlaybookShelf, load_library
from models.query_tally import begin_tally
from tests.support.loop import LIBRARY, MONDAY, ServerClock
from tests.support.scenario import Scenario

pytestmark = pytest.mark.integration
QUIET = 4
"""Lock, standing orders, the customer, and the decision stored."""


@pytest.fixture
async def scene(database: Database) -> Scenario:
    clock = ServerClock()
    async with database.transaction() as session:
        await load_library(session, LIBRARY, MONDAY)
        await release(session, MONDAY, clock.wall_now())
    return await Scenario(database, MONDAY).begin()


def activities(database: Database) -> LifecycleActivities:
    clock = ServerClock()
    clock.tell(dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC))
    return LifecycleActivities(database, clock, PlaybookShelf())


async def test_a_decision_about_nothing_new_is_four_statements(database: Database, scene: Scenario) -> None:
    deciding = activities(database)
    await deciding.decide(DecideInput(scene.customer_id, 1))
    tally = begin_tally()
    await deciding.decide(DecideInput(scene.customer_id, 2))
    assert tally.queries == QUIET
    await scene.tell(NoticeKind.CUSTOMER_CHANGED, {})
    tally = begin_tally()
    await deciding.decide(DecideInput(scene.customer_id, 3))
    assert tally.queries == QUIET + 1


async def test_a_repeated_decision_hears_nothing(database: Database, scene: Scenario) -> None:
    deciding = activities(database)
    first = await deciding.decide(DecideInput(scene.customer_id, 1))
    await scene.tell(NoticeKind.CUSTOMER_CHANGED, {})
    assert await deciding.decide(DecideInput(scene.customer_id, 1)) == first
    async with database.transaction() as session:
        inputs = await load_director_inputs(session, scene.customer_id, PlaybookShelf(), MONDAY)
    assert [notice.kind for notice in inputs.notices] == [NoticeKind.CUSTOMER_CHANGED]


async def test_everything_that_is_known_of_a_customer_is_seen(database: Database, scene: Scenario) -> None:
    deciding = activities(database)
    await deciding.decide(DecideInput(scene.customer_id, 1))
    signal_id = await scene.open_signal(SignalKind.USAGE_DROP)
    await scene.set_tier(RiskTier.HIGH)
    await deciding.decide(DecideInput(scene.customer_id, 2))
    async with database.transaction() as session:
        state = await load_customer_state(session, scene.customer_id, PlaybookShelf(), MONDAY)
    assert (state.tier, state.touch_tier, state.tier_is_baseline) == (RiskTier.HIGH, TouchTier.MANAGED, False)
    assert [(one.id, one.kind, one.opened_at) for one in state.signals] == [
        (signal_id, SignalKind.USAGE_DROP, MONDAY)
    ]
    assert [one.sentence for one in state.drivers] == ["logins fell from 41 to 9 a week"]
    (run,) = await scene.runs()
    (seen,) = state.open_runs
    assert (seen.id, seen.playbook_key, seen.state, seen.reason) == (
        run.id,
        run.playbook_key,
        run.state,
        run.reason,
    )
    assert state.heads_up_keys == {"usage_drop", "watchlist"}
    assert (state.last_touch_at, state.heard_since, state.is_observed) == (MONDAY, MONDAY, True)


async def test_what_a_playbook_may_rest_on_is_what_is_there(database: Database, scene: Scenario) -> None:
    async def parts() -> frozenset[str]:
        async with database.transaction() as session:
            return (
                await load_director_inputs(session, scene.customer_id, PlaybookShelf(), MONDAY)
            ).policy.parts

    assert await parts() == {"calendar"}
    async with database.transaction() as session:
        await create_key(session, KeyKind.WRITE, wall_now())
    assert await parts() == {"calendar", "in_app"}
