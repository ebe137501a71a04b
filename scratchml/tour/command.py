"""The command line: the contents, the map of the lecture, a chapter's text, a chapter's demonstration."""
import argparse
import difflib
import importlib
import inspect
import os
import sys
import textwrap
from pathlib import Path

from scratchml.tour import CHAPTERS, text
from scratchml.tour.lecture import LECTURE, PARTS
from scratchml.tour.table import WIDTH, Example, table

COMMAND = "python -m scratchml"
BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def main(arguments=None):
    """What `python -m scratchml` and the script `scratchml` do with their arguments."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")         # a window that has no Σ shows ?
    try:
        try:
            _obey(sys.argv[1:] if arguments is None else arguments)
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:                              # `| head` has seen enough; the last flush has nowhere to go
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)


def _obey(arguments):
    parser = argparse.ArgumentParser(prog="scratchml", description="A machine-learning lecture that runs.")
    parser.add_argument("--version", action="version", version=f"scratchml {_version()}")
    commands = parser.add_subparsers(dest="command", title="commands (without one: the contents)")
    commands.add_parser("map", help="print the lecture: topic, chapter, command")
    read = commands.add_parser("read", help="print a chapter, and where its equations live; or one equation")
    read.add_argument("chapter", metavar="CHAPTER", help="any module of the book: kmeans, tensor, sequences.crf")
    read.add_argument("equation", metavar="N", nargs="?", type=_whole, help="its equation, definition and test")
    run = commands.add_parser("run", help="run chapters on real data, beside the figures of other packages")
    run.add_argument("chapters", nargs="*", metavar="CHAPTER", help=f"by default all: {', '.join(CHAPTERS)}")
    run.add_argument("--full", action="store_true", help="also what takes minutes, instead of its recorded figures")
    run.add_argument("--plot", metavar="DIR", help="write pictures there, too (needs matplotlib)")
    run.add_argument("--seed", type=_whole, default=0, metavar="N", help="of every random choice (default 0)")
    asked = parser.parse_args([word.lower() if k == 0 else word for k, word in enumerate(arguments)])
    if asked.command == "map":
        print(lecture())
    elif asked.command == "read":
        _read(*_found(read, asked.chapter, text.modules()), asked.equation)
    elif asked.command == "run":
        names = [_found(run, name, {name: [name] for name in CHAPTERS})[0] for name in asked.chapters]
        _run(names or CHAPTERS, asked.plot, asked.seed, asked.full)
    else:
        print(contents())


def _version():
    return text.constants(text.PACKAGE / "__init__.py")["__version__"]


def _whole(word):
    if not word.isdecimal():
        raise argparse.ArgumentTypeError(f"{word!r}: expected a whole number of at least 0")
    return int(word)


def _found(parser, word, things):
    """What `things` has under `word`, whatever its capitals; else an error that names what is near."""
    name = word.lower().removesuffix(".py").replace("/", ".")
    found = things.get(name, ())
    if len(found) == 1:
        return found
    if found:
        parser.error(f"there is more than one {word!r}: {', '.join(text.name_of(module, things) for module in found)}")
    near = difflib.get_close_matches(name, things, n=3) or list(CHAPTERS)
    parser.error(f"there is no {word!r}; is it one of {', '.join(near)}?")


def _shown(file):
    """The path as one would type it from here."""
    here = Path.cwd()
    return file.relative_to(here) if file.is_relative_to(here) else file


# --- contents and map ----------------------------------------------------------------------------


def contents():
    """The book as one would read it: its parts, the chapters of each, what each is about, and what lies beside them."""
    named, shown = text.modules(), demonstrated()
    lines = ["scratchml: a machine-learning lecture that runs", ""]
    for part in PARTS:
        folder, package = text.PACKAGE / part, f"{text.PACKAGE.name}.{part}"
        constants = text.constants(folder / "__init__.py")
        lines += textwrap.wrap(f"{part}/  {_title(constants)}", WIDTH, subsequent_indent=" " * 4)
        chapters = constants.get("CHAPTERS", ())
        for name in in_order(chapters):
            module = f"{package}.{name}"
            begin = f"    {text.name_of(module, named):<17}{'*' if module in shown else ' '} "
            lines += textwrap.wrap(_title(text.constants(folder / f"{name}.py")), WIDTH, initial_indent=begin,
                                   subsequent_indent=" " * 23)
        others = sorted({file.stem for file in folder.glob("*.py")} - {"__init__", *chapters})
        if others:
            others = ", ".join(text.name_of(f"{package}.{name}", named) for name in others)
            lines += textwrap.wrap(f"also: {others}" if chapters else others, WIDTH, initial_indent=" " * 4,
                                   subsequent_indent=" " * 4)
        lines.append("")
    return "\n".join([*lines,
                      f"{COMMAND} read NAME    a chapter, and where each equation lives; read NAME 2: equation (2)",
                      f"{COMMAND} run NAME     * its demonstration on real data; without NAME all of them",
                      f"{COMMAND} map          the lecture: topic, chapter, command"])


def demonstrated():
    """{dotted name of a chapter: the demonstration that shows it}"""
    return {text.constants(Path(__file__).with_name(f"{name}.py"))["CHAPTER"]: name for name in CHAPTERS}


def in_order(chapters):
    """What stands on its own before its refinements: kmeans, then kmeans_bounds, though the former uses the latter."""
    roots = {name: min((other for other in chapters if f"{name}_".startswith(f"{other}_")), key=len)
             for name in chapters}
    first = {root: min(k for k, name in enumerate(chapters) if roots[name] == root) for root in roots.values()}
    return sorted(chapters, key=lambda name: (first[roots[name]], name != roots[name]))


def _title(constants):
    return " ".join(constants["__doc__"].partition("\n\n")[0].split())


def lecture():
    """The topics of the lecture by its order, the chapters of each, and the command that shows each of them."""
    named, shown = text.modules(), demonstrated()
    lines = []
    for topic, chapters in LECTURE:
        lines += ["", topic]
        for name in chapters:
            command = f"run {shown[named[name][0]]}" if named[name][0] in shown else f"read {name}"
            lines.append(f"    {name:<20}{COMMAND} {command}")
    return "\n".join(lines[1:])


# --- read ----------------------------------------------------------------------------------------


def _read(module, number):
    file = text.file_of(module)
    chapter = text.read_chapter(file, text.PACKAGE)
    if number is not None:
        _read_equation(module, chapter, number)
        return
    print((text.constants(file)["__doc__"] or f"{module} has no text of its own.").strip())
    if chapter:
        print("\nWhere each equation lives")
        for equation in chapter.equations:
            number = f"({equation.number})"
            print(f"    {number:>4}  {equation.function:<28}{_shown(file)}:{equation.line}")
    else:
        print(f"\n{_shown(file)}")


def _read_equation(module, chapter, number):
    """The equation, the function that is it, its definition, and the test that holds the two together."""
    equation = next((one for one in chapter.equations if one.number == number), None) if chapter else None
    if equation is None:
        has = f"its equations are (1) to ({len(chapter.equations)})" if chapter else "it has no equations"
        sys.exit(f"scratchml: {module} has no equation ({number}); {has}")
    print(f"({equation.number})  {equation.formula}\n")
    tests = text.PACKAGE.parent / "tests"
    places = [("the function", equation.file, equation.function),
              ("its definition", tests / "reference" / f"{chapter.name}.py", equation.function),
              ("the test that holds them together", tests / chapter.package / f"test_{chapter.name}.py", None)]
    for what, place, name in places:
        if not place.exists():
            print(f"{what}: {place.name} comes with the source of the project, not with an installation\n")
            continue
        for node in text.functions(place):
            if node.name == name or name is None and text.compares(node, equation.function):
                print(f"{what}, {_shown(place)}:{node.lineno}\n\n{text.source_of(place, node)}\n")


# --- run -----------------------------------------------------------------------------------------


def _run(names, folder, seed, full):
    pictures = None
    if folder is not None:
        from scratchml.tour.drawing import Pictures
        try:
            pictures = Pictures(folder)
        except (ImportError, OSError) as error:
            sys.exit(f"scratchml: {error}")
    for setting in BLAS_THREADS:                         # before NumPy is imported: the products are small here, and
        os.environ.setdefault(setting, "1")              # where cores are busy, several threads wait for each other
    for name in names:
        demonstration = importlib.import_module(f"scratchml.tour.{name}")
        found = list(_with_progress(name, demonstration.run(seed, pictures, full)))
        for paragraph in f"{name}: {inspect.getdoc(demonstration)}".split("\n\n"):
            print(textwrap.fill(paragraph, WIDTH) + "\n")
        print(f"data: {demonstration.DATA}\n")
        print(table([row for row in found if not isinstance(row, Example)]) + "\n")
        for example in found:
            if isinstance(example, Example):
                print(example.heading + "\n" + "".join(f"    {line}\n" for line in example.lines))
        sys.stdout.flush()
    print("Seconds are those of this run: where a kernel runs for the first time, with those of compiling it.")
    if pictures:
        print(f"pictures: {_shown(pictures.folder.resolve())}")


def _with_progress(name, rows):
    """What the demonstration yields as it comes, with a sign of life on stderr."""
    try:
        from tqdm import tqdm
    except ImportError:
        print(f"{name} ...", file=sys.stderr, flush=True)
        yield from rows
    else:
        yield from tqdm(rows, desc=name, unit=" results", file=sys.stderr, leave=False)
