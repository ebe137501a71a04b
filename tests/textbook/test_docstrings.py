"""Every public name says what it is, what it takes and when it refuses."""
import inspect
import re
from typing import NamedTuple

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


# --- parameters, in numpydoc's form


class Row(NamedTuple):
    """`lr, eps : float, default=0.1` and the indented lines below it as one text."""
    names: list
    type: str
    default: str | None                                  # as it is written; None where no default is given
    text: str


ROW = re.compile(r"(\*{0,2}\w+(?:, \w+)*) : (\S.*?)(?:, default=(\S.*))?")
SAME = {
    "verbose": ("int, default=0", r"1 for a line to stderr after each \w+"),
    "callback": ("callable or None, default=None", r"Called with (a `Progress`|the `Minimum` so far) after each \w+"),
    "random_state": ("int, numpy.random.Generator or None, default=None", r"Seed or source of \w+"),
}


def rows(doc, heading):
    """The rows of a section of `doc`, and what comes after it; no rows if there is no such section."""
    before, _, rest = inspect.cleandoc(doc or "").partition(f"{heading}\n{'-' * len(heading)}\n")
    assert not rest or before.endswith("\n\n"), "an empty line goes before a section"
    found, (body, _, after) = [], rest.partition("\n\n")
    for line in body.splitlines():
        if row := ROW.fullmatch(line):
            found.append(Row(row[1].split(", "), row[2], row[3], ""))
        else:
            assert found and re.match(r" {4}\S", line), f"neither `name : type` nor the text of one: {line!r}"
            found[-1] = found[-1]._replace(text=f"{found[-1].text} {line.strip()}".strip())
    return found, after


def parameters(function):
    """{name: parameter}; stars belong to the name."""
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    return {stars.get(p.kind, "") + p.name: p for p in inspect.signature(function).parameters.values()}


def methods(cls):
    """The public methods, bound, that the class and bases of ours define; not those that only restate another."""
    ours = [base for base in cls.__mro__ if base.__module__.startswith("scratchml")]
    for k, base in enumerate(ours):
        for name in vars(base):
            method, *overridden = [bound(vars(one)[name], one) for one in ours[k:] if name in vars(one)]
            if name[0] == "_" or not inspect.isroutine(method) or overridden and restates(method, overridden[0]):
                continue
            # not an operation on Tensors, a function elsewhere, in one line
            if "." in method.__qualname__:
                yield method


def bound(member, cls):
    """A method without its self or cls; any other member as it is."""
    if inspect.isfunction(member):
        return member.__get__(object())
    return member.__get__(None, cls) if isinstance(member, (classmethod, staticmethod)) else member


def restates(method, overridden):
    """Whether what is said of the method that it overrides is true of it: the same names, or one array for them."""
    return not method.__doc__ and (len(parameters(method)) < 2 or
                                   list(parameters(method)) == list(parameters(overridden)))


def explained():
    """{label: what can be called with arguments} of all that a public name stands for; a shared method once."""
    found = []
    for thing in offered():
        if inspect.isclass(thing) and issubclass(thing, (Exception, tuple)):
            continue                                     # what is raised or returned, nobody calls
        if inspect.isroutine(thing) or inspect.isclass(thing) and thing.__init__ is not object.__init__:
            found.append(thing)
        if inspect.isclass(thing):
            found.extend(methods(thing))
    return {f"{one.__module__.split('.')[1]}.{one.__qualname__}": one for one in found if parameters(one)}


def offered():
    """Everything public; of a module among it what its own __all__ names."""
    for _, _, thing in NAMES:
        yield from [getattr(thing, name)
                    for name in getattr(thing, "__all__", ())] if inspect.ismodule(thing) else [thing]


EXPLAINED = explained()


@pytest.mark.parametrize("label", EXPLAINED)
def test_parameters_have_names_types_defaults_and_text(label):
    assert_explained(EXPLAINED[label], EXPLAINED[label].__doc__)


def assert_explained(function, doc):
    (found, after), given = rows(doc, "Parameters"), parameters(function)
    assert [name for row in found for name in row.names] == list(given)
    for block in after.split("\n\n") if after else []:
        assert re.match(r"[A-Z]\w+\n-+\n", block), f"only other sections come after it, not {block!r}"
    for row in found:
        assert re.match(r"([^a-z ]|[a-z], ).*\.$", row.text), f"{row.names}: expected a sentence, got {row.text!r}"
        for name in row.names:
            assert_default(row, given[name])


def assert_default(row, parameter):
    """The row gives the default that the signature has, if it can be written, and a type that the default is of."""
    name, default = parameter.name, parameter.default
    words = {bool: "bool", int: "int|float", float: "float", str: "str|{", tuple: "tuple", type(None): "None"}
    if default is parameter.empty:
        assert row.default is None and "optional" not in row.type, f"{name} has no default"
    elif type(default) not in words:
        assert row.default is None and row.type.endswith(", optional"), f"{name}: expected `type, optional`"
    else:
        assert row.default is not None, f"{name}: expected default={default!r}"
        assert repr(eval(row.default, {"__builtins__": {}})) == repr(default), f"{name}: expected default={default!r}"
        assert re.search(rf"(?<!\w)({words[type(default)]})", row.type), f"{name}: {default!r} is no {row.type}"


@pytest.mark.parametrize("name", SAME)
def test_what_many_take_is_explained_in_the_same_words(name):
    form, text = SAME[name]
    for label, one in EXPLAINED.items():
        for row in rows(one.__doc__, "Parameters")[0]:
            if name in row.names:
                assert f"{row.type}, default={row.default}" == form and re.match(text, row.text), label


@pytest.mark.parametrize("wrong", [
    "x : int, default=8\n    How many.",
    "x : float, default=7.0\n    How many.",
    "x : str, default=7\n    How many.",
    "x : int, optional\n    How many.",
    "x : int\n    How many.",
    "y : int, default=7\n    How many.",
    "x : int, default=7\n    How many.\ny : int, default=7\n    Which.",
    "x, y : int, default=7\n    How many.",
    "x : int, default=7",
    "x : int, default=7\n  How many.",
    "x : int, default=7\n    how many",
    "x : how many.",
    "x : int, default=7\n    How many.\n\nMore text.",
    "x : int, default=7\n    How many.\n\nReturns\n-------\nint\n\nShapes: x -> ()",
    "",
])
def test_words_that_do_not_fit_are_noticed(wrong):
    doc = "What it does.\n\nParameters\n----------\n"
    assert_explained(lambda x=7: x, doc + "x : int, default=7\n    How many.\n\nReturns\n-------\nint")
    with pytest.raises(AssertionError):
        assert_explained(lambda x=7: x, doc + wrong)


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
