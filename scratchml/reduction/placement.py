"""Placement: where on a finished map does a new point belong?

t-SNE finds a place for each point of the data, and no rule that would give one for any other point: its map is a list
of places.  But one can ask of a new point what was asked of all: whom among the data would it pick as a neighbour, and
whom at a place z of the map?  The z at which the answers are most alike is its place.  The map stays as it is, and new
points do not see each other, so each is a problem of its own in two unknowns: as good alone as with a thousand others.

It has local minima, as a point between two clusters can be held by either.  So the start decides, and it is cheap to
choose well: of the places of its nearest neighbours in the data, that with the least cost.  From there the gradient is
followed by the steps of the chapter tsne.

Symbols
    Δ  (M, N)  squared distances of M new points to the N of the data, Δ_ij = ‖x_i - x_j‖²
    u          the perplexity that is asked for
    R  (M, N)  whom the new points would pick, R_ij = p_{j|i}: each row sums to one
    β_i        precision of the Gaussian of new point i
    Y  (N, F)  the map, which stays: y_j a row
    Z  (M, F)  places of the new points, z_i a row; w_ij and q_{j|i} are of them and Y

Equations
    (1)  p_{j|i} = exp(-β_i Δ_ij) / Σ_k exp(-β_i Δ_ik), β_i such that e^-Σ_j p_{j|i} log p_{j|i} = u    picks
    (2)  q_{j|i} = w_ij / Σ_k w_ik, w_ij = 1 / (1 + ‖z_i - y_j‖²)                    picks_on_map
    (3)  c_i = Σ_j p_{j|i} log(p_{j|i} / q_{j|i}), with (2)                          placing_costs
    (4)  ∂c_i/∂z_i = 2 Σ_j (p_{j|i} - q_{j|i}) w_ij (z_i - y_j), with (2)            placing_gradients
    (5)  z_i = that y_j with the least c_i, of those of the 25 least Δ_ij            first_places

(4) is (9) of the chapter sne, derived there, for one z_i against points that stay: of the two distances d_ij and d_ji
there is the one, and so 2 stands for 4; and P is not halved between two opinions, as the data are not asked.

Choices
    In (1) j runs over all the data: a new point is none of them.  Where u cannot be attained, what the chapter
    affinities says holds.
    250 steps (1) and (2) of the chapter tsne with η = 0.5 and α = 0.5, or until |∂c_i/∂z_ik| <= 1e-7 for all k.  The
    attraction is a spring of a stiffness h = 2 Σ_j p_{j|i} w_ij <= 2, so η h <= 1, where that chapter allows 3.
    w_ij ‖z_i - y_j‖ <= 1/2, and so the gradient is at most 2 wherever z_i is: no step shoots off.
    Should the end cost more than the start, the start is the place.  So no place costs more than that of any of the 25.

Cost
    O(M N (D + F I)) time for I <= 250 steps of a point, and memory for BLOCK rows of Δ.

>>> Y = np.array([[0., 0], [0, 1], [9, 0], [9, 1], [9, 2]])
>>> place(np.array([[1., 1, 9, 9, 9], [9, 9, 1, 4, 9]]), Y, 1.5).round(1).tolist()
[[-0.1, 0.5], [9.0, -0.5]]

Source: P. Poličar, M. Stražar, B. Zupan, "Embedding to reference t-SNE space addresses batch effects in single-cell
classification", Machine Learning 112 (2023), section 2, for (1) to (4).
"""
import math

import numpy as np

from scratchml.core.distances import squared_euclidean
from scratchml.core.elementary import exp
from scratchml.core.jit import kernel, run_chunks
from scratchml.reduction.affinities import precision

NEAREST = 25                # whose places are tried for a start
STEPS, RATE, MOMENTUM = 250, 0.5, 0.5
FLAT = 1e-7                 # of a gradient: the place is found

# --- who is picked, in the data and on the map ---------------------------------------------------


def picks(Δ, u):
    """(1)  p_{j|i} = exp(-β_i Δ_ij) / Σ_k exp(-β_i Δ_ik), β_i such that e^-Σ_j p_{j|i} log p_{j|i} = u

    Shapes: Δ (M, N), u -> (M, N)
    """
    R = np.empty(Δ.shape)
    run_chunks(_pick_rows, len(Δ), Δ, math.log(u), R, chunk=16)
    return R


def picks_on_map(Z, Y):
    """(2)  q_{j|i} = w_ij / Σ_k w_ik, w_ij = 1 / (1 + ‖z_i - y_j‖²)

    Shapes: Z (M, F), Y (N, F) -> (M, N)
    """
    w = 1 / (1 + squared_euclidean(Z, Y))
    return w / w.sum(axis=1, keepdims=True)


# --- what is minimised, and which way is down ----------------------------------------------------


def placing_costs(R, Z, Y):
    """(3)  c_i = Σ_j p_{j|i} log(p_{j|i} / q_{j|i}), with (2)

    Shapes: R (M, N), Z (M, F), Y (N, F) -> (M)
    """
    return (R * (np.log(np.where(R > 0, R, 1)) - np.log(picks_on_map(Z, Y)))).sum(axis=1)


def placing_gradients(R, Z, Y):
    """(4)  ∂c_i/∂z_i = 2 Σ_j (p_{j|i} - q_{j|i}) w_ij (z_i - y_j), with (2)

    Shapes: R (M, N), Z (M, F), Y (N, F) -> (M, F)
    """
    A = (R - picks_on_map(Z, Y)) / (1 + squared_euclidean(Z, Y))
    return 2 * (A[:, :, None] * (Z[:, None] - Y)).sum(axis=1)


def first_places(Δ, R, Y):
    """(5)  z_i = that y_j with the least c_i, of those of the 25 least Δ_ij

    Shapes: Δ (M, N), R (M, N), Y (N, F) -> (M, F)
    """
    nearest = np.argsort(Δ, axis=1, kind="stable")[:, :NEAREST]                    # (M, 25)
    costs = np.array([placing_costs(np.tile(r, (len(js), 1)), Y[js], Y) for r, js in zip(R, nearest)])
    return Y[nearest[np.arange(len(Δ)), costs.argmin(axis=1)]]


def place(Δ, Y, u):
    """Places (M, F) on the map `Y` (N, F) of new points at the squared distances `Δ` (M, N), for the perplexity `u`.

    Same result as (5) and the steps after it, because the cost and gradient of a point are (3), but for Σ_j p log p,
    which is the same everywhere, and (4).
    """
    N, F = Y.shape
    columns, Z = np.zeros((3, N)), np.empty((len(Δ), 3))
    columns[:F] = Y.T
    some = min(NEAREST, N)
    nearest = np.argpartition(Δ, some - 1, axis=1)[:, :some]
    run_chunks(_place_rows, len(Δ), Δ, nearest, columns, math.log(u), Z, chunk=1)
    return Z[:, :F].copy()


# --- compiled ------------------------------------------------------------------------------------


@kernel
def _pick_rows(c, start, stop, Δ, log_u, R):
    """(1) for the rows start ... stop-1."""
    for i in range(start, stop):
        least, largest = Δ[i].min(), Δ[i].max()
        δ = (Δ[i] - least) / (largest - least if largest > least else 1.0)
        β, Z, H = precision(δ, log_u)
        for j in range(δ.size):
            R[i, j] = exp(-β * δ[j]) / Z


@kernel
def _place_rows(c, start, stop, Δ, nearest, columns, log_u, Z):
    """Places of the rows start ... stop-1 of Δ, as Z (M, 3), on a map of `columns` (3, N)."""
    p = np.empty((1, Δ.shape[1]))
    for i in range(start, stop):
        _pick_rows(0, 0, 1, Δ[i:i + 1], log_u, p)
        z, lowest = columns[:, nearest[i, 0]].copy(), np.inf
        for k in range(nearest.shape[1]):
            cost = _cost(p[0], columns[:, nearest[i, k]].copy(), columns)
            if cost < lowest:
                z[:], lowest = columns[:, nearest[i, k]], cost
        Z[i] = z
        _descend(p[0], z, columns)
        if _cost(p[0], z, columns) <= lowest:
            Z[i] = z


@kernel
def _descend(p, z, columns):
    """Moves z (3,) down the gradient."""
    G, V, dz = np.ones(3), np.zeros(3), np.empty(3)
    for _ in range(STEPS):
        _gradient(p, z, columns, dz)
        if np.abs(dz).max() <= FLAT:
            return
        for k in range(3):
            G[k] = G[k] + 0.2 if V[k] * dz[k] < 0 else max(0.8 * G[k], 0.01)
            V[k] = MOMENTUM * V[k] - RATE * G[k] * dz[k]
            z[k] += V[k]


@kernel(reassociate=True)
def _cost(p, z, columns):
    """Σ_j p_j log(1 + d_j) + log Σ_j w_j, which is (3) less Σ_j p_j log p_j."""
    x, y, h = z
    p_log_d = total = 0.0
    for j in range(p.size):
        dx, dy, dh = x - columns[0, j], y - columns[1, j], h - columns[2, j]
        d = 1.0 + dx * dx + dy * dy + dh * dh
        total += 1.0 / d
        p_log_d += p[j] * math.log(d) if p[j] > 0 else 0.0
    return p_log_d + math.log(total)


@kernel(reassociate=True)
def _gradient(p, z, columns, dz):
    """(4) as 2 Σ_j p_j w_j (z - y_j) less 2 Σ_j w_j² (z - y_j) / Σ_j w_j, into dz (3,)."""
    x, y, h = z
    total = px = py = ph = wx = wy = wh = 0.0
    for j in range(p.size):
        dx, dy, dh = x - columns[0, j], y - columns[1, j], h - columns[2, j]
        w = 1.0 / (1.0 + dx * dx + dy * dy + dh * dh)
        pw, ww = p[j] * w, w * w
        total += w
        px, py, ph = px + pw * dx, py + pw * dy, ph + pw * dh
        wx, wy, wh = wx + ww * dx, wy + ww * dy, wh + ww * dh
    dz[0], dz[1], dz[2] = 2 * (px - wx / total), 2 * (py - wy / total), 2 * (ph - wh / total)
