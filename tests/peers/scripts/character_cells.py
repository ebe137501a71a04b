"""A character language model with GRU cells: tied weights, a data set of its own, a step by hand, perplexity."""
import math

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset


class CharDataset(Dataset):
    def __init__(self, ids, block):
        self.ids, self.block = ids, block

    def __len__(self):
        return (len(self.ids) - 1) // self.block

    def __getitem__(self, i):
        chunk = self.ids[i * self.block:(i + 1) * self.block + 1]
        return torch.tensor(chunk[:-1], dtype=torch.long), torch.tensor(chunk[1:], dtype=torch.long)


class CharRNN(nn.Module):
    def __init__(self, vocab, hidden=20, layers=2, dropout=0.0):
        super().__init__()
        self.hidden_size = hidden
        self.n_layers = layers
        self.encoder = nn.Embedding(vocab, hidden)
        self.cells = nn.ModuleList([nn.GRUCell(hidden, hidden) for _ in range(layers)])
        self.drop = nn.Dropout(dropout)
        self.decoder = nn.Linear(hidden, vocab)
        self.decoder.weight = self.encoder.weight
        self.init_weights()

    def init_weights(self):
        initrange = 0.1
        self.encoder.weight.data.uniform_(-initrange, initrange)
        self.decoder.bias.data.zero_()
        for p in self.cells.parameters():
            if p.data.ndimension() >= 2:
                nn.init.orthogonal_(p.data)
            else:
                nn.init.normal_(p.data)

    def init_hidden(self, batch_size):
        weight = next(self.parameters())
        return [weight.new_zeros(batch_size, self.hidden_size) for _ in range(self.n_layers)]

    def forward(self, x, hidden):
        outputs = []
        emb = self.drop(self.encoder(x))
        for t in range(x.size(1)):
            inp = emb[:, t, :]
            new = []
            for cell, h in zip(self.cells, hidden):
                inp = cell(inp, h)
                new.append(inp)
            hidden = new
            outputs.append(inp)
        out = torch.stack(outputs, dim=1)
        decoded = self.decoder(out.contiguous().view(out.size(0) * out.size(1), out.size(2)))
        return decoded.view(out.size(0), out.size(1), decoded.size(1)), hidden


def repackage_hidden(h):
    if isinstance(h, torch.Tensor):
        return h.detach()
    return list(repackage_hidden(v) for v in h)


def build():
    return CharRNN(27)


def make_data(rng):
    return {"ids": rng.integers(27, size=9)[np.arange(500) % 9]}


def train(model, data, dtype, steps=20):
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(1)
    model = model.to(device)
    criterion = nn.CrossEntropyLoss().to(device)
    loader = DataLoader(CharDataset(data["ids"], 12), batch_size=4, shuffle=False, drop_last=True, pin_memory=False)
    lr, losses, total_loss = 0.5, [], 0.
    hidden = model.init_hidden(4)
    n_params = sum(p.numel() for p in model.parameters() if p.requires_grad)
    print(f"{n_params:,} parameters")
    it = iter(loader)
    for step in range(steps):
        try:
            x, y = next(it)
        except StopIteration:
            it = iter(loader)
            x, y = next(it)
        x, y = x.to(device), y.to(device)
        hidden = repackage_hidden(hidden)
        model.zero_grad()
        output, hidden = model(x, hidden)
        loss = criterion(output.view(-1, 27), y.view(-1))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.25)
        for p in model.parameters():
            p.data.add_(p.grad, alpha=-lr)
        total_loss += loss.item()
        losses.append(loss.item())
        if step % 5 == 0:
            print('| step {:3d} | loss {:5.2f} | ppl {:8.2f}'.format(step, loss.item(), math.exp(loss.item())))
    ppl = torch.exp(torch.tensor(total_loss / steps, dtype=dtype))
    model.eval()
    with torch.no_grad():
        h = model.init_hidden(1)
        inp = torch.zeros(1, 1, dtype=torch.long)
        text = []
        for _ in range(6):
            out, h = model(inp, h)
            probs = F.softmax(out.squeeze().div(0.8), dim=-1).cpu()
            top_p, top_i = probs.topk(3)
            idx = top_i[0]
            text.append(idx.item())
            inp.fill_(idx)
    return losses + [ppl.item()] + text + [top_p.sum().item()]
