"""A series in a few numbers, I: what its values are, in whatever order they come.

Classifiers take rows of equal length; series come in all lengths, and two of one kind look alike without being near
each other value by value.  So a series is described first, by numbers that mean the same whatever its length: where its
values lie, how far they spread, how lopsided they are, how often they repeat.  Which of these numbers matter is a
question for later (chapter `relevance`); here is a stock of them.

Nothing in this chapter changes if the values are shuffled.  What does is in the chapter `order_features`.

Symbols
    x  (T,)  a series: x_t, t = 0 ... T-1
    T        its length
    s  (T,)  its values in ascending order
    μ        their mean
    d  (T,)  x_t - μ
    σ        their standard deviation
    q        a probability
    r        a factor
    B        how many bins, equally wide, lie from the least value to the largest
    c  (B,)  how many values lie in each: c_b

Equations
    (1)  Σ_t x_t                                                                       sum_values
    (2)  μ = Σ_t x_t / T                                                               mean
    (3)  (s_j + s_k) / 2, j = ⌊(T-1)/2⌋, k = ⌊T/2⌋                                     median
    (4)  σ² = Σ_t d_t² / T                                                             variance
    (5)  σ = √(Σ_t d_t² / T)                                                           standard_deviation
    (6)  σ / μ                                                                         variation_coefficient
    (7)  T √(T-1) / (T-2) · Σ_t d_t³ / (Σ_t d_t²)^(3/2)                                skewness
    (8)  (T-1) / ((T-2)(T-3)) · (T (T+1) Σ_t d_t⁴ / (Σ_t d_t²)² - 3 (T-1))             kurtosis
    (9)  √(Σ_t x_t² / T)                                                               root_mean_square
    (10)  s_0                                                                          minimum
    (11)  s_{T-1}                                                                      maximum
    (12)  max_t |x_t|                                                                  absolute_maximum
    (13)  Σ_t x_t²                                                                     abs_energy
    (14)  (1 - g) s_j + g s_{j+1}, j = ⌊q (T-1)⌋, g = q (T-1) - j                      quantile
    (15)  how many d_t > 0                                                             count_above_mean
    (16)  how many d_t < 0                                                             count_below_mean
    (17)  how many |d_t| > r σ, over T                                                 ratio_beyond_r_sigma
    (18)  1 if σ > r (s_{T-1} - s_0), else 0                                           large_standard_deviation
    (19)  1 if |μ - median| < r (s_{T-1} - s_0), else 0                                symmetry_looking
    (20)  1 if s_{T-2} = s_{T-1}, else 0                                               has_duplicate_max
    (21)  1 if s_0 = s_1, else 0                                                       has_duplicate_min
    (22)  1 if s_t = s_{t+1} for a t, else 0                                           has_duplicate
    (23)  how many values differ, over T                                  ratio_value_number_to_time_series_length
    (24)  -Σ_b c_b/T ln(c_b/T)                                                         binned_entropy

Why (7) and (8) are not just the mean of (d/σ)³, and of (d/σ)⁴ less 3: that is biased in small samples, and these
factors of T are what makes both 0 on the average over samples of a normal distribution.

Choices
    The names are tsfresh's, and so are the values, but where rounding decides.  What differs from the mean by less than
    eps of the largest value is equal to it, in (17) to (19) numbers that differ by 1e-12 of themselves are: of 0.1, 0.2
    and 0.3 one is above the mean and one below, and of 0.1 alone, any number of times, none is.
    Of a constant series (7), (8) and (24) are 0, as there.  (6) is NaN for μ = 0, (7) for T < 3, (8) for T < 4.
    Each is a kernel: it takes arrays of float64 with at least one value, and checks nothing.
    The mean is taken twice, the second time of what the first left over.
    Bins are those of NumPy's histogram: the last one contains its right edge.  Of a constant series all are in one.

Cost
    O(T) each; O(T log T) to sort, once for all.

>>> x = np.array([2.0, 7, 2, 4, 5])
>>> s, d = np.sort(x), centred(x)
>>> print(f"{median(s):g} {variance(d):g} {quantile(s, 0.3):g} {ratio_beyond_r_sigma(d, 1.0):g}")
4 3.6 2.4 0.6
>>> print(f"{skewness(d):.6f} {kurtosis(d):.6f}")
0.523783 -0.962963

Sources: M. Christ, N. Braun, J. Neuffer and A. Kempa-Liehr, "Time series feature extraction on basis of scalable
hypothesis tests (tsfresh)", Neurocomputing 307 (2018), for the list; D. Joanes and C. Gill, "Comparing measures of
sample skewness and kurtosis", The Statistician 47 (1998), G_1 and G_2, for (7) and (8).
"""
import math

import numpy as np

from scratchml.core.jit import kernel

EPS = float(np.finfo(float).eps)
CLOSER = 1e-12                                           # in relation to it, a number is taken for equal to another

# --- where the values lie ------------------------------------------------------------------------


@kernel(reassociate=True)
def sum_values(x):
    """(1)  Σ_t x_t

    Shapes: x (T) -> ()
    """
    total = 0.0
    for t in range(x.size):
        total += x[t]
    return total


@kernel(reassociate=True)
def mean(x):
    """(2)  μ = Σ_t x_t / T

    And the mean of what that leaves over, in which the sum's rounding is.

    Shapes: x (T) -> ()
    """
    first = sum_values(x) / x.size
    rest = 0.0
    for t in range(x.size):
        rest += x[t] - first
    return first + rest / x.size


@kernel
def centred(x):
    """d, a new array; less its own mean, as μ far from 0 has not all digits that d has, and 0 within rounding of x."""
    d, largest = x - mean(x), 0.0
    for t in range(x.size):
        largest = max(largest, abs(x[t]))
    d -= mean(d)
    for t in range(x.size):
        d[t] = d[t] if abs(d[t]) > EPS * largest else 0.0
    return d


@kernel
def median(s):
    """(3)  (s_j + s_k) / 2, j = ⌊(T-1)/2⌋, k = ⌊T/2⌋

    Shapes: s (T) -> ()
    """
    a, b = s[(s.size - 1) // 2], s[s.size // 2]
    return a if a == b else 0.5 * a + 0.5 * b


@kernel
def minimum(s):
    """(10)  s_0

    Shapes: s (T) -> ()
    """
    return s[0]


@kernel
def maximum(s):
    """(11)  s_{T-1}

    Shapes: s (T) -> ()
    """
    return s[s.size - 1]


@kernel
def absolute_maximum(s):
    """(12)  max_t |x_t|

    Shapes: s (T) -> ()
    """
    return max(abs(s[0]), abs(s[s.size - 1]))


@kernel
def quantile(s, q):
    """(14)  (1 - g) s_j + g s_{j+1}, j = ⌊q (T-1)⌋, g = q (T-1) - j

    Shapes: s (T), q -> ()
    """
    place = q * (s.size - 1)
    j = int(math.floor(place))
    g = place - j
    a, b = s[j], s[min(j + 1, s.size - 1)]
    return a if a == b else (1.0 - g) * a + g * b


# --- how far they spread -------------------------------------------------------------------------


@kernel(reassociate=True)
def abs_energy(x):
    """(13)  Σ_t x_t²

    Shapes: x (T) -> ()
    """
    total = 0.0
    for t in range(x.size):
        total += x[t] * x[t]
    return total


@kernel
def root_mean_square(x):
    """(9)  √(Σ_t x_t² / T)

    Shapes: x (T) -> ()
    """
    return math.sqrt(abs_energy(x) / x.size)


@kernel
def variance(d):
    """(4)  σ² = Σ_t d_t² / T

    Shapes: d (T) -> ()
    """
    return abs_energy(d) / d.size


@kernel
def standard_deviation(d):
    """(5)  σ = √(Σ_t d_t² / T)

    Shapes: d (T) -> ()
    """
    return math.sqrt(variance(d))


@kernel
def variation_coefficient(d, μ):
    """(6)  σ / μ

    Shapes: d (T), μ -> ()
    """
    return standard_deviation(d) / μ if μ != 0.0 else np.nan


@kernel
def ratio_beyond_r_sigma(d, r):
    """(17)  how many |d_t| > r σ, over T

    Shapes: d (T), r -> ()
    """
    far, count = r * standard_deviation(d) * (1.0 + CLOSER), 0
    for t in range(d.size):
        count += abs(d[t]) > far
    return count / d.size


@kernel
def large_standard_deviation(d, s, r):
    """(18)  1 if σ > r (s_{T-1} - s_0), else 0

    Shapes: d (T), s (T), r -> ()
    """
    return 1.0 if standard_deviation(d) > r * (maximum(s) - minimum(s)) * (1.0 + CLOSER) else 0.0


# --- how they are shaped -------------------------------------------------------------------------


@kernel(reassociate=True)
def skewness(d):
    """(7)  T √(T-1) / (T-2) · Σ_t d_t³ / (Σ_t d_t²)^(3/2)

    Shapes: d (T) -> ()
    """
    T, squares, cubes = float(d.size), abs_energy(d), 0.0
    for t in range(d.size):
        cubes += d[t] * d[t] * d[t]
    if d.size < 3:
        return np.nan
    return T * math.sqrt(T - 1.0) / (T - 2.0) * cubes / (squares * math.sqrt(squares)) if squares > 0.0 else 0.0


@kernel(reassociate=True)
def kurtosis(d):
    """(8)  (T-1) / ((T-2)(T-3)) · (T (T+1) Σ_t d_t⁴ / (Σ_t d_t²)² - 3 (T-1))

    Shapes: d (T) -> ()
    """
    T, squares, fourths = float(d.size), abs_energy(d), 0.0
    for t in range(d.size):
        fourths += d[t] * d[t] * (d[t] * d[t])
    if d.size < 4:
        return np.nan
    if squares == 0.0:
        return 0.0
    return (T - 1.0) / ((T - 2.0) * (T - 3.0)) * (T * (T + 1.0) * (fourths / squares / squares) - 3.0 * (T - 1.0))


@kernel
def count_above_mean(d):
    """(15)  how many d_t > 0

    Shapes: d (T) -> ()
    """
    count = 0.0
    for t in range(d.size):
        count += d[t] > 0.0
    return count


@kernel
def count_below_mean(d):
    """(16)  how many d_t < 0

    Shapes: d (T) -> ()
    """
    count = 0.0
    for t in range(d.size):
        count += d[t] < 0.0
    return count


@kernel
def symmetry_looking(s, μ, r):
    """(19)  1 if |μ - median| < r (s_{T-1} - s_0), else 0

    Shapes: s (T), μ, r -> ()
    """
    return 1.0 if abs(μ - median(s)) < r * (maximum(s) - minimum(s)) * (1.0 - CLOSER) else 0.0


@kernel
def binned_entropy(s, B):
    """(24)  -Σ_b c_b/T ln(c_b/T)

    A value that rounding puts beside its bin goes one down or up, where the edges say so.

    Shapes: s (T), B -> ()
    """
    low, span, counts = minimum(s), maximum(s) - minimum(s), np.zeros(B, np.int64)
    if span == 0.0:
        return 0.0
    for t in range(s.size):
        b = min(int((s[t] - low) / span * B), B - 1)
        if s[t] < low + b * (span / B):
            b -= 1
        elif b < B - 1 and s[t] >= low + (b + 1) * (span / B):
            b += 1
        counts[b] += 1
    return entropy_of(counts, s.size)


@kernel
def entropy_of(counts, total):
    """-Σ p ln p of p = counts / total, in nats; 0 ln 0 is 0."""
    entropy = 0.0
    for count in counts:
        if count > 0:
            entropy -= count / total * math.log(count / total)
    return entropy


# --- how often they repeat -----------------------------------------------------------------------


@kernel
def has_duplicate_max(s):
    """(20)  1 if s_{T-2} = s_{T-1}, else 0

    Shapes: s (T) -> ()
    """
    return 1.0 if s.size > 1 and s[s.size - 2] == s[s.size - 1] else 0.0


@kernel
def has_duplicate_min(s):
    """(21)  1 if s_0 = s_1, else 0

    Shapes: s (T) -> ()
    """
    return 1.0 if s.size > 1 and s[0] == s[1] else 0.0


@kernel
def has_duplicate(s):
    """(22)  1 if s_t = s_{t+1} for a t, else 0

    Shapes: s (T) -> ()
    """
    return 1.0 if ratio_value_number_to_time_series_length(s) < 1.0 else 0.0


@kernel
def ratio_value_number_to_time_series_length(s):
    """(23)  how many values differ, over T

    Shapes: s (T) -> ()
    """
    count = 1
    for t in range(1, s.size):
        count += s[t] != s[t - 1]
    return count / s.size
