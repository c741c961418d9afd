"""Offsets: known numbers that are added to a log mean."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import torch
from torch import nn

from abline.errors import AblineError, DataError, ParameterError
from abline.nets import MLP, Checkpoint, TorchRegressor

FAMILIES = {"poisson": sm.families.Poisson(), "gamma": sm.families.Gamma(sm.families.links.Log())}


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 2))
    exposure = rng.uniform(0.5, 3, 300)
    mean = exposure * np.exp(0.3 + X @ [0.5, -0.2])
    targets = {
        "poisson": rng.poisson(mean).astype(float),
        "gamma": mean * rng.gamma(4.0, 1 / 4, 300),
    }
    return X, targets, np.log(exposure)


def line(criterion, **parameters):
    own = {"optimizer": torch.optim.LBFGS, "lr": 1.0, "max_epochs": 40, "random_state": 0}
    return TorchRegressor(criterion=criterion, **(own | parameters))


@pytest.mark.parametrize("criterion", FAMILIES)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("exposed", [False, True])
def test_a_line_is_a_generalised_linear_model(table, criterion, weighted, exposed):
    X, targets, offset = table
    y = targets[criterion]
    offset = offset if exposed else None
    weights = np.random.default_rng(1).uniform(0.5, 2, 300) if weighted else None
    exact = {"optimizer__tolerance_grad": 1e-12, "optimizer__tolerance_change": 1e-14}
    model = line(criterion, **exact).fit(X, y, weights, offset=offset)
    peer = sm.GLM(
        y, sm.add_constant(X), family=FAMILIES[criterion], offset=offset, var_weights=weights
    ).fit(tol=1e-12)
    found = [model.module_.bias.item(), *model.module_.weight.detach().ravel()]
    np.testing.assert_allclose(found, peer.params, rtol=1e-6)
    predicted = model.predict(X, offset) if exposed else model.predict(X)
    np.testing.assert_allclose(predicted, peer.fittedvalues, rtol=1e-6)
    if exposed:
        np.testing.assert_allclose(model.predict(X), predicted / np.exp(offset), rtol=1e-12)


@pytest.mark.parametrize("criterion", FAMILIES)
@pytest.mark.parametrize("batch_size", [None, 50])
def test_kernels_add_offsets_as_the_loop_does(table, criterion, batch_size):
    X, targets, offset = table
    y = np.column_stack([targets[criterion], targets[criterion][::-1]])
    weights = np.random.default_rng(1).uniform(0.5, 2, 200)
    fits = []
    for engine in ("loop", "fused"):
        options = {"optimizer": torch.optim.Adam, "max_epochs": 100, "lr": 0.01}
        options |= {"module": MLP, "module__hidden": (5,), "module__activation": "tanh"}
        model = line(criterion, engine=engine, batch_size=batch_size, **options)
        valid = (X[200:], y[200:], offset[200:])
        model.fit(X[:200], y[:200], weights, offset=offset[:200], eval_set=valid)
        assert model.engine_ == engine
        fits.append(model)
    for name in ("train_loss", "valid_loss"):
        np.testing.assert_allclose(*(fit.history_[name] for fit in fits), rtol=1e-5)
    np.testing.assert_allclose(*(fit.predict(X, offset) for fit in fits), rtol=1e-4)


def test_rows_keep_their_offsets_wherever_they_go(table):
    """Weights of zero, minibatches, held-out rows: as if the module had added them itself."""
    X, targets, offset = table

    class Added(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.line = nn.Linear(2, 1).double()

        def forward(self, values):
            return self.line(values[:, :2]) + values[:, 2:]

    weights = np.random.default_rng(1).integers(0, 3, 300)
    options = {"optimizer": torch.optim.Adam, "max_epochs": 10, "lr": 0.1, "batch_size": 32,
               "early_stopping": True, "engine": "loop"}  # fmt: skip
    by_hand = line("poisson", module=Added(), **options)
    by_hand.fit(np.column_stack([X, offset]), targets["poisson"], weights)
    model = line("poisson", module=Added().line, **options)
    model.fit(X, targets["poisson"], weights, offset=offset)
    assert model.history_["train_loss"] == by_hand.history_["train_loss"]
    assert model.history_["valid_loss"] == by_hand.history_["valid_loss"]
    assert model.n_features_in_ == 2
    assert torch.equal(model.module_.weight, by_hand.module_.line.weight)


def test_validation_rows_have_offsets_too(table):
    X, targets, offset = table
    y = targets["gamma"]
    model = line("gamma").fit(X, y, offset=offset, eval_set=(X, y, offset))
    other = line("gamma").fit(X, y, offset=offset, eval_set=(X, y, 0 * offset))
    assert model.history_["valid_loss"][:-1] == pytest.approx(model.history_["train_loss"][1:])
    assert other.history_["valid_loss"][-1] > model.history_["valid_loss"][-1] + 0.01


def test_several_targets_share_an_offset(table):
    X, targets, offset = table
    y = np.column_stack([targets["poisson"], targets["poisson"][::-1]])
    both = line("poisson").fit(X, y, offset=offset)
    assert both.predict(X, offset).shape == (300, 2)
    first = line("poisson").fit(X, y[:, 0], offset=offset)
    np.testing.assert_allclose(both.predict(X, offset)[:, 0], first.predict(X, offset), rtol=1e-4)


def test_a_training_goes_on_with_offsets(table, tmp_path):
    X, targets, offset = table
    y = targets["poisson"]
    options = {"module": MLP, "optimizer": torch.optim.Adam, "lr": 0.01, "batch_size": 50}
    whole = line("poisson", max_epochs=6, **options).fit(X, y, offset=offset)
    path = tmp_path / "checkpoint"
    half = line("poisson", max_epochs=3, callbacks=[Checkpoint(path)], **options)
    half.fit(X, y, offset=offset, resume_from=path)
    half.set_params(max_epochs=6).fit(X, y, offset=offset, resume_from=path)
    assert np.array_equal(half.predict(X, offset), whole.predict(X, offset))
    with pytest.raises(ParameterError, match="another training"):
        half.set_params(max_epochs=7).fit(X, y, offset=2 * offset, resume_from=path)
    parts = line("poisson", **options)
    for _ in range(6):
        parts.partial_fit(X, y, offset=offset)
    assert np.array_equal(parts.predict(X, offset), whole.predict(X, offset))


@pytest.mark.parametrize("kind", [list, pd.Series, torch.tensor])
def test_any_kind_of_array_will_do(table, kind):
    X, targets, offset = table
    model = line("poisson", max_epochs=2).fit(X, targets["poisson"], offset=offset)
    again = line("poisson", max_epochs=2).fit(X, targets["poisson"], offset=kind(offset))
    assert np.array_equal(model.predict(X, offset), again.predict(X, kind(offset)))


@pytest.mark.parametrize(
    ("offset", "words"),
    [
        (lambda o: o[:-1], r"offset has shape \(299,\) for 300 rows"),
        (lambda o: o[:, None], r"offset has shape \(300, 1\)"),
        (lambda o: np.where(o == o[4], -np.inf, o), "offset is -inf in row 4"),
        (lambda o: ["a"] * 300, "offset"),
    ],
)
def test_wrong_offsets_are_named(table, offset, words):
    X, targets, known = table
    y = targets["poisson"]
    with pytest.raises(DataError, match=words):
        line("poisson").fit(X, y, offset=offset(known))
    model = line("poisson").fit(X, y, offset=known)
    with pytest.raises(DataError, match=words):
        model.predict(X, offset(known))
    with pytest.raises(DataError, match=f"eval_set cannot be used, since {words}"):
        model.fit(X, y, offset=known, eval_set=(X, y, offset(known)))


@pytest.mark.parametrize("criterion", [nn.MSELoss, nn.PoissonNLLLoss, "quantile", "gaussian_nll"])
def test_other_outputs_are_no_log_means(table, criterion):
    X, targets, offset = table
    with pytest.raises(ParameterError, match="offset is added to the log of a mean"):
        line(criterion).fit(X, targets["gamma"], offset=offset)
    model = line(criterion, max_epochs=1).fit(X, targets["gamma"])
    with pytest.raises(ParameterError, match="offset is added to the log of a mean"):
        model.predict(X, offset)


def test_training_and_validation_rows_have_one_both_or_neither(table):
    X, targets, offset = table
    y = targets["poisson"]
    with pytest.raises(AblineError, match="eval_set has no offset"):
        line("poisson").fit(X, y, offset=offset, eval_set=(X, y))
    with pytest.raises(AblineError, match="fit got no offset"):
        line("poisson").fit(X, y, eval_set=(X, y, offset))
