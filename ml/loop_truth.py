"""What looking after a company is worth, by chance and by its untreated twin, with learning and without."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from statistics import NormalDist
from typing import Any

import numpy as np

from domain.customer_state import KnownPlaybook
from domain.interval import Interval
from ml.samples import Floats
from ml.simulation.guided import lived
from ml.simulation.guided_plan import STEP, Guided, GuidedPlan
from ml.simulation.population import Mask
from ml.uplift import Rate, difference

LEVEL = 0.9


@dataclass(frozen=True)
class Worlds:
    """The same company three times: looked after and learning, without learning, and by nobody."""

    learning: Guided
    plain: Guided
    untreated: Guided
    days: int

    @property
    def treated(self) -> Mask:
        """Return who was a customer on the first day and in no holdout of everything."""
        return self.learning.opening & ~self.learning.holdout

    @property
    def holdout(self) -> Mask:
        """Return who was a customer on the first day and is in it."""
        return self.learning.opening & self.learning.holdout


@dataclass
class LoopMeasurement:
    """Companies one after the other, customers pooled."""

    worlds: list[Worlds] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """Return every figure; effects are in shares of the opening cohort that left, below 0 is good."""
        return {
            "customers_treated": int(sum(one.treated.sum() for one in self.worlds)),
            "customers_held_out": int(sum(one.holdout.sum() for one in self.worlds)),
            "runs": sum(one.learning.runs for one in self.worlds),
            "churn_untreated": round(float(self._left("untreated", "treated").mean()), 4),
            "churn_treated": round(float(self._left("learning", "treated").mean()), 4),
            "churn_holdout": round(float(self._left("learning", "holdout").mean()), 4),
            "against_holdout_90": _told(self._against_holdout()),
            "against_untreated_twin_90": _told(self._paired("learning", "untreated", "treated")),
            "holdout_against_its_twin_90": _told(self._paired("learning", "untreated", "holdout")),
            "learning_against_none_90": _told(self._paired("learning", "plain", "treated")),
            "do_not_disturb": Counter(
                f"{key}/{segment.value}" for one in self.worlds for key, segment in sorted(one.learning.quiet)
            ),
            "variant_shares_at_the_end": self._shares(),
            "variants_dealt": {name: self._dealt(name) for name in ("learning", "plain")},
        }

    def _left(self, world: str, who: str) -> Floats:
        parts = [
            (getattr(one, world).left <= one.days)[getattr(one, who)].astype(float) for one in self.worlds
        ]
        return np.concatenate(parts)

    def _against_holdout(self) -> Interval:
        treated, held_out = self._left("learning", "treated"), self._left("learning", "holdout")
        arms = [Rate(float(one.mean()), len(one)) for one in (treated, held_out)]
        return difference(arms[0], arms[1], level=LEVEL)

    def _paired(self, world: str, other: str, who: str) -> Interval:
        """Return the mean difference of twins that share all luck: customers are the draws."""
        apart = self._left(world, who) - self._left(other, who)
        half = NormalDist().inv_cdf((1 + LEVEL) / 2) * float(apart.std()) / np.sqrt(len(apart))
        mean = float(apart.mean())
        return Interval(mean, mean - half, mean + half)

    def _shares(self) -> dict[str, dict[str, float]]:
        """Return how often each variant is dealt in the end, the mean over companies."""
        found: dict[str, dict[str, list[float]]] = {}
        for one in self.worlds:
            for key, shares in one.learning.shares.items():
                for name, share in shares.items():
                    found.setdefault(key, {}).setdefault(name, []).append(share)
        return {
            key: {name: round(float(np.mean(each)), 3) for name, each in names.items()}
            for key, names in found.items()
        }

    def _dealt(self, world: str) -> dict[str, int]:
        rows = [row for one in self.worlds for row in getattr(one, world).rows if row.step == STEP]
        return dict(Counter(f"{row.playbook}/{row.arm}" for row in rows))


def loop(plans: Sequence[GuidedPlan], playbooks: Sequence[KnownPlaybook]) -> Iterator[LoopMeasurement]:
    """Yield the measurement after each company."""
    measurement = LoopMeasurement()
    for plan in plans:
        measurement.worlds.append(
            Worlds(
                lived(plan, playbooks),
                lived(replace(plan, learns=False), playbooks),
                lived(plan, playbooks, guided=False),
                plan.days,
            )
        )
        yield measurement


def _told(found: Interval) -> dict[str, float]:
    return {"value": round(found.value, 4), "low": round(found.low, 4), "high": round(found.high, 4)}
