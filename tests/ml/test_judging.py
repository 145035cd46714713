"""What is averaged, and why a number of trees may be chosen by cutting a longer model short."""

import numpy as np
import pytest

from ml.fitting import fit
from ml.judging import MUCH_WORSE, Judged, OutOfTime, alike, chosen_at, keep
from ml.metrics import from_log_odds
from ml.recipes import RECIPES, STAGES, Form, Recipe, columns_of
from tests.ml.worlds import portfolio

HORIZON = 60


def judged(name: str, loss: float, columns: str = "lean", *, is_line: bool = False) -> Judged:
    recipe = Recipe(name, Form.DIRECT, columns, depth=2, is_line=is_line)
    return Judged(recipe, (columns,), (np.zeros(0),) * 2, (loss + 1, loss))


def names(kept: list[Judged]) -> list[str]:
    return [one.recipe.name for one in kept]


def test_the_best_of_each_kind_is_averaged_unless_it_is_much_worse() -> None:
    tried = [
        judged("deep", 0.102),
        judged("best", 0.1),
        judged("line", 0.11, is_line=True),
        judged("close", 0.1 * MUCH_WORSE, "paid"),
        judged("far", 0.1 * MUCH_WORSE + 0.001, "core"),
    ]
    assert names(alike(tried)) == ["best", "line", "close"]
    assert alike([]) == []


def test_the_best_trees_stay_beside_a_line_that_is_far_better() -> None:
    tried = [judged("line", 0.1, is_line=True), judged("worse", 0.3, "paid"), judged("trees", 0.2)]
    assert names(alike(tried)) == ["line", "trees"]


@pytest.mark.parametrize(("sure", "chosen"), [(0.3, "hazard"), (0.001, "direct"), (-0.3, "direct")])
def test_a_hazard_is_chosen_where_it_is_surely_better(sure: float, chosen: str) -> None:
    random, rows = np.random.default_rng(1), 400
    happened = random.random(rows) < 0.1
    out = OutOfTime(np.arange(rows), happened, np.arange(rows), np.zeros(rows, dtype=np.int64), 1.0)
    noise = random.normal(0, 0.5, rows)
    guesses = {
        "direct": from_log_odds(np.full(rows, -2.2)),
        "hazard": from_log_odds(-2.2 + noise + np.where(happened, sure, -sure) * 3),
    }
    tried = [
        Judged(Recipe(name, form, "lean", depth=2), ("a",), (guess,), (out.loss(guess),))
        for form, (name, guess) in zip((Form.DIRECT, Form.HAZARD), guesses.items(), strict=True)
    ]
    assert names(keep(tried, out)) == [chosen]
    assert names(keep(tried[1:], out)) == ["hazard"]


def test_of_more_rows_come_more_trees_and_no_calmer_line() -> None:
    trees, line = (Recipe(name, Form.DIRECT, "lean", 2, is_line=name == "line") for name in ("trees", "line"))
    assert chosen_at(trees, 0, 1.5).trees == STAGES[0] * 1.5
    assert chosen_at(line, 1, 1.5).ridge == chosen_at(line, 1, 1.0).ridge > 0


@pytest.mark.parametrize("recipe", [one for one in RECIPES if one.name in {"lean", "core-hazard"}])
def test_a_model_cut_short_is_no_nearer_to_even_odds_than_one_grown_no_longer(recipe: Recipe) -> None:
    """With known signs, CatBoost would draw all earlier trees there with each further one."""
    world = portfolio(customers=700)
    columns, matrix = columns_of(recipe, world.columns), world.select(world.columns)
    assert recipe.is_monotone
    few, many = STAGES[0], STAGES[-1]
    grown, longer = (fit(recipe, world, columns, HORIZON, 1, world.columns, trees) for trees in (few, many))
    cut = longer.predict(matrix, prediction_type="RawFormulaVal", ntree_end=few)
    assert np.mean(cut) < np.mean(grown.predict(matrix, prediction_type="RawFormulaVal")) + 0.1
