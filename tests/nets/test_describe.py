"""Every fitted network comes back from its file with the same predictions."""

import copy
import pickle

import numpy as np
import pytest
import torch
from torch import nn

import abline as ab
from abline.errors import DataError, ModelFileError, ParameterError
from abline.nets import LRScheduler, NetworkRegressor
from abline.nets.aten_attention import plain_attention
from abline.nets.aten_module import AtenModule
from abline.nets.describe import build_module, describe_module


class LinearRegressionModel(nn.Module):
    """The tutorials' class around one layer."""

    def __init__(self, in_features=2):
        super().__init__()
        self.linear_layer = nn.Linear(in_features, 1)
        self.drop = nn.Dropout(0.5)

    def forward(self, x):
        return self.linear_layer(self.drop(x))


class Branches(nn.Module):
    def forward(self, x):
        return self.layer(x) if x.sum() > 0 else -self.layer(x)

    def __init__(self, in_features=2):
        super().__init__()
        self.layer = nn.Linear(in_features, 1)


ESTIMATORS = {
    "one layer": ab.TorchRegressor(max_epochs=3),
    "known layers": ab.TorchRegressor(
        nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.PReLU(8), nn.Linear(8, 1)).double(),
        max_epochs=3,
        batch_size=20,
    ),
    "MLP": ab.TorchRegressor(ab.MLP, module__hidden=(8, 4), module__skip=True, max_epochs=3),
    "own class": ab.TorchRegressor(LinearRegressionModel, max_epochs=3),
    "own instance": ab.TorchRegressor(LinearRegressionModel().bfloat16(), max_epochs=3),
    "ensemble": NetworkRegressor(max_epochs=2, members=2, random_state=0),
}


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    return X, X @ [2.0, -1.0] + rng.normal(size=60)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_saved_estimator_predicts_the_same_bits(name, data, tmp_path):
    model = ESTIMATORS[name].fit(*data)
    model.save(tmp_path / "m.model")
    again = ab.load(tmp_path / "m.model")
    rows = np.random.default_rng(1).normal(size=(20_000, 2))
    for n_rows in (1, 2, 7, 1000, 20_000):
        np.testing.assert_array_equal(again.predict(rows[:n_rows]), model.predict(rows[:n_rows]))
    for column, values in model.history_.items():
        np.testing.assert_array_equal(again.history_[column], values)
    assert list(again.module_.state_dict()) == list(model.module_.state_dict())
    assert not again.module_.training


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_loaded_estimator_saves_to_the_same_predictions(name, data, tmp_path):
    ESTIMATORS[name].fit(*data).save(tmp_path / "first.model")
    first = ab.load(tmp_path / "first.model")
    first.save(tmp_path / "second.model")
    second = pickle.loads(pickle.dumps(copy.deepcopy(ab.load(tmp_path / "second.model"))))
    np.testing.assert_array_equal(second.predict(data[0]), first.predict(data[0]))
    assert (tmp_path / "first.model").read_bytes() == (tmp_path / "second.model").read_bytes()


def test_an_estimator_of_known_parts_can_be_fitted_again(data, tmp_path):
    decay = LRScheduler(torch.optim.lr_scheduler.StepLR, step_size=2)
    model = ab.TorchRegressor(max_epochs=5, random_state=3, callbacks=[decay], lr=0.1)
    model.fit(*data).save(tmp_path / "m.model")
    again = ab.load(tmp_path / "m.model").fit(*data)
    np.testing.assert_array_equal(again.predict(data[0]), model.predict(data[0]))
    assert again.history_["lr"] == model.history_["lr"]


def test_what_a_file_cannot_hold_is_named_when_it_is_needed(data, tmp_path):
    model = ab.TorchRegressor(LinearRegressionModel, max_epochs=2).fit(*data)
    model.save(tmp_path / "m.model")
    again = ab.load(tmp_path / "m.model")
    with pytest.raises(ParameterError, match="LinearRegressionModel was not kept"):
        again.fit(*data)
    again.set_params(module=LinearRegressionModel).fit(*data)


def test_an_estimator_that_was_never_fitted_is_saved_as_such(tmp_path):
    ab.TorchRegressor(lr=0.5, module__bias=False).save(tmp_path / "m.model")
    assert ab.load(tmp_path / "m.model").get_params()["module__bias"] is False


def test_a_forward_that_is_no_plain_data_is_refused_with_the_remedy(data, tmp_path):
    model = ab.TorchRegressor(Branches, max_epochs=2).fit(*data)
    with pytest.raises(DataError, match=r"Branches's forward .*branches on the values.*pickle"):
        model.save(tmp_path / "m.model")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("part", ["params", "fitted"])
def test_a_state_may_set_no_other_attributes(part, data):
    state = ab.TorchRegressor(max_epochs=2).fit(*data)._get_state()
    state[part]["predict"] = 1
    estimator = ab.TorchRegressor.__new__(ab.TorchRegressor)
    with pytest.raises(ModelFileError, match="predict"):
        estimator._set_state(state)


def test_known_layers_come_back_as_themselves_and_others_as_operations():
    stack = nn.Sequential(nn.Linear(2, 1))
    assert isinstance(build_module(describe_module(stack, 2)), nn.Sequential)
    recorded = build_module(describe_module(LinearRegressionModel(), 2))
    assert isinstance(recorded, AtenModule)
    assert "LinearRegressionModel" in repr(recorded)


@pytest.mark.parametrize("tree", [None, {}, [], {"kind": "pickle"}, {"kind": "layers"}])
def test_other_trees_are_no_networks(tree):
    with pytest.raises(ModelFileError):
        build_module(tree)


def test_the_fused_attention_is_back_after_the_last_body():
    assert torch.backends.mha.get_fastpath_enabled()
    with plain_attention():
        with plain_attention():
            pass
        assert not torch.backends.mha.get_fastpath_enabled()
    assert torch.backends.mha.get_fastpath_enabled()
