"""What hypothesis draws: gradients of a few steps, of very different sizes, and settings of an optimiser."""
import numpy as np
from hypothesis import strategies as st

SIZES = dict(D=5)
seeds = st.integers(0, 2**32 - 1)
lengths = st.floats(1e-3, 1)


def settings(**strategies):
    return st.fixed_dictionaries(dict(lr=lengths, weight_decay=st.sampled_from([0.0, 0.01, 0.3]), **strategies))


SETTINGS = {
    "SGD": settings(momentum=st.sampled_from([0.0, 0.5, 0.9]), dampening=st.sampled_from([0.0, 0.3]))
    | settings(momentum=st.sampled_from([0.5, 0.9]), nesterov=st.just(True)),
    "Adam": settings(betas=st.tuples(st.floats(0, 0.99), st.floats(0, 0.999)), eps=st.sampled_from([1e-8, 1e-2])),
    "Adagrad": settings(lr_decay=st.sampled_from([0.0, 0.2]), initial_accumulator_value=st.sampled_from([0.0, 0.5]),
                        eps=st.sampled_from([1e-10, 1e-2])),
    "RMSprop": settings(alpha=st.sampled_from([0.5, 0.9, 0.99]), eps=st.sampled_from([1e-8, 1e-2]),
                        momentum=st.sampled_from([0.0, 0.9])),
}
SETTINGS["AdamW"] = SETTINGS["Adam"]
SETTINGS["RMSprop centred"] = SETTINGS["RMSprop"].map(lambda options: {**options, "centered": True, "eps": 1e-2})
NAMES = list(SETTINGS)


@st.composite
def trajectories(draw, name):
    """(settings, first parameters (D,), gradients (T, D)): fixed beforehand, so that rounding cannot grow."""
    rng = np.random.default_rng(draw(seeds))
    D, T = draw(st.integers(1, 3)), draw(st.integers(1, 8))
    return draw(SETTINGS[name]), rng.normal(size=D), rng.normal(size=(T, D)) * 10.0 ** rng.integers(-2, 3, D)


def example(symbol):
    rng = np.random.default_rng(len(symbol) + ord(symbol[0]))
    if symbol in ("x", "g", "v", "m", "d"):
        return rng.normal(size=SIZES["D"])
    if symbol == "s":
        return rng.random(SIZES["D"])
    return {"t": 3, "η": 0.1, "λ": 0.01, "μ": 0.9, "τ": 0.2, "β": 0.8, "α": 0.99, "β1": 0.9, "β2": 0.999, "ε": 1e-8,
            "n": 7.0, "C": 2.0}[symbol]
