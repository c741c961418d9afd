"""From a fitted model, with or without its rows, to a result."""

from __future__ import annotations

import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

from abline.errors import DataError, DataWarning, ParameterError, one_of
from abline.linear.inference.clusters import FEW, clusters_of
from abline.linear.inference.covariance import KINDS, covariance
from abline.linear.inference.estimates import estimate
from abline.linear.inference.meat import Meat
from abline.linear.inference.result import LinearResult
from abline.linear.inference.seen_again import SeenAgain, see_again
from abline.tables.arrays import check_training

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from abline.linear.inference.design import Design
    from abline.linear.inference.estimates import Estimates
    from abline.tables.arrays import TrainingArrays


def summarise(
    model: Any,
    X: Any = None,
    y: Any = None,
    *,
    cov: str = "nonrobust",
    groups: Any = None,
    sample_weight: Any = None,
    use_t: bool | None = None,
    target: int | None = None,
    fitted: bool = False,
    features: Sequence[str] | None = None,
    target_name: str | None = None,
    design: Design | None = None,
    notes: tuple[str, ...] = (),
) -> LinearResult:
    """Give a result.

    Parameters
    ----------
    model : LinearRegression
        Fitted.
    X, y : optional
        The rows of the fit once more.
    cov : {"nonrobust", "HC0", "HC1", "HC2", "HC3", "cluster"}
    groups : array of shape (n,) or (n, 2), optional
        For clusters.
    sample_weight : array of shape (n,), optional
        As in the fit.
    use_t : bool, optional
    target : int, optional
        Which one, where there are several.
    fitted : bool, default=False
        Whether X and y are the very arrays of the fit, which then need no check.
    features : sequence of str, optional
        Names, where the model has none.
    target_name : str, optional
    design : Design, optional
        Of the formula that X came from.
    notes : tuple of str
        Sentences to print below the table.

    Returns
    -------
    LinearResult

    Raises
    ------
    ParameterError
        If ``cov`` cannot be that, or asks for rows or groups that are not given.
    DataError
        If the rows are not those fitted.

    Warns
    -----
    DataWarning
        If the clusters are few.
    """
    _check_options(cov, groups, use_t, with_rows=X is not None or y is not None)
    estimates = estimate(model, target=target, features=features)
    data = _given(model, estimates, X, y, sample_weight)
    rows: SeenAgain | Callable[[], SeenAgain] | None = None
    meat = Meat.like(cov, estimates)
    clusters = None
    if data is not None:
        column = data.y[:, min(estimates.target, data.y.shape[1] - 1)]
        look = partial(
            see_again, estimates, data.X, column, data.sample_weight, check=not fitted, meat=meat
        )
        # the very arrays of the fit need no check, and may never be looked at
        rows = look if fitted and cov == "nonrobust" else look()
    seen = rows if isinstance(rows, SeenAgain) else None
    if seen is not None and groups is not None:
        clusters = clusters_of(groups, len(seen.y), seen.counted)
        if min(clusters.counts) < FEW:
            warnings.warn(
                f"there are only {min(clusters.counts)} clusters: with fewer than about {FEW}, "
                "standard errors come out too small and intervals too short",
                DataWarning,
                stacklevel=3,
            )
    found = covariance(estimates, cov, rows=seen, meat=meat, clusters=clusters, use_t=use_t)
    name = target_name or getattr(y, "name", None)
    return LinearResult(
        model,
        estimates,
        found,
        rows=rows,
        design=design,
        target_name=str(name) if name else "y",
        notes=notes,
    )


def _check_options(cov: str, groups: Any, use_t: bool | None, *, with_rows: bool) -> None:
    one_of("cov", cov, KINDS)
    if use_t is not None and not isinstance(use_t, bool):
        raise ParameterError(f"use_t is {use_t!r}: give True, False or None")
    if cov == "cluster" and groups is None:
        raise ParameterError('cov="cluster" needs groups: give one label per row')
    if cov != "cluster" and groups is not None:
        raise ParameterError(
            f'groups are for cov="cluster", and cov is "{cov}": leave them out, or change cov'
        )
    if cov != "nonrobust" and not with_rows:
        raise ParameterError(
            f'cov="{cov}" needs the rows that the model was fitted on: give them again, as in '
            f'model.summary(X, y, cov="{cov}")'
        )


def _given(
    model: Any, estimates: Estimates, X: Any, y: Any, sample_weight: Any
) -> TrainingArrays | None:
    if X is None and y is None:
        if sample_weight is not None:
            raise ParameterError("sample_weight comes with rows: give X and y as well")
        return None
    if X is None or y is None:
        raise ParameterError("X and y come together: give both of them, or neither")
    data = check_training(model, X, y, sample_weight, reset=False, accept_sparse=True, finite=False)
    width = data.y.shape[1]
    if width not in {1, model.factor_.n_targets}:
        raise DataError(
            f"y has {width} columns and the model {model.factor_.n_targets} targets: pass the y "
            f"that it was fitted on, or its column {estimates.target}"
        )
    return data
