"""Networks, devices and seeds by themselves."""

import numpy as np
import pytest
import torch
from torch import nn

from abline.errors import ParameterError
from abline.nets import MLP
from abline.nets.devices import cpu_threads, pick_device
from abline.nets.modules import ACTIVATIONS
from abline.nets.randomness import borrowed_generator, seed_from

CPU = torch.device("cpu")


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_an_mlp_is_the_sequence_of_its_layers(activation):
    network = MLP(3, 2, hidden=(8, 4), activation=activation).eval()
    rows = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    function = ACTIVATIONS[activation]()
    values = rows
    linear = [layer for layer in network.layers if isinstance(layer, nn.Linear)]
    for layer in linear[:-1]:
        values = function(values @ layer.weight.T + layer.bias)
    torch.testing.assert_close(network(rows), values @ linear[-1].weight.T + linear[-1].bias)


def test_a_skip_adds_a_line():
    network = MLP(3, 1, hidden=(4,), skip=True)
    with torch.no_grad():
        network.layers[-1].weight.zero_()
        network.layers[-1].bias.zero_()
    rows = torch.ones(2, 3)
    assert torch.equal(network(rows), network.skip(rows))


@pytest.mark.parametrize("arguments", [{}, {"dropout": 0.5, "skip": True, "hidden": []}])
def test_an_mlp_is_made_again_from_its_arguments(arguments):
    network = MLP(3, **arguments)
    again = MLP(**network.constructor_args())
    again.load_state_dict(network.state_dict())
    assert str(again) == str(network)


def test_borrowed_draws_are_those_after_manual_seed():
    before = torch.get_rng_state()
    with borrowed_generator(5, CPU):
        borrowed = torch.rand(4)
    assert torch.equal(torch.get_rng_state(), before)
    with torch.random.fork_rng():
        torch.manual_seed(5)
        assert torch.equal(torch.rand(4), borrowed)


def test_seeds():
    assert seed_from(np.uint8(3)) == 3
    assert seed_from(np.random.RandomState(0)) == seed_from(np.random.RandomState(0))
    assert seed_from(None) != seed_from(None)
    with pytest.raises(ParameterError, match=r"random_state is 1.5"):
        seed_from(1.5)


@pytest.mark.parametrize(("n_jobs", "expected"), [(None, 1), (1, 1), (3, 3)])
def test_threads_are_lent_and_given_back(n_jobs, expected):
    before = torch.get_num_threads()
    with cpu_threads(n_jobs):
        assert torch.get_num_threads() == expected
    assert torch.get_num_threads() == before


def test_auto_finds_a_device():
    assert pick_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert pick_device(torch.device("cpu")) == CPU
