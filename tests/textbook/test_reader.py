"""The reader of chapters, on a page that is easy to check by eye."""
import pytest

from scratchml.tour import text

PAGE = '''"""A chapter: what it is about.

Symbols
    x, y  (N,), (N, D)   two of them
    μ₁    (D,)           a third
    w                    a number

Equations
    (1)  c(a, b) = (a - b)²    cost
         with a continuation    line
    (2)  D = Σ  x y             total

Cost
    (1) takes no time  indeed
"""


def helper():
    pass


def total(x, y):
    """(2)  D = Σ  x y

    Shapes: x (N), y (N, D) -> (D)
    """
'''


@pytest.fixture
def page(tmp_path):
    (tmp_path / "book" / "cluster").mkdir(parents=True)
    file = tmp_path / "book" / "cluster" / "page.py"
    file.write_text(PAGE, encoding="utf-8")
    (tmp_path / "book" / "plain.py").write_text('"""No chapter."""\n')
    return file


def test_finds_the_chapter_and_its_equations(page):
    (chapter,) = text.chapters(page.parents[1])
    assert (chapter.name, chapter.package, chapter.module) == ("page", "cluster", "book.cluster.page")
    cost, total = chapter.equations
    assert cost == ("book.cluster.page", 1, "c(a, b) = (a - b)²", "cost", page, None, None)
    assert total[:5] == ("book.cluster.page", 2, "D = Σ  x y", "total", page)
    assert page.read_text(encoding="utf-8").splitlines()[total.line - 1] == "def total(x, y):"
    assert text.shapes(total.doc) == ([("x", ("N",), None), ("y", ("N", "D"), None)], [("", ("D",), None)])


def test_reads_sections_and_symbols():
    doc = PAGE.split('"""')[1]
    assert text.symbols(doc) == ["x", "y", "μ₁", "w"]
    assert text.section(doc, "Cost").strip() == "(1) takes no time  indeed" and text.section(doc, "Choices") == ""


@pytest.mark.parametrize("line, arguments, results", [
    ("Shapes: a, b -> ()", [("a", None, None), ("b", None, None)], [("", (), None)]),
    ("Shapes: E (T, K), y (T) in K -> ()", [("E", ("T", "K"), None), ("y", ("T",), "K")], [("", (), None)]),
    ("Shapes: x (N,) -> (N+1), (N*(N-1)//2, K)",
     [("x", ("N",), None)], [("", ("N+1",), None), ("", ("N*(N-1)//2", "K"), None)]),
    ("Shapes: -> (N) in K", [], [("", ("N",), "K")]),
])
def test_reads_shapes(line, arguments, results):
    assert text.shapes(f"(1)  f\n\n{line}\nmore") == (arguments, results)


@pytest.mark.parametrize("doc", [
    None, "no such line", "Shapes: x (N)", "Shapes: x (N) -> y", "Shapes: x N -> ()", "Shapes: (N) -> ()",
])
def test_refuses_what_is_no_shapes_line(doc):
    with pytest.raises(ValueError):
        text.shapes(doc)
