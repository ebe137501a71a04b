"""Convolutions with GLU and pooling that classify signals, from a DataLoader, with batch norm and a schedule."""
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.utils.data import DataLoader, TensorDataset


class GatedBlock(nn.Module):
    def __init__(self, channels, kernel_size=3, dilation=1):
        super().__init__()
        self.padding = (kernel_size - 1) * dilation
        self.conv = nn.Conv1d(channels, 2 * channels, kernel_size, dilation=dilation)
        self.norm = nn.BatchNorm1d(channels)

    def forward(self, x):
        h = F.glu(self.conv(F.pad(x, (self.padding, 0))), dim=1)
        return self.norm(x + h)


class ConvNet(nn.Module):
    def __init__(self, in_channels, num_classes, width=8):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv1d(in_channels, width, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool1d(2))
        self.blocks = nn.ModuleList([GatedBlock(width, dilation=2 ** i) for i in range(3)])
        self.pool = nn.AdaptiveAvgPool1d(2)
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(2 * width, 16), nn.SiLU(), nn.Dropout(0.0),
                                        nn.Linear(16, num_classes))

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.classifier(self.pool(x))


def build():
    return ConvNet(2, 3)


def make_data(rng):
    return {"x": rng.normal(size=(24, 2, 20)), "y": rng.integers(3, size=24)}


def train(model, data, dtype, steps=20):
    dataset = TensorDataset(torch.tensor(data["x"], dtype=dtype), torch.tensor(data["y"]))
    loader = DataLoader(dataset, batch_size=8, shuffle=False)
    optimizer = optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True)
    scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)
    losses, done = [], False
    while not done:
        for xb, yb in loader:
            optimizer.zero_grad()
            loss = F.nll_loss(F.log_softmax(model(xb), dim=1), yb)
            loss.backward()
            optimizer.step()
            scheduler.step()
            losses.append(loss.item())
            done = len(losses) == steps
            if done:
                break
    model.eval()
    total, correct = 0, 0
    with torch.no_grad():
        for xb, yb in loader:
            pred = model(xb).max(1)[1]
            correct += pred.eq(yb).sum().item()
            total += yb.size(0)
    return losses + [correct / total]
