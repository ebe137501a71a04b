"""The command line, and that every demonstration finds what the reference found."""
import os
import re
import sys
from importlib.util import find_spec

import pytest

from scratchml.tour import CHAPTERS
from scratchml.tour.command import main
from scratchml.tour.table import Row, table

NUMBER = re.compile(r"-?\d*\.?\d+")


def printed(capsys, *arguments):
    main(list(arguments))
    return capsys.readouterr().out


def test_contents_name_each_chapter_with_its_data_and_file(capsys):
    text = printed(capsys)
    for name in CHAPTERS:
        assert re.search(rf"^{name} +\w.*\n(?: .*\n)* +data: .+\n +file: \S*scratchml\S+\.py$", text, re.MULTILINE)


def test_a_lecture_says_where_each_equation_lives(capsys):
    text = printed(capsys, "read", "kmeans")
    assert text.startswith("k-means:") and "Symbols" in text
    function, file, line = re.search(r"\(2\)  (\w+) +(\S+):(\d+)$", text, re.MULTILINE).groups()
    with open(file, encoding="utf-8") as source:
        assert source.readlines()[int(line) - 1].startswith(f"def {function}(")


@pytest.mark.skipif(bool(os.environ.get("NUMBA_DISABLE_JIT")), reason="in plain Python the tour takes hours")
@pytest.mark.parametrize("name", CHAPTERS)
def test_a_demonstration_prints_a_table_and_draws(capsys, name, tmp_path):
    folder = tmp_path / "new"
    main(["run", name, *(["--plot", str(folder)] if find_spec("matplotlib") else [])])
    out, err = capsys.readouterr()
    assert out.startswith(f"{name}: ") and "measured with" in out and name in err
    if find_spec("matplotlib"):
        pictures = list(folder.iterdir())
        assert pictures and all(file.read_bytes().startswith(b"\x89PNG") for file in pictures)


def test_pictures_without_matplotlib_say_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(SystemExit, match=r'pip install "scratchml\[tour\]"'):
        main(["run", "kmeans", "--plot", str(tmp_path)])


@pytest.mark.parametrize("arguments, message", [
    (["run", "kmaens"], "no chapter 'kmaens'"),
    (["read", "kmaens"], "invalid choice: 'kmaens'"),
    (["run", "--seed", "-1"], "expected a whole number"),
])
def test_a_wrong_word_is_named(capsys, arguments, message):
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert message in capsys.readouterr().err


def test_the_table_lines_up():
    rows = [Row("a", "1.0", "2", "x 1", 0.5), Row("longer", "100.25", "3", "yy 22", 12.25)]
    assert table(rows).splitlines() == [
        "measure    ours  reference  measured with  seconds",
        "-------  ------  ---------  -------------  -------",
        "a           1.0          2  x 1              0.500",
        "longer   100.25          3  yy 22           12.250",
    ]
