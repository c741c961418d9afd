"""What criterion and which optimizer a training has, as kernels know them."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from abline.nets.criteria import GammaLoss, GaussianNLL, PoissonLoss, QuantileLoss
from abline.nets.engines.fused import codes
from abline.nets.engines.fused.stack import NotFused

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from abline.nets.engines.fused.stack import Stack


@dataclass(frozen=True)
class LossRule:
    """A criterion that kernels know.

    Attributes
    ----------
    code : int
        From `codes`.
    parameters : tuple of float
        Huber's delta, for example; see `losses`.
    summed : bool
        Whether rows and targets are added up; otherwise their mean is taken.
    levels : int
        Values of each target.
    value_share, slope_share : float or None
        What a row's sum over its values and its derivatives are multiplied by; None makes it
        their mean, or their sum with ``summed``.
    """

    code: int
    parameters: tuple[float, ...] = ()
    summed: bool = False
    levels: int = 1
    value_share: float | None = None
    slope_share: float | None = None

    def array(self, n_targets: int) -> NDArray[np.float64]:
        """Give the numbers that kernels take (see `passes`)."""
        usual = 1.0 if self.summed else 1.0 / (n_targets * self.levels)
        shares = (usual if each is None else each for each in (self.value_share, self.slope_share))
        return np.array([*shares, float(self.summed), *self.parameters])


_FUNCTIONS: dict[Any, type[nn.Module]] = {
    nn.functional.mse_loss: nn.MSELoss,
    nn.functional.l1_loss: nn.L1Loss,
    nn.functional.huber_loss: nn.HuberLoss,
    nn.functional.smooth_l1_loss: nn.SmoothL1Loss,
    nn.functional.poisson_nll_loss: nn.PoissonNLLLoss,
}

_LOG_LINKS: dict[type[nn.Module], int] = {PoissonLoss: codes.POISSON, GammaLoss: codes.GAMMA}


def find_loss(criterion: Any) -> LossRule:
    """Read a criterion as a rule.

    Parameters
    ----------
    criterion : callable
        A fit's own, from `abline.nets.losses.make_criterion`.

    Returns
    -------
    LossRule

    Raises
    ------
    NotFused
        If kernels do not know it.

    Examples
    --------
    >>> find_loss(nn.HuberLoss(delta=2.0))
    LossRule(code=2, parameters=(2.0,), summed=False, levels=1, value_share=None, slope_share=None)
    """
    function, arguments = criterion, {}
    if isinstance(criterion, functools.partial) and not criterion.args:
        function, arguments = criterion.func, criterion.keywords
    if function in _FUNCTIONS:
        try:
            criterion = _FUNCTIONS[function](**arguments)
        except TypeError:
            raise _unknown(criterion) from None
    if getattr(criterion, "reduction", None) not in ("mean", "sum"):
        raise _unknown(criterion)
    return criterion_rule(criterion)


def criterion_rule(criterion: Any) -> LossRule:
    """Read a criterion as a rule, whatever becomes of its values.

    Parameters
    ----------
    criterion : torch.nn.Module
        With the reduction "none" the rule is that of their mean.

    Returns
    -------
    LossRule

    Raises
    ------
    NotFused
        If kernels do not know it.
    """
    kind, summed = type(criterion), getattr(criterion, "reduction", None) == "sum"
    if isinstance(criterion, nn.Module) and (
        criterion._forward_hooks or criterion._forward_pre_hooks or "forward" in vars(criterion)
    ):
        raise NotFused(f"the loss {kind.__name__} has hooks or a forward of its own")
    if kind in _LOG_LINKS:
        return LossRule(_LOG_LINKS[kind], summed=summed)
    if kind is QuantileLoss:
        return _quantile_rule(criterion, summed=summed)
    if kind is GaussianNLL:
        return LossRule(codes.GAUSSIAN, (criterion.eps,), summed)
    if kind is nn.MSELoss:
        return LossRule(codes.SQUARED, summed=summed)
    if kind is nn.L1Loss:
        return LossRule(codes.ABSOLUTE, summed=summed)
    if kind is nn.HuberLoss:
        return LossRule(codes.HUBER, (float(criterion.delta),), summed)
    if kind is nn.SmoothL1Loss and criterion.beta > 0:
        return LossRule(codes.SMOOTH_ABSOLUTE, (float(criterion.beta),), summed)
    if kind is nn.PoissonNLLLoss and criterion.log_input and not criterion.full:
        return LossRule(codes.POISSON, summed=summed)
    raise _unknown(criterion)


def _unknown(criterion: Any) -> NotFused:
    name = getattr(criterion, "__name__", type(criterion).__name__)
    return NotFused(f"kernels do not know the loss {name}")


def _quantile_rule(criterion: QuantileLoss, *, summed: bool) -> LossRule:
    levels = criterion.levels
    if isinstance(criterion.quantile, float):
        return LossRule(codes.QUANTILE, levels, summed)
    numbers = (float(len(levels)), float(criterion.middle), *levels)
    return LossRule(codes.QUANTILES, numbers, summed, len(levels))


@dataclass(frozen=True)
class OptimizerRule:
    """An optimizer that kernels know.

    Attributes
    ----------
    code : int
        From `codes`.
    settings : array of float64
        As `updates` takes them.
    memory : tuple of str
        The names of what the optimizer remembers of each parameter, at most two.
    """

    code: int
    settings: NDArray[np.float64]
    memory: tuple[str, ...]


def find_optimizer(optimizer: torch.optim.Optimizer, stack: Stack) -> OptimizerRule:
    """Read an optimizer as a rule.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
    stack : Stack
        Whose parameters it moves.

    Returns
    -------
    OptimizerRule

    Raises
    ------
    NotFused
        If kernels do not know it, or its settings.
    """
    name = type(optimizer).__name__
    if len(optimizer.param_groups) != 1:
        raise NotFused(f"{name} has several groups of parameters")
    if optimizer._optimizer_step_pre_hooks or optimizer._optimizer_step_post_hooks:
        raise NotFused(f"{name} has hooks")
    group = optimizer.param_groups[0]
    if {id(p) for p in group["params"]} != {id(p) for p in stack.tensors()}:
        raise NotFused(f"{name} does not move all parameters")
    numbers = [
        group[key] for key in ("lr", "weight_decay", "momentum", "dampening") if key in group
    ]
    if any(isinstance(number, torch.Tensor) for number in [*numbers, *group.get("betas", ())]):
        raise NotFused(f"{name} has tensors for settings")
    if any(group.get(key) for key in ("amsgrad", "maximize", "capturable", "differentiable")):
        raise NotFused(f"kernels do not know these settings of {name}")
    if type(optimizer) is torch.optim.SGD:
        first, second, epsilon = group["momentum"], group["dampening"], 0.0
        memory: tuple[str, ...] = ("momentum_buffer",) if first else ()
        code = codes.SGD
    elif type(optimizer) in (torch.optim.Adam, torch.optim.AdamW):
        (first, second), epsilon = group["betas"], group["eps"]
        memory = ("exp_avg", "exp_avg_sq")
        decoupled = type(optimizer) is torch.optim.AdamW or group.get("decoupled_weight_decay")
        code = codes.ADAMW if decoupled else codes.ADAM
    else:
        raise NotFused(f"kernels do not know the optimizer {name}")
    nesterov = float(group.get("nesterov", False))
    settings = np.array([first, second, epsilon, group["weight_decay"], nesterov], dtype=np.float64)
    if not np.isfinite(settings).all() or not math.isfinite(group["lr"]):
        raise NotFused(f"{name} has settings that are no numbers")
    return OptimizerRule(code, settings, memory)
