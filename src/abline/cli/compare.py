"""``abline compare``: the models' scores side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abline.cli.console import Output
from abline.cli.fit import MODELS, comparison_json, counting, describe, read_labelled
from abline.cli.inputs import check_file, model_path
from abline.errors import DataError, one_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from abline.cli.options import Fitting, Reading


def run_compare(
    table: str,
    models: Sequence[str],
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
    """Score and tell; save the chosen model where a place was named.

    Parameters
    ----------
    table, models, out, fitting, roles, reading, force, json, quiet, no_color
        The command's arguments.

    Raises
    ------
    AblineError
        If one is wrong.
    """
    output = Output(json=json, quiet=quiet, no_color=no_color)
    for model in models:
        one_of("--model", model, ("mean", *MODELS))
    check_file(table, DataError)
    path = None if out is None else model_path(table, out, force=force)
    data = read_labelled(table, fitting, reading, output)

    from abline.judge.compare import compare_labelled, estimators
    from abline.judge.select import fit_chosen
    from abline.pipeline import NAMED

    wanted = set(NAMED) if not models or "auto" in models else {"mean", *models}
    chosen = estimators(
        [name for name in NAMED if name in wanted],
        device=fitting.device,
        max_epochs=fitting.epochs,
        random_state=fitting.seed,
    )
    with output.progress(len(chosen) * fitting.folds) as update:
        comparison = compare_labelled(
            data,
            chosen,
            roles,
            folds=fitting.folds,
            random_state=fitting.seed,
            on_step=counting(update, fitting.folds),
        )
    describe(comparison, (), None, output)
    if path is not None:
        name = comparison.verdict.chosen
        model = fit_chosen(
            data, name, chosen[name], comparison, roles, fitting.seed, table, reading.na
        )
        model.save(path)
        output.say(f"{name} saved: {path}")
    if json:
        saved = None if path is None else str(path)
        output.emit("abline.compare/1", {"path": saved, **comparison_json(comparison)})
