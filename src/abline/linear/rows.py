"""The rows of a table a block at a time: shifted, weighted, in float64, with X and y side by side.

Blocks depend on the table's width alone, never on threads or memory, so that sums are always
split in the same places and come out the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from abline.tables.conversion import is_sparse

Array = NDArray[np.float64]
Floats = NDArray[np.floating[Any]]

#: cells of a block: two of them fit the cache of one core
_CELLS = 2**18

_FEWEST_ROWS = 1024


def block_rows(n_columns: int) -> int:
    """Say how many rows of a table are worked on at once.

    Examples
    --------
    >>> block_rows(10), block_rows(100), block_rows(5_000)
    (26214, 2621, 1024)
    """
    return max(_FEWEST_ROWS, _CELLS // max(1, n_columns))


@dataclass(frozen=True)
class Rows:
    """A table ``[X y]`` with weights, read a block at a time.

    Attributes
    ----------
    X : array or sparse matrix (by rows) of shape (n, p), any float
    y : array of shape (n, t), any float
    weights : array of shape (n,), or None
        None negative; a row of weight zero contributes zeros.
    """

    X: Any
    y: Floats
    weights: Floats | None = None

    @classmethod
    def of(cls, X: Any, y: Floats, weights: Floats | None = None) -> Rows:
        """Take a table; a sparse one is turned so that its rows can be cut."""
        return cls(X.tocsr() if is_sparse(X) else X, y, weights)

    @property
    def width(self) -> int:
        """Number of columns of X and y together."""
        return int(self.X.shape[1] + self.y.shape[1])

    @property
    def n_rows(self) -> int:
        """Rows with a weight above zero."""
        n = int(self.X.shape[0])
        return n if self.weights is None else int(np.count_nonzero(self.weights))

    @property
    def log_weight(self) -> float:
        """Sum of the logarithms of the weights above zero."""
        if self.weights is None:
            return 0.0
        return float(np.log(self.weights[self.weights > 0], dtype=np.float64).sum())

    def slices(self, size: int | None = None) -> list[slice]:
        """Cut the rows into blocks, of about the same length each."""
        n = int(self.X.shape[0])
        size = block_rows(self.width) if size is None else size
        return [slice(start, min(start + size, n)) for start in range(0, n, size)]

    def roots(self, part: slice) -> Array | None:
        """Square roots of the weights of a block."""
        if self.weights is None:
            return None
        roots: Array = np.sqrt(self.weights[part].astype(np.float64))
        return roots

    def load(self, part: slice, shift: Array | None = None, *, ones: bool = False) -> Array:
        """Give a block of ``[X y]``, minus the shift, times the roots of the weights.

        Parameters
        ----------
        part : slice
            One of `slices`.
        shift : array of shape (p + t,), optional
        ones : bool, default=False
            Whether to put a column of ones (times the roots) behind y.

        Returns
        -------
        array of shape (b, p + t), or (b, p + t + 1)
        """
        p = self.X.shape[1]
        X, y = self.X[part], self.y[part]
        # by rows, as tables mostly come; by columns where X is so
        order: Literal["C", "F"] = "F" if isinstance(X, np.ndarray) and _by_columns(X) else "C"
        block: Array = np.empty((X.shape[0], self.width + ones), order=order)
        if is_sparse(X):
            X = X.toarray()
        if shift is None:
            block[:, :p] = X
            block[:, p : self.width] = y
        else:
            # float32 cells are made float64 before they are shifted, a block at a time
            np.subtract(X, shift[:p], out=block[:, :p], dtype=np.float64)
            np.subtract(y, shift[p:], out=block[:, p : self.width], dtype=np.float64)
        if ones:
            block[:, self.width] = 1.0
        roots = self.roots(part)
        if roots is not None:
            block *= roots[:, None]
        return block


def _by_columns(X: NDArray[Any]) -> bool:
    return abs(X.strides[0]) < abs(X.strides[1])
