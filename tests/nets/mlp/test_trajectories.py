"""The same numbers as scikit-learn's perceptron, epoch by epoch."""

from functools import partial

import numpy as np
import pytest
import scipy.sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor as Theirs

from abline.nets.mlp import MLPRegressor

# both run to max_iter on purpose; scikit-learn's overflows where batches have tiny weights
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

ACTIVATIONS = ["identity", "logistic", "tanh", "relu"]

FITTED = ("loss_", "best_loss_", "n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_")

SETTINGS = {
    "defaults": {},
    "batches": {"batch_size": 32},
    "one row": {"batch_size": 1, "max_iter": 5},
    "unshuffled": {"batch_size": 50, "shuffle": False},
    "early stopping": {"early_stopping": True, "validation_fraction": 0.3},
    "patience": {"tol": 1e-2, "n_iter_no_change": 3},
    "never stops": {"tol": 1e9, "n_iter_no_change": np.inf},
    "penalty": {"alpha": 3.0, "batch_size": 50},
    "no hidden layer": {"hidden_layer_sizes": ()},
    "invscaling": {"learning_rate": "invscaling", "power_t": 0.3},
    "adaptive": {"learning_rate": "adaptive", "tol": 1e-2, "n_iter_no_change": 2},
    "plain momentum": {"nesterovs_momentum": False, "momentum": 0.5},
    "no momentum": {"momentum": 0.0},
    # at a rate of 0.01 rounding errors grow to 3e-9 with these
    "other betas": {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-4, "learning_rate_init": 1e-3},
}


def relative(ours, theirs):
    """The largest difference over the largest number."""
    theirs = np.asarray(theirs, dtype=np.float64)
    return np.abs(np.asarray(ours, dtype=np.float64) - theirs).max() / np.abs(theirs).max()


def fit_both(X, y, w=None, *, engine="loop", **parameters):
    options = {"hidden_layer_sizes": (12, 6), "random_state": 3, "learning_rate_init": 0.01}
    options |= parameters
    ours = MLPRegressor(**options, engine=engine).fit(X, y, sample_weight=w)
    assert ours.engine_ == engine
    return ours, Theirs(**options).fit(X, y, sample_weight=w)


@pytest.fixture(params=["loop", "fused"])
def both(request):
    return partial(fit_both, engine=request.param)


def assert_same(ours, theirs, X, within):
    assert ours.n_iter_ == theirs.n_iter_
    for name in ("coefs_", "intercepts_"):
        pairs = zip(getattr(ours, name), getattr(theirs, name), strict=True)
        assert max(relative(*pair) for pair in pairs) < within
    assert relative(ours.predict(X), theirs.predict(X)) < within
    for name in ("loss_curve_", "validation_scores_"):
        expected = getattr(theirs, name, None)
        if expected is None:
            assert getattr(ours, name, None) is None
        else:
            np.testing.assert_allclose(getattr(ours, name), expected, rtol=within)
    for name in FITTED:
        expected = getattr(theirs, name, None)
        assert getattr(ours, name, None) == (
            pytest.approx(expected, rel=within) if isinstance(expected, float) else expected
        )


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("setting", SETTINGS)
def test_200_epochs(both, table, setting, solver, activation, weighted):
    X, y, w = table
    options = {"solver": solver, "activation": activation} | SETTINGS[setting]
    assert_same(*both(X, y, w if weighted else None, **options), X, 1e-9)


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_20_iterations_of_lbfgs(both, table, loss, activation, weighted):
    X, y, w = table
    target = np.round(np.abs(3 * y)) if loss == "poisson" else y
    options = {"solver": "lbfgs", "activation": activation, "max_iter": 20, "loss": loss}
    assert_same(*both(X, target, w if weighted else None, **options), X, 1e-9)


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_several_targets(both, table, loss, solver):
    X, y, w = table
    targets = np.abs(np.column_stack([y, 2 - y, y**2])).round()
    options = {"solver": solver, "loss": loss, "max_iter": 20, "learning_rate_init": 1e-3}
    assert_same(*both(X, targets, w, **options), X, 1e-9)


@pytest.mark.parametrize("make", [scipy.sparse.csr_matrix, scipy.sparse.csc_array])
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_sparse_features(table, solver, make):
    X, y, w = table
    sparse = make(np.where(np.abs(X) > 0.8, X, 0.0))
    options = {"solver": solver, "max_iter": 20, "batch_size": 32}
    assert_same(*fit_both(sparse, y, w, **options), sparse, 1e-9)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_10_epochs_in_single_precision(both, table, solver, activation):
    X, y, _ = (np.asarray(part, dtype=np.float32) for part in table)
    options = {"solver": solver, "activation": activation, "max_iter": 10, "batch_size": 32}
    ours, theirs = both(X, y, **options)
    assert_same(ours, theirs, X, 1e-4)
    assert {ours.predict(X).dtype, *(c.dtype for c in ours.coefs_)} == {np.dtype(np.float32)}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("solver", "within"), [("adam", 0.01), ("sgd", 0.01), ("lbfgs", 0.05)])
def test_the_final_loss(both, table, solver, within, dtype):
    X, y, _ = (np.asarray(part, dtype=dtype) for part in table)
    # without a penalty L-BFGS meets 120 rows exactly, in one of many ways that rounding chooses
    tol = 1e-5 if solver == "lbfgs" else 1e-3
    ours, theirs = both(X, y, solver=solver, max_iter=1000, tol=tol, alpha=1.0)
    assert ours.loss_ == pytest.approx(theirs.loss_, rel=within)


def test_a_random_state_is_moved_on_as_theirs(table):
    X, y, _ = table
    states = [np.random.RandomState(7), np.random.RandomState(7)]
    for make, state in zip((MLPRegressor, Theirs), states, strict=True):
        make(hidden_layer_sizes=3, max_iter=5, random_state=state, early_stopping=True).fit(X, y)
    assert states[0].randint(2**31) == states[1].randint(2**31)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("learning_rate", ["constant", "adaptive"])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_the_log_is_theirs(table, capsys, solver, learning_rate, early_stopping):
    X, y, _ = table
    options = {"solver": solver, "learning_rate": learning_rate, "verbose": True}
    options |= {"early_stopping": early_stopping, "tol": 0.05, "n_iter_no_change": 2}
    options |= {"hidden_layer_sizes": 3, "random_state": 0}
    MLPRegressor(**options).fit(X, y)
    ours = capsys.readouterr().out
    Theirs(**options).fit(X, y)
    assert ours == capsys.readouterr().out
    assert "Iteration 1, loss = " in ours


@pytest.mark.filterwarnings("default::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs", "lm"])
def test_reaching_max_iter_is_warned_of(table, solver):
    X, y, _ = table
    model = MLPRegressor(hidden_layer_sizes=3, solver=solver, max_iter=2, random_state=0)
    with pytest.warns(ConvergenceWarning, match="max_iter"):
        model.fit(X, y)


def test_a_batch_of_zero_weights_changes_nothing(table):
    X, y, _ = table
    weights = np.where(np.arange(120) < 60, 1.0, 0.0)
    options = {"hidden_layer_sizes": 3, "batch_size": 60, "shuffle": False, "max_iter": 4}
    model = MLPRegressor(random_state=0, **options).fit(X, y, sample_weight=weights)
    expected = Theirs(random_state=0, **options).fit(X[:60], y[:60])
    assert relative(model.predict(X), expected.predict(X)) < 1e-12
    assert relative(model.loss_curve_, np.asarray(expected.loss_curve_) / 2) < 1e-12
