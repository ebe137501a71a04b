"""L-BFGS: Newton's method for a million unknowns, from gradients alone.

Newton's method divides the gradient by the curvature, and needs a matrix of n² second derivatives for it.  But any
two gradients tell how the slope changes along the step between them.  BFGS keeps an inverse curvature H that explains
all such pairs; L-BFGS keeps the last few pairs only and applies the H that they stand for without ever forming it.

A sum of magnitudes, c Σ|x_i|, draws many coordinates to exactly zero, where it has a kink and no gradient.  OWL-QN
looks at one orthant at a time: where no coordinate changes its sign, the sum is linear.  It takes the slope of the
orthant that is entered, steps by L-BFGS, and sets to zero what would leave the orthant.

Symbols
    n, L        unknowns; pairs that are remembered
    f           the smooth function that returns f(x) and its gradient
    c           what a unit of |x_i| costs; or (n,), c_i for each i
    x   (n,)    where we are
    g   (n,)    the gradient of f there
    z   (n,)    the pseudo-gradient there
    d   (n,)    the direction in which to go
    x0, x_new   (n,), (n,)   where we start, where a step leads
    S   (L, n)  steps s = x_new - x, the oldest first
    Y   (L, n)  changes of the gradient y = g_new - g, likewise
    ρ           1 / s·y
    H           inverse curvature
    F           what is minimised, f(x) + c Σ_i |x_i|, or f(x) + Σ_i c_i |x_i|

Equations
    (1)  d = -H g with H ← (I - ρ s yᵀ) H (I - ρ y sᵀ) + ρ s sᵀ for each pair      direction
         beginning with H = (s·y / y·y) I of the newest pair
    (2)  z_i = g_i + c sign(x_i); where x_i = 0: g_i moved towards 0 by c          pseudo_gradient
    (3)  d_i ← 0 where d_i z_i ≥ 0                                                 downhill
    (4)  x_i ← 0 where its sign is not that of x_i before, or of -z_i if that is 0     into_orthant
    (5)  x with F(x) least                                                         lbfgs

Choices
    c = 0 searches with the strong Wolfe conditions (chapter line_search); c > 0 halves the step until F falls by 1e-4
    of z·(x_new - x).  The first step has length 1 at most, all later ones are tried in full.
    A pair counts if s·y > 1e-10 y·y: H stays positive definite.  Where the search fails the pairs are forgotten and
    steepest descent is tried once; if that fails too, no step lowers F any more to machine precision.
    A value of inf or NaN is one that is too high; only the start must be finite.

Cost
    4 L n multiplications an iteration and (2 L + 6) n numbers, beyond what f takes.

>>> def f(x):                                            # Rosenbrock's valley
...     slope = [-400 * x[0] * (x[1] - x[0] ** 2) - 2 * (1 - x[0]), 200 * (x[1] - x[0] ** 2)]
...     return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2, np.array(slope)
>>> found = lbfgs(f, [-1.2, 1.0], delta=0)
>>> found.x.round(4).tolist(), found.reason
([1.0, 1.0], 'gradient')
>>> lbfgs(lambda x: (((x - [3, 0.5]) ** 2).sum() / 2, x - [3, 0.5]), [0.0, 0.0], c=1.0).x.tolist()
[2.0, 0.0]

Sources: J. Nocedal and S. Wright, "Numerical Optimization", 2nd edition (2006), algorithm 7.4 for (1), section 6.1 for
its H; G. Andrew and J. Gao, "Scalable training of L1-regularized log-linear models", ICML 2007, section 3, for (2) to
(4).
"""
import math
from typing import NamedTuple

import numpy as np

from scratchml.core.checks import as_vector, real_number, whole_number
from scratchml.core.jit import kernel
from scratchml.optim.line_search import strong_wolfe

# --- the direction -------------------------------------------------------------------------------


def direction(g, S, Y):
    """(1)  d = -H g with H ← (I - ρ s yᵀ) H (I - ρ y sᵀ) + ρ s sᵀ for each pair

    Shapes: g (n), S (L, n), Y (L, n) -> (n)
    """
    d, rho = -g, [1 / dot(s, y) for s, y in zip(S, Y)]
    share = [0.0] * len(rho)
    for i in reversed(range(len(rho))):                  # the newest factor stands outermost
        share[i] = rho[i] * dot(S[i], d)
        add_multiple(d, -share[i], Y[i])
    if rho:
        d /= rho[-1] * dot(Y[-1], Y[-1])
    for i in range(len(rho)):
        add_multiple(d, share[i] - rho[i] * dot(Y[i], d), S[i])
    return d


# --- with a sum of magnitudes --------------------------------------------------------------------


def pseudo_gradient(x, g, c):
    """(2)  z_i = g_i + c sign(x_i); where x_i = 0: g_i moved towards 0 by c

    The slope of F in the direction in which it falls fastest.

    Shapes: x (n), g (n), c -> (n)
    """
    at_zero = np.sign(g) * np.maximum(np.abs(g) - c, 0)
    return np.where(x == 0, at_zero, g + c * np.sign(x))


def downhill(d, z):
    """(3)  d_i ← 0 where d_i z_i ≥ 0

    Shapes: d (n), z (n) -> (n)
    """
    return np.where(d * z < 0, d, 0.0)


def into_orthant(x_new, x, z):
    """(4)  x_i ← 0 where its sign is not that of x_i before, or of -z_i if that is 0

    Shapes: x_new (n), x (n), z (n) -> (n)
    """
    return np.where(np.sign(x_new) == np.where(x == 0, -np.sign(z), np.sign(x)), x_new, 0.0)


# --- the method ----------------------------------------------------------------------------------


class Minimum(NamedTuple):
    """Where a minimisation stands, and why it ended."""
    x: np.ndarray                                        # (n,)
    value: float                                         # F(x)
    gradient: np.ndarray                                 # (n,) of f; with c > 0 the pseudo-gradient of F
    iterations: int
    evaluations: int                                     # of f and its gradient
    reason: str  # gradient, delta, max_iterations, callback, precision; "" before


def lbfgs(fun, x0, *, c=0.0, memory=6, max_iterations=1000, epsilon=1e-5, delta=1e-5, period=10, callback=None):
    """(5)  x with F(x) least

    The local minimum that is downhill of `x0`, as a Minimum.  Reason "precision" says that no step lowers F any more.
    Raises ValueError for bad arguments, a `fun` that is not finite at `x0`, and gradients that are not of shape (n,).

    Shapes: f, x0 (n) -> (n), (), (n), (), (), ()

    Parameters
    ----------
    fun : callable
        Returns f and its gradient (n,), given x (n,).
    x0 : array (n,)
        Where to start.
    c : float or array (n,), default=0.0
        Weight of the sum of magnitudes, or of each magnitude.
    memory : int, default=6
        L.
    max_iterations : int or None, default=1000
        Stop there whatever happens; None for no limit.
    epsilon : float, default=1e-5
        Stop with reason "gradient" when ‖gradient‖ ≤ epsilon max(1, ‖x‖).
    delta : float, default=1e-5
        Stop with reason "delta" when F fell by at most delta |F| in `period` iterations; with delta = 0 only if it fell
        not at all, with reason "precision".
    period : int, default=10
        How many iterations `delta` looks back.
    callback : callable or None, default=None
        Called with the `Minimum` so far after each iteration; returning True stops.
    """
    x = as_vector(x0, name="x0").astype(np.float64)
    c, epsilon, delta = _weights(c, x.size), real_number(epsilon, "epsilon"), real_number(delta, "delta")
    memory, period = whole_number(memory, "memory"), whole_number(period, "period")
    limit = np.inf if max_iterations is None else whole_number(max_iterations, "max_iterations", least=0)
    evaluations = 0

    def evaluate(x):
        nonlocal evaluations
        evaluations += 1
        return _value_and_gradient(fun, x, c)

    value, g = evaluate(x)
    if not (np.isfinite(value) and np.isfinite(g).all()):
        raise ValueError(f"fun: expected a finite value and gradient at x0, got {value}; start elsewhere")
    now, pairs, history = Minimum(x, value, _slope(x, g, c), 0, 1, ""), [], [value]
    while not (reason := _reason(now, history, limit, epsilon, delta, period)):
        found = _step(evaluate, now, pairs, c)
        if found is None and pairs:
            pairs = []
            found = _step(evaluate, now, pairs, c)
        if found is None:
            reason = "precision"
            break
        x, value, g_new = found
        pairs = _remember(pairs, x - now.x, g_new - g, memory)
        g = g_new
        now = Minimum(x, value, _slope(x, g, c), now.iterations + 1, evaluations, "")
        history = [*history[-period:], value]
        if callback and callback(now):
            reason = "callback"
            break
    return now._replace(reason=reason, evaluations=evaluations)


def _reason(now, history, limit, epsilon, delta, period):
    """Why to stop here; "" for going on."""
    if norm(now.gradient) <= epsilon * max(1.0, norm(now.x)):
        return "gradient"
    if len(history) > period and history[-period - 1] - now.value <= delta * abs(now.value):
        return "delta" if delta else "precision"
    return "max_iterations" if now.iterations >= limit else ""


def _value_and_gradient(fun, x, c):
    """F and the gradient of f at `x`, in an array of its own."""
    returned = fun(x.copy())                             # a copy: `fun` may work in place
    if not isinstance(returned, (tuple, list)) or len(returned) != 2:
        raise ValueError(f"fun: expected a value and a gradient, got {type(returned).__name__}")
    value, g = np.asarray(returned[0]), np.array(returned[1], dtype=np.float64)
    if g.shape != x.shape:
        raise ValueError(f"fun: expected a gradient of shape {x.shape}, got {g.shape}")
    if value.size != 1 or value.dtype.kind not in "biuf":
        raise ValueError(f"fun: expected one real number as the value, got shape {value.shape} of {value.dtype}")
    return value.item() + _magnitudes(x, c), g


def _slope(x, g, c):
    return pseudo_gradient(x, g, c) if np.any(c) else g


def _weights(c, n):
    """`c` as a number or an array (n,), at least 0.  Raises ValueError."""
    if not np.ndim(c):
        return real_number(c, "c")
    c = as_vector(c, name="c", size=n).astype(np.float64, copy=False)
    if c.min(initial=0) < 0:
        raise ValueError(f"c: expected weights of at least 0, got {c.min()} at {c.argmin()}")
    return c


def _magnitudes(x, c):
    """Σ_i c_i |x_i|"""
    return dot(c, np.abs(x)) if np.ndim(c) else c * float(np.abs(x).sum()) if c else 0.0


def _remember(pairs, s, y, memory):
    """The pairs with (s, y) as the newest, without the oldest if there are too many."""
    return [*pairs, (s, y)][-memory:] if dot(s, y) > 1e-10 * dot(y, y) else pairs


def _step(evaluate, now, pairs, c):
    """One iteration: the new x, F there and the gradient of f; None if no step lowers F."""
    z = now.gradient
    d = direction(z, [s for s, _ in pairs], [y for _, y in pairs])
    d = downhill(d, z) if np.any(c) else d
    slope = dot(d, z)
    if not -np.inf < slope < 0:
        return None
    first = 1.0 if pairs else min(1.0, 1 / norm(z))
    return _search_orthant(evaluate, now, d, first) if np.any(c) else _search(evaluate, now, d, slope, first)


def _search(evaluate, now, d, slope, first):
    last = None

    def phi(a):
        nonlocal last
        x = now.x + a * d
        value, g = evaluate(x)
        last = x, value, g
        return value, dot(g, d)

    step = strong_wolfe(phi, now.value, slope, first)
    if not step.found:
        if step.value >= now.value:
            return None
        phi(step.size)                                   # the lowest, but perhaps not the last
    return last


def _search_orthant(evaluate, now, d, first):
    for halvings in range(40):
        x = into_orthant(now.x + first * 0.5 ** halvings * d, now.x, now.gradient)
        value, g = evaluate(x)
        if value <= now.value + 1e-4 * dot(now.gradient, x - now.x):
            return x, value, g
    return None


# --- compiled: vectors ----------------------------------------------------------------------------
#
# BLAS may hand vectors to its threads, and wait for them, which on a busy machine takes far longer than the product;
# and its last bits depend on the number of threads.


def norm(x):
    """‖x‖ of `x` (n,); inf or NaN where it has such, or its squares overflow."""
    return math.sqrt(dot(x, x))


@kernel(reassociate=True)
def dot(x, y):
    """Σ_i x_i y_i of two vectors (n,)."""
    total = 0.0
    for i in range(x.size):
        total += x[i] * y[i]
    return total


@kernel(contract=True)
def add_multiple(x, factor, y):
    """x += factor * y, in place, for two vectors (n,)."""
    for i in range(x.size):
        x[i] += factor * y[i]
