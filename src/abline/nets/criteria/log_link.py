"""Losses whose outputs are the logarithm of the mean: counts, and positive amounts.

References
----------
McCullagh, Nelder, *Generalized Linear Models*, 1989, §6.2 (Poisson) and §8.2-8.3 (gamma).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor

from abline.nets.criteria.base import Criterion, refuse_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray


class PoissonLoss(Criterion):
    """Half the Poisson deviance, less what does not depend on the outputs.

    The same number as ``torch.nn.PoissonNLLLoss()``, but the predictions are means: outputs are
    their logarithms.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default="mean"

    Examples
    --------
    >>> loss = PoissonLoss()
    >>> loss(torch.tensor([0.0]), torch.tensor([2.0]))
    tensor(1.)
    >>> loss.predict(torch.tensor([0.0]))
    tensor([1.])
    """

    standardises: ClassVar[bool] = False
    takes_offset: ClassVar[bool] = True

    def values(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Compute the loss of each row and target."""
        return outputs.exp() - target * outputs

    def predict(self, outputs: Tensor) -> Tensor:
        """Give the mean."""
        return outputs.exp()

    def check_target(self, y: NDArray[Any]) -> None:
        """Refuse negative counts."""
        refuse_rows(y < 0, y, "counts must be 0 or more, or choose another loss than poisson")


class GammaLoss(Criterion):
    """Half the gamma deviance, less what does not depend on the outputs.

    For amounts whose standard deviation grows with their mean. Outputs are the logarithms of
    the means.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default="mean"

    Examples
    --------
    >>> loss = GammaLoss()
    >>> loss(torch.tensor([0.0]), torch.tensor([2.0]))
    tensor(2.)
    """

    standardises: ClassVar[bool] = False
    takes_offset: ClassVar[bool] = True

    def values(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Compute the loss of each row and target."""
        return outputs + target * torch.exp(-outputs)

    def predict(self, outputs: Tensor) -> Tensor:
        """Give the mean."""
        return outputs.exp()

    def check_target(self, y: NDArray[Any]) -> None:
        """Refuse amounts that are not positive."""
        refuse_rows(y <= 0, y, "amounts must be above 0, or choose another loss than gamma")
