"""A fitted model over the data that it is to describe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from abline.errors import DataError, ParameterError
from abline.show.axes import (
    COLOURS,
    DASHES,
    axes_to_draw_on,
    draw_points,
    dress,
    figure_of,
    put_legend,
    say_thinned,
)
from abline.show.feature import Feature, single_feature
from abline.show.naming import target_name
from abline.show.prediction_display import PredictionDisplay, one_target, r_squared, with_r2
from abline.show.sampling import rows_to_draw

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray


class FitDisplay:
    """Data with the fitted curve; with several features, predicted against observed.

    Parameters
    ----------
    observed : array of shape (n,)
        The target.
    predicted : dict of str to array of shape (n,)
        Each model's predictions of these rows.
    target : str, default="y"
        The target's name, for the axes.
    feature : Feature, optional
        The only feature, where there is only one.
    curves : dict of str to array, optional
        Each model's predictions along ``feature.grid``.
    subsample : int or None, default=5000
        How many rows to draw at the most, chosen at random and said in the picture; None draws
        all. R² is always that of all rows.
    random_state : int or RandomState, default=0
        Of that choice.

    Attributes
    ----------
    r2 : dict of str to float
        Each model's R² on these rows; nan for fewer than two rows.
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure

    Examples
    --------
    >>> from abline import FitDisplay, LinearRegression
    >>> from matplotlib.figure import Figure
    >>> X, y = [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0]
    >>> line = LinearRegression().fit(X, y)
    >>> display = FitDisplay.from_estimator(line, X, y, name="line", ax=Figure().add_subplot())
    >>> display.curves["line"][[0, -1]].round(6)
    array([1., 5.])
    """

    ax_: Axes
    figure_: Figure

    def __init__(
        self,
        observed: NDArray[Any],
        predicted: dict[str, NDArray[Any]],
        *,
        target: str = "y",
        feature: Feature | None = None,
        curves: dict[str, NDArray[Any]] | None = None,
        subsample: int | None = 5_000,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.observed = observed
        self.predicted = predicted
        self.target = target
        self.feature = feature
        self.curves = curves or {}
        self.subsample = subsample
        self.random_state = random_state
        self.r2 = {name: r_squared(observed, values) for name, values in predicted.items()}

    @classmethod
    def from_estimator(
        cls,
        model: Any,
        X: Any,
        y: Any,
        *,
        name: str | None = None,
        others: Mapping[str, Any] | None = None,
        ax: Axes | None = None,
        subsample: int | None = 5_000,
        random_state: int | np.random.RandomState | None = 0,
    ) -> Self:
        """Predict rows, and along the feature where there is one, and draw.

        Parameters
        ----------
        model : fitted estimator
        X : array, tensor or dataframe of shape (n, p)
        y : array, tensor or series of shape (n,)
            What was observed; a series gives the axis its name.
        name : str, optional
            What to call the model; its class's name otherwise.
        others : dict of str to fitted estimator, optional
            Further models to draw, by the names they are to have.
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new pyplot figure otherwise.
        subsample : int or None, default=5000
        random_state : int or RandomState, default=0

        Returns
        -------
        FitDisplay

        Raises
        ------
        DataError
            If y has several targets, or another length than X.
        ParameterError
            If two models have the same name.
        """
        models = _named_models(model, name, others)
        feature = single_feature(X)
        observed = one_target(y)
        predicted = {key: np.reshape(each.predict(X), -1) for key, each in models.items()}
        n_predicted = len(next(iter(predicted.values())))
        if n_predicted != len(observed):
            raise DataError(f"X has {n_predicted} rows and y has {len(observed)}: pass one y a row")
        curves = (
            {}
            if feature is None
            else {key: np.reshape(m.predict(feature.grid_rows), -1) for key, m in models.items()}
        )
        display = cls(
            observed,
            predicted,
            target=target_name(y),
            feature=feature,
            curves=curves,
            subsample=subsample,
            random_state=random_state,
        )
        return display.plot(ax)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw, again or elsewhere.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new pyplot figure otherwise.

        Returns
        -------
        FitDisplay
            This very object, with ``ax_`` and ``figure_``.
        """
        ax = axes_to_draw_on(ax)
        if self.feature is None:
            PredictionDisplay(
                self.observed,
                self.predicted,
                target=self.target,
                subsample=self.subsample,
                random_state=self.random_state,
            ).plot(ax)
        else:
            self._draw_curves(ax, self.feature)
        self.ax_, self.figure_ = ax, figure_of(ax)
        return self

    def _draw_curves(self, ax: Axes, feature: Feature) -> None:
        rows = rows_to_draw(len(self.observed), self.subsample, self.random_state)
        draw_points(ax, feature.values[rows], self.observed[rows], label="data")
        for place, (name, curve) in enumerate(self.curves.items()):
            ax.plot(
                feature.grid,
                curve,
                color=COLOURS[place % len(COLOURS)],
                linestyle=DASHES[place % len(DASHES)],
                linewidth=2.2,
                label=with_r2(name, self.r2[name]),
            )
        dress(ax, x=feature.name, y=self.target)
        put_legend(ax)
        say_thinned(ax, len(rows), len(self.observed))


def _named_models(model: Any, name: str | None, others: Mapping[str, Any] | None) -> dict[str, Any]:
    first = name or type(model).__name__
    if others and first in others:
        raise ParameterError(f"two models are called {first!r}: give name= another value")
    models = {first: model, **(others or {})}
    for each in models.values():
        check_is_fitted(each)
    return models
