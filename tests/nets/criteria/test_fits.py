"""`TorchRegressor` with each loss: what is predicted, in which units, and what is refused."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.linear_model import QuantileRegressor
from sklearn.metrics import mean_pinball_loss
from torch import nn

import abline as ab
from abline.errors import DataError, ParameterError
from abline.nets import (
    MLP,
    GammaLoss,
    GaussianNLL,
    PoissonLoss,
    QuantileLoss,
    TorchRegressor,
)
from abline.nets.criteria import NAMES


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(400, 2))


@pytest.fixture
def y(X):
    """Positive, so that every loss takes it."""
    noise = np.random.default_rng(1).gamma(4.0, 1 / 4, 400)
    return np.exp(0.3 + X @ [0.5, -0.2]) * noise


def line(criterion="squared_error", **parameters):
    own = {"lr": 0.02, "max_epochs": 5, "random_state": 0, "engine": "loop"}
    return TorchRegressor(criterion=criterion, **(own | parameters))


SEVERAL = {"criterion__quantile": [0.1, 0.5, 0.9]}

CASES = {**{name: {} for name in NAMES}, "quantile ": SEVERAL}  # the space makes it another key

each_case = pytest.mark.parametrize(
    ("criterion", "arguments"),
    [(name.strip(), arguments) for name, arguments in CASES.items()],
    ids=[name if not arguments else "quantiles" for name, arguments in CASES.items()],
)


# ---- names, classes and instances


@each_case
def test_a_name_is_its_class(X, y, criterion, arguments):
    named = line(criterion, **arguments).fit(X, y)
    by_class = line(NAMES[criterion], **arguments).fit(X, y)
    plain = {name.removeprefix("criterion__"): value for name, value in arguments.items()}
    instance = line(NAMES[criterion](**plain)).fit(X, y)
    assert named.history_["train_loss"] == by_class.history_["train_loss"]
    assert np.array_equal(named.predict(X), by_class.predict(X))
    assert np.array_equal(named.predict(X), instance.predict(X))
    assert type(named.criterion_) is NAMES[criterion]
    assert clone(named).get_params() == named.get_params()


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"criterion": "huberr"}, "did you mean 'huber', or pass"),
        ({"criterion": "huber", "criterion__delt": 1}, "did you mean 'criterion__delta'"),
        ({"criterion": "quantile", "criterion__quantile": 2}, "quantile is 2"),
        ({"criterion": QuantileLoss(), "criterion__quantile": 0.2}, "pass the class itself"),
        ({"criterion": "quantile", "module": nn.Linear(2, 3)}, "module gives 3 columns, y has 1"),
        (
            {"criterion": "quantile", "module": nn.Linear(2, 1), **SEVERAL},
            "module gives 1 column, QuantileLoss needs 3 for 1 target: its last layer",
        ),
        (
            {"criterion": "gaussian_nll", "module": nn.Linear(2, 1)},
            "module gives 1 column, GaussianNLL needs 2 for 1 target",
        ),
        (
            {"criterion": "gaussian_nll", "module": nn.Sequential(nn.Linear(2, 2), nn.Flatten(0))},
            r"outputs of shape \(4,\) for 2 rows, GaussianNLL needs 2 for 1 target",
        ),
        ({"criterion": "quantile", "metrics": "r2", **SEVERAL}, "QuantileLoss gives 3: leave"),
        ({"criterion": "poisson", "target_scaling": True}, "counts or positive amounts"),
        ({"criterion": GammaLoss, "target_scaling": True}, "counts or positive amounts"),
        ({"criterion": PoissonLoss(), "target_scaling": True}, "counts or positive amounts"),
        ({"criterion": nn.PoissonNLLLoss, "target_scaling": True}, "counts or positive amounts"),
    ],
    ids=str,
)
def test_wrong_parameters_get_one_sentence(X, y, parameters, words):
    with pytest.raises(ParameterError, match=words) as caught:
        line(**parameters).fit(X, y)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("criterion", "wrong"), [("poisson", -1.0), ("gamma", 0.0)])
def test_targets_that_cannot_be_are_named(X, y, criterion, wrong):
    bad = y.copy()
    bad[7] = wrong
    with pytest.raises(DataError, match=rf"^y is {wrong:g} in row 7"):
        line(criterion).fit(X, bad)
    with pytest.raises(DataError, match=rf"eval_set cannot be used, since y is {wrong:g} in row 7"):
        line(criterion).fit(X, y, eval_set=(X, bad))


# ---- shapes


@each_case
@pytest.mark.parametrize("module", [None, MLP, nn.LazyLinear], ids=["None", "MLP", "lazy"])
def test_predictions_have_the_dimensions_of_y(X, y, criterion, arguments, module):
    levels = (3,) if arguments else ()
    model = line(criterion, module=module, max_epochs=1, **arguments)
    assert model.fit(X, y).predict(X).shape == (400, *levels)
    for n_targets in (1, 2):
        table = np.column_stack([y] * n_targets)
        model.fit(X, table, eval_set=(X, table))
        assert model.predict(X).shape == (400, n_targets, *levels)
        assert model.predict(X[:1]).shape == (1, n_targets, *levels)
        assert model.n_outputs_ == n_targets


def test_one_level_in_a_list_keeps_its_dimension(X, y):
    model = line("quantile", criterion__quantile=[0.3]).fit(X, y)
    assert model.predict(X).shape == (400, 1)
    alone = line("quantile", criterion__quantile=0.3).fit(X, y)
    np.testing.assert_allclose(model.predict(X)[:, 0], alone.predict(X))


@each_case
def test_several_targets_are_trained_side_by_side(X, y, criterion, arguments):
    """A line's targets share nothing; each pulls with half the force of one that is alone."""
    table = np.column_stack([y, y[::-1]])
    width = 1 if criterion not in ("quantile", "gaussian_nll") else (3 if arguments else 2)
    width = 1 if criterion == "quantile" and not arguments else width
    torch.manual_seed(0)
    module = nn.Linear(2, 2 * width).double()
    part = nn.Linear(2, width).double()
    with torch.no_grad():
        part.weight.copy_(module.weight[width:])
        part.bias.copy_(module.bias[width:])
    options = {"optimizer": torch.optim.SGD, **arguments}
    both = line(criterion, module=module, lr=0.02, **options).fit(X, table)
    second = line(criterion, module=part, lr=0.01, **options).fit(X, table[:, 1])
    np.testing.assert_allclose(both.predict(X)[:, 1], second.predict(X), rtol=1e-10)


# ---- weights


@each_case
def test_a_weight_is_a_row_more_than_once(X, y, criterion, arguments):
    weights = np.random.default_rng(2).integers(0, 3, 400)
    rows = np.repeat(np.arange(400), weights)
    weighted = line(criterion, **arguments).fit(X, y, weights)
    repeated = line(criterion, **arguments).fit(X[rows], y[rows])
    np.testing.assert_allclose(
        weighted.history_["train_loss"], repeated.history_["train_loss"], rtol=1e-10
    )
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-8)


# ---- what is learnt


def test_log_means_are_predicted_as_means(X, y):
    for criterion in ("poisson", "gamma"):
        model = line(criterion).fit(X, y)
        with torch.no_grad():
            log_means = model.module_(torch.tensor(X)).numpy()[:, 0]
        np.testing.assert_allclose(model.predict(X), np.exp(log_means))
    # torch's own class predicts what its users expect
    model = line(nn.PoissonNLLLoss).fit(X, y)
    same = line("poisson").fit(X, y)
    assert model.history_["train_loss"] == same.history_["train_loss"]
    np.testing.assert_allclose(np.exp(model.predict(X)), same.predict(X))


@pytest.mark.parametrize("level", [0.2, 0.5, 0.9])
def test_a_line_of_one_level_is_scikit_learns(X, y, level):
    model = line(
        "quantile", criterion__quantile=level, max_epochs=4000, lr=0.05, schedule="cosine"
    ).fit(X, y)
    peer = QuantileRegressor(quantile=level, alpha=0.0).fit(X, y)
    np.testing.assert_allclose(model.predict(X), peer.predict(X), atol=0.01)


def heteroscedastic(n=4000):
    rng = np.random.default_rng(3)
    X = rng.uniform(-1, 1, (n, 1)).astype(np.float32)
    mean, std = 300 + 200 * X[:, 0], 50 * np.exp(X[:, 0])
    return X, mean, std, mean + std * rng.normal(size=n)


def curve(criterion, **parameters):
    own = {"module": MLP, "module__hidden": (16,), "module__activation": "tanh",
           "max_epochs": 600, "lr": 0.02, "target_scaling": True, "schedule": "cosine"}  # fmt: skip
    return line(criterion, **(own | parameters))


def test_the_quantiles_of_a_known_distribution_are_found():
    from scipy.stats import norm

    X, mean, std, y = heteroscedastic()
    levels = [0.05, 0.25, 0.5, 0.75, 0.95]
    model = curve("quantile", criterion__quantile=levels).fit(X, y)
    found = model.predict(X)
    expected = mean[:, None] + std[:, None] * norm.ppf(levels)
    assert (np.diff(found, axis=1) > 0).all()
    assert np.mean(np.abs(found - expected) / std[:, None]) < 0.08
    np.testing.assert_allclose((y[:, None] <= found).mean(0), levels, atol=0.02)


def test_mean_and_deviation_of_a_known_distribution_are_found():
    X, mean, std, y = heteroscedastic()
    model = curve("gaussian_nll", metrics="neg_root_mean_squared_error").fit(X, y)
    assert np.mean(np.abs(model.predict(X) - mean) / std) < 0.08
    assert np.mean(np.abs(np.log(model.predict_std(X) / std))) < 0.08
    assert model.predict_std(X).dtype == np.float32
    # in the target's units, though the losses are in standardised ones
    rmse = -model.history_["train_neg_root_mean_squared_error"][-1]
    assert rmse == pytest.approx(np.sqrt(np.mean((model.predict(X) - y) ** 2)), rel=1e-3)


@pytest.mark.parametrize(
    ("criterion", "arguments"),
    [
        ("squared_error", {}),
        ("absolute_error", {}),
        ("huber", {"criterion__delta": 0.5}),
        ("quantile", {}),
        ("quantile", SEVERAL),
        ("gaussian_nll", {}),
    ],
)
def test_units_come_back(X, y, criterion, arguments):
    model = line(criterion, target_scaling=True, **arguments).fit(X, y)
    mean, spread = y.mean(), y.std()
    other = line(criterion, **arguments).fit(X, (y - mean) / spread)
    np.testing.assert_allclose(model.predict(X), mean + spread * other.predict(X), rtol=1e-10)
    if criterion == "gaussian_nll":
        np.testing.assert_allclose(model.predict_std(X), spread * other.predict_std(X), rtol=1e-10)


def test_only_a_variance_has_a_deviation(X, y):
    model = line("gaussian_nll").fit(X, y)
    outputs = model.module_(torch.tensor(X)).detach().numpy()
    np.testing.assert_allclose(model.predict(X), outputs[:, 0])
    np.testing.assert_allclose(model.predict_std(X), np.sqrt(np.exp(outputs[:, 1]) + 1e-6))
    table = np.column_stack([y, y])
    assert line(GaussianNLL).fit(X, table).predict_std(X).shape == (400, 2)
    assert not hasattr(line(), "predict_std")
    assert not hasattr(line().fit(X, y).set_params(criterion="gaussian_nll"), "predict_std")
    with pytest.raises(AttributeError) as caught:
        line().predict_std(X)
    assert "predict_std is for criterion='gaussian_nll'" in str(caught.value.__cause__)


def test_several_levels_are_scored_by_the_pinball_loss_they_save(X, y):
    weights = np.random.default_rng(3).uniform(0.5, 2, len(y))
    for target in (y, np.column_stack([y, -y])):
        model = line("quantile", criterion__quantile=[0.1, 0.5, 0.9]).fit(X, target)
        found = model.predict(X).reshape(len(y), -1, 3)
        saved = []
        for column, quantiles in zip(
            target.reshape(len(y), -1).T, found.swapaxes(0, 1), strict=True
        ):
            for level, predicted in zip([0.1, 0.5, 0.9], quantiles.T, strict=True):
                options = {"alpha": level, "sample_weight": weights}
                flat = np.full(len(y), own_quantile(column, level, weights))
                losses = [mean_pinball_loss(column, each, **options) for each in (predicted, flat)]
                saved.append(1 - losses[0] / losses[1])
        # which of two neighbours a quantile is differs a little
        assert model.score(X, target, weights) == pytest.approx(np.mean(saved), abs=2e-3)


def own_quantile(column, level, weights):
    order = np.argsort(column)
    share = np.cumsum(weights[order]) / weights.sum()
    return column[order][np.searchsorted(share, level)]


def test_one_level_is_scored_by_r2(X, y):
    assert line("quantile").fit(X, y).score(X, y) < 1


def test_metrics_see_predictions(X, y):
    model = line("gamma", metrics="r2").fit(X, y, eval_set=(X, y))
    assert model.history_["valid_r2"][-1] == pytest.approx(model.score(X, y))


# ---- going on, and files


@each_case
def test_one_epoch_after_the_other_is_a_fit(X, y, criterion, arguments):
    whole = line(criterion, batch_size=64, **arguments).fit(X, y)
    parts = line(criterion, batch_size=64, **arguments)
    for _ in range(5):
        parts.partial_fit(X, y)
    assert np.array_equal(parts.predict(X), whole.predict(X))
    warm = line(criterion, warm_start=True, **arguments).fit(X, y).fit(X, y)
    assert warm.n_iter_ == 5


@each_case
def test_a_file_keeps_what_outputs_stand_for(X, y, tmp_path, criterion, arguments):
    for given in (criterion, NAMES[criterion]):
        model = line(given, **arguments).fit(X, y)
        model.save(tmp_path / "model")
        again = ab.load(tmp_path / "model")
        assert np.array_equal(again.predict(X), model.predict(X))
        assert str(again.criterion_) == str(model.criterion_)
        assert np.array_equal(again.fit(X, y).predict(X), model.predict(X))
        if criterion == "gaussian_nll":
            assert np.array_equal(again.predict_std(X), model.predict_std(X))
