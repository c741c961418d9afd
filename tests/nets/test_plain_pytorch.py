"""A fit is the plain loop of PyTorch's tutorials, to the last bit."""

import copy
import math

import numpy as np
import pytest
import torch
from torch import nn

from abline.nets import MLP, TorchRegressor

SEED = 42


@pytest.fixture
def rows():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(103, 3)).astype(np.float32)
    return X, (X @ [1.0, -2.0, 0.5] + rng.normal(size=103)).astype(np.float32)


def network():
    return nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 1))


def plain(X, y, X_val, y_val, *, epochs, batch_size, optimizer=torch.optim.Adam, loss=nn.MSELoss):
    """The loop as anybody would write it."""
    torch.manual_seed(SEED)
    module = network()
    step, criterion = optimizer(module.parameters(), lr=0.01), loss()
    order = torch.Generator().manual_seed(SEED)
    X, y = torch.tensor(X), torch.tensor(y).reshape(-1, 1)
    X_val, y_val = torch.tensor(X_val), torch.tensor(y_val).reshape(-1, 1)
    train_losses, valid_losses = [], []
    for _ in range(epochs):
        module.train()
        seen = []
        index = (
            torch.arange(len(X)) if batch_size is None else torch.randperm(len(X), generator=order)
        )
        for batch in index.split(batch_size or len(X)):
            step.zero_grad()
            value = criterion(module(X[batch]), y[batch])
            value.backward()
            step.step()
            seen.append((value.item(), len(batch)))
        train_losses.append(sum(v * n for v, n in seen) / len(X) if len(seen) > 1 else seen[0][0])
        module.eval()
        with torch.no_grad():
            valid_losses.append(criterion(module(X_val), y_val).item())
    return module, train_losses, valid_losses


@pytest.mark.filterwarnings("ignore:batch_size is:abline.errors.DataWarning")
@pytest.mark.parametrize("batch_size", [None, 20, 103, 500])
@pytest.mark.parametrize("optimizer", [torch.optim.Adam, torch.optim.SGD])
def test_a_fit_equals_the_plain_loop_to_the_last_bit(rows, batch_size, optimizer):
    X, y = rows
    torch.set_num_threads(1)
    with torch.random.fork_rng():
        module, train, valid = plain(
            X[:80], y[:80], X[80:], y[80:], epochs=12, batch_size=batch_size, optimizer=optimizer
        )
    model = TorchRegressor(
        network,
        lr=0.01,
        max_epochs=12,
        batch_size=batch_size,
        optimizer=optimizer,
        random_state=SEED,
        engine="loop",
    ).fit(X[:80], y[:80], eval_set=(X[80:], y[80:]))
    assert model.history_["train_loss"] == train
    assert model.history_["valid_loss"] == valid
    for ours, theirs in zip(model.module_.parameters(), module.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    with torch.no_grad():
        assert np.array_equal(model.predict(X), module(torch.tensor(X)).numpy()[:, 0])


def test_a_seed_gives_the_weights_that_manual_seed_gives(rows):
    X, y = rows
    with torch.random.fork_rng():
        torch.manual_seed(SEED)
        expected = nn.Linear(1, 1)
    model = TorchRegressor(max_epochs=1, lr=1e-30, random_state=SEED).fit(X[:, :1], y)
    assert torch.equal(model.module_.weight, expected.weight)
    assert torch.equal(model.module_.bias, expected.bias)


def test_rows_in_order_without_shuffling(rows):
    X, y = rows
    seen = []

    class Watch(nn.Linear):
        def forward(self, values):
            if self.training:
                seen.append(values[:, 0].tolist())
            return super().forward(values)

    TorchRegressor(Watch, batch_size=40, shuffle=False, max_epochs=2, random_state=0).fit(X, y)
    assert [len(batch) for batch in seen] == [40, 40, 23] * 2
    assert np.array_equal(np.concatenate(seen[:3]), X[:, 0].astype(float))


@pytest.mark.parametrize("batch_size", [None, 25])
def test_weights_weigh_the_criterion(rows, batch_size):
    X, y = rows
    weights = np.random.default_rng(0).uniform(0.5, 2, len(X))
    model = TorchRegressor(
        nn.Linear(3, 1), max_epochs=1, lr=1e-30, batch_size=batch_size, random_state=0
    ).fit(X, y, weights)
    outputs = model.predict(X).astype(float)
    assert model.history_["train_loss"][0] == pytest.approx(
        np.average((outputs - y) ** 2, weights=weights), rel=1e-5
    )


@pytest.mark.parametrize(
    "criterion", [nn.L1Loss, nn.L1Loss(), nn.functional.l1_loss, nn.L1Loss(reduction="sum")]
)
def test_weights_count_as_repetition(rows, criterion):
    X, y = (part.astype(float) for part in rows)
    repeats = np.random.default_rng(0).integers(0, 4, len(X))
    settings = {"criterion": criterion, "max_epochs": 30, "lr": 0.02, "random_state": 0}
    weighted = TorchRegressor(**settings).fit(X, y, repeats)
    repeated = TorchRegressor(**settings).fit(np.repeat(X, repeats, axis=0), np.repeat(y, repeats))
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-9)


def test_equal_weights_change_nothing(rows):
    X, y = (part.astype(float) for part in rows)
    model = TorchRegressor(max_epochs=20, random_state=0)
    unweighted = copy.deepcopy(model).fit(X, y).predict(X)
    np.testing.assert_allclose(model.fit(X, y, np.full(len(X), 3.0)).predict(X), unweighted)


def test_lbfgs_takes_its_closure(rows):
    X, y = (part.astype(float) for part in rows)
    model = TorchRegressor(optimizer=torch.optim.LBFGS, lr=1.0, max_epochs=15).fit(X, y)
    exact, *_ = np.linalg.lstsq(np.column_stack([X, np.ones(len(X))]), y, rcond=None)
    np.testing.assert_allclose(model.module_.weight.detach().numpy()[0], exact[:3], rtol=1e-4)


def test_numbers_do_not_depend_on_the_number_of_threads(rows):
    X, y = np.tile(rows[0], (60, 20)), np.tile(rows[1], 60)
    before = torch.get_num_threads()
    predictions = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            model = TorchRegressor(MLP, max_epochs=5, random_state=0, module__hidden=(256,))
            predictions.append(model.fit(X, y).predict(X))
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert np.array_equal(*predictions)


def test_history_has_a_line_for_each_epoch(rows):
    X, y = rows
    model = TorchRegressor(max_epochs=7, random_state=0).fit(X, y)
    assert set(model.history_) == {"epoch", "train_loss", "valid_loss", "seconds", "lr"}
    assert {len(column) for column in model.history_.values()} == {7} == {model.n_iter_}
    assert model.history_["epoch"] == list(range(7))
    assert model.history_["lr"] == [1e-3] * 7
    assert all(map(math.isnan, model.history_["valid_loss"]))
    assert 0 < model.history_["seconds"][0] <= model.history_["seconds"][-1]
