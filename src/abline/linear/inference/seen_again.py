"""The rows that a model was fitted on, given again, with their residuals.

A fitted model holds the factor of its table and not the table. What needs rows gets them from
here a block at a time; no copy of them all is ever made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from abline.linear.inference.same_rows import Sums, combination
from abline.linear.rows import Rows
from abline.linear.threads import in_order, one_blas_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from abline.linear.inference.estimates import Estimates
    from abline.linear.inference.meat import Meat
    from abline.tables.conversion import Floats

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Part:
    """Some rows of the design with their residuals.

    Attributes
    ----------
    rows : slice or array of int
        Which ones.
    basis : array of shape (b, r)
        The centred design times the roots of the weights, the constant's column last; made
        orthonormal over all rows unless told otherwise. It may be written to.
    errors : array of shape (b,), in units of y
        Residuals times the roots of the weights.
    """

    rows: Any
    basis: Array
    errors: Array


@dataclass(frozen=True)
class SeenAgain:
    """A fitted line on its own rows.

    Attributes
    ----------
    X : array or sparse matrix (by rows) of shape (n, p)
    y : array of shape (n,)
    weights : array of shape (n,) or None
    estimates : Estimates
    residuals : array of shape (n,), in units of y
        Without the weights.
    products : array of shape (r, r), or None
        What the rows add to a covariance, where that was asked for.
    """

    X: Any
    y: Floats
    weights: Floats | None
    estimates: Estimates
    residuals: Array
    products: Array | None

    @property
    def counted(self) -> NDArray[np.bool_]:
        """Which rows have a weight above zero."""
        if self.weights is None:
            return np.ones(len(self.y), dtype=bool)
        return np.asarray(self.weights > 0)

    @property
    def errors(self) -> Array:
        """Residuals times the roots of the weights, of shape (n,)."""
        if self.weights is None:
            return self.residuals
        return self.residuals * np.sqrt(self.weights)

    def parts(
        self, work: Callable[[Part], Any], order: NDArray[np.intp] | None = None
    ) -> Iterator[Any]:
        """Call a function for blocks of orthonormal rows, in threads; give its results in order.

        Parameters
        ----------
        work : callable of a Part
        order : array of shape (m,), int, optional
            The rows to go over; all of them by default.

        Yields
        ------
        object
        """
        rows = _features(self.X)
        places: list[Any] = list(rows.slices())
        if order is not None:
            size = places[0].stop
            places = [order[start : start + size] for start in range(0, len(order), size)]

        def visit(place: Any) -> Any:
            block = centred(rows, place, self.estimates)
            weights = None if self.weights is None else self.weights[place]
            return work(
                _part(self.estimates, place, block, self.residuals[place], weights, plain=False)
            )

        return in_order(visit, places)


def see_again(
    estimates: Estimates,
    X: Any,
    y: Floats,
    weights: Floats | None,
    *,
    check: bool = True,
    meat: Meat | None = None,
) -> SeenAgain:
    """Go over the rows of a fit once more.

    Parameters
    ----------
    estimates : Estimates
    X : array or sparse matrix of shape (n, p)
    y : array of shape (n,)
    weights : array of shape (n,) or None
    check : bool, default=True
        Whether they are those rows at all; False for the very arrays that were fitted.
    meat : Meat, optional
        What to add up in the same pass.

    Returns
    -------
    SeenAgain

    Raises
    ------
    DataError
        If the rows are not those fitted.
    """
    rows, centre = _features(X), estimates.centre
    k = len(estimates.kept)
    ways = np.column_stack([estimates.coef, combination(estimates)])

    def look(place: slice) -> tuple[Array, Sums | None, Array | None]:
        block = centred(rows, place, estimates)
        features = block[:, :k]
        seen = features @ ways  # one product instead of two, for the memory it reads
        errors = ((y[place] - centre.y) - centre.y_rest) - seen[:, 0]
        own = None if weights is None else weights[place]
        sums = Sums.of(features, errors, seen[:, 1], own) if check else None
        if meat is None:
            return errors, sums, None
        part = _part(estimates, place, block, errors, own, plain=meat.plain)
        return errors, sums, meat.of(part)

    residuals, start = np.empty(len(y)), 0
    total: Sums | None = None
    products: Array | None = None
    with one_blas_thread():
        for errors, sums, added in in_order(look, rows.slices()):
            residuals[start : start + len(errors)] = errors
            start += len(errors)
            total = sums if total is None or sums is None else total.plus(sums)
            products = added if products is None or added is None else products + added
    if total is not None:
        total.check(estimates, X, weights)
    return SeenAgain(rows.X, y, weights, estimates, residuals, products)


def centred(rows: Rows, place: Any, estimates: Estimates) -> Array:
    """Give the features that can be estimated, minus their means, of some rows.

    Parameters
    ----------
    rows : Rows
        Of X alone, without weights.
    place : slice or array of int
    estimates : Estimates

    Returns
    -------
    array of shape (b, k + c), float64
        With a column of ones last where there is an intercept.
    """
    kept, rest = estimates.kept, estimates.centre.x_rest
    k, p, ones = len(kept), rows.X.shape[1], estimates.fit_intercept
    block = rows.load(place, estimates.centre.x, ones=ones)
    if k < p:
        block = block[:, [*kept, p] if ones else kept]
    if rest is not None:
        block[:, :k] -= rest
    return block


def _features(X: Any) -> Rows:
    return Rows.of(X, np.empty((X.shape[0], 0)))


def _part(
    estimates: Estimates,
    place: Any,
    block: Array,
    errors: Array,
    weights: Floats | None,
    *,
    plain: bool,
) -> Part:
    # one array a block, worked on in its place: memory costs more than arithmetic here
    if weights is not None:
        roots = np.sqrt(weights, dtype=np.float64)
        block *= roots[:, None]
        errors = errors * roots
    if not plain:
        estimates.root.orthonormalise(block)
    return Part(place, block, errors)
