"""The command line, and that every demonstration finds what the reference found."""
import os
import re
import shutil
import subprocess
import sys
from datetime import date
from importlib.util import find_spec

import pytest

import scratchml
from scratchml.tour import CHAPTERS, text
from scratchml.tour.command import demonstrated, main
from scratchml.tour.lecture import LECTURE, PARTS
from scratchml.tour.table import WIDTH, Row, columns, table
from tests.textbook.source import PACKAGES, ROOT
from tests.textbook.test_floors import LAYERS


def printed(capsys, *arguments):
    main(list(arguments))
    return capsys.readouterr().out


def test_contents_name_each_chapter_once_with_its_line(capsys):
    page, named, shown = printed(capsys), text.modules(), demonstrated()
    for chapter in text.chapters():
        if chapter.package != "tour":
            name, mark = text.name_of(chapter.module, named), r"\* " if chapter.module in shown else ""
            assert len(re.findall(rf"^    {name} +{mark}\w", page, re.MULTILINE)) == 1, name
    assert page.count(" * ") == len(CHAPTERS) + 1        # and the line that says what it means
    assert page.index("    kmeans ") < page.index("    kmeans_bounds") < page.index("    lstm")
    assert max(map(len, page.splitlines())) <= WIDTH


def test_contents_name_every_module(capsys):
    words = re.split(r"[\s,]+", printed(capsys))
    for module in {module for found in text.modules().values() for module in found}:
        if module.count(".") == 2 and ".tour." not in module:
            assert words.count(text.name_of(module, text.modules())) >= 1, module


def test_the_parts_are_all_packages_by_their_floor():
    assert set(PARTS) == set(PACKAGES) - {"tour", "torch"}
    floors = [LAYERS[part] for part in PARTS]
    assert floors == sorted(floors)


def test_the_map_names_each_chapter_on_models_once_and_a_command(capsys):
    page, named, shown = printed(capsys, "map"), text.modules(), demonstrated()
    names = [name for _, chapters in LECTURE for name in chapters]
    modules = [named[name] for name in names]
    assert all(len(found) == 1 for found in modules)
    told = [module for (module,) in modules]
    assert len(told) == len(set(told)) and set(shown) <= set(told)
    models = {chapter.module for chapter in text.chapters() if 2 <= LAYERS[chapter.package] < LAYERS["tour"]}
    assert models and not models - set(told), "give them a place in LECTURE"
    for name, module in zip(names, told):
        command = f"run {shown[module]}" if module in shown else f"read {name}"
        assert f"\n    {name:<20}python -m scratchml {command}\n" in page
    assert max(map(len, page.splitlines())) <= WIDTH


def test_a_lecture_says_where_each_equation_lives(capsys):
    page = printed(capsys, "read", "kmeans")
    assert page.startswith("k-means:") and "Symbols" in page
    function, file, line = re.search(r"\(2\)  (\w+) +(\S+):(\d+)$", page, re.MULTILINE).groups()
    with open(file, encoding="utf-8") as source:
        assert source.readlines()[int(line) - 1].startswith(f"def {function}(")


@pytest.mark.parametrize("name", ["cluster", "Cluster/", "scratchml.cluster"])
def test_a_package_goes_by_several_names(capsys, name):
    assert printed(capsys, "read", name).startswith("Clustering:")


def test_a_name_of_two_is_refused_and_each_has_one_of_its_own(capsys, monkeypatch, tmp_path):
    (tmp_path / "scratchml").mkdir()
    (tmp_path / "scratchml" / "__init__.py").write_text('"""A book."""\n__version__ = "1"\n')
    for file in ("metrics/ranking.py", "ranking/__init__.py", "ranking/trees.py", "tour/trees.py"):
        (tmp_path / "scratchml" / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "scratchml" / file).write_text(f'"""The file {file}, which says nothing."""')
    monkeypatch.setattr(text, "PACKAGE", tmp_path / "scratchml")
    with pytest.raises(SystemExit):
        main(["read", "ranking"])
    first, second = re.search(r"more than one 'ranking': (\S+), (\S+)$", capsys.readouterr().err.strip()).groups()
    assert {first, second} == {"metrics.ranking", "ranking."}
    for name, file in ((first, "metrics/ranking"), (second, "ranking/__init__"), ("trees", "ranking/trees"),
                       ("tour.trees", "tour/trees")):
        assert printed(capsys, "read", name).startswith(f"The file {file}.py")


@pytest.mark.parametrize("name", ["KMeans", "cluster.kmeans", "scratchml.cluster.kmeans", "cluster/kmeans.py"])
def test_a_chapter_goes_by_several_names(capsys, name):
    assert printed(capsys, "read", name) == printed(capsys, "READ", "kmeans")


@pytest.mark.parametrize("module", sorted({module for found in text.modules().values() for module in found}))
def test_every_module_can_be_read(capsys, monkeypatch, module):
    monkeypatch.chdir(ROOT)
    page = printed(capsys, "read", module)
    assert text.file_of(module).exists() and len(page) > 30


def test_an_equation_comes_with_its_function_definition_and_test(capsys):
    page = printed(capsys, "read", "kmeans", "3")
    chapter = next(chapter for chapter in text.chapters() if chapter.name == "kmeans")
    equation = chapter.equations[2]
    assert page.startswith(f"(3)  {equation.formula}\n")
    assert page.count(f"def {equation.function}(") == 2 and f"reference.{equation.function}(" in page
    for place in ("scratchml/cluster/kmeans.py", "tests/reference/kmeans.py", "tests/cluster/test_kmeans.py"):
        assert place in page


def test_an_installation_without_tests_says_so(capsys, monkeypatch, tmp_path):
    shutil.copytree(text.PACKAGE, tmp_path / "scratchml", ignore=shutil.ignore_patterns("__pycache__", "data"))
    monkeypatch.setattr(text, "PACKAGE", tmp_path / "scratchml")
    page = printed(capsys, "read", "kmeans", "3")
    assert "def recentre(" in page and page.count("comes with the source of the project") == 2


def test_a_function_is_shown_with_its_decorators(capsys):
    page = printed(capsys, "read", "kmeans", "2")
    assert "\n@kernel\ndef assign(" in page and "\n@given(" in page


@pytest.mark.parametrize("chapter, word", [("kmeans", "its equations are (1) to (6)"), ("jit", "it has no equations")])
def test_an_equation_that_is_not_there(chapter, word):
    with pytest.raises(SystemExit, match=re.escape(word)):
        main(["read", chapter, "99"])


def test_a_pipe_that_closes_is_no_error():
    program = "import sys; from scratchml.tour.command import main; main(sys.argv[1:])"
    for arguments in ([], ["map"], ["read", "kmeans"], ["--help"], ["--version"]):
        with subprocess.Popen([sys.executable, "-W", "error", "-c", program, *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}) as running:
            running.stdout.close()                       # before it has written a word
            asks = arguments and arguments[0].startswith("--")                 # argparse itself may drop what it prints
            assert running.stderr.read() == b"" and running.wait(60) in ((0, 141) if asks else (141,))


@pytest.mark.demonstration
@pytest.mark.skipif(bool(os.environ.get("NUMBA_DISABLE_JIT")), reason="in plain Python the tour takes hours")
@pytest.mark.parametrize("name", CHAPTERS)
def test_a_demonstration_prints_a_table_and_draws(capsys, name, tmp_path):
    folder = tmp_path / "new"
    main(["run", name, *(["--plot", str(folder)] if find_spec("matplotlib") else [])])
    out, err = capsys.readouterr()
    assert out.startswith(f"{name}: ") and "measured with" in out and name in err
    assert max(map(len, out.replace(str(folder), "").splitlines())) <= WIDTH
    if find_spec("matplotlib"):
        pictures = list(folder.iterdir())
        assert pictures and all(file.read_bytes().startswith(b"\x89PNG") for file in pictures)


@pytest.mark.demonstration
@pytest.mark.skipif(bool(os.environ.get("NUMBA_DISABLE_JIT")), reason="in plain Python the tour takes hours")
def test_what_is_recorded_is_what_the_full_form_finds():
    """To half a percent of the words: elsewhere a sum may be rounded otherwise, and training takes another way."""
    done = subprocess.run([sys.executable, "-m", "scratchml", "run", "lstm", "--full"], capture_output=True, text=True,
                          encoding="utf-8", cwd=ROOT, timeout=600)
    _, *recorded = text.constants(ROOT / "scratchml" / "tour" / "lstm.py")["RECORDED"]
    found = re.findall(r"^\w+ \w+ right, 20,000 words learned +(\S+) %  ", done.stdout, re.MULTILINE)
    assert [float(figure) for figure in found] == pytest.approx([float(figure[:-2]) for figure in recorded], abs=0.5)


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_demonstration_says_what_it_shows(name):
    constants = text.constants(ROOT / "scratchml" / "tour" / f"{name}.py")
    assert len(text.modules()[constants["CHAPTER"].removeprefix("scratchml.")]) == 1 and constants["DATA"]
    assert len(constants["__doc__"].splitlines()[0]) <= WIDTH + 20
    for value in constants.values():
        if isinstance(value, tuple) and value and re.fullmatch(r"\d{4}-\d\d-\d\d", str(value[0])):
            assert date.fromisoformat(value[0]) <= date.today()


def test_pictures_without_matplotlib_say_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(SystemExit, match=r'pip install "scratchml\[tour\]"'):
        main(["run", "kmeans", "--plot", str(tmp_path)])


@pytest.mark.skipif(not find_spec("matplotlib"), reason="needs matplotlib")
@pytest.mark.parametrize("place", ["file", "file/below"])
def test_pictures_cannot_go_into_a_file(tmp_path, place):
    (tmp_path / "file").write_text("kept")
    with pytest.raises(SystemExit, match="pictures go into a folder, and .* cannot be one"):
        main(["run", "kmeans", "--plot", str(tmp_path / place)])
    assert (tmp_path / "file").read_text() == "kept"


@pytest.mark.parametrize("arguments, message", [
    (["run", "kmaens"], "there is no 'kmaens'; is it one of kmeans"),
    (["read", "kmaens"], "there is no 'kmaens'; is it one of kmeans"),
    (["read", "qqq"], "is it one of kmeans"),
    (["run", "--seed", "-1"], "expected a whole number"),
    (["read", "kmeans", "two"], "expected a whole number"),
])
def test_a_wrong_word_is_named(capsys, arguments, message):
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert message in capsys.readouterr().err


def test_a_window_without_greek_letters_is_no_error(tmp_path):
    program = "from scratchml.tour.command import main; main(['read', 'kmeans'])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, encoding="ascii",
                          env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"}, timeout=120)
    assert done.returncode == 0 and not done.stderr and "c_k = ? w_i x_i" in done.stdout.replace("?_i [y_i = k] ", "? ")


def test_a_run_has_one_thread_for_products_unless_told_otherwise(monkeypatch, capsys):
    monkeypatch.setattr(os, "environ", {"OPENBLAS_NUM_THREADS": "3"})
    seen = {}
    monkeypatch.setattr("importlib.import_module", lambda name: seen.update(os.environ) or Demonstration)
    main(["run", "kmeans"])
    assert (seen["OPENBLAS_NUM_THREADS"], seen["MKL_NUM_THREADS"]) == ("3", "1")
    out = capsys.readouterr().out
    assert out.startswith("kmeans: A demonstration") and "\n\ndata: none\n" in out
    assert max(map(len, out.splitlines())) <= WIDTH


class Demonstration:
    """A demonstration that has, as some of them have, a first line of more characters than a window has columns."""
    DATA = "none"

    def run(seed, pictures, full):
        yield Row("one", "1")


def test_the_version(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"scratchml {scratchml.__version__}\n"


def test_what_is_recorded_is_marked():
    rows = [Row("a", "1.0", "2", "x 1", 0.5), Row("longer", "100.25", "3", "yy 22", recorded="2026-01-02")]
    assert table(rows).splitlines() == [
        "measure     ours  compare  measured with  seconds",
        "-------  -------  -------  -------------  -------",
        "a            1.0        2  x 1               0.50",
        "longer   100.25*        3  yy 22",
        "* recorded on 2026-01-02, with --full",
    ]


def test_a_long_measure_is_folded():
    lines = table([Row("word " * 30, "1", "", "package " * 4, 1.0)]).splitlines()
    assert len(lines) > 4 and max(map(len, lines)) <= WIDTH
    assert lines[-1].startswith("  word") and lines[-1].endswith("1.00")


def test_columns_are_as_wide_as_their_longest_word():
    assert columns([("a", "bb", ""), ("ccc", "d", "e")]) == ["a    bb", "ccc  d   e"]
