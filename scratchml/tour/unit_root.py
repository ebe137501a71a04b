"""Does a series stand still?  Two tests that ask from opposite sides, on five series, and p-values of short ones.

Dickey and Fuller's test takes for granted that the series wanders, Kwiatkowski's that it keeps its level; a p below .05
contradicts.  Where they agree the case is clear.  Where both contradict, the series neither wanders nor keeps one
level: the Nile has kept two.  What does not stand still is differenced until it does.  The p of statsmodels beside that
of the second test is read from a table, and stops at its ends, .01 and .10.

Then 26 values in a row of the Nile, without lags.  By the critical value for so many they may be a random walk, by the
p-value beside it they are none: that is the p of an endless series.  Walks of the same length say what is right, and
what comes of it if the lags are chosen by looking at the data, too.
"""
import numpy as np

from scratchml.datasets import load_co2, load_euro_rates, load_nile, load_real_gdp, load_sunspots
from scratchml.timeseries.level import kpss
from scratchml.timeseries.unit_root import adfuller
from scratchml.timeseries.unit_root_law import asymptotic_p_value, critical_values, simulated_p_value
from scratchml.tour.table import Example, Row, columns, timed

CHAPTER = "scratchml.timeseries.unit_root"
DATA = "sunspots, the Nile, GDP of the United States, carbon dioxide over Hawaii, the euro in dollars"
PEER = "statsmodels 0.15.0"
SERIES = {                                               # and what statsmodels finds, each with p and lags
    "sunspots": (load_sunspots, ("-2.8378 .0531 8", ".6699 .0163 7")),
    "Nile": (load_nile, ("-4.0487 .0012 1", ".8691 .0100 5")),
    "GDP": (load_real_gdp, ("1.7505 .9982 12", "2.0685 .0100 9")),
    "CO2": (load_co2, ("2.2328 .9989 14", "3.3694 .0100 15")),
    "dollar": (load_euro_rates, ("-1.7347 .4133 12", "2.1969 .0100 51")),
}
SHORT = slice(22, 48)                                    # of the Nile: 1893 to 1918
BREAK = 28                                               # 1899


def run(seed, pictures, full):
    """Rows of the table: both tests of five series, what walks say; the series differenced until they stand still."""
    nile = load_nile().values
    adfuller(nile, pvalue="simulated", draws=1), kpss(nile)              # compiles
    for name, (load, (stated, _)) in SERIES.items():
        test, seconds = timed(adfuller, load().values)
        yield Row(f"{name}: τ, p, lags", shown(test), stated, PEER, seconds)
    for name, (load, (_, stated)) in SERIES.items():
        test, seconds = timed(kpss, load().values)
        yield Row(f"{name}: level, p, lags", shown(test), stated, PEER, seconds)
    yield from short_series(seed, 400_000 if full else 100_000, 20_000 if full else 4_000)
    steps = {name: differenced(load().values) for name, (load, _) in SERIES.items()}
    yield Example("Differenced until both tests agree that it stands still (p of a walk, p of a level):", columns(
        [(name, ("as it is", "once", "twice")[d], short(walk), short(level), verdict(walk, level))
         for name, found in steps.items() for d, (walk, level) in enumerate(found)]))
    yield Example("The Nile neither wanders nor keeps its level. It has kept two:", columns(
        [(when, f"mean {part.mean():.0f}", short(adfuller(part).pvalue), short(kpss(part).pvalue),
          verdict(adfuller(part).pvalue, kpss(part).pvalue))
         for when, part in (("1871 to 1898", nile[:BREAK]), ("1899 to 1970", nile[BREAK:]))]))
    if pictures:
        draw(pictures, steps)


def short_series(seed, draws, walks):
    """Rows about 25 steps: the share below a threshold, a p-value, and what choosing lags does."""
    critical = critical_values(25, "c")[1]
    share, seconds = timed(simulated_p_value, -2.86, 25, "c", draws, seed)
    yield Row("walks of 25 steps: share of τ < -2.86", f"{share:.4f}", short(asymptotic_p_value(-2.86, "c")),
              "p of an endless series", seconds)
    share, seconds = timed(simulated_p_value, critical, 25, "c", draws, seed)
    yield Row(f"walks of 25 steps: share of τ < {critical:.4f}", f"{share:.4f}", ".0500", "critical value for 25",
              seconds)
    years = load_nile().values[SHORT]
    test = adfuller(years, 0, autolag=None)
    drawn, seconds = timed(adfuller, years, 0, autolag=None, pvalue="simulated", draws=draws, random_state=seed)
    yield Row("Nile, 1893 to 1918: τ", f"{test.statistic:.4f}", f"{test.critical_values['5%']:.4f}",
              "critical value for 25")
    yield Row("Nile, 1893 to 1918: p by walks as long", f"{drawn.pvalue:.4f}", short(test.pvalue),
              "p of an endless series", seconds)
    rng = np.random.default_rng(seed)
    found, seconds = timed(lambda: [adfuller(rng.normal(size=26).cumsum()).pvalue for _ in range(walks)])
    rejected = np.mean(np.array(found) < 0.05)
    yield Row("walks of 25 steps, lags by AIC: share of p < .05", f"{rejected:.4f}", ".0500", "what was asked for",
              seconds)


def shown(test):
    """-2.8378 .0531 8"""
    return f"{short(test.statistic)} {short(test.pvalue)} {test.lags}"


def short(number):
    """.0531"""
    return f"{number:.4f}".removeprefix("0")


def differenced(y, most=2):
    """p of both tests for y, its differences, theirs, until both agree that it stands still."""
    found = []
    for d in range(most + 1):
        found.append((adfuller(np.diff(y, d)).pvalue, kpss(np.diff(y, d)).pvalue))
        if verdict(*found[-1]) == "stands still":
            break
    return found


def verdict(walk, level):
    """In words, what both tests say with 5 %."""
    return {(True, False): "stands still", (False, True): "wanders", (True, True): "no walk, and no level",
            (False, False): "they cannot tell"}[walk < 0.05, level < 0.05]


def draw(pictures, steps):
    """Each series above what is left of it when it stands still."""
    figure = pictures.figure(13, 4.5)
    axes = figure.subplots(2, len(SERIES))
    for column, (name, (load, _)) in enumerate(SERIES.items()):
        series = load()
        for row, d in enumerate((0, len(steps[name]) - 1)):
            walk, level = steps[name][d]
            place = axes[row, column]
            years = 1970 + series.times[d:].astype("M8[D]").astype(float) / 365.25
            place.plot(years, np.diff(series.values, d), color=f"C{row}", linewidth=0.7)
            place.locator_params(axis="x", nbins=4)
            place.set_title(f"{name if row == 0 else 'its differences'}: {verdict(walk, level)}\n"
                            f"p of a walk {short(walk)}, of a level {short(level)}", fontsize=8)
            place.tick_params(labelsize=7)
            place.spines[["top", "right"]].set_visible(False)
    pictures.save(figure, "unit-root-series")
