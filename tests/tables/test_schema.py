"""The role of each column, and why."""

import datetime as dt
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from abline.errors import DataError, ParameterError
from abline.tables import Role, Schema, as_table, infer_schema

DATA = Path(__file__).parents[1] / "data"
N = 40
RNG = np.random.default_rng(0)
ROLES = {
    "size": (RNG.normal(size=N), Role.NUMBER),
    "flag": ([True, False] * (N // 2), Role.NUMBER),
    "year": (list(range(1980, 1980 + N)), Role.NUMBER),  # consecutive, yet no identifier
    "number": (list(range(N)), Role.NUMBER),
    "paid": (list(range(N)), Role.NUMBER),  # ends in "id" by chance
    "half": ([1.0, None] * (N // 2), Role.NUMBER),  # constant where present
    "colour": (["red", "blue"] * (N // 2), Role.CATEGORY),
    "job": ([f"job {i % 30}" for i in range(N)], Role.CATEGORY),
    "maybe": (["yes", None] * (N // 2), Role.CATEGORY),
    "sold": ([f"2024-01-{i % 28 + 1:02}" for i in range(N)], Role.DATE),
    "seen": ([f"2024-01-01T{i % 24:02}:30:00Z" for i in range(N)], Role.DATE),
    "when": ([dt.datetime(2024, 1, i % 28 + 1) for i in range(N)], Role.DATE),
    "almost": (["2024-01-01"] * (N - 1) + ["2024-02-30"], Role.CATEGORY),
    "one": ([1] * N, Role.CONSTANT),
    "none": ([None] * N, Role.CONSTANT),
    "nan": ([float("nan")] * N, Role.CONSTANT),
    "name": ([f"person {i}" for i in range(N)], Role.IDENTIFIER),
    "id": (RNG.permutation(10 * N)[:N], Role.IDENTIFIER),
    "PassengerId": (list(range(1, N + 1)), Role.IDENTIFIER),
    "order_id": (list(range(N)), Role.IDENTIFIER),
    "": (list(range(N)), Role.IDENTIFIER),
    "Unnamed: 0": (list(range(N)), Role.IDENTIFIER),
    "index": (RNG.integers(0, 5, N), Role.NUMBER),  # not different in every row
    "row": (RNG.permutation(100 * N)[:N], Role.NUMBER),  # does not count the rows
    "tags": ([["a"]] * N, Role.IGNORED),
    "bytes": ([b"a"] * N, Role.IGNORED),
}


@pytest.mark.parametrize("name", ROLES)
def test_role_of_each_kind_of_column(name):
    cells, role = ROLES[name]
    table = pl.DataFrame({name: cells, "x": np.arange(N) / 2})
    assert infer_schema(table)[name].role is role


@pytest.mark.parametrize("name", ["name", "id", "order_id", "index", "year", "colour", "sold"])
def test_folds_agree_with_the_whole_table(name):
    """Most rows, in any order, give the role that all give."""
    cells, role = ROLES[name]
    rows = np.random.default_rng(1).permutation(N)[: int(0.8 * N)]
    table = pl.DataFrame({name: cells, "x": np.arange(N) / 2})[rows]
    assert infer_schema(table)[name].role is role


@pytest.mark.parametrize("name", ["airquality", "mpg", "penguins", "yacht"])
def test_no_column_of_real_tables_is_lost(name):
    table = as_table(pl.read_parquet(DATA / f"{name}.parquet"))
    schema = infer_schema(table)
    assert [column.name for column in schema.used] == table.columns
    text = tuple(c for c in table.columns if table[c].dtype == pl.String)
    assert schema.by_role.get(Role.CATEGORY, ()) == text


def test_facts_are_counted():
    column = infer_schema(pl.DataFrame({"c": ["a", "b", None, "a"]}))["c"]
    assert (column.dtype, column.missing, column.levels) == ("String", 1, 2)
    assert column.why == "text with 2 levels"
    assert not column.chosen


@pytest.mark.parametrize(
    ("option", "role"),
    [
        ("numeric", Role.NUMBER),
        ("categorical", Role.CATEGORY),
        ("date", Role.DATE),
        ("id", Role.IDENTIFIER),
        ("ignore", Role.IGNORED),
    ],
)
def test_a_person_overrules(option, role):
    table = pl.DataFrame({"day": [20240131, 20240201, 20240202], "x": [1, 2, 4]})
    column = infer_schema(table, **{option: ["day"]})["day"]
    assert column.role is role
    assert column.chosen
    assert f"--{option}" in column.why


def test_features_leave_out_all_others():
    schema = infer_schema(pl.DataFrame({"a": [1, 2], "b": [3, 5]}), features=["b"])
    assert [column.name for column in schema.used] == ["b"]
    assert schema["a"].why == "not among --features"


def test_text_that_is_no_number_is_counted():
    table = pl.DataFrame({"area": ["1", "2,5", "?", None, "4"]})
    why = infer_schema(table, numeric=["area"])["area"].why
    assert why.endswith("2 cells that are no numbers count as missing")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"categorical": ["sise"]}, DataError, "--categorical: did you mean 'size'"),
        ({"features": ["colr"]}, DataError, "--features: did you mean 'colour'"),
        ({"numeric": ["colour"]}, DataError, "'colour' has no number in any row"),
        ({"date": ["colour"]}, DataError, "'colour' holds 'red', say, which is no date"),
        ({"date": ["slashed"]}, DataError, "day and month cannot be told apart"),
        ({"categorical": ["tags"]}, DataError, "'tags' holds cells of type List"),
        ({"numeric": ["size"], "id": ["size"]}, ParameterError, "both name 'size'"),
        ({"features": ["size"], "ignore": ["size"]}, ParameterError, "both name 'size'"),
        ({"features": ["size"], "date": ["colour"]}, ParameterError, "not both name 'colour'"),
        ({"ignore": ["size", "colour", "slashed"]}, DataError, "no usable feature .*'tags'"),
    ],
)
def test_a_wrong_word_is_refused(options, error, message):
    table = pl.DataFrame(
        {
            "size": [1.0, 2.5, 3.5],
            "colour": ["red", "blue", "red"],
            "slashed": ["01/02/2024", "03/04/2024", "05/06/2024"],
            "tags": [["a"], ["b"], ["c"]],
        }
    )
    with pytest.raises(error, match=message):
        infer_schema(table, **options)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pl.DataFrame({"x": [1.0, float("inf")]}), "'x' is infinite .* in row 2"),
        (pl.DataFrame({"x": [1.0]}), "1 sample"),
        (pl.DataFrame({"x": [1, 1]}), "no usable feature .*'x': 1 in every row"),
    ],
)
def test_tables_to_learn_nothing_from_are_refused(table, message):
    with pytest.raises(DataError, match=message):
        infer_schema(table)


def test_a_schema_survives_as_plain_data():
    cells = {name: cells for name, (cells, role) in ROLES.items() if role is not Role.IGNORED}
    schema = infer_schema(pl.DataFrame(cells), categorical=["year"])
    tree = schema.to_dict()
    assert Schema.from_dict(tree) == schema
    assert {type(value) for value in tree["columns"][0].values()} <= {str, int, bool, list}


def test_notes_name_what_is_left_out_and_what_was_chosen():
    table = pl.DataFrame({"x": [1, 2, 4], "one": [1, 1, 1], "code": [1, 2, 2]})
    assert infer_schema(table, categorical=["code"]).notes == (
        "'one' is left out as constant: 1 in every row",
        "'code' is taken for a category: named by --categorical",
    )
