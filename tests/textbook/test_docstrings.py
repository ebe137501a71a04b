"""Every public name says what it is, what it takes and when it refuses."""
import inspect
import re

import pytest

from tests.textbook.public import estimators, fit_arguments, fitted, public_names, required

SHAPE = re.compile(r"\((?:[A-Z][\w+-]*|\d)(?:, ?[\w+-]+)*,?\)")          # (N,)  (N, D)  (T+1, K)
NAMES = list(public_names())
FUNCTIONS = [found for found in NAMES if inspect.isroutine(found[2]) and required(found[2])]
each_estimator = pytest.mark.parametrize("cls", estimators(), ids=lambda cls: cls.__name__)
ids = dict(ids=lambda found: found if isinstance(found, str) else "")


@pytest.mark.parametrize("package, name, thing", NAMES, **ids)
def test_every_public_name_has_a_docstring(package, name, thing):
    assert not callable(thing) or thing.__doc__


@pytest.mark.parametrize("package, name, thing", FUNCTIONS, **ids)
def test_a_function_of_arrays_gives_shapes_and_says_what_it_refuses(package, name, thing):
    assert SHAPE.search(thing.__doc__), "give the shapes of its arguments"
    assert re.search(r"\b[Rr]aise|\b[Ee]rrors?\b", thing.__doc__), "say what is raised and when"


# --- estimators


def listed(cls, heading):
    """The names that a section of the class's docstring explains: `max_iter, tol : when to stop` explains two."""
    section = re.search(rf"^{heading}\n-+\n(.*?)(?:\n\n|\Z)", inspect.cleandoc(cls.__doc__), re.MULTILINE | re.DOTALL)
    rows = re.findall(r"^(\w+(?:,\s\w+)*) : ", section[1], re.MULTILINE) if section else []
    return [name for row in rows for name in re.split(r",\s", row)]


@each_estimator
def test_an_estimator_explains_its_parameters_in_order(cls):
    assert listed(cls, "Parameters") == list(inspect.signature(cls).parameters)


@each_estimator
@pytest.mark.filterwarnings("ignore::scratchml.core.estimator.ConvergenceWarning")
def test_an_estimator_explains_what_it_learns(cls):
    estimator, explained = fitted(cls, fit_arguments(cls)), listed(cls, "Attributes")
    learned = {name for name in vars(estimator) if name.endswith("_") and name[0] != "_"}
    assert learned - {"n_features_in_", "feature_names_in_"} <= set(explained)
    assert all(hasattr(estimator, name) for name in explained)
