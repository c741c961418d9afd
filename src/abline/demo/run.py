"""The two jobs from end to end, and the page that tells about them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from abline.demo.agreement import curve_agreement, demo_tables, line_agreement
from abline.demo.fits import EPOCHS, fit_job, small_network
from abline.demo.jobs import curve_job, line_job
from abline.errors import OutputError
from abline.store.atomic import check_writable

if TYPE_CHECKING:
    from abline.demo.agreement import Agreement
    from abline.demo.fits import Fits, Progress


@dataclass(frozen=True)
class DemoResult:
    """What the two jobs gave.

    Attributes
    ----------
    line, curve : Fits
        The fitted models with their scores.
    line_agreement, curve_agreement : tuple of Agreement
        Their figures beside the published ones.
    report : Path
        The page that was written.
    """

    line: Fits
    curve: Fits
    line_agreement: tuple[Agreement, ...]
    curve_agreement: tuple[Agreement, ...]
    report: Path


def run_demo(
    out: str | Path, *, epochs: int = EPOCHS, progress: Progress | None = None
) -> DemoResult:
    """Fit the line and the curve, and write a page about them.

    Parameters
    ----------
    out : str or Path
        The folder to write ``report.html`` in; made if it does not exist.
    epochs : int, default=10_000
        Of each training. With fewer, the published figures after training have nothing to
        stand beside and are left out.
    progress : callable, optional
        Called now and then with what is being fitted, the epochs done and the epochs in all.

    Returns
    -------
    DemoResult

    Raises
    ------
    OutputError
        If the page cannot be written; found out before the fits.
    ParameterError
        If epochs is not a whole number of at least 1.
    """
    report = _writable_report(Path(out))
    line = fit_job(line_job(), None, epochs=epochs, name="a line", progress=progress)
    curve = fit_job(curve_job(), small_network, epochs=epochs, name="a network", progress=progress)
    result = DemoResult(line, curve, line_agreement(line), curve_agreement(curve), report)

    from abline.demo.story import LEAD, TITLE, tell
    from abline.show.report import write_report

    write_report(report, TITLE, tell(result, demo_tables(result)), lead=LEAD)
    return result


def _writable_report(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"the folder {str(folder)!r} cannot be made ({error.strerror}): choose another"
        ) from error
    return check_writable(folder / "report.html")
