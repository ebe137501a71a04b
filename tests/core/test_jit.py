"""Kernels, their cache and the threads: what must hold whatever goes wrong around them.

What needs a process of its own gets one: forks, Ctrl-C, caches.
"""
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import weakref
import zipfile
from pathlib import Path

import numba
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.cluster import KMeans, kmeans
from scratchml.core import jit
from scratchml.core.jit import kernel, n_threads, partial_sums, readable, run_chunks
from tests.strategies.distances import table
from tests.textbook.source import MODULES, imports

ROOT = Path(jit.__file__).parents[2]
compiled = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled with NUMBA_DISABLE_JIT=1")
posix = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


class threads:
    """Within it, SCRATCHML_NUM_THREADS is n."""

    def __init__(self, n):
        self.n = n

    def __enter__(self):
        self.before = os.environ.get("SCRATCHML_NUM_THREADS")
        os.environ["SCRATCHML_NUM_THREADS"] = str(self.n)

    def __exit__(self, *error):
        del os.environ["SCRATCHML_NUM_THREADS"]
        if self.before is not None:
            os.environ["SCRATCHML_NUM_THREADS"] = self.before


def bits(model):
    return model.cluster_centers_.tobytes(), model.labels_.tobytes(), model.inertia_


# --- chunks

@given(st.integers(0, 200), st.integers(1, 50), st.sampled_from([1, 2, 5]))
def test_chunks_cover_the_range_once_and_do_not_depend_on_threads(n, chunk, n_threads):
    seen = []
    with threads(n_threads):
        run_chunks(lambda c, start, stop, *rest: seen.append((c, start, stop, rest)), n, "x", 7, chunk=chunk)
    assert sorted(seen) == [(c, start, min(start + chunk, n), ("x", 7)) for c, start in enumerate(range(0, n, chunk))]


@given(st.integers(0, 40), st.integers(1, 9), st.lists(st.integers(1, 30), min_size=1, max_size=3))
def test_sums_of_two_chunks_share_no_line_of_the_cache(n, chunk, shape):
    sums = partial_sums(n, chunk, *shape)
    assert len(sums) == -(-n // chunk) and sums.shape[2:] == tuple(shape[1:]) and not sums.any()
    assert sums.flags.c_contiguous and sums.dtype == np.float64
    for one, other in zip(sums[:, :shape[0]], sums[1:]):
        assert other.ctypes.data - (one.ctypes.data + one.nbytes) >= 128


def test_as_many_threads_work_as_were_asked_for_also_later():
    for n in (2, 5, 3):
        together, alone = threading.Barrier(n, timeout=60), threading.Barrier(n + 1)
        with threads(n):
            run_chunks(lambda c, start, stop: together.wait(), n, chunk=1)       # fewer would wait in vain
            with pytest.raises(threading.BrokenBarrierError):
                run_chunks(lambda c, start, stop: alone.wait(0.05), n + 1, chunk=1)


def test_one_thread_is_the_callers_own():
    seen = set()
    with threads(1):
        run_chunks(lambda c, start, stop: seen.add(threading.get_ident()), 9, chunk=1)
    with threads(5):
        run_chunks(lambda c, start, stop: seen.add(threading.get_ident()), 9, chunk=9)
    assert seen == {threading.get_ident()}


def test_what_runs_inside_a_chunk_runs_in_its_thread():
    outer, inner = {}, {}

    def inside(c, start, stop, parent):
        time.sleep(0.002)                                # time enough for others to come in
        inner.setdefault(parent, []).append((c, threading.get_ident()))

    def outside(c, start, stop):
        outer[c] = threading.get_ident()
        run_chunks(inside, 4, c, chunk=1)
        run_chunks(inside, 4, c, chunk=1)

    with threads(6):
        run_chunks(outside, 2, chunk=1)                  # four threads are left over
    assert inner == {c: [(i, outer[c]) for i in (0, 1, 2, 3, 0, 1, 2, 3)] for c in range(2)}


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("n", [1, 2, 5])
def test_an_error_stops_the_work_and_comes_out(n, error):
    for wrong in (0, 3, 99):
        seen = []

        def work(c, start, stop):
            time.sleep(0.001)
            seen.append(c)
            if c == wrong:
                raise error(f"chunk {c}")

        with threads(n), pytest.raises(error, match=f"chunk {wrong}"):
            run_chunks(work, 100, chunk=1)
        then = len(seen)
        assert wrong in seen and (then == wrong + 1 if n == 1 else wrong == 99 or then < 100), "the rest is left undone"
        time.sleep(0.01)
        assert len(seen) == then, "nothing goes on in the background"
        with threads(n):
            run_chunks(work, wrong, chunk=1)             # the next work is done as ever
        assert len(seen) == then + wrong


def test_an_error_in_a_helper_comes_out_too():
    mine, both = threading.get_ident(), threading.Barrier(2, timeout=60)

    def work(c, start, stop):
        both.wait()
        if threading.get_ident() != mine:
            raise ValueError("helper")

    with threads(2), pytest.raises(ValueError, match="helper"):
        run_chunks(work, 2, chunk=1)


def test_somebody_elses_long_work_does_not_hold_up_ours(monkeypatch):
    monkeypatch.setattr(jit, "_pool_size", 0)            # a pool with as few threads as are asked for
    monkeypatch.setattr(jit, "_pool", None)
    begun, ended, seen = threading.Barrier(3, timeout=60), threading.Event(), []
    with threads(2):
        other = threading.Thread(target=run_chunks, args=[lambda c, a, b: (begun.wait(), ended.wait(60)), 2],
                                 kwargs=dict(chunk=1))
        other.start()
        begun.wait()                                     # the other caller and the one thread of the pool are busy
        run_chunks(lambda c, start, stop: seen.append(c), 4, chunk=1)
        assert seen == [0, 1, 2, 3] and other.is_alive()
        ended.set()
        other.join(60)


class Pool:
    """One thread; who asks for more gets an error."""

    def __init__(self, error, n):
        self.error, self.n = error, n

    def submit(self, *work):
        self.n -= 1
        if self.n < 0:
            raise RuntimeError(self.error)
        return jit.ThreadPoolExecutor(1).submit(*work)


@pytest.mark.parametrize("n", [0, 1])
def test_without_threads_to_be_had(n, monkeypatch):
    def work(c, start, stop):
        time.sleep(0.002)
        seen.append(c)

    seen, pool = [], Pool("cannot schedule new futures after interpreter shutdown", n)
    monkeypatch.setattr(jit, "_workers", lambda n: pool)
    jit._lingering.clear()                               # nobody is there from before
    with threads(3):
        run_chunks(work, 50, chunk=1)
        assert sorted(seen) == list(range(50)), "who is there does it all"
        jit._lingering.clear()
        seen, pool = [], Pool("can't start new thread", n)
        with pytest.raises(RuntimeError, match="start new thread"):
            run_chunks(work, 50, chunk=1)
    then = len(seen)
    time.sleep(0.02)
    assert len(seen) == then < 50, "and who was there has stopped"


class Counted:
    """A pool that counts what it is asked for."""

    def __init__(self):
        self.pool, self.asked = jit.ThreadPoolExecutor(4), 0

    def submit(self, *work):
        self.asked += 1
        return self.pool.submit(*work)


@compiled
@pytest.mark.parametrize("n", [2, 3])
def test_a_thread_that_has_done_its_share_takes_the_next_without_being_woken(n, monkeypatch):
    pool, doers = Counted(), []

    def work(c, start, stop):
        barrier.wait()
        doers.append(threading.get_ident())

    jit._lingering.clear()                               # nobody is there from before
    monkeypatch.setattr(jit, "_workers", lambda n: pool)
    monkeypatch.setattr(jit, "LOOKS", 10**9)             # a second
    with threads(n):
        for _ in range(20):
            barrier = threading.Barrier(n, timeout=60)
            run_chunks(work, n, chunk=1)
            patience = time.monotonic() + 60
            while len(jit._lingering) < n - 1 and time.monotonic() < patience:
                time.sleep(0.001)
    assert pool.asked == n - 1 and len(doers) == 20 * n and len(set(doers)) == n
    for post in jit._lingering:
        post.bell[0] += 1                                # for nothing: they leave


def test_who_lingers_goes_to_sleep():
    with threads(3):
        run_chunks(lambda c, start, stop: time.sleep(0.001), 9, chunk=1)
    patience = time.monotonic() + 60
    while jit._lingering and time.monotonic() < patience:
        time.sleep(0.01)
    assert not jit._lingering
    with threads(3):
        seen = []
        run_chunks(lambda c, start, stop: seen.append(c), 9, chunk=1)
    assert sorted(seen) == list(range(9))


def test_a_share_is_done_once_or_called_off_and_can_be_settled_again():
    done = []
    shares = [jit._Share(lambda: done.append(1)) for _ in range(2)]
    shares[0].do()
    shares[1].settle()
    for share in shares:
        share.do()
        share.settle()
    assert done == [1]


def test_a_thread_holds_nothing_of_what_it_has_done():
    """It lingers; the arrays of the call need not."""
    x = np.zeros(1000)
    with threads(2):
        run_chunks(lambda c, start, stop, x: time.sleep(0.001), 4, x, chunk=1)
    memory = weakref.ref(x)
    del x
    assert memory() is None


def test_a_fork_forgets_the_posts_of_threads_that_it_has_not():
    jit._lingering.append(jit._Post())
    jit._forget_pool()
    assert not jit._lingering


def test_a_post_that_was_left_harms_nobody():
    """A thread went to sleep at the moment at which its post was found."""
    with threads(2):
        for _ in range(3):
            jit._lingering.append(jit._Post())
            seen = []
            run_chunks(lambda c, start, stop: seen.append(c), 9, chunk=1)
            assert sorted(seen) == list(range(9))


@pytest.mark.parametrize("n", [1, 2, 5])
def test_any_number_of_threads_gives_the_same_bits(n):
    X = table(4200, 2, 0)                                # three chunks, the last one short
    with threads(1):
        alone = bits(KMeans(3, max_iter=3, tol=1, random_state=0).fit(X))
    with threads(n):
        assert bits(KMeans(3, max_iter=3, tol=1, random_state=0).fit(X)) == alone


def test_two_threads_may_fit_at_once():
    X, wrong = table(2100, 2, 0), []
    alone = [bits(KMeans(2, max_iter=3, tol=1, random_state=seed).fit(X)) for seed in range(2)]
    start = threading.Barrier(2, timeout=60)

    def fit(seed):
        start.wait()
        for _ in range(3):
            if bits(KMeans(2, max_iter=3, tol=1, random_state=seed).fit(X)) != alone[seed]:
                wrong.append(seed)

    with threads(3):
        users = [threading.Thread(target=fit, args=[seed]) for seed in range(2)]
        for user in users:
            user.start()
        for user in users:
            user.join(60)
    assert not wrong and not any(user.is_alive() for user in users)


def test_the_number_of_threads_is_read_at_every_call(monkeypatch):
    monkeypatch.setenv("SCRATCHML_NUM_THREADS", "7")
    assert n_threads() == 7
    monkeypatch.setenv("SCRATCHML_NUM_THREADS", "")
    assert 1 <= n_threads() <= os.cpu_count()
    monkeypatch.delenv("SCRATCHML_NUM_THREADS")
    assert 1 <= n_threads() <= os.cpu_count()


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5", " ", "²", "1e3"])
def test_a_number_of_threads_that_is_none(value, monkeypatch):
    monkeypatch.setenv("SCRATCHML_NUM_THREADS", value)
    with pytest.raises(ValueError, match="SCRATCHML_NUM_THREADS=.*whole number of at least 1, or unset it") as refusal:
        run_chunks(lambda c, start, stop: None, 2, chunk=1)
    assert repr(value) in str(refusal.value)


# --- kernels

@kernel
def divided(x, y):
    return x / y


@kernel(reassociate=True)
def summed(x):
    total = 0.0
    for i in range(x.size):
        total += x[i]
    return total


@kernel(contract=True)
def largest_and_whether_any_is_nan(x):
    best, missing = -np.inf, False
    for i in range(x.size):
        best = max(best, x[i])
        missing = missing or x[i] != x[i]
    return best, missing


@kernel
def count(n):
    total = 0
    for i in range(n):
        total += i & n
    return total


@compiled
def test_division_by_zero_is_infinite():
    assert divided(1.0, 0.0) == np.inf and divided(-1.0, 0.0) == -np.inf and np.isnan(divided(0.0, 0.0))


@pytest.mark.parametrize("x", [[1.0, np.nan, 2], [np.inf, -np.inf], [np.inf, 1]])
def test_no_flag_takes_infinity_and_nan_away(x):
    x = np.tile(x, 20)
    with np.errstate(invalid="ignore"):
        np.testing.assert_equal(summed(x), x.sum())
    assert largest_and_whether_any_is_nan(x)[1] == np.isnan(x).any()
    assert largest_and_whether_any_is_nan(-np.abs(x[~np.isnan(x)]))[0] == -np.abs(x[~np.isnan(x)]).min()


def test_reordering_changes_a_sum_by_rounding_alone():
    x = table(999, 1, 0)[:, 0]
    assert abs(summed(x) - x.sum()) <= x.size * np.finfo(float).eps * np.abs(x).sum()


def test_what_may_only_be_read_is_the_same_memory_to_a_kernel():
    x = np.arange(6.0).reshape(2, 3)
    assert readable(x) is x
    x.flags.writeable = False
    seen = readable(x)
    assert seen.flags.writeable and np.shares_memory(seen, x) and not x.flags.writeable
    np.testing.assert_array_equal(seen, x)
    memory = weakref.ref(x)
    del x
    assert memory() is not None, "the view holds the memory"
    del seen
    assert memory() is None
    assert readable(np.broadcast_to(np.float32(7), (0, 3))).shape == (0, 3)


@compiled
def test_nothing_is_compiled_anew_for_what_may_only_be_read():
    X = table(50, 2, 0)
    first = KMeans(2, random_state=0).fit(X)
    before = {kernel: len(kernel.signatures) for kernel in (kmeans.recentre, kmeans.inertia)}
    X.flags.writeable = False
    again = KMeans(2, random_state=0).fit(X)
    assert bits(again) == bits(first) and before == {kernel: len(kernel.signatures) for kernel in before}


@compiled
def test_other_threads_run_while_a_kernel_does():
    count(1)
    done = threading.Event()
    worker = threading.Thread(target=lambda: (count(10**9), done.set()))
    worker.start()
    time.sleep(0.01)
    ran_beside = not done.is_set()
    worker.join(60)
    assert ran_beside and done.is_set()


@compiled
def test_only_kernels_of_the_package_are_cached():
    divided(1.0, 2.0)
    assert divided.stats.cache_path is None              # the hash does not know this file


def test_numbas_own_setting_is_left_alone(monkeypatch):
    monkeypatch.setattr(numba.config, "CACHE_DIR", "elsewhere")
    kernel(lambda x: x)
    assert numba.config.CACHE_DIR == "elsewhere"


# --- processes

def python(program, *arguments, path=ROOT, **environment):
    """What the program prints, line by line."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("NUMBA_", "SCRATCHML_"))}
    if numba.config.DISABLE_JIT:
        env["NUMBA_DISABLE_JIT"] = "1"
    done = subprocess.run([sys.executable, "-W", "error", "-c", program, *map(str, arguments)], cwd=path.parent,
                          capture_output=True, text=True, timeout=120,
                          env={**env, "PYTHONPATH": str(path), **environment})
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


FIT = """
import numpy as np
from scratchml.cluster import KMeans, kmeans
X = np.random.default_rng(0).normal(size=(2100, 2))

def fit():
    model = KMeans(2, max_iter=3, tol=1, random_state=0).fit(X)
    return model.cluster_centers_.tobytes(), model.labels_.tobytes()
"""
FORK = FIT + """
import os, signal, threading, time, warnings
from scratchml.core import jit
warnings.simplefilter("ignore", DeprecationWarning)      # Python warns of a fork beside other threads: our very case
before = fit()
with jit._pool_lock:                                     # as if another thread had just been there
    child = os.fork()
if child == 0:
    together = threading.Barrier(2, timeout=30)
    jit.run_chunks(lambda c, start, stop: together.wait(), 2, chunk=1)       # it has threads of its own
    os._exit(0 if fit() == before else 3)
until = time.monotonic() + 60
while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0) and time.monotonic() < until:
    time.sleep(0.01)
if ended == (0, 0):
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
print("hangs" if ended == (0, 0) else os.waitstatus_to_exitcode(ended[1]), fit() == before)
"""
OUTLIVE = FIT + """
import threading, time

def later():
    time.sleep(0.2)
    print(fit() == before)

before = fit()
threading.Thread(target=later).start()                   # the program ends here, the thread goes on
"""
INTERRUPT = """
import numpy as np, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)     # a shell's background jobs are started without it
from scratchml.cluster import KMeans, kmeans
from scratchml.cluster.kmeans import inertia
X = np.random.default_rng(0).random((100_000, 16))
start = X[:64].copy()

def look(progress):
    if progress.iteration == 3:
        print("running", flush=True)

model = KMeans(64, init=start, tol=0, max_iter=10**6, callback=look)
short = KMeans(3, init=start[:3], max_iter=2, tol=1e3).fit(X[:5000])
try:
    model.fit(X)
except KeyboardInterrupt:
    print("interrupted", flush=True)
else:
    print("finished", flush=True)
history = model.inertia_history_
assert model.n_iter_ == len(history) - 1 >= 3 and history[-1] == model.inertia_
assert (model.predict(X) == model.labels_).all()
J = inertia(X, np.ones(len(X)), model.cluster_centers_, model.labels_)
assert abs(J - model.inertia_) < 1e-9 * J
again = KMeans(3, init=start[:3], max_iter=2, tol=1e3).fit(X[:5000])
assert again.cluster_centers_.tobytes() == short.cluster_centers_.tobytes()
print("whole", flush=True)
"""


@posix
def test_a_fork_can_fit():
    assert python(FORK, SCRATCHML_NUM_THREADS="2") == ["0 True"]


def test_a_thread_that_outlives_the_program_can_fit():
    assert python(OUTLIVE, SCRATCHML_NUM_THREADS="2") == ["True"]


@compiled
@posix
def test_ctrl_c_ends_a_fit_at_once_and_leaves_the_last_iteration():
    env = {**os.environ, "PYTHONPATH": str(ROOT), "SCRATCHML_NUM_THREADS": "2"}
    program = subprocess.Popen([sys.executable, "-c", INTERRUPT], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True, env=env)
    try:
        assert program.stdout.readline() == "running\n"
        time.sleep(0.05)                                 # in the midst of an iteration, which takes about as long
        start = time.monotonic()
        program.send_signal(signal.SIGINT)
        assert program.stdout.readline() == "interrupted\n"
        assert time.monotonic() - start < 5
        assert program.stdout.readline() == "whole\n", program.stderr.read()
    finally:
        program.kill()
        program.communicate()


# --- the cache

PROBE = '''
from scratchml.core.distances import squared_distance
from scratchml.core.jit import kernel


@kernel
def entry(x, i):
    return x[i]


@kernel
def near(x, y):
    return squared_distance(x, y)
'''
CACHE = """
import sys
import numpy as np
from scratchml.core.probe import entry, near

x, y = np.array([1.0, 5]), np.array([4.0, 1])
print(near(x, y), sum(near.stats.cache_hits.values()), near.stats.cache_path)
for i in map(int, sys.argv[1:]):
    try:
        entry(x, i)
        print("read")
    except IndexError:
        print("IndexError")
"""


@pytest.fixture
def package(tmp_path):
    """A folder with a copy of the package's ground floor, which has one more module."""
    copy = tmp_path / "copy" / "scratchml"
    shutil.copytree(ROOT / "scratchml" / "core", copy / "core", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "scratchml" / "__init__.py", copy)
    (copy / "core" / "probe.py").write_text(PROBE)
    return copy.parent


def contents(folder):
    return {path.relative_to(folder): (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*.nb?")}


@pytest.mark.parametrize("module", MODULES)
def test_import_statements_are_read_as_python_reads_them(module):
    file = jit.PACKAGE.parent.joinpath(*module.split(".")).with_suffix(".py")
    file = file if file.exists() else file.with_suffix("") / "__init__.py"
    wanted = {found.imported for found in imports(module, MODULES[module]) if found.root == "scratchml"}
    files = {jit._module_file(name) for name in wanted}
    assert None not in files and files == jit.imported(file)


@compiled
def test_a_second_process_finds_the_code_and_an_edit_in_another_file_compiles_anew(package):
    place = package / "scratchml" / "__pycache__" / "kernels"
    result, hits, path = python(CACHE, path=package)[0].split()
    assert (result, hits) == ("25.0", "0") and Path(path).is_relative_to(place)
    files = contents(place)
    assert python(CACHE, path=package) == [f"25.0 1 {path}"] and contents(place) == files and files

    distances = package / "scratchml" / "core" / "distances.py"
    before, returns, after = distances.read_text(encoding="utf-8").partition("    return total\n")
    assert "def squared_distance" in before and returns
    distances.write_text(f"{before}    return 2 * total\n{after}", encoding="utf-8")
    result, hits, _ = python(CACHE, path=package)[0].split()
    assert (result, hits) == ("50.0", "0")


@compiled
def test_an_edit_of_what_is_not_imported_leaves_the_code(package):
    core = package / "scratchml" / "core"
    first = python(CACHE, path=package)[0]
    for name in ("linalg", "logspace"):                  # kernels, but none that the probe could call
        with open(core / f"{name}.py", "a", encoding="utf-8") as file:
            file.write("\n# a remark\n")
    assert python(CACHE, path=package)[0] == first.replace(" 0 ", " 1 ")


@compiled
def test_an_edit_of_what_is_imported_by_a_detour_compiles_anew(package):
    python(CACHE, path=package)
    with open(package / "scratchml" / "core" / "checks.py", "a", encoding="utf-8") as file:
        file.write("\n# a remark\n")                     # the probe imports distances, and distances checks
    assert "core.checks" not in PROBE and python(CACHE, path=package)[0].startswith("25.0 0 ")


@compiled
@pytest.mark.parametrize("hours, kept", [(0, True), (2, False)])
def test_old_code_is_cleared_away_when_nobody_uses_it(package, hours, kept):
    place = package / "scratchml" / "__pycache__" / "kernels"
    python(CACHE, path=package)
    old = next(folder for folder in place.iterdir() if folder.name.startswith("core.probe-"))
    unopened, forgotten = place / "core.linalg-0123", place / "core.linalg-4567"          # what no process here opens
    for folder in (unopened, forgotten):
        folder.mkdir()
    for folder in place.iterdir():
        os.utime(folder, (time.time() - (40 * 24 if folder == forgotten else hours) * 3600,) * 2)
    (package / "scratchml" / "core" / "probe.py").write_text(PROBE + "\n# a remark\n")
    assert python(CACHE, path=package)[0].startswith("25.0 0 ")
    assert old.exists() == kept
    assert unopened.exists() and not forgotten.exists(), "what is of other modules is kept for a month"
    opened = [folder for folder in place.iterdir() if folder not in (old, unopened)]
    assert opened and all(time.time() - folder.stat().st_mtime < 600 for folder in opened)
    assert len([folder for folder in place.iterdir() if folder.name.startswith("core.distances-")]) == 1


@compiled
def test_a_process_whose_code_is_cleared_away_goes_on(package):
    program = f"""
import pathlib, shutil
import numpy as np
from scratchml.core.probe import entry, near
x = np.array([1.0, 5])
near(x, x)
for folder in pathlib.Path({str(package)!r}, "scratchml", "__pycache__", "kernels").iterdir():
    shutil.rmtree(folder)
print(near(x, x), entry(x, 1), near.stats.cache_path == entry.stats.cache_path)
"""
    assert python(program, path=package) == ["0.0 5.0 True"]
    assert python(CACHE, 1, path=package)[1] == "read"


@compiled
def test_code_that_cannot_be_kept_at_the_moment_runs(package):
    """The folder goes between two steps of making another in it."""
    program = """
import os
import numpy as np
from scratchml.core.probe import near
def makedirs(path, *rest, **named):
    raise FileNotFoundError(2, "No such file or directory", path)
os.makedirs = makedirs
x = np.array([1.0, 5])
print(near(x, x + 3), sum(near.stats.cache_misses.values()))
"""
    assert python(program, path=package) == ["18.0 1"]


@compiled
@pytest.mark.parametrize("moment", range(3))
def test_processes_of_different_source_clear_away_side_by_side(package, moment):
    """Each finds the folder of the other old, and clears it away while the other compiles."""
    twin = package.parent / "twin"
    shutil.copytree(package, twin)
    (twin / "scratchml" / "core" / "probe.py").write_text(PROBE + "\n# a remark\n")
    program = "import time; time.time = lambda now=time.time: now() + 7200\n" + CACHE
    env = {**os.environ, "NUMBA_CACHE_DIR": str(package / "cache")}
    running = []
    for folder in (package, twin, package, twin):
        running.append(subprocess.Popen([sys.executable, "-c", program, "1"], cwd=folder, stdout=subprocess.PIPE,
                                        text=True, env={**env, "PYTHONPATH": str(folder)}))
        time.sleep(0.1 * moment)
    for process in running:
        out, _ = process.communicate(timeout=120)
        assert process.returncode == 0 and out.startswith("25.0 ") and out.endswith("read\n")


@compiled
def test_checking_bounds_works_beside_a_warm_cache(package):
    cache = package / "cache"
    assert python(CACHE, 1, path=package, NUMBA_CACHE_DIR=str(cache))[1] == "read"
    near, *entries = python(CACHE, 1, 2, path=package, NUMBA_CACHE_DIR=str(cache), NUMBA_BOUNDSCHECK="1")
    assert near.startswith("25.0 0 ") and entries == ["read", "IndexError"]
    kept = [name for name in os.listdir(cache / "kernels") if name.startswith("core.probe-")]
    assert sorted(name.endswith("-checked") for name in kept) == [False, True]
    assert python(CACHE, path=package, NUMBA_CACHE_DIR=str(cache))[0].startswith("25.0 1 ")


@compiled
def test_without_a_place_for_the_cache_everything_works(package):
    file = package / "file"                              # nothing can be created below a file, not even by root
    file.write_text("")
    assert python(CACHE, path=package, NUMBA_CACHE_DIR=str(file / "cache")) == ["25.0 0 None"]
    (package / "scratchml" / "__pycache__").write_text("")
    assert python(CACHE, path=package, HOME=str(file)) == ["25.0 0 None"]
    _, _, path = python(CACHE, path=package, HOME=str(package))[0].split()
    assert Path(path).is_relative_to(package / ".cache" / "scratchml" / "kernels")


@posix
def test_a_user_without_a_home_needs_none(package):
    program = """
import os, pwd

def getpwuid(uid):
    raise KeyError(uid)

del os.environ["HOME"]
pwd.getpwuid = getpwuid
before = os.listdir(".")
import scratchml.core.jit
from scratchml.core import logspace
print(scratchml.core.jit._cache_folder(scratchml.core.jit.Path(logspace.__file__)) != "", os.listdir(".") == before)
"""
    assert python(program, path=package, HOME="x") == ["True True"]
    shutil.rmtree(package / "scratchml" / "__pycache__")
    (package / "scratchml" / "__pycache__").write_text("")
    assert python(program, path=package, HOME="x") == ["False True"]


@compiled
def test_it_runs_from_a_zip(package):
    path = package.parent / "book.zip"
    with zipfile.ZipFile(path, "w") as book:
        for file in (package / "scratchml").rglob("*.py"):
            book.write(file, file.relative_to(package))
    result, where = python(CACHE + "print(sys.modules['scratchml.core.jit'].__file__)\n", path=path)
    assert result == "25.0 0 None" and Path(where).is_relative_to(path)
