"""The networks that abline brings along; any other ``torch.nn.Module`` will do as well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from abline.errors import ParameterError, one_of

if TYPE_CHECKING:
    from collections.abc import Sequence

#: the elementwise functions between the layers, by name
ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "mish": nn.Mish,
    "selu": nn.SELU,
    "elu": nn.ELU,
    "leaky_relu": nn.LeakyReLU,
    "softplus": nn.Softplus,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}


class MLP(nn.Module):
    """A multilayer perceptron: hidden layers of one activation, then a linear layer.

    Parameters
    ----------
    n_features, n_outputs : int
        Columns in and out; `TorchRegressor` fills them in.
    hidden : sequence of int, default=(128, 128)
        Units of each hidden layer; empty for a linear model.
    activation : str, default="relu"
        One of `ACTIVATIONS`.
    dropout : float in [0, 1), default=0.0
        Share of each hidden layer's outputs set to zero while training.
    skip : bool, default=False
        Add a linear layer straight from the features to the outputs, so that the hidden
        layers learn what a line leaves.

    Examples
    --------
    >>> MLP(3, 1, hidden=(8, 4))
    MLP(
      (layers): Sequential(
        (0): Linear(in_features=3, out_features=8, bias=True)
        (1): ReLU()
        (2): Linear(in_features=8, out_features=4, bias=True)
        (3): ReLU()
        (4): Linear(in_features=4, out_features=1, bias=True)
      )
    )
    """

    def __init__(
        self,
        n_features: int,
        n_outputs: int = 1,
        *,
        hidden: Sequence[int] = (128, 128),
        activation: str = "relu",
        dropout: float = 0.0,
        skip: bool = False,
    ) -> None:
        super().__init__()
        one_of("activation", activation, ACTIVATIONS)
        check_shape(hidden, dropout)
        self.n_features = n_features
        self.n_outputs = n_outputs
        self.hidden = tuple(int(units) for units in hidden)
        self.activation = activation
        self.dropout = float(dropout)
        layers: list[nn.Module] = []
        width = n_features
        for units in self.hidden:
            layers += [nn.Linear(width, units), ACTIVATIONS[activation]()]
            if dropout:
                layers.append(nn.Dropout(dropout))
            width = units
        layers.append(nn.Linear(width, n_outputs))
        self.layers = nn.Sequential(*layers)
        self.skip = nn.Linear(n_features, n_outputs) if skip else None

    def forward(self, features: Tensor) -> Tensor:
        """Compute the outputs of rows.

        Parameters
        ----------
        features : tensor of shape (n, n_features)

        Returns
        -------
        tensor of shape (n, n_outputs)
        """
        outputs: Tensor = self.layers(features)
        return outputs if self.skip is None else outputs + self.skip(features)

    def constructor_args(self) -> dict[str, Any]:
        """Give the arguments that make a network of this shape.

        Returns
        -------
        dict
            Plain data, for ``MLP(**arguments)``.
        """
        return {
            "n_features": self.n_features,
            "n_outputs": self.n_outputs,
            "hidden": self.hidden,
            "activation": self.activation,
            "dropout": self.dropout,
            "skip": self.skip is not None,
        }


def check_shape(hidden: Sequence[int], dropout: float) -> None:
    """Check the parameters that networks of hidden layers share.

    Parameters
    ----------
    hidden : sequence of int
    dropout : float

    Raises
    ------
    ParameterError
        If a layer has no units, or the dropout is no share below 1.
    """
    if isinstance(hidden, str) or not all(int(units) == units and units > 0 for units in hidden):
        raise ParameterError(f"hidden is {hidden!r}: give units per layer, 1 or more, as (64, 64)")
    if not 0 <= dropout < 1:
        raise ParameterError(f"dropout is {dropout!r}: give a share from 0 up to (not with) 1")
