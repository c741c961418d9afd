"""The encoder of whole tables: row-wise, repeatable, and the same after a round trip."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abline.errors import DataError
from abline.tables import TableEncoder, as_table, encode, infer_schema

DATA = Path(__file__).parents[1] / "data"
N = 400


def table_of_all_kinds():
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=N)
    numbers[::7] = np.nan
    return as_table(
        {
            "number": numbers,
            "flag": rng.random(N) < 0.5,
            "colour": rng.choice(["red", "green", "blue", None], N, p=[0.5, 0.3, 0.1, 0.1]),
            "shop": rng.integers(0, 40, N).astype(str),
            "day": np.datetime64("2024-01-01") + rng.integers(0, 60, N).astype("timedelta64[D]"),
            "one": np.ones(N),
        }
    )


TABLE = table_of_all_kinds()
SHOP = TABLE["shop"].cast(pl.Int64).to_numpy()
Y = np.random.default_rng(1).normal(size=(N, 2)) + np.sqrt(SHOP)[:, None]


@pytest.fixture(autouse=True)
def many_levels_are_few(monkeypatch):
    """Let the 40 shops stand as effects, which takes thousands of rows otherwise."""
    monkeypatch.setattr(encode, "MAX_LEVELS", 30)


def fitted(table=TABLE, y=Y, weights=None, seed=0, **roles):
    encoder = TableEncoder(infer_schema(table, **roles), random_state=seed)
    return encoder, encoder.fit_transform(table, y, weights)


def test_one_name_for_each_column():
    encoder, encoded = fitted()
    names = encoder.feature_names_out_
    assert encoded.shape == (N, len(names))
    assert len(set(names)) == len(names)
    assert names[:11] == [
        "number",
        "number (missing)",
        "flag",
        "colour = blue",
        "colour = green",
        "colour = (missing)",
        "shop (effect on target 1)",
        "shop (effect on target 2)",
        "day (years since 2024-01-01)",
        "day (week sine)",
        "day (week cosine)",
    ]
    assert encoded.dtype == np.float64
    assert np.isfinite(encoded).all()


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_rows_are_encoded_one_by_one(data):
    """Any rows, in any order, of columns in any order and among others, give the same rows."""
    encoder = test_rows_are_encoded_one_by_one.encoder
    rows = data.draw(st.lists(st.integers(0, N - 1), max_size=20))
    columns = data.draw(st.permutations([*TABLE.columns, "extra"]))
    part = TABLE.with_columns(extra=pl.lit("x"))[rows].select(columns)
    np.testing.assert_array_equal(encoder.transform(part), encoder.transform(TABLE)[rows])


with pytest.MonkeyPatch.context() as patch:
    patch.setattr(encode, "MAX_LEVELS", 30)
    test_rows_are_encoded_one_by_one.encoder = fitted()[0]


@pytest.mark.parametrize("name", ["airquality", "mpg", "penguins", "yacht"])
def test_state_restores_every_bit(name):
    table = as_table(pl.read_parquet(DATA / f"{name}.parquet"))
    encoder, _ = fitted(table, np.arange(table.height))
    twin = TableEncoder._from_state(encoder._get_state())
    np.testing.assert_array_equal(twin.transform(table), encoder.transform(table))


def test_state_of_every_kind_of_column():
    encoder, _ = fitted()
    twin = TableEncoder._from_state(encoder._get_state())
    np.testing.assert_array_equal(twin.transform(TABLE), encoder.transform(TABLE))
    assert twin.feature_names_out_ == encoder.feature_names_out_
    assert twin.notes_ == encoder.notes_
    assert twin.schema == encoder.schema
    new = TABLE.with_columns(colour=pl.lit("violet"), number=pl.lit(1e9))
    assert twin.transform_notes(new) == encoder.transform_notes(new) != ()


def test_state_is_plain_data():
    def check(tree):
        if isinstance(tree, dict):
            assert all(isinstance(key, str) for key in tree)
            tree = list(tree.values())
        if isinstance(tree, list):
            for branch in tree:
                check(branch)
        else:
            plain = isinstance(tree, str | bool | int | float | np.ndarray | None)
            assert plain, type(tree)

    check(fitted()[0]._get_state())


def test_weights_of_zero_leave_rows_out():
    weights = np.random.default_rng(2).integers(0, 2, N).astype(float)
    kept = weights > 0
    one, encoded = fitted(weights=weights)
    two, alone = fitted(TABLE.filter(kept), Y[kept])
    np.testing.assert_array_equal(encoded[kept], alone)
    np.testing.assert_array_equal(one.transform(TABLE), two.transform(TABLE))
    np.testing.assert_array_equal(encoded[~kept], one.transform(TABLE)[~kept])


def test_weights_repeat_rows():
    table = TABLE.select("number", "flag", "day")
    weights = np.random.default_rng(3).integers(1, 4, N)
    one, _ = fitted(table, Y, weights)
    two, _ = fitted(table[np.repeat(np.arange(N), weights)], np.repeat(Y, weights, axis=0))
    shared = [n for n in one.feature_names_out_ if "effect" not in n]  # folds are of rows
    assert shared == [n for n in two.feature_names_out_ if "effect" not in n]
    for name in shared:
        values = [e.transform(table)[:, e.feature_names_out_.index(name)] for e in (one, two)]
        np.testing.assert_allclose(*values, rtol=1e-9, atol=1e-12)


def test_the_seed_decides_and_nothing_else():
    state = np.random.get_state()[1].copy()
    encodings = [fitted(seed=seed)[1] for seed in (0, np.random.RandomState(0), 1)]
    np.testing.assert_array_equal(encodings[0], encodings[1])
    assert (encodings[0] != encodings[2]).any()
    np.testing.assert_array_equal(state, np.random.get_state()[1])


def test_columns_in_excess_become_effects(monkeypatch):
    """The categories of most levels first, until the others' columns are few enough."""
    monkeypatch.setattr(encode, "MAX_LEVELS", 1000)
    monkeypatch.setattr(encode, "MAX_COLUMNS", 10)
    names = fitted()[0].feature_names_out_
    assert not any(name.startswith("shop = ") for name in names)
    assert "colour = green" in names


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop("number"), "lacks a column that the model needs, 'number': add"),
        (
            lambda t: t.rename({"day": "Day", "shop": "x"}),
            r"2 columns .* 'day' \(did you mean 'D",
        ),
        (lambda t: t.with_columns(flag=pl.lit("maybe")), "'flag' holds 'maybe' in row 1"),
    ],
)
def test_rows_that_do_not_fit_are_refused(change, message):
    encoder, _ = fitted()
    with pytest.raises(DataError, match=message):
        encoder.transform(change(TABLE))


def test_nothing_left_is_refused():
    table = pl.DataFrame({"code": [str(i) for i in range(15)]})
    encoder = TableEncoder(infer_schema(table))
    rows = table.with_columns(code=pl.lit("a"))
    with pytest.raises(DataError, match="no column is left to learn from: 'code'"):
        encoder.fit_transform(rows, np.arange(15))


def test_numbers_for_trained_text_and_text_for_trained_numbers():
    table = pl.DataFrame({"store": ["1", "2"] * 20 + ["new"] * 5, "size": np.arange(45) / 7})
    encoder, _ = fitted(table, np.arange(45))
    text = pl.DataFrame({"store": ["1", "2"], "size": ["0.5", "1.5"]})
    numbers = pl.DataFrame({"store": [1.0, 2.0], "size": [0.5, 1.5]})
    np.testing.assert_array_equal(encoder.transform(text), encoder.transform(numbers))
    assert encoder.transform_notes(numbers) == ()
