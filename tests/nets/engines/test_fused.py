"""The fused engine follows the plain loop, epoch by epoch."""

import copy
import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from abline.errors import ParameterError
from abline.nets import GammaLoss, GaussianNLL, PoissonLoss, QuantileLoss
from abline.nets.callbacks import Callback, EarlyStopping
from abline.nets.engines.fused.engine import FusedPlan, run_fused
from abline.nets.engines.fused.stack import NotFused
from abline.nets.engines.loop import run_loop
from abline.nets.losses import make_loss
from abline.nets.training import Rows, TrainingJob

ACTIVATIONS = [
    nn.Identity(), nn.ReLU(), nn.Tanh(), nn.Sigmoid(), nn.LeakyReLU(0.1), nn.ELU(0.7), nn.SELU(),
    nn.Softplus(), nn.SiLU(), nn.Mish(), nn.GELU(), nn.GELU("tanh"),
]  # fmt: skip
LOSSES = [
    nn.MSELoss(), nn.L1Loss(), nn.HuberLoss(delta=0.5), nn.SmoothL1Loss(beta=0.3),
    nn.PoissonNLLLoss(), nn.MSELoss(reduction="sum"), F.mse_loss, PoissonLoss(), GammaLoss(),
    QuantileLoss(0.3), QuantileLoss([0.8]), GammaLoss(reduction="sum"),
    QuantileLoss([0.1, 0.4, 0.9]), QuantileLoss([0.6, 0.9], reduction="sum"), GaussianNLL(),
    GaussianNLL(0.01, reduction="sum"),
]  # fmt: skip
OPTIMIZERS = {
    "Adam": (torch.optim.Adam, {"lr": 1e-3}),
    "Adam, decay": (torch.optim.Adam, {"lr": 1e-3, "weight_decay": 0.1}),
    "AdamW": (torch.optim.AdamW, {"lr": 1e-3, "betas": (0.8, 0.99)}),
    "SGD": (torch.optim.SGD, {"lr": 0.01}),
    "SGD, momentum": (torch.optim.SGD, {"lr": 0.01, "momentum": 0.9, "weight_decay": 0.01}),
    "SGD, dampening": (torch.optim.SGD, {"lr": 0.01, "momentum": 0.9, "dampening": 0.2}),
    "SGD, Nesterov": (torch.optim.SGD, {"lr": 0.01, "momentum": 0.9, "nesterov": True}),
}


def _network(activation, dtype, n_outputs=1):
    torch.manual_seed(0)
    between = lambda: copy.deepcopy(activation)  # noqa: E731 - a fresh layer each
    layers = [nn.Linear(3, 8), between(), nn.Linear(8, 5), between(), nn.Linear(5, n_outputs)]
    return nn.Sequential(*layers).to(dtype)


def _rows(n, dtype, n_outputs=1, weighted=False):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(n, 3))
    y = np.abs(np.sin(X @ rng.normal(size=(3, n_outputs))) + 0.1 * rng.normal(size=(n, n_outputs)))
    weights = torch.tensor(rng.uniform(0.5, 2, n), dtype=dtype) if weighted else None
    return Rows(torch.tensor(X, dtype=dtype), torch.tensor(y, dtype=dtype), weights)


def _job(module, *, optimizer="Adam", criterion=None, n=90, batch_size=None, shuffle=True,
         epochs=100, n_outputs=1, weighted=False, callbacks=()):  # fmt: skip
    dtype = next(module.parameters()).dtype
    make, arguments = OPTIMIZERS[optimizer]
    rows = _rows(n, dtype, n_outputs, weighted)
    return TrainingJob(
        module=module,
        loss=make_loss(criterion or nn.MSELoss(), weighted=weighted),
        optimizer=make(module.parameters(), **arguments),
        train=rows.take(slice(0, n - 30)),
        valid=rows.take(slice(n - 30, n)),
        max_epochs=epochs,
        batch_size=batch_size,
        shuffle=shuffle,
        generator=torch.Generator().manual_seed(5),
        callbacks=callbacks,
        metrics={},
    )


def _agree(module, tolerance, **options):
    histories = []
    for run in (run_loop, run_fused):
        with torch.random.fork_rng():
            histories.append(run(_job(copy.deepcopy(module), **options)))
    plain, fused = histories
    assert plain["epoch"] == fused["epoch"]
    assert plain["lr"] == fused["lr"]
    for column in ("train_loss", "valid_loss"):
        np.testing.assert_allclose(fused[column], plain[column], rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=str)
def test_activations_follow_the_loop(activation):
    _agree(_network(activation, torch.float64), 1e-6, epochs=1000)
    _agree(_network(activation, torch.float32), 1e-3, epochs=100)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("criterion", LOSSES, ids=lambda x: getattr(x, "__name__", str(x)))
def test_losses_follow_the_loop(criterion, weighted):
    options = {"criterion": criterion, "weighted": weighted, "n_outputs": 2}
    outputs = getattr(criterion, "n_outputs", int)(2)
    _agree(_network(nn.Tanh(), torch.float64, outputs), 1e-6, epochs=1000, **options)
    _agree(_network(nn.Tanh(), torch.float32, outputs), 1e-3, epochs=100, **options)


@pytest.mark.parametrize("batch_size", [None, 1, 7, 60, 500])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_optimizers_and_batches_follow_the_loop(optimizer, batch_size):
    n = 38 if batch_size == 1 else 90  # 30 of them are for validation
    options = {"optimizer": optimizer, "batch_size": batch_size, "n": n}
    _agree(_network(nn.SiLU(), torch.float64), 1e-6, epochs=1000, **options)
    _agree(_network(nn.SiLU(), torch.float32), 1e-3, epochs=100, **options)


def test_a_batch_whose_weights_are_all_zero_makes_no_step():
    histories = []
    for run in (run_loop, run_fused):
        job = _job(_network(nn.Tanh(), torch.float64), weighted=True, batch_size=20, shuffle=False)
        job.train.weights[20:40] = 0.0
        histories.append(run(job))
        states = job.optimizer.state_dict()["state"]
        assert {int(state["step"]) for state in states.values()} == {200}
        without = job.train.take(torch.tensor([*range(20), *range(40, 60)]))
        again = _job(
            _network(nn.Tanh(), torch.float64), weighted=True, batch_size=20, shuffle=False
        )
        histories.append(run(TrainingJob(**{**vars(again), "train": without})))
    for history in histories[1:]:
        np.testing.assert_allclose(history["train_loss"], histories[0]["train_loss"], rtol=1e-9)


def test_many_blocks_follow_the_loop():
    _agree(_network(nn.ReLU(), torch.float64), 1e-6, n=5000, epochs=20)
    _agree(
        _network(nn.ReLU(), torch.float64), 1e-6, n=5000, epochs=3, batch_size=3001, shuffle=False
    )


def test_module_and_optimizer_end_as_in_the_loop():
    modules = []
    for run in (run_loop, run_fused):
        job = _job(_network(nn.Tanh(), torch.float64), batch_size=20)
        run(job)
        modules.append((job.module, job.optimizer.state_dict()["state"]))
    (plain, plain_state), (fused, fused_state) = modules
    assert not fused.training
    for a, b in zip(plain.parameters(), fused.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-12)
    for key, state in plain_state.items():
        for name, value in state.items():
            torch.testing.assert_close(fused_state[key][name], value, rtol=1e-8, atol=1e-14)


def test_an_optimizer_with_a_past_goes_on():
    for optimizer in OPTIMIZERS:
        whole = _job(_network(nn.Tanh(), torch.float64), optimizer=optimizer, epochs=40)
        run_loop(whole)
        module = _network(nn.Tanh(), torch.float64)
        first = _job(module, optimizer=optimizer, epochs=15)
        run_fused(first)
        again = TrainingJob(**{**vars(first), "max_epochs": 25})
        history = run_fused(again)
        assert len(history["epoch"]) == 25
        for a, b in zip(whole.module.parameters(), module.parameters(), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-12)


def test_other_trainings_are_refused_with_the_reason():
    class Batches(Callback):
        def on_batch_end(self, state):
            pass

    module = _network(nn.ReLU(), torch.float32)
    with pytest.raises(NotFused, match="each step"):
        FusedPlan(_job(module, callbacks=[Batches()]))
    with pytest.raises(NotFused, match="loss CosineEmbeddingLoss"):
        FusedPlan(_job(module, criterion=nn.CosineEmbeddingLoss()))
    job = _job(module)
    odd = TrainingJob(**{**vars(job), "optimizer": torch.optim.RMSprop(module.parameters())})
    with pytest.raises(NotFused, match="RMSprop"):
        FusedPlan(odd)


def test_callbacks_see_each_epoch_and_stop():
    weights = []

    class Watch(Callback):
        def on_epoch_end(self, state):
            weights.append(next(state.module.parameters()).detach().clone())
            assert state.epoch == len(state.history["epoch"]) - 1

    job = _job(_network(nn.Tanh(), torch.float64), epochs=60, callbacks=[Watch()])
    run_fused(job)
    assert len(weights) == 60
    assert not torch.equal(weights[0], weights[1])
    plain = _job(_network(nn.Tanh(), torch.float64), epochs=3000, callbacks=[EarlyStopping()])
    fused = _job(_network(nn.Tanh(), torch.float64), epochs=3000, callbacks=[EarlyStopping()])
    assert len(run_loop(plain)["epoch"]) == len(run_fused(fused)["epoch"]) < 3000
    for a, b in zip(plain.module.parameters(), fused.module.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-10)


def test_a_loss_that_is_no_number_stops():
    job = _job(_network(nn.Identity(), torch.float32), optimizer="SGD", epochs=500)
    job.optimizer.param_groups[0]["lr"] = 50.0
    with pytest.raises(ParameterError, match=r"became (inf|nan) at epoch"):
        run_fused(job)


def test_dropout_keeps_the_mean_and_drops_the_share():
    torch.manual_seed(0)
    layer = nn.Linear(1, 1, bias=False).double()
    with torch.no_grad():
        layer.weight.fill_(1.0)
    module = nn.Sequential(layer, nn.Dropout(0.25))
    ones, zeros = torch.ones(20_000, 1).double(), torch.zeros(20_000, 1).double()
    losses = []
    for seed in (1, 2):
        job = TrainingJob(
            module=copy.deepcopy(module),
            loss=make_loss(nn.MSELoss(), weighted=False),
            optimizer=torch.optim.SGD(module.parameters(), lr=1e-12),
            train=Rows(ones, zeros), valid=Rows(ones, zeros), max_epochs=2, batch_size=None,
            shuffle=False, generator=torch.Generator().manual_seed(seed), callbacks=[], metrics={},
        )  # fmt: skip
        job.optimizer.param_groups[0]["params"] = list(job.module.parameters())
        losses.append(run_fused(job))
    for history in losses:
        # a mean of 0.75 * (1 / 0.75)² with the standard error of 20,000 draws
        assert all(abs(loss - 4 / 3) < 5 * math.sqrt(1 / 3) / 140 for loss in history["train_loss"])
        assert history["valid_loss"] == pytest.approx([1.0, 1.0])
        assert history["train_loss"][0] != history["train_loss"][1]
    assert losses[0]["train_loss"] != losses[1]["train_loss"]


def test_an_optimizer_with_hooks_is_left_to_the_loop():
    job = _job(_network(nn.Tanh(), torch.float64))
    job.optimizer.register_step_post_hook(lambda *_: None)
    with pytest.raises(NotFused, match="Adam has hooks"):
        FusedPlan(job)
