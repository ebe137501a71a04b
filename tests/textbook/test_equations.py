"""Every equation is a function that says the same, has a definition, a test against it, and the shape it states."""
import ast
import importlib
import re
from pathlib import Path

import numpy as np
import pytest

from scratchml.tour import text

ROOT = Path(__file__).parents[2]
CHAPTERS = text.chapters()
EQUATIONS = [(chapter, equation) for chapter in CHAPTERS for equation in chapter.equations]

each_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
each_equation = pytest.mark.parametrize("chapter, equation", EQUATIONS,
                                        ids=[f"{chapter.name}-{equation.function}" for chapter, equation in EQUATIONS])


def test_there_are_chapters_and_each_has_a_name_of_its_own():
    names = [chapter.name for chapter in CHAPTERS]
    assert names and len(names) == len(set(names)), "tests/reference and tests/strategies have one module a name"


# --- the table

@each_chapter
def test_its_table_is_well_formed_and_counts_from_one(chapter):
    numbered = [line for line in text.section(chapter.doc, "Equations").splitlines() if line.lstrip().startswith("(")]
    malformed = [line for line in numbered if not text.ROW.fullmatch(line)]
    assert not malformed, "expected 4 spaces, (n), 2 spaces, formula, at least 2 spaces, function"
    assert [equation.number for equation in chapter.equations] == list(range(1, len(numbered) + 1))


@each_equation
def test_its_function_says_the_same(chapter, equation):
    assert equation.line, f"{chapter.file.name} does not define {equation.function}"
    assert (equation.doc or "").splitlines()[:1] == [f"({equation.number})  {equation.formula}"]


@each_equation
def test_it_can_be_called_under_its_name(chapter, equation):
    assert callable(getattr(importlib.import_module(equation.module), equation.function))


@each_chapter
def test_no_other_function_claims_a_number(chapter):
    named = {equation.function for equation in chapter.equations}
    claims = [node.name for node in ast.walk(ast.parse(chapter.file.read_text(encoding="utf-8")))
              if isinstance(node, ast.FunctionDef) and text.NUMBERED.match(ast.get_docstring(node) or "")]
    assert set(claims) <= named


# --- its definition, and a test that holds the two together

@each_equation
def test_it_has_a_definition_to_be_held_against(chapter, equation):
    reference = importlib.import_module(f"tests.reference.{chapter.name}")
    definition = getattr(reference, equation.function, None)
    assert callable(definition), f"{reference.__name__} does not define {equation.function}"
    assert f"({equation.number})" in (definition.__doc__ or ""), "its docstring names another equation, or none"


@each_equation
def test_a_test_holds_it_against_its_definition(chapter, equation):
    file = ROOT / "tests" / chapter.package / f"test_{chapter.name}.py"
    assert any(text.compares(test, equation.function) for test in text.functions(file)), \
        f"no test in {file.name} mentions {equation.function} and reference.{equation.function}"


# --- its shape

@each_chapter
def test_sizes_tell_the_letters_apart(chapter):
    sizes = strategies(chapter).SIZES
    assert len(set(sizes.values())) == len(sizes) and min(sizes.values()) > 1


@each_equation
def test_its_symbols_are_declared(chapter, equation):
    arguments, _ = text.shapes(equation.doc)
    declared = text.symbols(chapter.doc)
    in_brackets = re.findall(r"\w+", " ".join(re.findall(r"\(.*?\)", equation.formula.split("=")[0])))
    undeclared = [term.symbol for term in arguments if term.symbol not in declared
                  and not (term.dims is None and term.symbol in in_brackets)]      # a and b in c(a, b) = (a - b)²
    assert not undeclared, "declare them under Symbols"


LIFTED = re.compile(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁻ᵀ½ˣᵖᵘᵛ⅓]")
INDEX = re.compile(r"(?<=[\w)])\[[^\]]*\]|_\{[^}]*\}|_\([^)]*\)|_[\w₀-₉]+|[₀-₉]")
NAME = re.compile(r"[^\W\d_][\u0300-\u036f]?(?:[^\W_][\u0300-\u036f]?)*")
ORDINARY = set("a as at by d du dt ds e i if in is it j k l ln n no O of on or to up th E P I Π Σ π πi".split())


def names(formula):
    """The letters and words of a formula without what stands above and below them: x, y and max of max_i x_i² y."""
    return NAME.findall(LIFTED.sub("", INDEX.sub("", formula)))


def declared_letters(chapter):
    """What the Symbols section names, what an equation is of, and what is an index somewhere."""
    equations = text.section(chapter.doc, "Equations")
    bare = re.sub(r"(?<=[\w)])\[[^\]]*\]", "", equations)
    found = set(names(text.section(chapter.doc, "Symbols"))) | ORDINARY
    found |= {name for left in re.findall(r"([^\s,(]+(?:\([^)]*\))?) (?:=|←|≈) ", bare) for name in names(left)}
    return found | {letter for places in re.findall(r"_\{?(\w+)|\[([\w, ]+)\]", equations)
                    for letter in "".join(places)}


def unknown_letters(formula, declared):
    """Names of one or two letters that are not declared, nor made of letters that are, nor rows x of a matrix X."""
    short = [name for name in dict.fromkeys(names(formula)) if len(name) <= 2]
    return [name for name in short if not (name in declared or name.upper() in declared or set(name) <= declared)]


@each_equation
def test_every_letter_of_its_formula_is_declared(chapter, equation):
    assert not unknown_letters(equation.formula, declared_letters(chapter)), "declare them under Symbols"


def test_letters_are_found():
    assert unknown_letters("y = Σ_n x_n² ŵ / √q + Kᵀ z[i,j] exp(v)", {"y", "X", "Σ"}) == ["ŵ", "q", "K", "z", "v"]


@each_equation
def test_it_has_the_shape_that_it_states(chapter, equation):
    arguments, results = text.shapes(equation.doc)
    draw, function = strategies(chapter), getattr(importlib.import_module(equation.module), equation.function)
    letters = dict(draw.SIZES)
    values = [draw.example(term.symbol) for term in arguments]
    for term, value in zip(arguments, values):
        assert_shape(value, term, letters)
    returned = function(*values)
    returned = returned if len(results) > 1 else (returned,)
    assert len(returned) == len(results)
    for number, (term, value) in enumerate(zip(results, returned), 1):
        assert_shape(value, term._replace(symbol=f"result {number}"), letters)


def assert_shape(value, term, letters):
    """A letter that has no number yet gets the one it meets first; L in `path (L, 2)` is not known beforehand."""
    got = value.shape if hasattr(value, "shape") else () if term.dims is None else np.shape(value)
    assert len(got) == len(term.dims or ()), f"{term}: got shape {got}"
    for dim, size in zip(term.dims or (), got):
        if dim.isidentifier():
            letters.setdefault(dim, size)
        assert eval(dim, {}, letters) == size, f"{term}: got shape {got}, with {letters}"
    if term.below:
        assert np.all((np.asarray(value) >= 0) & (np.asarray(value) < letters[term.below])), f"{term}: got {value}"


def strategies(chapter):
    return importlib.import_module(f"tests.strategies.{chapter.name}")


# --- the page

@each_chapter
def test_its_docstring_has_every_section_in_order(chapter):
    marks = ["Symbols\n", "Equations\n", "Choices\n", "Cost\n", ">>> ", "Source"]
    places = [f"\n{chapter.doc}".find(f"\n{mark}") for mark in marks]
    missing = [mark.strip() for mark, place in zip(marks, places) if place < 0]
    assert not missing and places == sorted(places), "expected them in this order: " + ", ".join(marks)
    assert chapter.doc[:places[0]].strip().count("\n\n"), "say in plain words what the problem is"


@each_chapter
def test_it_is_of_a_length_that_one_reads(chapter):
    docstring, file = chapter.doc.count("\n"), chapter.file.read_text(encoding="utf-8").count("\n")
    assert docstring < 80 and file <= 460, "make it two chapters"
