"""scratchml: a machine-learning lecture that runs.

Every algorithm is written by hand, in NumPy with loops compiled by Numba.  A chapter is one file: the problem, the
symbols, the numbered equations, and one function for each equation, under the name that the table gives it.

    python -m scratchml              the contents
    python -m scratchml read pca     a chapter's lecture, and where each equation lives
    python -m scratchml run pca      the chapter on real data, its numbers beside those of the library that people use

Floors, each built on those below it
    core             kernels and threads, distances, linear algebra, checks, what estimators share
    optim, autograd, metrics, preprocessing, datasets
    nn               neural networks: layers, losses and what trains them, on the Tensors of autograd
    cluster          points that belong together
    neighbors        points that are near to each other, found exactly or nearly so
    ranking, recommend, reduction, sequences, timeseries    the chapters that learn from data
    tour             a demonstration of each chapter, and the command line

Notation, one for the whole book
    N samples   D features   K clusters or labels   T time steps   B batch   H hidden units   V vocabulary
    U users     M items      F factors or components
    Shapes are written (N, D).  A capital is a matrix, its small letter a row of it; Σ sums, ‖x‖ is the Euclidean
    length, [s] is 1 where the statement s holds and else 0.

The packages are imported when they are first used: `import scratchml` alone loads neither NumPy nor Numba.
"""
import importlib
from pathlib import Path

__version__ = "0.1.0"

_PACKAGES = sorted(folder.parent.name for folder in Path(__file__).parent.glob("*/__init__.py"))


def __getattr__(name):
    if name in _PACKAGES:
        return importlib.import_module(f"scratchml.{name}")
    raise AttributeError(f"scratchml has no {name!r}; its packages are {', '.join(_PACKAGES)}")


def __dir__():
    return sorted([*globals(), *_PACKAGES])
