"""The options that commands share, declared once."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from abline.errors import ParameterError, one_of

if TYPE_CHECKING:
    from collections.abc import Sequence

READING, COLUMNS, FITTING, OUTPUT = "Reading", "Columns", "Fitting", "Output"
FORMATS = ("csv", "tsv", "parquet", "arrow", "feather")
DEVICES = ("auto", "cpu", "cuda")


def _option(*names: str, help: str, metavar: str, panel: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(
        *names, help=help, metavar=metavar, rich_help_panel=panel, show_default=False
    )
    return option


def _switch(*names: str, help: str, panel: str = OUTPUT) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(
        *names, help=help, rich_help_panel=panel, show_default=False
    )
    return option


Table = Annotated[
    str,
    typer.Argument(
        metavar="TABLE",
        show_default=False,
        help="CSV, TSV, Parquet or Arrow/Feather, .gz or .zst too; - is standard input.",
    ),
]
Model = Annotated[
    str, typer.Argument(metavar="MODEL", show_default=False, help="A file that abline fit wrote.")
]
Target = Annotated[
    str, _option("--target", "-t", help="The column to predict.", metavar="COLUMN", panel=FITTING)
]
OtherTarget = Annotated[
    str | None,
    _option(
        "--target", "-t", help="The column observed (the model's).", metavar="COLUMN", panel=COLUMNS
    ),
]

Format = Annotated[
    str | None,
    _option("--format", help="csv, tsv, parquet, arrow (by the name's ending).", metavar="NAME",
            panel=READING),
]  # fmt: skip
Delimiter = Annotated[
    str | None,
    _option("--delimiter", help="Between cells (found by itself); 'tab' too.", metavar="CHAR",
            panel=READING),
]  # fmt: skip
Decimal = Annotated[
    str | None,
    _option("--decimal", help="'.' or ',' (found by itself).", metavar="CHAR", panel=READING),
]
Encoding = Annotated[
    str | None,
    _option("--encoding", help="Of the text (utf-8).", metavar="NAME", panel=READING),
]
Na = Annotated[
    list[str] | None,
    _option("--na", help="What stands for a missing cell (NA, NaN, null, …), as NA,-999.",
            metavar="TEXT", panel=READING),
]  # fmt: skip

Features = Annotated[
    list[str] | None,
    _option("--features", help="Use these columns only.", metavar="A,B", panel=COLUMNS),
]
Ignore = Annotated[
    list[str] | None, _option("--ignore", help="Leave out.", metavar="A,B", panel=COLUMNS)
]
Categorical = Annotated[
    list[str] | None,
    _option("--categorical", help="Take as categories.", metavar="A,B", panel=COLUMNS),
]
Numeric = Annotated[
    list[str] | None, _option("--numeric", help="Take as numbers.", metavar="A,B", panel=COLUMNS)
]
Date = Annotated[
    list[str] | None, _option("--date", help="Take as dates.", metavar="A,B", panel=COLUMNS)
]
Id = Annotated[
    list[str] | None,
    _option("--id", help="Identifiers, left out.", metavar="A,B", panel=COLUMNS),
]
Weights = Annotated[
    str | None,
    _option("--weights", help="The column of the rows' weights.", metavar="COLUMN", panel=COLUMNS),
]

Folds = Annotated[
    str, _option("--folds", help="Of the cross-validation (5).", metavar="K", panel=FITTING)
]
Seed = Annotated[
    str, _option("--seed", help="Of everything random (0).", metavar="N", panel=FITTING)
]
Device = Annotated[
    str,
    _option("--device", help="auto, cpu or cuda (auto).", metavar="NAME", panel=FITTING),
]
Epochs = Annotated[
    str | None,
    _option("--epochs", help="At most, of the network.", metavar="N", panel=FITTING),
]
Force = Annotated[bool, _switch("--force", help="Overwrite what is there.")]

Json = Annotated[bool, _switch("--json", help="Print one JSON object (docs/json.md).")]
Quiet = Annotated[bool, _switch("--quiet", "-q", help="No notes, no progress.")]
NoColor = Annotated[bool, _switch("--no-color", help="Plain text; NO_COLOR is heeded too.")]
Debug = Annotated[bool, _switch("--debug", help="Show tracebacks and logs.")]


def names(values: Sequence[str] | None, option: str) -> tuple[str, ...]:
    """Split ``a,b`` and repeated options into names; quotes keep a comma inside a name.

    Parameters
    ----------
    values : sequence of str, or None
    option : str
        For the message.

    Returns
    -------
    tuple of str

    Raises
    ------
    ParameterError
        If a name is empty.

    Examples
    --------
    >>> names(["a,b", '"c,d"'], "--ignore")
    ('a', 'b', 'c,d')
    """
    found = tuple(name for row in csv.reader(values or (), skipinitialspace=True) for name in row)
    if any(not name for name in found) or (values and not found):
        raise ParameterError(f"{option} has an empty name in {', '.join(values or ())!r}: drop it")
    return tuple(dict.fromkeys(found))


def roles(
    features: Sequence[str] | None,
    ignore: Sequence[str] | None,
    categorical: Sequence[str] | None,
    numeric: Sequence[str] | None,
    date: Sequence[str] | None,
    id: Sequence[str] | None,
) -> dict[str, tuple[str, ...] | None]:
    """Collect the options that overrule columns' roles.

    Parameters
    ----------
    features, ignore, categorical, numeric, date, id : sequence of str, or None

    Returns
    -------
    dict
        The keywords of `TableRegressor`; None where an option was not given.
    """
    given = {
        "features": features,
        "ignore": ignore,
        "numeric": numeric,
        "categorical": categorical,
        "date": date,
        "id": id,
    }
    return {key: names(value, f"--{key}") or None for key, value in given.items()}


@dataclass(frozen=True)
class Reading:
    """How to read a table; see `abline.read_table`."""

    format: str | None
    delimiter: str | None
    decimal: str | None
    encoding: str | None
    na: tuple[str, ...] | None


def reading(
    format: str | None,
    delimiter: str | None,
    decimal: str | None,
    encoding: str | None,
    na: Sequence[str] | None,
) -> Reading:
    """Collect and check the options of reading, before any file is opened.

    Parameters
    ----------
    format, delimiter, decimal, encoding : str or None
    na : sequence of str, or None

    Returns
    -------
    Reading

    Raises
    ------
    ParameterError
        If one cannot be.
    """
    if format is not None:
        one_of("--format", format, FORMATS)
    if decimal is not None:
        one_of("--decimal", decimal, (".", ","))
    missing = None if na is None else tuple(cell for text in na for cell in text.split(","))
    return Reading(format, delimiter, decimal, encoding, missing)


def whole(option: str, text: str, *, least: int, most: int | None = None) -> int:
    """Read an option that is a whole number.

    Parameters
    ----------
    option : str
    text : str
    least : int
    most : int, optional

    Returns
    -------
    int

    Raises
    ------
    ParameterError
        If it is none, or out of bounds.

    Examples
    --------
    >>> whole("--folds", "5", least=2)
    5
    """
    limits = f"{least} or more" if most is None else f"from {least} to {most}"
    try:
        number = int(text)
    except ValueError:
        raise ParameterError(f"{option} is {text!r}: give a whole number, {limits}") from None
    if number < least or (most is not None and number > most):
        raise ParameterError(f"{option} is {number}: give a whole number, {limits}")
    return number


def fitting(
    target: str, weights: str | None, folds: str, seed: str, device: str, epochs: str | None
) -> Fitting:
    """Collect and check the options of fitting, before any file is opened.

    Parameters
    ----------
    target, weights, folds, seed, device, epochs : str or None

    Returns
    -------
    Fitting

    Raises
    ------
    ParameterError
        If one cannot be.
    """
    return Fitting(
        target,
        weights,
        whole("--folds", folds, least=2),
        whole("--seed", seed, least=0, most=2**32 - 1),
        one_of("--device", device, DEVICES),
        None if epochs is None else whole("--epochs", epochs, least=1),
    )


@dataclass(frozen=True)
class Fitting:
    """What to fit and how."""

    target: str
    weights: str | None
    folds: int
    seed: int
    device: str
    epochs: int | None
