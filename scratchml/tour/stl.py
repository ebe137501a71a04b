"""Carbon dioxide in the air: how it rises, how it breathes once a year, and what neither explains.

The same decomposition twice: with all months alike, and robust, where months far off come to count less.  The trend is
the part of interest; the remainder of the robust fit is larger on the whole, as it leaves to strange months what is
strange, and the season and the trend do not follow them.
"""
import numpy as np

from scratchml.datasets import load_co2
from scratchml.timeseries.stl import STL
from scratchml.tour.table import Example, Row, columns, timed

CHAPTER = "scratchml.timeseries.stl"
DATA = "monthly carbon dioxide over Mauna Loa, 1958 to 2001"
PEER = "statsmodels 0.15.0"
STATED = {"all alike": ("315.119 371.476", "0.905 1.970 2.332", "0.1948"),
          "robust": ("315.273 371.506", "0.838 1.827 2.181", "0.2546")}


def run(seed, pictures, full):
    """Rows of the table: trend, season and remainder of both; the months that count least, and the season of a year."""
    series = load_co2()
    STL(series.values, 12, robust=True).fit()            # compiles
    fits = {}
    for name, (ends, season, deviation) in STATED.items():
        fits[name], seconds = timed(STL(series.values, 12, robust=name == "robust").fit)
        fit = fits[name]
        yield Row(f"{name}: trend at both ends", words(fit.trend[[0, -1]]), ends, PEER, seconds)
        yield Row(f"{name}: season, March to May", words(fit.seasonal[:3]), season, PEER)
        yield Row(f"{name}: deviation of the rest", f"{fit.resid.std():.4f}", deviation, PEER)
    robust = fits["robust"]
    least = np.sort(np.lexsort((-np.abs(robust.resid), robust.weights))[:6])
    yield Example("The months that count least in the robust fit, their weight, and what is left over in ppm:", columns(
        [(str(series.times[t]), f"{robust.weights[t]:.2f}", f"{robust.resid[t]:+.2f}") for t in least]))
    first, last = robust.seasonal[10:22], robust.seasonal[-12:]          # from January on
    yield Example("The season from its lowest to its highest month, in ppm: the air breathes deeper than it did.",
                  columns(
        [(str(series.times[10])[:4], f"{np.ptp(first):.2f}"), (str(series.times[-1])[:4], f"{np.ptp(last):.2f}")]))
    if pictures:
        draw(pictures, series, fits)


def words(values):
    return " ".join(f"{value:.3f}" for value in values)


def draw(pictures, series, fits):
    """The parts, one below the other; the robust remainder in red."""
    figure = pictures.figure(9, 7)
    plain, robust = fits.values()
    times = series.times.astype("M8[s]")
    panels = figure.subplots(4, 1, sharex=True)
    for axes, name in zip(panels, ("observed", "trend", "seasonal", "resid")):
        axes.plot(times, getattr(plain, name), color="0.5", linewidth=0.9, label="all alike")
        if name != "observed":
            axes.plot(times, getattr(robust, name), color="C3", linewidth=0.9, label="robust")
        axes.set_ylabel({"resid": "remainder", "seasonal": "season"}.get(name, name))
        axes.spines[["top", "right"]].set_visible(False)
    panels[1].legend(frameon=False)
    figure.suptitle("Carbon dioxide over Mauna Loa in ppm: trend, season and remainder", fontsize=11)
    pictures.save(figure, "stl-carbon-dioxide")
