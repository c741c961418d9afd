"""Categories: one-hot columns against scikit-learn, and the effects of many levels."""

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.preprocessing import OneHotEncoder, TargetEncoder

from abline.tables import TableEncoder, infer_schema
from abline.tables.category import Levels, as_text
from abline.tables.level_effects import fit_level_effects
from abline.tables.one_hot import fit_one_hot, rare_below

CELLS = pl.Series("c", ["a"] * 50 + ["b"] * 30 + [None] * 15 + ["r1"] * 3 + ["r2"] * 2)


def one_hot(cells):
    return fit_one_hot(Levels.of(cells), np.ones(len(cells)))


def effects(cells, y, seed=0, rest=None, weights=None):
    y = np.asarray(y, dtype=float).reshape(len(cells), -1)
    rest = np.empty((len(y), 0)) if rest is None else rest
    weights = np.ones(len(y)) if weights is None else weights
    (result,) = fit_level_effects([Levels.of(cells)], rest, y, weights, np.random.RandomState(seed))
    return result


class TestOneHot:
    def test_as_scikit_learn_but_for_the_reference(self):
        encoder = one_hot(CELLS)
        assert encoder.feature_names == ("c = b", "c = (missing)", "c = (other)")
        theirs = OneHotEncoder(min_frequency=5, sparse_output=False)
        column = CELLS.to_numpy().reshape(-1, 1)
        dense = theirs.fit_transform(column)  # a, b, None, infrequent
        np.testing.assert_array_equal(encoder.transform(CELLS), dense[:, 1:])
        assert encoder.notes == ("2 levels of 'c' in fewer than 5 rows count as (other)",)

    def test_unseen_levels_belong_to_the_rare_ones(self):
        encoder = one_hot(CELLS)
        new = pl.Series("c", ["zebra", "r1", "a"])
        np.testing.assert_array_equal(encoder.transform(new), [[0, 0, 1], [0, 0, 1], [0, 0, 0]])
        assert encoder.notes_on(new) == ("1 cell of 'c' holds a level not seen in training",)

    def test_unseen_levels_are_average_where_none_is_rare(self):
        encoder = one_hot(pl.Series("c", ["a"] * 50 + ["b"] * 30 + ["d"] * 20))
        new = pl.Series("c", ["zebra", None])
        np.testing.assert_allclose(encoder.transform(new), [[0.3, 0.2]] * 2)
        assert len(encoder.notes_on(new)) == 2

    def test_one_level_has_no_column(self):
        encoder = one_hot(pl.Series("c", ["a"] * 10))
        assert encoder.feature_names == ()
        assert "left out" in encoder.notes[0]

    def test_no_collinear_columns(self):
        design = np.column_stack([np.ones(len(CELLS)), one_hot(CELLS).transform(CELLS)])
        assert np.linalg.matrix_rank(design) == design.shape[1]

    @pytest.mark.parametrize(("rows", "least"), [(1, 1), (20, 1), (21, 2), (100, 5), (10**6, 5)])
    def test_rare_is_less_in_small_tables(self, rows, least):
        assert rare_below(rows) == least


@pytest.mark.parametrize(
    "cells",
    [[1, 2, 1], [1.0, 2.0, 1.0], ["1", "2", "1"], ["1.0", "2.00", "1"], [True, False, True]],
    ids=str,
)
def test_numbers_and_text_are_the_same_levels(cells):
    text = as_text(pl.Series(cells)).to_list()
    assert text == (["true", "false", "true"] if cells[0] is True else ["1", "2", "1"])


def test_dates_and_datetimes_are_the_same_levels():
    dates = pl.Series([19753], dtype=pl.Date)
    assert as_text(dates).to_list() == as_text(dates.cast(pl.Datetime)).to_list() == ["2024-01-31"]


class TestEffects:
    RNG = np.random.default_rng(0)
    CODES = RNG.integers(0, 60, 3000)
    CELLS = pl.Series("c", [f"level {code}" for code in CODES])
    TRUE = RNG.normal(0, 2, 60)
    Y = 10 + TRUE[CODES] + RNG.normal(0, 3, 3000)

    def test_as_scikit_learn_with_the_same_shrinkage(self):
        """TargetEncoder with smooth = σ²/τ² of the simulation is the same up to scale."""
        result = effects(self.CELLS, self.Y)
        column = self.CELLS.to_numpy().reshape(-1, 1)
        theirs = TargetEncoder(target_type="continuous", smooth=9 / 4).fit(column, self.Y)
        ours = result.encoder.transform(self.CELLS)[:, 0]
        assert np.corrcoef(ours, theirs.transform(column)[:, 0])[0, 1] > 0.9999

    def test_shrinks_by_the_ratio_of_variances(self):
        """The best prediction of a level is w / (w + σ²/τ²) of its mean, of 5 rows or 50."""
        rng = np.random.default_rng(1)
        sizes = np.repeat([5, 50], 400)
        codes = np.repeat(np.arange(800), sizes)
        y = rng.normal(0, 1, 800)[codes] + rng.normal(0, 3, len(codes))
        cells = pl.Series("c", codes.astype(str))
        encoder = effects(cells, y).encoder
        means = np.bincount(codes, y - y.mean()) / sizes
        new = encoder.transform(pl.Series("c", [*np.arange(800).astype(str), "unseen"]))[:, 0]
        ours = new[:-1] - new[-1]  # an unseen level has no effect
        shrinkage = [np.median(ours[sizes == size] / means[sizes == size]) for size in (5, 50)]
        expected = (5 / (5 + 9)) / (50 / (50 + 9))
        assert shrinkage[0] / shrinkage[1] == pytest.approx(expected, rel=0.1)

    def test_training_rows_do_not_see_their_own_target(self):
        """A wild target moves the other folds' rows of its level, and its own fold's not."""
        wild = self.Y.copy()
        wild[7] += 100.0
        training = effects(self.CELLS, wild).training[:, 0]
        folds = np.random.RandomState(0).permutation(3000) % 5
        level = self.CODES[7] == self.CODES
        own, others = training[level & (folds == folds[7])], training[level & (folds != folds[7])]
        assert len(own) > 1
        assert np.ptp(own) == 0
        assert others.min() > own.max() + 0.5

    def test_noise_gains_nothing_on_held_out_rows(self):
        """300 levels that mean nothing, as often as not: no loss worth the name."""
        losses = []
        for seed in range(10):
            rng = np.random.default_rng(seed)
            x = rng.normal(size=1500)
            table = pl.DataFrame({"x": x, "noise": rng.integers(0, 200, 1500).astype(str)})
            y = x + rng.normal(size=1500)
            train, test = slice(0, 1000), slice(1000, None)
            encoder = TableEncoder(infer_schema(table[train]), random_state=0)
            fit = LinearRegression().fit(encoder.fit_transform(table[train], y[train]), y[train])
            with_noise = r2_score(y[test], fit.predict(encoder.transform(table[test])))
            alone = LinearRegression().fit(x[train, None], y[train])
            losses.append(r2_score(y[test], alone.predict(x[test, None])) - with_noise)
        assert abs(np.mean(losses)) < 0.003
        assert max(losses) < 0.02

    def test_what_other_columns_know_is_not_counted_twice(self):
        """Levels that differ only by what x says have next to no effect of their own."""
        x = self.TRUE[self.CODES] + self.RNG.normal(0, 1, 3000)
        y = 3 * x + self.RNG.normal(size=3000)
        shares = []
        for rest in (None, x[:, None] / x.std()):
            training = effects(self.CELLS, y, rest=rest).training
            # what the column knows of x; no column knows nothing
            shares.append(sum(np.corrcoef(column, x)[0, 1] ** 2 for column in training.T))
        assert shares[0] > 0.5
        assert shares[1] < 0.01

    def test_crossed_columns_take_turns(self):
        """Two categories that go together: each gets its own share."""
        rng = np.random.default_rng(0)
        first = rng.integers(0, 80, 8000)
        second = (first + rng.integers(0, 10, 8000)) % 80
        a, b = rng.normal(size=(2, 80))
        y = a[first] + b[second] + rng.normal(0, 0.5, 8000)
        groups = [Levels.of(pl.Series(n, c.astype(str))) for n, c in (("a", first), ("b", second))]
        results = fit_level_effects(
            groups, np.empty((8000, 0)), y[:, None], np.ones(8000), np.random.RandomState(0)
        )
        for result, truth in zip(results, (a, b), strict=True):
            levels = pl.Series("x", np.arange(80).astype(str))
            got = result.encoder.transform(levels)[:, 0]
            assert np.corrcoef(got, truth)[0, 1] > 0.98

    def test_several_targets_have_a_column_each(self):
        y = np.column_stack([self.Y, self.RNG.normal(size=3000), -self.Y])
        encoder = effects(self.CELLS, y).encoder
        names = encoder.feature_names
        assert {"c (effect on target 1)", "c (effect on target 3)"} <= set(names)
        values = dict(zip(names, encoder.transform(self.CELLS).T, strict=True))
        np.testing.assert_allclose(
            values["c (effect on target 1)"], -values["c (effect on target 3)"], atol=1e-9
        )

    def test_same_seed_same_numbers(self):
        one, two, other = (effects(self.CELLS, self.Y, seed).training for seed in (0, 0, 1))
        np.testing.assert_array_equal(one, two)
        assert (one != other).any()

    @pytest.mark.parametrize("n", [1, 2, 4])
    def test_fewer_rows_than_folds(self, n):
        result = effects(pl.Series("c", ["a", "b", "a", "b"][:n]), np.arange(n))
        assert np.isfinite(result.training).all()
        assert np.isfinite(result.encoder.matrix).all()

    def test_scale_of_weights_does_not_matter(self):
        weights = self.RNG.integers(1, 4, 3000).astype(float)
        small, large = (effects(self.CELLS, self.Y, weights=weights * s) for s in (1e-6, 1e3))
        np.testing.assert_allclose(small.training, large.training, rtol=1e-8)


@pytest.mark.parametrize(("rows", "levels"), [(3000, 2000), (3000, 1000), (600, 150), (200, 90)])
def test_many_levels_of_few_rows_keep_their_effects(rows, levels):
    """No worse on held-out rows than scikit-learn's target means, though every level is rare."""
    import pandas as pd
    from sklearn.linear_model import LinearRegression
    from sklearn.model_selection import KFold, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import TargetEncoder

    import abline as ab

    random = np.random.default_rng(0)
    place = random.integers(0, levels, rows)
    X = pd.DataFrame({"city": [f"c{i}" for i in place]})
    y = random.normal(size=levels)[place] + 0.5 * random.normal(size=rows)
    folds = KFold(5, shuffle=True, random_state=0)
    means = make_pipeline(TargetEncoder(cv=KFold(5)), LinearRegression())
    expected = cross_val_score(means, X, y, cv=folds).mean()
    got = cross_val_score(ab.TableRegressor("line", random_state=0), X, y, cv=folds).mean()
    assert got > expected - 0.02 > 0.05
