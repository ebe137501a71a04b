"""Up or down: networks that overfit in front of your eyes, on a series with something to learn and on one with nothing.

Page views of 30 days say whether the next day has more, and 30 working days of the euro in dollars likewise; a window
is scaled by itself.  Four networks are the rungs of a ladder, each with one change to the last: one layer with batch
normalisation, a second layer, a price on activity, dropout.  Each sees the first four fifths 50 times, in batches of
128 with Adam's step 0.002; no setting was chosen by what it gives.  The last fifth is tested on, and what shares a
value with it is dropped.  "0.98, 0.70" are the shares of right answers on the past and on the future, ± is the standard
error over five seeds; that of the test itself, which is of so many days, stands below the table.

Beside them stand plain rules: a logistic regression, and the sign of a ridge regression of the next value.  Their
penalties were chosen on a block before the test, and so was the epoch at which a network is stopped early.

Then traffic, a day and an hour ahead, by networks with two inputs and with two answers; there ± is the deviation over
three seeds.  The weather of the hour that is forecast is an oracle: in practice it is itself forecast.
"""
from typing import NamedTuple

import numpy as np

from scratchml.autograd import no_grad
from scratchml.datasets import load_euro_rates, load_peyton_manning, load_traffic
from scratchml.nn import (Linear, ReLU, Sequential, binary_cross_entropy_with_logits, cross_entropy, fit, mse_loss,
                          penalty, predict)
from scratchml.optim import Adam
from scratchml.timeseries.direction import (TwoBranches, TwoHeads, direction_windows, ladder, own_scale, purged_split,
                                            value_and_direction)
from scratchml.timeseries.windows import lag_windows, regular_grid
from scratchml.tour.strategies import PENALTIES, by_logistic, by_ridge
from scratchml.tour.table import Example, Row, columns, timed

CHAPTER = "scratchml.timeseries.direction"
DATA = "page views of Wikipedia, the euro in dollars, traffic on a motorway in 2017"
WINDOW, EPOCHS, BATCH, STEP, SEEDS, SHARES = 30, 50, 128, 0.002, range(5), (0.64, 0.16, 0.2)
RUNGS = ("one layer", "two layers", "and a price on activity", "and dropout")
FREQUENT = "the more frequent answer"
RECORDED = "2026-11-30", {
    "one layer, page views": ("0.849, 0.729 ± 0.002", "0.533", FREQUENT),
    "two layers, page views": ("0.979, 0.702 ± 0.007", "0.533", FREQUENT),
    "and a price on activity, page views": ("0.975, 0.717 ± 0.002", "0.533", FREQUENT),
    "and dropout, page views": ("0.780, 0.751 ± 0.004", "0.533", FREQUENT),
    "two layers stopped early, page views": ("0.749, 0.743 ± 0.003", "0.533", FREQUENT),
    "one layer, euro in dollars": ("0.653, 0.512 ± 0.001", "0.503", FREQUENT),
    "two layers, euro in dollars": ("0.778, 0.495 ± 0.003", "0.503", FREQUENT),
    "and a price on activity, euro in dollars": ("0.759, 0.502 ± 0.007", "0.503", FREQUENT),
    "and dropout, euro in dollars": ("0.562, 0.510 ± 0.005", "0.503", FREQUENT),
    "two layers stopped early, euro in dollars": ("0.565, 0.500 ± 0.009", "0.503", FREQUENT),
    "traffic a day ahead from the past": ("460.7 ± 11.0", "433.8", "a week before"),
    "traffic a day ahead from the calendar": ("347.7 ± 12.3", "433.8", "a week before"),
    "traffic a day ahead from calendar and weather (oracle)": ("331.5 ± 7.2", "433.8", "a week before"),
    "traffic a day ahead from all in one row (oracle)": ("320.3 ± 3.7", "433.8", "a week before"),
    "traffic a day ahead from two branches (oracle)": ("318.3 ± 6.5", "433.8", "a week before"),
    "traffic an hour ahead, asked for the change": ("191.5 ± 0.4", "564.5", "an hour before"),
    "direction by the sign of the change, asked for the change": ("0.880 ± 0.005", "0.526", FREQUENT),
    "direction by its odds, asked for the direction": ("0.886 ± 0.008", "0.526", FREQUENT),
    "traffic an hour ahead, asked for both": ("199.4 ± 4.5", "564.5", "an hour before"),
    "direction by the sign of the change, asked for both": ("0.877 ± 0.010", "0.526", FREQUENT),
    "direction by its odds, asked for both": ("0.885 ± 0.002", "0.526", FREQUENT),
}
AHEAD, PAST, UNITS, ROUNDS = 24, 48, 64, 15              # of traffic: hours, hours, units of a layer, epochs


class Windows(NamedTuple):
    """Inputs, labels and changes, and the blocks: what is learned from, what choices are made on, what is tested."""
    X: np.ndarray
    up: np.ndarray
    change: np.ndarray
    equal: int
    learn: slice
    check: slice
    test: slice

    @property
    def past(self):
        """All that comes before the test, without what shares a value with it."""
        return slice(0, self.check.stop)


def run(seed, pictures, full):
    """Rows of the table: shares of right answers of the ladder and of plain rules; errors of networks on traffic."""
    series = {name: windows(load()) for name, load in LOADERS.items()}
    views = series["page views"]
    for name, data in series.items():
        for rule, shown in rules(data).items():
            yield Row(f"{rule}, {name}", shown, majority(data), FREQUENT)
    for step in (2, 4):
        (_, right), seconds = timed(climb, views, step, seed)
        yield Row(f"{RUNGS[step - 1]}, page views, one seed", "{:.3f}, {:.3f}".format(*right), seconds=seconds)
    yield from longer(series) if full else recorded()
    yield Example("Windows, those of the test, the standard error of a share of them, and windows that end level:",
                  columns([about(name, data) for name, data in series.items()]))
    yield Example("What a price on activity before batch normalisation forbids: nothing, as a factor pays it",
                  columns(list(scaled_down(views, seed))))
    yield Example("What this says:", SAID)
    if pictures:
        draw_losses(pictures, series, seed, EPOCHS if full else EPOCHS // 2)


def windows(y):
    """`Windows` of a series."""
    found = direction_windows(y, WINDOW)
    return Windows(*found, found.equal, *purged_split(len(found.X), WINDOW, SHARES))


def page_views():
    series = load_peyton_manning()
    return regular_grid(series.times, series.values, fill="interpolate").values


LOADERS = {"page views": page_views, "euro in dollars": lambda: load_euro_rates("USD").values}

# --- the ladder ----------------------------------------------------------------------------------


def climb(data, step, seed, epochs=EPOCHS, apart=None):
    """The history of a rung, and its shares of right answers on the past and on the test."""
    net = ladder(step, WINDOW, seed)
    history = fit(net, Adam(net.parameters(), lr=STEP), cross_entropy, data.X[data.past], data.up[data.past],
                  batch_size=BATCH, epochs=epochs, random_state=seed, validation_data=apart)
    return history, [share_right(net, data, block) for block in (data.past, data.test)]


def stopped(data, seed):
    """The same shares of the second rung where the block before the test says when to stop."""
    net = ladder(2, WINDOW, seed)
    fit(net, Adam(net.parameters(), lr=STEP), cross_entropy, data.X[data.learn], data.up[data.learn], batch_size=BATCH,
        epochs=EPOCHS, random_state=seed, validation_data=(data.X[data.check], data.up[data.check]), patience=10)
    return [share_right(net, data, block) for block in (data.learn, data.test)]


def share_right(net, data, block):
    return float((predict(net, data.X[block]).argmax(axis=1) == data.up[block]).mean())


def longer(series):
    """Rows of what takes minutes."""
    yield from ladders(series)
    yield from traffic()


def recorded():
    """The same, as it was found."""
    day, figures = RECORDED
    for measure, figure in figures.items():
        yield Row(measure, *figure, recorded=day)


def ladders(series):
    """Rows for all rungs on all series, over the seeds."""
    for name, data in series.items():
        for step, rung in enumerate(RUNGS, 1):
            found, seconds = timed(lambda: [climb(data, step, seed)[1] for seed in SEEDS])
            yield Row(f"{rung}, {name}", over_seeds(found), majority(data), FREQUENT, seconds)
        found, seconds = timed(lambda: [stopped(data, seed) for seed in SEEDS])
        yield Row(f"two layers stopped early, {name}", over_seeds(found), majority(data), FREQUENT, seconds)


def over_seeds(found):
    """The mean share on the past, and that on the future with its standard error."""
    (past, future), error = np.mean(found, axis=0), np.std([right for _, right in found], ddof=1) / np.sqrt(len(found))
    return f"{past:.3f}, {future:.3f} ± {error:.3f}"


# --- plain rules ---------------------------------------------------------------------------------


def rules(data):
    """{name: share of right answers ± its standard error}, each rule with the penalty that was best on the check."""
    X, last = data.X, data.X[:, -1]
    following, found = last + data.change, {}
    for name, rule in {"logistic regression": by_logistic, "sign of a ridge forecast": by_ridge}.items():
        tried = [np.mean((rule(X, following, last, data.learn, data.check, λ) > 0) == data.up[data.check])
                 for λ in PENALTIES]
        said = rule(X, following, last, data.past, data.test, PENALTIES[int(np.argmax(tried))]) > 0
        right = np.mean(said == data.up[data.test])
        found[name] = f"{right:.3f} ± {standard_error(right, data):.3f}"
    return found


def standard_error(share, data):
    """Of a share of the test."""
    return np.sqrt(share * (1 - share) / len(data.up[data.test]))


def majority(data):
    """The share of the more frequent answer in the test."""
    up = data.up[data.test].mean()
    return f"{max(up, 1 - up):.3f}"


def about(name, data):
    return (name, f"{len(data.up):,}", f"{len(data.up[data.test]):,}", f"{standard_error(0.5, data):.3f}",
            f"{data.equal}, which count as down")


# --- a price that is not paid --------------------------------------------------------------------


def scaled_down(data, seed):
    """Lines of a table: a factor of the layers before normalisation, the price, how far a probability has moved."""
    net, X = ladder(3, WINDOW, seed), data.X[data.past].astype(np.float32)
    before = said = None
    yield "both layers times", "price", "a probability moves by at most"
    for factor in (1.0, 0.3, 0.1):
        for layer in (net[0], net[4]):
            for weights in layer.parameters():
                weights.data *= np.float32(factor / (before or 1.0))
        before = factor
        with no_grad():
            now = net(X).softmax(1).numpy()
        said = now if said is None else said
        yield f"{factor:g}", f"{penalty(net).item():.4f}", f"{np.abs(now - said).max():.4f}"


SAID = [
    "A second layer learns more of the past of both series, and knows no more of the future.",
    "Page views: the price on activity changes nothing; dropout and stopping early give back what the",
    "    second layer lost. No network is better than the plain rules.",
    "The euro: what networks learn of the past is noise; of the future nobody knows more than a coin.",
    "Traffic a day ahead: to calendar and weather the past adds little; two branches are as one row.",
    "Traffic an hour ahead: who is asked for both answers neither better.",
]

# --- traffic: two inputs, two answers ------------------------------------------------------------


class Hours(NamedTuple):
    """Each hour of the year; where something is missing, what was known last."""
    cars: np.ndarray                                     # (T,)
    known: np.ndarray                                    # (T,) bool
    calendar: np.ndarray                                 # (T, 32): hour, day of the week, holiday
    weather: np.ndarray                                  # (T, 2): temperature, clouds


def hours():
    found = load_traffic()
    grid = regular_grid(found.times, np.column_stack([found.values, found.exog]), fill="nan")
    known = ~np.isnan(grid.values).any(axis=1)
    values = grid.values[np.maximum.accumulate(np.where(known, np.arange(len(known)), 0))]
    hour = grid.times.astype("datetime64[h]").astype(int)
    weekday = (hour // 24 + 3) % 7                       # 1970 began on a Thursday
    return Hours(values[:, 0], known, np.column_stack([np.eye(24)[hour % 24], np.eye(7)[weekday], values[:, 3]]),
                 values[:, 1:3])


def traffic():
    """Rows: errors of networks a day ahead by what they are told, and an hour ahead by what they are asked."""
    road = hours()
    cut = 304 * 24                                       # the end of October
    yield from a_day_ahead(road, cut)
    yield from an_hour_ahead(road, cut)


def a_day_ahead(road, cut):
    now = np.arange(PAST - 1, len(road.cars) - AHEAD)    # the newest hour that is known
    then = now + AHEAD
    y, learn = road.cars[then], (then < cut) & road.known[then]
    test = (now - PAST + 1 >= cut) & road.known[then]

    def in_units(table):
        mean, deviation = table[learn].mean(axis=0), table[learn].std(axis=0)
        return (table - mean) / np.where(deviation > 0, deviation, 1)

    past = in_units(np.lib.stride_tricks.sliding_window_view(road.cars, PAST)[:len(now)])
    calendar, weather = road.calendar[then], in_units(road.weather[then])
    told = np.concatenate([calendar, weather], axis=1)
    inputs = {"the past": (past,), "the calendar": (calendar,), "calendar and weather (oracle)": (told,),
              "all in one row (oracle)": (np.concatenate([past, told], axis=1),), "two branches (oracle)": (past, told)}
    for what, made in inputs.items():
        found, seconds = timed(lambda: [error_of(made, y, learn, test, seed) for seed in range(3)])
        yield Row(f"traffic a day ahead from {what}", with_deviation(found, "{:.1f}"), seconds=seconds,
                  reference=f"{np.abs(y - road.cars[then - 168])[test].mean():.1f}", package="a week before")


def error_of(inputs, y, learn, test, seed):
    """The mean absolute error of a network: two layers, the first in parts where there are two inputs."""
    mean, deviation, widths = y[learn].mean(), y[learn].std(), [x.shape[1] for x in inputs]
    net = mlp(widths[0], UNITS, UNITS, 1, seed=seed)
    if len(inputs) == 2:
        first, second = (Sequential(Linear(D, UNITS, random_state=10 * seed + k), ReLU()) for k, D in enumerate(widths))
        net = TwoBranches(first, second, mlp(2 * UNITS, UNITS, 1, seed=seed))
    learned(net, mse_loss, tuple(x[learn] for x in inputs), ((y[learn] - mean) / deviation)[:, None], seed)
    said = predict(net, tuple(x[test] for x in inputs))[:, 0] * deviation + mean
    return float(np.abs(said - y[test]).mean())


def an_hour_ahead(road, cut):
    """Errors and directions of networks that are asked for one or the other, or for both."""
    X, up, change = direction_windows(road.cars, PAST)
    F, _ = lag_windows(road.cars, PAST)
    _, σ = own_scale(F)
    start, known = np.arange(len(X)), road.known[PAST:]
    learn, test = (start + PAST < cut) & known, (start >= cut) & known
    losses = {"the change": (mse_loss, [0]), "the direction": (binary_cross_entropy_with_logits, [1]),
              "both": (lambda o, t: value_and_direction(o, t, 0.1), [0, 1])}
    targets = np.column_stack([change, up])
    frequent = max(up[test].mean(), 1 - up[test].mean())
    for what, (loss, asked) in losses.items():
        errors, right = [], {k: [] for k in asked}
        for seed in range(3):
            body = mlp(PAST, UNITS, UNITS, seed=seed)
            heads = [Linear(UNITS, 1, random_state=10 * seed + k) for k in asked]
            net = TwoHeads(body, *heads) if len(asked) == 2 else Sequential(body, *heads)
            learned(net, loss, X[learn], targets[learn][:, asked], seed)
            said = predict(net, X[test])
            for k, column in zip(asked, said.T):
                right[k].append(np.mean((column > 0) == up[test]))
            if 0 in asked:
                errors.append(np.abs((said[:, 0] - change[test]) * σ[test]).mean())
        if errors:
            yield Row(f"traffic an hour ahead, asked for {what}", with_deviation(errors, "{:.1f}"),
                      f"{np.abs(change * σ)[test].mean():.1f}", "an hour before")
        for k, found in right.items():
            yield Row(f"direction by {'the sign of the change' if k == 0 else 'its odds'}, asked for {what}",
                      with_deviation(found, "{:.3f}"), f"{frequent:.3f}", FREQUENT)


def mlp(*widths, seed):
    """Layers of these widths with ReLU between; behind a last of 1, none."""
    layers = []
    for k, ends in enumerate(zip(widths, widths[1:])):
        layers += [Linear(*ends, random_state=10 * seed + k + 5), ReLU()]
    return Sequential(*layers[:-1] if widths[-1] == 1 else layers)


def learned(net, loss, X, y, seed):
    fit(net, Adam(net.parameters(), lr=0.001), loss, X, y, batch_size=BATCH, epochs=ROUNDS, random_state=seed)


def with_deviation(found, form):
    return f"{form.format(np.mean(found))} ± {form.format(np.std(found, ddof=1))}"


# --- a picture -----------------------------------------------------------------------------------


def draw_losses(pictures, series, seed, epochs):
    """The loss in training, with its prices and its dropout, and on the test: a panel for each rung and series."""
    figure = pictures.figure(13, 6)
    panels = figure.subplots(len(series), len(RUNGS), sharex=True, sharey="row")
    for row, (name, data) in zip(panels, series.items()):
        for axes, step in zip(row, range(1, len(RUNGS) + 1)):
            history, right = climb(data, step, seed, epochs, (data.X[data.test], data.up[data.test]))
            for losses, label in ((history.loss, "past, in training"), (history.validation_loss, "future")):
                axes.plot(np.arange(1, epochs + 1), losses, label=label)
            axes.set_title(f"{name}: {RUNGS[step - 1]}\n{right[0]:.3f} right, {right[1]:.3f} of the future", fontsize=9)
            axes.spines[["top", "right"]].set_visible(False)
        row[0].set_ylabel("cross-entropy")
    panels[0, 0].legend(frameon=False, fontsize=8)
    for axes in panels[-1]:
        axes.set_xlabel("epoch")
    pictures.save(figure, "direction-ladder")
