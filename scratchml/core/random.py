"""One generator a fit: every random choice is drawn from it, and NumPy's global state is never touched."""
import numbers

import numpy as np

_shared = None                                           # what `manual_seed` has made


def manual_seed(seed):
    """From now on whatever is given no `random_state` draws from one generator, which begins anew with `seed`.

    What holds that generator from an earlier call draws the new numbers too.  Returns it.  Raises ValueError for a
    `seed` that is no whole number >= 0.
    """
    global _shared
    if isinstance(seed, bool) or not isinstance(seed, numbers.Integral) or seed < 0:
        raise ValueError(f"seed={seed!r}: expected a whole number >= 0")
    fresh = np.random.default_rng(int(seed))
    if _shared is None:
        _shared = fresh
    else:
        _shared.bit_generator.state = fresh.bit_generator.state
    return _shared


def generator(random_state):
    """The `numpy.random.Generator` that `random_state` stands for.

    None gives fresh entropy, or after `manual_seed` the generator that all then share; a whole number is a seed, a
    Generator stands for itself, and a RandomState (what scikit-learn's tools pass around) gives the seed of a new
    Generator, drawn from it.  Raises ValueError for anything else.
    """
    if isinstance(random_state, np.random.Generator):
        return random_state
    if random_state is None:
        return np.random.default_rng() if _shared is None else _shared
    if isinstance(random_state, numbers.Integral) and not isinstance(random_state, bool) and random_state >= 0:
        return np.random.default_rng(int(random_state))
    if isinstance(random_state, np.random.RandomState):
        return np.random.default_rng(random_state.randint(2**31, size=4))
    raise ValueError(f"random_state={random_state!r}: expected None, a whole number >= 0, "
                     "or a numpy.random.Generator")
