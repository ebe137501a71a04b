"""Numba, in one place: `kernel` compiles a loop, `run_chunks` runs it on every core.

Two environment variables turn the machinery off for a reader who wants to look inside:
NUMBA_DISABLE_JIT=1 runs every kernel as plain Python, where print and pdb work, and
NUMBA_BOUNDSCHECK=1 makes a compiled kernel complain about an index that is out of range.
"""
import contextlib
import functools
import hashlib
import itertools
import math
import os
import re
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numba
import numpy as np

from scratchml.core.instructions import look, ring

PACKAGE = Path(__file__).resolve().parent.parent

# --- compiling ----------------------------------------------------------------------------------

# Lets the compiler reorder a sum, and so use vector registers.  The other "fast math" flags, which
# let it assume that there is no NaN and no infinity, stay off: here an infinity has a meaning.
REASSOCIATE = frozenset({"reassoc", "contract", "nsz", "arcp"})

# Lets it round a * b + c once instead of twice, where the processor can, but reorder nothing: two
# loops that add the same terms in the same order agree to the last bit, however each is vectorised.
CONTRACT = frozenset({"contract"})


IMPORT = re.compile(r"^[ \t]*(?:from[ \t]+(\S+)[ \t]+)?import[ \t]+(\([^)]*\)|.*)", re.MULTILINE)
HOUR, MONTH = 3600, 30 * 24 * 3600                       # in seconds


@functools.cache
def imported(file):
    """The files of the package that `file` imports, read from its import statements, wherever they stand."""
    found = set()
    for source, names in IMPORT.findall(file.read_text(encoding="utf-8")):
        for name in re.sub(r"#.*|[()]", "", names).split(","):
            name = name.split()[0] if name.split() else ""                     # of `name as another`
            found.add(_module_file(f"{source}.{name}" if source else name) or _module_file(source))
    return found - {None}


def _module_file(name):
    """Where the module of this dotted name lies, or None if it is no module of the package."""
    root, *parts = name.split(".")
    place = PACKAGE.joinpath(*parts)
    files = (place / "__init__.py", place.with_suffix(".py")) if root == PACKAGE.name else ()
    return next((file for file in files if file.is_file()), None)


@functools.cache
def _digest(file):
    """A hash of `file` and of all files of the package that it imports, directly or not."""
    digest = hashlib.sha256(f"{numba.__version__} {np.__version__}".encode())
    needed, new = {file}, [file]
    while new:
        found = imported(new.pop()) - needed
        needed |= found
        new += found
    for path in sorted(needed):
        digest.update(path.relative_to(PACKAGE).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]


@functools.cache
def _cache_folder(file):
    """Where the compiled code of one module is kept: a folder named after it and a hash of all source that it rests on.

    Numba alone asks only whether the kernel's own file has changed.  Edit a helper in another file
    and the old machine code would still run: the last thing that a reader who experiments needs.
    Of Python's version and the processor Numba takes care.
    """
    try:
        name, source = file.relative_to(PACKAGE).with_suffix("").as_posix().replace("/", "."), _digest(file)
    except OSError:                                      # imported from a zip; a source that may not be read
        return ""
    places = [Path(numba.config.CACHE_DIR)] if numba.config.CACHE_DIR else \
        [PACKAGE / "__pycache__", Path("~", ".cache", PACKAGE.name)]
    for place in places:
        try:
            folder = place.expanduser() / "kernels" / f"{name}-{source}{'-checked' * bool(numba.config.BOUNDSCHECK)}"
            folder.mkdir(parents=True, exist_ok=True)
            os.utime(folder)                             # opened now
        except (OSError, RuntimeError):                  # a read-only installation; a user without a home
            continue
        if os.access(folder, os.W_OK):
            _clear_away(folder.parent, name, source)
            return str(folder)
    return ""


def _clear_away(kernels, name, source):
    """Remove what other source of the module `name` left, if no process opened it for an hour; all after a month.

    A process of that other source that still runs finds the code gone, compiles anew, and makes the folder again.
    """
    for folder in kernels.iterdir():
        other = folder.name.startswith(f"{name}-") and not folder.name.startswith(f"{name}-{source}")
        try:
            if time.time() - folder.stat().st_mtime > (HOUR if other else MONTH):
                shutil.rmtree(folder, ignore_errors=True)
        except FileNotFoundError:                        # another process was quicker
            pass


def kernel(function=None, *, reassociate=False, contract=False):
    """Compile `function` when it is first called.

    `reassociate=True` is for sums that may be reordered, `contract=True` for fused multiply-adds alone.
    A kernel takes C-contiguous arrays and plain numbers and checks nothing: its caller has.  While
    it runs, other Python threads run too (`nogil`), and x / 0 is ±inf or NaN as in NumPy (`error_model`).
    """
    if function is None:
        return lambda f: kernel(f, reassociate=reassociate, contract=contract)
    flags = REASSOCIATE if reassociate else CONTRACT if contract else ()
    file = Path(function.__code__.co_filename).resolve()
    folder = _cache_folder(file) if file.is_relative_to(PACKAGE) else ""     # the hash knows no other files
    before, numba.config.CACHE_DIR = numba.config.CACHE_DIR, folder
    try:
        compiled = numba.njit(nogil=True, error_model="numpy", cache=bool(folder), fastmath=set(flags))(function)
    finally:
        numba.config.CACHE_DIR = before
    if folder and hasattr(compiled, "_cache"):           # kernels that are plain Python have none
        compiled._cache.save_overload = _unless_cleared_away(compiled._cache.save_overload)
    return compiled


def _unless_cleared_away(save):
    """`save` of Numba's cache, which does nothing where another process clears the folder away at that moment."""
    def saved(signature, code):
        with contextlib.suppress(FileNotFoundError):
            save(signature, code)
    return saved


class _Memory:
    """What `array` lies in, without the word that it may only be read."""

    def __init__(self, array):
        self.array = array
        self.__array_interface__ = {**array.__array_interface__, "data": (array.ctypes.data, False)}


def readable(array):
    """`array` itself, or a view of it that Numba takes for any other where the array may only be read.

    Numba compiles each kernel once more for arrays that may only be read.  No kernel writes to what its caller was
    given, so it need not be told.
    """
    return array if array.flags.writeable else np.asarray(_Memory(array))


# --- running on every core ----------------------------------------------------------------------
#
# Numba's own thread pools (prange) abort the process when two Python threads meet in one, or after
# a fork.  Kernels release the GIL, so ordinary threads serve, and as fast.
#
# To wake a thread takes as long as a whole small chunk.  So a thread that has done its share lingers at
# a post, without the GIL: it looks out for the next share for a while before it goes back to sleep.

_thread = threading.local()                              # .busy: this thread is inside run_chunks
_pool, _pool_size = None, 0
_pool_lock = threading.Lock()
_lingering = []                                          # the posts at which threads look out

LOOKS = 0 if numba.config.DISABLE_JIT else 1_500_000     # for a bell: about 1 ms
LATER = 10_000                                           # so many after the bell, 7 µs, the GIL is free to be taken


def _forget_pool():
    """After a fork the child has the pool object but none of its threads."""
    global _pool, _pool_size, _pool_lock
    _pool, _pool_size, _pool_lock = None, 0, threading.Lock()
    _lingering.clear()


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


def _new_bell():
    return np.zeros(APART, np.int64)


@kernel
def _heard(bell, count, looks):
    """Whether the bell has been rung `count` times at one of so many looks."""
    while looks > 0 and look(bell) < count:
        looks -= 1
    return looks > 0


@kernel
def _ring_and_look_out(ended, bell, count, looks, later):
    """Ring `ended`; then look out for `bell`, and go on looking a little if it rings."""
    ring(ended)
    if _heard(bell, count, looks):
        _heard(bell, count + 1, later)


class _Share:
    """One thread's share of the work of a call."""

    def __init__(self, work):
        self.work, self.error = work, None
        self.free = [self]                               # who pops it has the share
        self.bell, self.ended = _new_bell(), threading.Lock()
        self.ended.acquire()

    def taken(self):
        """Take it if nobody has."""
        try:
            return self.free.pop()
        except IndexError:
            return None

    def do(self):
        if self.taken():
            try:
                self.work()
            except BaseException as error:
                self.error = error
            self.work = None                             # and the arrays in it
            self.ended.release()

    def settle(self):
        """Call it off or, where it has been begun, wait for its end."""
        if self.taken():
            self.ended.release()
        elif not _heard(self.bell, 1, LOOKS):
            with self.ended:
                pass


class _Post:
    """Where a thread lingers: its next share is put down here, then the bell rung."""

    def __init__(self):
        self.share, self.bell = None, _new_bell()


def _attend(share):
    """Do this share, and each that comes while the thread lingers."""
    post, rings = _Post(), 0
    while share is not None:
        share.do()
        rings += 1
        _lingering.append(post)
        _ring_and_look_out(share.bell, post.bell, rings, LOOKS, LATER)
        with contextlib.suppress(ValueError):            # it has been found
            _lingering.remove(post)
        share, post.share = post.share, None


def _enlist(work, n, shares):
    """Let up to `n` threads do `work`, and append their shares; a program that is about to end has no more threads."""
    try:
        for _ in range(n):
            shares.append(_Share(work))
            try:
                post = _lingering.pop()
            except IndexError:                           # nobody is there
                _workers(n).submit(_attend, shares[-1])
            else:
                post.share = shares[-1]
                post.bell[0] += 1
    except RuntimeError as error:
        if "shutdown" not in str(error):
            raise


def _settle(shares):
    for share in shares:
        share.settle()


APART = 16                                               # float64 numbers, two lines of the cache


def partial_sums(n, chunk, *shape):
    """Zeros for sums of `shape` in each chunk of range(n), and some more along the first axis, (chunks, more, ...).

    Those keep the sums of two chunks apart: cores that write to one line of the cache wait for each other every time.
    """
    more = -(-APART // max(1, math.prod(shape[1:])))
    return np.zeros((-(-n // chunk), shape[0] + more, *shape[1:]))


def run_chunks(chunk_kernel, n, *args, chunk):
    """Call `chunk_kernel(c, start, stop, *args)` for chunk c = 0, 1, ... of range(n), on every core.

    The chunks depend on `n` and `chunk` alone.  So a kernel that writes its partial sum to place c of
    an array, with the places added up in order afterwards, gives the same bits on any number of cores.
    A chunk should be worth 50 µs or more: to hand out work costs about as much if the threads are asleep.
    """
    n_chunks = -(-n // chunk)                            # rounded up
    if n_chunks == 1:                                    # nothing to hand out
        chunk_kernel(0, 0, n, *args)
        return
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
    shares = []
    try:
        _enlist(work, helpers, shares)
        work()
        _settle(shares)
    except BaseException:                                # Ctrl-C included
        stopped.set()
        _settle(shares)                                  # nothing may write after we have returned
        raise
    for share in shares:
        if share.error is not None:
            raise share.error
