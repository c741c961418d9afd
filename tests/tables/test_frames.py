"""Anybody's table arrives as the same polars frame."""

import datetime as dt
from decimal import Decimal

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
import torch
from polars.testing import assert_frame_equal

from abline.errors import DataError
from abline.tables import as_table

DAY = dt.datetime(2024, 1, 31, 9, 30)
COLUMNS = {
    "number": [1.5, None, 3.0],
    "whole": [1, 2, 3],
    "flag": [True, False, True],
    "text": ["a", None, "b"],
    "date": [DAY, None, DAY],
}
EXPECTED = pl.DataFrame(COLUMNS, schema_overrides={"date": pl.Datetime("us")})


@pytest.mark.parametrize(
    "make",
    [
        pl.DataFrame,
        pd.DataFrame,
        pa.table,
        lambda columns: nw.from_native(pl.DataFrame(columns)),
        lambda columns: pd.DataFrame(columns).convert_dtypes(),
        lambda columns: pd.DataFrame(columns).astype(object),
        dict,
    ],
    ids=["polars", "pandas", "pyarrow", "narwhals", "nullable", "objects", "dict"],
)
def test_same_frame_from_every_library(make):
    table = as_table(make(COLUMNS)).with_columns(pl.col("date").cast(pl.Datetime("us")))
    assert_frame_equal(table, EXPECTED)


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        (pd.Categorical(["u", None]), ["u", None]),
        (pd.Categorical([7, None]), ["7", None]),
        (pd.array([1, None], dtype="Int64"), [1, None]),
        (pd.array(["x", None], dtype="string"), ["x", None]),
        (pd.to_datetime(["2024-01-31T09:30+02:00", None]), [DAY - dt.timedelta(hours=2), None]),
        (pd.to_timedelta([90, None], unit="s"), [90.0, None]),
        (np.array([1, 2], dtype=np.float16), [1.0, 2.0]),
        (np.array([1, 2], dtype=">i4"), [1, 2]),
        ([Decimal("1.5"), None], [1.5, None]),
        ([1, 2.5], [1.0, 2.5]),
        ([1, "a"], ["1", "a"]),
        ([2.0, "a"], ["2", "a"]),
        ([dt.date(2024, 1, 31), pd.NaT], [dt.datetime(2024, 1, 31), None]),
        ([2**70, 1], [2.0**70, 1.0]),
    ],
    ids=str,
)
def test_pandas_columns_without_pyarrow(column, cells, monkeypatch):
    frame = pd.DataFrame({"x": pd.Series(column)})
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    assert as_table(frame)["x"].to_list() == cells


def test_polars_types_are_made_plain():
    frame = pl.DataFrame(
        {
            "category": pl.Series(["a"], dtype=pl.Categorical),
            "enum": pl.Series(["a"], dtype=pl.Enum(["a"])),
            "decimal": pl.Series([Decimal("1.5")]),
            "span": pl.Series([dt.timedelta(seconds=90)]),
            "time": pl.Series([dt.time(1, 0, 0)]),
            "nan": pl.Series([float("nan")]),
            "zoned": pl.Series([DAY]).dt.replace_time_zone("Europe/Berlin"),
        }
    )
    row = as_table(frame).row(0)
    assert row == ("a", "a", 1.5, 90.0, 3600.0, None, DAY - dt.timedelta(hours=1))


@pytest.mark.parametrize(
    ("X", "names", "columns", "rows"),
    [
        (np.array([[1, 2], [3, 4]]), None, ["x0", "x1"], [(1, 2), (3, 4)]),
        (np.array([[1.0, np.nan]]), ["a", "b"], ["a", "b"], [(1.0, None)]),
        (torch.ones(1, 2, requires_grad=True), None, ["x0", "x1"], [(1.0, 1.0)]),
        (torch.ones(1, 1, dtype=torch.bfloat16), None, ["x0"], [(1.0,)]),
        ([[1, "red"], [None, "blue"]], None, ["x0", "x1"], [(1, "red"), (None, "blue")]),
        (np.array([["a"], ["b"]]), None, ["x0"], [("a",), ("b",)]),
        (pd.DataFrame(np.ones((1, 2))), None, ["x0", "x1"], [(1.0, 1.0)]),
        (np.array([["2024-01-31T09:30"]], dtype="datetime64[m]"), None, ["x0"], [(DAY,)]),
    ],
)
def test_arrays_get_names_and_keep_types(X, names, columns, rows):
    table = as_table(X, names)
    assert table.columns == columns
    assert table.rows() == rows


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (pl.LazyFrame({"a": [1]}), r"\.collect\(\)"),
        (scipy.sparse.eye_array(3), "sparse"),
        (np.ones(3), "Reshape your data"),
        (np.ones((2, 2, 2)), "dim 3"),
        (np.ones((12, 0)), r"0 feature\(s\) \(shape=\(12, 0\)\) while a minimum of 1 is required"),
        (pl.DataFrame(), "no columns"),
        (np.ones((2, 2)) * 1j, "Complex data not supported"),
        (np.array([[{"a": 1}, 2]], dtype=object), "argument must be a string or a real number"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "several columns called 'a'"),
        (pa.table([[1], [2]], names=["a", "a"]), "several columns called 'a'"),
        ([[1, 2], [3]], "different lengths"),
        ({"a": [1], "b": [1, 2]}, r"not equally long \('a' 1, 'b' 2\)"),
        ({"a": 3}, "'a' is one int"),
        (5, "Expected 2D array"),
    ],
)
def test_what_is_no_table_is_refused(X, message):
    with pytest.raises(DataError, match=message):
        as_table(X)


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, dict])
def test_nested_columns_of_dataframes_stay_for_the_schema_to_name(make):
    table = as_table(make({"x": [1, 2], "tags": [["a"], ["b", "c"]]}))
    assert table.columns == ["x", "tags"]
    assert table["tags"].dtype.is_nested() or table["tags"].dtype == pl.Object
