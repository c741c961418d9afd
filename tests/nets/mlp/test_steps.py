"""Objectives, derivatives and updates, against autograd and formulas written out in numpy."""

import numpy as np
import pytest
import scipy.sparse
import torch
from torch import nn

from abline.nets.mlp.activations import ACTIVATIONS
from abline.nets.mlp.choose import make_steps
from abline.nets.mlp.losses import LOSSES, make_loss
from abline.nets.mlp.steps import SGD, Adam, Data, Task
from abline.nets.mlp.weights import as_module, first_weights

CPU = torch.device("cpu")
ALPHA = 0.3

#: each loss of a row by PyTorch, from outputs and targets
PLAIN = {
    "squared_error": lambda o, y: 0.5 * (o - y) ** 2,
    "poisson": lambda o, y: nn.functional.poisson_nll_loss(o, y, reduction="none"),
    "absolute_error": lambda o, y: nn.functional.l1_loss(o, y, reduction="none"),
    "huber": lambda o, y: nn.functional.huber_loss(o, y, reduction="none", delta=0.3),
    "quantile": lambda o, y: torch.maximum(0.8 * (y - o), 0.2 * (o - y)),
    "gamma": lambda o, y: o + y * torch.exp(-o),
    "gaussian_nll": lambda o, y: nn.functional.gaussian_nll_loss(
        o[:, ::2], y, o[:, 1::2].exp() + 1e-6, reduction="none"
    ),
}


def problem(loss, activation, *, sparse=False, weighted=True, rule=None, engine="loop"):
    rng = np.random.RandomState(0)
    X, y = rng.normal(size=(40, 3)), rng.gamma(2.0, size=(40, 2))
    X[np.abs(X) < 0.3] = 0.0
    output_loss = make_loss(loss, 0.3, 0.8)
    units = [3, 6, 5, output_loss.units(2)]
    coefs, biases = first_weights(units, activation, rng, np.dtype(np.float64))
    rows = scipy.sparse.csr_matrix(X) if sparse else X
    data = Data(rows, y, rng.uniform(0.1, 2.0, size=40) if weighted else None)
    task = Task(activation, output_loss, ALPHA, rule)
    options = {"engine": engine, "n_steps": 1, "batch_size": 40}
    steps, _ = make_steps(task, [coef.T for coef in coefs], biases, data, CPU, **options)
    return steps, data, (X, y, data.weights), [*coefs, *biases]


def objective_by_torch(loss, activation, params, X, y, weights):
    """The sum over columns of the mean by weight, with the penalty, on plain tensors."""
    half, outputs = len(params) // 2, torch.as_tensor(X)
    for layer in range(half):
        outputs = outputs @ params[layer] + params[half + layer]
        if layer < half - 1:
            outputs = ACTIVATIONS[activation].module()(outputs)
    rows = torch.ones(len(X), dtype=torch.float64) if weights is None else torch.tensor(weights)
    values = PLAIN[loss](outputs, torch.as_tensor(y))
    squares = sum((p**2).sum() for p in params[:half])
    return (rows @ values / rows.sum()).sum() + 0.5 * ALPHA * squares / rows.sum()


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("way", [("loop", False), ("loop", True), ("fused", False)], ids=str)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", LOSSES)
def test_derivatives_are_autograds(loss, activation, way, weighted):
    options = {"engine": way[0], "sparse": way[1], "weighted": weighted}
    steps, _, arrays, start = problem(loss, activation, **options)
    params = [torch.tensor(array, requires_grad=True) for array in start]
    expected = objective_by_torch(loss, activation, params, *arrays)
    expected.backward()
    flat = np.concatenate([array.ravel() for array in start])
    value, gradient = steps.loss_gradient(flat)
    by_torch = np.concatenate([p.grad.numpy().ravel() for p in params])
    np.testing.assert_allclose(gradient, by_torch, rtol=1e-9, atol=1e-13)
    if loss not in ("squared_error", "poisson"):  # those are scikit-learn's: other constants
        assert value == pytest.approx(expected.item(), rel=1e-12)


both_engines = pytest.mark.parametrize("engine", ["loop", "fused"])


@both_engines
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_module_computes_the_outputs_and_shares_the_weights(activation, engine):
    steps, _, (X, *_), _ = problem("huber", activation, engine=engine)
    module = as_module(steps.params, activation)
    with torch.no_grad():
        np.testing.assert_allclose(steps.predict(X), module(torch.tensor(X)).numpy(), rtol=1e-12)
        module[0].weight.zero_()
    assert not steps.params[0].any()


@both_engines
def test_the_loss_has_no_penalty(engine):
    steps, data, _, start = problem("squared_error", "tanh", engine=engine)
    flat = np.concatenate([array.ravel() for array in start])
    squares = sum((p.numpy() ** 2).sum() for p in steps.params[:3])
    penalty = 0.5 * ALPHA * squares / data.weights.sum()
    assert steps.loss(data) == pytest.approx(steps.loss_gradient(flat)[0] - penalty, rel=1e-12)


RULES = [Adam(0.8, 0.95, 1e-3), SGD(0.7, nesterov=False), SGD(0.7, nesterov=True), SGD(0.0, False)]


def numpy_step(rule, p, g, memory, t, lr):
    """Kingma and Ba's last formula of section 2, or a velocity that has the rate inside."""
    if isinstance(rule, Adam):
        first = rule.beta_1 * memory[0] + (1 - rule.beta_1) * g
        second = rule.beta_2 * memory[1] + (1 - rule.beta_2) * g * g
        rate = lr * np.sqrt(1 - rule.beta_2**t) / (1 - rule.beta_1**t)
        return p - rate * first / (np.sqrt(second) + rule.epsilon), (first, second)
    velocity = rule.momentum * memory[0] - lr * g
    ahead = rule.momentum * velocity - lr * g if rule.nesterov else velocity
    return p + ahead, (velocity,)


@both_engines
@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_updates_by_formula(rule, engine):
    steps, _, _, start = problem("squared_error", "tanh", rule=rule, engine=engine)
    probe, *_ = problem("squared_error", "tanh")
    memory = [(np.zeros_like(array),) * 2 for array in start]
    flat = np.concatenate([array.ravel() for array in start])
    for t, lr in enumerate([0.1, 0.1, 0.02, 0.3], start=1):
        objective, gradient = probe.loss_gradient(flat)
        assert steps.train_epoch(None, 40, lr) == pytest.approx(objective, rel=1e-12)
        ends = np.cumsum([array.size for array in start])[:-1]
        parts = [part.copy() for part in np.split(flat, ends)]
        for k, part in enumerate(np.split(gradient, ends)):
            shaped = tuple(m.reshape(part.shape) for m in memory[k])
            parts[k], memory[k] = numpy_step(rule, parts[k], part, shaped, t, lr)
        flat = np.concatenate(parts)
        ours = np.concatenate([p.numpy().T.ravel() for p in steps.params])
        np.testing.assert_allclose(ours, flat, rtol=1e-10, atol=1e-13)


@both_engines
@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_a_state_goes_on_where_it_was_taken(rule, engine):
    order = np.random.RandomState(1).permutation(40)
    steps, data, _, _ = problem("huber", "silu", rule=rule, engine=engine)
    steps.train_epoch(order, 7, 0.1)
    weights = [p.numpy().copy() for p in steps.params]
    task = Task("silu", make_loss("huber", 0.3, 0.8), ALPHA, rule)
    options = {"engine": engine, "n_steps": 1, "batch_size": 40}
    other, _ = make_steps(task, weights[:3], weights[3:], data, CPU, **options)
    other.set_state(steps.get_state())
    assert other.train_epoch(order, 7, 0.1) == steps.train_epoch(order, 7, 0.1)
    for ours, theirs in zip(other.params, steps.params, strict=True):
        assert torch.equal(ours, theirs)


@both_engines
def test_what_it_was_made_from_is_not_changed(engine):
    weights, biases = [np.ones((1, 2))], [np.ones(1)]
    data = Data(np.eye(2), np.zeros((2, 1)))
    task = Task("relu", make_loss("squared_error", 1.0, 0.5), 0.0, SGD(0.0, False))
    options = {"engine": engine, "n_steps": 1, "batch_size": 2}
    steps, ran = make_steps(task, weights, biases, data, CPU, **options)
    steps.train_epoch(None, 2, 0.1)
    assert (weights[0] == 1).all()
    assert (biases[0] == 1).all()
    assert steps.params[0][0, 0].item() == pytest.approx(1 - 0.1 * 2 / 2)
    assert ran == engine
