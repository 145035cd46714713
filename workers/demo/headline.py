"""How a demo ends: four figures of treated customers beside those of the holdout, and how sure they are."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from domain.retention_figures import held, wait
from domain.time import BusinessInstant
from ml.retention_intervals import Figure, figures
from ml.simulation.simulation import Simulation
from ml.simulation.worlds import Preset
from models.retention import Retained

TREATED, HOLDOUT = "treated", "holdout"
FEW = 100
"""Below so many customers a side, the interval says more than the figure."""
NAMES = {
    "churn": "Churn",
    "grr": "GRR",
    "nrr": "NRR",
    "time_to_value_days": "Time to value",
}
COUNTS = {"churn": "Customers", "time_to_value_days": "Waited for value"}
"""Whom the figures are of, by a figure that says so."""
ASSUMED = (
    "Effect sizes are the simulation's assumption, not evidence: how much an e-mail, a call or an executive"
    " changes is written in ml/simulation/causes.py. What the run shows is that the platform finds the"
    " customers, acts, and measures itself against its holdout."
)
PACES = {
    Preset.DEMO: "sixty days of a demo hold about a year's trouble; only time to value runs in real days.",
    Preset.COMPANY: "this company lives at the pace of real life, and a year of it untreated loses a fifth.",
}
Headline = dict[str, dict[str, Any]]


def headline(rows: Sequence[Retained], opening: BusinessInstant, closing: BusinessInstant) -> Headline:
    """Return the four figures over a period, as the platform can measure them from facts."""
    sides = {
        side: _side([row for row in rows if row.holdout is (side == HOLDOUT)], opening, closing)
        for side in (TREATED, HOLDOUT)
    }
    return {name: {side: found[name].document() for side, found in sides.items()} for name in NAMES}


def known_headline(simulation: Simulation) -> Headline:
    """Return the same figures of all customers, and of their twins in the world where nobody cared."""
    treated, twins = (figures(*each) for each in simulation.live_days())
    return {name: {"all": treated[name].document(), "without_care": twins[name].document()} for name in NAMES}


def _side(rows: Sequence[Retained], opening: BusinessInstant, closing: BusinessInstant) -> dict[str, Figure]:
    cohort = [held(row.relation, opening, closing) for row in rows]
    waits = [wait(row.relation, row.first_value_at, opening, closing) for row in rows]
    return figures([one for one in cohort if one], [one for one in waits if one])


def show_headline(console: Console, summary: Mapping[str, Any]) -> None:
    """Print the table and what it rests on."""
    found, known = summary["headline"], summary["truth"]["figures"]
    table = Table(title=f"After {summary['business_days']} business days", title_justify="left")
    for heading in ("", "treated", "holdout", "no care *"):
        table.add_column(heading)
    for name, words in NAMES.items():
        table.add_row(words, *(cell(name, one) for one in _sides(found[name], known[name])))
    for name, words in COUNTS.items():
        table.add_row(
            words, *(str(one["customers"]) for one in _sides(found[name], known[name])), style="dim"
        )
    console.print(table)
    for line in remarks(summary):
        console.print(line, highlight=False)


def _sides(found: Mapping[str, Any], known: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    return found[TREATED], found[HOLDOUT], known["without_care"]


def cell(name: str, figure: Mapping[str, Any]) -> str:
    """Return a figure with its interval; a bound that is not known is a question mark."""
    if figure["value"] is None:
        return "not enough data"
    scale, unit = (1, "d") if name == "time_to_value_days" else (100, "%")
    value, low, high = (
        "?" if figure[part] is None else f"{scale * figure[part]:.0f}" for part in ("value", "low", "high")
    )
    return f"{value} {unit} ({low} to {high})"


def remarks(summary: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the table does not say by itself."""
    days, churn = summary["business_days"], summary["headline"]["churn"]
    yield (
        "Intervals are 95 %, over customers; strategic ones, who are never held out, are on neither side."
        f" These are the figures of {days} days, not annual ones: {PACES[summary['preset']]}"
    )
    yield ("* All customers in a twin world, same luck and no care of ours: only a simulation can know it.")
    smallest = min(churn[side]["customers"] for side in (TREATED, HOLDOUT))
    if smallest < FEW:
        yield f"The smaller side has {smallest} customers. {_verdict(churn)}"
    yield ASSUMED


def _verdict(churn: Mapping[str, Mapping[str, Any]]) -> str:
    low, high = churn[HOLDOUT]["low"], churn[TREATED]["high"]
    if low is None or high is None:
        return "There is nobody to compare with: the difference cannot be told."
    if low > high:
        return "The intervals of churn do not overlap all the same."
    return "The intervals of churn overlap: this run alone does not prove a difference."
