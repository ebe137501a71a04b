"""Writing symbol by symbol with a transformer: with kept keys and values, and by a pass over all that is written."""
import warnings
from functools import lru_cache

import numpy as np

from benchmarks import Case, close, peer, test_contender          # noqa: F401  pytest runs it
from scratchml.autograd import no_grad
from scratchml.nn import TokenTransformer
from scratchml.nn.kept_keys import log_probabilities
from scratchml.nn.transformer import sinusoids

N, S, D, V = 64, 10, 128, 42                             # sources and their length, width, symbols


@lru_cache(maxsize=1)
def data(T):
    """A network, room for PyTorch's, sources, and how many symbols to write for each."""
    net = TokenTransformer(30, V, D, random_state=0).eval()
    return net, {}, np.random.default_rng(0).integers(1, 30, (N, S)), T


def scratchml(net, theirs, source, T):
    """ln p (N, V) of the last of T symbols, each the best after those before it."""
    state, tokens = net.start(source), np.ones(N, int)
    for _ in range(T):
        log_p, state, _ = net.step(state, tokens)
        tokens = log_p.argmax(axis=1)
    return log_p


def whole_passes(scores, T):
    """The same by `scores` (N, V) of what follows the last of some symbols (N, t)."""
    written = np.ones((N, 1), int)
    for _ in range(T):
        log_p = log_probabilities(scores(written))
        written = np.column_stack([written, log_p.argmax(axis=1)])
    return log_p


def formula(net, theirs, source, T):
    with no_grad():
        return whole_passes(lambda written: net(source, written).data[:, -1], T)


@peer("torch")
def pytorch(net, theirs, source, T):
    """Its Transformer, which keeps nothing; the memory is made once."""
    import torch
    torch.set_num_threads(1)
    if not theirs:
        with warnings.catch_warnings():                  # that norms first cannot use nested tensors
            warnings.simplefilter("ignore")
            made = torch.nn.Transformer(D, 4, 3, 3, 256, 0.0, batch_first=True, norm_first=True)
        made.load_state_dict({name: torch.from_numpy(a) for name, a in net.transformer.state_dict().items()})
        theirs["net"] = made.eval()
    of_source, of_target, b, P = map(torch.from_numpy, (
        net.source_vectors.weight.data, net.target_vectors.weight.data, net.scores.bias.data,
        sinusoids(max(S, T), D).astype(np.float32)))
    with torch.no_grad():
        memory = theirs["net"].encoder(D**0.5 * of_source[source] + P[:S])

        def scores(written):
            y, t = D**0.5 * of_target[written] + P[:written.shape[1]], written.shape[1]
            mask = torch.nn.Transformer.generate_square_subsequent_mask(t)
            y = theirs["net"].decoder(y, memory, tgt_mask=mask, tgt_is_causal=True)
            return (y[:, -1] @ of_target.T + b).numpy()
        return whole_passes(scores, T)


CASES = [Case(f"{T} symbols for each of {N} sources, 3 + 3 layers of width {D}", lambda T=T: data(T),
              {"formula": formula, "scratchml": scratchml, "PyTorch, whole passes": pytorch}, close(rtol=0, atol=1e-3))
         for T in (10, 40)]
