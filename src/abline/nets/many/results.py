"""The scores of a search in the form that scikit-learn's searches have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import rankdata

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from abline.nets.many.settings import Setting

    Array = NDArray[np.float64]


def cv_results(
    settings: Sequence[Setting], scores: Array, fit_seconds: Array, score_seconds: Array
) -> dict[str, Any]:
    """Give what `GridSearchCV` calls ``cv_results_``.

    Parameters
    ----------
    settings : sequence of dict
    scores : array of shape (settings, folds)
    fit_seconds, score_seconds : arrays of shape (settings, folds)

    Returns
    -------
    dict of str to array

    Examples
    --------
    >>> seconds = np.zeros((2, 2))
    >>> table = cv_results([{"alpha": 1.0}, {"alpha": 2.0}], seconds + [[1], [2]], seconds, seconds)
    >>> table["param_alpha"].tolist(), table["rank_test_score"]
    ([1.0, 2.0], array([2, 1], dtype=int32))
    """
    results: dict[str, Any] = {}
    for name, seconds in (("fit", fit_seconds), ("score", score_seconds)):
        results[f"mean_{name}_time"] = seconds.mean(axis=1)
        results[f"std_{name}_time"] = seconds.std(axis=1)
    for name in settings[0]:
        values = [setting[name] for setting in settings]
        column = np.empty(len(values), object if name == "hidden_layer_sizes" else np.float64)
        column[:] = values
        results[f"param_{name}"] = np.ma.MaskedArray(column, mask=False)
    results["params"] = [dict(setting) for setting in settings]
    for fold, values in enumerate(scores.T):
        results[f"split{fold}_test_score"] = values.copy()
    means = scores.mean(axis=1)
    results["mean_test_score"], results["std_test_score"] = means, scores.std(axis=1)
    results["rank_test_score"] = _ranks(means)
    return results


def _ranks(means: Array) -> NDArray[np.int32]:
    """Rank means, 1 the best; those that are NaN share the last rank."""
    finite = np.isfinite(means)
    worst = means[finite].min() - 1 if finite.any() else 0.0
    ranks: NDArray[np.int32] = rankdata(-np.where(finite, means, worst), method="min").astype("i4")
    return ranks
