"""Rows that belong together, and the sums within them that robust covariances are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from abline.errors import DataError
from abline.tables.conversion import from_tensor, is_dataframe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abline.linear.inference.seen_again import Part, SeenAgain

Array = NDArray[np.float64]
Codes = NDArray[np.intp]

#: clusters below which tests and intervals reject too often (Cameron, Miller 2015)
FEW = 40


@dataclass(frozen=True)
class Clusters:
    """One or two ways to cluster rows.

    Attributes
    ----------
    codes : tuple of one or two arrays of shape (n,), int
        Each row's cluster, from 0 on; -1 where the row has no weight.
    counts : tuple of int
        Number of clusters, for each way.
    """

    codes: tuple[Codes, ...]
    counts: tuple[int, ...]

    def terms(self) -> Iterator[tuple[int, Codes, int]]:
        """Give a sign, codes and their number for each matrix that is to be added."""
        for codes, count in zip(self.codes, self.counts, strict=True):
            yield 1, codes, count
        if len(self.codes) == 2:
            both = self.codes[0] * self.counts[1] + self.codes[1]
            _, joint = np.unique(both, return_inverse=True)
            joint = np.where(self.codes[0] < 0, -1, joint - int((self.codes[0] < 0).any()))
            yield -1, joint, int(joint.max()) + 1


def clusters_of(groups: Any, n_rows: int, counted: NDArray[np.bool_]) -> Clusters:
    """Number the clusters.

    Parameters
    ----------
    groups : array of shape (n,) or (n, 2), series, dataframe of two columns, or pair of arrays
        Anything that tells clusters apart: numbers, text, dates.
    n_rows : int
        n.
    counted : array of bool of shape (n,)
        Rows with a weight.

    Returns
    -------
    Clusters

    Raises
    ------
    DataError
        If the labels are not one a row, some are missing, or there are fewer than two clusters.

    Examples
    --------
    >>> found = clusters_of(["a", "b", "a"], 3, np.ones(3, dtype=bool))
    >>> found.codes[0], found.counts
    (array([0, 1, 0]), (2,))
    """
    ways = label_columns(groups, n_rows)
    codes, counts = [], []
    for way in ways:
        _refuse_missing(way)
        levels, number = np.unique(way[counted], return_inverse=True)
        if len(levels) < 2:
            raise DataError(
                "groups has only one cluster, which leaves nothing to compare: pass labels that "
                "tell at least two, better 40, apart"
            )
        all_codes = np.full(n_rows, -1, dtype=np.intp)
        all_codes[counted] = number
        codes.append(all_codes)
        counts.append(len(levels))
    return Clusters(tuple(codes), tuple(counts))


def cluster_meat(rows: SeenAgain, codes: Codes, rank: int) -> Array:
    """Sum the squares of what each cluster's rows add up to.

    Rows are visited cluster by cluster, so that a sum is done with before the next begins.

    Parameters
    ----------
    rows : SeenAgain
    codes : array of shape (n,), int
        -1 for rows to leave out.
    rank : int
        r.

    Returns
    -------
    array of shape (r, r)
        In the order of an orthonormal block.
    """
    order = np.argsort(codes, kind="stable")
    order = order[np.searchsorted(codes[order], 0) :]

    def sums(part: Part) -> tuple[Codes, Array]:
        own = codes[part.rows]
        starts = np.flatnonzero(np.diff(own, prepend=own[0] - 1))
        scores = np.multiply(part.basis, part.errors[:, None], out=part.basis)
        return own[starts], np.add.reduceat(scores, starts, axis=0)

    meat = np.zeros((rank, rank))
    open_code, open_sum = -1, np.zeros(rank)
    for own, block in rows.parts(sums, order):
        if own[0] == open_code:  # the cluster began in the block before
            block[0] += open_sum
        else:
            meat += np.outer(open_sum, open_sum)
        meat += block[:-1].T @ block[:-1]
        open_code, open_sum = own[-1], block[-1]
    return meat + np.outer(open_sum, open_sum)


def label_columns(groups: Any, n_rows: int) -> list[NDArray[Any]]:
    """Part groups into their ways of clustering.

    Parameters
    ----------
    groups : array of shape (n,) or (n, 2), series, dataframe of two columns, or pair of arrays
    n_rows : int
        n.

    Returns
    -------
    list of one or two arrays of shape (n,)

    Raises
    ------
    DataError
        If there are more, or the labels are not one per row.
    """
    groups = from_tensor(groups)
    if is_dataframe(groups):
        frame = nw.from_native(groups, eager_only=True)
        columns = [labels(frame.get_column(name)) for name in frame.columns]
    elif isinstance(groups, list | tuple) and len(groups) == 2 and n_rows != 2:
        columns = [labels(one) for one in groups]
    else:
        array = labels(groups)
        columns = [array] if array.ndim == 1 else list(array.T)
    if len(columns) not in (1, 2) or any(column.ndim != 1 for column in columns):
        raise DataError(
            f"groups has {len(columns)} columns: clusters can be told apart in one way or two"
        )
    for column in columns:
        if len(column) != n_rows:
            raise DataError(f"groups has {len(column)} labels for {n_rows} rows: pass one per row")
    return columns


def labels(values: Any) -> NDArray[Any]:
    """Turn labels or weights of any kind into an array.

    Examples
    --------
    >>> labels(["a", "b"]).tolist()
    ['a', 'b']
    """
    wrapped = nw.from_native(from_tensor(values), allow_series=True, pass_through=True)
    if isinstance(wrapped, nw.Series):
        return np.asarray(wrapped.to_list())
    return np.asarray(wrapped)


def missing_labels(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Say which labels are missing: None, NaN, or no time.

    Examples
    --------
    >>> missing_labels(np.array(["a", None], dtype=object))
    array([False,  True])
    """
    if values.dtype.kind == "f":
        return np.asarray(np.isnan(values))
    if values.dtype.kind in "mM":
        return np.asarray(np.isnat(values))
    if values.dtype.kind == "O":  # what is not equal to itself is a NaN
        return np.array([cell is None or cell != cell for cell in values], dtype=bool)  # noqa: PLR0124
    return np.zeros(len(values), dtype=bool)


def _refuse_missing(values: NDArray[Any]) -> None:
    missing = missing_labels(values)
    if missing.any():
        raise DataError(
            f"groups has {int(missing.sum())} missing labels, the first in row "
            f"{int(np.flatnonzero(missing)[0])}: give each row a cluster, or leave it out"
        )
