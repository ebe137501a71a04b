"""A plugin of pytest: scikit-learn's own tests find our classes where they look for scikit-learn's.

What a package of theirs offers and ours does too is replaced by ours before a test file imports it.  The rest of those
packages, private functions above all, becomes `Absent`, so that no test passes by testing scikit-learn itself.
"""
import functools
import importlib
import os
import pkgutil

import pytest

PACKAGES = {"cluster": ("cluster",), "mixture": ("cluster",), "decomposition": ("reduction",),
            "manifold": ("reduction", "metrics")}        # theirs: ours
# how to approximate: here t-SNE is exact, whatever is asked for
TAKEN_ANYWAY = {"TSNE": {"method", "angle", "n_jobs"}}


class Absent:
    """Stands for something of scikit-learn that this book does not have: it can be imported, not used."""

    def __init__(self, name):
        self.__name__ = name

    def __getattr__(self, attribute):
        raise AttributeError(f"{self.__name__} is scikit-learn's alone")

    def __call__(self, *arguments, **options):
        raise NotImplementedError(f"{self.__name__} is scikit-learn's alone")


def collectable(cls):
    """The class, but options that it does not have give `Absent`: some are used where a test file lists its cases."""
    @functools.wraps(cls, updated=())
    def make(*arguments, **options):
        for name in TAKEN_ANYWAY.get(cls.__name__, ()):
            options.pop(name, None)
        unknown = options.keys() - cls().get_params().keys()
        return Absent(f"{cls.__name__}({', '.join(sorted(unknown))})") if unknown else cls(*arguments, **options)
    return make


def put_in_place():
    for theirs, ours in PACKAGES.items():
        package, books = importlib.import_module(f"sklearn.{theirs}"), [importlib.import_module(f"scratchml.{name}")
                                                                        for name in ours]
        offered = {name: getattr(book, name) for book in books for name in book.__all__}
        private = [found.name for found in pkgutil.iter_modules(package.__path__) if found.name.startswith("_")]
        for module in package, *(importlib.import_module(f"{package.__name__}.{name}") for name in private):
            for name, thing in list(vars(module).items()):
                if name in offered:
                    value = offered[name]
                    setattr(module, name, collectable(value) if isinstance(value, type) else value)
                elif callable(thing) and str(getattr(thing, "__module__", "")).startswith(package.__name__):
                    setattr(module, name, Absent(name))


def pytest_configure(config):
    put_in_place()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A line for each test into the file that SCRATCHML_OUTCOMES names: how it ended, its file, and which it is."""
    report = yield
    if report.when == "call" or report.outcome != "passed":
        with open(os.environ["SCRATCHML_OUTCOMES"], "a", encoding="utf-8") as lines:
            lines.write(f"{report.outcome}\t{item.path.stem}\t{item.name}\n")
    return report
