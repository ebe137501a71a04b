"""The project's source, parsed once and never imported, and what each module of it imports."""
import ast
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


def parse(*folders):
    """{dotted name: syntax tree} of every module below the folders; a package's __init__ goes by the package's name."""
    trees = {}
    for folder in folders:
        for file in sorted((ROOT / folder).rglob("*.py")):
            parts = file.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            trees[name] = ast.parse(file.read_text(encoding="utf-8"))
    return trees


MODULES = parse("scratchml")
PACKAGES = sorted({name.split(".")[1] for name in MODULES if (ROOT / name.replace(".", "/")).is_dir() and "." in name})


class Import(NamedTuple):
    importer: str
    imported: str            # the module
    taken: str               # what is taken from it; "" for the module itself
    line: int
    at_import: bool          # it runs when the module is imported, not later in some function

    def __str__(self):
        return f"{self.importer}, line {self.line}: imports {self.imported}"

    @property
    def root(self):
        return self.imported.split(".")[0]


def imports(name, tree):
    """Every import of the module `name`, wherever it stands; `from p import m` is of p.m where that is a module."""
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
              for statement in node.body for part in ast.walk(statement)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found = [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            source = absolute(name, node)
            found = [(f"{source}.{alias.name}", "") if f"{source}.{alias.name}" in MODULES else (source, alias.name)
                     for alias in node.names]
        else:
            continue
        for imported, taken in found:
            yield Import(name, imported, taken, node.lineno, id(node) not in inside)


def absolute(name, node):
    """What `from ..core import x` in module `name` imports from, as a dotted name."""
    if not node.level:
        return node.module
    up = node.level - (ROOT / name.replace(".", "/")).is_dir()       # in a package's __init__ one dot is the package
    parts = name.split(".")
    return ".".join(parts[:len(parts) - up] + ([node.module] if node.module else []))
