"""A series in a few numbers, II: in which order its values come.

Does it rise, and how straight?  How rough is it, how many peaks has it, how wide?  Does it remember: is what comes
next like what came before, a lag ago?  Would it look the same if time ran backwards?  The chapter `value_features`
knows nothing of this; here each question has a number.

Symbols
    x  (T,)  a series: x_t, t = 0 ... T-1
    T        its length
    μ        its mean
    d  (T,)  x_t - μ
    σ        its standard deviation, √(Σ_t d_t² / T)
    n        how many neighbours on either side
    m        a level
    l        a lag
    L        the largest of several lags
    ρ_l      autocorrelation: how alike the series and itself l steps later are
    C        how many values a chunk has, the last one fewer
    f        what is taken of each chunk: 0 for its mean, 1 its largest, 2 its least value, 3 its variance
    a_k      that of chunk k, k = 0 ... K-1
    u, v     the edges of a corridor of values
    q        a share
    S        into how many segments the series is cut, the first ones longer by one where they cannot be equal
    p_i      shares of the six orders in which three values can stand

Equations
    (1)  Σ_t |x_{t+1} - x_t| / (T-1)                                                   mean_abs_change
    (2)  (x_{T-1} - x_0) / (T-1)                                                       mean_change
    (3)  (x_{T-1} - x_{T-2} - x_1 + x_0) / (2 (T-2))                                   mean_second_derivative_central
    (4)  Σ_t |x_{t+1} - x_t|                                                           absolute_sum_of_changes
    (5)  how many x_t are above all of x_{t-n} ... x_{t-1} and x_{t+1} ... x_{t+n}     number_peaks
    (6)  the most d_t > 0 in a row                                                     longest_strike_above_mean
    (7)  the most d_t < 0 in a row                                                     longest_strike_below_mean
    (8)  (the first t with x_t = max x) / T                                            first_location_of_maximum
    (9)  (the last t with x_t = max x, and 1) / T                                      last_location_of_maximum
    (10)  (the first t with x_t = min x) / T                                           first_location_of_minimum
    (11)  (the last t with x_t = min x, and 1) / T                                     last_location_of_minimum
    (12)  how often one of x_t, x_{t+1} is above m and the other is not                number_crossing_m
    (13)  √(Σ_t (x_{t+1} - x_t)²) / σ                                                  cid_ce
    (14)  Σ_t x_t x_{t+1} x_{t+2} / (T-2)                                              c3
    (15)  Σ_t x_{t+1} (x_{t+2}² - x_t²) / (T-2)                                        time_reversal_asymmetry_statistic
    (16)  ρ_l = Σ_t d_t d_{t+l} / ((T-l) σ²)                                           autocorrelation
    (17)  Σ_{l=1..L} ρ_l / L, L below T                                                agg_autocorrelation
    (18)  (ρ_2 - ρ_1²) / (1 - ρ_1²)                                                    partial_autocorrelation
    (19)  b = 12 Σ_t (t - (T-1)/2) d_t / (T (T²-1))                                    linear_trend_slope
    (20)  μ - b (T-1)/2                                                                linear_trend_intercept
    (21)  b √((T²-1)/12) / σ                                                           linear_trend_rvalue
    (22)  the b of a_0 ... a_{K-1}                                                     agg_linear_trend
    (23)  the mean of |x_{t+1} - x_t| over the t with both in [u, v]                   change_quantiles
    (24)  (the first t with Σ_{i<=t} |x_i| >= q Σ_i |x_i|, and 1) / T                  index_mass_quantile
    (25)  Σ_t x_t² of the first of S segments, over that of all                        energy_ratio_by_chunks
    (26)  -Σ_i p_i ln p_i                                                              permutation_entropy

Of (18): it is how alike x_t and x_{t+2} still are when what x_{t+1} explains of both is taken away.

Choices
    The names are tsfresh's, and so are the values, but that (14) and (15) of two values, means of nothing, are NaN here
    and 0 there, and that there (16) is NaN for every variance up to 1e-8.
    Where the series is constant (16), (18) and (21) are NaN, (13) and (17) are 0.  (23) is 0 where there is no such t,
    (24) and (25) are NaN where all values are 0.
    Too short for what the formula says is NaN: T below 2 for (1), (2), (19) to (21), 3 for (3), (14), (15), (26),
    6 for (18), C + 1 for (22), l + 1 for (16).
    Of equal values the earlier is the lower one in (26).
    Each is a kernel: it takes arrays of float64 with at least one value, and checks nothing.

Cost
    O(T) each, L times that for (17); (5) at most n times that, as a rule a few steps a value.

>>> x = np.array([2.0, 7, 2, 4, 5])
>>> print(f"{number_peaks(x, 1):g} {absolute_sum_of_changes(x):g} {first_location_of_maximum(x):g}")
1 13 0.2
>>> d = centred(x)
>>> print(f"{autocorrelation(d, 1):.6f} {linear_trend_slope(d):g} {longest_strike_below_mean(d):g}")
-0.833333 0.3 1

Sources: M. Christ and others, "Time series feature extraction on basis of scalable hypothesis tests (tsfresh)",
Neurocomputing 307 (2018), for the list; G. Batista and others, "CID: an efficient complexity-invariant distance for
time series", Data Mining and Knowledge Discovery 28 (2014), for (13); T. Schreiber and A. Schmitz, "Discrimination
power of measures for nonlinearity in a time series", Physical Review E 55 (1997), for (14); C. Bandt and B. Pompe,
"Permutation entropy", Physical Review Letters 88 (2002), for (26).
"""
import math

import numpy as np

from scratchml.core.jit import kernel
from scratchml.timeseries.value_features import abs_energy, centred, entropy_of, mean, standard_deviation, variance

# --- how rough it is -----------------------------------------------------------------------------


@kernel(reassociate=True)
def absolute_sum_of_changes(x):
    """(4)  Σ_t |x_{t+1} - x_t|

    Shapes: x (T) -> ()
    """
    total = 0.0
    for t in range(x.size - 1):
        total += abs(x[t + 1] - x[t])
    return total


@kernel
def mean_abs_change(x):
    """(1)  Σ_t |x_{t+1} - x_t| / (T-1)

    Shapes: x (T) -> ()
    """
    return absolute_sum_of_changes(x) / (x.size - 1) if x.size > 1 else np.nan


@kernel
def mean_change(x):
    """(2)  (x_{T-1} - x_0) / (T-1)

    Shapes: x (T) -> ()
    """
    return (x[x.size - 1] - x[0]) / (x.size - 1) if x.size > 1 else np.nan


@kernel
def mean_second_derivative_central(x):
    """(3)  (x_{T-1} - x_{T-2} - x_1 + x_0) / (2 (T-2))

    Shapes: x (T) -> ()
    """
    T = x.size
    return (x[T - 1] - x[T - 2] - x[1] + x[0]) / (2 * (T - 2)) if T > 2 else np.nan


@kernel(reassociate=True)
def cid_ce(x, σ):
    """(13)  √(Σ_t (x_{t+1} - x_t)²) / σ

    Shapes: x (T), σ -> ()
    """
    total = 0.0
    for t in range(x.size - 1):
        total += (x[t + 1] - x[t]) ** 2
    return math.sqrt(total) / σ if σ > 0.0 else 0.0


@kernel(reassociate=True)
def change_quantiles(x, u, v):
    """(23)  the mean of |x_{t+1} - x_t| over the t with both in [u, v]

    Shapes: x (T), u, v -> ()
    """
    total, count = 0.0, 0
    for t in range(x.size - 1):                          # no branch: which way it goes could not be foreseen
        inside = (u <= x[t]) & (x[t] <= v) & (u <= x[t + 1]) & (x[t + 1] <= v)
        total += abs(x[t + 1] - x[t]) if inside else 0.0
        count += inside
    return total / count if count > 0 else 0.0


@kernel
def number_crossing_m(x, m):
    """(12)  how often one of x_t, x_{t+1} is above m and the other is not

    Shapes: x (T), m -> ()
    """
    count = 0.0
    for t in range(x.size - 1):
        count += (x[t] > m) != (x[t + 1] > m)
    return count


# --- where it peaks ------------------------------------------------------------------------------


@kernel
def number_peaks(x, n):
    """(5)  how many x_t are above all of x_{t-n} ... x_{t-1} and x_{t+1} ... x_{t+n}

    Shapes: x (T), n -> ()
    """
    count = 0.0
    for t in range(n, x.size - n):
        i = 1
        while i <= n and x[t] > x[t - i] and x[t] > x[t + i]:
            i += 1
        count += i > n
    return count


@kernel
def first_location_of_maximum(x):
    """(8)  (the first t with x_t = max x) / T

    Shapes: x (T) -> ()
    """
    return np.argmax(x) / x.size


@kernel
def last_location_of_maximum(x):
    """(9)  (the last t with x_t = max x, and 1) / T

    As 1 - (how many come after it) / T, which rounds as in tsfresh.

    Shapes: x (T) -> ()
    """
    return 1.0 - np.argmax(x[::-1]) / x.size


@kernel
def first_location_of_minimum(x):
    """(10)  (the first t with x_t = min x) / T

    Shapes: x (T) -> ()
    """
    return np.argmin(x) / x.size


@kernel
def last_location_of_minimum(x):
    """(11)  (the last t with x_t = min x, and 1) / T

    Shapes: x (T) -> ()
    """
    return 1.0 - np.argmin(x[::-1]) / x.size


# --- how long it stays ---------------------------------------------------------------------------


@kernel
def longest_strike_above_mean(d):
    """(6)  the most d_t > 0 in a row

    Shapes: d (T) -> ()
    """
    longest = run = 0.0
    for t in range(d.size):
        run = run + 1.0 if d[t] > 0.0 else 0.0
        longest = max(longest, run)
    return longest


@kernel
def longest_strike_below_mean(d):
    """(7)  the most d_t < 0 in a row

    Shapes: d (T) -> ()
    """
    longest = run = 0.0
    for t in range(d.size):
        run = run + 1.0 if d[t] < 0.0 else 0.0
        longest = max(longest, run)
    return longest


@kernel
def index_mass_quantile(x, q):
    """(24)  (the first t with Σ_{i<=t} |x_i| >= q Σ_i |x_i|, and 1) / T

    Both sums in the order of time: reordered, a tie could tip over.

    Shapes: x (T), q -> ()
    """
    total = 0.0
    for t in range(x.size):
        total += abs(x[t])
    if total == 0.0:
        return np.nan
    mass, t = abs(x[0]), 0
    while mass / total < q:
        t += 1
        mass += abs(x[t])
    return (t + 1) / x.size


@kernel
def energy_ratio_by_chunks(x, S):
    """(25)  Σ_t x_t² of the first of S segments, over that of all

    Shapes: x (T), S -> ()
    """
    energy = abs_energy(x)
    return abs_energy(x[:(x.size + S - 1) // S]) / energy if energy > 0.0 else np.nan


# --- what it remembers ---------------------------------------------------------------------------


@kernel(reassociate=True)
def lagged_product(d, l):
    """Σ_t d_t d_{t+l}."""
    early, late, total = d[:d.size - l], d[l:], 0.0
    for t in range(early.size):
        total += early[t] * late[t]
    return total


@kernel
def autocorrelation(d, l):
    """(16)  ρ_l = Σ_t d_t d_{t+l} / ((T-l) σ²)

    Shapes: d (T), l -> ()
    """
    energy = variance(d)
    return lagged_product(d, l) / ((d.size - l) * energy) if l < d.size and energy > 0.0 else np.nan


@kernel
def agg_autocorrelation(d, L):
    """(17)  Σ_{l=1..L} ρ_l / L, L below T

    Shapes: d (T), L -> ()
    """
    L, energy, total = min(L, d.size - 1), variance(d), 0.0
    for l in range(1, L + 1):
        total += lagged_product(d, l) / (d.size - l)
    return total / (L * energy) if energy > 0.0 else 0.0


@kernel
def partial_autocorrelation(d):
    """(18)  (ρ_2 - ρ_1²) / (1 - ρ_1²)

    Shapes: d (T) -> ()
    """
    one, two = autocorrelation(d, 1), autocorrelation(d, 2)
    return (two - one * one) / (1.0 - one * one) if d.size > 5 and abs(one) != 1.0 else np.nan


@kernel(reassociate=True)
def c3(x):
    """(14)  Σ_t x_t x_{t+1} x_{t+2} / (T-2)

    Shapes: x (T) -> ()
    """
    total = 0.0
    for t in range(x.size - 2):
        total += x[t] * x[t + 1] * x[t + 2]
    return total / (x.size - 2) if x.size > 2 else np.nan


@kernel(reassociate=True)
def time_reversal_asymmetry_statistic(x):
    """(15)  Σ_t x_{t+1} (x_{t+2}² - x_t²) / (T-2)

    Shapes: x (T) -> ()
    """
    total = 0.0
    for t in range(x.size - 2):
        total += x[t + 1] * (x[t + 2] - x[t]) * (x[t + 2] + x[t])
    return total / (x.size - 2) if x.size > 2 else np.nan


@kernel
def permutation_entropy(x):
    """(26)  -Σ_i p_i ln p_i

    Three comparisons tell the orders apart; two of their eight answers contradict themselves.

    Shapes: x (T) -> ()
    """
    counts = np.zeros(8, np.int64)
    for t in range(x.size - 2):
        counts[4 * (x[t] > x[t + 1]) + 2 * (x[t] > x[t + 2]) + (x[t + 1] > x[t + 2])] += 1
    return entropy_of(counts, x.size - 2) if x.size > 2 else np.nan


# --- where it goes -------------------------------------------------------------------------------


@kernel(reassociate=True)
def linear_trend_slope(d):
    """(19)  b = 12 Σ_t (t - (T-1)/2) d_t / (T (T²-1))

    Shapes: d (T) -> ()
    """
    T, total = float(d.size), 0.0
    for t in range(d.size):
        total += (t - 0.5 * (T - 1.0)) * d[t]
    return 12.0 * total / (T * (T * T - 1.0)) if d.size > 1 else np.nan


@kernel
def linear_trend_intercept(d, μ):
    """(20)  μ - b (T-1)/2

    Shapes: d (T), μ -> ()
    """
    return μ - linear_trend_slope(d) * 0.5 * (d.size - 1)


@kernel
def linear_trend_rvalue(d):
    """(21)  b √((T²-1)/12) / σ

    Shapes: d (T) -> ()
    """
    T, σ = float(d.size), standard_deviation(d)
    return linear_trend_slope(d) * math.sqrt((T * T - 1.0) / 12.0) / σ if σ > 0.0 else np.nan


@kernel
def agg_linear_trend(x, C, f):
    """(22)  the b of a_0 ... a_{K-1}

    Shapes: x (T), C, f -> ()
    """
    if x.size <= C:
        return np.nan
    a = np.empty((x.size + C - 1) // C)
    for k in range(a.size):
        chunk = x[k * C:(k + 1) * C]
        a[k] = largest(chunk, 1.0) if f == 1 else -largest(chunk, -1.0) if f == 2 else mean_or_variance(chunk, f)
    return linear_trend_slope(centred(a))


@kernel
def largest(x, sign):
    """max_t sign x_t."""
    found = sign * x[0]
    for t in range(1, x.size):
        found = max(found, sign * x[t])
    return found


@kernel
def mean_or_variance(x, f):
    """μ for f = 0, else σ², of a few values: sums as long as these need no vectors."""
    sums = squares = 0.0
    for t in range(x.size):
        sums += x[t] - x[0]
    shift = sums / x.size
    if f == 0:
        return x[0] + shift
    for t in range(x.size):
        squares += (x[t] - x[0] - shift) ** 2
    return squares / x.size


# --- compiled ------------------------------------------------------------------------------------


@kernel
def peak_counts(x, neighbours, counts):
    """Same result as (5) for several n, ascending, because who is no peak among fewer neighbours is none among more.

    Of the candidates those stay, round by round, that are above one neighbour more on either side.  Each is written
    down, and the next over it unless it stays: a branch could not be foreseen, and would take longer.
    """
    candidates, count, i = np.arange(x.size), x.size, 0
    for k in range(counts.size):
        while i < neighbours[k]:
            i, kept = i + 1, 0
            for c in range(count):
                t = candidates[c]
                candidates[kept] = t
                before, after = max(t - i, 0), min(t + i, x.size - 1)
                kept += (after - before == 2 * i) & (x[t] > x[before]) & (x[t] > x[after])
            count = kept
        counts[k] = count
