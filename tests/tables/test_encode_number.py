"""Columns of numbers, against scikit-learn's transformers; impossible cells."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from abline.errors import DataError
from abline.tables.far_cells import find_bounds
from abline.tables.number import (
    NumberEncoder,
    parse_numbers,
    weighted_median,
    weighted_moments,
)

COMMON = {"allow_nan": False, "allow_infinity": False, "width": 32}


def encode(cells, weights=None):
    series = pl.Series("x", cells, dtype=pl.Float64)
    weights = np.ones(len(series)) if weights is None else np.asarray(weights, dtype=float)
    encoder = NumberEncoder.fit(series, weights)
    return encoder, encoder.transform(series)


def test_as_scikit_learn_imputes_marks_and_scales():
    rng = np.random.default_rng(0)
    values = rng.normal(50, 3, 200)
    values[rng.random(200) < 0.2] = np.nan
    encoder, got = encode(values)
    column = values[:, None]
    scaled = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    np.testing.assert_allclose(got[:, :1], scaled.fit_transform(column), rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(got[:, 1], np.isnan(values))
    assert encoder.feature_names == ("x", "x (missing)")


def test_missing_for_once_gets_the_median():
    encoder, _ = encode([1.0, 2.0, 9.0])
    new = encoder.transform(pl.Series("x", [None, 2.0]))
    assert new[0, 0] == new[1, 0]
    assert encoder.notes_on(pl.Series("x", [None, 2.0])) == (
        "1 cell is missing in 'x', which had none in training: the median 2 takes the place",
    )


@pytest.mark.parametrize(
    ("cells", "names"),
    [([5.0, 5.0], ()), ([0.1] * 7, ()), ([5.0, None], ("x (missing)",)), ([None, None], ())],
)
def test_what_does_not_vary_has_no_column(cells, names):
    encoder, encoded = encode(cells)
    assert encoder.feature_names == names
    assert encoded.shape == (len(cells), len(names))


@given(
    st.lists(st.tuples(st.floats(**COMMON), st.integers(1, 5)), min_size=1, max_size=30),
    st.floats(0.01, 100),
)
def test_weights_count_as_repetitions_at_any_scale(pairs, scale):
    values, weights = np.array(pairs).T
    repeated = np.repeat(values, weights.astype(int))
    assert weighted_median(values, weights * scale) == pytest.approx(np.median(repeated))
    center, spread = weighted_moments(values, weights * scale)
    size = np.abs(values).max()
    assert center == pytest.approx(repeated.mean(), rel=1e-9, abs=1e-9 * size)
    assert spread == pytest.approx(repeated.std(), rel=1e-6, abs=1e-9 * size)


def test_huge_numbers_do_not_overflow():
    _, encoded = encode([1e300, -1e300, 2e300, 0.0])
    assert np.isfinite(encoded).all()
    assert encoded.std() == pytest.approx(1)


@pytest.mark.parametrize("cells", [["1.5", " 2 ", None], [1.5, 2, None], [1.5, 2, float("nan")]])
def test_what_counts_as_a_number(cells):
    numbers = parse_numbers(pl.Series("x", cells))
    assert numbers[0] == 1.5
    assert numbers[1] == 2
    assert np.isnan(numbers[2])


def test_flags_as_text():
    assert parse_numbers(pl.Series("x", ["true", "FALSE"])).to_list() == [1.0, 0.0]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["1", "two"], "'x' holds 'two' in row 2"),
        ([1.0, float("inf"), float("-inf")], r"'x' is infinite .* in row 2 and 1 more"),
        (["1", "inf"], "'x' is infinite"),
        ([[1], [2]], "'x' holds cells of type List"),
        (pl.Series("x", [0], dtype=pl.Date), "'x' holds dates"),
    ],
)
def test_what_is_no_number_is_refused(cells, message):
    encoder, _ = encode([1.0, 2.0])
    with pytest.raises(DataError, match=message):
        encoder.transform(pl.Series("x", cells))


class TestFarCells:
    RAIN = np.concatenate([np.zeros(9000), np.random.default_rng(0).gamma(0.3, 5, 999)])

    def test_one_impossible_rain_is_clipped_and_said(self):
        encoder, encoded = encode(np.append(self.RAIN, 9831.3))
        top = self.RAIN.max()
        assert encoder.bounds.highest == pytest.approx(4 * top)
        (note,) = encoder.notes
        assert note == (
            f"1 cell of 'x' is far outside the rest (9831.3; the others lie in 0 … {top:.4g}): "
            f"clipped to {top:.4g}"
        )
        clipped = np.append(self.RAIN, top)
        np.testing.assert_allclose(
            encoded[:, 0], StandardScaler().fit_transform(clipped[:, None])[:, 0]
        )

    def test_one_in_new_rows_is_clipped_by_the_training_rows(self):
        encoder, _ = encode(self.RAIN)
        new = pl.Series("x", [9831.3, self.RAIN.max()])
        far, bound = encoder.transform(new)[:, 0]
        assert far == bound
        assert "1 cell of 'x' is far outside the rest (9831.3" in encoder.notes_on(new)[0]

    def test_both_ends_at_once(self):
        values = np.random.default_rng(0).normal(280, 10, 10_000)
        values[:8], values[8:10] = -1e4, 1e5
        bounds, far = find_bounds(values)
        assert sorted(set(far)) == [-1e4, 1e5]
        assert (bounds.low, bounds.high) == (values[10:].min(), values[10:].max())

    @pytest.mark.parametrize(
        "values",
        [
            np.append(np.zeros(1000), 5.0),  # a rare event: fewer than 10 other values
            np.append(np.arange(1000.0), [1e6, 1e6]),  # two of 1,002 are more than 0.1 %
            np.append(np.arange(100.0), 390.0),  # not more than three ranges away
            np.array([7.0]),
            np.array([1.0, 1e9]),
        ],
    )
    def test_few_apart_are_not_enough(self, values):
        bounds, far = find_bounds(values)
        assert len(far) == 0
        np.testing.assert_array_equal(bounds.clip(values), values)

    @pytest.mark.parametrize(
        ("draw", "most"),
        [
            (lambda rng, n: rng.normal(size=n), 0.0),
            (lambda rng, n: rng.lognormal(0, 1, n), 0.01),
            (lambda rng, n: rng.lognormal(0, 2, n), 0.02),
            (lambda rng, n: rng.standard_t(2, n), 0.02),
            (lambda rng, n: rng.pareto(1.5, n), 0.03),
        ],
        ids=["normal", "lognormal 1", "lognormal 2", "t2", "pareto"],
    )
    @pytest.mark.parametrize("n", [200, 2000])
    def test_honest_tails_are_left_alone(self, draw, most, n):
        rng = np.random.default_rng(0)
        clipped = sum(len(find_bounds(draw(rng, n))[1]) > 0 for _ in range(200))
        assert clipped <= most * 200
