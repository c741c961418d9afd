"""What `TorchRegressor` accepts, refuses and leaves alone."""

import copy
import pickle
import random
import threading

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from abline.errors import AblineError, DataError, ParameterError
from abline.nets import MLP, Callback, EarlyStopping, TorchRegressor


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(60, 3))


@pytest.fixture
def y(X):
    return X @ [1.0, 2.0, 3.0] + 1.0


class Net(nn.Module):
    def __init__(self, in_features, out_features, width=4):
        super().__init__()
        self.first = nn.Linear(in_features, width)
        self.last = nn.Linear(width, out_features)

    def forward(self, values):
        return self.last(torch.tanh(self.first(values)))


class NeedsDepth(nn.Module):
    def __init__(self, n_features, depth):
        super().__init__()


# ---- modules


@pytest.mark.parametrize(
    ("module", "dtype"),
    [
        (None, np.float64),
        (nn.Linear, np.float32),
        (Net, np.float32),
        (MLP, np.float32),
        (nn.LazyLinear(1), np.float32),
        (lambda n_features: nn.Linear(n_features, 1), np.float32),
        (lambda: nn.Linear(3, 1, dtype=torch.float64), np.float64),
        (nn.Linear(3, 1).double(), np.float64),
        (nn.Linear(3, 1).bfloat16(), np.float32),
        (nn.Sequential(nn.Linear(3, 1), nn.Flatten(0)), np.float32),
        (lambda **kwargs: Net(3, 1, **kwargs), np.float32),
    ],
)
def test_any_module_class_or_factory_will_do(X, y, module, dtype):
    model = TorchRegressor(module, max_epochs=2, random_state=0).fit(X, y)
    assert model.predict(X).shape == (60,)
    assert model.predict(X).dtype == dtype
    assert model.predict(X[:1]).shape == (1,)
    assert not model.module_.training


def test_the_default_line_has_the_precision_of_X(X, y):
    single = TorchRegressor(max_epochs=1).fit(X.astype(np.float32), y)
    assert single.module_.weight.dtype == torch.float32
    assert single.predict(X).dtype == np.float32


@pytest.mark.parametrize("targets", [1, 2])
def test_predictions_have_the_dimensions_of_y(X, y, targets):
    table = np.column_stack([y] * targets)
    model = TorchRegressor(MLP, max_epochs=2, random_state=0).fit(X, table, eval_set=(X, table))
    assert model.predict(X).shape == table.shape
    assert model.n_outputs_ == targets
    assert model.predict(X[:1]).shape == (1, targets)


def test_an_instance_is_copied_and_each_fit_starts_from_its_weights(X, y):
    module = nn.Linear(3, 1)
    before = copy.deepcopy(module.state_dict())
    model = TorchRegressor(module, max_epochs=5)
    first = model.fit(X, y).predict(X)
    assert np.array_equal(model.fit(X, y).predict(X), first)
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
    assert model.module is module
    assert not torch.equal(model.module_.weight, module.weight)


def test_frozen_parameters_stay(X, y):
    module = Net(3, 1)
    module.first.requires_grad_(False)
    model = TorchRegressor(module, max_epochs=5).fit(X, y)
    assert torch.equal(model.module_.first.weight, module.first.weight)
    assert not torch.equal(model.module_.last.weight, module.last.weight)


def test_tensors_with_gradients_and_large_tables_in_chunks(X, y):
    model = TorchRegressor(max_epochs=2, random_state=0)
    expected = model.fit(X, y).predict(X)
    tensors = torch.tensor(X, requires_grad=True), torch.tensor(y)
    assert np.array_equal(model.fit(*tensors).predict(tensors[0]), expected)
    np.testing.assert_allclose(model.predict(np.tile(X, (600, 1)))[-60:], expected, rtol=1e-12)


# ---- scikit-learn's habits


def test_parameters_with_a_prefix_are_parameters(X, y):
    model = TorchRegressor(Net, module__width=5, optimizer__betas=(0.8, 0.9), max_epochs=3)
    assert model.get_params()["module__width"] == 5
    model.set_params(module__width=6, criterion=nn.HuberLoss, criterion__delta=0.5, lr=0.1)
    again = clone(model).fit(X, y)
    assert again.module_.first.out_features == 6
    assert again.criterion_.delta == 0.5
    assert "module__width=6" in repr(model)


def test_grid_searches_pipelines_and_cross_validation(X, y):
    network = TorchRegressor(Net, max_epochs=60, lr=0.05, random_state=0)
    pipeline = make_pipeline(StandardScaler(), network)
    search = GridSearchCV(pipeline, {"torchregressor__module__width": [1, 8]}, cv=2).fit(X, y)
    assert search.best_params_ == {"torchregressor__module__width": 8}
    assert cross_val_score(pipeline, X, y, cv=2).min() > 0.5


def test_pickles_trained(X, y):
    model = TorchRegressor(
        MLP, max_epochs=2, callbacks=[EarlyStopping("train_loss")], random_state=0
    ).fit(X, y, eval_set=(X, y))
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.predict(X), model.predict(X))
    assert again.history_ == model.history_


# ---- randomness


def test_global_generators_are_not_moved(X, y):
    np.random.seed(3)
    random.seed(3)
    torch.manual_seed(3)
    before = np.random.get_state()[1].copy(), random.getstate(), torch.get_rng_state()
    for seed in (None, 0):
        TorchRegressor(MLP, module__dropout=0.5, batch_size=8, max_epochs=3, random_state=seed).fit(
            X, y, eval_set=(X, y)
        )
    assert np.array_equal(np.random.get_state()[1], before[0])
    assert random.getstate() == before[1]
    assert torch.equal(torch.get_rng_state(), before[2])


@pytest.mark.parametrize("state", [7, np.int64(7)])
def test_a_seed_repeats_the_fit(X, y, state):
    model = TorchRegressor(
        MLP, module__dropout=0.2, batch_size=16, max_epochs=3, random_state=state
    )
    other = clone(model).set_params(random_state=8).fit(X, y).predict(X)
    first = model.fit(X, y).predict(X)
    assert np.array_equal(model.fit(X, y).predict(X), first)
    assert not np.array_equal(first, other)


def test_a_random_state_object_moves_on(X, y):
    model = TorchRegressor(max_epochs=1, random_state=np.random.RandomState(0))
    assert not np.array_equal(model.fit(X, y).predict(X), model.fit(X, y).predict(X))


def test_no_seed_differs_from_fit_to_fit(X, y):
    model = TorchRegressor(max_epochs=1)
    assert not np.array_equal(model.fit(X, y).predict(X), model.fit(X, y).predict(X))


def test_threads_do_not_mix_their_draws(X, y):
    def fit(seed):
        model = TorchRegressor(
            MLP, module__dropout=0.5, module__hidden=(8,), max_epochs=40, random_state=seed
        )
        return model.fit(X, y).predict(X)

    alone = [fit(seed) for seed in range(3)]
    together = [None] * 3
    threads = [
        threading.Thread(target=lambda seed=seed: together.__setitem__(seed, fit(seed)))
        for seed in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(map(np.array_equal, alone, together))


# ---- what is refused


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"max_epochs": -3}, "max_epochs is -3: give a whole number, 1 or more"),
        ({"max_epochs": 2.5}, "max_epochs is 2.5"),
        ({"lr": 0}, "lr is 0: give a number above 0"),
        ({"lr": "fast"}, "lr is 'fast'"),
        ({"batch_size": 0}, "batch_size is 0: give a whole number, 1 or more, or None"),
        ({"verbose": -1}, "verbose is -1"),
        ({"n_jobs": 0}, "n_jobs is 0"),
        ({"random_state": "dice"}, "random_state is 'dice'"),
        ({"random_state": -1}, "random_state is -1"),
        ({"device": "gpu"}, "device is 'gpu'"),
        ({"device": "meta"}, "device is 'meta'"),
        ({"callbacks": EarlyStopping()}, "pass a list"),
        ({"callbacks": [EarlyStopping]}, "pass an instance"),
        ({"callbacks": [3]}, "on_epoch_end"),
        ({"module": 3}, "module is 3"),
        ({"module": nn.Linear(2, 1)}, "fails on rows of 3 features"),
        ({"module": nn.Linear(3, 2)}, "module gives 2 columns, y has 1"),
        (
            {"module": nn.Sequential(nn.Linear(3, 2), nn.Flatten(0))},
            r"outputs of shape \(4,\) for 2 rows, y has 1: its last layer must give",
        ),
        ({"module": nn.ReLU()}, "no parameter to train"),
        ({"module": nn.Linear(3, 1).requires_grad_(False)}, "no parameter to train"),
        ({"module": lambda: 3}, "must make a torch.nn.Module"),
        ({"module": NeedsDepth}, "needs 'depth': pass module__depth"),
        ({"module": Net, "module__widht": 3}, "did you mean 'module__width'"),
        ({"module": nn.Linear(3, 1), "module__bias": False}, "pass the class itself"),
        ({"module": MLP, "module__hidden": (0,)}, "hidden is"),
        ({"module": MLP, "module__dropout": 1}, "dropout is 1"),
        ({"module": MLP, "module__activation": "rellu"}, "did you mean 'relu'"),
        ({"module": nn.LSTM(3, 1)}, "must return one tensor"),
        ({"optimizer": "adam"}, "pass a class such as torch.optim.Adam"),
        ({"optimizer": torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=1)}, "pass its class"),
        ({"optimizer": dict}, "optimizer"),
        ({"optimizer__betas": (2, 2)}, "optimizer Adam refuses"),
        ({"optimizer__beta": (0.9, 0.9)}, "did you mean 'optimizer__betas'"),
        ({"criterion": "mse"}, "pass a class such as torch.nn.MSELoss"),
        ({"criterion": nn.MSELoss(), "criterion__reduction": "sum"}, "pass the class itself"),
        ({"criterion": nn.MSELoss(reduction="none")}, "it must give one"),
        ({"metrics": "r3"}, "metrics has no 'r3'"),
        ({"metrics": ["r2", "r2"]}, "twice"),
        ({"metrics": [3]}, "update and compute"),
        ({"optimizer": torch.optim.SGD, "lr": 1e6}, "lower lr"),
    ],
)
def test_wrong_parameters_get_one_sentence(X, y, parameters, words):
    with pytest.raises(ParameterError, match=words) as caught:
        TorchRegressor(**parameters).fit(X, y)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA GPU here")
@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
def test_an_absent_gpu_is_named(X, y, device):
    with pytest.raises(ParameterError, match=f"device is '{device}'.*device='cpu'"):
        TorchRegressor(device=device).fit(X, y)


@pytest.mark.parametrize(
    ("name", "words"),
    [("max_epoch", "did you mean 'max_epochs'"), ("depth", "start with module__")],
)
def test_an_unknown_parameter_is_refused_at_once(name, words):
    with pytest.raises(ParameterError, match=words):
        TorchRegressor(**{name: 3})
    with pytest.raises(ParameterError, match=words):
        TorchRegressor().set_params(**{name: 3})


@pytest.mark.parametrize(
    ("eval_set", "words"),
    [
        (lambda X, y: X, "pass eval_set="),
        (lambda X, y: (X, y, y), "pass eval_set="),
        (lambda X, y: (X[:, :2], y), "2 features"),
        (lambda X, y: (X, np.column_stack([y, y])), "eval_set has 2 targets"),
        (lambda X, y: (X, y[:-1]), "59"),
    ],
)
def test_wrong_validation_rows(X, y, eval_set, words):
    with pytest.raises(AblineError, match=words):
        TorchRegressor(max_epochs=1).fit(X, y, eval_set=eval_set(X, y))


def test_numbers_too_large_for_the_modules_precision(X, y):
    with pytest.raises(DataError, match="X has values too large for the module's float32"):
        TorchRegressor(nn.Linear(3, 1)).fit(X * 1e200, y)


def test_weights_need_a_criterion_with_a_value_for_each_row(X, y):
    def loss(outputs, target):
        return (outputs - target).square().mean()

    model = TorchRegressor(criterion=loss, max_epochs=2).fit(X, y)
    with pytest.raises(ParameterError, match="criterion loss has no reduction='none'"):
        model.fit(X, y, np.ones(60))


def test_a_failed_fit_leaves_the_earlier_one(X, y):
    model = TorchRegressor(max_epochs=5, random_state=0).fit(X, y)
    expected = model.predict(X)

    class Fail(Callback):
        def on_train_begin(self, state):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.set_params(callbacks=[Fail()]).fit(X[:, :2], y)
    assert model.n_features_in_ == 3
    assert np.array_equal(model.predict(X), expected)
    fresh = TorchRegressor(optimizer=torch.optim.SGD, lr=1e6)
    with pytest.raises(
        ParameterError, match=r"became (inf|nan) at epoch \d+: lower lr \(now 1e\+06"
    ):
        fresh.fit(X, y)
    assert not hasattr(fresh, "module_")
    assert not hasattr(fresh, "n_features_in_")


def test_numpy_counts_are_counts():
    X, y = np.eye(6, 2), np.arange(6.0)
    model = TorchRegressor(batch_size=np.int64(4), max_epochs=np.int32(2), random_state=0)
    assert model.fit(X, y).n_iter_ == 2


def test_a_metric_of_several_numbers_is_refused():
    import torchmetrics

    metric = torchmetrics.R2Score(multioutput="raw_values")
    with pytest.raises(ParameterError, match="R2Score"):
        TorchRegressor(metrics=[metric], max_epochs=1).fit(np.eye(6, 2), np.eye(6, 2))


def test_faults_of_the_validation_rows_name_them():
    with pytest.raises(DataError, match="eval_set"):
        TorchRegressor().fit(np.eye(6, 2), np.arange(6.0), eval_set=(np.eye(6, 3), np.arange(6.0)))


def test_shuffle_is_true_or_false():
    with pytest.raises(ParameterError, match="shuffle"):
        TorchRegressor(shuffle="x").fit(np.eye(6, 2), np.arange(6.0))
