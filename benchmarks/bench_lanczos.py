"""The first singular values of sparse rows: ours, a few rounds and all digits, and scikit-learn's."""
from functools import partial

import numpy as np

from benchmarks import Case, close, peer, test_contender         # noqa: F401  pytest runs it
from scratchml.core.lanczos import SparseMatrix, leading_axes
from scratchml.core.sparse import Rows

ROWS, COLUMNS = 10_000, 1_500


def random_rows(density, F):
    """Entries at random places, whose singular values hardly fall after the first."""
    rng = np.random.default_rng(0)
    per_row = int(density * COLUMNS)
    columns = np.sort(rng.permuted(np.tile(np.arange(COLUMNS, dtype=np.int32), (ROWS, 1)), axis=1)[:, :per_row])
    indptr = per_row * np.arange(ROWS + 1, dtype=np.int64)
    return Rows(indptr, columns.ravel(), rng.random(columns.size), (ROWS, COLUMNS)), F


def rounds(R, F):
    return leading_axes(SparseMatrix(R), F, np.random.default_rng(0))[1]


def all_digits(R, F):
    return leading_axes(SparseMatrix(R), F, np.random.default_rng(0), tol=0.0)[1]


def theirs(algorithm, R, F):
    from scipy.sparse import csr_matrix
    from sklearn.decomposition import TruncatedSVD
    X = csr_matrix((R.data, R.indices, R.indptr), R.shape)
    return TruncatedSVD(F, algorithm=algorithm, random_state=0).fit(X).singular_values_


@peer("sklearn.decomposition")
def scikit_learn(R, F):
    return theirs("randomized", R, F)


@peer("sklearn.decomposition")
def arpack(R, F):
    return theirs("arpack", R, F)


def agree(expected, got):
    np.testing.assert_allclose(got, expected, rtol=0.1)  # a few rounds of a spectrum that hardly falls


CASES = [Case(f"{ROWS:,} x {COLUMNS:,}, {density:.0%}, F = {F}", partial(random_rows, density, F),
              {"scratchml": rounds, "scikit-learn": scikit_learn}, agree)
         for density, F in ((0.01, 10), (0.01, 50), (0.05, 10), (0.05, 50))]
CASES.append(Case(f"{ROWS:,} x {COLUMNS:,}, 1%, F = 10, all digits", partial(random_rows, 0.01, 10),
                  {"scratchml": all_digits, "ARPACK": arpack}, close(rtol=1e-10)))
