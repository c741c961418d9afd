from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import abline as ab
from abline.tables.target import check_roles, split_target

TABLE = pl.DataFrame({"x": [1, 2, 3, 4], "y": [1.0, None, 3.0, float("nan")], "w": [1, 1, 2, 0]})


def test_rows_without_a_target_are_left_out_and_counted():
    data = split_target(TABLE, "y", weights="w")
    assert data.y.tolist() == [1.0, 3.0]
    assert data.features.to_dict(as_series=False) == {"x": [1, 3]}
    assert data.weights.tolist() == [1.0, 2.0]
    assert data.notes == ("2 of 4 rows have no 'y' and are left out",)


def test_booleans_and_integers_are_numbers():
    table = pl.DataFrame({"x": [1, 2], "y": [True, False], "n": [3, 4]})
    assert split_target(table, "y").y.tolist() == [1.0, 0.0]
    assert split_target(table, "n").y.dtype == np.float64


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (["a", "b", "c", "d"], "'a'"),
        ([1.0, 1.0, 1.0, None], "1 in every row"),
        ([None, None, None, None], "missing in every row"),
        ([1.0, None, float("inf"), 2.0], "infinite in row 3"),
    ],
)
def test_a_target_that_cannot_be(column, message):
    with pytest.raises(ab.DataError, match=message):
        split_target(pl.DataFrame({"x": [1, 2, 3, 4], "y": column}), "y")


@pytest.mark.parametrize("weights", [[1, -1, 1], [1, None, 1], [1.0, float("inf"), 1.0], [0, 0, 0]])
def test_weights_that_cannot_be(weights):
    with pytest.raises(ab.DataError, match="weights column 'w'"):
        split_target(pl.DataFrame({"x": [1, 2, 3], "y": [1, 2, 3], "w": weights}), "y", weights="w")


def test_an_unknown_column_comes_with_near_names():
    with pytest.raises(ab.DataError, match="did you mean 'price'"):
        split_target(pl.DataFrame({"price": [1, 2]}), "prise")


def test_the_target_and_the_weights_have_no_other_role():
    check_roles({"ignore": ["x"], "id": None}, "y", "w")
    for option, name in (("ignore", "y"), ("features", "w")):
        with pytest.raises(ab.ParameterError, match=f"--{option} names '{name}'"):
            check_roles({option: ["x", name]}, "y", "w")
