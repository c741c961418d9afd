"""What comes in and goes out: parameters, tables, folds, files."""

import pickle
import re
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning, NotFittedError
from sklearn.model_selection import GroupKFold, LeaveOneOut, ParameterGrid, cross_val_score
from sklearn.utils.estimator_checks import parametrize_with_checks

import abline as ab
from abline import saving
from abline.errors import DataError, DataWarning, ParameterError
from abline.nets.many import MLPRegressorCV
from abline.nets.many.settings import settings_of
from abline.nets.mlp import MLPRegressor

quick = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SMALL = {"hidden_layer_sizes": [2, 3], "max_iter": 2, "cv": 3, "random_state": 0}


#: what trainings side by side refuse, where threads are to be asked for
NOT_BATCHED = {
    "check_sample_weight_equivalence_on_dense_data": "some rows have the weight zero",
    "check_sample_weight_equivalence_on_sparse_data": "sparse",
    "check_estimator_sparse_tag": "sparse",
}


@parametrize_with_checks(
    [
        MLPRegressorCV(8, learning_rate_init=0.05, cv=2, tol=1e6, random_state=0),
        MLPRegressorCV([4, (3, 3)], cv=2, solver="lbfgs", max_iter=60, random_state=0),
        MLPRegressorCV(
            [4, 8], 0.1, 0.05, cv=2, engine="batched", tol=1e6, n_restarts=2, random_state=0
        ),
    ],
    expected_failed_checks=lambda search: NOT_BATCHED if search.engine == "batched" else {},
)
@quick
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def test_parameters_are_those_of_the_perceptron():
    ours, theirs = MLPRegressorCV().get_params(), MLPRegressor().get_params()
    own = {"cv", "scoring", "refit", "n_jobs"}
    left_out = {"warm_start", "callbacks"}
    assert ours.keys() - own == theirs.keys() - left_out
    differing = {name for name in ours.keys() - own if ours[name] != theirs[name]}
    assert differing == {"n_restarts"}


@pytest.mark.parametrize(
    ("given", "networks"),
    [
        (5, [5]),
        ((100, 50), [(100, 50)]),
        ([100, 50], [100, 50]),
        ([(100, 50)], [(100, 50)]),
        (((100,), (50, 50)), [(100,), (50, 50)]),
        ([[100, 50], 3], [(100, 50), 3]),
        (np.array([4, 8]), [4, 8]),
        (range(1, 3), [1, 2]),
        ((), [()]),
        ([()], [()]),
    ],
    ids=repr,
)
def test_how_hidden_layer_sizes_are_read(given, networks):
    assert [s["hidden_layer_sizes"] for s in settings_of(given, 0.1, 0.01)] == networks


def test_settings_are_in_scikit_learns_order():
    grid = {"hidden_layer_sizes": [3, (2, 2)], "alpha": [1, 0.1], "learning_rate_init": [0.1, 0.2]}
    assert settings_of(**grid) == list(ParameterGrid(grid))


BAD = {
    "no sizes": ({"hidden_layer_sizes": []}, "hidden_layer_sizes is empty"),
    "no alpha": ({"alpha": []}, "alpha is empty"),
    "no rate": ({"learning_rate_init": ()}, "learning_rate_init is empty"),
    "a layer of no units": ({"hidden_layer_sizes": [3, 0]}, "must be > 0"),
    "a deep layer of no units": ({"hidden_layer_sizes": [(3, 0)]}, "must be > 0"),
    "text": ({"hidden_layer_sizes": "100"}, "must be > 0"),
    "negative alpha": ({"alpha": [0.1, -1.0]}, "alpha is -1.0"),
    "no number": ({"alpha": [None]}, "alpha is None"),
    "rate of zero": ({"learning_rate_init": [0.0]}, "learning_rate_init is 0.0"),
    "no restart": ({"n_restarts": 0}, "n_restarts is 0"),
    "no thread": ({"n_jobs": 0}, "n_jobs is 0"),
    "half a thread": ({"n_jobs": 0.5}, "n_jobs is 0.5"),
    "solver": ({"solver": "adm"}, "did you mean 'adam'"),
    "engine": ({"engine": "bathced"}, "did you mean 'batched'"),
    "scoring": ({"scoring": "r3"}, "scoring cannot be 'r3'"),
    "scoring of another kind": ({"scoring": 3}, "scoring is 3"),
    "refit": ({"refit": "r2"}, "refit is 'r2'"),
    "random_state": ({"random_state": "a"}, "random_state is 'a'"),
    "several quantiles": (
        {"loss": "quantile", "quantile": [0.1, 0.9], "scoring": "r2"},
        "several quantiles",
    ),
    "batched lbfgs": ({"engine": "batched", "solver": "lbfgs"}, "engine='batched' cannot run"),
    "one fold": ({"cv": 1}, "cv cannot split the rows"),
    "cv of text": ({"cv": "five"}, "cv cannot split the rows"),
    "more folds than rows": ({"cv": 41}, "cv cannot split the rows"),
    "no folds": ({"cv": []}, "cv gives no folds"),
    "single test rows": ({"cv": LeaveOneOut()}, "fold 0 has 1 test rows of 40 and needs 2"),
    "no training rows": ({"cv": [([], [0, 1])]}, "fold 0 has 0 training rows"),
    "rows that are not there": ({"cv": [([0, 1], [40, 41])]}, "fold 0 has the test row 41"),
    "groups that are not there": ({"cv": GroupKFold(2)}, "groups"),
    "no validation rows": ({"early_stopping": True, "cv": [([0], [1, 2])]}, "early_stopping"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_parameters_get_one_sentence_before_anything_trains(what, table, monkeypatch):
    options, message = BAD[what]
    monkeypatch.delattr("abline.nets.many.search.train_in_threads")
    X, y, _ = table
    with pytest.raises((ParameterError, DataError), match=message) as caught:
        MLPRegressorCV(**SMALL | options).fit(X[:40], y[:40])
    assert "\n" not in str(caught.value)


def test_batched_trainings_want_dense_rows_of_some_weight(table):
    X, y, _ = table
    weights = np.where(np.arange(123) == 5, 0.0, 1.0)
    with pytest.raises(ParameterError, match="some rows have the weight zero"):
        MLPRegressorCV(engine="batched").fit(X, y, weights)


def test_folds_without_weight_are_refused(table):
    X, y, _ = table
    weights = np.where(np.arange(123) < 41, 0.0, 1.0)
    with pytest.raises(DataError, match="no test row of fold 0 has a weight above zero"):
        MLPRegressorCV(**SMALL).fit(X, y, weights)


def test_a_target_that_the_loss_is_not_for(table):
    X, y, _ = table
    with pytest.raises(DataError, match="poisson"):
        MLPRegressorCV(**SMALL, loss="poisson").fit(X, y)


@quick
class TestResults:
    def test_a_cloned_and_a_repeated_search_give_the_same(self, table):
        X, y, _ = table
        search = MLPRegressorCV(**SMALL, n_restarts=2).fit(X, y)
        again = clone(search).fit(X, y)
        np.testing.assert_array_equal(again.oof_prediction_, search.oof_prediction_)
        np.testing.assert_array_equal(again.seeds_, search.seeds_)
        np.testing.assert_array_equal(again.predict(X), search.predict(X))

    def test_a_fit_of_a_fold_model_gives_it_again(self, table):
        X, y, _ = table
        cv = [(np.arange(60), np.arange(60, 123))]
        search = MLPRegressorCV(**SMALL | {"cv": cv, "random_state": None}).fit(X, y)
        again = clone(search.fold_models_[0]).fit(X[:60], y[:60])
        np.testing.assert_array_equal(again.predict(X[60:]), search.oof_prediction_[60:])
        assert again.engine_ == search.fold_models_[0].engine_

    def test_what_it_says_of_the_best_network(self, table):
        X, y, _ = table
        search = MLPRegressorCV(**SMALL).fit(X, y)
        best = search.best_estimator_
        assert search.coefs_ is best.coefs_
        assert search.intercepts_ is best.intercepts_
        assert search.n_iter_ == best.n_iter_ == 2
        assert search.loss_curve_ == best.loss_curve_
        assert search.score(X, y) == best.score(X, y)
        assert search.best_params_ == {
            "alpha": search.alpha_,
            "hidden_layer_sizes": search.hidden_layer_sizes_,
            "learning_rate_init": search.learning_rate_init_,
        }
        assert search.engine_ == "many"
        assert not any("verbose" in name for name in vars(best) if name.endswith("_"))

    def test_without_refit_there_is_nothing_to_predict_with(self, table):
        X, y, _ = table
        search = MLPRegressorCV(**SMALL, refit=False)
        with pytest.raises(AttributeError, match="predict"):
            search.predict(X)
        search.fit(X, y)
        assert not hasattr(search, "predict")
        assert not hasattr(search, "best_estimator_")
        assert len(search.fold_models_) == 3

    def test_an_unfitted_one_says_so(self, table):
        with pytest.raises(NotFittedError):
            MLPRegressorCV().predict(table[0])

    def test_names_of_columns_are_known_to_all_networks(self, table):
        X, y, _ = table
        frame = pd.DataFrame(X, columns=list("abcd"))
        search = MLPRegressorCV(**SMALL).fit(frame, pd.Series(y))
        expected = MLPRegressorCV(**SMALL).fit(X, y)
        np.testing.assert_array_equal(search.predict(frame), expected.predict(X))
        for model in (search, search.best_estimator_, *search.fold_models_):
            assert list(model.feature_names_in_) == list("abcd")
            with pytest.raises(DataError, match="d"):
                model.predict(frame[["a", "b", "c"]])

    def test_standard_deviations(self, table):
        X, y, _ = table
        search = MLPRegressorCV(**SMALL, loss="gaussian_nll").fit(X, y)
        expected = search.best_estimator_.predict_std(X)
        np.testing.assert_array_equal(search.predict_std(X), expected)
        assert not hasattr(MLPRegressorCV(), "predict_std")

    def test_several_quantiles_with_a_scorer_of_ones_own(self, table):
        X, y, _ = table

        def pinball(model, X, y):
            error = y[:, None] - model.predict(X)
            return -np.maximum(0.1 * error, -0.9 * error).mean()

        options = {"loss": "quantile", "quantile": [0.1, 0.9], "scoring": pinball}
        search = MLPRegressorCV(**SMALL, **options).fit(X, y)
        assert search.oof_prediction_.shape == (123, 2)
        assert (np.diff(search.oof_prediction_) >= 0).all()

    @pytest.mark.parametrize("columns", [0, 1, 2])
    def test_saved_and_pickled_ones_are_the_same(self, table, columns, tmp_path, monkeypatch):
        monkeypatch.setitem(saving.KINDS, "MLPRegressorCV", "abline.nets.many")
        X, y, _ = table
        y = np.column_stack([y] * columns) if columns else y
        options = {"hidden_layer_sizes": [3, (2, 2)], "alpha": np.array([0.1, 1.0])}
        search = MLPRegressorCV(**SMALL | options).fit(pd.DataFrame(X, columns=list("abcd")), y)
        search.save(tmp_path / "a.model")
        frame = pd.DataFrame(X, columns=list("abcd"))
        for copy in (ab.load(tmp_path / "a.model"), pickle.loads(pickle.dumps(search))):
            assert vars(copy).keys() == vars(search).keys()
            np.testing.assert_array_equal(copy.predict(frame), search.predict(frame))
            np.testing.assert_array_equal(copy.oof_prediction_, search.oof_prediction_)
            assert copy.cv_results_.keys() == search.cv_results_.keys()
            assert copy.cv_results_["params"] == search.cv_results_["params"]
            for name, column in search.cv_results_.items():
                assert list(copy.cv_results_[name]) == list(column)
            assert copy.best_params_ == search.best_params_
            assert (copy.engine_, copy.engine_.why) == (search.engine_, search.engine_.why)
            ours, theirs = copy.fold_models_[1], search.fold_models_[1]
            np.testing.assert_array_equal(ours.predict(frame), theirs.predict(frame))

    def test_unfitted_ones_and_those_without_refit_are_saved(self, table, tmp_path, monkeypatch):
        monkeypatch.setitem(saving.KINDS, "MLPRegressorCV", "abline.nets.many")
        X, y, _ = table
        MLPRegressorCV([3, (2, 2)]).save(tmp_path / "a.model")
        assert ab.load(tmp_path / "a.model").hidden_layer_sizes == [3, (2, 2)]
        search = MLPRegressorCV(**SMALL, refit=False).fit(X, y)
        search.save(tmp_path / "b.model")
        assert ab.load(tmp_path / "b.model").best_score_ == search.best_score_

    def test_in_a_cross_validation(self, table):
        X, y, _ = table
        assert np.isfinite(cross_val_score(MLPRegressorCV(**SMALL), X, y, cv=3)).all()


def test_trainings_that_did_not_converge_are_one_warning_with_their_number(table):
    X, y, _ = table
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        MLPRegressorCV(**SMALL).fit(X, y)
    assert [one.category for one in caught] == [ConvergenceWarning]
    assert str(caught[0].message).startswith("7 of 7 trainings: Maximum iterations (2) reached")
    assert caught[0].filename == __file__


@quick
def test_a_batch_larger_than_the_folds_is_said_once(table):
    X, y, _ = table
    with pytest.warns(DataWarning, match="7 of 7 trainings: batch_size is 500") as caught:
        MLPRegressorCV(**SMALL, batch_size=500).fit(X, y)
    assert sum(one.category is DataWarning for one in caught) == 1


#: a rate at which gradient descent leaves all numbers within a few epochs
WILD = {"solver": "sgd", "max_iter": 60, "batch_size": 10, "activation": "identity"}


@quick
@pytest.mark.parametrize("engine", ["loop", "fused", "batched"])
@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning", "ignore:invalid:RuntimeWarning")
class TestDiverging:
    def test_a_setting_that_diverges_has_the_score_nan(self, table, engine):
        X, y, _ = table
        search = MLPRegressorCV(3, learning_rate_init=[1e3, 0.001], cv=3, engine=engine, **WILD)
        message = re.escape("1 of 2 settings") + ".*learning_rate_init=1000.0"
        with pytest.warns(FitFailedWarning, match=message):
            search.set_params(random_state=0).fit(X, y)
        assert np.isnan(search.cv_results_["mean_test_score"][0])
        assert search.cv_results_["rank_test_score"].tolist() == [2, 1]
        assert search.best_index_ == 1
        assert np.isfinite(search.oof_prediction_).all()

    def test_where_all_diverge_there_is_an_error_and_an_earlier_fit_stays(self, table, engine):
        X, y, _ = table
        search = MLPRegressorCV(3, cv=3, engine=engine, random_state=0, **WILD).fit(X, y)
        before = search.predict(X)
        search.set_params(learning_rate_init=[1e3, 1e4])
        with pytest.raises(ParameterError, match="no setting has a finite score") as caught:
            search.fit(X[:, :2], y)
        assert "non-finite" in str(caught.value)
        np.testing.assert_array_equal(search.predict(X), before)


@quick
def test_several_quantiles_are_scored_by_the_loss_they_save(table):
    X, y, _ = table
    options = {"loss": "quantile", "quantile": [0.2, 0.8], "max_iter": 30, "random_state": 0}
    search = MLPRegressorCV([2, 6], learning_rate_init=0.05, cv=3, **options).fit(X, y)
    alone = MLPRegressor(hidden_layer_sizes=6, learning_rate_init=0.05, **options)
    expected = cross_val_score(alone, X, y, cv=3)
    np.testing.assert_allclose(
        [search.cv_results_[f"split{fold}_test_score"][1] for fold in range(3)], expected
    )
    assert search.score(X, y) == search.best_estimator_.score(X, y)
