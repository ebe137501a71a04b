"""A transformer encoder that classifies sequences of different lengths, with padding masks and mean pooling."""
import math

import numpy as np
import torch
import torch.nn as nn
import torch.optim as optim
from torch.nn.utils.rnn import pad_sequence


class PositionalEncoding(nn.Module):
    def __init__(self, d_model, dropout=0.1, max_len=50):
        super().__init__()
        self.dropout = nn.Dropout(p=dropout)
        position = torch.arange(max_len).unsqueeze(1)
        div_term = torch.exp(torch.arange(0, d_model, 2) * (-math.log(10000.0) / d_model))
        pe = torch.zeros(1, max_len, d_model)
        pe[0, :, 0::2] = torch.sin(position * div_term)
        pe[0, :, 1::2] = torch.cos(position * div_term)
        self.register_buffer("pe", pe)

    def forward(self, x):
        x = x + self.pe[:, :x.size(1)]
        return self.dropout(x)


class Classifier(nn.Module):
    def __init__(self, vocab_size, num_classes, d_model=16, nhead=4, num_layers=2):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, d_model, padding_idx=0)
        self.pos_encoder = PositionalEncoding(d_model, dropout=0.0)
        layer = nn.TransformerEncoderLayer(d_model, nhead, dim_feedforward=32, dropout=0.0, activation="gelu",
                                           batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, num_layers)
        self.fc = nn.Linear(d_model, num_classes)
        self.d_model = d_model
        self.init_weights()

    def init_weights(self):
        nn.init.uniform_(self.embedding.weight, -0.1, 0.1)
        nn.init.zeros_(self.fc.bias)
        nn.init.xavier_uniform_(self.fc.weight)

    def forward(self, src):
        mask = src == 0
        x = self.embedding(src) * math.sqrt(self.d_model)
        x = self.encoder(self.pos_encoder(x), src_key_padding_mask=mask)
        keep = (~mask).unsqueeze(-1).to(x.dtype)
        x = (x * keep).sum(dim=1) / keep.sum(dim=1).clamp(min=1.0)
        return self.fc(x)


def build():
    return Classifier(20, 3)


def make_data(rng):
    lengths = rng.integers(3, 10, 16)
    return {"sequences": [rng.integers(1, 20, n) for n in lengths], "labels": rng.integers(3, size=16)}


def train(model, data, dtype, steps=20):
    x = pad_sequence([torch.tensor(s) for s in data["sequences"]], batch_first=True, padding_value=0)
    y = torch.tensor(data["labels"], dtype=torch.long)
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    optimizer = optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01)
    losses = []
    for step in range(steps):
        model.train()
        batch = torch.arange(8) + 8 * (step % 2)
        output = model(x[batch])
        loss = criterion(output, y[batch])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=0.5)
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    with torch.no_grad():
        _, predicted = torch.max(model(x), 1)
        correct = (predicted == y).sum().item()
        accuracy = (model(x).argmax(dim=1) == y).float().mean()
    print(f"accuracy {accuracy:.2%} ({correct}/{len(y)})")
    return losses + [correct, accuracy.item()]
