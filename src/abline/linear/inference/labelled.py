"""Numbers that carry the names of what they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import NDArray

from abline.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Array = NDArray[np.float64]


class Labelled(NDArrayOperatorsMixin, Mapping[str, Any]):
    """An array whose first axis, or both, can be read by name.

    It is a mapping from names to numbers (or rows) that can also be read by place (``x[0]``) and
    computed with like an array; what comes out of a computation is a plain array. ``dict(x)``,
    ``numpy.asarray(x)`` and ``pandas.Series(x)`` do what they say.

    Parameters
    ----------
    values : array of shape (k,) or (k, m)
    labels : sequence of str of length k
    columns : sequence of str of length m, optional
        Names of the second axis.

    Examples
    --------
    >>> params = Labelled(np.array([2.0, -1.0]), ["Intercept", "area"])
    >>> float(params["area"]), float(params[0]), params * 2
    (-1.0, 2.0, array([ 4., -2.]))
    >>> covariance = Labelled(np.eye(2), params.labels, params.labels)
    >>> float(covariance["area", "area"]), list(covariance["area"])
    (1.0, ['Intercept', 'area'])
    """

    def __init__(
        self, values: Array, labels: Sequence[str], columns: Sequence[str] | None = None
    ) -> None:
        self.array = values
        self.labels = tuple(labels)
        self.columns = None if columns is None else tuple(columns)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, tuple) and self.columns is not None and len(key) == 2:
            return self.array[_place(key[0], self.labels), _place(key[1], self.columns)]
        answer = self.array[_place(key, self.labels)]
        if isinstance(key, str) and self.columns is not None:
            return Labelled(answer, self.columns)
        return answer

    def __contains__(self, label: object) -> bool:
        return label in self.labels

    def __len__(self) -> int:
        return len(self.labels)

    def __iter__(self) -> Iterator[str]:
        return iter(self.labels)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.array, dtype=dtype, copy=copy)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        plain = [value.array if isinstance(value, Labelled) else value for value in inputs]
        return getattr(ufunc, method)(*plain, **options)

    @property
    def shape(self) -> tuple[int, ...]:
        """That of the array."""
        return self.array.shape

    @property
    def iloc(self) -> Labelled:
        """Itself, for those who write ``x.iloc[0]`` as in pandas."""
        return self

    @property
    def loc(self) -> Labelled:
        """Itself, for those who write ``x.loc["area"]`` as in pandas."""
        return self

    def __repr__(self) -> str:
        width = max(map(len, self.labels), default=0)
        rows = (
            [f"{value:>12.6g}" for value in self.array]
            if self.array.ndim == 1
            else ["".join(f"{value:>14.6g}" for value in row) for row in self.array]
        )
        lines = [f"{label:<{width}} {row}" for label, row in zip(self.labels, rows, strict=True)]
        if self.columns is not None:
            lines.insert(0, " " * (width + 1) + "".join(f"{name:>14}" for name in self.columns))
        return "\n".join(lines)


def _place(key: Any, names: tuple[str, ...]) -> Any:
    if not isinstance(key, str):
        return key
    try:
        return names.index(key)
    except ValueError:
        near = did_you_mean(key, names)
        raise KeyError(f"there is no term {key!r}" + (f": {near}" if near else "")) from None
