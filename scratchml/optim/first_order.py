"""First-order optimisers: how far to go along the gradient, coordinate by coordinate.

A gradient says which way is up, not how far.  One step length for all coordinates and all times is gradient descent; it
crawls along a valley whose walls are steep.  Momentum averages the steps, so what points now here, now there cancels,
and what always points the same way adds up.  Adaptive methods divide each coordinate by how large its gradients
usually are, so that rare and frequent, steep and flat get steps of one size.  Each method below is two or three lines
of arithmetic.

Symbols
    x        (D,)    a parameter, of any shape; `←` replaces it
    g        (D,)    its gradient
    d        (D,)    direction in which it goes, downhill being -d
    v        (D,)    velocity, a running sum of gradients
    m        (D,)    running mean of the gradients, the first moment
    s        (D,)    running mean, or sum, of their squares, the second moment
    t                number of this step, from 1 on
    η, λ             step length (`lr`) and weight decay
    μ, τ             momentum and dampening
    β, α             how much of the past a running mean keeps
    β1, β2           the same where there are two, of m and of s
    ε                keeps a quotient finite where every gradient was zero
    n, C             norm of all gradients together, and the most that is allowed (`max_norm`)

Equations
    (1)  g ← g + λ x                                                      with_decay
    (2)  v ← μ v + (1 - τ) g                                              velocity
    (3)  d = g + μ v                                                      nesterov_direction
    (4)  x ← x - η d                                                      descend
    (5)  m ← β m + (1 - β) g                                              running_mean
    (6)  d = m / (1 - β1ᵗ) / (√(s / (1 - β2ᵗ)) + ε)                       adam_direction
    (7)  x ← (1 - η λ) x                                                  shrink
    (8)  d = g / (√s + ε)                                                 scaled
    (9)  g ← g min(1, C / (n + 10⁻⁶))                                     clip

Choices
    SGD is (1), (2), then (4) with d = v, or with (3) for Nesterov; the first v is g, and without momentum τ counts for
    nothing.  The velocity is a sum of gradients, and η multiplies it when it is used; in Sutskever's form η goes into
    the sum.  They differ when η changes. Adam is (1), (5) of g and of g², (6), (4).  AdamW has (7) in place of (1):
    so the decay is not divided by √s.  In the paper λ is not multiplied by η, but by what the schedule makes of 1;
    here, as in PyTorch, it is. Adagrad is (1), s ← s + g², (8), (4) with η / (1 + (t - 1) lr_decay). RMSprop is (1),
    (5) of g², (8), then (2) of d with τ = 0 and v = 0 at first if there is momentum, (4).  Centred, s in (8) is the
    variance, s - m². ε stands outside the root everywhere, as in PyTorch and in the papers on Adagrad and, in
    Algorithm 1, Adam.  The faster order at the end of Adam's section 2 is η √(1 - β2ᵗ) / (1 - β1ᵗ) m / (√s + ε̂); it
    is the same only for ε̂ = ε √(1 - β2ᵗ), which is 30 times smaller at the first step.  TensorFlow has that ε̂ in
    Adam. Parameters whose gradient is None are left alone, and so is their state.

    A gradient whose squares its type cannot hold, above 9e18 in float32, goes into m and s as if it were ±9e18: the
    step is as long as for any other gradient, and the parameter is not left behind by an infinite s.

Cost
    A step takes O(D) time.  Memory beside the parameters: nothing for SGD, D numbers with momentum, for Adagrad and
    RMSprop, 2 D for Adam and AdamW.

>>> from scratchml.autograd import Tensor
>>> x = Tensor([3.0, -2.0], requires_grad=True)
>>> optimizer = SGD([x], lr=0.1, momentum=0.5)
>>> for _ in range(60):
...     optimizer.zero_grad()
...     (x * x * [1.0, 4.0]).sum().backward()
...     optimizer.step()
>>> bool(abs(x.data).max() < 1e-6)
True

Sources: B. Polyak, "Some methods of speeding up the convergence of iteration methods", 1964, for (2); I. Sutskever and
others, "On the importance of initialization and momentum in deep learning", ICML 2013, section 2, for (3); J. Duchi and
others, "Adaptive subgradient methods", JMLR 12 (2011), figure 1, for (8); T. Tieleman and G. Hinton, lecture 6.5 of
"Neural networks for machine learning", 2012, for RMSprop; D. Kingma and J. Ba, "Adam", ICLR 2015, Algorithm 1, for
(5) and (6); S. Reddi and others, "On the convergence of Adam and beyond", ICLR 2018, Algorithm 2, for amsgrad;
I. Loshchilov and F. Hutter, "Decoupled weight decay regularization", ICLR 2019, Algorithm 2, for (7); R. Pascanu and
others, "On the difficulty of training recurrent neural networks", ICML 2013, Algorithm 1, for (9).
"""
import numpy as np

from scratchml.core.checks import FLOATS, real_number
from scratchml.core.jit import kernel, readable
from scratchml.optim.optimizer import Optimizer, gradient, norm, parameters_in, set_gradient, sum_of_squares

# --- the equations -------------------------------------------------------------------------------


def with_decay(g, x, λ):
    """(1)  g ← g + λ x

    The gradient of λ/2 ‖x‖² is added.

    Shapes: g (D), x (D), λ -> (D)
    """
    return g + λ * x if λ else g


def velocity(v, g, μ, τ):
    """(2)  v ← μ v + (1 - τ) g

    Shapes: v (D), g (D), μ, τ -> (D)
    """
    return μ * v + (1 - τ) * g


def nesterov_direction(g, v, μ):
    """(3)  d = g + μ v

    Shapes: g (D), v (D), μ -> (D)
    """
    return g + μ * v


def descend(x, d, η):
    """(4)  x ← x - η d

    Shapes: x (D), d (D), η -> (D)
    """
    return x - η * d


def running_mean(m, g, β):
    """(5)  m ← β m + (1 - β) g

    Shapes: m (D), g (D), β -> (D)
    """
    return β * m + (1 - β) * g


def adam_direction(m, s, t, β1, β2, ε):
    """(6)  d = m / (1 - β1ᵗ) / (√(s / (1 - β2ᵗ)) + ε)

    A running mean that began at zero is too small by the factor 1 - βᵗ; the quotients make up for it.

    Shapes: m (D), s (D), t, β1, β2, ε -> (D)
    """
    return m / (1 - β1 ** t) / (np.sqrt(s / (1 - β2 ** t)) + ε)


def shrink(x, η, λ):
    """(7)  x ← (1 - η λ) x

    Shapes: x (D), η, λ -> (D)
    """
    return (1 - η * λ) * x


def scaled(g, s, ε):
    """(8)  d = g / (√s + ε)

    Shapes: g (D), s (D), ε -> (D)
    """
    return g / (np.sqrt(s) + ε)


def clip(g, n, C):
    """(9)  g ← g min(1, C / (n + 10⁻⁶))

    Shapes: g (D), n, C -> (D)
    """
    return g * min(1.0, C / (n + 1e-6))


def squarable(g):
    """`g` (D,) with its finite entries moved to where sums of four of their squares are finite; often `g` itself."""
    limit = float(np.sqrt(np.finfo(g.dtype).max) / 2)
    if sum_of_squares(readable(np.ascontiguousarray(g)).reshape(-1)) <= limit * limit:
        return g
    return np.where(np.isfinite(g), np.clip(g, -limit, limit), g)


# --- optimisers ----------------------------------------------------------------------------------


class SGD(Optimizer):
    """Gradient descent, with momentum: (1), (2), (4), or (3) in between with `nesterov`.

    Raises ValueError for settings out of range.

    Parameters
    ----------
    params : parameter, list of parameters, or list of dict
        What to move; each dict {"params": ..., "lr": ...} is a group with settings of its own.
    lr : float, default=1e-3
        η, the step length.
    momentum : float, default=0.0
        μ, from 0 to below 1.
    dampening : float, default=0.0
        τ, how much less than the whole gradient the velocity takes up.
    weight_decay : float, default=0.0
        λ, at least 0.
    nesterov : bool, default=False
        Whether to look ahead by (3); needs a momentum above 0 and no dampening.
    """

    def __init__(self, params, lr=1e-3, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False):
        super().__init__(params, lr=lr, momentum=momentum, dampening=dampening, weight_decay=weight_decay,
                         nesterov=nesterov)

    def _check(self, group):
        super()._check(group)
        if group["nesterov"] and (group["momentum"] == 0 or group["dampening"] != 0):
            raise ValueError("nesterov=True: expected momentum > 0 and dampening = 0, got "
                             f"momentum={group['momentum']} and dampening={group['dampening']}")

    def moved(self, x, g, state, group):
        if x.dtype == g.dtype and x.dtype in FLOATS and x.flags.c_contiguous and x.flags.writeable:
            return _moved_by_sgd(x, g, state, group)
        g = with_decay(g, x, group["weight_decay"])
        if not group["momentum"]:
            return descend(x, g, group["lr"])
        v = state.get("momentum_buffer")
        v = g.copy() if v is None else velocity(v, g, group["momentum"], group["dampening"])
        state["momentum_buffer"] = v
        return descend(x, nesterov_direction(g, v, group["momentum"]) if group["nesterov"] else v, group["lr"])


class Adam(Optimizer):
    """Adam: (1), (5) of g and g², (6), (4).  Raises ValueError for settings out of range.

    Parameters
    ----------
    params : parameter, list of parameters, or list of dict
        What to move; each dict {"params": ..., "lr": ...} is a group with settings of its own.
    lr : float, default=1e-3
        η, the step length.
    betas : tuple (float, float), default=(0.9, 0.999)
        β1 and β2, each from 0 to below 1.
    eps : float, default=1e-8
        ε, what keeps the divisor from 0.
    weight_decay : float, default=0.0
        λ, at least 0.
    amsgrad : bool, default=False
        Whether the largest s so far stands in (6).
    """

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, amsgrad=False):
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, amsgrad=amsgrad)

    decoupled = False                                    # whether (7) stands in place of (1)

    def moved(self, x, g, state, group):
        state["step"] = t = state.get("step", 0) + 1
        if x.dtype == g.dtype and x.dtype in FLOATS and not group["amsgrad"]:
            return _moved_by_adam(x, g, state, group, self.decoupled)
        if self.decoupled:
            x = shrink(x, group["lr"], group["weight_decay"])
        else:
            g = with_decay(g, x, group["weight_decay"])
        (β1, β2), g, zeros = group["betas"], squarable(g), np.zeros_like(x)
        state["exp_avg"] = m = running_mean(state.get("exp_avg", zeros), g, β1)
        state["exp_avg_sq"] = s = running_mean(state.get("exp_avg_sq", zeros), g * g, β2)
        if group["amsgrad"]:
            state["max_exp_avg_sq"] = s = np.maximum(state.get("max_exp_avg_sq", zeros), s)
        return descend(x, adam_direction(m, s, t, β1, β2, group["eps"]), group["lr"])


class AdamW(Adam):
    """Adam with decay of the weights themselves: (7), then Adam without (1).  Errors are those of Adam.

    Parameters
    ----------
    params : parameter, list of parameters, or list of dict
        What to move; each dict {"params": ..., "lr": ...} is a group with settings of its own.
    lr : float, default=1e-3
        η, the step length.
    betas : tuple (float, float), default=(0.9, 0.999)
        β1 and β2, each from 0 to below 1.
    eps : float, default=1e-8
        ε, what keeps the divisor from 0.
    weight_decay : float, default=1e-2
        λ, at least 0.
    amsgrad : bool, default=False
        Whether the largest s so far stands in (6).
    """

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2, amsgrad=False):
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad)

    decoupled = True


class Adagrad(Optimizer):
    """Adagrad: (1), s ← s + g², (8), (4) with a step length η / (1 + (t - 1) lr_decay).

    Raises ValueError for settings out of range.

    Parameters
    ----------
    params : parameter, list of parameters, or list of dict
        What to move; each dict {"params": ..., "lr": ...} is a group with settings of its own.
    lr : float, default=1e-2
        η, the step length.
    lr_decay : float, default=0.0
        How fast the step length falls.
    weight_decay : float, default=0.0
        λ, at least 0.
    initial_accumulator_value : float, default=0.0
        The first s.
    eps : float, default=1e-10
        ε, what keeps the divisor from 0.
    """

    def __init__(self, params, lr=1e-2, lr_decay=0.0, weight_decay=0.0, initial_accumulator_value=0.0, eps=1e-10):
        super().__init__(params, lr=lr, lr_decay=lr_decay, weight_decay=weight_decay,
                         initial_accumulator_value=initial_accumulator_value, eps=eps)

    def moved(self, x, g, state, group):
        g = squarable(with_decay(g, x, group["weight_decay"]))
        state["step"] = t = state.get("step", 0) + 1
        s = state.get("sum")
        s = np.full_like(x, group["initial_accumulator_value"]) if s is None else s
        with np.errstate(over="ignore"):
            s = s + g * g
        state["sum"] = s = np.where(s == np.inf, np.finfo(s.dtype).max, s) if np.isinf(s.max(initial=0)) else s
        return descend(x, scaled(g, s, group["eps"]), group["lr"] / (1 + (t - 1) * group["lr_decay"]))


class RMSprop(Optimizer):
    """RMSprop: (1), (5) of g², (8), (4); with `momentum` (2) in between.  Raises ValueError for settings out of range.

    Parameters
    ----------
    params : parameter, list of parameters, or list of dict
        What to move; each dict {"params": ..., "lr": ...} is a group with settings of its own.
    lr : float, default=1e-2
        η, the step length.
    alpha : float, default=0.99
        α, from 0 to below 1.
    eps : float, default=1e-8
        ε, what keeps the divisor from 0.
    weight_decay : float, default=0.0
        λ, at least 0.
    momentum : float, default=0.0
        μ, from 0 to below 1.
    centered : bool, default=False
        Whether to divide by the standard deviation.
    """

    def __init__(self, params, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.0, centered=False):
        super().__init__(params, lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay, momentum=momentum,
                         centered=centered)

    def moved(self, x, g, state, group):
        g, zeros = squarable(with_decay(g, x, group["weight_decay"])), np.zeros_like(x)
        state["square_avg"] = s = running_mean(state.get("square_avg", zeros), g * g, group["alpha"])
        if group["centered"]:
            state["grad_avg"] = m = running_mean(state.get("grad_avg", zeros), g, group["alpha"])
            s = np.maximum(s - m * m, 0)                 # rounding may leave less than nothing
        d = scaled(g, s, group["eps"])
        if group["momentum"]:
            state["momentum_buffer"] = d = velocity(state.get("momentum_buffer", zeros), d, group["momentum"], 0.0)
        return descend(x, d, group["lr"])


# --- before the step -----------------------------------------------------------------------------


def clip_grad_norm_(parameters, max_norm, norm_type=2.0):
    """Scale gradients, (N, D) or of any shape, by (9), so that their common norm is `max_norm` at most.

    Returns the norm before, as NumPy's number.  Raises ValueError if it is NaN or infinite and would have to be scaled,
    or if an argument is out of range.

    Parameters
    ----------
    parameters : parameter or list of parameters
        Whose gradients; those without one are left out.
    max_norm : float
        C, at least 0; inf to measure only.
    norm_type : float, default=2.0
        Which norm: 1, 2, ... or inf.
    """
    measured = max_norm == np.inf
    C, parameters = np.inf if measured else real_number(max_norm, "max_norm"), _with_gradients(parameters)
    order = np.inf if norm_type == np.inf else real_number(norm_type, "norm_type", above=0)
    norms = [norm(np.asarray(gradient(p)), order) for p in parameters]
    n = norm(np.array(norms), order) if norms else 0.0
    if measured:
        return np.float64(n)
    if not np.isfinite(n):
        bad = [k for k, norm in enumerate(norms) if not np.isfinite(norm)]
        raise ValueError(f"parameters: the norm of the gradients is {n}, that of gradient(s) {bad} not finite; no "
                         "factor mends that, skip the step or lower the step length")
    for p in parameters if clip(1.0, n, C) < 1 else ():
        set_gradient(p, clip(gradient(p), n, C))
    return np.float64(n)


def clip_grad_value_(parameters, clip_value):
    """Move every entry of gradients, (N, D) or of any shape, into [-clip_value, clip_value].

    Raises ValueError if `clip_value` is negative or not finite.

    Parameters
    ----------
    parameters : parameter or list of parameters
        Whose gradients; those without one are left out.
    clip_value : float
        The largest magnitude that stays.
    """
    limit = real_number(clip_value, "clip_value")
    for p in _with_gradients(parameters):
        set_gradient(p, np.clip(gradient(p), -limit, limit))


def _with_gradients(parameters):
    return [p for p in parameters_in(parameters, "parameters") if p.grad is not None]


# --- compiled ------------------------------------------------------------------------------------


def _moved_by_sgd(x, g, state, group):
    """Same result as (1) to (4), because each entry goes through the same operations; `x` and its velocity change."""
    μ, v = group["momentum"], state.get("momentum_buffer")
    α = 1 if v is None else 1 - group["dampening"]       # the first v is g
    if μ:
        v = np.zeros(x.shape, x.dtype) if v is None else np.ascontiguousarray(v, x.dtype)
        state["momentum_buffer"] = v
    constants = np.array([group["weight_decay"], μ, α, group["lr"]], x.dtype)
    _sgd(x.reshape(-1), readable(np.ascontiguousarray(g)).reshape(-1), v.reshape(-1) if μ else x.reshape(-1), constants,
         group["weight_decay"] != 0, μ != 0, bool(group["nesterov"]))
    return x


@kernel
def _sgd(x, g, v, constants, decays, has_velocity, nesterov):
    λ, μ, α, η = constants
    for k in range(x.size):
        d = g[k] + λ * x[k] if decays else g[k]
        if has_velocity:
            v[k] = μ * v[k] + α * d
            d = d + μ * v[k] if nesterov else v[k]
        x[k] -= η * d


LARGEST = {np.dtype(kind): np.sqrt(np.finfo(kind).max) / 2 for kind in FLOATS}


def _moved_by_adam(x, g, state, group, decoupled):
    """Same result as (1) or (7), (5) of g and g², (6) and (4), because each entry goes through the same operations.

    `x` itself changes if it can, and so do m and s.
    """
    (β1, β2), λ, η, t = group["betas"], group["weight_decay"], group["lr"], state["step"]
    y = x if x.flags.c_contiguous and x.flags.writeable else np.array(x, order="C")
    for name in ("exp_avg", "exp_avg_sq"):
        state[name] = np.asarray(state[name], x.dtype, order="C") if name in state else np.zeros(x.shape, x.dtype)
    constants = np.array([λ, 1 - η * λ, LARGEST[x.dtype], np.inf, β1, 1 - β1, β2, 1 - β2, 1 - β1 ** t, 1 - β2 ** t,
                          group["eps"], η], x.dtype)
    _adam(y.reshape(-1), readable(np.ascontiguousarray(g)).reshape(-1), state["exp_avg"].reshape(-1),
          state["exp_avg_sq"].reshape(-1), constants, λ != 0 and not decoupled, λ != 0 and decoupled)
    return y


@kernel
def _adam(x, g, m, s, constants, decays, shrinks):
    λ, κ, limit, endless, β1, α1, β2, α2, c1, c2, ε, η = constants
    for k in range(x.size):
        d = g[k] + λ * x[k] if decays else g[k]
        d = min(max(d, -limit), limit) if abs(d) < endless else d
        m[k] = β1 * m[k] + α1 * d
        s[k] = β2 * s[k] + α2 * (d * d)
        y = κ * x[k] if shrinks else x[k]
        x[k] = y - η * (m[k] / c1 / (np.sqrt(s[k] / c2) + ε))
