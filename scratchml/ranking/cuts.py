"""Cuts: what a node of a tree gains if it is parted in two, and the best way to part it.

Let each row have a score, and a loss of it with first and second derivative g and h.  If a whole node moves its scores
by v, the loss changes by G v + ½ H v² up to second order, where G and H are the sums of g and h there.  With a price on
large v, ½ λ v² + α |v|, the best v is found by hand (1), a Newton step, and it wins ½ T(G)² / (H + λ).  Two children
that move on their own win more than the parent that moves as a whole, and how much more is the gain of a cut (2).

All cuts of a feature are seen in one walk through the node's histogram: what lies in the bins so far would go left.

Symbols
    G, H      sums of first and second derivatives at a node
    G_L, H_L, G_R, H_R   those of the rows that go left, and right
    α, λ      prices of |v| and of ½ v²
    T(G)      sign(G) max(|G| - α, 0): what α leaves of G
    S  (D, 256, 2) histogram of the node: sums of whole numbers q, w (chapter `histograms`)
    n_bins  (D,)   bins of each feature
    c         bits of w that count
    f, b      a feature, and the last of its bins that goes left
    m         whether rows without a value go left
    limits    (5,) least rows and least H of a child, what the gain must exceed, α and λ

Equations
    (1)  v = -T(G) / (H + λ)                                                           leaf_value
    (2)  gain = T(G_L)² / (H_L + λ) + T(G_R)² / (H_R + λ) - T(G)² / (H + λ)            split_gain
    (3)  the f, b, m of the greatest gain: left are bins 0 ... b, and 255 if m         best_cut

Choices
    Of cuts with the same gain the one with the lowest f counts, then m = 0, then the lowest b.
    If some rows have no value, b may be the last bin with m = 0: those with a value go left, those without go right.
    A gain that rounding could have made, up to 16 eps of the two terms that are added, is none.
    (2) is twice what the loss goes down, as in LightGBM and XGBoost.  It can be negative where λ or α is not 0.
    Units: G and H are counted in powers of two above the largest |g| and h (`histograms`), and so are the limits; a
    loss of any size is cut alike.

Cost
    O(D B): three divisions for each bin, or six where rows without a value are at the node.

>>> float(leaf_value(-6.0, 4.0, 1.0, 1.0)), float(split_gain(-3.0, 2.0, 5.0, 2.0, 0.0, 0.0))
(1.0, 16.0)

Source: T. Chen and C. Guestrin, "XGBoost: a scalable tree boosting system", KDD 2016, (5) for (1), (7) without its ½
and γ for (2), algorithm 3 for m; J. Friedman, "Greedy function approximation: a gradient boosting machine", Annals of
Statistics 29 (2001), section 4.
"""
import math
from typing import NamedTuple

import numpy as np

from scratchml.core.jit import kernel
from scratchml.ranking.bins import MISSING, PLACES

ROUNDING = 16 * float(np.finfo(np.float64).eps)
SAMPLES, WEIGHT, GAIN = 1, 2, 4                          # limits that a cut came up against, as bits


class Cut(NamedTuple):
    """The best cut of a node, or feature -1 where there is none, and the limits that refused others."""
    gain: float
    feature: int
    last: int                                            # bin that goes left
    missing_left: bool
    refused: int


# --- the equations -------------------------------------------------------------------------------


@kernel
def shrunk(G, α):
    """T(G)."""
    return math.copysign(max(abs(G) - α, 0.0), G)


@kernel
def leaf_value(G, H, α, λ):
    """(1)  v = -T(G) / (H + λ)

    0 where T(G) or H + λ is.

    Shapes: G, H, α, λ -> ()
    """
    T = shrunk(G, α)
    return -T / (H + λ) if T != 0 and H + λ > 0 else 0.0


@kernel
def split_gain(G_L, H_L, G_R, H_R, α, λ):
    """(2)  gain = T(G_L)² / (H_L + λ) + T(G_R)² / (H_R + λ) - T(G)² / (H + λ)

    0 where rounding could have made it.

    Shapes: G_L, H_L, G_R, H_R, α, λ -> ()
    """
    apart = shrunk(G_L, α) ** 2 / (H_L + λ) + shrunk(G_R, α) ** 2 / (H_R + λ)
    gain = apart - shrunk(G_L + G_R, α) ** 2 / (H_L + H_R + λ)
    return gain if abs(gain) > ROUNDING * apart else 0.0


def best_cut(S, n_bins, c, limits):
    """(3)  the f, b, m of the greatest gain: left are bins 0 ... b, and 255 if m

    Returns f, b, m and the gain; f is -1 if no cut is within the limits.

    Shapes: S (D, 256, 2), n_bins (D), c, limits (5) -> (), (), (), ()
    """
    found = np.empty((len(S), 4))
    best_of_each(S, n_bins, np.arange(len(S), dtype=np.uint64), c, limits, found)
    cut = best_of(found, range(len(S)))
    return cut.feature, cut.last, cut.missing_left, cut.gain


def best_of(found, features):
    """The `Cut` of the greatest gain of what `best_of_each` found."""
    i = int(found[:, 0].argmax())
    gain, last, m = found[i, :3].tolist()
    return Cut(gain, int(features[i]) if gain > 0 else -1, int(last), bool(m),
               int(np.bitwise_or.reduce(found[:, 3].astype(np.int64))))


# --- compiled ------------------------------------------------------------------------------------


@kernel
def best_of_each(S, n_bins, features, c, limits, found):
    """For each of the features a row (gain, b, m, refused) of `found`; a gain of 0 says that there is no cut."""
    left, gains = np.empty((2, PLACES), np.int64), np.empty(PLACES)
    for i in range(len(features)):
        f = features[i]
        bins, n = S[f], n_bins[f]
        missing_q, missing_w = bins[MISSING, 0], bins[MISSING, 1]
        Q, W, best, at, way, refused = missing_q, missing_w, 0.0, 0, 0, 0
        for m in range(1 + (missing_w > 0)):
            q, w = (missing_q, missing_w) if m else (np.int64(0), np.int64(0))
            for b in range(n):
                q += bins[b, 0]
                w += bins[b, 1]
                left[0, b], left[1, b] = q, w
            if m == 0:
                Q += q
                W += w
            refused |= _gains(left, Q, W, c, limits, gains[:n])
            for b in range(n):
                if gains[b] > best:
                    best, at, way = gains[b], b, m
        found[i, 0], found[i, 1], found[i, 2], found[i, 3] = best, at, way, refused


@kernel
def _gains(left, Q, W, c, limits, gains):
    """The gain of each cut of a feature by the sums that go `left` (2, n), 0 where refused; and which limits did.

    Q and W are sums of the node.  Nothing branches, so that the processor takes several cuts at a time; a refused one
    has 1 added to H, for it might divide by 0.
    """
    counts = (np.int64(1) << c) - 1
    unit_G, unit_H = 0.5 ** (61 - c), 0.5 ** (62 - 2 * c)
    least_rows, least_H, least_gain, α, λ = limits[0], limits[1], limits[2], limits[3], limits[4]
    refused = 0
    for b in range(len(gains)):
        q, w = left[0, b], left[1, b]
        rows_left, rows_right = w & counts, (W - w) & counts
        H_L, H_R = (w >> c) * unit_H, ((W - w) >> c) * unit_H
        no_cut = (rows_left == 0) | (rows_right == 0)
        few = (rows_left < least_rows) | (rows_right < least_rows)
        light = (min(H_L, H_R) < least_H) | (min(H_L, H_R) + λ <= 0)
        none = no_cut | few | light
        gain = split_gain(q * unit_G, H_L + none, (Q - q) * unit_G, H_R + none, α, λ)
        low = (gain > 0) & (gain <= least_gain)
        refused |= 0 if no_cut else SAMPLES if few else WEIGHT if light else GAIN if low else 0
        gains[b] = 0.0 if none | low else gain
    return refused
