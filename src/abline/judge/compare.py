"""The models side by side on one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from abline.errors import ParameterError
from abline.judge.folds import ModelScores, cross_validate
from abline.judge.verdict import Verdict, judge
from abline.pipeline import NAMED, TableRegressor, named_estimator
from abline.tables import as_table, infer_schema
from abline.tables.target import LabelledTable, check_roles, split_target

if TYPE_CHECKING:
    from abline.tables import Schema

#: called with a model's name and the number of the fold before each fit
OnStep = Callable[[str, int], None]


@dataclass(frozen=True)
class Comparison:
    """Models scored on the same folds of one table.

    Attributes
    ----------
    target : str
    rows : int
        Those with a target.
    models : tuple of ModelScores
        From the simplest on.
    verdict : Verdict
    schema : Schema
        What each column was taken for.
    notes : tuple of str
        What was left out, one sentence each.
    """

    target: str
    rows: int
    models: tuple[ModelScores, ...]
    verdict: Verdict
    schema: Schema = field(repr=False)
    notes: tuple[str, ...] = field(repr=False)

    def __getitem__(self, name: str) -> ModelScores:
        for model in self.models:
            if model.name == name:
                return model
        raise KeyError(f"{name!r}; there are {[model.name for model in self.models]}")

    @property
    def folds(self) -> int:
        """The number of folds."""
        return len(self.models[0].folds)

    def to_dict(self) -> dict[str, Any]:
        """Give plain data: ``target``, ``rows``, ``folds``, ``models``, ``verdict``.

        Returns
        -------
        dict
        """
        return {
            "target": self.target,
            "rows": self.rows,
            "folds": self.folds,
            "models": [model.to_dict() for model in self.models],
            "verdict": self.verdict.to_dict(),
        }

    def __str__(self) -> str:
        lines = [f"{'':<10}{'R²':>18}{'RMSE':>22}{'MAE':>22}"]
        for model in self.models:
            mean, spread = model.mean, model.spread
            cells = [
                f"{mean.r2:.3f} ± {spread.r2:.3f}",
                f"{mean.rmse:.4g} ± {spread.rmse:.2g}",
                f"{mean.mae:.4g} ± {spread.mae:.2g}",
            ]
            lines.append(f"{model.name:<10}{cells[0]:>18}{cells[1]:>22}{cells[2]:>22}")
        return "\n".join([*lines, self.verdict.sentence])


def compare(
    table: Any,
    target: str,
    *,
    models: Sequence[str] | Mapping[str, Any] = NAMED,
    folds: int = 5,
    weights: str | None = None,
    features: Sequence[str] | None = None,
    ignore: Sequence[str] | None = None,
    numeric: Sequence[str] | None = None,
    categorical: Sequence[str] | None = None,
    date: Sequence[str] | None = None,
    id: Sequence[str] | None = None,
    device: str = "auto",
    max_epochs: int | None = None,
    random_state: Any = None,
    on_step: OnStep | None = None,
) -> Comparison:
    """Cross-validate the mean, lines without and with penalties, and a network on a table.

    Parameters
    ----------
    table : dataframe
        Any eager dataframe that narwhals knows; rows without a target are left out.
    target : str
        The column to predict.
    models : sequence of str, or mapping from name to estimator
        Names of ``"mean"``, ``"line"``, ``"ridge"``, ``"lasso"``, ``"elastic-net"``,
        ``"network"``; or regressors of your own, which see the encoded columns.
    folds : int, default=5
    weights : str, optional
        The column of the rows' weights.
    features, ignore, numeric, categorical, date, id : sequence of str, optional
        Overrule the roles of columns; see `TableRegressor`.
    device, max_epochs : optional
        Of the network.
    random_state : int or RandomState, optional
        Of the folds, the encoding and the network.
    on_step : callable, optional
        Called with a model's name and the number of the fold before each fit.

    Returns
    -------
    Comparison

    Raises
    ------
    DataError
        If the table, a column or the target cannot be used.
    ParameterError
        If a model's name is not known.

    Examples
    --------
    >>> import numpy as np, polars as pl
    >>> x = np.linspace(0, 1, 50)
    >>> table = pl.DataFrame({"x": x, "y": 3 * x + 1})
    >>> result = compare(table, target="y", models=["mean", "line"], random_state=0)
    >>> round(result["line"].mean.r2, 6)
    1.0
    """
    data = split_target(as_table(table), target, weights=weights)
    chosen = estimators(models, device=device, max_epochs=max_epochs, random_state=random_state)
    roles = {
        "features": features,
        "ignore": ignore,
        "numeric": numeric,
        "categorical": categorical,
        "date": date,
        "id": id,
    }
    return compare_labelled(
        data, chosen, roles, folds=folds, random_state=random_state, on_step=on_step
    )


def compare_labelled(
    data: LabelledTable,
    models: Mapping[str, Any],
    roles: Mapping[str, Sequence[str] | None],
    *,
    folds: int,
    random_state: Any,
    on_step: OnStep | None = None,
) -> Comparison:
    """Cross-validate estimators on a table whose target has been split off.

    Parameters
    ----------
    data : LabelledTable
    models : mapping from name to estimator
        They see the encoded columns.
    roles : mapping from role option to columns
        The keywords of `TableRegressor`.
    folds : int
    random_state : int or RandomState
    on_step : callable, optional

    Returns
    -------
    Comparison
    """
    check_roles(roles, data.target.name, data.weights_name)
    given = {name: columns for name, columns in roles.items() if columns}
    schema = infer_schema(data.features, **given)
    wrapped = {
        name: TableRegressor(estimator, random_state=random_state, **roles)
        for name, estimator in models.items()
    }
    scored = cross_validate(
        wrapped,
        data.features,
        data.y,
        sample_weight=data.weights,
        folds=folds,
        random_state=random_state,
        on_step=on_step,
    )
    return Comparison(data.target.name, len(data.target), scored, judge(scored), schema, data.notes)


def estimators(
    models: Sequence[str] | Mapping[str, Any],
    *,
    device: str,
    max_epochs: int | None,
    random_state: Any,
) -> dict[str, Any]:
    """Make the estimators that names stand for.

    Parameters
    ----------
    models : sequence of str, or mapping from name to estimator
    device, max_epochs, random_state
        Of the network.

    Returns
    -------
    dict from name to estimator

    Raises
    ------
    ParameterError
        If there is none, or a name is not known.
    """
    if isinstance(models, str):
        models = [models]
    if not models:
        raise ParameterError(f"models is empty: name some of {', '.join(NAMED)}")
    if isinstance(models, Mapping):
        return dict(models)
    return {
        name: named_estimator(name, random_state=random_state, device=device, max_epochs=max_epochs)
        for name in models
    }
