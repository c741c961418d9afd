"""From a table as it is to predictions: the encoder of its columns joined to any estimator.

The encoding (medians, means, levels, their shrunken effects) is learnt by ``fit`` from the rows
it gets and from no others, so cross-validating a `TableRegressor` leaks nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import narwhals as nw
import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted, validate_data

from abline.errors import DataError, ParameterError, one_of
from abline.regressor import Regressor
from abline.saving import nested_state, restore
from abline.tables import TableEncoder, as_table, infer_schema
from abline.tables.arrays import check_target, check_weights
from abline.tables.conversion import from_tensor, is_dataframe

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from numpy.typing import NDArray

    from abline.linear.inference.result import LinearResult

#: the models that have a name, from the simplest on
NAMED = ("mean", "line", "ridge", "lasso", "elastic-net", "network")

#: what "ridge" chooses its penalty from; the encoded columns have unit variance
RIDGE_PENALTIES = np.logspace(-3, 4, 30)

#: shares of the lasso's penalty that "elastic-net" chooses from; 1 is the lasso itself
L1_RATIOS = (0.1, 0.5, 0.9)


def named_estimator(
    name: str,
    *,
    random_state: int | np.random.RandomState | None = None,
    device: str = "auto",
    max_epochs: int | None = None,
) -> Any:
    """Make the estimator that stands for a name.

    Parameters
    ----------
    name : {"mean", "line", "ridge", "lasso", "elastic-net", "network"}
    random_state : int or RandomState, optional
        Of the network; the others are exact.
    device : str, default="auto"
        Where the network trains: ``"auto"``, ``"cpu"``, ``"cuda"``.
    max_epochs : int, optional
        The network's; its own default otherwise.

    Returns
    -------
    estimator

    Raises
    ------
    ParameterError
        If there is no such name; the message has the nearest.

    Examples
    --------
    >>> named_estimator("line")
    LinearRegression()
    """
    one_of("estimator", name, NAMED)
    if name == "network":
        from abline.nets import NetworkRegressor

        network = NetworkRegressor(device=device, random_state=random_state)
        return network if max_epochs is None else network.set_params(max_epochs=max_epochs)
    from abline import linear

    if name == "ridge":
        return linear.RidgeCV(alphas=RIDGE_PENALTIES)
    if name == "lasso":
        return linear.LassoCV()
    if name == "elastic-net":
        return linear.ElasticNetCV(l1_ratio=L1_RATIOS)
    return linear.MeanRegressor() if name == "mean" else linear.LinearRegression()


class TableRegressor(Regressor):
    """Regression on a table with numbers, text, dates and missing cells.

    Parameters
    ----------
    estimator : {"line", "ridge", "lasso", "elastic-net", "network", "mean"} or estimator
        What is fitted on the encoded columns, a line by default; any scikit-learn regressor will
        do.
    features : sequence of str, optional
        The only columns to use; all by default.
    ignore, numeric, categorical, date, id : sequence of str, optional
        Columns to leave out, and columns whose role a person knows better.
    random_state : int or RandomState, optional
        Of the encoder's cross-fitting, and of the estimator where it has one unset.

    Attributes
    ----------
    schema_ : Schema
        The role of each column, and why.
    encoder_ : TableEncoder
        From columns to numbers; its ``feature_names_out_`` name what the estimator sees.
    estimator_ : estimator
        Fitted on the encoded columns.
    target_names_ : list of str or None
        The target's name(s), where y had any.
    card_ : dict
        How the model was made, in a file's own words (rows, scores, judgement); empty unless
        `abline fit` or a person filled it. It is saved with the model.
    n_features_in_ : int
    feature_names_in_ : array of str
        Only where X was a dataframe.

    Examples
    --------
    >>> import polars as pl
    >>> homes = pl.DataFrame({"rooms": [1, 2, 3, 4], "town": ["a", "b", "a", "b"]})
    >>> model = TableRegressor("line").fit(homes, [100.0, 250.0, 300.0, 450.0])
    >>> model.predict(homes).round(3)
    array([100., 250., 300., 450.])
    """

    def __init__(
        self,
        estimator: Any = "line",
        *,
        features: Sequence[str] | None = None,
        ignore: Sequence[str] | None = None,
        numeric: Sequence[str] | None = None,
        categorical: Sequence[str] | None = None,
        date: Sequence[str] | None = None,
        id: Sequence[str] | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.estimator = estimator
        self.features = features
        self.ignore = ignore
        self.numeric = numeric
        self.categorical = categorical
        self.date = date
        self.id = id
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn the encoding and the estimator.

        Parameters
        ----------
        X : dataframe (or array, tensor) of shape (n, p)
            Any eager dataframe that narwhals knows.
        y : array or series of shape (n,), or (n, t) for several targets
            Numbers, none missing.
        sample_weight : array of shape (n,), optional

        Returns
        -------
        TableRegressor
            This very object.

        Raises
        ------
        DataError
            If a column or the target cannot be used; the message names it.
        """
        if y is None:
            raise DataError(
                "This TableRegressor estimator requires y to be passed, but the target y is None: "
                "pass one number per row"
            )
        table = as_table(X)
        _check_columns(self, X, reset=True)
        target = check_target(y)
        if len(target) != table.height:
            raise DataError(
                f"the table has {table.height} rows and y has {len(target)}: pass one y per row"
            )
        weights = check_weights(sample_weight, table.height)
        self.target_names_ = _names_of(y)
        self.schema_ = infer_schema(
            table,
            features=self.features,
            ignore=tuple(self.ignore or ()),
            numeric=tuple(self.numeric or ()),
            categorical=tuple(self.categorical or ()),
            date=tuple(self.date or ()),
            id=tuple(self.id or ()),
        )
        self.encoder_ = TableEncoder(self.schema_, random_state=self.random_state)
        encoded = self.encoder_.fit_transform(table, target, weights)
        self.estimator_ = self._make_estimator()
        fit_params = {} if weights is None else {"sample_weight": weights}
        self.estimator_.fit(encoded, target, **fit_params)
        self.card_: dict[str, Any] = {}
        return self

    def predict(self, X: Any) -> NDArray[np.floating[Any]]:
        """Predict the target of new rows.

        Columns may come in another order and among others; missing cells and unseen levels
        are encoded as the training rows taught.

        Parameters
        ----------
        X : dataframe (or array, tensor) of shape (n, p)

        Returns
        -------
        array of shape (n,) or (n, t), as y was

        Raises
        ------
        DataError
            If a needed column is missing, or holds something of another type.
        """
        check_is_fitted(self)
        return np.asarray(self.estimator_.predict(self.encoder_.transform(self._new_table(X))))

    def summary(self) -> LinearResult:
        """Give the line's coefficients with standard errors, in the columns' own units.

        Returns
        -------
        LinearResult
            One term an encoded column. It prints as a table.

        Raises
        ------
        ParameterError
            If the estimator is no `LinearRegression`: a penalty or a network leaves no valid
            standard errors.

        Examples
        --------
        >>> import polars as pl
        >>> homes = pl.DataFrame({"rooms": [1, 2, 3, 4, 5]})
        >>> line = TableRegressor("line").fit(homes, [1.0, 2.5, 2.5, 4.5, 5.0])
        >>> round(float(line.summary().bse["rooms"]), 4)
        0.1528
        """
        from abline.linear import LinearRegression
        from abline.linear.inference.summarise import summarise

        check_is_fitted(self)
        line = self.estimator_
        if not isinstance(line, LinearRegression) or line.positive:
            raise ParameterError(
                f"the table's estimator is {line!r}, and only a line without penalty has valid "
                "standard errors: use TableRegressor('line')"
            )
        scale, center = self.encoder_.units_
        own = LinearRegression(fit_intercept=line.fit_intercept)
        own.fit_factor(line.factor_.rescaled(scale, center))
        return summarise(
            own,
            features=self.encoder_.feature_names_out_,
            target_name=None if self.target_names_ is None else self.target_names_[0],
            notes=_effects_note(self.encoder_.estimated_),
        )

    def notes(self, X: Any) -> tuple[str, ...]:
        """Say what is unusual about rows to predict.

        Parameters
        ----------
        X : dataframe (or array, tensor) of shape (n, p)

        Returns
        -------
        tuple of str
            One sentence each: levels not seen in training, cells far outside its range.
        """
        check_is_fitted(self)
        return self.encoder_.transform_notes(self._new_table(X))

    def _make_estimator(self) -> Any:
        if isinstance(self.estimator, str):
            return named_estimator(self.estimator, random_state=self.random_state)
        estimator = clone(self.estimator)
        parameters = estimator.get_params(deep=False)
        if "random_state" in parameters and parameters["random_state"] is None:
            estimator.set_params(random_state=self.random_state)
        return estimator

    def _new_table(self, X: Any) -> pl.DataFrame:
        named = hasattr(self, "feature_names_in_")
        table = as_table(X)
        if named and is_dataframe(X):
            return table  # the encoder picks its columns by name
        _check_columns(self, X, reset=False)
        names = self.feature_names_in_ if named else [f"x{i}" for i in range(table.width)]
        return table.rename(dict(zip(table.columns, names, strict=True)))

    def _get_state(self) -> dict[str, Any]:
        check_is_fitted(self)
        params = self.get_params(deep=False)
        if not isinstance(self.estimator, str):
            params["estimator"] = nested_state(self.estimator, "estimator")
        fitted = {
            name: value
            for name, value in vars(self).items()
            if name.endswith("_") and name not in ("schema_", "encoder_", "estimator_")
        }
        return {
            "params": params,
            "fitted": fitted,
            "encoder": self.encoder_._get_state(),
            "estimator": nested_state(self.estimator_, "estimator"),
        }

    def _set_state(self, state: dict[str, Any]) -> None:
        params = dict(state["params"])
        if isinstance(params["estimator"], dict):
            params["estimator"] = restore(**params["estimator"])
        for name, value in (params | state["fitted"]).items():
            setattr(self, name, value)
        self.encoder_ = TableEncoder._from_state(state["encoder"])
        self.schema_ = self.encoder_.schema
        self.estimator_ = restore(**state["estimator"])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        return tags


def _check_columns(estimator: TableRegressor, X: Any, *, reset: bool) -> None:
    """Keep or compare the features' number and names, as scikit-learn's estimators do."""
    try:
        native = nw.to_native(from_tensor(X), pass_through=True)
        validate_data(estimator, X=native, reset=reset, skip_check_array=True)
    except (TypeError, ValueError) as error:
        raise DataError(" ".join(str(error).split())) from error


def _effects_note(names: list[str]) -> tuple[str, ...]:
    if not names:
        return ()
    some = ", ".join(repr(name) for name in names)
    return (f"Standard errors leave out that effects of levels were estimated: {some}.",)


def _names_of(y: Any) -> list[str] | None:
    wrapped = nw.from_native(y, allow_series=True, pass_through=True)
    if isinstance(wrapped, nw.Series):
        return [str(wrapped.name)] if wrapped.name not in (None, "") else None
    return [str(name) for name in wrapped.columns] if isinstance(wrapped, nw.DataFrame) else None
