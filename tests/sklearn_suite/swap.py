"""A pytest plugin: scikit-learn's own tests, run on abline's estimators in place of its own.

It is loaded with ``-p`` before scikit-learn's test modules are imported, so that their
``from sklearn.linear_model import Ridge`` finds abline's class. It writes the outcome of each
test that made, fitted or called one of the swapped names to the JSON file that the environment
variable ``SWAP_OUTCOMES`` names.
"""

from __future__ import annotations

import functools
import json
import os
from pathlib import Path
from typing import Any

import pytest
import sklearn.linear_model
import sklearn.neural_network
from sklearn.base import BaseEstimator

import abline.linear
import abline.nets.mlp

#: abline's classes, by scikit-learn's module where they take the place of those of their name
CLASSES = {
    sklearn.linear_model: (
        abline.linear.LinearRegression,
        abline.linear.Ridge,
        abline.linear.RidgeCV,
        abline.linear.Lasso,
        abline.linear.LassoCV,
        abline.linear.ElasticNet,
        abline.linear.ElasticNetCV,
    ),
    sklearn.neural_network: (abline.nets.mlp.MLPRegressor,),
}
FUNCTIONS = ("lasso_path", "enet_path")

#: the property by which a worker tells the process that gathers the reports which test touched
TOUCHED = "touched"

outcomes: dict[str, str] = {}
current: list[Any] = []


def _touch() -> None:
    if current and not any(key == TOUCHED for key, _ in current[0].user_properties):
        module = current[0].module.__name__.rsplit(".", 1)[-1]
        current[0].user_properties.append((TOUCHED, f"{module}::{current[0].name}"))


def _watched(function: Any) -> Any:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        _touch()
        return function(*args, **kwargs)

    return call


def pytest_configure() -> None:
    ours = {id(cls) for classes in CLASSES.values() for cls in classes}
    make = BaseEstimator.__new__

    def watched_new(cls: type, *args: Any, **kwargs: Any) -> Any:
        if any(id(base) in ours for base in cls.__mro__):
            _touch()
        return make(cls) if make is object.__new__ else make(cls, *args, **kwargs)

    BaseEstimator.__new__ = watched_new
    for module, classes in CLASSES.items():
        for cls in classes:
            setattr(module, cls.__name__, cls)
    # RANSAC asks whether it holds this very class, to know its fewest rows
    sklearn.linear_model._ransac.LinearRegression = abline.linear.LinearRegression
    for name in FUNCTIONS:
        setattr(sklearn.linear_model, name, _watched(getattr(abline.linear, name)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: Any) -> Any:
    current[:] = [item]
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    if any(_is_ours(value) for value in parameters.values()):
        _touch()
    result = yield
    current.clear()
    return result


def _is_ours(value: Any) -> bool:
    kind = value if isinstance(value, type) else type(value)
    return kind.__module__.startswith("abline.")


def pytest_runtest_logreport(report: Any) -> None:
    name = dict(report.user_properties).get(TOUCHED)
    if name is not None and (report.when == "call" or report.outcome != "passed"):
        expected = hasattr(report, "wasxfail")
        outcomes[name] = "xfailed" if expected else report.outcome


def pytest_sessionfinish(session: Any) -> None:
    if not hasattr(session.config, "workerinput"):
        Path(os.environ["SWAP_OUTCOMES"]).write_text(json.dumps(outcomes), encoding="utf-8")
