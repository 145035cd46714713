"""A guided company's plan, what its runs do, and what becomes of it."""

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from domain.impact import TrialRow
from domain.playbook_steps import Experiment
from domain.scoring_policy import ScoringPolicy, SignalPolicy
from domain.signal_catalogue import CATALOGUE
from domain.trials import Assignment
from domain.vocabulary import Segment, SignalKind
from ml.simulation.archetypes import Care
from ml.simulation.population import Mask, Numbers
from ml.simulation.treatments import TREATMENTS, Step
from ml.simulation.worlds import Preset

DONE = 0.75
"""Share of tasks that end with a conversation."""
LETTERS = TREATMENTS["usage-nudge"]
CALL = (Step(1, Care.EMAIL_DELIVERED), Step(1, Care.EMAIL_OPENED, 0.5), Step(4, Care.TASK_DONE, DONE))
RUNS: Mapping[str, Mapping[str, tuple[Step, ...]]] = {
    "escalated-save": {"": (Step(2, Care.EXECUTIVE, 0.8), Step(6, Care.TASK_DONE, 0.7))},
    "support-frustration": {"": (Step(1, Care.EMAIL_DELIVERED), Step(2, Care.TASK_DONE, DONE))},
    "low-engagement": {"letters": LETTERS, "call": CALL},
    "usage-nudge": {"letters": LETTERS, "call": CALL},
    "champion-left": {"": CALL},
    "value-conversation": {"": TREATMENTS["value-conversation"]},
    "tech-touch-check-in": {"": TREATMENTS["personal-note"]},
}
"""What a run does, by playbook of the library and by variant; two have an experiment."""
EXPERIMENT = Experiment.model_validate(
    {"choose": "measured", "measure": "recovered", "least_share": 0.1,
     "variants": [{"name": "letters", "next": "end"}, {"name": "call", "next": "end"}]}
)  # fmt: skip
STEP = "which"
WANTED = frozenset(
    {SignalKind.USAGE_DROP, SignalKind.LOGIN_SILENCE, SignalKind.CHAMPION_LEFT, SignalKind.INVOICE_PAST_DUE}
)
POLICY = ScoringPolicy(
    signals={one.kind: SignalPolicy(enabled=False) for one in CATALOGUE if one.kind not in WANTED}
)
LEARN_WEEKS = 8
WARM_UP_DAYS = 100
"""Days that are only watched, so that everybody has a usual week."""
START = dt.date(2025, 1, 6)


@dataclass(frozen=True)
class GuidedPlan:
    """What decides a guided company: the same values give the same one."""

    customers: int
    days: int
    seed: int
    global_share: float = 0.2
    own_share: float = 0.2
    preset: Preset = Preset.COMPANY
    learns: bool = True
    """Off: nothing that was measured changes what is done; variants are dealt evenly."""


@dataclass(frozen=True)
class Chance:
    """What was left to chance for one customer, as it is written down."""

    playbook: str
    arm: str
    propensity: float
    global_share: float
    probability: float
    step: str = ""

    @classmethod
    def of(cls, playbook: str, assignment: Assignment, probability: float) -> "Chance":
        """Return that of a run, opened or withheld."""
        arm, chance, share = assignment.arm.value, assignment.propensity, assignment.global_share
        return cls(playbook, arm, chance, share, probability)


@dataclass(frozen=True)
class Guided:
    """What became of everybody: `left` is the day of leaving since the start, infinite for who stayed."""

    left: Numbers
    opening: Mask
    """Who was a customer on the first day."""
    holdout: Mask
    runs: int
    rows: tuple[TrialRow, ...]
    quiet: frozenset[tuple[str, Segment]]
    shares: Mapping[str, Mapping[str, float]]
    """How often each variant is dealt at the end."""
    customers: tuple[uuid.UUID, ...]

    def left_within(self, days: int) -> Callable[[TrialRow], bool]:
        """Return what tells of an assignment, of whichever twin, whether the customer left so soon after."""
        left = dict(zip(self.customers, self.left.tolist(), strict=True))
        return lambda row: left[row.customer_id] <= (row.assigned_at.date() - START).days + days
