"""Up or down: networks that overfit in front of your eyes, on windows that are each scaled by themselves.

Will the next value be above the last one?  A window of a few values is the input, the answer a class.  Scaled by mean
and deviation of the whole series, a window would know of the future; so each is scaled by its own, (2).

Then the ladder, each rung one change to the last: a layer with batch normalisation and LeakyReLU; a second layer, which
learns the past by heart; a price on activity against that; dropout against that.  The third does nothing here, and (6)
says why.  Batch normalisation takes the mean away and divides by the deviation.  Whoever multiplies what comes in by a
small a > 0 pays a² of the price and gets out the same, but for ε / a² in place of ε, which is next to nothing beside a
variance that is much larger.  So the price falls, and what the network can say stays.

What is known of a sample may be of several kinds, and so may be what is asked: `TwoBranches` is a network with two
inputs, `TwoHeads` one with two answers.  For a value and its direction (7) is the loss.

Symbols
    y    (T,)    the series: y_t
    F    (n, w)  windows of w values that have a next one: F_i is y_i ... y_{i+w-1}
    n, w         how many windows there are, T - w, and how many values each has
    μ    (n,)    mean of each window
    σ    (n,)    its standard deviation
    X    (n, w)  scaled windows
    c    (n,)    changes after them, in the same units
    u    (n,)    1 for up, 0 for down or equal
    s    (K,)    shares of blocks, in order of time: s_1 ... s_K, which sum to 1
    z    (N, H)  what goes into batch normalisation, a sample a row
    a, ε         a factor above 0, and what is added to variances
    o    (N, 2)  answers of two heads: a value, and log odds of up
    t    (N, 2)  targets: a value, and 1 for up or 0
    λ            price of the second loss

Equations
    (1)  μ_i = 1/w Σ_j F_ij, σ_i² = 1/w Σ_j (F_ij - μ_i)²                                       own_scale
    (2)  X_ij = (F_ij - μ_i) / σ_i                                                              scaled
    (3)  c_i = (y_{i+w} - y_{i+w-1}) / σ_i                                                      changes
    (4)  u_i = 1 if y_{i+w} > y_{i+w-1} else 0                                                  ups
    (5)  block k is b_{k-1} ... b_k - w - 1, the last to n - 1, b_k = n (s_1 + ... + s_k)       purged_split
    (6)  B_ε(a z) = B_{ε/a²}(z), with B_ε(z) = (z - mean z) / √(var z + ε) by columns           rescaled
    (7)  L = 1/N Σ_i (o_i1 - t_i1)² + λ/N Σ_i log(1 + exp(-(2 t_i2 - 1) o_i2))                  value_and_direction

Choices
    A window whose values are all equal has σ = 1, and so X = 0 and its change in the units of the series.  Where the
    next value equals the last one, label and change are 0; `DirectionWindows.equal` counts such windows.
    Windows i < j share values, the next one of i among them, where j <= i + w.  So (5) drops the last w samples of each
    block but the last: what is learned from holds nothing of what is tested on.  The b_k are rounded.
    Choose settings on a block before the one that is tested on.  `fit(validation_split=...)` draws at random, and puts
    neighbours that are nearly equal on both sides; give it `validation_data`.

Cost
    O(T w) time and memory for windows.

>>> X, up, change = direction_windows([1.0, 2, 3, 2, 2, 0, 5], window=3)
>>> X[0].round(3).tolist(), up.tolist(), change.round(3).tolist()
([-1.225, 0.0, 1.225], [0, 0, 0, 1], [-1.225, 0.0, -4.243, 5.303])
>>> purged_split(100, window=5, shares=(0.6, 0.2, 0.2))
[slice(0, 55, None), slice(60, 75, None), slice(80, 100, None)]
>>> ladder(2, n_inputs=3)(X).shape
(4, 2)

Sources: S. Ioffe and C. Szegedy, "Batch normalization", ICML 2015, section 3.3, for (6); M. López de Prado,
"Advances in Financial Machine Learning" (2018), section 7.4, for (5); R. Caruana, "Multitask learning", Machine
Learning 28 (1997), for (7).
"""
from typing import NamedTuple

import numpy as np

from scratchml.autograd.ops import as_tensor, concatenate
from scratchml.core.checks import finite, in_order, real_number, whole_number
from scratchml.core.random import generator
from scratchml.nn import (ActivityL2, BatchNorm1d, Dropout, LeakyReLU, Linear, Module, Sequential,
                          binary_cross_entropy_with_logits, mse_loss)
from scratchml.timeseries.time_axis import read_series
from scratchml.timeseries.windows import lag_windows

# --- windows and labels --------------------------------------------------------------------------


def own_scale(F):
    """(1)  μ_i = 1/w Σ_j F_ij, σ_i² = 1/w Σ_j (F_ij - μ_i)²

    Of a window whose values are all equal this value, and 1.

    Shapes: F (n, w) -> (n), (n)
    """
    unit = np.ldexp(1.0, np.frexp(np.abs(F).max(axis=1))[1] - 1)         # a power of two: no sum overflows, no square
    F = F / unit[:, None]
    μ = F.mean(axis=1)
    σ = np.sqrt(np.square(F - μ[:, None]).mean(axis=1))
    level = F.max(axis=1) == F.min(axis=1)
    return np.where(level, F[:, 0], μ) * unit, np.where(level, 1.0, σ * unit)


def scaled(F, μ, σ):
    """(2)  X_ij = (F_ij - μ_i) / σ_i

    Shapes: F (n, w), μ (n), σ (n) -> (n, w)
    """
    return (F - μ[:, None]) / σ[:, None]


def changes(y, σ):
    """(3)  c_i = (y_{i+w} - y_{i+w-1}) / σ_i

    Shapes: y (T), σ (n) -> (n)
    """
    w = len(y) - len(σ)
    return (y[w:] - y[w - 1:-1]) / σ


def ups(y, w):
    """(4)  u_i = 1 if y_{i+w} > y_{i+w-1} else 0

    Shapes: y (T), w -> (n)
    """
    return (y[w:] > y[w - 1:-1]).astype(np.int64)


class DirectionWindows(NamedTuple):
    """Inputs and targets: X (n, w), and up (n,) and change (n,), of which the former is the sign of the latter."""
    X: np.ndarray                                        # (n, w) float64
    up: np.ndarray                                       # (n,) int64
    change: np.ndarray                                   # (n,) float64

    @property
    def equal(self):
        """After how many windows the next value equals the last one."""
        return int((self.change == 0).sum())


def direction_windows(y, window):
    """Windows, each scaled by itself, whether the next value is above the last one, and by how much in their units.

    Returns `DirectionWindows`, X (n, w), up (n,) and change (n,), by (1) to (4) with n = T - w.  Raises ValueError for
    NaN and inf, an index with gaps, a window below 2, a series that is not longer than it, and a change that cannot be
    held.

    Parameters
    ----------
    y : array (T,) or Series
        The series, equally spaced.
    window : int
        w, how many values a window has.
    """
    w, (y, _) = whole_number(window, "window", least=2), read_series(y)
    F, _ = lag_windows(y, w)
    μ, σ = own_scale(F)
    with np.errstate(over="ignore"):
        c = changes(y, σ)
    return DirectionWindows(scaled(F, μ, σ), ups(y, w), finite(c, "y: the change after a window, in its units"))


def purged_split(n, window, shares):
    """(5)  block k is b_{k-1} ... b_k - w - 1, the last to n - 1, b_k = n (s_1 + ... + s_k)

    A slice for each block, (K,).  Raises ValueError for shares that do not sum to 1, and for a block that is left
    without samples.

    Shapes: n, w, s (K) -> (K)

    Parameters
    ----------
    n : int
        How many windows there are.
    window : int
        w, how many samples are dropped before a border.
    shares : tuple of float
        s, how large each block is, the oldest first.
    """
    n, w = whole_number(n, "n"), whole_number(window, "window")
    if not in_order(shares):
        raise ValueError(f"shares={shares!r}: expected several numbers that sum to 1")
    s = [real_number(share, f"shares[{k}]", above=0.0) for k, share in enumerate(shares)]
    if abs(sum(s) - 1) > 1e-9:
        raise ValueError(f"shares: expected numbers that sum to 1, got {sum(s):.6g}")
    b = np.rint(n * np.cumsum([0.0, *s])).astype(int).tolist()
    blocks = [slice(start, stop - w) for start, stop in zip(b, b[1:])]
    blocks[-1] = slice(b[-2], n)
    for k, block in enumerate(blocks):
        if block.stop <= block.start:
            raise ValueError(f"shares[{k}]: of {n} windows {b[k + 1] - b[k]} are in this block, and {w} are dropped "
                             "before its end; lower the window, or enlarge the share")
    return blocks


# --- the ladder ----------------------------------------------------------------------------------


def normalised_layer(n_inputs, rng):
    """Rung 1: a layer with batch normalisation, and LeakyReLU."""
    return Sequential(Linear(n_inputs, 64, random_state=rng), BatchNorm1d(64), LeakyReLU(),
                      Linear(64, 2, random_state=rng))


def deeper(n_inputs, rng):
    """Rung 2: the same, and a second layer."""
    return Sequential(Linear(n_inputs, 64, random_state=rng), BatchNorm1d(64), LeakyReLU(),
                      Linear(64, 16, random_state=rng), BatchNorm1d(16), LeakyReLU(),
                      Linear(16, 2, random_state=rng))


def with_activity_price(n_inputs, rng):
    """Rung 3: the same, and a price on what both layers say."""
    return Sequential(Linear(n_inputs, 64, random_state=rng), ActivityL2(0.01), BatchNorm1d(64), LeakyReLU(),
                      Linear(64, 16, random_state=rng), ActivityL2(0.01), BatchNorm1d(16), LeakyReLU(),
                      Linear(16, 2, random_state=rng))


def with_dropout(n_inputs, rng):
    """Rung 4: the same, and half of it dropped."""
    return Sequential(Linear(n_inputs, 64, random_state=rng), ActivityL2(0.01), BatchNorm1d(64), LeakyReLU(),
                      Dropout(random_state=rng),
                      Linear(64, 16, random_state=rng), ActivityL2(0.01), BatchNorm1d(16), LeakyReLU(),
                      Dropout(random_state=rng),
                      Linear(16, 2, random_state=rng))


LADDER = (normalised_layer, deeper, with_activity_price, with_dropout)


def ladder(step, n_inputs, random_state=None):
    """A network of the ladder, from (N, D) to scores (N, 2) of down and up.  Raises ValueError for another rung.

    Parameters
    ----------
    step : {1, 2, 3, 4}
        Which rung: one normalised layer, deeper, with a price on activity, with dropout.
    n_inputs : int
        D, how many values a window has.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the first weights, and of what is dropped.
    """
    if whole_number(step, "step") > len(LADDER):
        raise ValueError(f"step={step!r}: expected one of 1 to {len(LADDER)}")
    return LADDER[step - 1](whole_number(n_inputs, "n_inputs"), generator(random_state))


def rescaled(z, a, ε):
    """(6)  B_ε(a z) = B_{ε/a²}(z), with B_ε(z) = (z - mean z) / √(var z + ε) by columns

    Shapes: z (N, H), a, ε -> (N, H)
    """
    return (z - z.mean(axis=0)) / np.sqrt(z.var(axis=0) + ε / a**2)


# --- two inputs, two answers ---------------------------------------------------------------------


class TwoBranches(Module):
    """Two inputs, a network for each, and one for what both say: head([first(x1), second(x2)]).

    Raises ValueError where the branches do not answer with rows (N, H1) and (N, H2).

    Parameters
    ----------
    first, second : Module
        The branches.
    head : Module
        What takes (N, H1 + H2).
    """

    def __init__(self, first, second, head):
        self.first, self.second, self.head = first, second, head

    def forward(self, x1, x2):
        """What the head says.

        Parameters
        ----------
        x1, x2 : array or Tensor (N, ...)
            The inputs of the branches.
        """
        return self.head(side_by_side(self.first(x1), self.second(x2)))


class TwoHeads(Module):
    """Two answers to one input, from what is common to both: [first(h), second(h)] with h = body(x).

    One array of answers, (N, K1 + K2), which a loss takes apart, as (7) does.  Raises ValueError where the heads do not
    answer with rows (N, K1) and (N, K2).

    Parameters
    ----------
    body : Module
        What is common.
    first, second : Module
        The heads.
    """

    def __init__(self, body, first, second):
        self.body, self.first, self.second = body, first, second

    def forward(self, x):
        h = self.body(x)
        return side_by_side(self.first(h), self.second(h))


def side_by_side(a, b):
    """Rows of `a` (N, H1) and of `b` (N, H2) as rows (N, H1 + H2)."""
    if a.ndim != 2 or b.ndim != 2 or len(a) != len(b):
        raise ValueError(f"first, second: expected answers of shape (N, H1) and (N, H2), got {a.shape} and {b.shape}")
    return concatenate([a, b], 1)


def value_and_direction(output, target, weight=1.0):
    """(7)  L = 1/N Σ_i (o_i1 - t_i1)² + λ/N Σ_i log(1 + exp(-(2 t_i2 - 1) o_i2))

    A Tensor with one entry.  Raises ValueError for another shape than (N, 2), and a weight below 0.

    Shapes: o (N, 2), t (N, 2), λ -> ()

    Parameters
    ----------
    output : Tensor (N, 2)
        o, what two heads say: a value, and log odds of up.
    target : Tensor or array (N, 2)
        t, the value, and 1 for up or 0.
    weight : float, default=1.0
        λ, what the second loss counts.
    """
    o, t, λ = as_tensor(output), as_tensor(target, output), real_number(weight, "weight")
    if o.ndim != 2 or o.shape[1] != 2 or t.shape != o.shape:
        raise ValueError(f"output, target: expected shape (N, 2) of both, got {o.shape} and {t.shape}")
    return mse_loss(o[:, 0], t[:, 0]) + λ * binary_cross_entropy_with_logits(o[:, 1], t[:, 1])
