"""The two first jobs reproduce the published figures."""

import json
from importlib.resources import files

import numpy as np
import pytest
from sklearn.datasets import make_regression
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import train_test_split
from torch import nn

from abline.nets import TorchRegressor

FIGURES = json.loads((files("abline.demo") / "figures.json").read_text())
EPOCHS = 10_000


@pytest.fixture(scope="module")
def line_rows():
    X, y = make_regression(
        n_samples=1200, n_features=1, bias=3.0, noise=2, random_state=42, shuffle=True
    )
    return X.astype(np.float32), y.astype(np.float32)


def curve():
    layers = []
    for width in (1, 8, 8):
        layers += [nn.Linear(width, 8), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(8, 1))


def trained(module, X, y, epochs=EPOCHS, device="cpu"):
    parts = train_test_split(X[:1000], y[:1000], test_size=0.2, random_state=42)
    X_train, X_valid, y_train, y_valid = parts
    model = TorchRegressor(module, max_epochs=epochs, device=device, random_state=42)
    return model.fit(X_train, y_train, eval_set=(X_valid, y_valid))


@pytest.mark.slow
def test_the_line_has_the_published_figures(line_rows):
    X, y = line_rows
    published = FIGURES["linear"]["published"]
    model = trained(nn.Linear, X, y)
    for epoch, train_loss, valid_loss in published["epochs"]:
        assert model.history_["train_loss"][epoch] == pytest.approx(train_loss, rel=5e-6)
        assert model.history_["valid_loss"][epoch] == pytest.approx(valid_loss, rel=5e-6)
    assert model.module_.weight.item() == pytest.approx(published["weight"], rel=5e-4)
    assert model.module_.bias.item() == pytest.approx(published["bias"], rel=5e-4)
    assert model.score(X[1000:], y[1000:]) == pytest.approx(published["test_r2"], rel=5e-6)
    assert mean_squared_error(y[1000:], model.predict(X[1000:])) == pytest.approx(
        published["test_mse"], rel=5e-6
    )


@pytest.mark.slow
def test_the_curve_has_plain_pytorchs_figures(line_rows):
    X, _ = line_rows
    noise = np.random.RandomState(42).normal(scale=0.1, size=1200)
    y = (np.sin(2 * X[:, 0]) + noise).astype(np.float32)
    model = trained(curve, X, y)
    figures = {epoch: losses for epoch, *losses in FIGURES["curve"]["plain_pytorch"]["epochs"]}
    for epoch in (0, 1000):
        train_loss, valid_loss = figures[epoch]
        assert model.history_["train_loss"][epoch] == pytest.approx(train_loss, rel=5e-4)
        assert model.history_["valid_loss"][epoch] == pytest.approx(valid_loss, rel=5e-2)
    assert model.score(X[1000:], y[1000:]) >= 0.975


@pytest.mark.gpu
def test_the_line_on_a_gpu(line_rows):
    X, y = line_rows
    model = trained(nn.Linear, X, y, epochs=1001, device="cuda")
    published = FIGURES["linear"]["published"]["epochs"]
    assert model.device_.startswith("cuda")
    for epoch, train_loss, _ in published[:2]:
        assert model.history_["train_loss"][epoch] == pytest.approx(train_loss, rel=5e-6)
