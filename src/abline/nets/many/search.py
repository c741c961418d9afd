"""A search: settings, folds and restarts as jobs, run by a plan."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.exceptions import FitFailedWarning

from abline.nets.devices import pick_device
from abline.nets.many.bar import training_bar
from abline.nets.many.folds import Part, whole
from abline.nets.many.jobs import Job, Outcome
from abline.nets.many.plan import Plan, plan_for
from abline.nets.many.scoreboard import Scoreboard, better
from abline.nets.many.side_by_side import train_side_by_side
from abline.nets.many.threads import train_in_threads, warm_up
from abline.nets.warned import warn

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from abline.nets.many.folds import Split
    from abline.nets.many.settings import Setting
    from abline.nets.mlp.regressor import MLPRegressor
    from abline.nets.warned import Said
    from abline.tables.arrays import TrainingArrays


@dataclass(frozen=True)
class Search:
    """What is to be trained.

    Attributes
    ----------
    table : TrainingArrays
        As `abline.nets.many.folds.by_rows` gives it.
    settings : sequence of dict
    common : dict of str to object
        `MLPRegressor`'s parameters that all have.
    seeds : sequence of int
        One a restart, for all settings and folds.
    engine : str
    n_threads : int
    verbose : bool
    """

    table: TrainingArrays
    settings: Sequence[Setting]
    common: dict[str, Any]
    seeds: Sequence[int]
    engine: str
    n_threads: int
    verbose: bool

    def score(
        self, splits: Sequence[Split], scorer: Callable[..., float] | None
    ) -> tuple[Scoreboard, Plan]:
        """Train and score every setting in every fold.

        Parameters
        ----------
        splits : sequence of (train, test)
        scorer : callable or None

        Returns
        -------
        board : Scoreboard
        plan : Plan

        Warns
        -----
        FitFailedWarning
            Of settings that diverged.
        """
        parts = [Part(train, self.table) for train, _ in splits]
        jobs = [
            job
            for setting in range(len(self.settings))
            for fold, part in enumerate(parts)
            for job in self._jobs(setting, fold, part)
        ]
        plan = plan_for(jobs, self.engine)
        board = Scoreboard(len(self.settings), len(self.seeds), splits, self.table, scorer)
        with (
            training_bar(len(jobs), wanted=self.verbose) as advance,
            closing(self._run(jobs, plan)) as outcomes,
        ):
            for outcome in outcomes:
                board.add(outcome)
                advance()
        self._warn_of_failures(board)
        return board, plan

    def refit(self, setting: int, plan: Plan) -> tuple[MLPRegressor, Said]:
        """Train one setting on all rows, and give the best restart.

        Parameters
        ----------
        setting : int
        plan : Plan

        Returns
        -------
        model : MLPRegressor
        said : list of (message, category)

        Raises
        ------
        DivergedError
            If all restarts diverge.
        """
        best: Outcome | None = None
        said: Said = []
        with closing(self._run(self._jobs(setting, 0, whole(self.table)), plan)) as outcomes:
            for outcome in outcomes:
                said += outcome.said
                best = outcome if best is None else better(best, outcome)
        assert best is not None  # there is a restart
        if best.model is None:
            assert best.error is not None  # which is why there is no model
            raise best.error
        return best.model, said

    def _jobs(self, setting: int, fold: int, part: Part) -> list[Job]:
        return [
            Job(
                setting,
                fold,
                restart,
                {**self.common, **self.settings[setting], "random_state": seed},
                part,
            )
            for restart, seed in enumerate(self.seeds)
        ]

    def _run(self, jobs: Sequence[Job], plan: Plan) -> Generator[Outcome, None, None]:
        if plan.engine == "batched":
            yield from train_side_by_side(jobs)
            return
        if plan.engine == "fused" and self.common["solver"] != "lm":
            warm_up(jobs[0], plan.engine)
        shared = pick_device(self.common["device"]).type != "cpu"
        yield from train_in_threads(jobs, plan.engine, 1 if shared else self.n_threads)

    def _warn_of_failures(self, board: Scoreboard) -> None:
        failed = np.flatnonzero(np.isnan(board.scores).any(axis=1))
        if not len(failed) or len(failed) == len(self.settings):
            return  # where all did, there will be an error
        named = "; ".join(
            ", ".join(f"{name}={value!r}" for name, value in self.settings[index].items())
            for index in failed[:3]
        )
        more = f"; and {len(failed) - 3} more" if len(failed) > 3 else ""
        warn(
            f"{len(failed)} of {len(self.settings)} settings have the score NaN, since trainings "
            f"diverged ({named}{more}): lower learning_rate_init, or scale X and y",
            FitFailedWarning,
        )
