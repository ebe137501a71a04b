"""Rules that the source keeps: what a kernel may do, what nothing is called, what lies at the top level."""
import ast
import re
import shutil
import subprocess

import pytest

from tests.textbook.source import MODULES, ROOT

NAMELESS = {"utils", "util", "helpers", "helper", "common", "misc", "base2"}
TOP_LEVEL = {"README.md", "LICENSE", "setup.cfg", "pyproject.toml", ".gitignore", ".github", ".ci",
             "scratchml", "tests", "benchmarks"}
COMPILERS = {"prange", "njit", "vectorize", "guvectorize", "cfunc"}
KERNELS = [pytest.param(node, id=f"{module.removeprefix('scratchml.')}-{node.name}")
           for module, tree in MODULES.items() for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)
           and "kernel" in [ast.unparse(decorator).split("(")[0].split(".")[-1] for decorator in node.decorator_list]]

each_kernel = pytest.mark.parametrize("kernel", KERNELS)


# --- kernels

@each_kernel
def test_a_kernel_has_few_arguments(kernel):
    given = kernel.args
    assert len(given.args) <= 8
    assert not (given.posonlyargs or given.kwonlyargs or given.vararg or given.kwarg or given.defaults)


@each_kernel
def test_a_kernel_neither_raises_nor_defines_nor_recurs(kernel):
    inside = [part for statement in kernel.body for part in ast.walk(statement)]
    unwelcome = (ast.Raise, ast.Assert, ast.Try, ast.FunctionDef, ast.Lambda)
    assert not [ast.unparse(part) for part in inside if isinstance(part, unwelcome)]
    assert kernel.name not in {part.id for part in inside if isinstance(part, ast.Name)}


@each_kernel
def test_a_kernel_leaves_linear_algebra_to_its_caller(kernel):
    """Numba would need SciPy for it, and NUMBA_DISABLE_JIT=1 would hide that."""
    inside = [part for statement in kernel.body for part in ast.walk(statement)]
    assert not [part for part in inside if isinstance(part, ast.MatMult)]
    called = {part.attr for part in inside if isinstance(part, ast.Attribute)}
    assert not called & {"linalg", "dot", "vdot", "matmul", "cov", "corrcoef"}


@pytest.mark.parametrize("module", [module for module in MODULES if module != "scratchml.core.jit"])
def test_nothing_compiles_past_the_one_decorator(module):
    parts = list(ast.walk(MODULES[module]))
    names = {part.id for part in parts if isinstance(part, ast.Name)}
    names |= {part.attr for part in parts if isinstance(part, ast.Attribute)}
    assert not names & COMPILERS
    assert "locals" not in {part.arg for part in parts if isinstance(part, ast.keyword)}


# --- names and places

def project_files():
    """What belongs to the project: what git tracks; in an unpacked release, which git does not know, the packages."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, encoding="utf-8") \
        if shutil.which("git") else None
    tracked = listed.stdout.split("\0") if listed and listed.returncode == 0 else []
    if "pyproject.toml" in tracked:
        return [ROOT / name for name in tracked if name and (ROOT / name).exists()]
    return [file for folder in ("scratchml", "tests", "benchmarks") for file in (ROOT / folder).rglob("*")
            if file.is_file() and "__pycache__" not in file.parts]


def test_nothing_has_a_name_that_says_nothing():
    stems = {part.split(".")[0] for file in project_files() for part in file.relative_to(ROOT).parts}
    assert not stems & NAMELESS


def test_the_top_level_is_short():
    assert {file.relative_to(ROOT).parts[0] for file in project_files()} <= TOP_LEVEL


def test_nothing_refers_to_a_place_of_one_machine():
    text = {".py", ".md", ".toml", ".cfg", ".yml", ".yaml", ".sh"}
    wrong = [(file.name, place[0]) for file in project_files() if file.suffix in text
             if (place := re.search(r"(?<![\w.])/(home|Users|root)/.*", file.read_text(encoding="utf-8")))]
    assert not wrong


def test_lines_are_as_wide_as_the_page():
    """In characters, of which a symbol is one."""
    wide = [f"{file.relative_to(ROOT)}, line {number}: {len(line)}" for folder in ("scratchml", "benchmarks", "tests")
            for file in sorted((ROOT / folder).rglob("*.py"))
            for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1) if len(line) > 120]
    assert not wide
