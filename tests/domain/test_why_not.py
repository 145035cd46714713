"""Every answer to “why is there no run” is one that the director would give."""

from dataclasses import replace
from typing import Any

import pytest

from domain.customer_state import DirectorPolicy
from domain.vocabulary import CustomerStatus, RiskTier, SignalKind, TouchTier
from domain.why_not import why_not
from tests.support.bench import NOW, POLICY, QUIET, SHIPPED, SILENCE, Bench, high, known, open_run, signal


def grounds(key: str, state: Any, policy: DirectorPolicy = POLICY) -> list[str]:
    return [one.reason for one in why_not(key, state, policy, NOW)]


@pytest.mark.parametrize(
    ("changes", "key", "reasons"),
    [
        ({}, "stay-in-touch", ["not_called_for"]),
        ({}, "executive-check-in", ["audience", "not_called_for"]),
        ({}, "gone", ["archived"]),
        ({"status": CustomerStatus.CHURNED}, "stay-in-touch", ["churned"]),
        ({"signals": (signal(SignalKind.NO_CONTACT),)}, "stay-in-touch", []),
        ({"signals": (signal(SignalKind.NO_CONTACT),), "holdout": True}, "stay-in-touch", ["holdout"]),
        (
            {
                "signals": (signal(SignalKind.NO_CONTACT),),
                "do_not_contact": True,
                "resting": {"stay-in-touch": None},
            },
            "stay-in-touch",
            ["do_not_contact", "resting"],
        ),
        ({"open_runs": (open_run("stay-in-touch"),)}, "stay-in-touch", []),
        ({"unfit": frozenset({"stay-in-touch"})}, "stay-in-touch", ["only_if", "not_called_for"]),
    ],
)
def test_each_ground_is_named(changes: dict[str, Any], key: str, reasons: list[str]) -> None:
    assert grounds(key, replace(QUIET, **changes)) == reasons


def test_what_is_not_released_says_so() -> None:
    planned = DirectorPolicy((known("stay-in-touch", released=False),), SILENCE)
    state = replace(QUIET, signals=(signal(SignalKind.NO_CONTACT),))
    assert grounds("stay-in-touch", state, planned) == ["observing"]


def test_the_words_say_what_would_have_to_be_so() -> None:
    (ground,) = why_not("escalated-save", high(), POLICY, NOW)
    assert ground.sentence == "It opens when churn risk becomes critical; it is high."
    (ground,) = why_not("renewal-check-in", QUIET, POLICY, NOW)
    assert "no renewal date" in ground.sentence


@pytest.mark.parametrize("tier", list(RiskTier))
@pytest.mark.parametrize("touch_tier", list(TouchTier))
def test_without_a_ground_the_director_opens_or_runs_it(tier: RiskTier, touch_tier: TouchTier) -> None:
    opened = (signal(SignalKind.NO_CONTACT), signal(SignalKind.EXECUTIVE_SILENCE, 2))
    state = replace(high(), tier=tier, touch_tier=touch_tier, signals=opened, last_touch_at=None)
    for one in SHIPPED:
        key, alone = one.document.key, DirectorPolicy((one,), SILENCE)
        bench = Bench(state, alone)
        bench.rule()
        assert (key in bench.started) is (grounds(key, state, alone) == [])
