"""Importing changes nothing: no output, no files, no state; and the contents page comes at once."""
import os
import subprocess
import sys

import pytest

from tests.textbook.source import MODULES, ROOT

IMPORT = """
import importlib, os, random, sys, threading, warnings
import numpy, numba

def state():
    return dict(numpy_random=numpy.random.get_state(), random=random.getstate(), floating_point=numpy.geterr(),
                printing=numpy.get_printoptions(), warnings=list(warnings.filters), environment=dict(os.environ),
                threads=threading.active_count(), folder=os.getcwd(), path=list(sys.path), hook=sys.excepthook,
                optional=sorted({"matplotlib", "scipy", "sklearn", "pandas", "tqdm", "torch"} & set(sys.modules)))

before = state()
for module in sys.argv[1:]:
    importlib.import_module(module)
after = state()
changed = [name for name in after if repr(after[name]) != repr(before[name])]
assert not changed, f"importing changed {changed}"
"""
FIRST_IMPORT = """
import sys, time
start = time.process_time()
import scratchml
print(time.process_time() - start, *sys.modules)
"""


def python(program, *arguments, folder):
    """Run it in a fresh process, whose environment this one, having imported much, has not touched."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME"} or name.startswith("NUMBA_")}
    return subprocess.run([sys.executable, "-W", "error", "-c", program, *arguments], cwd=folder, capture_output=True,
                          text=True, env={**kept, "PYTHONPATH": str(ROOT)}, timeout=120)


@pytest.mark.parametrize("modules", [sorted(MODULES), sorted(MODULES, reverse=True)], ids=["forwards", "backwards"])
def test_importing_everything_changes_nothing(modules, tmp_path):
    done = python(IMPORT, *modules, folder=tmp_path)
    assert not (done.stderr or done.stdout or done.returncode), done.stderr
    assert not list(tmp_path.iterdir())


def test_the_contents_page_comes_at_once(tmp_path):
    """In 30 ms of the processor's time, in the best of up to ten runs: it takes 8, NumPy or Numba would take 100."""
    runs = (python(FIRST_IMPORT, folder=tmp_path).stdout.split() for _ in range(10))
    quick = next((modules for seconds, *modules in runs if float(seconds) < 0.03), None)
    assert quick and not {"numpy", "numba"} & set(quick)
