"""The costs and gradients of the chapter sne, for many points: one pass over all pairs, and half of P in memory.

Exact means that every pair counts in every gradient, and that nothing is grouped, sampled or interpolated.  What makes
it fast is where the numbers lie.  P is symmetric, so its upper triangle is kept alone, packed row after row in float32,
and nothing else grows with N².  A pair pulls at both its points alike, so only j > i is worked out: what row i gains is
summed in registers; what the points j gain goes to a slot of the chunk of rows that i belongs to.  The slots are added
up in their order, so the bits are the same on any number of threads.  The lanes of a vector are the j, so a coordinate
of all points is one row of an array.

Precision, ε = 2⁻²⁴ being half the last place of float32:
    t-SNE      coordinates are rounded to float32, by ε |y|; each p w (y_i - y_j) and w² (y_i - y_j) made of them is
               right to 10 ε of itself.  A row sums at most TERMS of them in float32, a slot as many as its chunk has
               rows, max(32, N / 8); these sums are added up in float64.  So a force is within (n + 10) ε of the sum of
               the magnitudes of its terms, n being the greater of the two.
    Gaussian   all in float64 but P, which is stored in float32.
    costs      likewise; coordinates come in float64.
That suffices because the descent needs a direction.  Up to 16,000 points the bound is 1.3e-4 of those magnitudes: where
the forces balance, what rounding leaves of them moves no point by more than that share of what either alone would.
"""
import math

import numpy as np

from scratchml.core.elementary import exp, log
from scratchml.core.jit import kernel, partial_sums, run_chunks
from scratchml.core.logspace import logsumexp
from scratchml.reduction.affinities import packed_row

TERMS = 2048    # that are summed in float32
ONE = np.float32(1)

# --- the three costs -----------------------------------------------------------------------------


class _Pairs:
    """Sums over all pairs, for a packed P (N(N+1)/2,) and maps in float64.

    `_places` (A, W) has a coordinate of all points in each row; W >= N is an odd number of lines of the cache, so that
    the coordinates of one point do not fall on the same line.  `_rows` (N, 1+2 axes) has what each point gains as i,
    `_slots` (chunks, 2 axes, W) what it gains as j.
    """

    def __init__(self, P, N, columns, axes, dtype):
        self._P, self._N, self._axes, self._chunk = P, N, axes, max(32, -(-N // 8))
        W = 16 * (-(-N // 16) | 1)
        self._places = np.zeros((columns, W), dtype)
        self._slots = np.zeros((-(-N // self._chunk), 2 * axes, W), dtype)
        self._rows = np.zeros((N, 1 + 2 * axes))
        self._p_log_p, self._total = 2 * self._over_rows(_entropy_rows, np.zeros((1, N)))

    def _over_pairs(self, pairs, columns):
        """What the kernel `pairs` finds for points in `columns` (A, N): a sum over i < j, and two forces, (N, axes)
        each."""
        self._places[:len(columns), :self._N] = columns
        run_chunks(pairs, self._N, self._P, self._places, self._rows, self._slots, chunk=self._chunk)
        forces = np.empty((2, self._N, self._axes))
        _add_up(self._rows, self._slots, forces)
        return float(self._rows[:, 0].sum()), *forces

    def _over_rows(self, rows, columns):
        """Two sums over i < j that the kernel `rows` finds."""
        sums = partial_sums(self._N, self._chunk, 2)
        run_chunks(rows, self._N, self._P, columns, sums, chunk=self._chunk)
        return sums[:, :2].sum(axis=0)


class StudentPairs(_Pairs):
    """The cost and gradient of t-SNE, (6) and (9) of the chapter sne.

    `P` (N(N+1)/2,) float32 is the upper triangle of P, as `packed_affinities` gives it; F is 1, 2 or 3.
    """

    def __init__(self, P, N, F):
        axes = max(F, 2)
        super().__init__(P, N, axes, axes, np.float32)

    def gradient(self, Y, exaggeration=1.0):
        """(9) with `exaggeration` P for P, from the map `Y` (N, F), as (N, F).

        Same result as (9), because Σ_j (p_ij - q_ij) w_ij (y_i - y_j) is Σ_j p_ij w_ij (y_i - y_j) less
        Σ_j w_ij² (y_i - y_j) / Z: so Z is not needed until both sums are there, and one pass yields all three.
        """
        half_Z, towards, apart = self._over_pairs(_plane_pairs if self._axes == 2 else _space_pairs, Y.T)
        return 4 * (exaggeration * towards - apart / (2 * half_Z))[:, :Y.shape[1]].copy()

    def cost(self, Y):
        """(6) of the map `Y` (N, F), as Σ p log p + Σ p log(1 + d) + log Z."""
        p_log_d, half_Z = self._over_rows(_student_rows, np.ascontiguousarray(Y.T))
        return max(0.0, self._p_log_p + 2 * p_log_d + self._total * math.log(2 * half_Z))


class GaussianPairs(_Pairs):
    """The cost and gradient of symmetric SNE, (5) and (8) of the chapter sne; or of SNE, (4) and (7).

    The latter for the `perplexities` (N,) of R; `P` is the same for both.
    """

    def __init__(self, P, N, perplexities=None):
        super().__init__(P, N, 4, 3, np.float64)
        self._entropy = None if perplexities is None else float(np.log(perplexities).mean())

    def gradient(self, Y, exaggeration=1.0):
        """(8) or (7) with `exaggeration` P for P, from the map `Y` (N, F), as (N, F)."""
        _, towards, apart = self._over_pairs(_gaussian_pairs, self._normalised(Y)[0])
        return 4 * (exaggeration * towards - apart)[:, :Y.shape[1]].copy()

    def cost(self, Y):
        """(5) or (4) of the map `Y` (N, F), as Σ p log p + Σ p d + log Z.

        In (4) the first term is minus the mean entropy, and Σ_i Σ_j p_{j|i} d_ij / N = Σ_ij p_ij d_ij, as d is
        symmetric.
        """
        columns, log_Z = self._normalised(Y)
        p_d = self._over_pairs(_gaussian_pairs, columns)[0]
        first = self._p_log_p if self._entropy is None else -self._entropy
        return max(0.0, first + 2 * p_d + self._total * log_Z)

    def _normalised(self, Y):
        """The coordinates of `Y` in three dimensions and, as fourth row, l, (4, N); and log Z, of SNE its mean over i.

        l is such that (exp(-d_ij - l_i) + exp(-d_ij - l_j)) / 2N is the q_ij of symmetric SNE, or the (q_{j|i} +
        q_{i|j}) / 2N of SNE, whose l_i is log Z_i: so one kernel serves both.
        """
        columns = np.zeros((4, self._N))
        columns[:Y.shape[1]] = Y.T
        run_chunks(_log_normalisers, self._N, columns, chunk=self._chunk)
        if self._entropy is not None:
            return columns, float(columns[3].mean())
        log_Z = logsumexp(columns[3])
        columns[3] = log_Z - math.log(self._N)
        return columns, log_Z


# --- compiled: the heavy tail --------------------------------------------------------------------
#
# In the innermost loops j is unsigned: of a signed one the compiler would ask each time whether it counts from the end.


@kernel(reassociate=True)
def _plane_pairs(c, start, stop, P, places, rows, slots):
    """Σ w_ij, and what pairs with i in start ... stop-1 and j > i add to Σ p w (y_i - y_j) and Σ w² (y_i - y_j)."""
    N, slot = rows.shape[0], slots[c]
    slot[:, start:] = 0
    for i in range(start, stop):
        rows[i] = 0
        p = P[packed_row(i, N):]
        x, y = places[0, i], places[1, i]
        for first in range(i + 1, N, TERMS):
            z = px = py = wx = wy = ONE - ONE
            for j in range(np.uint64(first), np.uint64(min(first + TERMS, N))):
                dx, dy = x - places[0, j], y - places[1, j]
                w = ONE / (ONE + dx * dx + dy * dy)
                pw, ww = p[j] * w, w * w
                z += w
                px, py = px + pw * dx, py + pw * dy
                wx, wy = wx + ww * dx, wy + ww * dy
                slot[0, j] -= pw * dx
                slot[1, j] -= pw * dy
                slot[2, j] -= ww * dx
                slot[3, j] -= ww * dy
            rows[i, 0] += z
            rows[i, 1] += px
            rows[i, 2] += py
            rows[i, 3] += wx
            rows[i, 4] += wy


@kernel(reassociate=True)
def _space_pairs(c, start, stop, P, places, rows, slots):
    """`_plane_pairs` in three dimensions."""
    N, slot = rows.shape[0], slots[c]
    slot[:, start:] = 0
    for i in range(start, stop):
        rows[i] = 0
        p = P[packed_row(i, N):]
        x, y, h = places[0, i], places[1, i], places[2, i]
        for first in range(i + 1, N, TERMS):
            z = px = py = ph = wx = wy = wh = ONE - ONE
            for j in range(np.uint64(first), np.uint64(min(first + TERMS, N))):
                dx, dy, dh = x - places[0, j], y - places[1, j], h - places[2, j]
                w = ONE / (ONE + dx * dx + dy * dy + dh * dh)
                pw, ww = p[j] * w, w * w
                z += w
                px, py, ph = px + pw * dx, py + pw * dy, ph + pw * dh
                wx, wy, wh = wx + ww * dx, wy + ww * dy, wh + ww * dh
                slot[0, j] -= pw * dx
                slot[1, j] -= pw * dy
                slot[2, j] -= pw * dh
                slot[3, j] -= ww * dx
                slot[4, j] -= ww * dy
                slot[5, j] -= ww * dh
            rows[i, 0] += z
            rows[i, 1] += px
            rows[i, 2] += py
            rows[i, 3] += ph
            rows[i, 4] += wx
            rows[i, 5] += wy
            rows[i, 6] += wh


@kernel
def _add_up(rows, slots, forces):
    """Into `forces` (2, N, A): what each point has in `rows` (N, 1+2A) and in all `slots` (chunks, 2A, W)."""
    N, A = forces.shape[1:]
    total = np.empty(N)
    for k in range(2 * A):
        total[:] = rows[:, 1 + k]
        for c in range(slots.shape[0]):
            slot = slots[c, k]
            for i in range(N):
                total[i] += slot[i]
        forces[k // A, :, k % A] = total


@kernel
def _student_rows(c, start, stop, P, Y, sums):
    """sums[c] = Σ p_ij log(1 + d_ij), Σ w_ij over pairs with i in start ... stop-1 and j > i; coordinates Y (F, N)."""
    N = Y.shape[1]
    d = np.empty(N)
    for i in range(start, stop):
        d[:] = 0
        for k in range(Y.shape[0]):
            _add_squares(Y[k, i], Y[k, i + 1:], d)
        _student_row(P[packed_row(i, N) + i + 1:], d[:N - 1 - i], sums[c])


@kernel(contract=True)
def _add_squares(x, others, d):
    for j in range(others.size):
        d[j] += (x - others[j]) * (x - others[j])


@kernel(reassociate=True)
def _student_row(p, d, sums):
    """Adds Σ p_j log(1 + d_j) and Σ 1 / (1 + d_j) to `sums`."""
    p_log_d = Z = 0.0
    for j in range(d.size):
        p_log_d += p[j] * log(1.0 + d[j])
        Z += 1.0 / (1.0 + d[j])
    sums[0] += p_log_d
    sums[1] += Z


@kernel
def _entropy_rows(c, start, stop, P, columns, sums):
    """sums[c] = Σ p_ij log p_ij, Σ p_ij over the pairs with i in start ... stop-1 and j > i; `columns` (A, N)."""
    N = columns.shape[1]
    for i in range(start, stop):
        row = P[packed_row(i, N) + i + 1:]
        _entropy_row(row[:N - 1 - i], sums[c])


@kernel(reassociate=True)
def _entropy_row(p, sums):
    p_log_p = total = 0.0
    for j in range(p.size):
        p_log_p += p[j] * log(p[j] if p[j] > 0 else ONE)
        total += p[j]
    sums[0] += p_log_p
    sums[1] += total


# --- compiled: the Gaussian ----------------------------------------------------------------------


@kernel
def _log_normalisers(c, start, stop, columns):
    """columns[3, i] = log Σ_{j≠i} exp(-‖y_i - y_j‖²) for the points start ... stop-1; y is columns[:3], (3, N)."""
    N = columns.shape[1]
    L = np.empty(N)
    for i in range(start, stop):
        x, y, h = columns[0, i], columns[1, i], columns[2, i]
        for j in range(N):
            dx, dy, dh = x - columns[0, j], y - columns[1, j], h - columns[2, j]
            L[j] = -(dx * dx + dy * dy + dh * dh)
        L[i] = -np.inf
        columns[3, i] = logsumexp(L)


@kernel(reassociate=True)
def _gaussian_pairs(c, start, stop, P, places, rows, slots):
    """Σ p d, and what pairs with i in start ... stop-1 and j > i add to Σ p (y_i - y_j) and Σ q (y_i - y_j)."""
    N, slot = rows.shape[0], slots[c]
    largest = math.log(N)  # as q <= 1; of a huge d, rounding alone would be more than that
    slot[:, start:] = 0
    for i in range(start, stop):
        p = P[packed_row(i, N):]
        x, y, h, l = places[0, i], places[1, i], places[2, i], places[3, i]
        z = px = py = ph = qx = qy = qh = 0.0
        for j in range(np.uint64(i + 1), np.uint64(N)):
            dx, dy, dh = x - places[0, j], y - places[1, j], h - places[2, j]
            d = dx * dx + dy * dy + dh * dh
            a, b = -d - l, -d - places[3, j]
            q = 0.5 / N * (exp(a if a < largest else largest) + exp(b if b < largest else largest))
            z += p[j] * d
            px, py, ph = px + p[j] * dx, py + p[j] * dy, ph + p[j] * dh
            qx, qy, qh = qx + q * dx, qy + q * dy, qh + q * dh
            slot[0, j] -= p[j] * dx
            slot[1, j] -= p[j] * dy
            slot[2, j] -= p[j] * dh
            slot[3, j] -= q * dx
            slot[4, j] -= q * dy
            slot[5, j] -= q * dh
        rows[i, 0], rows[i, 1], rows[i, 2], rows[i, 3] = z, px, py, ph
        rows[i, 4], rows[i, 5], rows[i, 6] = qx, qy, qh
