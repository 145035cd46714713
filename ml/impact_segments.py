"""What a playbook does in each segment: drawn towards relatives, what it saves, and where it does harm."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from domain.impact import LEAST_CUSTOMERS, Effect, SegmentImpact
from domain.interval import Interval
from domain.trial_labels import Measure
from domain.uplift import Uplift
from ml.contrasts import SMALLEST_BASE, Contrast, has_enough, is_randomised, pair, randomised, verdict
from ml.hierarchy import WIDE, Pair, declared, drawn_together, expect, prevented
from ml.uplift import difference

HARM_LEVEL = 0.99
"""Nights look again and again: what stops a playbook has to be surer than what is shown."""
DIFFER = (math.inf, 2.706, 4.605, 6.251)
"""Upper tenth of chi-squared with 0 to 3 degrees of freedom."""
UNDECLARED = 0.05
"""What a playbook is taken to prevent that says nothing, not even by a priority."""


@dataclass(frozen=True)
class Relatives:
    """What is thought of a playbook before its own customers are looked at."""

    pairs: Sequence[Pair]
    """Of all other playbooks that chance has measured."""
    declared: float
    """The share of departures that it says it prevents."""

    @classmethod
    def of(cls, key: str, pairs: Mapping[str, Pair], words: Mapping[str, float]) -> "Relatives":
        """Return those of one playbook."""
        others = [other for name, other in pairs.items() if name != key]
        return cls(others, words.get(key, UNDECLARED))


def segments_of(mine: Contrast, relatives: Relatives) -> tuple[SegmentImpact, ...]:
    """Return each segment's effect, drawn towards the playbook's other segments, and these towards all."""
    parts: dict[str, Contrast] = {}
    for name in sorted({one.segment for one in (*mine.treated, *mine.untreated)}):
        parts[name] = Contrast(
            [one for one in mine.treated if one.segment == name],
            [one for one in mine.untreated if one.segment == name],
            mine.against,
        )
    pairs = {name: pair(each, Measure.STAYED) for name, each in parts.items() if is_randomised(each)}
    above = expect(relatives.pairs).summary() if relatives.pairs else WIDE
    everywhere = _is_sure_harm(pair(mine, Measure.STAYED)) and _are_alike(list(pairs.values()))
    found = []
    for name, each in parts.items():
        others = [other for key, other in pairs.items() if key != name]
        late = _of_segment(randomised(each, Measure.STAYED, expect(others, above)))
        harm = _does_harm(late, each, others, above) or (everywhere and _points_to_harm(late))
        uplift = _uplift(pairs[name], others, relatives) if has_enough(late) else None
        found.append(SegmentImpact(segment=name, late=late, does_harm=harm, uplift=uplift))
    return tuple(found)


def _uplift(mine: Pair, others: Sequence[Pair], relatives: Relatives) -> Uplift:
    """Return the share of departures that is prevented, drawn towards relatives and what is declared."""
    base = min(max(1 - mine.untreated.share, SMALLEST_BASE), 1 - SMALLEST_BASE)
    above = expect(relatives.pairs, declared(relatives.declared, base)).summary()
    found = prevented(mine, expect(others, above))
    customers = round(mine.treated.size + mine.untreated.size)
    return Uplift(value=found.value, low=found.low, high=found.high, customers=customers)


def _of_segment(late: Effect) -> Effect:
    """Judge a segment by its drawn effect: of several segments one soon stands out by chance alone."""
    if late.drawn is None:
        return late
    drawn = Interval(late.drawn.value, late.drawn.low, late.drawn.high)
    return late.model_copy(update={"verdict": verdict(drawn, late.arms, late.needed)})


def _does_harm(late: Effect, mine: Contrast, others: Sequence[Pair], above: tuple[float, float]) -> bool:
    """Tell whether even the upper bound, drawn towards the relatives, says that contact drives away."""
    if late.measured is None or any(arm.matured < LEAST_CUSTOMERS for arm in late.arms):
        return False
    drawn = drawn_together(pair(mine, Measure.STAYED), expect(others, above), level=HARM_LEVEL)
    return drawn.high < 0


def _is_sure_harm(both: Pair) -> bool:
    """Tell whether a playbook surely drives customers away, all of its segments taken together."""
    if min(both.treated.size, both.untreated.size) < LEAST_CUSTOMERS:
        return False
    return difference(both.treated, both.untreated, level=HARM_LEVEL).high < 0


def _are_alike(segments: Sequence[Pair]) -> bool:
    """Tell whether nothing speaks for different effects: what one segment suffers is then no excuse for all.

    Cochran's Q of the log odds ratios at the customary .1 (Cochran 1954).
    """
    if not segments:
        return False
    weight = np.array([1 / one.variance for one in segments])
    ratio = np.array([one.log_odds_ratio for one in segments])
    apart = float((weight * (ratio - (weight * ratio).sum() / weight.sum()) ** 2).sum())
    return apart < DIFFER[len(segments) - 1]


def _points_to_harm(late: Effect) -> bool:
    return late.drawn is not None and late.drawn.value < 0
