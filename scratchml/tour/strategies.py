"""What comes next, and after that?  Strategies for several steps beside the last value and that of a season ago.

Three series: cars by the hour, carbon dioxide by the month, page views by the day.  Each forecast starts from what was
known at its origin, and every pair of an origin and a horizon counts.  The origins lie 25 hours or 8 days apart: 24 or
7 apart they would all stand at one hour of the day or one day of the week, and only forecasts of the next would be
called one step ahead.  Errors are mean absolute errors, so less is better.  The regressions are ridge; the networks,
each of which sees as many batches, have the last 48 hours, and ± is the deviation over three seeds.

Then a question that needs no number: will it go up?  A ridge regression of the next value answers by its sign, a
logistic regression is trained for the answer.  Both see the same windows, and both penalties were chosen on the last
fifth of what is learned from.  There ± is a standard error.
"""
from typing import NamedTuple

import numpy as np

from scratchml.datasets import load_co2, load_peyton_manning, load_traffic
from scratchml.metrics.forecasting import DirectionAccuracy, direction_accuracy
from scratchml.nn import Linear, ReLU, Sequential, mse_loss
from scratchml.nn.training import fit, predict
from scratchml.optim import Adam
from scratchml.optim.lbfgs import lbfgs
from scratchml.preprocessing import StandardScaler
from scratchml.timeseries.backtesting import TimeSeriesFold, backtesting_forecaster
from scratchml.timeseries.conformal import ConformalForecaster
from scratchml.timeseries.direction import direction_windows
from scratchml.timeseries.ridge import Ridge
from scratchml.timeseries.strategies import (ForecasterDirect, ForecasterDirectRecursive, ForecasterRecursive,
                                             ForecasterSeasonalNaive, ForecasterShift)
from scratchml.timeseries.windows import lag_windows, regular_grid
from scratchml.tour.table import Example, Row, columns, timed

CHAPTER = "scratchml.timeseries.strategies"
DATA = "traffic on a motorway in 2017, carbon dioxide over Hawaii, page views of Wikipedia"
PEER = "skforecast 0.26.0"
STATED = {("traffic", "direct"): "407.34", ("traffic", "recursive"): "435.89"}
BATCHES, BATCH, SEEDS = 1400, 128, (0, 1, 2)             # each network sees about so many batches
RECORDED = "2026-11-30", {"direct, 24 networks": "372.1 ± 1.2", "direct, one of 24 outputs": "431.2 ± 1.7",
                          "told the shift": "558.5 ± 1.3", "recursive": "412.8 ± 23.4"}
PENALTIES = (0.1, 1.0, 10.0, 100.0, 1000.0)


class Task(NamedTuple):
    """A series, how much of it is learned from, and what is asked."""
    load: object
    train: int                                           # negative: all but so many
    steps: int
    stride: int
    lags: int
    season: int
    calibration: int                                     # how many values intervals are taken from
    unit: str


TASKS = {
    "traffic": Task(load_traffic, 304 * 24, 24, 25, 168, 168, 60 * 24, "hours"),
    "CO2": Task(load_co2, 408, 12, 1, 24, 12, 96, "months"),
    "page views": Task(load_peyton_manning, -730, 30, 8, 28, 7, 365, "days"),
}
DIRECTIONS = {"page views": 30, "traffic": 48}           # how many values a window has


def run(seed, pictures, full):
    """Rows of the table: errors of strategies on three series, intervals, directions; errors by horizon, who wins."""
    errors = {}
    ForecasterRecursive(Ridge(), 2).fit(np.arange(9.0)).predict(1)       # compiles
    for name, task in TASKS.items():
        y = series(task)
        errors[name] = {}
        for strategy, forecaster in strategies(task).items():
            found, seconds = timed(backtest, forecaster, y, task)
            errors[name][strategy] = found.by_horizon["mean_absolute_error"]
            mae, stated = found.metric["mean_absolute_error"], STATED.get((name, strategy), "")
            yield Row(f"error of {strategy}, {name}", shown(mae, name), stated, PEER if stated else "", seconds)
    for name, task in TASKS.items():
        conformal = ConformalForecaster(ForecasterDirect(Ridge(), task.steps, task.lags), task.steps, task.calibration)
        found, seconds = timed(backtest, conformal, series(task), task)
        yield Row(f"80 % intervals around direct hold, {name}", f"{found.metric['coverage']:.3f}", "0.800",
                  "what was promised", seconds)
    yield from networks() if full else recorded()
    yield Example("Errors by horizon:", columns(list(by_horizon(errors))))
    yield Example("Who wins:", winners(errors))
    yield Example("What origins at one time of the day, or of the week, would say of the next step:",
                  list(flattered(errors)))
    verdicts = []
    for name, size in DIRECTIONS.items():
        (ours, theirs, gap), seconds = timed(directions, series(TASKS[name]), size)
        yield Row(f"ridge names the direction, {name}", with_error(ours), with_error(theirs),
                  "logistic regression", seconds)
        verdicts.append((name, *gap))
    yield Example("Regression or classification, for the direction of the next value:", compared(verdicts))
    if pictures:
        draw_errors(pictures, errors)


def series(task):
    """The values at equal steps, gaps interpolated."""
    found = task.load()
    return regular_grid(found.times, found.values, fill="interpolate").values


def strategies(task):
    """The forecasters by name."""
    made = {"the last value": ForecasterSeasonalNaive(1), "a season ago": ForecasterSeasonalNaive(task.season),
            "direct": ForecasterDirect(Ridge(), task.steps, task.lags),
            "told the shift": ForecasterShift(Ridge(), task.steps, task.lags),
            "recursive": ForecasterRecursive(Ridge(), task.lags),
            "direct-recursive": ForecasterDirectRecursive(Ridge(), task.steps, task.lags)}
    return made


def backtest(forecaster, y, task):
    """From each origin, fitted once."""
    cv = TimeSeriesFold(task.steps, task.train % len(y), task.stride, allow_incomplete_fold=False)
    return backtesting_forecaster(forecaster, y, cv, "mean_absolute_error")


def shown(error, name):
    """An error in the digits that its unit deserves: cars, or logarithms and parts per million."""
    return f"{error:.2f}" if name == "traffic" else f"{error:.3f}"


# --- the same with networks ----------------------------------------------------------------------


class Network:
    """Two hidden layers of 64, trained on as many batches whatever the rows; fit and predict are all it has."""

    def __init__(self, seed):
        self.seed = seed

    def fit(self, X, y):
        Y = y.reshape(len(X), -1)
        sizes = (X.shape[1], 64, 64, Y.shape[1])
        layers = [Linear(*ends, random_state=10 * self.seed + k) for k, ends in enumerate(zip(sizes, sizes[1:]))]
        self.model = Sequential(layers[0], ReLU(), layers[1], ReLU(), layers[2])
        epochs = max(1, round(BATCHES / (len(X) / BATCH)))
        fit(self.model, Adam(self.model.parameters(), lr=0.001), mse_loss, X, Y, batch_size=BATCH, epochs=epochs,
            random_state=self.seed)
        return self

    def predict(self, X):
        return predict(self.model, X)


class OneForAll(ForecasterDirect):
    """Direct, by one network with an output for each step."""

    def _learn_windows(self, y, Z):
        self.estimators_ = Network(self.estimator.seed).fit(*lag_windows(y, self.lags, self.steps))

    def _continue(self, W, Z, steps):
        return self.estimators_.predict(W)


def networks():
    """Errors on traffic from 48 values: means and deviations over seeds."""
    task, options = TASKS["traffic"], dict(lags=48, transformer_y=StandardScaler())
    makers = {"direct, 24 networks": lambda net: ForecasterDirect(net, task.steps, **options),
              "direct, one of 24 outputs": lambda net: OneForAll(net, task.steps, **options),
              "told the shift": lambda net: ForecasterShift(net, task.steps, **options),
              "recursive": lambda net: ForecasterRecursive(net, **options)}
    for name, make in makers.items():
        found, seconds = timed(lambda: [backtest(make(Network(seed)), series(task), task).metric["mean_absolute_error"]
                                        for seed in SEEDS])
        yield Row(f"networks, traffic: {name}", f"{np.mean(found):.1f} ± {np.std(found, ddof=1):.1f}", seconds=seconds)


def recorded():
    """What networks have given, which takes minutes."""
    day, errors = RECORDED
    for name, error in errors.items():
        yield Row(f"networks, traffic: {name}", error, recorded=day)


# --- in words ------------------------------------------------------------------------------------


def by_horizon(errors):
    """Lines of a table: each strategy's error at the first, a middle and the last step."""
    for name, found in errors.items():
        steps = TASKS[name].steps
        chosen = [1, 2, steps // 4, steps // 2, steps]
        yield (f"{name}, {TASKS[name].unit} ahead:", *map(str, chosen))
        for strategy, values in found.items():
            yield (f"    {strategy}", *(shown(values[h - 1], name) for h in chosen))


def winners(errors):
    """Who is best on each series and by how much, of what was just found."""
    lines = []
    for name, found in errors.items():
        means = {strategy: values.mean() for strategy, values in found.items()}
        best, behind = sorted(("direct", "recursive"), key=means.get)
        steps = len(found[best])
        lines.append(f"{name}: {best}, {1 - means[best] / means[behind]:.1%} below {behind}, and "
                     f"{1 - means[best] / means['a season ago']:.1%} below a season ago.")
        lines += [f"    {h:2} {TASKS[name].unit} ahead {best} {shown(found[best][h - 1], name)}, {behind} "
                  f"{shown(found[behind][h - 1], name)}" for h in (1, steps)]
    return lines + [
        "Neither always wins; for the next value they are about equal, both being the same regression.",
        "Told the shift, a linear model adds a number for each, whatever the window: no rhythm.",
        "Direct-recursive is direct: to least squares its own forecasts are nothing new.",
        "A network makes use of the shift, but is behind; 24 of them see 24 times the batches.",
    ]


def flattered(errors):
    """The direct forecast's error one step ahead, by origins whose stride is a season, and by ours."""
    for name, stride in (("traffic", 24), ("page views", 7)):
        task = TASKS[name]
        found = backtest(ForecasterDirect(Ridge(), task.steps, task.lags), series(task), task._replace(stride=stride))
        theirs, ours = found.by_horizon["mean_absolute_error"][0], errors[name]["direct"][0]
        yield (f"{name}, every {stride} {task.unit}: {shown(theirs, name)}, where every {task.stride} {task.unit} say "
               f"{shown(ours, name)}")


def compared(verdicts):
    """What the differences say, in units of their standard errors."""
    lines = []
    for name, gap, error in verdicts:
        better = "regression" if gap > 0 else "classification"
        enough = "that is more than chance" if abs(gap) > 2 * error else "that may be chance"
        lines.append(f"{name}: {better} is right more often, by {abs(gap):.3f} ± {error:.3f}: {enough}.")
    return lines + ["To regress where the direction is asked for, as is often done, is a habit, not a law."]


# --- up or down ----------------------------------------------------------------------------------


def directions(y, size):
    """`DirectionAccuracy` of ridge and of logistic regression on the last fifth, and their difference ± its error."""
    X, t = normalised(y, size)
    last = X[:, -1]
    moved = t != last
    X, t, last = X[moved], t[moved], last[moved]
    test = int(0.8 * len(X))
    learn, check = slice(0, int(0.8 * test) - size), slice(int(0.8 * test), test)      # no value is on both sides
    right = {}
    for name, rule in {"ridge": by_ridge, "logistic": by_logistic}.items():
        tried = [np.mean((rule(X, t, last, learn, check, λ) > 0) == (t > last)[check]) for λ in PENALTIES]
        said = rule(X, t, last, slice(0, test - size), slice(test, None), PENALTIES[int(np.argmax(tried))])
        right[name] = direction_accuracy((t - last)[test:], said, 0.0), (said > 0) == (t > last)[test:]
    (ours, a), (theirs, b) = right["ridge"], right["logistic"]
    gap = a.astype(float) - b
    return ours, theirs, (gap.mean(), gap.std() / np.sqrt(len(gap)))


def normalised(y, size):
    """Windows (n, size), each less its own mean and by its own deviation, and the next value (n,) in the same units."""
    X, _, change = direction_windows(y, size)
    return X, X[:, -1] + change


def by_ridge(X, t, last, learn, ask, λ):
    """How far above the last value the forecast lies."""
    return Ridge(λ).fit(X[learn], t[learn]).predict(X[ask]) - last[ask]


def by_logistic(X, t, last, learn, ask, λ):
    """The log odds of up against down."""
    rows, signs = np.c_[X, np.ones(len(X))], np.where(t > last, 1.0, -1.0)
    price = np.append(np.full(X.shape[1], λ), 0.0)

    def loss(w):
        z = signs[learn] * (rows[learn] @ w)
        log = np.logaddexp(0, -z)
        return log.sum() + 0.5 * w @ (price * w), price * w - rows[learn].T @ (signs[learn] * np.exp(-z - log))

    return rows[ask] @ lbfgs(loss, np.zeros(rows.shape[1])).x


def with_error(found: DirectionAccuracy):
    return f"{found.accuracy:.3f} ± {found.standard_error:.3f}"


# --- a picture -----------------------------------------------------------------------------------


def draw_errors(pictures, errors):
    """Error against horizon, a panel for each series."""
    figure = pictures.figure(13, 4)
    for axes, (name, found) in zip(figure.subplots(1, len(errors)), errors.items()):
        for k, (strategy, values) in enumerate(found.items()):
            dashes = "--" if k < 2 else ":" if strategy == "direct-recursive" else "-"
            axes.plot(np.arange(1, len(values) + 1), values, dashes, color=f"C{k}", label=strategy)
        axes.set_yscale("log")                           # the last value would press the others into one line
        axes.set(title=name, xlabel=f"{TASKS[name].unit} ahead")
        axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)
    figure.supylabel("mean absolute error", fontsize=10)
    pictures.save(figure, "strategies-errors")
