"""Open what a command was given: tables, models, and the place for its result."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from abline.errors import DataError, ModelFileError, OutputError, ParameterError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from abline.cli.options import Reading

#: endings that a table's name may carry, so that houses.csv.gz becomes houses.model
TABLE_ENDINGS = {".csv", ".tsv", ".tab", ".txt", ".parquet", ".pq", ".arrow", ".feather", ".ipc"}
PACKED_ENDINGS = {".gz", ".zst"}


def check_file(path: str, error: type[DataError | ModelFileError]) -> None:
    """Refuse a file that is not there, before anything heavy is loaded.

    Parameters
    ----------
    path : str
        ``-`` is standard input, and fine.
    error : type
        What to raise.

    Raises
    ------
    DataError, ModelFileError
        With the nearest names in that folder.
    """
    if path == "-":
        return
    place = Path(path)
    try:
        if place.is_dir():
            raise error(f"{path} is a folder: name a file in it")
        if place.exists():
            return
    except (OSError, ValueError) as trouble:  # a name too long, or with a null byte
        if isinstance(trouble, error):
            raise
        raise error(f"{path!r} cannot be a file's name ({trouble}): name another") from trouble
    if not place.parent.is_dir():
        raise error(f"there is no file {path}: there is not even a folder {place.parent}")
    near = did_you_mean(place.name, [p.name for p in place.parent.iterdir() if p.is_file()])
    hint = near if near.startswith("did") else f"look into the folder {place.parent.resolve()}"
    raise error(f"there is no file {path}: {hint}")


def model_path(table: str, out: str | None, *, force: bool) -> Path:
    """Choose and check the place of a model file.

    Parameters
    ----------
    table : str
        The table's path, which gives the default name.
    out : str or None
        What ``--out`` says.
    force : bool
        Whether an existing file may be overwritten.

    Returns
    -------
    Path

    Raises
    ------
    OutputError
        If nothing can be written there, or something is there already.
    ParameterError
        If the table comes from standard input and no place was named.
    """
    from abline.store import check_writable

    if out == "-":
        raise ParameterError("--out cannot be - for a model: name a file")
    if out is None:
        if table == "-":
            raise ParameterError("a table from standard input has no name: give --out PATH")
        out = f"{_stem(Path(table))}.model"
    path = check_writable(out, force=force)
    refuse_same_file(out, table)
    return path


def _stem(path: Path) -> str:
    name = path.name
    for endings in (PACKED_ENDINGS, TABLE_ENDINGS):
        suffix = Path(name).suffix
        if suffix.lower() in endings and len(suffix) < len(name):
            name = name[: -len(suffix)]
    return name


def refuse_same_file(out: str, *inputs: str) -> None:
    """Refuse to write over what is being read.

    Parameters
    ----------
    out : str
    *inputs : str

    Raises
    ------
    OutputError
    """
    for path in inputs:
        both = path != "-" and Path(out).is_file() and Path(path).exists()
        if both and Path(out).samefile(path):
            raise OutputError(f"{out} is what is read: write somewhere else")


def read(path: str, reading: Reading) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Read a table.

    Parameters
    ----------
    path : str
    reading : Reading

    Returns
    -------
    table : polars.DataFrame
    notes : tuple of str
        What was found, one sentence each.

    Raises
    ------
    DataError
    """
    from abline.tables import ReadOptions, load_table

    options = ReadOptions(
        format=reading.format,
        delimiter=reading.delimiter,
        decimal=reading.decimal,
        encoding=reading.encoding,
        na=reading.na,
    )
    table = load_table(path, options)
    return table.frame, table.notes


def as_in_training(model: Any, reading: Reading) -> Reading:
    """Let what stood for missing cells in training stand for them again.

    Parameters
    ----------
    model : estimator
    reading : Reading

    Returns
    -------
    Reading
        With the model's ``na`` where a person gave none.
    """
    na = (getattr(model, "card_", None) or {}).get("na")
    return reading if na is None or reading.na is not None else replace(reading, na=tuple(na))


def load_model(path: str) -> Any:
    """Load a model.

    Parameters
    ----------
    path : str

    Returns
    -------
    estimator

    Raises
    ------
    ModelFileError
    """
    from abline.saving import load

    check_file(path, ModelFileError)
    return load(path)


def features_for(model: Any, table: pl.DataFrame) -> pl.DataFrame:
    """Pick a model's columns out of a table; a `TableRegressor` does so by itself.

    Parameters
    ----------
    model : estimator
    table : polars.DataFrame

    Returns
    -------
    polars.DataFrame

    Raises
    ------
    DataError
        If one is missing, or the model knows no names and their number differs.
    """
    from abline.pipeline import TableRegressor

    names = getattr(model, "feature_names_in_", None)
    if isinstance(model, TableRegressor) and names is not None:
        return table
    if names is None:
        if table.width != model.n_features_in_:
            raise DataError(
                f"the model was fitted on {model.n_features_in_} columns without names, and the "
                f"table has {table.width}: give it those alone, in their order"
            )
        return table
    missing = [name for name in names if name not in table.columns]
    if missing:
        near = did_you_mean(missing[0], table.columns)
        hint = f": {near}" if near else ""
        raise DataError(f"the table lacks {_listed(missing)}, which the model needs{hint}")
    return table.select(list(names))


def _listed(names: Sequence[str]) -> str:
    kind = "the column" if len(names) == 1 else "the columns"
    return f"{kind} {', '.join(repr(name) for name in names)}"
