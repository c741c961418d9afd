"""What abline's own losses have in common: they know what a module's outputs stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from torch import Tensor, nn

from abline.errors import DataError, ParameterError, one_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

REDUCTIONS = ("mean", "sum", "none")


class Criterion(nn.Module):
    """A loss with the link from a module's outputs to its predictions.

    Subclasses have ``values``, and what else differs from a loss of one output for each target,
    which is the prediction.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default="mean"
        As of torch's losses.

    Attributes
    ----------
    standardises : bool
        Whether the loss means the same for targets in units of their own spread.
    takes_offset : bool
        Whether a known number may be added to the outputs, as the log of an exposure.
    """

    standardises: ClassVar[bool] = True
    takes_offset: ClassVar[bool] = False

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = one_of("reduction", reduction, REDUCTIONS)

    def forward(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Compute the loss.

        Parameters
        ----------
        outputs : tensor of shape (n, ``n_outputs(t)``), or (n,)
        target : tensor of shape (n, t), or (n,)

        Returns
        -------
        tensor
            One number, or with ``reduction="none"`` those that it is the mean of.

        Raises
        ------
        ParameterError
            If the shapes do not fit.
        """
        n_targets = 1 if target.ndim == 1 else target.shape[1]
        columns = 1 if outputs.ndim == 1 else outputs.shape[1]
        if len(outputs) != len(target) or columns != self.n_outputs(n_targets):
            raise ParameterError(
                f"{type(self).__name__} gets outputs of shape {tuple(outputs.shape)} for targets "
                f"of shape {tuple(target.shape)}: give {self.n_outputs(n_targets)} columns"
            )
        values = self.values(outputs, target)
        if self.reduction == "none":
            return values
        return values.sum() if self.reduction == "sum" else values.mean()

    def values(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Compute the loss of each row and target, as each subclass defines it."""
        raise NotImplementedError

    def n_outputs(self, n_targets: int) -> int:
        """Give how many columns a module is to have.

        Parameters
        ----------
        n_targets : int

        Returns
        -------
        int
        """
        return n_targets

    def predict(self, outputs: Tensor) -> Tensor:
        """Turn outputs into predictions.

        Parameters
        ----------
        outputs : tensor of shape (n, ``n_outputs(t)``)

        Returns
        -------
        tensor of shape (n, t), or (n, t, levels)
        """
        return outputs

    def check_target(self, y: NDArray[Any]) -> None:
        """Refuse targets that the loss is not defined for.

        Parameters
        ----------
        y : array of shape (n, t)

        Raises
        ------
        DataError
            If there is such a target; the message names its row.
        """

    def constructor_args(self) -> dict[str, Any]:
        """Give the arguments that make a loss like this one.

        Returns
        -------
        dict
            Plain data.
        """
        return {"reduction": self.reduction}

    def extra_repr(self) -> str:
        """Give the arguments as text."""
        return ", ".join(f"{name}={value!r}" for name, value in self.constructor_args().items())


def refuse_rows(wrong: NDArray[np.bool_], y: NDArray[Any], rule: str) -> None:
    """Raise the error of the first row with a wrong target, if there is one.

    Parameters
    ----------
    wrong, y : arrays of shape (n, t)
    rule : str
        What the targets must be, and what to do where they are not.

    Raises
    ------
    DataError
    """
    if wrong.any():
        row, column = (int(i) for i in np.argwhere(wrong)[0])
        raise DataError(f"y is {y[row, column]:g} in row {row}: {rule}")
