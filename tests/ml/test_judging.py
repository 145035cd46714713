"""What is averaged, and why a number of trees may be chosen by cutting a longer model short."""

import numpy as np
import pytest

from ml.fitting import fit
from ml.judging import MUCH_WORSE, Judged, chosen_at, keep
from ml.recipes import RECIPES, STAGES, Form, Recipe, columns_of
from tests.ml.worlds import portfolio

HORIZON = 60


def judged(
    name: str, loss: float, columns: str = "lean", form: Form = Form.DIRECT, *, is_line: bool = False
) -> Judged:
    recipe = Recipe(name, form, columns, depth=2, is_line=is_line)
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
        judged("hazard", 0.101, "worth", Form.HAZARD),
    ]
    assert names(keep(tried)) == ["best", "line", "close"]


def test_the_best_trees_stay_beside_a_line_that_is_far_better() -> None:
    tried = [judged("line", 0.1, is_line=True), judged("worse", 0.3, "paid"), judged("trees", 0.2)]
    assert names(keep(tried)) == ["line", "trees"]


def test_of_more_rows_come_more_trees_and_no_calmer_line() -> None:
    trees, line = (Recipe(name, Form.DIRECT, "lean", 2, is_line=name == "line") for name in ("trees", "line"))
    assert chosen_at(trees, 0, 1.5).trees == STAGES[0] * 1.5
    assert chosen_at(line, 1, 1.5).ridge == chosen_at(line, 1, 1.0).ridge > 0


@pytest.mark.parametrize("recipe", [one for one in RECIPES if one.name in {"lean", "core-hazard"}])
def test_a_model_cut_short_is_nearly_the_one_that_was_grown_no_longer(recipe: Recipe) -> None:
    """CatBoost draws models with known signs towards even odds with each tree, unless it is told not to."""
    world = portfolio(customers=700)
    columns, matrix = columns_of(recipe, world.columns), world.select(world.columns)
    assert recipe.is_monotone
    short, long = (
        fit(recipe, world, columns, HORIZON, 1, world.columns, trees) for trees in (STAGES[0], STAGES[-1])
    )
    cut = long.predict(matrix, prediction_type="RawFormulaVal", ntree_end=STAGES[0])
    assert np.mean(cut) == pytest.approx(
        np.mean(short.predict(matrix, prediction_type="RawFormulaVal")), abs=0.2
    )
