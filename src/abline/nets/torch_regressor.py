"""Any PyTorch module as a scikit-learn regressor.

The names of the parameters are skorch's where they mean the same, else scikit-learn's. Without
weights, callbacks and metrics a fit computes what the plain loop of PyTorch's tutorials does,
digit by digit.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, ClassVar, Self

import torch
from torch import nn

from abline.errors import DataError, DataWarning, ParameterError
from abline.nets.callbacks import Callback, EarlyStopping
from abline.nets.devices import cpu_threads, pick_device
from abline.nets.engines.choose import Engine, run_engine
from abline.nets.module_regressor import ModuleRegressor, without_absent
from abline.nets.randomness import borrowed_generator, seed_from
from abline.nets.snapshot import Snapshot, read_snapshot
from abline.nets.start import Start
from abline.nets.target_scale import TargetScale
from abline.nets.torch_job import make_job, make_own_module
from abline.nets.torch_options import check_options
from abline.nets.validation_part import hold_out
from abline.tables.arrays import check_training

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from abline.nets.training import TrainingState
    from abline.tables.arrays import TrainingArrays


class TorchRegressor(ModuleRegressor):
    """Train a PyTorch module by gradient descent.

    Parameters
    ----------
    module : torch.nn.Module, class, factory or None, default=None
        An instance is copied by `fit`, never changed, and keeps its precision; each fit starts
        from its weights. A class or factory is called with ``n_features`` and ``n_outputs``
        (or ``in_features`` and ``out_features``) where its signature has them, and with
        ``module__…``. None is one linear layer in the precision of X.
    criterion : class, instance or function, default=torch.nn.MSELoss
        The loss, from outputs and targets.
    optimizer : class, default=torch.optim.Adam
    lr : float, default=1e-3
        The optimizer's learning rate.
    max_epochs : int, default=1000
        Passes over the training rows.
    batch_size : int, optional
        Rows in a step; all by default.
    shuffle : bool, default=True
        Whether minibatches are drawn anew for each epoch.
    device : str or torch.device, default="auto"
        ``"auto"`` (a CUDA GPU if there is one), ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``.
    metrics : str, object, list or dict of them, optional
        Names of scikit-learn scorers, or objects with ``update`` and ``compute``; not weighted.
    callbacks : list of Callback, optional
        Such as `EarlyStopping`; a fit uses shallow copies of them.
    verbose : int, default=0
        Print the losses of every that many epochs; 0 is silent.
    random_state : int, RandomState or None, default=None
        Of the first weights, dropout and minibatches; an integer is used as in
        ``torch.manual_seed``. Global generators are never moved.
    n_jobs : int, optional
        Threads on a CPU; None is one, -1 all. One thread's numbers do not depend on the machine.
    engine : {"auto", "loop", "fused"}, default="auto"
        Who runs the steps. ``"loop"`` is plain PyTorch; ``"fused"`` are compiled kernels, many
        times faster, for float32 and float64 stacks of linear layers, elementwise activations and
        dropout on a CPU. ``"auto"`` is the faster one that can, the time to compile counted.
    early_stopping : bool, default=False
        Whether to stop once the validation loss no longer improves, and take the best weights.
        Without ``eval_set`` a part of the rows is left out for it, by ``random_state``.
    validation_fraction : float in (0, 1), default=0.1
        Of the rows, to leave out.
    n_iter_no_change : int, default=10
        Epochs without improvement that early stopping waits for.
    tol : float, default=1e-4
        The least change of the loss that is an improvement.
    warm_start : bool, default=False
        Whether `fit` goes on from ``module_``, with a fresh optimizer and history, where there is
        one; ``module`` is not looked at then.
    schedule : {"cosine", "one_cycle"}, optional
        The learning rate's curve over all steps of ``max_epochs``, with ``lr`` as its highest.
        For any of torch's schedulers pass the callback `abline.nets.LRScheduler`.
    clip_grad_norm, clip_grad_value : float, optional
        The most that the gradient's length, and its elements, may be in a step.
    target_scaling : bool, default=False
        Whether the module learns y less its mean over its standard deviation (by weight, of the
        rows that train). Predictions and metrics are in y's units; ``module_`` and the losses of
        ``history_`` in standardised ones, where the mean of y has a squared error of 1.
    n_restarts : int, default=8
        First weights to try, for engines that try several.
    **prefixed
        ``module__…``, ``criterion__…`` and ``optimizer__…``: what those are called with.

    Attributes
    ----------
    module_ : torch.nn.Module
        Trained, in evaluation mode, on the device.
    history_ : dict of str to list
        Columns of equal length: ``epoch`` (from 0), ``train_loss`` (of the weights before the
        epoch's update; for minibatches the mean over its steps), ``valid_loss`` (of the weights
        after it; NaN without ``eval_set``), ``seconds`` since the start, ``lr``, and
        ``train_…`` and ``valid_…`` of each metric.
    criterion_ : callable
    device_ : str
    engine_ : str
        What ran the steps; its ``why`` says why it was not a faster engine.
    n_iter_ : int
        Epochs that ran.
    n_features_in_, n_outputs_, y_ndim_ : int
    feature_names_in_ : array of str
        Only where X was a dataframe.
    y_mean_, y_scale_ : array of shape (t,)
        Only with ``target_scaling``.

    Notes
    -----
    Fits in several threads of one process take turns, since torch has one generator for them
    all; processes run side by side.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.linspace(-1, 1, 50, dtype=np.float32).reshape(-1, 1)
    >>> y = 2 * X[:, 0] + 1
    >>> model = TorchRegressor(max_epochs=500, lr=0.05, random_state=0).fit(X, y)
    >>> model.predict(X[-1:]).round(2)
    array([3.], dtype=float32)
    """

    y_mean_: NDArray[np.float64]
    y_scale_: NDArray[np.float64]
    _progress: Snapshot | None

    PREFIXES: ClassVar[tuple[str, ...]] = ("module", "criterion", "optimizer")

    def __init__(
        self,
        module: nn.Module | Callable[..., nn.Module] | None = None,
        *,
        criterion: Any = nn.MSELoss,
        optimizer: Callable[..., torch.optim.Optimizer] = torch.optim.Adam,
        lr: float = 1e-3,
        max_epochs: int = 1000,
        batch_size: int | None = None,
        shuffle: bool = True,
        device: str | torch.device = "auto",
        metrics: Any = None,
        callbacks: Sequence[Any] | None = None,
        verbose: int = 0,
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
        engine: str = "auto",
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        tol: float = 1e-4,
        warm_start: bool = False,
        schedule: str | None = None,
        clip_grad_norm: float | None = None,
        clip_grad_value: float | None = None,
        target_scaling: bool = False,
        n_restarts: int = 8,
        **prefixed: Any,
    ) -> None:
        self.module = module
        self.criterion = criterion
        self.optimizer = optimizer
        self.lr = lr
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.device = device
        self.metrics = metrics
        self.callbacks = callbacks
        self.verbose = verbose
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.engine = engine
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.schedule = schedule
        self.clip_grad_norm = clip_grad_norm
        self.clip_grad_value = clip_grad_value
        self.target_scaling = target_scaling
        self.n_restarts = n_restarts
        self._set_prefixed(prefixed)

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        eval_set: Any = None,
        resume_from: str | Path | None = None,
    ) -> Self:
        """Train a module: a fresh one, or with ``warm_start`` the one that is there.

        Parameters
        ----------
        X : array, tensor or dataframe of shape (n, p)
        y : array, tensor or series of shape (n,) or (n, t)
        sample_weight : array of shape (n,), optional
            The criterion's values are averaged by these; rows of weight zero are left out.
        eval_set : pair (X, y), optional
            Rows whose loss and metrics are noted after each epoch.
        resume_from : str or Path, optional
            A file of `abline.Checkpoint` to go on from, up to ``max_epochs``; the fit starts anew
            where there is none yet.

        Returns
        -------
        TorchRegressor
            This very object.

        Raises
        ------
        DataError
            If X, y or the validation rows cannot be used.
        ParameterError
            If a parameter cannot be used, or the checkpoint is of another module, other data or
            other parameters. An earlier fit's results are then still there.
        ModelFileError
            If the checkpoint is damaged; an earlier fit's results are still there.
        DivergedError
            A `ParameterError`, if the loss becomes NaN or infinite; it has the ``epoch``, the
            ``history`` before it and the ``module`` with the last good weights. An earlier fit's
            results are still there.
        Exception
            Whatever a callback raises, with a note that names it. What was trained until then is
            kept: the estimator is fitted, unless no epoch had ended.
        """
        with self._failing_safely():
            self._check_parameters()
            snapshot = None if resume_from is None else read_snapshot(resume_from)
            data = self._check_rows(X, y, sample_weight, goes_on=self.warm_start)
            valid = self._check_eval_set(eval_set, data)
            module = getattr(self, "module_", None) if self.warm_start else None
            self._train(data, valid, Start(module, snapshot, resume_from))
        return self

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train one epoch on some rows, from where the last call ended.

        The optimizer (with the settings of the first call), the callbacks, random draws and
        ``history_`` go on from call to call; after a `fit`, from its module alone.

        Parameters
        ----------
        X : array, tensor or dataframe of shape (n, p)
        y : array, tensor or series of shape (n,) or (n, t)
        sample_weight : array of shape (n,), optional

        Returns
        -------
        TorchRegressor
            This very object.

        Raises
        ------
        DataError
            If X or y cannot be used, or have other columns than before.
        ParameterError
            As of `fit`, or with ``early_stopping``.
        """
        if self.early_stopping:
            raise ParameterError("partial_fit cannot stop early: set early_stopping=False")
        with self._failing_safely():
            self._check_parameters()
            data = self._check_rows(X, y, sample_weight, goes_on=True)
            module, snapshot = getattr(self, "module_", None), getattr(self, "_progress", None)
            self._train(data, None, Start(module, snapshot, one_epoch=True))
        return self

    def predict(self, X: Any) -> NDArray[np.floating[Any]]:
        """Predict the target of rows.

        Parameters
        ----------
        X : array, tensor or dataframe of shape (n, p)

        Returns
        -------
        array of shape (n,) or (n, t), as y was
            In the module's precision; half precisions as float32.

        Raises
        ------
        DataError
            If X cannot be used.
        """
        outputs = super().predict(X)
        if not hasattr(self, "y_mean_"):
            return outputs
        return TargetScale(self.y_mean_, self.y_scale_).in_own_units(outputs)

    def _check_parameters(self) -> None:
        check_options(self)

    def _check_rows(self, X: Any, y: Any, sample_weight: Any, *, goes_on: bool) -> TrainingArrays:
        goes_on = goes_on and hasattr(self, "module_")
        data = without_absent(check_training(self, X, y, sample_weight, reset=not goes_on))
        if goes_on and data.y.shape[1] != self.n_outputs_:
            raise DataError(
                f"y has {data.y.shape[1]} targets and module_, which goes on, gives "
                f"{self.n_outputs_}: pass the same targets"
            )
        return data

    def _train(
        self, data: TrainingArrays, valid: TrainingArrays | None, start: Start | None = None
    ) -> None:
        start = start or Start()
        device = pick_device(self.device)
        seed = start.snapshot.seed if start.snapshot else seed_from(self.random_state)
        if self.early_stopping and valid is None:
            data, valid = hold_out(data, self.validation_fraction, seed)
        if self.batch_size is not None and self.batch_size > len(data.X) and not start.one_epoch:
            message = f"batch_size is {self.batch_size} and only {len(data.X)} rows train: it is "
            warnings.warn(f"{message}clipped to all of them", DataWarning, stacklevel=3)
        scale = self._scale_of(data, start)
        if scale:
            data, valid = scale.standardised(data), valid and scale.standardised(valid)
        watch, self._progress = _Watch(), None
        with borrowed_generator(seed, device), cpu_threads(self.n_jobs):
            callbacks = [watch, *self._own_callbacks()]
            module = make_own_module(self, data, device, start.module)
            job = make_job(self, module, data, valid, seed, callbacks, scale)
            self.criterion_ = job.loss.criterion  # type: ignore[attr-defined]  # a CriterionLoss
            job, engine = start.place(job, self)
            try:
                self.history_, self.engine_ = run_engine(job, engine)
            except Exception:
                state = watch.state
                if state is not None and state.failed and state.history["epoch"]:
                    self.history_ = state.history
                    self.engine_ = Engine(state.engine, "a callback raised")
                    self._keep(module, data)
                raise
            if start.one_epoch and watch.state is not None:
                self._progress = Snapshot.take(watch.state, job)
        self._keep(module, data)

    def _scale_of(self, data: TrainingArrays, start: Start) -> TargetScale | None:
        """Measure the targets; a module that goes on keeps the units that it knows."""
        if start.module is not None and hasattr(self, "y_mean_") and self.target_scaling:
            return TargetScale(self.y_mean_, self.y_scale_)
        for name in ("y_mean_", "y_scale_"):
            self.__dict__.pop(name, None)
        if not self.target_scaling:
            return None
        scale = TargetScale.of(data)
        self.y_mean_, self.y_scale_ = scale.mean, scale.scale
        return scale

    def _own_callbacks(self) -> list[Any]:
        callbacks = super()._own_callbacks()
        if self.early_stopping:
            callbacks.append(EarlyStopping("valid_loss", self.n_iter_no_change, self.tol))
        return callbacks


class _Watch(Callback):
    """Lets the estimator see the state of its training."""

    state: TrainingState | None = None

    def on_train_begin(self, state: TrainingState) -> None:
        self.state = state
