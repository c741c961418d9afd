"""How a loss fell while a model was trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from abline.errors import ParameterError
from abline.show.axes import COLOURS, DASHES, axes_to_draw_on, dress, figure_of, put_legend

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

_LOSS_NAMES = {
    "MSELoss": "mean squared error",
    "L1Loss": "mean absolute error",
    "HuberLoss": "Huber loss",
    "SmoothL1Loss": "smooth absolute error",
}


class LossDisplay:
    """Training and validation loss, epoch by epoch.

    Parameters
    ----------
    epochs : array of shape (n_epochs,)
    train : array of shape (n_epochs,)
        Losses on the training rows.
    valid : array of shape (n_epochs,), optional
        Losses on the validation rows; missing values (nan) are not drawn.
    loss_name : str, default="loss"
        The label of the axis.

    Attributes
    ----------
    epochs, train, valid : arrays
        As given; `valid` is None where there is no validation loss at all.
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure
    lines_ : list of matplotlib.lines.Line2D

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> display = LossDisplay([0, 1, 2], [9.0, 3.0, 1.0], [9.5, 3.5, 2.0])
    >>> display.plot(Figure().add_subplot()).ax_.get_yscale()
    'linear'
    """

    ax_: Axes
    figure_: Figure
    lines_: list[Any]

    def __init__(
        self,
        epochs: ArrayLike,
        train: ArrayLike,
        valid: ArrayLike | None = None,
        *,
        loss_name: str = "loss",
    ) -> None:
        self.epochs = np.asarray(epochs)
        self.train = np.asarray(train, dtype=np.float64)
        seen = None if valid is None else np.asarray(valid, dtype=np.float64)
        self.valid = None if seen is None or np.isnan(seen).all() else seen
        self.loss_name = loss_name

    @classmethod
    def from_estimator(
        cls, model: Any, *, ax: Axes | None = None, log: bool | Literal["auto"] = "auto"
    ) -> Self:
        """Draw the losses of a fitted model.

        Parameters
        ----------
        model : fitted estimator with ``history_``
            A `TorchRegressor`, or a pipeline or table regressor around one.
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new pyplot figure otherwise.
        log : bool or "auto", default="auto"
            Whether the loss axis is logarithmic; "auto" takes it where losses span more than
            a factor of ten.

        Returns
        -------
        LossDisplay

        Raises
        ------
        ParameterError
            If the model was not fitted epoch by epoch.

        Examples
        --------
        >>> import numpy as np
        >>> from abline import LossDisplay, TorchRegressor
        >>> from matplotlib.figure import Figure
        >>> X = np.linspace(0, 1, 20, dtype=np.float32)[:, None]
        >>> model = TorchRegressor(max_epochs=5, random_state=0).fit(X, 2 * X[:, 0])
        >>> len(LossDisplay.from_estimator(model, ax=Figure().add_subplot()).epochs)
        5
        """
        check_is_fitted(model)
        trained = _trained_by_epochs(model)
        history = trained.history_
        display = cls(
            history["epoch"],
            history["train_loss"],
            history.get("valid_loss"),
            loss_name=_name_of_loss(getattr(trained, "criterion", None)),
        )
        return display.plot(ax, log=log)

    def plot(self, ax: Axes | None = None, *, log: bool | Literal["auto"] = "auto") -> Self:
        """Draw, again or elsewhere.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new pyplot figure otherwise.
        log : bool or "auto", default="auto"
            Whether the loss axis is logarithmic; "auto" takes it where losses span more than
            a factor of ten.

        Returns
        -------
        LossDisplay
            This very object, with ``ax_``, ``figure_`` and ``lines_``.
        """
        ax = axes_to_draw_on(ax)
        self.lines_ = []
        losses = {"training": self.train, "validation": self.valid}
        for (name, loss), colour, dash in zip(losses.items(), COLOURS, DASHES, strict=False):
            if loss is not None:
                # a single epoch makes no line, only a point
                marker = "o" if len(self.epochs) == 1 else None
                self.lines_ += ax.plot(
                    self.epochs, loss, color=colour, linestyle=dash, label=name, marker=marker
                )
        if log is True or (log == "auto" and self._spans_a_decade()):
            ax.set_yscale("log")
        dress(ax, x="epoch", y=self.loss_name)
        put_legend(ax)
        self.ax_, self.figure_ = ax, figure_of(ax)
        return self

    def _spans_a_decade(self) -> bool:
        drawn: NDArray[np.float64] = np.concatenate(
            [self.train, [] if self.valid is None else self.valid]
        )
        drawn = drawn[np.isfinite(drawn)]
        return len(drawn) > 0 and bool(drawn.min() > 0) and bool(drawn.max() > 10 * drawn.min())


def _trained_by_epochs(model: Any) -> Any:
    """Find the model that has a history, within pipelines and wrappers."""
    inner = model
    while not hasattr(inner, "history_"):
        if hasattr(inner, "steps"):
            inner = inner.steps[-1][1]
            continue
        for wrapped in ("estimator_", "regressor_", "best_estimator_"):
            if hasattr(inner, wrapped):
                inner = getattr(inner, wrapped)
                break
        else:
            raise ParameterError(
                f"a {type(model).__name__} has no losses to draw, because it was not fitted epoch "
                "by epoch: pass a fitted TorchRegressor"
            )
    return inner


def _name_of_loss(criterion: Any) -> str:
    """Name a criterion, which may be a class, an instance or a function."""
    if criterion is None:
        return "loss"
    name = getattr(criterion, "__name__", type(criterion).__name__)
    return f"loss: {_LOSS_NAMES.get(name, name)}"
