"""The commands and their arguments."""

from __future__ import annotations

from typing import Annotated

import typer

from abline import __version__
from abline.cli import options as o

app = typer.Typer(add_completion=False, rich_markup_mode=None)


def _print_version(value: bool) -> None:
    if value:
        print(f"abline {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=False)
def root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """
    \b
    Examples:
      abline fit houses.csv --target price               a model and a judgement
      abline predict houses.model new.csv -o predictions.csv
      abline score houses.model labelled.csv             how good is it on these rows?
      abline compare houses.csv --target price           mean, lines, network
      abline show houses.model                           what it is, from the file alone
      abline demo                                        a line and a curve, step by step
      abline warmup                                      compile the training kernels ahead

    Regression from a straight line to a deep network: does a table need more than a line, by
    how much, and how sure can one be? abline never asks questions and never uses the network.

    Exit codes: 0 done, 1 a defect of abline, 2 wrong input, 130 interrupted.
    """  # noqa: D205, D301, D400 - the help leads with its examples
    del version


@app.command(short_help="Fit a model to a table and judge it.")
def fit(
    table: o.Table,
    target: o.Target,
    model: Annotated[
        str,
        typer.Option(
            "--model", "-m", metavar="NAME", show_default=False,
            help="line, ridge, lasso, elastic-net, network or auto: the simplest that none clearly "
            "beats (auto).",
        ),
    ] = "auto",
    out: Annotated[
        str | None,
        typer.Option(
            "--out", "-o", metavar="PATH", show_default=False,
            help="Where to save the model (the table's name with .model, in this folder).",
        ),
    ] = None,
    force: o.Force = False,
    folds: o.Folds = "5",
    seed: o.Seed = "0",
    device: o.Device = "auto",
    epochs: o.Epochs = None,
    features: o.Features = None,
    ignore: o.Ignore = None,
    categorical: o.Categorical = None,
    numeric: o.Numeric = None,
    date: o.Date = None,
    id: o.Id = None,
    weights: o.Weights = None,
    format: o.Format = None,
    delimiter: o.Delimiter = None,
    decimal: o.Decimal = None,
    encoding: o.Encoding = None,
    na: o.Na = None,
    json: o.Json = False,
    quiet: o.Quiet = False,
    no_color: o.NoColor = False,
    debug: o.Debug = False,
) -> None:  # fmt: skip
    """
    \b
    Examples:
      abline fit houses.csv --target price
      abline fit houses.csv -t price --model network --epochs 50 -o net.model
      abline fit häuser.csv -t Preis --delimiter ';' --decimal , --encoding latin-1
      zcat big.csv.gz | abline fit - -t y -o big.model --json

    Fit a line, with a penalty or without, or a network; cross-validate; save the model, fitted
    on all rows, with its scores.
    """  # noqa: D205, D301, D400 - the help leads with its examples
    del debug
    from abline.cli.fit import run_fit

    reading = o.reading(format, delimiter, decimal, encoding, na)
    fitting = o.fitting(target, weights, folds, seed, device, epochs)
    roles = o.roles(features, ignore, categorical, numeric, date, id)
    run_fit(
        table, model, out, fitting, roles, reading,
        force=force, json=json, quiet=quiet, no_color=no_color,
    )  # fmt: skip


@app.command(short_help="Score several models side by side.")
def compare(
    table: o.Table,
    target: o.Target,
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model", "-m", metavar="A,B", show_default=False,
            help="Some of line, ridge, lasso, elastic-net, network (all, beside the mean); auto is "
            "all.",
        ),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            "--out", "-o", metavar="PATH", show_default=False,
            help="Save the chosen model, fitted on all rows, here (it is not saved).",
        ),
    ] = None,
    force: o.Force = False,
    folds: o.Folds = "5",
    seed: o.Seed = "0",
    device: o.Device = "auto",
    epochs: o.Epochs = None,
    features: o.Features = None,
    ignore: o.Ignore = None,
    categorical: o.Categorical = None,
    numeric: o.Numeric = None,
    date: o.Date = None,
    id: o.Id = None,
    weights: o.Weights = None,
    format: o.Format = None,
    delimiter: o.Delimiter = None,
    decimal: o.Decimal = None,
    encoding: o.Encoding = None,
    na: o.Na = None,
    json: o.Json = False,
    quiet: o.Quiet = False,
    no_color: o.NoColor = False,
    debug: o.Debug = False,
) -> None:  # fmt: skip
    """
    \b
    Examples:
      abline compare houses.csv --target price
      abline compare houses.parquet -t price --model line,ridge --folds 10
      abline compare houses.csv -t price --json | jq .verdict

    Score the mean, lines with and without a penalty, and a network on the same folds.
    """  # noqa: D205, D301, D400 - the help leads with its examples
    del debug
    from abline.cli.compare import run_compare

    reading = o.reading(format, delimiter, decimal, encoding, na)
    fitting = o.fitting(target, weights, folds, seed, device, epochs)
    roles = o.roles(features, ignore, categorical, numeric, date, id)
    run_compare(
        table, o.names(model, "--model"), out, fitting, roles, reading,
        force=force, json=json, quiet=quiet, no_color=no_color,
    )  # fmt: skip


@app.command(short_help="Predict the rows of a table.")
def predict(
    model: o.Model,
    table: o.Table,
    out: Annotated[
        str,
        typer.Option(
            "--out", "-o", metavar="PATH", show_default=False,
            help="CSV, TSV, Parquet or Arrow by the ending; - is standard output (-).",
        ),
    ] = "-",
    keep: Annotated[
        list[str] | None,
        typer.Option(
            "--keep", metavar="A,B", show_default=False, help="Columns to carry over.",
        ),
    ] = None,
    format: o.Format = None,
    delimiter: o.Delimiter = None,
    decimal: o.Decimal = None,
    encoding: o.Encoding = None,
    na: o.Na = None,
    json: o.Json = False,
    quiet: o.Quiet = False,
    no_color: o.NoColor = False,
    debug: o.Debug = False,
) -> None:  # fmt: skip
    """
    \b
    Examples:
      abline predict houses.model new.csv -o predictions.csv
      abline predict houses.model new.csv --keep id,name | head
      abline predict houses.model new.parquet -o predictions.parquet

    Write one row per row of the table, in its order, with the column `prediction`. Columns may
    come in another order and among others; unseen categories and missing cells are fine.
    """  # noqa: D205, D301, D400 - the help leads with its examples
    del debug
    from abline.cli.predict import run_predict

    reading = o.reading(format, delimiter, decimal, encoding, na)
    run_predict(
        model, table, out, o.names(keep, "--keep"), reading,
        json=json, quiet=quiet, no_color=no_color,
    )  # fmt: skip


@app.command(short_help="Score a model on a table with the target.")
def score(
    model: o.Model,
    table: o.Table,
    target: o.OtherTarget = None,
    weights: o.Weights = None,
    format: o.Format = None,
    delimiter: o.Delimiter = None,
    decimal: o.Decimal = None,
    encoding: o.Encoding = None,
    na: o.Na = None,
    json: o.Json = False,
    quiet: o.Quiet = False,
    no_color: o.NoColor = False,
    debug: o.Debug = False,
) -> None:
    """
    \b
    Examples:
      abline score houses.model labelled.csv
      abline score houses.model labelled.csv --json | jq .scores.r2

    Say how good a model is on these rows: R², RMSE, MAE.
    """  # noqa: D205, D301, D400 - the help leads with its examples
    del debug
    from abline.cli.score import run_score

    reading = o.reading(format, delimiter, decimal, encoding, na)
    run_score(model, table, target, weights, reading, json=json, quiet=quiet, no_color=no_color)


@app.command(short_help="Say what a model file holds.")
def show(
    model: o.Model,
    json: o.Json = False,
    quiet: o.Quiet = False,
    no_color: o.NoColor = False,
    debug: o.Debug = False,
) -> None:
    """
    \b
    Examples:
      abline show houses.model
      abline show houses.model --json | jq .columns

    Say what a model is, from its file alone: how it was made, its columns, coefficients, scores.
    """  # noqa: D205, D301, D400 - the help leads with its examples
    del debug
    from abline.cli.show import run_show

    run_show(model, json=json, quiet=quiet, no_color=no_color)


@app.command(short_help="Fit a line and a curve, step by step.")
def demo(
    out: Annotated[
        str,
        typer.Option(
            "--out", "-o", metavar="FOLDER", show_default=False,
            help="Where to write report.html (demo).",
        ),
    ] = "demo",
    json: o.Json = False,
    quiet: o.Quiet = False,
    no_color: o.NoColor = False,
    debug: o.Debug = False,
) -> None:  # fmt: skip
    """
    \b
    Examples:
      abline demo
      abline demo -o somewhere

    Fit a straight line in closed form and by gradient descent, see it fail on a curve, and bend
    a small network to it; the figures stand beside the published ones.
    """  # noqa: D205, D301, D400 - the help leads with its examples
    del debug
    from abline.cli.demo import run_demo_command

    run_demo_command(out, json=json, quiet=quiet, no_color=no_color)


@app.command(short_help="Compile the training kernels ahead.")
def warmup(
    json: o.Json = False,
    quiet: o.Quiet = False,
    no_color: o.NoColor = False,
    debug: o.Debug = False,
) -> None:
    """
    \b
    Examples:
      abline warmup

    Networks train in compiled kernels. Compiling them takes some seconds, once after each
    installation; this does it now, so that no training waits for it.
    """  # noqa: D205, D301, D400 - the help leads with its examples
    del debug
    from abline.cli.warmup import run_warmup_command

    run_warmup_command(json=json, quiet=quiet, no_color=no_color)
