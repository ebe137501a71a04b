"""Noise on the inputs is L2: weights of ridge regression from copies of the data, and a network by noise and by decay.

Page views of 30 days, each window scaled by itself, and the next day's in the same units.  Least squares on copies of
the windows with noise comes to the weights of ridge regression as the root of their number; on the 2 D copies that the
chapter names it is there at once.  For a small network of tanh the price of noise, (E loss - loss) / σ², comes to what
Tikhonov's expansion says, as σ becomes small.

Then a network of two hidden layers, 64 and 16, that would learn the past by heart: mean squared errors on the past and
on the last fifth, with noise in training or with a decay of the weights, ± the deviation over three seeds.  All that
was tried is shown, and none picked.
"""
import numpy as np

from scratchml.nn import GaussianNoise, LeakyReLU, Linear, Sequential, Tanh, fit, mse_loss, predict
from scratchml.optim import Adam, AdamW
from scratchml.timeseries.noise import noise_by_copies, slopes, tikhonov
from scratchml.timeseries.ridge import Ridge
from scratchml.tour.direction import WINDOW, page_views, windows
from scratchml.tour.table import Example, Row, columns, timed

CHAPTER = "scratchml.timeseries.noise"
DATA = "page views of Wikipedia"
FEW, NOISE, COPIES = 200, 0.7, (1, 10, 100)              # windows, σ, and how many copies
DEVIATIONS = (0.4, 0.2, 0.1, 0.05)
NETWORKS = {"neither": {}, "noise 0.2": dict(noise=0.2), "noise 0.5": dict(noise=0.5), "noise 1": dict(noise=1.0),
            "noise 0.5, and in the middle": dict(noise=0.5, middle=0.5), "decay 0.5": dict(decay=0.5),
            "decay 2": dict(decay=2.0)}
RECORDED = "2026-11-30", {
    "neither": "0.293, 1.081 ± 0.075", "noise 0.2": "0.354, 0.966 ± 0.061", "noise 0.5": "0.574, 0.860 ± 0.024",
    "noise 1": "0.899, 0.955 ± 0.013", "noise 0.5, and in the middle": "0.751, 0.860 ± 0.008",
    "decay 0.5": "0.439, 0.924 ± 0.024", "decay 2": "0.687, 0.847 ± 0.011",
}


def run(seed, pictures, full):
    """Rows of the table: weights from copies, the price of noise for a network, errors with noise and with decay."""
    data = windows(page_views())
    target = data.X[:, -1] + data.change
    rng = np.random.default_rng(seed)
    off, seconds = timed(by_copies, data.X[:FEW], target[:FEW], rng)
    for what, distance in off.items():
        yield Row(f"off ridge's weights: {what}", f"{distance:.1g}", seconds=seconds)
        seconds = None
    (prices, expected), seconds = timed(prices_of_noise, data.X[:FEW], target[:FEW], rng)
    for σ, price in prices.items():
        yield Row(f"price of noise of {σ:g} for a network", f"{price:.4f}", f"{expected:.4f}", "Tikhonov's expansion",
                  seconds)
        seconds = None
    yield from networks(data, target) if full else recorded()
    for λ in (0.0, 100.0, 1000.0):
        model = Ridge(λ).fit(data.X[data.past], target[data.past])
        said = model.predict(data.X)
        yield Row(f"error of ridge regression, λ = {λ:g}", "{:.3f}, {:.3f}".format(*squared(said, target, data)))
    naive = {"the last day": data.X[:, -1], "a week before": data.X[:, -7]}
    yield Example("Errors of what needs no learning, past and future:", columns(
        [(name, *(f"{error:.3f}" for error in squared(said, target, data))) for name, said in naive.items()]))
    if pictures:
        draw(pictures, off, prices, expected)


def by_copies(X, y, rng):
    """{copies: greatest distance of least squares on them from the weights of ridge regression}"""
    ridge = Ridge(len(X) * NOISE**2).fit(X, y).coef_
    tables = {f"{M} noisy cop{'y' if M == 1 else 'ies'}": (
        np.tile(X, (M, 1)) + NOISE * rng.standard_normal((M * len(X), WINDOW)), np.tile(y, M)) for M in COPIES}
    tables["the 2 D copies"] = noise_by_copies(X, y, NOISE)
    return {name: np.abs(Ridge(0).fit(*table).coef_ - ridge).max() for name, table in tables.items()}


def prices_of_noise(X, y, rng, draws=500):
    """{σ: (E loss - loss) / σ²} of a network, the mean over pairs ±ε, and what (4) says."""
    net = Sequential(Linear(WINDOW, 8, dtype="float64", random_state=0), Tanh(),
                     Linear(8, 1, dtype="float64", random_state=1))
    fit(net, Adam(net.parameters(), lr=0.01), mse_loss, X, y[:, None], epochs=20, random_state=0)
    net.eval()
    f, G, Δ = slopes(net, X)
    loss = np.square(f - y).mean()
    ε = rng.standard_normal((draws, *X.shape))
    prices = {}
    for σ in DEVIATIONS:
        noisy = np.mean([np.square(predict(net, X + sign * σ * e, batch_size=len(X))[:, 0] - y).mean()
                         for e in ε for sign in (1, -1)])
        prices[σ] = (noisy - loss) / σ**2
    return prices, tikhonov(f, y, G, Δ, 1.0).mean() - loss


# --- a network that would learn by heart ---------------------------------------------------------


def regression(noise=0.0, middle=0.0, *, seed):
    """30, 64, 16 and 1 units, with noise before the first layer and before the second."""
    rng = np.random.default_rng(seed)
    return Sequential(GaussianNoise(noise, random_state=rng), Linear(WINDOW, 64, random_state=rng), LeakyReLU(),
                      GaussianNoise(middle, random_state=rng), Linear(64, 16, random_state=rng), LeakyReLU(),
                      Linear(16, 1, random_state=rng))


def networks(data, target):
    """Rows: errors on the past and on the test."""
    for name, options in NETWORKS.items():
        found, seconds = timed(lambda: [errors(data, target, seed, **options) for seed in range(3)])
        (past, future), deviation = np.mean(found, axis=0), np.std([one[1] for one in found], ddof=1)
        yield Row(f"error of a network with {name}", f"{past:.3f}, {future:.3f} ± {deviation:.3f}", seconds=seconds)


def errors(data, target, seed, decay=0.0, **noise):
    net = regression(**noise, seed=seed)
    fit(net, AdamW(net.parameters(), lr=0.002, weight_decay=decay), mse_loss, data.X[data.past],
        target[data.past][:, None], batch_size=128, epochs=50, random_state=seed)
    return squared(predict(net, data.X)[:, 0], target, data)


def squared(said, target, data):
    """Mean squared errors on the past and on the test."""
    return [float(np.square(said[block] - target[block]).mean()) for block in (data.past, data.test)]


def recorded():
    """What takes longer."""
    day, figures = RECORDED
    for name, figure in figures.items():
        yield Row(f"error of a network with {name}", figure, recorded=day)


# --- a picture -----------------------------------------------------------------------------------


def draw(pictures, off, prices, expected):
    """How weights come to ridge's with the number of copies, and the price of noise to Tikhonov's with σ."""
    figure = pictures.figure(9, 3.6)
    left, right = figure.subplots(1, 2)
    distances = [distance for name, distance in off.items() if "noisy" in name]
    left.loglog(COPIES, distances, "o-", label="noisy copies")
    left.loglog(COPIES, distances[0] / np.sqrt(COPIES), ":", color="black", label="as the root of their number")
    left.set(xlabel="copies", ylabel="greatest distance from ridge's weights")
    right.plot(list(prices), list(prices.values()), "o-", label="(E loss - loss) / σ²")
    right.axhline(expected, linestyle=":", color="black", label="Tikhonov's expansion")
    right.set(xlabel="σ")
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, fontsize=8)
    pictures.save(figure, "noise-ridge")
