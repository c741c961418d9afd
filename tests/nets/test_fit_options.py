"""What a fit can do besides plain steps: stopping, schedules, clipping, scaling, going on."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn

import abline as ab
from abline.errors import AblineError, DataError, DataWarning, DivergedError, ParameterError
from abline.nets import MLP, Callback, EarlyStopping, LRScheduler, TorchRegressor
from abline.nets.schedule import Schedule

schedulers = torch.optim.lr_scheduler


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(60, 3))


@pytest.fixture
def y(X):
    return X @ [1.0, 2.0, 3.0] + 1.0


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1)).double()


def regressor(module=None, **parameters):
    own = {"lr": 0.05, "max_epochs": 5, "random_state": 0, "engine": "loop"}
    return TorchRegressor(module or network(), **(own | parameters))


def weights(model):
    return [tensor.detach().numpy() for tensor in model.module_.parameters()]


def same(model, other):
    return all(map(np.array_equal, weights(model), weights(other)))


def plain_epochs(module, X, y, epochs, *, optimizer=torch.optim.Adam, batch=20, between=None):
    """The loop as anybody would write it, rows in order."""
    X, y = torch.tensor(X), torch.tensor(y).reshape(len(y), -1)
    step = optimizer(module.parameters(), lr=0.05)
    after = between(step) if between else None
    for _ in range(epochs):
        for rows in torch.arange(len(X)).split(batch):
            step.zero_grad()
            nn.functional.mse_loss(module(X[rows]), y[rows]).backward()
            yield module
            step.step()
            if after:
                after()


# ---- clipping


@pytest.mark.parametrize(("norm", "value"), [(0.5, None), (None, 0.2), (0.5, 0.2)])
def test_gradients_are_clipped_as_torch_does(X, y, norm, value):
    module = network()
    for each in plain_epochs(module, X, y, 5):
        if value:
            nn.utils.clip_grad_value_(each.parameters(), value)
        if norm:
            nn.utils.clip_grad_norm_(each.parameters(), norm)
    model = regressor(batch_size=20, shuffle=False, clip_grad_norm=norm, clip_grad_value=value)
    assert all(
        map(np.array_equal, weights(model.fit(X, y)), [p.detach() for p in module.parameters()])
    )
    assert not same(model, regressor(batch_size=20, shuffle=False).fit(X, y))


# ---- schedules


@pytest.mark.parametrize("steps", [4, 10, 333])
@pytest.mark.parametrize(
    ("name", "scheduler"),
    [
        ("cosine", schedulers.CosineAnnealingLR),
        (
            "one_cycle",
            lambda step, n: schedulers.OneCycleLR(step, 2.0, total_steps=n, cycle_momentum=False),
        ),
    ],
)
def test_schedules_are_torchs(name, scheduler, steps):
    step = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=2.0)
    curve = scheduler(step, steps)
    rates = []
    for _ in range(steps):
        rates.append(step.param_groups[0]["lr"])
        step.step()
        curve.step() if len(rates) < steps else None
    ours = [2.0 * Schedule(name, steps).factor(k) for k in range(steps)]
    np.testing.assert_allclose(ours, rates, rtol=1e-9, atol=1e-12)
    assert Schedule(name, steps).factor(steps + 5) == Schedule(name, steps).factor(steps - 1)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_the_shortest_schedules_begin_high(steps):
    assert all(Schedule(name, steps).factor(0) == 1.0 for name in ("cosine", "one_cycle"))


def test_a_schedule_steps_after_each_batch(X, y):
    module = network()

    def cosine(step):
        return schedulers.CosineAnnealingLR(step, 5 * 3).step

    for _ in plain_epochs(module, X, y, 5, between=cosine):
        pass
    model = regressor(batch_size=20, shuffle=False, schedule="cosine").fit(X, y)
    for found, expected in zip(weights(model), module.parameters(), strict=True):
        np.testing.assert_allclose(found, expected.detach(), rtol=1e-9)
    expected = 0.05 * (0.5 + 0.5 * np.cos(np.pi * np.arange(0, 15, 3) / 15))
    np.testing.assert_allclose(model.history_["lr"], expected)


def test_a_schedule_keeps_the_ratio_of_several_rates(X, y):
    def two_rates(params, lr):
        first, *others = params
        return torch.optim.SGD([{"params": [first], "lr": lr / 10}, {"params": others}], lr=lr)

    class Rates(Callback):
        def on_batch_end(self, state):
            seen.append([group["lr"] for group in state.optimizer.param_groups])

    seen = []
    regressor(optimizer=two_rates, schedule="one_cycle", callbacks=[Rates()]).fit(X, y)
    np.testing.assert_allclose([b / a for a, b in seen], 10.0)


# ---- early stopping


def test_early_stopping_holds_rows_out_and_takes_the_best_weights(X):
    noise = np.random.default_rng(1).normal(size=60)
    model = regressor(early_stopping=True, n_iter_no_change=4, tol=0.0, max_epochs=500)
    model.fit(X, noise)
    losses = model.history_["valid_loss"]
    best = int(np.argmin(losses))
    assert len(losses) == best + 5 < 500
    train, valid = train_test_split(np.arange(60), test_size=6, random_state=0)
    assert np.mean((model.predict(X[valid]) - noise[valid]) ** 2) == pytest.approx(losses[best])
    given = regressor(early_stopping=True, n_iter_no_change=4, tol=0.0, max_epochs=500)
    given.fit(X[train], noise[train], eval_set=(X[valid], noise[valid]))
    assert same(model, given)


@pytest.mark.parametrize(("fraction", "held_out"), [(0.1, 6), (0.11, 7), (0.5, 30)])
def test_the_validation_fraction_is_rounded_up(X, y, fraction, held_out):
    class Look(Callback):
        def on_train_begin(self, state):
            sizes.append((len(state.job.train), len(state.job.valid)))

    sizes = []
    regressor(early_stopping=True, validation_fraction=fraction, callbacks=[Look()]).fit(X, y)
    assert sizes == [(60 - held_out, held_out)]


def test_held_out_rows_keep_their_weights(X, y):
    class Look(Callback):
        def on_train_begin(self, state):
            rows.append((state.job.train, state.job.valid))

    rows = []
    regressor(early_stopping=True, callbacks=[Look()]).fit(X, y, X[:, 0] ** 2)
    for part in rows[0]:
        np.testing.assert_allclose(part.weights, part.X[:, 0] ** 2)


def test_too_few_rows_to_hold_some_out():
    with pytest.raises(DataError, match="early_stopping leaves out 1 of 1 rows"):
        TorchRegressor(early_stopping=True).fit([[1.0]], [1.0])


def test_tol_is_the_least_improvement(X, y):
    model = regressor(early_stopping=True, tol=1e9, n_iter_no_change=3, max_epochs=50)
    assert model.fit(X, y).n_iter_ == 4


# ---- going on


def test_warm_start_goes_on_from_the_module(X, y):
    model = regressor(warm_start=True).fit(X, y)
    first = copy.deepcopy(model.module_)
    model.fit(X, y)
    assert same(model, regressor(first).fit(X, y))
    assert not same(model, regressor().fit(X, y))
    assert model.n_iter_ == 5
    cold = regressor().fit(X, y)
    assert same(cold.fit(X, y), regressor().fit(X, y))


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_what_goes_on_must_have_the_same_columns(X, y, method):
    model = regressor(warm_start=True).fit(X, y)
    before = model.predict(X)
    with pytest.raises(DataError, match="2 features"):
        getattr(model, method)(X[:, :2], y)
    with pytest.raises(DataError, match="y has 2 targets and module_, which goes on, gives 1"):
        getattr(model, method)(X, np.column_stack([y, y]))
    assert np.array_equal(model.predict(X), before)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"optimizer": torch.optim.SGD, "optimizer__momentum": 0.9},
        {"module": MLP, "module__dropout": 0.3, "batch_size": 16},
        {"schedule": "cosine", "batch_size": 16},
        {"target_scaling": True, "batch_size": 16},
        {"callbacks": [LRScheduler(schedulers.StepLR, step_size=2)]},
    ],
)
def test_partial_fits_are_the_epochs_of_a_fit(X, y, parameters):
    whole, parts = regressor(**parameters).fit(X, y), regressor(**parameters)
    for epoch in range(5):
        assert parts.partial_fit(X, y) is parts
        assert parts.n_iter_ == epoch + 1
        if epoch == 2:
            parts = pickle.loads(pickle.dumps(parts))
    assert same(parts, whole)
    assert parts.history_.keys() == whole.history_.keys()
    assert parts.history_["train_loss"] == whole.history_["train_loss"]
    assert np.array_equal(parts.predict(X), whole.predict(X))


def test_partial_fit_takes_other_rows_and_weights(X, y):
    module = network()
    step = torch.optim.Adam(module.parameters(), lr=0.05)
    model = regressor(batch_size=100)  # a part may have fewer rows
    for rows in (slice(0, 20), slice(20, 33), slice(33, 60)):
        part, target = torch.tensor(X[rows]), torch.tensor(y[rows]).reshape(-1, 1)
        mass = torch.tensor(X[rows, 0] ** 2)
        step.zero_grad()
        ((module(part) - target).square()[:, 0] * mass).sum().div(mass.sum()).backward()
        step.step()
        model.partial_fit(X[rows], y[rows], X[rows, 0] ** 2)
    for found, expected in zip(weights(model), module.parameters(), strict=True):
        np.testing.assert_allclose(found, expected.detach(), rtol=1e-6)


def test_partial_fit_after_a_fit_goes_on_from_its_module(X, y):
    model = regressor().fit(X, y)
    first = copy.deepcopy(model.module_)
    model.partial_fit(X, y)
    assert same(model, regressor(first, max_epochs=1).fit(X, y))
    assert same(model.fit(X, y), regressor().fit(X, y))


def test_partial_fit_after_a_fit_that_a_callback_ended_goes_on_from_its_module(X, y):
    model = regressor().partial_fit(X, y)
    with pytest.raises(ZeroDivisionError):
        model.set_params(callbacks=[Fault("on_epoch_end", 3)]).fit(X, y)
    first = copy.deepcopy(model.module_)
    model.set_params(callbacks=None).partial_fit(X, y)
    assert same(model, regressor(first, max_epochs=1).fit(X, y))


def test_partial_fit_cannot_stop_early(X, y):
    with pytest.raises(ParameterError, match="set early_stopping=False"):
        regressor(early_stopping=True).partial_fit(X, y)


def test_networks_of_members_have_no_partial_fit():
    assert not hasattr(ab.NetworkRegressor(), "partial_fit")


# ---- targets


@pytest.mark.parametrize("weighted", [False, True])
def test_targets_are_standardised_inside(X, y, weighted):
    Y = np.column_stack([1e4 * y, y - 500])
    mass = np.linspace(0.5, 2, 60) if weighted else None
    scaler = StandardScaler().fit(Y, sample_weight=mass)
    settings = {"module": nn.Linear(3, 2).double(), "max_epochs": 30, "metrics": "r2"}
    model = regressor(target_scaling=True, **settings).fit(X, Y, mass, eval_set=(X, Y))
    Z = scaler.transform(Y)
    other = regressor(**settings).fit(X, Z, mass, eval_set=(X, Z))
    np.testing.assert_allclose(model.y_mean_, scaler.mean_)
    np.testing.assert_allclose(model.y_scale_, scaler.scale_)
    expected = scaler.inverse_transform(other.predict(X))
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-9)
    for column in ("train_loss", "valid_loss", "valid_r2"):
        np.testing.assert_allclose(model.history_[column], other.history_[column], rtol=1e-9)


@pytest.mark.parametrize("metric", ["neg_mean_squared_error", "neg_max_error"])
def test_metrics_are_in_the_targets_units(X, y, metric):
    from sklearn.metrics import get_scorer

    model = regressor(target_scaling=True, metrics=metric)
    model.fit(X, 1000 * y, eval_set=(X, 1000 * y))
    expected = get_scorer(metric)(model, X, 1000 * y)
    assert model.history_[f"valid_{metric}"][-1] == pytest.approx(expected)


def test_a_constant_target_is_not_divided_by_zero(X):
    model = regressor(target_scaling=True, max_epochs=200).fit(X, np.full(60, 0.1))
    assert model.y_scale_ == [1.0]
    np.testing.assert_allclose(model.predict(X), 0.1, atol=0.02)


def test_scaled_predictions_keep_shape_and_precision_and_are_saved(X, y, tmp_path):
    model = regressor(nn.Linear(3, 1), target_scaling=True).fit(X, y)
    assert model.predict(X).dtype == np.float32
    assert model.predict(X).shape == (60,)
    model.save(tmp_path / "model")
    assert np.array_equal(ab.load(tmp_path / "model").predict(X), model.predict(X))
    model.set_params(target_scaling=False).fit(X, y)
    assert not hasattr(model, "y_mean_")


@pytest.mark.parametrize(
    "criterion", [nn.PoissonNLLLoss, nn.PoissonNLLLoss(), nn.functional.poisson_nll_loss]
)
def test_counts_are_not_standardised(X, criterion):
    with pytest.raises(ParameterError, match="target_scaling standardises y"):
        regressor(criterion=criterion, target_scaling=True).fit(X, np.arange(60))


# ---- losses that are no numbers


def diverging(**parameters):
    return regressor(optimizer=torch.optim.SGD, max_epochs=2000, **(parameters | {"lr": 1e3}))


@pytest.mark.parametrize("batch_size", [None, 20])
def test_a_loss_that_is_no_number_keeps_the_last_good_weights(X, y, batch_size):
    settings = {"module": nn.Linear(3, 1).double(), "batch_size": batch_size}
    with pytest.raises(
        DivergedError, match=r"lower lr .* standardise .* outliers .* loss"
    ) as caught:
        diverging(**settings).fit(X, y)
    error = caught.value
    epochs = error.history["epoch"]
    assert epochs == list(range(error.epoch))
    assert np.isfinite(error.history["train_loss"]).all()
    assert not error.module.training
    before = diverging(**settings).set_params(max_epochs=error.epoch - 1).fit(X, y)
    for found, expected in zip(error.module.parameters(), before.module_.parameters(), strict=True):
        assert torch.equal(found, expected)
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error)
    assert again.history["train_loss"] == error.history["train_loss"]


def test_a_first_loss_that_is_no_number(X):
    with pytest.raises(DivergedError, match="at epoch 0") as caught:
        regressor().fit(X, np.full(60, 1e200))
    assert all(
        map(
            np.array_equal,
            [p.detach() for p in caught.value.module.parameters()],
            [p.detach() for p in network().parameters()],
        )
    )
    assert caught.value.history["epoch"] == []


def test_an_earlier_fit_outlives_one_that_diverges(X, y):
    model = regressor(nn.Linear(3, 1).double()).fit(X, y)
    before = model.predict(X)
    model.set_params(optimizer=torch.optim.SGD, lr=1e3, max_epochs=2000)
    with pytest.raises(DivergedError):
        model.fit(X, y)
    assert np.array_equal(model.predict(X), before)


# ---- callbacks that raise


class Fault(Callback):
    def __init__(self, hook, epoch, error=ZeroDivisionError):
        self.hook, self.epoch, self.error = hook, epoch, error

    def on_train_begin(self, state):
        self._maybe("on_train_begin", state)

    def on_batch_end(self, state):
        self._maybe("on_batch_end", state)

    def on_epoch_end(self, state):
        self._maybe("on_epoch_end", state)

    def on_train_end(self, state):
        self._maybe("on_train_end", state)

    def _maybe(self, hook, state):
        if hook == self.hook and state.epoch == self.epoch:
            raise self.error("by zero")


@pytest.mark.parametrize(
    ("hook", "epoch", "trained"),
    [("on_epoch_end", 3, 4), ("on_batch_end", 3, 3), ("on_train_end", 4, 5)],
)
def test_a_callback_that_raises_leaves_what_was_trained(X, y, hook, epoch, trained):
    ended = []

    class End(Callback):
        def on_train_end(self, state):
            ended.append(state.epoch)

    model = regressor().fit(X, y).set_params(callbacks=[Fault(hook, epoch), End()])
    with pytest.raises(ZeroDivisionError, match="by zero") as caught:
        model.fit(X, y)
    assert caught.value.__notes__ == [f"raised by Fault.{hook} at epoch {epoch}"]
    assert ended == [epoch]
    assert model.n_iter_ == len(model.history_["epoch"]) == trained
    assert model.engine_ == "loop"
    assert not model.module_.training
    if hook != "on_batch_end":
        assert same(model, regressor(max_epochs=trained).fit(X, y))


@pytest.mark.parametrize(
    ("hook", "epoch", "error"),
    [("on_train_begin", 0, ZeroDivisionError), ("on_train_begin", 0, KeyboardInterrupt)],
)
def test_other_ends_leave_the_earlier_fit(X, y, hook, epoch, error):
    model = regressor().fit(X, y)
    before = model.predict(X)
    with pytest.raises(error):
        model.set_params(callbacks=[Fault(hook, epoch, error)], lr=0.5).fit(X, y)
    assert np.array_equal(model.predict(X), before)


# ---- what is said and refused


def test_a_batch_larger_than_the_data_is_clipped(X, y):
    with pytest.warns(DataWarning, match="batch_size is 61 and only 60 rows train: .* clipped"):
        large = regressor(batch_size=61, shuffle=False).fit(X, y)
    assert same(large, regressor().fit(X, y))
    assert regressor(batch_size=60).fit(X, y).n_iter_ == 5


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"early_stopping": 1}, "early_stopping is 1: give True or False"),
        ({"warm_start": "yes"}, "warm_start is 'yes'"),
        ({"target_scaling": None}, "target_scaling is None"),
        ({"validation_fraction": 1.0}, "validation_fraction is 1.0"),
        ({"validation_fraction": 0}, "validation_fraction is 0"),
        ({"n_iter_no_change": 0}, "n_iter_no_change is 0"),
        ({"n_restarts": -1}, "n_restarts is -1"),
        ({"tol": -1.0}, "tol is -1.0"),
        ({"clip_grad_norm": 0.0}, "clip_grad_norm is 0.0: give a number above 0"),
        ({"clip_grad_value": "x"}, "clip_grad_value is 'x'"),
        ({"schedule": "cosin"}, "did you mean 'cosine'"),
        (
            {"schedule": "cosine", "callbacks": [LRScheduler(schedulers.StepLR, step_size=1)]},
            "both set the learning rate",
        ),
    ],
)
def test_wrong_options_get_one_sentence(X, y, parameters, words):
    with pytest.raises(ParameterError, match=words) as caught:
        regressor(**parameters).fit(X, y)
    assert "\n" not in str(caught.value)


def test_a_module_of_another_width_is_told_by_its_columns(X, y):
    with pytest.raises(ParameterError, match="module gives 1 column, y has 5"):
        regressor(nn.Linear(3, 1).double()).fit(X, np.column_stack([y] * 5))
    with pytest.raises(ParameterError, match="module gives 2 columns, y has 1"):
        regressor(nn.Linear(3, 2).double()).fit(X, y)


def test_validation_rows_with_other_columns_are_told_by_name(X, y):
    frame = pd.DataFrame(X, columns=["rooms", "area", "age"])
    other = frame.rename(columns={"age": "year"})
    with pytest.raises(AblineError, match=r"eval_set cannot be used, since .*year.*age"):
        regressor().fit(frame, y, eval_set=(other, y))
    with pytest.raises(AblineError, match=r"eval_set cannot be used, since .*2 features"):
        regressor().fit(X, y, eval_set=(X[:, :2], y))


def test_an_early_stopping_callback_says_how_to_get_rows(X, y):
    with pytest.raises(ParameterError, match=r"no validation rows: pass eval_set="):
        regressor(callbacks=[EarlyStopping()]).fit(X, y)
