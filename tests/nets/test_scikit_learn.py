"""scikit-learn's own checks of estimators."""

import warnings

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from abline.nets import NetworkRegressor, TorchRegressor

ESTIMATORS = [TorchRegressor(), NetworkRegressor(max_epochs=20, hidden=(16,), members=2)]

EXPECTED_FAILURES = {
    "TorchRegressor": {
        "check_do_not_raise_errors_in_init_or_set_params": "the check takes the name of "
        "**prefixed for a parameter, and an unknown parameter is refused at once",
    },
    "NetworkRegressor": {
        "check_sample_weight_equivalence_on_dense_data": "rows are held out for validation at "
        "random: a row of weight two whole, but of two equal rows perhaps one",
    },
}


@pytest.mark.slow
@parametrize_with_checks(
    ESTIMATORS,
    expected_failed_checks=lambda estimator: EXPECTED_FAILURES[type(estimator).__name__],
)
def test_scikit_learns_checks(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check(estimator)
