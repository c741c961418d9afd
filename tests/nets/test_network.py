"""The network for tables: what it predicts, how it holds rows out, and what comes out."""

import json

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import cross_val_score
from sklearn.neural_network import MLPRegressor

from abline.errors import ParameterError
from abline.nets import NetworkRegressor, ProgressBar
from abline.nets.ensemble import MLPEnsemble
from abline.nets.members import held_out
from abline.nets.standardise import Scaling, fold

QUICK = {"hidden": (16,), "members": 3, "max_epochs": 20, "random_state": 0}


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    X = rng.uniform(-2, 2, size=(400, 3))
    return X, np.sin(2 * X[:, 0]) + X[:, 1] + 0.1 * rng.normal(size=400)


def test_it_learns_a_curve_that_a_line_cannot(rows):
    X, y = rows
    network = cross_val_score(NetworkRegressor(random_state=0), X, y, cv=3).mean()
    perceptron = MLPRegressor(early_stopping=True, max_iter=1000, random_state=0)
    assert network > 0.95
    assert network > cross_val_score(perceptron, X, y, cv=3).mean()
    assert network > cross_val_score(RidgeCV(), X, y, cv=3).mean() + 0.1


def test_where_a_line_is_the_truth_it_stays_near_the_line():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 30))
    y = X[:, :3].sum(axis=1) + rng.normal(size=80)
    network = cross_val_score(NetworkRegressor(random_state=0), X, y, cv=5).mean()
    line = cross_val_score(RidgeCV(alphas=np.logspace(-3, 4, 15)), X, y, cv=5).mean()
    assert network > line - 0.03


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("targets", [None, 1, 2])
def test_shapes_and_precision(rows, dtype, targets):
    X, y = rows
    X = X.astype(dtype)
    y = y if targets is None else np.column_stack([y] * targets)
    model = NetworkRegressor(**QUICK).fit(X, y)
    assert model.predict(X).shape == y.shape
    assert model.predict(X).dtype == dtype
    assert model.predict(X[:1]).shape == y[:1].shape
    assert {len(column) for column in model.history_.values()} == {model.n_iter_}
    assert isinstance(model.module_, MLPEnsemble)
    assert model.score(X, y) > 0.5


def test_units_do_not_matter(rows):
    X, y = rows
    scale, shift = np.array([1e3, 1.0, 1e-3]), np.array([1e4, 0.0, 5.0])
    plain = NetworkRegressor(**QUICK).fit(X, y).predict(X)
    other = NetworkRegressor(**QUICK).fit(X * scale + shift, 1e6 * y + 1e8)
    np.testing.assert_allclose((other.predict(X * scale + shift) - 1e8) / 1e6, plain, atol=1e-3)


def test_seeds_repeat_and_generators_rest(rows):
    X, y = rows
    model = NetworkRegressor(**QUICK, dropout=0.1)
    before = torch.get_rng_state()
    first = model.fit(X, y).predict(X)
    assert np.array_equal(clone(model).fit(X, y).predict(X), first)
    assert not np.array_equal(model.set_params(random_state=1).fit(X, y).predict(X), first)
    assert torch.equal(torch.get_rng_state(), before)


def test_weights_choose_the_rows_that_count(rows):
    X, y = rows
    wrong = np.where(np.arange(400) < 200, y, -y)
    weights = (np.arange(400) < 200).astype(float)
    weighted = NetworkRegressor(**QUICK).fit(X, wrong, weights).predict(X)
    np.testing.assert_allclose(weighted, NetworkRegressor(**QUICK).fit(X[:200], y[:200]).predict(X))
    light = NetworkRegressor(**QUICK).fit(X, wrong, weights + 1e-6)
    assert light.score(X[200:], y[200:]) > 0.5


def test_validation_rows_replace_the_held_out_ones(rows, capsys):
    X, y = rows
    model = NetworkRegressor(**QUICK, verbose=10, callbacks=[ProgressBar()])
    model.fit(X[:300], y[:300], eval_set=(X[300:], y[300:]))
    assert "validation loss" in capsys.readouterr().out
    error = np.mean((model.predict(X[300:]) - y[300:]) ** 2) / y[:300].var()
    assert error <= min(model.history_["valid_loss"]) * 1.01  # an average beats its members


@pytest.mark.parametrize("n", [1, 2, 3, 6, 11])
def test_a_few_rows_are_enough(n):
    X = np.arange(n, dtype=float).reshape(-1, 1)
    assert np.isfinite(NetworkRegressor(max_epochs=2).fit(X, X[:, 0]).predict(X)).all()


def test_a_constant_target_and_constant_features_are_predicted():
    X = np.column_stack([np.ones(30), np.arange(30.0)])
    assert NetworkRegressor(**QUICK).fit(X, np.full(30, 7.0)).predict(X) == pytest.approx(7.0)


@pytest.mark.parametrize(("n", "members"), [(100, 3), (100, 8), (12, 8), (10, 1)])
def test_no_row_is_held_out_twice(n, members):
    held = held_out(n, members, 0.2, np.random.RandomState(0))
    assert held.shape == (n, members)
    assert held.sum(axis=1).max() == 1
    assert held.any(axis=0).all()
    assert held.mean(axis=0).max() <= 0.5


@pytest.mark.parametrize("hidden", [(), (5,), (5, 4)])
def test_folding_is_standardising_before_and_after(hidden):
    rng = np.random.default_rng(0)
    X, y = rng.normal(3, 5, size=(20, 4)), rng.normal(100, 9, size=(20, 2))
    features, target = Scaling.of(X, None), Scaling.of(y, None)
    coef, intercept = rng.normal(size=(2, 4)), rng.normal(size=2)
    ensemble = MLPEnsemble(4, 2, members=3, hidden=hidden).double()
    torch.nn.init.normal_(ensemble.last.weight)
    scaled = features.apply(X)
    residual = ensemble.by_member(torch.tensor(scaled)).mean(1).detach().numpy()
    expected = (scaled @ coef.T + intercept + residual) * target.scale + target.center
    fold(ensemble, coef, intercept, features, target)
    np.testing.assert_allclose(ensemble(torch.tensor(X)).detach().numpy(), expected, rtol=1e-12)


def test_columns_of_two_values_keep_their_height():
    rare = np.zeros((1000, 1))
    rare[0] = 4.0
    assert Scaling.of(rare, None).apply(rare).max() == pytest.approx(0.999)


def test_an_ensemble_is_made_again_from_its_arguments():
    ensemble = MLPEnsemble(3, 2, members=2, hidden=(4,), activation="tanh", dropout=0.1)
    again = MLPEnsemble(**json.loads(json.dumps(ensemble.constructor_args())))
    again.load_state_dict(ensemble.state_dict())
    rows = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    assert torch.equal(again.eval()(rows), ensemble.eval()(rows))
    assert str(again) == str(ensemble)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"members": 0}, "members is 0"),
        ({"max_epochs": -1}, "max_epochs is -1"),
        ({"validation_fraction": 0.9}, "validation_fraction is 0.9"),
        ({"hidden": (0,)}, "hidden is"),
        ({"activation": "rellu"}, "did you mean 'relu'"),
        ({"lr": -1.0}, "lr is -1.0"),
    ],
)
def test_wrong_parameters(rows, parameters, words):
    with pytest.raises(ParameterError, match=words):
        NetworkRegressor(**parameters).fit(*rows)


def test_unknown_parameters():
    with pytest.raises(ParameterError, match="did you mean 'hidden'"):
        NetworkRegressor().set_params(hiden=3)
    with pytest.raises(TypeError):
        NetworkRegressor(module=None)
