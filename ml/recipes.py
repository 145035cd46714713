"""The few ways to learn that are tried, and the plain one that they are held against."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from domain.model_features import BY_NAME, OWN

PERIOD_DAYS = 30
"""A hazard is the chance of leaving within one period, of who is still there."""
STAGES = (100, 150, 200, 300, 450)
"""Numbers of trees among which out-of-time log-loss chooses,"""
RIDGES = (20.0, 10.0, 5.0, 2.5)
"""and ridges for a line, from the calmest on.

Neither begins lower: among few departures, one month unlike the others would end the learning early and leave
a model that is less sure than it should be (docs/learning.md).
"""


class Form(StrEnum):
    """What the trees predict."""

    DIRECT = "direct"
    """The event within the horizon."""
    HAZARD = "hazard"
    """The event within one period; chances of staying multiply over the horizon (discrete-time survival)."""


@dataclass(frozen=True)
class Recipe:
    """Columns and settings of one way to learn."""

    name: str
    form: Form
    columns: str
    """`lean`: level, trend, price, time; `core`: the catalogue; `paid`: the contract and its payment alone;
    `worth`: the same, and the use of each of the product's own features per price; `habits`: the same, and
    how often each of them is used per person of a usual day; `wide`: everything."""
    depth: int
    learning_rate: float = 0.06
    l2: float = 10.0
    is_monotone: bool = False
    """Hold to the sign that a column is known to have, where the target is leaving."""
    is_line: bool = False
    """A logistic regression instead of trees."""

    @property
    def trees(self) -> int:
        """Most trees that are grown."""
        return STAGES[-1]

    def span(self, horizon: int) -> int:
        """Return the days within which the event is looked for in a row that is learned from."""
        return horizon if self.form is Form.DIRECT else PERIOD_DAYS

    def settings(self) -> Mapping[str, object]:
        """Return what CatBoost is told: plain log-loss without class weights, shallow trees.

        Beside known signs it would by default draw the whole model towards even odds with each further tree:
        a model cut short would be another one than one that was grown no longer.
        """
        return {
            "depth": self.depth,
            "learning_rate": self.learning_rate,
            "l2_leaf_reg": self.l2,
            "loss_function": "Logloss",
            "model_shrink_rate": 0.0,
        }

    def without_signs(self) -> "Recipe":
        """Return it free of the signs, which are known for leaving alone."""
        return replace(self, is_monotone=False)


LEAN = (
    "usage.week", "usage.month", "usage.quarter", "usage.week_over_baseline", "usage.month_over_before",
    "usage.trend", "usage.variation", "usage.active_days_28", "usage.active_days_91", "usage.silent_days",
    "usage.users", "usage.users_over_before", "usage.per_price", "usage.value_per_price",
    "adoption.features_28", "adoption.features_91", "adoption.seat_use",
    "support.open", "support.overdue", "support.opened_30", "support.escalated", "support.satisfaction",
    "sentiment.tone", "sentiment.nps", "sentiment.csat",
    "relationship.champion_left", "relationship.heard_days", "relationship.qbr_missed",
    "commercial.mrr", "commercial.mrr_change", "commercial.seats", "commercial.price_per_seat",
    "commercial.discount", "commercial.billing_months", "commercial.period_days", "commercial.unchanged_days",
    "commercial.tenure", "commercial.past_due_days", "commercial.failed_attempts", "commercial.ending",
    "outcomes.progress", "outcomes.overdue",
)  # fmt: skip
"""What most vendors' churn rests on; few columns leave little to overfit where few have left."""

RECIPES = (
    Recipe("lean", Form.DIRECT, "lean", depth=2, is_monotone=True),
    Recipe("core", Form.DIRECT, "core", depth=2, is_monotone=True),
    Recipe("core-deep", Form.DIRECT, "core", depth=4, is_monotone=True),
    Recipe("worth", Form.DIRECT, "worth", depth=2, is_monotone=True),
    Recipe("habits", Form.DIRECT, "habits", depth=2, is_monotone=True),
    Recipe("habits-deep", Form.DIRECT, "habits", depth=3, is_monotone=True),
    Recipe("paid", Form.DIRECT, "paid", depth=2, is_monotone=True),
    Recipe("paid-line", Form.DIRECT, "paid", depth=0, is_monotone=True, is_line=True),
    Recipe("worth-line", Form.DIRECT, "worth", depth=0, is_monotone=True, is_line=True),
    Recipe("core-line", Form.DIRECT, "core", depth=0, is_monotone=True, is_line=True),
    Recipe("lean-hazard", Form.HAZARD, "lean", depth=2, is_monotone=True),
    Recipe("core-hazard", Form.HAZARD, "core", depth=2, is_monotone=True),
)
"""Few, shallow, and unlike each other in what they read. The best of each list of columns is averaged."""
OWN_BESIDE_PAID: Mapping[str, tuple[str, ...]] = {"paid": (), "worth": ("price",), "habits": ("per_user",)}
"""Lists of the contract and its payment, and what they know beside of each feature of the product."""
PLAIN_COLUMNS = (
    "usage.week", "usage.month", "usage.quarter", "usage.active_days_7", "usage.active_days_28",
    "usage.active_days_91", "usage.silent_days", "usage.users", "usage.value",
    "adoption.features_28", "adoption.features_91",
    "support.open", "support.opened_30", "support.escalated", "support.satisfaction",
    "sentiment.nps", "sentiment.csat", "relationship.contacts", "relationship.heard_days",
    "relationship.meetings_90", "commercial.mrr", "commercial.seats", "commercial.discount",
    "commercial.billing_months", "commercial.tenure", "commercial.period_days", "commercial.renewal_days",
    "commercial.past_due_days", "commercial.failed_attempts",
)  # fmt: skip
"""Counts in windows, days since, and levels, as tables hold them: nothing is set against anything else."""
PLAIN_OWN = ("quantity_28", "quantity_91")
"""And how often each feature of the product was used."""
USUAL = Recipe("usual", Form.DIRECT, "wide", depth=5, learning_rate=0.05, l2=3.0)
USUAL_TREES = 300
"""Settings that are usual for so few rows, on all of our columns: what it reaches, the columns bring."""


def plain_columns(available: Sequence[str]) -> tuple[str, ...]:
    """Return which of the available columns the plain yardstick reads."""
    return tuple(name for name in available if name in PLAIN_COLUMNS or _is_own(name, PLAIN_OWN))


def fitting(recipes: Iterable[Recipe], available: Sequence[str]) -> list[Recipe]:
    """Return the recipes that read something, each way once: of bare data, many read the same."""
    found: dict[tuple[object, ...], Recipe] = {}
    for one in recipes:
        columns = columns_of(one, available)
        if columns:
            found.setdefault((columns, one.form, one.depth, one.is_line), one)
    return list(found.values())


def columns_of(recipe: Recipe, available: Sequence[str]) -> tuple[str, ...]:
    """Return which of the available columns a recipe uses."""
    if recipe.columns == "wide":
        return tuple(available)
    if recipe.columns in OWN_BESIDE_PAID:
        measures = OWN_BESIDE_PAID[recipe.columns]
        return tuple(name for name in available if _is_paid(name) or _is_own(name, measures))
    wanted = set(LEAN) if recipe.columns == "lean" else set(BY_NAME)
    return tuple(name for name in available if name in wanted)


def _is_paid(name: str) -> bool:
    return name.startswith("commercial.")


def _is_own(name: str, measures: Collection[str]) -> bool:
    own = OWN.fullmatch(name)
    return own is not None and own["measure"] in measures


def signs_of(columns: Sequence[str]) -> tuple[int, ...]:
    """Return the known sign of each column, for the risk of leaving."""
    return tuple(BY_NAME[name].sign if name in BY_NAME else 0 for name in columns)
