"""The likelihood of a normal distribution whose mean and variance both depend on the features.

References
----------
Nix, Weigend, "Estimating the mean and variance of the target probability distribution",
*ICNN*, 1994, §2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from abline.nets.criteria.base import Criterion
from abline.nets.parameters import check_number

if TYPE_CHECKING:
    from torch import Tensor


class GaussianNLL(Criterion):
    """The negative log-likelihood of a normal distribution, without its constant.

    A target's outputs stand side by side: its mean m, and s, whose exponential plus ``eps`` is
    its variance. The logarithm of a variance, and not a softplus of it, since then a change of
    y's units is a step of the same length wherever it begins, and for a given mean the loss is
    convex in it (but for ``eps``), so it comes back from variances that are far off.

    Parameters
    ----------
    eps : float, default=1e-6
        The least variance, in squared units of the targets that are trained on: without it the
        loss of a row that is met exactly has no minimum.
    reduction : {"mean", "sum", "none"}, default="mean"

    Examples
    --------
    >>> import torch
    >>> loss = GaussianNLL()
    >>> outputs = torch.tensor([[1.0, 0.0]])
    >>> loss(outputs, torch.tensor([[3.0]]))
    tensor(2.0000)
    >>> loss.predict(outputs), loss.predict_std(outputs)
    (tensor([[1.]]), tensor([[1.0000]]))
    """

    def __init__(self, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction)
        check_number("eps", eps, above=0.0)
        self.eps = float(eps)

    def values(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Compute the loss of each row and target."""
        mean, variance = self._mean_variance(outputs)
        errors = target.reshape(mean.shape) - mean
        return 0.5 * (variance.log() + errors.square() / variance)

    def n_outputs(self, n_targets: int) -> int:
        """Give how many columns a module is to have: two for each target."""
        return 2 * n_targets

    def predict(self, outputs: Tensor) -> Tensor:
        """Give the mean, of shape (n, t)."""
        return self._mean_variance(outputs)[0]

    def predict_std(self, outputs: Tensor) -> Tensor:
        """Give the standard deviation.

        Parameters
        ----------
        outputs : tensor of shape (n, 2 t)

        Returns
        -------
        tensor of shape (n, t)
            In the units of the targets.
        """
        return self._mean_variance(outputs)[1].sqrt()

    def constructor_args(self) -> dict[str, Any]:
        """Give the arguments that make a loss like this one."""
        return {"eps": self.eps, **super().constructor_args()}

    def _mean_variance(self, outputs: Tensor) -> tuple[Tensor, Tensor]:
        mean, spread = outputs.reshape(len(outputs), -1, 2).unbind(2)
        return mean, spread.exp() + self.eps
