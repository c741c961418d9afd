import platform
import subprocess
import sys

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator

import abline
from abline.errors import DataError, ModelFileError, OutputError
from abline.store import Content, Saveable, read_model
from abline.store.container import write_container


class Stub(Saveable, BaseEstimator):
    def __init__(self, alpha=1.0, steps=(1, 2), random_state=None):
        self.alpha = alpha
        self.steps = steps
        self.random_state = random_state

    def fit(self):
        self.coef_ = np.asfortranarray(np.array([[0.1, 0.2], [np.nan, -0.0]], np.float32))
        self.feature_names_in_ = np.array(["a", "b"], dtype=object)
        self.n_features_in_ = 2
        self.best_ = np.float64(0.1)
        self._private_ = object()
        self.scratch = object()
        return self


def revive(content):
    stub = Stub.__new__(Stub)
    stub._set_state(content.state)
    return stub


def test_round_trip_keeps_parameters_and_what_was_learnt(tmp_path):
    stub = Stub(alpha=float("inf"), steps=(3,), random_state=np.int64(7)).fit()
    assert stub.save(tmp_path / "m.model") is None
    content = read_model(str(tmp_path / "m.model"))
    assert isinstance(content, Content)
    assert content.kind == "Stub"
    assert set(content.state) == {"params", "fitted"}
    assert set(content.state["fitted"]) == {"coef_", "feature_names_in_", "n_features_in_", "best_"}
    back = revive(content)
    assert back.get_params() == stub.get_params()
    assert type(back.steps) is tuple
    assert type(back.random_state) is np.int64
    assert back.coef_.tobytes("A") == stub.coef_.tobytes("A")
    assert back.coef_.flags.f_contiguous
    assert list(back.feature_names_in_) == ["a", "b"]


def test_saved_again_it_is_the_same_file(tmp_path):
    Stub().fit().save(tmp_path / "one")
    revive(read_model(tmp_path / "one")).save(tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_unfitted_model_is_saved_too(tmp_path):
    Stub(alpha=2.0).save(tmp_path / "m")
    assert read_model(tmp_path / "m").state == {
        "params": {"alpha": 2.0, "random_state": None, "steps": (1, 2)},
        "fitted": {},
    }


def test_versions_are_recorded(tmp_path):
    Stub().save(tmp_path / "m")
    versions = read_model(tmp_path / "m").versions
    versions.pop("torch", None)  # another test of this process may have loaded it
    assert versions == {
        "abline": abline.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scikit-learn": sklearn.__version__,
    }


def test_saving_loads_neither_torch_nor_scikit_learn(tmp_path):
    code = """if True:
        import sys
        from abline.store import Saveable, read_model
        class Plain(Saveable):
            def get_params(self, deep=True):
                return {}
        Plain().save(sys.argv[1])
        assert set(read_model(sys.argv[1]).versions) == {"abline", "python", "numpy"}
        heavy = {"torch", "sklearn", "scipy", "polars", "pandas", "matplotlib"} & set(sys.modules)
        assert not heavy, heavy
    """
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "m")], check=True, timeout=60)


@pytest.mark.parametrize("value", [object(), np.random.RandomState(0)])
def test_parameter_that_no_file_holds_is_named_and_the_old_file_kept(tmp_path, value):
    Stub().save(tmp_path / "m")
    before = (tmp_path / "m").read_bytes()
    with pytest.raises(DataError, match=r"^params\.random_state is a "):
        Stub(random_state=value).save(tmp_path / "m")
    assert (tmp_path / "m").read_bytes() == before
    assert list(tmp_path.iterdir()) == [tmp_path / "m"]


def test_path_is_checked_before_the_state_is_made(tmp_path, monkeypatch):
    monkeypatch.setattr(Stub, "_get_state", lambda self: pytest.fail("too late"))
    with pytest.raises(OutputError, match="does not exist"):
        Stub().save(tmp_path / "missing" / "m")


FILE = {"format": 1, "kind": "Stub", "versions": {}, "state": {}}


@pytest.mark.parametrize(
    "change",
    [{"kind": 1}, {"versions": []}, {"state": []}, {"state": {"$": "code"}}, {"state": None}],
    ids=str,
)
def test_file_with_something_else_in_it_is_refused(tmp_path, change):
    write_container(tmp_path / "m.model", {**FILE, **change}, {})
    with pytest.raises(ModelFileError, match=r"m\.model") as caught:
        read_model(tmp_path / "m.model")
    assert "save the model again" in str(caught.value)
