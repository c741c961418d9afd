"""``abline score``: how good a model is on rows with the target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abline.cli.console import Output
from abline.cli.inputs import as_in_training, check_file, features_for, load_model, read
from abline.cli.render import number, plain_table
from abline.errors import DataError, ModelFileError, ParameterError

if TYPE_CHECKING:
    from abline.cli.options import Reading


def run_score(
    model_file: str,
    table: str,
    target: str | None,
    weights: str | None,
    reading: Reading,
    *,
    json: bool,
    quiet: bool,
    no_color: bool,
) -> None:
    """Score and tell.

    Parameters
    ----------
    model_file, table, target, weights, reading, json, quiet, no_color
        The command's arguments.

    Raises
    ------
    AblineError
        If one is wrong.
    """
    output = Output(json=json, quiet=quiet, no_color=no_color)
    check_file(model_file, ModelFileError)
    check_file(table, DataError)
    model = load_model(model_file)
    names = getattr(model, "target_names_", None) or []
    if target is None:
        if len(names) != 1:
            raise ParameterError(f"{model_file} does not name one target: give --target COLUMN")
        target = names[0]
    frame, notes = read(table, as_in_training(model, reading))

    from abline.judge import score_predictions
    from abline.tables.target import split_target

    needed = {column.name for column in model.schema_.used} if hasattr(model, "schema_") else set()
    for option, name in (("--target", target), ("--weights", weights)):
        if name in needed:
            raise ParameterError(
                f"{option} cannot be {name!r}, which the model needs as a feature: name another"
            )
    data = split_target(frame, target, weights=weights, constant_ok=True)
    features = features_for(model, data.features)
    predicted = model.predict(features)
    scores = score_predictions(data.y, predicted.ravel(), data.weights).to_dict()
    unusual = model.notes(features) if hasattr(model, "notes") else ()
    every = [*notes, *data.notes, *unusual]
    output.notes(every)
    if scores["r2"] is None:
        output.notes(["R² is not defined where the target does not vary"])
    row = [f"{len(data.y):,}", number(scores["r2"]), number(scores["rmse"]), number(scores["mae"])]
    output.show(plain_table(["rows", "R²", "RMSE", "MAE"], [row], numbers_from=0))
    if json:
        output.emit(
            "abline.score/1",
            {"target": target, "rows": len(data.y), "scores": scores, "notes": every},
        )
