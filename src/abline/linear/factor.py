"""The triangular factor of a table: all that a linear fit needs to know of its rows.

For a table ``[1 X y]`` whose rows are multiplied by the roots of their weights, `RFactor` holds
the upper triangle R of its QR decomposition. It has p + t + 1 columns however many rows there
are, is built a block of rows at a time, and two of them merge into that of both tables.

R's first row is the root of the total weight times ``[1, means]``, and what lies below it is the
factor of the centred table. The two are kept apart, the means with their rounding errors, so
that columns far from zero lose no digits.

References
----------
Chan, Golub, LeVeque (1983), "Algorithms for computing the sample variance", *The American
Statistician* 37(3); Demmel, Grigori, Hoemmen, Langou (2012), "Communication-optimal parallel and
sequential QR and LU factorizations", *SIAM J. Sci. Comput.* 34(1).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from abline.errors import DataError, ModelFileError, ParameterError
from abline.linear.extended import ExtendedGram
from abline.linear.gram import two_sum
from abline.linear.rows import Rows
from abline.linear.system import System
from abline.linear.threads import one_blas_thread
from abline.linear.triangle import METHODS, constant_columns, stack, triangle
from abline.store import Saveable, read_model
from abline.tables.arrays import check_table, check_target, check_weights
from abline.tables.conversion import from_tensor

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

Array = NDArray[np.float64]


@dataclass(eq=False)
class RFactor(Saveable):
    """Triangular factor of ``[1 X y]`` with the weights folded in.

    Make one with `from_arrays`, `from_blocks` or, to be filled by `update`, `empty`.

    Attributes
    ----------
    n_features, n_targets : int
        p and t.
    n_rows : int
        Rows with a weight above zero.
    weight : float
        Sum of the weights; the number of rows where there are none.
    log_weight : float
        Sum of the logarithms of the weights above zero, which a likelihood needs.
    mean, mean_error : arrays of shape (p + t,), in units of X and y
        Weighted means to twice the precision: the sum of the two.
    upper : array of shape (k, p + t), k at most p + t
        Factor of the centred table, its diagonal not negative.
    method : {"gram", "refined", "qr"}
        How it was made, of several blocks the safest way used.
    extended : ExtendedGram, optional
        Sums of products in twice the precision, where a fit to the rows has made them. They
        are those of the same rows, and do not survive `update` or `merge`.

    Examples
    --------
    >>> X, y = np.array([[1.0], [2.0], [4.0]]), np.array([1.0, 3.0, 7.0])
    >>> whole = RFactor.from_arrays(X, y)
    >>> parts = RFactor.from_arrays(X[:2], y[:2]).merge(RFactor.from_arrays(X[2:], y[2:]))
    >>> bool(np.allclose(parts.upper, whole.upper)), parts.n_rows
    (True, 3)
    """

    n_features: int
    n_targets: int
    n_rows: int
    weight: float
    log_weight: float
    mean: Array
    mean_error: Array
    upper: Array
    method: str
    extended: ExtendedGram | None = None

    @classmethod
    def empty(cls, n_features: int, n_targets: int = 1) -> Self:
        """Give the factor of no rows.

        Parameters
        ----------
        n_features, n_targets : int

        Returns
        -------
        RFactor
            To be filled by `update`.

        Examples
        --------
        >>> RFactor.empty(2).update([[1.0, 2.0], [3.0, 5.0]], [0.0, 1.0]).n_rows
        2
        """
        if n_features < 1 or n_targets < 1:
            raise ParameterError(
                f"a factor of {n_features} features and {n_targets} targets is none: give at least "
                "one of each"
            )
        q = n_features + n_targets
        zeros = np.zeros(q)
        return cls(
            n_features, n_targets, 0, 0.0, 0.0, zeros, zeros.copy(), np.zeros((0, q)), METHODS[0]
        )

    @classmethod
    def from_arrays(cls, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Factor a table.

        Parameters
        ----------
        X : array, tensor, dataframe or sparse matrix of shape (n, p)
            Worked on in float64, a block at a time, whatever its precision.
        y : array of shape (n,) or (n, t)
        sample_weight : array of shape (n,), optional
            None negative; rows of weight zero are as if left out.

        Returns
        -------
        RFactor

        Raises
        ------
        DataError
            If a cell is missing or infinite, lengths differ, or no row has a weight.
        """
        features = check_table(X)
        target = check_target(y)
        if len(target) != features.shape[0]:
            raise DataError(
                f"X has {features.shape[0]} rows and y has {len(target)}: pass one y per row"
            )
        target = target.reshape(len(target), -1)
        weights = check_weights(sample_weight, len(target))
        return cls.from_rows(Rows.of(features, target, weights))

    @classmethod
    def from_rows(cls, rows: Rows) -> Self:
        """Factor a table whose shapes have been checked.

        Parameters
        ----------
        rows : Rows
            At least one has a weight.

        Returns
        -------
        RFactor

        Raises
        ------
        DataError
            If a cell is missing or infinite.
        """
        with one_blas_thread():
            found = triangle(rows)
        return cls(
            int(rows.X.shape[1]),
            int(rows.y.shape[1]),
            rows.n_rows,
            found.weight,
            rows.log_weight,
            found.mean,
            found.mean_error,
            found.upper,
            found.method,
        )

    @classmethod
    def from_blocks(cls, blocks: Iterable[Any]) -> Self:
        """Factor a table that comes in blocks of rows, each of which may then be forgotten.

        Parameters
        ----------
        blocks : iterable of (X, y) or (X, y, sample_weight)
            As in `from_arrays`, all with the same columns; a block without rows, or without
            any weight, adds nothing.

        Returns
        -------
        RFactor

        Raises
        ------
        DataError
            If there is no block, or one cannot be used; the message counts from 0. To keep
            what was read before, start from `empty` and `update` it block by block.

        Examples
        --------
        >>> blocks = ((np.array([[i], [i + 1.0]]), np.array([i, 3.0])) for i in range(3))
        >>> RFactor.from_blocks(blocks).n_rows
        6
        """
        whole: Self | None = None
        for number, block in enumerate(blocks):
            if not isinstance(block, tuple | list) or len(block) not in {2, 3}:
                raise DataError(
                    f"block {number} is a {type(block).__name__}: pass tuples (X, y) or "
                    "(X, y, sample_weight), one a block of rows"
                )
            if _adds_nothing(*block[1:]):
                continue
            try:
                part = cls.from_arrays(*block)
                whole = part if whole is None else whole.merge(part)
            except DataError as error:
                raise DataError(f"block {number}: {error}") from error
        if whole is None:
            raise DataError(
                "there is no block of rows to factor: pass at least one (X, y) with a weight"
            )
        return whole

    def update(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Add rows to this factor.

        Should it fail, the factor stands for the rows it had before. No rows, or rows without
        any weight, add nothing.

        Parameters
        ----------
        X : array, tensor, dataframe or sparse matrix of shape (n, p)
        y : array of shape (n,) or (n, t)
        sample_weight : array of shape (n,), optional

        Returns
        -------
        RFactor
            This very object.

        Raises
        ------
        DataError
            As from `from_arrays`, or if the columns differ in number.
        """
        if _adds_nothing(y, sample_weight):
            return self
        whole = self.merge(type(self).from_arrays(X, y, sample_weight))
        vars(self).update(vars(whole))  # all at once, so that no failure leaves half of it
        return self

    def merge(self, other: RFactor) -> Self:
        """Give the factor of both tables' rows.

        Parameters
        ----------
        other : RFactor
            Of a table with the same columns.

        Returns
        -------
        RFactor
            A new one; the order of the two matters for rounding errors alone.

        Raises
        ------
        DataError
            If the columns differ in number.
        """
        if not isinstance(other, RFactor):
            raise DataError(f"a {type(other).__name__} is no factor: merge an RFactor")
        if (self.n_features, self.n_targets) != (other.n_features, other.n_targets):
            raise DataError(
                f"a factor of {self.n_features} features and {self.n_targets} targets does not "
                f"merge with one of {other.n_features} and {other.n_targets}: factor the same "
                "columns"
            )
        weight = self.weight + other.weight
        share = other.weight / weight if weight > 0 else 0.0
        apart = (other.mean - self.mean) + (other.mean_error - self.mean_error)
        between = np.sqrt(self.weight) * np.sqrt(share) * apart
        mean, mean_error = two_sum(self.mean, apart * share)
        with one_blas_thread():
            upper = stack([self.upper, other.upper, between[None, :]])
        return type(self)(
            self.n_features,
            self.n_targets,
            self.n_rows + other.n_rows,
            weight,
            self.log_weight + other.log_weight,
            mean,
            mean_error + self.mean_error,
            upper,
            max(self.method, other.method, key=METHODS.index),
        )

    def system(self, *, fit_intercept: bool = True) -> System:
        """Reduce the least-squares problem to a triangle.

        Parameters
        ----------
        fit_intercept : bool, default=True
            With an intercept the columns are centred and those that are constant, but for
            rounding errors, are zero; without one they are taken as they are.

        Returns
        -------
        System
        """
        p, root = self.n_features, np.sqrt(self.weight)
        mean = self.mean + self.mean_error
        if fit_intercept:
            constant = constant_columns(
                np.abs(self.upper).max(axis=0, initial=0.0), mean, self.weight
            )
            upper = np.where(constant, 0.0, self.upper)
        else:
            with one_blas_thread():
                upper = stack([root * mean[None, :], self.upper])
            mean = np.zeros_like(mean)
        with np.errstate(over="ignore"):
            unexplained = np.square(upper[p:, p:]).sum(axis=0)
        return System(
            upper[:p, :p],
            upper[:p, p:],
            unexplained,
            mean[:p],
            mean[p:],
            self.n_rows,
            self.weight,
        )

    def squared_errors(self, coef: Array, intercept: Array) -> Array:
        """Sum the weighted squared errors that lines make on the factor's rows.

        Parameters
        ----------
        coef : array of shape (p, k), in units of y per unit of X
            One line a column, all for the same target.
        intercept : array of shape (k,)

        Returns
        -------
        array of shape (k,), in squared units of y

        Raises
        ------
        DataError
            If the factor has several targets.

        Examples
        --------
        >>> factor = RFactor.from_arrays([[0.0], [1.0], [2.0]], [0.0, 1.0, 5.0])
        >>> factor.squared_errors(np.array([[1.0, 2.0]]), np.zeros(2)).round(6)
        array([9., 2.])
        """
        if self.n_targets != 1:
            raise DataError(f"the factor has {self.n_targets} targets: factor one of them")
        p = self.n_features
        with one_blas_thread():
            about_mean = self.upper[:, p:] - self.upper[:, :p] @ coef
            off = (self.mean[p] - self.mean[:p] @ coef - intercept) + (
                self.mean_error[p] - self.mean_error[:p] @ coef
            )
        answer: Array = np.square(about_mean).sum(axis=0) + self.weight * np.square(off)
        return answer

    def rescaled(self, scale: Array, shift: Array) -> Self:
        """Give the factor of the same rows in other units.

        Parameters
        ----------
        scale, shift : arrays of shape (p,)
            A cell x of X becomes ``scale * x + shift``.

        Returns
        -------
        RFactor
            A new one.

        Examples
        --------
        >>> celsius = RFactor.from_arrays([[0.0], [10.0], [30.0]], [1.0, 2.0, 5.0])
        >>> fahrenheit = celsius.rescaled(np.array([1.8]), np.array([32.0]))
        >>> fahrenheit.mean.round(3), (fahrenheit.upper[0, 0] / celsius.upper[0, 0]).round(3)
        (array([56.    ,  2.667]), np.float64(1.8))
        """
        scales = np.concatenate([scale, np.ones(self.n_targets)])
        shifts = np.concatenate([shift, np.zeros(self.n_targets)])
        upper = self.upper * scales
        upper *= np.where(np.diagonal(upper) < 0, -1.0, 1.0)[: len(upper), None]
        mean, mean_error = two_sum(self.mean * scales, shifts)
        factor = object.__new__(type(self))
        vars(factor).update(
            vars(self),
            mean=mean,
            mean_error=mean_error + self.mean_error * scales,
            upper=upper,
            extended=None,
        )
        return factor

    def with_extended(self, gram: ExtendedGram) -> Self:
        """Give the same factor with sums in twice the precision beside it."""
        factor = object.__new__(type(self))
        vars(factor).update(vars(self), extended=gram)
        return factor

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a factor that was written by ``save``.

        Parameters
        ----------
        path : str or Path

        Returns
        -------
        RFactor

        Raises
        ------
        ModelFileError
            If the file does not exist, holds something else, or was damaged.
        """
        content = read_model(path)
        if content.kind != cls.__name__:
            raise ModelFileError(
                f"{path} holds a {content.kind}, no {cls.__name__}: read it with abline.load"
            )
        return cls._from_state(content.state)

    def _get_state(self) -> dict[str, Any]:
        state = {field.name: getattr(self, field.name) for field in fields(self)}
        return {**state, "extended": self.extended and self.extended.to_state()}

    def _set_state(self, state: dict[str, Any]) -> None:
        extended = state["extended"] and ExtendedGram.from_state(state["extended"])
        vars(self).update({**state, "extended": extended})

    @classmethod
    def _from_state(cls, state: dict[str, Any]) -> Self:
        factor = cls.__new__(cls)
        factor._set_state(state)
        return factor


def _adds_nothing(y: Any, sample_weight: Any = None) -> bool:
    """Say whether a block has no rows, or none with a weight."""
    if hasattr(y, "__len__") and len(y) == 0:
        return True
    return sample_weight is not None and not np.any(np.asarray(from_tensor(sample_weight)))
