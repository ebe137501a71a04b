"""The one place that knows Numba: `kernel` compiles a loop, `run_chunks` runs it on every core.

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
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import numba
import numpy as np
from numba.core.cgutils import (
    alloca_once_value, for_range, get_or_insert_function, int32_t, intp_t, ir, unpack_tuple, voidptr_t)
from numba.core.codegen import ll

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


# --- fetching ahead -------------------------------------------------------------------------------

LINE = 64                                                # bytes of a line of the cache
LINES = 8                                                # of a row: the processor fetches what lies behind


def prefetch(array, n):
    """In a kernel: let the processor fetch array[n] into its cache while the kernel goes on; nothing in plain Python.

    For a walk through rows in an order that no processor guesses, a few steps ahead of their use.  The array is
    C-contiguous, and nothing is read: `n` may lie outside.  It changes no result.
    """


@numba.extending.overload(prefetch)
def _prefetch(array, n):
    return lambda array, n: _fetch_lines(array, n)


@numba.extending.intrinsic
def _fetch_lines(typing, array, n):
    """llvm.prefetch for the first LINES lines of array[n]."""
    def build(context, builder, signature, arguments):
        view = context.make_array(array)(context, builder, arguments[0])
        size, number = builder.extract_value(view.strides, 0), ir.Constant
        place = builder.mul(context.cast(builder, arguments[1], n, numba.types.intp), size)
        start = builder.add(builder.ptrtoint(view.data, size.type), place)
        fetch = builder.module.declare_intrinsic("llvm.prefetch", [voidptr_t],
                                                 ir.FunctionType(ir.VoidType(), [voidptr_t, int32_t, int32_t, int32_t]))
        to_read, keep, data = int32_t(0), int32_t(3), int32_t(1)
        for line in range(LINES):
            with builder.if_then(builder.icmp_signed("<", number(size.type, line * LINE), size)):
                address = builder.add(start, number(size.type, line * LINE))
                builder.call(fetch, [builder.inttoptr(address, voidptr_t), to_read, keep, data])
        return context.get_dummy_value()
    return numba.types.void(array, n), build


# --- sums that stay in registers ------------------------------------------------------------------

_FEATURES = {}
with contextlib.suppress(RuntimeError):                  # a processor that LLVM does not know
    _FEATURES = ll.get_host_cpu_features()
VECTOR = 64 if _FEATURES.get("avx512f") else 32 if _FEATURES.get("avx2") else 16         # bytes of a register
PANEL = 2 * VECTOR                                       # of a row of a tile
TALL, LOW = (12, 4) if _FEATURES.get("avx512f") or _FEATURES.get("neon") else (6, 2)     # rows: of 32 registers, or 16


def multiply_tile(A, B, out, height, add):
    """In a kernel: out[:R, :W] = A[:R, :K] B, added to what is there if `add`; B (K, W), R = `height` TALL, LOW or 1.

    W numbers fill PANEL bytes.  The sums over K stay in registers, two for each row.  Rows of B and of `out` are
    contiguous; A may lie in memory in any way.
    """
    tile = out[:height, :B.shape[1]]
    sums = np.zeros_like(tile)
    with np.errstate(over="ignore", invalid="ignore"):   # as where it is compiled
        for k in range(len(B)):
            sums += A[:height, k, None] * B[k]
        tile[:] = tile + sums if add else sums


@numba.extending.overload(multiply_tile, prefer_literal=True)
def _multiply_tile(A, B, out, height, add):
    return lambda A, B, out, height, add: _multiply_in_registers(A, B, out, height, add)


@numba.extending.intrinsic(prefer_literal=True)
def _multiply_in_registers(typing, A, B, out, height, add):
    """`multiply_tile`: a loop over k with two multiply-adds of vectors for each row of A."""
    def build(context, builder, signature, arguments):
        A_, B_, out_ = (context.make_array(kind)(context, builder, argument)
                        for kind, argument in zip((A, B, out), arguments))
        number, rows, pair = context.get_value_type(B.dtype), range(height.literal_value), range(2)
        size = context.get_abi_sizeof(number)
        vector = ir.VectorType(number, VECTOR // size)
        multiply_add = get_or_insert_function(builder.module, ir.FunctionType(vector, [vector] * 3),
                                              f"llvm.fmuladd.v{vector.count}f{8 * size}")

        def place(view, row, column, kind, number=0):    # of view[row, column], and so many vectors behind it
            strides = unpack_tuple(builder, view.strides)
            steps = [builder.mul(index, stride) for index, stride in zip((row, column), strides)]
            address = builder.add(builder.ptrtoint(view.data, intp_t), builder.add(*steps))
            return builder.inttoptr(builder.add(address, intp_t(number * VECTOR)), kind.as_pointer())

        def filled(value):
            lone = builder.insert_element(vector(ir.Undefined), value, int32_t(0))
            return builder.shuffle_vector(lone, lone, ir.VectorType(int32_t, vector.count)([0] * vector.count))

        sums = [[alloca_once_value(builder, vector([0] * vector.count)) for _ in pair] for _ in rows]
        with for_range(builder, unpack_tuple(builder, B_.shape)[0]) as loop:
            columns = [builder.load(place(B_, loop.index, intp_t(0), vector, i), align=size) for i in pair]
            for row in rows:
                factor = filled(builder.load(place(A_, intp_t(row), loop.index, number)))
                for total, column in zip(sums[row], columns):
                    builder.store(builder.call(multiply_add, [factor, column, builder.load(total)]), total)
        with builder.if_else(arguments[4]) as (then, otherwise):
            for branch, adds in ((then, True), (otherwise, False)):
                with branch:
                    for row, i in itertools.product(rows, pair):
                        target, total = place(out_, intp_t(row), intp_t(0), vector, i), builder.load(sums[row][i])
                        total = builder.fadd(builder.load(target, align=size), total) if adds else total
                        builder.store(total, target, align=size)
        return context.get_dummy_value()
    return numba.types.void(A, B, out, height, add), build


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
    A chunk should be worth 50 µs or more: to hand out work costs about as much.
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
