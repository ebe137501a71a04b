"""Sequence to sequence with additive attention, teacher forcing, and a decoder loop that is written by hand."""
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

PAD, SOS, EOS = 0, 1, 2


class Encoder(nn.Module):
    def __init__(self, vocab, emb, hid):
        super().__init__()
        self.embedding = nn.Embedding(vocab, emb, padding_idx=PAD)
        self.rnn = nn.GRU(emb, hid, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(2 * hid, hid)

    def forward(self, src, lengths):
        packed = pack_padded_sequence(self.embedding(src), lengths, batch_first=True, enforce_sorted=False)
        outputs, hidden = self.rnn(packed)
        outputs, _ = pad_packed_sequence(outputs, batch_first=True)
        hidden = torch.tanh(self.fc(torch.cat((hidden[-2], hidden[-1]), dim=1)))
        return outputs, hidden


class Attention(nn.Module):
    def __init__(self, hid):
        super().__init__()
        self.attn = nn.Linear(3 * hid, hid)
        self.v = nn.Linear(hid, 1, bias=False)

    def forward(self, hidden, outputs, mask):
        hidden = hidden.unsqueeze(1).repeat(1, outputs.shape[1], 1)
        energy = torch.tanh(self.attn(torch.cat((hidden, outputs), dim=2)))
        scores = self.v(energy).squeeze(2).masked_fill(mask, float("-inf"))
        return F.softmax(scores, dim=1)


class Decoder(nn.Module):
    def __init__(self, vocab, emb, hid):
        super().__init__()
        self.embedding = nn.Embedding(vocab, emb)
        self.attention = Attention(hid)
        self.cell = nn.GRUCell(emb + 2 * hid, hid)
        self.out = nn.Linear(emb + 3 * hid, vocab)

    def forward(self, token, hidden, outputs, mask):
        embedded = self.embedding(token)
        a = self.attention(hidden, outputs, mask)
        context = torch.bmm(a.unsqueeze(1), outputs).squeeze(1)
        hidden = self.cell(torch.cat((embedded, context), dim=1), hidden)
        return self.out(torch.cat((hidden, context, embedded), dim=1)), hidden


class Seq2Seq(nn.Module):
    def __init__(self, vocab, emb=8, hid=10):
        super().__init__()
        self.encoder = Encoder(vocab, emb, hid)
        self.decoder = Decoder(vocab, emb, hid)

    def forward(self, src, lengths, trg, teacher_forcing):
        batch, steps = trg.shape
        outputs, hidden = self.encoder(src, lengths)
        mask = (src == PAD)[:, :outputs.size(1)]
        predictions = []
        token = trg[:, 0]
        for t in range(1, steps):
            output, hidden = self.decoder(token, hidden, outputs, mask)
            predictions.append(output)
            top1 = output.argmax(1)
            token = trg[:, t] if teacher_forcing[t] else top1
        return torch.stack(predictions, dim=1)


def build():
    return Seq2Seq(12)


def make_data(rng):
    lengths = rng.integers(2, 7, 8)
    src, trg = (torch.zeros(8, 6).long().numpy(), torch.zeros(8, 8).long().numpy())
    for i, n in enumerate(lengths):
        src[i, :n] = rng.integers(3, 12, n)
        trg[i, :n + 2] = [SOS, *src[i, :n][::-1], EOS]
    return {"src": src, "trg": trg, "lengths": lengths, "forced": rng.uniform(size=(20, 8)) < 0.7}


def train(model, data, dtype, steps=20):
    src, trg = torch.from_numpy(data["src"]), torch.from_numpy(data["trg"])
    lengths = torch.from_numpy(data["lengths"])
    optimizer = optim.Adam(model.parameters(), lr=5e-3)
    criterion = nn.CrossEntropyLoss(ignore_index=PAD)
    losses = []
    for step in range(steps):
        model.train()
        optimizer.zero_grad()
        output = model(src, lengths, trg, data["forced"][step])
        loss = criterion(output.view(-1, output.shape[-1]), trg[:, 1:].contiguous().view(-1))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1)
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    with torch.no_grad():
        outputs, hidden = model.encoder(src, lengths)
        token = torch.full((8,), SOS, dtype=torch.long)
        written = []
        for _ in range(5):
            output, hidden = model.decoder(token, hidden, outputs, (src == PAD)[:, :outputs.size(1)])
            token = output.argmax(dim=-1)
            written.append(token)
        written = torch.stack(written, dim=1)
    return losses + written.flatten().tolist()
