"""How many trainings run: which steps, in threads or side by side, and why not faster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from abline.errors import ParameterError, one_of
from abline.nets.devices import pick_device
from abline.nets.engines.choose import estimate, too_short
from abline.nets.mlp.options import STOCHASTIC
from abline.tables.conversion import is_sparse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from abline.nets.many.jobs import Job

ENGINES = ("auto", "loop", "fused", "batched")


@dataclass(frozen=True)
class Plan:
    """How trainings run.

    Attributes
    ----------
    engine : {"loop", "fused", "batched"}
        "batched" trains side by side, the others each alone, in threads.
    why : str
        Why not faster; empty for the fastest.
    """

    engine: str
    why: str = ""


def plan_for(jobs: Sequence[Job], engine: str) -> Plan:
    """Choose how trainings run; they have all but the searched parameters in common.

    Parameters
    ----------
    jobs : sequence of Job
    engine : {"auto", "loop", "fused", "batched"}

    Returns
    -------
    Plan

    Raises
    ------
    ParameterError
        If ``"batched"`` was asked for and cannot run them.
    """
    one_of("engine", engine, ENGINES)
    on_cpu = pick_device(jobs[0].parameters["device"]).type == "cpu"
    if engine == "batched" or (engine == "auto" and not on_cpu):
        why_not = _why_not_batched(jobs)
        if not why_not:
            return Plan("batched")
        if engine == "batched":
            raise ParameterError(
                f"engine='batched' cannot run these trainings, since {why_not}: use engine='auto'"
            )
        return Plan("loop", f"they run one by one, since {why_not}")
    if jobs[0].parameters["solver"] == "lm":
        return Plan("loop")  # it has an engine of its own, whatever is asked for
    if engine != "auto":
        return Plan(engine, "" if engine == "fused" else "it was asked for")
    why_not = _why_not_fused(jobs)
    return Plan("loop", why_not) if why_not else Plan("fused")


def _why_not_batched(jobs: Sequence[Job]) -> str:
    solver, table = jobs[0].parameters["solver"], jobs[0].part.table
    if solver not in STOCHASTIC:
        return f"{solver} takes its own steps in each"
    if is_sparse(table.X):
        return "X is sparse"
    if table.sample_weight is not None and not table.sample_weight.all():
        return "some rows have the weight zero"
    return ""


def _why_not_fused(jobs: Sequence[Job]) -> str:
    parameters, table = jobs[0].parameters, jobs[0].part.table
    if is_sparse(table.X):
        return "kernels take no sparse features"
    # compiling is once for all of them
    precision = "float64" if parameters["solver"] == "lbfgs" else table.X.dtype.name
    return too_short(sum(map(_seconds, jobs)), precision)


def _seconds(job: Job) -> float:
    """Estimate what plain PyTorch would take for a job, as for a training alone."""
    parameters, n = job.parameters, len(job.part)
    if parameters["solver"] in STOCHASTIC:
        batch = min(200 if parameters["batch_size"] == "auto" else parameters["batch_size"], n)
        steps = parameters["max_iter"] * -(-n // batch)
    else:
        batch, steps = n, parameters["max_fun"]
    return estimate(steps, 2 * len(job.hidden) + 2, job.cost / n * steps * batch)
