"""Any PyTorch module as a scikit-learn regressor.

The names of the parameters are skorch's where they mean the same. Without weights, callbacks
and metrics a fit computes what the plain loop of PyTorch's tutorials does, digit by digit.
"""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from abline.errors import DataError, ModelFileError, ParameterError, one_of
from abline.nets.aten_attention import plain_attention
from abline.nets.callbacks import PrintLog
from abline.nets.describe import build_module, describe_module
from abline.nets.describe_parameters import describe_parameter, restore_parameter
from abline.nets.devices import cpu_threads, pick_device
from abline.nets.engines.choose import ENGINES, Engine, run_engine
from abline.nets.factories import (
    first_floating,
    make_module,
    make_optimizer,
    probe,
    probe_loss,
)
from abline.nets.losses import make_criterion, make_loss
from abline.nets.metrics import make_metrics
from abline.nets.parameters import check_callbacks, check_count, check_number
from abline.nets.prefixed import PrefixedParameters
from abline.nets.randomness import borrowed_generator, seed_from
from abline.nets.tensors import predict_numpy, to_tensor
from abline.nets.training import Rows, TrainingJob
from abline.regressor import Regressor
from abline.tables.arrays import TrainingArrays, check_features, check_training

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray


class TorchRegressor(PrefixedParameters, Regressor):
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
        self._set_prefixed(prefixed)

    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, eval_set: Any = None) -> Self:
        """Train a fresh module.

        Parameters
        ----------
        X : array, tensor or dataframe of shape (n, p)
        y : array, tensor or series of shape (n,) or (n, t)
        sample_weight : array of shape (n,), optional
            The criterion's values are averaged by these; rows of weight zero are left out.
        eval_set : pair (X, y), optional
            Rows whose loss and metrics are noted after each epoch.

        Returns
        -------
        TorchRegressor
            This very object.

        Raises
        ------
        DataError
            If X, y or the validation rows cannot be used.
        ParameterError
            If a parameter cannot be used, or the loss becomes NaN or infinite. An earlier
            fit's results are then still there.
        """
        before = dict(self.__dict__)
        try:
            self._check_parameters()
            data = _without_absent(check_training(self, X, y, sample_weight))
            self._train(data, self._check_eval_set(eval_set, data))
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise
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
        check_is_fitted(self)
        features = check_features(self, X)
        if self.module_.training:
            self.module_.eval()
        with cpu_threads(self.n_jobs), plain_attention():
            outputs = predict_numpy(self.module_, features, first_floating(self.module_))
        return outputs.reshape(-1) if self.y_ndim_ == 1 else outputs.reshape(-1, self.n_outputs_)

    def _check_eval_set(self, eval_set: Any, data: TrainingArrays) -> TrainingArrays | None:
        if eval_set is None:
            return None
        if not isinstance(eval_set, tuple | list) or len(eval_set) != 2:
            raise ParameterError("eval_set must be a pair: pass eval_set=(X_val, y_val)")
        try:
            valid = check_training(self, *eval_set, reset=False)
        except DataError as error:
            raise DataError(f"eval_set cannot be used, since {error}") from error
        if valid.y.shape[1] != data.y.shape[1]:
            raise ParameterError(
                f"eval_set has {valid.y.shape[1]} targets and y has {data.y.shape[1]}: "
                "pass the same targets"
            )
        return valid

    def _train(self, data: TrainingArrays, valid: TrainingArrays | None) -> None:
        device = pick_device(self.device)
        seed = seed_from(self.random_state)
        with borrowed_generator(seed, device), cpu_threads(self.n_jobs):
            module = self._make_module(data, device)
            job = self._make_job(module, data, valid, seed)
            self.history_, self.engine_ = run_engine(job, self.engine)
        self._keep(module, data)

    def _keep(self, module: nn.Module, data: TrainingArrays) -> None:
        """Note what the training made."""
        self.module_ = module.eval()
        self.device_ = str(first_floating(module).device)
        self.n_iter_ = len(self.history_["epoch"])
        self.n_outputs_ = data.y.shape[1]
        self.y_ndim_ = data.y_ndim

    def _make_module(self, data: TrainingArrays, device: torch.device) -> nn.Module:
        wide = data.X.dtype == np.float64 and device.type != "mps"  # which has no float64
        module = make_module(
            self.module,
            self._arguments("module"),
            n_features=data.X.shape[1],
            n_outputs=data.y.shape[1],
            dtype=torch.float64 if wide else torch.float32,
        )
        return module.to(device)

    def _make_job(
        self, module: nn.Module, data: TrainingArrays, valid: TrainingArrays | None, seed: int
    ) -> TrainingJob:
        like = first_floating(module)
        train = _to_rows(data, like)
        outputs = probe(module, train, data.y.shape[1])
        train = train.shaped_as(outputs)
        self.criterion_ = make_criterion(self.criterion, self._arguments("criterion"), like.device)
        loss = make_loss(self.criterion_, weighted=train.weights is not None)
        probe_loss(loss, self.criterion_, outputs, train)
        return TrainingJob(
            module=module,
            loss=loss,
            optimizer=make_optimizer(self.optimizer, module, self.lr, self._arguments("optimizer")),
            train=train,
            valid=None if valid is None else _to_rows(valid, like).shaped_as(outputs),
            max_epochs=int(self.max_epochs),
            batch_size=None if self.batch_size is None else int(self.batch_size),
            shuffle=self.shuffle,
            generator=torch.Generator().manual_seed(seed),
            callbacks=self._own_callbacks(),
            metrics=make_metrics(self.metrics, like.device),
        )

    def _own_callbacks(self) -> list[Any]:
        """Copy the callbacks, so that a fit leaves the parameter as it is."""
        callbacks = [copy.copy(callback) for callback in check_callbacks(self.callbacks)]
        return [*callbacks, PrintLog(self.verbose)] if self.verbose else callbacks

    def _check_parameters(self) -> None:
        one_of("engine", self.engine, ENGINES)
        check_number("lr", self.lr, above=0.0, below=math.inf)
        check_count("max_epochs", self.max_epochs)
        check_count("batch_size", self.batch_size, none="all rows")
        check_count("verbose", self.verbose, least=0)
        if not isinstance(self.shuffle, bool | np.bool_):
            raise ParameterError(f"shuffle is {self.shuffle!r}: give True or False")
        check_callbacks(self.callbacks)

    def _get_state(self) -> dict[str, Any]:
        params = self.get_params(deep=False)
        state: dict[str, Any] = {
            "params": {name: describe_parameter(value) for name, value in params.items()},
            "fitted": {name: value for name, value in vars(self).items() if _is_plain_result(name)},
        }
        if hasattr(self, "module_"):
            state["engine"] = (str(self.engine_), self.engine_.why)
            state["module"] = describe_module(self.module_, self.n_features_in_)
        if hasattr(self, "criterion_"):
            state["criterion"] = describe_parameter(self.criterion_)
        return state

    def _set_state(self, state: dict[str, Any]) -> None:
        known = self._get_param_names()
        for name, tree in state["params"].items():
            if name not in known and not self._passes(name):
                raise ModelFileError(f"it has the parameter {name!r}: upgrade abline")
            setattr(self, name, restore_parameter(tree))
        for name, value in state["fitted"].items():
            if not _is_plain_result(name):
                raise ModelFileError(f"it has the result {name!r}: upgrade abline")
            setattr(self, name, value)
        if "module" in state:
            self.module_ = build_module(state["module"])
            self.engine_ = Engine(*state["engine"])
            self.device_ = "cpu"
        if "criterion" in state:
            self.criterion_ = restore_parameter(state["criterion"])


def _is_plain_result(name: str) -> bool:
    """Say whether an attribute is a result of `fit` that a file holds as it is."""
    others = ("module_", "criterion_", "engine_")
    return name.endswith("_") and name[0] != "_" and name not in others


def _without_absent(data: TrainingArrays) -> TrainingArrays:
    """Leave out rows of weight zero, which must not fill minibatches."""
    if data.sample_weight is None or data.sample_weight.all():
        return data
    present = data.sample_weight > 0
    return TrainingArrays(
        data.X[present], data.y[present], data.sample_weight[present], data.y_ndim
    )


def _to_rows(data: TrainingArrays, like: Tensor) -> Rows:
    weights = data.sample_weight
    return Rows(
        to_tensor(data.X, like, "X"),
        to_tensor(data.y, like, "y"),
        None if weights is None else to_tensor(weights, like, "sample_weight"),
    )
