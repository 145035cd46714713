"""The part of the benchmark of effects that needs no stack: what schedules recover from simulated cards."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from domain.dunning_policy import DunningPolicy
from ml.simulation.cards import MIXES, Mix, draw_cards
from ml.simulation.recovery import compare

FIRST_DAY = dt.date(2026, 3, 1)


def recovery_of(cards: int, seeds: Sequence[int]) -> dict[str, dict[str, Any]]:
    """Return by mix of refusals and by schedule what was recovered, all seeds together."""
    return {name: _compared(mix, cards, seeds) for name, mix in MIXES.items()}


def _compared(mix: Mix, cards: int, seeds: Sequence[int]) -> dict[str, Any]:
    drawn = [one for seed in seeds for one in draw_cards(mix, cards, seed, FIRST_DAY)]
    return {name: found.document() for name, found in compare(drawn, DunningPolicy()).items()}
