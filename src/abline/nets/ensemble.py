"""Several small networks side by side in one module, and a line beneath them.

Averaging networks that start from other weights and see other rows takes away much of what
is chance in each. Side by side they cost little more than one: their layers are one batched
matrix product, and at the sizes of tables most of a step is not arithmetic.

References
----------
Hansen, Salamon (1990), "Neural network ensembles", *IEEE PAMI* 12(10).
Breiman (1996), "Bagging predictors", *Machine Learning* 24.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from abline.errors import one_of
from abline.nets.modules import ACTIVATIONS, check_shape

if TYPE_CHECKING:
    from collections.abc import Sequence


class MLPEnsemble(nn.Module):
    """The mean of several multilayer perceptrons, plus one linear layer from the features.

    The last layers begin at zero, so that at first the ensemble is its line.

    Parameters
    ----------
    n_features, n_outputs : int
        Columns in and out.
    members : int, default=8
        Networks in the ensemble.
    hidden : sequence of int, default=(64, 64)
        Units of each member's hidden layers.
    activation : str, default="relu"
        One of `abline.nets.modules.ACTIVATIONS`.
    dropout : float in [0, 1), default=0.0
        Share of each hidden layer's outputs set to zero while training.

    Examples
    --------
    >>> ensemble = MLPEnsemble(3, 1, members=4, hidden=(8,))
    >>> ensemble(torch.zeros(5, 3)).shape, ensemble.by_member(torch.zeros(5, 3)).shape
    (torch.Size([5, 1]), torch.Size([5, 4, 1]))
    """

    def __init__(
        self,
        n_features: int,
        n_outputs: int = 1,
        *,
        members: int = 8,
        hidden: Sequence[int] = (64, 64),
        activation: str = "relu",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        one_of("activation", activation, ACTIVATIONS)
        check_shape(hidden, dropout)
        self.n_features = n_features
        self.n_outputs = n_outputs
        self.members = members
        self.hidden = tuple(int(units) for units in hidden)
        self.activation = activation
        self.dropout = float(dropout)
        self.between = nn.Sequential(ACTIVATIONS[activation](), nn.Dropout(dropout))
        widths = [n_features, *self.hidden]
        layers = [MemberLinear(a, b, members) for a, b in itertools.pairwise(widths)]
        self.layers = nn.ModuleList([*layers, MemberLinear(widths[-1], n_outputs, members)])
        self.line = nn.Linear(n_features, n_outputs)
        with torch.no_grad():
            for parameter in self.last.parameters():
                parameter.zero_()

    @property
    def first(self) -> MemberLinear:
        """The members' first layers."""
        return cast("MemberLinear", self.layers[0])

    @property
    def last(self) -> MemberLinear:
        """The members' last layers."""
        return cast("MemberLinear", self.layers[-1])

    def by_member(self, features: Tensor) -> Tensor:
        """Compute what each member adds to the line.

        Parameters
        ----------
        features : tensor of shape (n, n_features)

        Returns
        -------
        tensor of shape (n, members, n_outputs)
        """
        values = features.expand(self.members, -1, -1)
        for layer in self.layers[:-1]:
            values = self.between(layer(values))
        outputs: Tensor = self.layers[-1](values)
        return outputs.transpose(0, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Compute the outputs of rows.

        Parameters
        ----------
        features : tensor of shape (n, n_features)

        Returns
        -------
        tensor of shape (n, n_outputs)
        """
        outputs: Tensor = self.line(features) + self.by_member(features).mean(1)
        return outputs

    def constructor_args(self) -> dict[str, Any]:
        """Give the arguments that make an ensemble of this shape.

        Returns
        -------
        dict
            Plain data, for ``MLPEnsemble(**arguments)``.
        """
        names = ("n_features", "n_outputs", "members", "hidden", "activation", "dropout")
        return {name: getattr(self, name) for name in names}


class MemberLinear(nn.Module):
    """One linear layer for each member of an ensemble.

    Parameters
    ----------
    in_features, out_features : int
    members : int

    Examples
    --------
    >>> MemberLinear(3, 8, members=4)(torch.zeros(4, 10, 3)).shape
    torch.Size([4, 10, 8])
    """

    def __init__(self, in_features: int, out_features: int, members: int) -> None:
        super().__init__()
        # inputs of unit variance give outputs of unit variance
        bound = math.sqrt(3 / in_features)
        self.weight = nn.Parameter(
            torch.empty(members, in_features, out_features).uniform_(-bound, bound)
        )
        bound = 1 / math.sqrt(in_features)
        self.bias = nn.Parameter(torch.empty(members, 1, out_features).uniform_(-bound, bound))

    def forward(self, values: Tensor) -> Tensor:
        """Apply each member's layer to its rows.

        Parameters
        ----------
        values : tensor of shape (members, n, in_features)

        Returns
        -------
        tensor of shape (members, n, out_features)
        """
        return torch.baddbmm(self.bias, values, self.weight)
