"""What comes in: every kind of table and parameter, good and bad."""

import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor as Theirs
from sklearn.utils.estimator_checks import parametrize_with_checks

import abline as ab
from abline.errors import DataWarning, DivergedError
from abline.nets.mlp import MLPRegressor

SMALL = {"hidden_layer_sizes": (4,), "random_state": 0, "max_iter": 3}

#: the rows that train are drawn, so weights of two are not two rows
WEIGHTS_DRAWN = {
    f"check_sample_weight_equivalence_on_{kind}_data": "first weights are placed on rows"
    for kind in ("dense", "sparse")
}


@parametrize_with_checks(
    [
        MLPRegressor(random_state=0, max_iter=100),
        MLPRegressor(solver="sgd", random_state=0, max_iter=100),
        MLPRegressor(solver="lbfgs", random_state=0),
        MLPRegressor("huber", solver="lbfgs", random_state=0, target_scaling=True),
        MLPRegressor(hidden_layer_sizes=(5,), solver="lm", n_restarts=1, random_state=0),
    ],
    expected_failed_checks=lambda model: WEIGHTS_DRAWN if model.solver == "lm" else {},
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def test_the_parameters_are_theirs_first():
    ours, theirs = MLPRegressor().get_params(), Theirs().get_params()
    assert {name: ours[name] for name in theirs} == theirs
    assert MLPRegressor("poisson", (3,), "tanh").hidden_layer_sizes == (3,)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
class TestTables:
    def test_shapes_of_targets(self, table):
        X, y, _ = table
        for target in (y, y[:, None], np.column_stack([y, -y])):
            assert MLPRegressor(**SMALL).fit(X, target).predict(X).shape == target.shape

    def test_read_only_and_column_wise_tables(self, table):
        X, y, w = (part.copy() for part in table)
        expected = MLPRegressor(**SMALL).fit(X, y, w).predict(X)
        for part in (X, y, w):
            part.flags.writeable = False
        model = MLPRegressor(**SMALL).fit(np.asfortranarray(X), y, w)
        np.testing.assert_array_equal(model.predict(X), expected)
        model = MLPRegressor(**SMALL).fit(X, y, w)
        np.testing.assert_array_equal(model.predict(X), expected)

    def test_precisions(self, table):
        X, y, _ = table
        single = MLPRegressor(**SMALL).fit(X.astype(np.float32), y)
        assert single.predict(X.astype(np.float32)).dtype == np.float32
        assert single.predict(X).dtype == np.float64
        assert single.predict(X.astype(np.float16)).dtype == np.float32
        assert MLPRegressor(**SMALL).fit(X.astype(int), y).predict(X).dtype == np.float64

    def test_many_rows_are_predicted_in_parts(self, table):
        X, y, _ = table
        model = MLPRegressor(**SMALL).fit(X, y)
        np.testing.assert_allclose(model.predict(np.tile(X, (300, 1)))[-120:], model.predict(X))

    def test_the_default_random_state_moves_no_global_generator(self, table):
        X, y, _ = table
        state, torch_state = np.random.get_state()[1].copy(), torch.get_rng_state()
        for solver in ("adam", "lbfgs", "lm"):
            model = MLPRegressor(hidden_layer_sizes=3, solver=solver, max_iter=2, n_restarts=1)
            model.fit(X, y)
        np.testing.assert_array_equal(np.random.get_state()[1], state)
        assert torch.equal(torch.get_rng_state(), torch_state)

    def test_names_of_columns(self, table):
        X, y, _ = table
        frame = pd.DataFrame(X, columns=list("abcd"))
        model = MLPRegressor(**SMALL, early_stopping=True).fit(frame, y, eval_set=(frame, y))
        assert list(model.feature_names_in_) == list("abcd")
        with pytest.raises(ab.DataError, match="eval_set cannot be used"):
            model.fit(frame, y, eval_set=(frame[list("abc")], y))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"loss": "squared"}, "did you mean 'squared_error'"),
        ({"activation": "rely"}, "did you mean 'relu'"),
        ({"solver": "adm"}, "did you mean 'adam'"),
        ({"learning_rate": "fast"}, "learning_rate cannot be 'fast'"),
        ({"hidden_layer_sizes": (5, 0)}, r"must be > 0, got \[5, 0\]"),
        ({"hidden_layer_sizes": 2.5}, "whole numbers"),
        ({"hidden_layer_sizes": "5"}, "whole numbers"),
        ({"alpha": -1}, "alpha is -1"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"batch_size": "all"}, "batch_size is 'all'"),
        ({"learning_rate_init": 0.0}, "learning_rate_init is 0.0"),
        ({"power_t": "x"}, "power_t is 'x'"),
        ({"max_iter": 0}, "max_iter is 0"),
        ({"max_fun": 0}, "max_fun is 0"),
        ({"shuffle": 1}, "shuffle is 1"),
        ({"tol": -1e-3}, "tol is -0.001"),
        ({"verbose": -1}, "verbose is -1"),
        ({"momentum": 1.1}, "momentum is 1.1: give a number from 0 to 1"),
        ({"validation_fraction": 1.0}, "validation_fraction is 1.0"),
        ({"beta_1": 1.0}, "beta_1 is 1.0"),
        ({"epsilon": 0.0}, "epsilon is 0.0"),
        ({"n_iter_no_change": 0}, "n_iter_no_change is 0"),
        ({"huber_delta": 0.0}, "huber_delta is 0.0"),
        ({"loss": "quantile", "quantile": [0.9, 0.1]}, "quantile is"),
        ({"n_restarts": -1}, "n_restarts is -1"),
        ({"loss": "poisson", "target_scaling": True}, "target_scaling standardises y"),
        ({"loss": "huber", "solver": "lm"}, "solver='lm' is for squared error"),
        ({"device": "tpu"}, "device is 'tpu'"),
        ({"callbacks": [object()]}, "none of on_train_begin"),
        ({"early_stopping": True, "validation_fraction": 0.0}, "validation_fraction"),
    ],
    ids=lambda value: None if isinstance(value, str) else "-".join(value),
)
def test_parameters_that_cannot_be(table, parameters, message):
    X, y, _ = table
    with pytest.raises(ab.ParameterError, match=message) as caught:
        MLPRegressor(**SMALL | parameters).fit(X, np.abs(y))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("solver", ["lbfgs", "lm"])
def test_only_epochs_can_be_run_one_by_one(solver):
    model = MLPRegressor(solver=solver)
    assert not hasattr(model, "partial_fit")
    with pytest.raises(AttributeError, match="partial_fit"):
        model.partial_fit([[1.0]], [1.0])


def test_single_epochs_cannot_stop_early(table):
    X, y, _ = table
    with pytest.raises(ab.ParameterError, match="does not support early_stopping=True"):
        MLPRegressor(early_stopping=True).partial_fit(X, y)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_large_batch_is_clipped(table):
    X, y, _ = table
    with pytest.warns(DataWarning, match="batch_size is 500 and only 120 rows"):
        model = MLPRegressor(**SMALL, batch_size=500).fit(X, y)
    expected = MLPRegressor(**SMALL, batch_size=120).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), expected.predict(X))


@pytest.mark.parametrize(
    ("eval_set", "kind", "message"),
    [
        (np.ones((3, 4)), ab.ParameterError, "pair"),
        ((np.ones((3, 2)), np.ones(3)), ab.DataError, "eval_set cannot be used"),
        ((np.ones((3, 4)), np.ones((3, 2))), ab.ParameterError, "2 targets"),
        ((np.ones((3, 4)), [1.0, np.nan, 2.0]), ab.DataError, "eval_set cannot be used"),
    ],
    ids=["no pair", "columns", "targets", "nan"],
)
def test_validation_rows_that_cannot_be(table, eval_set, kind, message):
    X, y, _ = table
    with pytest.raises(kind, match=message):
        MLPRegressor(**SMALL).fit(X, y, eval_set=eval_set)


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_too_few_rows_to_set_some_apart(rows):
    X, y = np.eye(3)[:rows], np.arange(rows, dtype=float)
    with pytest.raises(ab.DataError, match=r"early_stopping|validation set is too small"):
        MLPRegressor(early_stopping=True, random_state=0).fit(X, y)


def test_a_diverging_training_says_so(table):
    X, y, _ = table
    model = MLPRegressor(**SMALL).set_params(solver="sgd", max_iter=100)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, y)
    expected = model.predict(X)
    model.set_params(activation="identity", learning_rate_init=1e6)
    with pytest.raises(DivergedError, match="non-finite parameter weights") as caught:
        model.fit(X, y)
    assert "learning_rate_init (now 1e+06)" in str(caught.value)
    assert all(torch.isfinite(p).all() for p in caught.value.module.parameters())
    assert len(caught.value.history["train_loss"]) == caught.value.epoch
    np.testing.assert_array_equal(model.predict(X), expected)
    with pytest.warns(ConvergenceWarning, match="infinite or NaN"):
        model.set_params(early_stopping=True).fit(X, y)
    assert np.isfinite(model.predict(X)).all()


def test_an_interrupted_training_is_kept(table):
    X, y, _ = table

    class Interrupt(ab.Callback):
        def on_epoch_end(self, state):
            if state.epoch == 1:
                raise KeyboardInterrupt

    model = MLPRegressor(**SMALL | {"max_iter": 50}, callbacks=[Interrupt()])
    with pytest.warns(UserWarning, match="interrupted by user"):
        model.fit(X, y)
    assert model.n_iter_ == 2
