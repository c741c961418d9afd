"""Networks on a CUDA GPU give what they give on a CPU."""

import numpy as np
import pytest
import torch
from torch import nn

import abline as ab
from abline.nets import Callback, Checkpoint, TorchRegressor

pytestmark = pytest.mark.gpu

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 3)).astype(np.float32)
Y = np.column_stack([np.exp(X[:, 0]), np.exp(0.5 * X[:, 1])]).astype(np.float32)
WEIGHTS = RNG.uniform(0.5, 2, 200).astype(np.float32)

CRITERIA = {
    "squared_error": {},
    "absolute_error": {},
    "huber": {"criterion__delta": 0.5},
    "quantile": {"criterion__quantile": [0.1, 0.5, 0.9]},
    "poisson": {},
    "gamma": {},
    "gaussian_nll": {},
}


def model(device, **parameters):
    own = {"max_epochs": 30, "lr": 0.01, "batch_size": 50, "random_state": 0, "device": device}
    if "module" not in parameters:
        own |= {"module": ab.MLP, "module__hidden": (8,)}
    return TorchRegressor(**(own | parameters))


@pytest.mark.parametrize("criterion", CRITERIA)
def test_every_loss(criterion):
    fits = []
    for device in ("cpu", "cuda"):
        fit = model(device, criterion=criterion, **CRITERIA[criterion])
        fits.append(fit.fit(X[:150], Y[:150], WEIGHTS[:150], eval_set=(X[150:], Y[150:])))
    assert fits[1].device_.startswith("cuda")
    assert fits[1].engine_ == "loop"
    assert "not on the CPU" in fits[1].engine_.why
    for name in ("train_loss", "valid_loss"):
        np.testing.assert_allclose(*(fit.history_[name] for fit in fits), rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(*(fit.predict(X) for fit in fits), rtol=0.02, atol=0.02)


def test_offsets_and_target_scaling_and_early_stopping():
    offset = np.log(WEIGHTS)
    for options, extra in (
        ({"criterion": "poisson"}, {"offset": offset}),
        ({"target_scaling": True, "early_stopping": True, "schedule": "cosine"}, {}),
    ):
        fits = [model(each, **options).fit(X, Y, **extra) for each in ("cpu", "cuda")]
        assert abs(len(fits[0].history_["epoch"]) - len(fits[1].history_["epoch"])) <= 3
        np.testing.assert_allclose(*(fit.predict(X) for fit in fits), rtol=0.05, atol=0.05)


class Stop(Exception):
    pass


class StopAt(Callback):
    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_end(self, state):
        if state.epoch == self.epoch:
            raise Stop


def test_a_checkpoint_goes_on_with_the_same_bits(tmp_path):
    """Dropout draws on the GPU, whose generator is in the checkpoint too."""
    network = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Dropout(0.4), nn.Linear(16, 2))
    whole = model("cuda", module=network).fit(X, Y)
    path = tmp_path / "run"
    with pytest.raises(Stop):
        model("cuda", module=network, callbacks=[Checkpoint(path, every=5), StopAt(17)]).fit(X, Y)
    again = model("cuda", module=network, callbacks=[Checkpoint(path, every=5)])
    again.fit(X, Y, resume_from=path)
    assert again.history_["train_loss"] == whole.history_["train_loss"]
    for ours, theirs in zip(again.module_.parameters(), whole.module_.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_the_network_for_tables_and_a_saved_one(tmp_path):
    options = {"max_epochs": 20, "members": 3, "random_state": 0}
    fits = [ab.NetworkRegressor(device=each, **options).fit(X, Y) for each in ("cpu", "cuda")]
    assert fits[1].device_.startswith("cuda")
    assert abs(fits[0].score(X, Y) - fits[1].score(X, Y)) < 0.02
    fits[1].save(tmp_path / "m.model")
    loaded = ab.load(tmp_path / "m.model")
    np.testing.assert_allclose(loaded.predict(X), fits[1].predict(X), rtol=1e-4, atol=1e-4)
