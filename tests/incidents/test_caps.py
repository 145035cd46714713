"""Caps and quiet hours: who is capped is neither lost nor left without a word."""

import pytest

from domain.vocabulary import DecisionKind, StepState
from tests.support.journeys import call, journey, letter, recipe, rest
from tests.support.loop import Loop
from tests.support.scenario import Scenario

pytestmark = pytest.mark.cadence


async def said_of_mail(scene: Scenario) -> list[tuple[DecisionKind, str]]:
    return [(one.kind, one.reason) for one in await scene.decisions() if one.action == "send_email"]


async def test_a_capped_message_says_in_the_run_and_in_the_ledger_that_it_was_and_what_came_of_it(
    loop: Loop, scene: Scenario
) -> None:
    document = recipe(letter("letter"), letter("soon", useful_for="6h"), letter("later"), rest("rest", "9d"))
    run = await journey(loop, scene, document)
    assert await run.became("soon") == (StepState.SKIPPED, "no_longer_useful")
    assert await run.became("later") == (StepState.DEFERRED, "budget")
    told = await said_of_mail(scene)
    assert (DecisionKind.REFUSAL, "no_longer_useful") in told
    assert (DecisionKind.DEFERRAL, "budget") in told
    later = next(one for one in await scene.decisions() if one.reason == "budget")
    assert later.sentence
    await loop.live(2)
    assert (await run.visits())["later"].state is StepState.DONE
    assert len(loop.sender.accepted) == 2


async def test_a_limit_throws_nobody_out_of_a_run_and_every_step_behind_it_is_taken(
    loop: Loop, scene: Scenario
) -> None:
    letters = [letter(name) for name in ("one", "two", "three", "four")]
    run = await journey(loop, scene, recipe(*letters, call("call"), rest("rest", "9d")))
    await loop.live(9)
    states = {name: row.state for name, row in (await run.visits()).items()}
    assert states == dict.fromkeys(["one", "two", "three", "four", "call"], StepState.DONE) | {
        "rest": StepState.WAITING
    }
    assert len(loop.sender.accepted) == 4
