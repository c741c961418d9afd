"""Shuffles that are read are those that numpy draws."""

import numpy as np
import pytest

from abline.nets.many import MLPRegressorCV, shuffles
from abline.nets.many.shuffles import ShuffleBook


@pytest.mark.parametrize("room", [0, 100, 4 * 7 * 3, 10**6])
def test_several_readers_at_their_own_pace(room):
    book = ShuffleBook(room)
    readers = [book.reader(np.random.RandomState(5), 7) for _ in range(3)]
    own = [np.random.RandomState(5) for _ in range(3)]
    for turn in (0, 1, 1, 1, 0, 0, 2, 1, 1, 2, 0, 0, 2, 2, 2, 2):
        ours, theirs = np.arange(7), np.arange(7)
        readers[turn].shuffle(ours)
        own[turn].shuffle(theirs)
        np.testing.assert_array_equal(ours, theirs)


def test_other_seeds_and_numbers_of_rows_are_other_shuffles():
    book = ShuffleBook()
    used = np.random.RandomState(1)
    used.uniform(size=3)
    for rng, n in [(np.random.RandomState(1), 50), (np.random.RandomState(2), 50), (used, 50),
                   (np.random.RandomState(1), 49)]:  # fmt: skip
        ours, theirs = np.arange(n), np.arange(n)
        state = rng.get_state()
        book.reader(rng, n).shuffle(ours)
        assert rng.get_state()[2] == state[2]
        rng.shuffle(theirs)
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_search_with_no_room_for_shuffles_is_the_same(table, monkeypatch):
    X, y, _ = table
    options = {"max_iter": 6, "batch_size": 20, "random_state": 0, "cv": 3, "n_jobs": 2}
    searches = []
    for room in (shuffles.ROOM, 4 * 82 * 3):
        monkeypatch.setattr(ShuffleBook.__init__, "__defaults__", (room,))
        searches.append(MLPRegressorCV([3, 4], [0.0, 1.0], **options).fit(X, y))
    one, other = (search.oof_prediction_ for search in searches)
    np.testing.assert_array_equal(one, other)
