"""Trainings of a perceptron that are kept, and go on."""

import numpy as np
import pytest
import scipy.sparse
import torch

import abline as ab
from abline.nets import Callback, Checkpoint, EarlyStopping, LRScheduler
from abline.nets.mlp import MLPRegressor
from abline.nets.snapshot import read_snapshot

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class Stop(Exception):
    pass


class Interrupt(Callback):
    """Ends the process, as far as a fit can see."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_end(self, state):
        if state.epoch == self.epoch:
            raise Stop


@pytest.fixture
def path(tmp_path):
    return tmp_path / "training.checkpoint"


def keeping(path, *callbacks, every=3, **parameters):
    """Give an estimator that keeps its training."""
    own = {"hidden_layer_sizes": (5,), "random_state": 0, "learning_rate_init": 0.02}
    own |= {"batch_size": 25, "max_iter": 30}
    return MLPRegressor(callbacks=[Checkpoint(path, every), *callbacks], **(own | parameters))


CURVES = ("loss_curve_", "validation_loss_curve_", "validation_scores_")
REST = ("best_loss_", "best_validation_score_", "n_iter_", "t_", "_rate", "_no_improvement_count")


def assert_same(model, other):
    for found, expected in zip(model.coefs_, other.coefs_, strict=True):
        np.testing.assert_array_equal(found, expected)
    for found, expected in zip(model.intercepts_, other.intercepts_, strict=True):
        np.testing.assert_array_equal(found, expected)
    for name in (*CURVES, *REST):
        assert getattr(model, name) == getattr(other, name), name
        assert type(getattr(model, name)) is type(getattr(other, name)), name
    ours, theirs = dict(model._optimizer_state), dict(other._optimizer_state)
    assert ours.keys() == theirs.keys()
    assert ours.pop("step", 0) == theirs.pop("step", 0)
    for name, arrays in ours.items():
        for found, expected in zip(arrays, theirs[name], strict=True):
            np.testing.assert_array_equal(found, expected)


def per(scheduler, **arguments):
    return lambda: [LRScheduler(scheduler, **arguments)]


VARIANTS = {
    "adam": {},
    "kernels": {"engine": "fused"},
    "kernels, sgd": {"engine": "fused", "solver": "sgd", "momentum": 0.5},
    "float32": {"dtype": np.float32},
    "sgd": {"solver": "sgd"},
    "no Nesterov": {"solver": "sgd", "nesterovs_momentum": False, "shuffle": False},
    "invscaling": {"solver": "sgd", "learning_rate": "invscaling"},
    "adaptive": {"solver": "sgd", "learning_rate": "adaptive", "tol": 0.1, "n_iter_no_change": 2},
    "early stopping": {"early_stopping": True, "n_iter_no_change": 6},
    "eval_set": {"fit": "eval_set"},
    "eval_set stops": {"fit": "eval_set", "early_stopping": True, "n_iter_no_change": 4},
    "weights": {"fit": "weights"},
    "sparse": {"make": scipy.sparse.csr_matrix, "early_stopping": True},
    "scaled": {"target_scaling": True},
    "quantiles": {"loss": "quantile", "quantile": [0.1, 0.5, 0.9]},
    "gpu": {"device": "cuda", "early_stopping": True},
    "StepLR": {"more": per(torch.optim.lr_scheduler.StepLR, step_size=2)},
    "plateau": {"more": per(torch.optim.lr_scheduler.ReduceLROnPlateau, patience=0)},
    "best weights": {
        "fit": "eval_set",
        "more": lambda: [EarlyStopping(patience=2)],
        "learning_rate_init": 0.1,
    },
}


@pytest.mark.parametrize(
    "variant",
    [pytest.param(name, marks=[pytest.mark.gpu] if name == "gpu" else []) for name in VARIANTS],
)
def test_an_interrupted_training_ends_as_one_that_was_not(table, validation, path, variant):
    parameters = dict(VARIANTS[variant])
    more, make = parameters.pop("more", list), parameters.pop("make", np.asarray)
    dtype, given = parameters.pop("dtype", np.float64), parameters.pop("fit", "")
    X, y, w = (part.astype(dtype) for part in table)
    fit = {"eval_set": validation} if given == "eval_set" else {}
    fit |= {"sample_weight": w} if given == "weights" else {}
    whole = keeping(path, *more(), **parameters).fit(make(X), y, **fit)
    path.unlink()
    deaths = 0
    for epoch in (4, 7):
        if epoch < whole.n_iter_:
            with pytest.raises(Stop):
                keeping(path, *more(), Interrupt(epoch), **parameters).fit(
                    make(X), y, resume_from=path, **fit
                )
            deaths += 1
    assert deaths
    model = keeping(path, *more(), **parameters).fit(make(X), y, resume_from=path, **fit)
    assert_same(model, whole)


@pytest.mark.parametrize("stops", [True, False])
def test_an_ended_training_is_not_trained_again(table, path, stops):
    X, y, _ = table
    options = {"early_stopping": stops, "n_iter_no_change": 2 if stops else 100}
    whole = keeping(path, **options).fit(X, y)
    assert (whole.n_iter_ < 30) == stops
    ran = []

    class Count(Callback):
        def on_epoch_end(self, state):
            ran.append(state.epoch)

    assert_same(keeping(path, Count(), **options).fit(X, y, resume_from=path), whole)
    assert ran == []


def test_an_ended_training_goes_on_to_more_epochs(table, path, tmp_path):
    X, y, _ = table
    keeping(path, every=100, max_iter=5).fit(X, y)
    longer = keeping(path, max_iter=12, verbose=False).fit(X, y, resume_from=path)
    assert_same(longer, keeping(tmp_path / "other", max_iter=12).fit(X, y))
    seconds = read_snapshot(path).past()["seconds"]
    assert seconds == sorted(seconds)
    assert len(seconds) == 12


def test_a_fit_without_callbacks_can_go_on(table, path):
    X, y, _ = table
    keeping(path, max_iter=5).fit(X, y)
    other = keeping(path, max_iter=12).set_params(callbacks=None)
    assert_same(other.fit(X, y, resume_from=path), keeping(path, max_iter=12).fit(X, y))


def test_without_a_seed_it_goes_on_with_its_own(table, path):
    X, y, _ = table
    options = {"random_state": None, "early_stopping": True}
    whole = keeping(path, **options).fit(X, y)
    results = []
    path.unlink()
    with pytest.raises(Stop):
        keeping(path, Interrupt(7), **options).fit(X, y)
    kept = path.read_bytes()
    for _ in range(2):
        path.write_bytes(kept)
        results.append(keeping(path, **options).fit(X, y, resume_from=path))
    assert_same(*results)
    assert results[0].loss_curve_ != whole.loss_curve_


def test_a_generator_ends_where_it_would_have(table, path):
    X, y, _ = table
    options = {"early_stopping": True, "max_iter": 9}
    ours, theirs = (np.random.RandomState(4) for _ in range(2))
    whole = keeping(path, **options, random_state=theirs).fit(X, y)
    path.unlink()
    with pytest.raises(Stop):
        keeping(path, Interrupt(5), **options, random_state=np.random.RandomState(4)).fit(X, y)
    assert_same(keeping(path, **options, random_state=ours).fit(X, y, resume_from=path), whole)
    assert ours.randint(2**31) == theirs.randint(2**31)


def test_a_warm_start_that_was_interrupted_goes_on(table, path, tmp_path):
    X, y, _ = table
    first = keeping(tmp_path / "first", warm_start=True, max_iter=4).fit(X, y)
    first.save(tmp_path / "model")
    for model in (whole := ab.load(tmp_path / "model"), cut := ab.load(tmp_path / "model")):
        model.set_params(callbacks=[Checkpoint(path, 2)], max_iter=9)
    whole.fit(X, y)
    path.unlink()
    cut.set_params(callbacks=[Checkpoint(path, 2), Interrupt(5)])
    with pytest.raises(Stop):
        cut.fit(X, y)
    again = ab.load(tmp_path / "model").set_params(callbacks=[Checkpoint(path, 2)], max_iter=9)
    assert_same(again.fit(X, y, resume_from=path), whole)
    with pytest.raises(ab.ParameterError, match="its beginning is an earlier fit"):
        keeping(path, warm_start=True, max_iter=9).fit(X, y, resume_from=path)


def test_global_generators_are_where_they_were(table, path):
    X, y, _ = table
    torch.manual_seed(1)
    before, numpys = torch.get_rng_state(), np.random.get_state()[1]
    keeping(path, max_iter=4).fit(X, y)
    keeping(path).fit(X, y, resume_from=path)
    assert torch.equal(torch.get_rng_state(), before)
    np.testing.assert_array_equal(np.random.get_state()[1], numpys)


# ---- what is refused


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"hidden_layer_sizes": (6,)}, r"its hidden_layer_sizes is \[5\] and here it is \[6\]"),
        ({"activation": "tanh"}, "its activation is 'relu' and here it is 'tanh'"),
        ({"solver": "sgd"}, "its solver is 'adam'"),
        ({"loss": "huber"}, "its loss is 'squared_error'"),
        ({"learning_rate_init": 0.1}, "its learning_rate_init is 0.02 and here it is 0.1"),
        ({"batch_size": 30}, "its batch_size is 25"),
        ({"shuffle": False}, "its shuffle is True"),
        ({"alpha": 0.5}, "its alpha is"),
        ({"random_state": 1}, "its random_state is 0"),
        ({"early_stopping": True}, "its early_stopping is False"),
        ({"target_scaling": True}, "its target_scaling is False"),
        ({"max_iter": 3}, "max_iter is 3 and .* has 12 epochs already"),
        ({"engine": "fused"}, "engine is 'fused' and .* was made by 'loop'"),
        ({"solver": "lbfgs"}, "resume_from is for trainings by epochs, and solver is 'lbfgs'"),
        ({"solver": "lm"}, "resume_from is for trainings by epochs, and solver is 'lm'"),
    ],
)
def test_checkpoints_of_other_trainings_are_refused(table, path, changes, words):
    X, y, _ = table
    model = keeping(path, max_iter=12, engine="loop").fit(X, y)
    kept, predictions = path.read_bytes(), model.predict(X)
    model.set_params(**changes)
    with pytest.raises(ab.ParameterError, match=words) as caught:
        model.fit(X, y, resume_from=path)
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == kept
    np.testing.assert_array_equal(model.predict(X), predictions)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda X, y, w: ((X[:-1], y[:-1], w[:-1]), None), r"its X has shape \(120, 4\)"),
        (lambda X, y, w: ((X[:, :3], y, w), None), r"its X has shape \(120, 4\)"),
        (lambda X, y, w: ((X + 1e-9, y, w), None), "its X has other values"),
        (lambda X, y, w: ((X.astype(np.float32), y, w), None), "its X has other values"),
        (lambda X, y, w: ((X, -y, w), None), "its y has other values"),
        (lambda X, y, w: ((X, y, None), None), "its sample_weight was given and here it is not"),
        (lambda X, y, w: ((X, y, w), (X, y)), "its eval_set's X was not given and here it is"),
    ],
)
def test_checkpoints_of_other_data_are_refused(table, path, change, words):
    X, y, w = table
    model = keeping(path, max_iter=3).fit(X, y, w)
    rows, eval_set = change(X, y, w)
    with pytest.raises(ab.ParameterError, match=words):
        model.fit(*rows, eval_set=eval_set, resume_from=path)


@pytest.mark.parametrize("place", [(3, 1), (0, 0)], ids=["another value", "another place"])
def test_checkpoints_of_other_sparse_data_are_refused(table, path, place):
    X, y, _ = table
    X = np.where(np.abs(X) < 1, 0.0, X)
    X[0, 0] = 0.0
    X[3, 1] = 2.0
    model = keeping(path, max_iter=3).fit(scipy.sparse.csr_matrix(X), y)
    X[place] += 1
    with pytest.raises(ab.ParameterError, match="its X has other values"):
        model.fit(scipy.sparse.csr_matrix(X), y, resume_from=path)


def test_checkpoints_of_other_estimators_are_refused(table, path):
    X, y, _ = table
    other = ab.TorchRegressor(max_epochs=2, callbacks=[Checkpoint(path)]).fit(X, y)
    words = "its estimator is TorchRegressor and here it is MLPRegressor"
    with pytest.raises(ab.ParameterError, match=words):
        keeping(path).fit(X, y, resume_from=path)
    keeping(path).fit(X, y)
    words = "its estimator is MLPRegressor and here it is TorchRegressor"
    with pytest.raises(ab.ParameterError, match=words):
        other.fit(X, y, resume_from=path)


def test_damaged_files_and_models_are_no_checkpoints(table, path):
    X, y, _ = table
    model = keeping(path, max_iter=3).fit(X, y)
    data = path.read_bytes()
    path.write_bytes(data[:-50])
    with pytest.raises(ab.errors.ModelFileError, match=r"resume_from: .*damaged.*start anew"):
        model.fit(X, y, resume_from=path)
    model.save(path)
    with pytest.raises(ab.errors.ModelFileError, match="is no checkpoint but a MLPRegressor"):
        model.fit(X, y, resume_from=path)


@pytest.mark.parametrize("solver", ["lbfgs", "lm"])
def test_solvers_without_epochs_keep_no_checkpoints(table, path, solver):
    X, y, _ = table
    words = f"a Checkpoint among the callbacks is for trainings by epochs, and solver is '{solver}'"
    with pytest.raises(ab.ParameterError, match=words):
        keeping(path, solver=solver).fit(X, y)
    assert not path.exists()


def test_single_epochs_are_not_kept(table, path):
    X, y, _ = table
    with pytest.raises(ab.ParameterError, match="leave it out of callbacks"):
        keeping(path).partial_fit(X, y)
