"""`python -m benchmarks`: runs the bench files and prints tables.  The package's docstring says how it measures."""
import argparse
import importlib
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import nullcontext
from pathlib import Path

import numpy as np

from benchmarks import OURS, Growth, missing

HERE = Path(__file__).parent
CHAPTERS = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
SECONDS, ROUNDS, SAMPLE = 10.0, 15, 0.005                # of a race; its most rounds; the least time worth a reading

try:
    from threadpoolctl import threadpool_limits
    THREADS = sorted({1, 2, os.cpu_count()})
except ImportError:
    THREADS = [None]


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Formula, ours and peers, side by side.")
    parser.add_argument("chapter", nargs="*", help=f"any of {', '.join(CHAPTERS)}; all if none is given")
    parser.add_argument("--times", action="store_true", help="medians alone, no fresh processes")
    parser.add_argument("--fresh", nargs=2, help=argparse.SUPPRESS)              # what those are asked: case, contender
    parser.add_argument("--plot", metavar="DIR", help="draw time against n there, too (needs matplotlib)")
    parser.add_argument("--readme", action="store_true", help="time the ten of README.md and write its table")
    options = parser.parse_args()
    options.chapter = [name.lower() for name in options.chapter]
    if options.readme:
        from benchmarks import readme
        readme.write(readme.measure())
        return
    if unknown := set(options.chapter) - set(CHAPTERS):
        parser.error(f"no bench file for {', '.join(sorted(unknown))}; there are {', '.join(CHAPTERS)}")
    if options.fresh:
        number, contender = options.fresh
        print(json.dumps(first_and_second_call(bench_file(options.chapter[0]).CASES[int(number)], contender)))
        return
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, {os.cpu_count()} cores"
          + ("" if THREADS[0] else "; threadpoolctl is missing, so BLAS threads stay as they are"))
    words = []
    for chapter in options.chapter or CHAPTERS:
        print(f"\n{chapter}: {bench_file(chapter).__doc__.splitlines()[0]}")
        for number, case in enumerate(bench_file(chapter).CASES):
            words += show_growth(case, options.plot) if isinstance(case, Growth) else \
                show_case(case, None if options.times else (chapter, number))
    sys.exit(any(word.startswith("DISAGREES") for word in words))


def bench_file(chapter):
    return importlib.import_module(f"benchmarks.bench_{chapter}")


# --- measuring


def race(cases):
    """Contenders take turns: {(case, name): (median seconds, BLAS threads)}, and {(case, name): why it did not run}."""
    runners, words = [], {}
    for case in cases:
        arguments = case.data()
        ours = case.contenders[OURS](*arguments)
        for name, function in case.contenders.items():
            if word := missing(function) or disagreement(case, function(*arguments), ours):
                words[case, name] = word
            else:
                runners += [((case, name), function, arguments, threads) for threads in THREADS]
    repeats = [max(1, int(SAMPLE / reading(*runner[1:], 1))) for runner in runners]
    readings, start, rounds = defaultdict(list), time.perf_counter(), 0
    while rounds < 3 or rounds < ROUNDS and time.perf_counter() - start < SECONDS:
        for (key, function, arguments, threads), repeat in zip(runners, repeats):
            readings[key, threads].append(reading(function, arguments, threads, repeat))
        rounds += 1
    best = {}
    for (key, threads), seconds in readings.items():
        best[key] = min(best.get(key, (np.inf, None)), (float(np.median(seconds)), threads), key=lambda one: one[0])
    return best, words


def disagreement(case, theirs, ours):
    """None if the results agree, else the message of the comparison in one line."""
    try:
        case.agree(theirs, ours)
    except AssertionError as error:
        return "DISAGREES: " + " ".join(str(error).split())[:200]


def reading(function, arguments, threads, repeat):
    """Seconds of one call, the mean of `repeat`."""
    with threadpool_limits(threads, user_api="blas") if threads else nullcontext():
        start = time.perf_counter()
        for _ in range(repeat):
            function(*arguments)
        return (time.perf_counter() - start) / repeat


def fresh_processes(chapter, number, contender):
    """Seconds of the first call without and with a cache of compiled code, and bytes at the peak of a second call."""
    command = [sys.executable, "-m", "benchmarks", chapter, "--fresh", str(number), contender]
    with tempfile.TemporaryDirectory() as folder:
        settings = {**os.environ, "NUMBA_CACHE_DIR": folder}
        compiled, _ = json.loads(subprocess.check_output(command, cwd=HERE.parent, env=settings))
        settings["MALLOC_MMAP_THRESHOLD_"] = "65536"     # glibc gives freed memory back at once, so it is not missed
        return compiled, *json.loads(subprocess.check_output(command, cwd=HERE.parent, env=settings))


def first_and_second_call(case, contender):
    """Seconds of the first call in this process, and bytes that the second holds beyond what stays from the first."""
    function = case.contenders[contender]
    missing(function)                                    # imports the peer: that is not part of its first call
    arguments = case.data()
    held, start = peak_memory(), time.perf_counter()
    function(*arguments)
    seconds = time.perf_counter() - start
    try:
        Path("/proc/self/clear_refs").write_text("5")    # Linux: lowers the peak to what is held now
        held = peak_memory()
    except OSError:
        pass                                             # elsewhere the first call's compiler counts too
    function(*arguments)
    return seconds, peak_memory() - held


def peak_memory():
    """The most bytes that this process has held.  On Linux getrusage would count what its parent held at the start."""
    try:
        return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) * 1024
    except OSError:
        import resource
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


# --- printing


def show_case(case, place):
    """A row a contender; `place` is (chapter, number of the case) for fresh processes, None for none."""
    medians, words = race([case])
    heads = f"{'compiled':>12}{'cached':>10}{'memory':>12}" if place else ""
    print(f"\n  {case.name}\n    {'':20}{'median':>10}{'ratio':>8}{heads}")
    for name in case.contenders:
        if (case, name) in words:
            print(f"    {name:20}  {words[case, name]}")
            continue
        seconds, threads = medians[case, name]
        row = f"    {name:20}{duration(seconds):>10}{seconds / medians[case, OURS][0]:>8.2f}"
        if place:
            compiled, cached, peak = fresh_processes(*place, name)
            row += f"{duration(compiled):>12}{duration(cached):>10}{peak / 1e6:>9.1f} MB"
        print(row + (f"   BLAS threads: {threads}" if threads else ""), flush=True)
    return words.values()


def show_growth(growth, folder):
    """A column a contender, a row a size, the slope of the line through log time over log n, and who overtakes ours
    when.

    The same as a picture into `folder`, unless that is None.
    """
    cases = growth.cases()
    medians, words = race(cases)
    names = [name for name in growth.contenders if all((case, name) in medians for case in cases)]
    table = np.array([[medians[case, name][0] for name in names] for case in cases])         # (sizes, names)
    slopes = np.polyfit(np.log(growth.sizes), np.log(table), 1)[0]
    print(f"\n  {growth.name}\n    {'n':>12}" + "".join(f"{name:>20}" for name in names))
    for n, row in zip(growth.sizes, table):
        print(f"    {n:>12,}" + "".join(f"{duration(seconds):>20}" for seconds in row))
    print(f"    {'exponent':>12}" + "".join(f"{slope:>20.2f}" for slope in slopes) + f"   stated: {growth.stated:g}")
    overtaken = [overtakes(growth.sizes, table[:, names.index(OURS)], column) for column in table.T]
    print(f"    {'faster from':>12}" + "".join(f"{n if name != OURS else '':>20}" for name, n in zip(names, overtaken)))
    if folder:
        draw_growth(growth, names, table, folder)
    for name, word in sorted({(name, word) for (_, name), word in words.items()}):
        print(f"    {name:20}  {word}")
    return words.values()


def overtakes(sizes, ours, theirs):
    """From which n on they are faster, by the line through the two sizes between which that happens, or the last
    two."""
    n, behind = np.log(sizes), np.log(np.asarray(theirs) / ours)
    if (behind < 0).all():
        return "the start"
    k = min(len(n) - 1, 1 + np.flatnonzero(behind >= 0)[-1])
    slope = (behind[k] - behind[k - 1]) / (n[k] - n[k - 1])
    return f"{float(f'{np.exp(n[k] - behind[k] / slope):.2g}'):,.0f}" if slope < 0 else "never"


def draw_growth(growth, names, table, folder):
    from matplotlib.figure import Figure
    axes = Figure(figsize=(6, 4.5), layout="constrained").add_subplot(
        xscale="log", yscale="log", xlabel="n", ylabel="seconds", title=growth.name)
    for name, column in zip(names, table.T):
        axes.plot(growth.sizes, column, "o-", label=name)
    axes.legend()
    Path(folder).mkdir(parents=True, exist_ok=True)
    axes.figure.savefig(Path(folder) / f"{re.sub(r'[^a-z0-9]+', '_', growth.name.lower())}.png", dpi=150)


def duration(seconds):
    scale, unit = next((scale, unit) for scale, unit in [(1, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")]
                       if seconds >= scale or unit == "ns")
    return f"{seconds / scale:.3g} {unit}"


if __name__ == "__main__":
    try:
        main()
        sys.stdout.flush()
    except BrokenPipeError:                              # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except KeyboardInterrupt:
        sys.exit(130)
