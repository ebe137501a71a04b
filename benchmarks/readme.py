"""The ten timings of README.md: measured, recorded in readme.json beside this file, and written as README's table."""
import json
import platform
import re
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np

from benchmarks import OURS
from benchmarks.__main__ import bench_file, duration, race
from scratchml.core.jit import n_threads

HERE = Path(__file__).parent
RECORD, README = HERE / "readme.json", HERE.parent / "README.md"
START, END = "<!-- timings: python -m benchmarks --readme -->\n", "<!-- end of timings -->"

# What it is called there, its chapter, how the case's name begins, and the contenders and the library that they are of.
TEN = (
    ("k-means, 200,000 × 16, K = 64", "kmeans", "200,000 x 16", ("scikit-learn",), "scikit-learn"),
    ("Gaussian mixture, full, 50,000 × 16", "gmm", "full, 50,000", ("scikit-learn",), "scikit-learn"),
    ("PCA, 20,000 × 256", "pca", "20,000 x 256", ("scikit-learn",), "scikit-learn"),
    ("t-SNE, 1,797 digits, exact against Barnes-Hut", "tsne", "digits, 1,797 x 64, whole fit", ("scikit-learn BH",),
     "scikit-learn"),
    ("t-SNE, 1,797 digits, exact against FFT", "tsne", "digits, 1,797 x 64, whole fit", ("openTSNE",), "openTSNE"),
    ("CRF, 25 iterations of L-BFGS", "tagger", "fit, 25", ("python-crfsuite",), "python-crfsuite"),
    ("ALS, a million entries, 64 factors", "als", "6,040 x 3,706, 1,000,000 entries, 64 factors, 10 iterations, "
                                                  "Cholesky",
     ("implicit",), "implicit"),
    ("LSTM, batch 32, forward and backward", "lstm", "LSTM, (batch, time, input, hidden) = (32, 50, 64, 128)",
     ("PyTorch",),
     "torch"),
    ("multi-head attention, forward and backward", "attention", "a layer, batch 32",
     ("PyTorch, 2 threads", "PyTorch, 1 thread"), "torch"),
    ("layer normalisation, 4,096 × 256, forward and backward", "layers", "LayerNorm",
     ("PyTorch, 2 threads", "PyTorch, 1 thread"), "torch"),
)


def measure():
    """Time the ten, each in one race, and return the record.  Raises SystemExit where a library is missing or
    disagrees."""
    rows, raced = [], {}
    for what, chapter, begins, contenders, package in TEN:
        case = next(case for case in bench_file(chapter).CASES if case.name.startswith(begins))
        if case not in raced:
            raced[case] = race([case])
        medians, words = raced[case]
        if wrong := [f"{name}: {words[case, name]}" for name in contenders if (case, name) in words]:
            raise SystemExit(f"README.md stays as it is. {what}: {'; '.join(wrong)}")
        ours, theirs = medians[case, OURS][0], min(medians[case, name][0] for name in contenders)
        rows.append({"what": what, "ours": ours, "theirs": theirs, "library": f"{package} {version(package)}"})
        print(f"{what}: {theirs / ours:.2f}", flush=True)
    return {"date": date.today().isoformat(), "machine": f"{processor()}, {platform.machine()}", "cores": n_threads(),
            "python": platform.python_version(), "numpy": np.__version__, "numba": version("numba"), "rows": rows}


def processor():
    """Its name; on Linux platform knows none."""
    try:
        return re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())[1].strip()
    except (OSError, TypeError):
        return platform.processor() or "a processor without a name"


def rendered(record):
    """The record as README's table."""
    lines = ["| | ours | theirs | | speedup |", "|---|---:|---:|---|---:|"]
    for row in record["rows"]:
        lines.append(f"| {row['what']} | {duration(row['ours'])} | {duration(row['theirs'])} | {row['library']} "
                     f"| {row['theirs'] / row['ours']:.2g} |")
    return "\n".join([*lines, "", f"Medians of runs in turn on {record['date']}, without compiling, ours and theirs "
                                  "each at its best of one and "
                      f"two BLAS threads: {record['machine']}, {record['cores']} cores, Python {record['python']}, "
                      f"NumPy {record['numpy']}, Numba {record['numba']}. Below 1 we lose.", ""])


def write(record):
    """Keep the record, and put its table between the marks in README.md."""
    text = README.read_text(encoding="utf-8")
    if START not in text or END not in text.partition(START)[2]:
        raise SystemExit(f"README.md has no place for the table, between {START.strip()} and {END}")
    before, _, rest = text.partition(START)
    README.write_text(before + START + rendered(record) + END + rest.partition(END)[2], encoding="utf-8")
    RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
