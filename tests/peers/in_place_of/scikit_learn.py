"""A plugin of pytest: scikit-learn's own tests find our classes where they look for scikit-learn's.

What a package of theirs offers and ours does too is replaced by ours before a test file imports it.  The rest of those
packages, private functions above all, becomes `Absent`, so that no test passes by testing scikit-learn itself.
"""
import functools
import importlib
import inspect
import os
import pkgutil

import pytest

from scratchml import preprocessing

PACKAGES = {"preprocessing": ("preprocessing",), "cluster": ("cluster",), "mixture": ("cluster",),
            "decomposition": ("reduction",), "manifold": ("reduction", "metrics")}         # theirs: ours
TAKEN_ANYWAY = {                                         # options of speed and memory, which change no result here
    "TSNE": {"method", "angle", "n_jobs"},               # how to approximate: here t-SNE is exact
    "StandardScaler": {"copy"}, "MinMaxScaler": {"copy"},                          # data stay as they are
    "QuantileTransformer": {"copy", "subsample", "random_state"}}                  # all samples count
KEPT = {"normalize", "_handle_zeros_in_scale"}            # scikit-learn's own distances, to compare with, need them
OF_OURS = {"test_data": preprocessing.__all__}           # files of which the tests of other classes are left out


class Absent:
    """Stands for something of scikit-learn that this book does not have: it can be imported, not used."""

    collecting = True

    def __init__(self, name):
        self.__name__ = name

    def __getattr__(self, attribute):
        raise AttributeError(f"{self.__name__} is scikit-learn's alone")

    def __instancecheck__(self, thing):
        return False

    def __call__(self, *arguments, **options):
        if Absent.collecting:                            # where a test file lists its cases
            return Absent(f"{self.__name__}()")
        raise NotImplementedError(f"{self.__name__} is scikit-learn's alone")


class Collectable:
    """The class, but options that it does not have give `Absent`: some are used where a test file lists its cases."""

    def __init__(self, cls):
        functools.update_wrapper(self, cls, updated=())

    def __instancecheck__(self, thing):
        return isinstance(thing, self.__wrapped__)

    def __call__(self, *arguments, **options):
        cls = self.__wrapped__
        for name in TAKEN_ANYWAY.get(cls.__name__, ()):
            options.pop(name, None)
        unknown = options.keys() - cls().get_params().keys()
        return Absent(f"{cls.__name__}({', '.join(sorted(unknown))})") if unknown else cls(*arguments, **options)


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
                    setattr(module, name, Collectable(value) if isinstance(value, type) else value)
                elif callable(thing) and name not in KEPT \
                        and str(getattr(thing, "__module__", "")).startswith(package.__name__):
                    setattr(module, name, Absent(name))


def pytest_configure(config):
    put_in_place()


def pytest_collection_modifyitems(config, items):
    Absent.collecting = False
    ours = [item for item in items if item.path.stem not in OF_OURS or asks_for_ours(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in ours])
    items[:] = ours


def asks_for_ours(item):
    """Whether the source of the test, its cases among them, names a class of ours."""
    return any(name in source(item.function) for name in OF_OURS[item.path.stem])


source = functools.cache(inspect.getsource)


# --- how a test ended

REWORDED = pytest.StashKey()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """A test to which the words of a message were not right runs once more, with any words."""
    try:
        return (yield)
    except BaseException as error:                       # what pytest.fail raises is no Exception
        if "Regex pattern" in str(error):
            item.stash[REWORDED] = passes_in_any_words(item)
        raise


def passes_in_any_words(item):
    def in_any_words(expect):
        return lambda *arguments, match=None, **options: expect(*arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        for name in ("raises", "warns"):
            patch.setattr(pytest, name, in_any_words(getattr(pytest, name)))
        try:
            item.runtest()
        except BaseException:
            return False
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A line for each test into the file that SCRATCHML_OUTCOMES names: how it ended, its file, and which it is."""
    report = yield
    if report.when == "call" or report.outcome != "passed":
        outcome = "reworded" if item.stash.get(REWORDED, False) else report.outcome
        with open(os.environ["SCRATCHML_OUTCOMES"], "a", encoding="utf-8") as lines:
            lines.write(f"{outcome}\t{item.path.stem}\t{item.name}\n")
    return report
