"""Networks against their peers: ``python benchmarks/nets.py [JOB …]``; ``--list`` names the jobs.

All contenders train the same network from the same first weights on the same data, to the same loss
(the last column), in turn in one process, each at the better of one and two threads; the median
counts. Kernels are compiled before the clock starts; what that takes, in a fresh process with an
empty cache, is a job of its own.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from harness import Contender, race, report
from skorch import NeuralNetRegressor
from skorch.dataset import Dataset
from skorch.helper import predefined_split
from torch import nn

import abline as ab
from abline.demo.fits import small_network
from abline.demo.jobs import Job, curve_job, line_job

if TYPE_CHECKING:
    from collections.abc import Callable

EPOCHS = 10_000


def seeded(make: Callable[[], nn.Module]) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(42)
        return make()


def plain_loop(make: Callable[[], nn.Module], job: Job, epochs: int) -> float:
    """The loop of PyTorch's tutorials: full batch, both losses noted in each epoch."""
    module = seeded(make)
    X, y = torch.from_numpy(job.X_train), torch.from_numpy(job.y_train).reshape(-1, 1)
    V, w = torch.from_numpy(job.X_valid), torch.from_numpy(job.y_valid).reshape(-1, 1)
    loss_of = nn.MSELoss()
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-3)
    losses = []
    for _ in range(epochs):
        module.train()
        loss = loss_of(module(X), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        module.eval()
        with torch.inference_mode():
            losses.append((loss.item(), loss_of(module(V), w).item()))
    return losses[-1][0]


def abline_fit(make: Callable[[], nn.Module], job: Job, epochs: int) -> float:
    model = ab.TorchRegressor(
        make, max_epochs=epochs, random_state=42, device="cpu", engine="fused"
    )
    model.fit(job.X_train, job.y_train, eval_set=(job.X_valid, job.y_valid))
    return float(model.history_["train_loss"][-1])


def skorch_fit(make: Callable[[], nn.Module], job: Job, epochs: int) -> float:
    valid = Dataset(job.X_valid, job.y_valid.reshape(-1, 1))
    net: Any = NeuralNetRegressor(
        seeded(make),
        optimizer=torch.optim.Adam,
        lr=1e-3,
        max_epochs=epochs,
        batch_size=-1,
        train_split=predefined_split(valid),
        callbacks__print_log=None,
        verbose=0,
    )
    net.fit(job.X_train, job.y_train.reshape(-1, 1))
    return float(net.history[-1]["train_loss"])


def training(name: str, make: Callable[[], nn.Module], job: Job, *, runs: int = 3) -> None:
    contenders = [
        Contender("abline", partial(abline_fit, make, job, EPOCHS), float),
        Contender("PyTorch's loop", partial(plain_loop, make, job, EPOCHS), float),
        Contender("skorch", partial(skorch_fit, make, job, EPOCHS), float),
    ]
    report(name, race(contenders, runs=runs))


def sine() -> None:
    training("the sine job, 10,000 epochs with validation, float32", small_network, curve_job())


def line() -> None:
    training("the line by Adam, 10,000 epochs, float32", partial(nn.Linear, 1, 1), line_job())


def fixed_cost() -> None:
    """One epoch on 100 rows: what a fit costs whatever it does."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 5)).astype(np.float32)
    y = X[:, 0]
    model = ab.TorchRegressor(ab.MLP, max_epochs=1, random_state=0, engine="fused", device="cpu")
    report("one epoch on 100 rows", race([Contender("abline", lambda: model.fit(X, y))], runs=20))


def compiling() -> None:
    """Compile the kernels of both precisions in a fresh process with an empty cache."""

    def warm_up() -> None:
        with tempfile.TemporaryDirectory() as folder:
            environment = {**os.environ, "NUMBA_CACHE_DIR": folder}
            command = [sys.executable, "-m", "abline", "warmup", "--quiet"]
            subprocess.run(command, env=environment, check=True, capture_output=True)

    report("compiling, both precisions", race([Contender("abline", warm_up)], runs=1, threads=[1]))


JOBS = {"sine": sine, "line": line, "fixed": fixed_cost, "compiling": compiling}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("jobs", nargs="*", choices=[*JOBS, []], metavar="JOB")
    parser.add_argument("--list", action="store_true", help="name the jobs")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(JOBS))
        return
    for name in arguments.jobs or JOBS:
        JOBS[name]()
        print()


if __name__ == "__main__":
    main()
