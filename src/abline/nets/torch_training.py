"""One fit of `TorchRegressor`, from checked rows to the results that it keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from abline.errors import DataError, DataWarning
from abline.nets.callbacks import Callback
from abline.nets.criteria import Criterion
from abline.nets.devices import cpu_threads, pick_device
from abline.nets.engines.choose import Engine, run_engine
from abline.nets.losses import make_criterion
from abline.nets.offset import check_takes_offset
from abline.nets.randomness import borrowed_generator, seed_from
from abline.nets.snapshot import Snapshot
from abline.nets.start import named_by_optimizer
from abline.nets.target_scale import TargetScale
from abline.nets.torch_job import Parts, make_job, make_own_module
from abline.nets.validation_part import hold_out
from abline.nets.warned import warn

if TYPE_CHECKING:
    from abline.nets.start import Start
    from abline.nets.torch_regressor import TorchRegressor
    from abline.nets.training import History, TrainingJob, TrainingState
    from abline.tables.arrays import TrainingArrays


def train(
    model: TorchRegressor, data: TrainingArrays, valid: TrainingArrays | None, start: Start
) -> None:
    """Train a module and keep the results on the estimator.

    Parameters
    ----------
    model : TorchRegressor
    data : TrainingArrays
        To train on, with their offsets if there are any.
    valid : TrainingArrays or None
    start : Start

    Raises
    ------
    DataError, ParameterError
        As of `TorchRegressor.fit`.
    """
    device = pick_device(model.device)
    seed = start.snapshot.seed if start.snapshot else seed_from(model.random_state)
    criterion = make_criterion(model.criterion, model._arguments("criterion"), device)
    _check_for_criterion(criterion, data, valid, model.n_features_in_)
    if model.early_stopping and valid is None:
        data, valid = hold_out(data, model.validation_fraction, seed)
    _tell_of_large_batch(model, data, start)
    scale = _scale_of(model, data, start)
    if scale:
        data, valid = scale.standardised(data), valid and scale.standardised(valid)
    watch = _Watch()
    with borrowed_generator(seed, device), cpu_threads(model.n_jobs):
        callbacks = [watch, *model._own_callbacks()]
        module = make_own_module(model, data, device, start.module, criterion)
        parts = Parts(module, criterion, data, valid, seed, callbacks, scale)
        job, engine = start.place(make_job(model, parts), model)
        model.criterion_ = criterion
        try:
            model.history_, model.engine_ = run_engine(job, engine)
        except BaseException as error:  # raised again: what a callback or a person ended is kept
            interrupted, state = isinstance(error, KeyboardInterrupt), watch.state
            ended = state is not None and (interrupted or state.failed)
            before = len(job.resume.history["epoch"]) if job.resume else 0
            if state is not None and ended and len(state.history["epoch"]) > before:
                model.history_ = _whole_lines(state.history)
                why = "the training was interrupted" if interrupted else "a callback raised"
                model.engine_ = Engine(state.engine, why)
                model._progress = _progress(start, state, job)
                model._keep(module, data)
            raise
        model._progress = _progress(start, watch.state, job)
    model._keep(module, data)


def _progress(start: Start, state: TrainingState | None, job: TrainingJob) -> Snapshot | None:
    """Give what a further `partial_fit` goes on from."""
    if not start.one_epoch or state is None:
        return None
    return Snapshot.take(state, named_by_optimizer(job))


def _whole_lines(history: History) -> History:
    """Leave out a line that an interrupt left unfinished."""
    lines = min(map(len, history.values()))
    return {column: values[:lines] for column, values in history.items()}


def _check_for_criterion(
    criterion: Any, data: TrainingArrays, valid: TrainingArrays | None, n_features: int
) -> None:
    """Refuse targets and offsets that the criterion cannot take."""
    if data.X.shape[1] > n_features:
        check_takes_offset(criterion)
    if not isinstance(criterion, Criterion):
        return
    criterion.check_target(data.y)
    if valid is not None:
        try:
            criterion.check_target(valid.y)
        except DataError as error:
            raise DataError(f"eval_set cannot be used, since {error}") from error


def _tell_of_large_batch(model: TorchRegressor, data: TrainingArrays, start: Start) -> None:
    rows = len(data.X)
    if model.batch_size is not None and model.batch_size > rows and not start.one_epoch:
        message = f"batch_size is {model.batch_size} and only {rows} rows train: it is "
        warn(f"{message}clipped to all of them", DataWarning)


def _scale_of(model: TorchRegressor, data: TrainingArrays, start: Start) -> TargetScale | None:
    """Measure the targets; a module that goes on keeps the units that it knows."""
    if start.module is not None:
        return TargetScale.goes_on(model)
    for name in ("y_mean_", "y_scale_"):
        model.__dict__.pop(name, None)
    if not model.target_scaling:
        return None
    scale = TargetScale.of(data)
    model.y_mean_, model.y_scale_ = scale.mean, scale.scale
    return scale


class _Watch(Callback):
    """Lets the estimator see the state of its training."""

    state: TrainingState | None = None

    def on_train_begin(self, state: TrainingState) -> None:
        self.state = state
