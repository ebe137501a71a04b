"""One seed, one sequence; and nobody else's state is touched."""
import random

import numpy as np
import pytest

from scratchml.core import random as chapter
from scratchml.core.random import generator, manual_seed


@pytest.fixture(autouse=True)
def no_shared_generator(monkeypatch):
    monkeypatch.setattr(chapter, "_shared", None)


def draws(random_state):
    return generator(random_state).random(4).tolist()


def test_a_seed_is_numpys_own():
    for seed in (0, 7, 2**32, 10**30):
        assert draws(seed) == np.random.default_rng(seed).random(4).tolist()
    assert draws(np.int8(7)) == draws(np.uint64(7)) == draws(7) != draws(8)


def test_a_generator_is_used_as_it_is():
    given = np.random.default_rng(0)
    assert generator(given) is given
    assert draws(given) + draws(given) == np.random.default_rng(0).random(8).tolist()


def test_none_is_something_new_each_time():
    assert draws(None) != draws(None)


def test_a_random_state_seeds_a_generator_and_moves_on():
    one, other = np.random.RandomState(3), np.random.RandomState(3)
    assert draws(one) == draws(other) != draws(one)
    assert draws(np.random.RandomState(4)) != draws(np.random.RandomState(3))


def test_the_global_states_stay():
    before = np.random.get_state()[1].tolist(), random.getstate()
    for random_state in (None, 3, np.random.RandomState(3), np.random.default_rng(3)):
        draws(random_state)
    assert (np.random.get_state()[1].tolist(), random.getstate()) == before


def test_one_seed_for_all_that_are_given_none():
    expected = np.random.default_rng(5).random(8).tolist()
    manual_seed(5)
    held = generator(None)
    assert draws(None) + draws(None) == expected
    manual_seed(5)                                       # also for what has taken the generator before
    assert held.random(4).tolist() + draws(None) == expected
    assert draws(5) == expected[:4] and held.random(4).tolist() != expected[:4]


@pytest.mark.parametrize("bad", [-1, None, True, 1.5, "seed"])
def test_a_seed_is_a_whole_number(bad):
    with pytest.raises(ValueError, match="expected a whole number >= 0"):
        manual_seed(bad)


@pytest.mark.parametrize("bad", [-1, 1.0, True, np.False_, "seed", [1], np.random, np.random.PCG64(1), np.nan])
def test_anything_else_is_refused(bad):
    with pytest.raises(ValueError, match="expected None, a whole number >= 0, or a numpy.random.Generator") as refusal:
        generator(bad)
    assert str(refusal.value).startswith(f"random_state={bad!r}: ")
