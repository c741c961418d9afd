"""From scores side by side to a choice and a sentence.

Models are ordered from the simplest on. A more elaborate one is chosen only where it beats
every simpler one by more than the standard error of the paired difference over the folds:
the one-standard-error rule, with the folds' overlap accounted for.

References
----------
Breiman, Friedman, Olshen, Stone (1984), *Classification and Regression Trees*, §3.4.3.
Nadeau and Bengio (2003), "Inference for the generalization error", *Machine Learning* 52.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from abline.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from abline.judge.folds import ModelScores

#: from the simplest on; a model of another name counts as more elaborate than all
SIMPLEST_FIRST = ("mean", "line", "ridge", "lasso", "elastic-net", "network")


@dataclass(frozen=True)
class Verdict:
    """What the scores say.

    Attributes
    ----------
    chosen : str
        The simplest model that none beats by more than a standard error.
    best : str
        The model with the highest mean R².
    sentence : str
        The choice in words.
    gain : float or None
        R² of the most elaborate model less R² of the simplest that is not the mean, mean over
        the folds; None where there is one model only.
    gain_error : float or None
        Standard error of that gain.
    """

    chosen: str
    best: str
    sentence: str
    gain: float | None
    gain_error: float | None

    def to_dict(self) -> dict[str, Any]:
        """Give plain data.

        Returns
        -------
        dict
        """
        return asdict(self)


def paired_gain(better: ModelScores, worse: ModelScores) -> tuple[float, float]:
    """Mean difference in R² over the folds, and its standard error.

    Parameters
    ----------
    better, worse : ModelScores
        On the same folds.

    Returns
    -------
    gain, standard_error : float
        The error is corrected for training sets that overlap between folds: with k folds, the
        variance between folds is multiplied by 1/k + 1/(k - 1).
    """
    differences = np.array(
        [a.r2 - b.r2 for a, b in zip(better.folds, worse.folds, strict=True)], dtype=float
    )
    differences = differences[~np.isnan(differences)]
    k = len(differences)
    if k < 2:
        return math.nan, math.nan
    error = math.sqrt((1 / k + 1 / (k - 1)) * float(differences.var(ddof=1)))
    return float(differences.mean()), error


def judge(models: Sequence[ModelScores]) -> Verdict:
    """Choose among models and say why.

    Parameters
    ----------
    models : sequence of ModelScores
        On the same folds; the mean, where it is among them, is what the others must beat.

    Returns
    -------
    Verdict

    Raises
    ------
    DataError
        If there is no model.
    """
    if not models:
        raise DataError("there is no model to judge: compare one at least")
    ordered = sorted(models, key=lambda model: _rank(model.name))
    best = max(ordered, key=_r2)
    candidates = [model for model in ordered if model.name != "mean"] or ordered
    chosen = _simplest_unbeaten(candidates)
    mean = next((model for model in ordered if model.name == "mean"), None)
    gain, error = (None, None)
    if len(candidates) > 1:
        gain, error = paired_gain(candidates[-1], candidates[0])
    return Verdict(chosen.name, best.name, _sentence(candidates, chosen, mean), gain, error)


def _r2(model: ModelScores) -> float:
    return -math.inf if math.isnan(model.mean.r2) else model.mean.r2


def _rank(name: str) -> int:
    return SIMPLEST_FIRST.index(name) if name in SIMPLEST_FIRST else len(SIMPLEST_FIRST)


def _simplest_unbeaten(candidates: list[ModelScores]) -> ModelScores:
    best = max(candidates, key=_r2)
    for model in candidates:
        if model is best:
            return model
        gain, error = paired_gain(best, model)
        if not gain > error:
            return model
    return best


def _sentence(candidates: list[ModelScores], chosen: ModelScores, mean: ModelScores | None) -> str:
    if math.isnan(chosen.mean.r2):
        return "R² is not defined: the target does not vary within the folds."
    if mean is not None and chosen is not mean:
        gain, error = paired_gain(chosen, mean)
        if gain <= error:
            return (
                f"Nothing here predicts better than the mean: the {chosen.name} has R² "
                f"{chosen.mean.r2:.3f}, which is within the noise of the folds."
            )
    simplest = candidates[0]
    if len(candidates) == 1:
        return f"The {chosen.name} {_explains(chosen.mean.r2)}."
    if chosen is not simplest:
        gain, error = paired_gain(chosen, simplest)
        need = "needs more than a line" if simplest.name == "line" else "needs more"
        return (
            f"This table {need}: the {chosen.name} {_explains(chosen.mean.r2)}, "
            f"the {simplest.name} has R² {simplest.mean.r2:.3f} "
            f"(R² higher by {gain:.3f} ± {error:.3f} on the same rows)."
        )
    gain, error = paired_gain(candidates[-1], simplest)
    enough = "A line is enough" if simplest.name == "line" else f"The {simplest.name} is enough"
    return (
        f"{enough}: it {_explains(chosen.mean.r2)}; the "
        f"{candidates[-1].name} changes R² by {round(gain, 3) + 0.0:+.3f} ± {error:.3f} on the "
        "same rows."
    )


def _explains(r2: float) -> str:
    if r2 <= 0:
        return f"explains nothing of rows it has not seen (R² {r2:.3f})"
    return f"explains {100 * r2:.1f} % of the variance"
