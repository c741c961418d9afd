"""What can go wrong in a way a person can mend.

Every message is one sentence that names the thing at fault (a column, file, parameter or
row) and says what to do about it. The command line prints that sentence alone and exits
with 2; in Python the same sentence arrives as one of these exceptions.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


class AblineError(ValueError):
    """Wrong input; the message names it and the remedy."""


class DataError(AblineError):
    """A table, column, row or array that cannot be used as it is."""


class CellTypeError(DataError, TypeError):
    """A cell of a kind that can be no number; a TypeError too, as scikit-learn's users expect."""


class ParameterError(AblineError):
    """An option or parameter with a value that it cannot take."""


class ParameterTypeError(ParameterError, TypeError):
    """A parameter of a kind that it cannot be; a TypeError too, as scikit-learn's users expect."""


class DivergedError(ParameterError):
    """A training whose loss is no longer a number.

    Parameters
    ----------
    loss : float
        NaN or infinite.
    epoch : int
        The epoch with that loss.
    lr : float
        The learning rate of that epoch.
    history : dict of str to list of float
        The epochs before it.
    module : torch.nn.Module
        With the last good weights: those with which the last epoch of finite loss began (the
        first ones where there is none), or the best ones where a callback restores them.

    Attributes
    ----------
    epoch, history, module
        As above.
    """

    def __init__(
        self, loss: float, epoch: int, lr: float, history: dict[str, list[float]], module: Any
    ) -> None:
        super().__init__(loss, epoch, lr, history, module)  # which pickling calls this with again
        self.epoch = epoch
        self.history = history
        self.module = module

    def __str__(self) -> str:
        loss, epoch, lr, *_ = self.args
        return (
            f"the training loss became {loss} at epoch {epoch}: lower lr (now {lr:g}), "
            "standardise X and y, look for outliers in them, or choose a loss that grows less, "
            "such as torch.nn.HuberLoss"
        )


class ModelFileError(AblineError):
    """A file that is not a whole, unchanged model which this version can read."""


class OutputError(AblineError):
    """A place where a result cannot be written."""


class DataWarning(UserWarning):
    """Something about the data that changes a result and that a person should know."""


def did_you_mean(name: str, known: Iterable[str], *, most: int = 3) -> str:
    """Say which known names are nearest to a wrong one.

    Parameters
    ----------
    name : str
        What was asked for.
    known : iterable of str
        What there is.
    most : int, default=3
        How many near names to give at the most.

    Returns
    -------
    str
        ``"did you mean 'price'?"``, or the known names where none is near and they are few,
        or an empty string.

    Examples
    --------
    >>> did_you_mean("prize", ["price", "rooms"])
    "did you mean 'price'?"
    >>> did_you_mean("zzz", ["price", "rooms"])
    "there are 'price', 'rooms'"
    """
    options = [str(option) for option in known]
    folded = {option.casefold(): option for option in reversed(options)}
    near = [
        folded[match]
        for match in get_close_matches(name.casefold(), list(folded), n=most, cutoff=0.6)
    ]
    if near:
        return f"did you mean {' or '.join(repr(option) for option in near)}?"
    if 0 < len(options) <= 12:
        return f"there are {', '.join(repr(option) for option in options)}"
    return ""


def one_of(what: str, value: object, allowed: Iterable[str]) -> str:
    """Check a value that must be one of a few names.

    Parameters
    ----------
    what : str
        The option or parameter, as its user writes it (``"--model"``, ``"device"``).
    value : object
        What was given.
    allowed : iterable of str
        What may be given.

    Returns
    -------
    str
        The value.

    Raises
    ------
    ParameterError
        If it is none of them; the message has the nearest names.

    Examples
    --------
    >>> one_of("--model", "line", ["line", "ridge"])
    'line'
    """
    options = list(allowed)
    if isinstance(value, str) and value in options:
        return value
    near = did_you_mean(str(value), options)
    raise ParameterError(f"{what} cannot be {value!r}: {near or 'choose one of ' + str(options)}")
