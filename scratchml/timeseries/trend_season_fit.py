"""The most probable curve of chapter `trend_season`, exactly: few bends, found by signs.

Given σ, F is a sum of squares plus Σ |δ_j| / τ: a lasso in δ, and a ridge in all the rest.  Were the signs of δ known,
and which are 0, the rest were one linear system.  Guess them: begin with those of the last guess, solve, and where a
δ_j would change its sign on the way, stop there and let it be 0.  When all signs are right, look for a δ_j = 0 that
pulls harder than its price, and let it in.  Every move lowers F, no pattern of signs comes twice, and so the search
ends, at the minimum.  Given the curve, the best σ is the root of a quadratic.  In turn, both settle after a few rounds.

If columns multiply the trend, or the trend is logistic, the curve is bent in its parameters: replace it by its tangent,
solve as before, and go a part of the way, such that F falls.  Where the second derivatives of F leave a minimum, they
take the place of the tangent's, and the last steps double the digits.  A logistic trend is less bent than it looks:
with a = -k m for m, all parameters of its z enter as in a line.

Symbols
    t, s, X, u, b, τ, σ, F       as in `trend_season`: (T,), (S,), (T, R), (R,), (R,)
    C        (T,)        what a logistic trend cannot exceed; None for a linear one
    a                    the trend's z at t = 0: m, or -k m if it is logistic
    θ        (S+R+2,)    all parameters: a, k, δ, β
    J        (T, S+R+2)  slopes of the curve
    A        (S, S)      a positive definite matrix
    c        (S,)        a pull on each number
    l        (S,)        its price
    x        (S,)        what is looked for
    E, T                 Σ (y - e)², and of how many rows

Equations
    (1)  J = ∂e / ∂θ                                           slopes
    (2)  x = argmin ½ xᵀ A x - cᵀ x + Σ_j l_j |x_j|            lasso
    (3)  σ² = 2 E / (T + √(T² + 16 E))                         noise_scale

Choices
    (3) is the root of ∂F/∂σ = 0, that is 4 σ⁴ + T σ² = E, in a form in which nothing cancels; at least 1e-9², since F
    has no minimum where a curve goes through every point.
    J is never made: its products come from chapter `trend_season_sums`.
    a, k and β are eliminated first; (2) is left with the Schur complement.  It leaves x_j at 0 if row j is a
    combination of rows before it, up to 1e-12.
    The fit ends when F falls by less than 1e-12 (|F| + T), or when halving the way 40 times does not make it fall.

Cost
    A step takes O(T R + S²) time and an elimination, O((S + R)³); of (2) a number that is let in costs O(S²).  Where a
    column multiplies the trend, O(T R²) more.

>>> A = np.array([[4.0, 1.0], [1.0, 2.0]])
>>> lasso(A, np.array([9.0, 2.0]), np.array([1.0, 1.0])).tolist()
[2.0, 0.0]

Sources: H. Lee, A. Battle, R. Raina and A. Ng, "Efficient sparse coding algorithms", NIPS 2006, algorithm 1, for (2);
M. Osborne, B. Presnell and B. Turlach, "A new approach to variable selection in least squares problems", IMA Journal of
Numerical Analysis 20 (2000).
"""
import math
from typing import NamedTuple

import numpy as np

from scratchml.core.estimator import warn_not_converged
from scratchml.core.jit import kernel
from scratchml.timeseries.trend_season import (
    OFFSET_DEVIATION, bent_line, linear_trend, negative_log_posterior, sigmoid)
from scratchml.timeseries.trend_season_sums import (
    column_gram, column_products, column_pulls, column_sums, moments, pieces, trend_products, weighted_products)

LEAST_NOISE = 1e-9                                       # of σ
SINGULAR = 1e-12                                         # of a pivot, of its diagonal entry

# --- the equations -------------------------------------------------------------------------------


def slopes(t, s, C, X, u, θ):
    """(1)  J = ∂e / ∂θ

    Shapes: t (T), s (S), C (T), X (T, R), u (R), θ (S+R+2) -> (T, S+R+2)
    """
    a, k, δ, β = parts(θ, len(s))
    g, dg = linear_trend(t, s, k, a, δ), np.ones((len(t), 1))
    if C is not None:
        g = C * sigmoid(g)
        dg = (g * (1 - g / C))[:, None]
    B = np.column_stack([np.ones(len(t)), t] + [np.maximum(t - s_j, 0) for s_j in s])
    return np.column_stack([dg * B * (1 + X @ (u * β))[:, None], X * np.where(u, g[:, None], 1)])


def lasso(A, c, l):
    """(2)  x = argmin ½ xᵀ A x - cᵀ x + Σ_j l_j |x_j|

    Shapes: A (S, S), c (S), l (S) -> (S)
    """
    x = np.zeros(len(c))
    _by_signs(A, c, l, x)
    return x


def noise_scale(E, T):
    """(3)  σ² = 2 E / (T + √(T² + 16 E))

    Returns σ.

    Shapes: E, T -> ()
    """
    return max(LEAST_NOISE, math.sqrt(2 * E / (T + math.sqrt(T * T + 16 * E))))


# --- the fit -------------------------------------------------------------------------------------


class Posterior(NamedTuple):
    """What F is made of besides its parameters; the trend is logistic below `C`, flat, or linear."""
    y: np.ndarray                                        # (T,)
    t: np.ndarray                                        # (T,) ascending
    s: np.ndarray                                        # (S,) ascending
    C: np.ndarray | None                                 # (T,)
    X: np.ndarray                                        # (T, R)
    u: np.ndarray                                        # (R,)
    b: np.ndarray                                        # (R,)
    τ: float
    flat: bool = False                                   # k is 0, and S too

    def at(self, θ, σ, e):
        """F, of expected values e (T,)."""
        a, k, δ, β = parts(θ, len(self.s))
        return negative_log_posterior(self.y, e, k, self.offset(a, k), δ, β, σ, self.τ, self.b)

    def offset(self, a, k):
        """m."""
        if self.C is None or a == 0:
            return a
        return -a / k if k else math.inf


class Optimum(NamedTuple):
    """The most probable parameters, and F after each step."""
    k: float
    m: float
    δ: np.ndarray
    β: np.ndarray
    σ: float
    F: list


def parts(θ, S):
    """a, k, δ (S,), β (R,) of θ."""
    return float(θ[0]), float(θ[1]), θ[2:2 + S], θ[2 + S:]


def start(posterior):
    """k and m of the trend through the first and the last value, of their mean if it is flat.

    If it is logistic, the values are first moved in between 0 and C, and apart.
    """
    y, C = posterior.y, posterior.C
    if posterior.flat:
        return 0.0, float(y.mean())
    if C is None:
        return float(y[-1] - y[0]), float(y[0])
    first, last = (C / np.clip(y, 0.01 * C, 0.99 * C))[[0, -1]]
    if abs(first - last) <= 0.01:
        first *= 1.05
    first, last = -math.log(first - 1), -math.log(last - 1)
    return last - first, -first / (last - first)


def fit(posterior, max_iter=1000, report=None):
    """The `Optimum`, from `start` on, without bends and seasons.

    `report` is called with the number of each step and F after it; if it returns True, the fit ends there.
    """
    θ = np.zeros(2 + len(posterior.s) + len(posterior.b))
    k, m = start(posterior)
    θ[:2] = m if posterior.C is None else -k * m, k
    T, known = len(posterior.y), _known_products(posterior)
    curve = _curve(posterior, known, θ)
    σ = noise_scale(curve.r @ curve.r, T)
    F = [posterior.at(θ, σ, curve.e)]
    for iteration in range(max_iter):
        step = _step(posterior, known, θ, σ, curve)
        for halvings in range(40):
            θ_new = θ + 0.5**halvings * step
            curve_new = _curve(posterior, known, θ_new)
            σ_new = noise_scale(curve_new.r @ curve_new.r, T)
            F_new = posterior.at(θ_new, σ_new, curve_new.e)
            if F_new < F[-1]:
                break
        else:
            break
        θ, σ, curve = θ_new, σ_new, curve_new
        F.append(F_new)
        if report is not None and report(iteration, F_new) or F[-2] - F_new < 1e-12 * (abs(F_new) + T):
            break
    else:
        warn_not_converged(f"F still fell after {max_iter} steps, last by {F[-2] - F[-1]:.3g}; are the values within "
                           "reach of the trend, a logistic one between floor and cap?")
    a, k, δ, β = parts(θ, len(posterior.s))
    return Optimum(k, posterior.offset(a, k), δ.copy(), β.copy(), σ, F)


class _Curve(NamedTuple):
    e: np.ndarray                                        # (T,) expected
    r: np.ndarray                                        # (T,) y - e
    g: np.ndarray                                        # (T,) trend
    times: np.ndarray                                    # (T,) what it is multiplied by
    dg: np.ndarray                                       # (T,) its first and second derivative by z; 1 and 0 if linear
    ddg: np.ndarray


class _Known(NamedTuple):
    """What does not change from step to step."""
    starts: np.ndarray                                   # of the pieces between the bends, in rows
    places: np.ndarray                                   # and in time
    XX: np.ndarray | None                                # Xᵀ X, if no column multiplies
    H: np.ndarray | None                                 # of the trend and with X, if moreover it is linear
    K: np.ndarray | None


def _known_products(posterior):
    t, s, X, u = posterior.t, posterior.s, posterior.X, posterior.u
    places, starts = pieces(t, s)
    if u.any():
        return _Known(starts, places, None, None, None)
    XX = column_gram(X, np.ones(len(t)), u)
    if posterior.C is not None:
        return _Known(starts, places, XX, None, None)
    return _Known(starts, places, XX, trend_products(t, s, np.ones(len(t))), column_products(t, s, X))


def _curve(posterior, known, θ):
    y, t, s, C, X, u = posterior[:6]
    a, k, δ, β = parts(θ, len(s))
    T = len(t)
    z, times, plus = np.empty((3, T))
    bent_line(t, known.starts, known.places, np.cumsum(np.append(k, δ)), a, z)
    column_sums(X, u, β, times, plus)
    if C is None:
        g, dg, ddg = z, np.ones(T), np.zeros(T)
    else:
        share, rest = sigmoid(z), sigmoid(-z)
        g, dg = C * share, C * share * rest
        ddg = dg * (rest - share)
    e = g * times + plus
    return _Curve(e, y - e, g, times, dg, ddg)


# --- one step ------------------------------------------------------------------------------------


def _step(posterior, known, θ, σ, curve):
    """Where the minimum of F lies, seen from θ, with the curve replaced by its tangent."""
    bent = posterior.C is not None or posterior.u.any()
    pull = _pulls(posterior, known, curve) - σ**2 * _prior_slopes(posterior, θ)
    for second in (True, False) if bent else (False,):
        Q = _products(posterior, known, curve, second) + σ**2 * _prior_curvatures(posterior, θ, second)
        if not second or _positive_definite(Q):
            break
    S = len(posterior.s)
    rest = np.concatenate([np.arange(1 if posterior.flat else 2), np.arange(2 + S, len(θ))])
    return _minimum(Q, pull, θ, np.arange(2, 2 + S), rest, σ**2 / posterior.τ)


def _pulls(posterior, known, curve):
    """Jᵀ r."""
    T, r = len(curve.r), curve.r
    one, columns = np.ones(T), np.zeros(len(posterior.b))
    w = (curve.dg * curve.times * r)[:, None]
    trend = weighted_products(posterior.t, known.starts, known.places, w, one, one, np.zeros(1))[:, 0]
    column_pulls(posterior.X, r, curve.g * r, posterior.u, columns)
    return np.concatenate([trend, columns])


def _products(posterior, known, curve, second):
    """Jᵀ J, less Σ_i r_i ∂²e_i / ∂θ∂θ if `second`."""
    t, X, u, n = posterior.t, posterior.X, posterior.u, len(posterior.s) + 2
    Q, r, w = np.empty((n + len(u), n + len(u))), curve.r, curve.dg * curve.times
    H, K = known.H, known.K
    if H is None:
        H = np.empty((n, n))
        p = w**2 - r * curve.ddg * curve.times if second else w**2
        moments(t, known.starts, known.places, p, np.zeros((3, n - 1)), H)
        multiplied = w * curve.g - r * curve.dg if second else w * curve.g
        K = weighted_products(t, known.starts, known.places, X, w, multiplied, u)
    Q[:n, :n], Q[:n, n:], Q[n:, :n] = H, K, K.T
    Q[n:, n:] = column_gram(X, curve.g, u) if known.XX is None else known.XX
    return Q


def _prior_slopes(posterior, θ):
    """First derivatives of what F has from the priors of k, m and β."""
    a, k, δ, β = parts(θ, len(posterior.s))
    found = np.concatenate([[a, k], np.zeros(len(δ)), β / posterior.b**2])
    found[:2] /= OFFSET_DEVIATION**2
    if posterior.C is not None:                          # of (a / k)²
        found[0] /= k**2
        found[1] -= a**2 / k**3 / OFFSET_DEVIATION**2
    return found


def _prior_curvatures(posterior, θ, second):
    """Second derivatives of the same; without `second`, of (a / k)² only those of a tangent of a / k."""
    a, k, δ, β = parts(θ, len(posterior.s))
    found = np.diag(np.concatenate([[1 / OFFSET_DEVIATION**2] * 2, np.zeros(len(δ)), posterior.b**-2.0]))
    if posterior.C is not None:
        slope = np.array([1, -a / k]) / k
        found[0, 0] = 0
        found[:2, :2] += np.outer(slope, slope) / OFFSET_DEVIATION**2
        if second:
            found[:2, :2] += a / k * np.array([[0, -1], [-1, 2 * a / k]]) / (k * OFFSET_DEVIATION)**2
    return found


def _positive_definite(Q):
    try:
        np.linalg.cholesky(Q)
    except np.linalg.LinAlgError:
        return False
    return True


def _minimum(Q, pull, θ, bends, rest, price):
    """d that minimises ½ dᵀ Q d - pullᵀ d + price Σ |δ + d_δ|, the δ at `bends`; 0 but there and at `rest`."""
    d, S = np.zeros(len(θ)), len(bends)
    across = Q[rest[:, None], bends]
    solved = np.linalg.solve(_regular(Q[rest[:, None], rest]), np.column_stack([across, pull[rest]]))
    if S:
        A, x = Q[bends[:, None], bends] - across.T @ solved[:, :-1], θ[bends]
        A = (A + A.T) / 2
        _by_signs(A, pull[bends] - across.T @ solved[:, -1] + A @ x, np.full(S, price), x)
        d[bends] = x - θ[bends]
    d[rest] = solved[:, -1] - solved[:, :-1] @ d[bends]
    return d


def _regular(Q):
    """`Q`, with as much more on its diagonal as it takes to be positive definite within rounding."""
    diagonal = np.diag(Q)
    for more in (0, 1e-12, 1e-10, 1e-8, 1e-6):
        raised = Q + np.diag(more * diagonal) if more else Q
        try:
            if (np.diag(np.linalg.cholesky(raised))**2 > SINGULAR / 10 * diagonal).all():
                break
        except np.linalg.LinAlgError:
            pass
    return raised


# --- compiled ------------------------------------------------------------------------------------


def _by_signs(A, c, l, x):
    """(2) from x (S,) on, in place."""
    S = len(x)
    _feature_sign(A, c, l, x, np.empty(S, np.int64), np.zeros(S, np.int64), np.empty((S, S)), np.empty(S))


@kernel(reassociate=True)
def _feature_sign(A, c, l, x, active, signs, L, z):
    """(2) in place.  L (S, S) is the factor of the rows of A whose x is not 0, `active`; `signs` are 2 if banned."""
    S, n, first = x.size, 0, 0
    for j in range(S):
        if x[j] != 0.0:
            active[n] = j
            signs[j] = 1 if x[j] > 0 else -1
            n += 1
    for _ in range(100 + 50 * S):
        i = first
        while i < n:                                     # rows of L that are not there yet
            row = active[i]
            for j in range(i):
                rest = A[row, active[j]]
                for k in range(j):
                    rest -= L[i, k] * L[j, k]
                L[i, j] = rest / L[j, j]
            pivot = A[row, row]
            for k in range(i):
                pivot -= L[i, k] * L[i, k]
            if pivot > 1e-12 * A[row, row]:
                L[i, i] = math.sqrt(pivot)
                i += 1
                continue
            x[row], signs[row] = 0.0, 2
            n -= 1
            for j in range(i, n):
                active[j] = active[j + 1]
        for i in range(n):
            z[i] = c[active[i]] - signs[active[i]] * l[active[i]]
            for k in range(i):
                z[i] -= L[i, k] * z[k]
            z[i] /= L[i, i]
        for i in range(n - 1, -1, -1):
            z[i] /= L[i, i]
            for k in range(i):
                z[k] -= L[i, k] * z[i]
        way, stop = 1.0, -1
        for i in range(n):                               # the first that comes to 0 on the way to z
            j = active[i]
            if z[i] * signs[j] <= 0.0:
                part = x[j] / (x[j] - z[i]) if x[j] != z[i] else 0.0
                if part < way:
                    way, stop = part, i
        for i in range(n):
            x[active[i]] += way * (z[i] - x[active[i]])
        if stop >= 0:
            j = active[stop]
            x[j], signs[j] = 0.0, 2 if way == 0.0 else 0
            n -= 1
            for i in range(stop, n):
                active[i] = active[i + 1]
            first = stop
            continue
        most, worst = 0.0, -1
        for j in range(S):
            if signs[j] == 0:
                rest = c[j]
                for i in range(n):
                    rest -= A[j, active[i]] * x[active[i]]
                beyond = abs(rest) - l[j]
                if beyond > most and beyond > 1e-10 * l[j]:
                    most, worst = beyond, j
                    signs_of_worst = 1 if rest > 0 else -1
        if worst < 0:
            return
        active[n], signs[worst] = worst, signs_of_worst
        first = n
        n += 1
