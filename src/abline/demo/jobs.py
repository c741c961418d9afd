"""The data of the two jobs: a straight line, and a curve over the same feature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.datasets import make_regression
from sklearn.model_selection import train_test_split

if TYPE_CHECKING:
    from numpy.typing import NDArray

_N_ROWS = 1200
_N_TRAINING_AND_VALIDATION = 1000
_INTERCEPT = 3.0
_SEED = 42


@dataclass(frozen=True)
class Job:
    """Rows to learn from, to watch the training with, and to judge the result by.

    Attributes
    ----------
    X_train, X_valid, X_test : array of shape (n, 1), float32
    y_train, y_valid, y_test : array of shape (n,), float32
    test_noise : float
        Mean square of the noise in the test rows' target: no model that has not seen them can
        be expected to have a smaller mean squared error there.
    true_slope : float or None
        Of the line that the data was made from, where it was one.
    """

    X_train: NDArray[Any]
    y_train: NDArray[Any]
    X_valid: NDArray[Any]
    y_valid: NDArray[Any]
    X_test: NDArray[Any]
    y_test: NDArray[Any]
    test_noise: float
    true_slope: float | None = None

    @property
    def features(self) -> NDArray[Any]:
        """All rows' x, for pictures."""
        return np.concatenate([self.X_train, self.X_valid, self.X_test])

    @property
    def target(self) -> NDArray[Any]:
        """All rows' y, for pictures."""
        return np.concatenate([self.y_train, self.y_valid, self.y_test])


def line_job() -> Job:
    """Make the first job: a straight line with noise of standard deviation 2.

    Returns
    -------
    Job
        800 training, 200 validation and 200 test rows.

    Examples
    --------
    >>> job = line_job()
    >>> job.X_train.shape, job.y_test.shape, round(job.true_slope, 3)
    ((800, 1), (200,), 4.341)
    """
    X, y, slope = _line()
    return _split(X, y, truth=_INTERCEPT + float(slope) * X[:, 0], true_slope=float(slope))


def curve_job() -> Job:
    """Make the second job: sin(2x) over the same x, with noise of standard deviation 0.1.

    Returns
    -------
    Job
        800 training, 200 validation and 200 test rows.

    Examples
    --------
    >>> curve_job().test_noise < 0.02
    True
    """
    X, _, _ = _line()
    truth = np.sin(2 * X[:, 0])
    noise = np.random.RandomState(_SEED).normal(scale=0.1, size=_N_ROWS)
    return _split(X, truth + noise, truth=truth)


def _line() -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    X, y, slope = make_regression(
        n_samples=_N_ROWS,
        n_features=1,
        bias=_INTERCEPT,
        noise=2,
        random_state=_SEED,
        shuffle=True,
        coef=True,
    )
    return X, y, slope


def _split(
    X: NDArray[Any], y: NDArray[Any], *, truth: NDArray[Any], true_slope: float | None = None
) -> Job:
    test = slice(_N_TRAINING_AND_VALIDATION, None)
    rest = slice(None, _N_TRAINING_AND_VALIDATION)
    X32, y32 = X.astype(np.float32), y.astype(np.float32)
    X_train, X_valid, y_train, y_valid = train_test_split(
        X32[rest], y32[rest], test_size=0.2, random_state=_SEED
    )
    noise = float(np.mean((y[test] - truth[test]) ** 2))
    return Job(X_train, y_train, X_valid, y_valid, X32[test], y32[test], noise, true_slope)
