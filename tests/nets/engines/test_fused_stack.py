"""What counts as a stack of linear layers, and why anything else does not."""

import threading

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from abline.nets.engines.fused import codes
from abline.nets.engines.fused.stack import NotFused, find_stack
from abline.nets.modules import MLP


class _Own(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.relu = nn.ReLU()
        self.second = nn.Linear(4, 4, bias=False)
        self.last = nn.Linear(4, 1)

    def forward(self, x):
        x = self.relu(self.first(x))
        x = torch.tanh(self.second(x))
        return self.last(x).squeeze(-1)


def test_a_persons_own_class_is_recognised():
    stack = find_stack(_Own())
    assert [layer.activation for layer in stack.layers] == [1, 2, 0]
    assert stack.layers[1].linear.bias is None


class _Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(3, 3), nn.Linear(3, 1)

    def forward(self, x):
        return self.b(self.a(self.a(x)))


class _Skip(_Twice):
    def forward(self, x):
        return self.b(self.a(x) + x)


class _Branch(_Twice):
    def forward(self, x):
        return self.b(self.a(x)) if x.sum() > 0 else self.b(x)


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        (_Twice(), "twice"),
        (_Skip(), "takes something else"),
        (_Branch(), "cannot be traced"),
        (nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1)), "BatchNorm1d"),
        (nn.Sequential(nn.ReLU(), nn.Linear(3, 1)), "before the first"),
        (nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Tanh()), "another activation"),
        (nn.Sequential(nn.Linear(3, 1), nn.Softplus(beta=2.0)), "softplus"),
        (nn.Linear(3, 1).half(), "float32"),
        (nn.Sequential(nn.Linear(3, 4), nn.PReLU(), nn.Linear(4, 1)), "PReLU"),
    ],
    ids=lambda x: x if isinstance(x, str) else type(x).__name__,
)
def test_other_modules_are_refused_with_the_reason(module, reason):
    with pytest.raises(NotFused, match=reason):
        find_stack(module)


def test_a_forward_of_an_instance_is_followed():
    module = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 1))
    module.forward = lambda rows: module[4](module[3](module[2](module[0](rows))))  # skips one
    stack = find_stack(module)
    assert [layer.activation for layer in stack.layers] == [0, 2, 0]


def test_a_perceptron_of_our_own_is_recognised():
    stack = find_stack(MLP(3, 1, hidden=(4, 4), dropout=0.1))
    assert [layer.dropout for layer in stack.layers] == [0.1, 0.1, 0.0]
    with pytest.raises(NotFused, match="takes something else"):
        find_stack(MLP(3, 1, hidden=(4,), skip=True))


class ByMode(nn.Module):
    def __init__(self):
        super().__init__()
        self.line = nn.Linear(3, 1)

    def forward(self, rows):
        return self.line(rows * 2 if self.training else rows)


def test_a_forward_that_depends_on_the_mode_is_not_followed():
    for mode in (True, False):
        module = ByMode().train(mode)
        with pytest.raises(NotFused):
            find_stack(module)
        assert module.training == module.line.training == mode


class Backbone(nn.Module):
    """Trains its last layer alone."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(3, 4), nn.Linear(4, 1)

    def forward(self, rows):
        with torch.no_grad():
            values = torch.relu(self.first(rows))
        return self.last(values)


def _tied():
    module = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3))
    module[2].weight = module[0].weight
    return module


def _masked():
    module = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 1))
    module[0].weight.register_hook(torch.triu)
    return module


@pytest.mark.parametrize(
    ("make", "words"),
    [(Backbone, "without a gradient"), (_tied, "share weights"), (_masked, "have hooks")],
)
def test_trainings_that_the_layers_do_not_tell_are_left_to_the_loop(make, words):
    with pytest.raises(NotFused, match=words):
        find_stack(make())


class Functional(nn.Module):
    """Its activation and dropout are functions, and its output has no second dimension."""

    def __init__(self, act, end=lambda values: values[:, 0]):
        super().__init__()
        self.first, self.last = nn.Linear(3, 4), nn.Linear(4, 1)
        self.act, self.end = act, end

    def forward(self, rows):
        values = F.dropout(self.act(self.first(rows)), 0.2, self.training)
        return self.end(self.last(values))


@pytest.mark.parametrize(
    ("act", "code", "parameter"),
    [
        (torch.relu, codes.RELU, 0.0),
        (F.relu, codes.RELU, 0.0),
        (lambda values: values.relu_(), codes.RELU, 0.0),
        (torch.tanh, codes.TANH, 0.0),
        (F.tanh, codes.TANH, 0.0),
        (torch.sigmoid, codes.SIGMOID, 0.0),
        (lambda values: values.sigmoid(), codes.SIGMOID, 0.0),
        (F.silu, codes.SILU, 0.0),
        (lambda values: F.leaky_relu(values, 0.3), codes.LEAKY_RELU, 0.3),
        (lambda values: F.elu(values, alpha=0.7), codes.ELU, 0.7),
        (F.gelu, codes.GELU, 0.0),
        (lambda values: F.gelu(values, approximate="tanh"), codes.GELU_TANH, 0.0),
        (F.softplus, codes.SOFTPLUS, 0.0),
    ],
    ids=[
        "torch.relu", "F.relu", "relu_", "torch.tanh", "F.tanh", "torch.sigmoid", "sigmoid", "silu",
        "leaky", "elu", "gelu", "gelu tanh", "softplus",
    ],
)  # fmt: skip
def test_functions_count_as_parts_do(act, code, parameter):
    first, last = find_stack(Functional(act)).layers
    assert (first.activation, first.parameter, first.dropout) == (code, parameter, 0.2)
    assert (last.activation, last.dropout) == (codes.IDENTITY, 0.0)


@pytest.mark.parametrize(
    "end",
    [
        lambda values: values.squeeze(-1),
        lambda values: torch.squeeze(values, dim=1),
        lambda values: values.flatten(),
        lambda values: values.view(-1),
        lambda values: values.reshape(-1),
        nn.Flatten(),
    ],
    ids=["squeeze", "dim", "flatten", "view", "reshape", "nn.Flatten"],
)
def test_one_output_may_lose_its_dimension(end):
    assert len(find_stack(Functional(torch.tanh, end)).layers) == 2


def _with(forward, **attributes):
    """Make a module of two layers, ``a`` and ``b``, with a forward of its own."""
    module = type("Made", (nn.Module,), {"forward": forward})()
    module.a, module.b = nn.Linear(3, 3), nn.Linear(3, 1)
    for name, value in attributes.items():
        setattr(module, name, value)
    return module


def _always_drops(self, rows):
    return self.b(F.dropout(self.a(rows), 0.5))


def _stores(self, rows):
    self.seen = self.a(rows)
    return self.b(self.seen)


def _collects(self, rows):
    self.seen.append(self.a(rows))
    return self.b(self.seen[-1])


def _scales(self, rows):
    return self.b(self.a(rows) * torch.ones(3))


def _masks(self, rows):
    return self.b(F.linear(rows, self.a.weight * 2, self.a.bias))


def _forgets_the_bias(self, rows):
    return self.b(F.linear(rows, self.a.weight))


def _autocasts(self, rows):
    with torch.autocast("cpu", torch.bfloat16):
        return self.b(self.a(rows))


def _forgives(self, rows):
    try:
        return self.b(self.a(rows) + torch.ones(3))
    except Exception:  # what the test is about: a forward that carries on
        return self.b(self.a(rows))


def _other_bias(self, rows):
    return self.b(F.linear(rows, self.c.weight, bias=self.a.bias))


class Reversed(torch.autograd.Function):
    """Does nothing forward, and turns derivatives round."""

    @staticmethod
    def forward(_ctx, values):
        return values

    @staticmethod
    def backward(_ctx, slopes):
        return -slopes


def _asks(self, rows):
    return self.b(self.a(rows * 2 if torch.is_tensor(rows) else rows))


@pytest.mark.parametrize(
    ("forward", "attributes", "words"),
    [
        (_always_drops, {}, "in training than in evaluation"),
        (_stores, {}, "stores values in the module"),
        (_collects, {"seen": []}, "stores values in the module"),
        (_scales, {}, "other tensors than its parameters"),
        (_masks, {}, "other tensors than its parameters"),
        (_forgets_the_bias, {}, "otherwise than nn.Linear"),
        (_autocasts, {}, "under autocast"),
        (_forgives, {}, "other tensors than its parameters"),
        (_other_bias, {"c": nn.Linear(3, 3, bias=False)}, "otherwise than nn.Linear"),
        (lambda self, rows: self.b(Reversed.apply(self.a(rows))), {}, "more than what it calls"),
        (_asks, {}, "more than what it calls"),
        (lambda self, rows: self.b(torch.dropout(self.a(rows), 0.5, True)), {}, "in evaluation"),
        (lambda self, rows: self.b(self.drop(rows)), {"drop": nn.Dropout(0.2)}, "before the first"),
        (lambda self, rows: self.b(rows), {}, "without a gradient"),
        (lambda self, rows: self.b(self.a(rows).detach()), {}, "do not know detach"),
        (lambda self, rows: self.b(self.a(rows).softmax(1)), {}, "do not know softmax"),
        (lambda self, rows: (self.b(self.a(rows)),), {}, "something else"),
    ],
    ids=[
        "always drops", "stores", "collects", "scales", "masks", "bias", "autocast", "forgives",
        "other bias", "reversed", "asks", "torch.dropout", "drops rows",
        "unused", "detach", "softmax", "tuple",
    ],
)  # fmt: skip
def test_forwards_that_are_more_than_layers_are_refused(forward, attributes, words):
    module = _with(forward, **attributes)
    before = {name: dict(vars(part)) for name, part in module.named_modules()}
    with pytest.raises(NotFused, match=words):
        find_stack(module)
    assert {name: dict(vars(part)) for name, part in module.named_modules()} == before
    assert all(held == [] for held in attributes.values() if isinstance(held, list))


def test_either_dropout_is_read():
    def forward(self, rows):
        return self.b(torch.dropout(self.a(rows), 0.3, train=self.training))

    assert [layer.dropout for layer in find_stack(_with(forward)).layers] == [0.3, 0.0]


def test_a_compiled_module_is_left_to_the_loop():
    stack = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    module = torch.compile(stack, backend="eager")
    with pytest.raises(NotFused, match="OptimizedModule is another module's wrapper"):
        find_stack(module)


def test_modules_of_other_threads_stay_as_they_are():
    other, outputs = nn.Sequential(nn.Linear(2, 2), nn.ReLU()), []

    def forward(self, rows):
        thread = threading.Thread(target=lambda: outputs.append(other(torch.ones(1, 2))))
        thread.start()
        thread.join()
        return self.b(self.a(rows))

    assert len(find_stack(_with(forward)).layers) == 2
    assert [type(values) for values in outputs] == [torch.Tensor] * 3
