"""Each loss is what its source says, and its outputs stand for what its predictions are."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics import mean_gamma_deviance, mean_pinball_loss, mean_poisson_deviance
from torch import nn

from abline.errors import DataError, ParameterError
from abline.nets import GammaLoss, GaussianNLL, PoissonLoss, QuantileLoss
from abline.nets.criteria import NAMES, criterion_class

LOSSES = [
    PoissonLoss(),
    GammaLoss(),
    GaussianNLL(),
    GaussianNLL(eps=0.5),
    QuantileLoss(),
    QuantileLoss(0.9),
    QuantileLoss([0.3]),
    QuantileLoss([0.1, 0.5, 0.9]),
    QuantileLoss([0.6, 0.7, 0.8, 0.9]),
    QuantileLoss([0.01, 0.02]),
]

each_loss = pytest.mark.parametrize("loss", LOSSES, ids=str)


def numbers(loss, n=7, n_targets=2):
    rng = np.random.default_rng(0)
    outputs = torch.tensor(rng.normal(size=(n, loss.n_outputs(n_targets))))
    return outputs, torch.tensor(rng.gamma(2.0, size=(n, n_targets)))


# ---- values


@pytest.mark.parametrize("level", [0.1, 0.5, 0.8])
def test_the_quantile_loss_is_scikit_learns(level):
    outputs, target = numbers(QuantileLoss(level))
    expected = mean_pinball_loss(target, outputs, alpha=level)
    assert QuantileLoss(level)(outputs, target).item() == pytest.approx(expected)


def test_several_levels_are_averaged():
    levels = (0.2, 0.5, 0.7, 0.9)
    loss = QuantileLoss(levels)
    outputs, target = numbers(loss)
    predicted = loss.predict(outputs)
    assert predicted.shape == (7, 2, 4)
    one_by_one = [
        mean_pinball_loss(target, predicted[:, :, place], alpha=level)
        for place, level in enumerate(levels)
    ]
    assert loss(outputs, target).item() == pytest.approx(np.mean(one_by_one))


def test_the_poisson_loss_is_half_the_deviance():
    outputs, target = numbers(PoissonLoss())
    mean = PoissonLoss().predict(outputs)
    saturated = (target - torch.special.xlogy(target, target)).mean()
    expected = mean_poisson_deviance(target.ravel(), mean.ravel()) / 2 + saturated
    assert PoissonLoss()(outputs, target).item() == pytest.approx(expected.item())
    assert torch.equal(PoissonLoss()(outputs, target), nn.PoissonNLLLoss()(outputs, target))


def test_the_gamma_loss_is_half_the_deviance():
    outputs, target = numbers(GammaLoss())
    mean = GammaLoss().predict(outputs)
    expected = mean_gamma_deviance(target.ravel(), mean.ravel()) / 2 + (1 + target.log()).mean()
    assert GammaLoss()(outputs, target).item() == pytest.approx(expected.item())


@pytest.mark.parametrize("eps", [1e-6, 0.5])
def test_the_gaussian_loss_is_the_likelihood(eps):
    loss = GaussianNLL(eps)
    outputs, target = numbers(loss)
    mean, std = loss.predict(outputs), loss.predict_std(outputs)
    np.testing.assert_array_equal(mean, outputs[:, ::2])
    np.testing.assert_allclose(std**2, outputs[:, 1::2].exp() + eps)
    expected = (
        -norm.logpdf(target.numpy(), mean.numpy(), std.numpy()).mean() - math.log(2 * math.pi) / 2
    )
    assert loss(outputs, target).item() == pytest.approx(expected)
    assert nn.GaussianNLLLoss(eps=1e-12)(mean, target, std**2).item() == pytest.approx(expected)


def test_a_row_that_is_met_exactly_has_a_finite_loss():
    loss = GaussianNLL()
    outputs = torch.tensor([[3.0, -1e4]], requires_grad=True)
    value = loss(outputs, torch.tensor([[3.0]]))
    value.backward()
    assert value.item() == pytest.approx(math.log(1e-6) / 2)
    assert torch.isfinite(outputs.grad).all()


@each_loss
def test_derivatives_are_those_of_the_values(loss):
    outputs, target = numbers(loss)
    assert torch.autograd.gradcheck(lambda o: loss(o, target), outputs.requires_grad_())


@each_loss
def test_reductions_are_torchs(loss):
    outputs, target = numbers(loss)
    kind, arguments = type(loss), loss.constructor_args()
    values = kind(**(arguments | {"reduction": "none"}))(outputs, target)
    assert len(values) == 7
    torch.testing.assert_close(loss(outputs, target), values.mean())
    summed = kind(**(arguments | {"reduction": "sum"}))(outputs, target)
    torch.testing.assert_close(summed, values.sum())


@each_loss
def test_targets_are_apart(loss):
    outputs, target = numbers(loss)
    width = loss.n_outputs(1)
    parts = [loss(outputs[:, k * width : (k + 1) * width], target[:, k : k + 1]) for k in range(2)]
    torch.testing.assert_close(loss(outputs, target), sum(parts) / 2)


@pytest.mark.parametrize("loss", [PoissonLoss(), GammaLoss(), QuantileLoss(0.3)], ids=str)
def test_one_output_may_come_without_its_dimension(loss):
    outputs, target = numbers(loss, n_targets=1)
    torch.testing.assert_close(loss(outputs[:, 0], target[:, 0]), loss(outputs, target))


@each_loss
def test_other_shapes_are_refused(loss):
    outputs, target = numbers(loss)
    with pytest.raises(ParameterError, match=rf"give {loss.n_outputs(1)} columns"):
        loss(outputs, target[:, 0])
    with pytest.raises(ParameterError, match=r"of shape \(7, \d+\) for targets of shape \(6, 2\)"):
        loss(outputs, target[:-1])


@each_loss
def test_precisions_stay(loss):
    outputs, target = numbers(loss)
    assert loss(outputs.float(), target.float()).dtype == torch.float32
    assert loss.predict(outputs.float()).dtype == torch.float32


# ---- levels do not cross


@given(
    st.lists(st.floats(0.001, 0.999), min_size=2, max_size=6, unique=True).map(sorted),
    st.data(),
)
def test_levels_never_cross(levels, data):
    wide = st.floats(-1e6, 1e6, width=32)
    outputs = data.draw(st.lists(wide, min_size=len(levels), max_size=len(levels)))
    for dtype in (torch.float32, torch.float64):
        predicted = QuantileLoss(levels).predict(torch.tensor([outputs], dtype=dtype))
        assert (predicted.diff(dim=2) >= 0).all()


@pytest.mark.parametrize(
    ("levels", "middle"),
    [([0.1, 0.5, 0.9], 1), ([0.7, 0.8], 0), ([0.1, 0.2], 1), ([0.4, 0.6], 0), ([0.5], 0)],
)
def test_the_middle_level_is_free_and_the_others_keep_their_distance(levels, middle):
    loss = QuantileLoss(levels)
    assert loss.middle == middle
    wanted = torch.tensor([[[-3.0, -2.5, 4.0][: len(levels)]]], dtype=torch.float64)
    # undoing the map by hand reaches any increasing numbers
    gaps = torch.log(torch.expm1(wanted.diff(dim=2)))[0, 0]
    outputs = torch.cat([gaps[:middle], wanted[0, 0, middle : middle + 1], gaps[middle:]])
    torch.testing.assert_close(loss.predict(outputs[None]), wanted)


# ---- names and arguments


@pytest.mark.parametrize("quantile", [0, 1, 1.5, [], [0.5, 0.5], [0.9, 0.1], "0.5", None, [None]])
def test_levels_that_are_none_are_refused(quantile):
    with pytest.raises(ParameterError, match=r"quantile is .* between 0 and 1, or several"):
        QuantileLoss(quantile)


def test_other_arguments_are_checked():
    with pytest.raises(ParameterError, match="reduction cannot be 'avg'"):
        GammaLoss("avg")
    with pytest.raises(ParameterError, match="eps is 0"):
        GaussianNLL(eps=0)


@pytest.mark.parametrize(
    ("loss", "wrong"),
    [(PoissonLoss(), -1.0), (GammaLoss(), 0.0), (GammaLoss(), -2.5)],
    ids=str,
)
def test_targets_that_cannot_be_are_named(loss, wrong):
    y = np.ones((5, 2))
    loss.check_target(y)
    y[3, 1] = wrong
    with pytest.raises(DataError, match=rf"y is {wrong:g} in row 3: (counts|amounts) must be"):
        loss.check_target(y)


def test_counts_may_be_zero_and_other_losses_take_any_target():
    PoissonLoss().check_target(np.zeros((3, 1)))
    for loss, wild in itertools.product((QuantileLoss(), GaussianNLL()), (-1e300, 0.0)):
        loss.check_target(np.full((3, 1), wild))


@each_loss
def test_arguments_make_the_same_loss_and_are_shown(loss):
    again = type(loss)(**loss.constructor_args())
    assert str(again) == str(loss)
    assert "reduction='mean'" in str(loss)


def test_names_are_those_of_classes():
    assert all(criterion_class(name) is kind for name, kind in NAMES.items())
    with pytest.raises(ParameterError, match="criterion is 'poison': did you mean 'poisson', or"):
        criterion_class("poison")
    with pytest.raises(ParameterError, match="criterion is 'xyz': there are 'squared_error',"):
        criterion_class("xyz")
