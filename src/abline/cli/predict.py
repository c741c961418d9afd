"""``abline predict``: one row out per row in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from abline.cli.console import Output
from abline.cli.inputs import (
    as_in_training,
    check_file,
    features_for,
    load_model,
    read,
    refuse_same_file,
)
from abline.errors import DataError, ModelFileError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from abline.cli.options import Reading


def run_predict(
    model_file: str,
    table: str,
    out: str,
    keep: Sequence[str],
    reading: Reading,
    *,
    json: bool,
    quiet: bool,
    no_color: bool,
) -> None:
    """Predict and write.

    Parameters
    ----------
    model_file, table, out, keep, reading, json, quiet, no_color
        The command's arguments.

    Raises
    ------
    AblineError
        If one is wrong; nothing is written then.
    """
    if json and out == "-":
        raise ParameterError("--json and the predictions both want standard output: give -o PATH")
    output = Output(json=json, quiet=quiet, no_color=no_color, data=out == "-")
    check_file(model_file, ModelFileError)
    check_file(table, DataError)
    if out != "-":
        from abline.store import check_writable
        from abline.tables.write import find_output_format

        find_output_format(out)
        check_writable(out)
        refuse_same_file(out, table, model_file)
    model = load_model(model_file)
    frame, notes = read(table, as_in_training(model, reading))

    from abline.tables.target import check_known
    from abline.tables.write import write_table

    check_known(keep, frame.columns, "--keep")
    features = features_for(model, frame)
    write_table(_predictions(model, features, frame, keep), out)
    unusual = model.notes(features) if hasattr(model, "notes") else ()
    output.notes([*notes, *unusual])
    if out != "-":
        output.say(f"{frame.height:,} predictions: {out}")
    if json:
        output.emit(
            "abline.predict/1",
            {"path": out, "rows": frame.height, "notes": [*notes, *unusual]},
        )


def _predictions(
    model: Any, features: pl.DataFrame, frame: pl.DataFrame, keep: Sequence[str]
) -> pl.DataFrame:
    import polars as pl

    predicted = model.predict(features)
    if predicted.ndim == 1 or predicted.shape[1] == 1:
        columns = {"prediction": predicted.ravel()}
    else:
        targets = getattr(model, "target_names_", None) or range(predicted.shape[1])
        columns = {f"prediction_{target}": predicted[:, i] for i, target in enumerate(targets)}
    taken = [name for name in keep if name in columns]
    if taken:
        raise ParameterError(
            f"--keep cannot carry over {taken[0]!r}, the name of abline's own column: rename it"
        )
    kept = [frame[name] for name in keep]
    return pl.DataFrame(kept + [pl.Series(name, cells) for name, cells in columns.items()])
