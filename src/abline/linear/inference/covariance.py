"""Covariances of the estimates: classical, robust to unequal variances, robust to clusters.

With A the inverse root of the Gram matrix and Q = D A the design made orthonormal, each of them
is A M A', where M is what differs:

    nonrobust   s² I
    HC0         Q' diag(e²) Q                        White (1980)
    HC1         HC0 times n / (n - r)                Hinkley (1977)
    HC2         e² / (1 - h) in place of e²          Horn, Horn, Duncan (1975)
    HC3         e² / (1 - h)² in place of e²         MacKinnon, White (1985)
    cluster     sums of q e within clusters, squared Liang, Zeger (1986)

e are the residuals, h the leverages, r the number of estimated terms. Clusters come with Stata's
factor G / (G - 1) · (n - 1) / (n - r); two ways of clustering are added and their intersection
taken off.

References
----------
Long, Ervin (2000), "Using heteroscedasticity consistent standard errors in the linear regression
model", *The American Statistician* 54(3); Cameron, Gelbach, Miller (2011), "Robust inference
with multiway clustering", *Journal of Business & Economic Statistics* 29(2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from abline.linear.inference.clusters import Clusters, cluster_meat
from abline.linear.inference.reference import Reference
from abline.linear.threads import one_blas_thread

if TYPE_CHECKING:
    from abline.linear.inference.estimates import Estimates
    from abline.linear.inference.meat import Meat
    from abline.linear.inference.seen_again import SeenAgain

Array = NDArray[np.float64]

KINDS = ("nonrobust", "HC0", "HC1", "HC2", "HC3", "cluster")


@dataclass(frozen=True)
class Covariance:
    """The covariance of the estimated terms.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    middle : array of shape (r, r), in squared units of y
        M; the covariance is A M A'.
    root : array of shape (r, r)
        A.
    reference : Reference
        What the estimates over their standard errors are held against.
    df_resid : float
        Of that, and of F tests: rows less terms, or clusters less one.
    clusters : tuple of int
        How many, for each way of clustering.
    """

    kind: str
    middle: Array
    root: Array
    reference: Reference
    df_resid: float
    clusters: tuple[int, ...] = ()

    @property
    def matrix(self) -> Array:
        """The covariance, of shape (r, r)."""
        with one_blas_thread():
            return np.asarray(self.root @ self.middle @ self.root.T)

    def of(self, directions: Array) -> Array:
        """Give the covariance of linear combinations of the terms.

        Parameters
        ----------
        directions : array of shape (q, r)

        Returns
        -------
        array of shape (q, q)
        """
        with one_blas_thread():
            half = directions @ self.root
            return np.asarray(half @ self.middle @ half.T)

    @property
    def standard_errors(self) -> Array:
        """Of the estimated terms, of shape (r,); NaN where a variance came out negative."""
        with one_blas_thread():
            variances = np.einsum("ij,ij->i", self.root @ self.middle, self.root)
        return np.sqrt(np.where(variances >= 0, variances, np.nan))


def covariance(
    estimates: Estimates,
    kind: str,
    *,
    rows: SeenAgain | None = None,
    meat: Meat | None = None,
    clusters: Clusters | None = None,
    use_t: bool | None = None,
) -> Covariance:
    """Compute one of the covariances.

    Parameters
    ----------
    estimates : Estimates
    kind : {"nonrobust", "HC0", "HC1", "HC2", "HC3", "cluster"}
    rows : SeenAgain, optional
        Needed by all but the first.
    meat : Meat, optional
        What they were gone over with, for HC0 to HC3.
    clusters : Clusters, optional
        Needed by the last.
    use_t : bool, optional
        Whether to hold estimates against t; by default only where the kind is nonrobust.

    Returns
    -------
    Covariance
    """
    df: float = estimates.df_resid
    root = estimates.root.full_inverse
    counts: tuple[int, ...] = ()
    if rows is None or (clusters is None and meat is None):
        middle = np.eye(estimates.rank) * estimates.scale
    elif meat is not None:
        middle = meat.middle(rows)
    elif clusters is not None:
        middle, counts = _clustered(estimates, rows, clusters), clusters.counts
        df = min(counts) - 1
    against_t = kind == "nonrobust" if use_t is None else use_t
    return Covariance(kind, middle, root, Reference(df if against_t else None), df, counts)


def _clustered(estimates: Estimates, rows: SeenAgain, clusters: Clusters) -> Array:
    n, df = estimates.n_rows, estimates.df_resid
    middle = np.zeros((estimates.rank, estimates.rank))
    with one_blas_thread():
        for sign, codes, count in clusters.terms():
            factor = _ratio(count, count - 1) * _ratio(n - 1, df)
            middle += sign * factor * cluster_meat(rows, codes, estimates.rank)
    return estimates.root.first_the_constant(middle)


def _ratio(a: float, b: float) -> float:
    return a / b if b > 0 else float("nan")
