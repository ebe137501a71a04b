"""How many principal components the data have, by the evidence for each number of them.

A model with more axes always fits better, so the fit cannot say how many are enough.  The evidence can: the density of
the data under a model whose parameters are not fitted but averaged over all that they might be.  A model with many
parameters spreads its belief over many data sets, and has little left for any of them; it wins only if the data need
it.

The model is that of probabilistic principal components: variances λ_1 ... λ_F along F axes, one variance σ² along all
others.  Its likelihood at the best parameters depends on the data through λ alone.  The average over the parameters is
taken by Laplace's method: around its maximum a likelihood of N points is nearly normal, so its integral is its height
times √(2π / curvature) for each parameter.  Those are the F variances, and the m angles by which F axes can be turned.
Turning axis i towards axis j costs the more the further their variances are apart: that curvature is A_ij.

Symbols
    N       points
    D       features
    λ       (D,)  variances along the principal axes, falling
    F       how many axes are kept
    σ²      mean of λ_{F+1} ... λ_D, the variance along each other axis
    λ̂_j     λ_j for j ≤ F, and σ² beyond
    W       (F, D)  the axes, of which p(W) is the prior: all directions alike
    A_ij    curvature along the turn of axis i towards axis j
    X       (N, D)  the points
    m       D F - F (F + 1)/2, the angles of F axes
    Γ       the function that continues the factorial, Γ(n) = (n - 1)!

Equations
    (1)  log p(W) = -F log 2 + Σ_{i≤F} [log Γ((D-i+1)/2) - (D-i+1)/2 log π]           log_prior
    (2)  A_ij = N (λ_i - λ_j)(1/λ̂_j - 1/λ̂_i), but at least 2/π                       curvatures
    (3)  log p(X|F) = log p(W) - N/2 [Σ_{i≤F} log λ_i + (D-F) log σ²]                 log_evidence
         + (m+F)/2 log 2π - ½ Σ_{i≤F} Σ_{j>i} log A_ij - F/2 log N
    (4)  F* = the F in 1 ... D-1 of the largest log p(X|F)                            most_evident

Choices
    (3) leaves out what is the same for every F, and integrates about one of the 2^F maxima that differ in signs.
    To scale the data adds one number to (3) for all F, and changes no choice.
    Where λ_i = λ_j nothing changes if their axes are turned, and Laplace's width √(2π / A_ij) would be infinite.  No
    axis can be turned by more than π, so no width is more: hence the 2/π in (2).
    Where r < D of the λ are not 0, the evidence grows without bound from F = r on, and (4) is r.
    Data of N ≤ D points always lie in N - 1 dimensions, whatever they came from: the estimators refuse them.
    F = D - 1 and F = D are the same model, and F = 0, no direction at all, is not asked for.

Cost
    O(D³) time for (4), seconds for 1,000 features; data enter through λ alone.

>>> λ = np.array([9.0, 4.0, 1.1, 1.0, 0.9])
>>> [round(log_evidence(λ, F, 50), 1) for F in (1, 2, 3, 4)], most_evident(λ, 50)
([-121.7, -109.2, -110.7, -112.5], 2)

Source: T. Minka, "Automatic choice of dimensionality for PCA", Advances in Neural Information Processing Systems 13
(2000), the Laplace estimate.
"""
import math

import numpy as np

from scratchml.core.jit import kernel
from scratchml.reduction.pca import noise_variance

FLATTEST = 2 / math.pi                                   # the curvature whose width is π
LARGE = 1e100                                            # products up to its square can be held


def log_prior(D, F):
    """(1)  log p(W) = -F log 2 + Σ_{i≤F} [log Γ((D-i+1)/2) - (D-i+1)/2 log π]

    One over the area of all frames: v_1 lies on the unit sphere of D dimensions, v_2 on that of the D-1 left.

    Shapes: D, F -> ()
    """
    halves = [(D - i + 1) / 2 for i in range(1, F + 1)]
    return -F * math.log(2) + sum(math.lgamma(half) - half * math.log(math.pi) for half in halves)


def curvatures(λ, F, N):
    """(2)  A_ij = N (λ_i - λ_j)(1/λ̂_j - 1/λ̂_i), but at least 2/π

    For i ≤ F; where j ≤ i it is 1, whose logarithm does not count.

    Shapes: λ (D), F, N -> (F, D)
    """
    kept, after = λ[:F, None], np.append(λ[:F], np.full(len(λ) - F, noise_variance(λ, F)))
    A = N * ((kept - λ) / kept) * ((kept - after) / after)                         # (F, D), in range at any scale
    return np.where(np.tri(F, len(λ), dtype=bool), 1.0, np.maximum(A, FLATTEST))


def log_evidence(λ, F, N):
    """(3)  log p(X|F) = log p(W) - N/2 [Σ_{i≤F} log λ_i + (D-F) log σ²]

    `λ` (D,) all positive, and F less than D.

    Shapes: λ (D), F, N -> ()
    """
    D = len(λ)
    m = D * F - F * (F + 1) // 2
    rest = noise_variance(λ, F)
    fit = np.log(λ[:F]).sum() + (D - F) * math.log(rest)
    width = (m + F) * math.log(2 * math.pi) - _sum_of_log_curvatures(λ, F, float(N), rest) - F * math.log(N)
    return float(log_prior(D, F) - N / 2 * fit + width / 2)


def most_evident(λ, N):
    """(4)  F* = the F in 1 ... D-1 of the largest log p(X|F)

    1 if D is 1.  Some λ may be 0, not all.

    Shapes: λ (D), N -> ()
    """
    positive = int(np.count_nonzero(λ))
    if positive < len(λ) or len(λ) == 1:
        return positive
    return 1 + int(np.argmax([log_evidence(λ, F, N) for F in range(1, len(λ))]))


# --- compiled ------------------------------------------------------------------------------------


@kernel
def _sum_of_log_curvatures(λ, F, N, rest):
    """Σ_{i≤F} Σ_{j>i} log A_ij, where `rest` is σ².

    Same result as the logarithms of (2), because that of a product is their sum: it is taken of many at a time.
    """
    total, product = 0.0, 1.0
    for i in range(F):
        for j in range(i + 1, λ.size):
            after = λ[j] if j < F else rest
            A = max(N * ((λ[i] - λ[j]) / λ[i]) * ((λ[i] - after) / after), FLATTEST)
            if A > LARGE:
                total += math.log(A)
            else:
                product *= A
            if product > LARGE or product < 1.0 / LARGE:
                total += math.log(product)
                product = 1.0
    return total + math.log(product)
