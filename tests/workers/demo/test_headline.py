import datetime as dt
import uuid
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from domain.commercial import Departure, Term
from domain.labels import Relation
from domain.time import BusinessInstant, start_of_day
from ml.simulation.portfolio import SampleConfig
from ml.simulation.simulation import Simulation
from models.retention import Retained
from workers.demo.headline import ASSUMED, NAMES, cell, headline, known_headline, remarks, show_headline

OPENING = start_of_day(dt.date(2026, 9, 7))
CLOSING = start_of_day(dt.date(2026, 11, 6))


def later(days: float) -> BusinessInstant:
    return BusinessInstant(OPENING + dt.timedelta(days=days))


def row(*, holdout: bool, left: float | None = None, started: float = -300, value: float = -200) -> Retained:
    term = Term(later(started), None, None, 100, "USD", is_trial=False, billing_months=12)
    gone = () if left is None else (Departure(later(left), later(left), "other", reactivated=False),)
    return Retained(uuid.uuid4(), holdout, Relation(term.started_at, (term,), gone), later(value))


def rows(treated: int, treated_left: int, held_out: int, held_out_left: int) -> list[Retained]:
    left = [row(holdout=False, left=20) for _ in range(treated_left)]
    left += [row(holdout=True, left=20) for _ in range(held_out_left)]
    stayed = [row(holdout=False) for _ in range(treated - treated_left)]
    return left + stayed + [row(holdout=True) for _ in range(held_out - held_out_left)]


def summary(given: list[Retained]) -> dict[str, Any]:
    found = headline(given, OPENING, CLOSING)
    known = {name: {"without_care": sides["holdout"]} for name, sides in found.items()}
    return {"business_days": 60, "preset": "demo", "headline": found, "truth": {"figures": known}}


def test_the_headline_has_four_figures_of_both_sides_with_intervals() -> None:
    found = headline(rows(100, 10, 20, 5), OPENING, CLOSING)
    assert set(found) == {"churn", "grr", "nrr", "time_to_value_days"}
    assert all(set(sides) == {"treated", "holdout"} for sides in found.values())
    treated, held_out = found["churn"]["treated"], found["churn"]["holdout"]
    assert (treated["value"], held_out["value"]) == (0.1, 0.25)
    assert treated["low"] < 0.1 < treated["high"]
    assert (treated["customers"], held_out["customers"]) == (100, 20)
    assert found["grr"]["holdout"]["value"] == 0.75


def test_time_to_value_counts_those_who_waited_in_the_period() -> None:
    waiting = [row(holdout=False, started=-10, value=days) for days in (20, 30, 40)]
    figure = headline([*rows(5, 0, 5, 0), *waiting], OPENING, CLOSING)["time_to_value_days"]
    assert (figure["treated"]["value"], figure["treated"]["customers"]) == (40.0, 3)
    assert figure["holdout"] == {"value": None, "low": None, "high": None, "customers": 0}


def test_a_small_holdout_is_said_to_prove_nothing_and_a_clear_one_to_do_so() -> None:
    small = " ".join(remarks(summary(rows(100, 10, 20, 5))))
    clear = " ".join(remarks(summary(rows(200, 2, 60, 40))))
    assert "does not prove a difference" in small
    assert "do not overlap all the same" in clear
    assert "cannot be told" in " ".join(remarks(summary(rows(10, 1, 0, 0))))


@pytest.mark.parametrize(
    ("name", "figure", "words"),
    [
        ("churn", {"value": 0.2, "low": 0.1, "high": 0.35, "customers": 30}, "20 % (10 to 35)"),
        (
            "time_to_value_days",
            {"value": 98.2, "low": 60.0, "high": None, "customers": 9},
            "98 d (60 to ?)",
        ),
        ("nrr", {"value": None, "low": None, "high": None, "customers": 0}, "not enough data"),
    ],
)  # fmt: skip
def test_a_cell_says_figure_and_interval(name: str, figure: dict[str, Any], words: str) -> None:
    assert cell(name, figure) == words


def test_the_table_names_every_figure_and_whose_assumption_the_effects_are() -> None:
    out = StringIO()
    show_headline(Console(file=out, width=80), summary(rows(100, 10, 20, 5)))
    shown = " ".join(out.getvalue().split())
    assert all(words in shown for words in NAMES.values())
    assert ASSUMED in shown


def test_the_simulation_knows_the_figures_without_care() -> None:
    simulation = Simulation(SampleConfig(30, dt.date(2026, 9, 7), 10, history_days=20))
    for _ in simulation.history():
        pass
    for _ in range(10):
        simulation.live({})
    for sides in known_headline(simulation).values():
        assert sides["all"] == sides["without_care"]
