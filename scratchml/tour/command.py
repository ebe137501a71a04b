"""The command line: the contents, a chapter's lecture, a chapter's demonstration."""
import argparse
import importlib
import inspect
import sys
import textwrap
from pathlib import Path

from scratchml.tour import CHAPTERS, text
from scratchml.tour.table import table

WIDTH = 100


def main(arguments=None):
    """What `python -m scratchml` and the script `scratchml` do with their arguments."""
    parser = argparse.ArgumentParser(prog="scratchml", description="A machine-learning lecture that runs.")
    commands = parser.add_subparsers(dest="command", title="commands (without one: the contents)")
    read = commands.add_parser("read", help="print a chapter's lecture and where its equations live")
    read.add_argument("chapter", choices=_readable(), metavar="CHAPTER", help=", ".join(_readable()))
    run = commands.add_parser("run", help="run chapters on real data, beside the figures of other packages")
    run.add_argument("chapters", nargs="*", metavar="CHAPTER", help=f"by default all: {', '.join(CHAPTERS)}")
    run.add_argument("--plot", metavar="DIR", help="write pictures there, too (needs matplotlib)")
    run.add_argument("--seed", type=_seed, default=0, metavar="N", help="of every random choice (default 0)")
    asked = parser.parse_args(arguments)
    if asked.command == "read":
        _read(asked.chapter)
    elif asked.command == "run":
        unknown = [name for name in asked.chapters if name not in CHAPTERS]
        if unknown:
            run.error(f"no chapter {unknown[0]!r} to run; there are: {', '.join(CHAPTERS)}")
        try:
            _run(asked.chapters or CHAPTERS, asked.plot, asked.seed)
        except KeyboardInterrupt:
            sys.exit(130)
    else:
        _contents()


def _seed(word):
    if not word.isdecimal():
        raise argparse.ArgumentTypeError(f"{word!r}: expected a whole number of at least 0")
    return int(word)


def _readable():
    return sorted(chapter.name for chapter in text.chapters())


# --- the three commands --------------------------------------------------------------------------


def _contents():
    print("scratchml: a machine-learning lecture that runs\n")
    for name in CHAPTERS:
        lesson, data, file = _lesson(name)
        print(f"{name:<18}{textwrap.fill(lesson, WIDTH, subsequent_indent=' ' * 18, initial_indent=' ' * 18).strip()}")
        print(f"{'':<18}data: {data}\n{'':<18}file: {file}\n")
    print("python -m scratchml read NAME   the lecture, and where each equation lives; also of "
          + ", ".join(name for name in _readable() if name not in CHAPTERS))
    print("python -m scratchml run NAME    the chapter on real data (without NAME: all of them)")


def _lesson(name):
    """What a chapter teaches, its data and its file; read, not imported."""
    constants = text.constants(Path(__file__).with_name(f"{name}.py"))
    file = text.PACKAGE.parent.joinpath(*constants["CHAPTER"].split(".")).with_suffix(".py")
    return constants["__doc__"].splitlines()[0], constants["DATA"], _shown(file)


def _shown(file):
    """The path as one would type it from here."""
    here = Path.cwd()
    return file.relative_to(here) if file.is_relative_to(here) else file


def _read(name):
    chapter = next(chapter for chapter in text.chapters() if chapter.name == name)
    print(chapter.doc.strip() + "\n\nWhere each equation lives")
    for equation in chapter.equations:
        print(f"    ({equation.number})  {equation.function:<28}{_shown(equation.file)}:{equation.line}")


def _run(names, folder, seed):
    pictures = None
    if folder is not None:
        from scratchml.tour.pictures import Pictures
        try:
            pictures = Pictures(folder)
        except ImportError as error:
            sys.exit(f"scratchml: {error}")
    for name in names:
        demonstration = importlib.import_module(f"scratchml.tour.{name}")
        rows = list(_with_progress(name, demonstration.run(seed, pictures)))
        print(f"{name}: {inspect.getdoc(demonstration).splitlines()[0]}\ndata: {demonstration.DATA}\n\n{table(rows)}\n",
              flush=True)
    if pictures:
        print(f"pictures: {_shown(pictures.folder.resolve())}")


def _with_progress(name, rows):
    """The rows as they come, with a sign of life on stderr."""
    try:
        from tqdm import tqdm
    except ImportError:
        print(f"{name} ...", file=sys.stderr, flush=True)
        for row in rows:
            print(f"{name}: {row.measure} ({row.seconds:.2f} s)", file=sys.stderr, flush=True)
            yield row
    else:
        yield from tqdm(rows, desc=name, unit=" measures", file=sys.stderr, leave=False)
