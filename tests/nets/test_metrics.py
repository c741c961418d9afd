"""Metrics against scikit-learn and torchmetrics."""

import numpy as np
import pytest
import torch
import torchmetrics
from sklearn.metrics import get_scorer, make_scorer, mean_absolute_error

from abline.errors import ParameterError
from abline.nets import TorchRegressor
from abline.nets.metrics import make_metrics

CPU = torch.device("cpu")
IN_TORCH = [
    "r2",
    "explained_variance",
    "neg_mean_absolute_error",
    "neg_mean_squared_error",
    "neg_root_mean_squared_error",
    "neg_max_error",
]


@pytest.fixture(params=[1, 3])
def pair(request):
    rng = np.random.default_rng(0)
    target = rng.normal(loc=5, size=(50, request.param))
    return target + rng.normal(size=target.shape), target


def scored(name, outputs, target):
    """What scikit-learn's scorer says."""
    metric = get_scorer(name)
    return metric._sign * metric._score_func(target, outputs, **metric._kwargs)


@pytest.mark.parametrize(
    "name", [*IN_TORCH, "neg_median_absolute_error", "d2_absolute_error_score"]
)
def test_scorers_equal_scikit_learns(name, pair):
    outputs, target = pair
    if name == "neg_max_error" and target.shape[1] > 1:
        pytest.skip("scikit-learn's is for one target")
    metric = make_metrics(name, CPU)[name]
    value = metric(torch.tensor(outputs), torch.tensor(target))
    assert value == pytest.approx(scored(name, outputs, target), rel=1e-12)


@pytest.mark.parametrize("name", ["r2", "explained_variance"])
@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_a_constant_target_scores_as_in_scikit_learn(name, shift):
    target = np.array([[2.0, 1.0], [2.0, 2.0], [2.0, 4.0]])
    outputs = target + np.array([[shift, 0.1], [0.0, 0.2], [0.0, 0.3]])
    metric = make_metrics(name, CPU)[name]
    value = metric(torch.tensor(outputs), torch.tensor(target))
    assert value == pytest.approx(scored(name, outputs, target))


def test_float32_outputs_are_summed_in_float64():
    target = torch.linspace(1e6, 1e6 + 1, 1000)
    outputs = target + 0.0625
    assert make_metrics("r2", CPU)["r2"](outputs, target) == pytest.approx(
        scored("r2", outputs.double().numpy(), target.double().numpy()), rel=1e-12
    )


@pytest.mark.parametrize("shape", [(50,), (50, 1)])
def test_torchmetrics_objects_agree(shape):
    generator = torch.Generator().manual_seed(0)
    target = torch.randn(shape, generator=generator)
    outputs = target + torch.randn(shape, generator=generator)
    metrics = make_metrics(["r2", torchmetrics.R2Score()], CPU)
    assert list(metrics) == ["r2", "r2_score"]
    for _ in range(2):  # an epoch does not remember the last
        values = [metric(outputs, target) for metric in metrics.values()]
        assert values[0] == pytest.approx(values[1], rel=1e-5)


def test_objects_with_update_and_compute_start_anew_in_each_epoch():
    class Worst:
        def __init__(self):
            self.value = 0.0

        def update(self, preds, target):
            assert preds.ndim == 1
            self.value = max(self.value, float((preds - target).abs().max()))

        def compute(self):
            return self.value

    worst = Worst()
    metric = make_metrics({"worst": worst}, CPU)["worst"]
    target = torch.zeros(4, 1)
    assert [metric(target + shift, target) for shift in (3.0, 1.0)] == [3.0, 1.0]
    assert worst.value == 0.0


def test_scorer_objects_and_names():
    scorer = make_scorer(mean_absolute_error, greater_is_better=False)
    metrics = make_metrics([scorer], CPU)
    assert list(metrics) == ["mean_absolute_error"]
    assert metrics["mean_absolute_error"](torch.ones(3), torch.zeros(3)) == -1.0


def test_history_has_them_for_both_kinds_of_rows():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(50, 2)), rng.normal(size=50)
    model = TorchRegressor(
        metrics={"fit": "r2", "tm": torchmetrics.MeanSquaredError()}, batch_size=20, max_epochs=3
    ).fit(X[:30], y[:30], eval_set=(X[30:], y[30:]))
    assert list(model.history_)[-4:] == ["train_fit", "valid_fit", "train_tm", "valid_tm"]
    assert model.history_["valid_fit"][-1] == pytest.approx(model.score(X[30:], y[30:]))
    np.testing.assert_allclose(model.history_["valid_tm"], model.history_["valid_loss"], rtol=1e-5)
    np.testing.assert_allclose(model.history_["train_tm"], model.history_["train_loss"], rtol=1e-5)


@pytest.mark.parametrize(
    ("metrics", "words"),
    [
        ("max_error", "did you mean 'neg_max_error'"),
        (torchmetrics.R2Score, "pass an instance"),
        ([object()], "update and compute"),
        ({"loss": "r2"}, "'loss'"),
    ],
)
def test_what_is_no_metric(metrics, words):
    with pytest.raises(ParameterError, match=words):
        make_metrics(metrics, CPU)
