"""Who may import whom: down a floor, never up, never sideways; inside a package only the chapters before."""
import ast
import graphlib
import sys

import pytest

from scratchml.tour import text
from tests.textbook.source import MODULES, PACKAGES, imports, parse

LAYERS = {
    "core": 0,
    "optim": 1, "autograd": 1, "metrics": 1, "preprocessing": 1, "datasets": 1,
    "nn": 2, "cluster": 2,
    "neighbors": 3, "torch": 3,
    "sequences": 4, "timeseries": 4, "recommend": 4, "reduction": 4, "ranking": 4,
    "tour": 5,
}
CHAPTERS = text.chapters()
IMPORTS = [found for name, tree in MODULES.items() for found in imports(name, tree)]
STANDARD = sys.stdlib_module_names
each_package = pytest.mark.parametrize("package", PACKAGES)


def package_of(module):
    """cluster for scratchml.cluster and for scratchml.cluster.kmeans; "" for scratchml and scratchml.__main__."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in PACKAGES else ""


def contents(package):
    """The tuple CHAPTERS of the package's __init__: its chapters, in the order in which they build on each other."""
    for node in MODULES[f"scratchml.{package}"].body:
        if isinstance(node, ast.Assign) and [getattr(target, "id", "") for target in node.targets] == ["CHAPTERS"]:
            return list(ast.literal_eval(node.value))
    return []


# --- between packages

def test_every_package_stands_on_a_floor():
    assert set(PACKAGES) <= set(LAYERS), "give the new package its floor in LAYERS"


def test_imports_go_down_between_packages():
    between = [found for found in IMPORTS if found.root == "scratchml" and package_of(found.importer)
               and package_of(found.importer) != package_of(found.imported)]
    wrong = [str(found) for found in between
             if not LAYERS.get(package_of(found.imported), 9) < LAYERS[package_of(found.importer)]]
    assert not wrong


# --- inside a package

def within(package):
    """Pairs (importer, imported) of modules of one package, by their last names; reading CHAPTERS does not count."""
    for found in IMPORTS:
        if package_of(found.importer) == package_of(found.imported) == package and found.importer.count(".") > 1 \
                and found.taken != "CHAPTERS":
            yield found.importer.split(".", 2)[2], found.imported.split(".", 2)[2:]


@each_package
def test_a_chapter_uses_only_those_before_it(package):
    order = contents(package)
    for importer, imported in within(package):
        assert imported, f"{importer} imports its own package: name the module instead"
        if importer in order and imported[0] in order:
            assert order.index(imported[0]) < order.index(importer), f"{importer} imports {imported[0]}"


@each_package
def test_no_module_imports_itself_by_a_detour(package):
    graph = graphlib.TopologicalSorter()
    for importer, imported in within(package):
        graph.add(importer, *imported)
    graph.prepare()                                      # raises CycleError


@each_package
def test_the_contents_name_the_chapters(package):
    listed = contents(package)
    missing = [name for name in listed if f"scratchml.{package}.{name}" not in MODULES]
    unlisted = [c.name for c in CHAPTERS if c.package == package and c.name not in listed]
    assert not missing and not unlisted, "CHAPTERS in the package's __init__ and its files disagree"


# --- what comes from outside

def test_only_two_modules_know_numba():
    assert {found.importer for found in IMPORTS if found.root == "numba"} <= {"scratchml.core.jit",
                                                                              "scratchml.core.instructions"}


def test_importing_needs_numpy_and_numba_alone():
    needed = {*STANDARD, "numpy", "numba", "scratchml"}
    wrong = [str(found) for found in IMPORTS if found.at_import and found.root not in needed]
    assert not wrong, "import optional packages in the function that needs them"


def test_definitions_share_no_code_with_what_they_define():
    wrong = [str(found) for name, tree in parse("tests/reference").items() for found in imports(name, tree)
             if found.root not in {*STANDARD, "numpy"} and not found.imported.startswith("tests.reference")]
    assert not wrong


def test_tests_need_no_other_library():
    allowed = {*STANDARD, "numpy", "numba", "pytest", "hypothesis", "scratchml", "tests", "benchmarks"}
    wrong = [str(found) for name, tree in parse("tests").items() if not name.startswith("tests.peers")
             for found in imports(name, tree) if found.root not in allowed]
    assert not wrong, "comparisons with other libraries belong in tests/peers"
