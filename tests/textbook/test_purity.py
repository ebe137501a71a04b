"""Every estimator leaves alone what is not its own, and gives the same bits for the same numbers."""
import copy
import os
import pickle
import random

import numpy as np
import pytest

from tests.textbook.public import estimators, fit_arguments, fitted, make

pytestmark = pytest.mark.filterwarnings("ignore::scratchml.core.estimator.ConvergenceWarning")
each_estimator = pytest.mark.parametrize("cls", estimators(), ids=lambda cls: cls.__name__)


def learned(estimator):
    """The bits of every public fitted attribute."""
    found = {name: bits(value) for name, value in vars(estimator).items() if name.endswith("_") and name[0] != "_"}
    assert found, "fit has left nothing"
    return found


def bits(value):
    """`value` as something that == compares to the last bit, NaN included, whatever it is made of."""
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype != object:
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, float):
        return value.hex()
    if isinstance(value, dict):
        return [(key, bits(item)) for key, item in value.items()]
    if isinstance(value, (list, tuple, np.ndarray)):
        return type(value), [bits(item) for item in value]
    if isinstance(value, np.random.Generator):
        return bits(value.bit_generator.state)
    state = None if callable(value) and hasattr(value, "__qualname__") else value.__getstate__()
    return value if state is None else (type(value), bits(state))


# --- what is not its own

@each_estimator
def test_fit_returns_itself_and_leaves_its_arguments_alone(cls):
    arguments = fit_arguments(cls)
    before = bits(arguments)
    estimator = make(cls)
    parameters = {name: id(value) for name, value in estimator.get_params().items()}
    assert estimator.fit(*arguments) is estimator
    assert bits(arguments) == before
    assert {name: id(value) for name, value in estimator.get_params().items()} == parameters


@each_estimator
def test_fit_leaves_the_global_random_state_alone(cls):
    before = bits(np.random.get_state()), random.getstate()
    make(cls, random_state=None).fit(*fit_arguments(cls))
    fitted(cls, fit_arguments(cls))
    assert (bits(np.random.get_state()), random.getstate()) == before


# --- parameters

@each_estimator
def test_the_constructor_stores_its_parameters_untouched(cls):
    given = {name: object() for name in cls().get_params(deep=False)}
    stored = cls(**given).get_params(deep=False)
    assert stored.keys() == given.keys() and all(stored[name] is given[name] for name in given)
    assert vars(cls(**given)).keys() == given.keys(), "the constructor does nothing else"


@each_estimator
def test_its_parameters_are_all_there_is_to_an_unfitted_estimator(cls):
    first = make(cls)
    parameters = first.get_params(deep=False)
    for again in (cls(**parameters), cls().set_params(**parameters)):
        assert again.get_params(deep=False) == parameters
        assert learned(again.fit(*fit_arguments(cls))) == learned(fitted(cls, fit_arguments(cls)))


# --- the same bits

@each_estimator
def test_fitting_again_gives_the_same(cls):
    estimator = fitted(cls, fit_arguments(cls))
    first = learned(estimator)
    assert learned(estimator.fit(*fit_arguments(cls))) == first == learned(fitted(cls, fit_arguments(cls)))


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


def strided(array):
    """The same numbers, with others between them in every direction."""
    wide = np.full([2 * n for n in array.shape], 99).astype(array.dtype)
    every_second = wide[(slice(None, None, 2),) * array.ndim]
    every_second[...] = array
    return every_second


def backwards(array):
    return array[::-1].copy()[::-1]


@each_estimator
@pytest.mark.parametrize("layout", [read_only, np.asfortranarray, strided, backwards])
def test_the_layout_in_memory_does_not_matter(cls, layout):
    arguments = fit_arguments(cls)
    laid_out = tuple(layout(a) if isinstance(a, np.ndarray) and a.ndim else a for a in arguments)
    assert learned(fitted(cls, laid_out)) == learned(fitted(cls, arguments))


@each_estimator
def test_the_number_of_threads_does_not_matter(cls, monkeypatch):
    arguments = fit_arguments(cls, 40 if os.environ.get("NUMBA_DISABLE_JIT") else 4000)      # several chunks
    monkeypatch.setenv("SCRATCHML_NUM_THREADS", "1")
    alone = learned(fitted(cls, arguments))
    monkeypatch.setenv("SCRATCHML_NUM_THREADS", "2")
    assert learned(fitted(cls, arguments)) == alone


@each_estimator
@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e))],
                         ids=["copy", "deepcopy", "pickle"])
def test_a_copy_knows_the_same(cls, copied):
    estimator = fitted(cls, fit_arguments(cls))
    twin = copied(estimator)
    assert twin is not estimator and learned(twin) == learned(estimator)
    assert bits(twin.get_params()) == bits(estimator.get_params())
