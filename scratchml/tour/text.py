"""The chapters as text: which there are, their equations, and the functions that are these equations.

Everything is read from the source and nothing is imported, so a chapter that does not even run can be read.
`python -m scratchml read` prints from here; tests/textbook holds the text to its word.
"""
import ast
import re
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).resolve().parent.parent
ROW = re.compile(r"^    \((\d+)\)  (\S.*?) {2,}(\w+)$", re.MULTILINE)             # (2)  formula    function
NUMBERED = re.compile(r"\(\d+\)  ")                          # so begins the docstring of such a function
TERM = re.compile(r"(?P<symbol>\w*) ?(?:\((?P<dims>.*)\))?(?: in (?P<below>\w+))?")


class Equation(NamedTuple):
    """One row of an equation table.  `line` is that of the function's def, `doc` its docstring; None where missing."""
    module: str
    number: int
    formula: str
    function: str
    file: Path
    line: int | None
    doc: str | None


class Chapter(NamedTuple):
    """A file whose docstring has an equation table."""
    module: str
    file: Path
    doc: str
    equations: list[Equation]

    @property
    def name(self):
        return self.module.rpartition(".")[2]

    @property
    def package(self):
        """The folder that the chapter lies in: cluster for scratchml.cluster.kmeans."""
        return self.module.split(".")[-2]


class Term(NamedTuple):
    """One array of a Shapes line: `y (T) in K` is Term("y", ("T",), "K").  No shape is stated for a scalar."""
    symbol: str
    dims: tuple[str, ...] | None
    below: str | None


def chapters(package=PACKAGE):
    """Every chapter below the folder `package`, by path."""
    found = (read_chapter(file, package) for file in sorted(package.rglob("*.py")))
    return [chapter for chapter in found if chapter]


def read_chapter(file, package=PACKAGE):
    """The chapter in `file`, or None if its docstring has no equation table."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    doc = ast.get_docstring(tree) or ""
    rows = ROW.findall(doc)
    if not rows and not section(doc, "Equations"):
        return None
    module = ".".join((package.name, *file.relative_to(package).with_suffix("").parts))
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    equations = []
    for number, formula, name in rows:
        node = functions.get(name)
        equations.append(Equation(module, int(number), formula, name, file,
                                  node and node.lineno, node and ast.get_docstring(node)))
    return Chapter(module, file, doc, equations)


def constants(file):
    """The docstring of a source file and what it gives names to at its top level, where that is written out."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    found = {"__doc__": ast.get_docstring(tree)}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            try:
                found[node.targets[0].id] = ast.literal_eval(node.value)
            except ValueError:
                pass                                     # it is computed
    return found


def modules():
    """{name: dotted names of the modules that go by it}.

    A module goes by its dotted name, by that without the first part, and by its last part; there one of the tour gives
    way to any other.  A package goes by `cluster.` too.
    """
    found = {}
    for file in sorted(PACKAGE.rglob("*.py"), key=lambda file: ("tour" in file.parts, file)):
        parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        within = name.removeprefix(f"{PACKAGE.name}.")
        names = {name, within, f"{within}."} if is_package else {name, within}
        last = name.rpartition(".")[2]
        if "tour" not in parts or last not in found:
            names.add(last)
        for each in names:
            found.setdefault(each, []).append(name)
    return found


def name_of(module, named):
    """The shortest of the names in `named`, what `modules` returns, that is this module's alone."""
    return min((name for name, found in named.items() if found == [module]), key=len)


def file_of(module):
    """Where the module of this dotted name lies."""
    place = PACKAGE.parent.joinpath(*module.split("."))
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")


def functions(file):
    """The syntax trees of the functions at the top level of a source file."""
    return [node for node in ast.parse(file.read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)]


def source_of(file, node):
    """The text of a function, with its decorators."""
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    return "\n".join(file.read_text(encoding="utf-8").splitlines()[first - 1:node.end_lineno])


def compares(test, function):
    """Whether a test, a syntax tree, mentions both `function` and its definition, `reference.function`."""
    mentioned = set()
    for part in ast.walk(test):
        if isinstance(part, ast.Attribute):
            of_reference = isinstance(part.value, ast.Name) and part.value.id == "reference"
            mentioned.add(f"reference.{part.attr}" if of_reference else part.attr)
        elif isinstance(part, ast.Name):
            mentioned.add(part.id)
    return test.name.startswith("test") and {function, f"reference.{function}"} <= mentioned


def section(doc, heading):
    """The indented lines that stand under `heading` in a docstring; "" if there is no such heading."""
    match = re.search(rf"^{heading}\n((?:(?: .*)?\n)*)", doc + "\n", re.MULTILINE)
    return match[1] if match else ""


def symbols(doc):
    """What the Symbols section of a docstring declares: `    X, Y  (S, N), (R, M)   two sets` declares X and Y."""
    rows = re.findall(r"^    (\w+(?:, \w+)*)  ", section(doc, "Symbols"), re.MULTILINE)
    return [symbol for row in rows for symbol in row.split(", ")]


def shapes(doc):
    """The line `Shapes: x (N), y (M), w -> (N+1, M+1)` of a function's docstring, as Terms: (arguments, results).

    Raises ValueError if there is no such line or it reads differently.
    """
    line = re.search(r"^Shapes: *(.*?) *-> *(.+)$", doc or "", re.MULTILINE)
    if not line:
        raise ValueError("no line 'Shapes: arguments -> results' in the docstring")
    arguments, results = _terms(line[1]), _terms(line[2])
    if not all(term.symbol for term in arguments) or any(term.symbol or term.dims is None for term in results):
        raise ValueError(f"{line[0]!r}: expected arguments like `x (N, D)` and results like `(N, D)`")
    return arguments, results


def _terms(text):
    matches = [TERM.fullmatch(term) for term in _split(text)]
    if None in matches:
        raise ValueError(f"{text!r}: expected terms like `x (N, D)`, with commas between them")
    return [Term(m["symbol"], None if m["dims"] is None else tuple(_split(m["dims"])), m["below"]) for m in matches]


def _split(text):
    """`text` at the commas that stand in no parentheses."""
    parts, depth = [""], 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts if part.strip()]
