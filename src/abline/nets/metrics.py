"""Scores of each epoch: scikit-learn's scorers and other libraries' metric objects.

The common regression scorers are computed in torch on the device; others on the CPU by
scikit-learn. They keep scikit-learn's sign: greater is better.
"""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

import torch
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.metrics import get_scorer, get_scorer_names
from torch import Tensor

from abline.errors import ParameterError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from abline.nets.training import Metric


def make_metrics(metrics: Any, device: torch.device) -> dict[str, Metric]:
    """Make a fit's own metrics.

    Parameters
    ----------
    metrics : None, str, object, list or dict of them
        Names of scikit-learn's scorers, scorers, or objects with ``update(preds, target)``
        and ``compute()``; a dict gives them names.
    device : torch.device
        Where metric objects go.

    Returns
    -------
    dict of str to Metric
        By the name that the history will have after ``train_`` and ``valid_``.

    Raises
    ------
    ParameterError
        If a name is unknown, an object is no metric, or two have the same name.
    """
    named: dict[str, Metric] = {}
    for name, metric in _with_names(metrics):
        if name in named or name == "loss":
            raise ParameterError(
                f"metrics has the name {name!r} twice or for a loss: pass a dict with other names"
            )
        named[name] = _make_metric(metric, device)
    return named


def _with_names(metrics: Any) -> list[tuple[str, Any]]:
    if metrics is None:
        return []
    if isinstance(metrics, dict):
        return [(str(name), metric) for name, metric in metrics.items()]
    if not isinstance(metrics, list | tuple):
        metrics = [metrics]
    return [(metric if isinstance(metric, str) else _name(metric), metric) for metric in metrics]


def _name(metric: Any) -> str:
    """Turn ``MeanSquaredError()`` into ``mean_squared_error``."""
    if hasattr(metric, "_score_func"):
        return str(metric._score_func.__name__)
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(metric).__name__).lower()


def _make_metric(metric: Any, device: torch.device) -> Metric:
    if isinstance(metric, str):
        if metric in _IN_TORCH:
            return _TorchScore(_IN_TORCH[metric])
        try:
            return _CpuScore(get_scorer(metric))
        except ValueError:
            near = did_you_mean(metric, get_scorer_names())
            raise ParameterError(
                f"metrics has no {metric!r}: {near or 'give a name of a scikit-learn scorer'}"
            ) from None
    if isinstance(metric, type):
        raise ParameterError(f"metrics has the class {metric.__name__}: pass an instance of it")
    if hasattr(metric, "update") and hasattr(metric, "compute"):
        own = copy.deepcopy(metric)
        return _ObjectScore(own.to(device) if hasattr(own, "to") else own)
    if hasattr(metric, "_score_func") and callable(metric):  # from make_scorer
        return _CpuScore(metric)
    raise ParameterError(
        f"metrics has {metric!r}: give a scikit-learn scorer's name, or an object with update "
        "and compute"
    )


class _TorchScore:
    """A scorer computed where the outputs are."""

    def __init__(self, score: Callable[[Tensor, Tensor], Tensor]) -> None:
        self.score = score

    def __call__(self, outputs: Tensor, target: Tensor) -> float:
        # float32 sums of a large table would lose digits that scikit-learn keeps; an Apple
        # GPU has no float64
        dtype = torch.float32 if outputs.device.type == "mps" else torch.float64
        outputs, target = outputs.to(dtype), target.to(dtype)
        return float(self.score(outputs.reshape(len(outputs), -1), target.reshape(len(target), -1)))


class _CpuScore:
    """Any of scikit-learn's scorers."""

    def __init__(self, scorer: Any) -> None:
        self.scorer = scorer

    def __call__(self, outputs: Tensor, target: Tensor) -> float:
        observed = _squeezed(target).detach().double().cpu().numpy()
        predicted = _squeezed(outputs).detach().double().cpu().numpy()
        return float(self.scorer(_AlreadyPredicted(predicted), observed, observed))


class _AlreadyPredicted(RegressorMixin, BaseEstimator):
    """A regressor for scorers, whose predictions are there already."""

    def __init__(self, predictions: Any = None) -> None:
        self.predictions = predictions

    def predict(self, X: Any) -> Any:  # noqa: ARG002 - scorers pass it
        return self.predictions


class _ObjectScore:
    """An object with ``update`` and ``compute``, begun anew in each epoch."""

    def __init__(self, metric: Any) -> None:
        self.fresh = metric

    def __call__(self, outputs: Tensor, target: Tensor) -> float:
        metric = self.fresh
        if hasattr(metric, "reset"):
            metric.reset()
        else:
            metric = copy.deepcopy(metric)
        metric.update(_squeezed(outputs).detach(), _squeezed(target))
        value = metric.compute()
        try:
            return float(value)
        except (TypeError, ValueError, RuntimeError):
            raise ParameterError(
                f"metrics has a {type(metric).__name__}, which computes a {type(value).__name__} "
                "of several values: pass metrics that compute one number each"
            ) from None


def _squeezed(values: Tensor) -> Tensor:
    return values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values


def _share_explained(unexplained: Tensor, total: Tensor) -> Tensor:
    """Give the mean over targets of 1 - unexplained / total; a constant target's is 0 or 1."""
    share = 1 - unexplained / torch.where(total == 0, 1.0, total)
    constant = torch.where(unexplained == 0, 1.0, 0.0).to(share.dtype)
    return torch.where(total == 0, constant, share).mean()


def _r2(outputs: Tensor, target: Tensor) -> Tensor:
    unexplained = (target - outputs).square().sum(0)
    return _share_explained(unexplained, (target - target.mean(0)).square().sum(0))


def _explained_variance(outputs: Tensor, target: Tensor) -> Tensor:
    unexplained = (target - outputs).var(0, correction=0)
    return _share_explained(unexplained, target.var(0, correction=0))


#: the scorers that torch computes; their arguments have shape (n, t)
_IN_TORCH: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "r2": _r2,
    "explained_variance": _explained_variance,
    "neg_mean_absolute_error": lambda outputs, target: -(target - outputs).abs().mean(),
    "neg_mean_squared_error": lambda outputs, target: -(target - outputs).square().mean(),
    "neg_root_mean_squared_error": lambda outputs, target: (
        -(target - outputs).square().mean(0).sqrt().mean()
    ),
    "neg_max_error": lambda outputs, target: -(target - outputs).abs().max(),
}
