import numpy as np
from hypothesis import strategies as st

from tests.strategies.distances import seeds

SIZES = dict(N=7, D=2, K=3)
TYPES = ("full", "tied", "diag", "spherical")
OFFSETS = (0.0, 1e3, 1e6)


def spread(rng, D):
    """A covariance with axes of different lengths, in no special direction."""
    A = rng.normal(size=(D, D)) * np.exp(0.7 * rng.normal(size=D))
    return A @ A.T + 0.1 * np.eye(D)


def mixture(K, D, seed, covariance_type="full"):
    """π, μ, Σ, the last as whole matrices; weights far from equal."""
    rng = np.random.default_rng(seed)
    Σ = np.array([spread(rng, D) for _ in range(K)])
    if covariance_type == "tied":
        Σ = np.array([Σ[0]] * K)
    if covariance_type == "diag":
        Σ = Σ * np.eye(D)
    if covariance_type == "spherical":
        Σ = Σ[:, :1, :1] * np.eye(D)
    return rng.dirichlet(np.full(K, 2.0)), 3 * rng.normal(size=(K, D)), Σ


def drawn_from(N, π, μ, Σ, seed, each=False):
    """N points; where `each`, the first ones are one of each component."""
    rng = np.random.default_rng(seed)
    y = rng.choice(len(π), size=N, p=π)
    if each:
        y[:len(π)] = range(len(π))
    return np.array([rng.multivariate_normal(μ[k], Σ[k]) for k in y])


@st.composite
def mixtures(draw, max_points, max_columns, max_components=4, covariance_type="full", offsets=OFFSETS, each=False,
             least=lambda K, D: 2):
    """X, π, μ, Σ: points, no fewer than `least`, from a mixture, and that mixture; all about an offset."""
    K, D, seed = draw(st.integers(1, max_components)), draw(st.integers(1, max_columns)), draw(seeds)
    π, μ, Σ = mixture(K, D, seed, covariance_type)
    X = drawn_from(draw(st.integers(least(K, D), max_points)), π, μ, Σ, seed + 1, each)
    offset = draw(st.sampled_from(offsets))
    return X + offset, π, μ + offset, Σ


@st.composite
def shares(draw, max_points, max_columns):
    """X and r: shares of every size, also 0 and 1, that sum to 1."""
    X, π, _, _ = draw(mixtures(max_points, max_columns))
    rng = np.random.default_rng(draw(seeds))
    r = rng.dirichlet(np.full(len(π), draw(st.sampled_from([0.05, 1.0, 20.0]))), size=len(X))
    r[:len(π)] = 0.5 * r[:len(π)] + 0.5 * np.eye(len(π))[:len(X)]
    return X, r


def blobs(seed=0, size=60):
    """Three long clusters in different directions, and which point is in which."""
    rng = np.random.default_rng(seed)
    long = np.array([[3.0, 0], [0, 0.4]])
    turned = [[[np.cos(t), np.sin(t)], [-np.sin(t), np.cos(t)]] for t in (0.3, 1.5, 2.6)]
    X = [rng.normal(size=(size, 2)) @ long @ np.array(R) + m for R, m in zip(turned, [[0, 0], [9, 2], [2, 9]])]
    return np.concatenate(X), np.repeat([0, 1, 2], size)


def example(symbol):
    """A valid value for a symbol of the chapter."""
    N, D, K = SIZES["N"], SIZES["D"], SIZES["K"]
    π, μ, Σ = mixture(K, D, 0)
    return {"X": drawn_from(N, π, μ, Σ, 0), "π": π, "μ": μ, "Σ": Σ, "S": Σ, "ε": 1e-3, "a": np.log(π), "K": K, "D": D,
            "U": np.linalg.inv(np.linalg.cholesky(Σ)).swapaxes(1, 2), "p": 17, "ℓ": -np.arange(1.0, N + 1),
            "r": np.random.default_rng(0).dirichlet(np.ones(K), size=N)}[symbol]
