"""What many trainings warned of, said once."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from abline.nets.warned import warn

if TYPE_CHECKING:
    from abline.nets.warned import Said


def warn_once(said: Said, trainings: int) -> None:
    """Warn of each kind of thing once, with the number of trainings that said it.

    Parameters
    ----------
    said : list of (message, category)
        Messages that differ in their numbers alone are one kind.
    trainings : int
        All of them.

    Warns
    -----
    Warning
        Of the categories said.
    """
    counts = Counter(_kind(message, category) for message, category in said)
    for message, category in said:
        count = counts.pop(_kind(message, category), 0)
        if count:
            warn(f"{count} of {trainings} trainings: {message}", category)


def _kind(message: str, category: type[Warning]) -> tuple[str, type[Warning]]:
    return re.sub(r"\d+", "", message), category
