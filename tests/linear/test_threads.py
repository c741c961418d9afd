"""The limit is shared: several fits at once leave the number of threads as they found it."""

import threading

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from abline.linear.threads import one_blas_thread


def counts():
    return {lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"}


@pytest.fixture(autouse=True)
def two_threads():
    with threadpool_limits(2, user_api="blas"):
        yield


def test_it_limits_nests_and_restores():
    with one_blas_thread():
        with one_blas_thread():
            assert counts() == {1}
        assert counts() == {1}
    assert counts() == {2}


def test_an_error_restores_too():
    with pytest.raises(KeyError), one_blas_thread():
        raise KeyError
    assert counts() == {2}


def test_the_last_of_overlapping_fits_restores():
    inside, leave = threading.Event(), threading.Event()

    def other():
        with one_blas_thread():
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=other)
    with one_blas_thread():
        thread.start()
        assert inside.wait(10)
    assert counts() == {1}
    leave.set()
    thread.join()
    assert counts() == {2}
