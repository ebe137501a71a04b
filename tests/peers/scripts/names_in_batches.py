"""A character language model of names of any length: a Dataset, batches by a collate_fn, packed LSTMs, sampling."""
from collections import OrderedDict

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence
from torch.utils.data import DataLoader, Dataset, SubsetRandomSampler

PAD = 0


class Names(Dataset):
    def __init__(self, words, stoi):
        self.data = [torch.tensor([stoi[c] for c in word], dtype=torch.long) for word in words]

    def __len__(self):
        return len(self.data)

    def __getitem__(self, i):
        return self.data[i][:-1], self.data[i][1:]


def collate(batch):
    xs, ys = zip(*batch)
    lengths, order = torch.tensor([len(x) for x in xs]).sort(descending=True, stable=True)
    xs = pad_sequence(xs, batch_first=True, padding_value=PAD)[order]
    return xs, pad_sequence(ys, batch_first=True, padding_value=-100)[order], lengths


class CharRNN(nn.Module):
    def __init__(self, n_tokens, emb=8, hidden=16, layers=2):
        super(CharRNN, self).__init__()
        self.hidden, self.layers = hidden, layers
        self.encoder = nn.Embedding(n_tokens, emb, padding_idx=PAD)
        self.rnn = nn.LSTM(emb, hidden, num_layers=layers, batch_first=True)
        self.head = nn.Sequential(OrderedDict([("proj", nn.Linear(hidden, emb)), ("act", nn.SELU()),
                                               ("out", nn.Linear(emb, n_tokens))]))

    def init_hidden(self, batch_size):
        weight = next(self.parameters()).data
        return (weight.new(self.layers, batch_size, self.hidden).zero_(),
                weight.new_zeros(self.layers, batch_size, self.hidden))

    def forward(self, x, lengths=None, state=None):
        emb = self.encoder(x)
        if lengths is None:
            out, state = self.rnn(emb, state)
        else:
            out, state = self.rnn(pack_padded_sequence(emb, lengths.cpu(), batch_first=True), state)
            out, _ = pad_packed_sequence(out, batch_first=True, total_length=x.size(1))
        return self.head(out), state


@torch.no_grad()
def generate(model, prime, n, temperature=1.0, top_k=None):
    model.eval()
    ids = torch.tensor(prime).unsqueeze(0)
    logits, state = model(ids)
    seen = []
    for _ in range(n):
        step = logits[:, -1, :] / temperature
        if top_k is not None:
            v, _ = torch.topk(step, min(top_k, step.size(-1)))
            step[step < v[:, [-1]]] = -float("Inf")
        probs = F.softmax(step, dim=-1)
        best = torch.argmax(probs, dim=-1, keepdim=True)
        seen.append(probs.max().item())
        ids = torch.cat((ids, best), dim=1)
        logits, state = model(best, state=state)
    return ids.squeeze(0).tolist(), seen


def build():
    return CharRNN(28)


def make_data(rng):
    return [f".{''.join(chr(97 + c) for c in rng.integers(0, 9, rng.integers(3, 9)))}." for _ in range(36)]


def train(model, words, dtype, steps=20):
    chars = sorted(set("".join(words)))
    stoi = {c: i + 1 for i, c in enumerate(chars)}
    loader = DataLoader(Names(words, stoi), batch_size=8, shuffle=False, collate_fn=collate, drop_last=True,
                        num_workers=0)
    assert len(loader) == 4 and len(DataLoader(Names(words, stoi), sampler=SubsetRandomSampler(range(5)))) == 5
    criterion = nn.CrossEntropyLoss(ignore_index=-100)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2, betas=(0.9, 0.99))
    losses = []
    while len(losses) < steps:
        model.train()
        for x, y, lengths in loader:
            hidden = model.init_hidden(x.size(0))
            logits, hidden = model(x, lengths, tuple(h.detach() for h in hidden))
            loss = criterion(logits.transpose(1, 2), y)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
            optimizer.step()
            losses.append(loss.item())
    ids, probs = generate(model, [stoi["."]], 8, temperature=0.8, top_k=3)
    return losses + probs + ids
