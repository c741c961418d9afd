"""Training by Levenberg–Marquardt, with restarts."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning

from abline.nets.engines.lm import run_lm
from abline.nets.training import Rows
from abline.nets.warned import warn
from abline.tables.conversion import is_sparse

if TYPE_CHECKING:
    from torch import nn

    from abline.nets.mlp.listener import Listener
    from abline.nets.mlp.steps import Data


@dataclass
class LevenbergTraining:
    """One training by Levenberg–Marquardt, of squared error.

    Attributes
    ----------
    module : torch.nn.Module
        Changed in place.
    train : Data
    valid : Data or None
        Rows that choose among the restarts, and the best weights on the way.
    max_iter, n_restarts, seed : int
    tol : float
        Relative change of loss or weights, below which it has converged.
    verbose : bool
    listener : Listener or None
    losses, validation_losses : list of float
        Of the first weights, then after each accepted step.
    """

    module: nn.Module
    train: Data
    valid: Data | None
    max_iter: int
    n_restarts: int
    seed: int
    tol: float
    verbose: bool
    listener: Listener | None = None
    losses: list[float] = field(default_factory=list)
    validation_losses: list[float] = field(default_factory=list)

    def run(self) -> None:
        """Train until nothing better is found.

        Warns
        -----
        ConvergenceWarning
            If it ends for another reason.
        """
        try:
            result = run_lm(
                self.module,
                _rows(self.train),
                None if self.valid is None else _rows(self.valid),
                max_iter=self.max_iter,
                n_restarts=self.n_restarts,
                tol=self.tol,
                seed=self.seed,
                watch=self._watch,
            )
        except KeyboardInterrupt:
            if not self.losses:
                raise  # nothing was trained yet
            warn("Training interrupted by user.")
            return
        if not result.converged:
            warn(
                f"Levenberg–Marquardt has {result.message} (max_iter={self.max_iter}, "
                f"n_restarts={self.n_restarts})",
                ConvergenceWarning,
            )

    def results(self) -> dict[str, Any]:
        """Give the estimator's attributes."""
        best = int(np.nanargmin(self.losses if self.valid is None else self.validation_losses))
        return {
            "loss_": self.losses[best],
            "loss_curve_": self.losses,
            "best_loss_": min(self.losses),
            "validation_scores_": None,
            "best_validation_score_": None,
            "validation_loss_curve_": None if self.valid is None else self.validation_losses,
            "n_iter_": len(self.losses) - 1,
            "t_": 0,
        }

    def _watch(self, line: dict[str, float]) -> bool:
        # the estimator's loss is half the mean square
        loss, valid_loss = 0.5 * line["train_loss"], 0.5 * line["valid_loss"]
        if self.verbose:
            print(f"Iteration {len(self.losses)}, loss = {loss:.8f}")
        self.losses.append(loss)
        self.validation_losses.append(valid_loss)
        return self.listener is not None and self.listener.hear(loss, valid_loss, math.nan)[0]


def _rows(data: Data) -> Rows:
    X = data.X.toarray() if is_sparse(data.X) else data.X
    weights = None if data.weights is None else torch.from_numpy(data.weights)
    return Rows(torch.from_numpy(X), torch.from_numpy(data.y), weights)
