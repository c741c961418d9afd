"""What a search leaves of the process that it ran in."""

import pickle
import subprocess
import sys
import textwrap
import threading
import warnings

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info

from abline.nets.many import MLPRegressorCV, folds
from abline.nets.many.bar import training_bar

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SMALL = {"hidden_layer_sizes": [2, 3], "max_iter": 3, "cv": 3, "random_state": 0}


def state_of_the_process():
    return (
        torch.get_num_threads(),
        [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"],
        list(warnings.filters),
        warnings.showwarning,
        pickle.dumps(np.random.get_state()),
        torch.get_rng_state().tolist(),
        threading.active_count(),
    )


@pytest.mark.parametrize("engine", ["loop", "fused", "batched"])
def test_nothing_of_the_process_is_changed(table, engine):
    X, y, weights = (part.copy() for part in table)
    before = state_of_the_process()
    MLPRegressorCV(**SMALL, engine=engine, n_jobs=3).fit(X, y, weights)
    assert state_of_the_process() == before
    for part, expected in zip((X, y, weights), table, strict=True):
        np.testing.assert_array_equal(part, expected)


def test_nor_by_an_error_in_a_training(table, monkeypatch):
    X, y, _ = table
    before = state_of_the_process()

    def broken(*arguments, **options):
        raise RuntimeError("the disk is on fire")

    monkeypatch.setattr("abline.nets.many.threads.pose", broken)
    with pytest.raises(RuntimeError, match="on fire"):
        MLPRegressorCV(**SMALL, engine="loop", n_jobs=3).fit(X, y)
    assert state_of_the_process() == before


def test_searches_in_several_threads_at_once(table):
    X, y, _ = table
    before = state_of_the_process()
    found = {}

    def search(seed):
        found[seed] = MLPRegressorCV(**SMALL | {"random_state": seed}, n_jobs=2).fit(X, y)

    workers = [threading.Thread(target=search, args=(seed,)) for seed in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert state_of_the_process() == before
    for seed, one in found.items():
        alone = MLPRegressorCV(**SMALL | {"random_state": seed}, n_jobs=1).fit(X, y)
        np.testing.assert_array_equal(one.oof_prediction_, alone.oof_prediction_)


INTERRUPTED = """
    import os, signal, threading, time
    import numpy as np
    from abline.nets.many import MLPRegressorCV

    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(2000, 4)), rng.normal(size=2000)
    search = MLPRegressorCV([50] * 20, max_iter=10**8, tol=-0.0, n_iter_no_change=10**9,
                            engine={engine!r}, random_state=0)

    def interrupt():
        time.sleep(1.0)
        os.kill(os.getpid(), signal.SIGINT)

    # warmed up, since an interrupt that arrives in a callback of the compiler's is lost
    MLPRegressorCV([50], tol=1e9, engine={engine!r}, random_state=0).fit(X[:200], y[:200])
    before = threading.active_count()
    threading.Thread(target=interrupt).start()
    try:
        search.fit(X, y)
    except KeyboardInterrupt:
        print("interrupted", threading.active_count() - before, hasattr(search, "cv_results_"))
"""


@pytest.mark.parametrize("engine", ["loop", "fused", "batched"])
def test_an_interrupt_ends_all_trainings(engine):
    program = textwrap.dedent(INTERRUPTED.format(engine=engine))
    # trainings of years: it ends because they are stopped, or by the time limit
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout.split() == ["interrupted", "0", "False"], done.stderr


def test_a_table_is_copied_once_a_fold(table, monkeypatch):
    X, y, _ = table
    taken, take = [], folds.take

    def counted(data, index):
        taken.append(len(index))
        return take(data, index)

    monkeypatch.setattr(folds, "take", counted)
    MLPRegressorCV([2, 3, 4], [0.1, 1.0], cv=3, n_restarts=3, max_iter=1, engine="loop").fit(X, y)
    assert taken == [82, 82, 82]


def test_the_bar_is_silent_where_there_is_no_terminal(table, capfd):
    X, y, _ = table
    MLPRegressorCV(**SMALL, verbose=True).fit(X, y)
    assert capfd.readouterr() == ("", "")


def test_the_bar_counts_trainings():
    with training_bar(3, wanted=False) as advance:
        advance()
