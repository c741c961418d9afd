"""scikit-learn's multi-layer perceptron, trained by abline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from sklearn.utils.metaestimators import available_if

from abline.errors import ParameterError
from abline.nets.devices import cpu_threads
from abline.nets.mlp.fitted import FittedPerceptron
from abline.nets.mlp.lost import refuse_lost
from abline.nets.mlp.options import STOCHASTIC, check_options
from abline.nets.mlp.problem import pose
from abline.nets.mlp.resuming import Origin, read_origin
from abline.nets.mlp.solvers import Solver
from abline.nets.validation_part import check_eval_set
from abline.tables.arrays import check_training

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    import torch


def _trains_by_epochs(model: MLPRegressor) -> bool:
    if model.solver in STOCHASTIC:
        return True
    raise AttributeError(
        "partial_fit is only available for stochastic optimizers. "
        f"{model.solver} is not stochastic: set solver='adam' or 'sgd'"
    )


class MLPRegressor(FittedPerceptron):
    """A multi-layer perceptron with scikit-learn's interface and numbers, trained faster.

    With the same ``random_state`` the first weights, shuffles and validation rows are those of
    ``sklearn.neural_network.MLPRegressor``, and so is the arithmetic, to rounding errors. Beyond
    it there are more losses and activations, Levenberg–Marquardt, validation rows of one's own,
    callbacks and GPUs.

    Parameters
    ----------
    loss : str, default="squared_error"
        ``"squared_error"`` (half of it), ``"poisson"`` (half the deviance), ``"absolute_error"``,
        ``"huber"``, ``"quantile"``, ``"gamma"`` or ``"gaussian_nll"`` (mean and variance of a
        normal distribution). ``"poisson"`` and ``"gamma"`` have a log link. Values are summed over
        targets and levels (squared errors averaged), as are all derivatives.
    hidden_layer_sizes : int or sequence of int, default=(100,)
        Units of each hidden layer.
    activation : str, default="relu"
        ``"identity"``, ``"logistic"``, ``"tanh"``, ``"relu"``, ``"gelu"`` or ``"silu"``.
    solver : {"adam", "sgd", "lbfgs", "lm"}, default="adam"
        ``"lm"`` is Levenberg–Marquardt with restarts, for squared error, smooth small networks
        and few rows; it has no penalty.
    alpha : float, default=0.0001
        Penalty on half the squared weights, which is divided by the rows of a batch (or the sum
        of their weights).
    batch_size : int or "auto", default="auto"
        Rows in a step of ``"adam"`` and ``"sgd"``; ``"auto"`` is 200, or all where there are fewer.
    learning_rate : {"constant", "invscaling", "adaptive"}, default="constant"
        Of ``"sgd"``: after each epoch ``learning_rate_init / (rows seen + 1)**power_t``; or divided
        by 5 instead of stopping, until it is 1e-6.
    learning_rate_init : float, default=0.001
    power_t : float, default=0.5
    max_iter : int, default=200
        Most epochs, or iterations of ``"lbfgs"`` and ``"lm"``.
    shuffle : bool, default=True
    random_state : int, RandomState or None, default=None
        None draws anew each time, without numpy's global generator.
    tol : float, default=1e-4
        Improvement of loss or score that counts; of ``"lbfgs"`` the largest derivative at the end,
        of ``"lm"`` the relative change of loss or weights in the last step.
    verbose : bool or int, default=False
        Whether to print each epoch's loss.
    warm_start : bool, default=False
        Whether ``fit`` goes on from the weights there are.
    momentum : float, default=0.9
    nesterovs_momentum : bool, default=True
        Both of ``"sgd"``.
    early_stopping : bool, default=False
        Whether the score of validation rows says when to stop (``"lm"``: their loss), and the best
        weights are taken. The score is R², or minus the loss where scikit-learn lacks it.
    validation_fraction : float, default=0.1
        Of the rows, to leave out for it where ``fit`` has no ``eval_set``.
    beta_1, beta_2, epsilon : float, default=0.9, 0.999, 1e-8
        Of ``"adam"``.
    n_iter_no_change : int or inf, default=10
        Epochs without improvement to wait for.
    max_fun : int, default=15000
        Most calls of the loss by ``"lbfgs"``.
    huber_delta : float, default=1.0
        The error from which on ``"huber"`` is linear; with ``target_scaling`` in standard
        deviations of y, else in its units.
    quantile : float or increasing sequence of float, default=0.5
        Levels of ``"quantile"``; several never cross.
    n_restarts : int, default=15
        First weights that ``"lm"`` tries besides the first ones.
    target_scaling : bool, default=False
        Whether the network learns y less its mean over its standard deviation. Predictions are
        in y's units, weights, losses and derivatives in standardised ones.
    device : str or torch.device, default="cpu"
        Where steps are computed, see `TorchRegressor`; ``"lm"`` always uses the CPU.
    engine : {"auto", "loop", "fused"}, default="auto"
        What computes them: ``"fused"`` is compiled kernels, for dense X on a CPU; ``"loop"`` is
        PyTorch. ``"auto"`` takes kernels where compiling or loading them first pays. The two
        differ by rounding errors. ``"lm"`` has an engine of its own.
    callbacks : list of Callback, optional
        Told of each epoch or iteration; they see the network as a module (its outputs before the
        log link). A fit uses shallow copies of them.

    Attributes
    ----------
    coefs_ : list of arrays of shape (in, out)
    intercepts_ : list of arrays of shape (out,)
    loss_ : float
        The last epoch's, with the penalty.
    loss_curve_ : list of float
        Not with ``"lbfgs"``.
    best_loss_ : float or None
        None with early stopping; not with ``"lbfgs"``.
    validation_scores_, best_validation_score_ : list of float, float, or None
        With early stopping of ``"adam"`` and ``"sgd"``.
    validation_loss_curve_ : list of float or None
        Of ``eval_set``, without the penalty.
    n_iter_, t_ : int
        Epochs or iterations, and rows trained on.
    n_layers_, n_outputs_ : int
        Layers, the features' included; units of the last.
    out_activation_ : {"identity", "exp"}
    engine_ : str
        What computed the steps; its ``why`` says why not a faster engine.
    device_ : str
    y_mean_, y_scale_ : arrays of shape (t,)
        Only with ``target_scaling``.
    y_ndim_, n_features_in_ : int
    feature_names_in_ : array of str
        Only where X was a dataframe.

    References
    ----------
    Hinton, "Connectionist learning procedures", *Artificial Intelligence* 40, 1989; Kingma, Ba,
    "Adam: a method for stochastic optimization", *ICLR*, 2015; Moré, "The Levenberg–Marquardt
    algorithm", 1978.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.linspace(-3, 3, 200).reshape(-1, 1)
    >>> model = MLPRegressor("squared_error", 8, "tanh", solver="lbfgs", random_state=0)
    >>> model.fit(X, np.sin(X[:, 0])).predict([[1.5707963]]).round(1)
    array([1.])
    """

    def __init__(
        self,
        loss: str = "squared_error",
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: str = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: int | np.random.RandomState | None = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        huber_delta: float = 1.0,
        quantile: float | Sequence[float] = 0.5,
        n_restarts: int = 15,
        target_scaling: bool = False,
        device: str | torch.device = "cpu",
        engine: str = "auto",
        callbacks: Sequence[Any] | None = None,
    ) -> None:
        self.loss = loss
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.huber_delta = huber_delta
        self.quantile = quantile
        self.n_restarts = n_restarts
        self.target_scaling = target_scaling
        self.device = device
        self.engine = engine
        self.callbacks = callbacks

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        eval_set: Any = None,
        resume_from: str | Path | None = None,
    ) -> Self:
        """Train the network, anew or with ``warm_start`` from where it is.

        Parameters
        ----------
        X : array, tensor, dataframe or sparse matrix of shape (n, p)
        y : array, tensor, series or dataframe of shape (n,) or (n, t)
        sample_weight : array of shape (n,), optional
            A batch's loss is its mean by weight.
        eval_set : pair (X, y), optional
            Rows whose loss is noted after each epoch; ``early_stopping`` uses them instead of a
            part of X, and ``"lm"`` to choose among its restarts.
        resume_from : str or Path, optional
            Of ``"adam"`` and ``"sgd"``: a file of `abline.Checkpoint` to go on from, up to
            ``max_iter``; the fit starts anew where there is none yet.

        Returns
        -------
        MLPRegressor
            This very object.

        Raises
        ------
        DataError
            If X, y, the weights or the validation rows cannot be used.
        ParameterError
            If a parameter cannot be used, or the checkpoint is of another network, other data or
            other parameters.
        ModelFileError
            If the checkpoint is damaged.
        DivergedError
            A `ParameterError`, if weights become infinite or NaN; it has the ``module`` with the
            last good ones. As after any error, an earlier fit's results are still there.
        Exception
            Whatever a callback raises, with a note that names it; the estimator is fitted then,
            unless no epoch had ended.

        Warns
        -----
        ConvergenceWarning
            If ``max_iter`` ended the training.
        """
        return self._fit(X, y, sample_weight, eval_set, resume_from)

    @available_if(_trains_by_epochs)  # type: ignore[untyped-decorator]  # scikit-learn has no types
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train for one epoch, from where the weights and the optimizer are.

        Parameters
        ----------
        X : array, tensor, dataframe or sparse matrix of shape (n, p)
        y : array, tensor, series or dataframe of shape (n,) or (n, t)
        sample_weight : array of shape (n,), optional

        Returns
        -------
        MLPRegressor
            This very object.

        Raises
        ------
        DataError, ParameterError, DivergedError
            As of `fit`, or with ``early_stopping``.
        """
        if self.early_stopping:
            raise ParameterError(
                "partial_fit does not support early_stopping=True: set early_stopping=False"
            )
        return self._fit(X, y, sample_weight, None, None, one_epoch=True)

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        eval_set: Any,
        resume_from: str | Path | None,
        *,
        one_epoch: bool = False,
    ) -> Self:
        with self._failing_safely(), cpu_threads(None):
            loss = check_options(self)
            origin = Origin() if one_epoch else read_origin(self, resume_from)
            goes_on = hasattr(self, "coefs_") and (one_epoch or bool(self.warm_start))
            arrays = check_training(
                self, X, y, sample_weight, reset=not goes_on, accept_sparse=True
            )
            valid = check_eval_set(self, eval_set, arrays.y.shape[1], accept_sparse=True)
            problem = pose(self, loss, arrays, valid, goes_on=goes_on, origin=origin)
            solver = Solver(problem, one_epoch=one_epoch)
            try:
                solver.run()
            except Exception:  # raised again: what a callback ended is kept
                if solver.failed_late:
                    self._keep(problem, solver, arrays.y_ndim)
                raise
            refuse_lost(solver, self.activation, self.learning_rate_init)
            self._keep(problem, solver, arrays.y_ndim)
        return self
