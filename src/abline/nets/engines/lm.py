"""Levenberg–Marquardt, as MINPACK has it, for modules of up to a few thousand parameters.

Worth it where the error is squared, the module small and the answer wanted to many digits or at
once: a step sees the curvature, so tens of them do what takes Adam thousands. A step's work
grows with rows × parameters² + parameters³: some 3 ms for 170 parameters and 800 rows, 0.1 s for
320 and 16,000, 3 s for 4,000 and 1,000. From a few hundred parameters and ten thousand rows on,
Adam is the better choice.

References
----------
Moré, *The Levenberg–Marquardt algorithm: implementation and theory*, 1978.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from abline.nets.devices import cpu_threads
from abline.nets.engines.lm_problem import Problem
from abline.nets.engines.lm_race import race
from abline.nets.engines.lm_region import Region
from abline.nets.engines.lm_starts import first_weights
from abline.nets.engines.lm_track import Track

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from abline.nets.training import History, Rows

#: tolerances of layers' weights, and of parameters that stand for something
_OF_WEIGHTS, _OF_FORMULAS = 1e-8, 1e-15


@dataclass(frozen=True)
class LMResult:
    """What a training by Levenberg–Marquardt found; the module holds the parameters.

    Attributes
    ----------
    history : dict of str to list of float
        ``epoch``, ``train_loss``, ``valid_loss`` (NaN without validation rows), ``seconds`` since
        the training began and ``lr`` (NaN) of each point that the chosen start came through:
        first its first weights, then those after each accepted step.
    converged : bool
        Whether it ended because nothing better was to be found (or ``watch`` ended it), not
        because ``max_iter`` was up or the derivatives were no longer finite.
    message : str
        Why it ended.
    n_iter : int
        Accepted steps of the chosen start.
    n_starts : int
        The module's own weights and the restarts.
    start : int
        The chosen one; 0 is the module's own weights.
    """

    history: History = field(repr=False)
    converged: bool
    message: str
    n_iter: int
    n_starts: int
    start: int


def run_lm(
    module: nn.Module,
    train: Rows,
    valid: Rows | None = None,
    *,
    max_iter: int = 200,
    n_restarts: int = 15,
    tol: float | None = None,
    seed: int = 0,
    n_jobs: int | None = None,
    watch: Callable[[dict[str, float]], bool] | None = None,
) -> LMResult:
    """Train a module on squared error by Levenberg–Marquardt.

    The module's own weights and ``n_restarts`` others (`first_weights`) run some cheap steps
    side by side; the better half goes on, until one is left (`race`), which `Region` trains to the
    end. "Better" is the least validation loss so far; starts within one standard error of the
    least are told apart by their training loss, and so are all where there are no validation
    rows. The weights kept are those of the least validation loss on the way.

    Parameters
    ----------
    module : torch.nn.Module
        Its free parameters are set in place, in their own precision; computed in float64 on the
        CPU. It ends in evaluation mode.
    train : Rows
    valid : Rows, optional
        With them, training ends after 6 accepted steps without a better validation loss.
    max_iter : int
        The most evaluations of the residuals after the race.
    n_restarts : int
        0 trains the module's own weights alone, with no race.
    tol : float, optional
        Relative change of loss or parameters, and cosine between residuals and derivatives,
        below which it has converged. By default 1e-8 where all parameters are weights of layers,
        which lie in long flat valleys, and nearly all of float64's digits otherwise.
    seed : int
        Of the restarts' first weights.
    n_jobs : int, optional
        Threads over the starts; by default as many as there are processors. The numbers do
        not depend on it.
    watch : callable, optional
        Is given the line of the history of each point that the chosen start came through, while
        the module has the parameters of that point; training ends once it returns True.

    Returns
    -------
    LMResult

    Raises
    ------
    ParameterError
        If the module has too many parameters or none, dropout or batch normalisation, or gives
        outputs that are not finite.
    KeyboardInterrupt
        If a person interrupts it; the module has the best parameters of the way so far.

    Examples
    --------
    >>> import torch
    >>> from abline.nets.training import Rows
    >>> line = torch.nn.Linear(1, 1)
    >>> x = torch.arange(5.0)[:, None]
    >>> run_lm(line, Rows(x, 3 * x + 1), n_restarts=0).converged
    True
    >>> round(line.weight.item(), 4), round(line.bias.item(), 4)
    (3.0, 1.0)
    """
    began = time.perf_counter()
    with cpu_threads(1):  # threads are over starts: sums stay as they are, whatever n_jobs is
        problem = Problem(module, train, valid)
        starts = first_weights(problem, n_restarts, seed)
        chosen, runner = race(problem, starts, _threads(n_jobs))

        def show(theta: Tensor, line: dict[str, float]) -> bool:
            if watch is None:
                return False
            problem.write(theta, module)
            return watch(line)

        if tol is None:
            tol = _OF_WEIGHTS if problem.model.weights_only else _OF_FORMULAS
        track = Track(problem, began, show)
        try:
            for theta, when in runner.trail:
                track.accept(theta, problem.squares(theta), when)
                if track.stopped:
                    break
            ending = Region(track, tol).run(max_iter)
        except KeyboardInterrupt:
            problem.write(track.best, module)
            raise
    problem.write(track.best, module)
    module.eval()
    history = track.history()
    n_iter = len(history["epoch"]) - 1
    return LMResult(history, ending.converged, ending.message, n_iter, len(starts), chosen)


def _threads(n_jobs: int | None) -> int:
    available = len(os.sched_getaffinity(0))
    if n_jobs is None:
        return available
    return n_jobs if n_jobs > 0 else max(1, available + 1 + n_jobs)
