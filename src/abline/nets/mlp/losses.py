"""Losses of a perceptron's outputs: their values and derivatives row by row.

Squared error and Poisson deviance are as scikit-learn has them. The others are the project's own
criteria, whose derivatives autograd finds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import nn

from abline.errors import one_of
from abline.nets.criteria.base import Criterion
from abline.nets.criteria.gaussian import GaussianNLL
from abline.nets.criteria.log_link import GammaLoss, PoissonLoss
from abline.nets.criteria.quantile import QuantileLoss

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    Floats = NDArray[np.floating[Any]]

LOSSES = (
    "squared_error",
    "poisson",
    "absolute_error",
    "huber",
    "quantile",
    "gamma",
    "gaussian_nll",
)


class OutputLoss:
    """A loss of the last layer's outputs, as they come before any link.

    Parameters
    ----------
    criterion : torch.nn.Module
        With the reduction "none".

    Attributes
    ----------
    averages : bool
        Whether a row's value is the mean over its columns rather than their sum. The derivative
        is the sum's in both cases, as scikit-learn has it.
    like_sklearn : bool
        Whether scikit-learn has this loss; its early stopping goes by R².
    """

    averages: ClassVar[bool] = False
    like_sklearn: ClassVar[bool] = False

    def __init__(self, criterion: nn.Module) -> None:
        self.criterion = criterion

    @property
    def out_activation(self) -> str:
        """What makes predictions of outputs: "exp" of logarithms of means, else "identity"."""
        return "exp" if isinstance(self.criterion, PoissonLoss | GammaLoss) else "identity"

    @property
    def standardises(self) -> bool:
        """Whether the targets may be in units of their own spread."""
        return not isinstance(self.criterion, Criterion) or self.criterion.standardises

    @property
    def has_std(self) -> bool:
        """Whether the outputs hold a standard deviation."""
        return isinstance(self.criterion, GaussianNLL)

    def units(self, n_targets: int) -> int:
        """Give the number of outputs that so many targets need."""
        if isinstance(self.criterion, Criterion):
            return self.criterion.n_outputs(n_targets)
        return n_targets

    def check(self, y: Floats) -> None:
        """Raise a `DataError` where targets of shape (n, t) cannot be of this kind."""
        if isinstance(self.criterion, Criterion):
            self.criterion.check_target(y)

    def evaluate(self, outputs: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Give values and derivatives.

        Parameters
        ----------
        outputs : tensor of shape (n, units)
        y : tensor of shape (n, t)

        Returns
        -------
        values : tensor of shape (n, columns)
        derivatives : tensor of shape (n, units)
            Of the sum of a row's values by the outputs.
        """
        with torch.enable_grad():
            leaf = outputs.detach().requires_grad_()
            values = self.criterion(leaf, y).reshape(len(y), -1)
            (derivatives,) = torch.autograd.grad(values.sum(), leaf)
        return values.detach(), derivatives

    def mean(self, values: Tensor, weights: Tensor | None) -> Tensor:
        """Reduce values of shape (n, columns) to one number."""
        columns = values.mean(dim=0) if weights is None else weights @ values / weights.sum()
        return columns.mean() if self.averages else columns.sum()

    def predict(self, outputs: Floats) -> Floats:
        """Turn outputs of shape (n, units) into predictions of shape (n, t) or (n, t, levels)."""
        if not isinstance(self.criterion, Criterion):
            return outputs
        return self.criterion.predict(torch.from_numpy(outputs)).numpy()

    def predict_std(self, outputs: Floats) -> Floats:
        """Turn outputs of shape (n, units) into standard deviations of shape (n, t)."""
        assert isinstance(self.criterion, GaussianNLL)  # has_std has been looked at
        return self.criterion.predict_std(torch.from_numpy(outputs)).numpy()


class SquaredError(OutputLoss):
    """Half the squared error."""

    averages = True
    like_sklearn = True

    def __init__(self) -> None:
        super().__init__(nn.MSELoss(reduction="none"))

    def evaluate(self, outputs: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Give values and derivatives."""
        error = outputs - y
        return 0.5 * error**2, error


class Poisson(OutputLoss):
    """Half the Poisson deviance, with all its terms; the outputs are logarithms of means."""

    like_sklearn = True

    def __init__(self) -> None:
        super().__init__(PoissonLoss(reduction="none"))

    def evaluate(self, outputs: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Give values and derivatives."""
        mean = outputs.exp()
        return torch.xlogy(y, y / mean) - y + mean, mean - y


def make_loss(name: str, huber_delta: float, quantile: float | Sequence[float]) -> OutputLoss:
    """Make a loss from the estimator's parameters.

    Parameters
    ----------
    name : str
        One of `LOSSES`.
    huber_delta : float
        The error, in units of the targets, from which on ``"huber"`` is linear.
    quantile : float or increasing sequence of float
        The levels of ``"quantile"``.

    Returns
    -------
    OutputLoss

    Raises
    ------
    ParameterError
        If there is no such loss or the levels cannot be used.

    Examples
    --------
    >>> make_loss("quantile", 1.0, [0.1, 0.9]).units(1)
    2
    """
    one_of("loss", name, LOSSES)
    if name == "squared_error":
        return SquaredError()
    if name == "poisson":
        return Poisson()
    criteria: dict[str, nn.Module] = {
        "absolute_error": nn.L1Loss(reduction="none"),
        "huber": nn.HuberLoss(reduction="none", delta=huber_delta),
        "gamma": GammaLoss(reduction="none"),
        "gaussian_nll": GaussianNLL(reduction="none"),
    }
    if name == "quantile":
        return OutputLoss(QuantileLoss(quantile, reduction="none"))
    return OutputLoss(criteria[name])
