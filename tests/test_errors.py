from __future__ import annotations

import pytest

import abline as ab
from abline.errors import did_you_mean, one_of


@pytest.mark.parametrize(
    "error", [ab.DataError, ab.ParameterError, ab.ModelFileError, ab.OutputError]
)
def test_every_error_is_a_value_error_of_abline(error):
    assert issubclass(error, ab.AblineError)
    assert issubclass(error, ValueError)


@pytest.mark.parametrize(
    ("name", "known", "said"),
    [
        ("prise", ["price", "rooms"], "did you mean 'price'?"),
        ("PRICE", ["price", "rooms"], "did you mean 'price'?"),
        ("zzz", ["price"], "there are 'price'"),
        ("zzz", [f"column{i}" for i in range(40)], ""),
        ("zzz", [], ""),
    ],
)
def test_near_names(name, known, said):
    assert did_you_mean(name, known) == said


@pytest.mark.parametrize("value", ["lin", None, 3, ["line"]])
def test_one_of_refuses_and_names_the_option(value):
    with pytest.raises(ab.ParameterError, match="--model cannot be"):
        one_of("--model", value, ["line", "ridge"])
