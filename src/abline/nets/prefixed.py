"""Parameters with a prefix: ``module__hidden`` is what the module is called with as ``hidden``.

They behave as an estimator's own parameters in ``get_params``, ``set_params``, ``clone`` and
grid searches. The names are skorch's.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, ClassVar, Self

from sklearn.base import BaseEstimator

from abline.errors import ParameterError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class PrefixedParameters(BaseEstimator):
    """An estimator with further parameters behind the prefixes of some of its own.

    Attributes
    ----------
    PREFIXES : tuple of str
        The parameters that pass arguments on.
    """

    PREFIXES: ClassVar[tuple[str, ...]] = ()

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Give all parameters, those with a prefix too.

        Parameters
        ----------
        deep : bool, default=True
            Whether to include the parameters of parameters that are estimators.

        Returns
        -------
        dict
        """
        params: dict[str, Any] = super().get_params(deep=deep)
        return params | {name: value for name, value in vars(self).items() if self._passes(name)}

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name.

        Parameters
        ----------
        **params
            Of the estimator, or with a prefix.

        Returns
        -------
        estimator
            This very object.

        Raises
        ------
        ParameterError
            If there is no such parameter; the message has the nearest names.
        """
        own = {name: value for name, value in params.items() if not self._passes(name)}
        known = self.get_params()
        for name in own:
            if name.partition("__")[0] not in known:
                raise unknown_parameter(type(self), name, self.PREFIXES)
        super().set_params(**own)
        self._set_prefixed({name: params[name] for name in params if name not in own})
        return self

    def _set_prefixed(self, params: Mapping[str, Any]) -> None:
        for name, value in params.items():
            if not self._passes(name):
                raise unknown_parameter(type(self), name, self.PREFIXES)
            setattr(self, name, value)

    def _arguments(self, prefix: str) -> dict[str, Any]:
        """Give the arguments to pass on for one prefix, without it."""
        start = f"{prefix}__"
        return {
            name.removeprefix(start): value
            for name, value in vars(self).items()
            if name.startswith(start)
        }

    def _passes(self, name: str) -> bool:
        prefix, delimiter, rest = name.partition("__")
        return prefix in self.PREFIXES and bool(delimiter) and bool(rest)


def unknown_parameter(cls: type, name: str, prefixes: tuple[str, ...] = ()) -> ParameterError:
    """Make the error of a parameter that an estimator does not have.

    Parameters
    ----------
    cls : type
        The estimator's class.
    name : str
        As it was given.
    prefixes : tuple of str
        The parameters behind which any name may stand.

    Returns
    -------
    ParameterError
        To raise.
    """
    names = cls._get_param_names()  # type: ignore[attr-defined]  # scikit-learn is untyped
    near = did_you_mean(name, names)
    if not near and prefixes:
        near = f"those passed on start with {', '.join(f'{prefix}__' for prefix in prefixes)}"
    return ParameterError(f"{cls.__name__} has no parameter {name!r}: {near or names}")


def call_with(prefix: str, factory: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Call a factory with the arguments that a person gave behind a prefix.

    Parameters
    ----------
    prefix : str
        For the messages.
    factory : callable
        A class or function.
    arguments : mapping
        By keyword.

    Returns
    -------
    object
        What the factory made.

    Raises
    ------
    ParameterError
        If the factory does not take an argument, or needs one that is not there.
    """
    parameters = signature_of(factory)
    if parameters is not None:
        _check_arguments(prefix, _name(factory), parameters, arguments)
    return factory(**arguments)


def signature_of(factory: Callable[..., Any]) -> Mapping[str, inspect.Parameter] | None:
    """Give a factory's parameters, or None where it does not tell them.

    Parameters
    ----------
    factory : callable

    Returns
    -------
    mapping of str to inspect.Parameter, or None
    """
    try:
        return inspect.signature(factory).parameters
    except (TypeError, ValueError):
        return None


def _check_arguments(
    prefix: str,
    name: str,
    parameters: Mapping[str, inspect.Parameter],
    arguments: Mapping[str, Any],
) -> None:
    kinds = {parameter.kind for parameter in parameters.values()}
    named = {
        key: parameter
        for key, parameter in parameters.items()
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    }
    if inspect.Parameter.VAR_KEYWORD not in kinds:
        for key in arguments:
            if key not in named:
                near = did_you_mean(f"{prefix}__{key}", [f"{prefix}__{known}" for known in named])
                remedy = near or f"it takes {', '.join(named)}"
                raise ParameterError(f"{prefix}__{key} is no parameter of {name}: {remedy}")
    for key, parameter in named.items():
        if parameter.default is parameter.empty and key not in arguments:
            raise ParameterError(f"{prefix} {name} needs {key!r}: pass {prefix}__{key}")


def _name(factory: Any) -> str:
    return str(getattr(factory, "__name__", type(factory).__name__))
