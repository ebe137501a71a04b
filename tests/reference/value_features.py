"""What the values of a series are, by definition: sums without rounding, counts by counting."""
import math
from fractions import Fraction


def sum_values(x):
    """(1)"""
    return math.fsum(x)


def mean(x):
    """(2)"""
    return float(exact_mean(x))


def exact_mean(x):
    return sum(Fraction(float(value)) for value in x) / len(x)


def deviations(x):
    """x_t - μ, rounded once."""
    μ = exact_mean(x)
    return [float(Fraction(float(value)) - μ) for value in x]


def median(x):
    """(3)  As many values are below it as above."""
    s = sorted(x)
    half = len(s) // 2
    return s[half] if len(s) % 2 else s[half - 1] / 2 + s[half] / 2


def power_sum(x, p):
    """Σ (x_t - μ)^p"""
    return math.fsum(deviation ** p for deviation in deviations(x))


def variance(x):
    """(4)"""
    return power_sum(x, 2) / len(x)


def standard_deviation(x):
    """(5)"""
    return math.sqrt(variance(x))


def variation_coefficient(x):
    """(6)"""
    return standard_deviation(x) / mean(x) if mean(x) else math.nan


def skewness(x):
    """(7)  G_1 = g_1 √(T (T-1)) / (T-2), where g_1 is the mean of ((x - μ)/σ)³."""
    T = len(x)
    if T < 3:
        return math.nan
    if not any(value != x[0] for value in x):
        return 0.0
    g = power_sum(x, 3) / T / standard_deviation(x) ** 3
    return g * math.sqrt(T * (T - 1)) / (T - 2)


def kurtosis(x):
    """(8)  G_2 = (T-1) ((T+1) g_2 + 6) / ((T-2)(T-3)), where g_2 is the mean of ((x - μ)/σ)⁴, less 3."""
    T = len(x)
    if T < 4:
        return math.nan
    if not any(value != x[0] for value in x):
        return 0.0
    g = power_sum(x, 4) / T / variance(x) ** 2 - 3
    return (T - 1) * ((T + 1) * g + 6) / ((T - 2) * (T - 3))


def root_mean_square(x):
    """(9)"""
    return math.sqrt(math.fsum(value * value for value in x) / len(x))


def minimum(x):
    """(10)"""
    return min(x)


def maximum(x):
    """(11)"""
    return max(x)


def absolute_maximum(x):
    """(12)"""
    return max(abs(value) for value in x)


def abs_energy(x):
    """(13)"""
    return math.fsum(value * value for value in x)


def quantile(x, q):
    """(14)  On the straight lines through the points (t / (T-1), s_t)."""
    s, place = sorted(x), q * (len(x) - 1)
    below = math.floor(place)
    above = min(below + 1, len(s) - 1)
    return s[below] + (place - below) * (s[above] - s[below])


def count_above_mean(x):
    """(15)"""
    return sum(deviation > 0 for deviation in deviations(x))


def count_below_mean(x):
    """(16)"""
    return sum(deviation < 0 for deviation in deviations(x))


def ratio_beyond_r_sigma(x, r):
    """(17)"""
    return sum(abs(deviation) > r * standard_deviation(x) for deviation in deviations(x)) / len(x)


def large_standard_deviation(x, r):
    """(18)"""
    return float(standard_deviation(x) > r * (max(x) - min(x)))


def symmetry_looking(x, r):
    """(19)"""
    return float(abs(mean(x) - median(x)) < r * (max(x) - min(x)))


def has_duplicate_max(x):
    """(20)"""
    return float(sum(value == max(x) for value in x) > 1)


def has_duplicate_min(x):
    """(21)"""
    return float(sum(value == min(x) for value in x) > 1)


def has_duplicate(x):
    """(22)"""
    return float(len(set(x)) < len(x))


def ratio_value_number_to_time_series_length(x):
    """(23)"""
    return len(set(x)) / len(x)


def shannon(counts):
    """-Σ p ln p"""
    return -math.fsum(c / sum(counts) * math.log(c / sum(counts)) for c in counts if c)


def binned_entropy(x, B):
    """(24)  Edges at min + b (max - min)/B; a value on an edge belongs to the right bin, the largest to the last."""
    low, width = min(x), (max(x) - min(x)) / B
    edges = [low + b * width for b in range(B)]
    counts = [0] * B
    for value in x:
        counts[max(b for b in range(B) if width == 0 or value >= edges[b])] += 1
    return shannon(counts)
