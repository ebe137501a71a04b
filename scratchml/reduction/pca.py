"""Principal component analysis: the few directions in which the data vary most.

A thousand measurements of a thing seldom vary in a thousand ways.  PCA turns the axes so that the first one points
along the largest variance of the data, the second along the largest that is left at right angles to it, and so on.
The first F coordinates are then the best F numbers from which to rebuild a point linearly, and the rest can go.

The steps that one often reads, "form the covariance matrix, take its eigenvectors, project", forget the first: the
data are centred.  Uncentred, the first axis points from the origin to the data, and says nothing of their shape.

Symbols
    X   (N, D)  points, one a row: x_i
    μ   (D,)    their mean
    S   (D, D)  their covariance
    λ   (R,)    variances along the axes, falling; R = min(N, D), or D where S is all that is known
    W   (F, D)  the axes that are kept, one a row: v_1 ... v_F
    Z   (N, F)  coordinates along them, z a row
    σ², σ2      variance along each axis that is not kept
    F           how many axes are kept

Equations
    (1)  μ = (1/N) Σ_i x_i                                                            mean
    (2)  S = (1/(N-1)) Σ_i (x_i - μ)(x_i - μ)ᵀ                                        covariance
    (3)  S v_f = λ_f v_f, λ_1 ≥ λ_2 ≥ ... ≥ 0, the v_f orthonormal                    principal_axes
    (4)  v_f ← ±v_f, such that its entry of largest magnitude is positive             fix_signs
    (5)  z = W (x - μ)                                                                project
    (6)  x̂ = Wᵀ z + μ                                                                 reconstruct
    (7)  r_f = λ_f / Σ_g λ_g                                                          explained_ratio
    (8)  σ² = (1/(R-F)) Σ_{f>F} λ_f                                                   noise_variance
    (9)  log p(x) = log N(x; μ, Wᵀ diag(λ_1 - σ² ... λ_F - σ²) W + σ² I)              log_density

Choices
    (4) decides what (3) leaves open, so that every solver gives the same signs; of equal entries the first counts.
    (7) is 0 where all λ are.  (8) is 0 where F = R.
    (9) needs a covariance of full rank.  It is computed without one D x D matrix: within the axes each coordinate has
    variance λ_f, and what is left of x - μ after (6) has variance σ².
    Data are centred before they are squared, so an offset costs no digits.
    Columns may be in very different units: `settled` makes small eigenvalues sure, and each is judged beside the
    columns that it is made of.  It counts as 0 if it is at most `rounding_of_variance`: then `whiten` gives 0, and (9)
    is refused.  All is computed in float64.  Results for float32 data are given out in float32, if it can hold their
    squares, and kept in float64 too; with these are float32 points centred, whitened and scored where float32 would
    lose what it shows.

Cost
    (2) takes O(N D²) time and O(D²) memory, (3) O(D³); with more features than samples the SVD of the centred data
    takes their place, O(N² D).

>>> from scratchml.reduction import PCA
>>> X = np.array([[1., 2], [3, 6], [5, 10]])            # all on one line
>>> pca = PCA(1).fit(X)
>>> pca.explained_variance_ratio_.round(6).tolist(), pca.transform(X).round(6).ravel().tolist()
([1.0], [-4.472136, 0.0, 4.472136])

Sources: I. Jolliffe, "Principal Component Analysis" (2002), chapters 1 to 3; M. Tipping and C. Bishop, "Probabilistic
principal component analysis", J. Royal Statistical Society B 61 (1999), sections 3.1 and 3.2, for (8) and (9).
"""
import numpy as np

from scratchml.core.sparse import SparseTable
from scratchml.preprocessing import scaling

BLOCK = 4096    # rows that are centred at a time
EPS = float(np.finfo(np.float64).eps)
SURE = 1e-8     # of the largest eigenvalue: those above are right to EPS / SURE of themselves

# --- finding the axes ----------------------------------------------------------------------------


def mean(X):
    """(1)  μ = (1/N) Σ_i x_i

    By the mean of the chapter on scaling, which sums differences from the first row: a plain sum of many rows would
    lose digits to an offset.  Of a constant column it is the value exactly.

    Shapes: X (N, D) -> (D)
    """
    return X.mean() if isinstance(X, SparseTable) else scaling.mean(X)


def covariance(X, μ):
    """(2)  S = (1/(N-1)) Σ_i (x_i - μ)(x_i - μ)ᵀ

    In blocks of rows, each one product of a matrix with its own transpose.

    Shapes: X (N, D), μ (D) -> (D, D)
    """
    S = np.zeros((X.shape[1], X.shape[1]))
    block = np.empty((BLOCK, X.shape[1]))
    for start in range(0, len(X), BLOCK):
        rows = X[start:start + BLOCK]
        rows = rows.written_out() if isinstance(X, SparseTable) else rows
        centred = np.subtract(rows, μ, out=block[:len(rows)])
        S += centred.T @ centred
    return S / (len(X) - 1)


def principal_axes(S):
    """(3)  S v_f = λ_f v_f, λ_1 ≥ λ_2 ≥ ... ≥ 0, the v_f orthonormal

    Returns λ and the v_f as rows.

    Shapes: S (D, D) -> (D), (D, D)
    """
    return falling(*np.linalg.eigh(S))


def falling(λ, V):
    """Eigenvalues in ascending order and vectors in columns, as the λ and v_f of (3)."""
    return np.maximum(λ[::-1], 0), V.T[::-1]


def rounding_of_variance(variances, μ, N):
    """What rounding may make of a variance 0, for each column (D,) by itself; along an axis v, Σ_d v_d² times this.

    Sums of N terms in (2) and of D in (3) err by that share of the columns' `variances`, and the values of a constant
    column may differ in the last places, as 0.1 + 0.2 and 0.3 do.
    """
    return 4 * EPS * (len(μ) + N**0.5) * variances + (4 * EPS * μ) ** 2


def settled(λ, W, spread, lost):
    """The solution of (3) with its small eigenvalues as sure as its large ones.

    A solver is right to eps λ_1, which drowns a column in seconds beside one in nanoseconds.  So the axes with less
    than SURE λ_1 are solved for again, among themselves.  Before, each of them, v, is turned against each larger axis w
    by the small angle c = (w·S v) / λ_w, to v - c w and w + c v: then they are uncorrelated, as the solver's rounding
    left them not.  Again, until none is left that is so small beside the largest of its turn, or that is no more than
    rounding.

    `spread(W)` is S Wᵀ (D, R), `lost` (D,) the `rounding_of_variance`.

    Shapes: λ (R), W (R, D) -> (R), (R, D)
    """
    if λ[-1] >= SURE * λ[0]:
        return λ, W
    λ, W, first = λ.copy(), W.copy(), 0
    while λ[first] > W[first] ** 2 @ lost:
        small = first + int((λ[first:] >= SURE * λ[first]).sum())
        rounding = W[small:] ** 2 @ lost
        if (rounding >= np.maximum(λ[small:], EPS * λ[first])).all():
            break  # none is left, or they are 0 already by what the solver can tell
        larger = np.flatnonzero(λ[:small] > W[:small] ** 2 @ lost)
        w, v = W[larger], W[small:]
        c = w @ spread(v) / λ[larger, None]
        W[larger], v = w + c @ v, v - c.T @ w
        T = v @ spread(v)
        λ[small:], turned = falling(*np.linalg.eigh((T + T.T) / 2))
        W[small:] = turned @ v
        first = small
    order = np.argsort(-λ, kind="stable")
    return λ[order], W[order]


def fix_signs(W):
    """(4)  v_f ← ±v_f, such that its entry of largest magnitude is positive

    Shapes: W (F, D) -> (F, D)
    """
    largest = np.take_along_axis(W, np.abs(W).argmax(axis=1)[:, None], axis=1)     # (F, 1)
    return np.where(largest < 0, -W, W)


# --- using them ----------------------------------------------------------------------------------


def project(X, μ, W):
    """(5)  z = W (x - μ)

    Shapes: X (N, D), μ (D), W (F, D) -> (N, F)
    """
    return (X - μ) @ W.T


def reconstruct(Z, μ, W):
    """(6)  x̂ = Wᵀ z + μ

    Shapes: Z (N, F), μ (D), W (F, D) -> (N, D)
    """
    return Z @ W + μ


def explained_ratio(λ):
    """(7)  r_f = λ_f / Σ_g λ_g

    Shapes: λ (R) -> (R)
    """
    total = λ.sum()
    return λ / total if total > 0 else np.zeros_like(λ)


def noise_variance(λ, F):
    """(8)  σ² = (1/(R-F)) Σ_{f>F} λ_f

    Shapes: λ (R), F -> ()
    """
    return float(λ[F:].mean()) if F < len(λ) else 0.0


def log_density(X, μ, W, λ, σ2):
    """(9)  log p(x) = log N(x; μ, Wᵀ diag(λ_1 - σ² ... λ_F - σ²) W + σ² I)

    `λ` (F,) are the variances along the axes that are kept.

    Shapes: X (N, D), μ (D), W (F, D), λ (F), σ2 -> (N)
    """
    F, D = W.shape
    Z = project(X, μ, W)
    within = (Z**2 / λ).sum(axis=1) + np.log(λ).sum()                              # (N,)
    if F == D:
        return -0.5 * (D * np.log(2 * np.pi) + within)
    left = X - reconstruct(Z, μ, W)
    if σ2 < EPS * λ.max():
        left -= left @ W.T @ W                           # nothing but rounding, which may be large beside σ
    beyond = (left**2).sum(axis=1) / σ2 + (D - F) * np.log(σ2)
    return -0.5 * (D * np.log(2 * np.pi) + within + beyond)
