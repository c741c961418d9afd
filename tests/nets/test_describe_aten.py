"""Modules with a forward of their own, as lists of operations."""

import copy
import logging
import pickle
import warnings

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from abline.errors import DataError, ModelFileError
from abline.nets import aten_ops
from abline.nets.aten_attention import plain_attention
from abline.nets.aten_capture import capture, rebuild
from abline.nets.aten_module import AtenModule
from abline.nets.describe import build_module, describe_module

N_FEATURES = 4


class Net(nn.Module):
    """Two layers, a free parameter, buffers of both kinds and a plain tensor."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(N_FEATURES, 8)
        self.norm = nn.BatchNorm1d(8)
        self.more = nn.ModuleList(nn.Linear(8, 8) for _ in range(2))
        self.last = nn.Linear(8, 1)
        self.scale = nn.Parameter(torch.linspace(0.5, 1.5, 8))
        self.register_buffer("shift", torch.arange(8.0))
        self.register_buffer("gain", torch.tensor(1.5, dtype=torch.float64), persistent=False)
        self.plain = torch.ones(8)

    def hidden(self, x):
        return F.relu(self.norm(self.first(x)))

    def forward(self, x):
        hidden = self.hidden(x) * self.scale + self.shift * self.gain.float() - self.plain
        for layer in self.more:
            hidden = torch.tanh(layer(hidden))
        return self.last(F.dropout(hidden, training=self.training))


def net(forward):
    return type(forward.__name__, (Net,), {"forward": forward})


def asks_for_shapes(self, x):
    if x.dim() == 1:
        x = x[None]
    assert x.shape[1] == N_FEATURES
    hidden = self.hidden(x)
    return self.last(hidden.view(hidden.shape[0], -1)).squeeze(-1)


def joins_branches(self, x):
    left, right = self.hidden(x).split(4, dim=1)
    return self.last(torch.cat([left.sin(), right.exp()], dim=1)) + x[:, [0]] * x[..., -1:]


def uses_einsum(self, x):
    return torch.einsum("ij,j->i", self.hidden(x), self.scale)


def works_in_place(self, x):
    x += 1
    hidden = self.hidden(x)
    hidden[:, 0] = hidden[:, 0] * 2
    hidden[hidden > 1] = 0.5
    return self.last(F.relu(hidden, inplace=True)).add_(1)


def counts_rows(self, x):
    ramp = torch.arange(len(x), device=x.device).unsqueeze(1)
    return self.last(self.hidden(x)) / len(x) ** 0.5 + ramp + torch.zeros(x.size(0), 1)


def fills_an_empty(self, x):
    out = torch.empty(x.shape[0], 1)
    out[:] = self.last(self.hidden(x))
    return out


def stops_gradients(self, x):
    with torch.no_grad():
        center = x.mean(1, keepdim=True)
    return self.last(self.hidden(x - center))


def maps_rows(self, x):
    return self.last(torch.vmap(torch.sin)(self.hidden(x)))


def casts(self, x):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return self.last(self.hidden(x)).float()


def draws_numbers(self, x):
    return self.last(F.dropout(self.hidden(x), 0.5, training=True)) + torch.rand_like(x[:, :1])


def embeds(self, x):
    levels = x[:, 0].long()  # negative ones fail, as rows of random numbers will
    return self.last(self.hidden(x)) + F.embedding(levels, self.shift[:, None])


def sums_sizes(self, x):
    n, p = x.shape
    return self.last(self.hidden(x.reshape(n * p).view(n, p)))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(1, 5, batch_first=True)
        self.gru = nn.GRU(1, 3, batch_first=True, bidirectional=True)
        self.last = nn.LazyLinear(1)

    def forward(self, x):
        long, _ = self.lstm(x.unsqueeze(-1))
        short, _ = self.gru(x.unsqueeze(-1))
        return self.last(torch.cat([long[:, -1], short[:, -1]], 1))


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(1, 8)
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2)
        self.attend = nn.MultiheadAttention(8, 2, batch_first=True)
        self.last = nn.Linear(8, 1)

    def forward(self, x):
        tokens = self.encoder(self.embed(x.unsqueeze(-1)))
        attended, _ = self.attend(tokens, tokens, tokens)
        return self.last(attended.mean(1))


class Normed(nn.Module):
    """Parametrized, shared and frozen weights, a hook, and lists of parameters."""

    def __init__(self):
        super().__init__()
        norm = torch.nn.utils.parametrizations.weight_norm
        self.a = norm(nn.Linear(N_FEATURES, 6))
        self.b = nn.Linear(6, 6).requires_grad_(False)
        self.c = nn.Linear(6, 6)
        self.c.weight = self.b.weight
        self.last = nn.Linear(6, 1)
        self.last.register_forward_hook(lambda module, args, output: output * 2)
        self.free = nn.ParameterList([nn.Parameter(torch.ones(6))])
        self.register_buffer("runs", torch.zeros(()))

    def forward(self, x, mask=None):
        self.runs += 1
        return self.last(self.c(self.b(self.a(x)) * self.free[0]))


FORWARDS = [
    asks_for_shapes,
    joins_branches,
    uses_einsum,
    works_in_place,
    counts_rows,
    fills_an_empty,
    stops_gradients,
    maps_rows,
    casts,
    draws_numbers,
    sums_sizes,
]
SLOW = [pytest.param(cls, marks=pytest.mark.slow) for cls in (Recurrent, Attention)]
MODULES = [Net, *map(net, FORWARDS), Normed, *SLOW]


def make(cls):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = cls()
        with torch.no_grad():
            module(torch.randn(5, N_FEATURES))  # lazy layers, batch statistics
    return module


def outputs(module, rows):
    module.eval()
    with torch.random.fork_rng(devices=[]), torch.inference_mode(), plain_attention():
        torch.manual_seed(1)
        return module(rows.clone()).numpy()


@pytest.mark.parametrize("cls", MODULES, ids=lambda cls: cls.__name__)
def test_a_recorded_network_computes_the_same_bits(cls):
    module = make(cls)
    recorded = rebuild(capture(module, N_FEATURES))
    rows = torch.randn(70_000, N_FEATURES, generator=torch.Generator().manual_seed(2))
    for n_rows in (1, 2, 7, 1000, 5000 if cls in (Recurrent, Attention) else 70_000):
        expected = outputs(module, rows[:n_rows])
        np.testing.assert_array_equal(outputs(recorded, rows[:n_rows]), expected)


@pytest.mark.parametrize("cls", [Net, net(stops_gradients), Normed], ids=lambda cls: cls.__name__)
def test_a_recorded_network_is_an_ordinary_module(cls):
    module = make(cls)
    recorded = rebuild(capture(module, N_FEATURES))
    assert {k: v.shape for k, v in recorded.state_dict().items()} == {
        k: v.shape for k, v in module.state_dict().items()
    }
    trainable = {name for name, p in module.named_parameters() if p.requires_grad}
    assert {name for name, p in recorded.named_parameters() if p.requires_grad} == trainable
    rows = torch.ones(3, N_FEATURES, requires_grad=True)
    gradients = [torch.autograd.grad(m(rows * 1).sum(), rows)[0] for m in (module.eval(), recorded)]
    torch.testing.assert_close(*gradients, rtol=0, atol=0)
    again = pickle.loads(pickle.dumps(copy.deepcopy(recorded)))
    np.testing.assert_array_equal(outputs(again, rows), outputs(recorded, rows))
    assert all(p.dtype == torch.float64 for p in again.double().parameters())


def test_recording_leaves_module_and_process_alone(caplog, capfd, recwarn):
    module = make(net(draws_numbers)).train()
    before = copy.deepcopy(module.state_dict())
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    capture(module, N_FEATURES)
    with pytest.raises(DataError):
        capture(make(net(branches_on_values)), N_FEATURES)
    assert module.training
    assert all(torch.equal(value, before[key]) for key, value in module.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads
    assert torch.is_grad_enabled()
    assert torch.get_default_dtype() == torch.float32
    assert capfd.readouterr() == ("", "")
    assert not caplog.records
    assert not recwarn.list
    assert logging.getLogger("torch").level <= logging.CRITICAL


def test_modules_are_recorded_whatever_surrounds_the_call():
    module = make(Net)
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        recorded = build_module(describe_module(module, N_FEATURES))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        got = recorded(torch.ones(2, N_FEATURES))
    assert got.requires_grad
    assert torch.equal(got, module.eval()(torch.ones(2, N_FEATURES)))


def test_rows_that_the_module_refuses_do_not_count():
    module = net(embeds)()
    recorded = rebuild(capture(module, N_FEATURES))
    rows = torch.arange(8.0).reshape(2, N_FEATURES)
    np.testing.assert_array_equal(outputs(recorded, rows), outputs(module, rows))


def test_a_loaded_network_leaves_its_input_alone():
    rows = torch.ones(3, N_FEATURES)
    rebuild(capture(make(net(works_in_place)), N_FEATURES))(rows)
    assert torch.equal(rows, torch.ones(3, N_FEATURES))


def branches_on_values(self, x):
    return self.last(self.hidden(x)) if x.sum() > 0 else x[:, :1]


def branches_on_one_row(self, x):
    return self.last(self.hidden(x)) * (3 if x.shape[0] == 1 else 1)


def branches_on_even(self, x):
    return self.last(self.hidden(x)) * (3 if x.shape[0] % 2 else 1)


def returns_two(self, x):
    return x, self.hidden(x)


def returns_a_dict(self, x):
    return {"mean": self.last(self.hidden(x))}


def leaves_torch(self, x):
    return torch.tensor([[sum(row)] for row in x.tolist()])


def always_fails(self, x):
    raise KeyError("nothing")


def uses_what_is_not_allowed(self, x):
    return self.last(x.as_strided((x.shape[0], 8), (1, 0)))


@pytest.mark.parametrize(
    ("forward", "reason"),
    [
        (branches_on_values, "branches on the values"),
        (branches_on_one_row, "for 1 rows"),
        (branches_on_even, "for 2 rows"),
        (returns_two, "one tensor"),
        (returns_a_dict, "dict"),
        (leaves_torch, "tolist|plain data"),
        (always_fails, "nothing"),
        (uses_what_is_not_allowed, "as_strided"),
    ],
)
def test_what_cannot_be_recorded_is_refused_in_one_sentence(forward, reason):
    cls = net(forward)
    with pytest.raises(DataError, match=reason) as caught:
        capture(cls(), N_FEATURES)
    message = str(caught.value)
    assert message.startswith(f"{forward.__name__}'s forward cannot be written as plain data")
    assert "pickle the estimator" in message
    assert "\n" not in message


@pytest.mark.parametrize(
    "name",
    [
        "aten.from_file.default",
        "aten.set_.source_Storage",
        "aten.resize_.default",
        "aten.add.out",
        "aten.add.nonsense",
        "aten.__class__.default",
        "aten.add.__class__",
        "aten._unsafe_index.Tensor",
        "prims.add.default",
        "os.system",
        "eval",
        "",
    ],
)
def test_operations_beyond_the_lists_are_not_found(name):
    with pytest.raises(KeyError):
        aten_ops.find(name)
    with pytest.raises(ModelFileError, match="operation"):
        AtenModule("X", [{"op": name, "args": [{"input": 0}], "kwargs": {}}], {"node": 0}, {})


def test_every_listed_operation_exists():
    assert [name for name in aten_ops.ATEN if not hasattr(torch.ops.aten, name)] == []


def test_a_size_that_would_fill_the_memory_is_refused():
    nodes = [{"op": "aten.sym_size.int", "args": [{"input": 0}, 0], "kwargs": {}}]
    nodes += [{"op": "mul", "args": [{"node": i}, {"node": i}], "kwargs": {}} for i in range(40)]
    module = AtenModule("Bomb", nodes, {"node": 40}, {})
    with pytest.raises(OverflowError, match="64 bits"):
        module(torch.ones(3, 1))


@pytest.mark.gpu
def test_a_recorded_network_runs_on_a_gpu():
    module = make(net(counts_rows))
    recorded = rebuild(capture(module, N_FEATURES)).cuda()
    rows = torch.randn(9, N_FEATURES)
    got = recorded(rows.cuda())
    assert got.is_cuda
    torch.testing.assert_close(got.cpu(), module.eval()(rows), rtol=1e-4, atol=1e-4)
