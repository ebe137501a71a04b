"""What a demonstration yields: rows of a table, and examples for a person to look at."""
import textwrap
import time
from typing import NamedTuple

WIDTH = 100
HEADS = ("measure", "ours", "compare", "measured with", "seconds")


class Row(NamedTuple):
    """One measure: what we found, and what there is to compare with, named with what found it.

    `recorded` is the day on which the full form of the demonstration found it; "" for what was found just now.
    """
    measure: str
    ours: str
    reference: str = ""
    package: str = ""
    seconds: float | None = None                         # None: it took none of its own
    recorded: str = ""


class Example(NamedTuple):
    """A few lines that a person reads, under a heading."""
    heading: str
    lines: list


def timed(function, *arguments, **named):
    """What `function` returns, and the seconds that it took."""
    start = time.perf_counter()
    result = function(*arguments, **named)
    return result, time.perf_counter() - start


def columns(lines):
    """Tuples of words as lines of text, a column a place, as wide as its longest word."""
    widths = [max(map(len, words)) for words in zip(*lines)]
    return ["  ".join(word.ljust(width) for word, width in zip(line, widths)).rstrip() for line in lines]


def table(rows):
    """The rows as text of at most WIDTH columns: numbers to the right, long measures folded."""
    cells = [HEADS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(5)]
    widths[0] = min(widths[0], WIDTH - sum(widths[1:]) - 8)
    lines = []
    for cell in [cells[0], tuple("-" * width for width in widths), *cells[1:]]:
        *before, last = textwrap.wrap(cell[0], widths[0], subsequent_indent="  ") or [""]
        lines += before
        rest = [(str.ljust if column == 3 else str.rjust)(cell[column], widths[column]) for column in range(1, 5)]
        lines.append("  ".join([last.ljust(widths[0]), *rest]).rstrip())
    days = sorted({row.recorded for row in rows} - {""})
    return "\n".join(lines + [f"* recorded on {day}, with --full" for day in days])


def _cells(row):
    seconds = "" if row.seconds is None else f"{row.seconds:.2f}"
    return row.measure, row.ours + "*" * bool(row.recorded), row.reference, row.package, seconds
