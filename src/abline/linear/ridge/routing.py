"""What RidgeCV passes on to its scorer and its splitter, by scikit-learn's metadata routing."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing

from abline.errors import DataWarning, ParameterError
from abline.linear.ridge.scoring import routing_enabled, scorer_of, takes_weights

if TYPE_CHECKING:
    from collections.abc import Callable

    from abline.tables.conversion import Floats


@dataclass(frozen=True)
class Routed:
    """A scorer, and who gets what.

    Attributes
    ----------
    scorer : callable
        From an estimator, X and y to a number.
    score, split : dict of str to object
        More arguments for the scorer and for the splitter.
    """

    scorer: Callable[..., float]
    score: dict[str, Any] = field(default_factory=dict)
    split: dict[str, Any] = field(default_factory=dict)


def route(estimator: Any, sample_weight: Floats | None, params: dict[str, Any]) -> Routed:
    """Divide the metadata of a fit.

    Parameters
    ----------
    estimator : RidgeCV
    sample_weight : array of shape (n,), or None
        Without metadata routing the scorer gets it, as in scikit-learn always where rows are left
        out one by one, and otherwise if it can.
    params : dict of str to object
        Passed to ``fit`` by name.

    Returns
    -------
    Routed

    Raises
    ------
    ParameterError
        If there are any while metadata routing is not enabled.

    Warns
    -----
    DataWarning
        If there are weights that the scorer does not take.
    """
    scorer = scorer_of(estimator)
    weights = {} if sample_weight is None else {"sample_weight": sample_weight}
    if not routing_enabled():
        if params:
            raise ParameterError(
                "Passing extra keyword arguments to RidgeCV.fit is only supported if "
                f"enable_metadata_routing=True, and {', '.join(map(repr, params))} came: set it "
                "with `sklearn.set_config`"
            )
        if weights and estimator.cv is not None and not takes_weights(scorer):
            warnings.warn(
                f"The scoring {scorer} does not support sample_weight, which may lead to "
                "statistically incorrect results: use one that does",
                DataWarning,
                stacklevel=3,
            )
            weights = {}
        return Routed(scorer, weights)
    routed = process_routing(estimator, "fit", **params, **weights)
    return Routed(scorer, dict(routed.scorer.score), dict(routed.splitter.split))


def router_of(estimator: Any) -> MetadataRouter:
    """Say who may get metadata from a RidgeCV's fit.

    Parameters
    ----------
    estimator : RidgeCV

    Returns
    -------
    MetadataRouter
    """
    score = MethodMapping().add(caller="fit", callee="score")
    split = MethodMapping().add(caller="fit", callee="split")
    return (
        MetadataRouter(owner=estimator)
        .add_self_request(estimator)
        .add(scorer=scorer_of(estimator), method_mapping=score)
        .add(splitter=estimator.cv, method_mapping=split)
    )
