"""A perceptron whose size, penalty and rate are chosen by cross-validation."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from abline.errors import ParameterError
from abline.linear.ridge.scoring import scorer_of
from abline.nets.devices import pick_device
from abline.nets.engines.choose import Engine
from abline.nets.many.fitted_cv import FittedSearch
from abline.nets.many.folds import by_rows, cut
from abline.nets.many.results import cv_results
from abline.nets.many.said import warn_once
from abline.nets.many.search import Search
from abline.nets.many.settings import settings_of
from abline.nets.many.threads import count_threads
from abline.nets.mlp.options import check_options
from abline.nets.mlp.regressor import MLPRegressor
from abline.nets.mlp.steps import Data
from abline.nets.mlp.validation import split_off
from abline.nets.parameters import check_count
from abline.nets.randomness import seed_from
from abline.tables.arrays import check_training

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

    from abline.nets.many.folds import Split
    from abline.nets.many.plan import Plan
    from abline.nets.many.scoreboard import Scoreboard
    from abline.nets.many.settings import Setting
    from abline.tables.arrays import TrainingArrays

#: parameters of `MLPRegressor` that all settings have alike
COMMON = (
    "loss", "activation", "solver", "batch_size", "learning_rate", "power_t", "max_iter", "shuffle",
    "tol", "momentum", "nesterovs_momentum", "early_stopping", "validation_fraction", "beta_1",
    "beta_2", "epsilon", "n_iter_no_change", "max_fun", "huber_delta", "quantile", "target_scaling",
    "device",
)  # fmt: skip


class MLPRegressorCV(FittedSearch):
    """A multi-layer perceptron whose size, penalty and learning rate cross-validation chooses.

    Every setting is trained on every fold's training rows, from one or more first weights, and
    scored on the rows left out; the setting with the best mean score is trained on all rows.
    Scores and choice are those of scikit-learn's ``GridSearchCV`` over an `MLPRegressor`, to
    rounding errors, in a fraction of its time.

    Each training is ``MLPRegressor(**setting, random_state=seed).fit(X[train], y[train])``, bit for
    bit on a CPU with the engine that ran, whatever the number of threads. On a GPU trainings of
    one architecture run side by side as batched matrix products, which rounds differently.

    Parameters
    ----------
    hidden_layer_sizes : int, tuple of int, or list of these, default=(100,)
        Networks to try. A tuple of whole numbers is one network of so many layers, as it is to
        `MLPRegressor`, so ``(100, 50)`` is one; in a list each item is a network, so
        ``[100, 50]`` are two of one layer, and ``[(100, 50)]`` is one again.
    alpha : float or list of float, default=0.0001
        Penalties to try.
    learning_rate_init : float or list of float, default=0.001
        Learning rates to try.
    cv : int, splitter or iterable of (train, test), default=5
        A number is of folds of neighbouring rows: shuffle sorted tables, or pass a splitter.
    scoring : str, callable or None, default=None
        The name of one of scikit-learn's scorers, or a callable of an estimator, X and y; None is
        that of `MLPRegressor.score`: R², or of several quantiles the mean D².
    n_restarts : int, default=1
        First weights to train from, in each fold and at the end. The best validation score is
        taken with ``early_stopping``, else the least training loss; test rows have no part in it.
    refit : bool, default=True
        Whether the best setting is trained on all rows.
    n_jobs : int or None, default=None
        Threads on a CPU, but for ``solver="lm"``; None is one for each processor.
    random_state : int, RandomState or None, default=None
        An integer is the seed of the first restart, and others follow from it.
    verbose : bool, default=False
        Whether to show in a terminal how many trainings have ended.
    loss, activation, solver, batch_size, learning_rate, power_t, max_iter, shuffle, tol : object
        As of `MLPRegressor`, and so are the following. With ``solver="lm"`` a training has one
        start, and there are ``n_restarts`` of them.
    momentum, nesterovs_momentum, early_stopping, validation_fraction : object
    beta_1, beta_2, epsilon, n_iter_no_change, max_fun, huber_delta, quantile : object
    target_scaling, device : object
    engine : {"auto", "loop", "fused", "batched"}, default="auto"
        ``"loop"`` and ``"fused"`` train each network by itself, as `MLPRegressor` does;
        ``"batched"`` trains them side by side, with Adam or SGD on dense X. ``"auto"`` is
        ``"batched"`` on a GPU.

    Attributes
    ----------
    cv_results_ : dict of str to array
        As of ``GridSearchCV``, seconds being those of all restarts.
    best_index_ : int
    best_score_ : float
    best_params_ : dict
    hidden_layer_sizes_, alpha_, learning_rate_init_ : int or tuple of int, float, float
        The best setting's.
    best_estimator_ : MLPRegressor
        Of all rows; with ``refit``. ``coefs_``, ``intercepts_``, ``n_iter_`` and ``loss_curve_``
        are its own.
    fold_models_ : list of MLPRegressor
        The best setting's network of each fold.
    oof_prediction_ : array of shape (n,) or (n, t), as y was
        The best setting's predictions of rows by the networks that did not see them, NaN for rows
        in no test part, the mean for those in several.
    seeds_ : array of shape (n_restarts,)
        The ``random_state`` of each restart, the same in all folds and settings.
    engine_ : str
        ``"many"``; its ``why`` says why trainings are not faster. ``fold_models_`` have what ran
        their steps.
    device_ : str
    n_splits_, n_features_in_ : int
    feature_names_in_ : array of str
        Only where X was a dataframe.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.uniform(-3, 3, size=(200, 1))
    >>> search = MLPRegressorCV([1, 8], solver="lbfgs", activation="tanh", random_state=0)
    >>> search.fit(X, np.sin(X[:, 0])).best_params_
    {'alpha': 0.0001, 'hidden_layer_sizes': 8, 'learning_rate_init': 0.001}
    """

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        alpha: float | Sequence[float] = 0.0001,
        learning_rate_init: float | Sequence[float] = 0.001,
        *,
        cv: Any = 5,
        scoring: Any = None,
        n_restarts: int = 1,
        refit: bool = True,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: bool = False,
        loss: str = "squared_error",
        activation: str = "relu",
        solver: str = "adam",
        batch_size: Any = "auto",
        learning_rate: str = "constant",
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        tol: float = 1e-4,
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
        target_scaling: bool = False,
        device: str | torch.device = "cpu",
        engine: str = "auto",
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.alpha = alpha
        self.learning_rate_init = learning_rate_init
        self.cv = cv
        self.scoring = scoring
        self.n_restarts = n_restarts
        self.refit = refit
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose
        self.loss = loss
        self.activation = activation
        self.solver = solver
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.tol = tol
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
        self.target_scaling = target_scaling
        self.device = device
        self.engine = engine

    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, groups: Any = None) -> Self:
        """Train all networks and choose among them.

        Parameters
        ----------
        X : array, tensor, dataframe or sparse matrix of shape (n, p)
        y : array, tensor, series or dataframe of shape (n,) or (n, t)
        sample_weight : array of shape (n,), optional
            They count in the trainings, and in scores where the scorer takes weights.
        groups : array of shape (n,), optional
            For the splitter.

        Returns
        -------
        MLPRegressorCV
            This very object.

        Raises
        ------
        DataError
            If X, y, the weights or the folds cannot be used.
        ParameterError
            If a parameter cannot be used, or no setting has a finite score in every fold.
        DivergedError
            A `ParameterError`, if only the training on all rows diverges. As after any error, an
            earlier fit's results are still there.

        Warns
        -----
        ConvergenceWarning
            Once, with the number of trainings that ``max_iter`` ended.
        FitFailedWarning
            If some settings diverged, and their score is NaN.
        """
        looked_at = copy.copy(self)
        search, splits = self._prepare(looked_at, X, y, sample_weight, groups)
        scorer = None if self.scoring is None else scorer_of(self)
        board, plan = search.score(splits, scorer)
        best, best_estimator, said = board.best, None, board.said
        if self.refit:
            best_estimator, more = search.refit(best, plan)
            said = said + more
        self._keep(looked_at, search, board, plan, best_estimator)
        folds = len(splits) * len(search.settings) + bool(self.refit)
        warn_once(said, folds * len(search.seeds))
        return self

    def _prepare(
        self, looked_at: Self, X: Any, y: Any, sample_weight: Any, groups: Any
    ) -> tuple[Search, list[Split]]:
        """Check everything that can be checked before anything trains."""
        settings = settings_of(self.hidden_layer_sizes, self.alpha, self.learning_rate_init)
        check_count("n_restarts", self.n_restarts)
        for name in ("refit", "verbose"):
            if not isinstance(getattr(self, name), bool | np.bool_ | int):
                raise ParameterError(f"{name} is {getattr(self, name)!r}: give True or False")
        n_threads = count_threads(self.n_jobs)
        common = {name: getattr(self, name) for name in COMMON} | {"n_restarts": 0}
        loss = check_options(MLPRegressor(**common, **settings[0]))
        self._check_scoring()
        data = by_rows(check_training(looked_at, X, y, sample_weight, accept_sparse=True))
        loss.check(data.y)
        splits = cut(self.cv, data, groups, least_test_rows=2 if self.scoring is None else 1)
        self._check_early_stopping(data, splits)
        seeds = _seeds(self.random_state, self.n_restarts)
        verbose = bool(self.verbose)
        search = Search(data, settings, common, seeds, self.engine, n_threads, verbose)
        return search, splits

    def _check_scoring(self) -> None:
        if self.scoring is not None:
            scorer_of(self)
        several = self.loss == "quantile" and np.ndim(self.quantile) > 0
        if several and isinstance(self.scoring, str):
            raise ParameterError(
                "scoring cannot be a name where predictions have several quantiles: leave it out "
                "for the pinball loss that they save, or give a callable of an estimator, X and y"
            )

    def _check_early_stopping(self, data: TrainingArrays, splits: Sequence[Split]) -> None:
        if not self.early_stopping or self.solver == "lbfgs":
            return
        fewest = min((train for train, _ in splits), key=len)
        split_off(Data(fewest, data.y[fewest]), self.validation_fraction, np.random.RandomState(0))

    def _keep(
        self,
        looked_at: Self,
        search: Search,
        board: Scoreboard,
        plan: Plan,
        best_estimator: MLPRegressor | None,
    ) -> None:
        """Take what was found, and forget what an earlier fit did."""
        for name in [name for name in vars(self) if name.endswith("_")]:
            delattr(self, name)
        names = {
            name: value
            for name, value in vars(looked_at).items()
            if name in ("n_features_in_", "feature_names_in_")
        }
        self.fold_models_ = board.models()
        models = [*self.fold_models_, *([] if best_estimator is None else [best_estimator])]
        for owner in (self, *models):
            owner.__dict__.update(names)
        if best_estimator is not None:
            self.best_estimator_ = best_estimator
        self._table = (board.scores, board.fit_seconds, board.score_seconds)
        self.cv_results_ = cv_results(search.settings, *self._table)
        self.best_index_ = board.best
        self.best_score_ = float(self.cv_results_["mean_test_score"][self.best_index_])
        self.best_params_: Setting = dict(search.settings[self.best_index_])
        self.alpha_ = self.best_params_["alpha"]
        self.hidden_layer_sizes_ = self.best_params_["hidden_layer_sizes"]
        self.learning_rate_init_ = self.best_params_["learning_rate_init"]
        self.oof_prediction_ = board.out_of_fold()
        self.seeds_ = np.array(search.seeds)
        self.n_splits_ = len(self.fold_models_)
        self.engine_ = Engine("many", plan.why)
        self.device_ = str(pick_device(self.device))


def _seeds(random_state: Any, count: int) -> list[int]:
    """Give each restart's seed: the first is the person's own, others are drawn from it."""
    first = seed_from(random_state)
    more = np.random.RandomState(first).randint(np.iinfo(np.int32).max, size=count - 1)
    return [first, *more.tolist()]
