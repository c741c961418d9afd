"""Training by L-BFGS: SciPy's, on all rows at once."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning

from abline.nets.mlp.flat import put_flat, to_flat
from abline.nets.warned import warn

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from abline.nets.mlp.listener import Listener
    from abline.nets.mlp.steps import Data, Steps


@dataclass
class LBFGSTraining:
    """One training by L-BFGS.

    Attributes
    ----------
    steps : Steps
        In float64.
    max_iter, max_fun : int
    tol : float
        Of the largest derivative.
    verbose : bool
    valid : Data or None
        Rows whose loss is noted.
    listener : Listener or None
    n_iter : int
    loss : float
        The objective, with the penalty.
    validation_losses : list of float
    """

    steps: Steps
    max_iter: int
    max_fun: int
    tol: float
    verbose: bool
    valid: Data | None = None
    listener: Listener | None = None
    n_iter: int = 0
    loss: float = math.nan
    validation_losses: list[float] = field(default_factory=list)

    def run(self) -> None:
        """Train until the derivatives are small.

        Warns
        -----
        ConvergenceWarning
            If it ends for another reason.
        """
        looked_at = self.verbose or self.valid is not None or self.listener is not None
        found = minimize(
            self.steps.loss_gradient,
            to_flat(self.steps.params),
            method="L-BFGS-B",
            jac=True,
            callback=self._look if looked_at else None,
            options={"maxfun": self.max_fun, "maxiter": self.max_iter, "gtol": self.tol},
        )
        put_flat(found.x, self.steps.params)
        self.n_iter, self.loss = min(found.nit, self.max_iter), float(found.fun)
        stopped_by_callback = self.listener is not None and self.listener.state.stop
        if found.status != 0 and not stopped_by_callback:
            warn(
                f"lbfgs failed to converge after {self.n_iter} iterations (status={found.status}, "
                f"{found.message}): raise max_iter or max_fun, or scale X and y",
                ConvergenceWarning,
            )

    def results(self) -> dict[str, Any]:
        """Give the estimator's attributes."""
        losses = self.validation_losses if self.valid is not None else None
        return {
            "loss_": self.loss,
            "validation_loss_curve_": losses,
            "n_iter_": self.n_iter,
            "t_": 0,
        }

    # SciPy gives its whole state to a callback whose one parameter has this name
    def _look(self, intermediate_result: Any) -> None:
        x: NDArray[np.float64] = intermediate_result.x
        loss, valid_loss = float(intermediate_result.fun), math.nan
        self.n_iter, self.loss = self.n_iter + 1, loss
        if self.verbose:
            print(f"Iteration {self.n_iter}, loss = {loss:.8f}")
        put_flat(x, self.steps.params)
        if self.valid is not None:
            valid_loss = self.steps.loss(self.valid)
            self.validation_losses.append(valid_loss)
        if self.listener and self.listener.hear(loss, valid_loss, math.nan)[0]:
            raise StopIteration
