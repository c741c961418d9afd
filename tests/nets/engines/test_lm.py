"""Levenberg–Marquardt: what it reaches, what it respects and what it refuses."""

import copy
import itertools
import math

import numpy as np
import pytest
import torch
from torch import nn

from abline.demo.jobs import curve_job
from abline.errors import ParameterError
from abline.nets.engines.lm import run_lm
from abline.nets.training import Rows


def network(seed=0, sizes=(1, 8, 8, 8, 1), activation=nn.ReLU, dtype=torch.float32):
    torch.manual_seed(seed)
    layers = []
    for n_in, n_out in itertools.pairwise(sizes):
        layers += [nn.Linear(n_in, n_out), activation()]
    return nn.Sequential(*layers[:-1]).to(dtype)


@pytest.fixture(scope="module")
def sine():
    job = curve_job()
    parts = [(job.X_train, job.y_train), (job.X_valid, job.y_valid), (job.X_test, job.y_test)]
    return [Rows(torch.as_tensor(X), torch.as_tensor(y)[:, None]) for X, y in parts]


def random_rows(n=40, n_features=3, n_targets=1, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, n_features))
    truth = np.tanh(X @ rng.normal(size=(n_features, 2))) @ rng.uniform(1, 2, (2, n_targets))
    y = truth + 0.1 * rng.normal(size=(n, n_targets))
    return Rows(torch.tensor(X), torch.tensor(y))


def loss_of(module, rows):
    with torch.no_grad():
        squares = (module(rows.X) - rows.y).square().mean(dim=1)
    weights = torch.ones(len(rows)) if rows.weights is None else rows.weights
    return float((squares * weights).sum() / weights.sum())


def gradient_of(module, rows):
    weights = torch.ones(len(rows), dtype=torch.float64) if rows.weights is None else rows.weights
    outputs = module(rows.X).reshape(rows.y.shape)
    loss = ((outputs - rows.y).square().reshape(len(rows), -1).mean(dim=1) * weights).sum()
    free = [p for p in module.parameters() if p.requires_grad]
    gradients = torch.autograd.grad(loss / weights.sum(), free)
    return max(float(gradient.abs().max()) for gradient in gradients)


@pytest.mark.slow
def test_the_sine_job_is_learnt_from_nearly_all_first_weights(sine):
    train, valid, test = sine
    losses = []
    for seed in range(20):
        module = network(seed)
        run_lm(module, train, valid, seed=seed)
        losses.append(loss_of(module, test))
    assert sum(loss <= 0.0118 for loss in losses[:10]) >= 9
    assert sum(loss <= 0.0118 for loss in losses) >= 19
    assert max(losses) < 0.0125


def test_restarts_free_a_network_that_is_stuck(sine):
    train, valid, test = sine
    stuck = network(8)
    assert run_lm(stuck, train, valid, n_restarts=0).n_starts == 1
    assert loss_of(stuck, test) > 0.014
    module = network(8)
    result = run_lm(module, train, valid, seed=8)
    assert result.start > 0
    assert loss_of(module, test) <= 0.0118


def test_the_history_tells_the_chosen_way(sine):
    train, valid, _ = sine
    module = network(4)
    first = loss_of(module, train), loss_of(module, valid)
    result = run_lm(module, train, valid, n_restarts=0)
    history = result.history
    assert history["epoch"] == list(range(result.n_iter + 1))
    assert {len(column) for column in history.values()} == {result.n_iter + 1}
    assert (history["train_loss"][0], history["valid_loss"][0]) == pytest.approx(first, rel=1e-5)
    assert history["train_loss"] == sorted(history["train_loss"], reverse=True)
    assert history["seconds"] == sorted(history["seconds"])
    assert all(math.isnan(lr) for lr in history["lr"])
    assert loss_of(module, valid) == pytest.approx(min(history["valid_loss"]), rel=1e-4)
    assert not module.training


def test_numbers_do_not_depend_on_threads_or_the_global_generator(sine):
    train, valid, _ = sine
    found = []
    for n_jobs in (1, 2, 3, None):
        module = network(1)
        torch.manual_seed(n_jobs or 9)
        state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()
        before = torch.get_num_threads()
        result = run_lm(module, train, valid, n_restarts=5, seed=3, n_jobs=n_jobs)
        assert torch.equal(torch.get_rng_state(), state)
        assert (np.random.get_state()[1] == numpy_state).all()
        assert torch.get_num_threads() == before
        found.append((result.history["train_loss"], result.start, module.state_dict()))
    for losses, start, weights in found[1:]:
        assert losses == found[0][0]
        assert start == found[0][1]
        assert all(torch.equal(weights[name], found[0][2][name]) for name in weights)


def test_another_seed_starts_elsewhere(sine):
    train, valid, _ = sine
    ways = [run_lm(network(2), train, valid, n_restarts=3, seed=seed) for seed in (0, 1)]
    assert ways[0].history["train_loss"][0] != ways[1].history["train_loss"][0]


def test_a_line_is_least_squares_exactly():
    rows = random_rows(n_targets=2)
    module = nn.Linear(3, 2).double()
    result = run_lm(module, rows, n_restarts=2)
    design = np.column_stack([rows.X, np.ones(len(rows))])
    expected = np.linalg.lstsq(design, rows.y.numpy(), rcond=None)[0]
    np.testing.assert_allclose(module.weight.detach().T, expected[:3], rtol=1e-9)
    np.testing.assert_allclose(module.bias.detach(), expected[3], rtol=1e-9)
    assert result.converged
    assert result.history["train_loss"][-1] == pytest.approx(loss_of(module, rows), rel=1e-12)
    assert all(math.isnan(loss) for loss in result.history["valid_loss"])


def test_weights_count_rows():
    rows = random_rows()
    weights = torch.arange(40) % 4
    repeated = Rows(rows.X.repeat_interleave(weights, 0), rows.y.repeat_interleave(weights, 0))
    modules = [network(0, (3, 2, 1), nn.Tanh, torch.float64) for _ in range(2)]
    by_weight = Rows(rows.X, rows.y, weights.double())
    weighted = run_lm(modules[0], by_weight, n_restarts=0)
    plain = run_lm(modules[1], repeated, n_restarts=0)
    losses = [result.history["train_loss"][:20] for result in (weighted, plain)]
    np.testing.assert_allclose(*losses, rtol=1e-8)
    assert loss_of(modules[0], by_weight) == pytest.approx(weighted.history["train_loss"][-1])


@pytest.mark.parametrize("n_targets", [1, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_it_ends_where_the_gradient_vanishes(n_targets, weighted):
    rows = random_rows(n=300, n_targets=n_targets)
    if weighted:
        rows = Rows(rows.X, rows.y, torch.linspace(0.5, 2, 300, dtype=torch.float64))
    module = network(1, (3, 2, n_targets), nn.Tanh, torch.float64)
    result = run_lm(module, rows, max_iter=2000, tol=1e-14, n_restarts=3)
    assert result.converged
    assert gradient_of(module, rows) < 1e-5


def test_fewer_residuals_than_parameters():
    rows = random_rows(n=7)
    module = network(0, (3, 8, 1), nn.Tanh, torch.float64)
    assert sum(p.numel() for p in module.parameters()) > 7
    result = run_lm(module, rows, n_restarts=2)
    assert result.history["train_loss"][-1] < 1e-12
    assert loss_of(module, rows) < 1e-12


def test_a_single_precision_module_stays_one():
    rows = random_rows()
    module = network(0, (3, 4, 1), nn.Tanh)
    single = Rows(rows.X.float(), rows.y.float())
    wide = copy.deepcopy(module).double()
    run_lm(module, single, n_restarts=0)
    run_lm(wide, Rows(single.X.double(), single.y.double()), n_restarts=0)
    assert module[0].weight.dtype == torch.float32
    torch.testing.assert_close(module.state_dict(), wide.float().state_dict())


def test_frozen_parameters_stay():
    rows = random_rows()
    module = network(0, (3, 4, 1), nn.Tanh, torch.float64)
    module[0].weight.requires_grad_(False)
    before = module[0].weight.clone()
    first = loss_of(module, rows)
    run_lm(module, rows, n_restarts=3)
    assert torch.equal(module[0].weight, before)
    assert loss_of(module, rows) < first


class Bump(nn.Module):
    """A bare formula with a poor minimum to the left of the good one."""

    def __init__(self, place):
        super().__init__()
        self.place = nn.Parameter(torch.tensor(float(place), dtype=torch.float64))

    def forward(self, X):
        return torch.exp(-((X[:, 0] - self.place) ** 2))


def test_bare_parameters_restart_around_their_first_values():
    X = torch.linspace(-10, 10, 81, dtype=torch.float64)[:, None]
    y = torch.exp(-((X[:, 0] - 1) ** 2)) + 0.3 * torch.exp(-((X[:, 0] + 4) ** 2))
    stuck = Bump(-4.0)
    run_lm(stuck, Rows(X, y), n_restarts=0)
    assert stuck.place.item() == pytest.approx(-4, abs=0.1)
    module = Bump(-4.0)
    result = run_lm(module, Rows(X, y), n_restarts=30)
    assert module.place.item() == pytest.approx(1, abs=0.1)
    assert result.n_starts == 31


def test_too_few_evaluations_are_said(sine):
    train, valid, _ = sine
    result = run_lm(network(0), train, valid, max_iter=2, n_restarts=0)
    assert not result.converged
    assert result.message == "not converged after 2 evaluations: allow more of them"


def test_validation_ends_a_training(sine):
    train, valid, _ = sine
    result = run_lm(network(5), train, valid, n_restarts=0, tol=1e-15)
    assert result.message == "no better validation loss in 6 steps"
    losses = result.history["valid_loss"]
    assert len(losses) - 1 - int(np.argmin(losses)) == 6


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.Linear(8, 1)), "dropout, batch norm"),
        (nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Linear(8, 1)), "use engine='loop'"),
        (network(0, (3, 100, 100, 1)), "has 10,601 parameters and .* at most 5,000: use engine"),
        (nn.Linear(3, 1).requires_grad_(False), "no parameters to train"),
    ],
    ids=["dropout", "batch norm", "large", "frozen"],
)
def test_modules_that_it_cannot_train_are_refused(module, message):
    before = copy.deepcopy(module.state_dict())
    with pytest.raises(ParameterError, match=message):
        run_lm(module, random_rows())
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())


def test_outputs_that_are_not_finite_are_refused():
    module = Bump(math.nan)
    with pytest.raises(ParameterError, match="not finite at its first parameters"):
        run_lm(module, Rows(torch.ones(3, 1), torch.ones(3)))


def test_a_module_that_insists_on_single_precision_is_refused():
    class Single(nn.Linear):
        def forward(self, X):
            return super().forward(X.float())

    with pytest.raises(ParameterError, match="cannot compute in float64 on the CPU"):
        run_lm(Single(3, 1), random_rows())
