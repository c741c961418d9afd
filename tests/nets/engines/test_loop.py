"""The loop's own decisions; its numbers are tested through the estimators."""

import pytest
from torch import nn

from abline.nets import MLP
from abline.nets.engines.loop import has_modes


class Own(nn.Module):
    pass


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        (nn.Linear(1, 1), False),
        (nn.Sequential(nn.Linear(1, 1), nn.ReLU(), nn.Flatten(0)), False),
        (nn.Sequential(nn.Linear(1, 1), nn.Dropout(0.1)), True),
        (nn.BatchNorm1d(1), True),
        (nn.RReLU(), True),
        (nn.MultiheadAttention(4, 2), True),
        (Own(), True),  # its forward may ask for self.training
        (MLP(1, 1, dropout=0.5), True),
    ],
)
def test_modes_are_switched_where_they_may_matter(module, expected):
    assert has_modes(module) is expected
