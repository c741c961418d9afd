"""Parameters as plain data."""

import copy
import functools
import pickle

import numpy as np
import pytest
import torch
from torch import nn

from abline.errors import ModelFileError, ParameterError
from abline.nets import MLP, EarlyStopping, LRScheduler, PrintLog, ProgressBar
from abline.nets.describe_parameters import (
    NAMED,
    NotKept,
    describe_parameter,
    restore_parameter,
)
from abline.store.tree import flatten, unflatten


def through_a_file(value):
    return restore_parameter(unflatten(*flatten(describe_parameter(value))))


@pytest.mark.parametrize("name", NAMED)
def test_named_things_come_back_as_themselves(name):
    assert through_a_file(NAMED[name]) is NAMED[name]


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        -3,
        0.1,
        "auto",
        (64, 32),
        ["r2", {"a": (1, [2.0])}],
        {"is": "named", "value": "torch.nn.Linear"},
        torch.device("cuda:1"),
        torch.float64,
        np.float64(0.5),
        np.str_("cpu"),
        np.int64(3),
    ],
)
def test_plain_values_come_back_with_their_types(value):
    again = through_a_file(value)
    assert again == value
    assert type(again) is type(value)


def test_arrays_and_random_states_come_back():
    np.testing.assert_array_equal(through_a_file(np.arange(3)), np.arange(3))
    state = np.random.RandomState(3)
    state.normal()  # leaves half a pair behind
    again = through_a_file(state)
    assert again.normal(size=3).tolist() == state.normal(size=3).tolist()


def test_losses_and_layers_with_arguments_come_back():
    assert through_a_file(nn.HuberLoss(delta=2.5)).delta == 2.5
    module = through_a_file(MLP(2, 1, hidden=(3,)))
    assert module.hidden == (3,)
    assert module.training


def test_callbacks_come_back_with_their_arguments():
    scheduler = LRScheduler(torch.optim.lr_scheduler.StepLR, per="batch", step_size=3)
    given = [EarlyStopping("train_loss", 3, restore_best=False), scheduler, PrintLog(5)]
    given.append(ProgressBar("the network"))
    again = through_a_file(given)
    assert [vars(callback) for callback in again] == [vars(callback) for callback in given]
    assert [type(callback) for callback in again] == [type(callback) for callback in given]


class Own(nn.Module):
    pass


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Own, "Own"),
        (Own(), "an instance of Own"),
        (lambda: None, "<lambda>"),
        (functools.partial(nn.Linear, bias=False), "an instance of partial"),
        (np.array([None]), "an instance of ndarray"),
        ({1: 2}, "an instance of dict"),
    ],
)
def test_anything_else_leaves_its_name(value, text):
    again = through_a_file(value)
    assert isinstance(again, NotKept)
    assert again.text.endswith(text)
    assert through_a_file(again).text == again.text
    assert pickle.loads(pickle.dumps(copy.deepcopy(again))).text == again.text
    with pytest.raises(ParameterError, match="was not kept in the model file"):
        again(1, key=2)


@pytest.mark.parametrize(
    "tree",
    [
        {},
        {"is": "named"},
        {"is": "named", "value": "os.system"},
        {"is": "named", "value": []},
        {"is": ["named"], "value": "print"},
        {"is": "code", "value": "1"},
        {"is": "tuple", "value": 3},
        {"is": "dict", "value": 3},
        {"is": "device", "value": "nowhere"},
        {"is": "random state", "value": [1]},
        {"is": "random state", "value": ["MT19937", np.ones(3), 0, 0, 0.0]},
        {"is": "random state", "value": ["MT19937", np.ones(624, "u4"), 10**6, 0, 0.0]},
        {"is": "layers", "value": {}},
        {"is": "callback", "value": {"class": "Popen"}},
        {"is": "callback", "value": {"class": "PrintLog"}},
        [{"is": "callback", "value": None}],
    ],
)
def test_malformed_trees_are_refused(tree):
    with pytest.raises(ModelFileError):
        restore_parameter(tree)
