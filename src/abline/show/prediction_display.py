"""Predicted against observed, on common axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.metrics import r2_score
from sklearn.utils.validation import check_is_fitted

from abline.errors import DataError
from abline.show.axes import (
    COLOURS,
    axes_to_draw_on,
    draw_points,
    dress,
    figure_of,
    put_legend,
    say_thinned,
)
from abline.show.naming import target_name
from abline.show.sampling import rows_to_draw
from abline.tables.arrays import check_target

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

_MARKERS = ("o", "^", "s", "D")


class PredictionDisplay:
    """Each row as a point: across what was observed, up what was predicted.

    A perfect model puts all points on the 1:1 line.

    Parameters
    ----------
    observed : array of shape (n,)
    predicted : dict of str to array of shape (n,)
        Each model's predictions of the same rows.
    target : str, default="y"
        The target's name, for the axes.
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
    >>> from matplotlib.figure import Figure
    >>> axes = Figure().add_subplot()
    >>> display = PredictionDisplay.from_predictions([1, 2, 3], [1.1, 2.0, 2.9], ax=axes)
    >>> round(display.r2["model"], 3)
    0.99
    """

    ax_: Axes
    figure_: Figure

    def __init__(
        self,
        observed: NDArray[Any],
        predicted: dict[str, NDArray[Any]],
        *,
        target: str = "y",
        subsample: int | None = 5_000,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.observed = observed
        self.predicted = predicted
        self.target = target
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
        ax: Axes | None = None,
        subsample: int | None = 5_000,
        random_state: int | np.random.RandomState | None = 0,
    ) -> Self:
        """Predict rows and draw them.

        Parameters
        ----------
        model : fitted estimator
        X : array, tensor or dataframe of shape (n, p)
        y : array, tensor or series of shape (n,)
            What was observed; a series gives the axes its name.
        name : str, optional
            What to call the model; its class's name otherwise.
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new pyplot figure otherwise.
        subsample : int or None, default=5000
        random_state : int or RandomState, default=0

        Returns
        -------
        PredictionDisplay

        Raises
        ------
        DataError
            If y has several targets, or another length than X.
        """
        check_is_fitted(model)
        return cls.from_predictions(
            y,
            model.predict(X),
            name=name or type(model).__name__,
            ax=ax,
            subsample=subsample,
            random_state=random_state,
        )

    @classmethod
    def from_predictions(
        cls,
        y: Any,
        predicted: Any,
        *,
        name: str = "model",
        ax: Axes | None = None,
        subsample: int | None = 5_000,
        random_state: int | np.random.RandomState | None = 0,
    ) -> Self:
        """Draw predictions made before.

        Parameters
        ----------
        y : array, tensor or series of shape (n,)
            What was observed; a series gives the axes its name.
        predicted : array of shape (n,)
        name : str, default="model"
            What to call the model.
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new pyplot figure otherwise.
        subsample : int or None, default=5000
        random_state : int or RandomState, default=0

        Returns
        -------
        PredictionDisplay

        Raises
        ------
        DataError
            If there are several targets, or the lengths differ.
        """
        observed, values = one_target(y), one_target(predicted)
        if len(observed) != len(values):
            raise DataError(
                f"there are {len(values)} predictions for {len(observed)} observed values: "
                "give one for each"
            )
        display = cls(
            observed,
            {name: values},
            target=target_name(y),
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
        PredictionDisplay
            This very object, with ``ax_`` and ``figure_``.
        """
        ax = axes_to_draw_on(ax)
        rows = rows_to_draw(len(self.observed), self.subsample, self.random_state)
        for place, (name, values) in enumerate(self.predicted.items()):
            draw_points(
                ax,
                self.observed[rows],
                values[rows],
                colour=COLOURS[place % len(COLOURS)],
                label=with_r2(name, self.r2[name]),
                marker=_MARKERS[place % len(_MARKERS)],
            )
        self._draw_equality(ax)
        dress(ax, x=f"observed {self.target}", y=f"predicted {self.target}")
        put_legend(ax)
        say_thinned(ax, len(rows), len(self.observed))
        self.ax_, self.figure_ = ax, figure_of(ax)
        return self

    def _draw_equality(self, ax: Axes) -> None:
        """Draw the line of perfect predictions across what is observed."""
        ends = [self.observed.min(), self.observed.max()]
        ax.plot(ends, ends, color="#333B44", linewidth=1, linestyle=(0, (4, 3)), label="1:1")


def one_target(y: Any) -> NDArray[np.floating[Any]]:
    """Check a single target, also as a column of shape (n, 1).

    Parameters
    ----------
    y : array, tensor, series or dataframe of shape (n,) or (n, 1)

    Returns
    -------
    array of shape (n,)

    Raises
    ------
    DataError
        If it has several columns.
    """
    values = check_target(y)
    if values.ndim == 2 and values.shape[1] > 1:
        raise DataError(
            f"y has {values.shape[1]} targets and a picture shows one: draw each column with "
            "PredictionDisplay.from_predictions(y[:, 0], model.predict(X)[:, 0])"
        )
    return values.reshape(-1)


def r_squared(observed: NDArray[Any], predicted: NDArray[Any]) -> float:
    """R² of predictions; nan where fewer than two rows leave it undefined.

    Parameters
    ----------
    observed, predicted : array of shape (n,)

    Returns
    -------
    float
    """
    return float(r2_score(observed, predicted)) if len(observed) > 1 else float("nan")


def with_r2(name: str, r2: float) -> str:
    """Give a model's label in a legend.

    Parameters
    ----------
    name : str
    r2 : float

    Returns
    -------
    str

    Examples
    --------
    >>> with_r2("line", 0.79438)
    'line, R² = 0.794'
    """
    return name if np.isnan(r2) else f"{name}, R² = {r2:z.3f}"
