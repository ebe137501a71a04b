"""Times, bends, columns and weights, all from one seed."""
import numpy as np
from hypothesis import strategies as st

SIZES = dict(T=17, S=4, R=5, N=3, H=2, W=6, n=7)


def case(T, S, R, seed, spread=1.0):
    """Arguments of the model by symbol: times irregular, some columns of each kind."""
    rng = np.random.default_rng(seed)
    d = 13_000 + np.cumsum(rng.exponential(spread, T))
    t = (d - d[0]) / (d[-1] - d[0]) if T > 1 else np.zeros(T)
    s = np.sort(rng.choice(t[1:-1], S, replace=False)) if S else np.zeros(0)
    X = rng.normal(size=(T, R))
    return dict(d=d, t=t, s=s, δ=rng.normal(size=S), C=rng.uniform(1, 2, T), X=X,
                u=(np.arange(R) % 3 == 1).astype(float),
                β=rng.normal(size=R), g=rng.normal(size=T), y=rng.normal(size=T), e=rng.normal(size=T),
                b=rng.uniform(0.5, 12, R), k=1.5, m=-0.3, σ=0.3, τ=0.05, P=5.5,
                h=np.floor(d[[2, T // 2]]) if T > 2 else d,
                o=np.arange(-3, 3), q=0.8)


cases = st.builds(case, st.integers(8, 30), st.integers(0, 6), st.integers(0, 5), st.integers(0, 2**32 - 1),
                  st.sampled_from([0.1, 1.0, 100.0]))


def example(symbol):
    return {**SIZES, **case(17, 4, 5, 1)}[symbol]
