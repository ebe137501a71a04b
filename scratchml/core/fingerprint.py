"""Has an array been changed?  A number of 64 bits that depends on what stands where.

Of an array that is read as words of 64 bits, w_i, with the halves of a key of its own for every place,

    F = Σ_i (low half of w_i ⊕ k_i) (high half of w_i ⊕ k_i)   mod 2^64
    k_i = c_i ⊕ ⌊c_i / 2^29⌋   with   c_i = (i + 1) ⌊2^64 / φ⌋ mod 2^64

A plain sum does not see that entries have changed places, nor that the signs of an even number of them were flipped; a
product of halves behind keys sees both.  Two different arrays have the same F with a probability of about 2^-32, unless
somebody looks for such arrays: F is no signature.

A byte costs as much as reading it.

Source: J. Black and others, "UMAC: fast and secure message authentication", CRYPTO 1999, section 4.2, for the products.
"""
import numpy as np

from scratchml.core.jit import kernel, readable, run_chunks


def fingerprint(array):
    """F of the bytes of `array`, of any shape and memory order, as 8 bytes, and the up to 7 bytes behind its last word.

    Arrays of another shape or dtype with the same bytes in memory have the same.
    """
    content = array.ravel("K").view(np.uint8)
    whole = content.size - content.size % 8
    words = readable(content[:whole]).view(np.uint64)
    sums = np.zeros(-(-words.size // CHUNK), np.uint64)
    with np.errstate(over="ignore"):                     # modulo 2^64 is meant, also where the kernel is plain Python
        run_chunks(_fold, words.size, words, sums, chunk=CHUNK)
        return sums.sum(dtype=np.uint64).tobytes() + content[whole:].tobytes()


CHUNK = 2**18                                            # words that are worth a thread


@kernel
def _fold(c, start, stop, words, sums):
    """A chunk's share of F: whole numbers may be added in any order, so the loop fills vector registers."""
    count, folded = np.uint64(start) * np.uint64(0x9E3779B97F4A7C15), np.uint64(0)
    low, half, shift, step = np.uint64(2**32 - 1), np.uint64(32), np.uint64(29), np.uint64(0x9E3779B97F4A7C15)
    words = words[start:stop]
    for i in range(words.size):
        count += step
        mixed = words[i] ^ count ^ (count >> shift)
        folded += (mixed & low) * (mixed >> half)
    sums[c] = folded
