"""``abline fit``: from a table to a model file and a judgement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from abline.cli.console import Output
from abline.cli.inputs import check_file, model_path, read
from abline.cli.render import columns_table, scores_table, summary_text, without_nan
from abline.errors import DataError, one_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from abline.cli.options import Fitting, Reading
    from abline.judge import Comparison, Fitted
    from abline.linear.inference.result import LinearResult
    from abline.tables.target import LabelledTable

MODELS = ("line", "ridge", "lasso", "elastic-net", "network", "auto")


def run_fit(
    table: str,
    model: str,
    out: str | None,
    fitting: Fitting,
    roles: Mapping[str, Sequence[str] | None],
    reading: Reading,
    *,
    force: bool,
    json: bool,
    quiet: bool,
    no_color: bool,
) -> None:
    """Fit, save and tell.

    Parameters
    ----------
    table, model, out, fitting, roles, reading, force, json, quiet, no_color
        The command's arguments.

    Raises
    ------
    AblineError
        If one is wrong; nothing is written then.
    """
    output = Output(json=json, quiet=quiet, no_color=no_color)
    one_of("--model", model, MODELS)
    check_file(table, DataError)
    path = model_path(table, out, force=force)
    data = read_labelled(table, fitting, reading, output)
    fitted = fit_labelled(data, model, table, fitting, roles, reading, output)
    fitted.model.save(path)
    summary, notes = None, list(fitted.model.encoder_.notes_)
    if fitted.name == "line":
        try:
            summary = fitted.model.summary()
        except DataError as error:  # the line serves to predict all the same
            notes.append(f"no standard errors: {error}")
    describe(fitted.comparison, notes, summary, output)
    output.say(f"{fitted.name} saved: {path}", f"Next: abline predict {path} NEW_TABLE")
    if json:
        content = comparison_json(fitted.comparison)
        chosen = next(m for m in content["models"] if m["name"] == fitted.name)
        output.emit(
            "abline.fit/1",
            {
                "model": fitted.name,
                "path": str(path),
                "scores": chosen["scores"],
                "spread": chosen["spread"],
                "terms": None if summary is None else without_nan(summary.to_frame().to_dicts()),
                **content,
            },
        )


def read_labelled(table: str, fitting: Fitting, reading: Reading, output: Output) -> LabelledTable:
    """Read a table and split off its target.

    Parameters
    ----------
    table : str
    fitting : Fitting
    reading : Reading
    output : Output
        Gets the notes.

    Returns
    -------
    LabelledTable

    Raises
    ------
    DataError
    """
    from abline.tables.target import split_target

    frame, notes = read(table, reading)
    data = split_target(frame, fitting.target, weights=fitting.weights)
    name = "standard input" if table == "-" else table
    output.say(f"{name}: {frame.height:,} rows, {frame.width} columns; target {fitting.target}")
    output.notes([*notes, *data.notes])
    return data


def fit_labelled(
    data: LabelledTable,
    model: str,
    source: str,
    fitting: Fitting,
    roles: Mapping[str, Sequence[str] | None],
    reading: Reading,
    output: Output,
) -> Fitted:
    """Fit with a progress bar.

    Parameters
    ----------
    data, model, source, fitting, roles, reading
        For `fit_table`.
    output : Output

    Returns
    -------
    Fitted
    """
    from abline.judge import fit_table

    models = len(MODELS) if model == "auto" else 2  # the mean stands in the place of auto
    with output.progress(models * fitting.folds + 1) as update:
        return fit_table(
            data,
            model,
            roles=roles,
            folds=fitting.folds,
            device=fitting.device,
            max_epochs=fitting.epochs,
            random_state=fitting.seed,
            source=source,
            na=reading.na,
            on_step=counting(update, fitting.folds),
        )


def counting(update: Callable[[str, int], None], folds: int) -> Callable[[str, int], None]:
    """Turn "this model, this fold" into the steps of a progress bar.

    Parameters
    ----------
    update : callable
        Takes a text and the number of steps done.
    folds : int

    Returns
    -------
    callable
        Takes a model's name and a fold's number.
    """
    done = -1

    def on_step(name: str, fold: int) -> None:
        nonlocal done
        done += 1
        text = f"{name}, fold {fold + 1} of {folds}" if fold < folds else f"{name}, all rows"
        update(text, done)

    return on_step


def describe(
    comparison: Comparison, notes: Sequence[str], summary: LinearResult | None, output: Output
) -> None:
    """Print the columns, the decisions on them, a line's terms, the scores and the judgement.

    Parameters
    ----------
    comparison : Comparison
    notes : sequence of str
    summary : LinearResult or None
        Of a line that was fitted.
    output : Output
    """
    output.say(columns_table(comparison.schema.to_dict()["columns"]))
    output.notes(notes)
    if summary is not None:
        output.show("", summary_text(summary), "")
    output.show(
        f"Cross-validation, {comparison.folds} folds (mean ± standard deviation):",
        scores_table(model.to_dict() for model in comparison.models),
        comparison.verdict.sentence,
    )


def comparison_json(comparison: Comparison) -> dict[str, Any]:
    """Give a comparison as the documented JSON has it.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    dict
    """
    return {
        **comparison.to_dict(),
        "columns": comparison.schema.to_dict()["columns"],
        "notes": list(comparison.notes),
    }
