"""What every estimator does alike, whatever it fits.

A new estimator is one more entry of `ESTIMATORS`; one that takes time to train should be given
few epochs there.
"""

import pickle
import warnings

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import abline as ab
from abline.linear import MeanRegressor

ESTIMATORS = [
    ab.LinearRegression(),
    ab.Ridge(),
    ab.RidgeCV(),
    ab.Lasso(alpha=0.01),
    ab.LassoCV(),
    ab.ElasticNet(alpha=0.01),
    ab.ElasticNetCV(),
    MeanRegressor(),
    ab.TorchRegressor(lr=0.05, random_state=0),
    ab.NetworkRegressor(max_epochs=2, members=2, random_state=0),
    ab.MLPRegressor(hidden_layer_sizes=8, learning_rate_init=0.05, tol=1e6, random_state=0),
    ab.MLPRegressorCV(
        [8], alpha=[0.1, 1e-4], learning_rate_init=0.05, tol=1e6, cv=2, random_state=0
    ),
    ab.TableRegressor(),
]

#: scikit-learn's checks that an estimator fails for a reason, by class
EXPECTED_FAILURES: dict[str, dict[str, str]] = {
    "TorchRegressor": {
        "check_do_not_raise_errors_in_init_or_set_params": "the check takes the name of "
        "**prefixed for a parameter, and an unknown parameter is refused at once",
    },
    "NetworkRegressor": {
        "check_sample_weight_equivalence_on_dense_data": "rows are held out for validation at "
        "random: a row of weight two whole, but of two equal rows perhaps one",
    },
    "TableRegressor": {
        "check_dataframe_column_names_consistency": "columns are found by name, in any order",
    },
    "Ridge": {
        "check_non_transformer_estimators_n_iter": "scikit-learn's own tests want n_iter_ None "
        "where nothing iterated, this check a number",
    },
}

#: classes that find their columns by name, in any order
BY_NAME = {"TableRegressor"}

#: classes that, like scikit-learn's, take one target only and warn where it comes as a column
ONE_TARGET = {"LassoCV", "ElasticNetCV"}

NAMES = ["rooms", "area", "age"]


def _id(estimator):
    return type(estimator).__name__


each = pytest.mark.parametrize("estimator", ESTIMATORS, ids=_id)

each_of_several_targets = pytest.mark.parametrize(
    "estimator", [one for one in ESTIMATORS if _id(one) not in ONE_TARGET], ids=_id
)

#: solved in float64, they answer in X's precision; networks compute in their own, tables in float64
SOLVED = ESTIMATORS[:8]

solved = pytest.mark.parametrize("estimator", SOLVED, ids=_id)


@pytest.fixture
def X():
    # multiples of 1/8 below 16 are exact in bfloat16 too
    return np.random.default_rng(0).integers(-8, 8, (40, 3)) / 8


@pytest.fixture
def y(X):
    return np.round(X @ [1.0, -2.0, 0.5] + 3.0, 1)


def fitted(estimator, X, y, **kwargs):
    return clone(estimator).fit(X, y, **kwargs)


@parametrize_with_checks(
    ESTIMATORS, expected_failed_checks=lambda estimator: EXPECTED_FAILURES.get(_id(estimator), {})
)
def test_scikit_learns_checks(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check(estimator)


@each
def test_parameters_survive_a_clone(estimator, X, y):
    assert clone(estimator).get_params() == estimator.get_params()
    assert fitted(estimator, X, y).get_params() == estimator.get_params()


@each
def test_fit_returns_itself_and_an_unfitted_one_says_so(estimator, X, y):
    model = clone(estimator)
    with pytest.raises(NotFittedError):
        model.predict(X)
    assert model.fit(X, y) is model


@each_of_several_targets
@pytest.mark.parametrize("shape", [(40,), (40, 1), (40, 2)])
def test_predictions_have_the_dimensions_of_y(estimator, X, y, shape):
    target = np.column_stack([y, -y])[:, : shape[-1]] if len(shape) == 2 else y
    answer = fitted(estimator, X, target).predict(X)
    assert isinstance(answer, np.ndarray)
    assert answer.shape == shape


@solved
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_predictions_have_the_precision_of_x(estimator, X, y, dtype):
    model = fitted(estimator, X.astype(dtype), y)
    assert model.predict(X.astype(dtype)).dtype == dtype
    assert model.predict(X.astype(np.float32)).dtype == np.float32


@each
def test_whole_numbers_are_floats(estimator, X, y):
    whole = (8 * X).astype(int)
    model = fitted(estimator, whole, (10 * y).astype(int))
    assert model.predict(whole).dtype == np.float64


KINDS = {
    "list": lambda X, y: (X.tolist(), y.tolist()),
    "column-major": lambda X, y: (np.asfortranarray(X), y[::-1][::-1]),
    "pandas": lambda X, y: (pd.DataFrame(X, columns=NAMES), pd.Series(y, index=range(5, 45))),
    "polars": lambda X, y: (pl.DataFrame(X, schema=NAMES), pl.Series("price", y)),
    "pyarrow": lambda X, y: (pa.table(dict(zip(NAMES, X.T, strict=True))), pa.chunked_array([y])),
    "narwhals": lambda X, y: (nw.from_native(pl.DataFrame(X, schema=NAMES)), y),
    "tensor": lambda X, y: (torch.tensor(X), torch.tensor(y)),
    "gradient": lambda X, y: (
        torch.tensor(X, requires_grad=True),
        torch.tensor(y, requires_grad=True),
    ),
}


@each
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_array_gives_the_same_predictions(estimator, X, y, kind):
    expected = fitted(estimator, X, y)
    features, target = KINDS[kind](X, y)
    model = fitted(estimator, features, target)
    np.testing.assert_allclose(model.predict(features), expected.predict(X), rtol=1e-12)
    assert model.score(features, target) == pytest.approx(expected.score(X, y), abs=1e-12)
    assert model.n_features_in_ == 3
    if kind in ("pandas", "polars", "pyarrow", "narwhals"):
        assert list(model.feature_names_in_) == NAMES


@each
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_tensors(estimator, X, y, dtype):
    features = torch.tensor(X).to(dtype).requires_grad_()
    model = fitted(estimator, features, torch.tensor(y).to(dtype))
    answer = model.predict(features)
    if estimator in SOLVED:  # numpy has no bfloat16
        assert answer.dtype == (np.float32 if dtype == torch.bfloat16 else np.float16)
    np.testing.assert_allclose(answer, fitted(estimator, X, y).predict(X), atol=0.05)


@each_of_several_targets
def test_several_targets_in_a_dataframe(estimator, X, y):
    targets = pl.DataFrame({"price": y, "rent": 2 * y})
    answer = fitted(estimator, X, targets).predict(X)
    expected = fitted(estimator, X, targets.to_numpy()).predict(X)
    np.testing.assert_allclose(answer, expected, rtol=1e-12)


@each
@pytest.mark.parametrize("kind", [np.asarray, list, pl.Series, pd.Series, torch.tensor])
def test_rows_of_weight_zero_are_absent(estimator, X, y, kind):
    weights = np.where(np.arange(40) % 4 == 0, 0.0, 1.0)
    spoiled = np.where(weights > 0, y, 1e3)
    model = fitted(estimator, X, spoiled, sample_weight=kind(weights))
    expected = fitted(estimator, X[weights > 0], y[weights > 0])
    np.testing.assert_allclose(model.predict(X), expected.predict(X), rtol=1e-6, atol=1e-6)


@each
def test_pickled_copied_and_saved_models_predict_the_same_bits(estimator, X, y, tmp_path):
    target = y if _id(estimator) in ONE_TARGET else np.column_stack([y, -y])
    model = fitted(estimator, pd.DataFrame(X, columns=NAMES), target)
    model.save(tmp_path / "a.model")
    frame = pd.DataFrame(X, columns=NAMES)
    for copy in (pickle.loads(pickle.dumps(model)), ab.load(tmp_path / "a.model")):
        np.testing.assert_array_equal(copy.predict(frame), model.predict(frame))
        assert copy.predict(frame).dtype == model.predict(frame).dtype
        assert copy.get_params().keys() == model.get_params().keys()
        assert list(copy.feature_names_in_) == NAMES


@each
def test_it_works_in_pipelines_searches_and_cross_validation(estimator, X, y):
    pipeline = make_pipeline(StandardScaler(), clone(estimator))
    search = GridSearchCV(pipeline, {"standardscaler__with_mean": [True, False]}, cv=3)
    search.fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert np.isfinite(cross_val_score(clone(estimator), X, y, cv=4)).all()


@each
@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
def test_other_columns_than_those_fitted_are_named(estimator, X, y, make):
    frame = make(dict(zip(NAMES, X.T, strict=True)))
    model = fitted(estimator, frame, y)
    wrong = make(dict(zip(["rooms", "size", "age"], X.T, strict=True)))
    with pytest.raises(ab.DataError, match="area"):
        model.predict(wrong)
    if _id(estimator) in BY_NAME:
        np.testing.assert_array_equal(model.predict(frame[NAMES[::-1]]), model.predict(frame))
        return
    with pytest.raises(ab.DataError, match="order"):
        model.predict(frame[NAMES[::-1]])


@each
def test_another_number_of_columns_is_refused(estimator, X, y):
    with pytest.raises(ab.DataError, match="3 features"):
        fitted(estimator, X, y).predict(X[:, :2])


@each
def test_a_second_fit_forgets_the_first(estimator, X, y):
    target = y if _id(estimator) in ONE_TARGET else np.column_stack([y, y])
    model = fitted(estimator, pd.DataFrame(X, columns=NAMES), target)
    model.fit(X[:, :2], y)
    assert not hasattr(model, "feature_names_in_")
    expected = fitted(estimator, X[:, :2], y).predict(X[:, :2])
    np.testing.assert_array_equal(model.predict(X[:, :2]), expected)


def _global_numpy_state():
    return pickle.dumps(np.random.get_state())


@each
def test_fitting_changes_neither_its_data_nor_the_global_generators(estimator, X, y):
    before = X.copy(), y.copy()
    numpy_state, torch_state = _global_numpy_state(), torch.get_rng_state()
    fitted(estimator, X, y, sample_weight=np.ones(40)).predict(X)
    np.testing.assert_array_equal(X, before[0])
    np.testing.assert_array_equal(y, before[1])
    assert _global_numpy_state() == numpy_state
    assert torch.equal(torch.get_rng_state(), torch_state)


@each
def test_lazy_frames_are_to_be_collected(estimator, X, y):
    with pytest.raises(ab.DataError, match=r"call \.collect\(\) on it first"):
        fitted(estimator, pl.DataFrame(X, schema=NAMES).lazy(), y)


@each
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda X, y, w: (X, np.where(y == y[3], np.nan, y), w), "target y has .* row"),
        (lambda X, y, w: (X, y[:-1], w), "40 rows and y has 39"),
        (lambda X, y, w: (X, y.astype(str).astype(object) + "m", w), "which is not a number"),
        (lambda X, y, w: (X, y, -w), "sample_weight is -1.0 in row 0"),
        (lambda X, y, w: (X, y, 0 * w), "sample_weight is zero in every row"),
        (lambda X, y, w: (X, y, w[:-1]), "39 values for 40 rows"),
        (lambda X, y, w: (np.vstack([X[:-1], [[1.0, np.inf, 2.0]]]), y, w), "inf"),
    ],
    ids=["nan in y", "short y", "text in y", "negative", "all zero", "short weights", "inf in X"],
)
def test_wrong_data_gets_one_sentence(estimator, X, y, spoil, message):
    X, y, w = spoil(X, y, np.ones(40))
    with pytest.raises(ab.DataError, match=message) as caught:
        fitted(estimator, X, y, sample_weight=w)
    assert "\n" not in str(caught.value)
