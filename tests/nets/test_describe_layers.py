"""Networks of known layers, their tensors, and what a damaged or hostile tree does."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from abline.errors import DataError, ModelFileError
from abline.nets import MLP, MLPEnsemble
from abline.nets.describe import build_module, describe_module
from abline.nets.describe_layers import LAYERS, build_layers, describe_layers
from abline.nets.describe_tensors import (
    DTYPES,
    describe_state,
    describe_tensor,
    restore_state,
    restore_tensor,
    same_bits,
)

ROWS = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))


def channels(*layers):
    """Layers that take one channel of four steps."""
    return nn.Sequential(nn.Unflatten(1, (1, 4)), *layers, nn.Flatten())


SHAPED = {
    "Linear": nn.Linear(4, 3, bias=False),
    "Conv1d": channels(nn.Conv1d(1, 2, 3, padding="same", padding_mode="circular")),
    "AdaptiveAvgPool1d": channels(nn.AdaptiveAvgPool1d(2)),
    "AdaptiveMaxPool1d": channels(nn.AdaptiveMaxPool1d(2)),
    "AvgPool1d": channels(nn.AvgPool1d(2, stride=1, padding=1, count_include_pad=False)),
    "MaxPool1d": channels(nn.MaxPool1d(3, stride=2, padding=1, ceil_mode=True)),
    "Dropout1d": channels(nn.Dropout1d(0.3)),
    "FeatureAlphaDropout": channels(nn.FeatureAlphaDropout(0.3)),
    "BatchNorm1d": nn.BatchNorm1d(4, eps=0.1, momentum=None, affine=False),
    "InstanceNorm1d": channels(nn.InstanceNorm1d(1, affine=True)),
    "GroupNorm": nn.GroupNorm(2, 4, eps=0.1),
    "LayerNorm": nn.LayerNorm(4, eps=0.1, bias=False),
    "RMSNorm": nn.RMSNorm(4, eps=0.1),
    "PReLU": nn.PReLU(4, init=0.1),
    "GELU": nn.GELU(approximate="tanh"),
    "GLU": nn.GLU(dim=1),
    "LeakyReLU": nn.LeakyReLU(0.3),
    "ELU": nn.ELU(0.5),
    "Softplus": nn.Softplus(beta=2.0),
    "Threshold": nn.Threshold(0.1, 20.0),
    "Hardtanh": nn.Hardtanh(-0.5, 0.7),
    "RReLU": nn.RReLU(0.1, 0.2),
    "Softmax": nn.Softmax(dim=1),
    "Softmin": nn.Softmin(dim=1),
    "LogSoftmax": nn.LogSoftmax(dim=1),
    "Unflatten": nn.Unflatten(1, (2, 2)),
    "MLP": MLP(4, 2, hidden=(5, 3), activation="gelu", dropout=0.1, skip=True),
    "MLPEnsemble": MLPEnsemble(4, 2, members=3, hidden=(5,), activation="tanh"),
}
UNUSUAL = {"Bilinear": nn.Bilinear(2, 3, 4), "Embedding": nn.Embedding(5, 4, padding_idx=1)}


def layer(name):
    made = {**SHAPED, **UNUSUAL}.get(name)
    return copy.deepcopy(made) if made is not None else getattr(nn, name)()


@pytest.mark.parametrize("name", [*LAYERS, "MLP", "MLPEnsemble"])
def test_each_known_layer_comes_back(name):
    module = nn.Sequential(nn.Identity(), layer(name)).eval()
    tree = describe_layers(module)
    assert tree is not None
    again = build_layers(tree)
    assert repr(again) == repr(module)
    for (key, ours), (_, theirs) in zip(
        again.state_dict().items(), module.state_dict().items(), strict=True
    ):
        assert same_bits(ours, theirs), key
    if name not in UNUSUAL:
        assert same_bits(again(ROWS), module(ROWS))


def test_trained_statistics_flags_and_precisions_come_back():
    module = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 1)).double()
    module(ROWS.double())
    module[0].weight.requires_grad_(False)
    again = build_layers(describe_layers(module))
    assert same_bits(again[1].running_mean, module[1].running_mean)
    assert again[1].num_batches_tracked == 1
    assert [p.requires_grad for p in again.parameters()] == [
        p.requires_grad for p in module.parameters()
    ]
    assert again[0].weight.dtype == torch.float64
    assert not any(part.training for part in again.modules())


def test_shared_weights_stay_shared():
    module = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4))
    module[2].weight = module[0].weight
    again = build_layers(describe_layers(module))
    assert again[0].weight is again[2].weight
    assert again[0].bias is not again[2].bias


class Doubled(nn.Linear):
    def forward(self, rows):
        return 2 * super().forward(rows)


def hooked():
    module = nn.Linear(4, 1)
    module.register_forward_hook(lambda module, args, output: output * 2)
    return module


def patched():
    module = nn.Linear(4, 1)
    module.forward = lambda rows: rows.sum(1)
    return module


def exchanged():
    module = MLP(4, 1, hidden=(3,))
    module.layers[1] = nn.Tanh()
    return module


def parametrized():
    return torch.nn.utils.parametrizations.weight_norm(nn.Linear(4, 1))


@pytest.mark.parametrize("make", [lambda: Doubled(4, 1), hooked, patched, exchanged, parametrized])
def test_what_only_looks_like_a_known_layer_is_recorded_instead(make):
    module = make().eval()
    assert describe_layers(module) is None
    again = build_module(describe_module(module, 4))
    assert same_bits(again(ROWS), module(ROWS))


@pytest.mark.parametrize("name", DTYPES)
def test_every_dtype_comes_back_to_the_bit(name):
    bits = torch.randint(0, 2, (3, 2), generator=torch.Generator().manual_seed(1))
    tensor = (bits * 3.7 - 1).to(DTYPES[name])
    described = describe_tensor(tensor)
    assert described["data"].dtype.kind in "biuf"
    assert same_bits(restore_tensor(described), tensor)


@pytest.mark.parametrize(
    "tensor",
    [
        torch.tensor(float("nan")),
        torch.empty(0, 3),
        torch.arange(6.0).reshape(2, 3).t(),
        torch.arange(24.0).reshape(2, 3, 4).permute(2, 0, 1),
        torch.arange(10.0)[::2],
        torch.ones(1).expand(4),
    ],
)
def test_any_shape_comes_back_in_its_order_in_memory(tensor):
    again = restore_tensor(describe_tensor(tensor))
    assert same_bits(again, tensor)
    if tensor.numel() and 0 not in tensor.stride():
        dense = torch.empty_like(tensor)  # keeps the order of the dimensions
        assert again.stride() == dense.stride()


@pytest.mark.parametrize("tensor", [torch.ones(2).to_sparse(), torch.ones(2, dtype=torch.cfloat)])
def test_other_tensors_are_refused_by_name(tensor):
    module = nn.Module()
    module.register_buffer("odd", tensor)
    with pytest.raises(DataError, match="odd"):
        describe_state(module)


def test_huge_sizes_are_refused_before_memory_is_asked_for():
    tree = describe_module(nn.Linear(1, 1), 1)
    tree["structure"]["arguments"]["in_features"] = 10**12
    with pytest.raises(ModelFileError, match="weight"):
        build_module(tree)


@pytest.mark.parametrize(
    "entry",
    [
        {"dtype": "float32", "order": [0], "data": np.ones(2)},
        {"dtype": "float32", "order": [1], "data": np.ones(2, "f4")},
        {"dtype": "object", "order": [0], "data": np.ones(2)},
        {"dtype": "bfloat16", "order": [0], "data": np.ones(2, "u1")},
        {"dtype": "float32", "order": [0], "data": [1.0, 2.0]},
        {"dtype": "float32", "order": [0]},
        None,
    ],
)
def test_malformed_tensors_are_refused(entry):
    with pytest.raises(ModelFileError):
        restore_tensor(entry)


@pytest.mark.parametrize(
    "state",
    [
        None,
        [{"name": "a", "role": "parameter", "same_as": "b"}],
        [{"name": "a", "role": "code", "same_as": "a"}],
        [{"name": 1, "role": "buffer", **describe_tensor(torch.ones(1))}],
        [
            {
                "name": "a",
                "role": "parameter",
                "requires_grad": True,
                **describe_tensor(torch.ones(1).int()),
            }
        ],
    ],
)
def test_malformed_states_are_refused(state):
    with pytest.raises(ModelFileError):
        restore_state(state)


class Recorded(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 1)

    def forward(self, rows):
        return torch.cat([self.layer(rows), rows.new_zeros(rows.shape[0], 1)], 1)


TREES = [
    describe_module(nn.Sequential(nn.Linear(4, 2), nn.LayerNorm(2), nn.GLU()), 4),
    describe_module(MLP(4, 1, hidden=(2,), dropout=0.1), 4),
    describe_module(Recorded(), 4),
]
ODD = st.sampled_from(
    [
        None,
        True,
        -1,
        0,
        3,
        2**70,
        1.5,
        float("nan"),
        "",
        "os.system",
        "__class__",
        "forward",
        "layer.weight",
        [],
        {},
        (),
        [[]],
        {"node": 0},
        {"node": 99},
        {"state": "forward"},
        {"dtype": "float32"},
        np.ones((2, 2)),
        np.array(["a"], dtype=object),
    ]
)


def places(tree, path=()):
    """List the way to everything in a tree."""
    yield path
    if isinstance(tree, dict | list):
        for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
            yield from places(value, (*path, key))


def changed(tree, path, value, delete):
    if not path:
        return value
    tree = copy.copy(tree)
    if len(path) == 1 and delete:
        del tree[path[0]]
    else:
        tree[path[0]] = changed(tree[path[0]], path[1:], value, delete)
    return tree


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_changed_tree_builds_something_or_says_that_it_cannot(data):
    tree = data.draw(st.sampled_from(TREES))
    for _ in range(data.draw(st.integers(1, 2))):
        path = data.draw(st.sampled_from(list(places(tree))))
        tree = changed(tree, path, data.draw(ODD), data.draw(st.booleans()))
        if not isinstance(tree, dict):
            break
    try:
        built = build_module(tree)
    except ModelFileError as error:
        built, lines = None, str(error).splitlines()
    else:
        lines = ["built"]
    assert len(lines) == 1
    assert built is None or isinstance(built, nn.Module)
