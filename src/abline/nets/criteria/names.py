"""The names of losses, which are scikit-learn's where it has them."""

from __future__ import annotations

from typing import Any

from torch import nn

from abline.errors import ParameterError, did_you_mean
from abline.nets.criteria.gaussian import GaussianNLL
from abline.nets.criteria.log_link import GammaLoss, PoissonLoss
from abline.nets.criteria.quantile import QuantileLoss

NAMES: dict[str, type[nn.Module]] = {
    "squared_error": nn.MSELoss,
    "absolute_error": nn.L1Loss,
    "huber": nn.HuberLoss,
    "quantile": QuantileLoss,
    "poisson": PoissonLoss,
    "gamma": GammaLoss,
    "gaussian_nll": GaussianNLL,
}


def criterion_class(name: str) -> type[nn.Module]:
    """Give the class of a loss by its name.

    Parameters
    ----------
    name : str

    Returns
    -------
    class

    Raises
    ------
    ParameterError
        If there is none of that name; the message has the nearest ones.

    Examples
    --------
    >>> criterion_class("squared_error")
    <class 'torch.nn.modules.loss.MSELoss'>
    """
    if name not in NAMES:
        near = did_you_mean(name, NAMES).rstrip("?")
        raise ParameterError(
            f"criterion is {name!r}: {near}, or pass a class such as torch.nn.MSELoss"
        )
    return NAMES[name]


def kind_of(criterion: Any) -> Any:
    """Give the class of a criterion that is one, an instance of one or its name.

    Parameters
    ----------
    criterion : str, class, instance or function

    Returns
    -------
    class
    """
    if isinstance(criterion, str):
        return criterion_class(criterion)
    return criterion if isinstance(criterion, type) else type(criterion)
