"""The E-step of the chapter on Gaussian mixtures in one pass over the points, and the sums that its M-step needs.

Same results as (1) to (7) there, because they are the same sums in another order.  A tile of points is worked on while
it lies in the cache: log-densities, shares, and what each component gains from them; then the shares are forgotten.  So
no N x K array is held.  Differences are taken to the means of the iteration before, which lie close to the new ones
once the fit settles: a scatter about the wrong mean is corrected by a small number.  The kernels hold a tile
transposed, so that the lanes of a vector are points, and work on four features by four, so that a number loaded is
used four times.
"""
from typing import NamedTuple

import numpy as np

from scratchml.core.elementary import exp, log
from scratchml.core.jit import kernel, partial_sums, run_chunks

TILE = 128      # points that are worked on together


class Mixture(NamedTuple):
    """The parameters of a mixture, Σ and U in the shape that its covariance type has."""
    π: np.ndarray                                        # (K,)
    μ: np.ndarray                                        # (K, D)
    Σ: np.ndarray                                        # full (K, D, D), tied (D, D), diag (K, D) or spherical (K,)
    U: np.ndarray
    covariance_type: str

    def factors(self):
        """U with a first axis for the components: (K, D, D), for tied (1, D, D), for diag and spherical (K, D)."""
        if self.covariance_type == "spherical":
            return np.repeat(self.U[:, None], self.μ.shape[1], axis=1)
        return self.U[None] if self.covariance_type == "tied" else self.U


def gathered(X, w, mixture, a):
    """What the M-step needs of `X` (N, D) with weights `w` (N,), whose sum is N, and J; `a` (K,) are the log-weights.

    n_k = Σ_i w_i r_ik (K,), Σ_i w_i r_ik (x_i - μ_k) (K, D), and Σ_i w_i r_ik (x_i - μ_k)(x_i - μ_k)ᵀ (K, D, D), or
    only its diagonals (K, D) where the covariances have no more.
    """
    D, model = X.shape[1], _packed(mixture, a)
    chunk = max(2048, -(-len(X) // 16))                  # each chunk has sums of its own: at most 16 of them
    K, rows, columns = model.shape
    partial, totals = partial_sums(len(X), chunk, K, rows - 1, columns), partial_sums(len(X), chunk, K + 1)
    run_chunks(_gather, len(X), X, w, model, partial, totals, chunk=chunk)
    sums, totals = partial[:, :K].sum(axis=0), totals[:, :K + 1].sum(axis=0)
    second = sums[:, 0, :D] if rows == 3 else _mirrored(sums[:, :D, :D])
    return (totals[:K], sums[:, -1, :D], second), float(totals[K]) / len(X)


def posteriors(X, mixture, a, shares):
    """Log-densities (N,) and, if `shares`, responsibilities (N, K) of `X` (N, D); `a` (K,) are the log-weights."""
    model = _packed(mixture, a)
    ℓ, r = np.empty(len(X)), np.empty((len(X) if shares else 0, len(model)))
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):            # no density may be above 0
        run_chunks(_posteriors, len(X), X, model, ℓ, r, chunk=1024)
    return ℓ, r


def _packed(mixture, a):
    """A mixture as the kernels want it: for each component a matrix with a multiple of four columns.

    Its last row begins with a_k + log|U_k| - (D/2) log 2π, the one before is μ_k, and those above are U_k, or its
    diagonal in one row.  What fills the columns up is 0: features that are always 0 and weigh nothing.
    """
    (K, D), U = mixture.μ.shape, mixture.factors()
    columns = -(-D // 4) * 4
    rows = columns if U.ndim == 3 else 1
    model = np.zeros((K, rows + 2, columns))
    if U.ndim == 3:
        model[:, :D, :D] = U
        U = U.diagonal(axis1=1, axis2=2)
    else:
        model[:, 0, :D] = U
    model[:, -2, :D] = mixture.μ
    model[:, -1, 0] = a + np.log(U).sum(axis=1) - 0.5 * D * np.log(2 * np.pi)
    return model


def _mirrored(S):
    """Symmetric matrices from blocks on and below the diagonal."""
    lower = np.tril(S)
    return lower + np.tril(S, -1).swapaxes(1, 2)


# --- compiled ------------------------------------------------------------------------------------


@kernel
def _gather(c, start, stop, X, w, model, sums, totals):
    """The sums of `gathered` over the rows start ... stop-1.

    Those of the second and, in the last row, of the first order are added to sums[c] (K, .., D); n_k for each component
    and then Σ_i w_i ℓ_i to totals[c] (K+1,).
    """
    K, columns = model.shape[0], model.shape[2]
    tile, y, z = np.zeros((columns, TILE)), np.empty((columns, TILE)), np.empty((4, TILE))
    p, ℓ = np.empty((K, TILE)), np.empty(TILE)
    for first in range(start, stop, TILE):
        n = min(TILE, stop - first)
        _transpose(X, first, n, tile)
        _log_joint(tile, model, y, z, p)
        _shares(p, z, ℓ)
        for i in range(n):
            totals[c, K] += w[first + i] * ℓ[i]
        for k in range(K):
            totals[c, k] += _weigh(p[k], w[first:first + n])
            _differences(tile, model[k, -2], y)
            if model.shape[1] == 3:
                _add_diagonal(p[k], y, sums[c, k])
            else:
                _add_full(p[k], y, z, sums[c, k])


@kernel(reassociate=True)
def _weigh(p, w):
    """Multiplies the shares p (TILE,) by the weights w (n,), in place, and returns their sum; those behind become 0."""
    total = 0.0
    for i in range(w.size):
        p[i] *= w[i]
        total += p[i]
    p[w.size:] = 0                                       # what is left in the tile of the one before
    return total


@kernel
def _posteriors(c, start, stop, X, model, ℓ, r):
    """(3) into ℓ (N,) and (4) into r (N, K), unless that is empty, for the rows start ... stop-1."""
    K, columns = model.shape[0], model.shape[2]
    tile, y, z = np.zeros((columns, TILE)), np.empty((columns, TILE)), np.empty((4, TILE))
    p, log_sums = np.empty((K, TILE)), np.empty(TILE)
    for first in range(start, stop, TILE):
        n = min(TILE, stop - first)
        _transpose(X, first, n, tile)
        _log_joint(tile, model, y, z, p)
        _shares(p, z, log_sums)
        ℓ[first:first + n] = log_sums[:n]
        if r.size > 0:
            for i in range(n):
                for k in range(K):
                    r[first + i, k] = p[k, i]


@kernel
def _transpose(X, first, n, tile):
    """Rows first ... first+n-1 of X as columns of the tile, in float64."""
    for i in range(n):
        for d in range(X.shape[1]):
            tile[d, i] = X[first + i, d]


@kernel
def _differences(tile, μ, y):
    """x - μ for the points of a tile."""
    for d in range(μ.size):
        row, x, m = y[d], tile[d], μ[d]
        for i in range(TILE):
            row[i] = x[i] - m


@kernel(reassociate=True)
def _log_joint(tile, model, y, z, p):
    """a_k + log N_ik for the points of a tile into p (K, TILE); y (D, TILE) and z (4, TILE) are overwritten."""
    columns = tile.shape[0]
    z0, z1, z2, z3 = z[0], z[1], z[2], z[3]
    for k in range(model.shape[0]):
        U, constant, square = model[k], model[k, -1, 0], p[k]
        _differences(tile, model[k, -2], y)
        square[:] = 0
        for column in range(0, columns, 4):
            if model.shape[1] == 3:
                y0, y1, y2, y3 = y[column], y[column + 1], y[column + 2], y[column + 3]
                a0, a1, a2, a3 = U[0, column], U[0, column + 1], U[0, column + 2], U[0, column + 3]
                for i in range(TILE):
                    v0, v1, v2, v3 = y0[i] * a0, y1[i] * a1, y2[i] * a2, y3[i] * a3
                    square[i] += v0 * v0 + v1 * v1 + v2 * v2 + v3 * v3
                continue
            z[:] = 0
            for row in range(0, column + 4, 4):          # U is upper triangular
                y0, y1, y2, y3 = y[row], y[row + 1], y[row + 2], y[row + 3]
                u0, u1, u2, u3 = U[row], U[row + 1], U[row + 2], U[row + 3]
                a0, a1, a2, a3 = u0[column], u1[column], u2[column], u3[column]
                b0, b1, b2, b3 = u0[column + 1], u1[column + 1], u2[column + 1], u3[column + 1]
                c0, c1, c2, c3 = u0[column + 2], u1[column + 2], u2[column + 2], u3[column + 2]
                d0, d1, d2, d3 = u0[column + 3], u1[column + 3], u2[column + 3], u3[column + 3]
                for i in range(TILE):
                    v0, v1, v2, v3 = y0[i], y1[i], y2[i], y3[i]       # read once: a write to z0 might change y0
                    z0[i] += v0 * a0 + v1 * a1 + v2 * a2 + v3 * a3
                    z1[i] += v0 * b0 + v1 * b1 + v2 * b2 + v3 * b3
                    z2[i] += v0 * c0 + v1 * c1 + v2 * c2 + v3 * c3
                    z3[i] += v0 * d0 + v1 * d1 + v2 * d2 + v3 * d3
            for i in range(TILE):
                square[i] += z0[i] * z0[i] + z1[i] * z1[i] + z2[i] * z2[i] + z3[i] * z3[i]
        for i in range(TILE):
            square[i] = constant - 0.5 * square[i]


@kernel
def _shares(p, z, ℓ):
    """p (K, TILE) from logarithms to shares that sum to 1 in each column, their log-sum into ℓ; z is overwritten."""
    most, total = z[0], z[1]
    most[:], total[:] = -np.inf, 0
    for k in range(p.shape[0]):
        row = p[k]
        for i in range(TILE):
            most[i] = max(most[i], row[i])
    for i in range(TILE):
        most[i] = most[i] if most[i] > -np.inf else 0.0
    for k in range(p.shape[0]):
        row = p[k]
        for i in range(TILE):
            row[i] = exp(row[i] - most[i])
            total[i] += row[i]
    for i in range(TILE):
        ℓ[i] = most[i] + log(total[i])
        total[i] = 1 / total[i]
    for k in range(p.shape[0]):
        row = p[k]
        for i in range(TILE):
            row[i] *= total[i]


@kernel(reassociate=True)
def _add_diagonal(p, y, sums):
    """Σ p y² and Σ p y over a tile, added to the rows of `sums` (2, D)."""
    for d in range(y.shape[0]):
        row, first, second = y[d], 0.0, 0.0
        for i in range(TILE):
            first += p[i] * row[i]
            second += p[i] * row[i] * row[i]
        sums[0, d] += second
        sums[1, d] += first


@kernel(reassociate=True)
def _add_full(p, y, z, sums):
    """Σ p y yᵀ, in blocks on and below the diagonal, and Σ p y over a tile, added to `sums` (D+1, D)."""
    columns = y.shape[0]
    z0, z1, z2, z3, first = z[0], z[1], z[2], z[3], sums[columns]
    for row in range(0, columns, 4):
        y0, y1, y2, y3 = y[row], y[row + 1], y[row + 2], y[row + 3]
        s0 = s1 = s2 = s3 = 0.0
        for i in range(TILE):
            z0[i], z1[i], z2[i], z3[i] = p[i] * y0[i], p[i] * y1[i], p[i] * y2[i], p[i] * y3[i]
            s0 += p[i] * y0[i]
            s1 += p[i] * y1[i]
            s2 += p[i] * y2[i]
            s3 += p[i] * y3[i]
        first[row], first[row + 1] = first[row] + s0, first[row + 1] + s1
        first[row + 2], first[row + 3] = first[row + 2] + s2, first[row + 3] + s3
        for column in range(0, row + 4, 2):
            a, b = y[column], y[column + 1]
            a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = 0.0
            for i in range(TILE):
                a0 += z0[i] * a[i]
                a1 += z1[i] * a[i]
                a2 += z2[i] * a[i]
                a3 += z3[i] * a[i]
                b0 += z0[i] * b[i]
                b1 += z1[i] * b[i]
                b2 += z2[i] * b[i]
                b3 += z3[i] * b[i]
            sums[row, column] += a0
            sums[row + 1, column] += a1
            sums[row + 2, column] += a2
            sums[row + 3, column] += a3
            sums[row, column + 1] += b0
            sums[row + 1, column + 1] += b1
            sums[row + 2, column + 1] += b2
            sums[row + 3, column + 1] += b3
