"""A character language model with an LSTM: truncated backpropagation through time, gradient clipping, a schedule."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim


class CharLM(nn.Module):
    def __init__(self, vocab_size, embed_dim=16, hidden_size=24, num_layers=2):
        super().__init__()
        self.embed = nn.Embedding(vocab_size, embed_dim)
        self.lstm = nn.LSTM(embed_dim, hidden_size, num_layers, batch_first=True)
        self.head = nn.Linear(hidden_size, vocab_size)

    def forward(self, x, hidden=None):
        out, hidden = self.lstm(self.embed(x), hidden)
        return self.head(out), hidden


def build():
    return CharLM(28)


def make_data(rng):
    text = "the quick brown fox jumps over the lazy dog " * 12
    chars = sorted(set(text))
    return {"ids": np.array([chars.index(c) for c in text])}


def train(model, data, dtype, steps=20):
    ids = torch.from_numpy(data["ids"])
    batch_size, seq_len = 4, 10
    ids = ids[:len(ids) // batch_size * batch_size].view(batch_size, -1)
    optimizer = optim.Adam(model.parameters(), lr=0.01, weight_decay=1e-4)
    scheduler = optim.lr_scheduler.StepLR(optimizer, step_size=5, gamma=0.5)
    hidden, losses = None, []
    model.train()
    for step in range(steps):
        start = step * seq_len % (ids.size(1) - seq_len - 1)
        x, y = ids[:, start:start + seq_len], ids[:, start + 1:start + seq_len + 1]
        if hidden is not None:
            hidden = tuple(h.detach() for h in hidden)
        logits, hidden = model(x, hidden)
        loss = F.cross_entropy(logits.reshape(-1, logits.size(-1)), y.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
        print(f"step {step}: loss {loss:.4f}, lr {scheduler.get_last_lr()[0]:.5f}")
    model.eval()
    with torch.no_grad():
        x, state, text = ids[:1, :1], None, []
        for _ in range(8):
            logits, state = model(x, state)
            x = logits[:, -1].argmax(dim=-1, keepdim=True)
            text.append(x.item())
        perplexity = torch.exp(F.cross_entropy(model(ids[:, :-1])[0].transpose(1, 2), ids[:, 1:]))
    return losses + [float(perplexity)] + text
