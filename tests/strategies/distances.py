"""Tables of rows (N, D), as this chapter and those that build on it draw them, and tables that all must refuse."""
import numpy as np
from hypothesis import strategies as st

SIZES = dict(N=5, M=7, D=3)
KINDS = ("normal", "duplicates", "constant column", "constant", "integer grid", "one direction",
         "offset 1e6", "scaled 1e8", "scaled 1e-8")
seeds = st.integers(0, 2**32 - 1)


def table(N, D, seed, kind="normal"):
    """Rows of the kind; the columns differ in spread, so that no mistake hides behind a symmetry."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, D)) * np.exp(rng.normal(size=D))
    if kind == "duplicates":
        X = X[rng.integers(N // 2 + 1, size=N)]
    elif kind == "constant column":
        X[:, rng.integers(D)] = 0.1
    elif kind == "constant":
        X[:] = X[0]
    elif kind == "integer grid":
        X = rng.integers(-3, 4, size=(N, D)).astype(float)
    elif kind == "one direction":
        X = X[:, :1] * rng.normal(size=D)
    elif kind == "offset 1e6":
        X += 1e6
    elif kind.startswith("scaled"):
        X *= float(kind.split()[1])
    return X


@st.composite
def tables(draw, max_rows, max_columns, min_rows=1, kinds=KINDS):
    return table(draw(st.integers(min_rows, max_rows)), draw(st.integers(1, max_columns)), draw(seeds),
                 draw(st.sampled_from(kinds)))


@st.composite
def with_number(draw, tables, most, limit=len):
    """A table X, and a number from 1 to `most` that is at most limit(X)."""
    X = draw(tables)
    return X, draw(st.integers(1, min(most, limit(X))))


@st.composite
def pairs(draw, max_rows, max_columns, kinds=KINDS):
    """Two tables of one kind, with rows in common where the kind repeats rows."""
    rows = draw(tables(2 * max_rows, max_columns, min_rows=2, kinds=kinds))
    N = draw(st.integers(max(1, len(rows) - max_rows), min(max_rows, len(rows) - 1)))
    return rows[:N].copy(), rows[N:].copy()


@st.composite
def pairs_of_any_length(draw, max_rows, max_columns):
    """Two tables whose rows are up to 500 powers of ten apart in length, too far to be squared; some rows are zero."""
    X, Y = draw(pairs(max_rows, max_columns, kinds=("normal", "integer grid", "one direction")))
    rng = np.random.default_rng(draw(seeds))
    for rows in X, Y:
        rows *= 10.0 ** rng.integers(-250, 251, size=(len(rows), 1)) * (rng.random((len(rows), 1)) < 0.9)
    return X, Y


def layouts(X):
    """The same table in every form in which a caller may hold it, each under its name."""
    wide = np.zeros((2 * X.shape[0], 3 * X.shape[1]))
    wide[::2, ::3] = X
    read_only = X.copy()
    read_only.flags.writeable = False
    return {"read-only": read_only, "Fortran": np.asfortranarray(X), "strided": wide[::2, ::3],
            "reversed": X[::-1].copy()[::-1], "list": X.tolist()}


BAD_TABLES = [
    ([[1.0, 2], [np.nan, 3], [4, 5]], "NaN"),
    ([[1.0, 2], [3, np.inf], [4, 5]], "inf"),
    ([1.0, 2, 3], "(?i)1-?d|shape"),
    (1.0, "(?i)scalar|0-?d|shape"),
    (np.zeros((3, 2, 2)), r"(?i)dim 3|3-?d|\(3, 2, 2\)"),
    (np.zeros((0, 2)), r"0 sample|\(0, 2\)"),
    (np.zeros((3, 0)), r"0 feature|\(3, 0\)"),
    (np.array([[1j, 2], [3, 4], [5, 6]]), "(?i)complex"),
    ([["a", "b"], ["c", "d"], ["e", "f"]], "(?i)string|numbers"),
    ([[1.0, 2], [3.0], [4, 5]], "(?i)inhomogeneous|different lengths"),
]


def example(symbol):
    """A valid value for a symbol of the chapter."""
    shape = {"X": "ND", "Y": "MD"}[symbol]
    return np.random.default_rng(0).normal(size=[SIZES[letter] for letter in shape])
