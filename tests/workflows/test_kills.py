"""kill -9 of a worker at both points of a send. The expected ends are DESIGN.md's, section 7, rule 6."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from domain.vocabulary import EffectState, Purpose, StepState
from integrations.simulators.server import SimulatorOptions
from tests.support.devserver import DevServer
from tests.support.simulators import running_simulators
from tests.workflows.kills import Found, kill_at
from tests.workflows.sites import running_site

pytestmark = [pytest.mark.devserver, pytest.mark.timeout(300)]

BEFORE, AFTER = "before_send", "after_send"
Ends = dict[tuple[str, bool, Purpose], Found]


@pytest.fixture(scope="module")
def ends(
    postgres_url: str,
    migrated_template: str,
    temporal_server: DevServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Ends:
    """What came of every letter: four installations live through their kill side by side, once."""

    async def live(point: str, simulator: str, *, has_look_up: bool) -> Ends:
        async with running_site(
            postgres_url, migrated_template, temporal_server, simulator, has_look_up=has_look_up
        ) as site:
            found = await kill_at(site, point)
        return {(point, has_look_up, purpose): one for purpose, one in found.items()}

    async def live_all() -> Ends:
        async with AsyncExitStack() as stack:
            options = SimulatorOptions(home=tmp_path_factory.mktemp("simulator"), port=0)
            url = await stack.enter_async_context(running_simulators(options))
            lives = [
                live(point, url, has_look_up=has_look_up)
                for point in (BEFORE, AFTER)
                for has_look_up in (True, False)
            ]
            found: Ends = {}
            for ends in await asyncio.gather(*lives):
                found |= ends
            return found

    return asyncio.run(live_all())


@pytest.mark.parametrize("purpose", Purpose)
def test_killed_before_the_send_and_not_found_it_leaves_once_under_the_same_delivery_id(
    ends: Ends, purpose: Purpose
) -> None:
    found = ends[BEFORE, True, purpose]
    assert (found.effect, found.attempts, found.step) == (EffectState.SENT, 2, StepState.DONE)
    assert found.mailbox == (found.delivery_id,)
    assert (found.position, found.open_questions) == ("rest", 0)


@pytest.mark.parametrize("purpose", Purpose)
def test_killed_after_the_send_and_found_it_is_recorded_and_never_repeated(
    ends: Ends, purpose: Purpose
) -> None:
    found = ends[AFTER, True, purpose]
    assert (found.effect, found.attempts, found.step) == (EffectState.SENT, 1, StepState.DONE)
    assert found.mailbox == (found.delivery_id,)
    assert (found.position, found.open_questions) == ("rest", 0)


@pytest.mark.parametrize(("point", "arrived"), [(BEFORE, 0), (AFTER, 1)])
def test_without_a_look_up_a_letter_is_parked_a_person_asked_and_the_run_goes_on_after_a_day(
    ends: Ends, point: str, arrived: int
) -> None:
    found = ends[point, False, Purpose.LIFECYCLE]
    assert (found.effect, found.attempts) == (EffectState.UNCERTAIN, 1)
    assert (found.step, found.reason) == (StepState.WAITING, "uncertain")
    assert (found.position, found.open_questions) == ("letter", 1)
    assert len(found.mailbox) == arrived
    assert found.a_day_later == f"skipped after 1 attempt, {arrived} in the mailbox"


@pytest.mark.parametrize(("point", "copies"), [(BEFORE, 1), (AFTER, 2)])
def test_without_a_look_up_a_transactional_letter_leaves_again_under_the_same_delivery_id(
    ends: Ends, point: str, copies: int
) -> None:
    found = ends[point, False, Purpose.TRANSACTIONAL]
    assert (found.effect, found.attempts, found.step) == (EffectState.SENT, 2, StepState.DONE)
    assert found.mailbox == (found.delivery_id,) * copies
    assert (found.position, found.open_questions) == ("rest", 0)


@pytest.mark.parametrize(("point", "arrived"), [(BEFORE, 0), (AFTER, 1)])
def test_without_a_look_up_a_marketing_letter_is_dropped(ends: Ends, point: str, arrived: int) -> None:
    found = ends[point, False, Purpose.MARKETING]
    assert (found.effect, found.attempts) == (EffectState.UNCERTAIN, 1)
    assert (found.step, found.reason) == (StepState.FAILED, "uncertain")
    assert len(found.mailbox) == arrived
    assert (found.position, found.open_questions) == ("rest", 0)
