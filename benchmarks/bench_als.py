"""A million likes of 6,040 users and 3,706 items: whole fits, one half-step, recommendations; ours and implicit's."""
from functools import lru_cache

import numpy as np

from benchmarks import Case, peer, test_contender
from scratchml.core.sparse import Rows
from scratchml.recommend import ALS
from scratchml.recommend.als import loss
from scratchml.recommend.half_steps import equations_of, half_step, shared_gram
from scratchml.recommend.objectives import Family

N, M, ENTRIES = 6_040, 3_706, 1_000_000
F, ITERATIONS, PENALTY = 64, 10, 0.1
LIKES = Family(growth=1.0, slope=0.0, level=1.0, unobserved=1.0)                 # alpha = 1


@lru_cache
def likes(N=N, M=M, entries=ENTRIES, F=F):
    """Rows of 1 ... 5, and (U, V) to start from.  A few users and items have most of the entries, as by Zipf's law."""
    rng = np.random.default_rng(0)
    users, items = 1 / (np.arange(N) + N / 100) ** 0.8, 1 / (np.arange(M) + M / 100) ** 0.9
    drawn = np.zeros(0, np.int64)
    while drawn.size < entries:
        more = rng.choice(N, entries, p=users / users.sum()) * M + rng.choice(M, entries, p=items / items.sum())
        drawn = np.unique(np.concatenate([drawn, more]))
    rows, columns = np.divmod(np.sort(rng.permutation(drawn)[:entries]), M)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=N))])
    R = Rows(indptr, columns.astype(np.int32), rng.integers(1, 6, size=entries).astype(np.float32), (N, M))
    return R, rng.normal(size=(N, F)).astype(np.float32) / 8, rng.normal(size=(M, F)).astype(np.float32) / 8


def ours(solver):
    def fit(R, U, V):
        model = ALS(F, regularization=PENALTY, alpha=1.0, iterations=ITERATIONS, tol=0, solver=solver)
        model.fit(R, init=(U, V))
        return model.user_factors_, model.item_factors_
    return fit


def implicit(use_cg):
    @peer("implicit")
    def fit(R, U, V):
        from scipy.sparse import csr_matrix
        from threadpoolctl import threadpool_limits
        with threadpool_limits(1, user_api="blas"):      # as it advises: it has threads of its own
            from implicit.cpu.als import AlternatingLeastSquares
            model = AlternatingLeastSquares(F, regularization=PENALTY, alpha=1.0, iterations=ITERATIONS, use_cg=use_cg,
                                            num_threads=2)
            model.user_factors, model.item_factors = U.copy(), V.copy()
            model.fit(csr_matrix((1 + R.data, R.indices, R.indptr), shape=R.shape), show_progress=False)
        return model.user_factors, model.item_factors
    return fit


def reached(factors):
    """The loss of both, by one function in float64."""
    R, _, _ = likes()
    U, V = (part.astype(np.float64) for part in factors)
    return loss(R, U, V, np.full(N, PENALTY), np.full(M, PENALTY), LIKES)


def equally_good(theirs, ours):
    np.testing.assert_allclose(reached(theirs), reached(ours), rtol=1e-3)


def no_better(theirs, ours):
    assert reached(theirs) >= reached(ours) * (1 - 1e-6), "they have reached a lower loss"


# --- one half-step

def half(R, U, V):
    return half_step(R, V, np.full(len(U), PENALTY), LIKES)


def formula(R, U, V):
    V, L = V.astype(np.float64), np.full(len(U), PENALTY)
    d, G = np.zeros(len(V)), shared_gram(V, 1.0)
    return np.array([np.linalg.solve(*equations_of(R, n, V, L, LIKES, d, G)) for n in range(len(U))])


def close_enough(theirs, ours):
    np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-3 * np.abs(ours).max())


# --- recommending

@lru_cache
def fitted():
    R, U, V = likes()
    return ALS(F, alpha=1.0, iterations=2, tol=0).fit(R, init=(U, V)),


@peer("implicit")
def implicit_recommend(model):
    from implicit.cpu.als import AlternatingLeastSquares
    from scipy.sparse import csr_matrix
    R, _, _ = likes()
    theirs = AlternatingLeastSquares(F, num_threads=2)
    theirs.user_factors, theirs.item_factors = model.user_factors_, model.item_factors_
    return theirs.recommend(np.arange(N), csr_matrix((R.data, R.indices, R.indptr), shape=R.shape), N=10)


def same_scores(theirs, ours):
    np.testing.assert_allclose(theirs[1], ours[1], rtol=1e-4, atol=1e-5)


SIZE = f"{N:,} x {M:,}, {ENTRIES:,} entries"
CASES = [
    Case(f"{SIZE}, {F} factors, {ITERATIONS} iterations, Cholesky", likes,
         {"scratchml": ours("cholesky"), "implicit": implicit(False)}, equally_good),
    Case(f"{SIZE}, {F} factors, {ITERATIONS} iterations, conjugate gradients", likes,
         {"scratchml": ours("cg"), "implicit": implicit(True)}, no_better),
    Case("one half-step, 2,000 x 1,000, 100,000 entries, 32 factors", lambda: likes(2_000, 1_000, 100_000, 32),
         {"formula": formula, "scratchml": half}, close_enough),
    Case(f"ten best unseen items of each of {N:,} users", fitted,
         {"scratchml": lambda model: model.recommend(np.arange(N)), "implicit": implicit_recommend}, same_scores),
]
