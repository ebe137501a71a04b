"""What the packages offer, the names in their __all__, and what to fit their estimators to."""
import importlib
import importlib.util
import inspect

import numpy as np

from scratchml.core.estimator import Estimator
from tests.textbook.source import PACKAGES


def public_names():
    """(package, name, object) of everything in the __all__ of a package."""
    for package in PACKAGES:
        module = importlib.import_module(f"scratchml.{package}")
        for name in getattr(module, "__all__", ()):
            yield package, name, getattr(module, name)


def estimators():
    """Every public estimator that can be had without arguments."""
    found = {thing for _, _, thing in public_names() if inspect.isclass(thing) and issubclass(thing, Estimator)}
    return sorted((thing for thing in found if hasattr(thing, "fit") and not required(thing)), key=lambda c: c.__name__)


def required(function):
    """The parameters without which `function` cannot be called."""
    variable = inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD
    return [p.name for p in inspect.signature(function).parameters.values()
            if p.default is p.empty and p.kind not in variable]


# --- estimators, fitted


def fit_arguments(cls, size=40):
    """What `fit_arguments()` in the chapter's tests/strategies returns, a tuple; if there is none, three blobs."""
    name = f"tests.strategies.{cls.__module__.rpartition('.')[2]}"
    strategies = importlib.import_module(name) if importlib.util.find_spec(name) else None
    if hasattr(strategies, "fit_arguments"):
        return strategies.fit_arguments()
    rng = np.random.default_rng(0)
    return (np.repeat([[0.0, 0, 0, 9], [5, 0, 1, 9], [0, 7, 2, 8]], size, axis=0) + rng.normal(size=(3 * size, 4)),)


def make(cls, random_state=7):
    """An estimator whose random choices, if it makes any, are the same every time; a network reads its data once."""
    parameters = cls().get_params()
    return cls(**{name: value for name, value in {"random_state": random_state, "epochs": 1}.items()
                  if name in parameters})


def fitted(cls, arguments):
    return make(cls).fit(*arguments)
