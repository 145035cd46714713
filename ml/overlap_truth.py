"""Effects of playbooks that overlap: customers get several, one after the other, and some again and again.

What a playbook does there is what it changes beside all the others. The truth is from twin companies that
share all luck: in one everybody gets it who would, in the other nobody; what else happens follows by itself.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from domain.customer_state import KnownPlaybook
from domain.impact import TrialRow
from domain.trial_labels import STAY_DAYS, Measure
from domain.trials import Arm
from ml.contrasts import contrast, first_per_customer, pair
from ml.simulation.guided import lived
from ml.simulation.guided_plan import GuidedPlan
from ml.uplift import difference
from ml.uplift_truth import Tally


class Overlap:
    """Estimates of one playbook over companies, and the differences between their twins."""

    def __init__(self, key: str) -> None:
        """Begin without any."""
        self.key = key
        self._estimates: list[Sequence[TrialRow]] = []
        self._apart: list[float] = []

    def add(
        self, rows: Sequence[TrialRow], with_it: Sequence[TrialRow], left: Callable[[TrialRow], bool]
    ) -> None:
        """Take one company: its rows, those of the twin where all are treated, and who left in the other."""
        self._estimates.append([one for one in rows if one.playbook == self.key and not one.step])
        for one in first_per_customer(one for one in with_it if one.playbook == self.key and not one.step):
            if one.arm == Arm.TREATED and Measure.STAYED in one.good:
                self._apart.append(float(one.good[Measure.STAYED]) - float(not left(one)))

    def document(self, level: float = 0.9) -> dict[str, Any]:
        """Return the truth with its standard error, and how often intervals cover it."""
        truth = float(np.mean(self._apart)) if self._apart else 0.0
        tally = Tally(level)
        for rows in self._estimates:
            both = pair(contrast(rows), Measure.STAYED)
            if both.treated.size and both.untreated.size:
                tally.add(difference(both.treated, both.untreated, level=level), truth)
        error = float(np.std(self._apart) / np.sqrt(max(1, len(self._apart))))
        return {
            "truth": round(truth, 4),
            "truth_standard_error": round(error, 4),
            "twins": len(self._apart),
            **tally.document(),
        }


def overlap(
    plans: Sequence[GuidedPlan], playbooks: Sequence[KnownPlaybook], keys: Sequence[str]
) -> Iterator[dict[str, dict[str, Any]]]:
    """Yield, after each company, truth and coverage of each of these playbooks."""
    found = {key: Overlap(key) for key in keys}
    for plan in plans:
        rows = lived(plan, playbooks).rows
        for key, one in found.items():
            everybody = lived(plan, [_for_all(known, key) for known in playbooks]).rows
            nobody = lived(plan, [known for known in playbooks if known.document.key != key])
            one.add(rows, everybody, nobody.left_within(STAY_DAYS))
        yield {key: one.document() for key, one in found.items()}


def _for_all(known: KnownPlaybook, key: str) -> KnownPlaybook:
    if known.document.key != key:
        return known
    return replace(known, document=known.document.model_copy(update={"holdout_share": 0.0}))
