"""Levenberg–Marquardt as an engine of `TorchRegressor`."""

import itertools
import math

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning
from torch import nn

from abline.demo.jobs import curve_job
from abline.errors import ParameterError
from abline.nets import Callback, Checkpoint, EarlyStopping, LRScheduler, PrintLog, TorchRegressor


def network(sizes=(1, 8, 8, 8, 1), activation=nn.ReLU, seed=0):
    torch.manual_seed(seed)
    layers = []
    for n_in, n_out in itertools.pairwise(sizes):
        layers += [nn.Linear(n_in, n_out), activation()]
    return nn.Sequential(*layers[:-1])


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(60, 3))


@pytest.fixture
def Y(X):
    noise = np.random.default_rng(1).normal(size=(60, 2))
    return X @ [[1.0, 0.0], [2.0, -1.0], [3.0, 0.5]] + 1.0 + noise


def line(**parameters):
    own = {"engine": "lm", "random_state": 0, "n_restarts": 0}
    return TorchRegressor(**(own | parameters))


def curve(**parameters):
    """Two hidden units on three features: some steps, and no exact answer."""
    module = network((3, 4, 1), nn.Tanh).double()
    return line(module=module, **parameters)


def test_the_sine_job_is_learnt_at_once():
    job = curve_job()
    model = TorchRegressor(network(), engine="lm", random_state=0)
    model.fit(job.X_train, job.y_train, eval_set=(job.X_valid, job.y_valid))
    assert model.engine_ == "lm"
    assert np.mean((model.predict(job.X_test) - job.y_test) ** 2) <= 0.0118
    assert {p.dtype for p in model.module_.parameters()} == {torch.float32}
    history = model.history_
    assert list(history) == ["epoch", "train_loss", "valid_loss", "seconds", "lr"]
    assert history["epoch"] == list(range(model.n_iter_))
    assert all(math.isnan(rate) for rate in history["lr"])
    assert history["seconds"] == sorted(history["seconds"])
    found = np.mean((model.predict(job.X_valid) - job.y_valid) ** 2)
    assert found == pytest.approx(min(history["valid_loss"]), rel=1e-5)


@pytest.mark.parametrize("weighted", [False, True])
def test_a_line_is_that_of_least_squares(X, Y, weighted):
    weights = np.random.default_rng(2).integers(0, 3, 60) * 0.7 if weighted else None
    model = line().fit(X, Y, weights)
    root = np.ones(60) if weights is None else np.sqrt(weights)
    table = np.column_stack([np.ones(60), X]) * root[:, None]
    expected = np.linalg.lstsq(table, Y * root[:, None])[0]
    np.testing.assert_allclose(model.module_.bias.detach(), expected[0], rtol=1e-12)
    np.testing.assert_allclose(model.module_.weight.detach().T, expected[1:], rtol=1e-12)
    errors = np.mean((table @ expected - Y * root[:, None]) ** 2) * 60 / np.sum(root**2)
    assert model.history_["train_loss"][-1] == pytest.approx(errors, rel=1e-12)


def test_the_units_of_the_targets_do_not_matter(X, Y):
    plain, scaled = (line(target_scaling=each).fit(X, 1e3 * Y + 1e5) for each in (False, True))
    np.testing.assert_allclose(scaled.predict(X), plain.predict(X), rtol=1e-12)
    assert scaled.history_["train_loss"][-1] < 1


def test_rows_are_held_out_for_early_stopping(X, Y):
    model = curve(early_stopping=True, validation_fraction=0.3).fit(X, Y[:, 0])
    valid = model.history_["valid_loss"]
    assert np.isfinite(valid).all()
    # six further steps were no better
    assert min(valid) < valid[-1]
    assert len(valid) == int(np.argmin(valid)) + 7


def test_the_same_seed_gives_the_same_numbers_whatever_the_threads(X, Y):
    models = [
        curve(n_restarts=5, n_jobs=n, early_stopping=True).fit(X, Y[:, 0]) for n in (None, 1, 2)
    ]
    for model in models[1:]:
        assert np.array_equal(model.predict(X), models[0].predict(X))
    other = curve(n_restarts=5, random_state=1, early_stopping=True).fit(X, Y[:, 0])
    assert not np.array_equal(other.predict(X), models[0].predict(X))


def test_a_warm_start_begins_where_the_last_fit_ended(X, Y):
    with pytest.warns(ConvergenceWarning):
        model = curve(max_epochs=3, warm_start=True).fit(X, Y[:, 0])
    before = min(model.history_["train_loss"])
    model.set_params(max_epochs=500).fit(X, Y[:, 0])
    assert model.history_["train_loss"][0] == before
    assert model.history_["train_loss"][-1] < before


def test_that_it_did_not_converge_is_said(X, Y):
    with pytest.warns(ConvergenceWarning, match=r"not converged after 2 .*max_epochs=2") as caught:
        curve(max_epochs=2).fit(X, Y[:, 0])
    assert caught[0].filename == __file__


class Watch(Callback):
    def __init__(self, stop=10**9):
        self.stop, self.calls, self.losses = stop, [], []

    def on_train_begin(self, state):
        self.calls.append("begin")
        assert state.engine == "lm"

    def on_epoch_end(self, state):
        self.calls.append(state.epoch)
        with torch.no_grad():
            errors = state.module(state.job.train.X) - state.job.train.y
        self.losses.append(float(errors.square().mean()))
        state.stop = state.epoch == self.stop

    def on_train_end(self, state):
        self.calls.append("end")


def test_callbacks_see_each_accepted_step_with_its_weights(X, Y):
    watch = Watch()
    model = curve(callbacks=[watch]).fit(X, Y[:, 0])
    assert watch.calls == ["begin", *range(model.n_iter_), "end"]
    np.testing.assert_allclose(watch.losses, model.history_["train_loss"], rtol=1e-9)


@pytest.mark.parametrize("n_restarts", [0, 3])
def test_a_callback_ends_it(X, Y, n_restarts):
    model = curve(callbacks=[Watch(stop=2)], n_restarts=n_restarts).fit(X, Y[:, 0])
    assert model.history_["epoch"] == [0, 1, 2]
    expected = np.mean((model.predict(X) - Y[:, 0]) ** 2)
    assert expected == pytest.approx(min(model.history_["train_loss"]))


def test_early_stopping_by_a_callback_keeps_its_best(X, Y):
    stopping = EarlyStopping(patience=2)
    model = curve(callbacks=[stopping]).fit(X, Y[:, 0], eval_set=(X + 0.5, Y[:, 0]))
    valid = model.history_["valid_loss"]
    assert len(valid) == int(np.argmin(valid)) + 3
    assert np.mean((model.predict(X + 0.5) - Y[:, 0]) ** 2) == pytest.approx(min(valid))


def test_a_log_ends_with_the_last_step(X, Y):
    lines = []
    model = curve(callbacks=[PrintLog(every=10_000, write=lines.append)]).fit(X, Y[:, 0])
    assert [text.partition(":")[0] for text in lines] == ["epoch 0", f"epoch {model.n_iter_ - 1}"]


def test_a_callback_that_raises_leaves_what_was_trained(X, Y):
    class Stop(Exception):
        pass

    class Fail(Watch):
        def on_epoch_end(self, state):
            if state.epoch == 4:
                raise Stop

    model = curve(callbacks=[Fail()])
    with pytest.raises(Stop) as caught:
        model.fit(X, Y[:, 0])
    assert "Fail.on_epoch_end at epoch 4" in caught.value.__notes__[0]
    assert model.n_iter_ == 5
    loss = np.mean((model.predict(X) - Y[:, 0]) ** 2)
    assert loss == pytest.approx(model.history_["train_loss"][4])


def test_metrics_are_noted_for_each_step(X, Y):
    model = curve(metrics="r2").fit(X, Y[:, 0], eval_set=(X[:20], Y[:20, 0]))
    history = model.history_
    spread = np.var(Y[:, 0])
    np.testing.assert_allclose(
        history["train_r2"], 1 - np.array(history["train_loss"]) / spread, rtol=1e-9
    )
    assert np.isfinite(history["valid_r2"]).all()
    assert np.isnan(curve(metrics="r2").fit(X, Y[:, 0]).history_["valid_r2"]).all()


scheduler = LRScheduler(torch.optim.lr_scheduler.StepLR, step_size=1)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"batch_size": 10}, "takes no batch_size"),
        ({"schedule": "cosine"}, "takes no schedule"),
        ({"clip_grad_norm": 1.0}, "takes no clip_grad_norm"),
        ({"clip_grad_value": 1.0}, "takes no clip_grad_value"),
        ({"callbacks": [Checkpoint("x")]}, "takes no Checkpoint"),
        ({"callbacks": [scheduler]}, "takes no LRScheduler"),
        ({"criterion": nn.L1Loss}, "the mean squared error alone and criterion is L1Loss"),
        ({"criterion": nn.MSELoss(reduction="sum")}, "criterion is MSELoss"),
        ({"criterion": "gamma"}, "criterion is GammaLoss"),
        ({"criterion": lambda o, y: (o - y).square().mean()}, "criterion is <lambda>"),
        (
            {"module": nn.Linear(3, 1), "criterion": "gaussian_nll"},
            "GaussianNLL needs 2 for 1 target",
        ),
        ({"module": network((3, 80, 80, 1))}, "6,881 parameters.*5,000: use engine='loop'"),
        ({"module": nn.Sequential(nn.Linear(3, 1), nn.Dropout())}, "dropout"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_what_it_cannot_do_is_refused(X, Y, parameters, words):
    with pytest.raises(ParameterError, match=words) as caught:
        line(**parameters).fit(X, np.abs(Y[:, 0]) + 1)
    assert "\n" not in str(caught.value)


def test_squared_error_goes_by_any_of_its_names(X, Y):
    names = (nn.MSELoss, nn.MSELoss(), nn.functional.mse_loss, "squared_error")
    fits = [line(criterion=each).fit(X, Y).predict(X) for each in names]
    assert all(np.array_equal(each, fits[0]) for each in fits[1:])


def test_there_is_no_optimizer_to_go_on_with(X, Y, tmp_path):
    with pytest.raises(ParameterError, match="partial_fit goes on with an optimizer's steps"):
        line().partial_fit(X, Y)
    with pytest.raises(ParameterError, match="resume_from goes on with an optimizer's steps"):
        line().fit(X, Y, resume_from=tmp_path / "x")
