"""In which order the values of a series come, by definition: one loop a question."""
import itertools
import math

from tests.reference.value_features import deviations, mean, shannon, standard_deviation, variance


def steps(x):
    return [after - before for before, after in zip(x, x[1:])]


def average(values):
    values = list(values)
    return math.fsum(values) / len(values) if values else math.nan


def mean_abs_change(x):
    """(1)"""
    return average(abs(step) for step in steps(x))


def mean_change(x):
    """(2)  The mean of all steps, of which all but the ends cancel."""
    return average(steps(x))


def mean_second_derivative_central(x):
    """(3)  The mean of (x_{t+1} - 2 x_t + x_{t-1}) / 2."""
    return average((x[t + 1] - x[t]) / 2 - (x[t] - x[t - 1]) / 2 for t in range(1, len(x) - 1))


def absolute_sum_of_changes(x):
    """(4)"""
    return math.fsum(abs(step) for step in steps(x))


def number_peaks(x, n):
    """(5)"""
    return sum(all(x[t] > x[i] for i in range(t - n, t + n + 1) if i != t) for t in range(n, len(x) - n))


def longest(flags):
    return max((len(list(run)) for flag, run in itertools.groupby(flags) if flag), default=0)


def longest_strike_above_mean(x):
    """(6)"""
    return longest(deviation > 0 for deviation in deviations(x))


def longest_strike_below_mean(x):
    """(7)"""
    return longest(deviation < 0 for deviation in deviations(x))


def first_location_of_maximum(x):
    """(8)"""
    return x.index(max(x)) / len(x)


def last_location_of_maximum(x):
    """(9)"""
    return (max(t for t, value in enumerate(x) if value == max(x)) + 1) / len(x)


def first_location_of_minimum(x):
    """(10)"""
    return x.index(min(x)) / len(x)


def last_location_of_minimum(x):
    """(11)"""
    return (max(t for t, value in enumerate(x) if value == min(x)) + 1) / len(x)


def number_crossing_m(x, m):
    """(12)"""
    return sum((before > m) != (after > m) for before, after in zip(x, x[1:]))


def constant(x):
    return all(value == x[0] for value in x)


def cid_ce(x):
    """(13)  The length of the path of the standardised values."""
    return 0.0 if constant(x) else math.sqrt(math.fsum((step / standard_deviation(x)) ** 2 for step in steps(x)))


def c3(x):
    """(14)"""
    return average(x[t] * x[t + 1] * x[t + 2] for t in range(len(x) - 2))


def time_reversal_asymmetry_statistic(x):
    """(15)  The mean of x_{t+2}² x_{t+1} - x_{t+1} x_t²."""
    return average(x[t + 2] ** 2 * x[t + 1] - x[t + 1] * x[t] ** 2 for t in range(len(x) - 2))


def autocorrelation(x, l):
    """(16)"""
    if constant(x):
        return math.nan
    d = deviations(x)
    return average(d[t] * d[t + l] for t in range(len(x) - l)) / variance(x)


def agg_autocorrelation(x, L):
    """(17)"""
    return 0.0 if constant(x) else average(autocorrelation(x, l) for l in range(1, min(L, len(x) - 1) + 1))


def partial_autocorrelation(x):
    """(18)  The second of two coefficients that solve the equations of Yule and Walker."""
    if len(x) < 6 or constant(x):
        return math.nan
    one, two = autocorrelation(x, 1), autocorrelation(x, 2)
    # φ_1 + φ_2 ρ_1 = ρ_1, φ_1 ρ_1 + φ_2 = ρ_2, by Cramer's rule
    return (1 * two - one * one) / (1 * 1 - one * one) if abs(one) != 1 else math.nan


def line(values):
    """Slope, intercept and correlation of the least-squares line through (t, values_t)."""
    places = range(len(values))
    if len(values) < 2:
        return math.nan, math.nan, math.nan
    both = math.fsum(t * d for t, d in zip(deviations(places), deviations(values)))
    time, power = (len(values) * variance(part) for part in (places, values))
    intercept = mean(values) - both / time * mean(places)
    return both / time, intercept, math.nan if constant(values) else both / math.sqrt(time * power)


def linear_trend_slope(x):
    """(19)"""
    return line(x)[0]


def linear_trend_intercept(x):
    """(20)"""
    return line(x)[1]


def linear_trend_rvalue(x):
    """(21)"""
    return line(x)[2]


def agg_linear_trend(x, C, f):
    """(22)"""
    if len(x) <= C:
        return math.nan
    of = (mean, max, min, variance)[f]
    return line([of(x[start:start + C]) for start in range(0, len(x), C)])[0]


def change_quantiles(x, u, v):
    """(23)"""
    changes = [abs(after - before) for before, after in zip(x, x[1:]) if u <= before <= v and u <= after <= v]
    return average(changes) if changes else 0.0


def index_mass_quantile(x, q):
    """(24)"""
    total = sum(abs(value) for value in x)
    if total == 0:
        return math.nan
    return next(t + 1 for t in range(len(x)) if sum(abs(value) for value in x[:t + 1]) / total >= q) / len(x)


def energy_ratio_by_chunks(x, S):
    """(25)"""
    first, longer = divmod(len(x), S)
    energy = math.fsum(value * value for value in x)
    return math.fsum(value * value for value in x[:first + (longer > 0)]) / energy if energy else math.nan


def permutation_entropy(x):
    """(26)"""
    if len(x) < 3:
        return math.nan
    orders = [tuple(sorted(range(3), key=lambda i: x[t + i])) for t in range(len(x) - 2)]
    return shannon([orders.count(order) for order in set(orders)])
