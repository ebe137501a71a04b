"""The rows that a demonstration prints."""
import time
from typing import NamedTuple


class Row(NamedTuple):
    """One measure: what we found, and what another package found, named with its version."""
    measure: str
    ours: str
    reference: str
    package: str
    seconds: float


def timed(function, *arguments, **named):
    """What `function` returns, and the seconds that it took."""
    start = time.perf_counter()
    result = function(*arguments, **named)
    return result, time.perf_counter() - start


def table(rows):
    """The rows as text, a column each, the numbers to the right."""
    cells = [("measure", "ours", "reference", "measured with", "seconds"),
             *((*row[:4], f"{row.seconds:.3f}") for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(5)]
    lines = ["  ".join((c.ljust if column in (0, 3) else c.rjust)(w) for column, (c, w) in enumerate(zip(line, widths)))
             for line in cells]
    return "\n".join(line.rstrip() for line in [lines[0], "  ".join("-" * w for w in widths), *lines[1:]])
