"""The look that all pictures share, set on the axes at hand and nowhere else.

No global setting of matplotlib is read or changed here, and pyplot is loaded only where a
person gives no axes and so expects a window or a notebook's output.

References
----------
Okabe and Ito (2008), *Color universal design*: the colours, told apart by nearly everybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

#: of curves, in order of appearance; the dashes tell them apart without colours
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
DASHES = ("solid", (0, (5, 2)), (0, (1, 1.2)), (0, (6, 2, 1, 2)))

#: width and height in inches
SIZE = (5.8, 4.2)

_POINTS = "#4D5966"
_INK = "#333B44"
_RULES = "#E3E7EB"


def axes_to_draw_on(ax: Axes | None) -> Axes:
    """Give the axes as they are, or a new figure's through pyplot, as scikit-learn does.

    Parameters
    ----------
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes
    """
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=SIZE, layout="constrained")[1]


def new_axes() -> Axes:
    """Make the axes of a figure that pyplot does not know and nobody has to close.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> new_axes().figure.get_size_inches()
    array([5.8, 4.2])
    """
    from matplotlib.figure import Figure

    return Figure(figsize=SIZE, layout="constrained").add_subplot()


def figure_of(ax: Axes) -> Figure:
    """Give the whole figure that axes belong to, also from within a subfigure.

    Parameters
    ----------
    ax : matplotlib.axes.Axes

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = ax.get_figure(root=True)
    assert figure is not None
    return figure


def dress(ax: Axes, *, x: str, y: str) -> None:
    """Name the axes and quieten everything that is not data.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    x, y : str
        The labels, with units where there are any.
    """
    ax.set_xlabel(x, color=_INK)
    ax.set_ylabel(y, color=_INK)
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color("#AEB6BF")
    ax.tick_params(which="both", color="#AEB6BF", labelcolor=_INK)
    ax.grid(visible=True, which="major", color=_RULES, linewidth=0.8)
    ax.set_axisbelow(True)


def put_legend(ax: Axes) -> None:
    """Put the legend above the axes, where it covers no data.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        With labelled artists.
    """
    _, labels = ax.get_legend_handles_labels()
    # in one row where that fits over axes of the usual width, else in as many columns as fit
    longest = max(map(len, labels))
    columns = len(labels) if sum(map(len, labels)) <= 50 else max(1, 64 // (longest + 6))
    ax.legend(
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=columns,
        frameon=False,
        borderaxespad=0.2,
        labelcolor=_INK,
        handlelength=2.4,
        columnspacing=1.5,
        fontsize="small",
        markerscale=1.6,
    )


def draw_points(
    ax: Axes,
    x: NDArray[Any],
    y: NDArray[Any],
    *,
    colour: str = _POINTS,
    label: str | None = None,
    marker: str = "o",
) -> None:
    """Draw points, smaller and fainter the more there are.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    x, y : array of shape (n,)
    colour : str, optional
    label : str, optional
        For the legend.
    marker : str, default="o"
    """
    crowd = min(1.0, 100 / max(len(x), 1))
    ax.scatter(
        x,
        y,
        s=6 + 24 * crowd,
        color=colour,
        alpha=0.3 + 0.5 * crowd,
        linewidths=0,
        marker=marker,
        label=label,
        # thousands of points as vectors would make a PDF or SVG slow to open
        rasterized=len(x) > 1000,
    )


def say_thinned(ax: Axes, n_drawn: int, n_rows: int) -> None:
    """Say in the picture that not every row is drawn.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    n_drawn, n_rows : int
    """
    if n_drawn < n_rows:
        ax.annotate(
            f"{n_drawn:,} of {n_rows:,} rows drawn, chosen at random",
            xy=(1.0, 1.0),
            xycoords="axes fraction",
            xytext=(0, -3),
            textcoords="offset points",
            ha="right",
            va="top",
            fontsize="small",
            color=_INK,
            bbox={"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1.5},
        )
