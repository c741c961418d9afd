"""Any PyTorch module as a scikit-learn regressor.

The names of the parameters are skorch's where they mean the same, else scikit-learn's. Without
weights, callbacks and metrics a fit computes what the plain loop of PyTorch's tutorials does,
digit by digit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import torch
from torch import nn

from abline.errors import DataError, ParameterError
from abline.nets.callbacks import EarlyStopping
from abline.nets.identity import read_own_snapshot
from abline.nets.module_regressor import without_absent
from abline.nets.offset import part_eval_set, with_offset
from abline.nets.snapshot import Snapshot
from abline.nets.start import Start
from abline.nets.torch_options import check_options, check_resumes
from abline.nets.torch_predictions import TorchPredictions
from abline.nets.torch_training import train
from abline.tables.arrays import check_training

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy as np

    from abline.tables.arrays import TrainingArrays


class TorchRegressor(TorchPredictions):
    """Train a PyTorch module by gradient descent.

    Parameters
    ----------
    module : torch.nn.Module, class, factory or None, default=None
        An instance is copied by `fit`, never changed, and keeps its precision; each fit starts
        from its weights. A class or factory is called with ``n_features`` and ``n_outputs``
        (or ``in_features`` and ``out_features``) where its signature has them, and with
        ``module__…``; the outputs are as many as the criterion needs. None is one linear layer in
        the precision of X.
    criterion : str, class, instance or function, default=torch.nn.MSELoss
        The loss, from outputs and targets: any of torch's or your own, or a name. Of
        ``"squared_error"``, ``"absolute_error"`` and ``"huber"`` (``criterion__delta``)
        outputs are predictions. So they are of ``"quantile"`` with one level; with several
        (``criterion__quantile=[0.1, 0.5, 0.9]``) `predict` gives them in a last dimension, never
        crossing. Outputs of ``"poisson"`` and ``"gamma"`` are logarithms of the mean, which
        `predict` gives; of torch's ``PoissonNLLLoss`` it gives the outputs. ``"gaussian_nll"``
        learns mean and variance: `predict` and `predict_std`. The same losses, as classes, are
        `abline.nets`' ``QuantileLoss``, ``PoissonLoss``, ``GammaLoss`` and ``GaussianNLL``.
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
        ``engine="lm"`` runs its starts in as many as there are by default; its numbers do not
        depend on them.
    engine : {"auto", "loop", "fused", "lm"}, default="auto"
        Who runs the steps. ``"loop"`` is plain PyTorch; ``"fused"`` are compiled kernels, many
        times faster, for float32 and float64 stacks of linear layers, elementwise activations and
        dropout on a CPU (a forward of your own that remembers earlier calls needs ``"loop"``).
        ``"auto"`` is the faster one of these that can, the time to compile counted. ``"lm"`` is
        Levenberg–Marquardt; see the notes.
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
    n_restarts : int, default=15
        First weights that ``engine="lm"`` tries besides the module's own.
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
        The fit's own.
    device_ : str
    engine_ : str
        What ran the steps; its ``why`` says why it was not a faster engine.
    n_iter_ : int
        Epochs that ran: the lines of ``history_``.
    n_features_in_, n_outputs_, y_ndim_ : int
        ``n_outputs_`` counts targets.
    feature_names_in_ : array of str
        Only where X was a dataframe.
    y_mean_, y_scale_ : array of shape (t,)
        Only with ``target_scaling``.

    Notes
    -----
    Fits in several threads of one process take turns, since torch has one generator for them
    all; processes run side by side.

    Levenberg–Marquardt sees the curvature of the squared error: tens of steps, each on all rows
    in float64, do what takes Adam thousands. Prefer it for smooth problems and modules of up to a
    few hundred parameters (5,000 at most) without dropout or batch normalisation, whose answer is
    wanted to many digits or at once, such as a published formula's b1 … bk. A step's work grows
    with rows × parameters² + parameters³, so not for large tables, and noisy data are overfitted
    as quickly: give it an ``eval_set`` or set ``early_stopping``. The module's own weights and
    ``n_restarts`` others start side by side and the best one (by validation loss, without
    validation rows by training loss) goes on for at most ``max_epochs`` evaluations; its best
    weights are kept, and if that was no minimum a ``ConvergenceWarning`` says so. A line of
    ``history_`` is then the first weights or an accepted step, both losses of the same weights.
    Optimizer, ``lr``, ``shuffle``, ``n_iter_no_change`` and ``tol`` are not used.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.linspace(-1, 1, 50, dtype=np.float32).reshape(-1, 1)
    >>> y = 2 * X[:, 0] + 1
    >>> model = TorchRegressor(max_epochs=500, lr=0.05, random_state=0).fit(X, y)
    >>> model.predict(X[-1:]).round(2)
    array([3.], dtype=float32)
    """

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
        n_restarts: int = 15,
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
        offset: Any = None,
        resume_from: str | Path | None = None,
    ) -> Self:
        """Train a module: a fresh one, or with ``warm_start`` the one that is there.

        Parameters
        ----------
        X : array, tensor or dataframe of shape (n, p)
        y : array, tensor or series of shape (n,) or (n, t)
        sample_weight : array of shape (n,), optional
            The criterion's values are averaged by these; rows of weight zero are left out.
        eval_set : pair (X, y), or triple (X, y, offset), optional
            Rows whose loss and metrics are noted after each epoch.
        offset : array of shape (n,), optional
            Known numbers that are added to the outputs of ``"poisson"`` and ``"gamma"``, such as
            the logarithm of each row's exposure.
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
        KeyboardInterrupt
            If you interrupt it. What was trained until then is kept, too.
        """
        with self._failing_safely():
            self._check_parameters()
            snapshot = None
            if resume_from is not None:
                check_resumes(self, "resume_from")
                snapshot = read_own_snapshot(resume_from, "TorchRegressor")
            data = self._check_rows(X, y, sample_weight, offset, goes_on=self.warm_start)
            valid = self._check_eval_set(eval_set, data)
            module = getattr(self, "module_", None) if self.warm_start else None
            train(self, data, valid, Start(module, snapshot, resume_from))
        return self

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, *, offset: Any = None) -> Self:
        """Train one epoch on some rows, from where the last call ended.

        The optimizer (with the settings of the first call), the callbacks, random draws and
        ``history_`` go on from call to call; after a `fit`, from its module alone.

        Parameters
        ----------
        X : array, tensor or dataframe of shape (n, p)
        y : array, tensor or series of shape (n,) or (n, t)
        sample_weight, offset : array of shape (n,), optional

        Returns
        -------
        TorchRegressor
            This very object.

        Raises
        ------
        DataError
            If X or y cannot be used, or have other columns than before.
        ParameterError
            As of `fit`, or with ``early_stopping`` or ``engine="lm"``.
        """
        if self.early_stopping:
            raise ParameterError("partial_fit cannot stop early: set early_stopping=False")
        check_resumes(self, "partial_fit")
        with self._failing_safely():
            self._check_parameters()
            data = self._check_rows(X, y, sample_weight, offset, goes_on=True)
            module, snapshot = getattr(self, "module_", None), getattr(self, "_progress", None)
            train(self, data, None, Start(module, snapshot, one_epoch=True))
        return self

    def _check_parameters(self) -> None:
        check_options(self)

    def _check_rows(
        self, X: Any, y: Any, sample_weight: Any, offset: Any, *, goes_on: bool
    ) -> TrainingArrays:
        goes_on = goes_on and hasattr(self, "module_")
        data = check_training(self, X, y, sample_weight, reset=not goes_on)
        if offset is not None:
            data = with_offset(data, offset)
        data = without_absent(data)
        if goes_on and data.y.shape[1] != self.n_outputs_:
            raise DataError(
                f"y has {data.y.shape[1]} targets and module_, which goes on, gives "
                f"{self.n_outputs_}: pass the same targets"
            )
        return data

    def _check_eval_set(self, eval_set: Any, data: TrainingArrays) -> TrainingArrays | None:
        given = data.X.shape[1] > self.n_features_in_
        pair, offset = part_eval_set(eval_set, offset=given)
        valid = super()._check_eval_set(pair, data)
        if valid is None or offset is None:
            return valid
        try:
            return with_offset(valid, offset)
        except DataError as error:
            raise DataError(f"eval_set cannot be used, since {error}") from error

    def _get_state(self) -> dict[str, Any]:
        progress = getattr(self, "_progress", None)
        state = super()._get_state()
        return state if progress is None else state | {"progress": progress._get_state()}

    def _set_state(self, state: dict[str, Any]) -> None:
        super()._set_state(state)
        if "progress" in state:
            self._progress = Snapshot(**state["progress"])

    def _own_callbacks(self) -> list[Any]:
        callbacks = super()._own_callbacks()
        if self.early_stopping and self.engine != "lm":  # which stops and restores by itself
            callbacks.append(EarlyStopping("valid_loss", self.n_iter_no_change, self.tol))
        return callbacks
