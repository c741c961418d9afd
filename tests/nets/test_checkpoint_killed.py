"""Trainings that are killed, at any moment, and go on."""

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

TRAININGS = ("Adam", "fused", "AdamW", "SGD", "stopping")
TRAININGS += ("perceptron adam", "perceptron kernels", "perceptron sgd")

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


class Server:
    """Starts trainings, each in a process of its own."""

    def __init__(self):
        script = Path(__file__).with_name("resumable.py")
        self.process = subprocess.Popen(
            [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def start(self, training, checkpoint, result, dies_in_write=0):
        order = {
            "training": training,
            "checkpoint": str(checkpoint),
            "result": str(result),
            "dies_in_write": dies_in_write,
        }
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def wait(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "ended\n"

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    server.close()


@pytest.fixture(scope="module")
def uninterrupted(server, tmp_path_factory):
    """Give each training's result without a kill, and the seconds from its first checkpoint on."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    results = {}

    def result_of(training):
        if training not in results:
            checkpoint, result = folder / training, folder / f"{training}.npz"
            server.start(training, checkpoint, result)
            wait_for(checkpoint)
            began = time.monotonic()
            server.wait()
            results[training] = read(result), time.monotonic() - began
        return results[training]

    return result_of


def wait_for(path):
    while not path.exists():
        time.sleep(0.001)


def read(path):
    with np.load(path) as arrays:
        return {name: arrays[name] for name in arrays.files}


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        assert np.array_equal(found[name], values, equal_nan=True), name


@pytest.mark.slow
@pytest.mark.parametrize("training", TRAININGS)
def test_killed_at_random_moments_it_ends_in_the_same_weights(
    server, uninterrupted, tmp_path, training
):
    expected, seconds = uninterrupted(training)
    rng = np.random.default_rng(TRAININGS.index(training))
    deaths = 0
    for trial in range(20):
        checkpoint, result = tmp_path / f"{trial}", tmp_path / f"{trial}.npz"
        for _ in range(rng.integers(1, 4)):  # several times in a row
            child = server.start(training, checkpoint, result)
            wait_for(checkpoint)
            time.sleep(rng.uniform(0, seconds / 2))
            os.kill(child, signal.SIGKILL)
            server.wait()
            deaths += not result.exists()
            if result.exists() and not zipfile.is_zipfile(result):  # died writing the result
                result.unlink()
        server.start(training, checkpoint, result)
        server.wait()
        assert_same(read(result), expected)
    assert deaths >= 10


@pytest.mark.parametrize("training", TRAININGS)
def test_killed_while_the_file_is_written_it_ends_in_the_same_weights(
    server, uninterrupted, tmp_path, training
):
    checkpoint, result = tmp_path / "checkpoint", tmp_path / "result.npz"
    for number in (1, 2, 3, 8):  # writings of each process
        server.start(training, checkpoint, result, dies_in_write=number)
        server.wait()
        assert not result.exists()
        assert checkpoint.exists() == (number > 1)
    server.start(training, checkpoint, result)
    server.wait()
    assert_same(read(result), uninterrupted(training)[0])
