"""The chapter that .github/CONTRIBUTING.md shows is one: added to a copy of the project, it passes the tests."""
import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.textbook.source import ROOT

GUIDE = ROOT / ".github" / "CONTRIBUTING.md"
FILE = re.compile(r"^\*\*.*?`([\w/]+\.py)`.*?^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)

pytestmark = pytest.mark.skipif(not GUIDE.exists(), reason="an installed copy holds no guide")


def shown():
    """{path: text} of the files that the guide shows."""
    return dict(FILE.findall(GUIDE.read_text(encoding="utf-8")))


def test_the_chapter_that_it_shows_passes(tmp_path):
    for folder in ("scratchml", "tests", "benchmarks"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", ".hypothesis"))
    for file in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / file, tmp_path)
    files = shown()
    assert {path.split("/")[1] for path in files} == {"metrics", "reference", "strategies"} and len(files) == 4
    for path, content in files.items():
        assert not (tmp_path / path).exists()
        (tmp_path / path).write_text(content, encoding="utf-8")
    contents = tmp_path / "scratchml" / "metrics" / "__init__.py"
    text = contents.read_text(encoding="utf-8").replace("CHAPTERS = (", 'CHAPTERS = ("gini",\n            ')
    text = text.replace("__all__ = [", '__all__ = ["gini", ') + "\nfrom scratchml.metrics.gini import gini\n"
    contents.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/metrics/test_gini.py",
         "scratchml/metrics/gini.py", "tests/textbook", "--ignore=tests/textbook/test_contributing.py", "-k",
         "gini or floors or rules"],
        cwd=tmp_path, capture_output=True, text=True, timeout=300,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "HYPOTHESIS_PROFILE": "quick"})
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert "test_it_is_its_definition" not in done.stdout and re.search(r"\d\d+ passed", done.stdout), done.stdout


def test_its_commands_and_paths_exist():
    text = GUIDE.read_text(encoding="utf-8")
    paths = re.findall(r"`((?:core|reduction|autograd|sequences)/\w+(?:\.py)?)`", text)
    places = [ROOT / "scratchml" / path for path in paths]
    paths = re.findall(r"`((?:scratchml|tests|benchmarks)/[\w/.]+)`", text)
    places += [ROOT / path for path in paths if path not in shown()]
    missing = [place for place in places if not place.exists() and not place.with_suffix(".py").exists()]
    assert len(places) > 8 and not missing


def test_it_tells_the_floors():
    from tests.textbook.test_floors import LAYERS
    table = dict(re.findall(r"^\| (\d) \| (.*) \|$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE))
    told = {name: int(floor) for floor, text in table.items() for name in re.findall(r"`(\w+)`", text)}
    assert told == LAYERS
