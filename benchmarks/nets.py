"""Networks against their peers: ``python benchmarks/nets.py [JOB …]``; ``--list`` names the jobs.

All contenders train the same network on the same data in the same precision to the same loss (the
last column), in turn in one process, each at the better of one and two threads; the median counts.
Kernels are compiled before the clock starts; what that takes, in a fresh process with an empty
cache, is a job of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import torch
from harness import Contender, race, report
from net_loops import full_batch, mini_batches, seeded
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.neural_network import MLPRegressor as TheirMLP
from sklearn.preprocessing import StandardScaler
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

#: the test MSE that the sine job's network is to reach
GOAL = 0.0118


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


def training(name: str, make: Callable[[], nn.Module], job: Job) -> None:
    ours = Contender("abline", partial(abline_fit, make, job, EPOCHS), float)
    loop = Contender("PyTorch's loop", lambda: full_batch(make, job, EPOCHS)[0], float)
    report(name, race([ours, loop], runs=3))
    # a run of skorch takes most of a minute
    slow = Contender("skorch", partial(skorch_fit, make, job, EPOCHS), float)
    report(name, race([ours, slow], runs=1))


def sine() -> None:
    training("the sine job, 10,000 epochs with validation, float32", small_network, curve_job())


def line() -> None:
    training("the line by Adam, 10,000 epochs, float32", partial(nn.Linear, 1, 1), line_job())


def table(n: int, dtype: Any) -> tuple[np.ndarray, np.ndarray]:
    """Rows of eight features, with a curved target that has noise."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 8))
    y = np.sin(X[:, 0]) + X[:, 1] * X[:, 2] + 0.1 * rng.normal(size=n)
    return X.astype(dtype), y.astype(dtype)


def perceptron(hidden: tuple[int, ...], dtype: Any) -> None:
    X, y = table(20_000, dtype)
    options = {"hidden_layer_sizes": hidden, "max_iter": 20, "random_state": 0}

    def loss_of(fitted: Any) -> float:
        return float(getattr(fitted, "loss_", fitted))

    plain = partial(mini_batches, hidden, X, y, 20, batch=200, alpha=1e-4)
    contenders = [
        Contender("abline", lambda: ab.MLPRegressor(**options, engine="fused").fit(X, y), loss_of),
        Contender("scikit-learn", lambda: TheirMLP(**options).fit(X, y), loss_of),
        Contender("PyTorch's loop", plain, loss_of),
    ]
    name = f"hidden {hidden}, 20,000 × 8, 20 epochs of batches of 200, {np.dtype(dtype).name}"
    report(name, race(contenders, runs=3))


def lm() -> None:
    """The sine job to a test MSE of 0.0118, by any solver."""
    job = curve_job()

    def test_mse(module: nn.Module) -> float:
        dtype = next(module.parameters()).dtype
        with torch.inference_mode():
            found = module(torch.from_numpy(job.X_test).to(dtype)).numpy()[:, 0]
        return float(np.mean((found - job.y_test) ** 2))

    def by_lm() -> nn.Module:
        model = ab.TorchRegressor(small_network, engine="lm", random_state=42, device="cpu")
        return model.fit(job.X_train, job.y_train, eval_set=(job.X_valid, job.y_valid)).module_

    contenders = [
        Contender("abline", by_lm, test_mse),
        Contender(
            "PyTorch's loop",
            lambda: full_batch(small_network, job, 2 * EPOCHS, until=GOAL)[1],
            test_mse,
        ),
    ]
    report(f"the sine job to a test MSE of {GOAL}", race(contenders, runs=3))


def predict(dtype: Any) -> None:
    X, y = table(1_000_000, dtype)
    ours = ab.MLPRegressor(max_iter=3, random_state=0).fit(X[:5000], y[:5000])
    theirs = TheirMLP(max_iter=3, random_state=0).fit(X[:5000], y[:5000])
    contenders = [
        Contender("abline", lambda: ours.predict(X), np.mean),
        Contender("scikit-learn", lambda: theirs.predict(X), np.mean),
    ]
    name = f"predict 1,000,000 × 8, hidden (100,), {np.dtype(dtype).name}"
    report(name, race(contenders, runs=5))


def many(dtype: Any, folder: Path) -> None:
    """Five folds of twelve settings on a table of 20,640 rows."""
    frame = pl.read_parquet(folder / "california_housing.parquet").drop_nulls()
    frame = frame.select(pl.selectors.numeric())
    y = frame["median_house_value"].to_numpy()
    X = StandardScaler().fit_transform(frame.drop("median_house_value").to_numpy())
    X, y = X.astype(dtype), StandardScaler().fit_transform(y[:, None])[:, 0].astype(dtype)
    settings = {"alpha": [1e-4, 1e-3, 1e-2, 0.1], "learning_rate_init": [1e-3, 3e-3, 1e-2]}
    cv = KFold(5, shuffle=True, random_state=0)

    def score(search: Any) -> float:
        return float(search.best_score_)

    def ours() -> Any:
        return ab.MLPRegressorCV((100,), **settings, cv=cv, max_iter=20, random_state=0).fit(X, y)

    def theirs() -> Any:
        model = TheirMLP(max_iter=20, random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return GridSearchCV(model, settings, cv=cv, n_jobs=2).fit(X, y)

    contenders = [Contender("abline", ours, score), Contender("GridSearchCV", theirs, score)]
    name = f"5 folds × 12 settings, hidden (100,), 20 epochs, {np.dtype(dtype).name}"
    report(name, race(contenders, runs=3, threads=[2]))


def fixed_cost() -> None:
    """One epoch on 100 rows: what a fit costs whatever it does."""
    X, y = table(100, np.float32)
    model = ab.TorchRegressor(ab.MLP, max_epochs=1, random_state=0, engine="fused", device="cpu")
    options: dict[str, Any] = {"max_iter": 1, "random_state": 0}
    ours, theirs = ab.MLPRegressor(**options, engine="fused"), TheirMLP(**options)
    contenders = [
        Contender("abline's MLPRegressor", lambda: ours.fit(X, y)),
        Contender("scikit-learn's", lambda: theirs.fit(X, y)),
        Contender("abline's TorchRegressor", lambda: model.fit(X, y)),
    ]
    report("one epoch on 100 rows", race(contenders, runs=20))


GROWTH = """
import json, resource, sys, time, warnings
import numpy as np
from threadpoolctl import threadpool_limits
sys.path.insert(0, sys.argv[3])
from nets import table
warnings.simplefilter("ignore")
name, n = sys.argv[1], int(sys.argv[2])
options = {"max_iter": 3, "random_state": 0}
if name == "abline":
    from abline import MLPRegressor
    options["engine"] = "fused"
else:
    from sklearn.neural_network import MLPRegressor
X, y = table(n, np.float32)
MLPRegressor(**options).fit(X[:50], y[:50])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
taken = []
with threadpool_limits(2):
    for _ in range(max(1, min(9, 300_000 // n))):
        start = time.perf_counter()
        MLPRegressor(**options).fit(X, y)
        taken.append(time.perf_counter() - start)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"seconds": sorted(taken)[len(taken) // 2], "mib": (after - before) / 1024}))
"""


def growth() -> None:
    """Time and memory of three epochs as rows grow; each case in a process of its own."""
    print("three epochs of MLPRegressor's defaults, float32")
    print("| rows × 8 | table MiB | µs a row | extra MiB | scikit-learn / abline | its MiB |")
    print("|---|---|---|---|---|---|")
    for n in (1_000, 10_000, 100_000, 1_000_000):
        found = []
        for name in ("abline", "scikit-learn"):
            command = [sys.executable, "-c", GROWTH, name, str(n), str(Path(__file__).parent)]
            found.append(json.loads(subprocess.check_output(command)))
        ours, theirs = found
        print(
            f"| {n:,} | {n * 32 / 2**20:,.1f} | {1e6 * ours['seconds'] / n:.2f} "
            f"| {ours['mib']:,.0f} | {theirs['seconds'] / ours['seconds']:.1f} "
            f"| {theirs['mib']:,.0f} |"
        )


def gpu() -> None:
    """64 trainings at once on a GPU, and one."""
    if not torch.cuda.is_available():
        print("64 trainings at once: there is no CUDA GPU here")
        return
    X, y = table(20_000, np.float32)
    cv = [(np.arange(16_000), np.arange(16_000, 20_000))]
    options: dict[str, Any] = {"max_iter": 20, "random_state": 0, "device": "cuda"}

    def at_once(count: int) -> Any:
        return ab.MLPRegressorCV(n_restarts=count, cv=cv, refit=False, **options).fit(X, y)

    contenders = [
        Contender(
            "one MLPRegressor", lambda: ab.MLPRegressor(**options).fit(X[:16_000], y[:16_000])
        ),
        Contender("one in a stack", lambda: at_once(1)),
        Contender("64 in a stack", lambda: at_once(64)),
    ]
    name = f"hidden (100,), 16,000 × 8, 20 epochs, {torch.cuda.get_device_name()}"
    report(name, race(contenders, runs=3, threads=[1]))


def compiling() -> None:
    """Compile all kernels of both precisions in a fresh process with an empty cache."""

    def warm_up() -> None:
        with tempfile.TemporaryDirectory() as folder:
            environment = {**os.environ, "NUMBA_CACHE_DIR": folder}
            command = [sys.executable, "-m", "abline", "warmup", "--quiet"]
            subprocess.run(command, env=environment, check=True, capture_output=True)

    report("compiling, both precisions", race([Contender("abline", warm_up)], runs=1, threads=[1]))


JOBS: dict[str, Callable[[], None]] = {
    "sine": sine,
    "line": line,
    "mlp32": lambda: perceptron((100,), np.float32),
    "mlp64": lambda: perceptron((100,), np.float64),
    "two": lambda: perceptron((64, 64), np.float32),
    "two64": lambda: perceptron((64, 64), np.float64),
    "three": lambda: perceptron((256, 256, 256), np.float32),
    "lm": lm,
    "predict32": lambda: predict(np.float32),
    "predict64": lambda: predict(np.float64),
    "fixed": fixed_cost,
    "growth": growth,
    "gpu": gpu,
    "compiling": compiling,
}


#: jobs that need a table
MANY = ("many32", "many64")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("jobs", nargs="*", choices=[*JOBS, *MANY, []], metavar="JOB")
    parser.add_argument("--list", action="store_true", help="name the jobs")
    parser.add_argument(
        "--tables", type=Path, help="folder of california_housing.parquet, for many"
    )
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join([*JOBS, *MANY]))
        return
    warnings.simplefilter("ignore", ConvergenceWarning)  # all stop after a given number of epochs
    jobs = dict(JOBS)
    if arguments.tables:
        jobs["many32"] = partial(many, np.float32, arguments.tables)
        jobs["many64"] = partial(many, np.float64, arguments.tables)
    for name in arguments.jobs or jobs:
        if name not in jobs:
            parser.error(f"{name} needs --tables FOLDER")
        jobs[name]()
        print()


if __name__ == "__main__":
    main()
