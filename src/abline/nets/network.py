"""The network for tables: an ensemble that learns what a ridge regression leaves."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from abline.nets.callbacks import hooks_of
from abline.nets.devices import cpu_threads, pick_device
from abline.nets.engines.choose import LOADING, Engine, loop_seconds, tell_of_compiling
from abline.nets.engines.loop import run_loop
from abline.nets.ensemble import MLPEnsemble
from abline.nets.member_plan import MemberPlan, MemberRows, plan_members
from abline.nets.members import BestMembers, ByMember, MemberLoss, RiseAndFall
from abline.nets.module_regressor import ModuleRegressor
from abline.nets.parameters import check_count, check_number
from abline.nets.randomness import borrowed_generator, seed_from
from abline.nets.standardise import fold
from abline.nets.target_scale import is_too_coarse
from abline.nets.tensors import to_tensor
from abline.nets.training import Rows, TrainingJob

if TYPE_CHECKING:
    from collections.abc import Sequence

    from abline.nets.training import History
    from abline.tables.arrays import TrainingArrays

#: members of the ensemble up to a number of rows: many rows need fewer, and pay more for each
MEMBERS = ((10_000, 8), (20_000, 6), (60_000, 4), (math.inf, 2))

#: what "auto" means: enough steps to learn, within limits of the epochs
STEPS = 2_000
EPOCHS = (10, 300)
STEPS_PER_EPOCH = 32
BATCHES = (32, 1024)


class NetworkRegressor(ModuleRegressor):
    """A network for tables: the mean of several small ones, over a ridge regression.

    The line is fitted in closed form; the networks begin at zero and learn what it leaves.
    Each holds out other rows and keeps the weights that did best on them, so where a line is
    all that the data support, the line is what comes out. Features and target are
    standardised inside, and that is folded into ``module_``'s weights.

    Parameters
    ----------
    hidden : sequence of int, default=(64, 64, 64)
        Units of each member's hidden layers.
    members : int or "auto", default="auto"
        Networks in the ensemble; by default from 8 down to 2 for many rows.
    activation : str, default="relu"
        One of `abline.nets.modules.ACTIVATIONS`.
    dropout : float in [0, 1), default=0.0
    weight_decay : float, default=0.01
        AdamW's.
    lr : float, default=3e-3
        The highest learning rate; it falls to zero along a cosine.
    max_epochs : int or "auto", default="auto"
        By default enough for some thousand steps.
    batch_size : int or "auto", default="auto"
        By default a 32nd of the rows, within 32 and 1024.
    validation_fraction : float in (0, 0.5], default=0.15
        About the share of the rows that each member holds out.
    patience : int or "auto", default="auto"
        Epochs in which no member improves before the training ends; a fifth of all by default.
    device : str or torch.device, default="auto"
        As in `TorchRegressor`.
    callbacks : list of Callback, optional
    verbose : int, default=0
        Print the losses of every that many epochs.
    random_state : int, RandomState or None, default=None
    n_jobs : int, optional
        Threads of PyTorch's on a CPU; None is one, -1 all. Kernels take as many as BLAS may have;
        their numbers do not depend on it.

    Attributes
    ----------
    module_ : torch.nn.Module
        From features to targets, both in their own units; in X's precision.
    history_ : dict of str to list
        As in `TorchRegressor`; losses are mean squared errors as shares of the target's
        variance, averaged over the members and their own training or held-out rows.
    device_, engine_, n_iter_, n_features_in_, n_outputs_, y_ndim_, feature_names_in_
        As in `TorchRegressor`.

    References
    ----------
    Hansen, Salamon (1990), "Neural network ensembles", *IEEE PAMI* 12(10).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.uniform(-2, 2, size=(300, 1))
    >>> model = NetworkRegressor(random_state=0).fit(X, X[:, 0] ** 2)
    >>> model.score(X, X[:, 0] ** 2) > 0.99
    True
    """

    PREFIXES = ()

    def __init__(
        self,
        *,
        hidden: Sequence[int] = (64, 64, 64),
        members: int | str = "auto",
        activation: str = "relu",
        dropout: float = 0.0,
        weight_decay: float = 0.01,
        lr: float = 3e-3,
        max_epochs: int | str = "auto",
        batch_size: int | str = "auto",
        validation_fraction: float = 0.15,
        patience: int | str = "auto",
        device: str | torch.device = "auto",
        callbacks: Sequence[Any] | None = None,
        verbose: int = 0,
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.hidden = hidden
        self.members = members
        self.activation = activation
        self.dropout = dropout
        self.weight_decay = weight_decay
        self.lr = lr
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.device = device
        self.callbacks = callbacks
        self.verbose = verbose
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _check_parameters(self) -> None:
        for name in ("members", "max_epochs", "batch_size", "patience"):
            if getattr(self, name) != "auto":
                check_count(name, getattr(self, name))
        check_number("lr", self.lr, above=0.0, below=math.inf)
        check_number("weight_decay", self.weight_decay)
        check_number("validation_fraction", self.validation_fraction, above=0.0, below=0.5001)
        check_count("verbose", self.verbose, least=0)

    def _train(self, data: TrainingArrays, valid: TrainingArrays | None) -> None:
        device = pick_device(self.device)
        seed = seed_from(self.random_state)
        members = self._or_auto("members", _members_for(len(data.X)))
        plan = plan_members(
            data, valid, members=members, fraction=self.validation_fraction, seed=seed
        )
        with borrowed_generator(seed, device), cpu_threads(self.n_jobs):
            ensemble = MLPEnsemble(
                data.X.shape[1],
                data.y.shape[1],
                members=members,
                hidden=self.hidden,
                activation=self.activation,
                dropout=self.dropout,
            ).to(device)
            loss = MemberLoss(members)
            job = self._make_member_job(ensemble, plan, seed, loss)
            self.history_, self.engine_ = _run(job, ensemble, loss)
            target = plan.target
            wide = is_too_coarse(np.dtype(np.float32), target.center, target.scale)
            if (wide or data.X.dtype == np.float64) and device.type != "mps":
                ensemble.double()
            fold(ensemble, plan.coef, plan.intercept, plan.features, plan.target)
        self._keep(ensemble, data)

    def _make_member_job(
        self, ensemble: MLPEnsemble, plan: MemberPlan, seed: int, loss: MemberLoss
    ) -> TrainingJob:
        train = _to_rows(plan.train, ensemble.line.weight)
        batch_size = self._or_auto("batch_size", _batch_for(len(train)))
        steps = math.ceil(len(train) / batch_size)
        max_epochs = self._or_auto("max_epochs", _clamp(STEPS // steps, EPOCHS))
        patience = self._or_auto("patience", max(8, max_epochs // 5))
        optimizer = torch.optim.AdamW(
            ensemble.layers.parameters(),
            lr=self.lr,
            betas=(0.9, 0.99),
            weight_decay=self.weight_decay,
            fused=train.X.device.type != "mps",  # one call for all weights, where there is one
        )
        return TrainingJob(
            module=ByMember(ensemble),
            loss=loss,
            optimizer=optimizer,
            train=train,
            valid=_to_rows(plan.valid, ensemble.line.weight),
            max_epochs=max_epochs,
            batch_size=batch_size,
            shuffle=True,
            generator=torch.Generator().manual_seed(seed),
            callbacks=[BestMembers(loss, patience), *self._own_callbacks()],
            metrics={},
            schedule=RiseAndFall("rise and fall", steps * max_epochs),
        )

    def _or_auto(self, name: str, automatic: int) -> int:
        value = getattr(self, name)
        return automatic if value == "auto" else int(value)


def _run(job: TrainingJob, ensemble: MLPEnsemble, loss: MemberLoss) -> tuple[History, Engine]:
    """Train the members by kernels where that is faster, else as one batched product."""
    why = _why_not_fused(job, ensemble)
    if not why:
        from abline.nets.engines.fused.stack import NotFused
        from abline.nets.fused_members import run_members

        tell_of_compiling(str(ensemble.line.weight.dtype).removeprefix("torch."))
        try:
            return run_members(job, ensemble, loss), Engine("fused")
        except NotFused as reason:
            why = str(reason)
    return run_loop(job), Engine("loop", why)


def _why_not_fused(job: TrainingJob, ensemble: MLPEnsemble) -> str:
    # whether kernels are compiled or loaded does not count: members keep their best of many epochs,
    # so what rounding changes is seen, and a table's network must not depend on what ran before
    if ensemble.line.weight.device.type != "cpu":
        return "it is not on the CPU"
    if hooks_of(job.callbacks, "on_batch_end"):
        return "a callback wants to be called after each step"
    if loop_seconds(job) < LOADING:
        return "the training is shorter than loading the kernels"
    return ""


def _members_for(n_rows: int) -> int:
    return next(members for most, members in MEMBERS if n_rows <= most)


def _batch_for(n_rows: int) -> int:
    return _clamp(2 ** round(math.log2(max(1, n_rows) / STEPS_PER_EPOCH)), BATCHES)


def _clamp(value: float, limits: tuple[int, int]) -> int:
    return int(min(max(value, limits[0]), limits[1]))


def _to_rows(rows: MemberRows, like: torch.Tensor) -> Rows:
    return Rows(
        to_tensor(rows.X, like, "X"),
        to_tensor(rows.residuals, like, "y"),
        to_tensor(rows.weights, like, "sample_weight"),
    )
