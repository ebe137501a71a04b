"""README.md runs: its Python in order, as one program; its commands exist."""
import doctest
import itertools
import os
import re
import shlex
import subprocess
import sys
import tomllib

import pytest

import scratchml
from scratchml import tour
from scratchml.tour import text
from scratchml.tour.lecture import LECTURE
from tests.textbook.source import ROOT

README = ROOT / "README.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# at once
SHORT = re.compile(r"python -m (scratchml|benchmarks)( .*)? --help|python -m scratchml( map| read \w+( \d+)?)?")


def blocks(*languages):
    """(line, text) of every fenced block in one of the languages."""
    readme = README.read_text(encoding="utf-8") if README.exists() else ""
    return [(readme[:m.start()].count("\n") + 2, m[2]) for m in BLOCK.finditer(readme) if m[1] in languages]


def commands():
    """Every command of the sh blocks, without prompt, comment and settings: `A=1 pytest && ls  # why` has two."""
    for _, block in blocks("sh", "bash", "console"):
        for line in block.splitlines():
            words = shlex.split(line.removeprefix("$ "), comments=True)
            for connected, command in itertools.groupby(words, lambda word: word == "&&"):
                command = list(itertools.dropwhile(lambda word: re.match(r"[A-Z_]+=", word), command))
                if command and not connected:
                    yield shlex.join(command)


def inline_commands():
    """Every command that stands in a line of text, between backquotes."""
    return re.findall(r"`(python -m [^`]+)`", README.read_text(encoding="utf-8"))


def test_it_shows_programs_and_commands():
    assert blocks("python") and list(commands())


def test_its_programs_run_in_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace, complaints = {"__name__": "readme"}, []
    for line, block in blocks("python"):
        if ">>>" in block:
            example = doctest.DocTestParser().get_doctest(block, {}, "README", str(README), line - 1)
            example.globs = namespace
            doctest.DocTestRunner(verbose=False).run(example, out=complaints.append, clear_globs=False)
        else:
            exec(compile("\n" * (line - 1) + block, str(README), "exec"), namespace)
    assert not complaints, "".join(complaints)


@pytest.mark.parametrize("command", sorted({*commands(), *inline_commands()}))
def test_its_commands_exist(command, tmp_path):
    if SHORT.fullmatch(command):
        return run(shlex.split(command), tmp_path)
    words = [word for word in shlex.split(command) if word not in {"python", "-m"}]
    plain = list(itertools.takewhile(lambda word: not word.startswith("-"), words))
    match plain:
        case ["git", "clone", _] | ["cd", _]:
            pass
        case ["pip", "install", *what]:
            asked = re.findall(r"[\w-]+", " ".join(re.findall(r"\[(.*?)\]", " ".join(words))))
            settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
            assert set(asked) <= set(settings["project"]["optional-dependencies"]) and len(words) > 2
        case ["scratchml", "run", *names]:
            assert set(names) <= set(tour.CHAPTERS)
        case ["pytest", *paths]:
            assert all((ROOT / path.split("::")[0]).exists() for path in paths)
        case [module] if module.startswith("scratchml.tour."):
            assert "__main__" in (ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")
        case ["benchmarks", *chapters]:
            assert all((ROOT / "benchmarks" / f"bench_{chapter}.py").exists() for chapter in chapters)
        case _:
            pytest.fail(f"{command}: not a command that README.md may ask for")


def test_its_paths_and_links_exist():
    readme = README.read_text(encoding="utf-8")
    paths = re.findall(r"`((?:scratchml|tests|benchmarks)/[\w/.]*)`", readme)
    paths += re.findall(r"\]\((?!http)([^)#]+)\)", readme)
    assert len(paths) > 20 and not [path for path in paths if not (ROOT / path).exists()]


def test_its_index_is_the_lecture():
    rows = ["| topic | chapters |", "|---|---|"]
    for topic, chapters in LECTURE:
        files = [text.file_of(text.modules()[name][0]).relative_to(ROOT).as_posix() for name in chapters]
        rows.append(f"| {topic} | {', '.join(f'[{name}]({file})' for name, file in zip(chapters, files))} |")
    index = "\n".join(rows)
    assert f"\n\n{index}\n\n" in README.read_text(encoding="utf-8"), f"README's index should be\n{index}"


def test_its_picture_is_small_and_can_be_made_again():
    picture = ROOT / "scratchml" / "tour" / "pictures" / "cover.png"
    assert picture.read_bytes().startswith(b"\x89PNG") and picture.stat().st_size < 100_000
    assert {"scratchml.tour.cover"} <= {word for command in inline_commands() for word in command.split()}


def test_its_version_is_ours():
    assert f"version = {{{scratchml.__version__}}}" in README.read_text(encoding="utf-8")


def run(words, folder):
    done = subprocess.run([sys.executable, "-W", "error", *words[1:]], cwd=folder, capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=120)
    assert done.returncode == 0 and done.stdout and not done.stderr, done.stderr
