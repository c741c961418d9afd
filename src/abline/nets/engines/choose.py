"""Which engine runs a training, and why not a faster one.

Compiled kernels are many times faster than the plain loop, but compiling them takes seconds, once
on each machine and after each upgrade, and loading them a second in each process. So ``"auto"``
compares what the loop would take with what the kernels cost first.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from abline.errors import ParameterError, one_of
from abline.nets.engines.fused import kernel_cache
from abline.nets.engines.loop import run_loop

if TYPE_CHECKING:
    from typing import Self

    from abline.nets.training import History, TrainingJob

logger = logging.getLogger("abline")

ENGINES = ("auto", "loop", "fused", "lm")

#: what the loop takes for a step and for each layer in it, and for each weight and row, in seconds;
#: rough, since a factor of two only moves the border between two good choices
STEP, LAYER, PRODUCT = 1e-4, 6e-5, 1.5e-10

#: seconds to compile what a training needs of the kernels, and to load it; with the compiler's own
#: loading
COMPILING, LOADING = 2.0, 1.2


class Engine(str):
    """The name of the engine that ran, with the reason why it was not a faster one.

    Attributes
    ----------
    why : str
        Empty for the fastest.

    Examples
    --------
    >>> Engine("loop", "kernels do not know BatchNorm1d")
    Engine('loop', 'kernels do not know BatchNorm1d')
    >>> Engine("fused") == "fused"
    True
    """

    __slots__ = ("why",)

    why: str

    def __new__(cls, name: str, why: str = "") -> Self:
        """Make a name with a reason."""
        made = super().__new__(cls, name)
        made.why = why
        return made

    def __reduce__(self) -> tuple[type[Engine], tuple[str, str]]:
        """Give what copies and pickles are made from."""
        return Engine, (str(self), self.why)

    def __repr__(self) -> str:
        if not self.why:
            return super().__repr__()
        return f"Engine({str(self)!r}, {self.why!r})"


def run_engine(job: TrainingJob, engine: str) -> tuple[History, Engine]:
    """Train a job's module with the engine that was asked for, or with the one that suits it.

    Parameters
    ----------
    job : TrainingJob
    engine : {"auto", "loop", "fused", "lm"}

    Returns
    -------
    history : dict of str to list of float
    engine : Engine
        The one that ran.

    Raises
    ------
    ParameterError
        If ``"fused"`` or ``"lm"`` was asked for and cannot run this training; or as `run_loop`.
    """
    one_of("engine", engine, ENGINES)
    if engine == "loop":
        return run_loop(job), Engine("loop", "it was asked for")
    if engine == "lm":
        from abline.nets.engines.lm_training import train_by_lm

        return train_by_lm(job), Engine("lm")
    precision = str(next(job.module.parameters()).dtype).removeprefix("torch.")
    if engine == "auto" and (why := too_short(loop_seconds(job), precision)):
        return run_loop(job), Engine("loop", why)
    from abline.nets.engines.fused.engine import FusedPlan, run_fused
    from abline.nets.engines.fused.stack import NotFused

    try:
        plan = FusedPlan(job)
    except NotFused as reason:
        if engine == "fused":
            raise ParameterError(
                f"engine='fused' cannot run this training, since {reason}: use engine='loop'"
            ) from reason
        return run_loop(job), Engine("loop", str(reason))
    tell_of_compiling(precision)
    history = run_fused(job, plan)
    return history, Engine("loop", plan.left) if plan.left else Engine("fused")


def loop_seconds(job: TrainingJob) -> float:
    """Estimate how long the plain loop would take for a job.

    Parameters
    ----------
    job : TrainingJob

    Returns
    -------
    float
        Seconds, of one thread.
    """
    n = len(job.train)
    batch = n if job.batch_size is None else min(job.batch_size, n)
    passes = 1 + (job.valid is not None) / 3  # a validation takes about a third of a step
    layers = sum(not list(part.children()) for part in job.module.modules())
    weights = sum(p.numel() for p in job.module.parameters())
    return estimate(job.max_epochs * -(-n // batch) * passes, layers, job.max_epochs * n * weights)


def estimate(steps: float, layers: int, products: float) -> float:
    """Estimate how long plain PyTorch would take.

    Parameters
    ----------
    steps : float
        Passes forward and backward.
    layers : int
        Operations of the module.
    products : float
        Weights times the rows of all steps.

    Returns
    -------
    float
        Seconds, of one thread.
    """
    return steps * (STEP + LAYER * layers) + products * PRODUCT


def too_short(seconds: float, precision: str) -> str:
    """Say why kernels would not pay, if they would not.

    Parameters
    ----------
    seconds : float
        That plain PyTorch would take.
    precision : {"float32", "float64"}

    Returns
    -------
    str
        Empty where they would.
    """
    if kernel_cache.is_loaded(precision):
        return ""
    kept = kernel_cache.is_kept(precision)
    if seconds > (LOADING if kept else COMPILING):
        return ""
    if kept:
        return "the training is shorter than loading the kernels"
    return "the training is shorter than compiling the kernels, which `abline warmup` does ahead"


def tell_of_compiling(precision: str) -> None:
    """Log that kernels of a precision are going to be compiled, if they are.

    Parameters
    ----------
    precision : {"float32", "float64"}
    """
    if not kernel_cache.is_loaded(precision) and not kernel_cache.is_kept(precision):
        logger.info("compiling the training kernels for %s: some seconds, once", precision)
