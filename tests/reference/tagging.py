"""The counts of the script conlleval, token by token as it reads them, with the E and S of IOBES."""


def split(label):
    return (label, "") if "-" not in label else tuple(label.split("-", 1))


def end_of_chunk(prev_tag, tag, prev_type, type_):
    end = False
    end |= prev_tag == "B" and tag in ("B", "S", "O")
    end |= prev_tag == "I" and tag in ("B", "S", "O")
    end |= prev_tag in ("E", "S")
    return end or (prev_tag != "O" and prev_type != type_)


def start_of_chunk(prev_tag, tag, prev_type, type_):
    start = tag in ("B", "S")
    start |= prev_tag in ("O", "E", "S") and tag in ("I", "E")
    return start or (tag != "O" and prev_type != type_)


def conlleval(true, found):
    """(right, found, there) of all chunks, and of each type."""
    right, guessed, there = {}, {}, {}
    for a, b in zip(true, found):
        in_correct, previous = False, (("O", ""), ("O", ""))
        for t in range(len(a) + 1):
            here = (split(a[t]), split(b[t])) if t < len(a) else (("O", ""), ("O", ""))
            ends = [end_of_chunk(p[0], h[0], p[1], h[1]) for p, h in zip(previous, here)]
            starts = [start_of_chunk(p[0], h[0], p[1], h[1]) for p, h in zip(previous, here)]
            if in_correct:
                if ends[0] and ends[1] and previous[0][1] == previous[1][1]:
                    right[previous[0][1]] = right.get(previous[0][1], 0) + 1
                    in_correct = False
                elif ends[0] != ends[1] or here[0][1] != here[1][1]:
                    in_correct = False
            if starts[0] and starts[1] and here[0][1] == here[1][1]:
                in_correct = True
            if starts[0]:
                there[here[0][1]] = there.get(here[0][1], 0) + 1
            if starts[1]:
                guessed[here[1][1]] = guessed.get(here[1][1], 0) + 1
            previous = here
    return right, guessed, there
