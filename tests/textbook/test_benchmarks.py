"""The bench files are complete, and their harness compares what it times."""
import importlib
import json

import numpy as np
import pytest

from benchmarks import OURS, Case, Growth, __main__ as harness, close, missing, peer, readme
from tests.textbook.source import MODULES


def twice(x):
    return 2 * x


@peer("a_package_that_is_not_there")
def absent(x):
    raise AssertionError("it was called all the same")


CASE = Case("doubling", lambda: (3.0,),
            {"formula": lambda x: x + x, OURS: twice, "wrong": lambda x: x**2, "absent": absent})


@pytest.mark.parametrize("chapter", harness.CHAPTERS)
def test_a_bench_file_belongs_to_a_chapter_and_lets_ours_take_part(chapter):
    assert any(module.endswith(f".{chapter}") for module in MODULES)
    module = importlib.import_module(f"benchmarks.bench_{chapter}")
    assert module.__doc__ and module.test_contender
    names = [case.name for case in module.CASES]
    assert len(names) == len(set(names)) and all(OURS in case.contenders for case in module.CASES)


def test_who_disagrees_or_is_absent_is_named_and_not_timed(monkeypatch):
    monkeypatch.setattr(harness, "SECONDS", 0)
    medians, words = harness.race([CASE])
    assert {name for _, name in medians} == {"formula", OURS} and all(seconds > 0 for seconds, _ in medians.values())
    assert words[CASE, "wrong"].startswith("DISAGREES") and "a_package_that_is_not_there" in words[CASE, "absent"]


def test_closeness_looks_at_every_part():
    close()((1.0, [2.0]), (1.0, [2.0]))
    for theirs in [(1.0, [2.1]), (1.1, [2.0]), (1.0,)]:
        with pytest.raises((AssertionError, ValueError)):
            close()(theirs, (1.0, [2.0]))


def test_growth_makes_a_case_of_each_size():
    growth = Growth("doubling", lambda n: (n,), {OURS: twice}, (1, 10), stated=0)
    assert [case.data() for case in growth.cases()] == [(1,), (10,)]


@pytest.mark.parametrize("theirs, n", [
    ([4, 5, 6, 7], "7"), ([4, 4, 4, 4], "4"), ([40, 40, 40, 40], "40"), ([10, 3, 3, 3], "3"), ([2, 4, 8, 16], "never"),
    ([2, 1, 8, 7], "7"), ([0.5, 0.5, 1, 2], "the start"), ([0.5, 4, 8, 16], "never"), ([0.5, 1, 2, 9], "never"),
])
def test_who_overtakes_us_and_when(theirs, n):
    assert harness.overtakes((1, 2, 4, 8), np.array([1, 2, 4, 8]), theirs) == n


def test_a_contender_without_a_package_to_miss_is_there():
    assert missing(twice) is None and missing(peer("json")(twice)) is None


@pytest.mark.parametrize("seconds, words", [(12.34, "12.3 s"), (0.0123, "12.3 ms"), (1e-5, "10 µs"), (3e-9, "3 ns")])
def test_durations_read_well(seconds, words):
    assert harness.duration(seconds) == words


# --- README's table

RECORD = {"date": "2026-01-02", "machine": "x", "cores": 2, "python": "3", "numpy": "2", "numba": "0",
          "rows": [{"what": "sorting", "ours": 0.5, "theirs": 1.25, "library": "other 1.0"}]}


def test_readme_shows_what_the_command_last_recorded():
    text = readme.README.read_text(encoding="utf-8")
    record = json.loads(readme.RECORD.read_text(encoding="utf-8"))
    assert readme.START + readme.rendered(record) + readme.END in text
    assert [row["what"] for row in record["rows"]] == [what for what, *_ in readme.TEN]


def test_the_ten_are_cases_that_there_are():
    for _, chapter, begins, contenders, _ in readme.TEN:
        case = next(case for case in harness.bench_file(chapter).CASES if case.name.startswith(begins))
        assert set(contenders) <= set(case.contenders)
    assert len(readme.TEN) == 10


def test_a_record_takes_the_place_of_the_last(tmp_path, monkeypatch):
    monkeypatch.setattr(readme, "README", tmp_path / "README.md")
    monkeypatch.setattr(readme, "RECORD", tmp_path / "readme.json")
    (tmp_path / "README.md").write_text(f"before\n{readme.START}old\n{readme.END}\nafter\n")
    readme.write(RECORD)
    text = (tmp_path / "README.md").read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "old" not in text
    assert "| sorting | 500 ms | 1.25 s | other 1.0 | 2.5 |" in text and "2026-01-02" in text
    assert json.loads((tmp_path / "readme.json").read_text()) == RECORD
    readme.write(RECORD)
    assert (tmp_path / "README.md").read_text() == text
    (tmp_path / "README.md").write_text("no place")
    with pytest.raises(SystemExit, match="no place for the table"):
        readme.write(RECORD)


def test_without_a_library_readme_stays_as_it_is(monkeypatch):
    monkeypatch.setattr(readme, "TEN", (("doubling", "kmeans", "doubling", ("absent",), "other"),))
    monkeypatch.setattr(readme, "bench_file", lambda chapter: type("file", (), {"CASES": [CASE]}))
    monkeypatch.setattr(harness, "SECONDS", 0)
    with pytest.raises(SystemExit, match="README.md stays as it is. doubling: absent: skipped"):
        readme.measure()
