"""The outcome of a test."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class HypothesisTest:
    """A statistic, what it was held against, and how likely a larger one is by chance.

    Attributes
    ----------
    name : str
        What was tested.
    statistic : float
    letter : {"t", "z", "F", "chi2"}
        Its distribution where the hypothesis is true.
    df : tuple of float
        Degrees of freedom: none for z, two for F, else one.
    p_value : float
    estimate, std_error : float, optional
        Of a single restriction: what its sides differ by.

    Examples
    --------
    >>> print(HypothesisTest("age = 0", 5.0, "F", (2, 40), 0.011577))
    age = 0: F(2, 40) = 5, p = 0.012
    """

    name: str
    statistic: float
    letter: str
    df: tuple[float, ...]
    p_value: float
    estimate: float | None = None
    std_error: float | None = None

    @property
    def distribution(self) -> str:
        """``"F(2, 40)"``, say."""
        inside = ", ".join(f"{df:,.0f}" for df in self.df)
        return f"{self.letter}({inside})" if inside else self.letter

    def __str__(self) -> str:
        from abline.linear.inference.numbers import p_text

        return f"{self.name}: {self.distribution} = {self.statistic:.4g}, p {p_text(self.p_value)}"
