"""Files of every estimator."""

from __future__ import annotations

import numpy as np
import pytest

import abline as ab
from abline.saving import KINDS, restore
from abline.store import Saveable

RNG = np.random.RandomState(0)
X, Y = RNG.normal(size=(60, 3)), RNG.normal(size=60)

ESTIMATORS = [
    ab.LinearRegression(),
    ab.Ridge(alpha=2.0),
    ab.RidgeCV(alphas=[0.1, 1.0]),
    ab.TorchRegressor(max_epochs=5, random_state=0),
    ab.NetworkRegressor(max_epochs=2, random_state=0),
    ab.TableRegressor("network", random_state=0),
]


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_round_trip_keeps_every_bit(tmp_path, estimator):
    fitted = estimator.fit(X, Y)
    path = tmp_path / "m.model"
    fitted.save(path)
    back = ab.load(path)
    assert type(back) is type(fitted)
    assert (back.predict(X) == fitted.predict(X)).all()
    assert back.get_params().keys() == fitted.get_params().keys()
    back.save(tmp_path / "again.model")
    assert (ab.load(tmp_path / "again.model").predict(X) == fitted.predict(X)).all()


def test_every_kind_is_saveable():
    from importlib import import_module

    for kind, home in KINDS.items():
        assert issubclass(getattr(import_module(home), kind), Saveable)


def test_an_unknown_kind_is_refused():
    with pytest.raises(ab.ModelFileError, match="upgrade"):
        restore("Popen", {})


def test_an_unfitted_estimator_is_not_saved(tmp_path):
    from sklearn.exceptions import NotFittedError

    with pytest.raises((NotFittedError, ab.AblineError)):
        ab.TableRegressor().save(tmp_path / "m.model")
    assert list(tmp_path.iterdir()) == []


def test_whatever_byte_is_wrong(tmp_path):
    path = tmp_path / "m.model"
    ab.LinearRegression().fit(X, Y).save(path)
    whole = path.read_bytes()
    for position in range(0, len(whole), 7):
        damaged = bytearray(whole)
        damaged[position] ^= 1 << (position % 8)
        path.write_bytes(damaged)
        with pytest.raises(ab.ModelFileError, match=r"m\.model"):
            ab.load(path)
    with pytest.raises(ab.ModelFileError):
        ab.load(tmp_path / "nowhere.model")
