"""Checkpoints: going on from them, and refusing those of other trainings."""

import copy
import math

import numpy as np
import pytest
import torch
from torch import nn

import abline as ab
from abline.errors import DataError, ModelFileError, OutputError, ParameterError
from abline.nets import MLP, Callback, Checkpoint, EarlyStopping, LRScheduler, TorchRegressor
from abline.nets.snapshot import read_snapshot

schedulers = torch.optim.lr_scheduler


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(50, 3))


@pytest.fixture
def y(X):
    return X @ [1.0, -2.0, 0.5] + np.random.default_rng(1).normal(size=50)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "training.checkpoint"


class Stop(Exception):
    pass


class Interrupt(Callback):
    """Ends the process, as far as a fit can see."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_end(self, state):
        if state.epoch == self.epoch:
            raise Stop


def network(dtype=None, normalised=True):
    layers = [nn.BatchNorm1d(6)] if normalised else []
    return nn.Sequential(nn.Linear(3, 6), *layers, nn.Tanh(), nn.Dropout(0.2), nn.Linear(6, 1)).to(
        dtype=dtype
    )


def fitted(path, *callbacks, fit=(), every=3, **parameters):
    """Give a function that makes an estimator which keeps its training."""
    own = {"module": network, "lr": 0.02, "max_epochs": 12, "batch_size": 16, "random_state": 3}
    checkpoint = Checkpoint(path, every=every)
    return TorchRegressor(callbacks=[checkpoint, *callbacks], engine="loop", **(own | parameters))


def assert_same(model, other):
    pairs = zip(model.module_.state_dict().items(), other.module_.state_dict().items(), strict=True)
    for (name, weight), (_, expected) in pairs:
        assert torch.equal(weight, expected), name
    for column in model.history_.keys() | other.history_.keys():
        if column != "seconds":
            found, expected = model.history_[column], other.history_[column]
            assert np.array_equal(found, expected, equal_nan=True), column
            assert list(map(type, found)) == list(map(type, expected))


def per(scheduler, **arguments):
    return lambda: [LRScheduler(scheduler, **arguments)]


OPTIMIZERS = [
    ("Adam", {"amsgrad": True}),
    ("Adagrad", {}),
    ("Adadelta", {}),
    ("ASGD", {}),
    ("LBFGS", {"max_iter": 3}),
    ("NAdam", {}),
    ("RMSprop", {"momentum": 0.5, "centered": True}),
    ("Rprop", {}),
    ("SGD", {"momentum": 0.9, "nesterov": True}),
]

VARIANTS = {
    **{
        name: {"optimizer": getattr(torch.optim, name)}
        | {f"optimizer__{key}": value for key, value in settings.items()}
        for name, settings in OPTIMIZERS
    },
    "bfloat16": {"module": lambda: network(torch.bfloat16)},
    "float64": {"module": lambda: network(torch.float64)},
    "all rows": {"batch_size": None},
    "in order": {"shuffle": False},
    "weights": {"fit": {"sample_weight": np.arange(50) // 2}},
    "metrics": {"metrics": ["r2"]},
    "scaled": {"target_scaling": True, "metrics": ["neg_mean_squared_error"]},
    "early stopping": {"early_stopping": True, "n_iter_no_change": 2},
    "cosine": {"schedule": "cosine"},
    "clipped": {"clip_grad_norm": 0.1, "clip_grad_value": 0.01},
    "StepLR": {"more": per(schedulers.StepLR, step_size=2)},
    "MultiStepLR": {"more": per(schedulers.MultiStepLR, milestones=[2, 7])},
    "OneCycleLR": {"more": per(schedulers.OneCycleLR, per="batch", max_lr=0.1, total_steps=48)},
    "LambdaLR": {"more": per(schedulers.LambdaLR, lr_lambda=lambda epoch: 0.9**epoch)},
    "ReduceLROnPlateau": {"more": per(schedulers.ReduceLROnPlateau, patience=1)},
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_interrupted_training_ends_as_one_that_was_not(X, y, path, variant):
    parameters = dict(VARIANTS[variant])
    more = parameters.pop("more", list)
    fit = parameters.pop("fit", {})
    whole = fitted(path, *more(), **parameters).fit(X, y, **fit)
    path.unlink()
    for epoch in (4, 7):
        model = fitted(path, *more(), Interrupt(epoch), **parameters)
        if epoch < whole.n_iter_:
            with pytest.raises(Stop):
                model.fit(X, y, resume_from=path, **fit)
    assert_same(fitted(path, *more(), **parameters).fit(X, y, resume_from=path, **fit), whole)


def test_early_stopping_goes_on_with_its_best(X, y, path):
    eval_set = X + 0.5, y
    stopping = EarlyStopping(patience=4)
    settings = {"lr": 0.02, "max_epochs": 200, "every": 1}
    whole = fitted(path, stopping, **settings).fit(X, y, eval_set=eval_set)
    assert 6 < whole.n_iter_ < 200
    path.unlink()
    for epoch in range(whole.n_iter_ - 6, whole.n_iter_, 2):
        with pytest.raises(Stop):
            fitted(path, Interrupt(epoch), stopping, **settings).fit(
                X, y, eval_set=eval_set, resume_from=path
            )
    model = fitted(path, stopping, **settings)
    assert_same(model.fit(X, y, eval_set=eval_set, resume_from=path), whole)
    best = int(np.argmin(whole.history_["valid_loss"]))
    loss = np.mean((whole.predict(eval_set[0]) - y) ** 2)
    assert loss == pytest.approx(whole.history_["valid_loss"][best], rel=1e-5)


class Forbidden(nn.Module):
    """Computes nothing in training."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, values):
        assert not self.training or self.allowed
        return self.module(values)


@pytest.mark.parametrize("stops", [True, False])
def test_a_training_that_had_ended_is_not_trained_again(X, y, path, stops):
    settings = {"early_stopping": stops, "n_iter_no_change": 1, "lr": 0.1}
    Forbidden.allowed = True
    whole = fitted(path, module=lambda: Forbidden(network()), **settings).fit(X, y)
    Forbidden.allowed = False
    assert whole.n_iter_ < 12 or not stops
    model = fitted(path, module=lambda: Forbidden(network()), **settings)
    model.set_params(module=whole.module)
    assert_same(model.fit(X, y, resume_from=path), whole)
    assert np.array_equal(model.predict(X), whole.predict(X))


def test_a_training_that_had_ended_goes_on_to_more_epochs(X, y, path, tmp_path):
    fitted(path, max_epochs=5, every=100).fit(X, y)
    longer = fitted(path, max_epochs=12).fit(X, y, resume_from=path)
    assert_same(longer, fitted(tmp_path / "other", max_epochs=12).fit(X, y))
    seconds = longer.history_["seconds"]
    assert seconds == sorted(seconds)


def test_without_a_file_it_starts_anew(X, y, path, tmp_path):
    model = fitted(path).fit(X, y, resume_from=tmp_path / "nothing")
    assert_same(model, fitted(path).fit(X, y))


def test_without_a_seed_it_goes_on_with_its_own(X, y, path):
    with pytest.raises(Stop):
        fitted(path, Interrupt(7), random_state=None, early_stopping=True).fit(X, y)
    kept = path.read_bytes()
    results = []
    for _ in range(2):
        path.write_bytes(kept)
        model = fitted(path, random_state=None, early_stopping=True)
        results.append(model.fit(X, y, resume_from=path))
    assert_same(*results)


@pytest.mark.parametrize(
    ("every", "epochs"), [(1, [0, 1, 2, 3, 4, 5, 6]), (3, [0, 3, 6]), (5, [0, 5, 6])]
)
def test_every_kth_epoch_and_the_last_are_kept(X, y, path, every, epochs):
    kept = []

    class Look(Callback):
        runs_last = True

        def on_epoch_end(self, state):
            kept.append(read_snapshot(path).past()["epoch"][-1])

    fitted(path, Look(), every=every, max_epochs=7).fit(X, y)
    assert sorted(set(kept)) == epochs


def test_the_epoch_in_which_a_callback_stops_is_kept(X, y, path):
    class Enough(Callback):
        def on_epoch_end(self, state):
            state.stop = state.epoch == 4

    fitted(path, Enough(), every=100).fit(X, y)
    assert read_snapshot(path).past()["epoch"] == [0, 1, 2, 3, 4]
    assert read_snapshot(path).stop


def test_callbacks_of_ones_own_are_kept_too(X, y, path):
    class Mean(Callback):
        def on_train_begin(self, state):
            self.losses = torch.zeros(0)

        def on_epoch_end(self, state):
            loss = torch.tensor([state.history["train_loss"][-1]])
            self.losses = torch.cat([self.losses, loss])
            seen.append(len(self.losses))

        def state_dict(self):
            return {"losses": self.losses, "more": {1: (None, np.arange(2), [True])}}

        def load_state_dict(self, state):
            assert state["more"][1][0] is None
            self.losses = state["losses"]

    seen = []
    with pytest.raises(Stop):
        fitted(path, Mean(), Interrupt(6), every=3).fit(X, y)
    fitted(path, Mean()).fit(X, y, resume_from=path)
    assert seen == [*range(1, 8), *range(7 if seen[7] == 7 else 5, 13)]
    assert seen[-1] == 12


def test_numpys_numbers_are_numbers(X, y, path):
    fitted(path).fit(X, y)
    changed = {"random_state": np.int64(3), "batch_size": np.int32(16), "lr": np.float64(0.02)}
    model = fitted(path, **changed).fit(X, y, resume_from=path)
    assert model.n_iter_ == 12


def test_global_generators_are_where_they_were(X, y, path):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    fitted(path).fit(X, y)
    fitted(path, max_epochs=20).fit(X, y, resume_from=path)
    assert torch.equal(torch.get_rng_state(), before)


# ---- what is refused


def other(**changes):
    return lambda path: fitted(path, **changes)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (other(module=lambda: MLP(3, 1, hidden=(6,))), "its module is another one"),
        (other(module=lambda: network(normalised=False)), "its module is another one"),
        (other(module=lambda: network(torch.float64)), "its X has other values|module is another"),
        (other(optimizer=torch.optim.SGD), "its optimizer is torch.optim.adam.Adam and here it is"),
        (other(lr=0.01), "its optimizer's lr is 0.02 and here it is 0.01"),
        (other(optimizer__betas=(0.8, 0.9)), r"its optimizer's betas is \[0.9, 0.999\]"),
        (other(batch_size=20), "its batch_size is 16 and here it is 20"),
        (other(shuffle=False), "its shuffle is True"),
        (other(criterion=nn.L1Loss), "its criterion is MSELoss"),
        (other(criterion=nn.HuberLoss(delta=2.0)), "its criterion is MSELoss"),
        (other(random_state=4), "its random_state is 3 and here it is 4"),
        (other(metrics="r2"), "its metrics is"),
        (other(clip_grad_norm=1.0), "its clip_grad_norm is None and here it is 1.0"),
        (other(schedule="cosine"), "its schedule is None"),
        (other(target_scaling=True), "its target_scaling is False"),
        (other(early_stopping=True), r"its X has shape \(50, 3\) and here it is \(45, 3\)"),
        (other(max_epochs=5), "max_epochs is 5 and .* has 12 epochs already"),
        (lambda path: fitted(path, EarlyStopping("train_loss")), "its callbacks is"),
    ],
)
def test_checkpoints_of_other_trainings_are_refused(X, y, path, model, words):
    earlier = fitted(path).fit(X, y)
    kept, predictions = path.read_bytes(), earlier.predict(X)
    changed = model(path)
    earlier.set_params(**changed.get_params(deep=False))
    with pytest.raises(ParameterError, match=words) as caught:
        earlier.fit(X, y, resume_from=path)
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == kept
    assert np.array_equal(earlier.predict(X), predictions)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda X, y, w: ((X[:-1], y[:-1], w[:-1]), None), r"its X has shape \(50, 3\)"),
        (lambda X, y, w: ((np.nextafter(X, 9), y, w), None), "its X has other values"),
        (lambda X, y, w: ((X, -y, w), None), "its y has other values"),
        (lambda X, y, w: ((X, y, None), None), "its sample_weight was given and here it is not"),
        (lambda X, y, w: ((X, y, w + 1), None), "its sample_weight has other values"),
        (lambda X, y, w: ((X, y, w), (X, y)), "its eval_set's X was not given and here it is"),
    ],
)
def test_checkpoints_of_other_data_are_refused(X, y, path, change, words):
    weights = np.linspace(1, 2, 50)
    settings = {"module": lambda: network(torch.float64)}
    earlier = fitted(path, **settings).fit(X, y, weights)
    predictions = earlier.predict(X)
    rows, eval_set = change(X, y, weights)
    with pytest.raises(ParameterError, match=words):
        earlier.fit(*rows, eval_set=eval_set, resume_from=path)
    assert np.array_equal(earlier.predict(X), predictions)


def test_another_engine_is_refused(X, y, path):
    settings = {"module": nn.Linear, "module__dtype": torch.float64}
    fitted(path, **settings).fit(X, y)
    with pytest.raises(ParameterError, match=r"engine is 'fused' and .* was made by 'loop'"):
        fitted(path, **settings).set_params(engine="fused").fit(X, y, resume_from=path)
    again = fitted(path, **settings).set_params(engine="auto").fit(X, y, resume_from=path)
    assert again.engine_ == "loop"


def test_a_damaged_file_is_refused_and_left(X, y, path):
    model = fitted(path).fit(X, y)
    data = bytearray(path.read_bytes())
    for place in np.random.default_rng(0).integers(0, len(data), 20):
        damaged = copy.copy(data)
        damaged[place] ^= 1
        path.write_bytes(damaged)
        with pytest.raises(ModelFileError, match=r"damaged|not a model"):
            model.fit(X, y, resume_from=path)
        assert path.read_bytes() == damaged
    path.write_bytes(data[:-100])
    with pytest.raises(ModelFileError, match=r"resume_from: .*damaged.*remove it to start anew"):
        model.fit(X, y, resume_from=path)


def test_a_saved_model_is_no_checkpoint(X, y, path):
    model = TorchRegressor(max_epochs=1).fit(X, y)
    model.save(path)
    with pytest.raises(ModelFileError, match="is no checkpoint but a TorchRegressor"):
        model.fit(X, y, resume_from=path)


def test_a_checkpoint_is_no_saved_model(X, y, path):
    fitted(path).fit(X, y)
    with pytest.raises(ModelFileError, match="is a checkpoint of a training"):
        ab.load(path)


def test_a_place_that_cannot_be_written_is_told_before_the_training(X, y, tmp_path):
    class Count(Callback):
        epochs = 0

        def on_epoch_end(self, state):
            Count.epochs += 1

    with pytest.raises(OutputError, match="does not exist"):
        fitted(tmp_path / "none" / "file", Count()).fit(X, y)
    assert Count.epochs == 0


def test_states_that_no_file_can_hold_are_told_after_the_first_epoch(X, y, path):
    class Odd(Callback):
        def state_dict(self):
            return {"function": print}

        def load_state_dict(self, state):
            pass

    with pytest.raises(DataError, match="a builtin_function_or_method cannot be kept") as caught:
        fitted(path, Odd(), every=100).fit(X, y)
    assert caught.value.__notes__ == ["raised by Checkpoint.on_epoch_end at epoch 0"]


@pytest.mark.parametrize("every", [0, 1.5, None])
def test_every_is_a_count(path, every):
    with pytest.raises(ParameterError, match="every is"):
        Checkpoint(path, every=every)


def test_estimators_that_cannot_resume_say_so(X, y, path):
    model = ab.NetworkRegressor(max_epochs=1, members=1, callbacks=[Checkpoint(path)])
    with pytest.raises(ParameterError, match="leave it out of callbacks"):
        model.fit(X, y)
    with pytest.raises(ParameterError, match="leave it out of callbacks"):
        fitted(path).partial_fit(X, y)


def test_nan_histories_come_back(X, y, path):
    model = fitted(path).fit(X, y)
    assert all(map(math.isnan, model.fit(X, y, resume_from=path).history_["valid_loss"]))
