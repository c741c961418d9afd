"""What estimators trained by gradient share: fits that fail safely, and state as plain data."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from abline.errors import ModelFileError
from abline.nets.describe_parameters import describe_parameter, restore_parameter
from abline.nets.engines.choose import Engine
from abline.nets.target_scale import TargetScale
from abline.regressor import Regressor

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]


class GradientRegressor(Regressor):
    """A regressor whose fits leave an engine's name and plain results.

    Subclasses have more of a state where their results are not plain.
    """

    #: the attribute that a fit replaces when it keeps its results
    _TRAINED: ClassVar[str]

    engine_: Engine
    device_: str
    y_ndim_: int
    y_mean_: NDArray[np.float64]
    y_scale_: NDArray[np.float64]

    @contextmanager
    def _failing_safely(self) -> Iterator[None]:
        """Put an earlier fit's results back if the body fails before it has kept new ones."""
        before = dict(self.__dict__)
        try:
            yield
        except BaseException:  # an interrupt too must not leave half of a fit; it goes on its way
            if self.__dict__.get(self._TRAINED) is before.get(self._TRAINED):
                self.__dict__.clear()
                self.__dict__.update(before)
            raise

    @classmethod
    def _is_plain_result(cls, name: str) -> bool:
        """Say whether an attribute is a result of `fit` that a file holds as it is."""
        return name.endswith("_") and name[0] != "_" and name != "engine_"

    def _as_y(self, answer: Floats) -> Floats:
        """Give predictions of shape (n, t) or (n, t, levels) y's own units and dimensions."""
        if hasattr(self, "y_mean_"):
            scale = TargetScale(self.y_mean_, self.y_scale_)
            # levels, if there are any, come last
            answer = scale.in_own_units(answer.swapaxes(1, -1)).swapaxes(1, -1)
        return answer[:, 0] if self.y_ndim_ == 1 else answer

    def _as_std_of_y(self, std: Floats) -> Floats:
        """Give standard deviations of shape (n, t) y's own units and dimensions."""
        if hasattr(self, "y_mean_"):
            std = TargetScale(self.y_mean_, self.y_scale_).std_in_own_units(std)
        return std[:, 0] if self.y_ndim_ == 1 else std

    def _knows(self, name: str) -> bool:
        """Say whether there is such a parameter."""
        return name in self._get_param_names()

    def _get_state(self) -> dict[str, Any]:
        params = self.get_params(deep=False)
        fitted = {name: value for name, value in vars(self).items() if self._is_plain_result(name)}
        state: dict[str, Any] = {
            "params": {name: describe_parameter(value) for name, value in params.items()},
            "fitted": fitted,
        }
        if hasattr(self, "engine_"):
            state["engine"] = (str(self.engine_), self.engine_.why)
        return state

    def _set_state(self, state: dict[str, Any]) -> None:
        for name, tree in state["params"].items():
            if not self._knows(name):
                raise ModelFileError(f"it has the parameter {name!r}: upgrade abline")
            setattr(self, name, restore_parameter(tree))
        for name, value in state["fitted"].items():
            if not self._is_plain_result(name):
                raise ModelFileError(f"it has the result {name!r}: upgrade abline")
            setattr(self, name, value)
        if "engine" in state:
            self.engine_ = Engine(*state["engine"])
            self.device_ = "cpu"
