"""The same k-means with fewer distances: how many of them the triangle inequality proves unnecessary.

Images of digits, and 20,000 points in clear heaps; every algorithm from the same start, with the same labels in every
iteration.  The table counts the distances that each has to measure, beside Lloyd's, which measures all.
"""
import numpy as np

from scratchml.cluster import KMeans
from scratchml.datasets import load_digits
from scratchml.tour.table import Row, timed

CHAPTER = "scratchml.cluster.kmeans_bounds"
DATA = "digits, drawn points"
ALGORITHMS = ("lloyd", "hamerly", "elkan")


def run(seed, pictures, full):
    """Rows of the table: distances measured, beside those that Lloyd's algorithm measures."""
    rng = np.random.default_rng(seed)
    heaps = 8 * rng.normal(size=(50, 8))[rng.integers(50, size=20_000)] + rng.normal(size=(20_000, 8))
    counts = {}
    for name, X, K in (("digits, K = 10", load_digits().data, 10), ("heaps, K = 50", heaps, 50)):
        start = X[rng.choice(len(X), K, replace=False)]
        for algorithm in ALGORITHMS:
            counts[name, algorithm] = measured = []

            def look(progress):
                measured.append(progress.estimator.n_distances_)
            model, seconds = timed(KMeans(K, init=start, algorithm=algorithm, tol=0, callback=look).fit, X)
            if algorithm == "lloyd":
                all_of_them = model.n_distances_
            beside = () if algorithm == "lloyd" else (f"{all_of_them:,}", "lloyd")
            measure = f"{name}, {algorithm}: distances in {model.n_iter_} iterations"
            yield Row(measure, f"{model.n_distances_:,}", *beside, seconds=seconds)
    if pictures:
        draw(pictures, counts)


def draw(pictures, counts):
    """Distances in each iteration, a line for each algorithm."""
    figure = pictures.figure(9, 3.6)
    names = list(dict.fromkeys(name for name, _ in counts))
    for axes, name in zip(figure.subplots(1, len(names)), names):
        for algorithm in ALGORITHMS:
            axes.semilogy(range(1, len(counts[name, algorithm]) + 1), np.diff(counts[name, algorithm], prepend=0),
                          label=algorithm)
        axes.set(xlabel="iteration", ylabel="distances measured", title=name)
        axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    pictures.save(figure, "kmeans-bounds")
