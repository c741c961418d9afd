"""Training by epochs, with scikit-learn's draws, learning rates and rules for when to stop.

Nothing here knows how a step is computed; see `abline.nets.mlp.steps`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning

from abline.nets.warned import warn

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import Tensor

    from abline.nets.mlp.listener import Listener
    from abline.nets.mlp.steps import Data, Network, Steps

#: epochs from one copy of the weights to the next, for an error to hold if the training diverges
_COPY_EVERY = 16

#: below it, an "adaptive" rate is not divided any more
_LEAST_RATE = 1e-6


@dataclass(frozen=True)
class EpochRules:
    """How long to train, and how fast; most as the estimator's parameters of these names.

    Attributes
    ----------
    learning_rate : str
        "constant" for Adam.
    one_epoch : bool
        Whether to train one epoch, whatever ``max_iter`` is.
    """

    max_iter: int
    batch_size: int
    shuffle: bool
    tol: float
    n_iter_no_change: float
    verbose: bool
    learning_rate: str
    learning_rate_init: float
    power_t: float
    one_epoch: bool = False


@dataclass
class Progress:
    """What a later training goes on with.

    Attributes
    ----------
    rate : float
        The next epoch's learning rate.
    loss_curve : list of float
    best_loss : float or None
        None where scores say when to stop.
    scores : list of float or None
    best_score : float or None
    validation_losses : list of float or None
    waited : int
        Epochs without improvement.
    seen : int
        Rows that were trained on.
    """

    rate: float
    loss_curve: list[float] = field(default_factory=list)
    best_loss: float | None = math.inf
    scores: list[float] | None = None
    best_score: float | None = None
    validation_losses: list[float] | None = None
    waited: int = 0
    seen: int = 0

    def take(self, model: Any, *, rate: bool) -> None:
        """Go on from what an earlier fit left on an estimator.

        Parameters
        ----------
        model : MLPRegressor
        rate : bool
            Whether from its learning rate too.
        """
        if not hasattr(model, "_rate"):
            return  # it was another solver's fit
        self.loss_curve = list(model.loss_curve_)
        self.best_loss = model.best_loss_
        self.scores = None if model.validation_scores_ is None else list(model.validation_scores_)
        self.best_score = model.best_validation_score_
        losses = model.validation_loss_curve_
        self.validation_losses = None if losses is None else list(losses)
        self.waited, self.seen = model._no_improvement_count, model.t_
        if rate:
            self.rate = model._rate


class EpochJudge:
    """What one training by epochs draws, and when it stops: all but its steps.

    Parameters
    ----------
    network : Network
    n_rows : int
        That train.
    rules : EpochRules
    progress : Progress
        Goes on from where it is, and is changed.
    rng : RandomState
        Of the shuffles.
    score : callable, optional
        From the network to the score that says when to stop, instead of the training loss.
    valid : Data, optional
        Rows whose loss is noted.
    listener : Listener, optional

    Attributes
    ----------
    n_iter : int
        Epochs that ended.
    stopped : bool
        Whether a rule has said stop.
    good : list of tensors
        A copy of the weights from at most 16 epochs ago, when the loss was finite.
    """

    def __init__(
        self,
        network: Network,
        n_rows: int,
        rules: EpochRules,
        progress: Progress,
        rng: np.random.RandomState,
        *,
        score: Callable[[Network], float] | None = None,
        valid: Data | None = None,
        listener: Listener | None = None,
    ) -> None:
        self.network = network
        self.rules = rules
        self.progress = progress
        self.n_iter = 0
        self.stopped = False
        self.good = _copies(network)
        self._best = _copies(network) if score else []
        self._rng = rng
        self._n_rows = n_rows
        self._order = np.arange(n_rows)
        self._score = score
        self._valid = valid
        self._listener = listener

    @property
    def goes_on(self) -> bool:
        """Whether there is another epoch."""
        epochs = 1 if self.rules.one_epoch else self.rules.max_iter
        return not self.stopped and self.n_iter < epochs

    def draw(self) -> NDArray[np.int64] | None:
        """Give the next epoch's order of rows, None for their own."""
        if not self.rules.shuffle:
            return None
        # each epoch shuffles the order of the one before
        places = np.arange(self._n_rows)
        self._rng.shuffle(places)
        self._order = self._order[places]
        return self._order

    def judge(self, loss: float) -> None:
        """Note an epoch's loss and say whether it was the last.

        Parameters
        ----------
        loss : float
            As `Steps.train_epoch` gave it; the network is that after the epoch.
        """
        progress = self.progress
        self.n_iter += 1
        progress.seen += self._n_rows
        progress.loss_curve.append(loss)
        self._tell(f"Iteration {self.n_iter}, loss = {loss:.8f}")
        valid_loss = self._note_validation()
        self._look_for_improvement(loss)
        if self.rules.learning_rate == "invscaling":
            scale = (progress.seen + 1) ** self.rules.power_t
            progress.rate = self.rules.learning_rate_init / scale
        self.stopped = self._is_lost(loss) or self._has_waited_enough()
        if self._listener:
            self.stopped, progress.rate = self._listener.hear(
                loss, valid_loss, progress.rate, last=self.stopped
            )

    def close(self) -> None:
        """Take the best weights, where scores decide.

        Warns
        -----
        ConvergenceWarning
            If ``max_iter`` ended the training.
        """
        rules = self.rules
        if not (self.stopped or rules.one_epoch) and self.n_iter >= rules.max_iter:
            warn(
                f"Maximum iterations ({rules.max_iter}) reached and the optimization has "
                "not converged yet: raise max_iter, or loosen tol",
                ConvergenceWarning,
            )
        for tensor, best in zip(self.network.params, self._best, strict=False):
            tensor.copy_(best)

    def get_state(self) -> dict[str, Any]:
        """Give all that later epochs depend on but draws, weights, optimizer and rate."""
        progress = {name: _as_array(value) for name, value in vars(self.progress).items()}
        return {
            "n_iter": self.n_iter,
            "stopped": self._listener.state.stop if self._listener else self.stopped,
            "order": self._order,
            "best": self._best,
            "good": self.good,
            "progress": progress,
        }

    def set_state(self, state: dict[str, Any], rate: float) -> None:
        """Take it back, with the next epoch's rate."""
        self.n_iter, self.stopped = state["n_iter"], state["stopped"]
        self._order = state["order"]
        device = self.good[0].device
        self._best = [tensor.to(device) for tensor in state["best"]]
        self.good = [tensor.to(device) for tensor in state["good"]]
        for name, value in state["progress"].items():
            setattr(self.progress, name, value.tolist() if np.ndim(value) else value)
        self.progress.rate = rate

    def results(self) -> dict[str, Any]:
        """Give the estimator's attributes."""
        progress = self.progress
        return {
            "loss_": progress.loss_curve[-1],
            "loss_curve_": progress.loss_curve,
            "best_loss_": progress.best_loss,
            "validation_scores_": progress.scores,
            "best_validation_score_": progress.best_score,
            "validation_loss_curve_": progress.validation_losses,
            "n_iter_": self.n_iter,
            "t_": progress.seen,
            "_no_improvement_count": progress.waited,
            "_rate": progress.rate,
            "_optimizer_state": self.network.get_state(),
        }

    def _note_validation(self) -> float:
        if self._valid is None:
            return math.nan
        loss = self.network.loss(self._valid)
        assert self.progress.validation_losses is not None  # there is one where there are rows
        self.progress.validation_losses.append(loss)
        return loss

    def _look_for_improvement(self, loss: float) -> None:
        """Count epochs without improvement, and keep the best weights where scores decide."""
        progress, tol = self.progress, self.rules.tol
        if self._score is None:
            assert progress.best_loss is not None
            worse = loss > progress.best_loss - tol
            progress.best_loss = min(progress.best_loss, loss)
        else:
            assert progress.scores is not None
            assert progress.best_score is not None
            score = self._score(self.network)
            progress.scores.append(score)
            self._tell(f"Validation score: {score:f}")
            worse = score < progress.best_score + tol
            if score > progress.best_score:
                progress.best_score = score
                self._best = _copies(self.network)
        progress.waited = progress.waited + 1 if worse else 0

    def _is_lost(self, loss: float) -> bool:
        """Say whether weights are no longer numbers, which they will not be again."""
        if math.isfinite(loss):
            if self.n_iter % _COPY_EVERY == 0:
                self.good = _copies(self.network)
            return False
        if all(bool(torch.isfinite(p).all()) for p in self.network.params):
            return False
        if self._score is not None:
            warn(
                f"the weights became infinite or NaN in epoch {self.n_iter}, so those of the best "
                "validation score are taken: lower learning_rate_init, or scale X and y",
                ConvergenceWarning,
            )
        return True

    def _has_waited_enough(self) -> bool:
        """Say whether to stop; an "adaptive" rate is lowered some times before."""
        rules, progress = self.rules, self.progress
        if progress.waited <= rules.n_iter_no_change:
            return False
        what = "Training loss" if self._score is None else "Validation score"
        said = (
            f"{what} did not improve more than tol={rules.tol:f} for {rules.n_iter_no_change} "
            "consecutive epochs."
        )
        if rules.learning_rate != "adaptive":
            self._tell(f"{said} Stopping.")
            return True
        if progress.rate <= _LEAST_RATE:
            self._tell(f"{said} Learning rate too small. Stopping.")
            return True
        progress.rate /= 5.0
        progress.waited = 0
        self._tell(f"{said} Setting learning rate to {progress.rate:f}")
        return False

    def _tell(self, text: str) -> None:
        if self.rules.verbose:
            print(text)


@dataclass
class EpochTraining:
    """One training by epochs.

    Attributes
    ----------
    steps : Steps
    judge : EpochJudge
        Of this network.
    before_epoch : callable or None
        What it raises ends the training.
    """

    steps: Steps
    judge: EpochJudge
    before_epoch: Callable[[], None] | None = None

    def run(self) -> None:
        """Train until a rule says stop.

        Warns
        -----
        ConvergenceWarning
            If ``max_iter`` says it.
        """
        judge = self.judge
        try:
            while judge.goes_on:
                if self.before_epoch is not None:
                    self.before_epoch()
                order, rate = judge.draw(), judge.progress.rate
                judge.judge(self.steps.train_epoch(order, judge.rules.batch_size, rate))
        except KeyboardInterrupt:
            warn("Training interrupted by user.")
        judge.close()

    def results(self) -> dict[str, Any]:
        """Give the estimator's attributes."""
        return self.judge.results()

    def get_state(self) -> dict[str, Any]:
        """Give all that the next epoch depends on but draws, weights and rate."""
        return {"judge": self.judge.get_state(), "steps": self.steps.get_state()}

    def set_state(self, state: dict[str, Any], rate: float) -> None:
        """Take it back, with the next epoch's rate."""
        self.judge.set_state(state["judge"], rate)
        self.steps.set_state(state["steps"])


def _as_array(value: Any) -> Any:
    """Make an array of a curve, which takes less room in a file than a list."""
    return np.array(value, dtype=np.float64) if isinstance(value, list) else value


def _copies(network: Network) -> list[Tensor]:
    return [tensor.detach().clone() for tensor in network.params]
