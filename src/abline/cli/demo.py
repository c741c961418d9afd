"""``abline demo``: the line and the curve, beside the published figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table

from abline.cli.console import Output

if TYPE_CHECKING:
    from abline.demo.fits import Score
    from abline.show.blocks import Table as Figures


def run_demo_command(out: str, *, json: bool, quiet: bool, no_color: bool) -> None:
    """Run the two jobs, print a table for each, and say where the page is.

    Parameters
    ----------
    out, json, quiet, no_color
        The command's arguments.

    Raises
    ------
    OutputError
        If the page cannot be written.
    """
    output = Output(json=json, quiet=quiet, no_color=no_color)
    output.say("Two jobs: a straight line, and a curve where the line fails.")

    from abline.demo import demo_tables, run_demo
    from abline.demo.fits import EPOCHS

    with output.progress(2 * EPOCHS) as update:
        started: list[str] = []

        def progress(what: str, done: int, total: int) -> None:
            if what not in started:
                started.append(what)
            update(f"training {what}", (len(started) - 1) * total + done)

        result = run_demo(out, progress=progress)
    tables = demo_tables(result)
    for table in tables:
        output.show(_render(table))
        output.say(table.note, "")
    output.show(f"The page with the pictures: {result.report}")
    if json:
        output.emit(
            "abline.demo/1",
            {
                "report": str(result.report),
                "models": [
                    {"job": job, "name": name, "scores": _scores(score)}
                    for job, fits in (("line", result.line), ("curve", result.curve))
                    for name, score in (
                        ("line", fits.line_score),
                        ("trained", fits.trained_score),
                    )
                ],
                "tables": [
                    {"title": t.title, "columns": list(t.columns), "rows": [*map(list, t.rows)]}
                    for t in tables
                ],
            },
        )


def _scores(score: Score) -> dict[str, Any]:
    return {"r2": score.r2, "rmse": score.mse**0.5, "mae": score.mae}


def _render(figures: Figures) -> Table:
    table = Table(title=figures.title, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for position, heading in enumerate(figures.columns):
        words = position < figures.text_columns
        table.add_column(
            heading, justify="left" if words else "right", max_width=30 if words else None
        )
    for row in figures.rows:
        table.add_row(*row, style="bold" if len(row) == 1 else None)
    return table
