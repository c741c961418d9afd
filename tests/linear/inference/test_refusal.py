"""Penalised models have no summary, and say why."""

import pytest

from abline.errors import ParameterError
from abline.linear.inference.refusal import PenalisedModel


@pytest.mark.parametrize("method", ["summary", "predict_interval"])
def test_the_reason_is_given(method):
    class Lasso(PenalisedModel):
        pass

    with pytest.raises(ParameterError, match=f"Lasso has no {method}: its penalty .* towards zero"):
        getattr(Lasso(), method)([[1.0]], [2.0], cov="HC1")
