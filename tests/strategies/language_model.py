"""What hypothesis draws for language models: probabilities of the next symbol, and of symbols in sequences."""
import numpy as np

from tests.strategies.autograd import seeds

SIZES = dict(N=3, V=5, R=7)


def log_probabilities(seed, N=SIZES["N"], V=SIZES["V"]):
    return np.log(np.random.default_rng(seed).dirichlet(np.ones(V), N))


def example(symbol):
    rng = np.random.default_rng(0)
    return {"ell": np.log(rng.random(SIZES["R"])), "starts": np.array([0, 2, 3, SIZES["R"]]),
            "b": np.log2(rng.random(3)), "R": SIZES["R"], "B": 1.5, "log_p": log_probabilities(0), "tau": 0.7}[symbol]


def fit_arguments(size=40):
    return (["abc", "abd", "ba"] * 3,)


__all__ = ["example", "fit_arguments", "log_probabilities", "seeds"]
