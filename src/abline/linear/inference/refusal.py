"""Why some fits have no summary: the reasons, said to whoever asks for one."""

from __future__ import annotations

from typing import Any, NoReturn

from abline.errors import ParameterError


class PenalisedModel:
    """Refuse inference for an estimator whose coefficients are shrunk; inherit it.

    Examples
    --------
    >>> class Lasso(PenalisedModel): ...
    >>> Lasso().summary()
    Traceback (most recent call last):
    ...
    abline.errors.ParameterError: Lasso has no summary: ...
    """

    def summary(self, *args: Any, **kwargs: Any) -> NoReturn:  # noqa: ARG002 - whatever is asked
        """Refuse, because standard errors of least squares do not hold for these coefficients.

        Raises
        ------
        ParameterError
            Always; the message has the reason.
        """
        refuse_inference(self, "summary")

    def predict_interval(self, *args: Any, **kwargs: Any) -> NoReturn:  # noqa: ARG002 - whatever is asked
        """Refuse, because intervals of least squares do not hold for these predictions.

        Raises
        ------
        ParameterError
            Always; the message has the reason.
        """
        refuse_inference(self, "predict_interval")


def refuse_inference(model: Any, what: str) -> NoReturn:
    """Say why there is no inference after a penalty.

    Parameters
    ----------
    model : object
    what : str
        The method that was called.

    Raises
    ------
    ParameterError
        Always.
    """
    raise ParameterError(
        f"{type(model).__name__} has no {what}: its penalty pulls the coefficients towards zero "
        "and chooses among them by the same rows, so that standard errors, p-values and intervals "
        "of least squares would be too narrow and in the wrong place; fit LinearRegression on "
        "features chosen beforehand or on other rows, or use cross-validated scores"
    )
