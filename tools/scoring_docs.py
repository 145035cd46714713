"""Writes docs/scoring.md from the code that scores, so that what is published is what is done."""

import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from domain.health import COMPONENT_FLOORS, SCORES
from domain.points_table import FACTORS, FAMILY_CAPS
from domain.risk import ANCHORS, SCORECARD_VERSION, Scorecard, risk_score, tier_of
from domain.risk_factors import FOREVER, Factor
from domain.scoring_policy import ScoringPolicy, Thresholds
from domain.signal_catalogue import CATALOGUE
from domain.vocabulary import HealthComponent, Segment

TARGET = Path(__file__).resolve().parent.parent / "docs" / "scoring.md"
POLICY = ScoringPolicy()

WIDTH = 110
INTRODUCTION = f"""
This page is printed from the code by `tools/scoring_docs.py`; a test fails when it is out of date.

Two verdicts stand beside each other and may disagree. **Churn risk** (high is bad) says how likely a
customer is to leave within {POLICY.risk.horizon_days} days. **Health** (high is good) says by plain rules
how the relation is doing. Both compare a customer with its own past: a usual week is the median of the
eight weeks before.

A source that nobody connected, or that fell silent, makes its factors, components and signals abstain: a
dead connector is not a dead customer. A verdict whose fresh data carries less than
{POLICY.health.limited_below:.0%} of the weight says *limited data since …*. There is always a verdict.

Base rate, weights, floors, patience and thresholds can be changed in the policy document `scoring`; the
points belong to the version of the scorecard. Once enough customers have left, a trained model is blended
with it: [models.md](models.md).
"""


def prose(text: str) -> str:
    """Return paragraphs, each wrapped anew now that its figures are in it."""
    return "\n\n".join(textwrap.fill(part, WIDTH) for part in text.strip().split("\n\n"))


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a Markdown table."""
    titles = list(head)
    lines = [titles, ["---"] * len(titles), *[[str(cell) for cell in row] for row in rows]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def band(factor: Factor) -> str:
    """Return the bands of a factor as a person would read them."""
    sign = "≤" if factor.worse == "low" else "≥"
    parts = [
        f"above: {points:+g}" if limit == FOREVER else f"{sign} {limit:g}: {points:+g}"
        for limit, points in factor.bands
    ]
    return ", ".join(parts)


def risk_section() -> str:
    """Return the scorecard: the points, and how they become a score."""
    policy = POLICY.risk
    rows = [
        (factor.key, factor.family.value, factor.needs, factor.measures, band(factor)) for factor in FACTORS
    ]
    caps = ", ".join(f"{family.value} {cap:g}" for family, cap in FAMILY_CAPS.items())
    anchors = ", ".join(f"{2**doublings:g} times is {score:g}" for doublings, score in ANCHORS)
    before = f"""
Each factor adds points (negative ones protect). {policy.points_per_doubling:g} points double the odds of
leaving. The prior is a base rate of {policy.base_rate:.0%} in {policy.horizon_days} days; a customer of
whom nothing stands out stands {policy.quiet_points:g} points below it. One family adds at most: {caps}.

The score is piecewise linear in the logarithm of the odds over the odds of the base rate: {anchors}.
Tiers: low from 0, medium from 25, high from 50, critical from 75 to 100.
"""
    after = f"""
What is acted on follows the tier with patience: upwards at once when the score is {policy.up_margin}
points inside the new tier, or after {policy.dwell_days} days at its edge; downwards when every score of
{policy.dwell_days} days was lower.
"""
    return "\n\n".join(
        (
            f"## Churn risk: the scorecard (`{SCORECARD_VERSION}`)",
            prose(before),
            table(("points", "probability", "score", "tier"), point_rows()),
            table(("factor", "family", "rests on", "measures", "points"), rows),
            prose(after),
        )
    )


def point_rows() -> list[tuple[object, ...]]:
    """Return what some sums of points come to."""
    card = Scorecard(POLICY.risk)
    rows: list[tuple[object, ...]] = []
    for points in (-20, 0, 10, 20, 30, 40, 50, 60, 80, 100):
        probability = card.probability(points)
        score = risk_score(probability, POLICY.risk.base_rate)
        rows.append((points, f"{probability:.1%}", score, tier_of(score).value))
    return rows


def health_section() -> str:
    """Return the weights of the components, and their words."""
    weights = POLICY.health.weights
    rows = [
        (
            component.value,
            ", ".join(SCORES[component][0]),
            *(f"{weights[segment][component]:.0%}" for segment in Segment),
        )
        for component in HealthComponent
    ]
    words = ", ".join(f"{status.value} from {floor}" for floor, status in COMPONENT_FLOORS)
    statuses = ", ".join(
        f"{status.value} from {floor}"
        for status, floor in sorted(POLICY.health.floors.items(), key=lambda x: -x[1])
    )
    before = f"""
An absent component gives its weight to the others. Each has its own word ({words}; unknown without data)
and its trend against 30 days before. The status of the whole: {statuses}. A person may set another status
with a reason and an expiry; the assessment says both. [What people say, and how weights are changed and
learned from outcomes](health.md) has a page of its own.
"""
    after = """
Outcomes is the mean of two things: how far the customer's own goals are, less what is past its date; and the
value realised of what was bought, which is the mean of goals met (of those reached or past their date) and of
what is in use: seats, the plan's limits, and the features that most customers of the same plan and age use.
What is not known is left out, and where nothing is known the component abstains.
"""
    head = ("component", "fed by", *(segment.value for segment in Segment))
    parts = ("## Health: components and weights", prose(before), table(head, rows), prose(after))
    return "\n\n".join(parts)


def signal_section() -> str:
    """Return the catalogue of signals with their default thresholds."""
    rows = []
    for spec in CATALOGUE:
        limits = [spec.defaults[segment.value] for segment in Segment]
        levels = [levels_of([getattr(limit, name) for limit in limits]) for name in Thresholds.model_fields]
        rows.append((spec.kind.value, ", ".join(spec.needs), spec.measures, *levels))
    before = """
A signal opens beyond one threshold and ends beyond another, so that flicker between the two changes
nothing. What a usage signal recovers to is the level before its fall, not the fallen one. Thresholds that
differ by size are given for small / mid market / enterprise.
"""
    after = (
        "`no_contact` is opened by the director when the customer's longest silence is over; "
        "the relay watches over that."
    )
    head = ("signal", "rests on", "measures", "opens at", "ends at", "severe at")
    return "\n\n".join(("## Signals", prose(before), table(head, rows), after))


def levels_of(values: list[float]) -> str:
    """Return one figure, or one per size where they differ."""
    written = [f"{value:g}" for value in values]
    return written[0] if len(set(written)) == 1 else " / ".join(written)


def render() -> str:
    """Return the whole page."""
    parts = ("# How customers are scored", prose(INTRODUCTION), risk_section(), health_section())
    return "\n\n".join((*parts, signal_section())) + "\n"


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
    print(f"wrote {TARGET.name}")
