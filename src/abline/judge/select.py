"""Score the models on a table, choose one, and fit it on all rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from abline.errors import one_of
from abline.judge.compare import Comparison, OnStep, compare_labelled, estimators
from abline.pipeline import NAMED, TableRegressor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from abline.tables.target import LabelledTable

#: what ``--model`` may be
CHOICES = ("line", "ridge", "lasso", "elastic-net", "network", "auto")


@dataclass(frozen=True)
class Fitted:
    """A model fitted on all rows, and the scores that speak for it.

    Attributes
    ----------
    name : str
        Which of the models it is.
    model : TableRegressor
        With ``card_`` filled in.
    comparison : Comparison
    """

    name: str
    model: TableRegressor
    comparison: Comparison


def fit_table(
    data: LabelledTable,
    model: str = "auto",
    *,
    roles: Mapping[str, Sequence[str] | None] | None = None,
    folds: int = 5,
    device: str = "auto",
    max_epochs: int | None = None,
    random_state: int = 0,
    source: str | None = None,
    na: Sequence[str] | None = None,
    on_step: OnStep | None = None,
) -> Fitted:
    """Cross-validate, choose and fit.

    Parameters
    ----------
    data : LabelledTable
        From `split_target`.
    model : {"auto", "line", "ridge", "lasso", "elastic-net", "network"}, default="auto"
        ``"auto"`` takes the simplest that none beats by more than a standard error.
    roles : mapping from role option to columns, optional
        The keywords of `TableRegressor`.
    folds : int, default=5
    device, max_epochs : optional
        Of the network.
    random_state : int, default=0
    source : str, optional
        Where the table came from, for the model's card.
    na : sequence of str, optional
        What stood for missing cells in it, for the card too.
    on_step : callable, optional
        Called with a model's name and the number of the fold before each fit; the last call,
        for the fit on all rows, has the number of folds.

    Returns
    -------
    Fitted

    Raises
    ------
    DataError
        If the table cannot be used.
    ParameterError
        If there is no such model.
    """
    one_of("model", model, CHOICES)
    names = NAMED if model == "auto" else ("mean", model)
    roles = dict(roles or {})
    models = estimators(names, device=device, max_epochs=max_epochs, random_state=random_state)
    comparison = compare_labelled(
        data, models, roles, folds=folds, random_state=random_state, on_step=on_step
    )
    name = comparison.verdict.chosen if model == "auto" else model
    if on_step is not None:
        on_step(name, folds)
    final = fit_chosen(data, name, models[name], comparison, roles, random_state, source, na)
    return Fitted(name, final, comparison)


def fit_chosen(
    data: LabelledTable,
    name: str,
    estimator: Any,
    comparison: Comparison,
    roles: Mapping[str, Sequence[str] | None],
    random_state: int,
    source: str | None,
    na: Sequence[str] | None = None,
) -> TableRegressor:
    """Fit one of the compared models on all rows and fill in its card.

    Parameters
    ----------
    data : LabelledTable
    name : str
        Which of the models.
    estimator : estimator
        That model, unfitted.
    comparison : Comparison
    roles : mapping from role option to columns
    random_state : int
    source : str or None
        Where the table came from.
    na : sequence of str, optional
        What stood for missing cells in it, for tables to predict.

    Returns
    -------
    TableRegressor
    """
    final = TableRegressor(estimator, random_state=random_state, **roles)
    final.fit(data.features, data.target, data.weights)
    final.card_ = {
        "model": name,
        "source": source,
        "na": None if na is None else list(na),
        "target": data.target.name,
        "rows": len(data.target),
        "folds": comparison.folds,
        "seed": random_state,
        "scores": comparison[name].mean.to_dict(),
        "spread": comparison[name].spread.to_dict(),
        "judgement": comparison.verdict.sentence,
    }
    return final
