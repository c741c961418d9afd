"""The two methods that give a least-squares estimator its inference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from abline.linear.inference.result import LinearResult


class Summarised:
    """Give an unpenalised estimator ``summary`` and ``predict_interval``; inherit it.

    A subclass keeps ``factor_``, ``rss_``, ``rank_``, ``coef_`` and ``intercept_``.
    """

    def summary(
        self,
        X: Any = None,
        y: Any = None,
        cov: str = "nonrobust",
        *,
        groups: Any = None,
        sample_weight: Any = None,
        use_t: bool | None = None,
        target: int | None = None,
    ) -> LinearResult:
        """Give standard errors, tests and intervals, in a result that prints as a table.

        A fitted model holds no rows. What needs them (robust standard errors, diagnostics,
        leverages) takes those of the fit once more, and checks that they are.

        Parameters
        ----------
        X : array, dataframe or sparse matrix of shape (n, p), optional
        y : array of shape (n,) or (n, t), optional
            The rows that the model was fitted on. The result keeps a reference to them.
        cov : {"nonrobust", "HC0", "HC1", "HC2", "HC3", "cluster"}, default="nonrobust"
            What the standard errors allow for: nothing, unequal variances, errors that are related
            within clusters. All but the first need the rows.
        groups : array of shape (n,) or (n, 2), optional
            Labels of the clusters, or of two ways of clustering; for ``cov="cluster"``.
        sample_weight : array of shape (n,), optional
            As in the fit.
        use_t : bool, optional
            Whether estimates are held against t. By default only with ``cov="nonrobust"``, as in
            statsmodels; the normal distribution serves the robust ones.
        target : int, optional
            Which one, where the model has several.

        Returns
        -------
        LinearResult

        Raises
        ------
        ParameterError
            If an option cannot be that, rows or groups are needed and not given, or the model has
            several targets and none is chosen.
        DataError
            If the rows are not those that the model was fitted on.

        Warns
        -----
        DataWarning
            If there are fewer than 40 clusters.

        References
        ----------
        Long, Ervin (2000), "Using heteroscedasticity consistent standard errors in the linear
        regression model", *The American Statistician* 54(3); Cameron, Gelbach, Miller (2011),
        "Robust inference with multiway clustering", *Journal of Business & Economic
        Statistics* 29(2).

        Examples
        --------
        >>> from abline import LinearRegression
        >>> X, y = [[1.0], [2.0], [3.0], [4.0]], [1.0, 3.0, 2.0, 5.0]
        >>> model = LinearRegression().fit(X, y)
        >>> model.summary().bse
        Intercept      1.42302
        x0            0.519615
        >>> model.summary(X, y, cov="HC1").bse
        Intercept      0.72111
        x0            0.336452
        """
        from abline.linear.inference.summarise import summarise

        return summarise(
            self,
            X,
            y,
            cov=cov,
            groups=groups,
            sample_weight=sample_weight,
            use_t=use_t,
            target=target,
        )

    def predict_interval(
        self, X: Any, level: float = 0.95, kind: str = "mean", *, target: int | None = None
    ) -> NDArray[np.float64]:
        """Give an interval for each new row, assuming unrelated errors of equal variance.

        With other standard errors: ``model.summary(X, y, cov="HC3").predict_interval(new)``.

        Parameters
        ----------
        X : array, dataframe or sparse matrix of shape (n, p)
        level : float, default=0.95
            How often the interval covers, between 0 and 1.
        kind : {"mean", "observation"}, default="mean"
            What it covers: the mean of all rows like this one, or a single new one.
        target : int, optional
            Which one, where the model has several.

        Returns
        -------
        array of shape (n, 2), float64, in units of y

        Raises
        ------
        ParameterError
            If ``level`` or ``kind`` cannot be what it is.
        DataError
            If the features do not match those fitted or cannot be used.

        Warns
        -----
        DataWarning
            If features depended on each other in the fit and rows do not follow that: their
            intervals are infinite.

        Examples
        --------
        >>> from abline import LinearRegression
        >>> model = LinearRegression().fit([[1.0], [2.0], [3.0], [4.0]], [1.0, 3.0, 2.0, 5.0])
        >>> model.predict_interval([[2.5]], level=0.9).round(4)
        array([[1.0536, 4.4464]])
        """
        from abline.linear.inference.summarise import summarise

        return summarise(self, target=target).predict_interval(X, level, kind)
