"""LinearRegression against scikit-learn, NumPy, exact answers and its own symmetries."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn import linear_model
from threadpoolctl import threadpool_limits

from abline.errors import DataError, ParameterError
from abline.linear import LinearRegression
from abline.linear.factor import RFactor
from abline.linear.least_squares import independent_columns
from abline.linear.rows import block_rows


def table(n, p, t=1, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * rng.uniform(0.1, 10, p) + 20 * rng.normal(size=p)
    return X, X @ rng.normal(size=(p, t)) + rng.normal(size=(n, t)) + 5, rng.uniform(0.1, 3, n)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("n", "p", "t"), [(60, 5, 1), (60, 5, 3), (2 * block_rows(4) + 9, 3, 1), (20, 60, 2), (9, 9, 1)]
)
def test_agrees_with_scikit_learn(n, p, t, weighted, fit_intercept):
    X, y, w = table(n, p, t)
    w = w if weighted else None
    ours = LinearRegression(fit_intercept=fit_intercept).fit(X, y, w)
    theirs = linear_model.LinearRegression(fit_intercept=fit_intercept, tol=1e-13).fit(X, y, w)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-10, atol=1e-11)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-10, atol=1e-9)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-10, atol=1e-11)
    assert ours.rank_ == theirs.rank_
    least = 1e-12 * theirs.singular_[0]
    np.testing.assert_allclose(ours.singular_, theirs.singular_, rtol=1e-10, atol=least)


def test_dependent_columns_get_the_coefficients_of_least_norm():
    X, y, _ = table(40, 3)
    X = np.column_stack([X, 1e3 * X[:, 0], X[:, 1] - X[:, 2], np.full(40, 7.0)])
    model = LinearRegression().fit(X, y)
    expected = np.linalg.lstsq(X - X.mean(axis=0), y - y.mean(axis=0), rcond=1e-12)
    assert model.rank_ == 3
    np.testing.assert_allclose(model.coef_, expected[0].T, rtol=1e-10, atol=1e-12)
    assert model.coef_[0, -1] == 0.0


def test_units_of_columns_do_not_make_them_dependent():
    X, y, _ = table(40, 4)
    units = 2.0 ** np.array([0, 60, -60, -300])
    plain, scaled = LinearRegression().fit(X, y), LinearRegression().fit(X * units, y)
    assert scaled.rank_ == 4
    np.testing.assert_allclose(scaled.coef_ * units, plain.coef_, rtol=1e-12)


def test_a_column_of_rounding_errors_is_constant():
    X, y, _ = table(40, 2)
    noise = 0.3 + np.random.default_rng(1).integers(0, 2, 40) * 2.0**-54
    model = LinearRegression().fit(np.column_stack([X, noise]), y[:, 0])
    assert (model.rank_, model.coef_[2]) == (2, 0.0)


def test_nothing_but_constants_predicts_the_mean():
    model = LinearRegression().fit(np.ones((5, 2)), [1.0, 2.0, 3.0, 4.0, 5.0])
    assert model.rank_ == 0
    np.testing.assert_allclose(model.predict([[8.0, 9.0]]), 3.0)


@settings(max_examples=40, deadline=None)
@given(
    shift=st.floats(-1e6, 1e6),
    factor=st.floats(-1e3, 1e3).filter(lambda a: abs(a) > 1e-3),
    y_shift=st.floats(-1e6, 1e6),
    y_factor=st.floats(-1e3, 1e3).filter(lambda a: abs(a) > 1e-3),
    seed=st.integers(0, 1000),
)
def test_predictions_move_with_the_units(shift, factor, y_shift, y_factor, seed):
    X, y, _ = table(25, 3, seed=seed)
    assume(np.linalg.cond(X - X.mean(axis=0)) < 1e4)
    plain = LinearRegression().fit(X, y)
    moved = LinearRegression().fit(X * factor + shift, y * y_factor + y_shift)
    # rounding X and y to their new offsets loses this much already
    loss = 1e-14 * (abs(y_shift) + 1e3 * abs(y_factor) * (1 + abs(shift / factor)))
    got = moved.predict(X * factor + shift)
    np.testing.assert_allclose(got, plain.predict(X) * y_factor + y_shift, rtol=1e-9, atol=loss)


def test_dimensions_follow_y():
    X, y, _ = table(30, 4)
    flat, column = LinearRegression().fit(X, y[:, 0]), LinearRegression().fit(X, y)
    assert (flat.coef_.shape, np.shape(flat.intercept_)) == ((4,), ())
    assert (column.coef_.shape, column.intercept_.shape) == ((1, 4), (1,))
    assert (flat.predict(X).shape, column.predict(X).shape) == ((30,), (30, 1))
    assert LinearRegression(fit_intercept=False).fit(X, y).intercept_ == 0.0


def test_single_precision_is_solved_in_double():
    X, y, _ = table(40, 3)
    X = X.astype(np.float32)
    low, high = LinearRegression().fit(X, y), LinearRegression().fit(X.astype(float), y)
    for name in ("coef_", "intercept_", "singular_"):
        assert getattr(low, name).dtype == np.float32
        np.testing.assert_array_equal(getattr(low, name), getattr(high, name).astype(np.float32))


def test_no_digit_depends_on_the_number_of_threads():
    X, y, _ = table(20_000, 30)
    answers = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            model = LinearRegression().fit(X, y)
            answers.append((model.coef_, model.predict(X)))
    for one, two in zip(*answers, strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("n", [50, 5])
def test_independent_columns_agree_with_numpy(n):
    X, y, _ = table(n, 8)
    X[:, 5] = X[:, 1] + X[:, 2]
    system = RFactor.from_arrays(X, y).system(fit_intercept=True)
    assert independent_columns(system) == np.linalg.matrix_rank(X - X.mean(axis=0))


def test_what_cannot_be_said_in_the_precision_is_refused():
    X = np.array([[1.0], [2.0], [3.0]], dtype=np.float32)
    with pytest.raises(DataError, match="coefficient of 1e\\+300 is beyond the range of float32"):
        LinearRegression().fit(X, [1e300, 2e300, 3e300])
    with pytest.raises(DataError, match="coefficient of inf is beyond the range of float64"):
        LinearRegression().fit(X.astype(float) * 1e-310, [1.0, 2.0, 3.0])
    half = LinearRegression().fit(X.astype(np.float16), [1e5, 2e5, 3e5])
    with pytest.raises(DataError, match="prediction of 3e\\+05 is beyond the range of float16"):
        half.predict(X.astype(np.float16))


def test_fit_intercept_must_be_a_bool():
    with pytest.raises(ParameterError, match="fit_intercept is 'no': give True or False"):
        LinearRegression(fit_intercept="no").fit([[1.0], [2.0]], [1.0, 2.0])
