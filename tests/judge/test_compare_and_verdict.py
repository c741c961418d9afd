from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

import abline as ab
from abline.judge import ModelScores, Scores, fit_table, judge
from abline.judge.verdict import paired_gain
from abline.tables.target import split_target


def scored(name: str, *r2: float) -> ModelScores:
    folds = tuple(Scores(value, 1 - value, 1 - value) for value in r2)
    return ModelScores(name, folds, np.zeros(1), ())


MEAN = scored("mean", -0.01, 0.0, -0.02)
LINE = scored("line", 0.50, 0.52, 0.54)


def table(n: int = 120, noise: float = 0.1) -> pl.DataFrame:
    rng = np.random.RandomState(0)
    x = rng.normal(size=n)
    return pl.DataFrame(
        {"x": x, "g": rng.choice(["a", "b"], n), "y": 2 * x + noise * rng.normal(size=n)}
    )


def test_paired_gain_is_nadeau_and_bengios():
    better = scored("network", 0.6, 0.66, 0.6)
    gain, error = paired_gain(better, LINE)
    differences = np.array([0.10, 0.14, 0.06])
    assert gain == pytest.approx(differences.mean())
    assert error == pytest.approx(np.sqrt((1 / 3 + 1 / 2) * differences.var(ddof=1)))


@pytest.mark.parametrize(
    ("network", "chosen", "said"),
    [
        ((0.80, 0.81, 0.84), "network", "needs more than a line"),
        ((0.40, 0.70, 0.50), "line", "A line is enough"),
        ((0.30, 0.30, 0.30), "line", "A line is enough"),
    ],
)
def test_the_simplest_unbeaten_is_chosen(network, chosen, said):
    verdict = judge([scored("network", *network), LINE, MEAN])
    assert verdict.chosen == chosen
    assert said in verdict.sentence


def test_nothing_beats_the_mean():
    verdict = judge([MEAN, scored("line", -0.1, 0.05, 0.0)])
    assert "than the mean" in verdict.sentence
    assert verdict.chosen == "line"


def test_one_model_is_described():
    verdict = judge([MEAN, LINE])
    assert verdict.sentence == "The line explains 52.0 % of the variance."
    assert verdict.gain is None


def test_compare_is_reproducible_and_plain_data():
    first = ab.compare(table(), target="y", models=["mean", "line", "ridge"], random_state=0)
    again = ab.compare(table().to_pandas(), "y", models=["mean", "line", "ridge"], random_state=0)
    assert json.dumps(first.to_dict()) == json.dumps(again.to_dict())
    assert first["line"].mean.r2 > 0.98
    assert "R²" in str(first)
    with pytest.raises(KeyError, match="network"):
        first["network"]


def test_compare_takes_estimators_of_ones_own():
    from sklearn.tree import DecisionTreeRegressor

    result = ab.compare(
        table(), "y", models={"line": ab.LinearRegression(), "tree": DecisionTreeRegressor()},
        random_state=0,
    )  # fmt: skip
    assert result.verdict.chosen == "line"


@pytest.mark.slow
def test_a_curve_needs_the_network():
    rng = np.random.RandomState(0)
    x = rng.uniform(-3, 3, 600)
    curve = pl.DataFrame({"x": x, "y": np.sin(2 * x) + 0.1 * rng.normal(size=600)})
    result = ab.compare(curve, "y", random_state=0)
    assert result.verdict.chosen == "network"
    assert result["network"].mean.r2 > 0.9 > 0.3 > result["line"].mean.r2


def test_fit_table_fills_the_card():
    fitted = fit_table(split_target(table(), "y"), "line", source="t.csv", random_state=1)
    card = fitted.model.card_
    assert card["target"] == "y"
    assert card["rows"] == 120
    assert card["scores"]["r2"] == pytest.approx(fitted.comparison["line"].mean.r2)
    assert fitted.model.target_names_ == ["y"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": "z"}, "no column 'z'"),
        ({"models": ["lines"]}, "line"),
        ({"models": []}, "models"),
        ({"folds": 100}, "too few"),
        ({"weights": "w"}, "no column 'w'"),
        ({"weights": "y"}, "both"),
        ({"target": "g"}, "not a number"),
    ],
)
def test_wrong_input_is_named(change, message):
    with pytest.raises(ab.AblineError, match=message):
        ab.compare(table(), **{"target": "y", **change})
