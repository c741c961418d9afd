"""Trainings that another process kills: a server that forks one for each line that it reads.

It has imported everything already, so that many can be killed in little time.
"""

import json
import os
import signal
import sys
import warnings

import numpy as np
import torch
import torch._dynamo  # or each process would import it with its first optimizer
from sklearn.exceptions import ConvergenceWarning
from torch import nn

import abline as ab
from abline.nets import EarlyStopping, LRScheduler
from abline.store import atomic

RNG = np.random.default_rng(5)
X = RNG.normal(size=(64, 3)).astype(np.float32)
Y = (X @ [1.0, -2.0, 0.5] + RNG.normal(size=64)).astype(np.float32)


def network():
    """A network for the plain loop alone."""
    return nn.Sequential(
        nn.Linear(3, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 1)
    )


def stack():
    """A network for the kernels."""
    return nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 1))


#: parameters of the estimator, and callbacks besides the checkpoint
TRAININGS = {
    "Adam": ({"optimizer": torch.optim.Adam, "clip_grad_norm": 1.0}, list),
    "fused": (
        {"module": stack, "engine": "fused", "early_stopping": True, "schedule": "cosine"},
        list,
    ),
    "AdamW": ({"optimizer": torch.optim.AdamW, "schedule": "one_cycle"}, list),
    "SGD": (
        {"optimizer": torch.optim.SGD, "optimizer__momentum": 0.9, "early_stopping": True},
        lambda: [LRScheduler(torch.optim.lr_scheduler.StepLR, step_size=7)],
    ),
    "stopping": (
        {"early_stopping": True, "n_iter_no_change": 6, "tol": 0.05, "target_scaling": True},
        lambda: [LRScheduler(torch.optim.lr_scheduler.ReduceLROnPlateau, patience=2)],
    ),
}


#: the same of the perceptron
PERCEPTRONS = {
    "perceptron adam": ({"early_stopping": True, "n_iter_no_change": 12}, list),
    "perceptron kernels": ({"engine": "fused", "learning_rate_init": 0.005}, list),
    "perceptron sgd": (
        {"solver": "sgd", "learning_rate": "adaptive", "tol": 0.05, "n_iter_no_change": 2},
        lambda: [EarlyStopping("train_loss", patience=30)],
    ),
}


def train(name, checkpoint):
    if name in PERCEPTRONS:
        return train_perceptron(name, checkpoint)
    parameters, callbacks = TRAININGS[name]
    own = {"module": network, "engine": "loop", "lr": 0.02, "batch_size": 16, "max_epochs": 40}
    model = ab.TorchRegressor(
        callbacks=[ab.nets.Checkpoint(checkpoint, every=1), *callbacks()],
        random_state=3,
        **(own | parameters),
    )
    return model.fit(X, Y, resume_from=checkpoint)


def train_perceptron(name, checkpoint):
    parameters, callbacks = PERCEPTRONS[name]
    own = {"hidden_layer_sizes": (8,), "learning_rate_init": 0.02, "batch_size": 16}
    model = ab.MLPRegressor(
        callbacks=[ab.Checkpoint(checkpoint, every=1), *callbacks()],
        random_state=3,
        max_iter=40,
        **({"engine": "loop"} | own | parameters),
    )
    warnings.simplefilter("ignore", ConvergenceWarning)
    return model.fit(X, Y, eval_set=(X + 0.1, Y), resume_from=checkpoint)


def save(model, path):
    if isinstance(model, ab.MLPRegressor):
        state = {f"weight {k}": v for k, v in enumerate([*model.coefs_, *model.intercepts_])}
        curves = ("loss_curve_", "validation_loss_curve_", "validation_scores_")
        found = {name: getattr(model, name) for name in curves}
        history = {name: curve for name, curve in found.items() if curve is not None}
    else:
        state = {f"weight {k}": v.numpy() for k, v in model.module_.state_dict().items()}
        history = {k: v for k, v in model.history_.items() if k != "seconds"}
    np.savez(path, **state, **history)


def kill_in_write(number):
    """Let the process die in its n-th writing, when the bytes are there but not in place."""
    calls = iter(range(1, number))
    fsync = os.fsync

    def dying(descriptor):
        fsync(descriptor)
        if next(calls, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    atomic.os.fsync = dying


def serve():
    # loads the kernels
    ab.TorchRegressor(stack, engine="fused", max_epochs=1).fit(X, Y)
    ab.MLPRegressor(engine="fused", max_iter=1000).fit(X, Y)
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            if order["dies_in_write"]:
                kill_in_write(order["dies_in_write"])
            save(train(order["training"], order["checkpoint"]), order["result"])
            os._exit(0)
        print(child, flush=True)
        sys.stdin.readline()  # until then the number is no other process's
        os.waitpid(child, 0)
        print("ended", flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    serve()
