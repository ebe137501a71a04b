"""What hypothesis draws for beam search: a random distribution after every beginning, a function of a seed."""
import numpy as np
from hypothesis import strategies as st

SIZES = dict(B=2, K=3, V=5, R=4)
seeds = st.integers(0, 2**31 - 1)
penalties = st.tuples(st.sampled_from([0.0, 0.6, 1.0, 2.5, -0.7]), st.sampled_from(["wu", "power"]))


def log_p_of(seed, V, kind="any"):
    """y -> ln p (V,) after the beginning y, of the sentence `seed`."""
    def after(y):
        rng = np.random.default_rng([seed, *[int(v) for v in y]])
        if kind == "ties":                               # multiples of 1/2: exact sums, and many are equal
            return -0.5 * rng.integers(1, 4, size=V)
        log_p = np.log(rng.dirichlet(np.full(V, 0.7)) + 1e-9)
        if kind == "holes":
            log_p[rng.random(V) < 0.3] = -np.inf
        return log_p - np.log(np.exp(log_p).sum()) if kind == "any" else np.minimum(log_p, 0)
    return after


def stepping(seeds, V, kind="any", calls=None):
    """`step` and `state` of beam_search for several sentences: the state is the seed and the beginning so far."""
    def step(state, tokens):
        seed, length, prefix = state
        prefix = prefix.copy()
        at = length >= 0
        prefix[at, length[at]] = tokens[at]
        if calls is not None:
            calls.append(len(tokens))
        log_p = np.array([log_p_of(k, V, kind)(y[:n + 1]) for k, n, y in zip(seed, length, prefix)])
        return log_p, (seed, length + 1, prefix), np.column_stack([seed, length + 1, tokens]).astype(float)
    N = len(seeds)
    return step, (np.array(seeds), np.full(N, -1), np.zeros((N, 12), int))


def example(symbol):
    rng, (B, K, V, R) = np.random.default_rng(0), SIZES.values()
    return {"s": -rng.random((B, K)), "log_p": np.log(rng.dirichlet(np.ones(V), (B, K))), "S": -rng.random((B, K, V)),
            "w": -rng.random(B), "n": 3, "T": 6, "alpha": 0.7, "kind": "wu", "eos": 2, "R": R}[symbol]
