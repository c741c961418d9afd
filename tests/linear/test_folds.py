"""Factors of all rows but those of a fold, against factors of those rows themselves."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.model_selection import (
    KFold,
    LeaveOneGroupOut,
    RepeatedKFold,
    ShuffleSplit,
    TimeSeriesSplit,
)

from abline.errors import DataError
from abline.linear.factor import RFactor
from abline.linear.folds import fold_factors


def gram(factor):
    upper = factor.upper
    return upper.T @ upper


SPLITTERS = {
    "k_fold": KFold(5),
    "shuffled": KFold(4, shuffle=True, random_state=0),
    "repeated": RepeatedKFold(n_splits=3, n_repeats=2, random_state=0),
    "shuffle_split": ShuffleSplit(3, test_size=0.3, random_state=0),
    "time_series": TimeSeriesSplit(3),
}


@pytest.mark.parametrize("kind", [np.asarray, sparse.csc_array])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", SPLITTERS)
def test_each_fold_is_the_factor_of_its_rows(name, weighted, kind):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 3)), rng.normal(size=(60, 2))
    w = rng.integers(0, 3, 60).astype(float) if weighted else None
    splits = list(SPLITTERS[name].split(X))
    for fold, (train, test) in zip(fold_factors(kind(X), y, w, splits), splits, strict=True):
        for found, rows in ((fold.train, train), (fold.test, test)):
            want = RFactor.from_arrays(X[rows], y[rows], None if w is None else w[rows])
            assert found.n_rows == want.n_rows
            assert found.weight == pytest.approx(want.weight, rel=1e-14)
            np.testing.assert_allclose(gram(found), gram(want), rtol=1e-11, atol=1e-11)
            np.testing.assert_allclose(
                found.mean + found.mean_error, want.mean + want.mean_error, rtol=1e-12, atol=1e-14
            )


def test_groups_of_unequal_sizes():
    X, y = np.arange(9.0)[:, None], np.arange(9.0)[:, None] ** 2
    groups = np.array([0, 1, 1, 2, 2, 2, 0, 1, 0])
    splits = list(LeaveOneGroupOut().split(X, y, groups))
    folds = fold_factors(X, y, None, splits)
    assert [(f.train.n_rows, f.test.n_rows) for f in folds] == [(6, 3)] * 3


def test_a_test_fold_without_weights_is_empty_and_a_training_fold_is_refused():
    X, y = np.arange(4.0)[:, None], np.arange(4.0)[:, None]
    rows = np.arange(4)
    splits = [(rows[2:], rows[:2]), (rows[:2], rows[2:])]
    with pytest.raises(DataError, match="no training row of fold 0 has a weight above zero"):
        fold_factors(X, y, np.array([1.0, 1.0, 0.0, 0.0]), splits)
    halves = [(rows[1:], rows[:1]), (np.array([0, 2, 3]), np.array([1]))]
    assert fold_factors(X, y, np.array([0.0, 1.0, 1.0, 1.0]), halves)[0].test.n_rows == 0
