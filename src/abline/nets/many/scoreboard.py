"""The scores of all settings in all folds, and the best setting's networks."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import r2_score

from abline.errors import ParameterError
from abline.linear.ridge.scoring import takes_weights
from abline.nets.criteria.score import quantile_score
from abline.nets.many.folds import take

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from abline.nets.many.folds import Split
    from abline.nets.many.jobs import Outcome
    from abline.nets.mlp.regressor import MLPRegressor
    from abline.nets.warned import Said
    from abline.tables.arrays import TrainingArrays

    Floats = NDArray[np.floating[Any]]
    Array = NDArray[np.float64]


@dataclass(frozen=True)
class Chosen:
    """What is kept of a fold.

    Attributes
    ----------
    model : MLPRegressor
        The best of its restarts.
    predictions : array of shape (m,) or (m, t)
        For the fold's test rows.
    """

    model: MLPRegressor
    predictions: Floats


class Scoreboard:
    """Takes trainings as they end, scores the best restart of each and keeps the best setting.

    Parameters
    ----------
    n_settings, n_restarts : int
    splits : sequence of (train, test)
    table : TrainingArrays
    scorer : callable or None
        From an estimator, X and y to a score; None is R².

    Attributes
    ----------
    scores, fit_seconds, score_seconds : arrays of shape (settings, folds)
        A score is NaN where all restarts diverged. Seconds are those of all restarts.
    said : list of (message, category)
        What trainings warned of.
    failed : list of Outcome
        Those that diverged.
    """

    def __init__(
        self,
        n_settings: int,
        n_restarts: int,
        splits: Sequence[Split],
        table: TrainingArrays,
        scorer: Callable[..., float] | None,
    ) -> None:
        shape = (n_settings, len(splits))
        self.scores = np.full(shape, np.nan)
        self.fit_seconds, self.score_seconds = np.zeros(shape), np.zeros(shape)
        self.said: Said = []
        self.failed: list[Outcome] = []
        self._splits = splits
        self._table = table
        self._scorer = scorer
        self._left = np.full(shape, n_restarts)
        self._best_restart: dict[tuple[int, int], Outcome] = {}
        self._chosen: dict[int, dict[int, Chosen]] = {}

    def add(self, outcome: Outcome) -> None:
        """Take a training that has ended."""
        job = outcome.job
        place = job.setting, job.fold
        self.said += outcome.said
        self.fit_seconds[place] += outcome.seconds
        if outcome.model is None:
            self.failed.append(outcome)
        else:
            best = self._best_restart.get(place)
            self._best_restart[place] = outcome if best is None else better(best, outcome)
        self._left[place] -= 1
        if self._left[place] == 0 and place in self._best_restart:
            model = self._best_restart.pop(place).model
            assert model is not None  # those that diverged are not among the best
            self._score(place, model)
        if not self._left[job.setting].any():
            self._keep_the_best()

    @property
    def best(self) -> int:
        """The setting with the best mean score so far, the first of equals.

        Raises
        ------
        ParameterError
            If no setting has a score in every fold.
        """
        means = self.scores.mean(axis=1)
        if not np.isfinite(means).any():
            raise ParameterError(
                "no setting has a finite score in every fold: "
                + (str(self.failed[0].error) if self.failed else "scale X and y, or look at them")
            )
        return int(np.argmax(np.where(np.isfinite(means), means, -math.inf)))

    def models(self) -> list[MLPRegressor]:
        """Give the best setting's network of each fold."""
        return [self._chosen[self.best][fold].model for fold in range(len(self._splits))]

    def out_of_fold(self) -> Floats:
        """Give the best setting's predictions, each row's by the networks that did not see it.

        Returns
        -------
        array of shape (n,) or (n, t)
            The mean where a row was tested several times, NaN where it never was.
        """
        each = [self._chosen[self.best][fold].predictions for fold in range(len(self._splits))]
        total = np.zeros((len(self._table.y), *each[0].shape[1:]))
        counts = np.zeros((len(total), *[1] * (total.ndim - 1)))
        for (_, test), predictions in zip(self._splits, each, strict=True):
            np.add.at(total, test, predictions)
            np.add.at(counts, test, 1)
        mean = np.divide(total, counts, out=np.full_like(total, np.nan), where=counts > 0)
        return mean.astype(each[0].dtype)

    def _score(self, place: tuple[int, int], model: MLPRegressor) -> None:
        start = time.perf_counter()
        setting, fold = place
        test = take(self._table, self._splits[fold][1])
        predictions = model.predict(test.X)
        if np.isfinite(predictions).all():
            self.scores[place] = self._value(model, test, predictions)
        self._chosen.setdefault(setting, {})[fold] = Chosen(model, predictions)
        self.score_seconds[place] = time.perf_counter() - start

    def _value(self, model: MLPRegressor, test: TrainingArrays, predictions: Floats) -> float:
        weights = test.sample_weight
        if self._scorer is None:
            if model.loss == "quantile" and np.ndim(model.quantile) > 0:
                return quantile_score(test.y, predictions, model.quantile, weights)
            return float(r2_score(test.y, predictions, sample_weight=weights))
        y = test.y[:, 0] if test.y_ndim == 1 else test.y
        weighed = weights is not None and takes_weights(self._scorer)
        return float(
            self._scorer(model, test.X, y, **({"sample_weight": weights} if weighed else {}))
        )

    def _keep_the_best(self) -> None:
        """Let go of the networks of whole settings that another one beats."""
        done = [setting for setting in self._chosen if not self._left[setting].any()]
        finite = np.isfinite(self.scores.mean(axis=1))
        if finite.any():
            for setting in done:
                if setting != self.best:
                    del self._chosen[setting]


def better(one: Outcome, other: Outcome) -> Outcome:
    """Give the better of two restarts, the first of equals in whatever order they ended."""
    return max(one, other, key=lambda outcome: (outcome.merit, -outcome.job.restart))
