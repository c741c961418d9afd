"""Parameters of Ridge and RidgeCV: scikit-learn's names, reports and refusals."""

import re

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn import linear_model

from abline.errors import ParameterError
from abline.linear import Ridge, RidgeCV

SOLVERS = ["auto", "svd", "cholesky", "lsqr", "sparse_cg", "sag", "saga", "lbfgs"]


def refused(estimator, X, y):
    """What it says when it cannot be fitted, or None."""
    try:
        estimator.fit(X, y)
    except (ValueError, TypeError) as error:
        return str(error)
    return None


def made(kind, solver, **kwargs):
    return kind(
        solver=solver, positive=solver == "lbfgs", random_state=0, max_iter=50_000, **kwargs
    )


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("make", [np.asarray, sp.csr_array, sp.csr_matrix])
@pytest.mark.parametrize("solver", SOLVERS)
def test_every_solver_is_reported_or_refused_as_scikit_learn_does(
    table, solver, make, fit_intercept
):
    X, y, _ = table(40, 3, 2)
    X = make(X - X.mean(axis=0))
    theirs = made(linear_model.Ridge, solver, fit_intercept=fit_intercept, tol=1e-10)
    ours = made(Ridge, solver, fit_intercept=fit_intercept)
    assert ours.__sklearn_tags__().input_tags.sparse == theirs.__sklearn_tags__().input_tags.sparse
    refusal = refused(theirs, X, y)
    if refusal is not None:
        with pytest.raises(ParameterError, match=re.escape(refusal[:40])):
            ours.fit(X, y)
        return
    ours.fit(X, y)
    assert ours.solver_ == theirs.solver_
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-5)
    if theirs.n_iter_ is None:
        assert ours.n_iter_ is None
    else:  # one direct solution, where scikit-learn iterates
        np.testing.assert_array_equal(ours.n_iter_, [1, 1])


def test_sag_is_warned_of_as_in_scikit_learn_and_told_the_truth(table):
    X, y, _ = table(20, 3)
    with pytest.warns(UserWarning, match='"sag" solver requires many iterations .* exact') as all_:
        Ridge(solver="sag", tol=1e-3).fit(sp.csr_array(X), y)
    assert all_[0].filename == __file__


@pytest.mark.parametrize("kind", [linear_model.Ridge, linear_model.RidgeCV])
def test_parameters_and_their_defaults_are_scikit_learns(kind):
    ours = {"Ridge": Ridge, "RidgeCV": RidgeCV}[kind.__name__]
    assert ours().get_params() == kind().get_params()
    assert list(ours().get_params()) == list(kind().get_params())


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"alpha": -1.0}, "alpha == -1.0, must be >= 0.0, and finite"),
        ({"alpha": np.inf}, "alpha == inf, must be >= 0.0, and finite"),
        ({"alpha": [1.0, np.nan]}, r"alpha\[1\] == nan"),
        ({"alpha": "much"}, "alpha must be an instance of float, not str"),
        ({"alpha": True}, "alpha must be an instance of float, not bool"),
        ({"alpha": [1.0, "much"]}, r"alpha\[1\] must be an instance of float, not str"),
        ({"alpha": []}, "alpha is empty"),
        ({"alpha": np.ones((2, 2))}, r"alpha has the shape \(2, 2\)"),
        (
            {"alpha": [1.0, 2.0]},
            "Number of targets and number of penalties do not correspond: 2 != 1",
        ),
        ({"solver": "cholesk"}, "solver cannot be 'cholesk': did you mean 'cholesky'"),
        ({"solver": "lbfgs"}, "'lbfgs' solver can be used only when positive=True"),
        ({"solver": "svd", "positive": True}, "solver='svd' does not support positive fitting"),
        ({"positive": "yes"}, "positive is 'yes': give True or False"),
        ({"fit_intercept": 1}, "fit_intercept is 1: give True or False"),
        ({"copy_X": None}, "copy_X is None: give True or False"),
        ({"tol": -1e-3}, "tol is -0.001"),
        ({"tol": "small"}, "tol is 'small'"),
        ({"max_iter": 0}, "max_iter is 0"),
        ({"max_iter": 2.5}, "max_iter is 2.5"),
        ({"random_state": "seed"}, "random_state is 'seed'"),
    ],
)
def test_wrong_parameters_of_ridge_get_one_sentence(params, message):
    with pytest.raises(ParameterError, match=message) as caught:
        Ridge(**params).fit([[1.0], [2.0]], [1.0, 2.0])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"alphas": [1.0, 0.0]}, r"alphas\[1\] == 0.0, must be > 0.0"),
        ({"alphas": 0}, "alphas == 0, must be > 0.0"),
        ({"alphas": [1.0, -2], "cv": 2}, r"alphas\[1\] == -2, must be >= 0.0"),
        ({"alphas": []}, "alphas is empty"),
        ({"alphas": "all"}, "alphas must be an instance of float, not str"),
        ({"cv": 2, "store_cv_results": True}, "cv!=None and store_cv_results=True are incompat"),
        ({"cv": 2, "alpha_per_target": True}, "cv!=None and alpha_per_target=True are incompat"),
        ({"gcv_mode": "eigne"}, "gcv_mode cannot be 'eigne': did you mean 'eigen'"),
        ({"scoring": "neg_mean_squared"}, "scoring cannot be .*: did you mean 'neg_mean_squared_"),
        ({"scoring": "zzz"}, "scoring cannot be 'zzz': sklearn.metrics.get_scorer_names"),
        ({"scoring": 3}, "scoring is 3: give the name of a scorer"),
        ({"fit_intercept": None}, "fit_intercept is None: give True or False"),
        ({"store_cv_results": 1}, "store_cv_results is 1: give True or False"),
        ({"cv": 9}, "cv cannot split the rows: .*n_splits=9"),
    ],
)
def test_wrong_parameters_of_ridge_cv_get_one_sentence(params, message):
    with pytest.raises(ValueError, match=message) as caught:
        RidgeCV(**params).fit([[1.0], [2.0], [4.0]], [1.0, 2.0, 3.0])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("alpha", [1, np.float32(1), np.array(1.0), np.array([1]), (1.0,)])
def test_penalties_may_come_as_any_number(table, alpha):
    X, y, _ = table(20, 3)
    expected = Ridge(1.0).fit(X, y).coef_
    np.testing.assert_array_equal(Ridge(alpha).fit(X, y).coef_, expected)
    assert RidgeCV(alpha).fit(X, y).alpha_ == 1.0
