"""``abline show``: what a model is, from its file alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from abline.cli.console import Output
from abline.cli.inputs import load_model
from abline.cli.render import columns_table, number, plain_table, summary_text, without_nan
from abline.errors import DataError

if TYPE_CHECKING:
    from abline.linear.inference.result import LinearResult

#: a coefficient table longer than this shows its largest
MOST_COEFFICIENTS = 25


def run_show(model_file: str, *, json: bool, quiet: bool, no_color: bool) -> None:
    """Load and tell.

    Parameters
    ----------
    model_file, json, quiet, no_color
        The command's arguments.

    Raises
    ------
    ModelFileError
        If the file is no whole model.
    """
    output = Output(json=json, quiet=quiet, no_color=no_color)
    model = load_model(model_file)
    summary = _summary(model)
    content = describe_model(model_file, model, summary)
    _show_card(content, output)
    if content["columns"]:
        output.show(columns_table(content["columns"]))
    output.notes(content["notes"])
    if summary is not None:
        output.show(summary_text(summary))
    elif content["coefficients"]:
        _show_coefficients(content["coefficients"], output)
    if content["network"]:
        network = content["network"]
        output.show(
            f"Network of {network['parameters']:,} weights, {network['epochs']} epochs, trained "
            f"on {network['device']} by the engine {network['engine']}:",
            network["module"],
        )
    if json:
        output.emit("abline.show/1", content)


def describe_model(path: str, model: Any, summary: LinearResult | None) -> dict[str, Any]:
    """Say what a model is, as plain data.

    Parameters
    ----------
    path : str
    model : estimator
    summary : LinearResult or None
        Of a line.

    Returns
    -------
    dict
        As documented for ``abline.show/1``.
    """
    from abline.store import read_model

    schema = getattr(model, "schema_", None)
    encoder = getattr(model, "encoder_", None)
    inner = getattr(model, "estimator_", model)
    names = (
        encoder.feature_names_out_
        if encoder is not None
        else getattr(inner, "feature_names_in_", None)
    )
    card = dict(getattr(model, "card_", None) or {})
    stored = read_model(path)
    return {
        "kind": stored.kind,
        "estimator": type(inner).__name__,
        "versions": dict(stored.versions),
        "scores": card.pop("scores", None),
        "spread": card.pop("spread", None),
        "card": card,
        "columns": [] if schema is None else schema.to_dict()["columns"],
        "notes": [] if encoder is None else list(encoder.notes_),
        "coefficients": _coefficients(inner, names),
        "terms": None if summary is None else without_nan(summary.to_frame().to_dicts()),
        "network": _network(inner),
    }


def _summary(model: Any) -> LinearResult | None:
    from abline.linear import LinearRegression
    from abline.pipeline import TableRegressor

    inner = model.estimator_ if isinstance(model, TableRegressor) else model
    plain = isinstance(inner, LinearRegression) and hasattr(inner, "singular_")
    if not plain or inner.factor_.n_targets > 1:
        return None
    try:
        result: LinearResult = model.summary()
    except DataError:  # a target of a size that has no standard errors
        return None
    return result


def _coefficients(estimator: Any, names: Any) -> list[dict[str, Any]]:
    if not hasattr(estimator, "coef_"):
        return []
    import numpy as np

    coef = np.atleast_2d(estimator.coef_)
    intercept = np.broadcast_to(np.ravel(estimator.intercept_), len(coef))
    labels = (
        [str(n) for n in names] if names is not None else [f"x{i}" for i in range(coef.shape[1])]
    )
    rows = [{"name": "(intercept)", "values": [float(value) for value in intercept]}]
    rows += [
        {"name": label, "values": [float(value) for value in coef[:, i]]}
        for i, label in enumerate(labels)
    ]
    return rows


def _network(estimator: Any) -> dict[str, Any] | None:
    if not hasattr(estimator, "module_"):
        return None
    last = {
        key: values[-1] if math.isfinite(values[-1]) else None
        for key, values in estimator.history_.items()
        if values
    }
    return {
        "module": str(estimator.module_),
        "parameters": sum(p.numel() for p in estimator.module_.parameters()),
        "epochs": len(estimator.history_["epoch"]),
        "device": str(estimator.device_),
        "engine": estimator.engine_,
        "last": last,
    }


def _show_card(content: dict[str, Any], output: Output) -> None:
    card, versions = content["card"], content["versions"]
    output.show(
        f"{content['kind']} with {content['estimator']}"
        if content["kind"] != content["estimator"]
        else content["kind"],
        "written by " + ", ".join(f"{name} {version}" for name, version in versions.items()),
    )
    if not card:
        return
    output.show(
        f"{card['model']} fitted on {card['rows']:,} rows of {card['source']}; "
        f"target {card['target']}, seed {card['seed']}",
        f"R² {number(content['scores']['r2'])}, RMSE {number(content['scores']['rmse'])}, "
        f"MAE {number(content['scores']['mae'])} by {card['folds']}-fold cross-validation",
        card["judgement"],
    )


def _show_coefficients(rows: list[dict[str, Any]], output: Output) -> None:
    intercept, *others = rows
    largest = sorted(others, key=lambda row: -max(map(abs, row["values"])))[:MOST_COEFFICIENTS]
    targets = len(intercept["values"])
    headings = ["", *(["coefficient"] if targets == 1 else [f"target {i}" for i in range(targets)])]
    table = plain_table(
        headings, [[row["name"], *map(number, row["values"])] for row in [intercept, *largest]]
    )
    output.show("Coefficients of the encoded columns, the largest first:", table)
    if len(largest) < len(others):
        output.show(f"and {len(others) - len(largest)} smaller ones (--json has them all)")
