"""Which columns depend on which."""

import logging

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abline.linear import LinearRegression
from abline.linear.dependence import dependent_columns, describe_dependence


@settings(max_examples=50, deadline=None)
@given(
    free=st.integers(1, 6),
    made=st.lists(st.sets(st.integers(0, 5), min_size=1, max_size=3), max_size=3),
    seed=st.integers(0, 2**32 - 1),
)
def test_combinations_are_found_with_their_parts(free, made, seed):
    rng = np.random.default_rng(seed)
    columns = list(rng.normal(size=(free, 40)))
    parts = [sorted(i for i in combination if i < free) for combination in made]
    parts = [p for p in parts if p]
    for chosen in parts:
        columns.append(sum(rng.uniform(1, 2) * columns[i] for i in chosen))
    X = np.array(columns).T * 10.0 ** rng.uniform(-8, 8, len(columns))
    found = dependent_columns(np.linalg.qr(X, mode="r"), 1e-11)
    assert found == {free + k: chosen for k, chosen in enumerate(parts)}


def test_the_trap_of_dummies_is_named(caplog):
    towns = np.array(["a", "b", "c"] * 10)
    frame = pd.DataFrame({town: (towns == town).astype(float) for town in "abc"})
    frame["area"], frame["unit"] = np.arange(30.0) ** 2, 1.0
    with caplog.at_level(logging.INFO, logger="abline"):
        model = LinearRegression().fit(frame, np.arange(30.0))
    assert model.dependent_ == {2: [0, 1], 4: []}
    assert "'c' depends on 'a', 'b'" in caplog.text
    assert "'unit' is constant" in caplog.text
    assert model.engine_ == "svd"
    assert model.rank_ == 3


def test_nothing_is_said_of_independent_columns_or_of_few_rows(caplog):
    rng = np.random.default_rng(0)
    with caplog.at_level(logging.INFO, logger="abline"):
        assert LinearRegression().fit(rng.normal(size=(9, 3)), np.arange(9.0)).dependent_ == {}
        wide = LinearRegression().fit(rng.normal(size=(5, 20)), np.arange(5.0))
    assert wide.dependent_ == {}
    assert wide.engine_ == "svd"
    assert not caplog.text


def test_sentences():
    assert describe_dependence({}, ["a"]) == []
    with pytest.raises(IndexError):
        describe_dependence({3: [0]}, ["a"])
