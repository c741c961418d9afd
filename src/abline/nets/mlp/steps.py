"""What trains a multi-layer perceptron, without saying how.

The driver (`abline.nets.mlp.epochs`) knows draws, epochs and stopping rules and nothing of
arithmetic; it works on a `Steps`. `TorchSteps` is the reference for any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from abline.nets.mlp.losses import OutputLoss

    Floats = NDArray[np.floating[Any]]

    #: "step" (int, Adam's), "first" and "second" (its moments) or "velocity" (SGD's): a list of
    #: arrays in the order and shapes of `Steps.params`
    OptimizerState = dict[str, Any]


@dataclass(frozen=True)
class Adam:
    """Adam as Kingma and Ba have it at the end of their section 2, epsilon beside the root.

    With g the gradient and t the number of the step,

        first  = beta_1 first  + (1 - beta_1) g
        second = beta_2 second + (1 - beta_2) g²
        p -= lr √(1 - beta_2ᵗ) / (1 - beta_1ᵗ) · first / (√second + epsilon)

    torch's form adds epsilon after the root's bias correction, which makes another trajectory.
    """

    beta_1: float
    beta_2: float
    epsilon: float


@dataclass(frozen=True)
class SGD:
    """Gradient descent with momentum, the rate inside the velocity.

        velocity = momentum velocity - lr g
        p += velocity, or with Nesterov's  p += momentum velocity - lr g

    torch keeps the rate outside, which is another trajectory once the rate changes.
    """

    momentum: float
    nesterov: bool


@dataclass(frozen=True)
class Task:
    """What is minimised, and by which rule.

    Over some rows it is the loss's mean by weight plus alpha/2 times the sum of all squared
    weights (biases apart) over the rows' number, or the sum of their weights.

    Attributes
    ----------
    activation : str
        A key of `abline.nets.mlp.activations.ACTIVATIONS`.
    loss : OutputLoss
    alpha : float
    rule : Adam or SGD or None
        None where `Steps.train_epoch` will not be called.
    """

    activation: str
    loss: OutputLoss
    alpha: float
    rule: Adam | SGD | None


@dataclass(frozen=True)
class Data:
    """Rows, all in one precision.

    Attributes
    ----------
    X : array of shape (n, p), row by row in memory, or a CSR matrix
    y : array of shape (n, t)
    weights : array of shape (n,), or None where every row counts the same
    """

    X: Any
    y: Floats
    weights: Floats | None = None

    def __len__(self) -> int:
        return len(self.y)

    def take(self, rows: NDArray[np.int64]) -> Data:
        """Give some of the rows, in this order."""
        weights = None if self.weights is None else self.weights[rows]
        return Data(self.X[rows], self.y[rows], weights)

    def astype(self, dtype: np.dtype[Any]) -> Data:
        """Give the rows in another precision."""
        weights = None if self.weights is None else self.weights.astype(dtype, copy=False)
        return Data(self.X.astype(dtype, copy=False), self.y.astype(dtype, copy=False), weights)


class Network(Protocol):
    """A network that is being trained, as those see it who judge how it does.

    Attributes
    ----------
    params : list of tensors
        The live parameters, first all weights of shape (out, in), then all biases of shape (out,):
        the training changes these very tensors, and whatever is written to them is what it goes
        on with. On a CPU they can be views of arrays.
    """

    params: Sequence[Tensor]

    def loss(self, data: Data) -> float:
        """Give the loss over some rows, without the penalty.

        Parameters
        ----------
        data : Data
            In the parameters' precision.
        """
        ...

    def predict(self, X: Any) -> Floats:
        """Give the last layer's outputs, before any link.

        Parameters
        ----------
        X : array of shape (n, p) or CSR matrix

        Returns
        -------
        array of shape (n, units), in the parameters' precision
        """
        ...

    def get_state(self) -> OptimizerState:
        """Give a copy of the optimizer's state."""
        ...


class Steps(Network, Protocol):
    """A network, its training rows and the state of its optimizer.

    It is made with `Task`, ``weights`` (a list of arrays of shape (out, in)), ``biases`` (of shape
    (out,)), which it copies, and `Data` in their precision.
    """

    def train_epoch(self, order: NDArray[np.int64] | None, batch_size: int, lr: float) -> float:
        """Take one pass over the training rows, a step for each batch.

        Parameters
        ----------
        order : array of shape (n,) or None
            Batches are taken from it in turns; None is the rows' own order.
        batch_size : int
            1 to n; the last batch may be smaller.
        lr : float
            Adam's rate before its bias correction.

        Returns
        -------
        float
            The batches' objectives (before each one's step, with the penalty), averaged by their
            number of rows. A batch whose weights are all zero has no step and counts as 0.
        """
        ...

    def loss_gradient(self, flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """Give the objective over all training rows, and its derivative.

        Parameters
        ----------
        flat : array of shape (q,)
            Each weight as (in, out), row by row, then each bias; the parameters are set to it.

        Returns
        -------
        objective : float
        gradient : array of shape (q,)
        """
        ...

    def set_state(self, state: OptimizerState) -> None:
        """Take the optimizer's state back."""
        ...
