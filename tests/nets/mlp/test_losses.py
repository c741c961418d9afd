"""What each loss makes a network learn, and in which units."""

import numpy as np
import pytest
from sklearn.metrics import mean_gamma_deviance, mean_pinball_loss

import abline as ab
from abline.nets.mlp import MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

LINE = {"hidden_layer_sizes": (), "alpha": 0.0, "solver": "lbfgs", "max_iter": 3000, "tol": 1e-9}


@pytest.fixture(scope="module")
def noisy():
    """2,000 rows of one feature, the noise of y growing with it."""
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 1, 2000)
    return x[:, None], 5 + 2 * x + (0.2 + x) * rng.normal(size=2000), 0.2 + x


def test_the_median_of_absolute_errors(noisy):
    X, y, _ = noisy
    constant = np.zeros_like(X)
    model = MLPRegressor("absolute_error", random_state=0, **LINE).fit(constant, y)
    assert model.predict(constant)[0] == pytest.approx(np.median(y), abs=0.01)


@pytest.mark.parametrize("level", [0.1, 0.5, 0.9])
def test_one_quantile(noisy, level):
    X, y, _ = noisy
    model = MLPRegressor("quantile", random_state=0, quantile=level, **LINE).fit(X, y)
    assert np.mean(y <= model.predict(X)) == pytest.approx(level, abs=0.01)
    others = [model.predict(X) + shift for shift in (-0.05, 0.05)]
    best = mean_pinball_loss(y, model.predict(X), alpha=level)
    assert all(best < mean_pinball_loss(y, other, alpha=level) for other in others)
    assert model.loss_ == pytest.approx(best, rel=1e-6)


@pytest.mark.parametrize("scaled", [False, True], ids=["plain", "scaled"])
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_several_quantiles_never_cross(noisy, solver, scaled):
    X, y, _ = noisy
    levels = [0.05, 0.25, 0.5, 0.75, 0.95]
    model = MLPRegressor(
        "quantile",
        (8,),
        solver=solver,
        quantile=levels,
        random_state=0,
        learning_rate_init=0.01,
        target_scaling=scaled,
    ).fit(X, y)
    far = np.linspace(-10, 10, 500)[:, None]
    assert model.predict(far).shape == (500, 5)
    assert (np.diff(model.predict(far), axis=1) >= 0).all()
    shares = (y[:, None] <= model.predict(X)).mean(axis=0)
    np.testing.assert_allclose(shares, levels, atol=0.04)


@pytest.mark.parametrize("columns", [1, 2])
def test_several_quantiles_are_scored_by_the_pinball_loss_they_save(noisy, columns):
    X, y, _ = noisy
    targets = np.column_stack([y, 3 * y**2])[:, :columns]
    model = MLPRegressor("quantile", (5,), quantile=[0.1, 0.5, 0.9], random_state=0, max_iter=5)
    model.fit(X, targets)
    saved = []
    for column, quantiles in zip(targets.T, model.predict(X).swapaxes(0, 1), strict=True):
        for level, predicted in zip([0.1, 0.5, 0.9], quantiles.T, strict=True):
            flat = np.full(len(y), np.quantile(column, level))
            loss, most = (mean_pinball_loss(column, p, alpha=level) for p in (predicted, flat))
            saved.append(1 - loss / most)
    assert model.score(X, targets) == pytest.approx(np.mean(saved), rel=1e-9)


def test_several_quantiles_of_several_targets(noisy):
    X, y, _ = noisy
    targets = np.column_stack([y, 10 - 3 * y])
    model = MLPRegressor(
        "quantile", (4,), solver="lbfgs", quantile=(0.2, 0.8), random_state=0, target_scaling=True
    ).fit(X, targets)
    answer = model.predict(X)
    assert answer.shape == (2000, 2, 2)
    shares = (targets[:, :, None] <= answer).mean(axis=0)
    np.testing.assert_allclose(shares, [[0.2, 0.8]] * 2, atol=0.04)


@pytest.mark.parametrize(
    ("unit", "scaled"),
    [(1.0, False), (1.0, True), (250.0, True)],
    ids=["plain", "scaled", "scaled from far"],
)
def test_a_known_standard_deviation_is_found(noisy, unit, scaled):
    X, y, spread = noisy
    model = MLPRegressor(
        "gaussian_nll",
        (10,),
        "tanh",
        solver="lbfgs",
        alpha=1e-2,
        max_iter=1000,
        random_state=0,
        target_scaling=scaled,
    ).fit(X, unit * y)
    assert np.abs(model.predict_std(X) / (unit * spread) - 1).mean() < 0.08
    assert np.abs(model.predict(X) / unit - (5 + 2 * X[:, 0])).mean() < 0.06


def test_amounts_by_gamma(noisy):
    X, *_ = noisy
    amounts = np.random.default_rng(1).gamma(3.0, np.exp(1 + X[:, 0]) / 3)
    model = MLPRegressor("gamma", random_state=0, **LINE).fit(X, amounts)
    np.testing.assert_allclose(model.predict([[0.0], [1.0]]), np.exp([1.0, 2.0]), rtol=0.1)
    best = mean_gamma_deviance(amounts, model.predict(X))
    assert best < mean_gamma_deviance(amounts, 1.02 * model.predict(X))
    assert best < mean_gamma_deviance(amounts, 0.98 * model.predict(X))
    assert model.out_activation_ == "exp"


def test_huber_is_squared_near_and_absolute_far(noisy):
    X, y, _ = noisy
    constant = np.zeros_like(X)
    wide = MLPRegressor("huber", random_state=0, huber_delta=1e3, **LINE).fit(constant, y)
    assert wide.predict(constant)[0] == pytest.approx(y.mean(), abs=1e-6)
    narrow = MLPRegressor("huber", random_state=0, huber_delta=1e-2, **LINE).fit(constant, y)
    assert narrow.predict(constant)[0] == pytest.approx(np.median(y), abs=0.01)


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs", "lm"])
def test_targets_in_their_own_spread(noisy, solver):
    X, y, _ = noisy
    options = {"hidden_layer_sizes": (4,), "solver": solver, "random_state": 0, "max_iter": 5}
    standardised = (y - y.mean()) / y.std()
    plain = MLPRegressor(**options).fit(X, standardised)
    scaled = MLPRegressor(**options, target_scaling=True).fit(X, 1e6 * y)
    expected = 1e6 * (plain.predict(X) * y.std() + y.mean())
    np.testing.assert_allclose(scaled.predict(X), expected, rtol=1e-8)
    assert scaled.loss_ == pytest.approx(plain.loss_, rel=1e-6)
    assert scaled.score(X, 1e6 * y) == pytest.approx(plain.score(X, standardised), abs=1e-6)


def test_another_loss_stops_early_by_itself(noisy):
    X, y, _ = noisy
    model = MLPRegressor(
        "absolute_error", (4,), early_stopping=True, random_state=0, learning_rate_init=0.01
    ).fit(X[:1500], y[:1500], eval_set=(X[1500:], y[1500:]))
    assert model.validation_scores_ == [-loss for loss in model.validation_loss_curve_]
    errors = np.abs(model.predict(X[1500:]) - y[1500:])
    assert errors.mean() == pytest.approx(-model.best_validation_score_, rel=1e-9)


@pytest.mark.parametrize(
    ("loss", "bad", "message"),
    [("poisson", -1.0, "0 or more"), ("gamma", 0.0, "above 0")],
)
def test_targets_that_a_loss_is_not_for(loss, bad, message):
    with pytest.raises(ab.DataError, match=message):
        MLPRegressor(loss, random_state=0).fit([[0.0], [1.0]], [1.0, bad])


def test_only_a_normal_distribution_has_a_standard_deviation():
    assert not hasattr(MLPRegressor(), "predict_std")
    model = MLPRegressor(max_iter=1, random_state=0).fit([[0.0], [1.0]], [1.0, 2.0])
    model.set_params(loss="gaussian_nll")
    with pytest.raises(ab.ParameterError, match="call fit again"):
        model.predict_std([[0.0]])
