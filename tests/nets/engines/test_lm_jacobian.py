"""The Jacobian of a stack by hand, and of any module, against autograd's."""

import pytest
import torch
from torch import nn

from abline.nets.engines.lm_problem import Problem
from abline.nets.engines.lm_stack import StackModel
from abline.nets.training import Rows

ACTIVATIONS = [
    nn.ReLU(),
    nn.Tanh(),
    nn.Sigmoid(),
    nn.LeakyReLU(0.2),
    nn.ELU(0.7),
    nn.SELU(),
    nn.Softplus(),
    nn.SiLU(),
    nn.Mish(),
    nn.GELU(),
    nn.GELU(approximate="tanh"),
    nn.Identity(),
]


class OtherOrder(nn.Module):
    """Registers its layers in another order than it calls them."""

    def __init__(self):
        super().__init__()
        self.last = nn.Linear(4, 2)
        self.first = nn.Linear(3, 4, bias=False)

    def forward(self, X):
        return self.last(torch.tanh(self.first(X)))


class Curve(nn.Module):
    """A module of bare parameters, with one output a row and no second dimension."""

    def __init__(self):
        super().__init__()
        self.b = nn.Parameter(torch.tensor([1.5, -0.5, 0.3]))

    def forward(self, X):
        return self.b[0] * torch.exp(self.b[1] * X[:, 0]) + self.b[2] * X[:, 1]


class Mixing(Curve):
    """Takes the mean over all rows, so a row alone gives something else."""

    def forward(self, X):
        return super().forward(X - X.mean(dim=0))


class Deciding(Curve):
    """Looks at its numbers, which torch.func cannot follow."""

    def forward(self, X):
        outputs = super().forward(X)
        return outputs if outputs.sum().item() > -1e9 else -outputs


def rows_for(module, weights=None, n=17):
    generator = torch.Generator().manual_seed(3)
    X = torch.randn(n, 3, generator=generator, dtype=torch.float64)
    with torch.no_grad():
        outputs = module.double()(X)
    y = torch.randn(outputs.shape, generator=generator, dtype=torch.float64)
    return Rows(X, y, weights)


def plain_jacobian(module, rows):
    """Compute ``[J r]`` by plain autograd, rows × targets in the problem's order."""
    free = [p for p in module.parameters() if p.requires_grad]
    outputs = module(rows.X).reshape(len(rows), -1)
    roots = torch.ones(len(rows)) if rows.weights is None else rows.weights.sqrt()
    lines = []
    for target in range(outputs.shape[1]):
        for row in range(len(rows)):
            slopes = torch.autograd.grad(outputs[row, target], free, retain_graph=True)
            residual = outputs[row, target] - rows.y.reshape(len(rows), -1)[row, target]
            flat = torch.cat([slope.reshape(-1) for slope in slopes] + [residual.reshape(1)])
            lines.append(flat.detach() * roots[row])
    return torch.stack(lines)


def in_module_order(problem, module):
    """Give the places of the module's parameters in the problem's vector, then the residual's."""
    marks = torch.arange(float(len(problem.first)), dtype=torch.float64)
    problem.write(marks, module)
    places = torch.cat([p.detach().reshape(-1) for p in module.parameters() if p.requires_grad])
    return torch.cat([places.long(), torch.tensor([len(problem.first)])])


def check(module, rows):
    problem = Problem(module, rows, None)
    expected = plain_jacobian(module, rows)
    order = in_module_order(problem, module)
    (block,) = problem._blocks(problem._train, problem.first[None])
    torch.testing.assert_close(block[0].T[:, order], expected, rtol=1e-12, atol=1e-12)
    products = expected.T @ expected
    triangle = problem.triangle(problem.first)[:, order]
    torch.testing.assert_close(triangle.T @ triangle, products, rtol=1e-11, atol=1e-11)
    several = torch.stack([problem.first * share for share in (0.5, 1, 2)])
    gram = problem.quick_gram(several.to(problem.quick_dtype))[1][order][:, order]
    torch.testing.assert_close(gram.double(), products, rtol=1e-4, atol=1e-4)
    return problem


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=str)
def test_a_stack_agrees_with_autograd(activation):
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Linear(3, 5), activation, nn.Linear(5, 4, bias=False), activation, nn.Linear(4, 2)
    )
    problem = check(module, rows_for(module))
    assert isinstance(problem.model, StackModel)


@pytest.mark.parametrize(
    ("module", "stack", "rows_apart"),
    [
        (OtherOrder(), True, True),
        (nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Tanh(), nn.Linear(4, 2)), False, True),
        (nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1), nn.Tanh()), True, True),
        (nn.Sequential(nn.Linear(3, 4), nn.PReLU(), nn.Linear(4, 1)), False, False),
        (Curve(), False, True),
        (Mixing(), False, False),
        (Deciding(), False, False),
    ],
    ids=["other order", "layer norm", "bent output", "no rule", "bare", "mixing rows", "deciding"],
)
def test_other_modules_agree_with_autograd(module, stack, rows_apart):
    problem = check(module, rows_for(module, weights=torch.linspace(0.1, 3, 17).double()))
    assert isinstance(problem.model, StackModel) is stack
    assert problem.model.rows_apart is rows_apart


def test_a_frozen_parameter_is_left_out():
    module = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    module[0].bias.requires_grad_(False)
    assert len(check(module, rows_for(module)).first) == 12 + 5


def test_rows_in_several_blocks_give_the_same(monkeypatch):
    module = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    problem = Problem(module, rows_for(module), None)
    several = torch.stack([problem.first, 2 * problem.first])
    gram, triangle = problem.quick_gram(several.float()), problem.triangle(several[0])
    monkeypatch.setattr("abline.nets.engines.lm_problem._HELD", 5 * 2 * (len(several[0]) + 1))
    assert len(list(problem._blocks(problem._train, several[:1]))) == 4
    torch.testing.assert_close(problem.quick_gram(several.float()), gram, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(
        problem.triangle(several[0]).abs(), triangle.abs(), rtol=1e-10, atol=1e-10
    )


def test_parameters_of_other_kinds_keep_their_digits():
    assert Problem(Curve(), rows_for(Curve()), None).quick_dtype == torch.float64
    assert Problem(nn.Linear(3, 1), rows_for(nn.Linear(3, 1)), None).quick_dtype == torch.float32


def test_starts_of_a_long_table_are_ranked_by_every_few_rows():
    module = nn.Linear(3, 1)
    rows = rows_for(module, weights=torch.linspace(1, 2, 1000).double(), n=1000)
    problem = Problem(module, rows, None)
    some = rows.take(slice(None, None, 1000 // (8 * 4)))
    squares = problem.quick_squares(problem.first[None].float())[0]
    with torch.no_grad():
        errors = (module(some.X) - some.y).square()[:, 0]
    expected = (errors * some.weights).sum() / some.weights.sum()
    assert (squares * problem.quick_loss_scale).item() == pytest.approx(expected.item(), rel=1e-5)
