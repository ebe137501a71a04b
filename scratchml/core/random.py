"""One generator a fit: every random choice is drawn from it, and the global state is never touched."""
import numbers

import numpy as np


def generator(random_state):
    """The `numpy.random.Generator` that `random_state` stands for.

    None gives fresh entropy, a whole number a seed, a Generator itself, and a RandomState (what scikit-learn's tools
    pass around) the seed of a new Generator, drawn from it.  Raises ValueError for anything else.
    """
    if isinstance(random_state, np.random.Generator):
        return random_state
    if random_state is None:
        return np.random.default_rng()
    if isinstance(random_state, numbers.Integral) and random_state >= 0:
        return np.random.default_rng(int(random_state))
    if isinstance(random_state, np.random.RandomState):
        return np.random.default_rng(random_state.randint(2**31, size=4))
    raise ValueError(f"random_state={random_state!r}: expected None, a whole number >= 0, "
                     "or a numpy.random.Generator")
