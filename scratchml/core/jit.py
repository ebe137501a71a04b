"""The one place that knows Numba: `kernel` compiles a loop, `run_chunks` runs it on every core.

Two environment variables turn the machinery off for a reader who wants to look inside:
NUMBA_DISABLE_JIT=1 runs every kernel as plain Python, where print and pdb work, and
NUMBA_BOUNDSCHECK=1 makes a compiled kernel complain about an index that is out of range.
"""
import hashlib
import itertools
import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import numba

PACKAGE = Path(__file__).resolve().parent.parent

# --- compiling ----------------------------------------------------------------------------------

# Lets the compiler reorder a sum, and so use vector registers.  The other "fast math" flags, which
# let it assume that there is no NaN and no infinity, stay off: here an infinity has a meaning.
REASSOCIATE = frozenset({"reassoc", "contract", "nsz", "arcp"})

# Lets it round a * b + c once instead of twice, where the processor can, but reorder nothing: two
# loops that add the same terms in the same order agree to the last bit, however each is vectorised.
CONTRACT = frozenset({"contract"})


def _cache_folder():
    """Where compiled code is kept: a folder named after a hash of the package's source.

    Numba alone asks only whether the kernel's own file has changed.  Edit a helper in another file
    and the old machine code would still run: the last thing that a reader who experiments needs.
    """
    digest = hashlib.sha256(numba.__version__.encode())
    files = sorted(PACKAGE.rglob("*.py"))
    if not files:
        return ""                                        # imported from a zip
    for path in files:
        digest.update(path.relative_to(PACKAGE).as_posix().encode() + path.read_bytes())
    source = digest.hexdigest()[:16]
    name = f"{source}-checked" if numba.config.BOUNDSCHECK else source
    places = [Path(numba.config.CACHE_DIR)] if numba.config.CACHE_DIR else \
        [PACKAGE / "__pycache__", Path("~", ".cache", PACKAGE.name)]
    for place in places:
        try:
            folder = place.expanduser() / "kernels" / name
            folder.mkdir(parents=True, exist_ok=True)
        except (OSError, RuntimeError):                  # a read-only installation; a user without a home
            continue
        if os.access(folder, os.W_OK):
            for old in folder.parent.iterdir():
                if not old.name.startswith(source):
                    shutil.rmtree(old, ignore_errors=True)
            return str(folder)
    return ""


try:
    _FOLDER = _cache_folder()
except OSError:                                          # a source that may not be read
    _FOLDER = ""


def kernel(function=None, *, reassociate=False, contract=False):
    """Compile `function` when it is first called.

    `reassociate=True` is for sums that may be reordered, `contract=True` for fused multiply-adds alone.
    A kernel takes C-contiguous arrays and plain numbers and checks nothing: its caller has.  While
    it runs, other Python threads run too (`nogil`), and x / 0 is ±inf or NaN as in NumPy (`error_model`).
    """
    if function is None:
        return lambda f: kernel(f, reassociate=reassociate, contract=contract)
    flags = REASSOCIATE if reassociate else CONTRACT if contract else ()
    ours = Path(function.__code__.co_filename).is_relative_to(PACKAGE)    # the hash knows no other files
    before, numba.config.CACHE_DIR = numba.config.CACHE_DIR, _FOLDER
    try:
        return numba.njit(nogil=True, error_model="numpy", cache=bool(_FOLDER) and ours,
                          fastmath=set(flags))(function)
    finally:
        numba.config.CACHE_DIR = before


# --- running on every core ----------------------------------------------------------------------
#
# Numba's own thread pools (prange) abort the process when two Python threads meet in one, or after
# a fork.  Kernels release the GIL, so ordinary threads serve, and as fast.

_thread = threading.local()                              # .busy: this thread is inside run_chunks
_pool, _pool_size = None, 0
_pool_lock = threading.Lock()


def _forget_pool():
    """After a fork the child has the pool object but none of its threads."""
    global _pool, _pool_size, _pool_lock
    _pool, _pool_size, _pool_lock = None, 0, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pool)


def n_threads():
    """Cores that this process may use; SCRATCHML_NUM_THREADS, read at every call, overrides."""
    asked = os.environ.get("SCRATCHML_NUM_THREADS", "")
    if asked:
        if not (asked.isdecimal() and int(asked) > 0):
            raise ValueError(f"SCRATCHML_NUM_THREADS={asked!r}: expected a whole number of at least 1, or unset it")
        return int(asked)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _workers(n):
    """A pool of at least `n` threads."""
    global _pool, _pool_size
    with _pool_lock:
        if n > _pool_size:
            _pool, _pool_size = ThreadPoolExecutor(n, thread_name_prefix="scratchml"), n
        return _pool


def _enlist(work, n, futures):
    """Let up to `n` threads do `work`, and append their futures; a program that is about to end has no more threads."""
    try:
        for _ in range(n):
            futures.append(_workers(n).submit(work))
    except RuntimeError as error:
        if "shutdown" not in str(error):
            raise


def run_chunks(chunk_kernel, n, *args, chunk):
    """Call `chunk_kernel(c, start, stop, *args)` for chunk c = 0, 1, ... of range(n), on every core.

    The chunks depend on `n` and `chunk` alone.  So a kernel that writes its partial sum to place c of
    an array, with the places added up in order afterwards, gives the same bits on any number of cores.
    A chunk should be worth 100 µs; below that, handing it out costs more than running it.
    """
    n_chunks = -(-n // chunk)                            # rounded up
    helpers = min(n_threads(), n_chunks) - 1
    tickets = itertools.count()                          # next() is atomic: no chunk is run twice
    stopped = threading.Event()

    def work():
        nested = getattr(_thread, "busy", False)
        _thread.busy = True
        try:
            while not stopped.is_set() and (c := next(tickets)) < n_chunks:
                chunk_kernel(c, c * chunk, min(n, (c + 1) * chunk), *args)
        except BaseException:
            stopped.set()
            raise
        finally:
            _thread.busy = nested

    if helpers <= 0 or getattr(_thread, "busy", False):
        work()
        return
    futures = []
    try:
        _enlist(work, helpers, futures)
        work()
        for future in futures:
            future.cancel() or future.result()           # not started: no need; else its error is ours
    except BaseException:                                # Ctrl-C included
        stopped.set()
        wait(futures)                                    # nothing may write after we have returned
        raise
