"""What the two jobs show, in plain words and pictures, every figure taken from the fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abline.demo.fits import EPOCHS
from abline.show import FitDisplay, LossDisplay, Paragraph, Picture, PredictionDisplay, Section
from abline.show.axes import new_axes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from abline.demo.fits import Fits
    from abline.demo.run import DemoResult
    from abline.show.blocks import Table

TITLE = "From a line to a curve"
LEAD = (
    "Two small jobs on made-up data. In the first a straight line is all one needs, and it is "
    "found in two very different ways. In the second the line fails, and a small network takes "
    "its place."
)


def tell(result: DemoResult, tables: Sequence[Table]) -> list[Section]:
    """Write the story of both jobs.

    Parameters
    ----------
    result : DemoResult
    tables : sequence of two Tables
        As `demo_tables` gives them.

    Returns
    -------
    list of Section
    """
    return [
        _what_a_line_is(result.line),
        _step_by_step(result.line, tables[0]),
        _where_a_line_fails(result.curve),
        _what_a_network_does(result.curve),
        _how_good(result.curve, tables[1]),
        _what_next(),
    ]


def _what_a_line_is(fits: Fits) -> Section:
    job, line = fits.job, fits.line
    data = Paragraph(
        f"We have {len(job.features):,} points. Each has one number we know, x, and one we would "
        f"like to predict, y. They were made by a rule, y = 3 + {job.true_slope:.3f}·x, with "
        "random noise added, so there is a true answer to compare with. A line is two numbers: the "
        "slope, how much y rises when x rises by one, and the intercept, the y at x = 0."
    )
    split = Paragraph(
        f"The points are split three ways: {len(job.X_train)} training points to learn from, "
        f"{len(job.X_valid)} validation points to watch the learning with, and {len(job.X_test)} "
        "test points that no fit ever sees. Only the test points tell how good a model is, since "
        "anything can be learnt by heart."
    )
    answer = Paragraph(
        "The best line has a formula (least squares: the smallest mean of the squared errors). It "
        f"gives slope {line.coef_[0]:.4f} and intercept {line.intercept_:.4f} in one go, with no "
        f"settings to choose. On the test points its R² is {fits.line_score.r2:.3f}: the line "
        f"accounts for {fits.line_score.r2:.0%} of the ups and downs of y. Its mean squared error "
        f"is {fits.line_score.mse:.2f}; the noise alone comes to {job.test_noise:.2f}, and noise "
        "cannot be predicted."
    )
    display = FitDisplay.from_estimator(
        fits.trained,
        job.features,
        job.target,
        name="step by step",
        others={"by formula": line},
        ax=new_axes(),
    )
    picture = Picture.from_figure(
        display.figure_,
        alt="A cloud of points that rises from lower left to upper right, with the fitted lines: "
        f"the one found by formula has slope {line.coef_[0]:.2f}.",
        caption="All points, with the line by formula and the line found step by step (next "
        "section). The R² shown here is over all points.",
    )
    return Section("What a line is", (data, split, answer, picture))


def _step_by_step(fits: Fits, table: Table) -> Section:
    slope, intercept = (float(p.detach().reshape(-1)[0]) for p in fits.trained.module_.parameters())
    history = fits.trained.history_
    how = Paragraph(
        "A network has no formula, so it is found in small steps. To see how, let us find the line "
        "that way too. Begin with a random slope and intercept. Work out which small change of "
        "each would lower the error on the training points, make it, and repeat. This is gradient "
        f"descent; one pass over the training points is an epoch. Here there were {fits.epochs:,} "
        f"epochs, in {fits.seconds:.1f} seconds."
    )
    outcome = Paragraph(
        f"The error on the training points, called the loss, went from "
        f"{history['train_loss'][0]:.2f} to {history['train_loss'][-1]:.2f}. The slope ended at "
        f"{slope:.4f} (by formula {fits.line.coef_[0]:.4f}), the intercept at {intercept:.4f} "
        f"(by formula {fits.line.intercept_:.4f}). For a line the formula is the better way: exact "
        "and at once. That both meet shows that the steps can be trusted where no formula exists."
        if fits.epochs >= EPOCHS
        else f"After these {fits.epochs:,} epochs the loss had gone from "
        f"{history['train_loss'][0]:.2f} to {history['train_loss'][-1]:.2f}, the slope had reached "
        f"{slope:.4f} (by formula {fits.line.coef_[0]:.4f}) and the intercept {intercept:.4f} "
        f"(by formula {fits.line.intercept_:.4f})."
    )
    return Section("The same line, step by step", (how, outcome, _loss_picture(fits), table))


def _where_a_line_fails(fits: Fits) -> Section:
    score = fits.line_score
    curve = Paragraph(
        "Now the same x with another rule: y = sin(2x), a wave, again with a little noise. The "
        "best line is still found by formula, and it is still the best of all lines. But no line "
        f"can bend. On the test points its R² is {score.r2:.3f}: it accounts for {score.r2:.0%} of "
        f"the ups and downs. Its mean squared error is {score.mse:.3f}, where the noise comes to "
        f"{fits.job.test_noise:.4f}."
    )
    display = FitDisplay.from_estimator(
        fits.trained,
        fits.job.features,
        fits.job.target,
        name="network",
        others={"line": fits.line},
        ax=new_axes(),
    )
    picture = Picture.from_figure(
        display.figure_,
        alt="Points along a wave. A straight line rises slowly through the middle of them and "
        "follows none of its turns; the network's curve is drawn beside it.",
        caption="All points, with the line and the network of the next section. Where there are "
        "few points, at the far ends, the network has little to go by. The R² shown here is over "
        "all points.",
    )
    return Section("Where a line fails", (curve, picture))


def _what_a_network_does(fits: Fits) -> Section:
    history = fits.trained.history_
    bends = Paragraph(
        "A network is made of lines too, with a bend after each: what is negative becomes zero "
        "(ReLU). Eight bent lines feed eight more, those another eight, and their weighted sum is "
        f"the prediction. Together that is a curve of many straight pieces, set by "
        f"{fits.n_weights} numbers instead of 2. There is no formula for the best {fits.n_weights} "
        "numbers, but gradient descent works just as before."
    )
    losses = Paragraph(
        f"After {fits.epochs:,} epochs ({fits.seconds:.1f} seconds) the loss is "
        f"{history['train_loss'][-1]:.4f} on the training points and "
        f"{history['valid_loss'][-1]:.4f} on the validation points. The second is what to watch. "
        "If it rose while the first still fell, the network would be learning the noise by heart."
    )
    return Section("What a network does", (bends, losses, _loss_picture(fits)))


def _how_good(fits: Fits, table: Table) -> Section:
    network, line = fits.trained_score, fits.line_score
    verdict = Paragraph(
        f"On the {len(fits.job.X_test)} test points the network's R² is {network.r2:.3f}, the "
        f"line's {line.r2:.3f}. The network's mean squared error is {network.mse:.4f}, against "
        f"{line.mse:.4f} for the line and {fits.job.test_noise:.4f} for the noise, below which "
        "nobody can expect to go."
    )
    display = PredictionDisplay.from_estimator(
        fits.trained, fits.job.X_test, fits.job.y_test, name="network", ax=new_axes()
    )
    picture = Picture.from_figure(
        display.figure_,
        alt="Each test point with its observed value across and the network's prediction up, "
        f"beside the line where both are equal; R² is {network.r2:.2f}.",
        caption="The test points: a perfect prediction lies on the dashed line.",
    )
    return Section("How good it is", (verdict, picture, table))


def _what_next() -> Section:
    return Section(
        "What to take from it",
        (
            Paragraph(
                "Begin with the line. It is exact, instant, and two numbers say all of it. Then "
                "ask whether the data need more, and judge by rows that neither model has seen. "
                "In the first job the line came down to the noise, so a network had nothing left "
                "to find; in the second the line missed most of what there was. For a table of "
                "your own, “abline compare table.csv --target column” asks the same question."
            ),
        ),
    )


def _loss_picture(fits: Fits) -> Picture:
    display = LossDisplay.from_estimator(fits.trained, ax=new_axes())
    history = fits.trained.history_
    first, last = history["train_loss"][0], history["train_loss"][-1]
    return Picture.from_figure(
        display.figure_,
        alt="Two curves over the epochs, the training loss and the validation loss; the training "
        f"loss goes from {first:.4g} to {last:.4g}.",
        caption="The loss on the points learnt from (training) and on points held back "
        "(validation).",
    )
