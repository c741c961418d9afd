"""What each row adds to a covariance that allows for unequal variances.

The residuals' squares stand in for the variances: as they are (HC0), enlarged by the degrees of
freedom (HC1), or by what each row's own leverage took from them (HC2, HC3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from abline.errors import DataError

if TYPE_CHECKING:
    from abline.linear.inference.estimates import Estimates
    from abline.linear.inference.seen_again import Part, SeenAgain

Array = NDArray[np.float64]

#: for each kind, the power of 1 - leverage that residuals are divided by
POWERS = {"HC0": 0.0, "HC1": 0.0, "HC2": 0.5, "HC3": 1.0}

#: a row whose prediction leaves less than this to the others has no residual to speak of
_ALONE = 1e-10


@dataclass(frozen=True)
class Meat:
    """The sum of squares of rows times residuals, to be added up a block at a time.

    Attributes
    ----------
    kind : {"HC0", "HC1", "HC2", "HC3"}
    plain : bool
        Whether the rows need not be orthonormal, which is faster.
    """

    kind: str
    plain: bool

    @classmethod
    def like(cls, kind: str, estimates: Estimates) -> Meat | None:
        """Choose how to add up; None where the kind is another.

        Parameters
        ----------
        kind : str
        estimates : Estimates

        Returns
        -------
        Meat or None
        """
        if kind not in POWERS:
            return None
        return cls(kind, plain=POWERS[kind] == 0 and estimates.root.even)

    def of(self, part: Part) -> Array:
        """Add up a block; its basis is written over.

        Parameters
        ----------
        part : Part

        Returns
        -------
        array of shape (r, r)

        Raises
        ------
        DataError
            If a row's leverage of one makes HC2 or HC3 impossible.
        """
        errors, power = part.errors, POWERS[self.kind]
        if power:
            free = 1.0 - np.einsum("ij,ij->i", part.basis, part.basis)
            self._refuse_alone(free, part)
            errors = errors / free**power
        scores = np.multiply(part.basis, errors[:, None], out=part.basis)
        return np.asarray(scores.T @ scores)

    def middle(self, rows: SeenAgain) -> Array:
        """Give the middle of the covariance from what all rows added up to.

        Parameters
        ----------
        rows : SeenAgain
            Gone over with this.

        Returns
        -------
        array of shape (r, r)
            In the order of the terms.
        """
        estimates, products = rows.estimates, rows.products
        assert products is not None  # rows were gone over with this
        if self.plain:
            products = estimates.root.orthonormalise_products(products)
        if self.kind == "HC1":
            df = estimates.df_resid
            products = products * (estimates.n_rows / df if df > 0 else np.nan)
        return estimates.root.first_the_constant(products)

    def _refuse_alone(self, free: Array, part: Part) -> None:
        alone = np.flatnonzero(free < _ALONE)
        if len(alone):
            row = int(part.rows.start + alone[0])
            raise DataError(
                f"row {row} decides its own prediction (its leverage is 1), so that {self.kind} "
                'cannot be computed: use cov="HC1", or leave that row and its term out'
            )
