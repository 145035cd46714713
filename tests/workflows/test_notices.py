"""Notices say that it is time to look: told twice, late or out of order, they change nothing."""

import pytest

from domain.vocabulary import NoticeKind, RiskTier, SignalKind
from tests.support.loop import Loop
from tests.support.scenario import Scenario

pytestmark = pytest.mark.cadence


async def test_the_same_notice_twice_is_once(loop: Loop, scene: Scenario) -> None:
    signal_id = await scene.open_signal(SignalKind.USAGE_DROP)
    await scene.set_tier(RiskTier.HIGH)
    for _ in range(3):
        payload = {"signal_id": str(signal_id), "kind": SignalKind.USAGE_DROP.value}
        await scene.tell(NoticeKind.SIGNAL_OPENED, payload)
        await scene.tell(NoticeKind.TIER_CHANGED, {"to": "high"})
        await loop.ring()
        await loop.live(0.1)
    assert len(await scene.runs()) == 1
    keys = [one.dedupe_key for one in await scene.heads_ups()]
    assert sorted(keys) == sorted(set(keys))
    assert [one.action for one in await scene.decisions()].count("start_run") == 1


async def test_a_notice_of_what_is_over_already_starts_nothing(loop: Loop, scene: Scenario) -> None:
    signal_id = await scene.open_signal(SignalKind.CHAMPION_LEFT)
    await scene.resolve_signal(SignalKind.CHAMPION_LEFT)
    await loop.ring()
    await loop.decided(scene.customer_id)
    payload = {"signal_id": str(signal_id), "kind": SignalKind.CHAMPION_LEFT.value}
    await scene.tell(NoticeKind.SIGNAL_OPENED, payload)
    await loop.ring()
    await loop.decided(scene.customer_id)
    assert await scene.runs() == []
    assert [one.state.value for one in await scene.heads_ups()] in ([], ["closed"])
